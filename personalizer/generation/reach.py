"""What stands between a test and its focal method, told beside tests that are made all the same."""

from __future__ import annotations

from indexer import FileFacts, Method

__all__ = ["cautions"]

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
