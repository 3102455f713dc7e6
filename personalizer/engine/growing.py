"""What a model remembers of rows that grow together: beams, or tests for several prompts."""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

__all__ = ["GrowingCache"]

_COLUMNS = 128
"""Tokens that room is made for at once."""


class GrowingCache(Cache):
    """Keys and values for models of which :func:`personalizer.engine.batch.has_rows` is true.

    At each token ``DynamicCache`` copies all that each row remembers to put the new token behind
    it, and again when beams change places: more than half the time of a small model. Here there is
    room behind the last token, and the prompt stays where it is: beams that change places have it
    in common.

    Args:
        begun: What the rows remember before the first token: a prefix, equal in each row.
    """

    def __init__(self, begun: Cache | None = None) -> None:
        if begun is None:
            super().__init__(layer_class_to_replicate=_Layer)
        else:
            super().__init__(layers=[_Layer(layer) for layer in begun.layers])

    def read(self, model: Any, tokens: torch.Tensor, mask: torch.Tensor, rows: int) -> None:
        """Reads each text once, though so many rows are to go on from it.

        transformers' ``generate`` would read it for each of them.

        Args:
            model: With a head for a language, which is not needed here.
            tokens: ``(B, T)``, int64; as many as are remembered already stand for these.
            mask: ``(B, T)``, 0 where a row is filled up on its left.
            rows: Of each text, next to each other afterwards.
        """
        before = self.get_seq_length()
        if rows > 1 and before < tokens.shape[1]:
            model.get_decoder()(
                input_ids=tokens[:, before:],
                attention_mask=mask,
                position_ids=(mask.cumsum(1) - 1).clamp(min=0)[:, before:],
                past_key_values=self,
                use_cache=True,
            )
        self.batch_repeat_interleave(rows)

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """Puts in each row's place what another remembers: ``(B,)``, int64."""
        moved = (beam_idx != torch.arange(len(beam_idx), device=beam_idx.device)).nonzero()[:, 0]
        for layer in self.layers:
            layer.move(moved, beam_idx[moved])


class _Layer(DynamicLayer):
    """One block's part.

    Shapes: B rows, H heads, T new tokens of each, S tokens so far, D of a head.
    """

    def __init__(self, begun: Any = None) -> None:
        super().__init__()
        self._store: list[torch.Tensor] = []
        self._shared = 0
        """Tokens that beams have in common: what stood there, and the first pass, the prompt."""
        if begun is not None:
            self.lazy_initialization(begun.keys, begun.values)
            self._write(begun.keys, begun.values)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Puts new tokens behind each row.

        Args:
            key_states: ``(B, H, T, D)``.
            value_states: ``(B, H, T, D)``.

        Returns:
            Keys and values ``(B, H, S, D)``, to be read only.
        """
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self._write(key_states, value_states)
        self._shared = self._shared or self.get_seq_length()
        return self.keys, self.values

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Makes so many equal rows of each."""
        length = self.get_seq_length()
        if not length:
            return
        self._store = [store.repeat_interleave(repeats, dim=0) for store in self._store]
        self.keys, self.values = (store[:, :, :length] for store in self._store)

    def move(self, rows: torch.Tensor, sources: torch.Tensor) -> None:
        """Gives rows what followed the prompt in others; both ``(M,)``, int64."""
        for part in (self.keys, self.values):
            tail = part[:, :, self._shared :]
            tail[rows.to(part.device)] = tail[sources.to(part.device)]

    def _write(self, *states: torch.Tensor) -> None:
        before = self.get_seq_length()
        after = before + states[0].shape[2]
        if not self._store or after > self._store[0].shape[2]:
            self._grow(states, before, after + _COLUMNS)
        for store, new in zip(self._store, states, strict=True):
            store[:, :, before:after] = new
        self.keys, self.values = (store[:, :, :after] for store in self._store)

    def _grow(self, states: tuple[torch.Tensor, ...], length: int, columns: int) -> None:
        for place, new in enumerate(states):
            rows, heads, _, width = new.shape
            larger = new.new_empty((rows, heads, columns, width))
            if length:
                larger[:, :, :length] = self._store[place][:, :, :length]
            self._store[place : place + 1] = [larger]
