"""What a run showed, written into the test: values, exceptions, what came where none was thrown.

The test then says what the code does today, which is told with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from tree_sitter import Node

from indexer import Method
from indexer.facts import simple_type
from personalizer.generation.names.mending import with_throws
from personalizer.generation.records import Candidate
from personalizer.generation.rescue.literals import (
    FLOAT,
    literal_like,
    literal_of,
    shown,
    without_marks,
)
from personalizer.generation.rescue.removal import (
    is_inside,
    statement_at,
    statements_in,
    with_dependants,
)
from personalizer.generation.rescue.typed import MADE_OF
from personalizer.generation.rescue.views import RESULT, asserted, guesses, in_order
from personalizer.generation.site import Site
from personalizer.generation.syntax import (
    CALLS,
    MethodTree,
    calls_of,
    code,
    given_to,
    hands_null,
    nodes,
)

__all__ = ["as_it_is", "returned", "settled", "thrown", "thrown_instead"]


def as_it_is(candidate: Candidate, site: Site, line: int) -> tuple[str, str] | None:
    """A candidate with one assertion as the run would have it, and what was changed.

    Args:
        candidate: Compiled and run.
        site: Where it stands.
        line: From 1: where the run ended.
    """
    failure, text = candidate.failure or "", candidate.text
    found = settled(text, line, failure, site.focal, site.flavour)
    if found is None and site.flavour in ("junit4", "junit5"):
        naming = site.symbols.short_name
        found = thrown(text, line, failure, site.focal, naming)
        found = found or thrown_instead(text, line, failure, site.focal, naming)
    return found or returned(text, line, failure, site)


_MISMATCH = re.compile(
    r"expected: ?<(.*)> but was: ?<(.*)>|expected \[(.*)\] but found \[(.*)\]", re.DOTALL
)
"""As JUnit says it, and TestNG."""
_ASSERTION_ERRORS = re.compile(r"[\w.]*(?:Assertion\w*Error|ComparisonFailure)\b")
_OF_TEXTS = re.compile(r"[\w.]*ComparisonFailure\b")
_OPPOSITE = {
    "assertTrue": "assertFalse",
    "assertFalse": "assertTrue",
    "assertNull": "assertNotNull",
    "assertNotNull": "assertNull",
}


def settled(
    text: str, line: int, failure: str, focal: Method | None = None, flavour: str = ""
) -> tuple[str, str] | None:
    """A method with the assertion at a line as the run would have it, and what was changed.

    Args:
        text: One method.
        line: From 1: where the run ended.
        failure: What JUnit said.
        focal: The method under test: what a call of it is compared with gives way, too.
        flavour: Test framework.

    Returns:
        None where no single value is to blame.

    Example:
        >>> settled("void a() {\\n  assertEquals(1, b());\\n}", 2,
        ...         "org.opentest4j.AssertionFailedError: expected: <1> but was: <2>")
        ('void a() {\\n  assertEquals(2, b());\\n}', '2 for 1')
    """
    if not _ASSERTION_ERRORS.match(failure):
        return None
    tree = MethodTree(text)
    calls = [
        node
        for node in nodes(tree.method)
        if node.type == "method_invocation" and node.start_point[0] <= line <= node.end_point[0]
    ]
    for call in calls:
        name, arguments = (call.child_by_field_name(one) for one in ("name", "arguments"))
        given = given_to(call)
        kind = simple_type(focal.returns or "") if focal else ""
        telling = code(name) == "assertNull" and len(given) == 1 and kind in _TELLING
        if telling and _is_result(given[0], tree, focal):
            guess = in_order(guesses(kind, code(given[0]))[0], flavour)  # to be settled itself
            on = code(call.child_by_field_name("object"))
            tree.replace(call, f"{on}.{guess}" if on else guess)
            return tree.text, "what came for null"
        if name is not None and (opposite := _OPPOSITE.get(code(name))):
            tree.replace(name, opposite)
            return tree.text, f"{opposite} for {code(name)}"
        values = _MISMATCH.search(failure)
        if arguments is None or values is None or not code(name).startswith("assert"):
            continue
        expected, actual = (one for one in values.groups() if one is not None)
        if _OF_TEXTS.match(failure):
            expected, actual = without_marks(expected), without_marks(actual)
        change = _literal_changed(given, expected, actual)
        if change is None and focal is not None and code(name) == "assertEquals":
            first = actual if values[3] is not None else expected  # TestNG, else JUnit
            change = _compared(tree, given, (first, actual), focal)
        if change is not None:
            one, new = change
            others = [each for each in given if each.id != one.id]
            if name is not None and (code(name), new, len(others)) == _EQUALS_NULL:
                tree.replace(name, "assertNull")
                tree.replace(arguments, f"({code(others[0])})")
            else:
                tree.replace(one, new)
            return tree.text, f"{new} for {code(one)}"
    return None


def _literal_changed(given: Sequence[Node], expected: str, actual: str) -> tuple[Node, str] | None:
    """The literal that was expected, and what came."""
    for one in given:
        if one.type == FLOAT and one.end_byte == given[-1].end_byte:
            break  # what two numbers may differ by
        new = literal_like(one, actual) if shown(one) == expected else None
        if new is not None and new != code(one):
            return one, new
    return None


def _compared(
    tree: MethodTree, given: Sequence[Node], came: tuple[str, str], focal: Method
) -> tuple[Node, str] | None:
    """What a call of the focal method, or a variable for it, is compared with, and what came.

    Args:
        tree: The test.
        given: What the assertion is given.
        came: What its first argument was, and one that is not the first.
        focal: The method under test.
    """
    for place, one in enumerate(given):
        if _is_result(one, tree, focal):
            new = literal_of(focal.returns or "", came[place > 0])
            other = given[place - 1 if place else 1] if len(given) > 1 else None
            return None if new is None or other is None else (other, new)
    return None


def _is_result(node: Node, tree: MethodTree, focal: Method | None) -> bool:
    """Whether a node is a call of the focal method, or a variable for one."""
    calls = {one.id for one in calls_of(focal, tree.method)} if focal else set()
    return node.id in calls or any(
        one.type == "variable_declarator"
        and code(one.child_by_field_name("name")) == code(node)
        and (value := one.child_by_field_name("value")) is not None
        and value.id in calls
        for one in nodes(tree.method)
    )


_TELLING = frozenset(["Boolean", "Byte", "Double", "Float", "Integer", "Long", "Short", "String"])
_TELLING |= MADE_OF.keys()
"""Types whose values a literal says."""
_EQUALS_NULL = ("assertEquals", "null", 1)
"""What is asserted, of what, beside how many others: as ``assertNull`` says it."""


_EXCEPTION = re.compile(r"(?:[a-z]\w*\.)+([A-Z]\w*Exception)\b")
_TYPE_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]?\b")
_OF_THE_TEST = ("NullPointerException", "ParameterResolutionException", "ClassCastException")
"""Exceptions that more often tell of a bad test than of what the method does."""
_OF_THE_SANDBOX = re.compile(
    r"Read-only file system|Permission denied|Operation not permitted|No space left"
    r"|Cannot run program|[Nn]etwork is unreachable|Name or service not known|name resolution"
    r"|Connection refused"
    r"|(?:UnknownHost|Connect|Socket|NoRouteToHost|AccessDenied|AccessControl|ReadOnlyFileSystem)"
    r"Exception"
)
"""What code meets in the sandbox alone: it says nothing of what the method does elsewhere."""


def thrown(
    text: str,
    line: int,
    failure: str,
    focal: Method,
    naming: Callable[[str], str] = lambda full: full.removeprefix("java.lang."),
) -> tuple[str, str] | None:
    """A method that expects the exception which a call of the focal method threw at a line.

    Args:
        text: One method.
        line: From 1: where the run ended.
        failure: What was said.
        focal: The method under test.
        naming: How the test may name an exception, by its full name.

    Returns:
        None where another statement threw.
    """
    named = _EXCEPTION.match(failure)
    tree = MethodTree(text)
    body = tree.method.child_by_field_name("body") if tree.method else None
    if named is None or body is None or _OF_THE_SANDBOX.search(failure):
        return None
    statements = list(statements_in(body))
    one = statement_at(statements, line)
    call = _alone(one, focal) if one else None
    if one is None or call is None or not _tells(named[0], call):
        return None
    gone = {one.id: one}
    with_dependants(statements, gone)
    for other in gone.values():
        if other.id != one.id and not is_inside(other, gone):
            tree.remove(other)
    kind = naming(named[0])
    taken = {code(node) for node in nodes(body) if node.type == "identifier"}
    before, bare = _arguments_before(call, focal, taken)
    lines = [*before, f"assertThrows({kind}.class, () -> {bare});"]
    tree.replace(one, f"\n{' ' * one.start_point[1]}".join(lines))
    return tree.text, f"{named[1]} thrown"


def _alone(statement: Node, focal: Method) -> Node | None:
    """The call of the focal method in a statement that calls nothing beside it but an assertion."""
    call = next(calls_of(focal, statement), None)
    if call is None or statement.type not in ("local_variable_declaration", "expression_statement"):
        return None
    own = {node.id for node in nodes(call)}
    others = [node for node in nodes(statement) if node.type in _DOES and node.id not in own]
    names = (code(one.child_by_field_name("name")) for one in others)
    return call if all(name.startswith("assert") for name in names) else None


_DOES = CALLS | {"lambda_expression", "method_reference"}


def _tells(exception: str, call: Node) -> bool:
    """Whether an exception, by its full name, tells of a call what is called does."""
    name = exception.rpartition(".")[2]
    if not name.endswith("Exception") or exception.startswith(_FRAMEWORKS):
        return False
    return name not in _OF_THE_TEST or (name == "NullPointerException" and hands_null(call))


_FRAMEWORKS = ("junit.", "org.junit.", "org.mockito.", "org.opentest4j.", "org.testng.")
"""Their exceptions tell of the test."""
_OTHER_THROWN = re.compile(
    r"nexpected exception type thrown[,;] ?expected: ?<(?:[\w.]+\.)?(\w+)> but was: ?<([\w.]+)>"
)
"""As JUnit 4 and 5 say it."""


def thrown_instead(
    text: str, line: int, failure: str, focal: Method, naming: Callable[[str], str]
) -> tuple[str, str] | None:
    """A method that expects the exception which came where it wanted another.

    Args:
        text: One method.
        line: From 1: where the run ended.
        failure: What JUnit said.
        focal: The method under test.
        naming: How the test may name an exception, by its full name.

    Returns:
        None where the exception says nothing of that.
    """
    found = _OTHER_THROWN.search(failure)
    tree = MethodTree(text)
    if found is None or tree.method is None or _OF_THE_SANDBOX.search(failure):
        return None
    for node in nodes(tree.method):
        at_line = node.start_point[0] <= line <= node.end_point[0]
        if not at_line or code(node.child_by_field_name("name")) != "assertThrows":
            continue
        wanted = [one for one in given_to(node) if one.type == _CLASS]
        if wanted and code(wanted[0]).endswith(f"{found[1]}.class"):
            call = next(calls_of(focal, node), None)
            if call is None or not _tells(found[2], call):
                return None
            new = f"{naming(found[2])}.class"
            tree.replace(wanted[0], new)
            return tree.text, f"{new} for {code(wanted[0])}"
    return None


_CLASS = "class_literal"
_NOTHING_THROWN = re.compile(r"xpected [\w.$]+ to be thrown, but nothing was thrown")


def returned(text: str, line: int, failure: str, site: Site) -> tuple[str, str] | None:
    """A method that asserts what the focal method gave where it was to throw.

    Args:
        text: One method.
        line: From 1: where the run ended.
        failure: What was said.
        site: Where it stands.

    Returns:
        None where another call was to throw, or nothing can be asserted of what it gave.
    """
    tree = MethodTree(text)
    body = tree.method.child_by_field_name("body") if tree.method else None
    if body is None or not _NOTHING_THROWN.search(failure):
        return None
    one = statement_at(list(statements_in(body)), line)
    lambdas = [node for node in nodes(one) if node.type == "lambda_expression"]
    call = lambdas[0].child_by_field_name("body") if len(lambdas) == 1 else None
    if (
        one is None
        or call is None
        or not any(found.id == call.id for found in calls_of(site.focal, call))
    ):
        return None
    lines = asserted(code(call), site)
    if not lines or RESULT in text:
        return None
    tree.replace(one, f"\n{' ' * one.start_point[1]}".join(lines))
    signature = site.focal.signature.of(site.snapshot.source(site.focal_path))
    text = with_throws(tree.text) if b"throws" in signature else tree.text
    return text, "what is given where nothing is thrown"


def _arguments_before(call: Node, focal: Method, taken: Collection[str]) -> tuple[list[str], str]:
    """Variables for arguments that call something themselves, and the call with their names.

    What a call within another throws would look as if the focal method threw it.
    """
    given = given_to(call)
    text, declared = call.text or b"", list[str]()
    if len(given) != len(focal.parameters):
        return declared, code(call)
    for one, wanted in reversed([*zip(given, focal.parameters, strict=True)]):
        calls = any(node.type in CALLS for node in nodes(one))
        known = not wanted.type.endswith("...") and not _TYPE_VARIABLE.search(wanted.type)
        if calls and known and wanted.name not in taken and one.type != "lambda_expression":
            declared.insert(0, f"{wanted.type} {wanted.name} = {code(one)};")
            start, end = one.start_byte - call.start_byte, one.end_byte - call.start_byte
            text = text[:start] + wanted.name.encode() + text[end:]
    return declared, text.decode("utf-8", "replace")
