"""What the names of tests and of test classes say: words, stems, and what they stand for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

__all__ = [
    "EXACT_NAMES",
    "Spoken",
    "bare_name",
    "class_names",
    "plain_name",
    "stem",
    "stems_of",
    "words_of",
]

_TEST_CLASS = re.compile(
    r"^(?:Test|IT)(?=[A-Z])|(?:Tests?|TestCases?|ITCase|IT|Spec|UnitTests?|IntegrationTests?)$"
)
_TEST_AFFIX = re.compile(
    r"^(?:test|should|check|verify|can|it|when|given|ensure|that)(?=[A-Z_0-9])_?|_?[tT]est$"
)
EXACT_NAMES = 4
"""How many of the first class names need no import to be believed."""


@lru_cache(maxsize=20_000)
def words_of(name: str) -> tuple[str, ...]:
    """Camel-case and underscore words in lower case: ``parseURLFast_2`` is parse, url, fast, 2."""
    return tuple(w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without the ending of its form: writes, writing and write are one.

    Example:
        >>> [stem(w) for w in ("copying", "copies", "writes", "getting", "string")]
        ['copy', 'copy', 'writ', 'get', 'string']
    """
    for ending, kept in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        short = word.removesuffix(ending)
        if short != word and len(short) >= 3 and re.search("[aeiouy]", short):
            word = short + kept
            break
    word = word.removesuffix("e") if len(word) > 3 else word
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


@lru_cache(maxsize=20_000)
def stems_of(name: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in words_of(name))


def bare_name(test: str) -> str:
    """A test's name without what only says that it is a test.

    Example:
        >>> bare_name("testTotal"), bare_name("should_add"), bare_name("tests")
        ('Total', 'add', 'tests')
    """
    return _TEST_AFFIX.sub("", test) or test


def class_names(test_class: str) -> list[str]:
    """Names that a test class may stand for, best first.

    Example:
        >>> class_names("CartServiceImplIT")[:2]
        ['CartServiceImpl', 'CartService']
    """
    once = _TEST_CLASS.sub("", test_class) or test_class
    base = _TEST_CLASS.sub("", once) or once
    names = [once, base]
    for affix in ("Impl", "Abstract", "Base", "Default"):
        if base.endswith(affix) and base != affix:
            names.append(base.removesuffix(affix))
        if base.startswith(affix) and base != affix:
            names.append(base.removeprefix(affix))
    names += [base + "Impl", "Abstract" + base, "Default" + base, "I" + base]
    names += [base[:-1]] if base.endswith("s") else [base + "s"]
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", base)
    # FooBarBaz, FooBar, Foo: a test class for one aspect of a class.
    names += ["".join(parts[:cut]) for cut in range(len(parts) - 1, 0, -1)]
    return list(dict.fromkeys(names))


@lru_cache(maxsize=20_000)
def plain_name(name: str) -> str:
    return name.lower().replace("_", "")


class Spoken:
    """Method names by what a test's name may say of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.plain: dict[str, list[str]] = defaultdict(list)
        """By their letters in lower case."""
        self.first: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        """(stems of its words, name) by the first of the stems; none for a name without words."""
        for name in names:
            self.plain[plain_name(name)].append(name)
            if stems := stems_of(name):
                self.first[stems[0]].append((stems, name))
