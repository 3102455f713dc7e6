"""How the project's own tests make what a method is called on: beginnings for tests of it.

A small model names constructors that do not exist. The tests around know how an object of the focal
class comes to be, so a test may begin as one of them does, up to the name of the focal method; the
model goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, product
from typing import NamedTuple

from tree_sitter import Node

from indexer import Method, Where
from indexer.facts import simple_type
from personalizer.generation.site import Site
from personalizer.generation.style import most_common, test_files
from personalizer.generation.syntax import MethodTree, code, nodes

__all__ = ["Beginning", "beginnings", "plain_arguments", "plain_ends"]

RESULT = "result"
"""Name of the variable that holds what the focal method gives."""
_MOST_TESTS = 400
"""Tests that are read, those of the same class first."""
_LONGEST, _CHARACTERS = 8, 800
"""Statements that a beginning may take from a test, and its length."""


class Beginning(NamedTuple):
    """A test up to the name of the focal method, or behind its call where it takes nothing."""

    text: str
    note: str
    """Whose beginning it is, for the user."""


def beginnings(site: Site, most: int = 3) -> Iterator[Beginning]:
    """The ways to a call of the focal method, those of its own test class first, then the shortest.

    Args:
        site: Where the test will stand.
        most: Beginnings.
    """
    seen: set[str] = set()
    for made in _ways(site):
        if len(seen) < most:
            text = _text(site, made)
            if text not in seen and len(text) <= _CHARACTERS:
                seen.add(text)
                yield Beginning(text, made.note)


def plain_ends(
    text: str, begun: str, focal: Method, arguments: Sequence[str] | None
) -> Iterator[str]:
    """The test with nothing behind its call but an assertion of what comes: guesses, to be settled.

    Args:
        text: What the model made of a beginning.
        begun: The beginning's text.
        focal: The method under test.
        arguments: Plain arguments for it, where there are some.

    Yields:
        With the arguments that the model wrote, then with plain ones; nothing where what the
        method gives cannot be compared.
    """
    if focal.returns in ("void", "char", "float", "double"):
        return
    guesses = (
        _OF_OBJECTS[:1] if focal.constructor else _GUESSES.get(focal.returns or "", _OF_OBJECTS)
    )
    calls = [""]
    if focal.parameters:
        written = re.match(r"[^;{}]*;", text[len(begun) :])
        calls = [written[0]] if written else []
        calls += [] if arguments is None else [f"({', '.join(arguments)});"]
    for call, guess in product(calls, guesses):
        yield f"{begun}{call}\n    {guess};\n}}"


def plain_arguments(site: Site) -> tuple[str, ...] | None:
    """Arguments for the focal method; None where the project shows no value of a type.

    Literals, and of other types what its tests begin variables of that type with and needs none of
    theirs, the nearest first, or a constant of the type.
    """
    wanted = [simple_type(one.type) for one in site.focal.parameters]
    values: dict[str, list[str]] = {
        kind: [_ARGUMENTS[kind]] if kind in _ARGUMENTS else [] for kind in wanted
    }
    missing = {kind for kind, found in values.items() if not found}
    for tests in _tests_by_nearness(site) if missing else ():
        for test in tests:
            statements = list(_statements_of(site, test))
            own = {name for one in statements for name in one.names}
            for one in statements:
                if one.type in missing and one.value and not one.value_uses & own:
                    values[one.type].append(one.value)
        if all(values.values()):
            break
    for facts in site.snapshot.files.values() if not all(values.values()) else ():
        for field in facts.fields:
            kind = simple_type(field.owner)
            if kind in missing and simple_type(field.type) == kind and "static" in field.modifiers:
                values[kind].append(f"{kind}.{field.name}")
    if not all(values.values()):
        return None
    turns = {kind: cycle(dict.fromkeys(found)) for kind, found in values.items()}
    return tuple(next(turns[kind]) for kind in wanted)


_ARGUMENTS = {
    "String": '"a"',
    "CharSequence": '"a"',
    "Object": '"a"',
    "boolean": "true",
    "char": "'a'",
    "int": "1",
    "long": "1L",
    "short": "(short) 1",
    "byte": "(byte) 1",
    "double": "1.0",
    "float": "1.0f",
    "Integer": "1",
    "Long": "1L",
    "Boolean": "true",
    "Class": "Object.class",
}
_OF_OBJECTS = (f'assertEquals("", {RESULT}.toString())', f"assertNotNull({RESULT})")
"""What its text says is more than that it is there; one with its address in it is never taken."""
_GUESSES = {
    "boolean": (f"assertTrue({RESULT})",),
    "String": (f'assertEquals("", {RESULT})',),
    "int": (f"assertEquals(0, {RESULT})",),
    "short": (f"assertEquals(0, {RESULT})",),
    "byte": (f"assertEquals(0, {RESULT})",),
    "long": (f"assertEquals(0L, {RESULT})",),
}


# ---------------------------------------------------------------- ways to an object


class _Way(NamedTuple):
    receiver: str
    statements: tuple[str, ...]
    note: str


def _ways(site: Site) -> Iterable[_Way]:
    focal = site.focal
    if focal.constructor:
        yield _Way(f"new {focal.class_name}", (), "calls the constructor")
        return
    if "static" in focal.modifiers:
        yield _Way(f"{focal.class_name}.{focal.name}", (), "calls the method by its class")
        return
    kinds = _kinds(site)
    if site.place is not None:
        facts = site.snapshot.files[site.place.path]
        for field in facts.fields:
            if field.owner == site.place.owner and simple_type(field.type) in kinds:
                note = f"begins with the field {field.name} of {simple_type(field.owner)}"
                yield _Way(f"{field.name}.{focal.name}", (), note)
    for tests in _tests_by_nearness(site):
        found = [way for test in tests for way in _in_test(site, test, kinds)]
        yield from sorted(found, key=lambda way: len(way.statements))


def _kinds(site: Site) -> frozenset[str]:
    """Simple names of the focal class and of those that extend it."""
    name = site.focal.class_name
    extending = {
        kind.simple_name
        for facts in site.snapshot.files.values()
        for kind in facts.types
        if any(simple_type(parent) == name for parent in kind.extends)
    }
    return frozenset({name, *extending})


def _tests_by_nearness(site: Site) -> Iterator[list[Where]]:
    """Tests of the class that the test goes into, then those of other files, the nearest first."""
    snapshot = site.snapshot
    by_file: dict[str, list[Where]] = {}
    for test in snapshot.tests:
        by_file.setdefault(test.path, []).append(test)
    own = site.place.path if site.place else ""
    left = _MOST_TESTS
    for path in sorted(test_files(snapshot, site.focal_path), key=lambda one: one != own):
        tests = by_file.get(path, [])[:left]
        left -= len(tests)
        yield tests


def _in_test(site: Site, test: Where, kinds: frozenset[str]) -> Iterator[_Way]:
    statements = list(_statements_of(site, test))
    for place, one in enumerate(statements):
        if one.type in kinds and one.names and len(one.names) == 1:
            (name,) = one.names
            taken = _needed(statements, place)
            if len(taken) <= _LONGEST:
                note = f"begins as {test.method.name} of {test.method.class_name} does"
                yield _Way(f"{name}.{site.focal.name}", tuple(s.text for s in taken), note)


def _statements_of(site: Site, test: Where) -> Iterator[_Statement]:
    source = site.snapshot.source(test.path)
    tree = MethodTree(test.method.span.of(source).decode("utf-8", "replace"))
    body = tree.method.child_by_field_name("body") if tree.method else None
    return _flat(body) if body else iter(())


class _Statement(NamedTuple):
    """One statement of a test, as it may stand in another."""

    text: str
    type: str
    """Simple type of what it declares; empty where it declares nothing."""
    names: frozenset[str]
    """Variables that it declares."""
    uses: frozenset[str]
    """Names that it mentions."""
    value: str = ""
    """What its only variable begins with."""
    value_uses: frozenset[str] = frozenset()
    """Names in that."""


def _flat(body: Node) -> Iterator[_Statement]:
    """Declarations and calls of a body, those within ``try`` too, resources as variables."""
    for node in body.named_children:
        if node.type in ("local_variable_declaration", "expression_statement"):
            declarators = node.children_by_field_name("declarator")
            if not all(one.child_by_field_name("value") for one in declarators):
                continue  # what it holds is decided further down
            names = frozenset(code(one.child_by_field_name("name")) for one in declarators)
            value = declarators[0].child_by_field_name("value") if len(declarators) == 1 else None
            kind = node.child_by_field_name("type")
            if code(kind) == "var" and value and value.type == "object_creation_expression":
                kind = value.child_by_field_name("type")
            yield _Statement(
                _dedented(node),
                simple_type(code(kind)) if names else "",
                names,
                _names(node),
                code(value) if value else "",
                _names(value) if value else frozenset(),
            )
        elif node.type in ("try_statement", "try_with_resources_statement"):
            for resource in nodes(node):
                if resource.type == "resource" and resource.child_by_field_name("type"):
                    held = simple_type(code(resource.child_by_field_name("type")))
                    name = frozenset({code(resource.child_by_field_name("name"))})
                    yield _Statement(f"{_dedented(resource)};", held, name, _names(resource))
            inner = node.child_by_field_name("body")
            if inner is not None:
                yield from _flat(inner)
            return
        elif node.type not in ("line_comment", "block_comment"):
            return  # behind a loop or a condition nobody knows what holds


def _needed(statements: list[_Statement], place: int) -> list[_Statement]:
    """The statement at a place and those before it that it needs, in order."""
    wanted = set(statements[place].uses)
    taken = [statements[place]]
    for one in reversed(statements[:place]):
        touches = not one.names and bool(one.uses & wanted) and "assert" not in one.text
        if one.names & wanted or touches:
            wanted |= one.uses
            taken.append(one)
    return taken[::-1]


def _names(node: Node) -> frozenset[str]:
    return frozenset(code(one) for one in nodes(node) if one.type == "identifier")


def _dedented(node: Node) -> str:
    first, *rest = code(node).split("\n")
    depth = node.start_point[1]
    return "\n".join([first, *(re.sub(rf"^[ \t]{{0,{depth}}}", "", line) for line in rest)])


# ---------------------------------------------------------------- the text


def _text(site: Site, way: _Way) -> str:
    focal = site.focal
    junit5 = site.flavour == "junit5"
    head = "" if site.flavour == "junit3" else "@Test\n"
    head += f"{'' if junit5 else 'public '}void {_name(site)}() {{\n"
    kind = _kind_of_result(focal)
    declared = {name for text in way.statements for name in re.findall(r"\w+", text)}
    call = f"{kind} {RESULT} = {way.receiver}" if kind and RESULT not in declared else way.receiver
    if not focal.parameters:
        call += "();"
    lines = "\n".join([*way.statements, call]).split("\n")
    return head + "\n".join(f"    {line}" if line.strip() else line for line in lines)


def _name(site: Site) -> str:
    """``testTotal`` where most tests of the class are called so, else ``total``."""
    name = site.focal.name[:1].upper() + site.focal.name[1:]
    owner, path = (site.place.owner, site.place.path) if site.place else ("", "")
    tests = [one.method for one in site.snapshot.tests if one.path == path]
    named = [one.name.startswith("test") for one in tests if one.owner == owner]
    if site.flavour == "junit3" or most_common(named, False):
        return f"test{name}"
    return f"{name[0].lower()}{name[1:]}"


def _kind_of_result(focal: Method) -> str | None:
    """The type of the variable for what the method gives; None where it gives nothing."""
    if focal.constructor:
        return focal.class_name
    if focal.returns in (None, "void"):
        return None
    unknown = re.search(r"\b[A-Z][A-Z0-9]?\b", focal.returns or "")  # a type variable
    return "Object" if unknown else focal.returns
