"""The queue of background trainings, in SQLite: what was asked for, and what became of it."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from personalizer.daemon.endpoint import folder_of
from personalizer.daemon.protocol import (
    EvaluateRequest,
    Job,
    JobKind,
    JobRequest,
    JobState,
    MeasureRequest,
    Progress,
    TrainRequest,
)
from personalizer.daemon.runs import Files
from personalizer.errors import NoSuchJob, StorageError, TooBusy
from personalizer.storage import daemon_folder

__all__ = ["Cause", "Queue", "database_file", "without_daemon"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_MOST_STARTS = 5
"""Starts after which a training that keeps dying at the same step is given up."""
_FAIR_TRIAL = 60.0
"""Seconds; a training that died sooner, and with the daemon, need not be the cause."""
_MOST_WAITING = 100
"""Trainings that may wait."""
_KEPT = 200
"""Ended jobs that are remembered, with their logs."""

_REQUESTS: dict[str, type[JobRequest]] = {
    one.kind: one for one in (TrainRequest, MeasureRequest, EvaluateRequest)
}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE NOT NULL,
    workspace TEXT NOT NULL,
    request BLOB NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    progress BLOB,
    reason TEXT,
    result BLOB,
    starts INTEGER NOT NULL DEFAULT 0,
    started REAL NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL DEFAULT 'train',
    began_because TEXT,
    contents TEXT,
    reached INTEGER NOT NULL DEFAULT 0
)
"""
_SELECT = (
    "SELECT id, workspace, state, created_at, ended_at, progress, reason, result, kind, "
    "began_because FROM job"
)
_NEXT = """
SELECT id FROM job AS one WHERE state = 'queued' AND id NOT IN ({besides})
ORDER BY
    (SELECT max(started) FROM job AS other WHERE other.workspace = one.workspace), number
LIMIT 1
"""
"""The workspace whose last training is longest ago comes first."""


def database_file() -> Path:
    return daemon_folder() / "jobs.sqlite"


def without_daemon(ask: Callable[[Queue], T], otherwise: T) -> T:
    """What the queue says, read in this process; ``otherwise`` where there never was one.

    Raises:
        StorageError: If it is there and cannot be read.
    """
    if not database_file().exists():
        return otherwise
    with closing(Queue()) as queue:
        return ask(queue)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the daemon begins a training that nobody has asked for."""

    why: str
    """One sentence."""
    contents: str
    """What the project held then; it is not begun twice for the same."""


class Queue:
    """Trainings that wait, run and have ended. May be used from any thread.

    Args:
        file: The database.
        renews: Whether a damaged database is kept beside a new one, which goes on in its place.
            Only the daemon may do so: any other would take it away from the daemon.

    Raises:
        StorageError: If the database cannot be opened; every change, if it cannot be written.
    """

    def __init__(self, file: Path | None = None, *, renews: bool = False) -> None:
        self._file = file or database_file()
        self._renews = renews
        self._access = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._do("open", lambda database: None)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    def submit(self, request: JobRequest, cause: Cause | None = None) -> Job:
        """Queues a training; an equal one that has not ended yet is given instead of a second.

        Args:
            request: What to do.
            cause: Why, where nobody has asked for it.

        Raises:
            BadInput: If the workspace is no absolute path.
            NotAFolder: If there is no such folder.
            TooBusy: If too many wait already.
        """
        workspace = str(folder_of(request.workspace))
        data = msgspec.json.encode(replace(request, workspace=workspace))
        with self._access:
            same = self._rows(
                f"{_SELECT} WHERE request = ? AND state IN ('queued', 'running') AND NOT cancelled",
                data,
            )
            if same:
                return _job(same[0])
            ((waiting,),) = self._rows("SELECT count(*) FROM job WHERE state = 'queued'")
            if waiting >= _MOST_WAITING:
                raise TooBusy(f"{waiting} trainings wait already: try again when some have ended")
            job_id = f"job-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(2).hex()}"
            self._change(
                "INSERT INTO job "
                "(id, workspace, request, state, created_at, kind, began_because, contents) "
                "VALUES (?, ?, ?, 'queued', ?, ?, ?, ?)",
                *(job_id, workspace, data, _now()),
                request.kind,
                *((cause.why, cause.contents) if cause else (None, None)),
            )
            self._forget_old_ones()
            return self.get(job_id)

    def _forget_old_ones(self) -> None:
        old = self._rows(
            "SELECT id, workspace FROM job WHERE ended_at IS NOT NULL AND number <= "
            "(SELECT max(number) FROM job) - ?",
            _KEPT,
        )
        for job_id, workspace in old:
            Files.of(workspace, job_id).remove()
            self._change("DELETE FROM job WHERE id = ?", job_id)

    def get(self, job_id: str) -> Job:
        """A training as it is now.

        Raises:
            NoSuchJob: If there is none of this id.
        """
        rows = self._rows(f"{_SELECT} WHERE id = ?", job_id)
        if not rows:
            raise NoSuchJob(f"no job is called {job_id}")
        return _job(rows[0])

    def all(self) -> list[Job]:
        """Trainings and measurements, the newest first."""
        return [_job(row) for row in self._rows(f"{_SELECT} ORDER BY number DESC")]

    def newest(self, workspace: str, kind: JobKind = "train") -> Job | None:
        """The newest job of a kind of a workspace."""
        rows = self._rows(
            f"{_SELECT} WHERE workspace = ? AND kind = ? ORDER BY number DESC LIMIT 1",
            *(workspace, kind),
        )
        return _job(rows[0]) if rows else None

    def begun_for(self, workspace: str, kind: str, contents: str) -> bool:
        """Whether one has begun by itself for these contents, whatever became of it."""
        return bool(
            self._rows(
                "SELECT 1 FROM job WHERE workspace = ? AND kind = ? AND contents = ?",
                *(workspace, kind, contents),
            )
        )

    def running(self) -> list[Job]:
        """Those that are marked as running."""
        return [_job(row) for row in self._rows(f"{_SELECT} WHERE state = 'running'")]

    def unfinished(self) -> list[Job]:
        """Those that are queued or run, the oldest first."""
        states = "state IN ('queued', 'running')"
        return [_job(row) for row in self._rows(f"{_SELECT} WHERE {states} ORDER BY number")]

    @property
    def busy(self) -> bool:
        """Whether a training is queued or runs."""
        return bool(self._rows("SELECT 1 FROM job WHERE state IN ('queued', 'running') LIMIT 1"))

    def next(self, besides: Collection[str] = ()) -> str | None:
        """The id of the one whose turn it is, of all but some."""
        rows = self._rows(_NEXT.format(besides=", ".join("?" for _ in besides)), *besides)
        return str(rows[0][0]) if rows else None

    def claim(self, job_id: str) -> JobRequest | None:
        """Marks one as running; None if it was cancelled just now."""
        claimed = self._change(
            "UPDATE job SET state = 'running', starts = starts + 1, started = ? "
            "WHERE id = ? AND state = 'queued'",
            *(time.time(), job_id),
        )
        if not claimed:
            return None
        ((data, kind),) = self._rows("SELECT request, kind FROM job WHERE id = ?", job_id)
        return msgspec.json.decode(data, type=_REQUESTS[kind])

    def keep_progress(self, job_id: str, progress: Progress) -> None:
        encoded = msgspec.json.encode(progress)
        self._change("UPDATE job SET progress = ? WHERE id = ?", encoded, job_id)

    def cancel(self, job_id: str) -> Job:
        """Ends one that is queued; one that runs is marked, for whoever runs it.

        Raises:
            NoSuchJob: If there is none of this id.
        """
        with self._access:
            job = self.get(job_id)
            if job.state == "queued":
                self.end(job_id, "cancelled")
            elif job.state == "running":
                self._change("UPDATE job SET cancelled = 1 WHERE id = ?", job_id)
            return self.get(job_id)

    def cancelled(self, job_id: str) -> bool:
        return bool(self._rows("SELECT 1 FROM job WHERE id = ? AND cancelled", job_id))

    def end(
        self,
        job_id: str,
        state: JobState,
        reason: str | None = None,
        result: dict[str, object] | None = None,
    ) -> None:
        self._change(
            "UPDATE job SET state = ?, reason = ?, result = ?, ended_at = ? WHERE id = ?",
            *(state, reason, msgspec.json.encode(result) if result else None, _now(), job_id),
        )

    def put_back(self, job_id: str) -> None:
        """Queues one again whose end is not held against it."""
        self._change("UPDATE job SET state = 'queued', starts = starts - 1 WHERE id = ?", job_id)

    def again(self, job_id: str, reached: int, *, with_daemon: bool) -> bool:
        """Queues one again that was broken off; False once it gets no further.

        Args:
            job_id: Which.
            reached: The highest step of all its starts; higher than before forgives earlier ends.
            with_daemon: Whether the daemon died too.
        """
        with self._access:
            if with_daemon:
                self._change(
                    "UPDATE job SET starts = starts - 1 WHERE id = ? AND started > ?",
                    *(job_id, time.time() - _FAIR_TRIAL),
                )
            self._change(
                "UPDATE job SET starts = 1, reached = ? WHERE id = ? AND reached < ?",
                *(reached, job_id, reached),
            )
            return bool(
                self._change(
                    "UPDATE job SET state = 'queued' WHERE id = ? AND starts < ?",
                    *(job_id, _MOST_STARTS),
                )
            )

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self._do("read", lambda database: database.execute(statement, values).fetchall())

    def _change(self, statement: str, *values: object) -> int:
        """Runs a statement; gives the number of rows it changed."""
        return self._do("write", lambda database: database.execute(statement, values).rowcount)

    def _do(self, what: str, act: Callable[[sqlite3.Connection], T]) -> T:
        """Runs an act; once more on a new database where this one proves to be damaged."""
        with self._access:
            try:
                try:
                    return act(self._opened())
                except sqlite3.DatabaseError as error:
                    if not (self._renews and _is_damage(error)):
                        raise
                    self._set_aside(error)
                    return act(self._opened())
            except (OSError, sqlite3.Error) as error:
                raise self._unusable(what, error) from error

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._database = _whole_database(self._file)
        return self._database

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """Keeps a damaged database under another name, its log first: no other may find that."""
        self.close()
        self._database = None
        kept = self._file.with_name(f"{self._file.name}.damaged")
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                Path(f"{self._file}{suffix}").replace(f"{kept}{suffix}")
        _log.error("%s is damaged (%s): kept as %s, a new queue begins", self._file, error, kept)

    def _unusable(self, what: str, error: Exception) -> StorageError:
        words = f"cannot {what} {self._file}: {error}"
        if _is_damage(error):
            words += "; the daemon keeps it aside and begins a new one when it starts anew"
        return StorageError(words)


def _whole_database(file: Path) -> sqlite3.Connection:
    """The database in a file, made where there is none.

    Raises:
        sqlite3.Error: If it cannot be opened, or is damaged anywhere.
    """
    database = sqlite3.connect(file, timeout=30, check_same_thread=False, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        ((found,),) = database.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise _Damage(found)
        database.execute(_SCHEMA)
        if missing := _lacking(database):
            raise _Damage(f"the table of jobs lacks {', '.join(sorted(missing))}")
    except sqlite3.Error:
        database.close()
        raise
    return database


class _Damage(sqlite3.DatabaseError):
    """What a check of the whole database has found."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def _is_damage(error: Exception) -> bool:
    """By the primary code, which an extended one has in its lowest byte."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _lacking(database: sqlite3.Connection) -> set[str]:
    """Columns that a table of jobs has, and that of this database has not."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.execute(_SCHEMA)
        return _columns(fresh) - _columns(database)


def _columns(database: sqlite3.Connection) -> set[str]:
    return {row[1] for row in database.execute("PRAGMA table_info(job)")}


def _job(row: tuple[Any, ...]) -> Job:
    job_id, workspace, state, created_at, ended_at, progress, reason, result, kind, because = row
    return Job(
        id=job_id,
        workspace=workspace,
        state=state,
        created_at=created_at,
        ended_at=ended_at,
        progress=None if progress is None else msgspec.json.decode(progress, type=Progress),
        reason=reason,
        result=None if result is None else msgspec.json.decode(result),
        kind=kind,
        began_because=because,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
