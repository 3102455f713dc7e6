"""Whether a test reaches its focal method, and what stands between the two."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from tree_sitter import Node

from indexer import FileFacts, Method
from indexer.facts import simple_type
from personalizer.generation.syntax import (
    CALLS,
    MethodTree,
    calls_of,
    code,
    given_to,
    hands_null,
    nodes,
)

__all__ = ["cautions", "expects_its_exception", "is_called"]

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
    method is called, and on something that is there, if it is one that a missing receiver throws.

    Args:
        test: One test method.
        focal: The method under test.
    """
    root = MethodTree(test).method
    return any(
        one.type == "method_invocation"
        and code(one.child_by_field_name("name")) == "assertThrows"
        and _only_calls(given_to(one), focal, _made(root))
        for one in nodes(root)
    )


def _only_calls(given: Sequence[Node], focal: Method, made: Collection[str]) -> bool:
    """Of the arguments of ``assertThrows``: the exception's class and the code."""
    if len(given) < 2 or given[1].type != "lambda_expression":
        return False
    calls = [one for one in nodes(given[1]) if one.type in CALLS]
    if len(calls) != 1 or not any(calls_of(focal, given[1])):
        return False
    wanted = code(given[0]).removesuffix(".class")
    if wanted.endswith("Error"):
        return False  # as of a class that could not be begun
    return not wanted.endswith("NullPointerException") or _is_given_null(calls[0], made)


def _is_given_null(call: Node, made: Collection[str]) -> bool:
    """Whether a call hands over ``null``, and is itself made on a type or on what was made."""
    receiver = code(call.child_by_field_name("object"))
    there = call.type == "object_creation_expression" or receiver[:1].isupper() or receiver in made
    return there and hands_null(call)


def _made(method: Node | None) -> set[str]:
    """Variables that begin with a new object."""
    return {
        code(one.child_by_field_name("name"))
        for one in nodes(method)
        if one.type == "variable_declarator"
        and (value := one.child_by_field_name("value"))
        and value.type == "object_creation_expression"
    }


def is_called(focal: Method, calls: Collection[str]) -> bool:
    """Whether a method is among those that a validator told, as far as its types say it.

    Example:
        >>> from indexer.languages import java
        >>> get = java.parse(b"class A { void get(Enum<?> one, T... more) { } }").methods[0]
        >>> [is_called(get, [one]) for one in ("get(Enum,Object[])", "get(String,Object[])")]
        [True, False]
    """
    name = "<init>" if focal.constructor else focal.name
    wanted = [simple_type(one.type).replace("...", "[]") for one in focal.parameters]

    def fits(call: str) -> bool:
        called, _, rest = call.removesuffix(")").partition("(")
        given = rest.split(",") if rest else []
        return (called, len(given)) == (name, len(wanted)) and all(map(_is_type, wanted, given))

    return any(map(fits, calls))


def _is_type(written: str, erased: str) -> bool:
    """Whether a written type may be one that a compiler told; a type variable may be any."""
    plain = written.rstrip("[]").rpartition(".")[2]
    return bool(re.fullmatch(r"[A-Z][A-Z0-9]?", plain)) or plain == erased.rstrip("[]")
