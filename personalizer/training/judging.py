"""Who judges base and adapter: of the held-out pairs as many as the budget's share allows.

Pairs are drawn one by one, in an order that the pairs alone decide: a larger draw holds a smaller
one, and two of one size are the same. Whoever is judged in a run is judged on the same draw, one
that goes on after a kill too: its size is written down (docs/decisions/0023).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from personalizer.dataset import Dataset, Encoded, Side
from personalizer.gate import FEWEST_GATE_METHODS, FEWEST_GATE_PAIRS
from personalizer.models import LoadedBase
from personalizer.phases import Progress
from personalizer.storage import write_atomically
from personalizer.training.batches import length, target_losses
from personalizer.training.watch import Report

__all__ = [
    "HELD_OUT",
    "drawn",
    "in_order",
    "losses",
    "part_of",
    "seconds_a_token",
]

HELD_OUT: tuple[Side, ...] = ("gate", "validation")

_FILE = "judges.json"
_FEWEST_VALIDATION = 8
"""Validation pairs that judge at least: their mean is shown, nothing is decided by it."""
_TIMED = 4
"""Examples of which the pace of judging is taken: of middling length."""


@dataclass(frozen=True)
class _Drawn:
    """How many judge."""

    budget: float
    """The whole one, in seconds, that the number was reckoned with."""
    gate: int
    validation: int


def drawn(
    base: LoadedBase, dataset: Dataset, seconds: float, *, folder: Path | None, budget: float
) -> Dataset:
    """A dataset with as many held-out examples as a time allows, however few the fewest that tell.

    Args:
        base: Judges at its pace; unchanged.
        dataset: Its held-out sides are drawn from; the training side stays.
        seconds: For all of them, by one model.
        folder: Where the number is kept, and found again for the same budget; None keeps nothing.
        budget: The whole one, in seconds.

    Raises:
        StorageError: If the disk is full or read-only.
    """
    file = None if folder is None else folder / _FILE
    if file is not None:
        with suppress(OSError, ValueError):
            kept = msgspec.json.decode(file.read_bytes(), type=_Drawn)
            if kept.budget == budget:
                return _first(dataset, kept)
    whole = seconds_a_token(base.model, base, [e for s in HELD_OUT for e in dataset.sides[s]])
    whole *= sum(length(e) for s in HELD_OUT for e in dataset.sides[s])
    share = seconds / whole if whole > 0 else 1.0
    made = _Drawn(
        budget,
        _allowed(dataset.gate, share, FEWEST_GATE_PAIRS, FEWEST_GATE_METHODS),
        _allowed(dataset.validation, share, _FEWEST_VALIDATION),
    )
    if file is not None:
        write_atomically(file, msgspec.json.encode(made))
    return _first(dataset, made)


def seconds_a_token(model: Any, base: LoadedBase, examples: Sequence[Encoded]) -> float:
    """What the losses take that the gate goes by, measured on a few examples."""
    rows = sorted(examples, key=length)
    middle = max(0, (len(rows) - _TIMED) // 2)
    timed = rows[middle : middle + _TIMED]
    target_losses(model, base, rows[:1])  # the first pass makes what the others find
    begun = time.perf_counter()
    target_losses(model, base, timed)
    return (time.perf_counter() - begun) / sum(map(length, timed))


def losses(model: Any, base: LoadedBase, judges: Dataset, phase: str, report: Report) -> Any:
    """Mean negative log likelihood per target token of each held-out example, in nats, by side.

    Args:
        model: The base's model, adapted or not, in evaluation mode.
        base: For its tokenizer and kind.
        judges: Its held-out sides judge.
        phase: That is reported, after each batch.
        report: Told how far it is; what it raises ends the judging.
    """
    found: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    done, total = 0, sum(len(judges.sides[side]) for side in HELD_OUT)

    def counted(before: int) -> Callable[[int], None]:
        return lambda number: report(Progress(phase, before + number, total))

    for side in HELD_OUT:
        found[side] = target_losses(model, base, judges.sides[side], told=counted(done))
        done += len(judges.sides[side])
    return found


def in_order(examples: Sequence[Encoded]) -> list[int]:
    """Places of examples in the order in which they are drawn, which their pairs alone decide."""

    def order(place: int) -> bytes:
        return hashlib.blake2b(examples[place].pair.digest.encode(), digest_size=8).digest()

    return sorted(range(len(examples)), key=order)


def part_of(judges: Dataset, dataset: Dataset) -> float:
    """Share of the held-out tokens that judge; 1 where all of them do."""
    some, every = (
        sum(length(e) for side in HELD_OUT for e in one.sides[side]) for one in (judges, dataset)
    )
    return some / every


def _allowed(examples: Sequence[Encoded], share: float, pairs: int, methods: int = 0) -> int:
    """How many of the first hold so large a share of all tokens, or are enough to tell anything."""
    most, tokens = share * sum(map(length, examples)), 0
    keys = [example.pair.focal.key for example in examples]
    methods = min(methods, len(set(keys)))
    met: set[str] = set()
    for number, place in enumerate(in_order(examples)):
        tokens += length(examples[place])
        if tokens > most and number >= pairs and len(met) >= methods:
            return number
        met.add(keys[place])
    return len(examples)


def _first(dataset: Dataset, numbers: _Drawn) -> Dataset:
    sides = dict(dataset.sides)
    for side in HELD_OUT:
        examples = dataset.sides[side]
        chosen = set(in_order(examples)[: getattr(numbers, side)])
        sides[side] = tuple(e for place, e in enumerate(examples) if place in chosen)
    return replace(dataset, sides=sides)
