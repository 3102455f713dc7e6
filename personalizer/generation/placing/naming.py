"""What a test is called beside others of its class: by what tells it from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from indexer import Method
from personalizer.generation.placing.style import most_common, numbered
from personalizer.generation.syntax import MethodTree, calls_of, code, given_to

__all__ = ["OF_OBJECT", "free_name", "joined", "word_of"]

OF_OBJECT = frozenset(
    ["clone", "finalize", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait"]
)
"""Methods that every object has: no test can be called so."""

_WORDS = {
    r"null": "Null",
    r'""': "Empty",
    r'" "': "Blank",
    r"0[lLfFdD]?|0\.0[fFdD]?": "Zero",
    r"-\d[\w.]*": "Negative",
    r"(?:Integer|Long)\.MAX_VALUE": "Largest",
    r"(?:Integer|Long)\.MIN_VALUE": "Smallest",
    r"true": "True",
    r"false": "False",
}


def word_of(value: str) -> str:
    """What a name may say of a value; nothing of most.

    Example:
        >>> [word_of(one) for one in ("null", "(String) null", "-12", "12", "0.5", "(a) -> 1")]
        ['Null', 'Null', 'Negative', '', '', '']
    """
    bare = re.sub(r"^\([\w.<>?, \[\]]+\) ", "", value)
    return next((word for kind, word in _WORDS.items() if re.fullmatch(kind, bare)), "")


def joined(name: str, word: str, others: Iterable[str]) -> str:
    """A name with a word more, as most of the names around have theirs.

    Example:
        >>> joined("total", "WithNull", ["adds"]), joined("total", "WithNull", ["adds_two"])
        ('totalWithNull', 'total_withNull')
    """
    low = "_" in name or most_common(("_" in one for one in others), False)
    return f"{name}_{word[:1].lower()}{word[1:]}" if low and word else f"{name}{word}"


def free_name(
    text: str, name: str, taken: Iterable[str], others: Iterable[str], focal: Method
) -> str:
    """The name of a test itself where it is free, else one that tells more, else a numbered one.

    Args:
        text: The test.
        name: What it is called.
        taken: Names that are not free.
        others: Names that show how the project joins words, and counts.
        focal: The method under test.
    """
    used = set(taken)
    habits = list(others)
    told = (joined(name, word, habits) for word in _told(text, focal))
    free = next((one for one in (name, *told) if one not in used), None)
    return free or numbered(name, used, habits)


def _told(text: str, focal: Method) -> Iterator[str]:
    """Words that tell a test from others of its method."""
    tree = MethodTree(text)
    for call in calls_of(focal, tree.method):
        for one in given_to(call):
            if word := word_of(code(one)):
                yield f"With{word}"
    if "assertThrows" in text:
        yield "Throws"
