"""Runs for tests: a small project's examples, hyperparameters, and what a run told of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from indexer import Level
from personalizer import dataset
from personalizer.models import load_base
from personalizer.training import strategies
from personalizer.training.hyperparameters import Hyperparameters
from tests.java_project import project_files, snapshot_of

__all__ = ["Losses", "encoded", "hyper", "run"]


def encoded(base: Any, *, context_tokens: int = 600, **shown: Any) -> dataset.Dataset:
    """The examples of a project with six classes, as a base's tokenizer writes them.

    The focal method alone is shown, unless ``shown`` says otherwise.
    """
    snapshot = snapshot_of(project_files(classes=6))
    sides = dataset.split(snapshot.pairs, validation_fraction=0.2, gate_fraction=0.2)
    limits = {"context_tokens": context_tokens, "target_tokens": 220}
    shown = {"level": Level.FM, "with_test_class": False} | shown
    return dataset.build(snapshot, sides, base.tokenizer, **limits, **shown)


def hyper(**changes: Any) -> Hyperparameters:
    """Three epochs of four steps, evaluated once an epoch."""
    values = {
        "learning_rate": 1e-2,
        "batch_size": 4,
        "epochs": 3,
        "patience": 9,
        "evaluate_every": 1.0,
        "options": strategies.Options(rank=4),
    }
    return Hyperparameters(**(values | changes))


class Losses:
    """What a run reported: the loss of each step."""

    def __init__(self) -> None:
        self.by_step: dict[int, float] = {}

    def __call__(self, progress: Any) -> None:
        if progress.phase == "train" and progress.loss is not None:
            self.by_step[progress.step] = progress.loss


def run(tiny_base: Path, folder: Path, report: Any = lambda _: None, **changes: Any) -> Any:
    """A LoRA run over those examples; its checkpoints lie in the folder."""
    from personalizer.training.trainer import fine_tune

    base = load_base(str(tiny_base))
    method = strategies.strategy_named(changes.pop("method", "lora"))
    return fine_tune(base, encoded(base), method, hyper(**changes), folder, report)
