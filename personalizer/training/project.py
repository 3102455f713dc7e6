"""``personalizer train``: index, pairs, dataset, training, gate, adapter, top to bottom."""

from __future__ import annotations

import math
import os
import shutil
import time
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
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
from personalizer.models import base_folder, fingerprint
from personalizer.phases import Progress
from personalizer.settings import Settings, parse_duration
from personalizer.storage import WorkspaceData
from personalizer.training import judging
from personalizer.training.auto import decided
from personalizer.training.batches import length
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
from personalizer.words import count, spoken_duration

__all__ = ["plan", "train_project"]

_LEAST_TRAINING = 0.5
"""Of the budget: what training has, however slowly a machine reads and judges."""
_MOST_JUDGING = 0.25
"""Of the budget: what judging base, parent and adapter may take."""
_FEW = 0.05
"""Share of the training pairs; a budget that lets fewer be trained on is told to be small."""
_SHARE_OF_RUNNING = 0.25
"""Of the budget, on top of it: the most time that the gate takes to generate and run tests."""

_NOT_TOLD = {
    *("id", "trained_at", "imported_at", "commit", "version", "libraries"),
    *("base_fingerprint", "tokenizer_fingerprint", "files", "excluded", "secrets", "licences"),
    *("split", "hyperparameters", "history", "gate_losses"),
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
            base, dataset = prepared.base, prepared.dataset
            checkpoints = checkpoints_of(folder, rung, dataset)
            if leads:
                for said in forget_other_examples(checkpoints):
                    report(Progress("prepare", note=said))
            report(Progress("judge"))
            ready = clock.seconds()
            times = 3 if warm else 2  # the base, what is trained on from, what comes
            judges = judging.drawn(
                base,
                dataset,
                _for_judging(budget, ready) / times,
                folder=checkpoints if leads else None,
                budget=budget,
            )
            judge_by = partial(
                judging.losses, base=base, judges=judges, phase="judge", report=report
            )
            begun = clock.seconds()
            before = judge_by(base.model)
            took = clock.seconds() - begun
            loss = _means(before)["validation_loss"]
            report(Progress("judge", validation_loss=loss))
            left = _for_training(budget, begun, times * took)
            report(Progress("train"))
            run = fine_tune(
                base,
                dataset,
                warm.strategy(prepared.strategy, judge_by) if warm else prepared.strategy,
                replace(prepared.hyper, budget_seconds=left, whole_budget=budget),
                checkpoints,
                report,
            )
            return _Trained(easier, prepared, judges, ready, before, run)

        trained, eased = down_the_ladder(settings, attempt, report)
        if not leads:
            return None
        run, prepared = trained.run, trained.prepared
        base, dataset, judges = prepared.base, prepared.dataset, trained.judges
        report(Progress("gate"))
        after = judging.losses(run.model, base, judges, "gate", report)
        groups = [e.pair.focal.key for e in judges.gate]
        verdict = judge(
            list(trained.before["gate"]), list(after["gate"]), groups, of=len(dataset.gate)
        )
        own = [float(after["gate"][place]) for place in judging.in_order(judges.gate)]

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
                verdict = verdict.beside(serving.id, serving.manifest.gate_losses, own)
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
            judged={side: len(judges.sides[side]) for side in judging.HELD_OUT},
            gate_losses=_finite([round(loss, 5) for loss in own]),
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
            forecast=_foretold(run.forecast, ready, budget, judging.part_of(judges, dataset)),
            warning=_hardly_trained(run, dataset, hyper, ready),
            version=personalizer.__version__,
            parent=parent.adapter.id if parent else None,
            continual=_finite(warm.outcome(judges, before, after)) if warm else None,
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
    judges: Dataset
    """Whose held-out sides have judged the base, and judge the adapter."""
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
    registry = Registry.of(workspace.root)
    settings, warm = started_from(registry, settings, fingerprint(base_folder(settings.base)))
    settings, why = decided(snapshot, pairs, settings)

    def attempt(easier: Settings, rung: int) -> dict[str, Any]:
        budget = parse_duration(settings.budget)
        prepared = prepare(snapshot, pairs, easier, seconds=budget, warm=warm)
        ready = time.perf_counter() - begun
        base, dataset = prepared.base, prepared.dataset
        seconds = _for_judging(budget, ready) / (3 if warm else 2)
        judges = judging.drawn(base, dataset, seconds, folder=None, budget=budget)
        strategy = prepared.strategy
        if warm:
            strategy = warm.strategy(strategy, lambda _: {})
        model, forecast = rehearsed(base, dataset, strategy, prepared.hyper)
        foretold = _foretold(forecast, ready, budget, judging.part_of(judges, dataset))
        return {
            "method": prepared.strategy.name,
            "base": base.name,
            "pairs": dataset.counts(),
            "judged": {side: len(judges.sides[side]) for side in judging.HELD_OUT},
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


def _foretold(
    forecast: Forecast, ready: float, budget: float, judges: float = 1.0
) -> dict[str, Any]:
    """By the manifest's names, so that what came stands beside it.

    Args:
        forecast: With all that is held out.
        ready: Seconds until the training can begin.
        budget: In seconds.
        judges: Share of what is held out that judges.
    """
    judging_seconds = judges * forecast.judging_seconds
    left = _for_training(budget, ready, judging_seconds)
    training = max(forecast.seconds_a_step, min(forecast.training_seconds, left))
    shortened = training < forecast.training_seconds
    share = training / forecast.training_seconds if shortened else 1.0
    return {
        "peak_memory_bytes": forecast.peak_memory_bytes,
        "seconds": round(ready + judging_seconds + training, 1),
        "steps": max(1, round(share * forecast.steps)),
        "seconds_a_step": forecast.seconds_a_step,
    }


def _for_training(budget: float, ready: float, judging: float) -> float:
    """Seconds of a budget that are left for training, or its least share of it.

    >>> _for_training(300.0, ready=20.0, judging=40.0), _for_training(60.0, 20.0, 40.0)
    (240.0, 30.0)
    """
    return max(budget - ready - judging, _LEAST_TRAINING * budget)


def _for_judging(budget: float, ready: float) -> float:
    """Seconds of a budget for judging: beside reading and training, and no more than its share.

    >>> _for_judging(300.0, ready=20.0), _for_judging(60.0, 20.0), _for_judging(60.0, 40.0)
    (75.0, 10.0, 0.0)
    """
    return min(_MOST_JUDGING * budget, max(0.0, (1 - _LEAST_TRAINING) * budget - ready))


def _hardly_trained(run: Run, dataset: Dataset, hyper: Hyperparameters, ready: float) -> str | None:
    """What a budget would have to be, where one let hardly any pair be trained on."""
    pairs = len(dataset.train)
    seen = run.steps * hyper.batch_size
    if run.ended != "budget" or seen >= _FEW * pairs:
        return None
    forecast = run.forecast
    evaluating = forecast.evaluation_seconds / forecast.steps_between_evaluations
    each = forecast.seconds_a_step + evaluating
    others = ready + hyper.steps_an_epoch(pairs) * each
    enough = min(others + forecast.judging_seconds, others / (1 - _MOST_JUDGING))
    return (
        f"the budget was enough for {count(run.steps, 'step')}, on {seen:,} of "
        f"{count(pairs, 'training pair')}; to train on each of them once it would have to be about "
        f"{spoken_duration(60 * math.ceil(enough / 60))}"
    )


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
