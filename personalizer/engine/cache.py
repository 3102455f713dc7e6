"""What the model remembers of the rows of a batch that rows join and leave.

transformers' own ``DynamicCache`` copies all keys and values at each token. Here they lie in room
that is made larger seldom, a token is written in place, and a row that ends gives its place to the
last one.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

__all__ = ["RowCache"]

_COLUMNS = 128
"""Tokens that room is made for at once."""


class RowCache(Cache):
    """Keys and values of rows that end at the same column and begin at different ones.

    Shapes: R rows, C columns of which those from ``begin`` to ``end`` are read.
    """

    def __init__(self) -> None:
        super().__init__(layers=[])
        self.layers: list[_Layer] = []
        self.starts: list[int] = []
        """The column that each row begins at."""
        self.end = 0

    @property
    def begin(self) -> int:
        """The first column that a row needs."""
        return min(self.starts, default=self.end)

    @property
    def lengths(self) -> list[int]:
        """Tokens that are kept of each row."""
        return [self.end - start for start in self.starts]

    def add(self, read: Cache) -> None:
        """Takes a row over.

        Args:
            read: A cache of one row without padding.
        """
        length = read.get_seq_length()
        if not self.layers:
            self.layers = [_Layer(self, layer) for layer in read.layers]
        first = min(self.begin, self.end - length)
        if first < 0 or len(self.starts) == self.layers[0].capacity[0]:
            self._move(first, rows=len(self.starts) + 1)
        for mine, theirs in zip(self.layers, read.layers, strict=True):
            mine.write(len(self.starts), self.end - length, theirs)
        self.starts.append(self.end - length)
        self._show()

    def drop(self, row: int) -> None:
        """Forgets a row; the last one takes its place."""
        last = len(self.starts) - 1
        if row != last:
            for layer in self.layers:
                layer.copy(last, row, self.starts[last], self.end)
            self.starts[row] = self.starts[last]
        self.starts.pop()
        if not self.starts:
            self.layers, self.end = [], 0
        self._show()

    def reserve(self, tokens: int) -> None:
        """Makes room for so many tokens more."""
        if self.end + tokens > self.layers[0].capacity[1]:
            self._move(self.begin, more=tokens)

    def advance(self, tokens: int) -> None:
        """Keeps so many of the tokens that the last pass wrote, and no more of them."""
        self.end += tokens
        self._show()

    def _move(self, first: int, *, rows: int = 0, more: int = 0) -> None:
        """To other room.

        Args:
            first: The column that becomes the first one; below 0 there is room before what is.
            rows: Rows that room is needed for at least.
            more: Tokens that will be written beside those that room is made for in any case.
        """
        held, _ = self.layers[0].capacity
        room = (2 * held or rows if rows > held else held, self.end - first + more + _COLUMNS)
        begin = max(first, self.begin)
        for layer in self.layers:
            layer.move(room, len(self.starts), begin, self.end, begin - first)
        self.starts = [start - first for start in self.starts]
        self.end -= first

    def _show(self) -> None:
        for layer in self.layers:
            layer.show(self.end)


class _Layer(DynamicLayer):
    """One block's part."""

    def __init__(self, owner: RowCache, like: Any) -> None:
        super().__init__()
        self._owner = owner
        self.dtype, self.device = like.keys.dtype, like.keys.device
        self._store = [self._empty(one, 0, 0) for one in (like.keys, like.values)]
        self.is_initialized = True

    @property
    def capacity(self) -> tuple[int, int]:
        """Rows and columns that there is room for."""
        return self._store[0].shape[0], self._store[0].shape[2]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes new tokens of all rows behind the end.

        Shapes: R rows, H heads, T new tokens, S tokens read, D of a head.

        Args:
            key_states: ``(R, H, T, D)``.
            value_states: ``(R, H, T, D)``.

        Returns:
            Keys and values ``(R, H, S, D)``, the new ones at the end.
        """
        first = self._owner.end
        end = first + key_states.shape[2]
        for store, new in zip(self._store, (key_states, value_states), strict=True):
            store[: new.shape[0], :, first:end] = new
        self.show(end)
        return self.keys, self.values

    def show(self, end: int) -> None:
        rows, begin = len(self._owner.starts), self._owner.begin
        self.keys, self.values = (store[:rows, :, begin:end] for store in self._store)

    def write(self, row: int, column: int, other: Any) -> None:
        for store, new in zip(self._store, (other.keys, other.values), strict=True):
            store[row, :, column : column + new.shape[2]] = new[0]

    def copy(self, source: int, target: int, begin: int, end: int) -> None:
        for store in self._store:
            store[target, :, begin:end] = store[source, :, begin:end]

    def move(self, room: tuple[int, int], rows: int, begin: int, end: int, to: int) -> None:
        for place, old in enumerate(self._store):
            new = self._empty(old, *room)
            new[:rows, :, to : to + end - begin] = old[:rows, :, begin:end]
            self._store[place] = new

    @staticmethod
    def _empty(like: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
        """Zeros: what is masked is still multiplied, and must be a number."""
        return like.new_zeros((rows, like.shape[1], columns, like.shape[3]))
