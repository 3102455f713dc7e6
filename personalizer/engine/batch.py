"""Requests that go through one model together, each from its own first token to its own end.

transformers' continuous batching gives a row no adapter of its own, and PEFT's mixed batches take
no new rows: the step from one token to the next is ours (docs/decisions/0015).
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import torch
from transformers import DynamicCache

from personalizer.engine.cache import RowCache
from personalizer.engine.reading import Reading
from personalizer.engine.resident import Adapter, Asked, Resident
from personalizer.engine.rows import Row
from personalizer.models import LoadedBase

__all__ = ["Batch", "has_rows"]


def has_rows(base: LoadedBase) -> bool:
    """Whether rows of different lengths can go through a model together.

    They can where keys and values are all that it remembers and positions are told to it.
    """
    model = base.model
    return (
        not base.encoder_decoder
        and not getattr(model, "_is_stateful", False)
        and not getattr(model.config, "num_kv_shared_layers", 0)
        and "position_ids" in inspect.signature(model.forward).parameters
    )


class Batch:
    """Rows on one base model.

    Shapes: R rows, T new tokens of each, S tokens that are remembered of the longest, V vocabulary.
    """

    def __init__(self, resident: Resident) -> None:
        self.rows: list[Row] = []
        self._resident = resident
        self._adapters: list[Adapter] = []
        self._cache = RowCache()
        self._model = resident.base.model
        self._few = "logits_to_keep" in inspect.signature(self._model.forward).parameters

    def add(self, reading: Reading, adapter: Adapter) -> list[Row]:
        """Reads a prompt and writes the first token of each of its completions."""
        base = self._resident.base
        past = Asked(base, adapter).remembered() or DynamicCache()
        first = past.get_seq_length()
        self._resident.turn_to([adapter])
        positions = torch.arange(first, first + len(reading.prompt))
        scores = self._pass(
            [reading.prompt], positions[None], torch.ones(1, len(positions) + first), past, keep=1
        )
        rows = [Row(reading, place) for place in range(reading.request.count)]
        likeliest = int(scores[0, -1].argmax())
        for row in rows:
            row.follow(likeliest, scores[0, -1])
            if not row.ended:
                self._cache.add(past)
                self.rows.append(row)
                self._adapters.append(adapter)
        return rows

    def step(self) -> None:
        """One token more for every row; a greedy row that is alone may get several."""
        alone = self.rows[0] if len(self.rows) == 1 and self.rows[0].greedy else None
        proposed = alone.proposed() if alone else []
        self._resident.turn_to(self._adapters)
        self._cache.reserve(1 + len(proposed))
        lengths = torch.tensor(self._cache.lengths)
        given = [[row.written[-1], *proposed] for row in self.rows]
        positions = lengths[:, None] + torch.arange(len(given[0]))
        columns = torch.arange(self._cache.begin, self._cache.end + len(given[0]))
        mask = columns >= torch.tensor(self._cache.starts)[:, None]
        scores = self._pass(given, positions, mask, self._cache, keep=0)
        likeliest = scores.argmax(-1).tolist()
        kept = 1
        for place, row in enumerate(self.rows):
            token = row.follow(likeliest[place][0], scores[place, 0])
            while not row.ended and kept <= len(proposed) and token == proposed[kept - 1]:
                token = row.follow(likeliest[place][kept], scores[place, kept])
                kept += 1
        self._cache.advance(kept)
        self.drop([row for row in self.rows if row.ended])

    def drop(self, rows: Sequence[Row]) -> None:
        """Takes rows out."""
        for row in rows:
            place = self.rows.index(row)
            self.rows[place] = self.rows[-1]
            self._adapters[place] = self._adapters[-1]
            self.rows.pop()
            self._adapters.pop()
            self._cache.drop(place)

    def _pass(
        self,
        tokens: list[list[int]],
        positions: torch.Tensor,
        mask: torch.Tensor,
        cache: DynamicCache | RowCache,
        *,
        keep: int,
    ) -> torch.Tensor:
        """Log probabilities of what follows.

        Args:
            tokens: R lists of T ids.
            positions: ``(R, T)``, int64.
            mask: ``(R, S + T)``, false where a row has not begun.
            cache: What is remembered; written to.
            keep: Of how many last tokens; 0 of all.

        Returns:
            ``(R, keep or T, V)``, float32.
        """
        device = self._model.device
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor(tokens, device=device),
                attention_mask=mask.long().to(device),
                position_ids=positions.to(device),
                past_key_values=cache,
                use_cache=True,
                **({"logits_to_keep": keep} if self._few else {}),
            )
            scores: torch.Tensor = output.logits[:, -keep:].float().log_softmax(-1)
            return scores
