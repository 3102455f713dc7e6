"""How the project's own tests make what a method is called on: beginnings for tests of it.

A small model names constructors that do not exist. The tests around know how an object of the focal
class comes to be, so a test may begin as one of them does, up to the name of the focal method; the
model goes on from there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from indexer import Method, Where
from indexer.facts import simple_type
from indexer.languages.java import method_errors
from personalizer.generation.placing.style import most_common
from personalizer.generation.rescue.statements import needed, statements_of, tests_by_nearness
from personalizer.generation.rescue.values import Values
from personalizer.generation.site import Site

__all__ = [
    "RESULT",
    "Beginning",
    "Getter",
    "asserted",
    "beginnings",
    "getters_of",
    "plain_ends",
    "plain_ends_at",
    "plain_name",
]

RESULT = "result"
"""Name of the variable that holds what the focal method gives."""
_LONGEST, _CHARACTERS = 8, 800
"""Statements that a beginning may take from a test, and its length."""


class Beginning(NamedTuple):
    """A test up to the name of the focal method, or behind its call where it takes nothing."""

    text: str
    note: str
    """Whose beginning it is, for the user."""


def beginnings(site: Site, values: Values, most: int = 3) -> Iterator[Beginning]:
    """The ways to a call of the focal method.

    Those of its own test class come first, then the shortest, then those that stand most often.

    Args:
        site: Where the test will stand.
        values: What an object is made of where no test makes one.
        most: Beginnings.
    """
    seen: set[str] = set()
    for made in _ways(site, values):
        text = _text(site, made)
        if text not in seen and len(text) <= _CHARACTERS:
            seen.add(text)
            yield Beginning(text, made.note)
        if len(seen) == most:
            return  # the rest of the tests need not be read


def plain_ends(
    text: str,
    begun: str,
    focal: Method,
    arguments: Sequence[str] | None,
    *,
    flavour: str = "",
    getters: Sequence[Getter] = (),
) -> Iterator[str]:
    """The test with nothing behind its call but an assertion of what comes: guesses, to be settled.

    Args:
        text: What the model made of a beginning.
        begun: The beginning's text.
        focal: The method under test.
        arguments: Plain arguments for it, where there are some.
        flavour: Test framework.
        getters: What tells what a constructor made, or what a method did that gives nothing.

    Yields:
        With the arguments that the model wrote, then with plain ones; nothing where what the
        method gives cannot be compared.
    """
    guesses = _guesses(focal.returns or "")
    if focal.constructor:
        guesses = _of_state(RESULT, getters)
    elif focal.returns == "void":  # what it did is seen in what it was called on, if at all
        called_on = re.search(r"\n\s*([a-z]\w*)\.\w+(?:\(\);)?\Z", begun)
        guesses = _of_state(called_on[1], getters) if called_on else ()
    calls = [""]
    if focal.parameters:
        written = re.match(r"[^;{}]*;", text[len(begun) :])
        uncertain = written and re.search(rf"\b{RESULT}\b", written[0])  # what is not yet there
        calls = [written[0]] if written and not uncertain else []
        calls += [] if arguments is None else [f"({', '.join(arguments)});"]
    for call, guess in product(calls, guesses):
        lines = "".join(f"    {_in_order(one, flavour)};\n" for one in guess.split("\n"))
        yield f"{begun}{call}\n{lines}}}"


def plain_ends_at(site: Site, values: Values) -> Callable[[str, Beginning], Iterator[str]]:
    """``plain_ends`` of what the model made of a beginning, for the tests of one site."""
    arguments = values.arguments(site.focal, site.focal_path)
    getters = getters_of(site)

    def plain(text: str, begun: Beginning) -> Iterator[str]:
        return plain_ends(
            text, begun.text, site.focal, arguments, flavour=site.flavour, getters=getters
        )

    return plain


class Getter(NamedTuple):
    """A method that says simply what an object holds."""

    name: str
    type: str
    """Of what it gives."""


def getters_of(site: Site) -> tuple[Getter, ...]:
    """Those of the focal class, those first that are named as the focal method or what it takes."""
    declared = site.symbols.members.of(site.focal_path, site.focal.owner)
    if declared is None:
        return ()
    found = {
        one.method.name: Getter(one.method.name, one.method.returns or "")
        for one in declared.all_methods(inside="")
        if _GETTER.fullmatch(one.method.name)
        and not one.method.parameters
        and "public" in one.method.modifiers
        and "static" not in one.method.modifiers
    }
    if declared.type.kind == "record":
        found |= {name: Getter(name, field.type) for name, field in declared.fields.items()}
    named = [re.sub(r"^[a-z]+", "", site.focal.name), *(p.name for p in site.focal.parameters)]
    stems = [name.lower() for name in named if name]
    simple = [one for one in found.values() if one.type in _GUESSES]
    simple.sort(key=lambda one: not any(stem in one.name.lower() for stem in stems))
    return tuple(simple[:_GETTERS])


_GETTER = re.compile(r"(?:get|is|has)[A-Z]\w*|size|length|count|name|total|value")
_GETTERS = 3
"""What one test asserts of an object."""


def _of_state(name: str, getters: Sequence[Getter]) -> tuple[str, ...]:
    """What may be asserted of the object that a variable holds, a statement a line."""
    lines = [_GUESSES[one.type][0].replace(RESULT, f"{name}.{one.name}()") for one in getters]
    text = f'assertEquals("", {name}.toString())'
    return ("\n".join(lines), text) if lines else (text,)


def asserted(call: str, site: Site) -> list[str]:
    """Statements that keep what a call of the focal method gives and assert it: a guess.

    None where it gives nothing.
    """
    kind = _kind_of_result(site)
    guess = _in_order(_guesses(kind or "")[0], site.flavour)
    return [f"{kind} {RESULT} = {call};", f"{guess};"] if kind else []


_THERE = f"assertNotNull({RESULT})"
_OF_OBJECTS = (f'assertEquals("", {RESULT}.toString())', _THERE)
"""What its text says is more than that it is there; one with its address in it is never taken."""
_GUESSES: dict[str, tuple[str, ...]] = {
    "char": (f'assertEquals("", String.valueOf({RESULT}))',),
    "float": (f"assertEquals(0.0f, {RESULT}, 1e-6f)",),
    "double": (f"assertEquals(0.0, {RESULT}, 1e-9)",),
    "boolean": (f"assertTrue({RESULT})",),
    "String": (f'assertEquals("", {RESULT})', _THERE),
    "int": (f"assertEquals(0, {RESULT})",),
    "short": (f"assertEquals(0, {RESULT})",),
    "byte": (f"assertEquals(0, {RESULT})",),
    "long": (f"assertEquals(0L, {RESULT})",),
    "char[]": (f'assertEquals("", new String({RESULT}))', _THERE),
}


def _in_order(guess: str, flavour: str) -> str:
    """TestNG has what came first, then what was expected.

    Example:
        >>> _in_order("assertEquals(0.0, result, 1e-9)", "testng")
        'assertEquals(result, 0.0, 1e-9)'
    """
    if flavour != "testng":
        return guess
    return re.sub(r"^(assertEquals)\((\S+), (.*?)(, [\de.f-]+)?\)$", r"\1(\3, \2\4)", guess)


def _guesses(returned: str) -> tuple[str, ...]:
    """What may be asserted of a value of a type, the most that can be said first."""
    if returned in _GUESSES:
        return _GUESSES[returned]
    if returned.endswith("[]"):
        shown = "deepToString" if returned.endswith("[][]") else "toString"
        return f'assertEquals("", Arrays.{shown}({RESULT}))', _THERE
    return _OF_OBJECTS


# ---------------------------------------------------------------- ways to an object


class _Way(NamedTuple):
    receiver: str
    statements: tuple[str, ...]
    note: str


def _ways(site: Site, values: Values) -> Iterable[_Way]:
    focal = site.focal
    if focal.constructor:
        yield _Way(f"new {focal.owner}", (), "calls the constructor")
        return
    if "static" in focal.modifiers:
        yield _Way(f"{focal.owner}.{focal.name}", (), "calls the method by its class")
        return
    kinds = _kinds(site)
    if site.place is not None:
        facts = site.snapshot.files[site.place.path]
        fields = [field for field in facts.fields if field.owner == site.place.owner]
        for field in sorted(fields, key=lambda one: simple_type(one.type) in kinds.above):
            if simple_type(field.type) in kinds.own | kinds.above:
                note = f"begins with the field {field.name} of {simple_type(field.owner)}"
                yield _Way(f"{field.name}.{focal.name}", (), note)
    for tests in tests_by_nearness(site):
        found = [way for test in tests for way in _in_test(site, test, kinds)]
        often = Counter(way[:2] for way in found)
        yield from sorted(found, key=lambda way: (len(way.statements), -often[way[:2]]))
    declared = site.symbols.members.of(site.focal_path, focal.owner)
    made = values.made(declared)
    if declared is not None and made is not None:
        name = f"{declared.name[:1].lower()}{declared.name[1:]}"
        if name == RESULT or method_errors(f"void a() {{ int {name}; }}"):
            name = "subject"
        made_first = f"{declared.type.name} {name} = {made};"
        yield _Way(f"{name}.{focal.name}", (made_first,), f"makes its own {declared.name}")


class _Kinds(NamedTuple):
    """Simple names of types that a focal method may be called on."""

    own: frozenset[str]
    """The focal class and those that extend it."""
    above: frozenset[str]
    """Those above it that declare the method; behind a variable another class may stand."""


def _kinds(site: Site) -> _Kinds:
    name, focal = site.focal.class_name, site.focal
    extending = {
        kind.simple_name
        for facts in site.snapshot.files.values()
        for kind in facts.types
        if any(simple_type(parent) == name for parent in kind.extends)
    }
    own = frozenset({name, *extending})
    declared = site.symbols.members.of(site.focal_path, focal.owner)
    above = {
        kind.simple_name
        for _, facts, kind in (declared.chain if declared else ())
        for one in facts.methods
        if (one.owner, one.name) == (kind.name, focal.name)
        and len(one.parameters) == len(focal.parameters)
    }
    return _Kinds(own, frozenset(above) - own)


def _in_test(site: Site, test: Where, kinds: _Kinds) -> Iterator[_Way]:
    statements = list(statements_of(site, test))
    given = {one.name for one in test.method.parameters}  # which no other test has
    *_, outer, _ = ["", "", *site.focal.owner.split(".")]
    of_it = re.compile(rf"\b{outer}\b")  # many a class has a Builder
    for place, one in enumerate(statements):
        made = one.type in kinds.above and not kinds.own.isdisjoint(re.findall(r"\w+", one.value))
        found = one.type in kinds.own or made
        if found and len(one.names) == 1 and of_it.search(one.text):
            (name,) = one.names
            taken = needed(statements, place)
            if len(taken) <= _LONGEST and not any(given & statement.uses for statement in taken):
                note = f"begins as {test.method.name} of {test.method.class_name} does"
                yield _Way(f"{name}.{site.focal.name}", tuple(s.text for s in taken), note)


# ---------------------------------------------------------------- the text


def _text(site: Site, way: _Way) -> str:
    focal = site.focal
    junit5 = site.flavour == "junit5"
    head = "" if site.flavour == "junit3" else "@Test\n"
    head += f"{'' if junit5 else 'public '}void {plain_name(site)}() {{\n"
    kind = _kind_of_result(site)
    declared = {name for text in way.statements for name in re.findall(r"\w+", text)}
    call = f"{kind} {RESULT} = {way.receiver}" if kind and RESULT not in declared else way.receiver
    if not focal.parameters:
        call += "();"
    lines = "\n".join([*way.statements, call]).split("\n")
    return head + "\n".join(f"    {line}" if line.strip() else line for line in lines)


def plain_name(site: Site) -> str:
    """``testTotal`` where most tests of the class are called so, else ``total``."""
    name = site.focal.name[:1].upper() + site.focal.name[1:]
    owner, path = (site.place.owner, site.place.path) if site.place else ("", "")
    tests = [one.method for one in site.snapshot.tests if one.path == path]
    named = [one.name.startswith("test") for one in tests if one.owner == owner]
    if site.flavour == "junit3" or most_common(named, False):
        return f"test{name}"
    return f"{name[0].lower()}{name[1:]}"


def _kind_of_result(site: Site) -> str | None:
    """The type of the variable for what the method gives; None where it gives nothing."""
    focal = site.focal
    if focal.constructor:
        return focal.owner
    if focal.returns in (None, "void"):
        return None
    if re.search(r"\b[A-Z][A-Z0-9]?\b", focal.returns):  # a type variable
        return "Object"
    inner = {one.simple_name: one.name for one in site.snapshot.files[site.focal_path].types}
    return re.sub(r"(?<![\w.])[A-Z]\w*", lambda m: inner.get(m[0], m[0]), focal.returns)
