"""Values as test frameworks show them, and as Java's literals write them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from tree_sitter import Node

from personalizer.generation.syntax import code

__all__ = ["FLOAT", "literal_like", "literal_of", "shown", "without_marks"]

FLOAT = "decimal_floating_point_literal"
_SUFFIXES = "lLfFdD"
_WHOLE = re.compile(r"-?\d{1,18}")
_REAL = re.compile(r"-?\d+\.\d+(?:E-?\d+)?")
_LONGEST_TEXT = 200
"""Characters of a text that a test expects: nobody compares more by eye."""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def without_marks(value: str) -> str:
    """A value without the brackets that JUnit 3 and 4 put around where two texts differ."""
    head, opening, rest = value.partition("[")
    middle, closing, tail = rest.rpartition("]")
    cut = "..." in head or "..." in tail
    return head + middle + tail if opening and closing and not cut else value


def shown(literal: Node) -> str | None:
    """A literal as JUnit shows it; None for what is none."""
    text = code(literal)
    if literal.type == "string_literal":
        return _unescaped(text[1:-1])
    if literal.type in ("true", "false", "null_literal", "decimal_integer_literal", FLOAT):
        return text.rstrip(_SUFFIXES).replace("_", "") if text[:1].isdigit() else text
    if literal.type == "unary_expression" and re.fullmatch(r"-[\d.]+[lLfFdD]?", text):
        return text.rstrip(_SUFFIXES)
    return None


def literal_like(like: Node, value: str) -> str | None:
    """Another value in the form of a literal; None where it has none."""
    if like.type in ("string_literal", "null_literal"):
        return "null" if value == "null" else _escaped(value)
    if like.type in ("true", "false"):
        return value if value in ("true", "false") else None
    suffix = code(like)[-1] if code(like)[-1] in _SUFFIXES else ""
    kind = _REAL if "." in code(like) else _WHOLE
    return value + suffix if kind.fullmatch(value) else None


def literal_of(kind: str, value: str) -> str | None:
    """A literal for a value of a type, as JUnit shows it; None where it has none."""
    if value == "null":
        return value if kind[:1].isupper() else None
    if kind == "String":
        return _escaped(value)
    if kind == "boolean":
        return value
    whole = _WHOLE.fullmatch(value) is not None
    real = _REAL.fullmatch(value) is not None
    suffix = {"int": "", "long": "L"}.get(kind)
    if whole and suffix is not None:
        return value + suffix
    return value if real and kind == "double" else None


def _escaped(value: str) -> str | None:
    if re.search(r"@[0-9a-f]{4,8}\b", value):
        return None  # an address, another one each time
    if _of_here_and_now(value) or len(value) > _LONGEST_TEXT:
        return None
    if any(ord(one) < 32 and one not in _ESCAPES for one in value):
        return None
    return f'"{"".join(_ESCAPES.get(one, one) for one in value)}"'


def _of_here_and_now(value: str) -> bool:
    """Whether a value names today, or a folder of this machine: elsewhere it is another."""
    folders = re.findall(r"(?<![\w./])/[\w.-]+/[\w.-]+", value)
    return str(date.today()) in value or any(Path(one).exists() for one in folders)


def _unescaped(value: str) -> str | None:
    back = {escape: one for one, escape in _ESCAPES.items()}
    if re.search(r"\\[^\\\"nrt]", value.replace("\\\\", "")):
        return None
    return re.sub(r"\\.", lambda found: back[found[0]], value)
