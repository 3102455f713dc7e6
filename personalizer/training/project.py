"""``personalizer train``: index, pairs, dataset, training, gate, adapter, top to bottom."""

from __future__ import annotations

import hashlib
import math
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import personalizer
from indexer import Level, Pair, Snapshot, Store, Workspace, index_folder
from personalizer import dataset as data_module
from personalizer import freshness
from personalizer.adapters import Manifest, Registry, new_id
from personalizer.daemon.protocol import Progress
from personalizer.dataset import FEWEST_PAIRS, Dataset, Side
from personalizer.errors import BadInput, TooFewPairs
from personalizer.gate import judge
from personalizer.models import (
    LoadedBase,
    base_folder,
    fingerprint,
    load_base,
    load_tokenizer,
)
from personalizer.settings import Settings, parse_duration
from personalizer.storage import WorkspaceData
from personalizer.training.batches import target_losses
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.strategies import Options, Strategy, save, strategy_named
from personalizer.training.trainer import fine_tune, limit_threads

__all__ = ["examples", "plan", "train_project"]

Report = Callable[[Progress], None]


def train_project(
    root: Path, settings: Settings, *, limit: int | None = None, report: Report = lambda _: None
) -> dict[str, Any]:
    """Trains an adapter on a project and lets it serve if the gate does.

    Killed at any moment, the same call goes on from the last checkpoint, and what served serves.

    Args:
        root: The workspace.
        settings: Base, method, budget and the rest.
        limit: Most pairs used.
        report: Told of progress.

    Returns:
        The JSON object of ``personalizer train``.

    Raises:
        BadInput: If the project has no Java, no tests or too few pairs.
        BaseModelError: If the base model cannot be loaded.
        Busy: If another training holds the workspace.
        StorageError: If the data folder cannot be written.
    """
    begun = time.perf_counter()
    strategy = strategy_named(settings.method)
    workspace = Workspace(root)
    data = WorkspaceData(workspace.root)
    base_folder(settings.base)
    with data.lock("train"), Store(data.index) as store:
        registry = Registry(data.adapters)
        registry.sweep()
        report(Progress("index"))
        snapshot, _ = index_folder(workspace.root, store)
        pairs = usable_pairs(snapshot, limit)
        limit_threads(settings.threads)
        report(Progress("prepare"))
        base = load_base(settings.base)
        dataset = _dataset(snapshot, pairs, base, settings)
        hyper = _hyperparameters(settings, strategy, base, begun)
        print_of_base = fingerprint(base.folder)
        checkpoints = data.folder / "training" / _run_name(dataset, hyper, print_of_base, settings)
        _forget_other_runs(checkpoints)

        before = _losses(base.model, base, dataset)
        run = fine_tune(base, dataset, strategy, hyper, checkpoints, report)
        report(Progress("gate", run.steps, run.steps))
        after = _losses(run.model, base, dataset)
        groups = [f"{e.pair.focal.path}#{e.pair.focal.method.key}" for e in dataset.gate]
        verdict = judge(list(before["gate"]), list(after["gate"]), groups)

        staging = data.folder / "training" / "staging"
        shutil.rmtree(staging, ignore_errors=True)
        save(run.model, staging)
        manifest = Manifest(
            id=new_id(strategy.name),
            method=strategy.name,
            base=base.name,
            base_fingerprint=print_of_base,
            trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
            commit=workspace.commit(),
            pairs=dataset.counts(),
            left_out=dict(dataset.left_out),
            excluded=snapshot.excluded_by_reason(),
            hyperparameters=_finite(asdict(hyper)) | _shape(settings),
            metrics={"base": _means(before), "adapter": _means(after)},
            gate=asdict(verdict),
            steps=run.steps,
            tokens=run.tokens,
            seconds=round(time.perf_counter() - begun, 2),
            tokens_per_second=round(run.tokens_per_second, 1),
            peak_memory_bytes=run.peak_memory_bytes,
            pf_seconds=run.pf_seconds,
            trainable_parameters=run.trainable_parameters,
            history=list(run.history),
            version=personalizer.__version__,
        )
        adapter = registry.add(staging, manifest, freshness.trained_on(snapshot))
        if verdict.promotes:
            registry.use(adapter.id, by="gate")
        shutil.rmtree(checkpoints, ignore_errors=True)
    return result_of(manifest)


def result_of(manifest: Manifest) -> dict[str, Any]:
    """The JSON object of ``personalizer train``."""
    return {
        "adapter": manifest.id,
        "method": manifest.method,
        "base": manifest.base,
        "promoted": manifest.gate["outcome"] != "refused",
        "gate": manifest.gate["outcome"],
        "reason": manifest.gate["reason"],
        "pairs": manifest.pairs,
        "left_out": manifest.left_out,
        "metrics": manifest.metrics,
        "steps": manifest.steps,
        "tokens": manifest.tokens,
        "seconds": manifest.seconds,
        "tokens_per_second": manifest.tokens_per_second,
        "peak_memory_bytes": manifest.peak_memory_bytes,
        "pf_seconds": manifest.pf_seconds,
        "trainable_parameters": manifest.trainable_parameters,
    }


def plan(root: Path, settings: Settings, *, limit: int | None = None) -> dict[str, Any]:
    """``train --dry-run``: what would be trained, and one measured step; nothing is kept.

    Raises:
        As :func:`train_project`, apart from the lock.
    """
    strategy = strategy_named(settings.method)
    workspace = Workspace(root)
    snapshot, _ = index_folder(workspace.root)
    pairs = usable_pairs(snapshot, limit)
    limit_threads(settings.threads)
    base = load_base(settings.base)
    dataset = _dataset(snapshot, pairs, base, settings)
    hyper = _hyperparameters(settings, strategy, base, time.perf_counter())
    tokens = sum(len(e.prompt) + len(e.target) for e in dataset.train)
    start = time.perf_counter()
    sample = dataset.train[: hyper.batch_size]
    target_losses(base.model, base, sample)
    forward = (time.perf_counter() - start) / sum(len(e.prompt) + len(e.target) for e in sample)
    steps = hyper.epochs * math.ceil(len(dataset.train) / hyper.batch_size)
    seconds = min(parse_duration(settings.budget), 3 * forward * tokens * hyper.epochs)
    return {
        "method": strategy.name,
        "base": base.name,
        "pairs": dataset.counts(),
        "left_out": dict(dataset.left_out),
        "steps": steps,
        "tokens": tokens * hyper.epochs,
        "seconds": round(seconds, 1),
        "dry_run": True,
    }


def examples(snapshot: Snapshot, settings: Settings) -> Iterator[dict[str, Any]]:
    """The (prompt, target) examples that training would use, with their side.

    Raises:
        BadInput: If the project has no Java, no tests or too few pairs.
        BaseModelError: If the base model's tokenizer cannot be loaded.
    """
    tokenizer = load_tokenizer(settings.base)
    sides = _sides(usable_pairs(snapshot, None), settings)
    built = _encoded(snapshot, sides, tokenizer, settings, settings.context_tokens)
    for side in data_module.SIDES:
        for example in built.sides[side]:
            yield {
                "split": side,
                "prompt": tokenizer.decode(example.prompt),
                "target": example.text,
                "focal": f"{example.pair.focal.path}#{example.pair.focal.method.key}",
                "test": f"{example.pair.test.path}#{example.pair.test.method.key}",
                "prompt_tokens": len(example.prompt),
                "target_tokens": len(example.target),
            }


def usable_pairs(snapshot: Snapshot, limit: int | None) -> list[Pair]:
    """The pairs that training may use, the same ones each time.

    Raises:
        BadInput: If there is no Java, no test or too few pairs; says what was found.
    """
    if not snapshot.files:
        raise BadInput("expected a folder with Java source files, found none")
    if not snapshot.tests:
        raise BadInput(
            f"expected JUnit or TestNG tests, found none in {len(snapshot.files)} Java files"
        )
    pairs = list(snapshot.pairs)
    if len(pairs) < FEWEST_PAIRS:
        raise TooFewPairs(
            f"training needs at least {FEWEST_PAIRS} tests whose focal method is known, "
            f"found {len(pairs)} (of {len(snapshot.tests)} tests)"
        )
    if limit is not None and limit < len(pairs):
        if limit < FEWEST_PAIRS:
            raise TooFewPairs(f"training needs at least {FEWEST_PAIRS} pairs, --limit is {limit}")
        names = {id(p): f"{p.focal_class} {p.test.method.key}".encode() for p in pairs}
        pairs.sort(key=lambda p: hashlib.blake2b(names[id(p)], digest_size=8).digest())
        pairs = pairs[:limit]
    return pairs


def _dataset(
    snapshot: Snapshot, pairs: list[Pair], base: LoadedBase, settings: Settings
) -> Dataset:
    context = min(settings.context_tokens, base.context)
    dataset = _encoded(snapshot, _sides(pairs, settings), base.tokenizer, settings, context)
    for side, examples in dataset.sides.items():
        if not examples:
            raise TooFewPairs(
                f"no pair is left for {side}: {len(pairs)} pairs, left out {dict(dataset.left_out)}"
            )
    return dataset


def _sides(pairs: list[Pair], settings: Settings) -> dict[Side, list[Pair]]:
    return data_module.split(
        pairs,
        validation_fraction=settings.validation_fraction,
        gate_fraction=settings.gate_fraction,
        seed=settings.seed,
    )


def _encoded(
    snapshot: Snapshot,
    sides: dict[Side, list[Pair]],
    tokenizer: Any,
    settings: Settings,
    context_tokens: int,
) -> Dataset:
    return data_module.build(
        snapshot,
        sides,
        tokenizer,
        context_tokens=context_tokens,
        target_tokens=settings.target_tokens,
        level=Level(settings.context_level),
    )


def _hyperparameters(
    settings: Settings, strategy: Strategy, base: LoadedBase, begun: float
) -> Hyperparameters:
    spent = time.perf_counter() - begun
    return Hyperparameters(
        learning_rate=settings.learning_rate or strategy.learning_rate(base),
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        patience=settings.patience,
        options=Options(rank=settings.lora_rank),
        seed=settings.seed,
        budget_seconds=max(1.0, parse_duration(settings.budget) - spent),
    )


def _losses(model: Any, base: LoadedBase, dataset: Dataset) -> dict[str, Any]:
    return {
        "gate": target_losses(model, base, dataset.gate),
        "validation": target_losses(model, base, dataset.validation),
    }


def _means(losses: dict[str, Any]) -> dict[str, float]:
    gate, validation = float(np.mean(losses["gate"])), float(np.mean(losses["validation"]))
    return {
        "validation_loss": round(validation, 5),
        "gate_loss": round(gate, 5),
        "gate_perplexity": round(math.exp(min(gate, 50.0)), 4),
    }


def _shape(settings: Settings) -> dict[str, Any]:
    return {
        "context_tokens": settings.context_tokens,
        "target_tokens": settings.target_tokens,
        "context_level": settings.context_level,
    }


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and math.isinf(v) else v for k, v in values.items()}


def _run_name(dataset: Dataset, hyper: Hyperparameters, base: str, settings: Settings) -> str:
    """Same project, base and settings, same run: a killed one is found again."""
    values = asdict(hyper) | _shape(settings) | {"method": settings.method, "base": base}
    values.pop("budget_seconds")
    digests = ",".join(e.pair.digest for side in data_module.SIDES for e in dataset.sides[side])
    return hashlib.blake2b(f"{values} {digests}".encode(), digest_size=8).hexdigest()


def _forget_other_runs(checkpoints: Path) -> None:
    with suppress(FileNotFoundError):
        for folder in checkpoints.parent.iterdir():
            if folder != checkpoints:
                shutil.rmtree(folder, ignore_errors=True)
