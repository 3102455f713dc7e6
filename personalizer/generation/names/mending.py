"""Mends what is sure to be wrong in a generated test, and says what it mended.

A near miss is one edit away: a letter more, less, other or swapped; another case; with or without
``get``, ``set`` or ``is``. It is mended only where the project has exactly one such member that
takes the same number of arguments, and literals that fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tree_sitter import Node

from indexer import Snapshot
from personalizer.engine.monitor.java_types import java_packages
from personalizer.generation.names.libraries import FLAVOURS
from personalizer.generation.names.members import Members
from personalizer.generation.names.needs import Found, Needs, Scope
from personalizer.generation.names.symbols import Misuse, Reader
from personalizer.generation.placing.style import numbered
from personalizer.generation.syntax import MethodTree, code, is_variable, nodes, takes

__all__ = ["Checked", "Symbols", "one_edit"]


@dataclass(frozen=True, slots=True)
class Checked:
    """A method whose names were looked up."""

    text: str
    unknown: tuple[str, ...] = ()
    """What neither the project nor a known library explains."""
    notes: tuple[str, ...] = ()
    """What was mended, one sentence each."""


Step = Callable[[str], tuple[str, list[str]]]
"""A text to one with something mended, and what was."""


class Symbols:
    """Looks up the names of generated tests in one file.

    Args:
        snapshot: The project.
        scope: Where the tests will stand.
        owner: Qualified name of their class; None where it does not exist yet.
    """

    def __init__(self, snapshot: Snapshot, scope: Scope, owner: str | None) -> None:
        self._snapshot = snapshot
        self.scope = scope
        self._owner = owner
        self.members = Members(snapshot)
        self.needs = Needs(snapshot, scope)
        self._known: dict[str, Found] = {}

    def check(self, text: str) -> Checked:
        """The names of a method that do not exist; nothing is mended."""
        found = self.found(text)
        reader = self._reader(MethodTree(text))
        names = [one.symbol for one in reader.misuses()]
        names += [code(one) for one in (*reader.unknown_variables(), *reader.unknown_types())]
        return Checked(text, tuple(dict.fromkeys((*found.unknown, *names))))

    def short_name(self, full: str) -> str:
        """How a test may name a type: simply, where that will mean it, else in full."""
        name, scope = full.rpartition(".")[2], self.scope
        own = self.members.named(name, scope.path, scope.package, scope.imports)
        if own is not None:
            return name if self.members.full_name(own) == full else full
        plain = [one for one in scope.imports if not one.static]
        imported = {one.name for one in plain if one.name.endswith(f".{name}")}
        around = sum(name in java_packages().get(one.name, ()) for one in plain if one.wildcard)
        if imported - {full} or (around > 1 and not imported):
            return full
        found = self.found(f"void a() {{ {name} a; }}")
        added = [one.name for one in found.lines if not one.static]
        known = not added and not found.unknown and scope.names(full)
        return name if known or added == [full] else full

    def mend(self, text: str) -> Checked:
        """The test with near misses, double names, modifiers and missing ``throws`` mended."""
        return self._mended(text, (_annotations, self._public, *self._for_names, self._throws))

    def mend_names(self, text: str) -> Checked:
        """The same without ``throws``, for a method whose signature is not the model's."""
        return self._mended(text, self._for_names)

    @property
    def _for_names(self) -> tuple[Step, ...]:
        return self._types, self._calls, self._variables, self._members_of, _doubles

    def _mended(self, text: str, steps: Iterable[Step]) -> Checked:
        notes: list[str] = []
        for step in steps:
            mended, told = step(text)
            text = mended
            notes += told
        checked = self.check(text)
        return Checked(text, checked.unknown, tuple(notes))

    def found(self, text: str) -> Found:
        """What a text needs; most steps leave it as it was, so it is asked for again."""
        if text not in self._known:
            self._known[text] = self.needs.of(text)
        return self._known[text]

    def _reader(self, tree: MethodTree) -> Reader:
        found = self.found(tree.text)
        return Reader(self._snapshot, self.members, tree, self.scope, self._owner, found)

    # ------------------------------------------------------------ steps: text to text and notes

    def _types(self, text: str) -> tuple[str, list[str]]:
        unknown = self.found(text).unknown
        names = [name for name in unknown if not name.endswith("()")]
        return _renamed(text, {name: _near(name, self.members.names) for name in names})

    def _calls(self, text: str) -> tuple[str, list[str]]:
        """Calls without a receiver: assertions of the framework, helpers of the class."""
        unknown = self.found(text).unknown
        flavour = FLAVOURS[self.scope.flavour] if self.scope.flavour else None
        known = {*(flavour.statics if flavour else ()), *self.scope.visible.declared}
        names = [name.removesuffix("()") for name in unknown if name.endswith("()")]
        return _renamed(text, {name: _near(name, known) for name in names})

    def _variables(self, text: str) -> tuple[str, list[str]]:
        reader = self._reader(MethodTree(text))
        known = reader.visible() or set()
        return _renamed(text, {code(n): _near(code(n), known) for n in reader.unknown_variables()})

    def _members_of(self, text: str) -> tuple[str, list[str]]:
        tree = MethodTree(text)
        notes = []
        for misuse in self._reader(tree).misuses():
            right = None if misuse.exists else self._right(misuse)
            if right is not None:
                tree.replace(misuse.node, right)
                notes.append(_told(f"{misuse.owner.name}.{code(misuse.node)}", right))
        return tree.text, notes

    def _right(self, misuse: Misuse) -> str | None:
        """The member that a near miss means."""
        if misuse.arguments is None:
            return _near(code(misuse.node), misuse.owner.fields)
        arguments = misuse.arguments
        fitting = {
            one.method.name
            for one in misuse.owner.all_methods(inside=self.scope.path)
            if takes(one.method, len(arguments))
            and all(map(_fits, arguments, (p.type for p in one.method.parameters)))
        }
        return _near(code(misuse.node), fitting)

    def _public(self, text: str) -> tuple[str, list[str]]:
        """As all frameworks want it but JUnit 5."""
        wanted = self.scope.flavour in ("junit3", "junit4", "testng")
        public = _made_public(text) if wanted else text
        return public, ["made public"] if public != text else []

    def _throws(self, text: str) -> tuple[str, list[str]]:
        if not self._reader(MethodTree(text)).throws():
            return text, []
        thrown = with_throws(text)
        return thrown, ["added throws Exception"] if thrown != text else []


def with_throws(text: str) -> str:
    """A method that may throw any exception; one with a ``throws`` clause stays as it is."""
    tree = MethodTree(text)
    if tree.method is None or any(child.type == "throws" for child in tree.method.children):
        return text
    body = tree.method.child_by_field_name("body")
    if body is not None:
        tree.insert(body.start_byte, body.start_byte, "throws Exception ")
    return tree.text


def _renamed(text: str, names: dict[str, str | None]) -> tuple[str, list[str]]:
    """Every use of some names under others."""
    tree = MethodTree(text)
    right = {wrong: name for wrong, name in names.items() if name is not None}
    for node in nodes(tree.method) if tree.method and right else ():
        if node.type in ("identifier", "type_identifier") and code(node) in right:
            tree.replace(node, right[code(node)])
    return tree.text, [_told(wrong, name) for wrong, name in right.items()]


def _told(wrong: str, right: str) -> str:
    return f"wrote {right} for {wrong}, which does not exist"


# ---------------------------------------------------------------- annotations

_IDLE = frozenset({"Override", "Disabled", "Ignore"})
"""Of a new test: it overrides nothing, and is asked for to be run."""


def _annotations(text: str) -> tuple[str, list[str]]:
    """Without annotations that stand twice, and those that no new test bears."""
    tree = MethodTree(text)
    seen: set[str] = set()
    notes = []
    for node in tree.method.named_children[0].children if tree.method else ():  # its modifiers
        if node.type in ("marker_annotation", "annotation"):
            name = code(node.child_by_field_name("name"))
            if name.rpartition(".")[2] in _IDLE or code(node) in seen:
                tree.remove(node)
                notes.append(f"left out @{name}")
            seen.add(code(node))
    return tree.text, list(dict.fromkeys(notes))


def _made_public(text: str) -> str:
    """A method that is public, whatever it was.

    Example:
        >>> _made_public("@Test private void a() { }"), _made_public("void testA() { }")
        ('@Test public void a() { }', 'public void testA() { }')
    """
    tree = MethodTree(text)
    parts = tree.method.children if tree.method else []
    heads = (part.children if part.type == "modifiers" else [part] for part in parts)
    words = (one for head in heads for one in head)
    row = [one for one in words if not re.search("annotation|comment", one.type)]
    given = next((one for one in row if one.type in ("public", "protected", "private")), None)
    if given is not None:
        tree.replace(given, "public")
    elif row:
        tree.insert(row[0].start_byte, row[0].start_byte, "public ")
    return tree.text


# ---------------------------------------------------------------- two variables of one name


def _doubles(text: str) -> tuple[str, list[str]]:
    """A variable that is declared again in its block gets a name of its own from there on."""
    tree = MethodTree(text)
    notes = []
    if tree.method is not None:
        taken = {code(node) for node in nodes(tree.method) if node.type == "identifier"}
        for name, scope in _declared_again(tree.method):
            free = numbered(code(name), taken)
            taken.add(free)
            for node in nodes(scope):
                same = node.type == "identifier" and code(node) == code(name)
                if same and node.start_byte >= name.start_byte and is_variable(node):
                    tree.replace(node, free)
            notes.append(f"renamed the second {code(name)} to {free}")
    return tree.text, notes


def _declared_again(method: Node) -> Iterable[tuple[Node, Node]]:
    """Names of local variables that hide one of the same name, last first, with their blocks."""
    seen: list[tuple[str, Node]] = []
    found = []
    for node in nodes(method):
        if node.type not in ("local_variable_declaration", "formal_parameter"):
            continue
        block = _block_of(node)
        for one in node.children_by_field_name("declarator") or [node]:
            name = one.child_by_field_name("name")
            if name is None or block is None:
                continue
            if any(same == code(name) and _inside(block, outer) for same, outer in seen):
                found.append((name, block))
            else:
                seen.append((code(name), block))
    return reversed(found)


def _block_of(node: Node) -> Node | None:
    """The block, or statement with a head, that a variable lives in."""
    kinds = ("block", "for_statement", "method_declaration", "lambda_expression", "switch_block")
    above = node.parent
    while above is not None and above.type not in (*kinds, "class_body", "record_declaration"):
        above = above.parent
    return above


def _inside(node: Node, outer: Node) -> bool:
    """Whether a block lies in another, with no class body between."""
    above: Node | None = node
    while above is not None and above.type != "class_body":
        if above.id == outer.id:
            return True
        above = above.parent
    return False


# ---------------------------------------------------------------- nearness


def _near(name: str, known: Iterable[str]) -> str | None:
    """The only known name that is one edit away."""
    found = {one for one in known if one != name and one_edit(name, one)}
    return found.pop() if len(found) == 1 else None


def one_edit(left: str, right: str) -> bool:
    """Whether two names differ by one edit (see above); names under four letters never do.

    Example:
        >>> one_edit("totl", "total"), one_edit("getSize", "size"), one_edit("add", "and")
        (True, True, False)
    """
    if min(len(left), len(right)) < 4 or abs(len(left) - len(right)) > 3:
        return False
    if left.lower() == right.lower() or _bare(left) == _bare(right):
        return True
    head = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    head = min(len(left), len(right)) if head is None else head
    a, b = left[head:], right[head:]
    swapped = len(a) > 1 and len(b) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:]
    return swapped or a[1:] == b or a == b[1:] or a[1:] == b[1:]


def _bare(name: str) -> str:
    """A name without the prefix of an accessor."""
    return re.sub(r"^(?:get|set|is)(?=[A-Z])", "", name).lower()


_NUMBERS = {"byte", "short", "int", "long", "float", "double", "char"}
_LITERALS = {
    "string_literal": lambda kind: kind not in _NUMBERS | {"boolean"},
    "decimal_integer_literal": lambda kind: kind not in ("boolean", "String"),
    "decimal_floating_point_literal": lambda kind: kind not in ("boolean", "String"),
    "character_literal": lambda kind: kind not in ("boolean", "String"),
    "true": lambda kind: kind not in _NUMBERS | {"String"},
    "false": lambda kind: kind not in _NUMBERS | {"String"},
    "null_literal": lambda kind: kind not in _NUMBERS | {"boolean"},
}


def _fits(argument: Node, declared: str) -> bool:
    """Whether an argument may be of a type; only literals are ever refused."""
    test = _LITERALS.get(argument.type)
    return test is None or test(declared.removesuffix("..."))
