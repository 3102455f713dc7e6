"""What a test may use, told to the engine that writes it."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from functools import cache, cached_property

from indexer import Import, Method, Span
from indexer.facts import simple_type
from personalizer.engine.monitor.declarations import Declarations
from personalizer.engine.monitor.java_types import (
    java_kind,
    java_name,
    java_packages,
)
from personalizer.engine.monitor.kinds import PRIMITIVES, Kind, Signature, with_inherited
from personalizer.generation.names.libraries import (
    ASSERTIONS,
    FLAVOURS,
    JAVA_LANG,
    TEST_CASE,
    TEST_CASE_METHODS,
)
from personalizer.generation.names.members import Declared, Members, Outside
from personalizer.generation.names.needs import Found, Needs
from personalizer.generation.names.symbols import Reader
from personalizer.generation.syntax import MethodTree

__all__ = ["declarations_of"]

_MOST = 300
"""Types whose members are told, the nearest first."""
_PROTECTED = {name: (Signature(()),) for name in ("clone", "finalize")}
"""Methods that every class has for itself alone."""


def declarations_of(needs: Needs, members: Members, owner: str | None) -> Declarations:
    """The types that code of a file may name, with those that their members give.

    Args:
        needs: What texts need in that file.
        members: The types of its project.
        owner: Qualified name of the class in it; None where that does not exist yet.
    """
    return _Telling(needs, members).all(owner)


class _Telling:
    def __init__(self, needs: Needs, members: Members) -> None:
        self._needs = needs
        self._snapshot, self._scope = needs.snapshot, needs.scope
        self._members = members
        self._left: deque[Declared] = deque()
        self._seen: set[str] = set()
        self._types: dict[tuple[str, str], str] = {}
        self._kinds: dict[str, Kind] = {}
        self._may_inherit_types = False

    def all(self, owner: str | None) -> Declarations:
        path = self._scope.path
        this = self._members.of(path, owner) if owner else None
        outside = {one.name for one in this.outside} if this else set()
        self._may_inherit_types = any(not java_name(one) for one in outside - {"TestCase"})
        key = self._key(this) if this else ""
        names = {name: name for name in self._java_names() if self._javas(name, path)}
        for name, meant in self._named():
            names[name] = self._key(meant)
        kinds = dict(self._of_assertions())
        names |= {key.rpartition(".")[2].rstrip("#"): key for key in kinds}
        fields: dict[str, str] = {}
        new_of_junit3 = this is None and "TestCase" in self._scope.parents
        methods = dict(_test_case().methods) if new_of_junit3 else {}
        enum = unseen = inherited = False
        parts = owner.split(".") if owner else []
        for depth in range(1, len(parts) + 1):  # what outer classes have can be named too
            around = self._members.of(self._scope.path, ".".join(parts[:depth]))
            if around is not None:
                told = self._kind(around)
                names |= told.inner
                unseen |= told.open
                if depth < len(parts):  # the innermost's are among the callable ones
                    inherited |= any("#" not in one for one in told.above - {"Object"})
                fields |= told.fields
                methods = {} if told.open else {**methods, **told.methods}
                enum |= told.enum
        calls = self._needs.callable()
        if this is None or not self._kind(this).open:
            methods = {**self._assertions(calls or {}), **self._imported(calls or {}), **methods}
        while self._left and len(kinds) < _MOST:
            one = self._left.popleft()
            kinds[_key(one)] = self._kind(one)
        visible = self._visible(owner)
        fields = {**dict.fromkeys(visible or (), ""), **fields}
        return Declarations(
            kinds,
            names,
            fields,
            methods,
            calls=None if calls is None or inherited else frozenset(calls),
            closed=visible is not None and not enum,
            types=None if unseen else self._needs.nameable(),
            packages=frozenset(self._packages()),
            this=key,
        )

    def _packages(self) -> Iterable[str]:
        """First parts of the packages that the project has and imports from."""
        for facts in self._snapshot.files.values():
            yield facts.package.partition(".")[0]
            yield from (line.name.partition(".")[0] for line in facts.imports)

    def _imported(self, calls: Mapping[str, str]) -> dict[str, tuple[Signature, ...]]:
        """Methods of the project that the file imports or will, and nobody else's of the name."""
        found: dict[str, tuple[Signature, ...]] = {}
        lines = [one.name for one in self._scope.imports if one.static and not one.wildcard]
        times = Counter(line.rpartition(".")[2] for line in lines)
        lines += [full for name, full in calls.items() if full and name not in times]
        holders = {line.rpartition(".")[0] for line in lines}
        owners = {one: self._members.named(one, self._scope.path, "", ()) for one in holders}
        kinds = {one: self._kind(owner) for one, owner in owners.items() if owner is not None}
        for line in lines:
            holder, _, name = line.rpartition(".")
            told = kinds.get(holder) if times[name] < 2 else None
            named = told.methods.get(name, ()) if told and not told.open else ()
            if signatures := tuple(one for one in named if one.static):
                found[name] = signatures
        return found

    def _assertions(self, calls: Mapping[str, str]) -> dict[str, tuple[Signature, ...]]:
        """JUnit's, where they are what is called."""
        imports = [one for one in self._scope.imports if one.static]
        wild = [one.name for one in imports if one.wildcard]
        named = {one.name.rpartition(".")[2]: one.name for one in imports if not one.wildcard}

        def meant(name: str) -> str:
            given = f"{wild[0]}.{name}" if len(wild) == 1 else calls.get(name, "")
            return named.get(name, given)

        return {
            name: signatures
            for holder in ASSERTIONS
            for name, signatures in _signatures(holder).items()
            if meant(name) == f"{holder}.{name}"
        }

    def _of_assertions(self) -> Iterable[tuple[str, Kind]]:
        """The classes that have them, where a file may name these."""
        flavour = FLAVOURS[self._scope.flavour].types if self._scope.flavour else {}
        for holder in ASSERTIONS:
            name = holder.rpartition(".")[2]
            plain = [one for one in self._scope.imports if not one.static]
            meant = _imported(name, plain)
            around = {one.name for one in plain if one.wildcard} - {holder.rpartition(".")[0]}
            if not meant and around <= java_packages().keys():
                meant = flavour.get(name, "")
            if meant == holder and name not in self._members.names:
                methods = _signatures(holder)
                yield f"{holder}#", Kind(methods, {}, {}, None, frozenset({"Object"}))

    def _java_names(self) -> Iterable[str]:
        """Simple names by which the file may know types of Java's."""
        yield from JAVA_LANG
        yield from self._usual
        for line in (*self._scope.imports, *self._imports_of_focal):
            name = line.name.rpartition(".")[2]
            yield from java_packages().get(line.name, ()) if line.wildcard else (name,)

    @cached_property
    def _usual(self) -> Mapping[str, str]:
        """Types of Java's that the file may name without an import, which will be added."""
        return {} if self._may_inherit_types else self._needs.usual()

    @property
    def _imports_of_focal(self) -> tuple[Import, ...]:
        return self._snapshot.files[self._scope.focal_path].imports

    def _visible(self, owner: str | None) -> set[str] | None:
        """Variables that a test has from around it; None where not all are known."""
        nothing = MethodTree("void a() { }")
        none = Found((), ())
        return Reader(self._snapshot, self._members, nothing, self._scope, owner, none).visible()

    def _named(self) -> Iterable[tuple[str, Declared]]:
        """Types of the project that need no more than a simple name, once they are imported."""
        scope, files = self._scope, self._snapshot.files
        focal = files[scope.focal_path]
        near = {focal.package, scope.package}
        names = {
            kind.simple_name
            for facts in files.values()
            if facts.package in near
            for kind in facts.types
        }
        for path in {scope.path, scope.focal_path} & files.keys():
            names |= {line.name.rpartition(".")[2] for line in files[path].imports}
        for method in focal.methods:
            written = [one.type for one in method.parameters] + [method.returns or ""]
            names |= {word for text in written for word in re.findall(r"\b[A-Z]\w*", text)}
        names &= set(self._members.names)
        text = "void a() { " + " ".join(f"{name} x;" for name in sorted(names)) + " }"
        found = self._needs.of(text).lines
        added = (Import(one.name, one.static, False, Span(0, 0)) for one in found)
        imports = (*scope.imports, *added)
        for name in sorted(names):
            meant = self._members.named(name, scope.path, scope.package, imports)
            if meant is not None:
                yield name, meant

    def _key(self, one: Declared) -> str:
        key = _key(one)
        if key not in self._seen:
            self._seen.add(key)
            self._left.append(one)
        return key

    def _kind(self, one: Declared) -> Kind:
        key = _key(one)
        if key not in self._kinds:
            self._kinds[key] = self._told(one)
        return self._kinds[key]

    def _told(self, one: Declared) -> Kind:
        methods: dict[str, tuple[Signature, ...]] = {}
        inside = self._scope.path
        for where in one.all_methods(inside=inside):
            name, signature = where.method.name, self._signature(where.path, where.method)
            methods[name] = with_inherited(methods.get(name, ()), (signature,))
        for field in one.components:
            accessor = Signature((), self._type(one.fields[field.name].type, one.path))
            methods.setdefault(field.name, (accessor,))
        enum = any(kind.kind == "enum" for _, _, kind in one.chain)
        if enum:
            given = {
                "values": Signature((), f"{_key(one)}[]", static=True),
                "valueOf": Signature(("String",), _key(one), static=True),
            }
            for name, signature in given.items():
                methods[name] = (*methods.get(name, ()), signature)
        seen_here = {
            name: each
            for name, each in one.fields.items()
            if each.path == inside or not each.private
        }
        fields = {name: self._type(each.type, each.path) for name, each in seen_here.items()}
        constants = {name for name, each in seen_here.items() if each.static}
        above = {self._key(parent) for parent in self._above(one)}
        seen = one.as_written
        outside = [Outside(one.path, name) for name in ("Object", *["Enum"] * enum)]
        for path, name in (*outside, *one.outside):
            parent = self._library_kind(name, path)
            seen &= parent is not None
            above |= {name, *(parent.above if parent else ())}
            fields = {**(parent.fields if parent else {}), **fields}
            constants |= parent.constants if parent else set()
            for method, signatures in parent.inherited() if parent else ():
                methods[method] = with_inherited(methods.get(method, ()), signatures)
        inner: dict[str, str] = {}
        for path, facts, kind in one.chain:
            for each in facts.types:
                if each.name == f"{kind.name}.{each.simple_name}":
                    found = self._members.of(path, each.name)
                    if found is not None:
                        inner.setdefault(each.simple_name, self._key(found))
        if one.path == self._scope.path:
            methods = {**_PROTECTED, **methods}
        return Kind(
            methods,
            fields,
            inner,
            self._constructors(one),
            frozenset(above),
            abstract="abstract" in one.type.modifiers
            or one.type.kind in ("interface", "annotation"),
            enum=enum,
            open=not seen,
            constants=frozenset(constants),
        )

    def _library_kind(self, name: str, path: str) -> Kind | None:
        """What a simple name of no type of the project means in a file, if that is known whole."""
        if self._javas(name, path):
            return java_kind(name)
        facts = self._snapshot.files.get(path)
        imports = [one for one in facts.imports if not one.static] if facts else []
        named = {one.name for one in imports if one.wildcard or one.name.endswith(f".{name}")}
        whole = name == "TestCase" and named & {TEST_CASE, TEST_CASE.rpartition(".")[0]}
        return _test_case() if whole else None

    def _above(self, one: Declared) -> Iterable[Declared]:
        for path, _, kind in one.chain[1:]:
            found = self._members.of(path, kind.name)
            if found is not None:
                yield found

    def _constructors(self, one: Declared) -> tuple[Signature, ...] | None:
        if one.generated_constructors:
            return None
        found = one.constructors(inside=self._scope.path)
        made = [] if found is None else [self._signature(w.path, w.method) for w in found]
        if one.type.kind == "record":
            components = tuple(self._type(field.type, one.path) for field in one.components)
            return with_inherited(tuple(made), (Signature(components),))
        if found is None:
            made.append(Signature(()))
        return tuple(made)

    def _signature(self, path: str, method: Method) -> Signature:
        return Signature(
            tuple(self._type(one.type, path) for one in method.parameters),
            self._type(method.returns or "", path),
            "static" in method.modifiers,
        )

    def _type(self, written: str, path: str) -> str:
        """A type as ``Signature`` tells it."""
        asked = written, path
        if asked not in self._types:
            self._types[asked] = self._found(written, path)
        return self._types[asked]

    def _found(self, written: str, path: str) -> str:
        simple = simple_type(written)
        plain = simple.rstrip(".[]")
        rest = simple[len(plain) :]
        if plain in PRIMITIVES:
            return simple
        full = re.sub(r"<.*>|\s|\[\]|\.\.\.", "", written, flags=re.DOTALL)
        meant = self._members.seen_from(full, path)
        if meant is not None:
            return self._key(meant) + rest
        javas = full == java_name(plain) if "." in full else self._javas(plain, path)
        return simple if javas else rest if rest == "..." else ""

    def _javas(self, name: str, path: str) -> bool:
        """Whether a simple name means a type of Java's library in a file."""
        full = java_name(name)
        facts = self._snapshot.files.get(path)
        imports = facts.imports if facts else ()
        own = _imported(name, imports)
        if not full or own:
            return own == full != ""
        if name in self._members.names:
            return False
        if path == self._scope.path:  # what the focal file imports, its tests will import
            if meant := _imported(name, self._imports_of_focal):
                return meant == full
            if self._usual.get(name) == full:
                return True
        package = full.rpartition(".")[0]
        around = {line.name for line in imports if line.wildcard and not line.static}
        return package == "java.lang" or package in around


def _imported(name: str, imports: Iterable[Import]) -> str:
    """The full name that a file imports for a simple one; nothing where it imports none."""
    found = (one.name for one in imports if not one.wildcard)
    return next((one for one in found if one.endswith(f".{name}")), "")


@cache
def _signatures(holder: str) -> dict[str, tuple[Signature, ...]]:
    """JUnit's assertions in a class, by name."""
    return {
        name: tuple(Signature(parameters, static=True) for parameters in told)
        for name, told in ASSERTIONS[holder].items()
    }


@cache
def _test_case() -> Kind:
    """What JUnit 3's tests inherit."""
    own = {
        name: tuple(Signature(parameters, returns) for parameters, returns in told)
        for name, told in TEST_CASE_METHODS.items()
    }
    above = frozenset({"Object", "Assert", "Test"})
    return Kind({**_signatures(TEST_CASE), **own}, {}, {}, None, above, abstract=True)


def _key(one: Declared) -> str:
    return f"{one.path}#{one.type.name}"
