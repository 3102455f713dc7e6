"""The words that a prefix begins with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from personalizer.prompts import Tokenizer

__all__ = ["frequent_words", "spelled"]

_WORD = re.compile(r"[A-Za-z_$][\w$]+")
_KEYWORDS = """
    abstract assert boolean break byte case catch char class const continue default do double else
    enum extends false final finally float for goto if implements import instanceof int interface
    long native new null package private protected public record return short static strictfp super
    switch synchronized this throw throws transient true try var void volatile while yield
"""
"""Java's own; no word of a repository."""
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
    keywords = set(_KEYWORDS.split())
    known = ((word, times) for word, times in counts.items() if word not in keywords)
    ordered = sorted(known, key=lambda one: (-one[1], one[0]))
    return tuple(word for word, _ in ordered[:count])


def spelled(words: Sequence[str], tokenizer: Tokenizer, count: int) -> list[int]:
    """Token ids of words in their order, again and again until there are ``count``."""
    ids = tokenizer.encode(" ".join(words or _COMMON), add_special_tokens=False)
    return (ids * -(-count // len(ids)))[:count]
