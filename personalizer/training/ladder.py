"""What is tried, one after the other, when memory runs out.

What changes nothing comes first: smaller micro-batches give the same gradient, checkpointing the
same for a third more time. Shorter prompts show the model less; a quantised base is another base.
Where memory does not suffice for the base alone, none but the last would help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from personalizer.errors import BaseTooLarge, OutOfMemory
from personalizer.models import ran_out_of_memory
from personalizer.phases import Progress
from personalizer.settings import Settings
from personalizer.training.compute import give_memory_back

if TYPE_CHECKING:
    from personalizer.training.watch import Report

__all__ = ["Rung", "down_the_ladder", "rungs"]

_Result = TypeVar("_Result")

_QUANTISED = {"lora": "qlora-4bit", "qlora-8bit": "qlora-4bit"}
_LEAST_PROMPT = 128
"""Tokens of prompt below which a method and its test class are no longer to be seen."""


@dataclass(frozen=True)
class Rung:
    """Settings to train with, and what was given up for them."""

    settings: Settings
    told: str
    """What the user is told when it is stepped on; empty for the first."""


def rungs(settings: Settings, told: str = "") -> Iterator[Rung]:
    """The settings as they are, then ever thriftier ones; each keeps what those before gave up.

    Args:
        settings: To begin with.
        told: What was given up for these.
    """
    yield Rung(settings, told)
    while settings.accumulation < settings.batch_size:
        settings = replace(settings, accumulation=_next_part(settings))
        each = settings.batch_size // settings.accumulation
        told = f"the {settings.batch_size} examples of a step are computed {each} at a time"
        yield Rung(settings, told)
    if not settings.gradient_checkpointing:
        settings = replace(settings, gradient_checkpointing=True)
        yield Rung(settings, "activations are computed twice instead of kept")
    for _ in range(2):
        prompt = (settings.context_tokens - settings.target_tokens) * 2 // 3
        if prompt >= _LEAST_PROMPT:
            settings = replace(settings, context_tokens=settings.target_tokens + prompt)
            yield Rung(settings, f"prompts are cut to {prompt} tokens")
    yield from _quantised(settings)


def _quantised(settings: Settings) -> Iterator[Rung]:
    """The settings on a base in 4 bits; nothing where the method has no such thing."""
    if settings.method in _QUANTISED:
        settings = replace(settings, method=_QUANTISED[settings.method])
        yield Rung(settings, f"the base is kept in 4 bits (method {settings.method})")


def _next_part(settings: Settings) -> int:
    """The smallest number of micro-batches that at least doubles the one there is."""
    return next(
        parts
        for parts in range(2 * settings.accumulation, settings.batch_size + 1)
        if settings.batch_size % parts == 0
    )


def down_the_ladder(
    settings: Settings, attempt: Callable[[Settings, int], _Result], report: Report
) -> tuple[_Result, list[str]]:
    """The first attempt that memory suffices for, and what was given up for it.

    A base that does not fit is quantised at once; nothing else is given up then before it must be.

    Args:
        settings: To begin with.
        attempt: Told settings and the number of their rung, which no others have.
        report: Told of each rung.

    Raises:
        OutOfMemory: If memory suffices for none.
    """
    eased: list[str] = []
    ladder = list(rungs(settings))
    smaller = next(_quantised(settings), None)
    number = 0
    while number < len(ladder):
        rung = ladder[number]
        report(Progress("prepare", note=f"memory ran out: {rung.told}" if rung.told else None))
        eased += [rung.told] if rung.told else []
        try:
            return attempt(rung.settings, number), eased
        except Exception as error:
            if not ran_out_of_memory(error):
                raise
            too_large = isinstance(error, BaseTooLarge)
        give_memory_back()
        number += 1
        if too_large:
            if smaller is None:
                break
            number, eased = len(ladder), []
            ladder += rungs(smaller.settings, smaller.told)
            smaller = None
    even = f", even when {'; '.join(eased)}" if eased else ""
    raise OutOfMemory(
        f"{settings.method} on {settings.base} needs more memory than there is{even}: "
        "take a smaller base, or close other programs"
    )
