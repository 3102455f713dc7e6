"""(Doc comment + signature -> body) pairs: what a model learns to complete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from indexer.facts import FileFacts, Method

__all__ = ["Snippet", "find_snippets"]

_SHORTEST_BODY = 12
_LONGEST_BODY = 4000


@dataclass(frozen=True, slots=True)
class Snippet:
    """A documented method with a body."""

    path: str
    method: Method
    """Has a doc comment and a body."""


def find_snippets(path: str, facts: FileFacts) -> Iterator[Snippet]:
    """Documented methods of one file whose body is neither empty nor over 4,000 bytes."""
    for method in facts.methods:
        if method.doc is None or method.body is None:
            continue
        if _SHORTEST_BODY <= method.body.end - method.body.start <= _LONGEST_BODY:
            yield Snippet(path, method)
