"""Frozen records of what a source file says. Offsets are bytes, lines count from 1.

Every record can be rebuilt from (path, bytes) alone, so the store may drop any of them. They are
msgspec structs: made, packed and compared several times faster than dataclasses.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

__all__ = ["Call", "Field", "FileFacts", "Import", "Inside", "Method", "Parameter", "Span", "Type"]


class _Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of all records."""


class Span(_Record, frozen=True):
    """A half-open range of bytes in one file."""

    start: int
    """Offset of the first byte."""
    end: int
    """Offset after the last byte."""

    def of(self, source: bytes) -> bytes:
        """The bytes that this span covers in ``source``."""
        return source[self.start : self.end]


class Parameter(_Record, frozen=True):
    """One formal parameter."""

    type: str
    """As written, without annotations; a varargs parameter ends in ``...``."""
    name: str
    """Empty where the source is broken."""

    @property
    def simple_type(self) -> str:
        """Without package and type arguments: ``java.util.List<String>`` is ``List``."""
        return simple_type(self.type)


class Call(_Record, frozen=True):
    """One call, constructor call or method reference inside a body."""

    name: str
    """Method name; for a constructor call the simple name of the type."""
    receiver: str | None
    """Source of what stands before the dot, at most 120 characters; None without one."""
    arguments: tuple[str, ...]
    """Simple type of each argument as far as the text shows it, ``->`` for a lambda or method
    reference; else ``?`` and, for a name or a short call, its text: ``?cart.total()``. In
    files that nowhere say ``Test`` each is ``?``."""
    constructor: bool
    """True for ``new T(...)`` and ``T::new``."""
    start: int
    """Byte offset of the call in its file."""
    reference: bool = False
    """True for ``T::name`` and ``T::new``: named here, called elsewhere."""

    def at(self, start: int) -> Call:
        """The same call at another place."""
        return Call(
            self.name, self.receiver, self.arguments, self.constructor, start, self.reference
        )


class Field(_Record, frozen=True):
    """One declared field (one record for each name of ``int a, b;``)."""

    owner: str
    """Qualified name inside the file: ``Outer.Inner``."""
    name: str
    type: str
    modifiers: tuple[str, ...]
    annotations: tuple[str, ...]
    span: Span
    """The whole declaration with modifiers."""


class Method(_Record, frozen=True):
    """One method or constructor."""

    owner: str
    """Qualified name of its type inside the file: ``Outer.Inner``."""
    name: str
    """A constructor bears its type's simple name."""
    parameters: tuple[Parameter, ...]
    returns: str | None
    """Return type as written; None for a constructor."""
    modifiers: tuple[str, ...]
    annotations: tuple[str, ...]
    """Simple names, without ``@`` and arguments."""
    span: Span
    """Declaration with annotations and modifiers, without the doc comment."""
    signature: Span
    """From the first modifier to before the body or the semicolon, annotations included."""
    body: Span | None
    """Braces included; None for abstract and native methods."""
    doc: Span | None
    """The doc comment right before it."""
    line: int
    """Line of the name."""
    digest: str
    """Hash of the code without white space and comments; equal digests mean equal code."""
    inside: bytes = b""
    """Calls and local variables, which are many and read for few methods: packed, or the text of
    the body, which begins with a brace and is read when it is asked for."""

    @property
    def calls(self) -> tuple[Call, ...]:
        """Calls in the order of the text; unpacked anew at each use."""
        return self.unpacked().calls

    @property
    def locals(self) -> tuple[Parameter, ...]:
        """Local variables with a type that the text shows, of files that say ``Test`` somewhere."""
        return self.unpacked().locals

    def unpacked(self) -> Inside:
        """``calls`` and ``locals`` at once, for who needs both."""
        if self.inside.startswith(b"{") and self.body is not None:
            from indexer.languages.java_bodies import read  # which itself needs these records

            return read(self, self.body)
        return _unpack(self.inside) if self.inside else Inside((), ())

    @property
    def constructor(self) -> bool:
        return self.returns is None

    @property
    def class_name(self) -> str:
        """Simple name of the type that declares it."""
        return self.owner.rpartition(".")[2]

    @property
    def key(self) -> str:
        """Stable name inside a file: ``Outer.Inner#name(int,String)``."""
        return f"{self.owner}#{self.name}({','.join(p.simple_type for p in self.parameters)})"


class Type(_Record, frozen=True):
    """One class, interface, enum, record or annotation."""

    name: str
    """Qualified name inside the file: ``Outer.Inner``."""
    kind: str
    """``class``, ``interface``, ``enum``, ``record`` or ``annotation``."""
    modifiers: tuple[str, ...]
    annotations: tuple[str, ...]
    extends: tuple[str, ...]
    """Simple names of the superclass and, for an interface, of its parents."""
    implements: tuple[str, ...]
    span: Span
    header: Span
    """From the first modifier to before the opening brace."""
    body: Span
    """Braces included; a broken type without a body has an empty span at its end."""
    line: int

    @property
    def simple_name(self) -> str:
        return self.name.rpartition(".")[2]


class Import(_Record, frozen=True):
    """One import declaration."""

    name: str
    """Dotted name without ``.*``."""
    static: bool
    wildcard: bool
    span: Span


class FileFacts(_Record, frozen=True):
    """Everything that is known of one file."""

    language: str
    """``java`` or ``python``."""
    encoding: str
    """``utf-8``, or ``latin-1`` where the bytes are not UTF-8."""
    package: str
    """Dotted; empty in the unnamed package."""
    package_span: Span | None
    imports: tuple[Import, ...]
    types: tuple[Type, ...]
    methods: tuple[Method, ...]
    fields: tuple[Field, ...]
    errors: tuple[str, ...]
    """One line each, with the line number where there is one; empty for a clean file."""

    def type_named(self, name: str) -> Type | None:
        """The type with this qualified name inside the file."""
        return next((t for t in self.types if t.name == name), None)

    def method_at(self, line: int, source: bytes) -> Method | None:
        """The innermost method whose declaration or doc comment covers a line (from 1)."""
        starts = [0]
        for text in source.splitlines(keepends=True):
            starts.append(starts[-1] + len(text))
        if not 1 <= line < len(starts):
            return None
        begin, end = starts[line - 1], starts[line]
        hits = [
            m
            for m in self.methods
            if min(m.span.start, m.doc.start if m.doc else m.span.start) < end
            and begin < m.span.end
        ]
        return min(hits, key=lambda m: m.span.end - m.span.start, default=None)


class Inside(_Record, frozen=True):
    """What stands in a method's body."""

    calls: tuple[Call, ...]
    locals: tuple[Parameter, ...]


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Inside).decode


def pack_inside(calls: tuple[Call, ...], variables: tuple[Parameter, ...]) -> bytes:
    """``Method.inside`` of a body; empty where there is nothing to keep."""
    return _pack(Inside(calls, variables)) if calls or variables else b""


@lru_cache(maxsize=20_000)
def simple_type(text: str) -> str:
    """A type without package, type arguments and blanks: ``a.b.Map<K, V>[]`` is ``Map[]``."""
    if text.isidentifier():
        return text
    depth = 0
    kept = []
    for char in text:
        if char == "<":
            depth += 1
        elif char == ">":
            depth -= 1
        elif depth == 0 and not char.isspace():
            kept.append(char)
    plain = "".join(kept)
    dots = plain.endswith("...")
    plain = plain.removesuffix("...")
    return plain.rpartition(".")[2] + ("..." if dots else "")
