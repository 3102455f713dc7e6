"""A comment inside the body of a Java method, and whether its code is still to be written."""

from __future__ import annotations

from typing import NamedTuple

from indexer.facts import Span
from indexer.languages.lexis import Token, tokens

__all__ = ["Remark", "remark_at"]


class Remark(NamedTuple):
    """A comment inside a body, on lines of its own."""

    span: Span
    """Its bytes; of lines that follow each other those of the last."""
    bare: bool
    """Whether nothing stands beneath it that it could describe."""


def remark_at(source: bytes, body: Span, line: int) -> Remark | None:
    """The comment at a line of a body, or just above an empty line; None where there is none.

    Args:
        source: The file's bytes.
        body: Braces included.
        line: From 1.
    """
    text = source.decode("latin-1")  # a character a byte, so that offsets are those of the file
    found = tokens(text[body.start : body.end])
    row = [one._replace(start=one.start + body.start) for one in found]
    row.append(Token("sign", "}", body.end))  # a body that is being written may lack its own
    for place, one in enumerate(row):
        begins = text.rfind("\n", 0, one.start) + 1
        if one.kind != "comment" or text[begins : one.start].strip():
            continue
        first = text.count("\n", 0, one.start) + 1
        last = first + one.text.count("\n")
        after = text[one.end :].split("\n", 2)[1:2]
        beneath = line == last + 1 and after and not after[0].strip()
        if not (first <= line <= last or beneath):
            continue
        while _follows(text, one, row[place + 1]):
            place, one = place + 1, row[place + 1]
        following = row[place + 1]
        apart = "\n" in text[one.end : following.start].partition("\n")[2]
        span = Span(one.start, len(text[: one.end].rstrip()))
        return Remark(span, bare=apart or following.text == "}")
    return None


def _follows(text: str, one: Token, following: Token) -> bool:
    """Whether a comment goes on with a comment on the next line."""
    between = text[one.end : following.start]
    return following.kind == "comment" and between.count("\n") == 1 and not between.strip()
