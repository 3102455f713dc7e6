"""One generated method as a syntax tree."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tree_sitter import Node, Parser

from indexer import Method
from indexer.languages.java import digest
from indexer.languages.java_trees import JAVA

__all__ = [
    "CALLS",
    "MethodTree",
    "calls_of",
    "code",
    "given_to",
    "hands_null",
    "is_variable",
    "kinds_of_variables",
    "likeness",
    "nodes",
    "takes",
    "whole",
]

CALLS = frozenset({"method_invocation", "object_creation_expression"})
"""Kinds of nodes that call a method or a constructor."""
_BEFORE = b"class C {\n"  # one line, so that rows of the tree are lines of the text from 1


class MethodTree:
    """The tree of a text that is one method, and edits to that text.

    Args:
        text: One method, or what parses as one as far as it goes.
    """

    def __init__(self, text: str) -> None:
        self._source = _BEFORE + text.encode() + b"\n}"
        root = Parser(JAVA).parse(self._source).root_node
        found = (node for node in nodes(root) if node.type == "method_declaration")
        self.method: Node | None = next(found, None)
        self._edits: list[tuple[int, int, str]] = []

    def replace(self, node: Node, text: str) -> None:
        """Notes that a node shall read otherwise; nodes that were replaced already stay so."""
        self.insert(node.start_byte, node.end_byte, text)

    def remove(self, node: Node) -> None:
        """Notes that a node shall go, with its line where it stands on it alone."""
        start, end = node.start_byte, node.end_byte
        line = self._source.rfind(b"\n", 0, start) + 1
        after = self._source.find(b"\n", end)
        if not self._source[line:start].strip() and not self._source[end:after].strip():
            start, end = line, after + 1
        elif self._source[end : end + 1] == b" ":
            end += 1
        self.insert(start, end, "")

    def insert(self, start: int, end: int, text: str) -> None:
        """As ``replace``, by offsets of the tree."""
        if all(end <= s or e <= start for s, e, _ in self._edits):
            self._edits.append((start, end, text))

    @property
    def text(self) -> str:
        """The method with the edits made."""
        source = self._source
        for start, end, text in sorted(self._edits, reverse=True):
            source = source[:start] + text.encode() + source[end:]
        return source[len(_BEFORE) : -2].decode("utf-8", "replace")


def nodes(root: Node | None, *, without: Collection[str] = ()) -> Iterator[Node]:
    """A node and all below it, in the order of the text; nothing of none.

    Args:
        root: The node.
        without: Kinds of nodes that are left out, with all below them.
    """
    stack = [root] if root else []
    while stack:
        node = stack.pop()
        if node.type not in without:
            yield node
            stack.extend(reversed(node.children))


def calls_of(method: Method, root: Node | None) -> Iterator[Node]:
    """Calls of a method, or of a constructor, by its name and how many arguments they give."""
    kind, field, name = "method_invocation", "name", method.name
    if method.constructor:
        kind, field, name = "object_creation_expression", "type", method.class_name
    for node in nodes(root):
        fits = node.type == kind and takes(method, len(given_to(node)))
        if fits and code(node.child_by_field_name(field)).partition("<")[0] == name:
            yield node


def takes(method: Method, count: int) -> bool:
    """Whether a method can be called with so many arguments."""
    wanted = len(method.parameters)
    if wanted and method.parameters[-1].type.endswith("..."):
        return count >= wanted - 1
    return count == wanted


def given_to(call: Node) -> tuple[Node, ...]:
    """What a call is given, without comments."""
    arguments = call.child_by_field_name("arguments")
    found = arguments.named_children if arguments else []
    return tuple(one for one in found if "comment" not in one.type)


def hands_null(call: Node) -> bool:
    """Whether an argument of a call is ``null`` itself, or a cast of it."""
    return any(re.fullmatch(r"(?:\([^()]*\) ?)?null", code(one)) for one in given_to(call))


def kinds_of_variables(method: Node | None) -> dict[str, str]:
    """Types of a method's local variables, as written, by name."""
    return {
        code(one.child_by_field_name("name")): code(node.child_by_field_name("type"))
        for node in nodes(method)
        if node.type == "local_variable_declaration"
        for one in node.children_by_field_name("declarator")
    }


def is_variable(node: Node) -> bool:
    """Whether an identifier is a name of its own, not that of a member behind a dot."""
    parent = node.parent
    if parent is None:
        return True
    if parent.type == "method_reference":
        return parent.children[0].id == node.id
    member = {"method_invocation": "name", "field_access": "field"}.get(parent.type)
    named = parent.child_by_field_name(member) if member else None
    return named is None or named.id != node.id


def likeness(text: str) -> str:
    """A digest of a method that is the same whatever it and its local variables are called.

    Example:
        >>> likeness("void a() { int b = c(); d(b); }") == likeness("void e() { int f=c(); d(f); }")
        True
    """
    tree = MethodTree(text)
    name = tree.method.child_by_field_name("name") if tree.method else None
    if name is not None:
        tree.replace(name, "#")
    for number, (declared, scope) in enumerate(_declared_in(tree.method)):
        for node in nodes(scope):
            same = node.type == "identifier" and code(node) == code(declared)
            if same and node.start_byte >= declared.start_byte and is_variable(node):
                tree.replace(node, f"#{number}#")
    return digest(tree.text.encode())


def _declared_in(method: Node | None) -> Iterator[tuple[Node, Node]]:
    """Names of the variables that a method declares, each with what it is known in."""
    for node in nodes(method):
        if node.type == "local_variable_declaration":
            holders = node.children_by_field_name("declarator")
            names = [one.child_by_field_name("name") for one in holders]
        elif node.type in ("formal_parameter", "resource", "enhanced_for_statement"):
            names = [node.child_by_field_name("name")]
        elif node.type == "lambda_expression":
            given = node.child_by_field_name("parameters")
            names = [one for one in nodes(given) if one.type == "identifier"]
            names = names if given and given.type != "formal_parameters" else []
        else:
            continue
        scope: Node | None = node
        while scope is not None and scope.type not in _SCOPES:
            scope = scope.parent
        yield from ((name, scope) for name in names if name is not None and scope is not None)


_SCOPES = frozenset(
    {"block", "for_statement", "enhanced_for_statement", "lambda_expression", "switch_block"}
    | {"method_declaration", "constructor_declaration", "try_with_resources_statement"}
)
"""Kinds of nodes at whose end the variables end that are declared in them."""


def whole(name: str) -> str:
    """A regular expression of a name that is no part of a longer one.

    Example:
        >>> re.findall(whole("a$"), "a$ + a$b + aa$")
        ['a$']
    """
    return rf"(?<![\w$]){re.escape(name)}(?![\w$])"


def code(node: Node | None) -> str:
    """The text of a node; empty for none."""
    return node.text.decode("utf-8", "replace") if node and node.text else ""
