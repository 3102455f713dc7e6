"""Blocks of Python as a model writes them: cut off, followed by prose, badly indented."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = [
    "STEP",
    "Block",
    "block",
    "first_statements",
    "indented",
    "inside_literals",
    "parsed",
    "tree_of",
]

_GOES_ON = re.compile(r"\s*(?:else|elif|except|finally|case)\b")
STEP = "    "
"""One step of indentation where a file shows none."""


@dataclass(frozen=True, slots=True)
class Block:
    """Statements of one indentation."""

    lines: tuple[str, ...]
    """As written; the first begins at the block's indentation."""
    statements: tuple[ast.stmt, ...]
    """Line numbers count from 1."""
    sure: int
    """How many of the statements cannot be half written."""
    whole: bool
    """Whether it ended by itself."""


def block(text: str, *, ended: bool) -> Block | None:
    """The block that a text begins with; None where no statement parses.

    Args:
        text: What a model wrote; its first line may have lost its indentation to the prompt.
        ended: Whether the model came to an end, and was not cut at its limit.

    Example:
        >>> found = block("    if a:\\n        return 1\\n    return 2\\nprint(", ended=False)
        >>> len(found.statements), found.whole
        (2, True)
        >>> block("    return (1,", ended=False) is None
        True
    """
    fence = re.search(r"```(?:python)?[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", text, re.DOTALL)
    bare = (fence[1] if fence else text).replace("\r\n", "\n").expandtabs(4)
    lines = bare.strip("\n").rstrip().split("\n")
    found = [made for way in _aligned(lines) if (made := _parsed_block(way, ended))]
    return max(found, key=lambda one: one.statements[-1].end_lineno or 0, default=None)


def _aligned(lines: list[str]) -> Iterator[list[str]]:
    """The lines with every indentation that the first can have had."""
    if _width(lines[0]):
        yield lines
        return
    yield [f"{STEP}{line}" if line else line for line in lines]
    further = [_width(line) for line in lines[1:] if _width(line)]
    if further:
        yield [" " * min(further) + lines[0], *lines[1:]]


def _parsed_block(lines: list[str], ended: bool) -> Block | None:
    for count in range(len(lines), 0, -1):
        tree = parsed("\n".join(("if 1:", *lines[:count])))
        if tree is None:
            continue
        first = tree.body[0]
        assert isinstance(first, ast.If)
        for statement in first.body:
            ast.increment_lineno(statement, -1)
        after = [line for line in lines[first.body[-1].end_lineno or 0 :] if line.strip()]
        own = _width(lines[0])
        whole = _width(after[0]) < own if after else ended
        begun = after and _width(after[0]) == own and not _GOES_ON.match(after[0])
        sure = len(first.body) - (not (whole or begun))
        return Block(tuple(lines), tuple(first.body), sure, whole)
    return None


def first_statements(found: Block) -> int:
    """How many lines the first statements take, up to a blank line, a comment or the block's end.

    A last statement that may be half written does not count.
    """
    last = 0
    for one in found.statements[: found.sure]:
        if last and one.lineno > last + 1:
            break
        last = one.end_lineno or one.lineno
    return last


def inside_literals(statements: Sequence[ast.stmt]) -> set[int]:
    """Lines, from 0, that begin inside a string of several lines."""
    inside: set[int] = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno:
                inside |= set(range(node.lineno, node.end_lineno))
    return inside


def indented(lines: Sequence[str], literal: set[int], indent: str, step: str) -> Iterator[str]:
    """Lines in the indentation of their place; the content of strings stays."""
    own = _width(lines[0])
    widths = [
        _width(one) - own for at, one in enumerate(lines) if at not in literal and one.strip()
    ]
    unit = min((width for width in widths if width > 1), default=4)
    for at, line in enumerate(lines):
        if at in literal:
            yield line
        elif not line.strip():
            yield ""
        else:
            steps, rest = divmod(max(0, _width(line) - own), unit)
            yield indent + step * steps + " " * rest + line.strip()


def parsed(text: str) -> ast.Module | None:
    """A text's syntax tree; None where it has none."""
    try:
        return tree_of(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def tree_of(text: str) -> ast.Module:
    """A text's syntax tree; raises as ``ast.parse``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python thinks of the style of a literal
        return ast.parse(text)


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
