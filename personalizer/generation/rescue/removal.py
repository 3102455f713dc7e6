"""Statements that are left out of a test, with those that need them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from tree_sitter import Node

from indexer import Method
from personalizer.generation.syntax import CALLS, MethodTree, calls_of, code, is_variable, nodes

__all__ = [
    "is_inside",
    "statement_at",
    "statements_in",
    "with_dependants",
    "without_lines",
    "without_unused",
]

_SIMPLE = frozenset(
    {
        "expression_statement",
        "local_variable_declaration",
        "return_statement",
        "throw_statement",
        "assert_statement",
        "yield_statement",
        "break_statement",
        "continue_statement",
    }
)


def without_lines(text: str, lines: Collection[int]) -> tuple[str, int]:
    """A method without the statements at some lines and those that use variables of theirs.

    Args:
        text: One method.
        lines: From 1. A line in the head of a loop, ``if`` or ``try`` stands for the whole of it.

    Returns:
        The text and the number of statements left out; the text as it was where a line is none
        of a statement.

    Example:
        >>> print(*without_lines("void a() {\\n  int i = x();\\n  b();\\n  c(i);\\n}", [2]))
        void a() {
          b();
        } 2
    """
    tree = MethodTree(text)
    body = tree.method.child_by_field_name("body") if tree.method else None
    if body is None:
        return text, 0
    statements = list(statements_in(body))
    gone: dict[int, Node] = {}
    for line in lines:
        one = statement_at(statements, line)
        if one is None:
            return text, 0
        gone[one.id] = one
    with_dependants(statements, gone)
    for one in gone.values():
        if not is_inside(one, gone):
            tree.remove(one)
    return tree.text, len(gone)


def statement_at(statements: Sequence[Node], line: int) -> Node | None:
    """The smallest statement that a line is of."""
    found = [one for one in statements if _heads(one, line)]
    return min(found, key=lambda node: node.end_byte - node.start_byte, default=None)


def with_dependants(statements: Sequence[Node], gone: dict[int, Node]) -> None:
    """Adds to what goes all that uses a variable of it."""
    while needing := [
        one
        for one in statements
        if one.id not in gone and not is_inside(one, gone) and _uses(one, _declared(gone.values()))
    ]:
        gone.update({one.id: one for one in needing})


def statements_in(body: Node) -> Iterator[Node]:
    for node in nodes(body):
        if node.type in _SIMPLE or (
            node.type.endswith("_statement") and node.parent and node.parent.type == "block"
        ):
            yield node


def _heads(statement: Node, line: int) -> bool:
    """Whether a line is of a statement itself, not of a block within it."""
    return any(
        part.start_point[0] <= line <= part.end_point[0] for part in _own(statement)
    ) and not any(block.start_point[0] < line < block.end_point[0] for block in _blocks(statement))


def _own(statement: Node) -> list[Node]:
    """A simple statement whole; of another what is no block."""
    if statement.type in _SIMPLE:
        return [statement]
    return [child for child in statement.children if child.type != "block"]


def _blocks(statement: Node) -> list[Node]:
    return [node for node in nodes(statement) if node.type in ("block", "class_body")]


def is_inside(node: Node, gone: dict[int, Node]) -> bool:
    above = node.parent
    while above is not None:
        if above.id in gone:
            return True
        above = above.parent
    return False


def _declared(statements: Collection[Node]) -> set[str]:
    """Variables of statements that are left out."""
    return {
        code(part.child_by_field_name("name"))
        for one in statements
        if one.type == "local_variable_declaration"
        for part in one.children_by_field_name("declarator")
    }


def _uses(statement: Node, names: set[str]) -> bool:
    return any(
        node.type == "identifier" and code(node) in names and is_variable(node)
        for part in _own(statement)
        for node in nodes(part)
    )


def without_unused(text: str, before: str, focal: Method) -> str:
    """A method without the variables that nothing uses any more.

    Args:
        text: One method.
        before: What it was, where they were used: those that never were stay.
        focal: The method under test.

    Returns:
        The text; what the value of such a variable calls is called still.
    """
    once = _uses_of(MethodTree(before).method)
    while True:
        tree = MethodTree(text)
        used = _uses_of(tree.method)
        for node in nodes(tree.method):
            head = node.parent is not None and node.parent.type == "for_statement"
            if node.type != "local_variable_declaration" or head:
                continue
            names = _declared([node])
            value = node.named_children[-1].child_by_field_name("value")
            if len(names) != 1 or names & used or not names & once or value is None:
                continue
            calls = any(one.type == "method_invocation" for one in nodes(value))
            if not calls and not any(calls_of(focal, value)):
                tree.remove(node)
            elif value.type in CALLS:
                tree.replace(node, f"{code(value)};")
        if tree.text == text:
            return text
        text = tree.text


def _uses_of(method: Node | None) -> set[str]:
    """Names of variables that are read or written, not only declared."""
    return {
        code(node)
        for node in nodes(method)
        if node.type == "identifier"
        and is_variable(node)
        and not (
            node.parent
            and node.parent.type == "variable_declarator"
            and (name := node.parent.child_by_field_name("name"))
            and name.id == node.id
        )
    }
