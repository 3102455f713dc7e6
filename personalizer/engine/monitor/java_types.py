"""What Java's own library declares: the types that tests name most, of Java 17 and somewhat later.

Written down in ``java.types`` by ``benchmarks/java_types.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from personalizer.engine.monitor.kinds import Kind, Signature, with_inherited

__all__ = ["java_kind", "java_name", "java_results"]

_MEMBER = re.compile(r" (=?)(?:\.(\S+)|(\w+)\((.*)\)) ?(.*)")


def java_name(name: str) -> str:
    """The full name of a type of Java's; nothing for others.

    Example:
        >>> java_name("List"), java_name("Cart")
        ('java.util.List', '')
    """
    head = _told().get(name, ("",))[0]
    return head.partition(":")[0]


@cache
def java_kind(name: str) -> Kind | None:
    """A type of Java's by its simple name, with what it inherits; None for others.

    Example:
        >>> java_kind("String").methods["length"]
        (Signature(parameters=(), returns='int', static=False),)
    """
    if name not in _told():
        return None
    head, *members = _told()[name]
    supers, *marks = head.partition(":")[2].split(" ")
    above = frozenset(one for one in supers.split(",") if one)
    methods: dict[str, tuple[Signature, ...]] = {}
    fields: dict[str, str] = {}
    constructors: list[Signature] = []
    for line in members:
        found = _MEMBER.fullmatch(line)
        assert found is not None, line
        static, field, method, parameters, kind = found.groups()
        if field:
            fields[field] = kind
            continue
        given = tuple(one.replace("?", "") for one in parameters.split(",") if one)
        signature = Signature(given, kind, bool(static))
        if method == "new":
            constructors.append(signature)
        else:
            methods[method] = with_inherited(methods.get(method, ()), (signature,))
    for parent in sorted(above | {"Object"} - {name}):
        inherited = java_kind(parent)
        if inherited is not None:
            above |= inherited.above
            fields = {**inherited.fields, **fields}
            for method, signatures in inherited.methods.items():
                methods[method] = with_inherited(methods.get(method, ()), signatures)
    return Kind(
        methods,
        fields,
        {},
        None if "abstract" in marks else tuple(constructors),
        above,
        abstract="abstract" in marks,
        enum="enum" in marks,
    )


@cache
def java_results(name: str) -> frozenset[str]:
    """Types of what the methods of a type of Java's give, and of what theirs give, where known.

    Example:
        >>> {"int", "Stream", "List"} <= java_results("String"), "Date" in java_results("String")
        (True, False)
    """
    found: set[str] = set()
    left = [name]
    while left:
        kind = java_kind(left.pop())
        methods = kind.methods.values() if kind else ()
        more = {one.returns for each in methods for one in each if one.returns} - found
        found |= more
        left += more
    return frozenset(found)


@cache
def _told() -> Mapping[str, tuple[str, ...]]:
    """The lines of each type by its simple name."""
    text = files(__package__).joinpath("java.types").read_text("utf-8")
    blocks = (tuple(block.split("\n")) for block in re.split(r"\n(?! )", text.rstrip("\n")))
    return {block[0].partition(":")[0].rpartition(".")[2]: block for block in blocks}
