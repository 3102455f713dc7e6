"""Short pauses for the editor while a folder is read in another thread of this process."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["take_short_turns", "without_collection"]

_TURN = 0.001
"""Seconds that a thread computes while others wait; a request changes threads four times."""

_lock = threading.Lock()
_readers = 0


def take_short_turns() -> None:
    """Lets threads of pure Python give way five times as often as Python by itself does."""
    sys.setswitchinterval(_TURN)


@contextmanager
def without_collection() -> Iterator[None]:
    """Many records are made in the block that stay, and that never point back at one another.

    Python looks for cycles among all that it holds each time that this has grown by a quarter,
    with every thread stopped: a tenth of a second among the facts of ten thousand files, again
    and again while they are read, and each later time that it looks. There is nothing to find, so
    it does not look meanwhile, and leaves what was made out of all later looks. Reference counts
    free it as before.
    """
    global _readers
    with _lock:
        _readers += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _readers -= 1
            if not _readers:
                gc.freeze()
                gc.enable()
