"""``auto``: the strategy that fits the pairs, the base, the memory and the time at hand."""

from __future__ import annotations

from dataclasses import dataclass

from personalizer.training.strategies.records import SMALL

__all__ = ["AUTO", "Choice", "Situation", "choose"]

AUTO = "auto"
"""The name that asks for a choice."""

_ENOUGH_PAIRS = 50
"""Training pairs from which all parameters of a small base may move: with 58 to 72 that gained
more than any other method in the same minute (docs/experiments.md)."""
_PASSES = 3
"""Passes over the training pairs that ``custom`` must have time for."""
_CUSTOM_TIME = 1.0
"""A pass with ``custom`` over one with ``lora``, whose matrices beside every layer cost a small
base as much as the gradients that frozen weights save (docs/experiments.md: 137 thousand tokens
in a minute, 104 with ``lora``)."""
_WHOLE = 16
"""Bytes a parameter of full fine-tuning: weight, gradient and two of AdamW, four bytes each."""
_BYTES = {"lora": (2.0, 4.0), "qlora-8bit": (1.1, 1.1), "qlora-4bit": (0.58, 0.58)}
"""Bytes a parameter of the frozen base, on an accelerator (16 bit) and on a CPU (32 bit)."""
_BESIDE = (1_000_000_000, 0.65, 5_000_000_000)
"""Bytes for matrices, their optimiser and activations: at least, more a parameter, at most. With
``_BYTES`` this gives W24's peaks within a tenth: 19.1 and 9.2 GB for LoRA and 4-bit QLoRA on
CodeLlama-7B, 23.6 GB for 4-bit QLoRA on CodeLlama-34B."""


@dataclass(frozen=True)
class Situation:
    """What a choice depends on."""

    pairs: int
    """Training pairs."""
    parameters: int
    """Of the base."""
    memory_bytes: int
    """That a training may use."""
    accelerator: bool
    """Whether it runs on a GPU."""
    epoch_seconds: float
    """Forecast of one pass over the training pairs with ``lora``."""
    budget_seconds: float
    """Longest training time."""


@dataclass(frozen=True)
class Choice:
    """A strategy and why."""

    method: str
    reason: str
    """One sentence."""


def choose(situation: Situation) -> Choice:
    """The strategy for a situation.

    A small base gains more when all of it trains, given the pairs, the memory and the time. Any
    other gets LoRA, which W24 found the best of the cheap ways, on a base no more quantised than
    memory asks for.

    Example:
        >>> choose(Situation(40, 7_000_000, 8 * 10**9, False, 20.0, 600.0)).reason
        '40 training pairs are too few to move all parameters of the base, so lora trains fewer.'
    """
    if situation.parameters < SMALL:
        against = _against_custom(situation)
        if against is None:
            return Choice(
                "custom",
                f"A base of {_count(situation.parameters)} parameters learns most when all of it "
                f"trains, and {situation.pairs} training pairs, memory and time allow it.",
            )
        if _needed(situation, "lora") <= situation.memory_bytes:
            return Choice("lora", f"{against}, so lora trains fewer.")
    free = _gigabytes(situation.memory_bytes)
    base = f"A base of {_count(situation.parameters)} parameters"
    for method in _BYTES:
        needed = _needed(situation, method)
        if needed <= situation.memory_bytes:
            return Choice(
                method,
                f"{base} needs {_gigabytes(needed)} GB with {method}, the first of "
                f"{', '.join(_BYTES)} that fits into {free} GB.",
            )
    return Choice(
        "qlora-4bit",
        f"{base} needs {_gigabytes(_needed(situation, 'qlora-4bit'))} GB even with qlora-4bit, "
        f"which asks for least, and {free} GB are free.",
    )


def _against_custom(situation: Situation) -> str | None:
    """Why not all parameters should train; None where nothing is against it."""
    if situation.pairs < _ENOUGH_PAIRS:
        return f"{situation.pairs} training pairs are too few to move all parameters of the base"
    if _WHOLE * situation.parameters + _beside(situation) > situation.memory_bytes:
        free = _gigabytes(situation.memory_bytes)
        return f"{free} GB are too little to train all parameters of the base"
    if _PASSES * _CUSTOM_TIME * situation.epoch_seconds > situation.budget_seconds:
        return (
            f"{situation.budget_seconds:.0f} s are too short for {_PASSES} passes that train all "
            "parameters of the base"
        )
    return None


def _needed(situation: Situation, method: str) -> int:
    each = _BYTES[method][0 if situation.accelerator else 1]
    return round(each * situation.parameters) + _beside(situation)


def _beside(situation: Situation) -> int:
    least, each, most = _BESIDE
    return round(min(least + each * situation.parameters, most))


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"


def _count(parameters: int) -> str:
    """
    >>> _count(7_240_000), _count(6_738_000_000)
    ('7M', '6.7B')
    """
    if parameters < 1_000_000_000:
        return f"{parameters / 1e6:.0f}M"
    return f"{parameters / 1e9:.1f}B"
