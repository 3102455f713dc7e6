"""Work-done progress that the server begins and the user may cancel."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.asking import granted
from lsp_server.wording import in_editor
from personalizer.errors import Cancelled

__all__ = ["Work", "work"]

T = TypeVar("T")


class Work:
    """One long act, shown by editors that can show one."""

    def __init__(self, server: LanguageServer, token: str | None) -> None:
        self._server = server
        self._token = token
        self.cancelled = threading.Event()
        """Set once the user has cancelled; for the thread that does the work."""
        self.ending = ""
        """What the editor tells last; empty where the user is told in another way."""
        self._wish = asyncio.Event()

    def cancel(self) -> None:
        self.cancelled.set()
        self._wish.set()

    def say(self, message: str, percentage: int | None = None) -> None:
        """Shows how far the work is."""
        if self._token is not None:
            report = lsp.WorkDoneProgressReport(message=message, percentage=percentage)
            self._server.work_done_progress.report(self._token, report)

    def conclude(self, what: str, outcome: str, kind: lsp.MessageType | None = None) -> None:
        """Tells what came of the work, once: with the progress, or as a message.

        Args:
            what: What was made, as a message names it.
            outcome: What is known of it.
            kind: Of a message that the user must see, which the end of a progress is not sure to
                be; None leaves it to the progress, where one is shown.
        """
        outcome = in_editor(outcome)
        if kind is None and self._token is not None:
            self.ending = outcome
        else:
            message = f"{what}: {outcome}"
            self._server.window_show_message(
                lsp.ShowMessageParams(kind or lsp.MessageType.Info, message)
            )

    async def pause(self, seconds: float) -> None:
        """Waits, but wakes early for the user's first wish to cancel."""
        if self.cancelled.is_set():
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wish.wait(), seconds)

    async def until_cancelled(self, result: Awaitable[T]) -> T:
        """Awaits ``result``, but no longer than the user does.

        Raises:
            Cancelled: Once the user has cancelled; what runs on is left to end by itself.
        """
        task = asyncio.ensure_future(result)
        wish = asyncio.ensure_future(self._wish.wait())
        try:
            await asyncio.wait({task, wish}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wish.cancel()
            if not task.done():
                task.cancel()
        if self.cancelled.is_set():
            raise Cancelled("cancelled")
        return task.result()


@asynccontextmanager
async def work(
    server: LanguageServer, title: str, *, measured: bool = False
) -> AsyncIterator[Work]:
    """Shows work for as long as the block runs.

    An editor that shows no progress gets none.

    Args:
        server: The server.
        title: What is done.
        measured: Percentages will be reported; without this, editors ignore them.
    """
    window = server.client_capabilities.window
    if not (window and window.work_done_progress):
        yield Work(server, None)
        return
    progress = server.work_done_progress
    token = str(uuid.uuid4())
    await granted(progress.create_async(token))
    if token not in progress.tokens:  # The editor has refused.
        yield Work(server, None)
        return
    act = Work(server, token)
    # pygls cancels this future on window/workDoneProgress/cancel and never forgets a token.
    progress.tokens[token].add_done_callback(lambda _: act.cancel())
    start = 0 if measured else None
    progress.begin(token, lsp.WorkDoneProgressBegin(title, cancellable=True, percentage=start))
    try:
        yield act
    finally:
        del progress.tokens[token]
        progress.end(token, lsp.WorkDoneProgressEnd(message=act.ending or None))
