"""Keeps a completion to what a Java parser takes, by llguidance, and lets it end in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llguidance
import numpy as np
import torch
from transformers import LogitsProcessor

from indexer.languages.lexis import tokens
from personalizer.engine import Goal
from personalizer.engine.along import Along
from personalizer.engine.vocabulary import Vocabulary, vocabulary_of

__all__ = ["Grammar"]

_SPARE = 14
"""Tokens that an end may take beside two for each open bracket."""
_FAR_BELOW = 100.0
"""In nats."""
_LONGEST_GAP = 6
"""Lines without code in a row: a small model fills its time with them."""


class Grammar(LogitsProcessor):
    """Forbids a token after which no Java of the kind that is wanted could parse.

    What does not parse would be thrown away; so the next likely token is taken instead. Near the
    limit brackets are closed wherever they can be, since half a method is thrown away too.
    """

    def __init__(
        self, start: int, tokenizer: Any, *, goal: Goal, limit: int | None, last: bool = True
    ) -> None:
        """
        Args:
            start: Tokens before the completion in what is shown.
            tokenizer: The base model's; one that llguidance cannot read is left alone.
            goal: What is written: a rule of ``java.lark``.
            limit: Most tokens of the completion; None where it may be cut off.
            last: No guard comes behind it. One that does may forbid just what would close the
                brackets: until the last tokens it is left the rest, far below what closes.
        """
        self._start = start
        self._tokenizer = tokenizer
        self._goal = goal
        self._limit = limit
        self._last = last
        self._states: Along[llguidance.LLMatcher] | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Shapes: B completions, T tokens so far, V vocabulary.

        Args:
            input_ids: ``(B, T)``, int64.
            scores: ``(B, V)``, any float dtype.

        Returns:
            ``(B, V)``; minus infinity for what is forbidden. A row whose text fits no method
            already is left as it is.
        """
        vocabulary = vocabulary_of(self._tokenizer, scores.shape[1])
        if vocabulary is None:
            return scores
        if self._states is None:
            self._states = Along(vocabulary.matcher(self._goal), _after)
        rows = [tuple(row) for row in input_ids[:, self._start :].tolist()]
        states = self._states.of(rows)
        allowed = [self._allowed(vocabulary, *one) for one in zip(rows, states, strict=True)]
        scores = scores.clone()
        for row, masks in enumerate(allowed):
            if masks is not None:
                foreign, unwished = (torch.from_numpy(~mask).to(scores.device) for mask in masks)
                scores[row, unwished] -= _FAR_BELOW
                scores[row, foreign] = -torch.inf
        return scores

    def _allowed(
        self, vocabulary: Vocabulary, written: tuple[int, ...], state: llguidance.LLMatcher | None
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Which tokens may follow, and which of them rather than others; ``(V,)`` bool each.

        None where the text fits already nowhere.
        """
        if state is None:
            return None
        bits = np.frombuffer(state.compute_bitmask(), np.uint8)
        mask: np.ndarray = np.unpackbits(bits, bitorder="little")[: vocabulary.size].astype(bool)
        if not mask.any():
            return None
        code = self._tokenizer.decode(list(written), skip_special_tokens=True)
        wishes, firm = [], self._last
        left = None if self._limit is None else self._limit - len(written)
        if left is not None and _must_close(code, left):
            wishes = [*vocabulary.closing(_last(code)), ~vocabulary.empty]
            firm = firm or _must_close(code, left + _SPARE // 2)
        elif _gap(code) >= _LONGEST_GAP:
            wishes = [~vocabulary.empty]
        wished = next((both for one in wishes if (both := mask & one).any()), mask)
        return wished if firm else mask, wished


def _after(state: llguidance.LLMatcher, tokens: Sequence[int]) -> llguidance.LLMatcher | None:
    """The parser behind more tokens; None where they begin no method."""
    after = state.deep_copy()
    return after if after.try_consume_tokens(list(tokens)) == len(tokens) else None


def _must_close(code: str, left: int) -> bool:
    """Whether no more tokens are left than it takes to close what is open.

    Example:
        >>> _must_close("void a() { b(", 18), _must_close("void a() { b(", 19)
        (True, False)
    """
    if left > _SPARE + 2 * sum(map(code.count, "([{")):
        return False
    signs = [token.text for token in tokens(code) if token.kind == "sign"]
    depth = sum((sign in "([{") - (sign in ")]}") for sign in signs)
    return left <= _SPARE + 2 * depth


def _last(code: str) -> str:
    """The lexical token that a text ends with; nothing where white space follows it."""
    last = ""
    for token in tokens(code):
        last = token.text if token.end == len(code) else ""
    return last


def _gap(code: str) -> int:
    """How many lines at the end of a text hold no code.

    Example:
        >>> _gap("a();\\n\\n    // b\\n"), _gap("a();")
        (3, 0)
    """
    lines = 0
    for line in reversed(code.split("\n")):
        if line.strip() and not line.lstrip().startswith(("//", "/*", "*")):
            break
        lines += 1
    return lines
