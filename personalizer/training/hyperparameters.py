"""What a training run is told. Free of torch."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from personalizer.settings import Optimizer, ScheduleOver
from personalizer.training.strategies.records import Options

__all__ = ["OPTIMIZERS", "Hyperparameters"]

OPTIMIZERS: dict[Optimizer, str] = {
    "adamw": "adamw_torch",
    "adafactor": "adafactor",
    "paged-adamw-8bit": "paged_adamw_8bit",
}
"""Our name of an optimizer to the Trainer's."""

_OFTEN = 0.2
"""Epochs between two evaluations at least (W24: a fifth of the training set)."""
_EVALUATING = 0.1
"""Share of the time that evaluations take at most where nobody says when they are made."""
_EVALUATED = 64
"""Most examples of such an evaluation."""

_Example = TypeVar("_Example")


@dataclass(frozen=True)
class Hyperparameters:
    """What a run is told."""

    learning_rate: float
    batch_size: int = 8
    """Examples a step, over all processes and micro-batches."""
    epochs: int = 12
    """Most passes over the training examples."""
    patience: int = 10
    """Evaluations without a better validation loss before the run ends."""
    seed: int = 0
    options: Options = field(default_factory=Options)
    """Choices within the strategy."""
    warmup: float = 0.05
    """Share of the steps of the schedule."""
    schedule: ScheduleOver = "budget"
    """What the learning rate rises and falls over: the steps that the ``budget`` is foretold to
    allow, or those of all ``epochs``."""
    evaluate_every: float | None = None
    """Epochs between two evaluations; None for as often as a tenth of the time allows."""
    optimizer: Optimizer = "adamw"
    accumulation: int = 1
    """Micro-batches that a step's batch is cut into; the gradient stays the same."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass: less memory, a third more time."""
    max_steps: int | None = None
    """The run ends after this many steps."""
    budget_seconds: float = math.inf
    """The run ends at the step after this much running time; its best checkpoint counts."""
    whole_budget: float | None = None
    """The budget as it was asked for, which is not all for steps; None where it is."""
    checkpoint_seconds: float = 60.0
    """Running time between two checkpoints: what a killed run loses at most."""
    tensorboard: str | None = None
    """Folder of TensorBoard's event files; None writes none."""

    @property
    def budget_asked(self) -> float:
        return self.budget_seconds if self.whole_budget is None else self.whole_budget

    def steps(self, examples: int) -> int:
        """Most steps of a run over so many training examples."""
        steps = self.epochs * self.steps_an_epoch(examples)
        return steps if self.max_steps is None else min(steps, self.max_steps)

    def steps_an_epoch(self, examples: int) -> int:
        return max(1, math.ceil(examples / self.batch_size))

    def micro_batch(self) -> int:
        """Examples of one forward pass in one process (``accelerate launch`` starts several)."""
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        return max(1, self.batch_size // (self.accumulation * processes))

    def evaluated_on(self, validation: Sequence[_Example]) -> Sequence[_Example]:
        """The validation examples of an evaluation: a spread of them where they are many.

        All of them where ``evaluate_every`` says when.
        """
        if self.evaluate_every is not None or len(validation) <= _EVALUATED:
            return validation
        return [validation[n * len(validation) // _EVALUATED] for n in range(_EVALUATED)]

    def steps_between_evaluations(self, examples: int, cost: float) -> int:
        """Steps from one evaluation to the next.

        Args:
            examples: Of the training side.
            cost: What an evaluation takes, in steps.

        Example:
            >>> given, free = Hyperparameters(1e-3, evaluate_every=0.5), Hyperparameters(1e-3)
            >>> [one.steps_between_evaluations(160, 2.0) for one in (given, free)]
            [10, 18]
        """
        epoch = self.steps_an_epoch(examples)
        if self.evaluate_every is not None:
            return max(1, round(self.evaluate_every * epoch))
        return max(1, round(_OFTEN * epoch), math.ceil(cost * (1 / _EVALUATING - 1)))
