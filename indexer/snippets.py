"""What a model learns to complete: (doc comment + signature -> body), (comment -> code)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from indexer.facts import FileFacts, Method, Span
from indexer.languages import ALL, language_of

__all__ = ["Passage", "Snippet", "documented", "find_passages", "find_snippets"]

_SHORTEST_BODY = 12
_LONGEST_BODY = 4000
_TAG = re.compile(rb"\{@inheritDoc\}|@\w+")
_WORD = re.compile(rb"[A-Za-z\x80-\xff]{2}")
"""Letters beyond ASCII are told by their bytes, whatever the encoding."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A documented method with a body."""

    path: str
    method: Method
    """Has a doc comment with words, and a body."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A comment inside a method's body, and the code that it describes."""

    path: str
    method: Method
    """The innermost method around both."""
    comment: Span
    """Bytes of the comment, its marks included; lines that follow each other are one comment."""
    code: Span
    """Bytes of the statements after it, up to a blank line or the next comment."""


def find_snippets(path: str, facts: FileFacts, source: bytes) -> Iterator[Snippet]:
    """Documented methods of one file whose body is neither empty nor over 4,000 bytes.

    A doc comment without words (``/***/``, ``{@inheritDoc}`` alone) documents nothing.
    """
    for method in facts.methods:
        if documented(method) and method.doc and _describes(method.doc.of(source)):
            yield Snippet(path, method)


def documented(method: Method) -> bool:
    """Whether a method has a doc comment, and a body of such a size."""
    return method.doc is not None and method.body is not None and _fits(method.body)


def _describes(doc: bytes) -> bool:
    return _WORD.search(_TAG.sub(b"", doc)) is not None


def find_passages(path: str, facts: FileFacts, source: bytes) -> Iterator[Passage]:
    """Passages of one file in the order of its text, of the same sizes as bodies of snippets."""
    language = language_of(path, ALL)
    found = list(language.passages(source)) if language else []
    bodies = sorted((m.span.start, m.span.end, i) for i, m in enumerate(facts.methods) if m.body)
    around: list[tuple[int, int, int]] = []
    at = 0
    for comment, code in sorted(found, key=lambda one: one[0].start):
        while at < len(bodies) and bodies[at][0] <= comment.start:
            around.append(bodies[at])
            at += 1
        while around and around[-1][1] < code.end:
            around.pop()
        if around and _fits(code):
            yield Passage(path, facts.methods[around[-1][2]], comment, code)


def _fits(code: Span) -> bool:
    return _SHORTEST_BODY <= code.end - code.start <= _LONGEST_BODY
