"""Generate snippet: the body of a documented method, or what a comment inside a body says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol import types as lsp

from indexer import Method
from indexer.languages.remarks import remark_at
from lsp_server import answers, edits
from lsp_server.progress import work
from lsp_server.project import Place
from lsp_server.server import Server
from lsp_server.session import Session
from lsp_server.wording import refused
from personalizer.daemon.protocol import SnippetRequest
from personalizer.errors import BadInput

__all__ = ["COMMAND", "KIND", "at_bare_comment", "has_no_body_yet", "offer", "register"]

COMMAND = "personalizer.generateSnippet"
KIND = "refactor.generateSnippet"

_COMMENT = re.compile(rb"//[^\r\n]*|/\*.*?\*/", re.DOTALL)


def offer(session: Session, place: Place, method: Method) -> Iterator[lsp.CodeAction]:
    """The action where something is described in words and nowhere in code."""
    if not session.settings.generate_snippet.enable:
        return
    if not (has_no_body_yet(place, method) or at_bare_comment(place, method)):
        return
    yield place.action("Generate snippet", KIND, COMMAND, method)


def has_no_body_yet(place: Place, method: Method) -> bool:
    """Whether a documented method has nothing but comments between its braces."""
    if method.doc is None or method.body is None:
        return False
    body = method.body.of(place.buffer.text.source)
    return not _COMMENT.sub(b"", body[1:-1]).strip()


def at_bare_comment(place: Place, method: Method) -> bool:
    """Whether a line is of a comment inside a body, or right beneath it, with no code there."""
    if method.body is None:
        return False
    found = remark_at(place.buffer.text.source, method.body, place.line + 1)
    return found is not None and found.bare


def register(server: Server) -> None:
    @server.command(COMMAND)
    def generate(ls: Server, at: lsp.TextDocumentPositionParams, method: str | None = None) -> None:
        ls.begin(_generate(ls, at, method))


async def _generate(server: Server, at: lsp.TextDocumentPositionParams, key: str | None) -> None:
    wish = server.session.settings.generate_snippet
    if not wish.enable:
        raise BadInput("generating snippets is switched off: see generateSnippet.enable")
    place = server.session.place(at, key)
    project, path = place.project, place.buffer.path
    seen = await project.seen()
    seen.check(path)
    async with work(server, f"Generate snippet in {path.rpartition('/')[2]}") as act:
        request = SnippetRequest(
            workspace=str(project.root),
            path=path,
            line=place.line + 1,
            buffers=seen.unsaved,
            adapter=wish.adapter,
            run=wish.run,
            trusted=server.session.settings.workspace.trusted,
        )
        answer = await act.until_cancelled(
            server.session.daemon.ask(lambda d: d.snippet(request, cancelled=act.cancelled))
        )
        snippet = answers.read(answer, answers.Snippet)
        edit = _edit_of(snippet, f"{path}:{place.line + 1}")
        label = f"Snippet by {snippet.adapter}"
        await edits.apply(server, project, edit, label=label, seen=seen, move=True)
        kind = lsp.MessageType.Info if snippet.notes else None
        act.conclude("Snippet", _outcome(snippet), kind)


def _edit_of(snippet: answers.Snippet, where: str) -> answers.Edit:
    """The edit with the snippet.

    Raises:
        BadInput: If there is none, or the compiler refused it; it says why.
    """
    if snippet.edit is None:
        reason = snippet.no_edit or "nothing came that can be used"
        raise BadInput(f"nothing was changed at {where}: {reason}")
    if snippet.compiles is False:
        reason = f"what came {refused(snippet.failure)}"
        raise BadInput(f"nothing was changed at {where}: {reason}")
    return snippet.edit


def _outcome(snippet: answers.Snippet) -> str:
    """What the user is told of a snippet: the verdict, who wrote it, the notes.

    Example:
        >>> _outcome(answers.Snippet("base", compiles=True, notes=("left out @Foo",)))
        'compiles (by base); left out @Foo'
        >>> _outcome(answers.Snippet("base", not_run="this workspace is not trusted"))
        'was not compiled: this workspace is not trusted (by base)'
    """
    verdict = "compiles" if snippet.compiles else "was not compiled"
    if snippet.not_run:
        verdict += f": {snippet.not_run}"
    return "; ".join([f"{verdict} (by {snippet.adapter})", *snippet.notes])
