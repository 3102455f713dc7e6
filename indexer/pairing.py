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
    Class,
    Project,
    Where,
    classes_of,
    find_tests,
    in_test_root,
    is_test,
    module_of,
)
from indexer.rules import RULES, Match, views

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


@dataclass(frozen=True)
class Pairing:
    """The pairs of a project at one moment, and what is needed to follow a change."""

    files: Mapping[str, FileFacts]
    _classes: Mapping[str, list[Class]] = field(repr=False)
    """Types by path."""
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
        old = before or Pairing({}, {}, {})
        changed = {path for path, facts in files.items() if old.files.get(path) is not facts}
        touched = changed | (old.files.keys() - files.keys())
        if not touched:
            return old
        classes = {path: one for path, one in old._classes.items() if path not in touched}
        classes |= {path: classes_of(path, files[path]) for path in changed}
        stale = {"=" + path for path in touched}
        for path in touched:
            was, now = old.files.get(path), files.get(path)
            if was is None or now is None or _outline(was) != _outline(now):
                for one in (*old._classes.get(path, ()), *classes.get(path, ())):
                    stale |= {one.name, *("<" + parent for parent in one.parents)}
        kept = {
            path: _moved(one, old.files, files, changed)
            for path, one in old._found.items()
            if path not in touched and stale.isdisjoint(one.asked)
        }
        project = _project(files, classes)
        for path in sorted(files.keys() - kept.keys()):
            if path in changed or path in old._found:
                project.asked = set()
                pairs = tuple(_pairs_of(project, path, files[path]))
                if project.asked:
                    kept[path] = _Found(pairs, frozenset(project.asked))
        return Pairing(files, classes, kept)

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
        except msgspec.MsgspecError:
            return None
        if (kept.rules, kept.digest) != (_RULES_VERSION, digest):
            return None
        found = {
            path: _Found(
                tuple(
                    Pair(
                        Where(path, files[path].methods[test]),
                        Where(there, files[there].methods[focal]),
                        rule,
                        confidence,
                    )
                    for test, there, focal, rule, confidence in pairs
                ),
                frozenset(asked),
            )
            for path, (pairs, asked) in kept.found.items()
        }
        return Pairing(files, {path: classes_of(path, one) for path, one in files.items()}, found)


_RULES_VERSION = 1
"""Raised with every change of the rules: pairs that were kept are then found again."""

_SavedFile = tuple[list[tuple[int, str, int, str, float]], list[str]]


class _Saved(msgspec.Struct):
    """Pairs as the store keeps them."""

    rules: int
    digest: str
    found: dict[str, _SavedFile]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Saved).decode


def _project(files: Mapping[str, FileFacts], classes: Mapping[str, list[Class]]) -> Project:
    named: dict[str, list[Class]] = defaultdict(list)
    children: dict[str, list[Class]] = defaultdict(list)
    for path in sorted(classes):
        for one in classes[path]:
            named[one.name].append(one)
            for parent in one.parents:
                children[parent].append(one)
    return Project(
        files,
        {name: tuple(found) for name, found in named.items()},
        {name: tuple(found) for name, found in children.items()},
    )


def _outline(facts: FileFacts) -> object:
    """What the rules can see of a file from another file; a body is no part of it."""
    return (
        facts.package,
        [line.name for line in facts.imports],
        [(t.name, t.kind, t.modifiers, t.extends, t.implements) for t in facts.types],
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
    if not any(pair.focal.path in changed for pair in one.pairs):
        return one
    pairs = []
    for pair in one.pairs:
        path, method = pair.focal.path, pair.focal.method
        if path in changed:
            place = next(i for i, m in enumerate(old[path].methods) if m is method)
            method = new[path].methods[place]
        pairs.append(Pair(pair.test, Where(path, method), pair.rule, pair.confidence))
    return _Found(tuple(pairs), one.asked)


def _pairs_of(project: Project, path: str, facts: FileFacts) -> Iterator[Pair]:
    for view in views(project, path, facts):
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
