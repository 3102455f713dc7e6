"""What a model is shown: the focal context at the five Methods2Test levels, the test class.

A context is a list of pieces in the order of the text; each has a worth, so that a prompt that
is too long loses its least useful pieces whole and is never cut inside one.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from indexer.facts import FileFacts, Method, Span, Type
from indexer.pairing import is_test

__all__ = ["Level", "Piece", "code_of", "focal_context", "snippet_context", "test_class_context"]


class Level(StrEnum):
    """How much of the focal class is shown (Tufano et al. 2022, Methods2Test)."""

    FM = "fm"
    """The focal method."""
    FM_FC = "fm_fc"
    """With the class name."""
    FM_FC_CO = "fm_fc_co"
    """With the constructors' signatures."""
    FM_FC_MS = "fm_fc_ms"
    """With the signatures of public methods too."""
    FM_FC_MS_FF = "fm_fc_ms_ff"
    """With the public fields too."""


_LEVELS = list(Level)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of context that are shown whole or not at all."""

    text: str
    """Ends without a newline."""
    worth: float
    """Pieces of least worth are left out first; ``inf`` is never left out."""


ALWAYS = float("inf")
_NEIGHBOURS = 4
"""Neighbouring tests that are shown at most, the nearest to the target."""


def code_of(source: bytes, span: Span, encoding: str = "utf-8") -> str:
    """The text of a span, dedented: the first line starts at column 0, others move with it."""
    text = span.of(source).decode(encoding, "replace").replace("\r\n", "\n").expandtabs(4)
    line_start = source.rfind(b"\n", 0, span.start) + 1
    before = source[line_start : span.start].decode(encoding, "replace").expandtabs(4)
    if before.strip():
        return text
    return textwrap.dedent(before + text).rstrip()


def _signature(source: bytes, method: Method, encoding: str) -> str:
    text = method.signature.of(source).decode(encoding, "replace")
    text = re.sub(r"@\w+(?:\.\w+)*(?:\([^()]*\))?\s*", "", text)
    return " ".join(text.split()) + ";"


def _header(source: bytes, kind: Type, encoding: str) -> str:
    text = kind.header.of(source).decode(encoding, "replace")
    text = re.sub(r"@\w+(?:\.\w+)*(?:\((?:[^()]|\([^()]*\))*\))?\s*", "", text)
    return " ".join(text.split()) + " {"


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def focal_context(
    source: bytes, facts: FileFacts, method: Method, level: Level = Level.FM_FC_MS_FF
) -> tuple[Piece, ...]:
    """The focal method in its class, in the order of Methods2Test.

    Args:
        source: Bytes of the focal file.
        facts: Its facts.
        method: One of ``facts.methods``.
        level: How much of the class is shown.

    Returns:
        Pieces; the focal method is always kept.
    """
    encoding = facts.encoding
    depth = _LEVELS.index(level)
    focal = code_of(source, method.span, encoding)
    kind = facts.type_named(method.owner)
    if depth == 0 or kind is None:
        return (Piece(focal, ALWAYS),)
    pieces = [Piece(_header(source, kind, encoding), ALWAYS), Piece(_indented(focal), ALWAYS)]
    others = [m for m in facts.methods if m.owner == method.owner and m.key != method.key]
    called = {c.name for c in method.calls}
    if depth >= 2:
        for one in others:
            if one.constructor and "private" not in one.modifiers:
                pieces.append(Piece(_indented(_signature(source, one, encoding)), 8.0))
    if depth >= 3:
        for one in others:
            if not one.constructor and "private" not in one.modifiers:
                worth = 6.0 if one.name in called or one.name == method.name else 4.0
                pieces.append(Piece(_indented(_signature(source, one, encoding)), worth))
    if depth >= 4:
        seen = set()
        body = method.body.of(source) if method.body else b""
        for field in facts.fields:
            if field.owner == method.owner and field.span not in seen:
                seen.add(field.span)
                used = re.search(rb"\b" + re.escape(field.name.encode()) + rb"\b", body)
                if used or "private" not in field.modifiers:
                    text = " ".join(field.span.of(source).decode(encoding, "replace").split())
                    if len(text) <= 200:
                        pieces.append(Piece(_indented(text), 7.0 if used else 3.0))
    return (*pieces, Piece("}", ALWAYS))


def test_class_context(
    source: bytes,
    facts: FileFacts,
    owner: str,
    *,
    leave_out: Collection[Method] = (),
) -> tuple[Piece, ...]:
    """The class that a test will live in: imports, fields, set-up, helpers, neighbouring tests.

    Args:
        source: Bytes of the test file.
        facts: Its facts.
        owner: Qualified name of the test class inside the file.
        leave_out: Methods never shown: the target, and other tests of its focal method.

    Returns:
        Pieces; empty when the file has no such class.
    """
    kind = facts.type_named(owner)
    if kind is None:
        return ()
    encoding = facts.encoding
    hidden = {m.key for m in leave_out}
    pieces = []
    for line in facts.imports:
        text = " ".join(line.span.of(source).decode(encoding, "replace").split())
        testing = re.search(r"junit|mockito|assertj|hamcrest|testng|truth|easymock", line.name)
        pieces.append(Piece(text, 7.0 if testing else 3.0 if line.static else 2.0))
    pieces.append(Piece(_header(source, kind, encoding), ALWAYS))
    seen = set()
    for field in facts.fields:
        if field.owner == owner and field.span not in seen:
            seen.add(field.span)
            text = code_of(source, field.span, encoding)
            if len(text) <= 300:
                pieces.append(Piece(_indented(text), 6.0))
    own = [m for m in facts.methods if m.owner == owner and m.key not in hidden]
    for method in own:
        if any(a.startswith("Before") for a in method.annotations) or method.name == "setUp":
            pieces.append(Piece(_indented(code_of(source, method.span, encoding)), 6.5))
        elif not is_test(method, kind, facts.imports) and method.body:
            pieces.append(Piece(_indented(_signature(source, method, encoding)), 5.0))
    pieces += _neighbours(source, facts, own, kind, leave_out)
    return (*pieces, Piece("}", ALWAYS))


def _neighbours(
    source: bytes,
    facts: FileFacts,
    own: list[Method],
    kind: Type,
    leave_out: Collection[Method],
) -> Iterator[Piece]:
    """The tests nearest before the target, else the class's last ones; short ones only."""
    tests = [
        m for m in own if is_test(m, kind, facts.imports) and m.span.end - m.span.start <= 1500
    ]
    place = min((m.span.start for m in leave_out), default=kind.body.end)
    nearest = sorted(tests, key=lambda m: abs(m.span.start - place))[:_NEIGHBOURS]
    worth = {m.key: 5.5 - rank for rank, m in enumerate(nearest)}
    for method in sorted(nearest, key=lambda m: m.span.start):
        text = _indented(code_of(source, method.span, facts.encoding))
        yield Piece(text, worth[method.key])


def snippet_context(source: bytes, facts: FileFacts, method: Method) -> tuple[Piece, ...]:
    """The class around a method that is to be written: its name, fields and signatures."""
    if facts.language == "python":
        return _python_context(source, facts, method)
    encoding = facts.encoding
    kind = facts.type_named(method.owner)
    if kind is None:
        return ()
    pieces = [Piece(_header(source, kind, encoding), ALWAYS)]
    seen = set()
    for field in facts.fields:
        if field.owner == method.owner and field.span not in seen:
            seen.add(field.span)
            text = " ".join(field.span.of(source).decode(encoding, "replace").split())
            if len(text) <= 200:
                pieces.append(Piece(_indented(text), 6.0))
    for one in facts.methods:
        if one.owner == method.owner and one.key != method.key:
            pieces.append(Piece(_indented(_signature(source, one, encoding)), 4.0))
    return (*pieces, Piece("}", ALWAYS))


def _python_context(source: bytes, facts: FileFacts, method: Method) -> tuple[Piece, ...]:
    """The same of a Python function, where the module's own functions and imports count too."""
    encoding = facts.encoding
    lines = {one.span: code_of(source, one.span, encoding) for one in facts.imports}
    pieces = [Piece(text, 5.0) for text in lines.values() if len(text) <= 200]
    for one in facts.methods:
        if one.owner == "" and one.key != method.key:
            pieces.append(Piece(code_of(source, one.signature, encoding), 4.0))
    kind = facts.type_named(method.owner)
    if kind is not None:
        pieces.append(Piece(code_of(source, kind.header, encoding), ALWAYS))
        for one in facts.methods:
            if one.owner == method.owner and one.key != method.key:
                pieces.append(Piece(_indented(code_of(source, one.signature, encoding)), 5.0))
    return tuple(pieces)
