"""The daemon's view of each workspace: an index kept between requests, brought up to date by each.

A request walks the folder and applies what has changed; unsaved buffers are applied on top and
taken back, so one request's buffers are never seen by another.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from indexer import Change, Index, Snapshot, Store, Workspace
from indexer.store import content_hash
from personalizer.storage import WorkspaceData

__all__ = ["OpenWorkspace", "Workspaces"]

_KEPT = 4
"""Workspaces whose facts stay in memory."""


class OpenWorkspace:
    """One workspace's index.

    Raises:
        NotAFolder: If the root is missing or is no folder.
        StoreUnavailable: If the store cannot be opened.
    """

    def __init__(self, root: Path | str) -> None:
        self._workspace = Workspace(root)
        self._index = Index(Store(WorkspaceData(self._workspace.root).index))
        self._saved = self._index.snapshot()
        self._access = threading.Lock()

    @property
    def root(self) -> Path:
        return self._workspace.root

    def snapshot(self, buffers: Mapping[str, str]) -> Snapshot:
        """The project as it is on disk, with unsaved buffers in place of their files."""
        with self._access:
            sources = self._refresh(set(buffers))
            unsaved = [
                Change(path, text.encode("utf-8", "replace"))
                for path, text in buffers.items()
                if self._takes(path, text, sources)
            ]
            if not unsaved:
                return self._saved
            snapshot = self._index.apply(unsaved)
            self._index.apply(Change(one.path, sources.get(one.path)) for one in unsaved)
            return snapshot

    def _refresh(self, wanted: set[str]) -> dict[str, bytes]:
        """Applies what changed on disk; gives the saved sources of the wanted paths."""
        known, left_out = self._saved.hashes, self._saved.excluded
        changes, excluded, sources, seen = [], {}, {}, set()
        for found in self._workspace.walk():
            seen.add(found.path)
            if found.source is None:
                reason = found.reason or "unreadable"
                if left_out.get(found.path) != reason:
                    excluded[found.path] = reason
                continue
            if found.path in wanted:
                sources[found.path] = found.source
            if known.get(found.path) != content_hash(found.source):
                changes.append(Change(found.path, found.source))
        changes += [Change(path, None) for path in [*known, *left_out] if path not in seen]
        if changes or excluded:
            for path, reason in excluded.items():
                self._index.exclude(path, reason)
            self._saved = self._index.apply(changes)
        return sources

    def _takes(self, path: str, text: str, sources: Mapping[str, bytes]) -> bool:
        """Whether a buffer says anything new of a file that the index may see."""
        if path in sources:
            return sources[path] != text.encode("utf-8", "replace")
        return path not in self._saved.excluded and not self._workspace.ignores(path)


class Workspaces:
    """The workspaces asked about last."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, OpenWorkspace] = OrderedDict()
        self._access = threading.Lock()

    def get(self, root: str) -> OpenWorkspace:
        """A workspace, opened when first asked for.

        Raises:
            NotAFolder: If the root is missing or is no folder.
            StoreUnavailable: If its store cannot be opened.
        """
        path = Path(root).resolve()
        with self._access:
            if path in self._open and not path.is_dir():
                del self._open[path]
            found = self._open.get(path) or OpenWorkspace(path)
            self._open[path] = found
            self._open.move_to_end(path)
            while len(self._open) > _KEPT:
                self._open.popitem(last=False)
            return found
