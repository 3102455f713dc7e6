"""The status view in the editor's own panel: ``personalizer/page``, and what its buttons do."""

from __future__ import annotations

from typing import Any

from lsp_server.daemon import Json
from lsp_server.features import adapters, training
from lsp_server.server import Server
from lsp_server.wording import in_editor
from personalizer.daemon.protocol import ViewAct
from personalizer.errors import BadInput, PersonalizerError

__all__ = ["ACT", "PAGE", "register"]

PAGE = "personalizer/page"
ACT = "personalizer/act"


def register(server: Server) -> None:
    @server.feature(PAGE)
    async def page(ls: Server, params: Any = None) -> Json:
        project = ls.session.project(getattr(params, "workspace", None))
        html = await ls.session.daemon.ask(lambda d: d.page(str(project.root)))
        return {"html": html, "workspace": project.uri}

    @server.feature(ACT)
    async def act(ls: Server, params: Any) -> Json:
        """Answers ``said`` or ``error``: a button that cannot is no failed request."""
        project = ls.session.project(getattr(params, "workspace", None))
        try:
            what = _read(params)
            if what.act != "train":
                return {"said": await adapters.perform(ls, project, what)}
            job = await training.begin(ls, project)
        except PersonalizerError as error:
            return {"error": in_editor(str(error))}
        ls.begin(training.follow(ls, project, job))
        return {"said": "the training begins"}


def _read(params: Any) -> ViewAct:
    name, adapter = getattr(params, "act", None), getattr(params, "adapter", None)
    if name not in ("use", "rollback", "train", "cancel"):
        raise BadInput(f"expected use, rollback, train or cancel, got {name}")
    if not isinstance(adapter, str | None):
        raise BadInput(f"expected the id of an adapter, got {adapter!r}")
    return ViewAct(name, adapter)
