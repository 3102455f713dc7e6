"""Assertions that notice more: assertion amplification, judged by mutants of the focal method.

A test that passes may look at little of what its method did. What can be looked at beside it is
asserted too, a guess at a time, which a run settles (``settling``); it stays only where the test
then notices mutants that it did not notice before. After DSpot (Danglot et al., *Automatic test
improvement with DSpot*, EMSE 2019), which takes a test of the project where we take a new one.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from tree_sitter import Node

from indexer.facts import simple_type
from personalizer.engine.monitor.java_types import java_kind
from personalizer.generation.ranking import good, left, worth
from personalizer.generation.records import Candidate
from personalizer.generation.rescue.rounds import declared
from personalizer.generation.rescue.salvage import Try, salvaged
from personalizer.generation.rescue.values import LITERALS
from personalizer.generation.rescue.views import (
    RESULT,
    Views,
    guesses,
    in_order,
    is_generic,
    kind_of_result,
    of_state,
    views_of,
)
from personalizer.generation.site import Site
from personalizer.generation.syntax import (
    MethodTree,
    calls_of,
    code,
    given_to,
    kinds_of_variables,
    whole,
)
from personalizer.words import count

__all__ = ["Look", "amplified", "looking", "looks"]

_PATIENCE = 4.0
"""Seconds after which nothing more is looked at."""


def amplified(
    candidates: Sequence[Candidate], site: Site, *, look: Try, run: Try
) -> tuple[Candidate, ...]:
    """Candidates, best first; where the best lets mutants live, with assertions that see more.

    Args:
        candidates: Compiled and run, best first; the best on mutants, too.
        site: Where they stand.
        look: Compiles and runs, not on mutants.
        run: Compiles and runs, on mutants too.
    """
    found = list(candidates)
    if not found or not good(found[0]):
        return tuple(found)
    start, tried = time.perf_counter(), set[str]()
    while time.perf_counter() - start < _PATIENCE:
        best = found[0]
        open_ones = (one for one in looks(best.text, site) if one.told not in tried)
        one = next(open_ones, None)
        if not left(best) or one is None:
            break
        tried.add(one.told)
        (part,) = declared(look([replace(best, text=one.text, notes=())]), look)
        settled = part if good(part) else salvaged(part, site, look)
        if settled is None or not _adds_only(settled.text, part.text, one):
            continue
        (more,) = run([settled])
        if good(more) and worth(more) >= worth(best) and more.killed > best.killed:
            told = f"looks at {one.told} too, which notices {more.killed - best.killed} more of "
            told += count(more.mutants or 0, "mutant")
            found[0] = replace(more, settled=True, notes=(*best.notes, told))
    return tuple(found)


def _adds_only(text: str, looking: str, look: Look) -> bool:
    """Whether a test differs from one that looks at something by that very assertion alone."""
    others = [line for line in looking.split("\n") if line.strip() != look.said]
    lines = text.split("\n")
    return len(lines) == len(others) + 1 and not Counter(others) - Counter(lines)


class Look(NamedTuple):
    """A test that looks at something more."""

    text: str
    told: str
    """What it looks at."""
    said: str
    """The statement that does."""


def looks(text: str, site: Site) -> Iterator[Look]:
    """Tests with an assertion more behind the first call of the focal method: guesses.

    Of what it gives, where nothing is compared with that yet; of what it is called on; of what it
    is given.

    Args:
        text: One test.
        site: Where it stands.
    """
    for at in _places(text, site):
        views = views_of(site)
        found = (_of_result(at, site, views), _of_receiver(at, views), _of_arguments(at, site))
        yield from (one for each in found for one in each if not _is_seen(one.told, at.behind))
        return


def looking(text: str, site: Site) -> str:
    """A test that compares what its method gives, where it compares nothing yet: a guess."""
    for at in _places(text, site):
        if not re.search(r"\bassert(?!Not)\w+\(", at.behind):
            return next((one.text for one in _of_result(at, site, views_of(site))), text)
    return text


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
            yield at.look(line, name, kept)


def _is_compared(name: str, text: str) -> bool:
    """Whether an assertion compares a variable itself with something that it is to be."""
    it = re.escape(name)
    compared = rf"\bassert(?!Not|That)\w+\((?:[^;]*, )?{it}(?:, [^;]*)?\);|\bassertThat\({it}\)"
    return bool(re.search(compared, text))


def _is_seen(expression: str, text: str) -> bool:
    """Whether an assertion looks at an expression already."""
    if expression.isidentifier():
        return _is_compared(expression, text)
    return bool(re.search(rf"\bassert[^;]*(?<![\w.$]){re.escape(expression)}", text))


def _places(text: str, site: Site) -> Iterator[_At]:
    """Behind calls of the focal method, as it seems, where something can stand."""
    method = MethodTree(text).method
    kinds = kinds_of_variables(method)
    others = {name for name, kind in kinds.items() if _is_of_java(kind, site)}
    for call in calls_of(site.focal, method):
        statement = _statement(call)
        if statement and code(call.child_by_field_name("object")) not in others:
            yield _At(text, statement, call, site.flavour)


def _is_of_java(kind: str, site: Site) -> bool:
    """Whether a type is surely none of the project's."""
    known = site.symbols.members.seen_from(kind, site.focal_path)
    return known is None and java_kind(simple_type(kind)) is not None


def _statement(call: Node) -> Node | None:
    """The statement that a call is of, where another may stand behind it."""
    found, node = None, call
    while node.parent is not None and node.type != "method_declaration":
        if node.type in ("expression_statement", _DECLARES) and found is None:
            found = node
        if node.type == "lambda_expression" and not _is_quiet(node):
            return None
        node = node.parent
    outermost = node.parent and node.parent.parent and node.parent.parent.parent
    if found is None or not found.parent or found.parent.type != "block":
        return None
    after = code(found.next_named_sibling)
    thrown = re.match(r"(?:\w+\.)?fail\(", after)  # what comes before is to throw
    return found if outermost and outermost.type == "program" and not thrown else None


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
    def bare(self) -> bool:
        """Whether it is but the call, or says but that this does not throw."""
        outer = self._says("assertDoesNotThrow", "lambda_expression")
        return outer or self.statement.named_children[0].id == self.call.id

    @property
    def says_little(self) -> bool:
        """Whether it is but the call, or says but that this gives something, or does not throw."""
        return self.bare or self._says("assertNotNull", "argument_list")

    def _says(self, name: str, around: str) -> bool:
        """Whether it is an assertion of a name of the call alone."""
        outer = self.statement.named_children[0]
        given, inside = given_to(outer), self.call.parent
        alone = len(given) == 1 and given[0].id in (self.call.id, inside.id if inside else 0)
        named = code(outer.child_by_field_name("name")) == name
        return alone and named and inside is not None and inside.type == around

    @property
    def itself(self) -> str:
        """The statement, or the call where that is all there is to it."""
        return f"{code(self.call)};" if self.bare else code(self.statement)

    def look(self, guess: str, of: str, kept: str = "", before: str = "") -> Look:
        """A test with an assertion more.

        Args:
            guess: The assertion.
            of: The variable that it is about.
            kept: What takes the statement's place.
            before: A statement that goes before it.
        """
        tree = MethodTree(self.text)
        line = self.text.split("\n")[self.statement.start_point[0] - 1]
        indent = line[: len(line) - len(line.lstrip())]
        told = re.sub(r"^\w+\((?:[^(),]*, )?|(?:, [\de.f-]+)?\)$", "", guess)
        prefix = re.search(r"\b(?:Assertions|Assert)\.(?=assert)", self.text)
        said = f"{prefix[0] if prefix else ''}{in_order(guess, self.flavour)};"
        last, weak = self.statement, None
        for one in self._assertions():
            last = one
            if re.fullmatch(rf"(?:\w+\.)?assertNotNull\({re.escape(of)}\);", code(one)):
                weak = one
        if weak is not None:
            tree.replace(weak, said)  # which says more than that it is there
        else:
            beside = _beside(last)
            end = last.end_byte + len(beside.encode())
            tree.insert(last.end_byte, end, f"{beside}\n{indent}{said}")
        whole = [before, kept or self.itself]
        tree.replace(self.statement, f"\n{indent}".join(one for one in whole if one))
        return Look(tree.text, told, said)

    def _assertions(self) -> Iterator[Node]:
        """Those that stand right behind it."""
        after = self.statement.next_named_sibling
        while after and ("comment" in after.type or re.match(r"(?:\w+\.)?assert", code(after))):
            if "comment" not in after.type:
                yield after
            after = after.next_named_sibling


def _beside(statement: Node) -> str:
    """A comment on the row of a statement, with what stands between."""
    after = statement.next_sibling
    if after and "comment" in after.type and after.start_point[0] == statement.end_point[0]:
        return " " * (after.start_byte - statement.end_byte) + code(after)
    return ""


def _of_receiver(at: _At, views: Views) -> Iterator[Look]:
    """What getters say of what the method is called on."""
    on = at.call.child_by_field_name("object")
    if on is not None and on.type == "identifier" and code(on)[:1].islower():
        for line in of_state(code(on), views.of_owner):
            yield at.look(line, code(on))


def _of_arguments(at: _At, site: Site) -> Iterator[Look]:
    """What became of what the method is given, where that can change."""
    given = given_to(at.call)
    if len(given) != len(site.focal.parameters):
        return
    for node, wanted in zip(given, site.focal.parameters, strict=True):
        name, kind, before, kept = wanted.name, wanted.type, "", ""
        if node.type == "identifier":
            name = code(node)
        elif node.type in _MADE and not re.search(whole(name), at.text):
            made = code(node.child_by_field_name("type"))
            kind = made if node.type == "object_creation_expression" and "<" not in made else kind
            before = f"{kind} {name} = {code(node)};"
            kept = _with(at.call if at.bare else at.statement, node, name)
            kept += ";" if at.bare else ""
        else:
            continue
        fixed = simple_type(kind) in _FIXED or kind.endswith("...")
        if not fixed and not is_generic(kind, site):
            yield at.look(guesses(kind, name)[0], name, kept, before)


def _with(outer: Node, node: Node, text: str) -> str:
    """What a node reads with another text for one that it holds."""
    start, end = (one - outer.start_byte for one in (node.start_byte, node.end_byte))
    whole = outer.text or b""
    return (whole[:start] + text.encode() + whole[end:]).decode("utf-8", "replace")


_MADE = ("object_creation_expression", "array_creation_expression")
_FIXED = frozenset(
    {*LITERALS, "BigDecimal", "BigInteger", "Charset", "Duration", "File", "Instant", "LocalDate"}
    | {"LocalDateTime", "Locale", "Optional", "Path", "Pattern", "URI", "URL", "UUID", "ZoneId"}
)
"""Types whose objects never change."""
