"""One workspace folder: its open buffers, its index, and what of both the daemon may see."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from indexer import (
    Change,
    Index,
    Method,
    Pair,
    Snapshot,
    StoreUnavailable,
    Where,
    Workspace,
)
from indexer.languages import language_of
from indexer.screening import vendored
from indexer.secret_forms import secret_in
from indexer.watching import Changed, Watcher
from lsp_server.convert import command_at, uri_of
from lsp_server.documents import Buffer, Documents
from lsp_server.pauses import without_collection
from lsp_server.threads import in_thread
from personalizer.errors import BadInput
from personalizer.forgotten import WholeStore
from personalizer.storage import WorkspaceData

__all__ = ["Place", "Project", "Seen"]

_log = logging.getLogger(__name__)

_PAUSE = 0.5
"""Seconds without a change after which the index takes the buffers in."""


@dataclass(frozen=True)
class Place:
    """A line of an open document, as a command names it."""

    project: Project
    buffer: Buffer
    line: int
    """From 0."""

    def action(self, title: str, kind: str, command: str, method: Method) -> lsp.CodeAction:
        """A code action here, which a command of ours does for a method."""
        does = command_at(title, command, self.buffer.uri, self.line, method.key)
        return lsp.CodeAction(title, kind, command=does)


class Project:
    """One workspace folder, indexed, with the open buffers in place of their files.

    Args:
        folder_uri: As the editor spells it.
        root: As the editor names it, links unresolved.
        documents: All that are open, in this folder or not.
        settled: Called each time that the snapshot has taken changes in.
    """

    def __init__(
        self,
        folder_uri: str,
        root: Path,
        documents: Documents,
        settled: Callable[[Project], None],
    ) -> None:
        self.uri = folder_uri
        self.root = root
        self._documents = documents
        self._settled = settled
        self.snapshot: Snapshot | None = None
        """The last state whose pairs are known; None until the folder is indexed."""
        self.status: dict[str, Any] | None = None
        """What the daemon has said last of its adapter."""
        self.outdated = True
        """The folder must be walked: files may have changed that nobody told of."""
        self._index: Index | None = None
        self._stale: set[str] = set()
        self._busy = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._settling: asyncio.Task[None] | None = None
        self._watcher: Watcher | None = None

    def close(self) -> None:
        """Ends what goes on; who still holds the folder holds nothing large."""
        if self._timer:
            self._timer.cancel()
        if self._watcher:
            self._watcher.stop()
        self._timer = self._watcher = self._index = self.snapshot = None

    @property
    def buffers(self) -> dict[str, Buffer]:
        """Open documents by path, also those of folders inside this one."""
        return self._documents.inside(self.root)

    def watch(self) -> None:
        """Looks for files that change on disk, where the editor does not tell of them."""
        loop = asyncio.get_running_loop()

        def changed(paths: Changed) -> None:
            with contextlib.suppress(RuntimeError):  # The loop has ended: nobody waits any more.
                loop.call_soon_threadsafe(self.touch, paths)

        self._watcher = Watcher(Workspace(self.root), changed)
        self._watcher.start()

    def touch(self, paths: Changed) -> None:
        """Notes that files or their buffers have changed; they are read after a pause.

        Args:
            paths: POSIX, relative to the project; None where any file may have changed.
        """
        if paths is None:
            self.outdated = True
        else:
            paths = frozenset(path for path in paths if language_of(path))
            if not paths:
                return
            self._stale |= paths
        loop = asyncio.get_running_loop()
        if self._timer:
            self._timer.cancel()

        def begin() -> None:
            self._settling = loop.create_task(self.settle())

        self._timer = loop.call_later(_PAUSE, begin)

    async def settle(self) -> None:
        """Takes every change so far into the snapshot, and tells."""
        async with self._busy:
            stale, self._stale = self._stale, set()
            buffers = {path: b.text.source for path, b in self.buffers.items()}
            try:
                self.snapshot = await in_thread(self._indexed, stale, buffers)
            except Exception:
                self._stale |= stale
                _log.exception("cannot index %s", self.root)
        self._settled(self)

    def _indexed(self, stale: set[str], buffers: Mapping[str, bytes]) -> Snapshot:
        with without_collection() if self.outdated else contextlib.nullcontext():
            workspace = Workspace(self.root)
            try:
                index = self._index or Index(WholeStore(WorkspaceData(workspace.root)))
                snapshot = self._read(workspace, index, stale, buffers)
            except StoreUnavailable as error:
                _log.warning("%s: indexing in memory", error)
                self.outdated = True
                index = Index()
                snapshot = self._read(workspace, index, stale, buffers)
            self._index = index
            return snapshot

    def _read(
        self, workspace: Workspace, index: Index, stale: set[str], buffers: Mapping[str, bytes]
    ) -> Snapshot:
        if self.outdated:
            self.outdated = False  # and true again where something changes while it is read
            try:
                index.read(workspace)
            except BaseException:
                self.outdated = True
                raise
            stale = {*buffers}
        changes = []
        for path in stale:
            source, reason = _screened(workspace, path, buffers.get(path))
            if reason:
                index.exclude(path, reason)
            else:
                changes.append(Change(path, source))
        snapshot = index.apply(changes)
        _ = snapshot.pairs  # Derived here, in the thread, and kept by the snapshot.
        return snapshot

    def holds(self, folders: set[str]) -> bool:
        """Whether one of some paths is a folder with files of the index, as far as is known."""
        if self.snapshot is None:
            return True
        return any(not folders.isdisjoint(_above(path)) for path in self.snapshot.files)

    def tests_of(self, path: str, method: Method) -> tuple[Pair, ...]:
        """The tests of a method; none while the folder is not indexed."""
        return self.snapshot.tests_of(path, method) if self.snapshot else ()

    def tested_by(self, path: str, test: Method) -> tuple[Where, ...]:
        """The methods that a test tests."""
        pairs = self.snapshot.pairs if self.snapshot else ()
        return tuple(
            p.focal for p in pairs if p.test.path == path and p.test.method.key == test.key
        )

    def uri_of(self, path: str) -> str:
        """A file's URI, as the editor spells it where the file is open."""
        buffer = self.buffers.get(path)
        return buffer.uri if buffer else uri_of(self.uri, path)

    async def on_disk(self, path: str) -> bytes | None:
        """A file's bytes; None where there are none that may be read."""
        return (await in_thread(Workspace(self.root).read, path)).source

    async def seen(self) -> Seen:
        """The buffers as they are now, for the daemon."""
        buffers = {path: buffer.text.source for path, buffer in self.buffers.items()}

        def sorted_out() -> Seen:
            workspace = Workspace(self.root)
            unsaved, withheld = {}, {}
            for path, source in buffers.items():
                if workspace.read(path).source == source:
                    continue
                reason = _screened(workspace, path, source)[1]
                if reason:
                    withheld[path] = reason
                else:
                    unsaved[path] = source.decode()
            return Seen(buffers, unsaved, withheld)

        return await in_thread(sorted_out)


@dataclass(frozen=True)
class Seen:
    """The open documents at the moment when the daemon was asked."""

    sources: Mapping[str, bytes]
    """Each buffer by path."""
    unsaved: dict[str, str]
    """Those that are not as on disk; they travel with the request."""
    withheld: Mapping[str, str]
    """Why others of those do not."""

    def check(self, path: str) -> None:
        """Raises ``BadInput`` where a file is open, not saved, and withheld."""
        if path in self.withheld:
            raise BadInput(
                f"{path} is left out ({self.withheld[path]}) and not saved: nothing was inserted"
            )


def _above(path: str) -> Iterator[str]:
    """The folders that a path lies in, the innermost first."""
    while path := path.rpartition("/")[0]:
        yield path


def _screened(
    workspace: Workspace, path: str, buffer: bytes | None
) -> tuple[bytes | None, str | None]:
    """The source that counts, or why it is left out; neither for a file that is gone."""
    if workspace.ignores(path):
        return None, "ignored"
    if buffer is None:
        found = workspace.read(path)
        gone = found.reason == "unreadable"
        return found.source, None if gone else found.reason
    if vendored(path):
        return None, "vendored"
    kind = secret_in(buffer)
    return (None, f"secret ({kind})") if kind else (buffer, None)
