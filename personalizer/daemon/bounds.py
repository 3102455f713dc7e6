"""What the daemon takes on: so much text a request, in so much time, so many at once.

What is beyond is refused with a clear error, rather than left to wait for ever.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from personalizer.daemon.answers import refused, watched
from personalizer.errors import Cancelled, TooBusy, TooLarge, TooSlow

__all__ = ["Bounds", "HeadInTime", "Turns", "WholeOnly"]

_LARGEST = 32 << 20
"""Bytes of a request's body; a thousand unsaved files of usual size."""
_LONGEST = 30.0
"""Seconds in which a head, and then a body, must have come; their sender is on this machine."""
_MOST_CLIENTS = 512
"""Requests open at once, event streams included."""
_AT_ONCE = 32
"""Generations under way; the engine puts them into batches."""
_WAITING = 256
"""Generations that wait for their turn."""

T = TypeVar("T")


class HeadInTime(H11Protocol):
    """uvicorn's side of a connection, which is closed where a request's head does not come."""

    longest = _LONGEST
    _closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._expect_head()
        else:
            self._expect_nothing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._closing is None:
            self._closing = self.loop.call_later(self.longest, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None


class WholeOnly:
    """ASGI middleware that passes a request on once all of its body is here.

    So one that is still on its way holds nothing but its connection.
    """

    def __init__(self, app: ASGIApp, largest: int = _LARGEST, longest: float = _LONGEST) -> None:
        self._app = app
        self._largest = largest
        self._longest = longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            with anyio.fail_after(self._longest):
                whole: Message | None = await self._whole(scope, receive)
        except TimeoutError:
            error = TooSlow(f"expected a whole request within {self._longest:.0f} s")
            await refused(scope["path"], error)(scope, receive, send)
            return
        except TooLarge as error:
            await refused(scope["path"], error)(scope, receive, send)
            return

        async def receive_whole() -> Message:
            nonlocal whole
            message, whole = whole, None
            return message or await receive()

        await self._app(scope, receive_whole, send)

    async def _whole(self, scope: Scope, receive: Receive) -> Message:
        """The body in one message, or that the client hung up.

        Raises:
            TooLarge: If it is, or says that it will be.
        """
        announced = int(Headers(scope=scope).get("content-length", "0"))
        body = bytearray()
        while max(announced, len(body)) <= self._largest:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            if not message.get("more_body", False):
                return {"type": "http.request", "body": bytes(body)}
        raise TooLarge(f"expected a request of at most {self._largest >> 20} MiB")


class Bounds:
    """ASGI middleware that refuses a request too many."""

    def __init__(self, app: ASGIApp, most_clients: int = _MOST_CLIENTS) -> None:
        self._app = app
        self._most_clients = most_clients
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._open >= self._most_clients:
            error = TooBusy(f"{self._open} requests are open already: ask later")
            await refused(scope["path"], error)(scope, receive, send)
            return
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1


class Turns:
    """Runs generations on threads of their own, so many at once; the others wait in line."""

    def __init__(self, at_once: int = _AT_ONCE, waiting: int = _WAITING) -> None:
        self._threads = anyio.CapacityLimiter(at_once)
        self._waiting = waiting

    async def unless_gone(self, request: Request, work: Callable[[threading.Event], T]) -> T:
        """What the work returns; its event is set when the client hangs up. Raises as ``run``."""
        cancelled = threading.Event()
        return await watched(request, self.run(work, cancelled), cancelled)

    async def run(self, work: Callable[[threading.Event], T], cancelled: threading.Event) -> T:
        """What the work returns.

        Raises:
            TooBusy: If too many wait already.
            Cancelled: If ``cancelled`` was set before it was this one's turn.
        """
        if self._threads.statistics().tasks_waiting >= self._waiting:
            raise TooBusy(f"{self._waiting} generations wait already: ask again later")

        def unless_cancelled() -> T:
            if cancelled.is_set():
                raise Cancelled("the request was cancelled before it was its turn")
            return work(cancelled)

        return await anyio.to_thread.run_sync(unless_cancelled, limiter=self._threads)
