"""What the editor is asked to do, and may refuse to."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TypeVar

from pygls.exceptions import JsonRpcException

__all__ = ["granted"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def granted(request: Awaitable[T]) -> T | None:
    """What the editor answers; None where it refuses, or does not know what it is asked."""
    try:
        return await request
    except JsonRpcException as error:
        _log.warning("the editor refused: %s", error)
        return None
