"""What Java's own library declares, in the packages that code uses most: of Java 17 and later.

Written down in ``java.types`` by ``benchmarks/java_types.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from personalizer.engine.monitor.kinds import PRIMITIVES, Kind, Signature, with_inherited

__all__ = [
    "is_unchecked",
    "java_imports",
    "java_kind",
    "java_name",
    "java_packages",
    "java_results",
]

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
def java_packages() -> Mapping[str, frozenset[str]]:
    """Simple names of the types of each package, which are all that it has.

    Example:
        >>> "BitSet" in java_packages()["java.util"], "java.awt" in java_packages()
        (True, False)
    """
    found: dict[str, set[str]] = {}
    for head, *_ in _blocks():
        full, _, told = head.partition(":")
        package, _, name = full.rpartition(".")
        if "beyond" not in told.split(" "):
            found.setdefault(package, set()).add(name)
    return {package: frozenset(names) for package, names in found.items()}


@cache
def java_imports() -> Mapping[str, str]:
    """Full names by simple names of what code may import of ``java.``: of two the commoner one.

    Example:
        >>> java_imports()["Date"], "String" in java_imports(), "Document" in java_imports()
        ('java.util.Date', False, False)
    """
    named = (block[0].partition(":")[0].rpartition(".") for block in _blocks())
    return {
        name: java_name(name)
        for package, _, name in named
        if package.startswith("java.") and package != "java.lang"
    }


@cache
def java_kind(name: str) -> Kind | None:
    """A type of Java's by its simple name, with what it inherits; None for others.

    The second of two types with one simple name is asked for by its full name.

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
    constants: set[str] = set()
    constructors: list[Signature] = []
    for line in members:
        found = _MEMBER.fullmatch(line)
        assert found is not None, line
        static, field, method, parameters, kind = found.groups()
        if field:
            fields[field] = kind
            constants |= {field} if static else set()
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
            constants |= inherited.constants
            for method, signatures in inherited.inherited():
                methods[method] = with_inherited(methods.get(method, ()), signatures)
    return Kind(
        methods,
        fields,
        {},
        None if "abstract" in marks else tuple(constructors),
        above,
        abstract="abstract" in marks,
        enum="enum" in marks,
        interface="interface" in marks,
        constants=frozenset(constants),
    )


def is_unchecked(name: str) -> bool:
    """Whether a type is an exception of Java's that needs neither a declaration nor a catch.

    Example:
        >>> is_unchecked("ArithmeticException"), is_unchecked("IOException")
        (True, False)
    """
    kind = java_kind(name)
    return kind is not None and not {"RuntimeException", "Error"}.isdisjoint({name, *kind.above})


@cache
def java_results(name: str) -> frozenset[str]:
    """Types of what the methods of a type of Java's give, and of what theirs give, where known.

    What its class gives is left out: nobody asks a literal for it. So is what the table does not
    have, which would fit anywhere.

    Example:
        >>> {"int", "Stream", "List"} <= java_results("String"), "URL" in java_results("String")
        (True, False)
    """
    first = _given_by(name)
    found = first.union(*map(_given_by, first - {"Class"}))
    return frozenset(one for one in found if _is_known(one.rstrip("[]")))


def _is_known(name: str) -> bool:
    return name in PRIMITIVES or java_kind(name) is not None


def _given_by(name: str) -> frozenset[str]:
    kind = java_kind(name)
    methods = kind.methods.values() if kind else ()
    return frozenset(one.returns for each in methods for one in each if one.returns)


@cache
def _told() -> Mapping[str, tuple[str, ...]]:
    """The lines of each type by its simple name; of two the second's by its full name."""
    named: dict[str, tuple[str, ...]] = {}
    for block in _blocks():
        full = block[0].partition(":")[0]
        name = full.rpartition(".")[2]
        named[full if name in named else name] = block
    return named


@cache
def _blocks() -> tuple[tuple[str, ...], ...]:
    """The lines of each type."""
    text = files(__package__).joinpath("java.types").read_text("utf-8")
    return tuple(tuple(block.split("\n")) for block in re.split(r"\n(?! )", text.rstrip("\n")))
