"""Which share of a repository's words others have too (Z22 figure 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tree_sitter import Parser

from indexer import Snapshot
from indexer.languages.java_trees import JAVA, tame
from indexer.languages.java_words import KEYWORDS

__all__ = ["shared", "words", "words_of"]

_WORD = re.compile(r"(?:(?!\d)\w)+")
"""What ``gensim.utils.tokenize`` takes for a word: letters and underscores, no digits."""


def words(source: bytes, encoding: str = "utf-8") -> set[str]:
    """The distinct lower-case words of a Java file; comments, licences and keywords left out.

    Example:
        >>> sorted(words(b"/* licence */ class Cart2 { int total; } // why"))
        ['cart', 'total']
    """
    kept = bytearray(source)
    stack = [Parser(JAVA).parse(tame(source)).root_node]
    while stack:
        node = stack.pop()
        if node.type.endswith("comment"):
            kept[node.start_byte : node.end_byte] = b" " * (node.end_byte - node.start_byte)
        else:
            stack.extend(node.children)
    found = _WORD.findall(kept.decode(encoding, "replace").lower())
    return set(found) - KEYWORDS


def words_of(snapshot: Snapshot) -> set[str]:
    """The distinct words of a project."""
    found: set[str] = set()
    for path, facts in snapshot.files.items():
        found |= words(snapshot.source(path), facts.encoding)
    return found


def shared(vocabularies: Mapping[str, set[str]]) -> dict[str, dict[str, float]]:
    """Share of all words of two repositories that both have, between 0 and 1.

    Example:
        >>> shared({"a": {"x", "y"}, "b": {"y", "z"}})["a"]["b"]
        0.3333
    """
    return {
        one: {
            other: round(len(mine & theirs) / max(1, len(mine | theirs)), 4)
            for other, theirs in vocabularies.items()
        }
        for one, mine in vocabularies.items()
    }
