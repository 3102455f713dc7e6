"""A tokenizer's vocabulary as llguidance reads it: a parser over tokens, and their texts."""

from __future__ import annotations

import re
from functools import cached_property
from importlib.resources import files
from typing import Any
from weakref import WeakKeyDictionary

import llguidance
import llguidance.hf
import numpy as np

from personalizer.engine import Goal

__all__ = ["Vocabulary", "vocabulary_of"]

_ENDS = r"[\s)\]};]*"


class Vocabulary:
    """The tokens of a base model.

    Args:
        tokenizer: The model's.
        size: V, which may be more than the tokenizer has.

    Raises:
        ValueError: If llguidance cannot read the tokenizer.
    """

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.size = size
        self._read = llguidance.hf.from_tokenizer(tokenizer, n_vocab=size)
        self._count = min(len(tokenizer), size)
        self._special = frozenset(tokenizer.all_special_ids)
        self._comment = tokenizer.encode("//", add_special_tokens=False)
        self._matchers: dict[str, llguidance.LLMatcher] = {}
        self._known: dict[str, np.ndarray] = {}

    def matcher(self, goal: Goal) -> llguidance.LLMatcher:
        """A parser at its beginning."""
        if goal not in self._matchers:
            text = files(__package__).joinpath("java.lark").read_text("utf-8")
            grammar = llguidance.LLMatcher.grammar_from_lark(f"start: {goal}\n{text}")
            matcher = llguidance.LLMatcher(self._read, grammar)
            if goal == "statements":
                matcher.try_consume_tokens(self._comment)
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
            self._known[pattern] = np.array([fits(text) is not None for text in self.texts])
        return self._known[pattern]

    @cached_property
    def texts(self) -> list[str]:
        """What each token adds to a text; a part of a letter is a replacement character.

        Special tokens add nothing.
        """
        return [
            ""
            if one in self._special or one >= self._count
            else self._read.decode_bytes([one]).decode("utf-8", "replace")
            for one in range(self.size)
        ]


_VOCABULARIES: WeakKeyDictionary[Any, dict[int, Vocabulary | None]] = WeakKeyDictionary()
"""Of each tokenizer while somebody has it; a vocabulary keeps none."""


def vocabulary_of(tokenizer: Any, size: int) -> Vocabulary | None:
    """A tokenizer's vocabulary, read once; None where llguidance cannot read it."""
    known = _VOCABULARIES.setdefault(tokenizer, {})
    if size not in known:
        try:
            known[size] = Vocabulary(tokenizer, size)
        except ValueError:
            known[size] = None
    return known[size]
