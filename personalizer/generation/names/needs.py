"""Which imports a generated method needs, and where the project has them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

from indexer import FileFacts, Import, Method, Snapshot, Type
from indexer.languages.lexis import Names, names_in, tokens
from indexer.pairing import in_test_root, module_of
from personalizer.engine.monitor.java_types import (
    java_imports,
    java_kind,
    java_name,
    java_packages,
)
from personalizer.generation.names.libraries import (
    ASSERTIONS,
    FLAVOURS,
    HEIRS,
    JAVA_LANG,
    STATIC_NAMES,
    TEST_CASE,
    TEST_CASE_METHODS,
    TYPES,
    Flavour,
)
from personalizer.generation.names.wildcards import wildcards_of
from personalizer.generation.placing.imports import Line, shared_parts
from personalizer.generation.placing.style import flavour_of

__all__ = ["Found", "Needs", "Scope"]


@dataclass(frozen=True, slots=True)
class Scope:
    """The file and class that a text will stand in."""

    path: str
    """Of the file, which need not exist."""
    package: str
    imports: tuple[Import, ...]
    visible: Names
    """Names that the file uses already: what explains them there explains them again."""
    parents: tuple[str, ...]
    """Simple names of what the class extends and implements."""
    flavour: str | None
    """Test framework of the file; None outside tests."""
    focal_path: str
    focal: Method

    def names(self, full: str) -> bool:
        """Whether the simple name of a type is enough here, by its full name."""
        package = full.rpartition(".")[0]
        around = {line.name for line in self.imports if line.wildcard and not line.static}
        return package in {self.package, "java.lang", *around} or any(
            line.name == full and not line.static for line in self.imports
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What a text needs."""

    lines: tuple[Line, ...]
    unknown: tuple[str, ...]
    """Types, and methods without a receiver (``name()``), that neither the project nor a known
    library explains."""


class Needs:
    """The imports that methods need and their file lacks.

    The first source that knows a name explains it: the file's test framework, the focal file,
    what tests of the same framework import most often under that name, the project's own classes
    (nearest package first), what its other files import, and the table of known libraries.

    Args:
        snapshot: The project, which is read once.
        scope: Where the methods will stand.
    """

    def __init__(self, snapshot: Snapshot, scope: Scope) -> None:
        self.snapshot, self.scope = snapshot, scope
        self._inherited = _inherited(snapshot, scope.parents)
        self._project = _Project(snapshot, scope)
        self._wild = wildcards_of(snapshot, scope.imports)

    def of(self, text: str) -> Found:
        """What one method needs."""
        names, scope, inherited = names_in(text), self.scope, self._inherited
        types = names.types - names.declared - scope.visible.types - inherited.types - JAVA_LANG
        calls = names.calls - names.declared - scope.visible.calls - inherited.methods
        project, wild = self._project, self._wild
        lines: list[Line] = []
        unknown: list[str] = []
        for name in sorted(types):
            variable = re.fullmatch(r"[A-Z]\d?", name) and name not in project.types
            if project.in_package(name) or variable:
                continue
            line = _first(project.type_sources, name) or _first(project.static_sources, name)
            if line is not None:
                lines.append(line)
            elif not (name.isupper() or inherited.outside or _may_give(wild.types, name)):
                unknown += {name} - project.left_out
        for name in sorted(calls):
            line = _first(project.static_sources, name)
            if line is not None:
                lines.append(line)
            elif not (inherited.outside or _may_give(wild.methods, name)):
                unknown.append(f"{name}()")
        return Found(tuple(line for line in lines if not _given(line, scope)), tuple(unknown))

    def usual(self) -> dict[str, str]:
        """Types of Java's that the file may name without an import, which will be added."""
        meant = {name: {full} for name, full in java_imports().items()}
        for full in self._project.imported_types:
            meant.setdefault(_last(full), set()).add(full)
        if self._wild.types is None:
            return {}
        others = self._wild.types | self._project.left_out
        usual = {name: java_name(name) for name in meant.keys() - others}
        return {name: full for name, full in usual.items() if meant[name] == {full}}

    def callable(self) -> dict[str, str] | None:
        """What the file may call without a receiver, once it is imported; None where not all is
        known.

        Each by what must be imported for it, nothing where nothing must. Methods that the file's
        own classes declare may be missing.
        """
        scope, inherited, wild = self.scope, self._inherited, self._wild.methods
        if inherited.outside or wild is None:
            return None
        flavour = FLAVOURS[scope.flavour].statics if scope.flavour else {}
        of_focal = {method.name for method in self.snapshot.files[scope.focal_path].methods}
        sources = self._project.static_sources
        names = {*STATIC_NAMES, *flavour, *self._project.imported_statics, *of_focal}
        lines = {name: line.name for name in names if (line := _first(sources, name)) is not None}
        own = (_last(line.name) for line in scope.imports if line.static and not line.wildcard)
        given = (*scope.visible.calls, *inherited.methods, *wild, *own)
        return {**lines, **dict.fromkeys(given, "")}

    def nameable(self) -> frozenset[str] | None:
        """Types that the file may name, once they are imported; None where not all are known."""
        scope, wild, snapshot = self.scope, self._wild.types, self.snapshot
        if self._inherited.outside or wild is None:
            return None
        flavour = FLAVOURS[scope.flavour].types if scope.flavour else {}
        project = self._project
        code = [one for one in tokens(snapshot.text(scope.focal_path)) if one.kind != "comment"]
        in_focal_file = {
            this.text
            for before, this in pairwise(code)
            if this.kind == "word" and this.text[0].isupper() and before.text != "."
        }
        in_focal_file -= {field.name for field in snapshot.files[scope.focal_path].fields}
        of_java = {*java_packages()["java.lang"], *java_imports()}
        in_tables = {*of_java, *TYPES, *flavour, *scope.visible.types}
        own = {*project.imported, *project.types, *project.left_out}
        return frozenset({*own, *in_focal_file, *in_tables, *wild})


def _may_give(wild: Collection[str] | None, name: str) -> bool:
    """Whether a wildcard may give a name: not all are known, or it is among them."""
    return wild is None or name in wild


_Source = Callable[[str], "Line | None"]


def _first(sources: Iterable[_Source], name: str) -> Line | None:
    return next((line for source in sources if (line := source(name)) is not None), None)


def _given(line: Line, scope: Scope) -> bool:
    """Whether the package, an import or a wildcard of the file gives a name already."""
    holder = _holder(line.name)
    if not line.static and holder in ("java.lang", scope.package):
        return True
    holders = {holder, HEIRS.get(holder, holder)}
    return any(
        one.static == line.static
        and (one.name in holders if one.wildcard else one.name == line.name)
        for one in scope.imports
    )


@dataclass(frozen=True, slots=True)
class _Inherited:
    """What a class has from its parents, ``Object`` among them."""

    types: frozenset[str]
    methods: frozenset[str]
    outside: bool
    """Whether a parent is no class of the project, so that it may give any name."""


def _inherited(snapshot: Snapshot, parents: Iterable[str]) -> _Inherited:
    types: set[str] = set()
    above = java_kind("Object")
    assert above is not None
    methods = {"clone", "finalize", *above.methods}
    names, seen, outside = list(parents), set(), False
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        found = [
            (facts, kind)
            for facts in snapshot.files.values()
            for kind in facts.types
            if kind.simple_name == name
        ]
        if name == "TestCase" and not found:
            methods |= {*ASSERTIONS[TEST_CASE], *TEST_CASE_METHODS}
        else:
            outside |= not found
        for facts, kind in found:
            methods |= {m.name for m in facts.methods if m.owner == kind.name}
            types |= {
                t.simple_name for t in facts.types if t.name == f"{kind.name}.{t.simple_name}"
            }
            names += kind.extends + kind.implements
    return _Inherited(frozenset(types), frozenset(methods), outside)


_Class = tuple[str, FileFacts, Type]
_Imports = tuple[Import, ...]


class _Project:
    """Where the project has the names that a text asks for."""

    def __init__(self, snapshot: Snapshot, scope: Scope) -> None:
        self._scope = scope
        self._focal_file = snapshot.files[scope.focal_path]
        self._tests = {where.path for where in snapshot.tests}
        self._classes: dict[str, list[_Class]] = defaultdict(list)
        for path, facts in snapshot.files.items():
            for kind in facts.types:
                self._classes[kind.simple_name].append((path, facts, kind))
        rings = self._by_kinship(snapshot)
        near, peers, others = (_imported(ring, scope, self._members_of) for ring in rings)
        types, statics = {**peers.types, **near.types}, {**peers.statics, **near.statics}
        flavour = FLAVOURS[scope.flavour] if scope.flavour else Flavour((), {}, {})
        lines = {(o.name, o.static, o.wildcard) for f in snapshot.files.values() for o in f.imports}
        self.imported = {_last(name) for name, _, _ in lines}
        """Last parts of what its files import."""
        self.imported_types = {name for name, static, wild in lines if not (static or wild)}
        """Full names of types among them."""
        self.imported_statics = {_last(name) for name, static, wild in lines if static and not wild}
        """Members among them."""
        in_use = {*map(_library, {line.name for imports in chain(*rings) for line in imports})}
        self.type_sources: tuple[_Source, ...] = (
            _table({name: types.get(name, full) for name, full in flavour.types.items()}),
            self._from_focal_file,
            _table(types),
            self._nearest_class,
            _table(others.types),
            _table(java_imports()),
            _table(_usable(TYPES, in_use)),
        )
        """Ways to explain a type, the surest first."""
        self.static_sources: tuple[_Source, ...] = (
            _table({n: statics.get(n, full) for n, full in flavour.statics.items()}, static=True),
            self._static_of_focal_class,
            _table(statics, static=True),
            _table(others.statics, static=True),
            _table(_usable(STATIC_NAMES, in_use), static=True),
        )
        """Ways to explain a method without a receiver, or a constant."""
        self.left_out = {PurePosixPath(path).stem for path in snapshot.excluded}
        """Types of files that the index leaves out, such as generated ones."""

    def _by_kinship(
        self, snapshot: Snapshot
    ) -> tuple[list[_Imports], list[_Imports], list[_Imports]]:
        """Imports of the files that are an example: of the same module, alike, and others.

        A test follows the tests of its framework before the rest, code outside tests its like.
        """
        flavour, module = self._scope.flavour, module_of(self._scope.path)
        near: list[_Imports] = []
        peers: list[_Imports] = []
        others: list[_Imports] = []
        for path, facts in snapshot.files.items():
            test = path in self._tests
            if flavour is None and (test or in_test_root(path, facts.package)):
                continue
            if flavour is None or (test and flavour_of(facts) in (flavour, None)):
                (near if module_of(path) == module else peers).append(facts.imports)
            else:
                others.append(_without_other_frameworks(facts, flavour))
        return near, peers, others

    @property
    def types(self) -> Collection[str]:
        """Simple names of its types."""
        return self._classes.keys()

    def in_package(self, name: str) -> bool:
        """Whether the file's own package has a type of this name."""
        return any(
            facts.package == self._scope.package and kind.name == name
            for _, facts, kind in self._classes.get(name, ())
        )

    def _from_focal_file(self, name: str) -> Line | None:
        facts = self._focal_file
        own = [
            kind
            for kind in facts.types
            if kind.simple_name == name and "private" not in kind.modifiers
        ]
        if own and facts.package:
            return Line(f"{facts.package}.{own[0].name}", static=False)
        return next(
            (
                Line(line.name, static=False)
                for line in facts.imports
                if not line.static and not line.wildcard and _last(line.name) == name
            ),
            None,
        )

    def _members_of(self, holder: str) -> set[str]:
        """The static methods of a class of the project or of a known library, by its full name."""
        known = {name for name, full in STATIC_NAMES.items() if _holder(full) == holder}
        return known | {
            method.name
            for _, facts, kind in self._classes.get(_last(holder), ())
            if f"{facts.package}.{kind.name}" == holder
            for method in facts.methods
            if method.owner == kind.name and "static" in method.modifiers
        }

    def _nearest_class(self, name: str) -> Line | None:
        scope = self._scope

        def distance(one: _Class) -> tuple[bool, bool, int, int, str]:
            path, facts, kind = one
            shared = shared_parts(facts.package, scope.package)
            away = module_of(path) != module_of(scope.path)
            helper = in_test_root(path, facts.package)
            return helper and away, away, -shared, kind.name.count("."), path

        usable = [
            one
            for one in self._classes.get(name, ())
            if one[1].package
            and "private" not in one[2].modifiers
            # A class inside a test class is that test's own affair.
            and not (one[0] in self._tests and "." in one[2].name)
        ]
        if not usable:
            return None
        _, facts, kind = min(usable, key=distance)
        return Line(f"{facts.package}.{kind.name}", static=False)

    def _static_of_focal_class(self, name: str) -> Line | None:
        focal, package = self._scope.focal, self._focal_file.package
        if not package or self._scope.path == self._scope.focal_path:
            return None
        named = (m for m in self._focal_file.methods if m.owner == focal.owner and m.name == name)
        if any("static" in m.modifiers and "private" not in m.modifiers for m in named):
            return Line(f"{package}.{focal.owner}.{name}", static=True)
        return None


def _table(names: Mapping[str, str], *, static: bool = False) -> _Source:
    """A source that looks full names up."""
    return lambda name: Line(names[name], static) if name in names else None


def _usable(names: Mapping[str, str], in_use: Collection[str]) -> dict[str, str]:
    """Names of Java itself, and of libraries that the project imports somewhere."""
    return {
        name: full
        for name, full in names.items()
        if full.startswith("java.") or _library(full) in in_use
    }


def _library(name: str) -> str:
    """The first two parts of a name: ``org.mockito``."""
    return ".".join(name.split(".")[:2])


def _without_other_frameworks(facts: FileFacts, flavour: str) -> _Imports:
    foreign = tuple(m for name, one in FLAVOURS.items() if name != flavour for m in one.marks)
    return tuple(line for line in facts.imports if not line.name.startswith(foreign))


class _Imported(NamedTuple):
    """The full name that files import most often, by simple name."""

    types: dict[str, str]
    statics: dict[str, str]


def _imported(
    files: Iterable[_Imports], scope: Scope, members: Callable[[str], Iterable[str]]
) -> _Imported:
    """What files import under each name.

    A class that the scope's file has static imports from already goes before the commonest, so
    that its mocks and assertions come from one library.
    A static wildcard counts for the members that its class is known to have.
    """
    types: dict[str, Counter[str]] = defaultdict(Counter)
    statics: dict[str, Counter[str]] = defaultdict(Counter)
    wildcards: Counter[str] = Counter()
    for line in (line for imports in files for line in imports):
        if line.wildcard:
            wildcards[line.name] += line.static
        else:
            (statics if line.static else types)[_last(line.name)][line.name] += 1
    for holder, times in wildcards.items():
        for member in members(holder) if times else ():
            statics[member][f"{holder}.{member}"] += times
    at_hand = {_holder(line.name) for line in scope.imports if line.static and not line.wildcard}
    return _Imported(_winners(types, ()), _winners(statics, at_hand))


def _winners(counts: Mapping[str, Counter[str]], at_hand: Collection[str]) -> dict[str, str]:
    """The commonest full name of each, holders at hand first; of equals the first by alphabet."""
    return {
        name: min(count, key=lambda full: (_holder(full) not in at_hand, -count[full], full))
        for name, count in counts.items()
    }


def _holder(name: str) -> str:
    return name.rpartition(".")[0]


def _last(name: str) -> str:
    return name.rpartition(".")[2]
