"""What the model remembers of the rows of a batch that rows join and leave.

transformers' own ``DynamicCache`` copies all keys and values at each token and keeps all rows
equally long. Here they lie in room that is made larger seldom, each row grows by as much as was
kept of it, and a row that ends gives its place to the last one.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

__all__ = ["RowCache"]

_COLUMNS = 128
"""Tokens that room is made for at once."""


class RowCache(Cache):
    """Keys and values of rows that all begin at the first column.

    Shapes: R rows, H heads, T new tokens of each, S tokens read, D of a head.
    """

    def __init__(self) -> None:
        super().__init__(layers=[])
        self.layers: list[_Layer] = []
        self.lengths: list[int] = []
        """Tokens that are kept of each row."""
        self.width = 0
        """S: columns that the next pass reads, its own tokens among them."""
        self.places: tuple[torch.Tensor, torch.Tensor] = (torch.empty(0), torch.empty(0))
        """Rows ``(R, 1)`` and columns ``(R, T)`` that the next pass writes to, int64."""

    def add(self, read: Cache) -> None:
        """Takes a row over.

        Args:
            read: A cache of one row without padding.
        """
        length = read.get_seq_length()
        if not self.layers:
            self.layers = [_Layer(self, layer) for layer in read.layers]
        self._make_room(len(self.lengths) + 1, max(length, *self.lengths, 0))
        for mine, theirs in zip(self.layers, read.layers, strict=True):
            mine.write(len(self.lengths), theirs)
        self.lengths.append(length)

    def drop(self, row: int) -> None:
        """Forgets a row; the last one takes its place."""
        last = len(self.lengths) - 1
        if row != last:
            for layer in self.layers:
                layer.copy(last, row, self.lengths[last])
            self.lengths[row] = self.lengths[last]
        self.lengths.pop()
        if not self.lengths:
            self.layers = []

    def expect(self, tokens: int) -> torch.Tensor:
        """Makes ready for a pass of so many tokens of each row.

        Returns:
            ``(R, T, S)``, bool: what each token may look at.
        """
        self.width = max(self.lengths) + tokens
        self._make_room(len(self.lengths), self.width)
        device = self.layers[0].device
        rows = torch.arange(len(self.lengths), device=device)[:, None]
        columns = torch.tensor(self.lengths, device=device)[:, None]
        columns = columns + torch.arange(tokens, device=device)
        self.places = (rows, columns)
        for layer in self.layers:
            layer.show(len(self.lengths), self.width - tokens)
        return torch.arange(self.width, device=device) <= columns[..., None]

    def advance(self, tokens: list[int]) -> None:
        """Keeps so many of the tokens that the last pass wrote to each row, and no more of them.

        Below 0 it forgets as many of those before.
        """
        self.lengths = [old + new for old, new in zip(self.lengths, tokens, strict=True)]

    def _make_room(self, rows: int, columns: int) -> None:
        held, long = self.layers[0].capacity
        if rows > held or columns > long:
            more_rows = max(rows, 2 * held) if rows > held else held
            more_columns = columns + _COLUMNS if columns > long else long
            for layer in self.layers:
                layer.grow(more_rows, more_columns)


class _Layer(DynamicLayer):
    """One block's part."""

    def __init__(self, owner: RowCache, like: Any) -> None:
        super().__init__()
        self._owner = owner
        self.dtype, self.device = like.keys.dtype, like.keys.device
        self._store = [_zeros(one, 0, 0) for one in (like.keys, like.values)]
        self.is_initialized = True

    @property
    def capacity(self) -> tuple[int, int]:
        """Rows and columns that there is room for."""
        return self._store[0].shape[0], self._store[0].shape[2]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes new tokens behind the end of each row.

        Args:
            key_states: ``(R, H, T, D)``.
            value_states: ``(R, H, T, D)``.

        Returns:
            Keys and values ``(R, H, S, D)``; what lies behind a row's end is to be masked.
        """
        rows, columns = self._owner.places
        for store, new in zip(self._store, (key_states, value_states), strict=True):
            store[rows, :, columns] = new.transpose(1, 2)
        self.show(len(rows), self._owner.width)
        return self.keys, self.values

    def show(self, rows: int, columns: int) -> None:
        self.keys, self.values = (store[:rows, :, :columns] for store in self._store)

    def write(self, row: int, other: Any) -> None:
        for store, new in zip(self._store, (other.keys, other.values), strict=True):
            store[row, :, : new.shape[2]] = new[0]

    def copy(self, source: int, target: int, length: int) -> None:
        for store in self._store:
            store[target, :, :length] = store[source, :, :length]

    def grow(self, rows: int, columns: int) -> None:
        held, long = self.capacity
        for place, old in enumerate(self._store):
            self._store[place] = _zeros(old, rows, columns)
            self._store[place][:held, :, :long] = old


def _zeros(like: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """What is masked is still multiplied, and must be a number."""
    return like.new_zeros((rows, like.shape[1], columns, like.shape[3]))
