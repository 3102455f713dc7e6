"""How fresh the adapter is: ``personalizer/status``, ``personalizer/statusChanged``, a command."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from lsp_server.daemon import Json
from lsp_server.project import Project
from lsp_server.server import Server
from personalizer.errors import PersonalizerError

__all__ = ["CHANGED", "COMMAND", "REQUEST", "announce", "register", "summary"]

REQUEST = "personalizer/status"
CHANGED = "personalizer/statusChanged"
COMMAND = "personalizer.showStatus"

_PAUSE = 10.0
"""Seconds from a save to the next unbidden question; saves in between are answered together."""

_log = logging.getLogger(__name__)


def register(server: Server) -> None:
    waiting: set[Project] = set()
    told: set[Project] = set()

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

        asyncio.get_running_loop().call_later(_PAUSE if project in told else 0.0, later)
        waiting.add(project)
        told.add(project)

    server.session.when_indexed.append(indexed)


async def ask(server: Server, project: Project) -> Json:
    """The JSON of ``personalizer status``, with the folder's URI as ``workspace``."""
    answer = await server.session.daemon.ask(lambda d: d.status(str(project.root)))
    return {**answer, "workspace": project.uri}


async def announce(server: Server, project: Project) -> None:
    """Tells the editor the status; nobody asked, so an unreachable daemon is only logged."""
    try:
        answer = await ask(server, project)
    except PersonalizerError as error:
        _log.warning("no status: %s", error)
        return
    server.protocol.notify(CHANGED, answer)
    for listener in server.session.when_asked:
        listener(project, answer)


async def _show(server: Server, workspace: str | None) -> None:
    server.say(summary(await ask(server, server.session.project(workspace))))


def summary(status: Json) -> str:
    """The status as one line.

    Example:
        >>> summary({"adapter": None, "why": "no adapter was trained for this workspace yet"})
        'The base model writes: no adapter was trained for this workspace yet'
        >>> summary({"adapter": None, "base": None, "why": "the adapter a1 cannot be read"})
        'Nothing can be written: the adapter a1 cannot be read'
        >>> summary({"adapter": "a1", "method": "lora", "freshness": "ageing", "commits_behind": 3,
        ...          "pairs": {"trained": 90, "changed": 4, "new": 2, "removed": 0}})
        'Adapter a1 (lora): ageing; trained on 90 pairs, then 4 changed, 2 new; 3 commits behind'
    """
    pairs = status.get("pairs") or {}
    if not status.get("adapter"):
        able = status.get("base", "left out") is not None
        begin = "The base model writes" if able else "Nothing can be written"
        return f"{begin}: {status.get('why') or 'no adapter is trained yet'}"
    since = [f"{pairs[kind]} {kind}" for kind in ("changed", "new", "removed") if pairs.get(kind)]
    parts = [
        f"Adapter {status['adapter']} ({status.get('method')}): {status.get('freshness')}",
        f"trained on {pairs.get('trained', 0)} pairs"
        + (f", then {', '.join(since)}" if since else ""),
    ]
    behind = status.get("commits_behind")
    if behind:
        parts.append(f"{behind} commit{'s' * (behind > 1)} behind")
    return "; ".join(parts)
