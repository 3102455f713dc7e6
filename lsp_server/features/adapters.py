"""Which adapter serves: switch to another, or roll back to the one before."""

from __future__ import annotations

from typing import Any

from lsp_server.daemon import Json
from lsp_server.features import status
from lsp_server.project import Project
from lsp_server.questions import Choice, ask
from lsp_server.server import Server
from personalizer.daemon.protocol import ViewAct
from personalizer.errors import BadInput, Cancelled

__all__ = ["LIST", "ROLL_BACK", "USE", "perform", "register", "spoken"]

USE = "personalizer.useAdapter"
ROLL_BACK = "personalizer.rollBack"
LIST = "personalizer/adapters"


def register(server: Server) -> None:
    @server.feature(LIST)
    async def adapters(ls: Server, params: Any = None) -> Json:
        project = ls.session.project(getattr(params, "workspace", None))
        return await ls.session.daemon.ask(lambda d: d.adapters(str(project.root)))

    @server.command(USE)
    def use(ls: Server, *arguments: Any) -> None:
        workspace, adapter = [*arguments, None, None][:2]
        ls.begin(_use(ls, workspace, adapter))

    @server.command(ROLL_BACK)
    def roll_back(ls: Server, *arguments: Any) -> None:
        workspace = arguments[0] if arguments else None
        ls.begin(_tell(ls, workspace, ViewAct("rollback")))


async def perform(server: Server, project: Project, act: ViewAct) -> str:
    """Has the daemon do it and tells the editor the new status; what to tell the user.

    Raises:
        BadInput: If switching adapters is switched off.
        PersonalizerError: As the daemon does.
    """
    wish = server.session.settings
    if act.act in ("use", "rollback") and not wish.adapters.enable:
        raise BadInput("switching adapters is switched off: see adapters.enable")
    said = await server.session.daemon.ask(lambda d: d.act(str(project.root), act), repeat=False)
    server.begin(status.announce(server, project))
    return said


async def _tell(server: Server, workspace: str | None, act: ViewAct) -> None:
    project = server.session.project(workspace)
    said = await perform(server, project, act)
    server.say(f"{project.root.name}: {said}")


async def _use(server: Server, workspace: str | None, adapter: str | None) -> None:
    project = server.session.project(workspace)
    if adapter is None:
        adapter = await _chosen(server, project)
    await _tell(server, project.uri, ViewAct("use", adapter))


async def _chosen(server: Server, project: Project) -> str:
    known = await server.session.daemon.ask(lambda d: d.adapters(str(project.root)))
    rows = {spoken(row): str(row["id"]) for row in known["adapters"]} | {"base": "base"}
    serving = known["serving"]
    choices = [Choice(title) for title, name in rows.items() if name != serving]
    if not choices:
        raise BadInput(f"there is no other adapter of {project.root.name}: train one first")
    question = f"{serving} serves {project.root.name}; which shall?"
    chosen = await ask(server, question, choices)
    if chosen is None:
        raise Cancelled("no adapter was chosen")
    return rows[choices[chosen].title]


def spoken(row: Json) -> str:
    """An adapter in one line.

    Example:
        >>> spoken({"id": "lora-1", "gate": "passed", "base_loss": 1.672, "adapter_loss": 1.143})
        'lora-1: passed, loss 1.672 -> 1.143'
    """
    losses = ""
    if row.get("base_loss") is not None and row.get("adapter_loss") is not None:
        losses = f", loss {row['base_loss']:.3f} -> {row['adapter_loss']:.3f}"
    return f"{row['id']}: {row['gate']}{losses}"
