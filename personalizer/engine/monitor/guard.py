"""Keeps a completion to what can compile: names, arguments and types that the project has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch
from transformers import LogitsProcessor

from personalizer.engine.along import Along
from personalizer.engine.monitor.checker import Checker
from personalizer.engine.monitor.declarations import Declarations
from personalizer.engine.vocabulary import vocabulary_of

__all__ = ["Monitor"]

_LOOKED_AT = (32, 1024)
"""How many of the likeliest tokens are judged: of those behind them few are ever written. More if
none of the first may follow."""
_DEAD = 1e4
"""By how much a row is lowered, in nats."""
_UNUSUAL = 5.0
"""The same of what may compile, though hardly anybody writes it."""
_LONGEST_NAME, _LONGEST_TEXT = 100, 250
"""Letters of a name or a number, and of a string or a comment: a model that has come to where
little fits would fill them without end. The longest in the tests of seven projects have 91 and 237.
"""


class Monitor(LogitsProcessor):
    """Forbids a token after which the method could no longer compile.

    *Monitor-guided decoding* (Agrawal et al., NeurIPS 2023, arXiv 2306.10763): where a model would
    name a member that a type lacks, its next likely token is taken instead.

    Args:
        start: Tokens before the completion in what is shown.
        tokenizer: The base model's; one that llguidance cannot read is left alone.
        declared: What the completions may use, of each request whose rows are shown; the rows are
            theirs in this order, of each the same number.
    """

    def __init__(self, start: int, tokenizer: Any, declared: Sequence[Declarations]) -> None:
        self._start = start
        self._tokenizer = tokenizer
        self._texts: list[str] = []
        self._states = [Along(Checker(one).after(one.before), self._after) for one in declared]
        self.stuck: list[bool] = []
        """Of each row that was shown last, whether it is at a dead end: none of the likeliest
        tokens goes on."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Shapes: B completions, T tokens so far, V vocabulary.

        Args:
            input_ids: ``(B, T)``, int64.
            scores: ``(B, V)``, any float dtype.

        Returns:
            ``(B, V)``; minus infinity for what is forbidden. What is less likely than all that was
            judged is lowered, and so is a whole row that no likely token goes on, so that a search
            gives it up for another. A row that cannot compile already is left as it is.
        """
        vocabulary = vocabulary_of(self._tokenizer, scores.shape[1])
        if vocabulary is None:
            return scores
        self._texts = vocabulary.texts
        scores = scores.clone()
        rows = [tuple(row) for row in input_ids[:, self._start :].tolist()]
        each = len(rows) // len(self._states)
        parts = [rows[begin : begin + each] for begin in range(0, len(rows), each)]
        states = chain.from_iterable(map(Along.of, self._states, parts))
        self.stuck = [
            state is not None and not self._judge(state, scores[row])
            for row, state in enumerate(states)
        ]
        return scores

    def _judge(self, state: Checker, scores: torch.Tensor) -> bool:
        """Lowers the tokens of a row, all of them if no likely one goes on.

        Returns:
            Whether one of the likeliest goes on.
        """
        before = scores.clone()
        scores -= _DEAD
        for count in _LOOKED_AT:
            best = before.topk(min(count, len(before)))
            likely = best.indices[best.values.isfinite()]
            texts = [self._texts[one] for one in likely.tolist()]
            lowered = [self._lowered(state, text) for text in texts]
            follows = (text for text, nats in zip(texts, lowered, strict=True) if nats < torch.inf)
            if any(self._goes_on(state, text) for text in follows):
                scores[likely] = before[likely] - scores.new_tensor(lowered)
                return count == _LOOKED_AT[0]
        return False

    @staticmethod
    def _lowered(state: Checker, text: str) -> float:
        """By how much a token is lowered, in nats: without end if it may not follow."""
        after = None if state.at_dot and text.startswith(" ") else state.after(text)
        if after is None:
            return torch.inf
        name = after.unfinished[:1].isalnum()
        longest = _LONGEST_NAME if name else _LONGEST_TEXT
        if len(after.unfinished) > longest and not text.startswith(('"', "'")):
            return torch.inf
        return _UNUSUAL if after.unusual else 0

    @staticmethod
    def _goes_on(state: Checker, text: str) -> bool:
        """Whether a token is more than a blank or a comment, which can always follow."""
        inside = state.unfinished.startswith(('"', "'", "/"))
        code = text.strip()
        return inside or not text or (code != "" and not code.startswith(("//", "/*")))

    def _after(self, state: Checker, tokens: Sequence[int]) -> Checker | None:
        return state.after("".join(self._texts[one] for one in tokens))
