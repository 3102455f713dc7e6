"""The daemon as this server sees it: what it asks, and the link that outlives a dead daemon."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

from lsp_server.threads import in_thread
from personalizer.daemon.protocol import (
    GenerateRequest,
    Job,
    PlaceRequest,
    SnippetRequest,
    TrainRequest,
    ViewAct,
)
from personalizer.errors import NotListening, Unreachable

__all__ = ["Connect", "Daemon", "Json", "Link"]

T = TypeVar("T")
Json = dict[str, Any]

_log = logging.getLogger(__name__)


class Daemon(Protocol):
    """What the server asks of a daemon. Calls block; each may come from a thread of its own.

    Each raises ``PersonalizerError`` with a line for the user, ``Cancelled`` once ``cancelled``
    is set, and ``Unreachable`` when the daemon has died.
    """

    def generate(
        self,
        request: GenerateRequest,
        *,
        cancelled: threading.Event | None = None,
        on_candidate: Callable[[int, Json], None] | None = None,
    ) -> Json:
        """A unit test: the JSON of ``personalizer generate``, with the edit's ``changes``.

        ``on_candidate`` is called with a number and a candidate when it is made and when tried.
        """

    def snippet(self, request: SnippetRequest, *, cancelled: threading.Event | None = None) -> Json:
        """A body: the JSON of ``personalizer snippet``, with the edit's ``changes``."""

    def place(self, request: PlaceRequest) -> Json:
        """The edit that adds one candidate of a generation to the project."""

    def status(self, workspace: str) -> Json:
        """The JSON of ``personalizer status``."""

    def adapters(self, workspace: str) -> Json:
        """Adapters, the newest first, and which one serves."""

    def act(self, workspace: str, act: ViewAct) -> str:
        """Uses an adapter, rolls back, trains or cancels; what to tell the user."""

    def page(self, workspace: str) -> str:
        """The status view as one HTML document."""

    def train(self, request: TrainRequest) -> Job:
        """Has a training queued."""

    def job(self, job_id: str) -> Job:
        """A training as it now is."""

    def cancel(self, job_id: str) -> Job:
        """Asks a training to end."""


class Connect(Protocol):
    """Reaches the daemon; blocks."""

    def __call__(self, start: bool = True) -> Daemon:
        """Starts one where none runs, or raises ``DaemonError`` there."""


class Link:
    """A connection that is made when first needed and made again, once a call, when it is lost."""

    def __init__(self, connect: Connect, lost: Callable[[], None]) -> None:
        """
        Args:
            connect: Reaches the daemon.
            lost: Told on the event loop that a daemon had died and another was started; not of one
                that had ended in good order, as it does when nobody has asked for long.
        """
        self._connect = connect
        self._lost = lost
        self._daemon: Daemon | None = None
        self._connecting = asyncio.Lock()

    async def ask(
        self, call: Callable[[Daemon], T], *, repeat: bool = True, start: bool = True
    ) -> T:
        """Awaits ``call(daemon)``, beside the event loop.

        Args:
            call: What is asked.
            repeat: Whether it may be asked again of the next daemon where one died at it: it may
                have been done.
            start: Whether a daemon is started where none runs.

        Raises:
            DaemonError: If the daemon can be neither reached nor started again.
            PersonalizerError: As the call does; what a living daemon answers is not asked again.
        """
        known = self._daemon
        daemon = known or await self._reach(None, start)
        try:
            return await in_thread(call, daemon)
        except Unreachable as error:
            _log.warning("the daemon is gone: %s", error)
            asked = not isinstance(error, NotListening)
            if asked and not repeat:
                raise Unreachable(
                    f"{error}; it may have done this all the same: look before you ask again"
                ) from error
            if known is None:
                raise
            well = isinstance(error, NotListening) and error.ended_well
        daemon = await self._reach(known, start, died=not well)
        return await in_thread(call, daemon)

    async def _reach(self, dead: Daemon | None, start: bool, *, died: bool = False) -> Daemon:
        async with self._connecting:
            if self._daemon is None or self._daemon is dead:
                self._daemon = None
                connect = self._connect if start else partial(self._connect, start=False)
                self._daemon = await in_thread(connect)
                if died:
                    self._lost()
            return self._daemon
