"""The gate before real trainings: a good one gets through, spoilt ones do not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from personalizer import dataset
from personalizer.dataset import Dataset
from personalizer.gate import GateVerdict, judge
from personalizer.models import load_base
from personalizer.training import strategies
from personalizer.training.batches import target_losses
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.trainer import fine_tune
from tests.java_project import project_files, snapshot_of

pytestmark = pytest.mark.slow
RATE = 1e-2


def encoded(base, classes: range) -> Dataset:
    """Some classes of a project, with more than the gate's fewest pairs and methods."""
    files = {
        path: text
        for path, text in project_files(classes=classes.stop, methods=3).items()
        if any(f"Shape{chr(65 + c)}" in path for c in classes)
    }
    snapshot = snapshot_of(files)
    sides = dataset.split(snapshot.pairs, validation_fraction=0.1, gate_fraction=0.5)
    return dataset.build(snapshot, sides, base.tokenizer, context_tokens=1400, target_tokens=220)


@pytest.fixture(scope="module")
def schooled(tiny_base, tmp_path_factory):
    """A base that writes tests like these, not too well: there is much to gain and to spoil."""
    folder = tmp_path_factory.mktemp("schooled")
    base = load_base(str(tiny_base))
    run = train(base, encoded(base, range(8)), folder / "run", method="custom", epochs=12)
    run.model.save_pretrained(folder / "base")
    base.tokenizer.save_pretrained(folder / "base")
    return folder / "base"


def train(base, data: Dataset, folder, *, rate: float = RATE, method: str = "lora", epochs: int):
    hyper = Hyperparameters(
        learning_rate=rate,
        batch_size=8,
        epochs=epochs,
        options=strategies.Options(rank=4),
        evaluate_every=1.0,
    )
    return fine_tune(base, data, strategies.strategy_named(method), hyper, folder, lambda _: None)


def verdict_on(schooled, folder, *, rate: float = RATE, spoil=lambda data: data) -> GateVerdict:
    """Trains on what ``spoil`` makes of the data, and judges on the data as it is."""
    base = load_base(str(schooled))
    data = encoded(base, range(8, 26))
    before = target_losses(base.model, base, data.gate)
    run = train(base, spoil(data), folder, rate=rate, epochs=3)
    after = target_losses(run.model, base, data.gate)
    groups = [e.pair.focal.key for e in data.gate]
    return judge(list(before), list(after), groups)


def shuffled(data: Dataset) -> Dataset:
    """Every training and validation example with the tokens of its target in another order."""
    dice = random.Random(0)

    def one(example):
        target = example.target[:]
        dice.shuffle(target)
        return replace(example, target=target)

    sides = {
        side: tuple(map(one, found)) if side != "gate" else found
        for side, found in data.sides.items()
    }
    return replace(data, sides=sides)


def test_a_good_adapter_passes(schooled, tmp_path):
    verdict = verdict_on(schooled, tmp_path)
    assert verdict.outcome == "passed", verdict
    assert verdict.pairs >= 20 and verdict.methods >= 10


def test_an_adapter_of_shuffled_targets_is_refused(schooled, tmp_path):
    verdict = verdict_on(schooled, tmp_path, spoil=shuffled)
    assert verdict.outcome == "refused", verdict


def test_an_adapter_of_a_hundred_times_the_learning_rate_is_refused(schooled, tmp_path):
    verdict = verdict_on(schooled, tmp_path, rate=100 * RATE)
    assert verdict.outcome == "refused", verdict
