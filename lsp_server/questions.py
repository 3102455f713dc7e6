"""Questions to the user, in any editor; one that keeps what it does not know can show code too."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from cattrs import Converter
from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from lsp_server.asking import granted

__all__ = ["Choice", "ask", "converter"]


@attrs.define
class Choice(lsp.MessageActionItem):
    """One answer that the user may give."""

    code: str | None = None
    """What it stands for: a further property of the action, as LSP allows them."""


def converter() -> Converter:
    """pygls' own, but further properties of an action are sent along."""
    made: Converter = default_converter()  # type: ignore[no-untyped-call]
    made.register_unstructure_hook(lsp.MessageActionItem, _written)
    return made


def _written(one: lsp.MessageActionItem) -> dict[str, str]:
    return attrs.asdict(one, filter=lambda _, value: value is not None)


async def ask(server: LanguageServer, question: str, choices: Sequence[Choice]) -> int | None:
    """The number, from 0, of the choice that the user takes; None where it is none of them."""
    options = _options(server.client_capabilities)
    plain = not (options and options.additional_properties_support)
    actions = [lsp.MessageActionItem(one.title) if plain else one for one in choices]
    answer = await granted(
        server.window_show_message_request_async(
            lsp.ShowMessageRequestParams(lsp.MessageType.Info, question, actions)
        )
    )
    numbers = {one.title: number for number, one in enumerate(choices)}
    return numbers.get(answer.title) if answer else None


def _options(client: lsp.ClientCapabilities) -> lsp.ClientShowMessageActionItemOptions | None:
    messages = client.window.show_message if client.window else None
    return messages.message_action_item if messages else None
