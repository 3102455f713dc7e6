"""Changes in, snapshots out. What is derived from a text is kept by the text's hash.

``Index.apply`` with any sequence of changes gives what one ``apply`` of the final state gives.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec

from indexer.facts import FileFacts, Method
from indexer.languages import ALL, DEFAULT, language_of
from indexer.pairing import Mode, Pair, Pairing, Where, find_pairs, find_tests
from indexer.screening import find_copies, reason_of
from indexer.snippets import Passage, Snippet, documented, find_passages, find_snippets
from indexer.store import Row, Store, content_hash, decode_facts
from indexer.workers import rows_of
from indexer.workspace import Found, Workspace

__all__ = ["Change", "Index", "Snapshot", "index_folder"]

_PAIRS = "pairs"
"""Name of the note that keeps the pairs of the state that was indexed last."""
_COPIES = "copies"
"""Name of the note that keeps the copies of one state."""
_TRANSACTION = 4_000_000
"""Bytes of new rows that are written at once."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file's new text, or its end."""

    path: str
    """POSIX, relative to the workspace."""
    source: bytes | None
    """None when the file is gone."""


class _Copies(msgspec.Struct):
    """Copies as the store keeps them."""

    digest: str
    copies: dict[str, str]


_decode_copies = msgspec.msgpack.Decoder(_Copies).decode


@dataclass
class _Latest:
    """The pairing that was last found; any state of the project is a start for the next."""

    pairing: Pairing | None = None


@dataclass(frozen=True)
class Snapshot:
    """The project at one moment; nothing in it changes."""

    files: Mapping[str, FileFacts]
    """Facts by path, of indexed files only."""
    hashes: Mapping[str, str]
    """Content hash by path."""
    excluded: Mapping[str, str]
    """Reason by path of the files left out."""
    _store: Store = field(repr=False)
    _latest: _Latest = field(repr=False, compare=False)
    _workspace: Workspace | None = field(default=None, repr=False, compare=False)
    """Where a text is read again that the store has lost; None where it is not of a folder."""

    def source(self, path: str) -> bytes:
        """A file's bytes as they were when indexed.

        Raises:
            KeyError: If the snapshot does not hold the file, or what the store has lost is by now
                another text on disk.
        """
        name = self.hashes[path]
        try:
            return self._store.source(name)
        except KeyError:
            source = self._workspace.read(path).source if self._workspace else None
            if source is None or _name(path, source) != name:
                raise
            return source

    def on_disk(self, path: str) -> bool:
        """Whether anything lies at a path by now, which need not be indexed."""
        return self._workspace is not None and self._workspace.has(path)

    def text(self, path: str) -> str:
        """A file's text, decoded as its facts say."""
        return self.source(path).decode(self.files[path].encoding, "replace").removeprefix("\ufeff")

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Focal-method/test pairs by the project's own rules; found again only where needed."""
        before = self._latest.pairing
        if before is None:
            digest = self._digest()
            saved = self._store.note(_PAIRS)
            pairing = Pairing.restored(self.files, saved, digest) if saved else None
            if pairing is None:
                pairing = Pairing.of(self.files)
                self._store.set_note(_PAIRS, pairing.saved(digest))
        else:
            pairing = Pairing.of(self.files, before)
        self._latest.pairing = pairing
        return pairing.pairs

    def _digest(self) -> str:
        """Changes with any path or text."""
        rows = sorted(f"{path}\0{name}" for path, name in self.hashes.items())
        return content_hash("\n".join(rows).encode())

    @cached_property
    def copies(self) -> Mapping[str, str]:
        """Exact and near copies among the files: the path of each with the path that it copies.

        Reads every text, about 0.15 s a MB, so nothing asks for it on the way to the pairs; found
        once for a state of the project.
        """
        digest = self._digest()
        saved = self._store.note(_COPIES)
        if saved is not None:
            with contextlib.suppress(msgspec.MsgspecError):
                found = _decode_copies(saved)
                if found.digest == digest:
                    return found.copies
        copies = dict(find_copies((path, self.source(path)) for path in sorted(self.files)))
        self._store.set_note(_COPIES, msgspec.msgpack.encode(_Copies(digest, copies)))
        return copies

    def find_pairs(self, mode: Mode = "rules") -> tuple[Pair, ...]:
        return self.pairs if mode == "rules" else find_pairs(self.files, mode)

    @cached_property
    def tests(self) -> tuple[Where, ...]:
        return tuple(w for path in sorted(self.files) for w in find_tests(path, self.files[path]))

    @cached_property
    def snippets(self) -> tuple[Snippet, ...]:
        """Documented methods; reads the texts that have any."""
        return tuple(
            one
            for path, facts in sorted(self.files.items())
            if any(map(documented, facts.methods))
            for one in find_snippets(path, facts, self.source(path))
        )

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """Comments inside bodies with the code that they describe; reads every text."""
        return tuple(
            one
            for path in sorted(self.files)
            for one in find_passages(path, self.files[path], self.source(path))
        )

    @cached_property
    def methods(self) -> int:
        return sum(len(facts.methods) for facts in self.files.values())

    @property
    def errors(self) -> dict[str, tuple[str, ...]]:
        """Files that were read only as far as they could be."""
        return {path: facts.errors for path, facts in self.files.items() if facts.errors}

    def excluded_by_reason(self) -> dict[str, int]:
        kinds = Counter(reason.partition(" (")[0] for reason in self.excluded.values())
        return dict(sorted(kinds.items()))

    def tests_of(self, path: str, method: Method) -> tuple[Pair, ...]:
        """The pairs whose focal method this is."""
        return self._pairs_by_focal.get((path, method.key), ())

    @cached_property
    def _pairs_by_focal(self) -> dict[tuple[str, str], tuple[Pair, ...]]:
        found: dict[tuple[str, str], list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault((pair.focal.path, pair.focal.method.key), []).append(pair)
        return {key: tuple(pairs) for key, pairs in found.items()}


class Index:
    """Facts of a project, kept current by changes.

    Args:
        store: Where facts are kept between runs; memory when left out.
        languages: Names of those whose files ``apply`` takes in; ``read`` takes in what its
            workspace looks at.
    """

    def __init__(self, store: Store | None = None, languages: Collection[str] = DEFAULT) -> None:
        self._store = store or Store()
        self._languages = languages
        self._hashes: dict[str, str] = {}
        self._facts: dict[str, FileFacts] = {}
        self._excluded: dict[str, str] = {}
        self._latest = _Latest()
        self._workspace: Workspace | None = None

    def apply(self, changes: Iterable[Change]) -> Snapshot:
        """Takes changes in and gives the project as it then is.

        A source that screening leaves out is recorded with its reason and goes no further.
        """
        fresh: dict[str, bytes] = {}
        for change in changes:
            self._forget(change.path)
            fresh.pop(change.path, None)
            if change.source is None or language_of(change.path, self._languages) is None:
                continue
            reason = reason_of(change.source)
            if reason:
                self._excluded[change.path] = reason
            else:
                fresh[change.path] = change.source
        self._add(fresh.items(), {})
        return self.snapshot()

    def read(self, workspace: Workspace) -> Snapshot:
        """Makes this the index of a folder as it now is on disk.

        Files that the store has seen before, and that were not written since, are not read; facts
        that this index has already are kept, and with them the pairs.

        Raises:
            StoreUnavailable: If the store cannot be written.
        """
        self._workspace = workspace
        before = self._store.seen()
        facts = {name: self._facts[path] for path, name in self._hashes.items()}
        found: dict[str, Found] = {}

        def unread() -> Iterator[tuple[str, bytes]]:
            for one in workspace.walk(before):
                self._forget(one.path)
                found[one.path] = replace(one, source=None)
                if one.source is not None:
                    yield one.path, one.source
                elif one.reason is not None:
                    self._excluded[one.path] = one.reason

        hashes = self._add(unread(), facts)
        as_seen = {path: one.hash for path, one in found.items() if one.hash}
        kept = self._store.known(set(as_seen.values()))
        facts |= self._store.facts(kept - facts.keys())
        for path, name in as_seen.items():
            if name in kept and name in facts:
                self._hashes[path], self._facts[path] = name, facts[name]
        lost = [workspace.read(path) for path in as_seen if path not in self._facts]
        for one in lost:
            if one.reason is not None:
                self._excluded[one.path] = one.reason
        self._add(((one.path, one.source) for one in lost if one.source is not None), {})
        for path in [*self._facts, *self._excluded]:
            if path not in found:
                self._forget(path)
        self._store.set_seen(
            {
                path: (one.stamp, hashes.get(path), one.reason)
                for path, one in found.items()
                if one.stamp and (path not in before or before[path][0] != one.stamp)
            },
            before.keys() - found.keys(),
        )
        self._store.keep_only(set(self._hashes.values()))
        return self.snapshot()

    def exclude(self, path: str, reason: str) -> None:
        """Records a file that was left out before it was read."""
        self._forget(path)
        self._excluded[path] = reason

    def snapshot(self) -> Snapshot:
        facts, hashes, excluded = dict(self._facts), dict(self._hashes), dict(self._excluded)
        return Snapshot(facts, hashes, excluded, self._store, self._latest, self._workspace)

    def _forget(self, path: str) -> None:
        self._hashes.pop(path, None)
        self._facts.pop(path, None)
        self._excluded.pop(path, None)

    def _add(
        self, sources: Iterable[tuple[str, bytes]], known: Mapping[str, FileFacts]
    ) -> dict[str, str]:
        """Takes sources in, and gives the content hash of each path.

        Args:
            sources: (path, bytes).
            known: Facts by hash that are used in place of equal ones from the store.
        """
        hashes: dict[str, str] = {}
        facts: dict[str, FileFacts] = {}
        rows: list[Row] = []
        size = 0
        for row in rows_of(self._unknown(sources, hashes, facts)):
            facts[row[0]] = decode_facts(row[2])
            rows.append(row)
            size += len(row[1]) + len(row[2])
            if size > _TRANSACTION:
                self._store.put(rows)
                rows, size = [], 0
        self._store.put(rows)
        for path, name in hashes.items():
            self._hashes[path] = name
            self._facts[path] = known.get(name) or facts[name]
        return hashes

    def _unknown(
        self,
        sources: Iterable[tuple[str, bytes]],
        hashes: dict[str, str],
        facts: dict[str, FileFacts],
    ) -> Iterator[tuple[str, bytes]]:
        """The sources whose facts nobody has; fills in hashes, and the facts of the others."""
        asked: set[str] = set()
        for group in _groups(sources):
            names = {path: _name(path, source) for path, source in group}
            hashes.update(names)
            facts.update(self._store.facts(set(names.values()) - facts.keys() - asked))
            for path, source in group:
                name = names[path]
                if name not in facts and name not in asked:
                    asked.add(name)
                    yield path, source


def _name(path: str, source: bytes) -> str:
    language = language_of(path, ALL)
    assert language is not None
    return content_hash(source, language.name)


def _groups(sources: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Sources in groups of at most 100, so that many hashes are looked up at once."""
    left = iter(sources)
    while group := list(islice(left, 100)):
        yield group


def index_folder(root: Path | str, store: Store | None = None) -> tuple[Snapshot, float]:
    """Walks and indexes a folder.

    Returns:
        The snapshot and the seconds that it took.

    Raises:
        NotAFolder: If ``root`` is missing or is no folder.
        StoreUnavailable: If the store cannot be written.
    """
    start = time.perf_counter()
    snapshot = Index(store).read(Workspace(root))
    return snapshot, time.perf_counter() - start


def index_file(root: Path | str, path: str, unsaved: str | None = None) -> Snapshot:
    """A snapshot of one file alone, of any language, screened as every file is.

    Args:
        root: The workspace.
        path: POSIX, relative to it.
        unsaved: Its text in the editor; what is on disk when left out.

    Raises:
        NotAFolder: If ``root`` is missing or is no folder.
    """
    workspace = Workspace(root, ALL)
    index = Index(languages=ALL)
    file = workspace.root / path
    if workspace.ignores(path):
        index.exclude(path, "ignored")
    elif unsaved is not None:
        index.apply([Change(path, unsaved.encode("utf-8", "replace"))])
    elif file.is_file() and file.resolve().is_relative_to(workspace.root):
        found = workspace.read(path)
        if found.source is None:
            index.exclude(path, found.reason or "unreadable")
        else:
            index.apply([Change(path, found.source)])
    return index.snapshot()
