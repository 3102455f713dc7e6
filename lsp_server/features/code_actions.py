"""The actions at a line, gathered from the features that offer them."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types as lsp

from lsp_server.features import (
    another_test,
    choose_test,
    generate_snippet,
    generate_test,
    navigation,
)
from lsp_server.project import Place
from lsp_server.server import Server
from lsp_server.threads import in_thread

__all__ = ["register"]

_OFFERS = (
    generate_test.offer,
    choose_test.offer,
    another_test.offer,
    generate_snippet.offer,
    navigation.offer,
)


def register(server: Server) -> None:
    kinds = [generate_test.KIND, generate_snippet.KIND, navigation.KIND]

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    async def actions(
        ls: Server, params: lsp.CodeActionParams
    ) -> Sequence[lsp.CodeAction | lsp.Command]:
        found = ls.session.buffer(params.text_document.uri)
        if found is None:
            return []
        place = Place(*found, params.range.start.line)
        method = await in_thread(place.buffer.method_at, place.line)
        if method is None:
            return []
        offered = [a for offer in _OFFERS for a in offer(ls.session, place, method)]
        wanted = [a for a in offered if _wanted(a, params.context.only)]
        return wanted if _takes_literals(ls) else [a.command for a in wanted if a.command]


def _wanted(action: lsp.CodeAction, only: Sequence[str | lsp.CodeActionKind] | None) -> bool:
    if not only:
        return True
    kind = str(action.kind)
    wanted = [one.value if isinstance(one, lsp.CodeActionKind) else one for one in only]
    return any(one == "" or kind == one or kind.startswith(f"{one}.") for one in wanted)


def _takes_literals(server: Server) -> bool:
    document = server.client_capabilities.text_document
    actions = document.code_action if document else None
    return bool(actions and actions.code_action_literal_support)
