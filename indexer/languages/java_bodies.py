"""What stands in the bodies of Java methods: calls and local variables, read by one query.

Bodies of a file that says ``Test`` are read with the file: pairs are found by them. Of other
files they are kept as text and read by the few who ask, since most are never asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Protocol

from tree_sitter import Node, Parser

from indexer.facts import Call, Inside, Method, Parameter, Span, pack_inside, simple_type
from indexer.languages.java_trees import JAVA, tame
from indexer.languages.trees import Search, slicer

__all__ = ["Bodies", "Inner", "Texts", "field_ids", "read", "says_test"]

_INSIDE_BODIES = Search(
    JAVA,
    {
        "method_invocation": "call",
        "object_creation_expression": "new",
        "method_reference": "reference",
        "local_variable_declaration": "local",
        "enhanced_for_statement": "each",
        "resource": "resource",
    },
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
_TYPED = frozenset({"object_creation_expression", "cast_expression", "array_creation_expression"})
_SAME_TYPE = {
    "parenthesized_expression": "1",
    "unary_expression": "operand",
    "ternary_expression": "consequence",
}
"""Expressions of the type of a part: of the field named, or of the first child."""
_COMMENTS = frozenset({"line_comment", "block_comment"})
_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">=", "&&", "||", "instanceof"})
_LONGEST_RECEIVER = 120


def field_ids(*names: str) -> tuple[int, ...]:
    """The numbers of the grammar's fields: by number a field is found in half the time."""
    return tuple(JAVA.field_id_for_name(name) or 0 for name in names)


_NAME, _TYPE, _OBJECT, _ARGUMENTS, _DIMENSIONS = field_ids(
    "name", "type", "object", "arguments", "dimensions"
)


def says_test(source: bytes) -> bool:
    """Whether types of arguments are told: they are asked for where tests are paired."""
    return b"Test" in source


class Inner(Protocol):
    """Gives what ``Method.inside`` keeps of a body."""

    def between(self, start: int, end: int) -> bytes:
        """What to keep of the body that covers these bytes."""


class Texts:
    """Bodies as they are written; nothing of one that calls nothing. For files without errors."""

    def __init__(self, source: bytes) -> None:
        self.source = source

    def between(self, start: int, end: int) -> bytes:
        text = self.source[start:end]
        return text if b"(" in text or b"::" in text else b""


def read(method: Method, body: Span) -> Inside:
    """What stands in the body that ``Texts`` has kept."""
    head = b"class C { C() " if method.constructor else b"class C { void m() "
    source = head + method.inside + b" }"
    root = Parser(JAVA).parse(tame(source)).root_node
    calls, variables = Bodies(source, slicer(source, "utf-8"), root).read(len(head), len(source))
    moved = body.start - len(head)
    return Inside(tuple([c.at(c.start + moved) for c in calls]), variables)


class Bodies:
    """Calls and local variables of a whole file in the order of its text, given out by span."""

    def __init__(self, source: bytes, text_at: Callable[[int, int], str], root: Node) -> None:
        self.source = source
        self.slice = text_at
        self.typed = says_test(source)
        found = [
            (node.start_byte, -node.end_byte, place, capture, node)
            for place, (capture, node) in enumerate(_INSIDE_BODIES.found(root))
        ]
        # They come in no order: of one start, the outer comes first.
        found.sort()
        self.found = found
        self.starts = [one[0] for one in found]

    def text(self, node: Node | None) -> str:
        return "" if node is None else self.slice(node.start_byte, node.end_byte)

    def between(self, start: int, end: int) -> bytes:
        """Packed calls and local variables of the body that covers these bytes."""
        return pack_inside(*self.read(start, end))

    def read(self, start: int, end: int) -> tuple[tuple[Call, ...], tuple[Parameter, ...]]:
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
        return tuple(calls), known

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
