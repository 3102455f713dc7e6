"""Blocks of Python as a model writes them: cut off, followed by prose, badly indented."""

from __future__ import annotations

import ast
import contextlib
import re
import tokenize
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from types import CodeType

__all__ = [
    "STEP",
    "Block",
    "before_repeated",
    "block",
    "compiled_from",
    "first_statements",
    "indented",
    "parsed",
    "tree_of",
]

_GOES_ON = re.compile(r"\s*(?:else|elif|except|finally|case)\b")
_TEXT = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
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
    bare = (fence[1] if fence else text).replace("\r\n", "\n")
    lines = bare.strip("\n").rstrip().split("\n")
    literal = _inside_literals(lines)
    lines = [line if at in literal else _spaced(line) for at, line in enumerate(lines)]
    found = [made for way in _aligned(lines, literal) if (made := _parsed_block(way, ended))]
    return max(found, key=lambda one: one.statements[-1].end_lineno or 0, default=None)


def _spaced(line: str) -> str:
    """A line that is indented by blanks alone."""
    code = line.lstrip(" \t")
    return line[: len(line) - len(code)].expandtabs(len(STEP)) + code


def _aligned(lines: list[str], literal: Collection[int]) -> Iterator[list[str]]:
    """The lines with every indentation that the first can have had; strings keep their content."""
    if _width(lines[0]):
        yield lines
        return
    yield [f"{STEP}{line}" if line and at not in literal else line for at, line in enumerate(lines)]
    code = [line for at, line in enumerate(lines) if at not in literal]
    further = [_width(line) for line in code[1:] if _width(line)]
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
        rest = lines[first.body[-1].end_lineno or 0 :]
        after = [line for line in rest if line.strip() and not line.lstrip().startswith("#")]
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


def before_repeated(found: Block, following: ast.stmt | None) -> Block | None:
    """A block up to a statement that follows its place already; None where nothing is before it."""
    same = ast.dump(following) if following is not None else ""
    dumps = [ast.dump(one) for one in found.statements]
    count = dumps.index(same) if same in dumps else len(dumps)
    if count == 0:
        return None
    return replace(found, statements=found.statements[:count], sure=min(found.sure, count))


def _inside_literals(lines: Sequence[str]) -> set[int]:
    """Lines, from 0, that begin inside a string of several lines.

    Example:
        >>> _inside_literals(["    a = 1", "    b = '''", "  c", "'''"])
        {2, 3}
    """
    inside: set[int] = set()
    rows = iter([f"{line}\n" for line in ("(", *lines)])  # in brackets, indentation is free
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(lambda: next(rows, "")):
            if token.type in _TEXT:
                inside |= set(range(token.start[0], token.end[0]))
    return {line - 1 for line in inside}


def indented(found: Block, count: int, indent: str, step: str) -> Iterator[str]:
    """The first lines of a block in the indentation of their place; strings keep their content.

    Args:
        found: The block.
        count: How many of its lines.
        indent: Before each statement of the block.
        step: One step further in.
    """
    literal = _inside_literals(found.lines)
    own = _width(found.lines[0])
    unit = _step_of(found.statements)
    for at, line in enumerate(found.lines[:count]):
        if at in literal:
            yield line
        elif not line.strip():
            yield ""
        else:
            steps, rest = divmod(max(0, _width(line) - own), unit)
            code = line.lstrip() if at + 1 in literal else line.strip()
            yield indent + step * steps + " " * rest + code


def _step_of(statements: Sequence[ast.stmt]) -> int:
    """How far in the statements inside the first compound statement stand."""
    for statement in statements:
        inner = getattr(statement, "body", None)
        if inner and inner[0].lineno > statement.lineno:
            return int(inner[0].col_offset - statement.col_offset)
    return len(STEP)


def parsed(text: str) -> ast.Module | None:
    """A text's syntax tree; None where it has none."""
    try:
        return tree_of(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def tree_of(text: str) -> ast.Module:
    """A text's syntax tree; raises as ``ast.parse``."""
    with _without_remarks():
        return ast.parse(text)


def compiled_from(text: str, file: str) -> CodeType:
    """What Python makes of a file's text; raises as ``compile``. Nothing of it is run."""
    with _without_remarks():
        return compile(text, file, "exec", dont_inherit=True)


@contextlib.contextmanager
def _without_remarks() -> Iterator[None]:
    """Keeps to itself what Python thinks of the style of a literal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
