"""Changes in, snapshots out. What is derived from a text is kept by the text's hash.

``Index.apply`` with any sequence of changes gives what one ``apply`` of the final state gives.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from indexer.facts import FileFacts, Method
from indexer.languages import language_of
from indexer.pairing import Mode, Pair, Where, find_pairs, find_tests
from indexer.screening import content_reason
from indexer.snippets import Snippet, find_snippets
from indexer.store import Store, content_hash, decode_facts, encode_facts
from indexer.workspace import Workspace

__all__ = ["Change", "Index", "Snapshot", "index_folder"]

_PARALLEL_FROM = 4_000_000
"""Bytes of unknown source from which worker processes pay for their start."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file's new text, or its end."""

    path: str
    """POSIX, relative to the workspace."""
    source: bytes | None
    """None when the file is gone."""


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

    def source(self, path: str) -> bytes:
        """A file's bytes as they were when indexed.

        Raises:
            KeyError: If the snapshot does not hold the file.
        """
        return self._store.source(self.hashes[path])

    def text(self, path: str) -> str:
        """A file's text, decoded as its facts say."""
        return self.source(path).decode(self.files[path].encoding, "replace").removeprefix("\ufeff")

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Focal-method/test pairs by the project's own rules."""
        return self.find_pairs()

    def find_pairs(self, mode: Mode = "rules") -> tuple[Pair, ...]:
        return find_pairs(self.files, mode)

    @cached_property
    def tests(self) -> tuple[Where, ...]:
        return tuple(w for path in sorted(self.files) for w in find_tests(path, self.files[path]))

    @cached_property
    def snippets(self) -> tuple[Snippet, ...]:
        return tuple(
            s for path in sorted(self.files) for s in find_snippets(path, self.files[path])
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
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store or Store()
        self._hashes: dict[str, str] = {}
        self._facts: dict[str, FileFacts] = {}
        self._excluded: dict[str, str] = {}

    def apply(self, changes: Iterable[Change]) -> Snapshot:
        """Takes changes in and gives the project as it then is.

        A source that screening leaves out is recorded with its reason and goes no further.
        """
        fresh: dict[str, bytes] = {}
        for change in changes:
            self._forget(change.path)
            fresh.pop(change.path, None)
            if change.source is None or language_of(change.path) is None:
                continue
            reason = content_reason(change.source)
            if reason:
                self._excluded[change.path] = reason
            else:
                fresh[change.path] = change.source
        self._add(fresh)
        return self.snapshot()

    def exclude(self, path: str, reason: str) -> None:
        """Records a file that was left out before it was read."""
        self._forget(path)
        self._excluded[path] = reason

    def snapshot(self) -> Snapshot:
        return Snapshot(dict(self._facts), dict(self._hashes), dict(self._excluded), self._store)

    def _forget(self, path: str) -> None:
        self._hashes.pop(path, None)
        self._facts.pop(path, None)
        self._excluded.pop(path, None)

    def _add(self, fresh: Mapping[str, bytes]) -> None:
        hashes = {path: content_hash(source) for path, source in fresh.items()}
        known = self._store.known(set(hashes.values()))
        missing = {hashes[path]: path for path in fresh if hashes[path] not in known}
        work = [(name, path, fresh[path]) for name, path in missing.items()]
        encoded = dict(_parse_all(work))
        self._store.put((name, fresh[path], encoded[name]) for name, path, _ in work)
        facts = self._store.facts({h for h in hashes.values() if h in known})
        facts.update((name, decode_facts(data)) for name, data in encoded.items())
        for path, name in hashes.items():
            self._hashes[path] = name
            self._facts[path] = facts[name]


_Work = tuple[str, str, bytes]


def _parse_all(work: list[_Work]) -> Iterator[tuple[str, bytes]]:
    """Encoded facts by hash; in worker processes when there is much to do."""
    cores = os.cpu_count() or 1
    if cores < 2 or sum(len(source) for _, _, source in work) < _PARALLEL_FROM:
        yield from map(_parse_one, work)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(cores, 8), mp_context=context) as pool:
        yield from pool.map(_parse_one, work, chunksize=32)


def _parse_one(work: _Work) -> tuple[str, bytes]:
    name, path, source = work
    language = language_of(path)
    assert language is not None, path
    return name, encode_facts(language.parse(source))


def index_folder(root: Path | str, store: Store | None = None) -> tuple[Snapshot, float]:
    """Walks and indexes a folder.

    Returns:
        The snapshot and the seconds that it took.

    Raises:
        NotAFolder: If ``root`` is missing or is no folder.
        StoreUnavailable: If the store cannot be written.
    """
    start = time.perf_counter()
    index = Index(store)
    changes = []
    for found in Workspace(root).walk():
        if found.source is None:
            index.exclude(found.path, found.reason or "unreadable")
        else:
            changes.append(Change(found.path, found.source))
    snapshot = index.apply(changes)
    if store is not None:
        store.keep_only(set(snapshot.hashes.values()))
    return snapshot, time.perf_counter() - start
