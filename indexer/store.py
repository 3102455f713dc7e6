"""SQLite cache of facts by content hash: safe for several readers and writers, never precious.

A row holds a file's text (compressed) and its facts; both can be made again from the workspace,
so an old schema or a damaged file is replaced without a word, and a row that is not as it was
written is as if it were not there: each bears a checksum.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from indexer.errors import StoreUnavailable
from indexer.facts import FileFacts

__all__ = [
    "SCHEMA",
    "Row",
    "Seen",
    "Store",
    "content_hash",
    "decode_facts",
    "encode_facts",
    "pack_row",
]

SCHEMA = 10
"""Raised with every change of the facts; rows of another schema are dropped."""

_TABLES = """
CREATE TABLE file (hash TEXT PRIMARY KEY, source BLOB, facts BLOB, seal INTEGER) WITHOUT ROWID;
CREATE TABLE seen (path TEXT PRIMARY KEY, stamp TEXT, hash TEXT, reason TEXT, seal INTEGER)
    WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY, value BLOB, seal INTEGER) WITHOUT ROWID;
"""
_UNUSED = "unused"
"""Name of the note that tells since when no current file needs a row."""
_KEPT_UNUSED = 7 * 24 * 3600
"""Seconds for which such a row is kept: branches come back, and a snapshot that another process
still works with needs it."""

encode_facts = msgspec.msgpack.Encoder().encode
decode_facts = msgspec.msgpack.Decoder(FileFacts).decode
_encode = msgspec.msgpack.Encoder().encode
_decode_times = msgspec.msgpack.Decoder(dict[str, float]).decode

Row = tuple[str, bytes, bytes]
"""(content hash, compressed source, encoded facts)."""
Seen = tuple[str, str | None, str | None]
"""(stamp, content hash, reason) of a file on disk; one of hash and reason is None."""

_T = TypeVar("_T")


def content_hash(source: bytes, language: str = "java") -> str:
    """Name of a text and of its facts: 32 hex digits of BLAKE2b; another in each language."""
    person = b"" if language == "java" else language.encode()
    return hashlib.blake2b(source, digest_size=16, person=person).hexdigest()


def pack_row(name: str, source: bytes, facts: FileFacts) -> Row:
    return name, zlib.compress(source, 1), encode_facts(facts)


class Store:
    """One SQLite file, or memory when ``path`` is None.

    Raises:
        StoreUnavailable: If the file can be neither read nor made (full or read-only disk). So
            does every method; a file that turns out to be damaged is emptied instead.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._access = threading.RLock()
        self._db = self._opened()

    def _opened(self, *, again: bool = True) -> sqlite3.Connection:
        """The file, or an empty one in its place where it is damaged."""
        try:
            return self._open()
        except _ERRORS as error:
            if not again or not self._damaged(error):
                raise self._unavailable(error) from error
        self._discard()
        return self._opened(again=False)

    def _open(self) -> sqlite3.Connection:
        try:
            if self._path:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(
                self._path or ":memory:", timeout=30, check_same_thread=False, isolation_level=None
            )
        except (OSError, sqlite3.OperationalError) as error:
            raise self._unavailable(error) from error
        database.text_factory = _text
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            if not _current(database):
                database.execute("BEGIN IMMEDIATE")
                if not _current(database):  # else another process was faster
                    for kind, name in _made_by_hand(database):
                        database.execute(f'DROP {kind} IF EXISTS "{name}"')
                    for statement in _TABLES.split(";"):
                        database.execute(statement)
                    database.execute(f"PRAGMA user_version = {SCHEMA}")
                database.execute("COMMIT")
            for table in ("file", "seen", "note"):
                database.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
        except BaseException:
            database.close()
            raise
        return database

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"cannot use the index at {self._path}: {error}; free space there, or set "
            "PERSONALIZER_DATA_DIR to a folder that can be written"
        )

    def _discard(self) -> None:
        assert self._path is not None
        try:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError as error:
            raise self._unavailable(error) from error

    def _damaged(self, error: Exception) -> bool:
        """Whether the file is to blame, not the disk or the folder that it lies in."""
        code = getattr(error, "sqlite_errorcode", None)
        if self._path is None or code is None:
            return self._path is not None and isinstance(error, UnicodeDecodeError)
        if code & _PRIMARY == sqlite3.SQLITE_READONLY:  # its header may say so, too
            return os.access(self._path, os.W_OK)
        return code == sqlite3.SQLITE_IOERR_SHORT_READ or code & _PRIMARY not in _OF_THE_DISK

    def _do(self, act: Callable[[sqlite3.Connection], _T], *, again: bool = True) -> _T:
        """Runs an act; once more on an empty store when the file proves to be damaged."""
        with self._access:
            try:
                return act(self._db)
            except _ERRORS as error:
                if not again or not self._damaged(error):
                    raise self._unavailable(error) from error
            self._db.close()
            self._discard()
            self._db = self._opened()
            return self._do(act, again=False)

    def _write(self, *statements: tuple[str, Iterable[tuple[Any, ...]]]) -> None:
        """Several statements, each for many rows, as one transaction."""
        held = [(statement, list(rows)) for statement, rows in statements]

        def act(database: sqlite3.Connection) -> None:
            with database:
                database.execute("BEGIN IMMEDIATE")
                for statement, rows in held:
                    database.executemany(statement, rows)

        if any(rows for _, rows in held):
            self._do(act)

    def put(self, rows: Iterable[Row]) -> None:
        """Keeps rows, in the place of those with the same hash."""
        self._write(("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)", map(_sealed, rows)))

    def known(self, hashes: Iterable[str]) -> set[str]:
        """Those of the hashes that the store holds."""
        return {row[0] for row in self._select("SELECT hash FROM file WHERE hash IN", hashes)}

    def facts(self, hashes: Iterable[str]) -> dict[str, FileFacts]:
        """Facts by hash; left out are unknown hashes, and rows that are not whole or readable."""
        found = {}
        query = "SELECT hash, source, facts, seal FROM file WHERE hash IN"
        for name, _, data in _whole(self._select(query, hashes)):
            try:
                found[name] = decode_facts(data)
            except msgspec.MsgspecError:
                continue
        return found

    def source(self, name: str) -> bytes:
        """The text with this content hash.

        Raises:
            KeyError: If the store does not hold it.
        """
        query = "SELECT hash, source, facts, seal FROM file WHERE hash IN"
        for _, source, _ in _whole(self._select(query, [name])):
            try:
                return zlib.decompress(source)
            except zlib.error as error:
                raise KeyError(name) from error
        raise KeyError(name)

    def seen(self) -> dict[str, Seen]:
        """What was found on disk the last time, by path."""
        query = "SELECT path, stamp, hash, reason, seal FROM seen"
        rows = self._do(lambda database: database.execute(query).fetchall())
        return {path: (stamp, name, reason) for path, stamp, name, reason in _whole(rows)}

    def set_seen(self, found: Mapping[str, Seen], gone: Iterable[str]) -> None:
        """Keeps what was found on disk, and forgets the paths that are gone."""
        self._write(
            ("DELETE FROM seen WHERE path = ?", ((path,) for path in gone)),
            (
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)",
                (_sealed((path, *one)) for path, one in found.items()),
            ),
        )

    def note(self, name: str) -> bytes | None:
        """A value kept beside the facts, for example a derived result; None where there is none."""
        query = "SELECT name, value, seal FROM note WHERE name = ?"
        rows = self._do(lambda database: database.execute(query, (name,)).fetchall())
        return next((value for _, value in _whole(rows)), None)

    def set_note(self, name: str, value: bytes) -> None:
        """Keeps a derived value; a full disk is no error, the value is only slower to have."""
        try:
            row = _sealed((name, value))
            self._write(("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", [row]))
        except StoreUnavailable:
            return

    def keep_only(self, hashes: set[str]) -> None:
        """Drops rows that no current file has needed for a week."""
        held = {row[0] for row in self._do(lambda d: d.execute("SELECT hash FROM file").fetchall())}
        noted = self.note(_UNUSED)
        before = _decode_times(noted) if noted else {}
        now = time.time()
        since = {name: min(before.get(name, now), now) for name in held - hashes}
        kept = {name: start for name, start in since.items() if now - start < _KEPT_UNUSED}
        gone = since.keys() - kept.keys()
        self._write(("DELETE FROM file WHERE hash = ?", ((name,) for name in gone)))
        if kept != before:
            self.set_note(_UNUSED, _encode(kept))

    def _select(self, query: str, hashes: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        wanted = list(hashes)
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = f"{query} ({','.join('?' * len(part))})"

            def act(
                database: sqlite3.Connection, marks: str = marks, part: list[str] = part
            ) -> list[tuple[Any, ...]]:
                with closing(database.execute(marks, part)) as cursor:
                    return cursor.fetchall()

            yield from self._do(act)

    def clear(self) -> None:
        """Empties the store for good: nothing that it held can be read from its file.

        Raises:
            StoreUnavailable: If another process is in the midst of a write for too long.
        """

        def act(database: sqlite3.Connection) -> None:
            for table in ("file", "seen", "note"):
                database.execute(f"DELETE FROM {table}")
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        self._do(act)

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


def _current(database: sqlite3.Connection) -> bool:
    return bool(database.execute("PRAGMA user_version").fetchone()[0] == SCHEMA)


def _made_by_hand(database: sqlite3.Connection) -> list[tuple[str, str]]:
    query = "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')"
    return database.execute(query).fetchall()


_ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
"""The second where the database itself has damaged names to tell of."""
_PRIMARY = 0xFF
"""The bits of an error code of SQLite that tell its kind."""
_OF_THE_DISK = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def _text(raw: bytes) -> str:
    """Text of a row; what is no UTF-8 is told by its seal."""
    return raw.decode("utf-8", "replace")


def _sealed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row with its checksum at its end."""
    return *row, zlib.crc32(_encode(row))


def _whole(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows that are as they were written, without their checksums."""
    return (row[:-1] for row in rows if _sealed(row[:-1]) == row)
