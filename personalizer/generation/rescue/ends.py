"""Ends of tests that are guesses: a call of the focal method and what may be asserted of it.

What comes is not known before a run; the run settles it (``settling``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from indexer import Method
from personalizer.generation.rescue.arguments import Arguments
from personalizer.generation.site import Site

__all__ = [
    "RESULT",
    "Ends",
    "Getter",
    "asserted",
    "ends_at",
    "getters_of",
    "kind_of_result",
    "plain_ends",
]

RESULT = "result"
"""Name of the variable that holds what the focal method gives."""


def plain_ends(
    text: str,
    begun: str,
    focal: Method,
    arguments: Iterable[Arguments],
    *,
    flavour: str = "",
    getters: Sequence[Getter] = (),
) -> Iterator[str]:
    """The test with nothing behind its call but an assertion of what comes: guesses, to be settled.

    Args:
        text: What the model made of a beginning.
        begun: The beginning's text.
        focal: The method under test.
        arguments: Ways to call it.
        flavour: Test framework.
        getters: What tells what a constructor made, or what a method did that gives nothing.

    Yields:
        With the arguments that the model wrote, then with the others.
    """
    guesses = _guesses(focal.returns or "")
    if focal.constructor:
        guesses = (*_of_state(RESULT, getters), _THERE)
    elif focal.returns == "void":  # what it did is seen in what it was called on, if at all
        called_on = re.search(r"\n\s*([a-z]\w*)\.\w+(?:\(\);)?\Z", begun)
        guesses = _of_state(called_on[1], getters) if called_on else ()
    for call in _calls(text, begun, focal, arguments):
        for guess in guesses:
            lines = "".join(f"    {_in_order(one, flavour)};\n" for one in guess.split("\n"))
            yield f"{call}\n{lines}}}"
        if focal.returns == "void" and flavour == "junit5":
            *before, last = call.split("\n")
            quiet = f"    assertDoesNotThrow(() -> {last.strip().rstrip(';')});"
            yield "\n".join([*before, quiet, "}"])


def _calls(text: str, begun: str, focal: Method, arguments: Iterable[Arguments]) -> Iterator[str]:
    """A beginning up to behind its call, with what the model gave it first."""
    if not focal.parameters:
        yield begun
        return
    written = re.match(r"[^;{}]*;", text[len(begun) :])
    if written and not re.search(rf"\b{RESULT}\b", written[0]):  # which is not yet there
        yield begun + written[0]
    made = (one.behind(begun) for one in arguments)
    yield from (one for one in made if one is not None)


Ends = Callable[[str, str], Iterator[str]]
"""From what the model made of a beginning, and the beginning, to tests that are guesses."""


def ends_at(site: Site, arguments: Iterable[Arguments]) -> Ends:
    """``plain_ends`` for the tests of one site.

    Args:
        site: Where they stand.
        arguments: Ways to call its focal method.
    """
    ways, getters = list(arguments), getters_of(site)

    def ends(text: str, begun: str) -> Iterator[str]:
        return plain_ends(text, begun, site.focal, ways, flavour=site.flavour, getters=getters)

    return ends


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
    kind = kind_of_result(site)
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
    "Boolean": (f"assertTrue({RESULT})", _THERE),
    "Double": (f"assertEquals(0.0, {RESULT}, 1e-9)", _THERE),
    "Integer": (f"assertEquals(0, {RESULT}.intValue())", _THERE),
    "Long": (f"assertEquals(0L, {RESULT}.longValue())", _THERE),
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


def kind_of_result(site: Site) -> str | None:
    """The type of the variable for what the method gives; None where it gives nothing."""
    focal = site.focal
    if focal.constructor:
        return focal.owner
    if focal.returns in (None, "void"):
        return None
    if re.search(r"\b[A-Z][A-Z0-9]?\b", focal.returns):  # a type variable
        return "Object[]" if focal.returns.endswith("[]") else "Object"
    inner = {one.simple_name: one.name for one in site.snapshot.files[site.focal_path].types}
    return re.sub(r"(?<![\w.])[A-Z]\w*", lambda m: inner.get(m[0], m[0]), focal.returns)
