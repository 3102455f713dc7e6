"""What the wildcard imports of a file give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from indexer import Import, Snapshot
from indexer.facts import Type
from personalizer.engine.monitor.java_types import java_kind, java_name, java_packages
from personalizer.engine.monitor.kinds import Kind
from personalizer.generation.names.libraries import ASSERTIONS, TEST_PACKAGES

__all__ = ["Wildcards", "wildcards_of"]


@dataclass(frozen=True)
class Wildcards:
    """Simple names that wildcard imports give a file; None where not all of them are known."""

    types: frozenset[str] | None
    methods: frozenset[str] | None
    fields: frozenset[str] | None


def wildcards_of(snapshot: Snapshot, imports: Iterable[Import]) -> Wildcards:
    """What the wildcards among the imports of a file give it.

    Known are the types of the project's packages, which its index has, those of Java's packages
    that ``java.types`` tells, and the static members of both and of JUnit's assertions.
    """
    found = [_given(snapshot, line) for line in imports if line.wildcard]
    return Wildcards(
        _union(one.types for one in found),
        _union(one.methods for one in found),
        _union(one.fields for one in found),
    )


_NOTHING: frozenset[str] = frozenset()


def _given(snapshot: Snapshot, line: Import) -> Wildcards:
    name = line.name
    if not line.static:
        java = java_packages().get(name) or TEST_PACKAGES.get(name)
        inside = any(facts.package == name and facts.types for facts in snapshot.files.values())
        return Wildcards(java or (_NOTHING if inside else None), _NOTHING, _NOTHING)
    if name in ASSERTIONS:
        return Wildcards(_NOTHING, frozenset(ASSERTIONS[name]), _NOTHING)
    holder = name.rpartition(".")[2]
    kind = java_kind(holder) if java_name(holder) == name else None
    if kind is not None:
        fields = None if kind.enum else frozenset(kind.fields)
        return Wildcards(None, frozenset(kind.methods), fields)
    for facts in snapshot.files.values():
        for one in facts.types:
            above = _java_parents(snapshot, one)
            if f"{facts.package}.{one.name}" == name and above is not None:
                methods = {m.name for m in facts.methods if m.owner == one.name}
                named = {field.name for field in facts.fields if field.owner == one.name}
                methods = methods.union(*(kind.methods for kind in above))
                named = named.union(*(kind.fields for kind in above))
                seen = None if one.kind == "enum" else frozenset(named)
                return Wildcards(_NOTHING, frozenset(methods), seen)
    return Wildcards(None, None, None)


def _java_parents(snapshot: Snapshot, one: Type) -> list[Kind] | None:
    """What a type extends, where all of it is Java's."""
    kinds = [java_kind(parent) for parent in (*one.extends, *one.implements)]
    names = {kind.simple_name for facts in snapshot.files.values() for kind in facts.types}
    if None in kinds or not names.isdisjoint((*one.extends, *one.implements)):
        return None
    return [kind for kind in kinds if kind is not None]


def _union(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    found = list(sets)
    known = [one for one in found if one is not None]
    return _NOTHING.union(*known) if len(known) == len(found) else None
