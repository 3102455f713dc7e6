"""What a rule sees of one test: the methods it may test, its calls, its names."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from indexer.facts import Call, FileFacts, Inside, Method, Parameter, simple_type
from indexer.names import EXACT_NAMES, Spoken, bare_name, class_names
from indexer.project import Class, Project, Where, find_tests

__all__ = ["Candidate", "View", "on_mock", "views"]

Candidate = tuple[Class, Method]


@dataclass(frozen=True, slots=True)
class View:
    """One test with what the rules may look at."""

    test: Where
    facts: FileFacts
    project: Project
    focal: tuple[Class, ...]
    """The class that the test class is named after with its parents; may be empty."""
    exact: bool
    """Whether the test class bears just the name of the focal class."""
    methods: tuple[Candidate, ...]
    """Methods of ``focal`` but private ones, the nearest class first; then of nested types."""
    named: Mapping[str, list[Candidate]]
    """``methods`` by name, without constructors."""
    spoken: Spoken
    """The names in ``named`` as tests say them."""
    calls: tuple[Call, ...]
    """Calls of the test, then one level of the test class's own helpers in place."""
    own: frozenset[str]
    """Names of what the test calls itself, not by a helper."""
    types: Mapping[str, str]
    """Simple type by variable: fields of the test class, parameters and local variables; of a
    ``var`` a ``?`` and the call that gave it."""
    names: tuple[str, ...]
    """The test's name without affixes; then the name of its @Nested class."""
    called: Mapping[str, list[Call]]
    """``calls`` by name."""
    family: frozenset[str]
    """Names of ``focal``."""
    known: dict[tuple[str, int], str | None]
    """What ``type_of`` has found so far, by text and depth: it does not matter what came first."""
    meant: dict[tuple[str, str, bool], list[Call]]
    """What ``calls_of`` has found so far, by type, method name, and constructor or not."""

    def is_integration(self) -> bool:
        """Whether the test says that it is of several classes."""
        package = f"{self.facts.package}.{self.test.method.owner}"
        return re.search(r"(?:integration|functional|e2e|IT\b|ITCase\b)", package) is not None or (
            "Integration" in package
        )


_MOCKS = frozenset({"when", "mock", "spy", "verify", "given", "doReturn", "doThrow", "doNothing"})
_CHAIN = re.compile(r"\s*(\w+)\s*\(")


def on_mock(call: Call) -> bool:
    if call.receiver is None or "(" not in call.receiver:
        return False
    head = _CHAIN.match(call.receiver)
    return head is not None and head[1] in _MOCKS


_STUBBING = frozenset({"when", "given"})


def _without_stubs(calls: Sequence[Call]) -> Sequence[Call]:
    """Calls but those that only name what a stand-in answers: ``when(rates.rate()).then…``."""
    stubbing = [call for call in calls if call.name in _STUBBING and len(call.arguments) == 1]
    if not stubbing:
        return calls
    starts = [call.start for call in calls]
    answered = {call.start for call in calls if call.name.startswith(("then", "will"))}
    stubs = {
        starts[bisect_right(starts, call.start)]
        for call in stubbing
        if call.start in answered and call.arguments[0].endswith(")")
    }
    return [call for call in calls if call.start not in stubs]


def views(project: Project, path: str, facts: FileFacts) -> Iterator[View]:
    """A view of each test of a file."""
    by_owner: dict[str, _TestClass] = {}
    for test in find_tests(path, facts):
        owner = test.method.owner
        if owner not in by_owner:
            by_owner[owner] = _TestClass(project, path, facts, owner)
        yield by_owner[owner].view(test)


class _TestClass:
    """What the tests of one class share."""

    def __init__(self, project: Project, path: str, facts: FileFacts, owner: str) -> None:
        self.project, self.path, self.facts = project, path, facts
        self.focal, self.exact = _focal_chain(project, path, facts, owner)
        nested = project.nested_in(self.focal[0]) if self.focal else []
        chain = (*self.focal, *nested)
        self.methods = tuple(
            (c, m) for c in chain for m in c.methods if m.name and "private" not in m.modifiers
        )
        self.named: dict[str, list[Candidate]] = defaultdict(list)
        for owner_of, method in self.methods:
            if not method.constructor:
                self.named[method.name].append((owner_of, method))
        self.spoken = Spoken(self.named)
        self.family = frozenset(c.name for c in self.focal)
        self.fields: dict[str, str] = {}
        self.helpers: dict[str, list[Method]] = defaultdict(list)
        self.inside: dict[tuple[str, int], Inside] = {}
        """What stands in the helpers that were called so far, by name and number of arguments."""
        self.names = tuple(bare_name(part) for part in owner.split(".")[:0:-1])
        own = [c for c in project.all(owner.rpartition(".")[2]) if c.path == path]
        for one in project.with_parents(own[0], helpers=True) if own else ():
            for field in project.files[one.path].fields:
                if one.path == path or field.owner == one.type.name:
                    self.fields.setdefault(field.name, simple_type(field.type))
            for method in project.bodies_of(one):
                self.helpers[method.name].append(method)
        for method in facts.methods:
            self.helpers[method.name].append(method)

    def view(self, test: Where) -> View:
        own = test.method
        types = self.fields | {p.name: simple_type(p.type) for p in own.parameters}
        body = own.unpacked()
        types |= {p.name: _shown(p.type) for p in body.locals}
        calls: list[Call] = []
        own_calls = _without_stubs(body.calls)
        for call in own_calls:
            calls.append(call)
            if call.name in self.helpers and call.name != own.name and _own_helper(call):
                inside = self._inside(call)
                calls += [c.at(call.start) for c in inside.calls]
                types = {p.name: _shown(p.type) for p in inside.locals} | types
        called = defaultdict(list)
        for call in calls:
            called[call.name].append(call)
        return View(
            test=test,
            facts=self.facts,
            project=self.project,
            focal=tuple(self.focal),
            exact=self.exact,
            methods=self.methods,
            named=self.named,
            spoken=self.spoken,
            calls=tuple(calls),
            own=frozenset(call.name for call in own_calls),
            types=types,
            names=(bare_name(own.name), *self.names),
            called=called,
            family=self.family,
            known={},
            meant={},
        )

    def _inside(self, call: Call) -> Inside:
        """What stands in the helper that a test calls, and in overloads that it passes on to."""
        key = (call.name, len(call.arguments))
        if key not in self.inside:
            calls: list[Call] = []
            variables: list[Parameter] = []
            left = self.helpers[call.name]
            arities = [key[1]]
            for arity in arities:
                one = next((m for m in left if len(m.parameters) == arity), None)
                if one is None and not calls:
                    one = left[0]  # of variable arguments
                if one is not None:
                    body = one.unpacked()
                    calls += _without_stubs(body.calls)
                    variables += body.locals
                    further = {len(c.arguments) for c in body.calls if c.name == call.name}
                    arities += sorted(further.difference(arities))
            self.inside[key] = Inside(tuple(calls), tuple(variables))
        return self.inside[key]


def _own_helper(call: Call) -> bool:
    return call.receiver in (None, "this") and not call.constructor


def _shown(kind: str) -> str:
    return kind if kind.startswith("?") else simple_type(kind)


def _focal_chain(
    project: Project, path: str, facts: FileFacts, owner: str
) -> tuple[list[Class], bool]:
    parts = dict.fromkeys((owner.partition(".")[0], owner.rpartition(".")[2]))
    for part in parts:
        for position, name in enumerate(class_names(part)):
            loose = position >= EXACT_NAMES  # believed only where the class is at hand
            found = [
                c
                for c in project.by_distance(name, path)
                if not (loose or c.nested) or c.package == facts.package or _imports(facts, c)
            ]
            if found:
                return project.with_parents(found[0]), position == 0
    return [], False


def _imports(facts: FileFacts, one: Class) -> bool:
    """Whether a file imports a type or one that it is nested in."""
    name = f"{one.full_name}."
    return any(
        name.startswith(f"{line.name}.") and len(line.name) > len(one.package)
        for line in facts.imports
    )
