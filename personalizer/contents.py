"""What a project holds, as an adapter is compared with it: its pairs and its names.

Kept beside the index by a hash of all files, so that asking again reads no facts.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from indexer import Index, Pair, Snapshot, Store, Workspace
from indexer.languages import language_of
from indexer.store import content_hash

__all__ = [
    "Contents",
    "contents_of",
    "current",
    "named",
    "pair_names",
    "state_of",
    "symbols_of",
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
