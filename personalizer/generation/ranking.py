"""The order in which candidates are offered."""

from __future__ import annotations

from collections.abc import Iterable

from personalizer.generation.records import Candidate

__all__ = ["good", "left", "noticed", "ranked", "why_not_kept", "worth"]


def ranked(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Candidates, best first.

    Those that parse come first; among them those that assert, whatever the others do: a test that
    asserts nothing says nothing by passing. Then :func:`worth` decides, then whether its values are
    its own, then whether it may compile and calls the focal method, then fewer unknown names, then
    more mutants that it notices (:func:`noticed`), then the model's own score.
    """

    def key(one: Candidate) -> tuple[bool | int | float, ...]:
        unknown = len(one.unknown_symbols)
        said = (not one.parses, not one.asserts, -worth(one), one.settled)
        hoped = (not one.may_compile, not one.calls_focal, unknown)
        return (*said, *hoped, *(-some for some in noticed(one)), -one.score)

    return tuple(sorted(candidates, key=key))


def good(one: Candidate) -> bool:
    """Whether a candidate asserts something, passes, and reaches the focal method."""
    return one.asserts and worth(one) > 2


def why_not_kept(one: Candidate) -> str | None:
    """What is wrong with a test that should not be added to a project, as a predicate."""
    if one.compiles is False or not one.may_compile:
        return "does not compile"
    if one.passes is False:
        return "fails"
    if one.passes and one.reaches_focal is False:
        return "does not reach the method"
    if one.passes is None and not one.calls_focal:
        return "does not call the method"
    if one.placeholder:
        return "expects a placeholder: nothing was run"
    return "asserts nothing" if one.passes and not one.asserts else None


def noticed(one: Candidate) -> tuple[int, int]:
    """How many mutants a candidate is the first of its class to notice, and how many it notices."""
    return one.new_killed or 0, one.killed


def left(one: Candidate) -> tuple[str, ...]:
    """The mutants that are worth noticing still.

    Where it is known what the other tests of the class notice, those that none of them does; but
    a test that itself notices nothing is worth any.
    """
    return one.survivors if one.new_killed is None or not one.killed else one.unnoticed


def worth(one: Candidate) -> int:
    """How far a candidate comes: 4 covers something new, 3 passes, 2 compiles, 1 parses.

    New are lines and branches that no other test of its class covers. A test that passes without
    reaching the focal method is worth what one is that compiles.

    Example:
        >>> worth(Candidate("", parses=True, compiles=True, passes=True, new_lines=2))
        4
    """
    if one.passes and one.reaches_focal is not False:
        return 4 if one.new_lines or one.new_branches else 3
    if one.compiles:
        return 2
    return 1 if one.parses else 0
