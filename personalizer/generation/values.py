"""Plain values of the types that a method takes, for tests that are begun."""

from __future__ import annotations

from functools import cached_property
from itertools import chain, cycle

from indexer import Method, Parameter
from indexer.facts import simple_type
from personalizer.generation.members import Declared
from personalizer.generation.site import Site
from personalizer.generation.statements import statements_of, tests_by_nearness

__all__ = ["Values"]

_LITERALS = {
    "String": '"a"',
    "CharSequence": '"a"',
    "Object": '"a"',
    "boolean": "true",
    "char": "'a'",
    "int": "1",
    "long": "1L",
    "short": "(short) 1",
    "byte": "(byte) 1",
    "double": "1.0",
    "float": "1.0f",
    "Integer": "1",
    "Long": "1L",
    "Double": "1.0",
    "Number": "1",
    "Boolean": "true",
    "Class": "Object.class",
}
_OF_JAVA = {
    "BigDecimal": "BigDecimal.ONE",
    "BigInteger": "BigInteger.ONE",
    "Charset": "StandardCharsets.UTF_8",
    "Collection": "new ArrayList<>()",
    "Date": "new Date(0)",
    "File": 'new File("a")',
    "InputStream": "new ByteArrayInputStream(new byte[0])",
    "Iterable": "new ArrayList<>()",
    "List": "new ArrayList<>()",
    "Locale": "Locale.ROOT",
    "Map": "new HashMap<>()",
    "OutputStream": "new ByteArrayOutputStream()",
    "Properties": "new Properties()",
    "Reader": 'new StringReader("a")',
    "Set": "new HashSet<>()",
    "StringBuilder": 'new StringBuilder("a")',
    "Writer": "new StringWriter()",
}
_DEEP = 2
"""Objects that are made to make another."""


class Values:
    """Plain values, as the tests around a site write them where they do.

    Args:
        site: Where the values will stand.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def arguments(self, method: Method, path: str, *, deep: int = _DEEP) -> tuple[str, ...] | None:
        """Arguments for a method; None where no value of a type is known.

        Args:
            method: What is called.
            path: The file that declares it.
            deep: Objects that may be made for others.
        """
        values = {one.type: self._of(one, path, deep) for one in method.parameters}
        if not all(values.values()):
            return None
        turns = {kind: cycle(found) for kind, found in values.items()}
        return tuple(next(turns[one.type]) for one in method.parameters)

    def made(self, declared: Declared | None, *, deep: int = _DEEP) -> str | None:
        """A call of the shortest constructor of a type; None where there is none to be called."""
        if declared is None or declared.type.kind not in ("class", "record"):
            return None
        inner = "." in declared.type.name and declared.type.kind == "class"
        modifiers = declared.type.modifiers
        if {"abstract", "private"} & {*modifiers} or (inner and "static" not in modifiers):
            return None
        place = self._site.place.path if self._site.place else ""
        constructors = declared.constructors(inside=place)
        if constructors is None:
            return None if declared.components else f"new {declared.type.name}()"
        for one in sorted(constructors, key=lambda each: len(each.method.parameters)):
            arguments = self.arguments(one.method, one.path, deep=deep - 1)
            if arguments is not None:
                return f"new {declared.type.name}({', '.join(arguments)})"
        return None

    def _of(self, parameter: Parameter, path: str, deep: int) -> list[str]:
        """Literals, what tests begin variables with, constants of the type, what can be made."""
        kind = simple_type(parameter.type)
        if kind in _LITERALS:
            return [_LITERALS[kind]]
        found = self._from_tests.get(kind) or self._constants.get(kind)
        if found:
            return list(found)
        element = kind.removesuffix("...").removesuffix("[]")
        if element != kind:
            some = _LITERALS.get(element)
            return [f"new {element}[] {{{some}}}" if some else f"new {element}[0]"]
        if kind in _OF_JAVA:
            return [_OF_JAVA[kind]]
        declared = self._site.symbols.members.seen_from(parameter.type, path) if deep else None
        made = self.made(declared, deep=deep)
        return [made] if made else []

    @cached_property
    def _from_tests(self) -> dict[str, dict[str, None]]:
        """What tests begin variables with and needs none of theirs, the nearest first."""
        values: dict[str, dict[str, None]] = {}
        for test in chain.from_iterable(tests_by_nearness(self._site)):
            statements = list(statements_of(self._site, test))
            own = {name for one in statements for name in one.names}
            for one in statements:
                if one.value and not one.value_uses & own:
                    values.setdefault(one.type, {})[one.value] = None
        return values

    @cached_property
    def _constants(self) -> dict[str, dict[str, None]]:
        values: dict[str, dict[str, None]] = {}
        for facts in self._site.snapshot.files.values():
            for field in facts.fields:
                kind = simple_type(field.owner)
                if simple_type(field.type) == kind and "static" in field.modifiers:
                    values.setdefault(kind, {})[f"{kind}.{field.name}"] = None
        return values
