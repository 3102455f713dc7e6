"""Time that a training really ran: not the time it was held still for an editor's request."""

from __future__ import annotations

import threading
import time
from typing import Self

__all__ = ["RunningClock"]

_TICK = 0.2
"""Seconds between two ticks."""
_LONGEST = 1.0
"""Seconds that a tick counts at most; a longer gap means that the process was held."""


class RunningClock:
    """Counts seconds while the process runs.

    A thread ticks; a process that was stopped (SIGSTOP, Ctrl-Z, a machine asleep) does not, and
    the gap it leaves counts as one tick at most.

    Args:
        seconds: What was counted before.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._last = time.monotonic()
        self._access = threading.Lock()
        self._ended = threading.Event()
        threading.Thread(target=self._tick, name="running-clock", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def seconds(self) -> float:
        """Seconds that ran so far."""
        with self._access:
            now = time.monotonic()
            self._seconds += min(now - self._last, _LONGEST)
            self._last = now
            return self._seconds

    def stop(self) -> None:
        """Ends the thread; what was counted stays."""
        self._ended.set()

    def _tick(self) -> None:
        while not self._ended.wait(_TICK):
            self.seconds()
