"""What the project's tests are made of: statements that may stand in another test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tree_sitter import Node

from indexer import Where
from indexer.facts import simple_type
from personalizer.generation.placing.style import test_files
from personalizer.generation.site import Site
from personalizer.generation.syntax import MethodTree, code, nodes

__all__ = ["Statement", "needed", "statements_of", "tests_by_nearness"]

_MOST_TESTS = 400
"""Tests that are read, those of the same class first."""


class Statement(NamedTuple):
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


def tests_by_nearness(site: Site) -> Iterator[list[Where]]:
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


def statements_of(site: Site, test: Where) -> Iterator[Statement]:
    """The statements of a test up to where nobody knows any more what holds."""
    tree = MethodTree(test.method.span.of(site.source(test.path)).decode("utf-8", "replace"))
    body = tree.method.child_by_field_name("body") if tree.method else None
    return _flat(body) if body else iter(())


def _flat(body: Node) -> Iterator[Statement]:
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
            yield Statement(
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
                    yield Statement(f"{_dedented(resource)};", held, name, _names(resource))
            inner = node.child_by_field_name("body")
            if inner is not None:
                yield from _flat(inner)
            return
        elif node.type not in ("line_comment", "block_comment"):
            return  # behind a loop or a condition nobody knows what holds


def needed(statements: Sequence[Statement], place: int) -> list[Statement]:
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
