"""The types of a project by simple name: the focal side, and the helpers of its tests."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from indexer.facts import FileFacts, Import, Method, Type
from indexer.names import words_of

__all__ = [
    "ByName",
    "Class",
    "Project",
    "Where",
    "classes_of",
    "find_tests",
    "in_test_root",
    "is_test",
    "module_of",
]


_TEST_ANNOTATIONS = frozenset(
    {"Test", "ParameterizedTest", "RepeatedTest", "TestFactory", "TestTemplate", "Theory"}
)


@dataclass(frozen=True, slots=True)
class Where:
    """A method and the file that it stands in."""

    path: str
    method: Method

    @property
    def key(self) -> str:
        """Stable name in a project: ``path#Outer.Inner#name(int,String)``."""
        return f"{self.path}#{self.method.key}"


_OWN_PARENT = re.compile(r"Test(?:s|Case)?(?:Base)?$")


def is_test(method: Method, owner: Type | None, imports: Iterable[Import]) -> bool:
    """JUnit 3, 4, 5 and TestNG tests; life-cycle methods are none.

    Args:
        method: Of Java.
        owner: The type that declares it, if known.
        imports: Of its file.
    """
    if not _TEST_ANNOTATIONS.isdisjoint(method.annotations):
        return True
    if owner is None or method.constructor or "public" not in method.modifiers:
        return False
    if "Test" in owner.annotations:
        lifecycle = any(
            a.startswith(("Before", "After", "DataProvider")) for a in method.annotations
        )
        return method.returns == "void" and not lifecycle and "static" not in method.modifiers
    named = method.name.startswith("test") and method.returns == "void" and not method.parameters
    return named and any(_makes_tests(parent, imports) for parent in owner.extends)


def _makes_tests(parent: str, imports: Iterable[Import]) -> bool:
    """Whether ``testX`` is a test in a class that extends another, as in JUnit 3.

    A project's own parent whose name ends in Test is taken for one of JUnit 3, too, where the file
    imports nothing that marks a test.

    Example:
        >>> [_makes_tests(name, ()) for name in ("TestCase", "AbstractTagTest", "Contest")]
        [True, True, False]
    """
    if parent.endswith(("TestCase", "TestSupport")):
        return True
    return _OWN_PARENT.search(parent) is not None and not any(map(_marks, imports))


def _marks(line: Import) -> bool:
    """Whether an import brings the annotations of a test."""
    if line.wildcard:
        return not line.static and line.name.startswith(("org.junit", "org.testng"))
    return line.name.rpartition(".")[2] in _TEST_ANNOTATIONS


def find_tests(path: str, facts: FileFacts) -> Iterator[Where]:
    """The test methods of one file; none in a language whose tests are not paired."""
    if facts.language != "java":
        return
    types = {t.name: t for t in facts.types}
    for method in facts.methods:
        if method.body and is_test(method, types.get(method.owner), facts.imports):
            yield Where(path, method)


def in_test_root(path: str, package: str = "") -> bool:
    """Whether a file lies under a folder of tests.

    Args:
        path: POSIX, relative to the workspace.
        package: The file's own, if known: the folders that it names say nothing.

    Example:
        >>> in_test_root("a/src/integrationTest/java/A.java"), in_test_root("latest/A.java")
        (True, False)
        >>> in_test_root("it/src/main/java/A.java"), in_test_root("src/it/A.java", "it")
        (False, False)
    """
    return _holds_tests(path.rpartition("/")[0], package)


@lru_cache(maxsize=20_000)
def _holds_tests(folder: str, package: str) -> bool:
    below = "/" + package.replace(".", "/") if package else ""
    folders = f"/{folder}".removesuffix(below).split("/")
    source_sets = [after for before, after in pairwise(folders) if before == "src"]
    if "main" in source_sets:
        folders = source_sets
    return any(map(_says_test, folders))


_TEST_WORD = re.compile(r"(?:i|int|func|unit)?tests?")


def _says_test(folder: str) -> bool:
    """Whether a folder is named as one of tests: ``it``, ``intTest``, ``unit-tests``, ``test``."""
    return folder.lower() == "it" or any(map(_TEST_WORD.fullmatch, words_of(folder)))


def module_of(path: str) -> str:
    """What stands before ``src/``; empty where there is none."""
    head, found, _ = path.partition("src/")
    return head if found else ""


_HIGHEST = 4
"""How many steps of inheritance are followed."""


class Class(NamedTuple):
    """A type with the methods that it declares."""

    path: str
    package: str
    type: Type
    methods: tuple[Method, ...]
    for_tests: bool
    """Whether it tests, or helps tests: then it is never focal."""

    @property
    def name(self) -> str:
        return self.type.simple_name

    @property
    def full_name(self) -> str:
        return f"{self.package}.{self.type.name}"

    @property
    def parents(self) -> tuple[str, ...]:
        return self.type.extends + self.type.implements

    @property
    def nested(self) -> bool:
        return "." in self.type.name


ByName = Mapping[str, tuple[Class, ...]]


def classes_of(path: str, facts: FileFacts) -> list[Class]:
    """The types of one file; none of a language whose tests are not paired."""
    if facts.language != "java":
        return []
    methods = _by_owner(facts.methods)
    types = {t.name: t for t in facts.types}
    tests = {
        method.owner.partition(".")[0]
        for method in facts.methods
        if is_test(method, types.get(method.owner), facts.imports)
    }
    root = in_test_root(path, facts.package)
    return [
        Class(
            path,
            facts.package,
            kind,
            tuple(methods[kind.name]),
            root or kind.name.partition(".")[0] in tests,
        )
        for kind in facts.types
    ]


@dataclass
class Project:
    """Answers by name; remembers which names were asked for, on which the answers depend."""

    files: Mapping[str, FileFacts]
    named: ByName
    """Types by simple name, in the order of their paths."""
    children: ByName
    """Types by the simple name of a parent, in the order of their paths."""
    asked: set[str] = field(default_factory=set)
    """Simple names; ``<Name`` for the children of a name, ``=path`` for the bodies of a file."""
    _near: dict[tuple[str, str, bool], list[Class]] = field(default_factory=dict)
    _nested: dict[tuple[str, str], list[Class]] = field(default_factory=dict)
    _chains: dict[tuple[str, str, bool], tuple[list[Class], set[str]]] = field(default_factory=dict)

    def all(self, name: str) -> tuple[Class, ...]:
        self.asked.add(name)
        return self.named.get(name, ())

    def focal(self, name: str) -> list[Class]:
        """The types of a name that are no tests and help none."""
        return [one for one in self.all(name) if not one.for_tests]

    def nearest(self, name: str, path: str, *, helpers: bool = False) -> Class | None:
        """What a simple name means in a file: the imported type, else the one nearest by."""
        return next(iter(self.by_distance(name, path, helpers=helpers)), None)

    def by_distance(self, name: str, path: str, *, helpers: bool = False) -> list[Class]:
        """Types of a simple name: the imported one alone, else same package, same module first.

        None where the import is of a type that is not the project's.

        Args:
            name: Simple name.
            path: The file that uses the name.
            helpers: Look among tests and their helpers too.
        """
        key = (name, path, helpers)
        found = self._near.get(key)
        if found is None:
            found = self._near[key] = self._by_distance(name, path, helpers)
        self.asked.add(name)
        return found

    def _by_distance(self, name: str, path: str, helpers: bool) -> list[Class]:
        found = [*self.all(name)] if helpers else self.focal(name)
        if not found:
            return found
        facts = self.files[path]
        wholes = set()
        for line in facts.imports:
            if line.static:
                continue
            if line.wildcard:
                wholes.add(line.name)
            elif line.name.rpartition(".")[2] == name:
                return [c for c in found if c.full_name == line.name][:1]
        module = module_of(path)

        def rank(one: Class) -> tuple[bool, bool, bool, bool, int]:
            return (
                one.path != path,
                one.package != facts.package,
                one.full_name.rpartition(".")[0] not in wholes,
                module_of(one.path) != module,
                -_common_prefix(one.package, facts.package),
            )

        return sorted(found, key=rank)

    def with_parents(self, one: Class, *, helpers: bool = False) -> list[Class]:
        """A type and the project's types that it inherits from, nearest first."""
        key = (one.path, one.type.name, helpers)
        if key not in self._chains:
            before, self.asked = self.asked, set()
            self._chains[key] = self._with_parents(one, helpers), self.asked
            self.asked = before
        chain, asked = self._chains[key]
        self.asked |= asked
        return chain

    def _with_parents(self, one: Class, helpers: bool) -> list[Class]:
        chain, seen, level = [one], {one.name}, [one]
        for _ in range(_HIGHEST):
            above = []
            for child in level:
                for name in child.parents:
                    parent = self.nearest(name, child.path, helpers=helpers)
                    if name not in seen and parent is not None:
                        seen.add(name)
                        above.append(parent)
            chain += above
            level = above
        return chain

    def nested_in(self, one: Class) -> list[Class]:
        """The types that are declared inside a type."""
        key = (one.path, one.type.name)
        if key not in self._nested:
            methods = _by_owner(self.files[one.path].methods)
            self._nested[key] = [
                Class(one.path, one.package, kind, tuple(methods[kind.name]), one.for_tests)
                for kind in self.files[one.path].types
                if kind.name.startswith(one.type.name + ".")
            ]
        return self._nested[key]

    def bodies_of(self, one: Class) -> tuple[Method, ...]:
        """The methods of a type with what stands in them, which no outline shows."""
        self.asked.add("=" + one.path)
        return one.methods

    def implementation(self, owner: Class, method: Method) -> tuple[Class, Method] | None:
        """The only body of an abstract method, where the project has exactly one."""
        self.asked.add("<" + owner.name)
        found = [
            (child, one)
            for child in self.children.get(owner.name, ())
            if not child.for_tests
            for one in child.methods
            if one.body and one.name == method.name and one.key.endswith(_parameters(method))
        ]
        return found[0] if len(found) == 1 else None


def _parameters(method: Method) -> str:
    return method.key.partition("#")[2]


def _by_owner(methods: Iterable[Method]) -> Mapping[str, list[Method]]:
    found: dict[str, list[Method]] = defaultdict(list)
    for method in methods:
        found[method.owner].append(method)
    return found


def _common_prefix(left: str, right: str) -> int:
    count = 0
    for a, b in zip(left.split("."), right.split("."), strict=False):
        if a != b:
            break
        count += 1
    return count
