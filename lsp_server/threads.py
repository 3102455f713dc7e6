"""Slow work beside the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Awaits a blocking call in a daemon thread.

    ``asyncio.to_thread`` would keep a dying server alive until the call ends: the interpreter
    joins the threads of executors, and a generation may take minutes.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(act: Callable[[], None]) -> None:
        if not future.done():
            act()

    def run() -> None:
        try:
            act = partial(future.set_result, function(*arguments))
        except BaseException as error:
            act = partial(future.set_exception, error)
        with contextlib.suppress(RuntimeError):  # The loop has ended: nobody waits any more.
            loop.call_soon_threadsafe(settle, act)

    threading.Thread(target=run, name=getattr(function, "__name__", "call"), daemon=True).start()
    return await future
