"""Java's grammar, and texts that it takes long for, tamed."""

from __future__ import annotations

import re

import tree_sitter_java
from tree_sitter import Language

__all__ = ["COMMENT_OR_STRING", "JAVA", "tame"]

JAVA = Language(tree_sitter_java.language())
"""The grammar."""

# Strings are matched so that what looks like a comment inside them is kept. What is never closed
# goes on to the end of its line or text: looking for the end twice would be quadratic. Each
# alternative begins with a plain letter, so that the engine skips what none can begin with.
COMMENT_OR_STRING = re.compile(
    rb"""(//[^\n]*|/\*.*?(?:\*/|\Z)"""
    rb"""|\"\"\"(?:\\.|[^\\])*?(?:"{3}|\Z)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)""",
    re.DOTALL,
)
_OPEN_COMMENTS = 100
_OPEN_TYPES = 3000
_WORD_OR_BLANK = re.compile(rb"[\w\s.;,$@?&\[\]\x80-\xff]*+")


def tame(source: bytes) -> bytes:
    """A text with blanks for what the grammar would take too long for, at the same offsets.

    Those are comment openings after the last closing, at each of which its lexer runs to the end of
    the text, and the ``<`` of a text that opens types in types as no code does: the parser follows
    each as a comparison too, which takes time and memory with the square of their depth.
    """
    last = source.rfind(b"*/") + 1
    if source.count(b"/*", last) > _OPEN_COMMENTS:
        source = source[:last] + source[last:].replace(b"/*", b"  ")
    if source.count(b"<") > _OPEN_TYPES and _types_in_types(source):
        source = source.replace(b"<", b" ")
    return source


def _types_in_types(source: bytes) -> bool:
    """Whether rows of ``A<B<C<`` are too long, all of them together."""
    parts = COMMENT_OR_STRING.split(source)
    parts[1::2] = [b"" if part.startswith(b"/") else b'"' for part in parts[1::2]]
    cost = depth = 0
    for between in b"".join(parts).split(b"<"):
        depth = depth + 1 if _WORD_OR_BLANK.fullmatch(between) else 0
        cost += depth
    return cost > _OPEN_TYPES**2 // 2
