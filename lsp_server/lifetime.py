"""The server's end: with its editor, whatever happens to the editor, and with nothing left over."""

from __future__ import annotations

import os
import threading
import time
from typing import NoReturn

import psutil

__all__ = ["end", "end_with"]

_WATCH = 2.0
"""Seconds between two looks at whether the editor lives."""


def end(code: int) -> NoReturn:
    """Ends this process without waiting for its threads; its workers end at their closed pipes.

    Nothing is lost: facts and edits are written in one piece or not at all.
    """
    os._exit(code)


def end_with(editor: int | None) -> None:
    """Watches the editor's process and ends with it, though somebody may still hold its pipe.

    Args:
        editor: Process id as the editor gave it. One that is not here, as when the editor runs
            in another container, is not watched.
    """
    try:
        process = psutil.Process(editor) if editor else None
    except psutil.NoSuchProcess:
        process = None
    if process is not None:
        threading.Thread(target=_watch, args=(process,), name="watch-editor", daemon=True).start()


def _watch(editor: psutil.Process) -> None:
    try:
        while editor.is_running() and editor.status() != psutil.STATUS_ZOMBIE:
            time.sleep(_WATCH)
    except psutil.NoSuchProcess:
        pass
    end(1)
