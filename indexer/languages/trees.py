"""What every language does with tree-sitter: bytes it can read, text by offset, errors by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tree_sitter import Language, Node, Query, QueryCursor

__all__ = ["Search", "readable", "slicer", "syntax_errors"]

_ONLY_LETTERS = bytes(range(128)) + b"x" * 128
_MOST_ERRORS = 20


class Search:
    """Finds nodes by their kinds.

    In a tree with errors one node may have any number of children, and at each of them a query
    looks at all behind it: such a tree is walked.

    Args:
        language: Of the trees.
        names: What a node is called that is found, by its kind.
    """

    def __init__(self, language: Language, names: Mapping[str, str]) -> None:
        self._names = names
        self._query = Query(language, " ".join(f"({kind}) @{kind}" for kind in names))

    def found(self, root: Node) -> Iterator[tuple[str, Node]]:
        """(name, node) for each below a root, in any order."""
        if root.has_error:
            for node in _walked(root):
                name = self._names.get(node.type)
                if name is not None:
                    yield name, node
        else:
            for kind, nodes in QueryCursor(self._query).captures(root).items():
                name = self._names[kind]
                for node in nodes:
                    yield name, node


def _walked(root: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    cursor = root.walk()
    while cursor.node is not None:
        yield cursor.node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


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
