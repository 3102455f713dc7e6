"""The daemon's view of each workspace: an index kept between requests, brought up to date by each.

A request reads what has changed on disk; unsaved buffers are applied on top and taken back, so
one request's buffers are never seen by another.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from indexer import Change, Index, Snapshot, Workspace
from indexer.store import content_hash
from personalizer.forgotten import WholeStore
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
        self._index = Index(WholeStore(WorkspaceData(self._workspace.root)))
        self._access = threading.Lock()

    @property
    def root(self) -> Path:
        return self._workspace.root

    def snapshot(self, buffers: Mapping[str, str]) -> Snapshot:
        """The project as it is on disk, with unsaved buffers in place of their files."""
        with self._access:
            saved = self._index.read(self._workspace)
            unsaved = [
                change
                for path, text in buffers.items()
                if self._says_more(change := Change(path, text.encode("utf-8", "replace")), saved)
            ]
            if not unsaved:
                return saved
            before = [
                Change(one.path, saved.source(one.path) if one.path in saved.hashes else None)
                for one in unsaved
            ]
            snapshot = self._index.apply(unsaved)
            self._index.apply(before)
            return snapshot

    def _says_more(self, buffer: Change, saved: Snapshot) -> bool:
        """Whether a buffer says anything new of a file that the index may see."""
        if buffer.source is not None and buffer.path in saved.hashes:
            return saved.hashes[buffer.path] != content_hash(buffer.source)
        return buffer.path not in saved.excluded and not self._workspace.ignores(buffer.path)


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
