"""The loss of the serving adapter on pairs that it has not seen: a background job's work."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from indexer import Index, Level, Pair, Store
from personalizer import dataset as data_module
from personalizer.adapters import Registry, halves
from personalizer.contents import named
from personalizer.dataset import Encoded
from personalizer.errors import BadInput
from personalizer.forgotten import Learnable
from personalizer.freshness import Measured, changes_of, keep_measured, pair_names
from personalizer.models import base_folder, fingerprint, load_base
from personalizer.settings import Settings
from personalizer.storage import WorkspaceData
from personalizer.training.batches import target_losses
from personalizer.training.preparation import context_for
from personalizer.training.strategies import Options, attach, strategy_named

__all__ = ["measure_new"]

_MOST = 200
"""Pairs measured: a mean over them is as sure as a staleness needs."""


def measure_new(root: Path | str, settings: Settings) -> dict[str, Any]:
    """Measures the serving adapter on new and changed pairs, and keeps that for ``status``.

    A pair whose test trained the adapter, and whose focal method alone has changed, is not new to
    it: its loss would tell what was learnt by heart.

    Returns:
        adapter, pairs, base, adapter_loss, gain, measured_at; where no pair can be measured only
        the first two.

    Raises:
        BadInput: If the base serves.
        AdapterError: If the adapter is damaged or of another base.
        BaseModelError: If the base model cannot be loaded.
        StorageError: If the result cannot be kept.
    """
    workspace = Learnable(root)
    data = WorkspaceData(workspace.root)
    adapter = Registry(data.adapters).serving()
    if adapter is None:
        raise BadInput("expected an adapter that serves, the base serves: train one first")
    manifest = adapter.manifest
    with Store(data.index) as store:
        snapshot = Index(store).read(workspace)
        trained = adapter.trained()
        _, names, _ = changes_of(trained.pairs, pair_names(snapshot.pairs))
        pairs = named(snapshot.pairs)
        fresh = sorted((pairs[name] for name in names), key=_order)
        learnt = trained.learnt_tests()
        chosen = [pair for pair in fresh if halves(pair.digest)[1] not in learnt][:_MOST]
        keep = partial(_keep, data, adapter.id, considered=[pair.digest for pair in fresh])
        if not chosen:
            return keep((), None, None)
        strategy = strategy_named(manifest.method)
        adapter.check_files()
        adapter.check_base(fingerprint(base_folder(manifest.base)))
        base = load_base(manifest.base, quantization=strategy.quantization)
        told = manifest.hyperparameters
        options = Options(virtual_tokens=told.get("options", {}).get("virtual_tokens"))
        context = int(told.get("context_tokens", settings.context_tokens))
        target = int(told.get("target_tokens", settings.target_tokens))
        examples = data_module.build(
            snapshot,
            {"train": (), "validation": (), "gate": chosen},
            base.tokenizer,
            context_tokens=context_for(strategy, options, base, context, target),
            target_tokens=target,
            level=Level(told.get("context_level", settings.context_level)),
        ).gate
    if not examples:
        return keep((), None, None)
    before = float(target_losses(base.model, base, examples).mean())
    after = float(target_losses(attach(base, adapter.folder), base, examples).mean())
    return keep(examples, before, after)


def _keep(
    data: WorkspaceData,
    adapter: str,
    examples: Sequence[Encoded],
    base: float | None,
    after: float | None,
    considered: list[str],
) -> dict[str, Any]:
    """Keeps a measurement, with what it was drawn from; gives the JSON object of it."""
    measured = Measured(
        adapter=adapter,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        pairs=[e.pair.digest for e in examples],
        base_loss=base,
        adapter_loss=after,
        considered=considered,
    )
    keep_measured(data, measured)
    told: dict[str, Any] = {"adapter": adapter, "pairs": len(examples)}
    if base is None or after is None:
        return told
    return told | {
        "base": round(base, 5),
        "adapter_loss": round(after, 5),
        "gain": round(base - after, 5),
        "measured_at": measured.measured_at,
    }


def _order(pair: Pair) -> bytes:
    return hashlib.blake2b(pair.digest.encode(), digest_size=8).digest()
