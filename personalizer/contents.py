"""What a project holds, as an adapter is compared with it: its pairs and its names.

Kept beside the index by a hash of all files, so that asking again reads no facts.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from indexer import Found, Index, Pair, Snapshot, Store, Workspace
from indexer.facts import FileFacts
from indexer.languages import language_of
from indexer.store import Row, Seen, content_hash
from personalizer.errors import StorageError
from personalizer.storage import WorkspaceData

__all__ = [
    "Contents",
    "Learnable",
    "WholeStore",
    "contents_of",
    "covers",
    "current",
    "named",
    "pair_names",
    "state_of",
    "symbols_of",
    "without",
]

_NOTE = "contents"


@dataclass(frozen=True)
class Contents:
    """Pairs and names of a project at one moment."""

    pairs: dict[str, str]
    """Digest by stable name."""
    symbols: list[str]
    """Names that code can call: methods other than tests, and types; sorted."""


@dataclass(frozen=True)
class _Kept:
    state: str
    contents: Contents


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


def named(pairs: Iterable[Pair]) -> dict[str, Pair]:
    """Pairs by a name that survives a move: classes, methods and a number for doubles."""
    found: dict[str, Pair] = {}
    seen: Counter[str] = Counter()
    for pair in pairs:
        name = f"{pair.focal.method.key} <- {pair.test.method.key}"
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} {seen[name]}"] = pair
    return found


def pair_names(pairs: Iterable[Pair]) -> dict[str, str]:
    """Digest by stable name."""
    return {name: pair.digest for name, pair in named(pairs).items()}


def symbols_of(snapshot: Snapshot) -> set[str]:
    """Names of the methods and types of a project; nothing calls a test."""
    tests = {id(where.method) for where in snapshot.tests}
    files = snapshot.files.values()
    names = {m.name for facts in files for m in facts.methods if id(m) not in tests}
    return names | {t.simple_name for facts in files for t in facts.types}


def contents_of(snapshot: Snapshot) -> Contents:
    """What a project holds at the moment of a snapshot."""
    return Contents(pair_names(snapshot.pairs), sorted(symbols_of(snapshot)))


def current(workspace: Workspace, store: Store) -> Contents:
    """What a project holds now. Reads no facts while no file has changed.

    Raises:
        StoreUnavailable: If the store cannot be used.
    """
    hashes = {}
    for found in workspace.walk(store.seen()):
        if found.hash is not None:
            hashes[found.path] = found.hash
        elif found.source is not None and (language := language_of(found.path)) is not None:
            hashes[found.path] = content_hash(found.source, language.name)
    kept = _kept(store)
    if kept is not None and kept.state == state_of(hashes):
        return kept.contents
    snapshot = Index(store).read(workspace)
    contents = contents_of(snapshot)
    kept = _Kept(state_of(snapshot.hashes), contents)
    store.set_note(_NOTE, msgspec.msgpack.encode(kept))
    return contents


def _kept(store: Store) -> _Kept | None:
    data = store.note(_NOTE)
    try:
        return None if data is None else msgspec.msgpack.decode(data, type=_Kept)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def state_of(hashes: Mapping[str, str]) -> str:
    """Changes with any path or text, and with the schema of the store, which empties it."""
    rows = "\n".join(f"{path}\0{name}" for path, name in sorted(hashes.items()))
    return hashlib.blake2b(rows.encode(), digest_size=16).hexdigest()
