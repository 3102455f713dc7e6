"""What may be asserted of values, by their types: guesses, which a run settles (``settling``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from indexer.facts import simple_type
from indexer.languages.java_words import PRIMITIVES
from personalizer.generation.names.members import Declared
from personalizer.generation.site import Site

__all__ = [
    "RESULT",
    "Getter",
    "Views",
    "asserted",
    "getters_of",
    "guesses",
    "in_order",
    "is_generic",
    "kind_of_result",
    "of_state",
    "views_of",
]

RESULT = "result"
"""Name of the variable that holds what the focal method gives."""


class Getter(NamedTuple):
    """A method that says simply what an object holds."""

    name: str
    type: str
    """Of what it gives."""


class Views(NamedTuple):
    """What tells, at a site, what its focal method did."""

    flavour: str = ""
    """Test framework."""
    of_owner: tuple[Getter, ...] = ()
    """Of what a constructor makes, or a method is called on."""
    of_result: tuple[Getter, ...] = ()
    fluent: bool = False
    """Whether the method may give what it is called on."""


def views_of(site: Site) -> Views:
    """Those of a site."""
    focal, members = site.focal, site.symbols.members
    owner = members.of(site.focal_path, focal.owner)
    given = focal.returns or "void"
    result = members.seen_from(given, site.focal_path) if given != "void" else None
    above = {kind.name for _, _, kind in owner.chain} if owner else set()
    fluent = "static" not in focal.modifiers and (
        (result.type.name in above) if result else members.is_variable(given, site.focal_path)
    )
    return Views(
        site.flavour,
        getters_of(owner, site),
        getters_of(result, site),
        fluent,
    )


def getters_of(declared: Declared | None, site: Site) -> tuple[Getter, ...]:
    """Of a type, those first that are named as the focal method or what that takes.

    Of a builder also those of what it builds, if they are named so.
    """
    if declared is None:
        return ()
    focal = site.focal
    named = [re.sub(r"^[a-z]+", "", focal.name), focal.name, *(p.name for p in focal.parameters)]
    stems = [name.lower() for name in named if name]

    def is_meant(one: Getter) -> bool:
        return any(stem in one.name.lower() for stem in stems)

    found = dict.fromkeys(_getters(declared, site))
    simple = sorted((one for one in found if one.type in _PLAIN), key=lambda one: not is_meant(one))
    for one in found:
        built = site.symbols.members.seen_from(one.type, declared.path) if _builds(one) else None
        inner = _getters(built, site) if built and built.type is not declared.type else ()
        meant = (each for each in inner if each.type in _PLAIN and is_meant(each))
        simple[:0] = [Getter(f"{one.name}().{each.name}", each.type) for each in meant]
    return tuple(simple[:_GETTERS])


def _getters(declared: Declared, site: Site) -> Iterator[Getter]:
    """Methods of a type that take nothing, give something and do no more, as it seems."""
    for one in declared.all_methods(inside=""):
        method = one.method
        given = Getter(method.name, method.returns or "")
        public = "public" in method.modifiers and "static" not in method.modifiers
        if public and not method.parameters and method.name != site.focal.name:
            body = method.body.of(site.source(one.path)) if method.body else b""
            if _GETTER.fullmatch(method.name) or _builds(given) or _GIVES.fullmatch(body):
                yield given
    for component in declared.components:
        yield Getter(component.name, declared.fields[component.name].type)
    if any(one.name.endswith(("Exception", "Error", "Throwable")) for one in declared.outside):
        yield Getter("getMessage", "String")


def _builds(one: Getter) -> bool:
    return one.name in ("build", "create", "get")


_GETTER = re.compile(r"(?:get|is|has)[A-Z]\w*|size|length|count|name|total|value")
_GIVES = re.compile(rb"\{\s*return (?:this\.)?\w+;\s*\}")
_GETTERS = 3
"""What one test asserts of an object."""


def of_state(name: str, getters: Iterable[Getter]) -> list[str]:
    """What getters of the object that a variable holds may say, a statement each."""
    return [_PLAIN[one.type].replace(RESULT, f"{name}.{one.name}()") for one in getters]


def guesses(written: str, name: str = RESULT, getters: Iterable[Getter] = ()) -> tuple[str, ...]:
    """What may be asserted of a variable, the most that can be said first.

    Args:
        written: Its type.
        name: The variable.
        getters: Of its type, where it is one of the project.

    Returns:
        A statement or several, one a line, each time.

    Example:
        >>> guesses("int"), guesses("Integer", "sum")
        (('assertEquals(0, result)',), ('assertEquals(0, sum.intValue())', 'assertNotNull(sum)'))
    """
    kind, there = simple_type(written), f"assertNotNull({name})"
    if found := _PLAIN.get(kind) or _OF_JAVA.get(kind):
        first = found.replace(RESULT, name)
        return (first,) if kind in PRIMITIVES else (first, there)
    if written.endswith("[]"):
        shown = "deepToString" if written.endswith("[][]") else "toString"
        return f'assertEquals("", Arrays.{shown}({name}))', there
    # What its text says; one with its address in it is never taken.
    state = "\n".join(of_state(name, getters))
    return (f'assertEquals("", {name}.toString())', *([state] if state else []), there)


_PLAIN = {
    "char": f'assertEquals("", String.valueOf({RESULT}))',
    "float": f"assertEquals(0.0f, {RESULT}, 1e-6f)",
    "double": f"assertEquals(0.0, {RESULT}, 1e-9)",
    "boolean": f"assertTrue({RESULT})",
    "Boolean": f"assertTrue({RESULT})",
    "Byte": f"assertEquals(0, {RESULT}.intValue())",
    "Double": f"assertEquals(0.0, {RESULT}, 1e-9)",
    "Float": f"assertEquals(0.0f, {RESULT}, 1e-6f)",
    "Integer": f"assertEquals(0, {RESULT}.intValue())",
    "Long": f"assertEquals(0L, {RESULT}.longValue())",
    "Short": f"assertEquals(0, {RESULT}.intValue())",
    "String": f'assertEquals("", {RESULT})',
    "int": f"assertEquals(0, {RESULT})",
    "short": f"assertEquals(0, {RESULT})",
    "byte": f"assertEquals(0, {RESULT})",
    "long": f"assertEquals(0L, {RESULT})",
    "char[]": f'assertEquals("", new String({RESULT}))',
}
_OF_JAVA = {
    "Calendar": f"assertEquals(0L, {RESULT}.getTimeInMillis())",
    "Date": f"assertEquals(0L, {RESULT}.getTime())",
    "Enumeration": f"assertTrue({RESULT}.hasMoreElements())",
    "InputStream": f"assertEquals(0, {RESULT}.read())",
    "Iterator": f"assertTrue({RESULT}.hasNext())",
    "ListIterator": f"assertTrue({RESULT}.hasNext())",
    "Reader": f"assertEquals(0, {RESULT}.read())",
    "Stream": f"assertEquals(0L, {RESULT}.count())",
}
"""Of types of Java whose text says nothing of what is in them."""


def in_order(guess: str, flavour: str) -> str:
    """TestNG has what came first, then what was expected.

    Example:
        >>> in_order("assertEquals(0.0, result, 1e-9)", "testng")
        'assertEquals(result, 0.0, 1e-9)'
    """
    if flavour != "testng":
        return guess
    return re.sub(r"^(assertEquals)\((\S+), (.*?)(, [\de.f-]+)?\)$", r"\1(\3, \2\4)", guess)


def asserted(call: str, site: Site) -> list[str]:
    """Statements that keep what a call of the focal method gives and assert it; none of nothing."""
    kind = kind_of_result(site)
    return (
        [f"{kind} {RESULT} = {call};", f"{in_order(guesses(kind)[0], site.flavour)};"]
        if kind
        else []
    )


def is_generic(written: str, site: Site) -> bool:
    """Whether a type, as the focal method's file writes it, names a type variable."""
    names, members = re.findall(r"[A-Z]\w*", written), site.symbols.members
    return any(members.is_variable(name, site.focal_path) for name in names)


def kind_of_result(site: Site) -> str | None:
    """The type of the variable for what the method gives; None where it gives nothing."""
    focal = site.focal
    if focal.constructor:
        return focal.owner
    if focal.returns in (None, "void"):
        return None
    if is_generic(focal.returns, site):
        return "Object[]" if focal.returns.endswith("[]") else "Object"
    inner = {one.simple_name: one.name for one in site.snapshot.files[site.focal_path].types}
    return re.sub(r"(?<![\w$.])[A-Z][\w$]*", lambda m: inner.get(m[0], m[0]), focal.returns)
