"""Forgetting: no adapter that has seen a file stays, nor anything made from it, nor its hashes.

The file is noted first, so that nothing learns from it again whatever dies afterwards; asking
again finishes what was begun.
"""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from indexer import Index, Snapshot, Workspace
from personalizer.adapters.manifest import Trained
from personalizer.adapters.registry import Registry
from personalizer.errors import AdapterError, BadInput
from personalizer.forgotten import WholeStore, covers
from personalizer.storage import WorkspaceData

__all__ = ["Forgotten", "forget", "has_seen", "remember"]


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
    elsewhere: tuple[str, ...] = ()
    """Folders around it, or in it, that were opened as projects too: it is forgotten there too."""


def forget(workspace: Workspace, path: str | Path) -> Forgotten:
    """Takes away all that was learnt from a file or folder of the workspace, for ever.

    So it does in the other projects that hold the file, where a folder around or in it was opened.

    Args:
        workspace: The project.
        path: In the project, there or not any more.

    Raises:
        BadInput: If the path lies outside the workspace, or nothing was ever there.
        Busy: If a training, an evaluation or ``generate --untested`` runs.
        StorageError: If the data folder cannot be written.
    """
    name = _inside(workspace.root, Path(path))
    gone = _forget_in(workspace, name)
    elsewhere = []
    for other, inside in _other_projects(workspace, name):
        with suppress(BadInput):  # it never knew of the path
            _forget_in(other, inside)
            elsewhere.append(str(other.root))
    return replace(gone, elsewhere=tuple(elsewhere))


def _other_projects(workspace: Workspace, name: str) -> Iterator[tuple[Workspace, str | None]]:
    """Folders around a path, and in it, that were opened as projects of their own.

    Each with the path in it, or None for one that is to be forgotten whole.
    """
    path = workspace.root / name
    above = [one for one in path.parents if one != workspace.root]
    left_out = (one for one in workspace.left_out() if covers([name], one))
    below = {workspace.root / one for one in (*workspace.folders(name), *left_out)}
    for root in [*above, *sorted(below)]:
        if WorkspaceData(root).folder.is_dir():
            yield Workspace(root), path.relative_to(root).as_posix() if root in above else None


def _forget_in(workspace: Workspace, name: str | None) -> Forgotten:
    """Forgets a path of one project, or all of it, which may be learnt from again then."""
    data = WorkspaceData(workspace.root)
    registry = Registry(data.adapters)
    with (
        data.lock("forget"),
        data.deriving(data.evaluation, "an evaluation"),
        data.deriving(data.untested, "generate --untested"),
        WholeStore(data) as store,
    ):
        if name is None:
            hashes, gone = set[str](), {*registry.damaged(), *(one.id for one in registry.all())}
        else:
            indexed = store.seen().keys()
            snapshot = Index(store).read(workspace)
            if not os.path.lexists(workspace.root / name) and name not in data.forgotten():
                _check_known(name, {*indexed, *snapshot.files, *snapshot.excluded}, registry)
            hashes = _hashes(snapshot, name)
            data.forget(name)
            gone = _affected(registry, hashes, name)
        registry.sweep()
        try:
            serving = registry.serving()
            served = serving is not None and serving.id in gone
        except AdapterError:
            served = True
        registry.remove_all(sorted(gone), for_ever=True)
        for file in (data.measured, *data.jobs.glob("*")):
            file.unlink(missing_ok=True)
        store.clear()
        for folder in data.derived:  # last, since their locks go with them
            shutil.rmtree(folder, ignore_errors=True)
        kept = tuple(adapter.id for adapter in registry.all())
    return Forgotten(name or ".", tuple(sorted(gone)), kept, len(hashes), served)


def remember(workspace: Workspace, path: str | Path) -> str:
    """Lets adapters learn again from what was to be forgotten; says what that is.

    The adapters that went do not come back.

    Raises:
        BadInput: If it was not to be forgotten, or only as a part of a folder.
        Busy: If a training runs.
        StorageError: If the data folder cannot be written.
    """
    name = _inside(workspace.root, Path(path))
    data = WorkspaceData(workspace.root)
    gone = data.forgotten()
    if name not in gone:
        wholes = [one for one in gone if covers([one], name)]
        hint = f"; it lies in {wholes[0]}, which is" if wholes else _perhaps(name, gone)
        raise BadInput(f"{name} is not to be forgotten{hint}")
    with data.lock("remember"):
        data.remember(name)
    return name


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


def _check_known(name: str, files: set[str], registry: Registry) -> None:
    """A path that neither index nor adapters know is misspelt: nothing would be forgotten.

    Raises:
        BadInput: Says what is near.
    """
    if registry.damaged():
        return
    for adapter in registry.all():
        try:
            trained = adapter.trained()
        except AdapterError:
            return
        if has_seen(trained, [name]):
            return
        files |= {path for pair in (*trained.used, *trained.inherited) for path in pair.paths}
    if any(covers([name], file) for file in files):
        return
    folders = {folder.as_posix() for file in files for folder in Path(file).parents} - {"."}
    raise BadInput(
        f"no file or folder is called {name}, and no adapter has seen one"
        f"{_perhaps(name, files | folders)}"
    )


def _perhaps(name: str, known: Collection[str]) -> str:
    """The nearest of some paths, by its last part where only that is near."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    if not near:
        by_name = {one.rpartition("/")[2]: one for one in sorted(known, reverse=True)}
        found = difflib.get_close_matches(name.rpartition("/")[2], by_name, n=1, cutoff=0.8)
        near = [by_name[one] for one in found]
    return f"; did you mean {near[0]}?" if near else ""


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
