"""What a settled test compares as text, compared as what it is.

A run tells of a list but its text, so what is settled at first reads
``assertEquals("[a, b]", result.toString())``. Where the variable's type says what the text stands
for, ``assertEquals(List.of("a", "b"), result)`` says the same and reads better; that it does say
the same, a run shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from indexer.facts import simple_type
from personalizer.generation.rescue.literals import literal_of, shown
from personalizer.generation.site import Site
from personalizer.generation.syntax import MethodTree, code, nodes

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
    kinds = _kinds(tree.method)
    for call in _comparisons(tree.method):
        for way in _ways(call, kinds, site):
            tree.replace(call, way)
    return tree.text


def _kinds(method: Node | None) -> dict[str, str]:
    """Types of local variables, as written."""
    return {
        code(one.child_by_field_name("name")): code(node.child_by_field_name("type"))
        for node in nodes(method)
        if node.type == "local_variable_declaration"
        for one in node.children_by_field_name("declarator")
    }


def _comparisons(method: Node | None) -> Iterator[Node]:
    """Calls of ``assertEquals`` with a text."""
    for node in nodes(method):
        arguments = node.child_by_field_name("arguments")
        given = [one.type for one in arguments.named_children] if arguments else []
        named = code(node.child_by_field_name("name")) == "assertEquals"
        if named and len(given) == 2 and given[0] == "string_literal":
            yield node


_TEXT = re.compile(r"(\w+)\.toString\(\)|Arrays\.toString\((\w+)\)")


def _ways(call: Node, kinds: dict[str, str], site: Site) -> Iterator[str]:
    """An assertion that says the same of the very variable; none where there is none."""
    arguments = call.child_by_field_name("arguments")
    expected, came = arguments.named_children if arguments else (call, call)
    found = _TEXT.fullmatch(code(came))
    name = (found[1] or found[2]) if found else ""
    said = shown(expected)
    if name not in kinds or said is None:
        return
    kind = re.sub(r"\s", "", kinds[name])
    simple = simple_type(kind)
    inside = re.search(r"<([\w.,]+)>\Z", kind)
    element = inside[1].rpartition(".")[2] if inside else ""
    if kind.endswith("[]"):
        yield from _of_array(kind, name, said)
    elif simple in ("List", "Collection", "Iterable", "Set"):
        yield from _of_several(simple, element, name, said, _writes_of(site))
    elif simple == "Map" and said == "{}":
        yield f"assertTrue({name}.isEmpty())"
    elif simple == "Optional":
        value = re.fullmatch(r"Optional\[(.*)\]", said, re.DOTALL)
        literal = literal_of(_PRIMITIVES.get(element, element), value[1]) if value else None
        if said == "Optional.empty":
            yield f"assertFalse({name}.isPresent())"
        elif literal:
            yield f"assertEquals(Optional.of({literal}), {name})"
    elif simple in MADE_OF:
        yield f"assertEquals({MADE_OF[simple](code(expected))}, {name})"
    else:
        declared = site.symbols.members.seen_from(kind, site.focal_path)
        if declared is not None and declared.type.kind == "enum" and said.isidentifier():
            yield f"assertEquals({kind}.{said}, {name})"


def _of_array(kind: str, name: str, said: str) -> Iterator[str]:
    if said == "[]":
        yield f"assertEquals(0, {name}.length)"
    elif values := _values(kind.removesuffix("[]"), said):
        delta = ", 1e-9" if kind == "double[]" else ""
        yield f"assertArrayEquals(new {kind} {{{values}}}, {name}{delta})"


def _of_several(kind: str, element: str, name: str, said: str, of: bool) -> Iterator[str]:
    if said == "[]" and kind != "Iterable":
        yield f"assertTrue({name}.isEmpty())"
    elif values := _values(_PRIMITIVES.get(element, element), said):
        old = "new HashSet<>(Arrays.asList({}))" if kind == "Set" else "Arrays.asList({})"
        new = "Set.of({})" if kind == "Set" else "List.of({})"
        yield f"assertEquals({(new if of else old).format(values)}, {name})"


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
    if kind in ("byte", "short") and re.fullmatch(r"-?\d+", value):
        return value
    return literal_of(kind, value)


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
