"""How stale an adapter is: measured on the pairs and names of the project as it is now.

White space, comments and moved files do not age an adapter: pairs are compared by the digest of
their code. Nothing here loads a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from indexer import Pair, Snapshot, Store, Workspace, index_folder
from personalizer import settings as settings_module
from personalizer.adapters import Adapter, Registry, Trained
from personalizer.storage import WorkspaceData

__all__ = [
    "Freshness",
    "PairChanges",
    "compare",
    "pair_names",
    "status",
    "symbols_of",
    "trained_on",
]

Freshness = Literal["fresh", "ageing", "stale", "none"]


@dataclass(frozen=True, slots=True)
class PairChanges:
    """Pairs of the project beside those the adapter was trained on."""

    trained: int
    """Pairs that the project had then."""
    unchanged: int
    changed: int
    """Same names, other code."""
    new: int
    removed: int

    @property
    def share(self) -> float:
        """Changed, new and removed pairs as a share of those trained on."""
        return (self.changed + self.new + self.removed) / max(1, self.trained)


def pair_names(pairs: Iterable[Pair]) -> dict[str, str]:
    """Digest by a name that survives a move: classes, methods and a number for doubles."""
    named: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for pair in pairs:
        name = f"{pair.focal.method.key} <- {pair.test.method.key}"
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} {seen[name]}"] = pair.digest
    return named


def compare(trained: Mapping[str, str], now: Mapping[str, str]) -> PairChanges:
    """Counts what became of the pairs.

    Pairs with the same digest are the same, whatever their names; of the rest, the same name
    means changed.

    Example:
        >>> compare({"a": "1", "b": "2", "c": "3"}, {"moved": "1", "b": "4", "d": "5"})
        PairChanges(trained=3, unchanged=1, changed=1, new=1, removed=1)
    """
    left = Counter(now.values())
    lost = set()
    unchanged = 0
    for name, digest in trained.items():
        if left[digest] > 0:
            left[digest] -= 1
            unchanged += 1
        else:
            lost.add(name)
    fresh = set()
    for name, digest in now.items():
        if left[digest] > 0:
            left[digest] -= 1
            fresh.add(name)
    changed = lost & fresh
    return PairChanges(
        len(trained), unchanged, len(changed), len(fresh - changed), len(lost - changed)
    )


def symbols_of(snapshot: Snapshot) -> set[str]:
    """Names of all methods and types of a project."""
    names = {m.name for facts in snapshot.files.values() for m in facts.methods}
    return names | {t.simple_name for facts in snapshot.files.values() for t in facts.types}


def trained_on(snapshot: Snapshot) -> Trained:
    """What an adapter that is trained now has seen."""
    return Trained(pair_names(snapshot.pairs), sorted(symbols_of(snapshot)))


def status(root: Path | str) -> dict[str, Any]:
    """The JSON object of ``personalizer status``, without ``job`` and ``daemon``.

    Raises:
        NotAFolder: If ``root`` is no folder.
        AdapterError: If the serving adapter is damaged.
    """
    workspace = Workspace(root)
    settings = settings_module.load(workspace.root).settings
    data = WorkspaceData(workspace.root)
    adapter = Registry(data.adapters).serving()
    if adapter is None:
        return _without_adapter(settings.base, Registry(data.adapters).all())
    with Store(data.index) as store:
        snapshot, _ = index_folder(workspace.root, store)
        now, symbols = pair_names(snapshot.pairs), symbols_of(snapshot)
    trained = adapter.trained()
    changes = compare(trained.pairs, now)
    unseen = len(symbols - set(trained.symbols))
    manifest = adapter.manifest
    behind = workspace.commits_since(manifest.commit) if manifest.commit else None
    word, why = _judged(changes, settings.ageing_from, settings.stale_from)
    return {
        "adapter": adapter.id,
        "method": manifest.method,
        "base": manifest.base,
        "freshness": word,
        "why": why,
        "pairs": asdict(changes),
        "unseen_symbols": {
            "count": unseen,
            "share": round(unseen / len(symbols), 4) if symbols else 0.0,
        },
        "commits_behind": behind,
        "trained_at": manifest.trained_at,
        "gate": manifest.gate["outcome"],
        "gate_reason": manifest.gate["reason"],
    }


def _without_adapter(base: str, refused: list[Adapter]) -> dict[str, Any]:
    why = "no adapter was trained for this workspace yet"
    if refused:
        last = refused[-1].manifest
        why = f"the base serves: {last.id} was {last.gate['outcome']} by the gate"
    return {
        "adapter": None,
        "method": None,
        "base": base,
        "freshness": "none",
        "why": why,
        "pairs": asdict(PairChanges(0, 0, 0, 0, 0)),
        "unseen_symbols": {"count": 0, "share": 0.0},
        "commits_behind": None,
        "trained_at": None,
        "gate": None,
        "gate_reason": None,
    }


def _judged(changes: PairChanges, ageing: float, stale: float) -> tuple[Freshness, str]:
    counts = (
        f"{changes.changed} changed, {changes.new} new and {changes.removed} removed "
        f"of {changes.trained} pairs ({changes.share:.0%})"
    )
    if changes.share >= stale:
        return "stale", f"{counts}: train again"
    if changes.share >= ageing:
        return "ageing", counts
    return "fresh", counts if changes.share else f"all {changes.trained} pairs are as trained on"
