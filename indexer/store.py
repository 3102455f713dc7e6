"""SQLite cache of facts by content hash: safe for several readers and writers, never precious.

A row holds a file's text (compressed) and its facts; both can be made again from the workspace,
so an old schema or a damaged file is replaced without a word.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from indexer.errors import StoreUnavailable
from indexer.facts import FileFacts

__all__ = ["SCHEMA", "Row", "Store", "content_hash", "decode_facts", "encode_facts"]

SCHEMA = 2
"""Raised with every change of the facts; rows of another schema are dropped."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(FileFacts)

Row = tuple[str, bytes, bytes]
"""(content hash, source, encoded facts)."""


def content_hash(source: bytes) -> str:
    """Name of a text: 32 hex digits of BLAKE2b."""
    return hashlib.blake2b(source, digest_size=16).hexdigest()


def encode_facts(facts: FileFacts) -> bytes:
    return _encoder.encode(facts)


def decode_facts(data: bytes) -> FileFacts:
    return _decoder.decode(data)


class Store:
    """One SQLite file, or memory when ``path`` is None.

    Raises:
        StoreUnavailable: If the file can be neither read nor made (full or read-only disk).
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if path is None or (
                isinstance(error, sqlite3.OperationalError) and not _damaged(error)
            ):
                raise StoreUnavailable(f"cannot open the index at {path}: {error}") from error
            self._discard()
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            if self._path:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(
                self._path or ":memory:", timeout=30, check_same_thread=False, isolation_level=None
            )
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreUnavailable(f"cannot open the index at {self._path}: {error}") from error
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            if database.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
                with database:
                    database.execute("BEGIN IMMEDIATE")
                    database.execute("DROP TABLE IF EXISTS file")
                    database.execute("DROP TABLE IF EXISTS note")
                    database.execute(
                        "CREATE TABLE file (hash TEXT PRIMARY KEY, source BLOB NOT NULL, "
                        "facts BLOB NOT NULL) WITHOUT ROWID"
                    )
                    database.execute(
                        "CREATE TABLE note (name TEXT PRIMARY KEY, value BLOB NOT NULL)"
                        " WITHOUT ROWID"
                    )
                    database.execute(f"PRAGMA user_version = {SCHEMA}")
            database.execute("SELECT hash FROM file LIMIT 1").fetchone()
        except BaseException:
            database.close()
            raise
        return database

    def _discard(self) -> None:
        if self._path:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def put(self, rows: Iterable[Row]) -> None:
        """Keeps rows; a hash that is there already is left alone.

        Raises:
            StoreUnavailable: If the disk is full or read-only.
        """
        packed = [(name, zlib.compress(source, 1), facts) for name, source, facts in rows]
        if not packed:
            return
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany("INSERT OR IGNORE INTO file VALUES (?, ?, ?)", packed)
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"cannot write the index at {self._path}: {error}") from error

    def known(self, hashes: Iterable[str]) -> set[str]:
        """Those of the hashes that the store holds."""
        return {name for (name,) in self._select("SELECT hash FROM file WHERE hash IN", hashes)}

    def facts(self, hashes: Iterable[str]) -> dict[str, FileFacts]:
        """Facts by hash; unknown hashes are left out."""
        rows = self._select("SELECT hash, facts FROM file WHERE hash IN", hashes)
        return {name: decode_facts(data) for name, data in rows}

    def source(self, name: str) -> bytes:
        """The text with this content hash.

        Raises:
            KeyError: If the store does not hold it.
        """
        row = self._db.execute("SELECT source FROM file WHERE hash = ?", (name,)).fetchone()
        if row is None:
            raise KeyError(name)
        return zlib.decompress(row[0])

    def note(self, name: str) -> bytes | None:
        """A value kept beside the facts, for example a derived result; None where there is none."""
        row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def set_note(self, name: str, value: bytes) -> None:
        """Keeps a derived value; a full disk is no error, the value is only slower to have."""
        try:
            with self._db:
                self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))
        except sqlite3.OperationalError:
            return

    def keep_only(self, hashes: set[str]) -> None:
        """Drops every row that no current file needs."""
        held = {name for (name,) in self._db.execute("SELECT hash FROM file")}
        gone = held - hashes
        if len(gone) > max(1000, len(hashes)):
            with self._db:
                self._db.executemany("DELETE FROM file WHERE hash = ?", ((name,) for name in gone))

    def _select(self, query: str, hashes: Iterable[str]) -> Iterator[tuple[str, ...]]:
        wanted = list(hashes)
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            with closing(self._db.execute(f"{query} ({marks})", part)) as cursor:
                yield from cursor

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _damaged(error: sqlite3.Error) -> bool:
    return any(word in str(error) for word in ("malformed", "not a database", "no such table"))
