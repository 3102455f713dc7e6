"""The daemon's log: kept, and begun anew when it is large."""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

__all__ = ["keep_log"]

_LARGEST = 1_000_000
"""Bytes from which the log is kept as ``daemon.log.1`` and begun anew."""
_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def keep_log(file: Path) -> None:
    """Logs to standard error, or to the log file where standard error was led there."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if _is_standard_error(file):
        handler = _Rotating(file, maxBytes=_LARGEST, backupCount=2, encoding="utf-8")
    logging.basicConfig(level=logging.INFO, format=_FORMAT, handlers=[handler])
    logging.raiseExceptions = False  # a full disk takes no log, nor a complaint about that


class _Rotating(RotatingFileHandler):
    """Leads standard error along, so that what a library prints goes to the new file too."""

    def doRollover(self) -> None:
        super().doRollover()
        if self.stream is not None:
            os.dup2(self.stream.fileno(), sys.stderr.fileno())


def _is_standard_error(file: Path) -> bool:
    try:
        return os.path.samestat(file.stat(), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError):
        return False
