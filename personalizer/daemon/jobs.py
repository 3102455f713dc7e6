"""Background trainings: taken from the queue and run one at a time, as processes of low priority.

A training that died with the daemon, or was killed under it, is queued again and goes on from its
own checkpoint; one that has outlived the daemon is followed to its end.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from personalizer.daemon import machine, runs
from personalizer.daemon.acceptance import check
from personalizer.daemon.protocol import (
    EvaluateRequest,
    Job,
    JobRequest,
    JobState,
    MeasureRequest,
    Progress,
)
from personalizer.daemon.queue import Cause, Queue
from personalizer.daemon.runs import Files, Training
from personalizer.errors import StorageError
from personalizer.processes import module_command

__all__ = ["Jobs", "job_command"]

_log = logging.getLogger(__name__)

_TICK = 0.1
"""Seconds between two looks at the running training."""
_PATIENCE = (10.0, 5.0)
"""Seconds that an interrupt, then a termination, is given before the next stronger signal."""
_LOOK = 5.0
"""Seconds between two looks at an empty queue, and before the next try after a failed write."""
_HELD_UP = 30.0
"""Seconds before the next try of a training that another process holds up."""

JobCommand = Callable[[JobRequest], list[str]]


def job_command(request: JobRequest) -> list[str]:
    """The command line of a job; its result is JSON on stdout, its progress on stderr."""
    if isinstance(request, MeasureRequest):
        return module_command("personalizer", "adapters", "measure", request.workspace, "--json")
    flags: dict[str, object] = {"base": request.base, "budget": request.budget}
    flags |= {"config": request.config, "limit": request.limit}
    switches = {"trust": request.trusted}
    if isinstance(request, EvaluateRequest):
        flags |= asdict(request.evaluate)
    else:
        flags |= {"method": request.method, "preset": request.preset}
        switches |= {"warm": request.warm}
    given = [f"--{name}={value}" for name, value in flags.items() if value is not None]
    given += [f"--{name}" for name, on in switches.items() if on]
    arguments = [request.kind, request.workspace, "--json", "--progress", *given]
    return module_command("personalizer", *arguments)


class Jobs:
    """The queue and the training that runs.

    Args:
        command: Makes a job's command line.
        file: The queue's database.
        before_start: Called before each start of a training.

    Raises:
        StorageError: If the database cannot be opened.
    """

    def __init__(
        self,
        command: JobCommand = job_command,
        file: Path | None = None,
        before_start: Callable[[], None] = lambda: None,
    ) -> None:
        self._command = command
        self._before_start = before_start
        self.queue = Queue(file, renews=True)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._signalling = threading.Lock()
        self._pauses = 0
        self._paused_last = time.monotonic()
        self._current: Training | None = None
        self._held_up: dict[str, float] = {}
        """When each training that another process holds up is tried again."""
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
        self.queue.close()

    def submit(self, request: JobRequest, cause: Cause | None = None) -> Job:
        """Queues a training that can be; raises as ``check`` and ``Queue.submit``."""
        check(request)
        job = self.queue.submit(request, cause)
        self._wake.set()
        return job

    def told(self, job_id: str) -> list[Progress]:
        """Everything that a training has told of its progress, in order.

        Raises:
            NoSuchJob: If there is none of this id.
        """
        return Files.of(self.queue.get(job_id).workspace, job_id).told()

    @property
    def quiet_seconds(self) -> float:
        """Time since the last request for which a training would have been held; 0 under one."""
        return 0.0 if self._pauses else time.monotonic() - self._paused_last

    @property
    def holds_accelerator(self) -> bool:
        """Whether the running training keeps memory of an accelerator, even while it is held."""
        training = self._current
        return training is not None and machine.holds_accelerator(training.process.pid)

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
                self._paused_last = time.monotonic()
                if self._pauses == 0 and self._current is not None:
                    self._current.signal(signal.SIGCONT)

    # ------------------------------------------------------------ the worker's thread

    def _work(self) -> None:
        """Whatever went wrong, a full disk above all: what is marked as running is taken up."""
        while not self._stopping.is_set():
            try:
                self._take_up()
                while not self._stopping.is_set():
                    job_id = self.queue.next(self._still_held_up())
                    if job_id is None:
                        self._wait()
                    else:
                        self._run(job_id)
            except StorageError as error:
                _log.error("the queue of trainings waits: %s", error)
                self._wait()
            except Exception:
                _log.exception("the queue of trainings waits")
                self._wait()

    def _wait(self) -> None:
        self._wake.wait(_LOOK)
        self._wake.clear()

    def _still_held_up(self) -> list[str]:
        now = time.monotonic()
        self._held_up = {one: end for one, end in self._held_up.items() if end > now}
        return list(self._held_up)

    def _take_up(self) -> None:
        """Follows the training that outlived the daemon before, queues those that did not."""
        for job in self.queue.running():
            files = Files.of(job.workspace, job.id)
            training = runs.found(job.id, files)
            if training is not None:
                _log.info("%s still runs as process %d", job.id, training.process.pid)
                training.signal(signal.SIGCONT)  # the daemon may have died while it held it
                self._follow(job.id, training)
            elif (result := files.result()) is not None:
                self._end(job.id, "done", result=result)
            else:
                reason = "the training was broken off with the daemon"
                self._again(job.id, files, reason, with_daemon=True)

    def _run(self, job_id: str) -> None:
        self._before_start()
        request = self.queue.claim(job_id)
        if request is None:
            return
        files = Files.of(request.workspace, job_id)
        try:
            training = runs.start(self._command(request), job_id, files)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in an argument
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            self._end(job_id, "failed", f"the training cannot be started: {reason}")
            return
        self._follow(job_id, training)

    def _follow(self, job_id: str, training: Training) -> None:
        """Keeps a training's progress until it has ended."""
        with self._signalling:
            self._current = training
            if self._pauses:
                training.signal(signal.SIGSTOP)
        try:
            while not training.ended():
                if self.queue.cancelled(job_id) or self._stopping.is_set():
                    self._interrupt(training)
                    break
                self._keep_progress(job_id, training)
                time.sleep(_TICK)
        finally:
            with self._signalling:
                self._current = None
        training.signal(signal.SIGKILL)  # what it may have started
        self._keep_progress(job_id, training)
        self._conclude(job_id, training)

    def _keep_progress(self, job_id: str, training: Training) -> None:
        progress = training.files.progress()
        if progress is not None:
            with suppress(StorageError):  # the next one will do
                self.queue.keep_progress(job_id, progress)

    def _conclude(self, job_id: str, training: Training) -> None:
        result = training.files.result()
        if result is not None:
            self._end(job_id, "done", result=result)
        elif self.queue.cancelled(job_id):
            self._end(job_id, "cancelled")
        elif self._stopping.is_set():
            self.queue.put_back(job_id)
        elif training.broken_off():
            self._again(
                job_id, training.files, training.reason(), with_daemon=training.popen is None
            )
        elif training.held_up():
            self._wait_for_holder(job_id, training.reason())
        else:
            self._end(job_id, "failed", training.reason())

    def _wait_for_holder(self, job_id: str, reason: str) -> None:
        """Queues a training again that another process holds up, and tells that of it."""
        self._held_up[job_id] = time.monotonic() + _HELD_UP
        holder = reason.partition(": ")[0]  # what follows is advice to who cannot wait
        self.queue.keep_progress(job_id, Progress("wait", note=holder))
        self.queue.put_back(job_id)
        _log.info("%s waits: %s", job_id, holder)

    def _interrupt(self, training: Training) -> None:
        """Ends a training, with more force as time goes by."""
        for number, patience in zip((signal.SIGINT, signal.SIGTERM), _PATIENCE, strict=True):
            training.signal(number)
            training.signal(signal.SIGCONT)
            end = time.monotonic() + patience
            while time.monotonic() < end:
                if training.ended():
                    return
                time.sleep(_TICK)
        training.signal(signal.SIGKILL)
        while not training.ended():
            time.sleep(_TICK)

    def _again(self, job_id: str, files: Files, reason: str, *, with_daemon: bool) -> None:
        """Queues a training that was broken off, unless it dies again and again in one place."""
        if self.queue.cancelled(job_id):
            self._end(job_id, "cancelled")
        elif self.queue.again(job_id, files.farthest(), with_daemon=with_daemon):
            _log.warning("%s goes on from its checkpoint: %s", job_id, reason)
        else:
            self._end(job_id, "failed", f"{reason}; several starts got no further")

    def _end(
        self,
        job_id: str,
        state: JobState,
        reason: str | None = None,
        result: dict[str, object] | None = None,
    ) -> None:
        self.queue.end(job_id, state, reason, result)
        _log.info("%s: %s%s", job_id, state, f" ({reason})" if reason else "")
