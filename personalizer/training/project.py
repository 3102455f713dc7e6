"""``personalizer train``: index, pairs, dataset, training, gate, adapter, top to bottom."""

from __future__ import annotations

import math
import os
import shutil
import time
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import personalizer
from indexer import Index, Store
from personalizer import freshness
from personalizer.adapters import Adapter, Manifest, Registry, new_id
from personalizer.dataset import Dataset
from personalizer.errors import AdapterError
from personalizer.forgotten import Learnable
from personalizer.gate import cannot_pass, judge
from personalizer.generation.validators import open_validator
from personalizer.models import LoadedBase, base_folder, fingerprint
from personalizer.phases import Progress
from personalizer.settings import Settings, parse_duration
from personalizer.storage import WorkspaceData
from personalizer.training.auto import decided
from personalizer.training.batches import length, target_losses
from personalizer.training.changes import block_changes
from personalizer.training.clock import RunningClock
from personalizer.training.compute import give_memory_back
from personalizer.training.continual import started_from
from personalizer.training.executed import judged_by_running, open_engine
from personalizer.training.forecast import Forecast
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.keeping import (
    Asking,
    checkpoints_of,
    forget_other_examples,
    forget_other_runs,
    run_name,
)
from personalizer.training.ladder import down_the_ladder
from personalizer.training.preparation import Prepared, prepare, usable_pairs
from personalizer.training.provenance import provenance, used_pairs
from personalizer.training.strategies import save, strategy_named
from personalizer.training.strategies.choice import AUTO
from personalizer.training.trainer import Run, fine_tune, limit_threads, rehearsed
from personalizer.training.watch import Report

__all__ = ["plan", "train_project"]

_LEAST_TRAINING = 0.5
"""Of the budget: what training has, however slowly a machine reads and judges."""
_SHARE_OF_RUNNING = 0.25
"""Of the budget, on top of it: the most time that the gate takes to generate and run tests."""

_NOT_TOLD = {
    *("id", "trained_at", "imported_at", "commit", "version", "libraries"),
    *("base_fingerprint", "tokenizer_fingerprint", "files", "excluded", "secrets", "licences"),
    *("split", "hyperparameters", "history"),
}
"""What a training's answer leaves to ``adapters show``."""


def train_project(
    root: Path,
    settings: Settings,
    *,
    limit: int | None = None,
    trusted: bool = False,
    report: Report = lambda _: None,
) -> dict[str, Any] | None:
    """Trains an adapter on a project and lets it serve if the gate does.

    Killed at any moment, the same call goes on from the last checkpoint, and what served serves.

    Args:
        root: The workspace.
        settings: Base, method, budget and the rest.
        limit: Most pairs used.
        trusted: Whether the user has just said that the project may be built and run: then the
            gate compiles and runs tests too.
        report: Told of progress.

    Returns:
        The JSON object of ``personalizer train``; None in a process that only helps another
        (``accelerate launch``), which alone judges and keeps the adapter.

    Raises:
        BadInput: If the project has no Java, no tests or too few pairs.
        BaseModelError: If the base model cannot be loaded.
        Busy: If another training holds the workspace.
        OutOfMemory: If the thriftiest way to train needs more memory than there is.
        StorageError: If the data folder cannot be written.
    """
    leads = int(os.environ.get("RANK", "0")) == 0
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    if settings.method != AUTO:
        strategy_named(settings.method)
    budget = parse_duration(settings.budget)
    workspace = Learnable(root)
    data = WorkspaceData(workspace.root)
    base_folder(settings.base)
    with (
        RunningClock() as clock,
        data.lock("train") if leads else nullcontext(),
        Store(data.index) as store,
    ):
        registry = Registry(data.adapters)
        if leads:
            registry.sweep()
        report(Progress("index"))
        index = Index(store)
        snapshot = index.read(workspace)
        pairs = usable_pairs(snapshot, limit)
        limit_threads(settings.threads)
        print_of_base = fingerprint(base_folder(settings.base))
        asking = Asking.here(data.training, run_name(pairs, print_of_base, settings))
        if alone and (kept := asking.kept(registry)):
            return result_of(kept.manifest)
        settings, warm = started_from(registry, settings, print_of_base)
        parent = warm.parent if warm else None
        beginning = f"{print_of_base} {parent.adapter.id}" if parent else print_of_base
        folder = data.training / run_name(pairs, beginning, settings)
        if leads:
            for said in forget_other_runs(folder):
                report(Progress("index", note=said))
        settings, why = decided(snapshot, pairs, settings, kept=folder)

        def attempt(easier: Settings, rung: int) -> _Trained:
            prepared = prepare(
                snapshot,
                pairs,
                easier,
                seconds=budget,
                tensorboard=data.folder / "tensorboard",
                warm=warm,
            )
            if warning := cannot_pass(len(prepared.dataset.gate)):
                report(Progress("prepare", note=warning))
            ready = clock.seconds()
            before = _losses(prepared.base.model, prepared.base, prepared.dataset)
            judged = clock.seconds()
            report(Progress("prepare", validation_loss=_means(before)["validation_loss"]))
            left = _for_training(budget, ready, 2 * (judged - ready))  # the adapter is judged too
            checkpoints = checkpoints_of(folder, rung, prepared.dataset)
            if leads:
                for said in forget_other_examples(checkpoints):
                    report(Progress("prepare", note=said))
            run = fine_tune(
                prepared.base,
                prepared.dataset,
                prepared.strategy,
                replace(prepared.hyper, budget_seconds=left, whole_budget=budget),
                checkpoints,
                report,
            )
            return _Trained(easier, prepared, ready, before, run)

        trained, eased = down_the_ladder(settings, attempt, report)
        if not leads:
            return None
        run, prepared = trained.run, trained.prepared
        base, dataset = prepared.base, prepared.dataset
        report(Progress("gate", run.steps, run.steps))
        after = _losses(run.model, base, dataset)
        groups = [e.pair.focal.key for e in dataset.gate]
        verdict = judge(list(trained.before["gate"]), list(after["gate"]), groups)

        staging = folder / "staging"
        shutil.rmtree(staging, ignore_errors=True)
        save(run.model, staging)
        changes = block_changes(run.model, base)
        method, hyper, settings = prepared.strategy.name, prepared.hyper, trained.settings
        before, ready = trained.before, trained.ready
        run = replace(run, model=None)
        del trained, prepared, base  # the gate generates with a model of its own
        give_memory_back()
        if verdict.promotes:
            validator = open_validator(root, snapshot, settings, run=True, trusted=trusted)
            with closing(validator), open_engine(settings) as engine:
                executed = judged_by_running(
                    index,
                    snapshot,
                    dataset,
                    staging,
                    settings,
                    engine=engine,
                    validator=validator,
                    seconds=_SHARE_OF_RUNNING * budget,
                    report=report,
                )
            verdict = verdict.after(executed) if executed else verdict
            if serving := _judged_alike(registry, dataset, print_of_base):
                loss = serving.manifest.gate["adapter_loss"]
                verdict = verdict if loss is None else verdict.beside(serving.id, loss)
        manifest = Manifest(
            id=new_id(method),
            method=method,
            base=settings.base,
            base_fingerprint=print_of_base,
            trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
            commit=workspace.commit(),
            pairs=dataset.counts(),
            left_out=dict(dataset.left_out),
            excluded=snapshot.excluded_by_reason(),
            hyperparameters=_as_json(hyper) | _shape(settings),
            metrics=_finite({"base": _means(before), "adapter": _means(after)}),
            gate=_finite(asdict(verdict)),
            steps=run.steps,
            tokens=run.tokens,
            seconds=round(clock.seconds() + run.earlier_seconds, 2),
            tokens_per_second=round(run.tokens_per_second, 1),
            peak_memory_bytes=run.peak_memory_bytes,
            pf_seconds=run.pf_seconds,
            pf_seconds_measured=run.pf_seconds_measured,
            trainable_parameters=run.trainable_parameters,
            adapter_bytes=sum(f.stat().st_size for f in staging.iterdir()),
            mean_absolute_change=_finite(changes),
            history=list(run.history),
            ended=run.ended,
            eased=eased,
            chosen=why,
            forecast=_foretold(run.forecast, ready, budget),
            version=personalizer.__version__,
            parent=parent.adapter.id if parent else None,
            continual=_finite(warm.outcome(dataset, before, after)) if warm else None,
            **provenance(snapshot, dataset, settings, base_folder(settings.base)),
        )
        seen = freshness.trained_on(
            snapshot, used_pairs(dataset), parent.trained if parent else None
        )
        asking.keep(registry, folder, staging, manifest, seen)
    return result_of(manifest)


def _judged_alike(registry: Registry, dataset: Dataset, print_of_base: str) -> Adapter | None:
    """The adapter that serves, where the same pairs trained and judged it, on the same base.

    Of one that has seen other pairs the old ones do not tell which is better now.
    """
    serving = registry.serving()
    if serving is None or serving.manifest.base_fingerprint != print_of_base:
        return None
    try:
        used = serving.trained().used
    except AdapterError:
        return None
    now = used_pairs(dataset)
    sides = [sorted((one.side, one.digest) for one in pairs) for pairs in (used, now)]
    return serving if sides[0] == sides[1] else None


@dataclass(frozen=True)
class _Trained:
    """What one attempt gave."""

    settings: Settings
    prepared: Prepared
    ready: float
    """Seconds until the training could begin."""
    before: dict[str, Any]
    """The base's losses."""
    run: Run


def result_of(manifest: Manifest) -> dict[str, Any]:
    """The JSON object of ``personalizer train``."""
    return {
        "adapter": manifest.id,
        "promoted": manifest.gate["outcome"] != "refused",
        "reason": manifest.gate["reason"],
        "executed": manifest.gate.get("executed"),
        **{name: value for name, value in vars(manifest).items() if name not in _NOT_TOLD},
        "gate": manifest.gate["outcome"],
    }


def plan(root: Path, settings: Settings, *, limit: int | None = None) -> dict[str, Any]:
    """``train --dry-run``: what would be trained and what it would take; nothing is kept.

    The forecast is measured: a few real steps, the longest batch among them, without an update.

    Raises:
        As :func:`train_project`, apart from the lock.
    """
    begun = time.perf_counter()
    workspace = Learnable(root)
    snapshot = Index().read(workspace)
    pairs = usable_pairs(snapshot, limit)
    limit_threads(settings.threads)
    registry = Registry(WorkspaceData(workspace.root).adapters)
    settings, warm = started_from(registry, settings, fingerprint(base_folder(settings.base)))
    settings, why = decided(snapshot, pairs, settings)

    def attempt(easier: Settings, rung: int) -> dict[str, Any]:
        budget = parse_duration(settings.budget)
        prepared = prepare(snapshot, pairs, easier, seconds=budget, warm=warm)
        ready = time.perf_counter() - begun
        dataset = prepared.dataset
        model, forecast = rehearsed(prepared.base, dataset, prepared.strategy, prepared.hyper)
        foretold = _foretold(forecast, ready, budget)
        return {
            "method": prepared.strategy.name,
            "base": prepared.base.name,
            "pairs": dataset.counts(),
            "left_out": dict(dataset.left_out),
            "warning": cannot_pass(len(dataset.gate)),
            "steps": foretold["steps"],
            "tokens": round(
                sum(map(length, dataset.train))
                * foretold["steps"]
                / prepared.hyper.steps_an_epoch(len(dataset.train))
            ),
            "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "seconds": foretold["seconds"],
            "forecast": foretold,
            "dry_run": True,
        }

    planned, eased = down_the_ladder(settings, attempt, lambda _: None)
    return planned | {"eased": eased, "chosen": why}


def _foretold(forecast: Forecast, ready: float, budget: float) -> dict[str, Any]:
    """By the manifest's names, so that what came stands beside it."""
    left = _for_training(budget, ready, forecast.judging_seconds)
    training = max(forecast.seconds_a_step, min(forecast.training_seconds, left))
    shortened = training < forecast.training_seconds
    share = training / forecast.training_seconds if shortened else 1.0
    return {
        "peak_memory_bytes": forecast.peak_memory_bytes,
        "seconds": round(ready + forecast.judging_seconds + training, 1),
        "steps": max(1, round(share * forecast.steps)),
        "seconds_a_step": forecast.seconds_a_step,
    }


def _for_training(budget: float, ready: float, judging: float) -> float:
    """Seconds of a budget that are left for training, or its least share of it.

    >>> _for_training(300.0, ready=20.0, judging=40.0), _for_training(60.0, 20.0, 40.0)
    (240.0, 30.0)
    """
    return max(budget - ready - judging, _LEAST_TRAINING * budget)


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


def _as_json(hyper: Hyperparameters) -> dict[str, Any]:
    values: dict[str, Any] = _finite(msgspec.to_builtins(asdict(hyper), enc_hook=str))
    return values


def _finite(value: Any) -> Any:
    """The same with None for what is no finite number: JSON has no word for it.

    >>> _finite({"a": [1.5, math.nan], "b": math.inf, "c": 2})
    {'a': [1.5, None], 'b': None, 'c': 2}
    """
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
