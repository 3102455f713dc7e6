"""What the types of a project have: methods, constructors, fields, with those that they inherit.

A type is *complete* when every type above it is one of the project or of a few well-known ones of
Java, and no annotation processor adds members. Only of a complete type can it be said that it
lacks a member.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from indexer import Field, FileFacts, Import, Snapshot, Type, Where
from indexer.facts import simple_type
from indexer.languages.java import enum_constants
from indexer.pairing import in_test_root
from personalizer.engine.monitor.java_types import java_kind

__all__ = ["Declared", "Members"]

_PARENTS = frozenset(
    {"Object", "Throwable", "Exception", "RuntimeException", "IllegalArgumentException"}
    | {"IllegalStateException", "IOException", "UncheckedIOException", "Serializable", "Cloneable"}
    | {"Comparable", "Closeable", "AutoCloseable", "Runnable", "Iterable"}
)
"""Types of Java that projects extend often."""


class FieldAt(NamedTuple):
    """A field and the file that declares it."""

    path: str
    type: str
    """As written."""
    static: bool
    private: bool


class Outside(NamedTuple):
    """A type that is not the project's, and the file that names it."""

    path: str
    name: str
    """Its simple name."""


@dataclass(frozen=True)
class Declared:
    """A type of the project with what it inherits."""

    path: str
    type: Type
    chain: tuple[tuple[str, FileFacts, Type], ...]
    """The type itself and the project's types above it, nearest first; each with its file."""
    outside: tuple[Outside, ...]
    """Types above it that are not the project's."""
    constants: tuple[str, ...] = ()
    """Of an enum."""

    @property
    def name(self) -> str:
        return self.type.simple_name

    @cached_property
    def complete(self) -> bool:
        """Whether all of its members are known."""
        return self.as_written and all(one.name in _PARENTS for one in self.outside)

    @cached_property
    def as_written(self) -> bool:
        """Whether it and the project's types above it have what their files show and no more."""
        return not any(
            facts.errors or kind.kind == "annotation" or _added_to(facts, kind)
            for _, facts, kind in self.chain
        )

    @property
    def all_fields_known(self) -> bool:
        """Whether no type above it can give it a field that nobody has seen."""
        without = {*_PARENTS, "TestCase"}
        return all(one.name in without for one in self.outside) and not self.generated_constructors

    @cached_property
    def generated_constructors(self) -> bool:
        _, facts, kind = self.chain[0]
        return bool(facts.errors) or _added_to(facts, kind)

    def methods(self, name: str, *, inside: str) -> tuple[Where, ...]:
        """Methods of a name that code of the file ``inside`` may call."""
        return tuple(one for one in self.all_methods(inside=inside) if one.method.name == name)

    def all_methods(self, *, inside: str) -> Iterator[Where]:
        for path, facts, kind in self.chain:
            kept = kind.kind == "interface" and kind is not self.type
            for method in facts.methods:
                hidden = "private" in method.modifiers and inside != path
                hidden |= kept and "static" in method.modifiers  # an interface's own alone
                if method.owner == kind.name and not method.constructor and not hidden:
                    yield Where(path, method)

    def given(self, name: str) -> tuple[int, ...]:
        """Numbers of arguments of a method that Java itself gives the type."""
        parents = ["Object", *_PARENTS.intersection(one.name for one in self.outside)]
        given: tuple[int, ...] = ()
        if any(kind.kind == "enum" for _, _, kind in self.chain):
            parents.append("Enum")
            given = {"values": (0,), "valueOf": (1,)}.get(name, ())
        kinds = (java_kind(parent) for parent in parents)
        found = (one for kind in kinds if kind for one in kind.methods.get(name, ()))
        accessors = (0,) if any(field.name == name for field in self.components) else ()
        return (*given, *accessors, *(len(one.parameters) for one in found))

    @cached_property
    def fields(self) -> dict[str, FieldAt]:
        """By name, an enum's constants among them."""
        one = FieldAt(self.path, self.type.name, static=True, private=False)
        found = dict.fromkeys(self.constants, one)
        for path, facts, kind in self.chain:
            for field in facts.fields:
                if field.owner == kind.name:
                    array = field.type.replace("...", "[]")  # of a record
                    constant = kind.kind in ("interface", "annotation")
                    static = constant or "static" in field.modifiers
                    one = FieldAt(path, array, static, "private" in field.modifiers)
                    found.setdefault(field.name, one)
        return found

    def constructors(self, *, inside: str) -> list[Where] | None:
        """Those that a file may call; None where the compiler makes them, but for a record's."""
        _, facts, kind = self.chain[0]
        declared = [m for m in facts.methods if m.owner == kind.name and m.constructor]
        if not declared:
            return None
        reached = (m for m in declared if "private" not in m.modifiers or inside == self.path)
        return [Where(self.path, method) for method in reached]

    @property
    def components(self) -> tuple[Field, ...]:
        """Of a record, in their order."""
        _, facts, kind = self.chain[0]
        own = (f for f in facts.fields if f.owner == kind.name and "static" not in f.modifiers)
        return tuple(own) if kind.kind == "record" else ()

    def has_inner(self, name: str) -> bool:
        """Whether a type of this name is declared inside."""
        inner = {f"{kind.name}.{name}" for _, _, kind in self.chain}
        return any(one.name in inner for _, facts, _ in self.chain for one in facts.types)


_PROCESSORS = ("lombok", "com.google.auto.value", "org.immutables")


def _added_to(facts: FileFacts, kind: Type) -> bool:
    """Whether an annotation processor may add members to a type."""
    if not any(line.name.startswith(_PROCESSORS) for line in facts.imports):
        return False
    written = [kind.annotations]
    written += [field.annotations for field in facts.fields if field.owner == kind.name]
    written += [method.annotations for method in facts.methods if method.owner == kind.name]
    return bool({*chain(*written)} - {"Override"})


class Members:
    """Finds the type that a simple name means in a file."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._known: dict[tuple[str, str], Declared] = {}
        self._variables_of: dict[str, frozenset[str]] = {}

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[str, FileFacts, Type]]]:
        found: dict[str, list[tuple[str, FileFacts, Type]]] = {}
        for path, facts in self._snapshot.files.items():
            for kind in facts.types:
                found.setdefault(kind.simple_name, []).append((path, facts, kind))
        return found

    @cached_property
    def _heirs(self) -> dict[str, list[tuple[str, Type]]]:
        """The types that extend or implement one, by its simple name."""
        found: dict[str, list[tuple[str, Type]]] = {}
        for path, facts in self._snapshot.files.items():
            for kind in facts.types:
                for parent in kind.extends + kind.implements:
                    found.setdefault(simple_type(parent), []).append((path, kind))

        def rank(heir: tuple[str, Type]) -> tuple[bool, int]:
            path, kind = heir
            return in_test_root(path, self._snapshot.files[path].package), len(kind.name)

        for heirs in found.values():
            heirs.sort(key=rank)
        return found

    def heirs_of(self, declared: Declared) -> Iterator[Declared]:
        """The types that extend or implement one, those of main code first."""
        for path, kind in self._heirs.get(declared.name, ()):
            heir = self.of(path, kind.name)
            if heir is not None and any(one[2] is declared.type for one in heir.chain[1:]):
                yield heir

    def all_heirs_of(self, declared: Declared) -> Iterator[Declared]:
        """The types below one, those that extend or implement it itself first."""
        met, open_ones = {id(declared.type)}, deque([declared])
        while open_ones:
            for heir in self.heirs_of(open_ones.popleft()):
                if id(heir.type) not in met:
                    met.add(id(heir.type))
                    open_ones.append(heir)
                    yield heir

    @property
    def names(self) -> Collection[str]:
        """Simple names of all types."""
        return self._by_name.keys()

    def named(
        self, written: str, path: str, package: str, imports: Iterable[Import]
    ) -> Declared | None:
        """The project's type that a written one means; None when that is not certain.

        Args:
            written: As in ``Cart``, ``Outer.Inner``, ``shop.Cart`` or ``Box<Cart>``.
            path: The file that uses it; it need not exist.
            package: Of that file.
            imports: Of that file, those that are to be added included.
        """
        name, _, inner = re.sub(r"<.*>|\s", "", written, flags=re.DOTALL).partition(".")
        if not re.fullmatch(r"[A-Z]\w*", name):  # a package, an array
            return self._full_name(f"{name}.{inner}")
        if name in self._variables(path):
            return None
        outer = self._simple(name, path, package, list(imports))
        return self.of(outer.path, f"{outer.type.name}.{inner}") if outer and inner else outer

    def full_name(self, declared: Declared) -> str:
        """Of a type, with its package."""
        return _full((declared.path, self._snapshot.files[declared.path], declared.type))

    def is_variable(self, name: str, path: str) -> bool:
        """Whether a simple name is a type variable of a file."""
        return name in self._variables(path)

    def mean_alike(self, name: str, path: str, other: str) -> bool:
        """Whether a simple name means one type in two files, unless surely not."""
        meant = [self._full_name_in(name, each) for each in (path, other)]
        return not all(meant) or meant[0] == meant[1]

    def _full_name_in(self, name: str, path: str) -> str:
        """What a simple name means in a file; nothing where that is not sure."""
        own = self.seen_from(name, path)
        if own is not None:
            return self.full_name(own)
        imports = self._snapshot.files[path].imports
        found = (one.name for one in imports if not one.static and _last(one.name) == name)
        return next(found, "")

    def _variables(self, path: str) -> frozenset[str]:
        """Type variables that the types and methods of a file declare."""
        if path not in self._variables_of:
            facts = self._snapshot.files.get(path)
            found = _type_variables(facts, self._snapshot.source(path)) if facts else ()
            self._variables_of[path] = frozenset(found)
        return self._variables_of[path]

    def _full_name(self, name: str) -> Declared | None:
        same = [one for one in self._by_name.get(_last(name), []) if _full(one) == name]
        return self._declared(*same[0]) if len(same) == 1 else None

    def _simple(self, name: str, path: str, package: str, imports: list[Import]) -> Declared | None:
        found = self._by_name.get(name, [])
        here = [one for one in found if one[0] == path]
        exact = [i for i in imports if not i.static and not i.wildcard and _last(i.name) == name]
        neighbours = [o for o in found if o[1].package == package and o[2].name == name]
        wild = {i.name for i in imports if i.wildcard and not i.static}
        if here:  # one inside another type hides those of other files only there
            hiding = any("." in one[2].name for one in here) and bool(exact or neighbours)
            fitting = [] if hiding else here
        elif exact:
            fitting = [o for o in found if _full(o) == exact[0].name]
        elif neighbours:
            fitting = neighbours
        else:
            fitting = [o for o in found if _full(o).rpartition(".")[0] in wild]
        return self._declared(*fitting[0]) if len(fitting) == 1 else None

    def seen_from(self, written: str, path: str) -> Declared | None:
        """The project's type that a written one means in one of its files."""
        facts = self._snapshot.files[path]
        return self.named(written, path, facts.package, facts.imports)

    def of(self, path: str, owner: str) -> Declared | None:
        """A type by its file and its qualified name there."""
        facts = self._snapshot.files.get(path)
        kind = facts.type_named(owner) if facts else None
        return self._declared(path, facts, kind) if facts and kind else None

    def _constants(self, path: str, kind: Type) -> tuple[str, ...]:
        if kind.kind != "enum":
            return ()
        source = self._snapshot.source(path)
        return enum_constants(source[kind.span.start : kind.span.end])

    def _declared(self, path: str, facts: FileFacts, kind: Type) -> Declared:
        key = (path, kind.name)
        known = self._known.get(key)
        if known is None:
            # What a type that extends itself finds above it: nothing is sure of that one.
            itself = Outside(path, kind.name)
            self._known[key] = Declared(path, kind, ((path, facts, kind),), (itself,))
            chain, outside = [(path, facts, kind)], list[Outside]()
            for name in kind.extends + kind.implements:
                parent = self.seen_from(name, path)
                if parent is None or parent.type is kind:
                    outside.append(Outside(path, simple_type(name)))
                else:
                    chain += [one for one in parent.chain if one not in chain]
                    outside += parent.outside
            known = Declared(path, kind, tuple(chain), tuple(outside), self._constants(path, kind))
            self._known[key] = known
        return known


_NESTED = rb"<(?:[^<>]|<(?:[^<>]|<[^<>]*>)*>)*>"
_OF_TYPE = re.compile(rb"\b(?:class|interface|record)\s+\w+\s*(" + _NESTED + rb")")
_OF_METHOD = re.compile(
    rb"(?:@[\w.]+(?:\([^)]*\))?\s*|(?:abstract|default|final|private|protected|public|static"
    rb"|strictfp|synchronized)\s+)*(" + _NESTED + rb")"
)


def _type_variables(facts: FileFacts, source: bytes) -> Iterator[str]:
    """The type variables that the types and methods of a file declare."""
    types = (_OF_TYPE.search(kind.header.of(source)) for kind in facts.types)
    methods = (_OF_METHOD.match(one.signature.of(source)) for one in facts.methods)
    for found in chain(types, methods):
        for one in re.sub(_NESTED, b"", found[1][1:-1]).split(b",") if found else ():
            yield from re.findall(r"^(?:\s*@\w+)*\s*(\w+)", one.decode("utf-8", "replace"))


def _full(one: tuple[str, FileFacts, Type]) -> str:
    return f"{one[1].package}.{one[2].name}"


def _last(name: str) -> str:
    return name.rpartition(".")[2]
