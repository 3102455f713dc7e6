"""The words that a prefix begins with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from indexer.languages.java_words import KEYWORDS
from personalizer.prompts import Tokenizer

__all__ = ["frequent_words", "spelled"]

_WORD = re.compile(r"[A-Za-z_$][\w$]+")
_COMMON = ("Test", "assertEquals", "String", "assertTrue", "List", "expected", "actual", "value")
"""Begins a prefix where no words are given."""


def frequent_words(texts: Iterable[str], count: int = 200) -> tuple[str, ...]:
    """The words that source texts use most often (Z22 section 3.5), the most frequent first.

    A word is an identifier of two letters or more, as written; Java's keywords are left out, for
    they tell no repository from another. Give it what may train, not what is held out.

    Example:
        >>> frequent_words(["return cart.total(cart);", "Cart cart = null;"], 2)
        ('cart', 'Cart')
    """
    counts = Counter(word for text in texts for word in _WORD.findall(text))
    known = ((word, times) for word, times in counts.items() if word not in KEYWORDS)
    ordered = sorted(known, key=lambda one: (-one[1], one[0]))
    return tuple(word for word, _ in ordered[:count])


def spelled(words: Sequence[str], tokenizer: Tokenizer, count: int) -> list[int]:
    """Token ids of words in their order, again and again until there are ``count``."""
    ids = tokenizer.encode(" ".join(words or _COMMON), add_special_tokens=False)
    return (ids * -(-count // len(ids)))[:count]
