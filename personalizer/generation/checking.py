"""Candidates that were compiled and run: what a validator says of each."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from indexer import Method
from personalizer.errors import BadInput
from personalizer.generation.ranking import ranked
from personalizer.generation.reach import expects_its_exception, is_called
from personalizer.generation.records import Candidate
from personalizer.generation.site import Site
from personalizer.validation import Check, Validator, Verdict
from personalizer.words import shortened

__all__ = ["OnCandidate", "checked", "in_heirs", "told"]

OnCandidate = Callable[[int, Candidate], None]
_MESSAGES = 3
"""Messages of the compiler that are told."""
_LONGEST = 2_000
"""Characters of them: of a method with many overloads the compiler tells each."""
_MOST_HEIRS = 20
"""Classes in which one test is run."""


def checked(
    candidates: Sequence[Candidate],
    site: Site,
    validator: Validator,
    cancelled: threading.Event | None = None,
    on_verdict: OnCandidate | None = None,
    mutants: int = 0,
    anyway: bool = False,
) -> tuple[Candidate, ...]:
    """Candidates with what became of them, in their order.

    What does not parse is not tried. What cannot be added to its class keeps the reason.

    Args:
        candidates: As made.
        site: Where they stand.
        validator: Compiles and runs them, one by one.
        cancelled: Ends it.
        on_verdict: Called with the place and the candidate as soon as it was tried.
        mutants: Most mutants of the focal method that one that passes is tried on.
        anyway: Tell ``gains`` of one that fails, too.

    Raises:
        Cancelled: Once ``cancelled`` was set.
    """
    found = list(candidates)
    checks: dict[int, Check] = {}
    for place, candidate in enumerate(found):
        if candidate.parses:
            try:
                check = site.check(candidate.text)
                checks[place] = replace(check, mutants=mutants, anyway=anyway, elsewhere=True)
            except BadInput as error:
                found[place] = replace(candidate, failure=str(error))
    if not checks:
        return tuple(found)
    validator.update(site.snapshot)
    for place, check in checks.items():
        (verdict,) = validator.validate([check], cancelled=cancelled)
        found[place] = _with(found[place], verdict, check, site.focal)
        if on_verdict is not None:
            on_verdict(place, found[place])
    return tuple(found)


def in_heirs(
    candidates: Sequence[Candidate],
    site: Site,
    validator: Validator,
    cancelled: threading.Event | None = None,
) -> tuple[Candidate, ...]:
    """Candidates, best first, the best of which passes in each class that inherits it, too.

    Args:
        candidates: Compiled and run, best first.
        site: Where they stand.
        validator: Compiles and runs them.
        cancelled: Ends it.

    Raises:
        Cancelled: Once ``cancelled`` was set.
    """
    found = tuple(candidates)
    heirs = site.heirs[:_MOST_HEIRS]
    while heirs and found and found[0].passes:
        best, *others = found
        check = replace(site.check(best.text), also_in=heirs, elsewhere=True)
        (verdict,) = validator.validate([check], cancelled=cancelled)
        if verdict.passes is not False:
            if len(site.heirs) > len(heirs):
                told = f"was run in {len(heirs)} of the {len(site.heirs)} classes that inherit it"
                best = replace(best, notes=(*best.notes, told))
            return best, *others
        found = ranked([_with(best, verdict, check, site.focal), *others])
    return found


def _with(candidate: Candidate, verdict: Verdict, check: Check, focal: Method) -> Candidate:
    reaches = verdict.reaches_focal
    if verdict.passes and reaches is False:
        meant = not verdict.calls or is_called(focal, verdict.calls)  # and no other of its name
        reaches = meant and expects_its_exception(candidate.text, focal)
    return replace(
        candidate,
        may_compile=candidate.may_compile or bool(verdict.compiles),
        compiles=verdict.compiles,
        # The compiler knows more libraries than the index, and a statement may have been left out.
        unknown_symbols=() if verdict.compiles else candidate.unknown_symbols,
        # What does not compile does not pass either.
        passes=False if verdict.compiles is False else verdict.passes,
        not_run=verdict.not_run,
        flaky=verdict.flaky,
        covered_lines=verdict.covered_lines,
        new_lines=verdict.new_lines,
        new_branches=verdict.new_branches,
        reaches_focal=reaches,
        gains=verdict.gains,
        open_lines=verdict.open_lines,
        mutants=verdict.mutants,
        killed=verdict.killed,
        new_killed=verdict.new_killed,
        survivors=verdict.survivors,
        unnoticed=verdict.unnoticed,
        failure=_failure(verdict),
        wrong_lines=_wrong_lines(verdict, check, candidate.text.count("\n") + 1),
        seconds=verdict.seconds,
    )


def _wrong_lines(verdict: Verdict, check: Check, lines: int) -> tuple[int, ...]:
    """Lines of a candidate of so many; none if the compiler refused anything outside of it."""
    if verdict.compiles is False:
        found = {one.line - check.line + 1 for one in verdict.diagnostics if one.kind == "error"}
    else:
        frame = re.search(r"\(\w+\.\w+:(\d+)\)\s*\Z", verdict.failure or "")
        found = {int(frame[1]) - check.line + 1} if frame else set()
    return tuple(sorted(found)) if all(1 <= line <= lines for line in found) else ()


def _failure(verdict: Verdict) -> str | None:
    """The compiler's first errors, or why the test fails; None for what does neither."""
    if verdict.compiles is False:
        errors = [told(one.message) for one in verdict.diagnostics if one.kind == "error"]
        return shortened("\n".join(errors[:_MESSAGES]), _LONGEST) or "it does not compile"
    return verdict.failure if verdict.passes is False else None


def told(message: str) -> str:
    """What the compiler says, with the name of a missing symbol in the first line.

    Example:
        >>> told("cannot find symbol\\n  symbol:   method size()\\n  location: class Cart")
        'cannot find symbol: method size() in class Cart'
    """
    first, *rest = message.splitlines() or [""]
    parts = dict(line.strip().split(":", 1) for line in rest if ":" in line)
    if first != "cannot find symbol" or "symbol" not in parts:
        return message
    where = f" in {parts['location'].strip()}" if "location" in parts else ""
    return f"{first}: {parts['symbol'].strip()}{where}"
