"""What a settled test compares as text, compared as what it is.

A run tells of a list but its text, so what is settled at first reads
``assertEquals("[a, b]", result.toString())``. Where the variable's type says what the text stands
for, ``assertEquals(Arrays.asList("a", "b"), result)`` says the same and reads better; that it does
say the same, a run shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tree_sitter import Node

from indexer.facts import simple_type
from personalizer.generation.rescue.literals import literal_of, shown
from personalizer.generation.site import Site
from personalizer.generation.syntax import MethodTree, code, given_to, kinds_of_variables, nodes

__all__ = ["MADE_OF", "typed"]

_MOST = 12
"""Values of a list or an array that a test names."""


def typed(text: str, site: Site) -> str:
    """A test without the comparisons of texts that it can do without.

    Args:
        text: One test.
        site: Where it stands.
    """
    tree = MethodTree(text)
    kinds = kinds_of_variables(tree.method)
    for call in _comparisons(tree.method):
        expected, came = given_to(call)
        if said := _said_of(expected, came, kinds, site):
            tree.replace(call, said)
    return tree.text


def _comparisons(method: Node | None) -> Iterator[Node]:
    """Calls of ``assertEquals`` with a text."""
    for node in nodes(method):
        given = [one.type for one in given_to(node)]
        named = code(node.child_by_field_name("name")) == "assertEquals"
        if named and len(given) == 2 and given[0] == "string_literal":
            yield node


_TEXT = re.compile(r"(\w+)\.toString\(\)|Arrays\.toString\((\w+)\)")


def _said_of(expected: Node, came: Node, kinds: Mapping[str, str], site: Site) -> str:
    """An assertion that says the same of the very variable; empty where there is none."""
    found = _TEXT.fullmatch(code(came))
    name = (found[1] or found[2]) if found else ""
    said = shown(expected)
    if name not in kinds or said is None:
        return ""
    kind = re.sub(r"\s", "", kinds[name])
    simple = simple_type(kind)
    inside = re.search(r"<([\w.,]+)>\Z", kind)
    element = inside[1].rpartition(".")[2] if inside else ""
    if kind.endswith("[]"):
        return _of_array(kind, name, said)
    if simple in ("List", "Collection", "Iterable", "Set"):
        return _of_several(simple, element, name, said, _writes_of(site))
    if simple == "Map" and said == "{}":
        return f"assertTrue({name}.isEmpty())"
    if simple == "Optional":
        return _of_optional(element, name, said)
    if simple in MADE_OF:
        return f"assertEquals({MADE_OF[simple](code(expected))}, {name})"
    declared = site.symbols.members.seen_from(kind, site.focal_path)
    constant = declared is not None and declared.type.kind == "enum" and said.isidentifier()
    return f"assertEquals({kind}.{said}, {name})" if constant else ""


def _of_array(kind: str, name: str, said: str) -> str:
    if said == "[]":
        return f"assertEquals(0, {name}.length)"
    values, delta = _values(kind.removesuffix("[]"), said), ", 1e-9" if kind == "double[]" else ""
    return f"assertArrayEquals(new {kind} {{{values}}}, {name}{delta})" if values else ""


def _of_several(kind: str, element: str, name: str, said: str, of: bool) -> str:
    if said == "[]" and kind != "Iterable":
        return f"assertTrue({name}.isEmpty())"
    values = _values(element, said)
    old = "new HashSet<>(Arrays.asList({}))" if kind == "Set" else "Arrays.asList({})"
    new = "Set.of({})" if kind == "Set" else "List.of({})"
    return f"assertEquals({(new if of else old).format(values)}, {name})" if values else ""


def _of_optional(element: str, name: str, said: str) -> str:
    if said == "Optional.empty":
        return f"assertFalse({name}.isPresent())"
    value = re.fullmatch(r"Optional\[(.*)\]", said, re.DOTALL)
    literal = _literal(element, value[1]) if value else None
    return f"assertEquals(Optional.of({literal}), {name})" if literal else ""


def _writes_of(site: Site) -> bool:
    """Whether the test class makes lists as Java 9 and newer do."""
    source = site.source(site.place.path) if site.place else b""
    return b"List.of(" in source or b"Set.of(" in source


def _values(kind: str, said: str) -> str:
    """Literals of a list's text; nothing where not each is one."""
    parts = said.removeprefix("[").removesuffix("]").split(", ")
    literals = [_literal(kind, one) for one in parts]
    whole = said[:1] + said[-1:] == "[]" and len(parts) <= _MOST
    return ", ".join(one for one in literals if one) if whole and all(literals) else ""


def _literal(kind: str, value: str) -> str | None:
    """Of what a list or an array of a type holds."""
    if kind in ("byte", "short") and re.fullmatch(r"-?\d+", value):
        return value
    return literal_of(_PRIMITIVES.get(kind, kind), value)


_PRIMITIVES = {"Boolean": "boolean", "Double": "double", "Integer": "int", "Long": "long"}
MADE_OF: dict[str, Callable[[str], str]] = {
    "BigDecimal": "new BigDecimal({})".format,
    "BigInteger": "new BigInteger({})".format,
    "Duration": "Duration.parse({})".format,
    "File": "new File({})".format,
    "LocalDate": "LocalDate.parse({})".format,
    "LocalDateTime": "LocalDateTime.parse({})".format,
    "LocalTime": "LocalTime.parse({})".format,
    "Path": "Paths.get({})".format,
    "URI": "URI.create({})".format,
    "UUID": "UUID.fromString({})".format,
}
"""How a value is made of its text, by types whose text says all of it."""
