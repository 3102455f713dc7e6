"""Background trainings: queued in SQLite, run one at a time as processes of low priority.

A training writes its result and its progress to files, not to pipes, so it lives on when the
daemon dies, and the next daemon finds it again. A training that died with the daemon is queued
again and goes on from its own checkpoint.
"""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil

from personalizer.daemon.protocol import Job, JobState, Progress, TrainRequest
from personalizer.errors import BadInput, StorageError
from personalizer.processes import environment, module_command
from personalizer.storage import WorkspaceData, daemon_folder

__all__ = ["Jobs", "database_file", "newest_job", "train_command"]

_log = logging.getLogger(__name__)

_TICK = 0.1
"""Seconds between two looks at the running training."""
_PATIENCE = (10.0, 5.0)
"""Seconds that an interrupt, then a termination, is given before the next stronger signal."""
_MOST_STARTS = 5
"""Starts after which a training that keeps dying with the daemon is given up."""
_KEPT = 200
"""Ended jobs that are remembered."""
_NICENESS = 10
_OOM_SCORE = 500
"""Out of 1,000: when memory runs out, the training goes before the editor does."""

TrainCommand = Callable[[TrainRequest], list[str]]


def train_command(request: TrainRequest) -> list[str]:
    """The command line of a training; its result is JSON on stdout, its progress on stderr."""
    if request.measure:
        return module_command("personalizer", "adapters", "measure", request.workspace, "--json")
    flags = {"method": request.method, "base": request.base, "budget": request.budget}
    flags |= {"preset": request.preset, "config": request.config}
    flags["limit"] = None if request.limit is None else str(request.limit)
    given = [f"--{name}={value}" for name, value in flags.items() if value is not None]
    given += ["--warm"] if request.warm else []
    given += ["--trust"] if request.trusted else []
    arguments = ["train", request.workspace, "--json", "--progress", *given]
    return module_command("personalizer", *arguments)


def database_file() -> Path:
    return daemon_folder() / "jobs.sqlite"


def newest_job(root: Path) -> dict[str, Any] | None:
    """The newest training of a workspace, read without a daemon; None where there is none."""
    file = database_file()
    if not file.exists():
        return None
    with suppress(sqlite3.Error):
        database = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            row = database.execute(
                f"{_SELECT} WHERE workspace = ? ORDER BY number DESC LIMIT 1", (str(root),)
            ).fetchone()
        finally:
            database.close()
        if row is not None:
            built: dict[str, Any] = msgspec.to_builtins(_job(row))
            return built
    return None


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
    pid INTEGER,
    born REAL
)
"""
_SELECT = "SELECT id, workspace, state, created_at, ended_at, progress, reason, result FROM job"
_NEXT = """
SELECT id FROM job AS one WHERE state = 'queued' ORDER BY
    (SELECT max(started) FROM job AS other WHERE other.workspace = one.workspace), number
LIMIT 1
"""
"""The workspace whose last training is longest ago comes first."""


class Jobs:
    """The queue and the training that runs.

    Args:
        command: Makes a training's command line.
        file: The database.

    Raises:
        StorageError: If the database cannot be opened.
    """

    def __init__(self, command: TrainCommand = train_command, file: Path | None = None) -> None:
        self._command = command
        self._file = file or database_file()
        self._database = self._open()
        self._access = threading.RLock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._signalling = threading.Lock()
        self._pauses = 0
        self._current: _Training | None = None
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)

    def start(self) -> None:
        """Takes up the trainings of the daemon before, and begins to work the queue off."""
        self._thread.start()

    def stop(self) -> None:
        """Interrupts the running training, which is queued again, and ends."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._database.close()

    def submit(self, request: TrainRequest) -> Job:
        """Queues a training; an equal one that has not ended yet is given instead of a second.

        Raises:
            BadInput: If the workspace is no folder.
        """
        root = Path(request.workspace)
        if not root.is_absolute() or not root.is_dir():
            raise BadInput(f"expected the absolute path of a folder, got {request.workspace}")
        workspace = str(root.resolve())
        data = msgspec.json.encode(replace(request, workspace=workspace))
        with self._access:
            same = self._database.execute(
                f"{_SELECT} WHERE request = ? AND state IN ('queued', 'running') AND NOT cancelled",
                (data,),
            ).fetchone()
            if same is not None:
                return _job(same)
            job_id = f"job-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(2).hex()}"
            self._execute(
                "INSERT INTO job (id, workspace, request, state, created_at) "
                "VALUES (?, ?, ?, 'queued', ?)",
                (job_id, workspace, data, _now()),
            )
            self._execute(
                "DELETE FROM job WHERE ended_at IS NOT NULL AND number <= "
                "(SELECT max(number) FROM job) - ?",
                (_KEPT,),
            )
        self._wake.set()
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """A training as it is now.

        Raises:
            BadInput: If there is none of this id.
        """
        with self._access:
            row = self._database.execute(f"{_SELECT} WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise BadInput(f"no job is called {job_id}")
        return _job(row)

    def all(self) -> list[Job]:
        """Trainings, the newest first."""
        with self._access:
            rows = self._database.execute(f"{_SELECT} ORDER BY number DESC").fetchall()
        return [_job(row) for row in rows]

    def newest(self, workspace: str) -> Job | None:
        """The newest training of a workspace."""
        with self._access:
            row = self._database.execute(
                f"{_SELECT} WHERE workspace = ? ORDER BY number DESC LIMIT 1", (workspace,)
            ).fetchone()
        return None if row is None else _job(row)

    def told(self, job_id: str) -> list[Progress]:
        """Everything that a training has told of its progress, in order.

        Raises:
            BadInput: If there is none of this id.
        """
        return _Files.of(self.get(job_id).workspace, job_id).told()

    def cancel(self, job_id: str) -> Job:
        """Ends a training: at once while it is queued, else as soon as it lets go.

        Raises:
            BadInput: If there is none of this id.
        """
        with self._access:
            job = self.get(job_id)
            if job.state == "queued":
                self._end(job_id, "cancelled")
            elif job.state == "running":
                self._execute("UPDATE job SET cancelled = 1 WHERE id = ?", (job_id,))
        return self.get(job_id)

    @property
    def busy(self) -> bool:
        """Whether a training is queued or runs."""
        with self._access:
            return bool(
                self._database.execute(
                    "SELECT 1 FROM job WHERE state IN ('queued', 'running') LIMIT 1"
                ).fetchone()
            )

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Holds the running training still, so that an editor's request has the machine."""
        with self._signalling:
            self._pauses += 1
            if self._pauses == 1 and self._current is not None:
                self._current.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            with self._signalling:
                self._pauses -= 1
                if self._pauses == 0 and self._current is not None:
                    self._current.signal(signal.SIGCONT)

    # ------------------------------------------------------------ the worker's thread

    def _work(self) -> None:
        try:
            self._take_up()
            while not self._stopping.is_set():
                job_id = self._next()
                if job_id is None:
                    self._wake.wait(5)
                    self._wake.clear()
                else:
                    self._run(job_id)
        except Exception:
            _log.exception("the queue of trainings has stopped")

    def _next(self) -> str | None:
        with self._access:
            row = self._database.execute(_NEXT).fetchone()
        return None if row is None else str(row[0])

    def _take_up(self) -> None:
        """Follows the training that outlived the daemon before, queues those that did not."""
        with self._access:
            rows = self._database.execute(
                "SELECT id, workspace, pid, born FROM job WHERE state = 'running'"
            ).fetchall()
        for job_id, workspace, pid, born in rows:
            files = _Files.of(workspace, job_id)
            process = _living(pid, born)
            if process is not None:
                _log.info("%s still runs as process %d", job_id, pid)
                training = _Training(process, None, files)
                training.signal(signal.SIGCONT)  # the daemon may have died while it held it
                self._follow(job_id, training)
            elif (result := files.result()) is not None:
                self._end(job_id, "done", result=result)
            else:
                self._again(job_id)

    def _run(self, job_id: str) -> None:
        claimed = self._execute(
            "UPDATE job SET state = 'running', starts = starts + 1, started = ? "
            "WHERE id = ? AND state = 'queued'",
            (time.time(), job_id),
        )
        if not claimed:
            return  # cancelled just now
        with self._access:
            workspace, data = self._database.execute(
                "SELECT workspace, request FROM job WHERE id = ?", (job_id,)
            ).fetchone()
        files = _Files.of(workspace, job_id)
        try:
            training = _started(self._command(msgspec.json.decode(data, type=TrainRequest)), files)
        except (OSError, StorageError) as error:
            self._end(job_id, "failed", f"the training cannot be started: {error}")
            return
        self._execute(
            "UPDATE job SET pid = ?, born = ? WHERE id = ?",
            (training.process.pid, training.born, job_id),
        )
        self._follow(job_id, training)

    def _follow(self, job_id: str, training: _Training) -> None:
        """Keeps a training's progress until it has ended."""
        with self._signalling:
            self._current = training
            if self._pauses:
                training.signal(signal.SIGSTOP)
        try:
            while not training.ended():
                if self._cancelled(job_id) or self._stopping.is_set():
                    self._interrupt(training)
                    break
                progress = training.files.progress()
                if progress is not None:
                    self._execute(
                        "UPDATE job SET progress = ? WHERE id = ?",
                        (msgspec.json.encode(progress), job_id),
                    )
                time.sleep(_TICK)
        finally:
            with self._signalling:
                self._current = None
        self._conclude(job_id, training)

    def _conclude(self, job_id: str, training: _Training) -> None:
        progress, result = training.files.progress(), training.files.result()
        if progress is not None:
            self._execute(
                "UPDATE job SET progress = ? WHERE id = ?", (msgspec.json.encode(progress), job_id)
            )
        if result is not None:
            self._end(job_id, "done", result=result)
        elif self._cancelled(job_id):
            self._end(job_id, "cancelled")
        elif self._stopping.is_set():
            self._execute("UPDATE job SET state = 'queued', pid = NULL WHERE id = ?", (job_id,))
        elif training.popen is None:
            self._again(job_id)  # how it ended is known only to the daemon that is gone
        else:
            self._end(job_id, "failed", training.reason())

    def _interrupt(self, training: _Training) -> None:
        """Ends a training, with more force as time goes by."""
        for number, patience in zip((signal.SIGINT, signal.SIGTERM), _PATIENCE, strict=True):
            training.signal(number)
            training.signal(signal.SIGCONT)
            end = time.monotonic() + patience
            while time.monotonic() < end:
                if training.ended():
                    training.signal(signal.SIGKILL)  # what it may have started
                    return
                time.sleep(_TICK)
        training.signal(signal.SIGKILL)
        while not training.ended():
            time.sleep(_TICK)

    def _again(self, job_id: str) -> None:
        """Queues a training that died with the daemon, unless it has done so too often."""
        with self._access:
            starts, cancelled = self._database.execute(
                "SELECT starts, cancelled FROM job WHERE id = ?", (job_id,)
            ).fetchone()
        if cancelled:
            self._end(job_id, "cancelled")
        elif starts >= _MOST_STARTS:
            self._end(job_id, "failed", f"the training was broken off {starts} times")
        else:
            self._execute("UPDATE job SET state = 'queued', pid = NULL WHERE id = ?", (job_id,))

    def _cancelled(self, job_id: str) -> bool:
        with self._access:
            row = self._database.execute(
                "SELECT cancelled FROM job WHERE id = ?", (job_id,)
            ).fetchone()
        return bool(row and row[0])

    def _end(
        self,
        job_id: str,
        state: JobState,
        reason: str | None = None,
        result: dict[str, object] | None = None,
    ) -> None:
        self._execute(
            "UPDATE job SET state = ?, reason = ?, result = ?, ended_at = ?, pid = NULL "
            "WHERE id = ?",
            (state, reason, msgspec.json.encode(result) if result else None, _now(), job_id),
        )
        _log.info("%s: %s%s", job_id, state, f" ({reason})" if reason else "")

    def _execute(self, statement: str, values: tuple[object, ...]) -> int:
        """Runs a statement; gives the number of rows it changed."""
        try:
            with self._access:
                return self._database.execute(statement, values).rowcount
        except sqlite3.Error as error:
            raise StorageError(f"cannot write {self._file}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(
                self._file, timeout=30, check_same_thread=False, isolation_level=None
            )
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"cannot open {self._file}: {error}") from error
        return database


@dataclass(frozen=True)
class _Files:
    """What a training writes."""

    result_file: Path
    log_file: Path

    @classmethod
    def of(cls, workspace: str, job_id: str) -> _Files:
        folder = WorkspaceData(Path(workspace)).jobs
        return cls(folder / f"{job_id}.json", folder / f"{job_id}.log")

    def result(self) -> dict[str, object] | None:
        """The training's answer; None while it is not written whole."""
        with suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode(self.result_file.read_bytes(), type=dict[str, object])
        return None

    def progress(self) -> Progress | None:
        """The newest progress."""
        for line in reversed(self.lines()):
            if line.startswith('{"progress":'):
                with suppress(msgspec.DecodeError):
                    return msgspec.json.decode(line, type=_ProgressLine).progress
        return None

    def told(self) -> list[Progress]:
        """Every progress, the oldest first."""
        found = []
        with suppress(OSError), self.log_file.open("rb") as file:
            for line in file:
                if line.startswith(b'{"progress":'):
                    with suppress(msgspec.DecodeError):
                        found.append(msgspec.json.decode(line, type=_ProgressLine).progress)
        return found

    def last_words(self) -> str | None:
        """The newest line that is no progress: the command line's one line of complaint."""
        lines = (line.strip() for line in reversed(self.lines()))
        found = next((one for one in lines if one and not one.startswith('{"progress":')), None)
        return found and found.removeprefix("personalizer: ")

    def lines(self) -> list[str]:
        """The last lines of the log."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 20_000))
                return file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return []


class _ProgressLine(msgspec.Struct):
    progress: Progress


@dataclass
class _Training:
    """A training's process, started by this daemon or by the one before."""

    process: psutil.Process
    popen: subprocess.Popen[bytes] | None
    """None for a process that the daemon before has started."""
    files: _Files

    @property
    def born(self) -> float:
        return self.process.create_time()

    def ended(self) -> bool:
        if self.popen is not None:
            return self.popen.poll() is not None
        return _living(self.process.pid, self.process.create_time()) is None

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the training and all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def reason(self) -> str:
        """Why it ended without a result, in one sentence."""
        code = self.popen.returncode if self.popen is not None else None
        if code == -signal.SIGKILL:
            return "the system ended the training, most likely because memory ran out"
        if code is not None and code < 0:
            return f"the training was ended by {signal.Signals(-code).name}"
        return self.files.last_words() or f"the training ended with code {code} and no result"


def _started(command: list[str], files: _Files) -> _Training:
    files.result_file.parent.mkdir(parents=True, exist_ok=True)
    with files.result_file.open("wb") as result, files.log_file.open("ab") as log:
        popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=result,
            stderr=log,
            env=environment(),
            start_new_session=True,
        )
    with suppress(OSError):
        os.setpriority(os.PRIO_PGRP, popen.pid, _NICENESS)
        Path(f"/proc/{popen.pid}/oom_score_adj").write_text(str(_OOM_SCORE))
    return _Training(psutil.Process(popen.pid), popen, files)


def _living(pid: int | None, born: float | None) -> psutil.Process | None:
    """The process of a pid, if it is still the one that was born then."""
    try:
        process = psutil.Process(pid)
        same = pid is not None and born is not None and abs(process.create_time() - born) < 2
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _job(row: tuple[Any, ...]) -> Job:
    job_id, workspace, state, created_at, ended_at, progress, reason, result = row
    return Job(
        id=job_id,
        workspace=workspace,
        state=state,
        created_at=created_at,
        ended_at=ended_at,
        progress=None if progress is None else msgspec.json.decode(progress, type=Progress),
        reason=reason,
        result=None if result is None else msgspec.json.decode(result),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
