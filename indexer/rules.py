"""The rules that find a test's focal method, in the order in which they are tried.

A rule sees one test (a ``View``) and answers with a method, its own name and a confidence, or
with None. Each rule has a reason that holds in any project. Its confidence follows what it
reached on 120 tests judged by reading (``benchmarks/pairs.py``), held back where those were few:
name-exact 19 of 19, name-prefix 39 of 39, name-inside 10 of 10, single-call 14 of 14, name-words
7 of 7, constructor 2 of 2, only-method 3 of 3, only-worker 1 of 2, string-form 1 of 1.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from indexer.facts import Call, FileFacts, Inside, Method, simple_type
from indexer.project import Class, Project, Where, find_tests

__all__ = ["RULES", "Match", "View", "views"]


class Match(NamedTuple):
    """What a rule found."""

    rule: str
    confidence: float
    owner: Class
    method: Method


Candidate = tuple[Class, Method]


# ---------------------------------------------------------------- names


_TEST_CLASS = re.compile(
    r"^(?:Test|IT)(?=[A-Z])|(?:Tests?|TestCases?|ITCase|IT|Spec|UnitTests?|IntegrationTests?)$"
)
_TEST_AFFIX = re.compile(
    r"^(?:test|should|check|verify|can|it|when|given|ensure|that)(?=[A-Z_0-9])_?|_?[tT]est$"
)
_EXACT_NAMES = 4
"""How many of the first class names need no import to be believed."""


@lru_cache(maxsize=20_000)
def words_of(name: str) -> tuple[str, ...]:
    """Camel-case and underscore words in lower case: ``parseURLFast_2`` is parse, url, fast, 2."""
    return tuple(w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without the ending of its form: writes, writing and write are one.

    Example:
        >>> [stem(w) for w in ("copying", "copies", "writes", "getting", "string")]
        ['copy', 'copy', 'writ', 'get', 'string']
    """
    for ending, kept in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        short = word.removesuffix(ending)
        if short != word and len(short) >= 3 and re.search("[aeiouy]", short):
            word = short + kept
            break
    word = word.removesuffix("e") if len(word) > 3 else word
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


@lru_cache(maxsize=20_000)
def stems_of(name: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in words_of(name))


def bare_name(test: str) -> str:
    """A test's name without what only says that it is a test.

    Example:
        >>> bare_name("testTotal"), bare_name("should_add"), bare_name("tests")
        ('Total', 'add', 'tests')
    """
    return _TEST_AFFIX.sub("", test) or test


def class_names(test_class: str) -> list[str]:
    """Names that a test class may stand for, best first.

    Example:
        >>> class_names("CartServiceImplIT")[:2]
        ['CartServiceImpl', 'CartService']
    """
    base = test_class
    for _ in range(2):
        base = _TEST_CLASS.sub("", base) or base
    names = [base]
    for affix in ("Impl", "Abstract", "Base", "Default"):
        if base.endswith(affix) and base != affix:
            names.append(base.removesuffix(affix))
        if base.startswith(affix) and base != affix:
            names.append(base.removeprefix(affix))
    names += [base + "Impl", "Abstract" + base, "Default" + base, "I" + base]
    names += [base[:-1]] if base.endswith("s") else [base + "s"]
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", base)
    # FooBarBaz, FooBar, Foo: a test class for one aspect of a class.
    names += ["".join(parts[:cut]) for cut in range(len(parts) - 1, 0, -1)]
    return list(dict.fromkeys(names))


@lru_cache(maxsize=20_000)
def _plain(name: str) -> str:
    return name.lower().replace("_", "")


class _Spoken:
    """Method names by what a test's name may say of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.plain: dict[str, list[str]] = defaultdict(list)
        """By their letters in lower case."""
        self.first: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        """(stems of its words, name) by the first of the stems; none for a name without words."""
        for name in names:
            self.plain[_plain(name)].append(name)
            if stems := stems_of(name):
                self.first[stems[0]].append((stems, name))


# ---------------------------------------------------------------- what a rule sees


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
    spoken: _Spoken
    """The names in ``named`` as tests say them."""
    calls: tuple[Call, ...]
    """Calls of the test, then one level of the test class's own helpers in place."""
    types: Mapping[str, str]
    """Simple type by variable: fields of the test class, parameters and local variables."""
    names: tuple[str, ...]
    """The test's name without affixes; then the name of its @Nested class."""
    called: Mapping[str, tuple[Call, ...]]
    """``calls`` by name, without stubs and checks of mocks."""
    family: frozenset[str]
    """Names of ``focal``."""
    known: dict[str, str | None]
    """What ``type_of`` has found so far, by text."""
    meant: dict[tuple[str, str, bool], list[Call]]
    """What ``_calls_of`` has found so far, by type, method name, and constructor or not."""

    def is_integration(self) -> bool:
        """Whether the test says that it is of several classes."""
        package = f"{self.facts.package}.{self.test.method.owner}"
        return re.search(r"(?:integration|functional|e2e|IT\b|ITCase\b)", package) is not None or (
            "Integration" in package
        )


_MOCKS = frozenset({"when", "mock", "spy", "verify", "given", "doReturn", "doThrow", "doNothing"})
_CHAIN = re.compile(r"\s*(\w+)\s*\(")


def _on_mock(call: Call) -> bool:
    if call.receiver is None or "(" not in call.receiver:
        return False
    head = _CHAIN.match(call.receiver)
    return head is not None and head[1] in _MOCKS


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
        self.spoken = _Spoken(self.named)
        self.family = frozenset(c.name for c in self.focal)
        self.fields: dict[str, str] = {}
        self.helpers: dict[str, Method] = {}
        self.inside: dict[str, Inside] = {}
        """What stands in the helpers that were called so far, by name."""
        self.names = tuple(bare_name(part) for part in owner.split(".")[:0:-1])
        own = [c for c in project.all(owner.rpartition(".")[2]) if c.path == path]
        for one in project.with_parents(own[0], helpers=True) if own else ():
            for field in project.files[one.path].fields:
                if one.path == path or field.owner == one.type.name:
                    self.fields.setdefault(field.name, simple_type(field.type))
            for method in project.bodies_of(one):
                self.helpers.setdefault(method.name, method)
        for method in facts.methods:
            self.helpers.setdefault(method.name, method)

    def view(self, test: Where) -> View:
        own = test.method
        types = self.fields | {p.name: simple_type(p.type) for p in own.parameters}
        body = own.unpacked()
        types |= {p.name: simple_type(p.type) for p in body.locals}
        calls: list[Call] = []
        for call in body.calls:
            calls.append(call)
            helper = self.helpers.get(call.name) if call.receiver in (None, "this") else None
            if helper is not None and helper is not own and not call.constructor:
                inside = self.inside.get(call.name) or helper.unpacked()
                self.inside[call.name] = inside
                calls += [_moved(c, call.start) for c in inside.calls]
                types = {p.name: simple_type(p.type) for p in inside.locals} | types
        called = defaultdict(list)
        for call in calls:
            if not _on_mock(call):
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
            types=types,
            names=(bare_name(own.name), *self.names),
            called={name: tuple(group) for name, group in called.items()},
            family=self.family,
            known={},
            meant={},
        )


def _moved(call: Call, start: int) -> Call:
    return Call(call.name, call.receiver, call.arguments, call.constructor, start, call.reference)


def _focal_chain(
    project: Project, path: str, facts: FileFacts, owner: str
) -> tuple[list[Class], bool]:
    parts = dict.fromkeys((owner.partition(".")[0], owner.rpartition(".")[2]))
    for part in parts:
        for position, name in enumerate(class_names(part)):
            found = project.by_distance(name, path)
            if position >= _EXACT_NAMES:  # loose variants only where the class is at hand
                found = [c for c in found if c.package == facts.package or _imports(facts, c)]
            if found:
                return project.with_parents(found[0]), position == 0
    return [], False


def _imports(facts: FileFacts, one: Class) -> bool:
    return any(line.name == f"{one.package}.{one.type.name}" for line in facts.imports)


# ---------------------------------------------------------------- which calls are meant


_CALL = re.compile(r"(?:^|\.)\s*(\w+)\s*$")


def type_of(view: View, text: str, depth: int = 3) -> str | None:
    """The simple type of a receiver or an argument as written; None where it is not known."""
    if text not in view.known:
        view.known[text] = _type_of(view, text.strip().removeprefix("this."), depth)
    return view.known[text]


def _type_of(view: View, text: str, depth: int) -> str | None:
    if text.isidentifier():
        if text in view.types:
            return view.types[text]
        return text if text[:1].isupper() and not text.isupper() else None
    if text.startswith("new "):
        head = re.match(r"new\s+([\w.]+)", text)
        return simple_type(head[1]) if head and text.endswith((")", "}")) else None
    if not depth or not text.endswith(")"):
        return None
    level = 0
    for place in range(len(text) - 1, -1, -1):
        level += (text[place] == ")") - (text[place] == "(")
        if not level:
            break
    call = _CALL.search(text[:place])
    if call is None:
        return None
    before = text[: call.start()]
    owner = type_of(view, before, depth - 1) if before else view.test.method.class_name
    return _returned(view, owner, call[1]) if owner else None


def _returned(view: View, owner: str, name: str) -> str | None:
    """What a method of a project type returns, where its overloads agree."""
    one = view.project.nearest(owner, view.test.path, helpers=True)
    for each in view.project.with_parents(one, helpers=True) if one else ():
        kinds = {simple_type(m.returns or "") for m in each.methods if m.name == name}
        if kinds:
            return kinds.pop() if len(kinds) == 1 else None
    return None


def _calls_of(view: View, owner: Class, method: Method) -> list[Call]:
    """Calls in the test that may be calls of this method, judged by name and receiver type."""
    named = view.called.get(method.name)
    if named is None:
        return _NO_CALLS
    key = (owner.type.name, method.name, method.constructor)
    if key not in view.meant:
        view.meant[key] = [
            c
            for c in named
            if c.constructor == method.constructor
            and (c.constructor or _may_be_on(view, c, owner.name))
        ]
    return view.meant[key]


_NO_CALLS: list[Call] = []


def _may_be_on(view: View, call: Call, owner: str) -> bool:
    known = type_of(view, call.receiver) if call.receiver else None
    if known is None or known in view.family or known == owner or len(known) == 1:
        return True
    if known in ("Object", "var") or any(known in c.parents for c in view.focal):
        return True
    below = {name for c in view.project.focal(known)[:3] for name in c.parents}
    return owner in below or not view.family.isdisjoint(below)


def _overload(view: View, named: list[Candidate]) -> Candidate:
    """The overload that the test calls: by arity, then by the argument types the text shows."""
    if len(named) == 1:
        return named[0]
    words = set(words_of(view.test.method.name))

    def score(candidate: Candidate) -> float:
        owner, method = candidate
        best = max((_fits(view, c, method) for c in _calls_of(view, owner, method)), default=-9.0)
        said = sum(not words.isdisjoint(words_of(p.simple_type)) for p in method.parameters)
        return best + 0.3 * min(said, 1)

    return max(named, key=score)


_PRIMITIVES = frozenset({"int", "long", "short", "byte", "char", "boolean", "float", "double"})
_WIDER = {
    "int": ("long", "Integer", "double", "float", "short", "byte", "Number"),
    "long": ("Long", "double", "Number"),
    "double": ("Double", "Number"),
    "float": ("double", "Float", "Number"),
    "char": ("int", "Character"),
    "boolean": ("Boolean",),
    "String": ("CharSequence", "Comparable"),
    "Class": ("Type",),
    "ArrayList": ("List", "Collection", "Iterable"),
    "LinkedList": ("List", "Collection", "Iterable", "Deque"),
    "List": ("Collection", "Iterable"),
    "HashSet": ("Set", "Collection", "Iterable"),
    "Set": ("Collection", "Iterable"),
    "HashMap": ("Map",),
    "LinkedHashMap": ("Map",),
    "TreeMap": ("Map",),
}


def _fits(view: View, call: Call, method: Method) -> float:
    """How well a call's arguments fit a method's parameters; -9 for another arity."""
    if call.reference:
        return 0.0
    wanted = [p.simple_type for p in method.parameters]
    given = [_resolved(view, kind) for kind in call.arguments]
    varargs = bool(wanted) and wanted[-1].endswith("...")
    if varargs:
        last = wanted.pop().removesuffix("...")
        if [g.removesuffix("[]") for g in given[len(wanted) :]] != given[len(wanted) :]:
            last += "[]"  # an array in the place of the variable arguments
        wanted += [last] * max(0, len(given) - len(wanted))
    if len(wanted) != len(given):
        return -9.0
    score = 0.5 if varargs else 1.0
    return score + sum(_fit(view, have, want) for have, want in zip(given, wanted, strict=True))


def _resolved(view: View, kind: str) -> str:
    if not kind.startswith("?"):
        return kind
    return (type_of(view, kind[1:]) if len(kind) > 1 else None) or "?"


def _fit(view: View, have: str, want: str) -> float:
    if have == want:
        return 1.0
    if have == "?":
        return 0.0
    if have == "null":
        return -2.0 if want in _PRIMITIVES else 0.2
    if have == "->":
        return 0.5 if want not in _PRIMITIVES and want != "String" else -1.0
    if want in _WIDER.get(have, ()):
        return 0.5
    if want == "Object" or len(want) == 1:
        return 0.3
    if have in _PRIMITIVES or want in _PRIMITIVES or "String" in (have, want):
        return -1.0
    one = view.project.nearest(have, view.test.path)
    family = view.project.with_parents(one) if one else []
    if any(want == c.name or want in c.parents for c in family):
        return 0.7
    return -0.5 if family else 0.0


# ---------------------------------------------------------------- rules by name


_IMPLICIT = frozenset({"toString", "equals", "hashCode", "compareTo", "close", "iterator"})
"""Methods that Java or an assertion calls unseen."""
_ROUTES = re.compile(
    r"(?:Get|Post|Put|Delete|Patch|Request)Mapping$|^(?:GET|POST|PUT|DELETE|Path)$"
)


def _reached(view: View, owner: Class, method: Method) -> bool:
    """Whether the test calls a method, or runs it by an operator or over HTTP."""
    if _calls_of(view, owner, method) or method.name in _IMPLICIT:
        return True
    return any(_ROUTES.search(mark) for mark in method.annotations)


def _by_name(view: View, fits: Iterable[tuple[int, str]]) -> tuple[Class, Method, bool] | None:
    """The called method with the longest fit; an uncalled one only where none is called.

    Args:
        view: The test.
        fits: (length of the fit, method name) of the names that fit.
    """
    ranked: dict[tuple[bool, int, str], list[Candidate]] = defaultdict(list)
    for length, name in fits:
        for owner, method in view.named[name]:
            ranked[_reached(view, owner, method), length, name].append((owner, method))
    if not ranked:
        return None
    best = max(ranked)
    owner, method = _overload(view, ranked[best])
    return owner, method, best[0]


def _same_name(spoken: _Spoken, name: str) -> Iterator[tuple[int, str]]:
    return ((1, method) for method in spoken.plain.get(_plain(name), ()))


def _same_words(spoken: _Spoken, name: str) -> Iterator[tuple[int, str]]:
    """Twice the letters of the words with which both names begin, and one if no ending differs."""
    stems, said = stems_of(name), words_of(name)
    for mine, method in spoken.first.get(stems[0], ()) if stems else ():
        if stems[: len(mine)] == mine:
            words = words_of(method)
            yield 2 * sum(map(len, words)) + (said[: len(words)] == words), method


def _words_inside(spoken: _Spoken, name: str) -> Iterator[tuple[int, str]]:
    """The letters of a method's name where its words stand in a row of words."""
    stems = stems_of(name)
    for word in set(stems):
        spots = [place for place, one in enumerate(stems) if one == word]
        for mine, method in spoken.first.get(word, ()):
            if any(stems[place : place + len(mine)] == mine for place in spots):
                yield sum(map(len, mine)), method


def _name_exact(view: View) -> Match | None:
    """``testTotal`` tests ``total``."""
    for name in view.names:
        found = _by_name(view, _same_name(view.spoken, name))
        if found is not None:
            return Match("name-exact", 0.98 if found[2] else 0.9, *found[:2])
    return None


def _name_prefix(view: View) -> Match | None:
    """``totalOfEmptyCart`` and ``totalsAreSums`` test ``total``: the longest prefix of words."""
    for name in view.names:
        found = _by_name(view, _same_words(view.spoken, name))
        if found is not None and found[2]:
            return Match("name-prefix", 0.95, *found[:2])
    return None


def _name_inside(view: View) -> Match | None:
    """The method's whole name stands somewhere in the test's name, and the test calls it."""
    found = _by_name(view, _words_inside(view.spoken, view.test.method.name))
    if found is None or not found[2]:
        return None
    return Match("name-inside", 0.93, *found[:2])


_TEXT_FORM = re.compile(r"(?i)string_?(?:representation|form|value)|as_?string|readable")


def _string_form(view: View) -> Match | None:
    """``hasStringRepresentation`` tests ``toString``, which is seldom called by name."""
    if not _TEXT_FORM.search(view.test.method.name):
        return None
    for owner, method in view.methods:
        if method.name == "toString" and owner == view.focal[0]:
            return Match("string-form", 0.9, owner, method)
    return None


def _constructor(view: View) -> Match | None:
    """The test's name says constructor."""
    if not re.search(r"(?i)constructor|ctor|instantiat", view.test.method.name):
        return None
    named = [(o, m) for o, m in view.methods if m.constructor and _calls_of(view, o, m)]
    return Match("constructor", 0.9, *_overload(view, named)) if named else None


# ---------------------------------------------------------------- rules by calls


_FACTORY = re.compile(r"(?:create|build|new|of|from|open|builder|make|with)(?![a-z])")
_GETTER = re.compile(r"(?:get|is|has|set|to)(?![a-z])|size$|length$")
_VALUES = frozenset(
    {"String", "Map", "List", "Set", "Collection", "Iterable", "Iterator", "Stream", "Optional"}
)
"""What a test looks into, rather than works with."""
_SETUP = re.compile(
    r"(?:login|logout|start|stop|open|close|connect|disconnect|init|initialize|setUp|tearDown|"
    r"shutdown|dispose|repository|session|begin|commit|rollback|reset|clear)(?:$|(?=[A-Z]))"
)
"""What brings an object into the state that is tested, or out of it."""


def _candidates(view: View) -> dict[str, list[Candidate]]:
    """Focal methods that the test calls, by name, without set-up and private ones."""
    found = {}
    for name in view.called:
        if name in view.named and not _SETUP.match(name):
            group = [(o, m) for o, m in view.named[name] if _calls_of(view, o, m)]
            if group:
                found[name] = group
    return found


def _only_used(view: View, method: Method) -> bool:
    """Whether a method only makes what the test goes on to work with."""
    made = simple_type(method.returns or "")
    if not _FACTORY.match(method.name) or made in _VALUES:
        return False
    return any(
        call.receiver is not None
        and not _GETTER.match(call.name)
        and call.name != method.name
        and type_of(view, call.receiver) == made
        for call in view.calls
    )


def _name_words(view: View) -> Match | None:
    """``removesOlderEntries`` tests ``removeRecordsOlderThan``: the verb and half of the words."""
    stems = set(stems_of(view.test.method.name))
    ranked = []
    for name, group in _candidates(view).items():
        mine = stems_of(name)
        share = len(stems.intersection(mine)) / len(mine) if mine else 0.0
        if len(mine) > 1 and mine[0] in stems and share >= 0.5:
            ranked.append((share, name, group))
    ranked.sort(reverse=True)
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    owner, method = _overload(view, ranked[0][2])
    return None if _only_used(view, method) else Match("name-words", 0.85, owner, method)


def _single_call(view: View) -> Match | None:
    """The only method of the focal class that the test calls."""
    called = _candidates(view)
    if len(called) != 1 or view.is_integration():
        return None
    owner, method = _overload(view, next(iter(called.values())))
    if _only_used(view, method):
        return None
    return Match("single-call", 0.88, owner, method)


def _trivial(method: Method) -> bool:
    """Getters, setters, factories and builders: what a test uses rather than tests."""
    return bool(_GETTER.match(method.name) or _FACTORY.match(method.name))


def _only_worker(view: View) -> Match | None:
    """Of several focal methods that the test calls, the only one that is no getter or factory."""
    if view.is_integration():
        return None
    worked = {name: group for name, group in _candidates(view).items() if not _trivial(group[0][1])}
    if len(worked) != 1:
        return None
    return Match("only-worker", 0.65, *_overload(view, next(iter(worked.values()))))


def _only_constructed(view: View) -> Match | None:
    """The test makes an object of the focal class and calls nothing of it."""
    named = [(o, m) for o, m in view.methods if m.constructor and _calls_of(view, o, m)]
    own = [(o, m) for o, m in named if o == view.focal[0]]
    if not own or _candidates(view) or view.is_integration():
        return None
    return Match("constructor", 0.7, *_overload(view, own))


def _only_method(view: View) -> Match | None:
    """A class with one method to call (a validator, a command) is tested by that method."""
    if not view.exact or view.is_integration():
        return None
    own = [
        (view.focal[0], m)
        for m in view.focal[0].methods
        if not m.constructor
        and "private" not in m.modifiers
        and m.name not in _IMPLICIT
        and not _SETUP.match(m.name)
    ]
    if len({m.name for _, m in own}) != 1 or not own[0][1].body or _only_used(view, own[0][1]):
        return None
    return Match("only-method", 0.6, *_overload(view, own))


def _other_class(view: View) -> Match | None:
    """No class bears the test class's name: a called method of the project that the name tells."""
    if view.focal:
        return None
    stems = stems_of(view.names[0])
    found: dict[str, list[Candidate]] = defaultdict(list)
    for call in view.calls:
        kind = type_of(view, call.receiver) if call.receiver and not _on_mock(call) else None
        one = view.project.nearest(kind, view.test.path) if kind else None
        for method in one.methods if one else ():
            if method.name == call.name and _fits(view, call, method) > -9:
                found[method.name].append((one, method))  # type: ignore[arg-type]
    told = {n: c for n, c in found.items() if stems[: len(stems_of(n))] == stems_of(n)}
    if not told:
        return None
    return Match("other-class", 0.8, *_overload(view, told[max(told, key=len)]))


Rule = Callable[[View], Match | None]

RULES: tuple[Rule, ...] = (
    _name_exact,
    _constructor,
    _name_prefix,
    _string_form,
    _name_inside,
    _name_words,
    _single_call,
    _only_worker,
    _only_constructed,
    _only_method,
    _other_class,
)
