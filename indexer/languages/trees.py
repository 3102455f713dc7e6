"""What every language does with tree-sitter: bytes it can read, text by offset, errors by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tree_sitter import Node

__all__ = ["readable", "slicer", "syntax_errors"]

_ONLY_LETTERS = bytes(range(128)) + b"x" * 128
_MOST_ERRORS = 20


def readable(source: bytes) -> tuple[str, list[str], bytes]:
    """Encoding, errors, and bytes at the same offsets that tree-sitter can read as UTF-8."""
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        letters = source.translate(_ONLY_LETTERS)
        return "latin-1", [f"line {line}: not UTF-8, read as Latin-1"], letters
    return "utf-8", [], source


def slicer(source: bytes, encoding: str) -> Callable[[int, int], str]:
    """Text between two offsets; decoded once where each character is one byte."""
    if encoding == "latin-1" or source.isascii():
        whole = source.decode("latin-1")
        return lambda start, end: whole[start:end]
    return lambda start, end: source[start:end].decode(encoding, "replace")


def syntax_errors(root: Node, first_line: int = 1) -> Iterator[str]:
    """One line for each place that the grammar could not read, at most 20."""
    if not root.has_error:
        return
    stack = [root]
    shown = 0
    while stack and shown < _MOST_ERRORS:
        node = stack.pop()
        if node.is_error or node.is_missing:
            shown += 1
            what = f"missing {node.type}" if node.is_missing else "syntax error"
            yield f"line {node.start_point[0] + first_line}: {what}"
        elif node.has_error:
            stack.extend(reversed(node.children))
