"""A generation as server-sent events: each candidate as it is made and judged, then the answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec

from personalizer.daemon.answers import failure
from personalizer.daemon.bounds import Turns
from personalizer.daemon.protocol import GenerateRequest
from personalizer.daemon.service import Service
from personalizer.generation import Candidate, Generation

__all__ = ["generation_events"]

Event = tuple[int, Candidate] | Generation | Exception


async def generation_events(
    service: Service, turns: Turns, asked: GenerateRequest
) -> AsyncIterator[bytes]:
    """Events ``candidate``, with its ``number`` in the order of making, then ``done`` or ``error``.

    A candidate comes once when it is made and once more with its verdict. Who hangs up cancels.
    """
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[Event] = asyncio.Queue()
    cancelled = threading.Event()

    def put(event: Event) -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it whoever listened
            loop.call_soon_threadsafe(events.put_nowait, event)

    async def work() -> None:
        def generate(gone: threading.Event) -> Generation:
            return service.generate(asked, gone, lambda number, one: put((number, one)))

        try:
            put(await turns.run(generate, cancelled))
        except Exception as error:
            put(error)

    working = asyncio.create_task(work())
    try:
        while isinstance(event := await events.get(), tuple):
            number, candidate = event
            shown = {"number": number} | msgspec.to_builtins(candidate)
            yield _event("candidate", shown)
        yield _event("done", event) if isinstance(event, Generation) else _failed(event)
    finally:
        cancelled.set()
        await asyncio.shield(working)


def _failed(error: Exception) -> bytes:
    _, body = failure(error)
    return _event("error", body)


def _event(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
