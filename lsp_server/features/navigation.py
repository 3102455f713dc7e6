"""Go to the tests of a method, and to the methods that a test tests."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from indexer import Method, Where
from lsp_server import edits
from lsp_server.project import Place, Project
from lsp_server.server import Server
from lsp_server.session import Session
from personalizer.errors import BadInput

__all__ = ["COMMAND", "KIND", "command", "offer", "register"]

COMMAND = "personalizer.goTo"
KIND = "personalizer.goTo"

_MOST = 5
"""Actions in one menu."""


def command(project: Project, where: Where, title: str) -> lsp.Command:
    """Opens the method, at the line where it now stands."""
    facts = project.snapshot.files.get(where.path) if project.snapshot else None
    now = [m for m in facts.methods if m.key == where.method.key] if facts else []
    line = (now[0] if now else where.method).line - 1
    start = lsp.Position(line, 0)
    place = lsp.Location(project.uri_of(where.path), lsp.Range(start, start))
    return lsp.Command(title, COMMAND, arguments=[place])


def offer(session: Session, place: Place, method: Method) -> Iterator[lsp.CodeAction]:
    """One action for each test of the method, or for each method that the test tests."""
    if not session.settings.navigation.enable:
        return
    project, path = place.project, place.buffer.path
    if place.buffer.is_test(method):
        kind, places = "tested method", project.tested_by(path, method)
    else:
        kind, places = "test", tuple(pair.test for pair in project.tests_of(path, method))
    for where in places[:_MOST]:
        title = f"Go to {kind} {where.method.class_name}.{where.method.name}"
        yield lsp.CodeAction(title, KIND, command=command(project, where, title))


def register(server: Server) -> None:
    @server.command(COMMAND)
    def go(ls: Server, place: lsp.Location) -> None:
        if not ls.session.settings.navigation.enable:
            raise BadInput("navigation is switched off: see navigation.enable")
        ls.begin(edits.show(ls, place))
