"""What is done between two steps of a run: progress, budget, checkpoints, the way out."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from personalizer.phases import Progress
from personalizer.training.checkpoints import checkpoint_of, seal
from personalizer.training.clock import RunningClock
from personalizer.training.compute import keep_memory_below

__all__ = ["Report", "Watch", "leaving_on_signals"]

Report = Callable[[Progress], None]

_SHARE = 20
"""Checkpoints may take at most one part in so many of the time."""


class Watch(TrainerCallback):
    """Reports progress, saves by time, and ends a run whose time is over or that is told to leave.

    Args:
        clock: Counts the running time, that of earlier attempts included.
        budget: Seconds of running time.
        checkpoint_seconds: Between two checkpoints.
        leave: Once set, the run saves a checkpoint at the next step and raises KeyboardInterrupt.
        report: Told of every step.
        evaluation_seconds: What an evaluation is thought to take, until one was made: the last
            one ends within the budget too.
        resident_bytes: Freed memory is given back once the process holds more.
    """

    def __init__(
        self,
        clock: RunningClock,
        budget: float,
        checkpoint_seconds: float,
        leave: threading.Event,
        report: Report,
        evaluation_seconds: float = 0.0,
        resident_bytes: float = math.inf,
    ) -> None:
        self.clock = clock
        self.budget = budget
        self.checkpoint_seconds = checkpoint_seconds
        self.leave = leave
        self.report = report
        self.resident_bytes = resident_bytes
        self.tokens_before = 0
        self._begun = clock.seconds()
        self._first = 0
        self._saved = clock.seconds()
        self._stepped = clock.seconds()
        self._evaluation = evaluation_seconds
        self._asked: float | None = None
        self._cost = 0.0
        self._loss: float | None = None
        self._validation: float | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._first = state.global_step
        self.tokens_before = int(state.num_input_tokens_seen)
        self._begun = self._saved = self.clock.seconds()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._stepped = self.clock.seconds()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        now = self.clock.seconds()
        took, self._stepped = now - self._stepped, now
        over, due, leave = _agreed(
            now + took + self._evaluation + self._cost > self.budget,
            now - self._saved > max(self.checkpoint_seconds, _SHARE * self._cost),
            self.leave.is_set(),
        )
        keep_memory_below(self.resident_bytes)
        if over:
            control.should_training_stop = True
        if control.should_training_stop:  # at the last step, too, which else none might see
            control.should_evaluate = True
        if leave:
            self.leave.set()
        if over or due or leave:
            control.should_save = True
        self._asked = time.monotonic() if control.should_save else None

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if metrics and "eval_loss" in metrics:
            self._evaluation = self.clock.seconds() - self._stepped
            self._validation = float(metrics["eval_loss"])
            best = state.best_metric
            if best is None or self._validation < best or control.should_training_stop:
                control.should_save = True
            self._asked = time.monotonic()
            self._tell(state)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.is_world_process_zero:
            seal(checkpoint_of(Path(str(args.output_dir)), state.global_step))
        if self._asked is not None:
            self._cost = time.monotonic() - self._asked
        self._saved = self.clock.seconds()
        if self.leave.is_set() and not control.should_training_stop:
            raise KeyboardInterrupt

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if logs and "loss" in logs:
            self._loss = logs["loss"]
            self._tell(state)

    def _tell(self, state: TrainerState) -> None:
        now = self.clock.seconds()
        passed, done = now - self._begun, state.global_step - self._first
        left, steps = None, 0
        if done and passed:
            pace = done / passed
            left = max(0.0, min((state.max_steps - state.global_step) / pace, self.budget - now))
            steps = state.global_step + round(left * pace)
        seen = int(state.num_input_tokens_seen) - self.tokens_before
        self.report(
            Progress(
                phase="train",
                step=state.global_step,
                steps=steps,
                loss=_finite(self._loss),
                validation_loss=_finite(self._validation),
                tokens_per_second=seen / passed if seen > 0 and passed else None,
                seconds_left=left,
            )
        )


@contextmanager
def leaving_on_signals(leave: threading.Event) -> Iterator[None]:
    """An interrupt or a termination waits for the step's end; a second one does not."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: Any) -> None:
        for one, handler in before.items():
            signal.signal(one, handler)
        leave.set()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _agreed(*flags: bool) -> list[bool]:
    """What any process of the run says: they must evaluate, save and end at the same step."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return list(flags)
    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    said = torch.tensor(flags, dtype=torch.int32, device=device)
    torch.distributed.all_reduce(said, op=torch.distributed.ReduceOp.MAX)
    return [bool(one) for one in said.tolist()]


def _finite(loss: float | None) -> float | None:
    """None for a loss that is no number, which JSON has no word for."""
    return loss if loss is not None and math.isfinite(loss) else None
