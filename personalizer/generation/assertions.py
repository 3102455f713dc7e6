"""Whether a test can fail by more than an exception: which of its calls assert something."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import cached_property
from itertools import combinations
from pathlib import PurePosixPath

from tree_sitter import Node

from indexer import Import, Span
from indexer.languages.java_words import PRIMITIVES
from indexer.pairing import in_test_root
from personalizer.engine.monitor.java_types import java_kind, java_name
from personalizer.generation.names.members import Declared
from personalizer.generation.names.symbols import local_variables
from personalizer.generation.site import Site
from personalizer.generation.syntax import CALLS, MethodTree, code, given_to, nodes

__all__ = ["asserts", "without_empty_words"]


def asserts(text: str, site: Site) -> bool:
    """Whether a test can fail by more than an exception, or says which exception it wants.

    What stands in a ``catch`` alone is seldom run, what stands in a ``try`` whose ``catch`` takes
    the failure cannot fail, and what compares a value with itself, or constants, says nothing.

    Args:
        text: One test method.
        site: Where it stands: what its names mean there tells assertions from other calls.
    """
    tree = MethodTree(text)
    head = tree.method.children[0] if tree.method else None
    if head is not None and head.type == "modifiers" and "expected" in code(head):
        return True
    reader = _Reader(tree, site)
    return any(
        reader.asserts(node) and not reader.is_caught(node)
        for node in nodes(tree.method, without=("catch_clause",))
    )


def without_empty_words(text: str) -> str:
    """A test without assertions of constants.

    Example:
        >>> print(without_empty_words("void a() {\\n  assertEquals(1, 1);\\n  assertTrue(b);\\n}"))
        void a() {
          assertTrue(b);
        }
    """
    tree = MethodTree(text)
    for node in nodes(tree.method):
        one = node.parent
        if one and one.parent and one.parent.type == "block" and _is_of_constants(node):
            tree.remove(one)
    return tree.text


class _Source(Enum):
    """Where a call comes from."""

    TESTS = auto()
    """The project's own tests, or what a class above the test's may give."""
    LIBRARY = auto()
    """A library of assertions."""
    CODE = auto()
    """The code under test, or Java."""
    ELSEWHERE = auto()
    """Another library."""
    UNKNOWN = auto()


_LIBRARIES = (
    *("org.junit.", "junit.framework.", "org.testng.", "org.assertj.", "org.fest.", "org.hamcrest"),
    *("com.google.common.truth.", "org.mockito.BDDMockito", "org.awaitility.", "io.restassured."),
    *("reactor.test.", "org.springframework.test."),
)
"""Beginnings of the full names of types that assert. Mockito's others also begin stubs."""
_ASSERTION = re.compile(r"assert(?!All$)|verify|fail", re.IGNORECASE)
"""What ``assertAll`` is given asserts, or does not."""
_EVERYDAY = re.compile(r"expect|then|should|ensure|check")
"""Beginnings of names that much else has: they count where they come from tests."""
_LOOKS_AT = re.compile(r"assertThat(?!ThrownBy)\w*|assertWithMessage|assertAbout|expectThat")
"""What says nothing until a call or a matcher follows."""
_STILL_OPEN = {"as", "describedAs", "overridingErrorMessage", "should", "that", "withFailMessage"}
_NEVER_NULL = frozenset(
    {"array_creation_expression", "binary_expression", "class_literal", "lambda_expression"}
    | {"method_reference", "object_creation_expression"}
)
_GIVES_SOMETHING = frozenset({"equals", "getClass", "hashCode", "toString"})
"""Methods of every object that do not give null."""
_TAKES_FAILURES = re.compile(r"(?:\w+\.)*(?:Throwable|Error|Assertion\w*Error|ComparisonFailure)")
_TYPE = re.compile(r"(?:[a-z]\w*\.)*[A-Z]\w*(?:\.[A-Z]\w*)*")


class _Reader:
    """Tells the assertions of one test from its other calls.

    Args:
        tree: The test.
        site: Where it stands.
    """

    def __init__(self, tree: MethodTree, site: Site) -> None:
        self._site, self._scope, self._members = site, site.symbols.scope, site.symbols.members
        added = site.symbols.found(tree.text).lines
        self._imports = (
            *self._scope.imports,
            *(Import(one.name, one.static, False, Span(0, 0)) for one in added),
        )
        variables = local_variables(tree.method) if tree.method else ()
        self._locals = {name: (kind, value) for name, kind, value in variables}

    def asserts(self, node: Node) -> bool:
        """Whether a node is an assertion that can fail."""
        if node.type == "assert_statement":
            said = node.named_children[0]
            return not _is_constant(said) and not self._holds_always(said)
        is_one = node.type == "method_invocation" and self._is_assertion(node)
        return is_one and not _is_of_constants(node) and not self._is_of_itself(node)

    def is_caught(self, node: Node) -> bool:
        """Whether a failure of an assertion ends in a ``catch`` around it that does not fail."""
        inner, outer = node, node.parent
        while outer is not None:
            body = outer.child_by_field_name("body") if outer.type.startswith("try_") else None
            tried = body is not None and body.id == inner.id
            if tried and any(map(self._takes_failure, outer.children)):
                return True
            inner, outer = outer, outer.parent
        return False

    def _takes_failure(self, clause: Node) -> bool:
        if clause.type != "catch_clause":
            return False
        taken = (code(one) for one in nodes(clause) if one.type == "catch_type")
        fails = (one.type == "throw_statement" or self.asserts(one) for one in nodes(clause))
        kinds = (kind.strip() for one in taken for kind in one.split("|"))
        return any(map(_TAKES_FAILURES.fullmatch, kinds)) and not any(fails)

    # ------------------------------------------------------------ which calls

    def _is_assertion(self, call: Node) -> bool:
        name, receiver = _name(call), call.child_by_field_name("object")
        everyday = _EVERYDAY.match(name) is not None
        if not everyday and not _ASSERTION.match(name):
            return False
        source = self._source_of(call)
        if source is not _Source.TESTS and self._is_left_open(call):
            return False
        if source in (_Source.TESTS, _Source.LIBRARY):
            return True
        if everyday:
            inherited = source is _Source.UNKNOWN and receiver is None
            return inherited and not self._with_easy_mock  # whose expect() is a stub
        if source is _Source.CODE and not name.startswith("assert"):
            return False
        own = source in (_Source.CODE, _Source.UNKNOWN) and receiver is not None
        return not own or name not in self._of_focal

    def _is_left_open(self, call: Node) -> bool:
        """Whether a call says what is looked at, and nothing of it."""
        name, given, receiver = _name(call), given_to(call), call.child_by_field_name("object")
        if name == "verify":  # of Mockito
            begun = receiver is None or receiver.type == "identifier"
            complete = not (begun and given) or self._with_easy_mock
        elif name in ("then", "should"):
            complete = False
        else:
            complete = len(given) > 1 or not _LOOKS_AT.fullmatch(name)
        return not complete and not _is_gone_on(call)

    @cached_property
    def _with_easy_mock(self) -> bool:
        """Whether mocks are EasyMock's, and ``verify(mock)`` says all."""
        return any(one.name.startswith("org.easymock.") for one in self._imports)

    @cached_property
    def _of_focal(self) -> set[str]:
        """Names of the methods of the focal class."""
        declared = self._members.of(self._site.focal_path, self._site.focal.owner)
        found = declared.all_methods(inside=declared.path) if declared else ()
        return {one.method.name for one in found}

    def _source_of(self, call: Node) -> _Source:
        """Where a call comes from, by what it is called on."""
        receiver = call.child_by_field_name("object")
        if receiver is None or receiver.type in ("this", "super"):
            return self._of_name(_name(call))
        found = self._of_expression(receiver)
        given = receiver.type == "method_invocation" and found is _Source.TESTS
        return _Source.UNKNOWN if given else found  # a helper may give anything

    def _of_expression(self, node: Node) -> _Source:
        if _TYPE.fullmatch(code(node)):
            return self._of_type(code(node))
        inner = node.child_by_field_name("object")
        match node.type:
            case "identifier":
                return self._of_variable(code(node))
            case "method_invocation":
                return self._source_of(node)
            case "object_creation_expression":
                return self._of_type(code(node.child_by_field_name("type")))
            case "field_access" if inner is not None and inner.type == "this":
                return self._of_variable(code(node.child_by_field_name("field")))
        return self._of_expression(inner) if inner is not None else _Source.UNKNOWN

    def _of_name(self, name: str) -> _Source:
        """Of a method without a receiver."""
        if any(one.methods(name, inside=self._scope.path) for one in self._owners):
            return _Source.TESTS
        statics = [one for one in self._imports if one.static]
        named = [one.name for one in statics if not one.wildcard and _last(one.name) == name]
        holders = [one.rpartition(".")[0] for one in named]
        holders += [one.name for one in statics if one.wildcard and self._has(one.name, name)]
        return self._of_type(holders[0]) if holders else _Source.UNKNOWN

    def _has(self, holder: str, name: str) -> bool:
        """Whether a type of the project or of Java surely has a method."""
        own = self._named(holder, self._scope.path)
        if own is not None:
            return bool(own.methods(name, inside=self._scope.path))
        kind = java_kind(_last(holder)) if java_name(_last(holder)) == holder else None
        return kind is not None and name in kind.methods

    def _of_variable(self, name: str) -> _Source:
        if name in self._locals:
            kind, value = self._locals[name]
            if kind == "?":
                return _Source.UNKNOWN
            if kind == "var":
                return self._of_expression(value) if value is not None else _Source.UNKNOWN
            return self._of_type(kind)
        fields = (one.fields[name] for one in self._owners if name in one.fields)
        field = next(fields, None)
        return self._of_type(field.type, field.path) if field else _Source.TESTS

    @cached_property
    def _owners(self) -> list[Declared]:
        """The test's class and those around it."""
        parts = self._site.place.owner.split(".") if self._site.place else []
        names = (".".join(parts[:depth]) for depth in range(len(parts), 0, -1))
        return [one for name in names if (one := self._members.of(self._scope.path, name))]

    def _of_type(self, written: str, path: str = "") -> _Source:
        """Of a type as a file names it, the test's own where none is told."""
        path = path or self._scope.path
        name = written.partition("<")[0].strip()
        own = self._named(name, path)
        if own is not None:
            return _Source.TESTS if self._is_of_tests(own.path) else _Source.CODE
        imports = [one for one in self._imports_of(path) if not one.static]
        first = name.partition(".")[0]
        exact = [one.name for one in imports if not one.wildcard and _last(one.name) == first]
        java = java_name(first)
        around = [f"{one.name}.{name}" for one in imports if one.wildcard and not java]
        known = [*exact, name] if exact else [java or name, *around]
        if any(one.startswith(_LIBRARIES) for one in known):
            return _Source.LIBRARY
        if known[0].startswith(("java.", "javax.")):
            return _Source.CODE
        return _Source.ELSEWHERE if "." in known[0] else _Source.UNKNOWN

    def _is_of_tests(self, path: str) -> bool:
        """Whether a file is the tests' own, as one is that lies beside the test's alone."""
        folder, tests, focal = (
            PurePosixPath(one).parent for one in (path, self._scope.path, self._site.focal_path)
        )
        facts = self._site.snapshot.files[path]
        return in_test_root(path, facts.package) or folder == tests != focal

    def _named(self, name: str, path: str) -> Declared | None:
        facts = self._site.snapshot.files.get(path)
        package = facts.package if facts else self._scope.package
        return self._members.named(name, path, package, self._imports_of(path))

    def _imports_of(self, path: str) -> tuple[Import, ...]:
        if path == self._scope.path:
            return self._imports
        return self._site.snapshot.files[path].imports

    # ------------------------------------------------------------ what says nothing

    def _is_of_itself(self, call: Node) -> bool:
        """Whether a call is an assertion of JUnit's that a value is what it is."""
        name, given = _name(call), given_to(call)
        if name in ("assertTrue", "assertFalse"):
            return any(map(self._holds_always, given))
        if name == "assertNotNull":
            told = [one for one in given if not _is_constant(one)]
            return bool(told) and all(map(self._is_never_null, told))
        if name not in ("assertEquals", "assertSame"):
            return False
        told = [one for one in given if not _is_constant(one)]
        pairs = combinations(told, 2)
        return any(self._are_one(*pair, identity=name == "assertSame") for pair in pairs)

    def _is_never_null(self, node: Node) -> bool:
        """Whether no code under test can make an expression null."""
        if node.type != "method_invocation":
            return node.type in _NEVER_NULL
        name, receiver, focal = _name(node), node.child_by_field_name("object"), self._site.focal
        if name == focal.name:
            same = len(given_to(node)) == len(focal.parameters)
            return same and focal.returns in PRIMITIVES
        of_class = receiver is not None and receiver.type == "class_literal"
        of_text = receiver is not None and code(receiver) == "String"
        return name in _GIVES_SOMETHING or of_text or (of_class and name.endswith("Name"))

    def _holds_always(self, node: Node) -> bool:
        """Whether a condition compares a value with itself."""
        left, right = (node.child_by_field_name(side) for side in ("left", "right"))
        if node.type != "binary_expression" or left is None or right is None:
            return False
        return self._are_one(left, right, identity=False)

    def _are_one(self, left: Node, right: Node, *, identity: bool) -> bool:
        """Whether two expressions are one, and give one value.

        Two objects that are made alike may differ, as an iterator gives another each time, and a
        cache is asked whether it gives the same one; the focal class gives what it gave.
        """
        if code(left) != code(right):
            return False
        if not any(one.type in CALLS for one in nodes(left)):
            return True
        receiver, name = left.child_by_field_name("object"), _name(left)
        made = receiver is None or _TYPE.fullmatch(code(receiver)) is not None
        known = name == self._site.focal.name or (name in self._of_focal and not made)
        return left.type == "method_invocation" and known and not identity


def _is_gone_on(call: Node) -> bool:
    """Whether a call follows that says something of what a call looks at."""
    inner, outer = call, call.parent
    while outer is not None and outer.type == "method_invocation":
        receiver = outer.child_by_field_name("object")
        if receiver is None or receiver.id != inner.id:
            break
        if _name(outer) not in _STILL_OPEN:
            return True
        inner, outer = outer, outer.parent
    return False


def _is_of_constants(call: Node) -> bool:
    """Whether a node is an assertion of JUnit's of nothing but constants."""
    given = given_to(call)
    return _name(call) in _PLAIN and bool(given) and all(map(_is_constant, given))


_PLAIN = {"assertEquals", "assertFalse", "assertNotEquals", "assertNotNull"}
_PLAIN |= {"assertNotSame", "assertNull", "assertSame", "assertTrue"}


def _is_constant(node: Node) -> bool:
    """Whether an expression is made of literals alone."""
    if node.type in ("binary_expression", "parenthesized_expression", "unary_expression"):
        return all(map(_is_constant, node.named_children))
    return node.type in ("true", "false") or node.type.endswith("_literal")


def _name(call: Node) -> str:
    return code(call.child_by_field_name("name"))


def _last(name: str) -> str:
    return name.rpartition(".")[2]
