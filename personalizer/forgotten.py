"""What was to be forgotten (``adapters forget``): left out of what is learned, shown and kept.

Which files these are is kept by ``WorkspaceData.forget``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from indexer import Found, Pair, Store, Workspace
from indexer.facts import FileFacts
from indexer.store import Row, Seen
from personalizer.errors import StorageError
from personalizer.storage import WorkspaceData

__all__ = ["Learnable", "WholeStore", "covers", "without"]


class Learnable(Workspace):
    """A workspace without the files that were to be forgotten (``adapters forget``).

    Raises:
        NotAFolder: If ``root`` is missing or is no folder.
    """

    def __init__(self, root: Path | str) -> None:
        super().__init__(root)
        self._forgotten = WorkspaceData(self.root).forgotten()

    def walk(self, seen: Mapping[str, Seen] | None = None) -> Iterator[Found]:
        """As ``Workspace.walk``; forgotten files are left out with that reason."""
        for found in super().walk(seen):
            gone = self._forgotten and covers(self._forgotten, found.path)
            yield Found(found.path, None, "forgotten") if gone else found


class WholeStore(Store):
    """The index's store for who reads all of a project, what was to be forgotten too.

    As long as anything is to be forgotten, what is new stays in memory: nothing of it gets into
    the file again. Who reads a ``Learnable`` alone writes into the file as ever.

    Raises:
        StoreUnavailable: As ``Store``.
    """

    def __init__(self, data: WorkspaceData) -> None:
        super().__init__(data.index)
        self._data = data
        self._memory = Store()

    @property
    def _writable(self) -> Store:
        """Chosen anew each time: another process may forget a file while this one runs."""
        try:
            return self._memory if self._data.forgotten() else self
        except StorageError:
            return self._memory

    def put(self, rows: Iterable[Row]) -> None:
        Store.put(self._writable, rows)

    def known(self, hashes: Iterable[str]) -> set[str]:
        wanted = set(hashes)
        return super().known(wanted) | self._memory.known(wanted)

    def facts(self, hashes: Iterable[str]) -> dict[str, FileFacts]:
        wanted = set(hashes)
        found = super().facts(wanted)
        return found | self._memory.facts(wanted - found.keys())

    def source(self, name: str) -> bytes:
        try:
            return self._memory.source(name)
        except KeyError:
            return super().source(name)

    def seen(self) -> dict[str, Seen]:
        return super().seen() | self._memory.seen()

    def set_seen(self, found: Mapping[str, Seen], gone: Iterable[str]) -> None:
        Store.set_seen(self._writable, found, gone)

    def note(self, name: str) -> bytes | None:
        return Store.note(self._writable, name)

    def set_note(self, name: str, value: bytes) -> None:
        Store.set_note(self._writable, name, value)

    def close(self) -> None:
        self._memory.close()
        super().close()


def covers(paths: Iterable[str], path: str) -> bool:
    """Whether a path is one of some files and folders, or lies in one.

    Example:
        >>> covers(["a/b"], "a/b/C.java"), covers(["a/b"], "a/bc/C.java")
        (True, False)
    """
    return any(path == one or path.startswith(f"{one}/") for one in paths)


def without(gone: Collection[str], pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs that have neither focal method nor test in some files and folders."""
    return [p for p in pairs if not covers(gone, p.focal.path) and not covers(gone, p.test.path)]
