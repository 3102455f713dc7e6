"""What the status view shows, gathered from the index, the adapters and the trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer import Snapshot
from personalizer.adapters import Adapter, Manifest, Registry
from personalizer.daemon.page.charts import Chart, Line, chart
from personalizer.daemon.protocol import Job, Progress, Status
from personalizer.dataset import FEWEST_PAIRS
from personalizer.errors import AdapterError
from personalizer.forgotten import covers, without
from personalizer.freshness import changes_of, pair_names
from personalizer.storage import WorkspaceData

__all__ = ["AdapterRow", "Changes", "Forecast", "LeftOut", "View", "rows_of", "view_of"]


@dataclass(frozen=True)
class Changes:
    """Pairs by name: what became of those that the adapter was trained on."""

    changed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def lists(self) -> list[tuple[str, tuple[str, ...]]]:
        """Those that are not empty, under their names."""
        found = [("changed", self.changed), ("new", self.new), ("removed", self.removed)]
        return [one for one in found if one[1]]


@dataclass(frozen=True)
class AdapterRow:
    """An adapter in the table."""

    id: str
    serves: bool
    method: str
    trained_at: str
    gate: str
    reason: str
    base_loss: float | None
    """On the gate's pairs, nats a token."""
    adapter_loss: float | None
    perplexity: float | None
    pairs: int
    seconds: float


@dataclass(frozen=True)
class LeftOut:
    """Files or pairs that do not count, for one reason."""

    reason: str
    what: str
    """``files`` or ``pairs``."""
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forecast:
    """One figure of a training, foretold and measured."""

    name: str
    foretold: float
    measured: float


@dataclass(frozen=True)
class View:
    """Everything on the page."""

    name: str
    status: Status
    changes: Changes
    pairs: int
    """That the project has now."""
    fewest_pairs: int
    job: Job | None
    curve: Chart | None
    curve_of: str
    adapters: tuple[AdapterRow, ...]
    left_out: tuple[LeftOut, ...]
    forecast: tuple[Forecast, ...]

    @property
    def trains(self) -> bool:
        return self.job is not None and self.job.unfinished


def view_of(
    root: Path,
    snapshot: Snapshot,
    registry: Registry,
    status: Status,
    job: Job | None,
    progress: Sequence[Progress],
) -> View:
    """The view of one workspace.

    Args:
        root: The workspace.
        snapshot: As it is on disk.
        registry: Its adapters.
        status: What ``personalizer status`` says.
        job: Its newest training.
        progress: All that this training told, or where none runs, the one that made the adapter.
    """
    serving = registry.serving()
    gone = WorkspaceData(root).forgotten()
    pairs = without(gone, snapshot.pairs)
    trains = job is not None and job.unfinished
    lines, of = (_live(progress), "This training") if trains else ([], "")
    if not trains and serving is not None:
        lines = _live(progress) if progress else _kept(serving.manifest)
        of = f"Training of {serving.id}"
    return View(
        name=root.name,
        status=status,
        changes=_changes(serving, pair_names(pairs)),
        pairs=len(pairs),
        fewest_pairs=FEWEST_PAIRS,
        job=job,
        curve=chart(lines),
        curve_of=of,
        adapters=rows_of(registry),
        left_out=_left_out(snapshot, gone, serving),
        forecast=_forecast(serving.manifest) if serving else (),
    )


def _changes(serving: Adapter | None, now: Mapping[str, str]) -> Changes:
    """As ``freshness.compare`` counts them, by name."""
    try:
        trained = serving.trained().pairs if serving else {}
    except AdapterError:
        return Changes()
    if not trained:
        return Changes()
    lost, fresh, _ = changes_of(trained, now)
    both = lost & fresh
    return Changes(*(tuple(sorted(names)) for names in (both, fresh - both, lost - both)))


def _live(progress: Sequence[Progress]) -> list[Line]:
    """The losses that a running training has told; the base's is told before its first step."""
    early = (p.validation_loss for p in progress if p.phase == "judge")
    base = next((loss for loss in early if loss is not None), None)
    train = {p.step: p.loss for p in progress if p.phase == "train" and p.loss is not None}
    validation: dict[int, float] = {} if base is None else {0: base}
    for one in progress:
        if one.phase == "train" and one.validation_loss is not None:
            known = list(validation.values())[-1:]
            if known != [one.validation_loss]:
                validation[one.step] = one.validation_loss
    end = max((p.step for p in progress), default=0)
    return _lines(base, sorted(train.items()), sorted(validation.items()), end)


def _kept(manifest: Manifest) -> list[Line]:
    """The losses that an adapter's manifest has kept."""
    rows = manifest.history
    train = [(row["step"], row["loss"]) for row in rows if "loss" in row]
    validation = [(r["step"], r["validation_loss"]) for r in rows if "validation_loss" in r]
    base = manifest.metrics.get("base", {}).get("validation_loss")
    return _lines(base, train, validation, manifest.steps)


def _lines(
    base: float | None,
    train: Sequence[tuple[float, float]],
    validation: Sequence[tuple[float, float]],
    end: float,
) -> list[Line]:
    flat = [] if base is None else [(0.0, base), (float(end), base)]
    return [
        Line("base on validation pairs", flat),
        Line("adapter on validation pairs", validation),
        Line("training batches", train),
    ]


def rows_of(registry: Registry) -> tuple[AdapterRow, ...]:
    """The adapters of a workspace, the newest first."""
    serving = registry.serving()
    return tuple(_row(one, serving) for one in reversed(registry.all()))


def _row(adapter: Adapter, serving: Adapter | None) -> AdapterRow:
    one = adapter.manifest
    base, own = one.metrics.get("base", {}), one.metrics.get("adapter", {})
    return AdapterRow(
        id=one.id,
        serves=serving is not None and serving.id == one.id,
        method=one.method,
        trained_at=one.trained_at,
        gate=str(one.gate.get("outcome")),
        reason=str(one.gate.get("reason")),
        base_loss=base.get("gate_loss"),
        adapter_loss=own.get("gate_loss"),
        perplexity=own.get("gate_perplexity"),
        pairs=sum(one.pairs.values()),
        seconds=one.seconds,
    )


def _left_out(
    snapshot: Snapshot, gone: Sequence[str], serving: Adapter | None
) -> tuple[LeftOut, ...]:
    files: dict[str, list[str]] = {}
    forgotten = {path: "forgotten" for path in snapshot.files if covers(gone, path)}
    for path, reason in sorted((dict(snapshot.excluded) | forgotten).items()):
        files.setdefault(reason, []).append(path)
    rows = [LeftOut(why, "files", len(paths), tuple(paths[:5])) for why, paths in files.items()]
    pairs = serving.manifest.left_out if serving else {}
    rows += [LeftOut(why, "pairs", count) for why, count in pairs.items() if count]
    return tuple(sorted(rows, key=lambda row: -row.count))


def _forecast(manifest: Manifest) -> tuple[Forecast, ...]:
    """What was foretold beside what came, where the manifest has both."""
    told = manifest.forecast
    names = {"seconds": "Seconds", "peak_memory_bytes": "Memory, MiB", "steps": "Steps"}
    scale = {"peak_memory_bytes": 2**20}
    return tuple(
        Forecast(
            words,
            told[name] / scale.get(name, 1),
            getattr(manifest, name) / scale.get(name, 1),
        )
        for name, words in names.items()
        if isinstance(told.get(name), int | float)
    )
