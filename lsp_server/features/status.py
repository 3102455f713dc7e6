"""How fresh the adapter is: ``personalizer/status``, ``personalizer/statusChanged``, a command."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakSet

from lsp_server import answers
from lsp_server.daemon import Daemon, Json
from lsp_server.project import Project
from lsp_server.server import Server
from lsp_server.threads import in_thread
from personalizer.daemon.protocol import Status
from personalizer.errors import PersonalizerError
from personalizer.storage import WorkspaceData
from personalizer.words import count

__all__ = ["CHANGED", "COMMAND", "REQUEST", "announce", "register", "summary"]

REQUEST = "personalizer/status"
CHANGED = "personalizer/statusChanged"
COMMAND = "personalizer.showStatus"

_PAUSE = 10.0
"""Seconds from a save to the next unbidden question; saves in between are answered together."""
_LOOK = 2.0
"""Seconds between two looks at what a training or a choice leaves on disk."""

_log = logging.getLogger(__name__)


def register(server: Server) -> None:
    waiting: WeakSet[Project] = WeakSet()
    watched: WeakSet[Project] = WeakSet()

    @server.feature(REQUEST)
    async def status(ls: Server, params: Any = None) -> Json:
        project = ls.session.project(getattr(params, "workspace", None))
        return await ask(ls, project)

    @server.command(COMMAND)
    def show(ls: Server, *arguments: Any) -> None:
        ls.begin(_show(ls, arguments[0] if arguments else None))

    def indexed(project: Project) -> None:
        if not server.session.settings.status.enable or project in waiting:
            return

        def later() -> None:
            waiting.discard(project)
            if project in server.session.projects:
                server.begin(announce(server, project))

        asyncio.get_running_loop().call_later(_PAUSE if project in watched else 0.0, later)
        waiting.add(project)
        if project not in watched:
            watched.add(project)
            server.begin(_watch(server, project))

    server.session.when_indexed.append(indexed)


async def ask(server: Server, project: Project, *, start: bool = True) -> Json:
    """The JSON of ``personalizer status``, with the folder's URI as ``workspace``."""
    call = partial(_status_of, str(project.root))
    answer = await server.session.daemon.ask(call, start=start)
    project.status = {**answer, "workspace": project.uri}
    return project.status


def _status_of(root: str, daemon: Daemon) -> Json:
    return daemon.status(root)


async def announce(server: Server, project: Project, *, start: bool = True) -> bool:
    """Tells the editor the status; nobody asked, so an unreachable daemon is only logged.

    Returns:
        Whether there was something to tell.
    """
    try:
        answer = await ask(server, project, start=start)
    except PersonalizerError as error:
        _log.log(logging.WARNING if start else logging.DEBUG, "no status: %s", error)
        return False
    server.protocol.notify(CHANGED, answer)
    for listener in server.session.when_asked:
        listener(project, answer)
    return True


async def _watch(server: Server, project: Project) -> None:
    """Announces what changes the status outside of this editor, while the folder is open.

    A shell may train or choose an adapter, and so may the daemon by itself. Where no daemon runs,
    none is started to tell it; it is told once there is one.
    """
    known = await in_thread(_traces, project.root)
    while project in server.session.projects:
        await asyncio.sleep(_LOOK)
        now = await in_thread(_traces, project.root)
        told = now != known and server.session.settings.status.enable
        if told and await announce(server, project, start=False):
            known = now


def _traces(root: Path) -> tuple[object, ...]:
    """Differs once a training has begun or ended, or another adapter serves."""
    data = WorkspaceData(root)
    changed = (_changed(data.adapters), _changed(data.measured))
    jobs = sorted(file.name for file in data.jobs.glob("*.log"))
    return *changed, *jobs


def _changed(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


async def _show(server: Server, workspace: str | None) -> None:
    answer = await ask(server, server.session.project(workspace))
    server.say(summary(answers.read(answer, Status)))


def summary(status: Status) -> str:
    """The status as one line.

    Example:
        >>> why = "no adapter was trained for this workspace yet"
        >>> summary(Status(base="starter", freshness="none", why=why))
        'The base model writes: no adapter was trained for this workspace yet'
        >>> summary(Status(freshness="none", why="the adapter a1 cannot be read"))
        'Nothing can be written: the adapter a1 cannot be read'
        >>> from personalizer.status import PairChanges
        >>> changes = PairChanges(trained=90, unchanged=84, changed=4, new=2)
        >>> summary(Status(adapter="a1", method="lora", freshness="ageing", why="6 of 90 changed",
        ...                pairs=changes, commits_behind=3))
        'Adapter a1 (lora): ageing; trained on 90 pairs, then 4 changed, 2 new; 3 commits behind'
    """
    if status.adapter is None:
        begin = "Nothing can be written" if status.base is None else "The base model writes"
        return f"{begin}: {status.why}"
    pairs = status.pairs
    counts = {"changed": pairs.changed, "new": pairs.new, "removed": pairs.removed}
    since = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
    parts = [
        f"Adapter {status.adapter} ({status.method}): {status.freshness}",
        f"trained on {count(pairs.trained, 'pair')}{f', then {since}' if since else ''}",
    ]
    if status.commits_behind:
        parts.append(f"{count(status.commits_behind, 'commit')} behind")
    return "; ".join(parts)
