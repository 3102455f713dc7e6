"""What is known of a completion, kept from one token to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Along"]

T = TypeVar("T")
_KNOWN = 64
"""States that are kept: those of the rows of a batch, or of a beam search, and of their parents."""


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

    def of(self, written: tuple[int, ...]) -> T | None:
        """The state behind a row; None where it, or a part of it, does not fit."""
        if written not in self._states:
            before: T | None
            if written and written[:-1] in self._states:
                before, more = self._states[written[:-1]], written[-1:]
            else:
                before, more = self._begin, written
            self._states[written] = None if before is None else self._follow(before, more)
            while len(self._states) > _KNOWN:
                del self._states[next(iter(self._states))]
        return self._states[written]
