"""A training's process and its files.

A training writes its result and its progress to files, not to pipes, so it lives on when the
daemon dies. It and all that it starts carry their job's id in the environment, by which the next
daemon finds them, however early the last one died.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from personalizer.daemon.protocol import Progress
from personalizer.processes import BUSY, JOB, environment
from personalizer.storage import WorkspaceData, disk_is_full

__all__ = ["Files", "Training", "found", "start"]

_NICENESS = 10
_OOM_SCORE = 500
"""Out of 1,000: when memory runs out, the training goes before the editor does."""
_INTERRUPTED = 130
"""Exit code of a command that was told to end."""


@dataclass(frozen=True)
class Files:
    """What a training writes."""

    result_file: Path
    log_file: Path

    @classmethod
    def of(cls, workspace: str, job_id: str) -> Files:
        folder = WorkspaceData(Path(workspace)).jobs
        return cls(folder / f"{job_id}.json", folder / f"{job_id}.log")

    def result(self) -> dict[str, object] | None:
        """The training's answer; None while it is not written whole."""
        with suppress(OSError, ValueError):
            return msgspec.json.decode(self.result_file.read_bytes(), type=dict[str, object])
        return None

    def progress(self) -> Progress | None:
        """The newest progress."""
        for line in reversed(self._lines()):
            if line.startswith('{"progress":'):
                with suppress(ValueError):
                    return msgspec.json.decode(line, type=_ProgressLine).progress
        return None

    def told(self) -> list[Progress]:
        """Every progress, the oldest first."""
        rows = []
        with suppress(OSError), self.log_file.open("rb") as file:
            for line in file:
                if line.startswith(b'{"progress":'):
                    with suppress(ValueError):
                        rows.append(msgspec.json.decode(line, type=_ProgressLine).progress)
        return rows

    def farthest(self) -> int:
        """The highest step that any start of this training has reached."""
        return max((one.step for one in self.told()), default=0)

    def last_words(self) -> str | None:
        """The newest line that is no progress: the command line's one line of complaint."""
        lines = (line.strip() for line in reversed(self._lines()))
        words = next((one for one in lines if one and not one.startswith('{"progress":')), None)
        return words and words.removeprefix("personalizer: ")

    def remove(self) -> None:
        for file in (self.result_file, self.log_file):
            with suppress(OSError):
                file.unlink()

    def _lines(self) -> list[str]:
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
class Training:
    """A training's process, started by this daemon or by the one before."""

    process: psutil.Process
    files: Files
    popen: subprocess.Popen[bytes] | None = None
    """None for a process that the daemon before has started."""

    def ended(self) -> bool:
        if self.popen is not None:
            return self.popen.poll() is not None
        return not _lives(self.process)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the training and all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def broken_off(self) -> bool:
        """Whether something outside ended it, or may have: it is worth another start."""
        code = self.popen.returncode if self.popen is not None else None
        return code is None or code < 0 or code == _INTERRUPTED

    def held_up(self) -> bool:
        """Whether it has ended at once, since another process holds what it needs."""
        return self.popen is not None and self.popen.returncode == BUSY

    def reason(self) -> str:
        """Why it ended without a result, in one sentence."""
        folder = self.files.log_file.parent
        if disk_is_full(folder):
            return f"the disk of {folder} is full: make room and train again"
        code = self.popen.returncode if self.popen is not None else None
        if code == -signal.SIGKILL:
            return "the system ended the training, most likely because memory ran out"
        if code is not None and code < 0:
            return f"the training was ended by {signal.Signals(-code).name}"
        return self.files.last_words() or f"the training ended with code {code} and no result"


def start(command: list[str], job_id: str, files: Files) -> Training:
    """Starts a training with low priority, in a session of its own.

    Raises:
        OSError: If it cannot be started, or its files cannot be written.
    """
    files.result_file.parent.mkdir(parents=True, exist_ok=True)
    with files.result_file.open("wb") as result, files.log_file.open("ab") as log:
        popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=result,
            stderr=log,
            env=environment() | {JOB: job_id},
            start_new_session=True,
        )
    _stand_back(popen.pid)
    return Training(psutil.Process(popen.pid), files, popen)


def _stand_back(pid: int) -> None:
    """Lets all else go before a process and what it starts: the leader of its own session."""
    proc = Path(f"/proc/{pid}")
    with suppress(OSError):
        os.setpriority(os.PRIO_PGRP, pid, _NICENESS)
        (proc / "oom_score_adj").write_text(str(_OOM_SCORE))
    for _ in range(5):
        try:  # where Linux shares the processors by sessions, niceness counts only within one
            (proc / "autogroup").write_text(str(_NICENESS))
        except BlockingIOError:  # it takes ten a second
            time.sleep(0.1)
        except OSError:
            return
        else:
            return


def found(job_id: str, files: Files) -> Training | None:
    """The training of a job that still runs; what a dead one has left running is ended."""
    left = list(_carrying(job_id))
    for process in left:
        with suppress(OSError, psutil.Error):
            if os.getpgid(process.pid) == process.pid:
                return Training(process, files)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    return None


def _carrying(job_id: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(JOB) == job_id and _lives(process):
                yield process


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
