"""How stale an adapter is: measured on the pairs and names of the project as it is now.

White space, comments and moved files do not age an adapter: pairs are compared by the digest of
their code. Nothing here loads a model: the loss on new pairs is a kept result.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from indexer import Snapshot, Store
from personalizer import settings as settings_module
from personalizer.adapters import Adapter, Registry, Trained, UsedPair
from personalizer.contents import Contents, contents_of, current, pair_names
from personalizer.errors import AdapterError
from personalizer.forgotten import Learnable
from personalizer.models import quick_fingerprint
from personalizer.settings import Settings
from personalizer.status import AdapterStatus, Freshness, LossOnNew, PairChanges, UnseenSymbols
from personalizer.storage import WorkspaceData, write_atomically
from personalizer.words import count

__all__ = [
    "FEWEST_MEASURED",
    "Measured",
    "changes_of",
    "compare",
    "keep_measured",
    "pair_names",
    "status",
    "trained_on",
]

FEWEST_MEASURED = 5
"""New pairs below which their loss does not make an adapter stale."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The loss of an adapter on pairs that it has not seen, as a background job found it."""

    adapter: str
    measured_at: str
    """ISO 8601, UTC."""
    pairs: list[str]
    """Digests of the pairs: new or changed since the adapter was trained."""
    base_loss: float | None
    """Mean over the pairs of the loss per target token, in nats; None without pairs."""
    adapter_loss: float | None
    considered: list[str] = field(default_factory=list)
    """Digests of all pairs that were new or changed then: some are too long, some were not drawn,
    and of some the test is one that trained the adapter."""


def changes_of(
    trained: Mapping[str, str], now: Mapping[str, str]
) -> tuple[set[str], set[str], int]:
    """Names of the pairs that are lost, names of those that are not as trained on, and the rest.

    Pairs with the same digest are the same, whatever their names.

    Returns:
        Names in ``trained``, names in ``now``, and the number of unchanged pairs.
    """
    lost, fresh = _without(trained, now), _without(now, trained)
    return lost, fresh, len(trained) - len(lost)


def _without(ones: Mapping[str, str], others: Mapping[str, str]) -> set[str]:
    """Names of the pairs whose code is not among the others', those first that moved least."""
    left = Counter(others.values())
    moved = {name: digest for name, digest in ones.items() if others.get(name) != digest}
    left.subtract(digest for name, digest in ones.items() if name not in moved)
    found = set()
    for name, digest in moved.items():
        if left[digest] > 0:
            left[digest] -= 1
        else:
            found.add(name)
    return found


def compare(trained: Mapping[str, str], now: Mapping[str, str]) -> PairChanges:
    """Counts what became of the pairs; the same name with another digest means changed.

    Example:
        >>> compare({"a": "1", "b": "2", "c": "3"}, {"moved": "1", "b": "4", "d": "5"})
        PairChanges(trained=3, unchanged=1, changed=1, new=1, removed=1)
    """
    lost, fresh, unchanged = changes_of(trained, now)
    changed = lost & fresh
    return PairChanges(
        len(trained), unchanged, len(changed), len(fresh - changed), len(lost - changed)
    )


def trained_on(
    snapshot: Snapshot, used: Iterable[UsedPair] = (), parent: Trained | None = None
) -> Trained:
    """What an adapter that is trained now has seen.

    Args:
        snapshot: The project.
        used: The pairs that were used, on any side.
        parent: What the adapter had seen that it started from.
    """
    contents = contents_of(snapshot)
    inherited = [*parent.used, *parent.inherited] if parent else []
    return Trained(contents.pairs, contents.symbols, list(used), list(dict.fromkeys(inherited)))


def keep_measured(data: WorkspaceData, measured: Measured) -> None:
    """Keeps a measurement in the place of the last one.

    Raises:
        StorageError: If the disk is full or read-only.
    """
    write_atomically(data.measured, msgspec.json.encode(measured))


def status(root: Path | str) -> AdapterStatus:
    """What ``personalizer status`` says of the adapter.

    Raises:
        NotAFolder: If ``root`` is no folder.
        StoreUnavailable: If the index cannot be used.
    """
    workspace = Learnable(root)
    resolved = settings_module.load(workspace.root)
    settings, ignored = resolved.settings, resolved.ignored
    data = WorkspaceData(workspace.root)
    registry = Registry(data.adapters)
    try:
        adapter = registry.serving()
        if adapter is not None:
            adapter.check_files()
    except AdapterError as error:
        return AdapterStatus(freshness="none", why=str(error), warnings=ignored)
    if adapter is None:
        why = _why_none(registry)
        return AdapterStatus(freshness="none", why=why, base=settings.base, warnings=ignored)
    with Store(data.index) as store:
        now = current(workspace, store)
    manifest = adapter.manifest
    return replace(
        _compared(data, adapter, now, settings),
        adapter=adapter.id,
        method=manifest.method,
        base=manifest.base,
        commits_behind=workspace.commits_since(manifest.commit) if manifest.commit else None,
        trained_at=manifest.trained_at,
        gate=manifest.gate["outcome"],
        gate_reason=manifest.gate["reason"],
        chosen_by=registry.chosen_by(),
        warnings=(*_warnings(manifest.trained_at, registry), *ignored),
        contents=_digest(now),
    )


def _compared(
    data: WorkspaceData, adapter: Adapter, now: Contents, settings: Settings
) -> AdapterStatus:
    """The part of a status that tells the project from what the adapter was trained on."""
    try:
        trained = adapter.trained()
    except AdapterError:
        why = "it serves, but what it was trained on cannot be read: train again"
        return AdapterStatus(freshness="stale", why=why)
    changes = compare(trained.pairs, now.pairs)
    measured = _measured(data, adapter, trained, now)
    word, why = _judged(changes, measured, adapter, trained, settings)
    unseen = len(set(now.symbols) - set(trained.symbols))
    share = round(unseen / len(now.symbols), 4) if now.symbols else 0.0
    return AdapterStatus(
        freshness=word,
        why=why,
        pairs=changes,
        unseen_symbols=UnseenSymbols(unseen, share),
        loss_on_new=measured,
    )


def _measured(
    data: WorkspaceData, adapter: Adapter, trained: Trained, now: Contents
) -> LossOnNew | None:
    """The kept measurement of this adapter, as far as its pairs are still there."""
    try:
        kept = msgspec.json.decode(data.measured.read_bytes(), type=Measured)
    except (OSError, ValueError):
        return None
    if kept.adapter != adapter.id:
        return None
    _, fresh, _ = changes_of(trained.pairs, now.pairs)
    digests = {now.pairs[name] for name in fresh}
    return LossOnNew(
        measured_at=kept.measured_at,
        pairs=len(kept.pairs),
        still_there=len(digests & set(kept.pairs)),
        not_measured=len(digests - {*kept.pairs, *kept.considered}),
        base=_rounded(kept.base_loss),
        adapter=_rounded(kept.adapter_loss),
    )


def _rounded(loss: float | None) -> float | None:
    return None if loss is None else round(loss, 4)


def _judged(
    changes: PairChanges,
    measured: LossOnNew | None,
    adapter: Adapter,
    trained: Trained,
    settings: Settings,
) -> tuple[Freshness, str]:
    if not adapter.fits(quick_fingerprint):
        return "stale", (
            f"it was trained on another base than {adapter.base} is now and cannot serve: train "
            "again"
        )
    counts = (
        f"{changes.changed} changed, {changes.new} new and {changes.removed} removed "
        f"of {count(changes.trained, 'pair')}"
    )
    if changes.trained and changes.removed == changes.trained:
        pairs = f"{count(changes.trained, 'pair')}, none of which is here"
        whose = "on another project's" if adapter.manifest.imported_at else "on"
        return "stale", f"it was trained {whose} {pairs}: train again"
    if changes.share <= 1:
        counts += f" ({changes.share:.0%})"
    if changes.share >= settings.stale_from:
        return "stale", f"{counts}: train again"
    gain = measured.gain if measured and measured.still_there >= FEWEST_MEASURED else None
    if measured and gain is not None:
        gate = adapter.manifest.gate
        once = float(gate.get("base_loss") or 0) - float(gate.get("adapter_loss") or 0)
        if gain <= 0 or gain < settings.stale_gain * once:
            return "stale", (
                f"{counts}; on {count(measured.pairs, 'new pair')} its loss is only "
                f"{gain:.3f} better than the base's, at the gate it was {once:.3f} (measured "
                f"{measured.measured_at[:10]}): train again"
            )
    if changes.share >= settings.ageing_from:
        return "ageing", counts
    return "fresh", counts if changes.share else _as_ever(trained)


def _as_ever(trained: Trained) -> str:
    """Of a project that is as it was; not every pair of it need have been used."""
    seen = {pair.digest for pair in (*trained.used, *trained.inherited)}
    used = sum(digest in seen for digest in trained.pairs.values())
    if not seen or used == len(trained.pairs):
        return f"all {len(trained.pairs)} pairs are as trained on"
    return f"all {len(trained.pairs)} pairs are as when it was trained; it used {used}"


def _digest(now: Contents) -> str:
    """Differs whenever a pair of the project does."""
    rows = "\n".join(f"{name}\0{digest}" for name, digest in sorted(now.pairs.items()))
    return hashlib.blake2b(rows.encode(), digest_size=8).hexdigest()


def _warnings(trained_at: str, registry: Registry) -> list[str]:
    """What else the user should know, a sentence each."""
    found = list(registry.damaged().values())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if trained_at > now:
        found.append(f"this machine's clock says {now}, before the adapter was trained: set it")
    return found


def _why_none(registry: Registry) -> str:
    adapters = registry.all()
    if not adapters and registry.ever():
        return "no adapter that was trained for this workspace is left, so none serves now"
    if not adapters:
        return "no adapter was trained for this workspace yet"
    last = adapters[-1].manifest
    if last.gate["outcome"] == "refused":
        return f"the base serves: {last.id} was refused by the gate"
    return f"the base serves: {last.id} was not chosen"
