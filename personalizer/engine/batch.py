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

    They can where keys and values of all tokens are what it remembers, and positions and what each
    token may look at are told to it.
    """
    model = base.model
    return (
        not base.encoder_decoder
        and not getattr(model, "_is_stateful", False)
        and not getattr(model.config, "num_kv_shared_layers", 0)
        and set(getattr(model.config, "layer_types", None) or []) <= {"full_attention"}
        and not getattr(model.config, "sliding_window", None)
        and model.config._attn_implementation in ("sdpa", "eager")
        and "position_ids" in inspect.signature(model.forward).parameters
    )


_TOKENS = 32
"""Tokens of all rows in one pass, if prompt lookup proposes as many: a processor core reads some
tens of them in little more time than one (``benchmarks/serving.py``)."""


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
        read = [*reading.prompt, *reading.begun]
        positions = torch.arange(first, first + len(read))
        scores = self._pass([read], positions[None], None, past, keep=1)
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
        """One token more for every row; a greedy row may get several.

        Each row's last token goes through the model with those that prompt lookup proposes to
        follow it. As many are kept as the model would have written by itself; a row that has come
        to a dead end gets none and takes some back.
        """
        most = _TOKENS // len(self.rows) - 1
        proposed = [row.proposed()[: max(0, most)] if row.greedy else [] for row in self.rows]
        count = 1 + max(map(len, proposed))
        given = [
            [row.written[-1], *ids, *[0] * (count - 1 - len(ids))]
            for row, ids in zip(self.rows, proposed, strict=True)
        ]
        self._resident.turn_to(self._adapters)
        seen = self._cache.expect(count)
        last = self._resident.base.context - 1  # of padding, which comes to nothing
        positions = self._cache.places[1].clamp(max=last)
        scores = self._pass(given, positions, seen if len(given) > 1 else None, self._cache, keep=0)
        likeliest = scores.argmax(-1).tolist()
        kept = [
            _follow(row, ids, tokens, following)
            for row, ids, tokens, following in zip(
                self.rows, proposed, likeliest, scores, strict=True
            )
        ]
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
        seen: torch.Tensor | None,
        cache: DynamicCache | RowCache,
        *,
        keep: int,
    ) -> torch.Tensor:
        """Log probabilities of what follows.

        Args:
            tokens: R lists of T ids.
            positions: ``(R, T)``, int64.
            seen: ``(R, T, S)``, bool: what each token may look at; None for all before it.
            cache: What is remembered; written to.
            keep: Of how many last tokens; 0 of all.

        Returns:
            ``(R, keep or T, V)``, float32.
        """
        device = self._model.device
        mask = None if seen is None else seen[:, None]
        if mask is not None and self._model.config._attn_implementation == "eager":
            least = torch.finfo(self._model.dtype).min
            mask = torch.zeros_like(mask, dtype=self._model.dtype).masked_fill(~mask, least)
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor(tokens, device=device),
                attention_mask=mask,
                position_ids=positions.to(device),
                past_key_values=cache,
                use_cache=True,
                **({"logits_to_keep": keep} if self._few else {}),
            )
            scores: torch.Tensor = output.logits[:, -keep:].float().log_softmax(-1)
            return scores


def _follow(row: Row, proposed: list[int], likeliest: list[int], scores: torch.Tensor) -> int:
    """Lets a row take tokens for as long as they are those that were proposed.

    Returns:
        By how many it has grown; below 0 where it took more back.
    """
    before, right = len(row.written), 0
    token = row.follow(likeliest[0], scores[0])
    while not row.ended and right < len(proposed) and token == proposed[right]:
        right += 1
        token = row.follow(likeliest[right], scores[right])
    row.learn(len(proposed), right)
    return len(row.written) - before
