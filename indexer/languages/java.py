"""Java source to facts, by tree-sitter. Total: any bytes give facts and a list of errors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from tree_sitter import Node, Parser

from indexer.facts import (
    Field,
    FileFacts,
    Import,
    Method,
    Parameter,
    Span,
    Type,
    simple_type,
)
from indexer.languages.comments import passages_in
from indexer.languages.java_bodies import Bodies, Inner, Texts, field_ids, says_test
from indexer.languages.java_trees import COMMENT_OR_STRING, JAVA, tame
from indexer.languages.trees import Search, readable, slicer, syntax_errors

__all__ = ["enum_constants", "method_errors", "parse", "passages"]


_KINDS = {
    "class_declaration": "class",
    "interface_declaration": "interface",
    "enum_declaration": "enum",
    "record_declaration": "record",
    "annotation_type_declaration": "annotation",
}
_BODIES = frozenset(
    {
        "class_body",
        "interface_body",
        "enum_body",
        "enum_body_declarations",
        "annotation_type_body",
        "ERROR",
        "program",
    }
)
_METHODS = frozenset(
    {
        "method_declaration",
        "constructor_declaration",
        "compact_constructor_declaration",
        "annotation_type_element_declaration",
    }
)
_BLOCKS = Search(JAVA, {"block": "", "constructor_body": "", "switch_block_statement_group": ""})
_NOT_PLAIN = (b"/*", b"//", b'\\"', b"'\"'", b"' '", b'"""')
_BLANKS = b" \t\n\r\x0b\x0c"
_NAME, _TYPE, _BODY, _PARAMETERS, _DIMENSIONS = field_ids(
    "name", "type", "body", "parameters", "dimensions"
)
_DEEPEST = 50
"""Types nested deeper are not read: real code has five levels, and names grow with each."""


def parse(source: bytes) -> FileFacts:
    """Facts of one Java file.

    Args:
        source: The file's bytes in any encoding, whole or in mid-edit.

    Returns:
        Facts; ``errors`` names the lines that tree-sitter could not place.
    """
    encoding, errors, text = readable(tame(source))
    root = Parser(JAVA).parse(text).root_node
    errors = [*syntax_errors(root), *errors]
    reader = _Reader(source, encoding)
    read_later = text is source and not root.has_error and not says_test(source)
    reader.walk(root, Texts(source) if read_later else Bodies(source, reader.slice, root))
    return FileFacts(
        language="java",
        encoding=encoding,
        package=reader.package,
        package_span=reader.package_span,
        imports=tuple(reader.imports),
        types=tuple(reader.types),
        methods=tuple(reader.methods),
        fields=tuple(reader.fields),
        errors=tuple(errors),
    )


def passages(source: bytes) -> Iterator[tuple[Span, Span]]:
    """(comment, the statements that it stands before) of a whole file."""
    root = Parser(JAVA).parse(readable(tame(source))[2]).root_node
    for _, block in _BLOCKS.found(root):
        yield from passages_in(block.named_children, source)


def enum_constants(source: bytes) -> tuple[str, ...]:
    """The constants of the text of one enum, in their order.

    Example:
        >>> enum_constants(b"public enum Size { SMALL, LARGE(2) { }; final int inches = 1; }")
        ('SMALL', 'LARGE')
    """
    root = Parser(JAVA).parse(tame(source)).root_node
    kind = root.named_children[0] if root.named_children else None
    body = kind.child_by_field_name("body") if kind else None
    named = (
        one.child_by_field_name("name")
        for one in (body.named_children if body else ())
        if one.type == "enum_constant"
    )
    return tuple(name.text.decode("utf-8", "replace") for name in named if name and name.text)


def method_errors(text: str) -> tuple[str, ...]:
    """Why a text is not exactly one complete method; empty when it is.

    Example:
        >>> method_errors("@Test void adds() { }")
        ()
        >>> method_errors("void adds() { x = ; }")
        ('line 1: syntax error',)
    """
    prefix = b"class C {\n"
    source = prefix + text.encode() + b"\n}"
    root = Parser(JAVA).parse(tame(source)).root_node
    if root.has_error:
        found = list(syntax_errors(root, first_line=0)) or ["line 1: syntax error"]
        return tuple(found[:3])
    types = [node for node in root.named_children if node.type == "class_declaration"]
    body = types[0].child_by_field_id(_BODY) if types else None
    members = [
        node for node in (body.named_children if body else []) if not node.type.endswith("comment")
    ]
    if len(root.named_children) != 1 or [m.type for m in members] != ["method_declaration"]:
        return (f"expected one method, got {len(members)} members",)
    return ()


def digest(code: bytes) -> str:
    """Hash of code without white space and comments (16 hex digits)."""
    for mark in _NOT_PLAIN:
        if mark in code:
            parts = COMMENT_OR_STRING.split(code)
            parts[1::2] = [b"" if part.startswith(b"/") else part for part in parts[1::2]]
            between = b""
            break
    else:  # most methods: only what stands between double quotes keeps its blanks
        parts, between = code.split(b'"'), b'"'
    parts[::2] = [part.translate(None, _BLANKS) for part in parts[::2]]
    return hashlib.blake2b(between.join(parts), digest_size=8).hexdigest()


class _Reader:
    """Walks declarations only; the bodies of a file are read by one query."""

    def __init__(self, source: bytes, encoding: str) -> None:
        self.source = source
        self.slice = slicer(source, encoding)
        self.package = ""
        self.package_span: Span | None = None
        self.imports: list[Import] = []
        self.types: list[Type] = []
        self.methods: list[Method] = []
        self.fields: list[Field] = []

    def walk(self, root: Node, bodies: Inner) -> None:
        stack: list[tuple[Node, str]] = [(root, "")]
        while stack:
            node, owner = stack.pop()
            below: list[tuple[Node, str]] = []
            before: Node | None = None
            for child in node.named_children:
                kind = child.type
                if kind in _METHODS:
                    self._method(child, owner, before, bodies)
                elif kind in ("field_declaration", "constant_declaration"):
                    self._field(child, owner)
                elif kind in _KINDS:
                    if owner.count(".") < _DEEPEST:
                        below.append((child, self._type(child, owner)))
                elif kind in _BODIES:
                    below.append((child, owner))
                elif kind == "import_declaration":
                    self._import(child)
                elif kind == "package_declaration":
                    name = child.named_children[-1] if child.named_children else child
                    self.package = self.text(name)
                    self.package_span = _span(child)
                before = child
            stack.extend(reversed(below))

    def text(self, node: Node | None) -> str:
        if node is None:
            return ""
        return self.slice(node.start_byte, node.end_byte)

    def _modifiers(self, node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
        first = node.child(0)
        if first is None or first.type != "modifiers":
            return (), ()
        words, marks = [], []
        for child in first.children:
            kind = child.type
            if kind in ("marker_annotation", "annotation"):
                name = self.text(child.child_by_field_id(_NAME))
                marks.append(name.rpartition(".")[2])
            elif not kind.endswith("comment"):
                words.append(kind)
        return tuple(words), tuple(marks)

    def _type(self, node: Node, owner: str) -> str:
        name_node = node.child_by_field_id(_NAME)
        name = self.text(name_node)
        qualified = f"{owner}.{name}" if owner else name
        modifiers, annotations = self._modifiers(node)
        body = node.child_by_field_id(_BODY)
        extends: list[str] = []
        implements: list[str] = []
        for child in node.named_children:
            if child.type == "superclass":
                extends += [self.text(c) for c in child.named_children]
            elif child.type in ("super_interfaces", "extends_interfaces"):
                target = implements if child.type == "super_interfaces" else extends
                for group in child.named_children:
                    target += [self.text(c) for c in group.named_children]
        self.types.append(
            Type(
                name=qualified,
                kind=_KINDS[node.type],
                modifiers=modifiers,
                annotations=annotations,
                extends=tuple(map(simple_type, extends)),
                implements=tuple(map(simple_type, implements)),
                span=_span(node),
                header=Span(node.start_byte, body.start_byte if body else node.end_byte),
                body=_span(body) if body else Span(node.end_byte, node.end_byte),
                line=(name_node or node).start_point[0] + 1,
            )
        )
        if node.type == "record_declaration":
            self._record_components(node, qualified)
        return qualified

    def _record_components(self, node: Node, owner: str) -> None:
        where = node.child_by_field_id(_PARAMETERS)
        for parameter in self._parameters(where):
            self.fields.append(
                Field(owner, parameter.name, parameter.type, ("final",), (), _span(where or node))
            )

    def _parameters(self, holder: Node | None) -> tuple[Parameter, ...]:
        found = []
        for child in holder.named_children if holder else ():
            if child.type == "formal_parameter":
                extra = self.text(child.child_by_field_id(_DIMENSIONS))
                found.append(
                    Parameter(
                        self.text(child.child_by_field_id(_TYPE)) + extra,
                        self.text(child.child_by_field_id(_NAME)),
                    )
                )
            elif child.type == "spread_parameter":
                kinds = [c for c in child.named_children if c.type != "modifiers"]
                if kinds:
                    name = kinds[-1].child_by_field_id(_NAME) if len(kinds) > 1 else None
                    found.append(Parameter(self.text(kinds[0]) + "...", self.text(name)))
        return tuple(found)

    def _method(self, node: Node, owner: str, before: Node | None, bodies: Inner) -> None:
        name = node.child_by_field_id(_NAME)
        modifiers, annotations = self._modifiers(node)
        body = node.child_by_field_id(_BODY)
        constructor = "constructor" in node.type
        takes = node.child_by_field_id(_PARAMETERS)
        if node.type == "compact_constructor_declaration" and node.parent and node.parent.parent:
            takes = node.parent.parent.child_by_field_id(_PARAMETERS)  # of the record
        start, end = node.start_byte, node.end_byte
        doc = None
        if before is not None and before.type == "block_comment":
            span = _span(before)
            between = self.source[span.end : start]
            if self.source.startswith(b"/**", span.start) and not between.strip():
                doc = span
        signature = self.source[start : body.start_byte if body else end].rstrip(b" \t\r\n;")
        self.methods.append(
            Method(
                owner=owner,
                name=self.text(name),
                parameters=self._parameters(takes),
                returns=None if constructor else self.text(node.child_by_field_id(_TYPE)),
                modifiers=modifiers,
                annotations=annotations,
                span=Span(start, end),
                signature=Span(start, start + len(signature)),
                body=_span(body) if body else None,
                doc=doc,
                line=(name or node).start_point[0] + 1,
                digest=digest(self.source[start:end]),
                inside=bodies.between(body.start_byte, body.end_byte) if body else b"",
            )
        )

    def _field(self, node: Node, owner: str) -> None:
        modifiers, annotations = self._modifiers(node)
        kind = self.text(node.child_by_field_id(_TYPE))
        for declarator in node.children_by_field_name("declarator"):
            extra = self.text(declarator.child_by_field_id(_DIMENSIONS))
            self.fields.append(
                Field(
                    owner,
                    self.text(declarator.child_by_field_id(_NAME)),
                    kind + extra,
                    modifiers,
                    annotations,
                    _span(node),
                )
            )

    def _import(self, node: Node) -> None:
        kinds = {child.type for child in node.children}
        names = [c for c in node.named_children if c.type in ("scoped_identifier", "identifier")]
        if names:
            self.imports.append(
                Import(self.text(names[0]), "static" in kinds, "asterisk" in kinds, _span(node))
            )


def _span(node: Node) -> Span:
    return Span(node.start_byte, node.end_byte)
