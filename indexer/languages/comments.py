"""A comment inside a body and the code that it describes, in any language with statements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from indexer.facts import Span

__all__ = ["passages_in"]

_WORD = re.compile(rb"[A-Za-z]{2,}")
_LINK = re.compile(rb"\b\w+://\S+")
_FEWEST_WORDS = 3
_CODE = re.compile(rb"[;{}=(\[,]\s*(?:\*/)?\s*$|^\W*(?:@|return\b|if\b.*[:)]$|import\b)")
_FOR_TOOLS = re.compile(
    rb"(?i)^\W*(?:todo|fixme|xxx|hack|noinspection|noqa|nosonar|checkstyle|pylint|type:|pragma|eslint)"
)


def passages_in(nodes: Sequence[Node], source: bytes) -> Iterator[tuple[Span, Span]]:
    """(comment, code) of each comment on lines of its own that stands right before statements.

    Lines of comment that follow each other are one; the code ends at a blank line, at the next
    comment with a line of its own, or with its block. Code that was commented out, and words
    for tools, are no descriptions.

    Args:
        nodes: What stands in one block, comments included, in the order of the text.
        source: The file's bytes.
    """
    at = 0
    while at < len(nodes):
        first = nodes[at]
        if not _comment(first) or not _own_line(first, source):
            at += 1
            continue
        code = at + 1
        while code < len(nodes) and _comment(nodes[code]) and _joins(nodes[code - 1], nodes[code]):
            code += 1
        end = code
        while end < len(nodes) and _joins(nodes[end - 1], nodes[end]):
            if _comment(nodes[end]) and _own_line(nodes[end], source):
                break
            end += 1
        comment = Span(first.start_byte, nodes[code - 1].end_byte)
        if end > code and _describes(comment.of(source)):
            yield comment, Span(nodes[code].start_byte, nodes[end - 1].end_byte)
        at = end


def _comment(node: Node) -> bool:
    return node.type.endswith("comment")


def _own_line(node: Node, source: bytes) -> bool:
    start = source.rfind(b"\n", 0, node.start_byte) + 1
    return not source[start : node.start_byte].strip()


def _joins(before: Node, after: Node) -> bool:
    """Whether no blank line lies between."""
    return after.start_point[0] - before.end_point[0] <= 1


def _describes(comment: bytes) -> bool:
    lines = comment.splitlines()
    if _FOR_TOOLS.search(lines[0]) or any(_CODE.search(line) for line in lines):
        return False
    return len(_WORD.findall(_LINK.sub(b"", comment))) >= _FEWEST_WORDS
