"""What a training foresees of itself while it runs."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from personalizer.phases import Progress
from personalizer.training.clock import RunningClock
from personalizer.training.forecast import Forecast
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.project import _foretold, _hardly_trained
from personalizer.training.watch import Watch


class Clock(RunningClock):
    """Says what it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def seconds(self) -> float:
        return self.now


def told(budget: float, *, at: float, step: int, most: int = 1000, first: int = 0) -> Progress:
    """What is reported at a step, so many seconds after a training began at step ``first``."""
    clock, reports = Clock(), list[Progress]()
    watch: Any = Watch(clock, budget, 60.0, threading.Event(), reports.append)
    state = SimpleNamespace(
        global_step=first, max_steps=most, num_input_tokens_seen=0, best_metric=None
    )
    watch.on_train_begin(None, state, None)
    clock.now, state.global_step = at, step
    watch.on_log(None, state, None, {"loss": 1.0})
    return reports[-1]


@pytest.mark.parametrize(
    ("budget", "steps", "left"),
    [(100.0, 50, 80.0), (10_000.0, 1000, 1980.0), (15.0, 10, 0.0)],
)
def test_the_steps_foreseen_are_those_for_which_there_is_time(
    budget: float, steps: int, left: float
):
    found = told(budget, at=20.0, step=10)
    assert (found.steps, found.seconds_left) == (steps, left)


def test_a_training_that_goes_on_foresees_by_its_own_pace():
    found = told(100.0, at=20.0, step=110, first=100)
    assert (found.step, found.steps) == (110, 150)


def test_before_the_first_step_nothing_is_foreseen():
    found = told(100.0, at=5.0, step=100, first=100)
    assert (found.steps, found.seconds_left) == (0, None)


def forecast(training_seconds: float) -> Forecast:
    return Forecast(
        peak_memory_bytes=1,
        training_seconds=training_seconds,
        judging_seconds=10.0,
        evaluation_seconds=0.0,
        steps=500,
        steps_between_evaluations=100,
        seconds_a_step=training_seconds / 500,
        flops_a_token=1.0,
        flops_a_token_forward=1.0,
    )


def test_a_forecast_counts_the_steps_that_the_budget_allows():
    run = forecast(1000.0)
    assert _foretold(run, ready=20.0, budget=130.0)["steps"] == 50
    assert _foretold(run, ready=20.0, budget=3000.0)["steps"] == 500


def test_a_training_that_takes_no_time_to_speak_of_has_all_its_steps():
    assert _foretold(forecast(0.0), ready=0.0, budget=60.0)["steps"] == 500


def hardly_trained(steps: int, ended: str = "budget", pairs: int = 2000) -> str | None:
    run: Any = SimpleNamespace(steps=steps, ended=ended, forecast=forecast(1000.0))
    dataset: Any = SimpleNamespace(train=[None] * pairs)
    return _hardly_trained(run, dataset, Hyperparameters(1e-3), ready=20.0)


def test_a_budget_that_few_pairs_were_trained_in_is_told_what_it_would_have_to_be():
    assert hardly_trained(3) == (
        "the budget was enough for 3 steps, on 24 of 2,000 training pairs; to train on each of "
        "them once it would have to be about 9 min"  # 20 s, 250 steps of 2 s, 10 s of judging
    )
    assert hardly_trained(13) is None
    assert hardly_trained(3, ended="steps") is None
    assert hardly_trained(3, pairs=100) is None
