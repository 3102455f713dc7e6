"""What a run will take, before it starts: measured by real steps on its own examples.

The batch of the longest examples, or that of the longest targets, decides the memory, one of
middling length the time. What an optimizer keeps is added by rule, as it is made at the first
update. Nothing of the model or of the random numbers is changed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from personalizer.dataset import Dataset, Encoded
from personalizer.models import LoadedBase
from personalizer.settings import Optimizer
from personalizer.training.batches import Examples, length, padding_of, summed_loss
from personalizer.training.compute import flop_counter, forget_peak_memory, peak_memory_bytes
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.judging import seconds_a_token

__all__ = ["Forecast", "rehearse"]

_STATE_BYTES: dict[Optimizer, float] = {"adamw": 8.0, "adafactor": 0.1, "paged-adamw-8bit": 2.1}
"""Bytes an optimizer keeps for each trainable parameter: two float32 moments, rows and columns,
two 8-bit moments with their scales."""


@dataclass(frozen=True)
class Forecast:
    """What a run will take."""

    peak_memory_bytes: int
    """Of the process on a CPU, of the accelerator's allocations elsewhere."""
    training_seconds: float
    """Of all steps and evaluations, were there no budget."""
    judging_seconds: float
    """Of the base and of the adapter, before and after, by every held-out pair."""
    evaluation_seconds: float
    """Of one evaluation."""
    steps: int
    """At most; patience may end the run before."""
    steps_between_evaluations: int
    seconds_a_step: float
    flops_a_token: float
    """Of a training step as it runs: frozen layers crossed, activations computed again."""
    flops_a_token_forward: float
    """Of an evaluation."""

    def steps_within(self, seconds: float) -> int:
        """Steps that so much time is thought to allow, evaluations included; one at least."""
        each = self.seconds_a_step + self.evaluation_seconds / self.steps_between_evaluations
        return max(1, min(self.steps, int(seconds / each)))


def rehearse(
    model: Any,
    base: LoadedBase,
    dataset: Dataset,
    hyper: Hyperparameters,
    *,
    autocast: torch.dtype | None,
) -> Forecast:
    """Forecasts a run by real steps without an update.

    Args:
        model: Adapted, as it will be trained.
        base: Its base.
        dataset: Of the gate's side only how long judging takes.
        hyper: How it will be trained.
        autocast: What steps compute in; None for the weights' own kind.

    Raises:
        RuntimeError: If memory runs out; ``ran_out_of_memory`` knows it.
        MemoryError: If it would run out once the optimizer keeps what it keeps.
    """
    micro = hyper.micro_batch()
    rows = sorted(dataset.train, key=length, reverse=True)
    middle = max(0, len(rows) // 2 - micro // 2)
    step = _Step(model, base, autocast)
    device = next(model.parameters()).device
    model.train()
    forget_peak_memory()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        for batch in _largest(rows, micro):
            step.run(batch)
        with flop_counter() as counter:
            counted = step.run(rows[len(rows) // 2 :][:1], counter)
        timed = step.run(rows[middle : middle + micro])
    peak = peak_memory_bytes()
    model.zero_grad(set_to_none=True)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    train_tokens = sum(map(length, dataset.train))
    steps = hyper.steps(len(dataset.train))
    tokens_a_step = train_tokens / hyper.steps_an_epoch(len(dataset.train))
    seconds_a_step = (timed.forward + timed.backward) / timed.tokens * tokens_a_step
    evaluated = sum(map(length, hyper.evaluated_on(dataset.validation)))
    evaluation = evaluated * timed.forward / timed.tokens
    flops, forward_flops = counter.get_total_flops(), counted.forward_flops
    # by multiplications, not by the clock: a run that is made again has the same evaluations
    between = hyper.steps_between_evaluations(
        len(dataset.train), evaluated * forward_flops / (tokens_a_step * flops)
    )
    held_out = (*dataset.validation, *dataset.gate)
    judged = 2 * seconds_a_token(model.eval(), base, held_out) * sum(map(length, held_out))
    peak += round(_STATE_BYTES[hyper.optimizer] * trainable)
    _check_room(peak, device.type)
    return Forecast(
        peak_memory_bytes=peak,
        training_seconds=round(steps * seconds_a_step + math.ceil(steps / between) * evaluation, 1),
        judging_seconds=round(judged, 1),
        evaluation_seconds=round(evaluation, 3),
        steps=steps,
        steps_between_evaluations=between,
        seconds_a_step=round(seconds_a_step, 4),
        flops_a_token=flops / counted.tokens,
        flops_a_token_forward=forward_flops / counted.tokens,
    )


def _largest(rows: Sequence[Encoded], micro: int) -> list[Sequence[Encoded]]:
    """The longest examples, and those of the longest targets where these are longer: a target
    token has logits, which weigh more than all else that is kept of a token."""
    longest = rows[:micro]
    widest = sorted(rows, key=_width, reverse=True)[:micro]
    return [longest, widest] if _width(widest[0]) > max(map(_width, longest)) else [longest]


def _width(row: Encoded) -> int:
    return len(row.target)


@dataclass(frozen=True)
class _Took:
    tokens: int
    """Without padding."""
    forward: float
    """Seconds."""
    backward: float
    forward_flops: int


@dataclass(frozen=True)
class _Step:
    """Forward and backward, as in training."""

    model: Any
    base: LoadedBase
    autocast: torch.dtype | None

    def run(self, examples: Sequence[Encoded], counter: Any = None) -> _Took:
        rows = Examples(examples, self.base.encoder_decoder)
        device = next(self.model.parameters()).device
        collated = padding_of(self.base)([rows[i] for i in range(len(rows))])
        batch = {name: value.to(device) for name, value in collated.items()}
        start = _now(device)
        with torch.autocast(device.type, self.autocast) if self.autocast else nullcontext():
            total, count = summed_loss(self.model, batch, self.base.encoder_decoder)
        forward = _now(device)
        flops = counter.get_total_flops() if counter is not None else 0
        torch.autograd.backward(total / count)
        return _Took(sum(map(length, examples)), forward - start, _now(device) - forward, flops)


def _check_room(peak: int, device: str) -> None:
    """A machine out of memory kills without an error that anything could answer."""
    if device == "cpu":
        room = psutil.virtual_memory().available + psutil.Process().memory_info().rss
        if peak > room:
            raise MemoryError(f"the training needs {peak} bytes, {room} are there")


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
