"""What a strategy is, and what it may be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalizer.models import LoadedBase, Quantization
from personalizer.settings import Targets, Variant

if TYPE_CHECKING:
    import torch

__all__ = ["SMALL", "Options", "Strategy"]

SMALL = 50_000_000
"""Parameters below which a base takes the larger learning rates (measured on the starter)."""


@dataclass(frozen=True)
class Options:
    """Choices within a strategy; each strategy reads those that concern it."""

    rank: int = 16
    """Of LoRA matrices (W24: 16); alpha is twice that."""
    targets: Targets = "all-linear"
    """Where LoRA matrices lie: beside every linear layer, or W24's query, key and value."""
    variant: Variant = "lora"
    """How LoRA matrices are begun, scaled or stepped."""
    virtual_tokens: int | None = None
    """Of a prefix or a soft prompt; the strategy's own number when left out."""
    frequent_words: tuple[str, ...] = ()
    """A prefix is begun with these, the most frequent first; see ``words.frequent_words``."""
    start_from: Path | None = None
    """Folder of a prefix trained on other repositories to begin with: Z22's cure for its cost."""


@dataclass(frozen=True)
class Strategy:
    """One way to adapt a base model."""

    name: str
    trains: str
    """What trains, in a few words."""
    source: str
    """Where it is from, and that paper's own defaults."""
    apply: Callable[[LoadedBase, Options], Any]
    """(base, options) to a model whose trainable parameters, and no others, require gradients."""
    rate: float
    """Learning rate for bases of 50M parameters and more."""
    small_rate: float
    """Learning rate for smaller bases, which have more to learn."""
    virtual_tokens: Callable[[Options, LoadedBase], int] = lambda options, base: 0
    """Positions of the base's context that prompt and target cannot have."""
    quantization: Quantization | None = None
    """``load_base`` is told so before the strategy is applied, and when its adapters serve."""

    whole: bool = False
    """Whether weights of the base itself train."""

    @property
    def dtype(self) -> torch.dtype | None:
        """``load_base`` is told so for training: weights that train are float32 on any device.

        A step of usual size is less than half of what bfloat16 tells apart, and is lost.
        """
        import torch

        return torch.float32 if self.whole else None

    def learning_rate(self, base: LoadedBase) -> float:
        return self.small_rate if base.model.num_parameters() < SMALL else self.rate
