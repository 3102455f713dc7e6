"""Java source to facts, by tree-sitter. Total: any bytes give facts and a list of errors."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterator

import tree_sitter_java
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from indexer.facts import (
    Call,
    Field,
    FileFacts,
    Import,
    Method,
    Parameter,
    Span,
    Type,
    pack_inside,
    simple_type,
)
from indexer.languages.comments import passages_in
from indexer.languages.trees import readable, slicer, syntax_errors

__all__ = ["NAME", "SUFFIXES", "TEST_ANNOTATIONS", "method_errors", "parse", "passages"]

NAME = "java"
SUFFIXES = (".java",)

TEST_ANNOTATIONS = frozenset(
    {"Test", "ParameterizedTest", "RepeatedTest", "TestFactory", "TestTemplate", "Theory"}
)

_JAVA = Language(tree_sitter_java.language())
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
_INSIDE_BODIES = Query(
    _JAVA,
    """
    (method_invocation) @call
    (object_creation_expression) @new
    (method_reference) @reference
    (local_variable_declaration) @local
    (enhanced_for_statement) @each
    (resource) @resource
    """,
)
_BLOCKS = Query(_JAVA, "[(block) (constructor_body) (switch_block_statement_group)] @block")
_LITERALS = {
    "string_literal": "String",
    "text_block": "String",
    "character_literal": "char",
    "true": "boolean",
    "false": "boolean",
    "null_literal": "null",
    "class_literal": "Class",
    "decimal_floating_point_literal": "double",
    "hex_floating_point_literal": "double",
    "decimal_integer_literal": "int",
    "hex_integer_literal": "int",
    "octal_integer_literal": "int",
    "binary_integer_literal": "int",
}
_TYPED = frozenset({"object_creation_expression", "cast_expression", "array_creation_expression"})
_SAME_TYPE = {
    "parenthesized_expression": "1",
    "unary_expression": "operand",
    "ternary_expression": "consequence",
}
"""Expressions of the type of a part: of the field named, or of the first child."""
_COMMENTS = frozenset({"line_comment", "block_comment"})
_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">=", "&&", "||", "instanceof"})
# Strings are matched so that what looks like a comment inside them is kept. What is never closed
# goes on to the end of its line or text: looking for the end twice would be quadratic. Each
# alternative begins with a plain letter, so that the engine skips what none can begin with.
_COMMENT_OR_STRING = re.compile(
    rb"""(//[^\n]*|/\*.*?(?:\*/|\Z)"""
    rb"""|\"\"\"(?:\\.|[^\\])*?(?:"{3}|\Z)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)""",
    re.DOTALL,
)
_NOT_PLAIN = (b"/*", b"//", b'\\"', b"'\"'", b"' '", b'"""')
_BLANKS = b" \t\n\r\x0b\x0c"
_LONGEST_RECEIVER = 120
# Asked for at every method and call: by number a field is found in half the time.
_NAME, _TYPE, _BODY, _OBJECT, _ARGUMENTS, _PARAMETERS, _DIMENSIONS = (
    _JAVA.field_id_for_name(name) or 0
    for name in ("name", "type", "body", "object", "arguments", "parameters", "dimensions")
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
    encoding, errors, text = readable(_without_open_comments(source))
    root = Parser(_JAVA).parse(text).root_node
    errors = [*syntax_errors(root), *errors]
    reader = _Reader(source, encoding)
    reader.walk(root)
    return FileFacts(
        language=NAME,
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
    root = Parser(_JAVA).parse(readable(_without_open_comments(source))[2]).root_node
    for block in QueryCursor(_BLOCKS).captures(root).get("block", ()):
        yield from passages_in(block.named_children, source)


_OPEN_COMMENTS = 100


def _without_open_comments(source: bytes) -> bytes:
    """Blanks comment openings after the last closing, where there are many.

    The grammar's lexer runs to the end of the text at each of them, which is quadratic.
    """
    last = source.rfind(b"*/") + 1
    if source.count(b"/*", last) <= _OPEN_COMMENTS:
        return source
    return source[:last] + source[last:].replace(b"/*", b"  ")


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
    root = Parser(_JAVA).parse(source).root_node
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
            parts = _COMMENT_OR_STRING.split(code)
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

    def walk(self, root: Node) -> None:
        bodies = _Bodies(self, root)
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

    def _method(self, node: Node, owner: str, before: Node | None, bodies: _Bodies) -> None:
        name = node.child_by_field_id(_NAME)
        modifiers, annotations = self._modifiers(node)
        body = node.child_by_field_id(_BODY)
        constructor = "constructor" in node.type
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
                parameters=self._parameters(node.child_by_field_id(_PARAMETERS)),
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


class _Bodies:
    """Calls and local variables of a whole file in the order of its text, given out by span."""

    def __init__(self, reader: _Reader, root: Node) -> None:
        self.source = reader.source
        self.slice = reader.slice
        self.text = reader.text
        # Types are asked for where tests are paired: elsewhere they would cost a third more time.
        self.typed = b"Test" in reader.source
        found = [
            (node.start_byte, -node.end_byte, place, capture, node)
            for capture, nodes in QueryCursor(_INSIDE_BODIES).captures(root).items()
            for place, node in enumerate(nodes)
        ]
        # The binding gives captures in no order: of one start, the outer comes first.
        found.sort()
        self.found = found
        self.starts = [one[0] for one in found]

    def between(self, start: int, end: int) -> bytes:
        """Packed calls and local variables of the body that covers these bytes."""
        calls: list[Call] = []
        variables: dict[str, str] = {}
        first = bisect_left(self.starts, start)
        for at, _, _, capture, node in self.found[first : bisect_left(self.starts, end, first)]:
            if capture == "call":
                calls.append(self._call(at, node, variables))
            elif capture == "new":
                name = simple_type(self.text(node.child_by_field_id(_TYPE)))
                kinds = self._kinds(node.child_by_field_id(_ARGUMENTS), variables)
                calls.append(Call(name, None, kinds, True, at))
            elif capture == "reference":
                left, _, right = self._start_of(at, node.end_byte).rpartition("::")
                new = right == "new"
                name = simple_type(left) if new else right
                calls.append(Call(name, left[:_LONGEST_RECEIVER], (), new, at, True))
            elif self.typed:
                self._variables(node, variables)
        known = tuple(Parameter(kind, name) for name, kind in variables.items() if kind != "?")
        return pack_inside(tuple(calls), known)

    def _variables(self, node: Node, variables: dict[str, str]) -> None:
        text = self.text
        kind = text(node.child_by_field_id(_TYPE))
        if node.type != "local_variable_declaration":
            name = node.child_by_field_id(_NAME)
            if name is not None and kind != "var":
                variables[text(name)] = kind
            return
        for declarator in node.children_by_field_name("declarator"):
            shown = kind
            if kind == "var":
                shown = self._type_of(declarator.child_by_field_name("value"), variables)
            if not shown.startswith("?"):
                shown += text(declarator.child_by_field_id(_DIMENSIONS))
            variables[text(declarator.child_by_field_id(_NAME))] = shown

    def _call(self, at: int, node: Node, variables: dict[str, str]) -> Call:
        receiver = node.child_by_field_id(_OBJECT)
        return Call(
            self.text(node.child_by_field_id(_NAME)),
            None if receiver is None else self._start_of(at, receiver.end_byte),
            self._kinds(node.child_by_field_id(_ARGUMENTS), variables),
            False,
            at,
        )

    def _start_of(self, start: int, end: int) -> str:
        """Text of at most 120 characters: a long chain is not copied for each of its calls."""
        if end - start <= _LONGEST_RECEIVER:
            return self.slice(start, end)
        return self.slice(start, min(end, start + 4 * _LONGEST_RECEIVER))[:_LONGEST_RECEIVER]

    def _kinds(self, arguments: Node | None, variables: dict[str, str]) -> tuple[str, ...]:
        if arguments is None:
            return ()
        if not self.typed:
            return ("?",) * arguments.named_child_count
        return tuple(
            [
                self._type_of(one, variables)
                for one in arguments.named_children
                if one.type not in _COMMENTS
            ]
        )

    def _type_of(self, node: Node | None, variables: dict[str, str]) -> str:
        """The simple type of an expression as far as its text shows it; see ``Call.arguments``."""
        while node is not None and (step := _SAME_TYPE.get(kind := node.type)):
            node = node.child_by_field_name(step) if step != "1" else node.named_child(0)
        if node is None:
            return "?"
        if kind == "identifier":
            name = self.text(node)
            known = variables.get(name, "?" + name)
            return known if known.startswith("?") else simple_type(known)
        if kind in _LITERALS:
            last = self.source[node.end_byte - 1 : node.end_byte]
            if kind == "decimal_integer_literal" and last in b"lL":
                return "long"
            if kind == "decimal_floating_point_literal" and last in b"fF":
                return "float"
            return _LITERALS[kind]
        if kind in ("method_invocation", "field_access"):
            short = node.end_byte - node.start_byte <= _LONGEST_RECEIVER
            return "?" + self.text(node) if short else "?"
        if kind in _TYPED:
            shown = self.text(node.child_by_field_id(_TYPE))
            for size in node.children_by_field_name("dimensions"):
                sized = size.type == "dimensions_expr"
                shown += "[]" if sized else re.sub(r"[^\[\]]", "", self.text(size))
            return simple_type(shown)
        if kind == "binary_expression":
            return self._type_of_binary(node, variables)
        return "->" if kind in ("lambda_expression", "method_reference") else "?"

    def _type_of_binary(self, node: Node, variables: dict[str, str]) -> str:
        """``a + b + "c"`` is a String where either end of the chain is one."""
        operator = node.child_by_field_name("operator")
        if operator is not None and operator.type in _COMPARISONS:
            return "boolean"
        right = node.child_by_field_name("right")
        left: Node | None = node
        while left is not None and left.type == "binary_expression":
            left = left.child_by_field_name("left")
        ends = [one.type for one in (left, right) if one is not None]
        return "String" if "string_literal" in ends else "?"


def _span(node: Node) -> Span:
    return Span(node.start_byte, node.end_byte)
