"""What ``status`` says of the adapter that serves; ``daemon.protocol`` adds what is done for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["AdapterStatus", "Freshness", "LossOnNew", "PairChanges", "UnseenSymbols"]

Freshness = Literal["fresh", "ageing", "stale", "none"]


@dataclass(frozen=True, slots=True)
class PairChanges:
    """Pairs of the project beside those the adapter was trained on."""

    trained: int = 0
    """Pairs that the project had then."""
    unchanged: int = 0
    changed: int = 0
    """Same names, other code."""
    new: int = 0
    removed: int = 0

    @property
    def share(self) -> float:
        """Changed, new and removed pairs as a share of those trained on."""
        return (self.changed + self.new + self.removed) / max(1, self.trained)


@dataclass(frozen=True, slots=True)
class UnseenSymbols:
    """Names of the project that the adapter never saw in training."""

    count: int = 0
    share: float = 0.0
    """Of all names that the project has now."""


@dataclass(frozen=True, slots=True)
class LossOnNew:
    """A kept measurement on pairs that the adapter has not seen, as far as they are still there."""

    measured_at: str
    """ISO 8601, UTC."""
    pairs: int
    """Measured then."""
    still_there: int
    """Those among them that are new or changed today, too."""
    not_measured: int
    """New and changed pairs that came since."""
    base: float | None
    """Nats a token; None where no pair could be measured."""
    adapter: float | None

    @property
    def gain(self) -> float | None:
        """By how much the adapter's loss is below the base's."""
        return None if self.base is None or self.adapter is None else self.base - self.adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterStatus:
    """Which adapter serves a project, and how fresh it is."""

    adapter: str | None = None
    """Its id; None where none serves."""
    method: str | None = None
    base: str | None = None
    """The base that serves, alone without an adapter; None where not even that does, for an adapter
    should that is damaged."""
    freshness: Freshness
    why: str
    """Of the freshness, in one sentence."""
    pairs: PairChanges = PairChanges()
    unseen_symbols: UnseenSymbols = UnseenSymbols()
    loss_on_new: LossOnNew | None = None
    commits_behind: int | None = None
    """None where git does not tell."""
    trained_at: str | None = None
    """ISO 8601, UTC."""
    gate: str | None = None
    """Its outcome."""
    gate_reason: str | None = None
    chosen_by: str | None = None
    """``gate`` or ``user``."""
    warnings: tuple[str, ...] = ()
    """What else the user should know, a sentence each."""
    contents: str | None = None
    """Differs whenever a pair of the project does."""

    @property
    def against_gate(self) -> bool:
        """Whether the user has chosen by name what the gate had refused."""
        return self.gate == "refused" and self.chosen_by == "user"
