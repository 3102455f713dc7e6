"""What is known of a completion, kept from one token to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Along"]

T = TypeVar("T")
_KNOWN = 64
"""States that are kept at least: a row goes back to one of before where a proposal was wrong."""


class Along(Generic[T]):
    """A state behind rows of tokens, each found from that of the row one token shorter.

    Args:
        begin: The state before the first token; None where nothing fits.
        follow: The state behind more tokens, of which the one that is given is left as it was;
            None where they do not fit.
    """

    def __init__(self, begin: T | None, follow: Callable[[T, Sequence[int]], T | None]) -> None:
        self._begin = begin
        self._follow = follow
        self._states: dict[tuple[int, ...], T | None] = {}

    def of(self, rows: Sequence[tuple[int, ...]]) -> list[T | None]:
        """The state behind each row; None where it, or a part of it, does not fit."""
        found = [self._of(row) for row in rows]
        while len(self._states) > max(_KNOWN, len(rows)):
            del self._states[next(iter(self._states))]
        return found

    def _of(self, written: tuple[int, ...]) -> T | None:
        if written not in self._states:
            before: T | None
            if written and written[:-1] in self._states:
                before, more = self._states[written[:-1]], written[-1:]
            else:
                before, more = self._begin, written
            self._states[written] = None if before is None else self._follow(before, more)
        return self._states[written]
