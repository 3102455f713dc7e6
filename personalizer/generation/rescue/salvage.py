"""Makes a passing test of a failing one by what the compiler and the run said, without a model.

Statements that were refused are left out, with those that need them. A literal that a call was
expected to give, and did not, gives way to what it gave: the test then says what the code does
today, which is told with it. What is left must still call the focal method and assert something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from indexer.languages.java import method_errors
from personalizer.generation.assertions import asserts
from personalizer.generation.ranking import good
from personalizer.generation.records import Candidate
from personalizer.generation.rescue.removal import without_lines, without_unused
from personalizer.generation.rescue.settling import as_it_is
from personalizer.generation.rescue.typed import typed
from personalizer.generation.site import Site
from personalizer.generation.syntax import MethodTree, calls_of
from personalizer.words import OF_TODAY, count

__all__ = ["Try", "salvaged"]

Try = Callable[[Sequence[Candidate]], Sequence[Candidate]]
"""Compiles and runs candidates."""

_STEPS = 10
"""Most times that one candidate is tried; each leaves something out or settles something."""
_SLOW = 9.0
"""Seconds of a check after which a candidate is not tried again: it ran until it was ended."""


def salvaged(candidate: Candidate, site: Site, run: Try) -> Candidate | None:
    """What is left of a failing candidate that passes; None where nothing does.

    Args:
        candidate: Compiled and run.
        site: Where it stands.
        run: Compiles and runs.
    """
    current, dropped, told = candidate, 0, list[str]()
    for _ in range(_STEPS):
        if current.passes or not current.wrong_lines or current.seconds > _SLOW:
            break
        line = current.wrong_lines[0]
        change = as_it_is(current, site, line) if current.compiles else None
        if change is not None:
            text, what = change
            told.append(what)
        else:
            text, fewer = without_lines(current.text, current.wrong_lines)
            dropped += fewer
        if text == current.text or not _says_something(text, site):
            return None
        (current,) = run([replace(candidate, text=text, asserts=True)])
    if current is candidate or not good(current):
        return None
    tidy = without_unused(current.text, candidate.text, site.focal)
    current = _if_good(tidy, current, run)
    if told:
        current = _if_good(typed(current.text, site), current, run)
    notes = [f"left out {count(dropped, 'statement')} that failed"] if dropped else []
    notes += [f"{OF_TODAY}: {', '.join(told)}"] if told else []
    return replace(current, settled=bool(told), notes=(*candidate.notes, *notes))


def _if_good(text: str, current: Candidate, run: Try) -> Candidate:
    """What becomes of a text, if that is good, else what there is."""
    if text == current.text:
        return current
    (other,) = run([replace(current, text=text)])
    return other if good(other) else current


def _says_something(text: str, site: Site) -> bool:
    whole = bool(text) and not method_errors(text)
    return whole and asserts(text, site) and any(calls_of(site.focal, MethodTree(text).method))
