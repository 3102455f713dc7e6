"""Focal-method/test pairs: which method of the project does a test test?

``indexer/rules.py`` holds the rules; ``mode="methods2test"`` keeps the two published ones of
Tufano et al. (2022) for comparison. Pairs are kept for each test file with the names that its
rules asked for, and found again only where an answer can have changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from indexer.facts import FileFacts, Method
from indexer.project import (
    ByName,
    Class,
    Project,
    Where,
    classes_of,
    find_tests,
    in_test_root,
    is_test,
    module_of,
)
from indexer.rules import RULES, Match
from indexer.views import views

__all__ = [
    "MODES",
    "Mode",
    "Pair",
    "Pairing",
    "TestMethod",
    "Where",
    "find_pairs",
    "find_tests",
    "in_test_root",
    "is_test",
    "module_of",
]

Mode = Literal["rules", "methods2test"]
MODES: tuple[Mode, ...] = ("rules", "methods2test")

TestMethod = Where


@dataclass(frozen=True, slots=True)
class Pair:
    """One test and the method that it tests."""

    test: Where
    focal: Where
    rule: str
    """Name of the rule that matched the method."""
    confidence: float
    """Share of such matches that are right, between 0 and 1."""

    @property
    def focal_class(self) -> str:
        """The unit of every split: file and class, so that no class lies on two sides."""
        return f"{self.focal.path}#{self.focal.method.owner}"

    @property
    def digest(self) -> str:
        """Changes when the code of either side changes; not with white space, comments, moves."""
        return f"{self.focal.method.digest}-{self.test.method.digest}"


def find_pairs(files: Mapping[str, FileFacts], mode: Mode = "rules") -> tuple[Pair, ...]:
    """All pairs of a project, in the order of its files.

    Args:
        files: Facts by path.
        mode: ``rules``, or ``methods2test`` for the published heuristics.
    """
    if mode == "methods2test":
        return tuple(_methods2test(files))
    return Pairing.of(files).pairs


# ---------------------------------------------------------------- our rules, incremental


@dataclass(frozen=True, slots=True)
class _Found:
    """The pairs of one test file."""

    pairs: tuple[Pair, ...]
    asked: frozenset[str]
    """Names on which they depend, as in ``Project.asked``."""
    focal: frozenset[str]
    """Paths of the focal methods."""

    @classmethod
    def of(cls, pairs: Iterable[Pair], asked: Iterable[str]) -> _Found:
        found = tuple(pairs)
        return cls(found, frozenset(asked), frozenset(pair.focal.path for pair in found))


@dataclass(frozen=True)
class Pairing:
    """The pairs of a project at one moment, and what is needed to follow a change."""

    files: Mapping[str, FileFacts]
    _classes: Mapping[str, list[Class]] = field(repr=False)
    """Types by path."""
    _names: tuple[ByName, ByName] = field(repr=False)
    """Types by their own simple name, and by that of each parent."""
    _found: Mapping[str, _Found] = field(repr=False)
    """By path, of files with tests."""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(p for path in sorted(self._found) for p in self._found[path].pairs)

    @classmethod
    def of(cls, files: Mapping[str, FileFacts], before: Pairing | None = None) -> Pairing:
        """The pairs of these files.

        Args:
            files: Facts by path.
            before: An earlier state of the project; what it shares with ``files`` is kept.
        """
        old = before or Pairing({}, {}, ({}, {}), {})
        changed = {path for path, facts in files.items() if old.files.get(path) is not facts}
        touched = changed | (old.files.keys() - files.keys())
        if not touched:
            return old
        classes = _classes(files, changed, touched, old._classes)
        names = _names(old._names, old._classes, classes, touched)
        stale = {"=" + path for path in touched}
        for path in touched:
            was, now = old.files.get(path), files.get(path)
            if was is None or now is None or _outline(was) != _outline(now):
                for one in (*old._classes.get(path, ()), *classes.get(path, ())):
                    stale |= {one.name, *("<" + parent for parent in one.parents)}
        kept: dict[str, _Found] = {}
        again = set(changed)
        for path, one in old._found.items():
            if path in touched:
                continue
            if not stale.isdisjoint(one.asked):
                again.add(path)
            elif changed.isdisjoint(one.focal):
                kept[path] = one
            else:
                kept[path] = _moved(one, old.files, files, changed)
        project = Project(files, *names)
        for path in sorted(again):
            project.asked = set()
            pairs = tuple(_pairs_of(project, path, files[path]))
            if project.asked:
                kept[path] = _Found.of(pairs, project.asked)
        return Pairing(files, classes, names, kept)

    def saved(self, digest: str) -> bytes:
        """These pairs for ``restored``; methods by their places in their files."""
        places = {
            path: {id(m): place for place, m in enumerate(facts.methods)}
            for path, facts in self.files.items()
        }
        found: dict[str, _SavedFile] = {
            path: (
                [
                    (
                        places[path][id(p.test.method)],
                        p.focal.path,
                        places[p.focal.path][id(p.focal.method)],
                        p.rule,
                        p.confidence,
                    )
                    for p in one.pairs
                ],
                sorted(one.asked),
            )
            for path, one in self._found.items()
        }
        return _encode(_Saved(_RULES_VERSION, digest, found))

    @classmethod
    def restored(cls, files: Mapping[str, FileFacts], saved: bytes, digest: str) -> Pairing | None:
        """What ``saved`` kept; None where it is of other files or other rules."""
        try:
            kept = _decode(saved)
            if (kept.rules, kept.digest) != (_RULES_VERSION, digest):
                return None
            found = {
                path: _Found.of(
                    (
                        Pair(
                            Where(path, files[path].methods[test]),
                            Where(there, files[there].methods[focal]),
                            rule,
                            confidence,
                        )
                        for test, there, focal, rule, confidence in pairs
                    ),
                    asked,
                )
                for path, (pairs, asked) in kept.found.items()
            }
        except (msgspec.MsgspecError, LookupError):  # it is of other facts
            return None
        classes = _classes(files, files, (), {})
        return Pairing(files, classes, _names(({}, {}), {}, classes, set(files)), found)


_RULES_VERSION = 7
"""Raised with every change of the rules: pairs that were kept are then found again."""

_SavedFile = tuple[list[tuple[int, str, int, str, float]], list[str]]


class _Saved(msgspec.Struct):
    """Pairs as the store keeps them."""

    rules: int
    digest: str
    found: dict[str, _SavedFile]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Saved).decode


def _classes(
    files: Mapping[str, FileFacts],
    changed: Iterable[str],
    touched: Iterable[str],
    old: Mapping[str, list[Class]],
) -> dict[str, list[Class]]:
    classes = dict(old)
    for path in touched:
        classes.pop(path, None)
    for path in changed:
        classes[path] = classes_of(path, files[path])
    return classes


def _names(
    before: tuple[ByName, ByName],
    old: Mapping[str, list[Class]],
    new: Mapping[str, list[Class]],
    touched: set[str],
) -> tuple[ByName, ByName]:
    """The types by name, and by parent, in the order of their paths."""
    gone = [one for path in touched for one in old.get(path, ())]
    come = [one for path in sorted(touched) for one in new.get(path, ())]
    named: dict[str, list[Class]] = defaultdict(list)
    children: dict[str, list[Class]] = defaultdict(list)
    for one in come:
        named[one.name].append(one)
        for parent in one.parents:
            children[parent].append(one)
    return (
        _patched(before[0], {one.name for one in gone}, named, touched),
        _patched(before[1], {name for one in gone for name in one.parents}, children, touched),
    )


def _patched(
    before: ByName, gone: set[str], come: Mapping[str, list[Class]], touched: set[str]
) -> ByName:
    after = dict(before)
    for name in gone | come.keys():
        left = [one for one in before.get(name, ()) if one.path not in touched]
        # Sorting is stable: types of one file stay in the order of its text.
        after[name] = tuple(sorted(left + come.get(name, []), key=lambda one: one.path))
    return after


def _outline(facts: FileFacts) -> object:
    """What the rules can see of a file from another file; a body is no part of it."""
    return (
        facts.package,
        [(line.name, line.static, line.wildcard) for line in facts.imports],
        [
            (t.name, t.kind, t.modifiers, t.annotations, t.extends, t.implements)
            for t in facts.types
        ],
        [(f.owner, f.name, f.type) for f in facts.fields],
        [(m.key, m.returns, m.modifiers, m.annotations, m.body is None) for m in facts.methods],
    )


def _moved(
    one: _Found,
    old: Mapping[str, FileFacts],
    new: Mapping[str, FileFacts],
    changed: set[str],
) -> _Found:
    """The same pairs with the focal methods as they now stand in files of the same outline."""
    pairs = []
    for pair in one.pairs:
        path, method = pair.focal.path, pair.focal.method
        if path in changed:
            place = next(i for i, m in enumerate(old[path].methods) if m is method)
            method = new[path].methods[place]
        pairs.append(Pair(pair.test, Where(path, method), pair.rule, pair.confidence))
    return _Found.of(pairs, one.asked)


def _pairs_of(project: Project, path: str, facts: FileFacts) -> Iterator[Pair]:
    for view in views(project, path, facts):
        if not view.own:  # it is empty, or nearly so: it tests nothing
            continue
        match = next((m for rule in RULES if (m := rule(view)) is not None), None)
        if match is not None:
            owner, method = _with_body(project, match)
            yield Pair(view.test, Where(owner.path, method), match.rule, match.confidence)


def _with_body(project: Project, match: Match) -> tuple[Class, Method]:
    """An abstract method's only implementation: the code that the test runs."""
    if match.method.body is None:
        return project.implementation(match.owner, match.method) or (match.owner, match.method)
    return match.owner, match.method


# ---------------------------------------------------------------- the published rules


def _methods2test(files: Mapping[str, FileFacts]) -> Iterator[Pair]:
    """Methods2Test as its authors' scripts do it.

    A file with ``@Test`` tests the file at the same path without ``test`` in it and with
    ``src/main`` for ``src/test``; a test case tests the first method of the same name without
    ``test``, else the only focal method that it invokes. Case never matters; only top-level
    classes are read; constructors count as methods, by their names.
    """
    tests = {path for path, facts in files.items() if any(map(_test_case, facts.methods))}
    focal = {p.lower(): p for p in sorted(files) if p not in tests and "src/test" not in p}
    for path in sorted(tests):
        mirrored = f"/{path}".lower().replace("/src/test/", "/src/main/").replace("test", "")[1:]
        if mirrored in focal:
            there = focal[mirrored]
            candidates = [m for m in _top_level(files[there]) if not _test_case(m)]
            for test in filter(_test_case, _top_level(files[path])):
                yield from _published(Where(path, test), there, candidates)


def _published(test: Where, path: str, candidates: list[Method]) -> Iterator[Pair]:
    named: dict[str, Method] = {}
    for method in candidates:
        named.setdefault(method.name.lower(), method)
    bare = test.method.name.lower().replace("test", "")
    if bare in named:
        yield Pair(test, Where(path, named[bare]), "name", 1.0)
        return
    invoked = {
        c.name.lower() for c in test.method.calls if not c.constructor and not c.reference
    }.intersection(named)
    if len(invoked) == 1:
        yield Pair(test, Where(path, named[invoked.pop()]), "unique-call", 1.0)


def _test_case(method: Method) -> bool:
    return any(mark.startswith("Test") for mark in method.annotations)


def _top_level(facts: FileFacts) -> Iterable[Method]:
    classes = {t.name for t in facts.types if t.kind == "class" and "." not in t.name}
    return [m for m in facts.methods if m.owner in classes]
