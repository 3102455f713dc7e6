"""Train an adapter in the background, follow it, cancel it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
from lsprotocol import types as lsp

from lsp_server import answers
from lsp_server.daemon import Json
from lsp_server.features import status
from lsp_server.progress import work
from lsp_server.project import Project
from lsp_server.server import Server
from personalizer.daemon.protocol import Job, Progress, TrainRequest
from personalizer.errors import BadInput, DaemonError
from personalizer.words import how_far

__all__ = [
    "CANCEL",
    "TRAIN",
    "begin",
    "described",
    "follow",
    "follow_newest",
    "outcome",
    "register",
]

TRAIN = "personalizer.train"
CANCEL = "personalizer.cancelTraining"

_POLL = 1.0
"""Seconds between two looks at a running job."""
_TRIES = 5
"""Looks in a row that may fail."""

_log = logging.getLogger(__name__)


def register(server: Server) -> None:
    def found(project: Project, answer: Json) -> None:
        """Follows a training that another editor, a shell or the daemon has started."""
        if _running(answer):
            server.begin(follow_newest(server, project, answer))

    server.session.when_asked.append(found)

    @server.command(TRAIN)
    def train(ls: Server, *arguments: Any) -> None:
        ls.begin(_train(ls, arguments[0] if arguments else None))

    @server.command(CANCEL)
    def cancel(ls: Server, *arguments: Any) -> None:
        ls.begin(_cancel(ls, arguments[0] if arguments else None))


async def _train(server: Server, workspace: str | None) -> None:
    project = server.session.project(workspace)
    await follow(server, project, await begin(server, project))


async def begin(server: Server, project: Project) -> Job:
    """Has the daemon train as the editor's settings say.

    Raises:
        BadInput: If training is switched off.
        PersonalizerError: As the daemon does.
    """
    wish = server.session.settings.training
    if not wish.enable:
        raise BadInput("training is switched off: see training.enable")
    request = TrainRequest(
        str(project.root),
        method=wish.method,
        budget=wish.budget,
        trusted=server.session.settings.workspace.trusted,
    )
    return await server.session.daemon.ask(lambda daemon: daemon.train(request))


async def _cancel(server: Server, workspace: str | None) -> None:
    project = server.session.project(workspace)
    answer = await status.ask(server, project)
    job = _running(answer)
    if job is None:
        raise BadInput(f"no training of {project.root.name} is running")
    await server.session.daemon.ask(lambda daemon: daemon.cancel(job.id))


def _running(answer: Json) -> Job | None:
    """The training that a status names, if it has not ended."""
    job = answers.read(answer["job"], Job) if answer.get("job") else None
    return job if job and job.unfinished else None


async def follow_newest(server: Server, project: Project, answer: Json) -> None:
    """Shows the training that a status names, if it has not ended."""
    job = _running(answer)
    if job is not None:
        await follow(server, project, job)


async def follow(server: Server, project: Project, job: Job) -> None:
    """Shows a training until it has ended, whoever started it."""
    if job.id in server.session.followed:
        return
    server.session.followed.add(job.id)
    told = server.session.settings.status.enable
    title = f"Train an adapter for {project.root.name}"
    try:
        if told:
            await status.ask(server, project)
        async with work(server, title, measured=True) as act:
            while job.unfinished:
                if job.progress:
                    act.say(described(job.progress), _percentage(job.progress))
                if told and project.status:
                    running = {**project.status, "job": msgspec.to_builtins(job)}
                    server.protocol.notify(status.CHANGED, running)
                await act.pause(_POLL)
                job = await _looked_at(server, job.id, cancel=act.cancelled.is_set())
    finally:
        if job.unfinished:  # The next status that names it has it followed again.
            server.session.followed.discard(job.id)
    failed = job.state == "failed"
    server.say(outcome(job), lsp.MessageType.Error if failed else lsp.MessageType.Info)
    if told:
        await status.announce(server, project)


async def _looked_at(server: Server, job_id: str, *, cancel: bool) -> Job:
    """A training as it is now, asked to end where the user wants that; bears a few failures."""
    for left in reversed(range(_TRIES)):
        try:
            if cancel:
                await server.session.daemon.ask(lambda daemon: daemon.cancel(job_id))
            return await server.session.daemon.ask(lambda daemon: daemon.job(job_id))
        except DaemonError as error:
            if not left:
                raise
            _log.warning("cannot look at %s: %s", job_id, error)
            await asyncio.sleep(_POLL)
    raise AssertionError("the last try returns or raises")


def described(progress: Progress) -> str:
    """How far a training is, in words.

    Example:
        >>> described(Progress("train", 30, 120, loss=2.5, seconds_left=95))
        'Training, step 30 of 120, loss 2.50, 2 min left'
        >>> described(Progress("wait", note="process 12 (train) holds this workspace"))
        'Waiting, process 12 (train) holds this workspace'
    """
    parts = [how_far(progress.phase, progress.step, progress.steps)]
    if progress.phase == "wait" and progress.note:
        parts.append(progress.note)
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.2f}")
    left = progress.seconds_left
    if left is not None:
        parts.append(f"{left / 60:.0f} min left" if left >= 60 else f"{left:.0f} s left")
    return ", ".join(parts)


def _percentage(progress: Progress) -> int | None:
    return min(100, 100 * progress.step // progress.steps) if progress.steps else None


def outcome(job: Job) -> str:
    """How a training ended, in one line.

    Example:
        >>> outcome(Job("j", "/w", "done", "", result={"adapter": "a1", "promoted": False,
        ...                                            "reason": "its loss is no better"}))
        'Adapter a1 is trained but does not serve: its loss is no better'
    """
    if job.state == "cancelled":
        return "Training was cancelled"
    if job.state == "failed":
        return f"Training failed: {job.reason or 'the log of the daemon says why'}"
    result = job.result or {}
    name, reason = result.get("adapter"), result.get("reason")
    if result.get("promoted"):
        return f"Adapter {name} is trained and serves" + (f": {reason}" if reason else "")
    return f"Adapter {name} is trained but does not serve: {reason}"
