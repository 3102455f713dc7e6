"""The rules that find a test's focal method, in the order in which they are tried.

A rule sees one test (a ``View``) and answers with a method, its own name and a confidence, or
with None. Each rule has a reason that holds in any project. Its confidence follows what it
reached on 120 tests judged by reading (``benchmarks/pairs.py``), held back where those were few:
name-exact 19 of 19, name-prefix 39 of 39, name-inside 10 of 10, single-call 15 of 15, name-words
6 of 6, constructor 3 of 3, only-method 3 of 3, only-worker 1 of 2, string-form 1 of 1, factory
1 of 1; name-property and only-work on what was read of other projects.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from indexer.calls import calls_of, fits, overload, type_of
from indexer.facts import Call, Method, simple_type
from indexer.names import Spoken, plain_name, stems_of, words_of
from indexer.project import Class
from indexer.views import Candidate, View, on_mock

__all__ = ["RULES", "Match"]


class Match(NamedTuple):
    """What a rule found."""

    rule: str
    confidence: float
    owner: Class
    method: Method


# ---------------------------------------------------------------- rules by name


_IMPLICIT = frozenset({"toString", "equals", "hashCode", "compareTo", "close", "iterator"})
"""Methods that Java or an assertion calls unseen."""
_ROUTES = re.compile(
    r"(?:Get|Post|Put|Delete|Patch|Request)Mapping$|^(?:GET|POST|PUT|DELETE|Path)$"
)


def _reached(view: View, owner: Class, method: Method) -> bool:
    """Whether the test calls a method, or runs it by an operator or over HTTP."""
    if calls_of(view, owner, method) or method.name in _IMPLICIT:
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
    owner, method = overload(view, ranked[best])
    return owner, method, best[0]


def _same_name(spoken: Spoken, name: str) -> Iterator[tuple[int, str]]:
    return ((1, method) for method in spoken.plain.get(plain_name(name), ()))


def _same_words(spoken: Spoken, name: str) -> Iterator[tuple[int, str]]:
    """Twice the letters of the words with which both names begin, and one if no ending differs."""
    stems, said = stems_of(name), words_of(name)
    for mine, method in spoken.first.get(stems[0], ()) if stems else ():
        if stems[: len(mine)] == mine:
            words = words_of(method)
            yield 2 * sum(map(len, words)) + (said[: len(words)] == words), method


def _words_inside(spoken: Spoken, name: str) -> Iterator[tuple[int, str]]:
    """The letters of a method's name where its words stand in a row of words."""
    stems = stems_of(name)
    for word in dict.fromkeys(stems):  # no set: the order must not differ from run to run
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


def _property(view: View) -> Match | None:
    """``testRouter`` and ``counting`` test ``getRouter`` and ``getCount``, if they call it."""
    stems = stems_of(view.names[0])
    for name, group in _candidates(view).items():
        if stems_of(name)[1:] == stems and _reads(group[0][1]):
            return Match("name-property", 0.9, *overload(view, group))
    return None


_TEXT_FORM = re.compile(r"(?i)string_?(?:representation|form|value)|as_?string|readable")


def _string_form(view: View) -> Match | None:
    """``hasStringRepresentation`` tests ``toString``, which is seldom called by name."""
    if not _TEXT_FORM.search(view.test.method.name):
        return None
    for owner, method in view.methods:
        if method.name == "toString" and owner == view.focal[0]:
            return Match("string-form", 0.9, owner, method)
    return None


_CONSTRUCTOR = re.compile(r"(?i:constructor|instantiat)|(?<![A-Za-z])ctor|Ctor|(?<![A-Z])CTOR")
"""No other word that ends in ctor, as selector and factory do."""


def _constructor(view: View) -> Match | None:
    """The test's name says constructor."""
    if not _CONSTRUCTOR.search(view.test.method.name):
        return None
    named = [(o, m) for o, m in view.methods if m.constructor and calls_of(view, o, m)]
    return Match("constructor", 0.9, *overload(view, named)) if named else None


# ---------------------------------------------------------------- rules by calls


_FACTORY = re.compile(r"(?:create|build|new|of|from|open|builder|make|with)(?![a-z])")
_READER = re.compile(r"(?:get|is|has|to)(?![a-z])")
_GETTER = re.compile(r"(?:get|is|has|set|to)(?![a-z])|size$|length$")
_FILLS = re.compile(r"(?:add|put|append)(?![a-z])")
_ARRANGES = re.compile(f"(?:{_GETTER.pattern}|{_FACTORY.pattern}|{_FILLS.pattern})")
_ASSIGNMENT = 32
"""Bytes of a body that assigns its argument to a field, less twice the field's name."""
_VALUES = frozenset(
    {"String", "Map", "List", "Set", "Collection", "Iterable", "Iterator", "Stream", "Optional"}
)
"""What a test looks into, rather than works with."""
_SETUP = re.compile(
    r"(?:login|logout|start|stop|open|close|connect|disconnect|init|initialize|setUp|tearDown|"
    r"shutdown|dispose|destroy|repository|session|begin|commit|rollback|reset|clear)(?:$|(?=[A-Z]))"
)
"""What brings an object into the state that is tested, or out of it."""


def _candidates(view: View) -> dict[str, list[Candidate]]:
    """Focal methods that the test calls, by name, without set-up and private ones."""
    found = {}
    for name in view.called:
        if name in view.named and not _SETUP.match(name):
            group = [(o, m) for o, m in view.named[name] if calls_of(view, o, m)]
            if group:
                found[name] = group
    return found


def _makes(method: Method) -> bool:
    """Whether a method is a factory by its name; an object's own ``fromJson`` converts."""
    if re.match(r"(?:from|of)(?![a-z])", method.name):
        return "static" in method.modifiers
    return _FACTORY.match(method.name) is not None


def _only_used(view: View, method: Method) -> bool:
    """Whether a method only makes what the test goes on to work with."""
    made = simple_type(method.returns or "")
    if not _makes(method) or made in _VALUES:
        return False
    return any(
        call.receiver is not None
        and not _GETTER.match(call.name)
        and call.name != method.name
        and type_of(view, call.receiver) == made
        for call in view.calls
    )


def _only_arranges(view: View, method: Method) -> bool:
    """Whether a method only sets a property of what other code of the project then works with."""
    name = method.name.removeprefix("set")
    room = method.body.end - method.body.start if method.body else 0
    if name == method.name or len(method.parameters) != 1 or room > 2 * len(name) + _ASSIGNMENT:
        return False
    return any(
        call.receiver is not None
        and not _ARRANGES.match(call.name)
        and not on_mock(call)
        and _in_project(view, type_of(view, call.receiver))
        for call in view.calls
    )


def _in_project(view: View, kind: str | None) -> bool:
    found = view.project.nearest(kind, view.test.path) if kind else None
    return found is not None and not found.for_tests


def _reads(method: Method) -> bool:
    """Whether a method asks its object for a property."""
    return not method.parameters and _READER.match(method.name) is not None


def _accessor(method: Method) -> bool:
    """Whether a method reads or sets one property of its object."""
    if not re.match(r"set(?![a-z])", method.name):
        return _reads(method)
    gives = simple_type(method.returns or "void")
    return len(method.parameters) == 1 and gives in ("void", method.class_name)


def _name_words(view: View) -> Match | None:
    """``removesOlderEntries`` tests ``removeRecordsOlderThan``: the verb and half of the words.

    Or all words but the verb, three or more: ``separatorIfFieldsBefore`` tests
    ``appendSeparatorIfFieldsBefore``.
    """
    stems = set(stems_of(view.names[0]))
    ranked = []
    for name, group in _candidates(view).items():
        mine = stems_of(name)
        share = len(stems.intersection(mine)) / len(mine) if mine else 0.0
        all_but_verb = len(mine) > 3 and stems.issuperset(mine[1:])
        told = len(mine) > 1 and mine[0] in stems and share >= 0.5
        if stems.isdisjoint(mine[1:]) and _accessor(group[0][1]):
            continue  # every test sets or gets something
        if told or all_but_verb:
            ranked.append((share, name, group))
    ranked.sort(reverse=True)
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    owner, method = overload(view, ranked[0][2])
    return None if _only_used(view, method) else Match("name-words", 0.85, owner, method)


def _single_call(view: View) -> Match | None:
    """The only method of the focal class that the test calls."""
    called = _candidates(view)
    if len(called) != 1 or view.is_integration():
        return None
    owner, method = overload(view, next(iter(called.values())))
    if _only_used(view, method) or _only_arranges(view, method):
        return None
    return Match("single-call", 0.88, owner, method)


def _trivial(method: Method) -> bool:
    """Getters, setters, factories and builders: what a test uses rather than tests."""
    return _makes(method) or _GETTER.match(method.name) is not None


def _only_worker(view: View) -> Match | None:
    """Of several focal methods that the test calls, the only one that is no getter or factory.

    What the test calls itself goes before what its helpers call.
    """
    if view.is_integration():
        return None
    worked = {name: group for name, group in _candidates(view).items() if not _trivial(group[0][1])}
    if len(worked) > 1:
        worked = {name: group for name, group in worked.items() if name in view.own}
    if len(worked) != 1:
        return None
    return Match("only-worker", 0.65, *overload(view, next(iter(worked.values()))))


def _only_made(view: View) -> Match | None:
    """The test makes an object of the focal class, and at most reads its properties."""
    if view.is_integration():
        return None
    worked = [group for group in _candidates(view).values() if not _reads(group[0][1])]
    if not worked:
        named = [(o, m) for o, m in view.methods if m.constructor and calls_of(view, o, m)]
        own = [(o, m) for o, m in named if o == view.focal[0]]
        return Match("constructor", 0.7, *overload(view, own)) if own else None
    made = worked[0][0][1]
    converts = "static" in made.modifiers and made.parameters and _makes(made)
    if len(worked) > 1 or not converts:
        return None
    return Match("factory", 0.7, *overload(view, worked[0]))


def _only_method(view: View) -> Match | None:
    """A class with one method to call (a validator, a command) is tested by that method."""
    if not view.exact or view.is_integration() or _CONSTRUCTOR.search(view.test.method.name):
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
    return Match("only-method", 0.6, *overload(view, own))


def _other_class(view: View) -> Match | None:
    """A called method of another class that the test's name tells.

    Where no class bears the test class's name, the name's first words are enough; else, since
    the other class only helps as a rule, the name must be the method's, of two words or more,
    or begin with all of it, of three words or more.
    """
    stems = stems_of(view.names[0])
    if view.focal and len(stems) < 2:
        return None
    told: dict[str, list[Candidate]] = defaultdict(list)
    for call in view.calls:
        words = stems_of(call.name)
        whole = view.focal and len(words) < 3
        if words != (stems if whole else stems[: len(words)]):
            continue
        kind = type_of(view, call.receiver) if call.receiver and not on_mock(call) else None
        one = view.project.nearest(kind, view.test.path) if kind else None
        for method in one.methods if one else ():
            if method.name == call.name and fits(view, call, method) > -9:
                told[method.name].append((one, method))  # type: ignore[arg-type]
    if not told:
        return None
    confidence = 0.65 if view.focal else 0.8  # the other class may be a mock or a helper
    return Match("other-class", confidence, *overload(view, told[max(told, key=len)]))


_CHECKS = re.compile(r"(?:assert|check|expect|verify|test)(?![a-z])")
"""What a helper is called that does a test's work, not only what is needed for it."""
_COMMON = re.compile(
    r"(?:java|junit|org\.(?:junit|testng|mockito|hamcrest|assertj)|com\.google\.common\.truth)\."
)
"""Packages that say nothing of what a test works with."""


def _only_work(view: View) -> Match | None:
    """Where no class bears the test class's name: the only work that the test asks of the project.

    Setting up, building and properties are no work. A test that also works with another library's
    objects is of several parts.
    """
    if view.focal or view.is_integration():
        return None
    other = {
        line.name.rpartition(".")[2] for line in view.facts.imports if not _COMMON.match(line.name)
    }
    checks = {call.start for call in view.calls if _CHECKS.match(call.name)}
    worked: dict[tuple[str, str], list[Candidate]] = {}
    for call in view.calls:
        if call.receiver is None or call.constructor or on_mock(call):
            continue
        if call.name not in view.own and call.start not in checks:
            continue
        kind = type_of(view, call.receiver) or ""
        group = _declared(view, kind, call)
        if group and not _prepares(kind, group[0][1]):
            worked[group[0][0].full_name, call.name] = group
        elif kind in other and not view.project.all(kind) and not _GETTER.match(call.name):
            return None
    if len(worked) != 1:
        return None
    owner, method = overload(view, next(iter(worked.values())))
    if _trivial(method) or _FILLS.match(method.name) or _SETUP.match(method.name):
        return None
    return Match("only-work", 0.6, owner, method)


def _declared(view: View, kind: str, call: Call) -> list[Candidate]:
    """The methods of a type of the project that a call may be of, in the nearest type with one."""
    one = view.project.nearest(kind, view.test.path)
    for owner in view.project.with_parents(one) if one else ():
        named = [m for m in owner.methods if m.name == call.name and fits(view, call, m) > -9]
        if named:
            return [(owner, method) for method in named if "private" not in method.modifiers]
    return []


def _prepares(kind: str, method: Method) -> bool:
    """Whether a method sets up, builds or reads its object of a type."""
    made = simple_type(method.returns or "")
    starts = _SETUP.match(method.name) is not None and not method.parameters
    return starts or _accessor(method) or made in (kind, "Builder") or kind.endswith("Builder")


Rule = Callable[[View], Match | None]

RULES: tuple[Rule, ...] = (
    _name_exact,
    _constructor,
    _name_prefix,
    _string_form,
    _name_inside,
    _property,
    _name_words,
    _single_call,
    _only_worker,
    _only_made,
    _only_method,
    _other_class,
    _only_work,
)
