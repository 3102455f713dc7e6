"""Focal-method/test pairs: which method of the project does a test test?

Rules are tried in order and the first that answers wins; each names itself and its confidence.
``mode="methods2test"`` keeps the two published rules of Tufano et al. (2022) for comparison.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from indexer.facts import Call, FileFacts, Method, Type, simple_type
from indexer.languages.java import TEST_ANNOTATIONS

__all__ = ["MODES", "Mode", "Pair", "TestMethod", "Where", "find_pairs", "find_tests", "is_test"]

Mode = Literal["rules", "methods2test"]
MODES: tuple[Mode, ...] = ("rules", "methods2test")


@dataclass(frozen=True, slots=True)
class Where:
    """A method and the file that it stands in."""

    path: str
    method: Method


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


# ---------------------------------------------------------------- tests

_TEST_CLASS = re.compile(
    r"^(?:Test|IT)(?=[A-Z])|(?:Tests?|TestCases?|ITCase|IT|Spec|UnitTests?|IntegrationTests?)$"
)


def is_test(method: Method, owner: Type | None) -> bool:
    """JUnit 3, 4, 5 and TestNG tests; life-cycle methods are none."""
    if TEST_ANNOTATIONS.intersection(method.annotations):
        return True
    if owner is None or method.constructor or "public" not in method.modifiers:
        return False
    if "Test" in owner.annotations:
        lifecycle = any(a.startswith(("Before", "After", "DataProvider")) for a in method.annotations)
        return method.returns == "void" and not lifecycle and "static" not in method.modifiers
    junit3 = any(parent.endswith(("TestCase", "TestSupport")) for parent in owner.extends)
    return junit3 and method.name.startswith("test") and not method.parameters


def find_tests(path: str, facts: FileFacts) -> Iterator[Where]:
    """The test methods of one file."""
    types = {t.name: t for t in facts.types}
    for method in facts.methods:
        if method.body and is_test(method, types.get(method.owner)):
            yield Where(path, method)


# ---------------------------------------------------------------- the project's classes


@dataclass(frozen=True, slots=True)
class _Class:
    path: str
    package: str
    type: Type
    methods: tuple[Method, ...]


class _Project:
    """Classes by simple name; test classes are kept out of the focal side."""

    def __init__(self, files: Mapping[str, FileFacts]) -> None:
        self.files = files
        self.classes: dict[str, list[_Class]] = defaultdict(list)
        self.helpers: dict[str, list[_Class]] = defaultdict(list)
        for path, facts in files.items():
            methods = defaultdict(list)
            for method in facts.methods:
                methods[method.owner].append(method)
            types = {t.name: t for t in facts.types}
            tests = {
                m.owner.partition(".")[0] for m in facts.methods if is_test(m, types.get(m.owner))
            }
            for kind in facts.types:
                one = _Class(path, facts.package, kind, tuple(methods[kind.name]))
                in_tests = kind.name.partition(".")[0] in tests or in_test_root(path)
                (self.helpers if in_tests else self.classes)[kind.simple_name].append(one)

    def nearest(self, name: str, path: str, facts: FileFacts) -> list[_Class]:
        """Classes of a simple name: the imported one, else same package, else same module first."""
        found = self.classes.get(name, [])
        if len(found) < 2:
            return found
        for line in facts.imports:
            if not line.static and not line.wildcard and line.name.rpartition(".")[2] == name:
                exact = [c for c in found if f"{c.package}.{c.type.name}" == line.name]
                if exact:
                    return exact[:1]
        module = module_of(path)

        def rank(one: _Class) -> tuple[bool, bool, int, str]:
            return (
                one.package != facts.package,
                module_of(one.path) != module,
                -_common_prefix(one.package, facts.package),
                one.path,
            )

        return sorted(found, key=rank)

    def with_parents(self, one: _Class, facts: FileFacts, depth: int = 4) -> list[_Class]:
        """A class and the project's classes that it inherits from, nearest first."""
        chain, names, seen = [one], list(one.type.extends + one.type.implements), {one.type.name}
        while names and depth:
            depth -= 1
            above: list[str] = []
            for name in names:
                if name in seen:
                    continue
                seen.add(name)
                for parent in self.nearest(name, one.path, self.files[one.path])[:1]:
                    chain.append(parent)
                    above += parent.type.extends + parent.type.implements
            names = above
        return chain


def in_test_root(path: str) -> bool:
    """Whether a path lies under a folder of tests."""
    parts = path.lower().split("/")[:-1]
    return any(p in ("test", "tests", "it", "androidtest") or p.endswith("test") for p in parts)


def module_of(path: str) -> str:
    """What stands before ``src/``, or before the first folder where there is none."""
    head, found, _ = path.partition("src/")
    return head if found else ""


def _common_prefix(left: str, right: str) -> int:
    count = 0
    for a, b in zip(left.split("."), right.split("."), strict=False):
        if a != b:
            break
        count += 1
    return count


# ---------------------------------------------------------------- focal classes of a test


def _class_names(test_class: str) -> list[str]:
    """Names that a test class may stand for, best first.

    Example:
        >>> _class_names("CartServiceImplIT")[:2]
        ['CartServiceImpl', 'CartService']
    """
    base = test_class
    for _ in range(2):
        base = _TEST_CLASS.sub("", base) or base
    names = [base]
    for suffix in ("Impl", "Abstract", "Base", "Default"):
        if base.endswith(suffix) and base != suffix:
            names.append(base.removesuffix(suffix))
        if base.startswith(suffix) and base != suffix:
            names.append(base.removeprefix(suffix))
    names += [base + "Impl", "Abstract" + base, "Default" + base, "I" + base]
    names += [base[:-1]] if base.endswith("s") else [base + "s"]
    words = _words(base)
    # FooBarBaz, FooBar, Foo: a test class for one aspect of a class.
    names += ["".join(words[:cut]) for cut in range(len(words) - 1, 0, -1)]
    return list(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class _View:
    """One test with what the rules may look at."""

    test: Where
    facts: FileFacts
    focal: tuple[_Class, ...]
    """The class that the test class is named after with its parents; may be empty."""
    methods: tuple[tuple[_Class, Method], ...]
    """Methods of ``focal``; the nearest class first."""
    calls: tuple[Call, ...]
    """Calls of the test, then one level of the test class's own helpers in place."""
    types: Mapping[str, str]
    """Simple type by variable: fields of the test class, parameters and local variables."""
    project: _Project


_Match = tuple[str, float, _Class, Method]
_Rule = Callable[[_View], "_Match | None"]


def _views(project: _Project, path: str, facts: FileFacts) -> Iterator[_View]:
    own = defaultdict(list)
    for method in facts.methods:
        own[method.name].append(method)
    by_owner: dict[str, tuple[_Class, ...]] = {}
    fields: dict[str, str] = {f.name: simple_type(f.type) for f in facts.fields}
    for test in find_tests(path, facts):
        owner = test.method.owner
        if owner not in by_owner:
            by_owner[owner] = tuple(_focal_chain(project, path, facts, owner))
        chain = by_owner[owner]
        types = fields | {p.name: simple_type(p.type) for p in test.method.parameters}
        types |= {p.name: simple_type(p.type) for p in test.method.locals}
        calls: list[Call] = []
        for call in test.method.calls:
            helpers = own.get(call.name, ()) if call.receiver in (None, "this") else ()
            inside = [h for h in helpers if not call.constructor and h is not test.method]
            calls.append(call)
            for helper in inside[:1]:
                calls += (_moved(c, call.start) for c in helper.calls)
                types = {p.name: simple_type(p.type) for p in helper.locals} | types
        yield _View(
            test,
            facts,
            chain,
            tuple((c, m) for c in chain for m in c.methods),
            tuple(calls),
            types,
            project,
        )


def _moved(call: Call, start: int) -> Call:
    return Call(call.name, call.receiver, call.arguments, call.constructor, start)


def _focal_chain(project: _Project, path: str, facts: FileFacts, owner: str) -> list[_Class]:
    names = [n for part in (owner.partition(".")[0], owner) for n in _class_names(_last(part))]
    for position, name in enumerate(dict.fromkeys(names)):
        found = project.nearest(name, path, facts)
        if position >= 4:  # loose variants only where the class is at hand
            found = [
                c
                for c in found
                if c.package == facts.package or _imports(facts, f"{c.package}.{c.type.name}")
            ]
        if found:
            return project.with_parents(found[0], facts)
    return []


def _imports(facts: FileFacts, name: str) -> bool:
    return any(line.name == name for line in facts.imports)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


# ---------------------------------------------------------------- the rules

_TEST_AFFIX = re.compile(r"^(?:test|should|check|verify|can|it|when|given)(?=[A-Z_0-9])_?|_?[tT]est$")
_ASSERT = re.compile(r"^(?:assert|verify|expect|fail|then|check|ensure|should|is[A-Z]|has[A-Z])")
_MOCKS = frozenset({"when", "mock", "spy", "verify", "given", "doReturn", "doThrow", "doNothing"})


def _words(name: str) -> list[str]:
    """Camel-case and underscore words: ``parseURLFast_2`` is parse, URL, Fast, 2."""
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)


def _bare(name: str) -> str:
    return _TEST_AFFIX.sub("", name) or name


def _same(left: str, right: str) -> bool:
    return left.lower().replace("_", "") == right.lower().replace("_", "")


def _called(view: _View, owner: _Class, method: Method) -> list[Call]:
    """Calls in the test that may be calls of this method, judged by name and receiver type."""
    if method.constructor:
        return [c for c in view.calls if c.constructor and c.name == owner.type.simple_name]
    names = {c.type.simple_name for c in view.focal} | {owner.type.simple_name}
    found = []
    for call in view.calls:
        if call.constructor or call.name != method.name:
            continue
        receiver = call.receiver or ""
        known = view.types.get(receiver.removeprefix("this."))
        if known is not None and known not in names and known != "?" and len(known) > 1:
            # Another type of the project that is no relative: not this method.
            if view.project.classes.get(known) and not _related(view, known, names):
                continue
        found.append(call)
    return found


def _related(view: _View, name: str, names: set[str]) -> bool:
    for one in view.project.classes.get(name, [])[:3]:
        parents = {*one.type.extends, *one.type.implements}
        if parents & names:
            return True
    return any(name in c.type.extends + c.type.implements for c in view.focal)


def _overload(view: _View, named: list[tuple[_Class, Method]]) -> tuple[_Class, Method]:
    """The overload that the test calls: by arity, then by the argument types the text shows."""
    if len(named) == 1:
        return named[0]

    def score(candidate: tuple[_Class, Method]) -> float:
        owner, method = candidate
        best = -1.0
        for call in _called(view, owner, method):
            best = max(best, _fits(call, method))
        return best

    return max(named, key=score)


def _fits(call: Call, method: Method) -> float:
    """How well a call's arguments fit a method's parameters; -1 for another arity."""
    wanted = [p.simple_type for p in method.parameters]
    given = list(call.arguments)
    varargs = bool(wanted) and wanted[-1].endswith("...")
    if varargs:
        last = wanted.pop().removesuffix("...")
        wanted += [last] * max(0, len(given) - len(wanted))
    if len(wanted) != len(given):
        return -1.0
    score = 0.5 if varargs else 1.0
    for have, want in zip(given, wanted, strict=True):
        if have == want:
            score += 1.0
        elif have == "null":
            score += -0.5 if want in _PRIMITIVES else 0.2
        elif have == "->":
            score += 0.5 if want not in _PRIMITIVES and want != "String" else -1.0
        elif have != "?" and want in _WIDER.get(have, ()):
            score += 0.5
        elif have != "?" and (have in _PRIMITIVES or want in _PRIMITIVES or have == "String"):
            score -= 1.0
    return score


_PRIMITIVES = frozenset({"int", "long", "short", "byte", "char", "boolean", "float", "double"})
_WIDER = {
    "int": ("long", "Integer", "double", "float", "short", "byte", "Object", "Number", "T"),
    "long": ("Long", "double", "Object", "Number", "T"),
    "double": ("Double", "Object", "Number", "T"),
    "float": ("double", "Float", "Object", "Number", "T"),
    "char": ("int", "Character", "Object", "T"),
    "boolean": ("Boolean", "Object", "T"),
    "String": ("CharSequence", "Object", "T", "Comparable"),
    "Class": ("Type", "Object", "T"),
}


def _by_name(view: _View, fits: Callable[[Method], int]) -> tuple[_Class, Method, bool] | None:
    """The called method with the longest fit; an uncalled one only where none is called."""
    ranked: dict[tuple[bool, int, str], list[tuple[_Class, Method]]] = defaultdict(list)
    for owner, method in view.methods:
        length = fits(method)
        if length and "private" not in method.modifiers:
            called = bool(_called(view, owner, method))
            ranked[called, length, method.name].append((owner, method))
    if not ranked:
        return None
    best = max(ranked)
    owner, method = _overload(view, ranked[best])
    return owner, method, best[0]


def _name_exact(view: _View) -> _Match | None:
    bare = _bare(view.test.method.name)
    found = _by_name(view, lambda m: 0 if m.constructor else int(_same(m.name, bare)))
    if found is None:
        return None
    owner, method, called = found
    return "name-exact", 0.98 if called else 0.9, owner, method


def _name_prefix(view: _View) -> _Match | None:
    words = [w.lower() for w in _words(_bare(view.test.method.name))]

    def length(method: Method) -> int:
        mine = [] if method.constructor else [w.lower() for w in _words(method.name)]
        return len("".join(mine)) if mine and words[: len(mine)] == mine else 0

    found = _by_name(view, length)
    if found is None or not found[2]:
        return None
    return "name-prefix", 0.95, found[0], found[1]


def _name_inside(view: _View) -> _Match | None:
    """The method's whole name stands somewhere in the test's name, and the test calls it."""
    words = [w.lower() for w in _words(view.test.method.name)]

    def length(method: Method) -> int:
        mine = [] if method.constructor else [w.lower() for w in _words(method.name)]
        spots = range(len(words) - len(mine) + 1) if mine else ()
        hit = any(words[i : i + len(mine)] == mine for i in spots)
        return len("".join(mine)) if hit else 0

    found = _by_name(view, length)
    if found is None or not found[2]:
        return None
    return "name-inside", 0.9, found[0], found[1]


def _constructor(view: _View) -> _Match | None:
    name = view.test.method.name.lower()
    if not any(word in name for word in ("constructor", "ctor", "instantiat")):
        return None
    named = [(o, m) for o, m in view.methods if m.constructor and _called(view, o, m)]
    if not named:
        return None
    owner, method = _overload(view, named)
    return "constructor", 0.9, owner, method


def _candidates(view: _View) -> dict[str, list[tuple[_Class, Method]]]:
    """Focal methods that the test calls, by name."""
    found = defaultdict(list)
    for owner, method in view.methods:
        if not method.constructor and _called(view, owner, method):
            found[method.name].append((owner, method))
    return found


def _single_call(view: _View) -> _Match | None:
    called = _candidates(view)
    if len(called) != 1:
        return None
    owner, method = _overload(view, next(iter(called.values())))
    return "single-call", 0.88, owner, method


def _trivial(method: Method) -> bool:
    """Getters, setters, factories and builders: what a test uses rather than tests."""
    if re.match(r"(?:get|is|has|set|with|of|builder|build|create|newInstance|toString)", method.name):
        return len(method.calls) < 2
    return False


def _last_before_assert(view: _View) -> _Match | None:
    called = _candidates(view)
    if not called:
        return None
    mocked = {
        c.receiver.partition("(")[0] for c in view.calls if c.receiver and "(" in c.receiver
    } & _MOCKS
    stop = next(
        (c.start for c in view.calls if _ASSERT.match(c.name) and c.name not in _MOCKS), None
    )
    ranked = []
    for group in called.values():
        owner, method = _overload(view, group)
        spots = [c for c in _called(view, owner, method) if not _on_mock(c)]
        before = [c.start for c in spots if stop is None or c.start < stop]
        if spots:
            place = max(before) if before else -min(c.start for c in spots)
            ranked.append((not _trivial(method), bool(before), place, owner, method))
    if not ranked:
        return None
    best = max(ranked, key=lambda r: r[:3])
    alone = sum(1 for r in ranked if r[0]) == 1
    return "last-call-before-assert", (0.78 if alone else 0.66) - 0.1 * bool(mocked), *best[3:]


def _on_mock(call: Call) -> bool:
    return bool(call.receiver) and (call.receiver or "").partition("(")[0] in _MOCKS


def _only_constructed(view: _View) -> _Match | None:
    named = [(o, m) for o, m in view.methods if m.constructor and _called(view, o, m)]
    if not named or _candidates(view):
        return None
    owner, method = _overload(view, named)
    return "constructor", 0.7, owner, method


def _other_class(view: _View) -> _Match | None:
    """No class bears the test class's name: the only project method that the test calls."""
    if view.focal:
        return None
    bare = _bare(view.test.method.name)
    found: dict[str, tuple[_Class, Method]] = {}
    for call in view.calls:
        kind = view.types.get(call.receiver or "", call.receiver or "")
        for one in view.project.nearest(kind, view.test.path, view.facts)[:1]:
            for method in one.methods:
                if method.name == call.name and _fits(call, method) >= 0:
                    found.setdefault(f"{one.path}#{method.name}", (one, method))
    exact = [f for f in found.values() if bare.lower().startswith(f[1].name.lower())]
    if len(exact) == 1 or len(found) == 1:
        owner, method = exact[0] if len(exact) == 1 else next(iter(found.values()))
        return "other-class", 0.8 if exact else 0.65, owner, method
    return None


_RULES: tuple[_Rule, ...] = (
    _name_exact,
    _constructor,
    _name_prefix,
    _name_inside,
    _single_call,
    _last_before_assert,
    _only_constructed,
    _other_class,
)


def _m2t_name(view: _View) -> _Match | None:
    bare = re.sub(r"^[tT]est_?|_?[tT]est$", "", view.test.method.name)
    named = [(o, m) for o, m in view.methods if not m.constructor and m.name.lower() == bare.lower()]
    return ("name", 1.0, *named[0]) if named else None


def _m2t_unique_call(view: _View) -> _Match | None:
    called = {c.name for c in view.test.method.calls if not c.constructor}
    named = [(o, m) for o, m in view.methods if not m.constructor and m.name in called]
    return ("unique-call", 1.0, *named[0]) if len({m.name for _, m in named}) == 1 else None


def _methods2test_class(project: _Project, path: str, facts: FileFacts, owner: str) -> list[_Class]:
    name = re.sub(r"^Tests?|Tests?$", "", owner.partition(".")[0])
    same = [c for c in project.classes.get(name, []) if c.package == facts.package]
    return same[:1]


def find_pairs(files: Mapping[str, FileFacts], mode: Mode = "rules") -> tuple[Pair, ...]:
    """All pairs of a project, in the order of its files.

    Args:
        files: Facts by path.
        mode: ``rules``, or ``methods2test`` for the published heuristics.
    """
    project = _Project(files)
    pairs = []
    for path in sorted(files):
        pairs.extend(_pairs_of(project, path, files[path], mode))
    return tuple(pairs)


def _pairs_of(project: _Project, path: str, facts: FileFacts, mode: Mode) -> Iterable[Pair]:
    rules: tuple[_Rule, ...] = _RULES
    for view in _views(project, path, facts):
        if mode == "methods2test":
            chain = _methods2test_class(project, path, facts, view.test.method.owner)
            methods = tuple((c, m) for c in chain for m in c.methods)
            view = _View(view.test, facts, tuple(chain), methods, view.calls, view.types, project)
            rules = (_m2t_name, _m2t_unique_call)
        for rule in rules:
            match = rule(view)
            if match is not None:
                name, confidence, owner, method = match
                yield Pair(view.test, Where(owner.path, method), name, confidence)
                break
