"""What the daemon begins by itself: it measures adapters on new pairs and trains stale ones anew.

It knows only what an answer to ``status`` has found, so nothing is read for its sake. It begins
when the machine is idle and on mains power, never twice for the same contents of a project, and
not soon after the last time.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from indexer.errors import IndexerError, NotAFolder
from personalizer import settings
from personalizer.daemon import machine
from personalizer.daemon.endpoint import folder_of
from personalizer.daemon.jobs import Jobs
from personalizer.daemon.protocol import (
    JobRequest,
    MeasureRequest,
    Retraining,
    Status,
    TrainRequest,
)
from personalizer.daemon.queue import Cause, Queue, without_daemon
from personalizer.errors import PersonalizerError, StorageError
from personalizer.status import AdapterStatus

__all__ = ["Automatic", "known_of", "retraining"]

_log = logging.getLogger(__name__)

_LOOK = 30.0
"""Seconds between two looks whether something may begin."""
_QUIET = 120.0
"""Seconds without a generation after which the user is elsewhere."""
_COOL_DOWN = {"train": 6 * 3600.0, "measure": 1800.0}
"""Seconds between the end of one and the next that nobody asked for."""
_REMEMBERED = 16
"""Workspaces whose last status is remembered."""
_OF_EVALUATION = ("answer", "worth", "recommended", "report")
"""What a status gives of an evaluation's result."""


def retraining(root: Path, status: AdapterStatus, queue: Queue) -> Retraining | None:
    """Whether the adapter of a workspace should be trained anew; None where it should not.

    Args:
        root: The workspace.
        status: Its status.
        queue: Its trainings before.
    """
    mode = settings.load(root).settings.retrain
    if mode == "off" or status.freshness != "stale" or not _is_due(root, "train", status, queue):
        return None
    waits = "your word" if mode == "ask" else machine.waits_for()
    return Retraining("ask" if mode == "ask" else "on", status.why, waits)


def known_of(root: Path, status: AdapterStatus) -> Status:
    """A status with what is known of jobs, read without a daemon.

    Nothing is where the queue cannot be read, which ``client.describe`` tells.
    """
    nothing = Status.of(status)
    try:
        return without_daemon(lambda queue: _known(root, status, queue), nothing)
    except StorageError:
        return nothing


def _known(root: Path, status: AdapterStatus, queue: Queue) -> Status:
    evaluation = queue.newest(str(root), "evaluate")
    if evaluation is not None and evaluation.result is not None:
        kept = {key: evaluation.result.get(key) for key in _OF_EVALUATION}
        evaluation = replace(evaluation, result=kept)
    return Status.of(
        status,
        job=queue.newest(str(root)),
        evaluation=evaluation,
        retraining=retraining(root, status, queue),
    )


class Automatic:
    """Begins jobs while nothing else is done.

    Args:
        jobs: Where they go.
        waits_for: What the machine must wait for; None while it is idle.
    """

    def __init__(self, jobs: Jobs, waits_for: Callable[[], str | None] = machine.waits_for) -> None:
        self._jobs = jobs
        self._waits_for = waits_for
        self._seen: OrderedDict[Path, AdapterStatus] = OrderedDict()
        self._access = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="automatic", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def saw(self, root: Path, status: AdapterStatus) -> Status:
        """Remembers the status of a workspace; gives what :func:`known_of` gives."""
        with self._access:
            self._seen[root] = status
            self._seen.move_to_end(root)
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return _known(root, status, self._jobs.queue)

    def look(self) -> None:
        """Begins one job, if one is due and the machine is idle.

        A workspace that is gone is forgotten; one that fails is tried again with the next look.
        """
        queue = self._jobs.queue
        if self._jobs.quiet_seconds < _QUIET or queue.busy or self._waits_for() is not None:
            return
        with self._access:
            seen = list(self._seen.items())
        for root, status in seen:
            try:
                if self._begins(folder_of(str(root)), status):
                    return
            except NotAFolder:
                with self._access:
                    self._seen.pop(root, None)
            except (PersonalizerError, IndexerError) as error:
                _log.warning("nothing begins by itself in %s: %s", root, error)

    def _begins(self, root: Path, status: AdapterStatus) -> bool:
        """Begins what is due in one workspace; whether anything was."""
        queue = self._jobs.queue
        if settings.load(root).settings.retrain == "off":
            return False
        due = retraining(root, status, queue)
        if due is not None and due.mode == "on":
            self._begin(TrainRequest(str(root)), due.why, status)
            return True
        unmeasured = _unmeasured(status)
        if unmeasured and _is_due(root, "measure", status, queue):
            why = f"{unmeasured} new or changed pairs are not measured yet"
            self._begin(MeasureRequest(str(root)), why, status)
            return True
        return False

    def _begin(self, request: JobRequest, why: str, status: AdapterStatus) -> None:
        job = self._jobs.submit(request, Cause(why, _contents(status)))
        _log.info("%s begins by itself (%s): %s", job.id, job.kind, why)

    def _work(self) -> None:
        while not self._stopping.wait(_LOOK):
            try:
                self.look()
            except PersonalizerError as error:
                _log.warning("nothing begins by itself: %s", error)
            except Exception:
                _log.exception("nothing begins by itself")


def _is_due(
    root: Path, kind: Literal["train", "measure"], status: AdapterStatus, queue: Queue
) -> bool:
    """Whether none is under way, none was begun for these contents, and the last is long ago."""
    if queue.begun_for(str(root), kind, _contents(status)):
        return False
    last = queue.newest(str(root), kind)
    if last is None:
        return True
    if last.ended_at is None:
        return False
    ago = datetime.now(UTC) - datetime.fromisoformat(last.ended_at)
    return not 0 <= ago.total_seconds() < _COOL_DOWN[kind]


def _unmeasured(status: AdapterStatus) -> int:
    """New and changed pairs on which the loss of the serving adapter is not known."""
    if status.loss_on_new is not None:
        return status.loss_on_new.not_measured
    return status.pairs.new + status.pairs.changed


def _contents(status: AdapterStatus) -> str:
    return f"{status.adapter} {status.contents}"
