"""Inline completion (LSP 3.18): the body of a documented method, in grey under its comment."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from dataclasses import dataclass, field, replace
from uuid import uuid4

from lsprotocol import types as lsp

from lsp_server import answers, edits
from lsp_server.features.generate_snippet import has_no_body_yet
from lsp_server.project import Place, Seen
from lsp_server.server import Server
from lsp_server.threads import in_thread
from personalizer.daemon.protocol import SnippetRequest
from personalizer.edits import digest
from personalizer.errors import BadInput, PersonalizerError

__all__ = ["ADD_IMPORTS", "register"]

ADD_IMPORTS = "personalizer.addImports"

_log = logging.getLogger(__name__)

_REST = 0.6
"""Seconds that the cursor must rest before a body is written unasked."""


@dataclass(frozen=True)
class _Imports:
    """What a completion needs at the head of its file; an inline completion can hold no more than
    its own place."""

    uri: str
    edit: answers.Edit
    seen: Seen
    """The text that the edit is for; the completion itself stands below it by then."""
    name: str = field(default_factory=lambda: uuid4().hex)


def register(server: Server) -> None:
    offered: list[_Imports] = []
    """Of the last completion, if it has any."""

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
        made = await _body(ls, place)
        if made is None:
            return []
        body, imports = made
        around = text.source[slice(*inside)].decode()
        start = len(text.source[inside[0] : text.offset(params.position)].decode())
        begin, end, inserted = on_one_line(around, start, body)
        where = [inside[0] + len(around[:place].encode()) for place in (begin, end)]
        command = None
        if imports is not None:
            offered[:] = [imports]
            command = lsp.Command("Add imports", ADD_IMPORTS, arguments=[imports.name])
        span = text.range(where[0], where[1])
        return [lsp.InlineCompletionItem(inserted, range=span, command=command)]

    @server.command(ADD_IMPORTS)
    def add_imports(ls: Server, name: str) -> None:
        found = next((one for one in offered if one.name == name), None)
        if found is None:
            raise BadInput("the imports of this completion are no longer known")
        ls.begin(_add(ls, found))


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


async def _add(server: Server, imports: _Imports) -> None:
    found = server.session.find(imports.uri)
    if found is not None:
        label, seen = "Imports of a snippet", imports.seen
        await edits.apply(server, found[0], imports.edit, label=label, seen=seen, move=True)


async def _body(server: Server, place: Place) -> tuple[str, _Imports | None] | None:
    """What goes between the braces, and what it imports.

    None where the model gives no body, or somebody typed on.

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
    edit = snippet.edit
    if edit is None or not edit.changes or edit.sha256 != digest(place.buffer.text.source):
        return None
    if place.project.buffers.get(place.buffer.path) is not place.buffer:
        return None
    *imports, body = edit.changes
    needs = _Imports(place.buffer.uri, replace(edit, changes=tuple(imports)), seen)
    return body.text.removesuffix("}"), needs if imports else None
