"""How far a training or an evaluation is: told by whoever does it, shown by whoever waits."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is."""

    phase: str
    """``wait`` (``note`` says for what), ``index``, ``prepare``, ``judge`` (before the training),
    ``train``, ``gate`` (after it); of an evaluation ``evaluate``."""
    step: int = 0
    """While judging the examples, then the methods, that are done."""
    steps: int = 0
    """Steps in all, as foreseen by the pace so far and the budget; 0 while unknown."""
    loss: float | None = None
    validation_loss: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    note: str | None = None
    """What the user should know now, in one sentence."""
