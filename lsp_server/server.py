"""Builds the server from its features."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Coroutine, Generator
from concurrent.futures import Future
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import (
    FeatureRequestError,
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcParseError,
    PyglsError,
)
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from indexer import IndexerError
from lsp_server.daemon import Connect, Link
from lsp_server.questions import converter
from lsp_server.session import Session
from lsp_server.wording import in_editor
from personalizer import __version__
from personalizer.errors import Cancelled, PersonalizerError

__all__ = ["Server", "create"]

_log = logging.getLogger(__name__)

_OWN_ERROR = "Personalizer met an error of its own; its log says more"

_OWN_TEXTS = (
    lsp.TEXT_DOCUMENT_DID_OPEN,
    lsp.TEXT_DOCUMENT_DID_CHANGE,
    lsp.TEXT_DOCUMENT_DID_CLOSE,
)


class _Protocol(LanguageServerProtocol):
    """pygls' protocol without its copies of the documents, which go wrong at a form feed.

    A command whose arguments are left out altogether is refused as one with none is; pygls calls
    it without. What it expected is said by name. What fails is told to the editor in our words
    alone, not with Python's. Requests of ours need no parameters, and an answer that cannot be
    read ends the wait for it: pygls drops both.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        for method in _OWN_TEXTS:
            del self.fm.builtin_features[method]

    def structure_message(self, data: dict[str, Any]) -> Any:
        if str(data.get("method")).startswith("personalizer/") and data.get("params") is None:
            data = data | {"params": {}}
        try:
            return super().structure_message(data)
        except JsonRpcException:
            if "id" not in data or "method" in data:
                raise
            unread = lsp.ResponseError(JsonRpcParseError.CODE, "its answer cannot be read")
            return lsp.ResponseErrorMessage(id=data["id"], error=unread)

    def _send_handler_result(self, future: Future[Any], *, msg_id: str | int) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, JsonRpcException):
            future = Future()
            future.set_exception(_refusal(error))
        super()._send_handler_result(future, msg_id=msg_id)

    @lsp_method(lsp.WORKSPACE_EXECUTE_COMMAND)
    def lsp_workspace__execute_command(
        self, params: lsp.ExecuteCommandParams
    ) -> Generator[Any, Any, Any]:
        command = self.fm.commands.get(params.command)
        given = list(params.arguments or ())
        wanted = list(inspect.signature(command).parameters.values()) if command else []
        left_out = wanted[len(given) :]
        params.arguments = given + [one.default for one in left_out if one.default is None]
        calling = super().lsp_workspace__execute_command(params)
        try:
            call = next(calling)
        except JsonRpcInvalidParams as error:
            if command is None:
                raise
            needed = [one.annotation for one in wanted if one.default is not None]
            names = " and ".join(str(one).removeprefix("lsp.") for one in needed)
            got = "other arguments" if given else "no arguments"
            message = f"{params.command}: expected {names}, got {got}"
            raise JsonRpcInvalidParams(message) from error
        return (yield call)


def _refusal(error: BaseException) -> JsonRpcException:
    if isinstance(error, PersonalizerError | IndexerError):
        return JsonRpcException(in_editor(str(error)), lsp.LSPErrorCodes.RequestFailed)
    _log.error("unexpected error", exc_info=error)
    return JsonRpcException(_OWN_ERROR, lsp.ErrorCodes.InternalError)


class Server(LanguageServer):
    """pygls' server with our session and two ways to speak to the user."""

    def __init__(self, connect: Connect) -> None:
        super().__init__(
            "personalizer", __version__, protocol_cls=_Protocol, converter_factory=converter
        )
        self.session = Session(Link(connect, self._restarted))
        self._tasks: set[asyncio.Task[None]] = set()

    def say(self, message: str, kind: lsp.MessageType = lsp.MessageType.Info) -> None:
        """Shows a line to the user."""
        self.window_show_message(lsp.ShowMessageParams(kind, in_editor(message)))

    def report_server_error(
        self, error: Exception, source: type[PyglsError | JsonRpcException]
    ) -> None:
        """Tells the user, not in Python's words; what a request met is told to who asked."""
        if source is not FeatureRequestError:
            self.say(_OWN_ERROR, lsp.MessageType.Error)

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Runs work that nobody waits for; its errors become one line for the user.

        Commands end at once and work on so: several editors wait for a command's answer, some
        with everything else standing still, and give up after ten seconds.
        """
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Cancelled:
            _log.info("cancelled by the user")
        except (PersonalizerError, IndexerError) as error:
            self.say(str(error), lsp.MessageType.Error)
        except Exception:
            _log.exception("unexpected error")
            self.say(_OWN_ERROR, lsp.MessageType.Error)

    def _restarted(self) -> None:
        self.say("The Personalizer daemon had ended; it was started again", lsp.MessageType.Warning)


def create(connect: Connect) -> Server:
    """A server with every feature.

    Args:
        connect: Reaches the daemon; called beside the event loop, when a feature first needs it.
    """
    from lsp_server.features import FEATURES

    server = Server(connect)
    for feature in FEATURES:
        feature.register(server)
    return server
