"""Words, brackets and variables, as the checker of unfinished Java sees them."""

from __future__ import annotations

import re
from typing import NamedTuple

from indexer.languages.lexis import Token
from personalizer.engine.monitor.declarations import Declarations
from personalizer.engine.monitor.kinds import PRIMITIVES, Signature

__all__ = [
    "ARITHMETIC",
    "BEFORE_LABELS",
    "BEFORE_LAMBDAS",
    "BEFORE_NEW_NAMES",
    "BEFORE_VALUES",
    "BEHIND_DOTS",
    "BEHIND_SUMS",
    "BEHIND_TYPES",
    "GROUPS",
    "IN_TYPES",
    "KEYWORDS",
    "NO_NAMES",
    "NO_STATEMENTS",
    "NO_VALUES",
    "NO_VARIABLES",
    "PACKAGES",
    "PATTERNS",
    "TYPES",
    "UNFINISHED",
    "VALUES",
    "WORDS",
    "Frame",
    "Variable",
    "begins_name",
    "begins_number",
    "is_constant",
    "is_too_large",
    "known_names",
    "may_be_inner",
    "type_of",
]

KEYWORDS = frozenset(
    {"abstract", "assert", "break", "case", "catch", "continue", "default", "do", "else"}
    | {"extends", "final", "finally", "for", "if", "implements", "import", "instanceof", "native"}
    | {"private", "protected", "public", "return", "static", "strictfp", "super", "switch"}
    | {"synchronized", "throw", "throws", "transient", "try", "volatile", "while"}
)
TYPES = frozenset({"class", "interface", "enum"})
PATTERNS = frozenset({"case", "instanceof"})
"""Words behind which a pattern may stand."""
VALUES = {"null": "null", "true": "boolean", "false": "boolean"}
_HEADS = ("for", "catch", "switch", "synchronized")
_CONDITIONS = ("if", "while")
GROUPS = {
    "try": "try",
    **dict.fromkeys(_HEADS, "loop"),
    **dict.fromkeys(_CONDITIONS, "condition"),
}
"""Role of the round bracket behind a word."""
IN_TYPES = frozenset({",", "?", ".", "<", ">", "[", "]", "&", "@"})
NO_NAMES = PRIMITIVES | {"var"}
"""Words for types that nothing declares."""
NO_VARIABLES = NO_NAMES | {"yield"}
NO_STATEMENTS = PRIMITIVES | {"new", "super", "switch", "this"}
"""Java's words that may begin a value."""
WORDS = KEYWORDS | TYPES | NO_VARIABLES | NO_STATEMENTS | {"record", "sealed", "when"}
BEHIND_DOTS = frozenset({".", "...", "<", "@"})
NO_VALUES = KEYWORDS | TYPES | {"new", "yield"}
"""Words that are no values."""
BEHIND_TYPES = frozenset({"<", "[", "@"})
BEFORE_LABELS = frozenset({";", "{", "}", ")", ":", "else", "do"})
BEFORE_NEW_NAMES = frozenset({".", "::", "@", "break", "continue", *TYPES})
"""What stands before members, annotations, types and labels."""
BEFORE_LAMBDAS = frozenset({"->", "?", ":", ")", "return"})
"""What may stand before a lambda, beside commas and brackets, and seldom does."""
BEFORE_VALUES = frozenset({"(", ",", "=", "{", "[", "return"})
ARITHMETIC = frozenset({"-", "*", "/", "%"})
"""Signs between numbers alone."""
BEHIND_SUMS = frozenset({")", "]", "}", ",", ";", "=", "<", ">", "&", "|", "^", "?", ":"})
"""What ends a sum."""
PACKAGES = frozenset(
    {"com", "de", "dev", "edu", "io", "jakarta", "java", "javax", "jdk", "kotlin", "me", "net"}
    | {"org", "scala", "sun"}
)
UNFINISHED = {"/": (), ":": (":", "::"), "-": ("-", "->")}
"""Signs that the next letter may make another, and which ones; a comment may stand anywhere."""


class Frame(NamedTuple):
    """A bracket that is open."""

    sign: str
    """``(``, ``[``, ``{`` or ``<``."""
    role: str = ""
    """Of round ones ``annotation``, ``call``, ``condition``, ``header``, ``pattern``, ``try``,
    ``loop``; of braces ``class``, ``values``."""
    signatures: tuple[Signature, ...] | None = None
    """Of a call: those that the arguments fit so far; None where it is not known what is called."""
    made: str | None = None
    """Of a constructor's call, or of the values of a new array: the type."""
    arguments: int = 0
    """Of a call: how many have ended."""
    alone: bool = True
    """What stands here since the last comma is one value with what is asked of it, or is reckoned
    of several by ``+``, ``-``, ``*``, ``/`` and ``%``."""
    sum: str | None = None
    """The type of what stands before the last ``+`` or ``-``, if the value here is added to it."""
    added_by: str = ""
    """That ``+`` or ``-``."""
    product: str | None = None
    """The same before the last ``*``, ``/`` or ``%``, by which the value here is multiplied."""
    compared: bool | None = False
    """What stands here since the last comma is true or false by its signs; None if it never is."""
    empty: bool = True
    type: str = ""
    """Of ``<`` and ``[``: what stands before it."""
    owner: tuple[str, bool] = ("", False)
    """Of ``<`` before the name of a call: the value before it, and whether that is a type."""
    declares: str | None = None
    """The type of the variables that a statement here declares."""
    cast: bool = False
    """What stands here since the last comma or sign begins with a cast."""
    void: bool = False
    """Of a call: the argument that is written is a lambda that gives nothing."""
    lambda_: bool = False
    """It holds the parameters of a lambda, for nobody declares what stands in it."""
    variables: int = 0
    """Of a brace: how many variables were there before it."""


class Variable(NamedTuple):
    """A variable that the method declares."""

    name: str
    type: str
    level: int
    """Brackets around it, that of the head of its block among them."""
    once: bool
    """No other of its name may be declared while it is there."""
    head: bool = False
    """Declared by the head of a statement, with which it goes."""
    final: bool = False
    """It has its value for ever."""


def known_names(declared: Declarations) -> set[str]:
    """All that may be named first, beside the method's own variables and Java's words."""
    return {
        *declared.fields,
        *declared.methods,
        *declared.names,
        *(declared.calls or ()),
        *(declared.types or ()),
        *(PACKAGES | declared.packages),
    }


def may_be_inner(name: str, owner: str) -> bool:
    """Whether it may be a type inside one of Java's, of which these are not told."""
    return "#" not in owner and name[0].isupper() and not is_constant(name)


def begins_name(text: str) -> bool:
    """Whether a lexical token is a word."""
    return text[:1].isalpha() or text.startswith(("_", "$"))


def is_constant(name: str) -> bool:
    """Whether it is written as constants are, not as types and type variables."""
    return len(name) > 1 and name.isupper()


_NUMBER = re.compile(
    r"0x[\da-f_]*\.?[\da-f_]*(?:p\d*)?[dfl]?|0b[01_]*l?|[\d_]*\.?[\d_]*(?:e\d*)?[dfl]?", re.I
)


def begins_number(text: str) -> bool:
    """Whether a number may begin so: up to the sign of its exponent, if it has one.

    Example:
        >>> [begins_number(one) for one in ("0x1F", "1.5e", "1.e3f", "1.0.", "1.size")]
        [True, True, True, False, False]
    """
    return _NUMBER.fullmatch(text) is not None


def is_too_large(number: str) -> bool:
    """Whether a whole number, as it is written, has no room in its type.

    The least one of a type is let through, for its sign is no part of it, and so are octals.

    Example:
        >>> [is_too_large(one) for one in ("2147483648", "2147483649", "2147483649L", "0xffffffff")]
        [False, True, False, False]
    """
    digits = number.rstrip("lL")
    try:
        value = int(digits, 0)
    except ValueError:
        return False
    bits = 32 if digits == number else 64
    return value >= 1 << bits if digits[1:2] in tuple("xXbB") else value > 1 << (bits - 1)


def type_of(token: Token) -> str:
    """The type of a literal or a number; nothing for a number up to its exponent."""
    if token.kind == "literal":
        return "char" if token.text.startswith("'") else "String"
    text = token.text.lower()
    if text.startswith("0x") and "p" in text:
        return "float" if text.endswith("f") else "double"
    if text.startswith("0x"):
        return "long" if text.endswith("l") else "int"
    if text.endswith("e"):
        return ""
    if text.endswith("l"):
        return "long"
    if text.endswith("f"):
        return "float"
    return "double" if text.endswith("d") or "." in text or "e" in text else "int"
