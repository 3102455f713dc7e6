"""Values of the types that a method takes: as tests write them, else the plainest there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import cycle

from tree_sitter import Parser

from indexer import FileFacts, Method, Type
from indexer.facts import simple_type
from indexer.languages.java_trees import JAVA, tame
from indexer.pairing import module_of
from personalizer.engine.monitor.java_types import java_kind
from personalizer.generation.names.members import Declared
from personalizer.generation.rescue.statements import statements_of, tests_by_nearness
from personalizer.generation.site import Site
from personalizer.generation.syntax import code, nodes

__all__ = ["LITERALS", "Values"]

LITERALS = {
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
    "Character": "'a'",
    "Short": "(short) 1",
    "Byte": "(byte) 1",
    "Float": "1.0f",
}
"""Of types that need nothing else."""
_OTHERS = {
    "String": ('"b"', '"c"'),
    "char": ("'b'", "'c'"),
    "int": ("2", "3"),
    "long": ("2L", "3L"),
    "double": ("2.0", "3.0"),
}
_OF_JAVA = {
    "Appendable": "new StringBuilder()",
    "AtomicBoolean": "new AtomicBoolean(true)",
    "AtomicInteger": "new AtomicInteger(1)",
    "BiConsumer": "(one, other) -> { }",
    "BiFunction": "(one, other) -> one",
    "BiPredicate": "(one, other) -> true",
    "BigDecimal": "BigDecimal.ONE",
    "BigInteger": "BigInteger.ONE",
    "BinaryOperator": "(one, other) -> one",
    "BooleanSupplier": "() -> true",
    "BufferedReader": 'new BufferedReader(new StringReader("a"))',
    "ByteBuffer": "ByteBuffer.wrap(new byte[] {1})",
    "Callable": "() -> null",
    "CharBuffer": 'CharBuffer.wrap("a")',
    "Charset": "StandardCharsets.UTF_8",
    "Clock": "Clock.fixed(Instant.EPOCH, ZoneOffset.UTC)",
    "Collection": "new ArrayList<>()",
    "Comparator": "Comparator.naturalOrder()",
    "Consumer": "one -> { }",
    "Currency": 'Currency.getInstance("EUR")',
    "Date": "new Date(0)",
    "DayOfWeek": "DayOfWeek.MONDAY",
    "Deque": "new ArrayDeque<>()",
    "Duration": "Duration.ofSeconds(1)",
    "Exception": 'new Exception("a")',
    "File": 'new File("a")',
    "Function": "one -> one",
    "InetAddress": "InetAddress.getLoopbackAddress()",
    "InputStream": "new ByteArrayInputStream(new byte[0])",
    "Instant": "Instant.EPOCH",
    "IntFunction": "one -> one",
    "IntPredicate": "one -> true",
    "Iterable": "new ArrayList<>()",
    "Iterator": "Collections.emptyIterator()",
    "List": "new ArrayList<>()",
    "LocalDate": "LocalDate.of(2000, 1, 1)",
    "LocalDateTime": "LocalDateTime.of(2000, 1, 1, 0, 0)",
    "LocalTime": "LocalTime.NOON",
    "Locale": "Locale.ROOT",
    "LongSupplier": "() -> 1L",
    "Map": "new HashMap<>()",
    "OffsetDateTime": "OffsetDateTime.of(2000, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC)",
    "Optional": "Optional.empty()",
    "OutputStream": "new ByteArrayOutputStream()",
    "Path": 'Paths.get("a")',
    "Pattern": 'Pattern.compile("a")',
    "Period": "Period.ofDays(1)",
    "Predicate": "one -> true",
    "PrintStream": "new PrintStream(new ByteArrayOutputStream())",
    "PrintWriter": "new PrintWriter(new StringWriter())",
    "Properties": "new Properties()",
    "Queue": "new ArrayDeque<>()",
    "Random": "new Random(0)",
    "Reader": 'new StringReader("a")',
    "Runnable": "() -> { }",
    "Set": "new HashSet<>()",
    "SortedMap": "new TreeMap<>()",
    "SortedSet": "new TreeSet<>()",
    "Stream": 'Stream.of("a")',
    "StringBuffer": 'new StringBuffer("a")',
    "StringBuilder": 'new StringBuilder("a")',
    "Supplier": "() -> null",
    "Throwable": 'new Exception("a")',
    "TimeUnit": "TimeUnit.SECONDS",
    "Timestamp": "new Timestamp(0)",
    "URI": 'URI.create("a")',
    "URL": 'URI.create("http://localhost/").toURL()',
    "UUID": "new UUID(0, 1)",
    "UnaryOperator": "one -> one",
    "Writer": "new StringWriter()",
    "Year": "Year.of(2000)",
    "ZoneId": 'ZoneId.of("UTC")',
    "ZonedDateTime": "ZonedDateTime.of(2000, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC)",
}
_DEEP = 2
"""Objects that are made to make another."""
_MOST_WANTED = 3
"""Methods that are written to make an object of an abstract type."""
_MOST_TRIED = 8
"""Values of a type in tests that are looked at."""


class Values:
    """Plain values, as the tests around a site write them where they do.

    Args:
        site: Where the values will stand.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known: dict[tuple[str, str], list[str]] = {}

    def arguments(
        self, method: Method, path: str, *, shown: bool = True, deep: int = _DEEP
    ) -> tuple[str, ...] | None:
        """Arguments for a method; None where no value of a type is known.

        Args:
            method: What is called.
            path: The file that declares it.
            shown: As tests write them, where they do.
            deep: Objects that may be made for others.
        """
        kinds = {one.type for one in method.parameters}
        values = {kind: self._some(kind, path, shown=shown, deep=deep) for kind in kinds}
        if not all(values.values()):
            return None
        turns = {kind: cycle(found) for kind, found in values.items()}
        return tuple(next(turns[one.type]) for one in method.parameters)

    def of(self, written: str, path: str) -> list[str]:
        """Literals, what tests begin variables with, constants of the type, what can be made.

        Args:
            written: A type, as a file names it.
            path: The file.
        """
        return self._some(written, path, shown=True, deep=_DEEP)

    def objects(self, declared: Declared) -> Iterator[str]:
        """Ways to an object of a type that is no mock, the plainest first."""
        yield from self._objects(declared, _DEEP)
        yield from self._of_own(declared, _DEEP)

    def constants(self, declared: Declared) -> list[str]:
        """The constants of an enum, in order."""
        source = declared.type.span.of(self._site.snapshot.source(declared.path))
        found = (
            n for n in nodes(Parser(JAVA).parse(tame(source)).root_node) if n.type == "enum_body"
        )
        body = next(found, None)
        return [
            f"{declared.type.name}.{code(one.child_by_field_name('name'))}"
            for one in (body.named_children if body else ())
            if one.type == "enum_constant"
        ]

    # ------------------------------------------------------------ values of a type

    def _some(self, written: str, path: str, *, shown: bool, deep: int) -> list[str]:
        kind = simple_type(written)
        if kind in LITERALS:  # several take turns, so that a test tells them apart
            return [LITERALS[kind], *_OTHERS.get(kind, ())]
        if self._site.symbols.members.is_variable(kind, path):
            return ['"a"']
        found = self._shown(kind, path) if shown else []
        return found or list(dict.fromkeys(self._plain(written, path, deep)))

    def _plain(self, written: str, path: str, deep: int) -> Iterator[str]:
        """Values that no test shows."""
        kind = simple_type(written)
        element = kind.removesuffix("...").removesuffix("[]")
        if element != kind and self._site.symbols.members.is_variable(element, path):
            return
        if element != kind:
            some = self._some(element, path, shown=False, deep=deep - 1)
            yield f"new {element}[] {{{some[0]}}}" if some else f"new {element}[0]"
            return
        declared = self._site.symbols.members.seen_from(written, path)
        if declared is None and kind in _OF_JAVA:
            yield _OF_JAVA[kind]
            return
        yield from self._constants_of(declared) if declared else ()
        made = next(self._objects(declared, deep), None) if declared and deep > 0 else None
        if made:
            yield made
        elif deep == _DEEP and self._mocked(kind, declared):
            yield f"mock({declared.type.name if declared else kind}.class)"
        elif declared and deep > 0:
            yield from self._of_own(declared, deep)

    def _objects(self, declared: Declared, deep: int) -> Iterator[str]:
        """Calls that give an object of a type, the plainest first.

        Of an enum its constants; of an abstract type objects of those that extend it, or a lambda.
        """
        kind, place = declared.type, self._site.place.path if self._site.place else ""
        if "private" in kind.modifiers:
            return
        if kind.kind == "enum":
            yield from self.constants(declared)
            return
        inner = "." in kind.name and kind.kind == "class" and "static" not in kind.modifiers
        abstract = "abstract" in kind.modifiers or kind.kind == "interface"
        ways: list[tuple[str, Method]] = []
        if kind.kind in ("class", "record") and not abstract and not inner:
            constructors = declared.constructors(inside=place)
            if constructors is None and not declared.components:
                yield f"new {kind.name}()"
            ways = [(f"new {kind.name}", one.method) for one in constructors or ()]
        ways.sort(key=lambda way: len(way[1].parameters))
        for call, method in [*ways, *_factories(self._site.snapshot.files[declared.path], kind)]:
            arguments = self.arguments(method, declared.path, deep=deep - 1)
            if arguments is not None:
                yield f"{call}({', '.join(arguments)})"
        yield from self._constants_of(declared)
        if abstract and deep > 0:
            for heir in self._site.symbols.members.heirs_of(declared):
                yield from self._objects(heir, deep - 1)
            wanted = _wanted(declared)
            if declared.type.kind == "interface" and wanted is not None and len(wanted) == 1:
                yield self._lambda(wanted[0], declared.path, deep)

    def _of_own(self, declared: Declared, deep: int) -> Iterator[str]:
        """A class of its own for an abstract type, with the methods that it wants."""
        kind, path, wanted = declared.type, declared.path, _wanted(declared)
        abstract = "abstract" in kind.modifiers or kind.kind == "interface"
        if not abstract or "private" in kind.modifiers or wanted is None:
            return
        types = {one for method in wanted for one in (method.returns or "", *_types(method))}
        variable = any(self._site.symbols.members.is_variable(simple_type(o), path) for o in types)
        if variable or len(wanted) > _MOST_WANTED:
            return
        place = self._site.place.path if self._site.place else ""
        constructors = declared.constructors(inside=place) if kind.kind == "class" else None
        first: tuple[str, ...] | None = ()
        if constructors is not None:
            given_to = sorted((o.method for o in constructors), key=lambda o: len(o.parameters))
            found = (self.arguments(one, path, deep=deep - 1) for one in given_to)
            first = next((one for one in found if one is not None), None)
        if first is not None:
            open_ = {one.name for _, _, one in declared.chain if one.kind == "interface"}
            written = (self._written(one, path, deep, public=one.owner in open_) for one in wanted)
            body = "".join(f" {one}" for one in written)
            yield f"new {kind.name}({', '.join(first)}) {{{body} }}"

    def _lambda(self, method: Method, path: str, deep: int) -> str:
        names = ["one", "other", *(one.name for one in method.parameters[2:])]
        names = names[: len(method.parameters)]
        head = names[0] if len(names) == 1 else f"({', '.join(names)})"
        returned = self._returned(method, path, deep)
        return f"{head} -> {returned or '{ }'}"

    def _written(self, method: Method, path: str, deep: int, *, public: bool) -> str:
        """A method that does as little as it can."""
        seen = "public" if public else " ".join({"public", "protected"} & {*method.modifiers})
        given = ", ".join(f"{one.type} {one.name}" for one in method.parameters)
        returned = self._returned(method, path, deep)
        body = f"{{ return {returned}; }}" if returned else "{ }"
        return f"{seen} {method.returns} {method.name}({given}) {body}".strip()

    def _returned(self, method: Method, path: str, deep: int) -> str:
        """A value that a method may give; nothing where it gives none."""
        if method.returns == "void":
            return ""
        known = self._some(method.returns or "", path, shown=False, deep=deep - 1)
        return known[0] if known else "null"

    def _mocked(self, kind: str, declared: Declared | None) -> bool:
        """Whether the tests of the module mock, and a type can be."""
        if declared is None:
            java = java_kind(kind)
            return self._mocks and kind[:1].isupper() and (java is None or java.abstract)
        fixed = {"final", "sealed", "private"} & {*declared.type.modifiers}
        return self._mocks and declared.type.kind in ("class", "interface") and not fixed

    # ------------------------------------------------------------ what the project shows

    def _shown(self, kind: str, path: str) -> list[str]:
        """What tests begin variables of a type with, and could stand here too."""
        if (kind, path) not in self._known:
            members = self._site.symbols.members
            found = [
                value
                for value, test in self._from_tests.get(kind, {}).items()
                if members.mean_alike(kind, path, test)
            ]
            usable = (one for one in found[:_MOST_TRIED] if self._site.explains(f"a = {one};"))
            self._known[kind, path] = list(usable)
        return self._known[kind, path]

    @cached_property
    def _from_tests(self) -> dict[str, dict[str, str]]:
        """What tests begin variables with and needs none of theirs, each with the test's file.

        The nearest file first, and what stands most often in it.
        """
        values: dict[str, dict[str, str]] = {}
        for tests in tests_by_nearness(self._site):
            counted: Counter[tuple[str, str]] = Counter()
            for test in tests:
                statements = list(statements_of(self._site, test))
                own = {name for one in statements for name in one.names}
                own |= {one.name for one in test.method.parameters}
                counted.update((s.type, s.value) for s in statements if not s.value_uses & own)
            for (kind, value), _ in counted.most_common():
                listed = value.startswith("{")  # an array, as only a declaration may write it
                if value not in ("", "null") and (not listed or kind.endswith("[]")):
                    shown = f"new {kind} {value}" if listed else value
                    values.setdefault(kind, {}).setdefault(shown, tests[0].path)
        return values

    def _constants_of(self, declared: Declared) -> Iterator[str]:
        """Static fields of a type that hold one."""
        kind, interface = declared.type, declared.type.kind == "interface"
        for field in self._site.snapshot.files[declared.path].fields:
            own = field.owner == kind.name and simple_type(field.type) == kind.simple_name
            static = interface or "static" in field.modifiers
            if own and static and "private" not in field.modifiers:
                yield f"{field.owner}.{field.name}"

    @cached_property
    def _mocks(self) -> bool:
        """Whether tests of the module mock."""
        module = module_of(self._site.focal_path)
        files = {one.path for one in self._site.snapshot.tests if module_of(one.path) == module}
        return any(
            line.name.startswith("org.mockito")
            for path in files
            for line in self._site.snapshot.files[path].imports
        )


def _wanted(declared: Declared) -> list[Method] | None:
    """The methods that an object of an abstract type must have; None where not all are known."""
    if not declared.as_written or declared.outside:
        return None
    methods = [one.method for one in declared.all_methods(inside="")]
    given = {one.name for one in methods if one.body is not None or "native" in one.modifiers}
    return [one for one in methods if one.name not in given]


def _types(method: Method) -> Iterator[str]:
    return (one.type for one in method.parameters)


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
