"""How the project's own tests make what a method is called on: beginnings for tests of it.

A small model names constructors that do not exist. The tests around know how an object of the focal
class comes to be, so a test may begin as one of them does, up to the name of the focal method; the
model goes on from there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from indexer import Where
from indexer.facts import simple_type
from personalizer.engine.monitor.parts import WORDS
from personalizer.generation.placing.naming import OF_OBJECT
from personalizer.generation.placing.style import most_common
from personalizer.generation.rescue.statements import needed, statements_of, tests_by_nearness
from personalizer.generation.rescue.values import Values
from personalizer.generation.rescue.views import RESULT, kind_of_result
from personalizer.generation.site import Site
from personalizer.generation.syntax import whole

__all__ = ["Beginning", "beginnings", "plain_name"]

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
    if declared is not None:
        name = f"{declared.name[:1].lower()}{declared.name[1:]}"
        if name in WORDS or name == RESULT:
            name = "subject"
        for made in values.objects(declared):
            made_first = f"{declared.type.name} {name} = {made};"
            yield _Way(f"{name}.{focal.name}", (made_first,), f"makes its own {declared.name}")


class _Kinds(NamedTuple):
    """Simple names of types that a focal method may be called on."""

    own: frozenset[str]
    """The focal class and those that extend it."""
    above: frozenset[str]
    """Those above it that declare the method; behind a variable another class may stand."""


def _kinds(site: Site) -> _Kinds:
    focal, members = site.focal, site.symbols.members
    declared = members.of(site.focal_path, focal.owner)
    heirs = members.heirs_of(declared) if declared else ()
    own = frozenset({focal.class_name, *(one.name for one in heirs)})
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
    of_it = re.compile(whole(outer) if outer else "")  # many a class has a Builder
    for place, one in enumerate(statements):
        mentioned = re.findall(r"[\w$]+", one.value)
        made = one.type in kinds.above and not kinds.own.isdisjoint(mentioned)
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
    kind = kind_of_result(site)
    taken = re.search(whole(RESULT), "\n".join(way.statements))
    call = f"{kind} {RESULT} = {way.receiver}" if kind and not taken else way.receiver
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
    plain = f"{name[0].lower()}{name[1:]}"
    if site.flavour == "junit3" or plain in OF_OBJECT or most_common(named, False):
        return f"test{name}"
    return plain
