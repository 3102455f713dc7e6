"""Which names of a generated test do not exist in the project, found before any compiler runs.

Only what is sure is reported: a receiver whose type is not a complete type of the project
(``members``) is not judged, since a supertype that nobody has seen may have anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from indexer import Import, Snapshot, Span, Where
from personalizer.engine.monitor.java_types import is_unchecked
from personalizer.generation.names.members import Declared, Members
from personalizer.generation.names.needs import Found, Scope
from personalizer.generation.names.wildcards import wildcards_of
from personalizer.generation.syntax import MethodTree, code, given_to, nodes, takes

__all__ = ["Misuse", "Reader"]


@dataclass(frozen=True)
class Misuse:
    """A name that its type does not have."""

    symbol: str
    """As told: ``Cart.totl()``, ``Cart.total(2 arguments)``, ``new Cart(2 arguments)``."""
    node: Node
    """The name."""
    owner: Declared
    arguments: tuple[Node, ...] | None
    """Of the call; None for a field."""
    exists: bool
    """The name exists, with other arguments."""


class Reader:
    """Reads one generated method with the types of its file at hand.

    Args:
        snapshot: The project.
        members: Its types.
        tree: The method.
        scope: Where the method will stand.
        owner: Qualified name of its class; None where that does not exist yet.
        found: What the method needs to import.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        members: Members,
        tree: MethodTree,
        scope: Scope,
        owner: str | None,
        found: Found,
    ) -> None:
        self._snapshot = snapshot
        self._members = members
        self._tree = tree
        self._scope = scope
        added = (Import(one.name, one.static, False, Span(0, 0)) for one in found.lines)
        self._imports = (*scope.imports, *added)
        self._owner_name = owner
        self._owner = members.of(scope.path, owner) if owner else None
        self._locals: dict[str, tuple[str, Node | None]] = {}
        self._own_types: set[str] = set()
        if tree.method is not None:
            self._declare(tree.method)

    # ------------------------------------------------------------ what is wrong

    def misuses(self) -> Iterator[Misuse]:
        """Members that do not exist, in the order of the text."""
        for node in nodes(self._tree.method):
            match node.type:
                case "method_invocation":
                    yield from self._of_call(node)
                case "object_creation_expression":
                    yield from self._of_creation(node)
                case "field_access":
                    yield from self._of_field(node)

    def unknown_variables(self) -> Iterator[Node]:
        """Uses of variables that neither the method nor its class declares."""
        known = self.visible()
        if known is None:
            return
        labels = {"labeled_statement", "break_statement", "continue_statement", "switch_label"}
        for node in nodes(self._tree.method):
            name, parent = code(node), node.parent
            if node.type != "identifier" or parent is None or parent.type in labels:
                continue
            if name[:1].islower() and name not in known and _is_use(node, parent):
                yield node

    def unknown_types(self) -> Iterator[Node]:
        """Types that are told as a member of a variable: half a call, as in ``cart.get one;``."""
        known = self.visible() or set(self._locals)
        for node in nodes(self._tree.method):
            if node.type == "scoped_type_identifier":
                first, last = code(node).partition(".")[0], code(node).rpartition(".")[2]
                if first in known and last[:1].islower():
                    yield node

    def visible(self) -> set[str] | None:
        """Variables and fields that a name may mean; None where others may be inherited."""
        path, name = self._scope.path, self._owner_name or ""
        known = set(self._locals)
        parts = name.split(".") if name else []
        for depth in range(1, len(parts) + 1):
            owner = self._members.of(path, ".".join(parts[:depth]))
            if owner is None or not owner.all_fields_known:
                return None
            known |= owner.fields.keys()
        statics = [one for one in self._imports if one.static]
        known |= {one.name.rpartition(".")[2] for one in statics if not one.wildcard}
        others = (one for one in statics if not _TESTING.search(one.name))
        wild = wildcards_of(self._snapshot, others).fields
        method = self._tree.method
        inner = method is not None and any(n.type == "class_body" for n in nodes(method))
        return None if inner or wild is None else known | wild

    def throws(self) -> bool:
        """Whether a method or constructor that is called declares an exception.

        Where several could be meant, all of them must. What a lambda or a ``try`` calls is theirs.
        """
        calls = nodes(self._tree.method)
        own = (node for node in calls if not _within(node, "lambda_expression", "try_statement"))
        meant = (self._called(node) for node in own)
        return any(found and all(map(self._may_throw, found)) for found in meant)

    def _may_throw(self, where: Where) -> bool:
        """Whether a method declares an exception that its caller must declare or catch."""
        signature = where.method.signature.of(self._snapshot.source(where.path))
        clause = re.search(rb"\)\s*throws\b(.*)", signature, re.DOTALL)
        names = clause[1].decode("utf-8", "replace").split(",") if clause else []
        return any(not self._unchecked(name.strip(), where.path) for name in names)

    def _unchecked(self, name: str, path: str) -> bool:
        """Whether an exception is known to need no declaration."""
        own = self._members.seen_from(name, path)
        above = [one.name for one in own.outside] if own else [name.rpartition(".")[2]]
        return any(map(is_unchecked, above))

    def _of_call(self, node: Node) -> Iterator[Misuse]:
        name, receiver = node.child_by_field_name("name"), node.child_by_field_name("object")
        owner = self._type_of(receiver) if receiver else None
        if name is None or owner is None or not owner.complete:
            return
        arguments = given_to(node)
        named = owner.methods(code(name), inside=self._scope.path)
        given = owner.given(code(name))
        if len(arguments) in given or any(takes(one.method, len(arguments)) for one in named):
            return
        exists = bool(named or given)
        told = _counted(len(arguments)) if exists else "()"
        yield Misuse(f"{owner.name}.{code(name)}{told}", name, owner, arguments, exists)

    def _of_creation(self, node: Node) -> Iterator[Misuse]:
        name = node.child_by_field_name("type")
        owner = self._named(code(name)) if name else None
        anonymous = any(child.type == "class_body" for child in node.children)
        if name is None or owner is None or anonymous or owner.generated_constructors:
            return
        arguments = given_to(node)
        count = len(arguments)
        constructors = owner.constructors(inside=self._scope.path)
        made = len(owner.components)
        abstract = "abstract" in owner.type.modifiers or owner.type.kind in ("interface", "enum")
        fits = (
            count == made
            if constructors is None
            else any(takes(one.method, count) for one in constructors)
            or (owner.type.kind == "record" and count == made)
        )
        if abstract or not fits:
            told = "()" if abstract else _counted(count)
            yield Misuse(f"new {owner.name}{told}", name, owner, arguments, exists=True)

    def _of_field(self, node: Node) -> Iterator[Misuse]:
        name, receiver = node.child_by_field_name("field"), node.child_by_field_name("object")
        owner = self._type_of(receiver) if receiver else None
        if name is None or owner is None or not owner.complete or name.type != "identifier":
            return
        if code(name) in owner.fields or owner.has_inner(code(name)):
            return
        yield Misuse(f"{owner.name}.{code(name)}", name, owner, None, exists=False)

    # ------------------------------------------------------------ types of expressions

    def _declare(self, method: Node) -> None:
        """Takes in the local variables; of one that is declared twice nothing is known."""
        for name, declared, value in local_variables(method):
            self._locals[name] = ("?", None) if name in self._locals else (declared, value)
        for node in nodes(method):
            if node.type in _TYPES:
                self._own_types.add(code(node.child_by_field_name("name")))
            elif node.type == "type_parameter":
                self._own_types.update(code(one) for one in node.named_children[:1])

    def _named(self, name: str) -> Declared | None:
        scope = self._scope
        if name in self._own_types:
            return None
        return self._members.named(name, scope.path, scope.package, self._imports)

    def _type_of(self, node: Node) -> Declared | None:
        """The project's type of an expression, or the one that a name names; None if unsure."""
        match node.type:
            case "identifier":
                return self._of_name(code(node))
            case "parenthesized_expression":
                return self._type_of(node.named_children[0]) if node.named_children else None
            case "this":
                return None if _within(node, "class_body", beyond=1) else self._owner
            case "cast_expression" | "object_creation_expression":
                declared = node.child_by_field_name("type")
                anonymous = any(child.type == "class_body" for child in node.children)
                return None if anonymous else self._named(code(declared))
            case "field_access":
                receiver = node.child_by_field_name("object")
                owner = self._type_of(receiver) if receiver else None
                return _of_field(self._members, owner, code(node.child_by_field_name("field")))
            case "method_invocation":
                found = {(one.method.returns or "", one.path) for one in self._called(node)}
                if len(found) == 1:
                    returned, path = found.pop()
                    return self._members.seen_from(returned, path)
        return None

    def _of_name(self, name: str) -> Declared | None:
        if name in self._locals:
            declared, value = self._locals[name]
            if declared == "var":
                return self._type_of(value) if value else None
            return self._named(declared)
        if self._owner is not None and name in self._owner.fields:
            return _of_field(self._members, self._owner, name)
        inherited = self._owner is not None and not self._owner.complete
        if inherited and not name[:1].isupper():
            return None
        return self._named(name)

    def _called(self, node: Node) -> list[Where]:
        """The project's methods or constructors that a call may mean."""
        arguments = given_to(node)
        if node.type == "object_creation_expression":
            owner = self._named(code(node.child_by_field_name("type")))
            found = (owner.constructors(inside=self._scope.path) or []) if owner else []
        elif node.type == "method_invocation":
            receiver = node.child_by_field_name("object")
            owner = self._type_of(receiver) if receiver else self._owner
            name = code(node.child_by_field_name("name"))
            found = list(owner.methods(name, inside=self._scope.path)) if owner else []
        else:
            return []
        return [one for one in found if takes(one.method, len(arguments))]


_TYPES = ("class_declaration", "enum_declaration", "interface_declaration", "record_declaration")


def local_variables(method: Node) -> Iterator[tuple[str, str, Node | None]]:
    """Name, type as written (``var`` where it is inferred from the value) and value."""
    for node in nodes(method):
        kind = node.child_by_field_name("type")
        match node.type:
            case "local_variable_declaration" | "field_declaration":
                for one in node.children_by_field_name("declarator"):
                    array = "[]" if one.child_by_field_name("dimensions") else ""
                    value = one.child_by_field_name("value")
                    yield code(one.child_by_field_name("name")), code(kind) + array, value
            case "formal_parameter" | "resource":
                yield (
                    code(node.child_by_field_name("name")),
                    code(kind),
                    node.child_by_field_name("value"),
                )
            case "enhanced_for_statement":
                yield code(node.child_by_field_name("name")), code(kind), None
            case "catch_formal_parameter":
                yield code(node.child_by_field_name("name")), "?", None
            case "lambda_expression":
                inferred = node.child_by_field_name("parameters")
                if inferred is not None and inferred.type != "formal_parameters":
                    for one in nodes(inferred):
                        if one.type == "identifier":
                            yield code(one), "?", None
            case "type_pattern" | "record_pattern_component":
                *_, declared, matched = node.named_children
                yield code(matched), code(declared), None
            case "instanceof_expression":
                name = node.child_by_field_name("name")
                if name is not None:
                    yield code(name), code(node.child_by_field_name("right")), None


_TESTING = re.compile(r"junit|testng|hamcrest|assertj|mockito|truth")


def _is_use(node: Node, parent: Node) -> bool:
    """Whether an identifier reads or writes a variable: no name of a member, package or value."""
    if parent.type in ("scoped_identifier", "method_reference", "element_value_pair", "annotation"):
        return False
    names = {"method_invocation": ("name",), "field_access": ("field",)}
    fields = names.get(parent.type, ("name",) if parent.child_by_field_name("name") else ())
    if any((one := parent.child_by_field_name(f)) and one.id == node.id for f in fields):
        return False
    # ``java.util.List.of()``: a package, as far as one can tell
    receiver = parent.child_by_field_name("object")
    return not (receiver and receiver.id == node.id and parent.type == "field_access")


def _within(node: Node, *kinds: str, beyond: int = 0) -> bool:
    """Whether more than ``beyond`` of the nodes above are of some kinds."""
    found, above = 0, node.parent
    while above is not None:
        found += above.type in kinds
        above = above.parent
    return found > beyond


def _counted(count: int) -> str:
    return f"({count} argument{'' if count == 1 else 's'})"


def _of_field(members: Members, owner: Declared | None, name: str) -> Declared | None:
    """The type of a field, as the file that declares it means it."""
    declared = owner.fields.get(name) if owner else None
    if owner is None or declared is None:
        return None
    return members.seen_from(declared.type, declared.path)
