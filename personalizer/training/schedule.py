"""How the learning rate goes over a run.

The rate rises and falls over the steps that the budget is foretold to allow: a rate laid over
epochs that no budget reaches would spend it warming up, and never fall (docs/decisions/0022).
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from personalizer.storage import write_atomically
from personalizer.training.forecast import Forecast
from personalizer.training.hyperparameters import Hyperparameters

__all__ = ["Schedule", "schedule_of"]

_FILE = "schedule.json"
_LAST = 0.1
"""Share of the rate at the schedule's end and, where time is left, in the steps after it."""
_RAISED = 2.0
"""A budget this many times the one that was reckoned with is another budget: what reading and
judging leave of one and the same differs by less."""


@dataclass(frozen=True)
class Schedule:
    """The steps over which the learning rate rises and falls."""

    steps: int
    warmup: int
    """The first of them, in which it rises; at least one."""
    budget_seconds: float | None = None
    """What was reckoned with; None for no budget."""

    def share(self, step: int) -> float:
        """Share of the learning rate that a step has, counted from 0.

        As transformers' ``cosine_warmup_with_min_lr``, which would rise again behind its end.

        Example:
            >>> [round(Schedule(6, 2).share(step), 2) for step in range(8)]
            [0.5, 1.0, 0.87, 0.55, 0.23, 0.1, 0.1, 0.1]
            >>> Schedule(1, 1).share(0)
            1.0
        """
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = min(1.0, (step + 1 - self.warmup) / max(1, self.steps - self.warmup))
        return _LAST + (1 - _LAST) * (1 + math.cos(math.pi * done)) / 2


def schedule_of(folder: Path, hyper: Hyperparameters, forecast: Forecast) -> Schedule:
    """The schedule of a run: the one that it began with, or a new one, which its folder keeps.

    Args:
        folder: Of the run's checkpoints.
        hyper: How it trains.
        forecast: What it would take.

    Raises:
        StorageError: If the disk is full or read-only.
    """
    within = hyper.budget_seconds
    if hyper.schedule == "epochs" or math.isinf(within):
        return _over(hyper, forecast.steps)
    file = folder / _FILE
    with suppress(OSError, ValueError):
        kept = msgspec.json.decode(file.read_bytes(), type=Schedule)
        if kept.budget_seconds is not None and within < _RAISED * kept.budget_seconds:
            return kept
    made = _over(hyper, forecast.steps_within(within), within)
    write_atomically(file, msgspec.json.encode(made))
    return made


def _over(hyper: Hyperparameters, steps: int, budget_seconds: float | None = None) -> Schedule:
    return Schedule(steps, max(1, round(hyper.warmup * steps)), budget_seconds)
