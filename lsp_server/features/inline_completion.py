"""Inline completion (LSP 3.18): the body of a documented method, in grey under its comment."""

from __future__ import annotations

import asyncio
import logging
import re
import threading

from lsprotocol import types as lsp

from lsp_server import answers
from lsp_server.features.generate_snippet import has_no_body_yet
from lsp_server.project import Place
from lsp_server.server import Server
from lsp_server.threads import in_thread
from personalizer.daemon.protocol import SnippetRequest
from personalizer.errors import PersonalizerError

__all__ = ["register"]

_log = logging.getLogger(__name__)

_REST = 0.6
"""Seconds that the cursor must rest before a body is written unasked."""


def register(server: Server) -> None:
    # pygls advertises this feature only when it is given options.
    @server.feature(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, lsp.InlineCompletionOptions())
    async def complete(
        ls: Server, params: lsp.InlineCompletionParams
    ) -> list[lsp.InlineCompletionItem]:
        wish = ls.session.settings.inline_completion
        found = ls.session.buffer(params.text_document.uri)
        invoked = params.context.trigger_kind == lsp.InlineCompletionTriggerKind.Invoked
        if found is None or not wish.enable or not (invoked or wish.automatic):
            return []
        place = Place(*found, params.position.line)
        method = await in_thread(place.buffer.method_at, place.line)
        if method is None or not has_no_body_yet(place, method):
            return []
        assert method.body is not None
        inside = (method.body.start + 1, method.body.end - 1)
        text = place.buffer.text
        if not inside[0] <= text.offset(params.position) <= inside[1]:
            return []
        if not invoked:
            await asyncio.sleep(_REST)
        body = await _body(ls, place)
        if body is None:
            return []
        around = text.source[slice(*inside)].decode()
        start = len(text.source[inside[0] : text.offset(params.position)].decode())
        begin, end, inserted = on_one_line(around, start, body)
        where = [inside[0] + len(around[:place].encode()) for place in (begin, end)]
        return [lsp.InlineCompletionItem(inserted, range=text.range(where[0], where[1]))]


def on_one_line(around: str, caret: int, body: str) -> tuple[int, int, str]:
    """A body as an insertion at the caret's line, which is all that VS Code shows.

    Args:
        around: What stands between the braces now: space and comments.
        caret: Where in it the cursor is.
        body: What should stand there instead of space.

    Returns:
        Begin and end of what is replaced, both on the caret's line, and what replaces it.

    Example:
        >>> on_one_line("\\n    ", 0, "\\n        total = 0;\\n    ")
        (0, 0, '\\n        total = 0;')
        >>> on_one_line("\\n        \\n    ", 9, "\\n        total = 0;\\n    ")
        (1, 9, '        total = 0;')
        >>> on_one_line(" ", 1, "\\n        total = 0;\\n    ")
        (0, 1, '\\n        total = 0;\\n    ')
    """
    before, after = around[:caret], around[caret:]
    begin = max(before.rfind("\n"), before.rfind("\r")) + 1
    rest = re.match(r"[^\r\n]*", after)
    end = caret + (len(rest[0]) if rest else 0)
    if around[begin:end].strip():  # a comment stands on the line: the body goes below it
        begin = end
    if begin > 0 and around[begin - 1] in "\r\n":
        body = re.sub(r"^[ \t]*(\r\n|\r|\n)", "", body)
    if end < len(around):
        body = body.rstrip()
    return begin, end, body


async def _body(server: Server, place: Place) -> str | None:
    """What goes between the braces; None where the model gives no body, or somebody typed on.

    Nobody asked in so many words, so a daemon that cannot answer is only logged. An editor that
    has lost interest cancels the request, and with it the generation.
    """
    cancelled = threading.Event()
    seen = await place.project.seen()
    if place.buffer.path in seen.withheld:
        return None
    request = SnippetRequest(
        workspace=str(place.project.root),
        path=place.buffer.path,
        line=place.line + 1,
        buffers=seen.unsaved,
        adapter=server.session.settings.generate_snippet.adapter,
        run=False,  # a ghost text must come at once
    )
    try:
        answer = await server.session.daemon.ask(lambda d: d.snippet(request, cancelled=cancelled))
        snippet = answers.read(answer, answers.Snippet)
    except asyncio.CancelledError:
        cancelled.set()
        raise
    except PersonalizerError as error:
        _log.warning("no inline completion: %s", error)
        return None
    if snippet.edit is None or not snippet.edit.changes:
        return None
    if place.project.buffers.get(place.buffer.path) is not place.buffer:
        return None
    return snippet.edit.changes[-1].text.removesuffix("}")  # imports come before it
