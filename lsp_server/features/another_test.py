"""Generate test (another): the next candidate, in place of the last one while nobody touched it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lsprotocol import types as lsp

from indexer import Method
from lsp_server.features import generate_test
from lsp_server.offered import in_place_of
from lsp_server.progress import work
from lsp_server.project import Place
from lsp_server.server import Server
from lsp_server.session import Session
from personalizer.errors import BadInput

__all__ = ["COMMAND", "KIND", "offer", "register"]

COMMAND = "personalizer.anotherTest"
KIND = f"{generate_test.KIND}.another"


def offer(session: Session, place: Place, method: Method) -> Iterator[lsp.CodeAction]:
    """The action on a method that a test was written for, and on that test."""
    if session.settings.generate_test.enable and session.offered.at(place, method):
        yield place.action("Generate test (another)", KIND, COMMAND, method)


def register(server: Server) -> None:
    @server.command(COMMAND)
    def another(ls: Server, at: lsp.TextDocumentPositionParams, method: str | None = None) -> None:
        ls.begin(_another(ls, at, method))


async def _another(server: Server, at: lsp.TextDocumentPositionParams, key: str | None) -> None:
    session = server.session
    generate_test.check_enabled(session)
    place, method = generate_test.method_at(session, at, key)
    last = session.offered.at(place, method)
    if last is None:
        raise BadInput(f"no test was written for {method.name} yet: generate one first")
    focal = last.focal
    async with work(server, f"Generate another test for {focal.name}") as act:
        request, seen = await generate_test.request_for(session, focal)
        request = replace(request, skip=last.count)
        replaces = last.untouched
        if replaces:
            without = {last.file: last.before.source.decode()}
            request = replace(request, buffers=request.buffers | without)
        generation = await generate_test.ask(server, request, act)
        edit = generate_test.edit_of(generation, focal)
        if replaces and edit.file == last.file and not edit.created:
            edit = in_place_of(last, edit)
        made = replace(generation, edit=edit)
        await generate_test.insert(server, focal, last.count + 1, made, seen, act)
