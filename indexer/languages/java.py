"""Java source to facts, by tree-sitter. Total: any bytes give facts and a list of errors."""

from __future__ import annotations

import hashlib
import re
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
    simple_type,
)

__all__ = ["NAME", "SUFFIXES", "TEST_ANNOTATIONS", "method_errors", "parse"]

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
    (method_invocation name: (identifier) @call)
    (object_creation_expression type: (_) @new)
    (method_reference) @reference
    (local_variable_declaration) @local
    (enhanced_for_statement type: (_) @each)
    (resource type: (_) @resource)
    """,
)
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
# Strings are matched so that what looks like a comment inside them is kept.
_NOISE = re.compile(
    rb"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|//[^\n]*|/\*.*?\*/|\s+""", re.DOTALL
)
_LONGEST_RECEIVER = 120


def parse(source: bytes) -> FileFacts:
    """Facts of one Java file.

    Args:
        source: The file's bytes in any encoding, whole or in mid-edit.

    Returns:
        Facts; ``errors`` names the lines that tree-sitter could not place.
    """
    root = Parser(_JAVA).parse(source).root_node
    encoding, errors = "utf-8", list(_syntax_errors(root))
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        encoding = "latin-1"
        line = source.count(b"\n", 0, error.start) + 1
        errors.append(f"line {line}: not UTF-8, read as Latin-1")
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


def method_errors(text: str) -> tuple[str, ...]:
    """Why a text is not exactly one complete method; empty when it is.

    Example:
        >>> method_errors("@Test void adds() { }")
        ()
        >>> method_errors("void adds() { ")
        ('line 1: syntax error',)
    """
    prefix = b"class C {\n"
    source = prefix + text.encode() + b"\n}"
    root = Parser(_JAVA).parse(source).root_node
    if root.has_error:
        found = list(_syntax_errors(root, first_line=0)) or ["line 1: syntax error"]
        return tuple(found[:3])
    types = [node for node in root.named_children if node.type == "class_declaration"]
    body = types[0].child_by_field_name("body") if types else None
    members = [
        node for node in (body.named_children if body else []) if not node.type.endswith("comment")
    ]
    if len(root.named_children) != 1 or [m.type for m in members] != ["method_declaration"]:
        return (f"expected one method, got {len(members)} members",)
    return ()


def _syntax_errors(root: Node, first_line: int = 1) -> Iterator[str]:
    if not root.has_error:
        return
    stack = [root]
    shown = 0
    while stack and shown < 20:
        node = stack.pop()
        if node.is_error or node.is_missing:
            shown += 1
            what = f"missing {node.type}" if node.is_missing else "syntax error"
            yield f"line {node.start_point[0] + first_line}: {what}"
        elif node.has_error:
            stack.extend(reversed(node.children))


def digest(code: bytes) -> str:
    """Hash of code without white space and comments (16 hex digits)."""
    return hashlib.blake2b(
        _NOISE.sub(lambda m: m[1] or b" ", code).replace(b" ", b""), digest_size=8
    ).hexdigest()


class _Reader:
    """Walks declarations only; bodies are read by one query each."""

    def __init__(self, source: bytes, encoding: str) -> None:
        self.source = source
        self.encoding = encoding
        self.package = ""
        self.package_span: Span | None = None
        self.imports: list[Import] = []
        self.types: list[Type] = []
        self.methods: list[Method] = []
        self.fields: list[Field] = []

    def walk(self, root: Node) -> None:
        stack: list[tuple[Node, str]] = [(root, "")]
        while stack:
            node, owner = stack.pop()
            below: list[tuple[Node, str]] = []
            for child in node.named_children:
                kind = child.type
                if kind in _METHODS:
                    self._method(child, owner)
                elif kind in ("field_declaration", "constant_declaration"):
                    self._field(child, owner)
                elif kind in _KINDS:
                    below.append((child, self._type(child, owner)))
                elif kind in _BODIES:
                    below.append((child, owner))
                elif kind == "import_declaration":
                    self._import(child)
                elif kind == "package_declaration":
                    name = child.named_children[-1] if child.named_children else child
                    self.package = self._text(name)
                    self.package_span = _span(child)
            stack.extend(reversed(below))

    def _text(self, node: Node | None) -> str:
        if node is None:
            return ""
        return self.source[node.start_byte : node.end_byte].decode(self.encoding, "replace")

    def _modifiers(self, node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
        first = node.children[0] if node.children else None
        if first is None or first.type != "modifiers":
            return (), ()
        words, marks = [], []
        for child in first.children:
            if child.type in ("marker_annotation", "annotation"):
                name = self._text(child.child_by_field_name("name"))
                marks.append(name.rpartition(".")[2])
            elif not child.type.endswith("comment"):
                words.append(child.type)
        return tuple(words), tuple(marks)

    def _type(self, node: Node, owner: str) -> str:
        name_node = node.child_by_field_name("name")
        name = self._text(name_node)
        qualified = f"{owner}.{name}" if owner else name
        modifiers, annotations = self._modifiers(node)
        body = node.child_by_field_name("body")
        extends, implements = [], []
        for child in node.children:
            if child.type == "superclass":
                extends += [self._text(c) for c in child.named_children]
            elif child.type in ("super_interfaces", "extends_interfaces"):
                target = implements if child.type == "super_interfaces" else extends
                for group in child.named_children:
                    target += [self._text(c) for c in group.named_children]
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
        for parameter in self._parameters(node):
            where = node.child_by_field_name("parameters") or node
            self.fields.append(
                Field(owner, parameter.name, parameter.type, ("final",), (), _span(where))
            )

    def _parameters(self, node: Node) -> tuple[Parameter, ...]:
        holder = node.child_by_field_name("parameters")
        found = []
        for child in holder.named_children if holder else ():
            if child.type == "formal_parameter":
                extra = self._text(child.child_by_field_name("dimensions"))
                found.append(
                    Parameter(
                        self._text(child.child_by_field_name("type")) + extra,
                        self._text(child.child_by_field_name("name")),
                    )
                )
            elif child.type == "spread_parameter":
                kinds = [c for c in child.named_children if c.type != "modifiers"]
                if kinds:
                    name = kinds[-1].child_by_field_name("name") if len(kinds) > 1 else None
                    found.append(Parameter(self._text(kinds[0]) + "...", self._text(name)))
        return tuple(found)

    def _method(self, node: Node, owner: str) -> None:
        name_node = node.child_by_field_name("name")
        name = self._text(name_node)
        modifiers, annotations = self._modifiers(node)
        body = node.child_by_field_name("body")
        constructor = "constructor" in node.type
        returns = None if constructor else self._text(node.child_by_field_name("type"))
        calls, variables = self._inside(body) if body else ((), ())
        before = node.prev_named_sibling
        doc = None
        if before is not None and before.type == "block_comment":
            span = _span(before)
            between = self.source[span.end : node.start_byte]
            if span.of(self.source).startswith(b"/**") and not between.strip():
                doc = span
        end = body.start_byte if body else node.end_byte
        signature = self.source[node.start_byte : end].rstrip(b" \t\r\n;")
        self.methods.append(
            Method(
                owner=owner,
                name=name,
                parameters=self._parameters(node),
                returns=returns,
                modifiers=modifiers,
                annotations=annotations,
                span=_span(node),
                signature=Span(node.start_byte, node.start_byte + len(signature)),
                body=_span(body) if body else None,
                doc=doc,
                line=(name_node or node).start_point[0] + 1,
                calls=calls,
                locals=variables,
                digest=digest(self.source[node.start_byte : node.end_byte]),
            )
        )

    def _field(self, node: Node, owner: str) -> None:
        modifiers, annotations = self._modifiers(node)
        kind = self._text(node.child_by_field_name("type"))
        for declarator in node.children_by_field_name("declarator"):
            extra = self._text(declarator.child_by_field_name("dimensions"))
            self.fields.append(
                Field(
                    owner,
                    self._text(declarator.child_by_field_name("name")),
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
                Import(self._text(names[0]), "static" in kinds, "asterisk" in kinds, _span(node))
            )

    def _inside(self, body: Node) -> tuple[tuple[Call, ...], tuple[Parameter, ...]]:
        found = QueryCursor(_INSIDE_BODIES).captures(body)
        variables: dict[str, str] = {}
        for node in found.get("local", ()):
            kind = self._text(node.child_by_field_name("type"))
            for declarator in node.children_by_field_name("declarator"):
                name = self._text(declarator.child_by_field_name("name"))
                value = declarator.child_by_field_name("value")
                variables[name] = self._type_of(value, variables) if kind == "var" else kind
        for capture in ("each", "resource"):
            for node in found.get(capture, ()):
                name = self._text(node.parent and node.parent.child_by_field_name("name"))
                variables[name] = self._text(node)
        calls = []
        for node in found.get("call", ()):
            call = node.parent
            if call is not None:
                receiver = call.child_by_field_name("object")
                calls.append(self._call(call, self._text(node), receiver, variables, False))
        for node in found.get("new", ()):
            creation = node.parent
            if creation is not None:
                name = simple_type(self._text(node))
                calls.append(self._call(creation, name, None, variables, True))
        for node in found.get("reference", ()):
            left, _, right = self._text(node).rpartition("::")
            new = right == "new"
            name = simple_type(left) if new else right
            calls.append(Call(name, left[:_LONGEST_RECEIVER], (), new, node.start_byte))
        calls.sort(key=lambda call: call.start)
        known = (Parameter(kind, name) for name, kind in variables.items() if kind != "?")
        return tuple(calls), tuple(known)

    def _call(
        self,
        node: Node,
        name: str,
        receiver: Node | None,
        variables: dict[str, str],
        constructor: bool,
    ) -> Call:
        arguments = node.child_by_field_name("arguments")
        kinds = tuple(
            simple_type(self._type_of(argument, variables))
            for argument in (arguments.named_children if arguments else ())
            if not argument.type.endswith("comment")
        )
        text = self._text(receiver)[:_LONGEST_RECEIVER] if receiver is not None else None
        return Call(name, text, kinds, constructor, node.start_byte)

    def _type_of(self, node: Node | None, variables: dict[str, str]) -> str:
        """The type of an expression as far as its text shows it, ``?`` otherwise."""
        if node is None:
            return "?"
        kind = node.type
        if kind in _LITERALS:
            text = self.source[node.end_byte - 1 : node.end_byte]
            if kind == "decimal_integer_literal" and text in b"lL":
                return "long"
            if kind == "decimal_floating_point_literal" and text in b"fF":
                return "float"
            return _LITERALS[kind]
        if kind == "identifier":
            return variables.get(self._text(node), "?")
        if kind in ("object_creation_expression", "cast_expression", "array_creation_expression"):
            extra = self._text(node.child_by_field_name("dimensions"))
            return self._text(node.child_by_field_name("type")) + re.sub(r"[^\[\]]", "", extra)
        if kind == "lambda_expression" or kind == "method_reference":
            return "->"
        if kind == "parenthesized_expression" and node.named_children:
            return self._type_of(node.named_children[0], variables)
        if kind == "unary_expression":
            return self._type_of(node.child_by_field_name("operand"), variables)
        return "?"


def _span(node: Node) -> Span:
    return Span(node.start_byte, node.end_byte)
