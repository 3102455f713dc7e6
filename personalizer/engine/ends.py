"""Ends a completion where the method that it writes ends, whatever the model would write next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import StoppingCriteria

from indexer.languages.lexis import block_end

__all__ = ["MethodEnd", "StopAtMethodEnd"]


class MethodEnd:
    """Finds the token that closes the first block of a completion.

    Args:
        tokenizer: The base model's.
        decode: Token ids to text.
    """

    def __init__(self, tokenizer: Any, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._closing = {i for token, i in tokenizer.get_vocab().items() if "}" in token}

    def of(self, row: Sequence[int], known_open: int = 0) -> int | None:
        """How many tokens of a completion its first block takes; None while it is open.

        Args:
            row: Token ids of the completion.
            known_open: Tokens after which the block is known to be open still.
        """
        for place in range(known_open, len(row)):
            if row[place] not in self._closing:
                continue
            if block_end(self._decode(list(row[: place + 1]))) is not None:
                return place + 1
        return None


class StopAtMethodEnd(StoppingCriteria):
    """Stops a completion, or a beam, once its first block is closed.

    Args:
        ends: Finds the end.
        start: Tokens of the prompt.
    """

    def __init__(self, ends: MethodEnd, start: int) -> None:
        self._ends = ends
        self._start = start

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        """Shapes: B completions, T tokens so far, the prompt's included.

        Args:
            input_ids: ``(B, T)``, int64.
            scores: Not read.

        Returns:
            ``(B,)``, bool: which are at their end.
        """
        rows = input_ids[:, self._start :].tolist()
        closed = [self._ends.of(row, max(0, len(row) - 1)) is not None for row in rows]
        return torch.tensor(closed, dtype=torch.bool, device=input_ids.device)
