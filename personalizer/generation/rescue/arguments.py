"""Ways to call the focal method: what it may be given, with the statements that make it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, cycle
from typing import NamedTuple

from indexer import Where
from indexer.facts import simple_type
from personalizer.engine.monitor.kinds import PRIMITIVES
from personalizer.generation.rescue.statements import (
    Statement,
    needed,
    statements_of,
    tests_by_nearness,
)
from personalizer.generation.rescue.values import LITERALS, Values
from personalizer.generation.site import Site
from personalizer.generation.syntax import whole

__all__ = ["Arguments", "arguments_of", "nothing_for", "null_of"]

_LONGEST = 8
"""Statements that a test may lend."""
_MOST_TRIED = 4
"""Tests of a file whose statements are looked at."""


class Arguments(NamedTuple):
    """What a method is given."""

    values: tuple[str, ...]
    before: tuple[str, ...] = ()
    """Statements that declare what the values name."""

    def behind(self, begun: str) -> str | None:
        """A test up to the name of the method with these behind it; None where names clash.

        Example:
            >>> Arguments(("cart",), ("Cart cart = make();",)).behind("void a() {\\n    total")
            'void a() {\\n    Cart cart = make();\\n    total(cart);'
        """
        head, newline, call = begun.rpartition("\n")
        statements = [one for one in self.before if one not in head]
        names = filter(None, map(_declared, statements))
        if any(re.search(whole(name), begun) for name in names):
            return None
        indent = call[: len(call) - len(call.lstrip())]
        lines = [line for one in statements for line in one.split("\n")]
        made = "".join(f"{newline}{indent}{line}" for line in lines)
        return f"{head}{made}{newline}{call}({', '.join(self.values)});"


def arguments_of(site: Site, values: Values) -> Iterator[Arguments]:
    """Ways to call the focal method, the likeliest first: each may not compile, or not run.

    As tests write values of the types, as one test makes them in several statements, the plainest
    that can be made, and these with their types, where another method of the name may take them.
    """
    focal, path = site.focal, site.focal_path
    shown = values.arguments(focal, path)
    plain = values.arguments(focal, path, shown=False)
    lent = _lent(site)
    ways = [
        None if shown is None else Arguments(shown),
        lent,
        None if plain is None else Arguments(plain),
        None if plain is None or not _is_overloaded(site) else Arguments(_cast(plain, site)),
    ]
    yield from dict.fromkeys(one for one in ways if one is not None)


def nothing_for(site: Site) -> Iterator[Arguments]:
    """The focal method's call with ``null`` for each object, if it takes one."""
    kinds = [one.type for one in site.focal.parameters]
    values = [LITERALS[one] if one in PRIMITIVES else null_of(one, site) for one in kinds]
    if not PRIMITIVES.issuperset(kinds):
        yield Arguments(tuple(values))


def null_of(kind: str, site: Site) -> str:
    """``null`` as an argument of the focal method, with its type where another may be meant."""
    open_ = re.fullmatch(r"\w+<\?(?:, *\?)*>", kind)  # else one might ask for its type arguments
    simple = open_[0] if open_ else simple_type(kind).replace("...", "[]")
    if site.symbols.members.is_variable(simple.rstrip("[]"), site.focal_path):
        simple = "Object" + simple[len(simple.rstrip("[]")) :]
    return f"({simple}) null" if _is_overloaded(site) or "..." in kind else "null"


def _is_overloaded(site: Site) -> bool:
    """Whether its class has other methods of the focal method's name."""
    methods = site.snapshot.files[site.focal_path].methods
    focal = site.focal
    return sum((one.owner, one.name) == (focal.owner, focal.name) for one in methods) > 1


_LOOSE = frozenset({"CharSequence", "Number", "Object"})
"""Types whose literals are of a narrower one, which another method may take."""


def _cast(values: Sequence[str], site: Site) -> tuple[str, ...]:
    kinds = [simple_type(one.type) for one in site.focal.parameters]
    pairs = zip(values, kinds, strict=True)
    return tuple(f"({kind}) {value}" if kind in _LOOSE else value for value, kind in pairs)


def _lent(site: Site) -> Arguments | None:
    """Variables that one test declares, where all types but the plain ones have one."""
    wanted = {simple_type(one.type) for one in site.focal.parameters} - LITERALS.keys()
    if not wanted:
        return None
    for tests in tests_by_nearness(site):
        ways = (_in_test(site, test, wanted) for test in tests)
        found = sorted((one for one in ways if one), key=lambda one: len(one.before))
        for one in found[:_MOST_TRIED]:
            if site.explains(" ".join(one.before)):
                return one
    return None


def _in_test(site: Site, test: Where, wanted: set[str]) -> Arguments | None:
    members = site.symbols.members
    if not all(members.mean_alike(kind, site.focal_path, test.path) for kind in wanted):
        return None
    statements = list(statements_of(site, test))
    named: dict[str, list[str]] = {kind: [] for kind in wanted}
    for one in statements:
        if one.type in wanted and len(one.names) == 1:
            named[one.type] += one.names
    if not all(named.values()):
        return None
    turns = {kind: cycle(names) for kind, names in named.items()}
    kinds = [simple_type(one.type) for one in site.focal.parameters]
    values = tuple(next(turns[kind]) if kind in wanted else LITERALS[kind] for kind in kinds)
    lent = {name for name, kind in zip(values, kinds, strict=True) if kind in wanted}
    made = _making(statements, lent)
    given = {one.name for one in test.method.parameters}
    before = tuple(one.text for one in made)
    usable = len(made) <= _LONGEST and not any(given & one.uses for one in made)
    return Arguments(values, before) if usable else None


def _making(statements: Sequence[Statement], names: set[str]) -> list[Statement]:
    """The statements that make some variables, and what is called on these right away."""
    taken: set[int] = set()
    for place, one in enumerate(statements):
        if not one.names & names:
            continue
        (name,) = one.names
        places = [place]
        for later, other in enumerate(statements[place + 1 :], place + 1):
            if name in other.uses:
                if not other.text.startswith(f"{name}."):
                    break
                places.append(later)
        wanted = {id(each) for each in chain(*(needed(statements, p) for p in places))}
        taken |= {p for p, each in enumerate(statements) if id(each) in wanted}
    return [statements[p] for p in sorted(taken)]


def _declared(statement: str) -> str:
    """The variable that a statement declares; nothing where it declares none."""
    found = re.match(r"(?:final\s+)?[\w.$<>\[\], ?]+\s([\w$]+)(?:\[\])?\s*=", statement)
    return found[1] if found else ""
