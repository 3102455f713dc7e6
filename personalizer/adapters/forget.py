"""Forgetting: no adapter that has seen a file stays, nor anything made from it, nor its hashes.

The file is noted first, so that nothing learns from it again whatever dies afterwards; asking
again finishes what was begun.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer import Index, Snapshot, Store, Workspace
from personalizer.adapters.manifest import Trained
from personalizer.adapters.registry import Registry
from personalizer.contents import covers
from personalizer.errors import AdapterError, BadInput
from personalizer.storage import WorkspaceData

__all__ = ["Forgotten", "forget", "has_seen"]


@dataclass(frozen=True)
class Forgotten:
    """What forgetting took away."""

    path: str
    removed: tuple[str, ...]
    """Adapters that had seen it, or started from one that had."""
    kept: tuple[str, ...]
    """Adapters that had not: none of the hashes is in what they say they have seen."""
    hashes: int
    """Hashes of methods and tests that were looked for."""
    serving: bool
    """Whether one of the removed served: the base does now, until an adapter is trained."""


def forget(workspace: Workspace, path: str | Path) -> Forgotten:
    """Takes away all that was learnt from a file or folder of the workspace, for ever.

    Args:
        workspace: The project.
        path: In the project, there or not any more.

    Raises:
        BadInput: If the path lies outside the workspace.
        Busy: If a training runs.
        StorageError: If the data folder cannot be written.
    """
    name = _inside(workspace.root, Path(path))
    data = WorkspaceData(workspace.root)
    registry = Registry(data.adapters)
    with data.lock("forget"), Store(data.index) as store:
        hashes = _hashes(Index(store).read(workspace), name)
        data.forget(name)
        registry.sweep()
        gone = _affected(registry, hashes, name)
        try:
            serving = registry.serving()
            served = serving is not None and serving.id in gone
        except AdapterError:
            served = True
        registry.remove_all(sorted(gone), for_ever=True)
        for folder in data.derived:
            shutil.rmtree(folder, ignore_errors=True)
        for file in (data.measured, *data.jobs.glob("*")):
            file.unlink(missing_ok=True)
        store.clear()
        kept = tuple(adapter.id for adapter in registry.all())
    return Forgotten(name, tuple(sorted(gone)), kept, len(hashes), served)


def has_seen(trained: Trained, paths: Iterable[str], hashes: Collection[str] = frozenset()) -> bool:
    """Whether an adapter was trained, stopped, judged or compared with code of some files.

    One that does not say with which pairs counts as having seen everything.

    Args:
        trained: What the adapter says.
        paths: Files and folders.
        hashes: Of methods in them.
    """
    wanted, marks = list(paths), set(hashes)
    if not trained.used:
        return True
    pairs = (*trained.used, *trained.inherited)
    if any(covers(wanted, path) for pair in pairs for path in pair.paths):
        return True
    return any(not marks.isdisjoint(digest.split("-")) for digest in trained.digests())


def _inside(root: Path, path: Path) -> str:
    """The path relative to the workspace, POSIX; it may be named by links to the workspace."""
    whole = Path(os.path.normpath(path if path.is_absolute() else root / path))
    for named in (whole, whole.parent.resolve() / whole.name):
        if named.is_relative_to(root):
            inside = named.relative_to(root).as_posix()
            break
    else:
        raise BadInput(f"expected a path in {root}, got {path}")
    if inside == ".":
        raise BadInput("expected a file or folder of the project, got the whole project")
    return inside


def _hashes(snapshot: Snapshot, name: str) -> set[str]:
    """Of every method in the files, focal or test, as they are now."""
    return {
        method.digest
        for path, facts in snapshot.files.items()
        if covers([name], path)
        for method in facts.methods
    }


def _affected(registry: Registry, hashes: set[str], name: str) -> set[str]:
    gone = set(registry.damaged())
    parents = {}
    for adapter in registry.all():
        parents[adapter.id] = adapter.manifest.parent
        try:
            seen = has_seen(adapter.trained(), [name], hashes)
        except AdapterError:
            seen = True
        if seen:
            gone.add(adapter.id)
    while more := {child for child, parent in parents.items() if parent in gone} - gone:
        gone |= more
    return gone
