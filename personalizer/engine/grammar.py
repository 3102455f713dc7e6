"""Keeps a completion to what a Java parser takes, by llguidance, and lets it end in time."""

from __future__ import annotations

import re
from functools import cached_property
from importlib.resources import files
from typing import Any
from weakref import WeakKeyDictionary

import llguidance
import llguidance.hf
import numpy as np
import torch
from transformers import LogitsProcessor

from indexer.languages.lexis import tokens
from personalizer.engine import Goal

__all__ = ["Grammar"]

_KNOWN = 64
"""States that are kept: those of the rows of a batch, or of a beam search, and of their parents."""
_SPARE = 14
"""Tokens that an end may take beside two for each open bracket."""
_LONGEST_GAP = 6
"""Lines without code in a row: a small model fills its time with them."""


class Grammar(LogitsProcessor):
    """Forbids a token after which no Java of the kind that is wanted could parse.

    What does not parse would be thrown away; so the next likely token is taken instead. Near the
    limit brackets are closed wherever they can be, since half a method is thrown away too.
    """

    def __init__(self, start: int, tokenizer: Any, *, goal: Goal, limit: int | None) -> None:
        """
        Args:
            start: Tokens before the completion in what is shown.
            tokenizer: The base model's; one that llguidance cannot read is left alone.
            goal: What is written: a rule of ``java.lark``.
            limit: Most tokens of the completion; None where it may be cut off.
        """
        self._start = start
        self._tokenizer = tokenizer
        self._goal = goal
        self._limit = limit
        self._states: dict[tuple[int, ...], llguidance.LLMatcher | None] = {}

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Shapes: B completions, T tokens so far, V vocabulary.

        Args:
            input_ids: ``(B, T)``, int64.
            scores: ``(B, V)``, any float dtype.

        Returns:
            ``(B, V)``; minus infinity for what is forbidden. A row whose text fits no method
            already is left as it is.
        """
        grammar = _grammar(self._tokenizer, scores.shape[1])
        if grammar is None:
            return scores
        allowed = [
            self._allowed(grammar, tuple(row)) for row in input_ids[:, self._start :].tolist()
        ]
        masks = np.stack(
            [np.ones(scores.shape[1], bool) if one is None else one for one in allowed]
        )
        return scores.masked_fill(~torch.from_numpy(masks).to(scores.device), -torch.inf)

    def _allowed(self, grammar: _Tokens, written: tuple[int, ...]) -> np.ndarray | None:
        """Which tokens may follow, ``(V,)`` bool; None where the text fits already nowhere."""
        state = self._state(grammar, written)
        if state is None:
            return None
        bits = np.frombuffer(state.compute_bitmask(), np.uint8)
        mask: np.ndarray = np.unpackbits(bits, bitorder="little")[: grammar.size].astype(bool)
        if not mask.any():
            return None
        code = self._tokenizer.decode(list(written), skip_special_tokens=True)
        wishes = []
        if self._limit is not None and _must_close(code, self._limit - len(written)):
            wishes = [*grammar.closing(_last(code)), ~grammar.empty]
        elif _gap(code) >= _LONGEST_GAP:
            wishes = [~grammar.empty]
        return next((both for one in wishes if (both := mask & one).any()), mask)

    def _state(self, grammar: _Tokens, written: tuple[int, ...]) -> llguidance.LLMatcher | None:
        """The parser behind a text; None where the text is no beginning of a method."""
        if written not in self._states:
            if written and written[:-1] in self._states:
                before, more = self._states[written[:-1]], written[-1:]
                state = before and before.deep_copy()
            else:
                state, more = grammar.matcher(self._goal), written
            fits = state is not None and state.try_consume_tokens(list(more)) == len(more)
            self._states[written] = state if fits else None
            while len(self._states) > _KNOWN:
                del self._states[next(iter(self._states))]
        return self._states[written]


class _Tokens:
    """A vocabulary as llguidance reads it."""

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.size = size
        self._tokenizer = tokenizer
        self._read = llguidance.hf.from_tokenizer(tokenizer, n_vocab=size)
        self._matchers: dict[str, llguidance.LLMatcher] = {}
        self._known: dict[str, np.ndarray] = {}

    def matcher(self, goal: Goal) -> llguidance.LLMatcher:
        """A parser at its beginning."""
        if goal not in self._matchers:
            text = files(__package__).joinpath("java.lark").read_text("utf-8")
            grammar = llguidance.LLMatcher.grammar_from_lark(f"start: {goal}\n{text}")
            matcher = llguidance.LLMatcher(self._read, grammar)
            if goal == "statements":
                matcher.try_consume_tokens(self._tokenizer.encode("//", add_special_tokens=False))
            self._matchers[goal] = matcher
        return self._matchers[goal].deep_copy()

    def closing(self, last: str) -> list[np.ndarray]:
        """Tokens that close what is open, ``(V,)`` bool, the best first.

        Args:
            last: The lexical token that the text ends with.
        """
        if last.startswith(('"', "'")) and not re.fullmatch(r"(.)(?s:.*)\1", last):
            return [self._matching(re.escape(last[0]) + _ENDS)]
        if last.startswith("//"):
            return [self._matching(r"\s*\n\s*")]
        if last.startswith("/*") and not last.endswith("*/"):
            return [self._matching(r"\s*\*/\s*")]
        return [self._matching(r"(?=[^)\]}]*[)\]}])\s*" + _ENDS), self._matching(r"\s*;\s*")]

    @cached_property
    def empty(self) -> np.ndarray:
        """Tokens that only end a line or begin a comment, ``(V,)`` bool."""
        return self._matching(r"\s*\n\s*|\s*/[/*](?s:.*)|\s*/")

    def _matching(self, pattern: str) -> np.ndarray:
        if pattern not in self._known:
            fits = re.compile(pattern).fullmatch
            self._known[pattern] = np.array([fits(text) is not None for text in self._texts])
        return self._known[pattern]

    @cached_property
    def _texts(self) -> list[str]:
        count = len(self._tokenizer)
        texts = [self._tokenizer.decode([token]) for token in range(min(count, self.size))]
        return texts + [""] * (self.size - len(texts))


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


_ENDS = r"[\s)\]};]*"
_VOCABULARIES: WeakKeyDictionary[Any, dict[int, _Tokens | None]] = WeakKeyDictionary()


def _grammar(tokenizer: Any, size: int) -> _Tokens | None:
    """A tokenizer's vocabulary, read once; None where llguidance cannot read it."""
    known = _VOCABULARIES.setdefault(tokenizer, {})
    if size not in known:
        try:
            known[size] = _Tokens(tokenizer, size)
        except ValueError:
            known[size] = None
    return known[size]
