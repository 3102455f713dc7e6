"""Where what passes adds nothing, or notices nothing: the same test with other values and objects.

The one search finds a test that goes where no test of its class goes yet, the other one whose
result tells more: ``validate("a")`` gives null, as most that is broken would; ``validate("1")``
does not. Mutants of the focal method tell which.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from personalizer.generation.candidates import whole_test
from personalizer.generation.ranking import good, left, noticed, ranked, worth
from personalizer.generation.records import Candidate
from personalizer.generation.rescue.amplifying import looking
from personalizer.generation.rescue.arguments import arguments_of
from personalizer.generation.rescue.beginnings import beginnings
from personalizer.generation.rescue.ends import ends_at
from personalizer.generation.rescue.removal import without_unused
from personalizer.generation.rescue.rounds import declared, mended
from personalizer.generation.rescue.salvage import Try
from personalizer.generation.rescue.values import Values
from personalizer.generation.rescue.variants import variants
from personalizer.generation.site import Site
from personalizer.generation.syntax import likeness
from personalizer.words import mutants_noticed

__all__ = ["noticing", "varied"]

_PATIENCE = 6.0
"""Seconds after which no further way is tried to go where no test goes."""
_PATIENCE_TO_NOTICE = 4.0
"""The same for a test that notices more."""
_MOST_TRIED = 120
"""Other values and objects that are tried."""
_MOST_OBJECTS, _MOST_OF_EACH = 8, 6
"""Other objects that the focal method is called on, and other values of each."""


def varied(
    candidates: Sequence[Candidate],
    site: Site,
    *,
    look: Try,
    run: Try,
    known: Collection[str] = (),
) -> tuple[Candidate, ...]:
    """Candidates, best first; where the best goes only where tests go already, one that goes on.

    Args:
        candidates: Compiled and run.
        site: Where they stand.
        look: Compiles and runs, not on mutants, and tells ``gains`` of what fails, too.
        run: Compiles and runs, on mutants too.
        known: Likenesses of candidates that are left out.
    """
    best = next(iter(ranked(candidates)), None)
    if best is None or not good(best) or worth(best) > 3 or not best.open_lines:
        return ranked(candidates)
    for one, changes in _tried(best, site, look, known, _PATIENCE):
        if one.gains:
            (settled,) = mended([one], site, look)
            (part,) = run([settled]) if good(settled) else (settled,)
            if good(part) and worth(part) > 3:
                lines = ", ".join(map(str, one.gains))
                told = f"{changes}: goes where no test of its class went (line {lines})"
                return ranked([*candidates, replace(part, notes=(*part.notes, told))])
    return ranked(candidates)


def noticing(
    candidates: Sequence[Candidate],
    site: Site,
    *,
    look: Try,
    run: Try,
    known: Collection[str] = (),
) -> tuple[Candidate, ...]:
    """Candidates, best first; where the best lets mutants live, one of other values that sees more.

    So too where it expects an exception that came before anything of the method was seen to run.

    Args:
        candidates: Compiled and run.
        site: Where they stand.
        look: As ``varied``.
        run: As ``varied``.
        known: Likenesses of candidates that are left out.
    """
    best, *others = ranked(candidates) or (None,)
    if best is None or not good(best):
        return ranked(candidates)
    unseen = best.mutants is None and "assertThrows" in best.text
    if not left(best) and not unseen:
        return ranked(candidates)
    found = best
    base = replace(best, text=looking(best.text, site))
    for one, changes in _tried(base, site, look, known, _PATIENCE_TO_NOTICE):
        if one.passes or not one.compiles:
            continue  # it gives what was given before
        (settled,) = mended([one], site, look)
        if likeness(settled.text) in known or not good(settled):
            continue
        (part,) = run([settled])
        if good(part) and worth(part) >= worth(best) and noticed(part) > noticed(found):
            now = mutants_noticed(part.killed, part.mutants or 0, part.new_killed)
            new = "" if best.new_killed is None else f" ({best.new_killed or 'none'} new)"
            told = f"{changes}: notices {now}, {best.killed}{new} before"
            found = replace(part, notes=(*part.notes, told))
        if found is not best and not left(found):
            break
    return (*([found] if found is not best else []), best, *others)


def _tried(
    best: Candidate, site: Site, look: Try, known: Collection[str], patience: float
) -> Iterator[tuple[Candidate, str]]:
    """Tests with other values or objects, compiled and run, and what differs in each."""
    start = time.perf_counter()
    seen = set(known)

    def looked(text: str) -> Candidate | None:
        """What becomes of a test that was not tried before, without what it no longer uses."""
        text = without_unused(text, best.text, site.focal)
        alike = likeness(text)
        if alike in seen or site.has(text) or not whole_test(text, site):
            return None
        seen.add(alike)
        other = replace(best, text=text, asserts=True, settled=False, notes=())
        return declared(look([other]), look)[0]

    for one, changes in islice(_others(best, site, looked), _MOST_TRIED):
        if time.perf_counter() - start > patience:
            break
        if one is not None:
            yield one, changes


def _others(
    best: Candidate, site: Site, looked: Callable[[str], Candidate | None]
) -> Iterator[tuple[Candidate | None, str]]:
    """Tests with other values, then with other objects; and what differs in each."""
    values = Values(site)
    for variant in variants(best.text, site, values):
        yield looked(variant.text), variant.changes
    plain = ends_at(site, arguments_of(site, values))
    for beginning in beginnings(site, values, most=_MOST_OBJECTS):
        for text in islice(plain(beginning.text, beginning.text), 1):
            one = looked(text)
            yield one, beginning.note
            if one is not None and one.compiles:
                for variant in islice(variants(text, site, values), _MOST_OF_EACH):
                    yield looked(variant.text), f"{beginning.note}, {variant.changes}"
