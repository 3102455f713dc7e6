"""What the daemon takes on at once: so much text a request, so many clients, so many generations.

What is beyond is refused with a clear error at once, rather than left to wait for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personalizer.daemon.answers import refused, watched
from personalizer.errors import Cancelled, TooBusy, TooLarge

__all__ = ["Bounds", "Turns"]

_LARGEST = 32 << 20
"""Bytes of a request's body; a thousand unsaved files of usual size."""
_MOST_CLIENTS = 512
"""Requests open at once, event streams included."""
_AT_ONCE = 32
"""Generations under way; the engine puts them into batches."""
_WAITING = 256
"""Generations that wait for their turn."""

T = TypeVar("T")


class Bounds:
    """ASGI middleware that refuses a request too large, or one too many."""

    def __init__(
        self, app: ASGIApp, largest: int = _LARGEST, most_clients: int = _MOST_CLIENTS
    ) -> None:
        self._app = app
        self._largest = largest
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
            await self._app(scope, self._measured(scope, receive), send)
        finally:
            self._open -= 1

    def _measured(self, scope: Scope, receive: Receive) -> Receive:
        announced = Headers(scope=scope).get("content-length", "0")
        came = 0

        async def receive_measured() -> Message:
            nonlocal came
            message = await receive() if int(announced) <= self._largest else {"type": "too large"}
            came += len(message.get("body", b""))
            if message["type"] == "too large" or came > self._largest:
                raise TooLarge(f"expected a request of at most {self._largest >> 20} MiB")
            return message

        return receive_measured


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
