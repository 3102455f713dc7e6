"""Whether a test reaches its focal method, and what stands between the two."""

from __future__ import annotations

from tree_sitter import Node

from indexer import FileFacts, Method
from personalizer.generation.syntax import CALLS, MethodTree, calls_of, code, nodes

__all__ = ["cautions", "expects_its_exception"]

_LONG = 300
"""Lines of a method beyond which a test covers little of it."""


def cautions(facts: FileFacts, source: bytes, focal: Method) -> tuple[str, ...]:
    """One sentence for each thing that keeps tests from calling or measuring a method."""
    kind = facts.type_named(focal.owner)
    name, modifiers = focal.name, focal.modifiers
    found = []
    if "private" in modifiers:
        found.append(f"{name} is private: a test can call it only through another method")
    elif kind is not None and "private" in kind.modifiers:
        found.append(f"{kind.simple_name} is private: a test cannot name it")
    if "native" in modifiers:
        found.append(f"{name} is native: its library is not in the sandbox, nor are lines counted")
    elif focal.body is None:
        found.append(f"{name} is abstract: a test needs a class that implements it")
    if name == "main" and "static" in modifiers:
        found.append(f"{name} starts the program: what it prints or ends, no test sees")
    lines = source.count(b"\n", focal.span.start, focal.span.end) + 1
    if lines > _LONG:
        found.append(f"{name} has {lines:,} lines: no one test covers much of it")
    return tuple(found)


def expects_its_exception(test: str, focal: Method) -> bool:
    """Whether a test that passes shows that the focal method was entered and threw.

    Coverage does not always: JaCoCo counts no line that an exception of something called on it
    left. So it is where an expected exception can come from nowhere else: nothing but the focal
    method is called, and it is none that a missing receiver throws.

    Args:
        test: One test method.
        focal: The method under test.
    """
    root = MethodTree(test).method
    return any(
        one.type == "method_invocation"
        and code(one.child_by_field_name("name")) == "assertThrows"
        and _only_calls(one.child_by_field_name("arguments"), focal)
        for one in (nodes(root) if root else ())
    )


def _only_calls(arguments: Node | None, focal: Method) -> bool:
    """Of the arguments of ``assertThrows``: the exception's class and the code."""
    given = arguments.named_children[:2] if arguments else []
    if len(given) < 2 or given[1].type != "lambda_expression" or "NullPointer" in code(given[0]):
        return False
    calls = [one for one in nodes(given[1]) if one.type in CALLS]
    return len(calls) == 1 and any(calls_of(focal, given[1]))
