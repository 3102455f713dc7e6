"""Assertions that notice more: assertion amplification, judged by mutants of the focal method.

A test that passes may look at little of what its method did. What can be looked at beside it is
asserted too, a guess at a time, which a run settles (``settling``); it stays only where the test
then notices mutants that it did not notice before. After DSpot (Danglot et al., *Automatic test
improvement with DSpot*, EMSE 2019), which takes a test of the project where we take a new one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from tree_sitter import Node

from indexer.facts import simple_type
from personalizer.generation.ranking import good, worth
from personalizer.generation.records import Candidate
from personalizer.generation.rescue.rounds import Try, declared
from personalizer.generation.rescue.salvage import salvaged
from personalizer.generation.rescue.values import LITERALS
from personalizer.generation.rescue.views import (
    RESULT,
    Views,
    guesses,
    in_order,
    kind_of_result,
    of_state,
    views_of,
)
from personalizer.generation.site import Site
from personalizer.generation.syntax import MethodTree, calls_of, code
from personalizer.texts import count

__all__ = ["Look", "amplified", "looking", "looks"]

_PATIENCE = 4.0
"""Seconds after which nothing more is looked at."""


def amplified(candidates: Sequence[Candidate], site: Site, run: Try) -> tuple[Candidate, ...]:
    """Candidates, best first; where the best lets mutants live, with assertions that see more.

    Args:
        candidates: Compiled and run, best first; the best on mutants, too.
        site: Where they stand.
        run: Compiles and runs, on mutants too.
    """
    found = list(candidates)
    if not found or not good(found[0]):
        return tuple(found)
    start, tried = time.perf_counter(), set[str]()
    while time.perf_counter() - start < _PATIENCE:
        best = found[0]
        open_ones = (one for one in looks(best.text, site) if one.told not in tried)
        look = next(open_ones, None)
        if not best.survivors or look is None:
            break
        tried.add(look.told)
        other = replace(best, text=look.text, notes=())
        (part,) = declared(run([other]), run)
        more = part if good(part) else salvaged(part, site, run)
        if (
            more is not None
            and good(more)
            and worth(more) >= worth(best)
            and more.killed > best.killed
        ):
            told = f"looks at {look.told} too, which notices {more.killed - best.killed} more of "
            told += f"{count(more.mutants or 0, 'mutant')}: it expects what the code gives today"
            found[0] = replace(more, settled=True, notes=(*best.notes, told))
    return tuple(found)


class Look(NamedTuple):
    """A test that looks at something more."""

    text: str
    told: str
    """What it looks at."""


def looks(text: str, site: Site) -> Iterator[Look]:
    """Tests with an assertion more behind the first call of the focal method: guesses.

    Of what it gives, where nothing is compared with that yet; of what it is called on; of what it
    is given.

    Args:
        text: One test.
        site: Where it stands.
    """
    at = _place(text, site)
    if at is not None:
        views = views_of(site)
        found = (_of_result(at, site, views), _of_receiver(at, views), _of_arguments(at, site))
        yield from (one for each in found for one in each if one.told not in at.behind)


def looking(text: str, site: Site) -> str:
    """A test that compares what its method gives, where it compares nothing yet: a guess."""
    at = _place(text, site)
    if at is None or re.search(r"\bassert(?!NotNull)\w+\(", at.behind):
        return text
    return next((one.text for one in _of_result(at, site, views_of(site))), text)


def _of_result(at: _At, site: Site, views: Views) -> Iterator[Look]:
    """What the focal method gives: kept where it is not."""
    kind = kind_of_result(site)
    if kind is None:
        return
    getters = views.of_owner if site.focal.constructor else views.of_result
    name, kept = RESULT, ""
    if at.statement.type == _DECLARES:
        variable = at.statement.named_children[-1]
        value = variable.child_by_field_name("value")
        name = code(variable.child_by_field_name("name"))
        if value is None or value.id != at.call.id or _is_compared(name, at.behind):
            return
    elif at.says_little and not re.search(rf"\b{RESULT}\b", at.text):
        kept = f"{kind} {RESULT} = {code(at.call)};"
    else:
        return
    for guess in guesses(kind, name, getters)[:-1] or guesses(kind, name):
        for line in guess.split("\n"):
            yield at.look(line, kept)


def _is_compared(name: str, text: str) -> bool:
    """Whether an assertion compares a variable itself with something."""
    return bool(re.search(rf"\bassert(?!NotNull)\w+\((?:[^;]*, )?{name}(?:, [^;]*)?\);", text))


def _place(text: str, site: Site) -> _At | None:
    """Behind the first call of the focal method that something can stand behind."""
    for call in calls_of(site.focal, MethodTree(text).method):
        statement = _statement(call)
        if statement is not None:
            return _At(text, statement, call, site.flavour)
    return None


def _statement(call: Node) -> Node | None:
    """The statement that a call is of, where another may stand behind it."""
    found, node = None, call
    while node.parent is not None:
        if node.type in ("expression_statement", _DECLARES) and found is None:
            found = node
        if node.type == "class_body" and node.parent.type != "class_declaration":
            return None
        if node.type == "lambda_expression" and not _is_quiet(node):
            return None
        node = node.parent
    return found if found is not None and found.parent and found.parent.type == "block" else None


_DECLARES = "local_variable_declaration"


def _is_quiet(function: Node) -> bool:
    """Whether a lambda is but run, to see that it throws nothing."""
    runs = function.parent.parent if function.parent else None
    body = function.child_by_field_name("body")
    named = runs is not None and code(runs.child_by_field_name("name")) == "assertDoesNotThrow"
    return named and body is not None and body.type == "method_invocation"


class _At(NamedTuple):
    """A statement of a test, behind which something can be looked at."""

    text: str
    statement: Node
    call: Node
    flavour: str

    @property
    def behind(self) -> str:
        """The statements after it."""
        after, texts = self.statement.next_named_sibling, list[str]()
        while after:
            texts.append(code(after))
            after = after.next_named_sibling
        return "\n".join(texts)

    @property
    def says_little(self) -> bool:
        """Whether it is but the call, or says but that this gives something, or does not throw."""
        node = self.call
        while node.parent and node.parent.type in ("lambda_expression", "argument_list"):
            node = node.parent
        outer = node.parent if node.type == "argument_list" else node
        if outer is None or outer.parent is None or outer.parent.id != self.statement.id:
            return False
        name = code(outer.child_by_field_name("name"))
        return node is self.call or name in ("assertNotNull", "assertDoesNotThrow")

    @property
    def itself(self) -> str:
        """The statement, or the call where that is all there is to it."""
        return f"{code(self.call)};" if self.says_little else code(self.statement)

    def look(self, guess: str, kept: str = "", before: str = "") -> Look:
        """A test with an assertion more.

        Args:
            guess: The assertion.
            kept: What takes the statement's place.
            before: A statement that goes before it.
        """
        tree, indent = MethodTree(self.text), " " * self.statement.start_point[1]
        seen = re.sub(r"^\w+\((?:[^(),]*, )?|(?:, [\de.f-]+)?\)$", "", guess)
        said, last = f"{in_order(guess, self.flavour)};", self.statement
        while (after := last.next_named_sibling) and code(after).startswith("assert"):
            last = after
            if code(after) == f"assertNotNull({seen.partition('.')[0]});":
                tree.replace(after, said)  # which says more than that it is there
                said = ""
        if said:
            tree.insert(last.end_byte, last.end_byte, f"\n{indent}{said}")
        lines = [before, kept or self.itself]
        tree.replace(self.statement, f"\n{indent}".join(one for one in lines if one))
        return Look(tree.text, seen)


def _of_receiver(at: _At, views: Views) -> Iterator[Look]:
    """What getters say of what the method is called on."""
    on = at.call.child_by_field_name("object")
    if on is not None and on.type == "identifier" and code(on)[:1].islower():
        for line in of_state(code(on), views.of_owner):
            yield at.look(line)


def _of_arguments(at: _At, site: Site) -> Iterator[Look]:
    """What became of what the method is given, where that can change."""
    arguments = at.call.child_by_field_name("arguments")
    given = arguments.named_children if arguments else []
    if len(given) != len(site.focal.parameters):
        return
    for node, wanted in zip(given, site.focal.parameters, strict=True):
        name, kind, before, kept = wanted.name, wanted.type, "", ""
        if node.type == "identifier":
            name = code(node)
        elif node.type in _MADE and not re.search(rf"\b{name}\b", at.text):
            made = code(node.child_by_field_name("type"))
            kind = made if node.type == "object_creation_expression" and "<" not in made else kind
            before = f"{kind} {name} = {code(node)};"
            kept = _with(at.call if at.says_little else at.statement, node, name)
            kept += ";" if at.says_little else ""
        else:
            continue
        if simple_type(kind) not in _FIXED and not _OF_VARIABLES.search(kind):
            yield at.look(guesses(kind, name)[0], kept, before)


def _with(outer: Node, node: Node, text: str) -> str:
    """What a node reads with another text for one that it holds."""
    start, end = (one - outer.start_byte for one in (node.start_byte, node.end_byte))
    whole = outer.text or b""
    return (whole[:start] + text.encode() + whole[end:]).decode("utf-8", "replace")


_MADE = ("object_creation_expression", "array_creation_expression")
_OF_VARIABLES = re.compile(r"\b[A-Z][A-Z0-9]?\b|\.\.\.")
"""Of type variables, or of several arguments."""
_FIXED = frozenset({*LITERALS, "BigDecimal", "BigInteger", "Charset", "File", "Locale", "Path"})
"""Types whose objects never change."""
