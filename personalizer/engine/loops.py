"""Keeps a small model from writing the same line for ever."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor

__all__ = ["Dry"]

_ALLOWED = 5
"""Tokens in a row that may come twice at no cost."""
_STRENGTH = 1.0
"""What the first token more costs, in nats before normalisation."""
_GROWTH = 1.75
"""By how much each further one costs more."""
_LONGEST = 24
"""Tokens in a row from which on the cost grows no more: some 40,000 nats, which is never."""


class Dry(LogitsProcessor):
    """Makes a token the less likely the longer a run of the completion it would repeat.

    The DRY sampler ("don't repeat yourself") of text-generation-webui and llama.cpp: what may be
    said twice by chance costs nothing, a line that comes again costs more with each of its tokens,
    and where the model is sure enough it may still do so. Unlike theirs, and unlike transformers'
    ``no_repeat_ngram_size``, it does not look at the prompt: much of a test stands there.
    """

    def __init__(self, start: int) -> None:
        """
        Args:
            start: Tokens of the prompt.
        """
        self._start = start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Shapes: B completions, T tokens so far, V vocabulary.

        Args:
            input_ids: ``(B, T)``, int64, the prompt included.
            scores: ``(B, V)``, any float dtype.

        Returns:
            ``(B, V)``; lower where a token would repeat a run, the same object if none would.
        """
        found = [_repeating(row) for row in input_ids[:, self._start :].tolist()]
        if not any(found):
            return scores
        scores = scores.clone()
        for row, tokens in enumerate(found):
            for token, length in tokens.items():
                scores[row, token] -= _STRENGTH * _GROWTH ** (length - _ALLOWED)
        return scores


def _repeating(ids: Sequence[int]) -> dict[int, int]:
    """Tokens that followed the last ones before, and how many of the last ones they followed.

    Example:
        >>> _repeating([1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5])
        {6: 5}
    """
    found: dict[int, int] = {}
    last = len(ids) - 1
    for place in range(_ALLOWED - 1, last):
        length = 0
        while length < min(_LONGEST, place + 1) and ids[place - length] == ids[last - length]:
            length += 1
        if length >= _ALLOWED:
            token = ids[place + 1]
            found[token] = max(length, found.get(token, 0))
    return found
