"""Plain values of the types that a method takes, for tests that are begun."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import cycle

from tree_sitter import Parser

from indexer import FileFacts, Method, Type
from indexer.facts import simple_type
from indexer.languages.java_bodies import JAVA
from personalizer.generation.names.members import Declared
from personalizer.generation.rescue.statements import statements_of, tests_by_nearness
from personalizer.generation.site import Site
from personalizer.generation.syntax import code, nodes

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
_OTHERS = {
    "String": ('"b"', '"c"'),
    "char": ("'b'", "'c'"),
    "int": ("2", "3"),
    "long": ("2L", "3L"),
    "double": ("2.0", "3.0"),
}
_OF_JAVA = {
    "Appendable": "new StringBuilder()",
    "AtomicInteger": "new AtomicInteger(1)",
    "BigDecimal": "BigDecimal.ONE",
    "BigInteger": "BigInteger.ONE",
    "ByteBuffer": "ByteBuffer.wrap(new byte[] {1})",
    "Charset": "StandardCharsets.UTF_8",
    "Collection": "new ArrayList<>()",
    "Comparator": "Comparator.naturalOrder()",
    "Consumer": "one -> { }",
    "Date": "new Date(0)",
    "Duration": "Duration.ofSeconds(1)",
    "Exception": 'new Exception("a")',
    "File": 'new File("a")',
    "Function": "one -> one",
    "InputStream": "new ByteArrayInputStream(new byte[0])",
    "Instant": "Instant.EPOCH",
    "Iterable": "new ArrayList<>()",
    "Iterator": "Collections.emptyIterator()",
    "List": "new ArrayList<>()",
    "LocalDate": "LocalDate.of(2000, 1, 1)",
    "LocalDateTime": "LocalDateTime.of(2000, 1, 1, 0, 0)",
    "Locale": "Locale.ROOT",
    "Map": "new HashMap<>()",
    "Optional": "Optional.empty()",
    "OutputStream": "new ByteArrayOutputStream()",
    "Path": 'Paths.get("a")',
    "Pattern": 'Pattern.compile("a")',
    "Predicate": "one -> true",
    "Properties": "new Properties()",
    "Random": "new Random(0)",
    "Reader": 'new StringReader("a")',
    "Runnable": "() -> { }",
    "Set": "new HashSet<>()",
    "StringBuffer": 'new StringBuffer("a")',
    "StringBuilder": 'new StringBuilder("a")',
    "Throwable": 'new Exception("a")',
    "TimeUnit": "TimeUnit.SECONDS",
    "URI": 'URI.create("a")',
    "UUID": "new UUID(0, 1)",
    "Writer": "new StringWriter()",
    "ZoneId": 'ZoneId.of("UTC")',
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
        values = {one.type: self.of(one.type, path, deep=deep) for one in method.parameters}
        if not all(values.values()):
            return None
        turns = {kind: cycle(found) for kind, found in values.items()}
        return tuple(next(turns[one.type]) for one in method.parameters)

    def made(self, declared: Declared | None, *, deep: int = _DEEP) -> str | None:
        """A call of a type's shortest constructor, else of a method that is there to make one.

        Of an enum its first constant; None where there is nothing that could be called.
        """
        if declared is None or "private" in declared.type.modifiers:
            return None
        if declared.type.kind == "enum":
            return next(iter(self.constants(declared)), None)
        kind, place = declared.type, self._site.place.path if self._site.place else ""
        inner = "." in kind.name and kind.kind == "class" and "static" not in kind.modifiers
        ways: list[tuple[str, Method]] = []
        if kind.kind in ("class", "record") and "abstract" not in kind.modifiers and not inner:
            constructors = declared.constructors(inside=place)
            if constructors is None and not declared.components:
                return f"new {kind.name}()"
            ways = [(f"new {kind.name}", one.method) for one in constructors or ()]
        ways.sort(key=lambda way: len(way[1].parameters))
        for call, method in [*ways, *_factories(self._site.snapshot.files[declared.path], kind)]:
            arguments = self.arguments(method, declared.path, deep=deep - 1)
            if arguments is not None:
                return f"{call}({', '.join(arguments)})"
        return None

    def constants(self, declared: Declared) -> list[str]:
        """The constants of an enum, in order."""
        source = declared.type.span.of(self._site.snapshot.source(declared.path))
        return [
            f"{declared.type.name}.{code(one.child_by_field_name('name'))}"
            for one in nodes(Parser(JAVA).parse(source).root_node)
            if one.type == "enum_constant"
        ]

    def of(self, written: str, path: str, *, deep: int = _DEEP) -> list[str]:
        """Literals, what tests begin variables with, constants of the type, what can be made.

        Args:
            written: A type, as a file names it.
            path: The file.
            deep: Objects that may be made for others.
        """
        kind = simple_type(written)
        if kind in _LITERALS:  # several take turns, so that a test tells them apart
            return [_LITERALS[kind], *_OTHERS.get(kind, ())]
        found = self._from_tests.get(kind) or self._constants.get(kind)
        if found:
            return list(found)
        element = kind.removesuffix("...").removesuffix("[]")
        if element != kind:
            some = _LITERALS.get(element)
            return [f"new {element}[] {{{some}}}" if some else f"new {element}[0]"]
        if kind in _OF_JAVA:
            return [_OF_JAVA[kind]]
        declared = self._site.symbols.members.seen_from(written, path) if deep else None
        made = self.made(declared, deep=deep)
        return [made] if made else []

    @cached_property
    def _from_tests(self) -> dict[str, dict[str, None]]:
        """What tests begin variables with and needs none of theirs.

        The nearest file first, and what stands most often in it.
        """
        values: dict[str, dict[str, None]] = {}
        for tests in tests_by_nearness(self._site):
            counted: Counter[tuple[str, str]] = Counter()
            for test in tests:
                statements = list(statements_of(self._site, test))
                own = {name for one in statements for name in one.names}
                counted.update((s.type, s.value) for s in statements if not s.value_uses & own)
            for (kind, value), _ in counted.most_common():
                listed = value.startswith("{")  # an array, as only a declaration may write it
                if value and (not listed or kind.endswith("[]")):
                    values.setdefault(kind, {})[f"new {kind} {value}" if listed else value] = None
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


def _factories(facts: FileFacts, kind: Type) -> list[tuple[str, Method]]:
    """Static methods of a type, or of that around it, that give one; the shortest first."""
    owners = {kind.name, kind.name.rpartition(".")[0]}
    found = [
        (f"{one.owner}.{one.name}", one)
        for one in facts.methods
        if one.owner in owners
        and "static" in one.modifiers
        and "private" not in one.modifiers
        and simple_type(one.returns or "") == kind.simple_name
    ]
    return sorted(found, key=lambda way: len(way[1].parameters))
