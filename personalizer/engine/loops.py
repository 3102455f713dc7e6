"""Keeps a small model from writing the same line for ever."""

from __future__ import annotations

import torch
from transformers import LogitsProcessor

__all__ = ["LOOP_TOKENS", "NoLoops"]

LOOP_TOKENS = 24
"""Tokens in a row that a completion may not repeat. Of the developers' own tests of three projects
0.3 to 6.4 % repeat as many (``benchmarks/loops.py``)."""


class NoLoops(LogitsProcessor):
    """Forbids a token that would repeat a run of ``length`` tokens of the completion itself.

    Unlike ``no_repeat_ngram_size`` of transformers it does not look at the prompt: a test repeats
    much of its prompt, and should.
    """

    def __init__(self, start: int, length: int = LOOP_TOKENS) -> None:
        """
        Args:
            start: Tokens of the prompt.
            length: Tokens in a row that may not come twice.
        """
        self._start = start
        self._length = length

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Shapes: B completions, T tokens so far, V vocabulary.

        Args:
            input_ids: ``(B, T)``, int64, the prompt included.
            scores: ``(B, V)``, any float dtype.

        Returns:
            ``(B, V)``; minus infinity where a token would repeat a run.
        """
        context = self._length - 1
        own = input_ids[:, self._start :]
        if own.shape[1] <= context:
            return scores
        runs = own.unfold(1, context, 1)[:, :-1]  # every run that a token follows
        same = (runs == own[:, None, -context:]).all(-1)
        if not same.any():
            return scores
        scores = scores.clone()
        for row, place in same.nonzero().tolist():
            scores[row, own[row, place + context]] = -torch.inf
        return scores
