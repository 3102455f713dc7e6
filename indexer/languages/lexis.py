"""Java as a row of tokens: enough to see names and braces in text that may not parse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Names", "Token", "block_end", "first_block", "inside_tokens", "names_in", "tokens"]


class Token(NamedTuple):
    """One token; white space is none."""

    kind: str
    """``literal``, ``comment``, ``number``, ``word`` or ``sign``."""
    text: str
    start: int
    """Offset of its first character."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


_TOKEN = re.compile(
    r'(?P<literal>"""(?:\\.|[^\\])*?(?:"""|\\?\Z)'
    r'|"(?:\\.|[^"\\\n])*(?:"|\\?\Z)|\'(?:\\.|[^\'\\\n])*(?:\'|\\?\Z))'
    r"|(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<word>[^\W\d][\w$]*|\$[\w$]*)"
    r"|(?P<sign>::|->|\S)",
    re.DOTALL,
)


def tokens(code: str) -> Iterator[Token]:
    """The tokens of any text, comments among them."""
    for match in _TOKEN.finditer(code):
        yield Token(match.lastgroup or "sign", match[0], match.start())


class Names(NamedTuple):
    """Names that stand alone, so that the file's imports or its class must explain them."""

    types: frozenset[str]
    """Begin with a capital: types, and constants of static imports."""
    calls: frozenset[str]
    """Followed by a bracket: methods without a receiver."""
    declared: frozenset[str]
    """Those of both kinds that the code itself declares."""


def names_in(code: str) -> Names:
    """Names that stand alone in code.

    Example:
        >>> names = names_in("@Test void adds() { assertEquals(List.of(1), new Cart().all()); }")
        >>> sorted(names.types), sorted(names.calls), sorted(names.declared)
        (['Cart', 'List', 'Test'], ['adds', 'assertEquals'], ['adds'])
    """
    types, calls, declared = set(), set(), set()
    row = [token for token in tokens(code) if token.kind != "comment"]
    for position, token in enumerate(row):
        before = row[position - 1] if position else _NOTHING
        if token.kind != "word" or before.text in (".", "::", "case"):
            continue
        after = row[position + 1] if position + 1 < len(row) else _NOTHING
        if token.text[0].isupper():
            types.add(token.text)
            if before.text in ("class", "interface", "enum", "record"):
                declared.add(token.text)
        elif after.text == "(" and before.text not in ("new", "@") and token.text not in _KEYWORDS:
            calls.add(token.text)
            if (before.kind == "word" and before.text not in _KEYWORDS) or before.text == "]":
                declared.add(token.text)
    return Names(frozenset(types), frozenset(calls), frozenset(declared))


_NOTHING = Token("sign", "", 0)
_KEYWORDS = frozenset(
    {"assert", "catch", "do", "else", "for", "if", "return", "super", "switch", "synchronized"}
    | {"this", "throw", "try", "while", "yield"}
)


def first_block(code: str) -> str:
    """Code up to the brace that closes its first block; all of it where none does.

    Example:
        >>> first_block("void a() { b(); } // and more")
        'void a() { b(); }'
    """
    return code[: block_end(code)]


def block_end(code: str) -> int | None:
    """Offset behind the brace that closes the first block of a code; None while none does.

    Braces inside brackets, as in ``@CsvSource({"1"})``, open no block. A string that the text
    breaks off in is not over.

    Example:
        >>> block_end("a() { b(); } c"), block_end('a() { b("}')
        (12, None)
    """
    brackets = braces = 0
    for token in tokens(code):
        if token.text in ("(", "["):
            brackets += 1
        elif token.text in (")", "]"):
            brackets -= 1
        elif token.text == "{" and (braces or not brackets):
            braces += 1
        elif token.text == "}" and braces:
            braces -= 1
            if not braces:
                return token.end
    return None


def inside_tokens(code: str, kind: str) -> frozenset[int]:
    """Numbers (from 0) of the lines that begin inside a token of a kind that spans lines."""
    lines: set[int] = set()
    for token in tokens(code):
        if token.kind == kind and "\n" in token.text:
            first = code.count("\n", 0, token.start)
            lines.update(range(first + 1, first + 1 + token.text.count("\n")))
    return frozenset(lines)
