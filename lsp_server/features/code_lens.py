"""Above each method of main source code: how many tests it has, or an offer to generate one."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from indexer import Method
from lsp_server.convert import command_at
from lsp_server.features import generate_test, navigation
from lsp_server.project import Place, Project
from lsp_server.server import Server
from lsp_server.settings import Settings
from lsp_server.threads import in_thread
from personalizer.words import count

__all__ = ["register"]


def register(server: Server) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
    async def lenses(ls: Server, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        found = ls.session.buffer(params.text_document.uri)
        if not ls.session.settings.code_lens.enable or found is None:
            return []
        project, buffer = found
        if project.snapshot is None:  # Which methods are untested is not known yet.
            return []
        methods = await in_thread(lambda: buffer.focal_methods)
        offers_tests = ls.session.settings.generate_test.enable
        place = Place(project, buffer, 0)
        return [lens for m in methods for lens in _lens(place, m, offers_tests)]

    def refresh() -> None:
        workspace = server.client_capabilities.workspace
        if workspace and workspace.code_lens and workspace.code_lens.refresh_support:
            server.workspace_code_lens_refresh(None)

    def indexed(_: Project) -> None:
        refresh()

    def configured(before: Settings, now: Settings) -> None:
        if _shown(before) != _shown(now):
            refresh()

    server.session.when_indexed.append(indexed)
    server.session.when_set.append(configured)


def _shown(settings: Settings) -> tuple[bool, bool]:
    """What lenses depend on."""
    return settings.code_lens.enable, settings.generate_test.enable


def _lens(place: Place, method: Method, offers_tests: bool) -> Iterator[lsp.CodeLens]:
    line = method.line - 1
    start = lsp.Position(line, 0)
    tests = place.project.tests_of(place.buffer.path, method)
    if tests:
        title = count(len(tests), "test")
        opens = navigation.command(place.project, tests[0].test, title)
        yield lsp.CodeLens(lsp.Range(start, start), opens)
    elif offers_tests:
        name = generate_test.COMMAND
        command = command_at("Generate test", name, place.buffer.uri, line, method.key)
        yield lsp.CodeLens(lsp.Range(start, start), command)
