"""Repair rounds: a failing candidate and what was said of it go back to the model.

A new text takes the old one's place only where it comes further (``ranking.worth``), and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from personalizer.engine import Completion
from personalizer.errors import PromptTooLong
from personalizer.generation.candidates import candidate_of
from personalizer.generation.ranking import ranked, worth
from personalizer.generation.records import Candidate
from personalizer.generation.repairs import with_throws
from personalizer.generation.site import Site
from personalizer.prompts import Attempt

__all__ = ["repaired"]

Ask = Callable[[Attempt], Sequence[Completion]]
Try = Callable[[Sequence[Candidate]], Sequence[Candidate]]


def repaired(
    candidates: Sequence[Candidate], site: Site, *, rounds: int, ask: Ask, run: Try
) -> tuple[Candidate, ...]:
    """Candidates, best first, the best of those that fail repaired where that helps.

    What the compiler says outright is mended without the model. The model is asked while no
    candidate passes, each round about the best one that fails.

    Args:
        candidates: Compiled and run.
        site: Where they stand.
        rounds: Most times that the model is asked.
        ask: Asks the model for better ones.
        run: Compiles and runs.
    """
    found = list(_with_declared_exceptions(candidates, site, run))
    tried: set[str] = set()
    for number in range(1, rounds + 1):
        failing = [one for one in ranked(found) if one.failure and one.text not in tried]
        if not failing or any(one.passes for one in found):
            break
        worst = failing[0]
        tried.add(worst.text)
        try:
            completions = ask(Attempt(worst.text, worst.failure or ""))
        except PromptTooLong:
            break
        new = [candidate_of(completion, site) for completion in completions]
        new = [one for one in run([one for one in new if one.parses]) if one.text not in tried]
        better = [one for one in ranked(new) if worth(one) > worth(worst)]
        if better:
            told = f"repaired in round {number}: {_line(worst.failure)}"
            best = replace(better[0], repair_round=number, notes=(*better[0].notes, told))
            found[found.index(worst)] = best
    return ranked(found)


def _with_declared_exceptions(
    candidates: Sequence[Candidate], site: Site, run: Try
) -> Sequence[Candidate]:
    """Candidates that the compiler refused for an undeclared exception, with a ``throws``."""
    told = "added throws Exception"
    open_ones = {
        place: replace(one, text=with_throws(one.text), notes=(*one.notes, told))
        for place, one in enumerate(candidates)
        if "unreported exception" in (one.failure or "") and told not in one.notes
    }
    if not open_ones:
        return candidates
    found = list(candidates)
    for place, one in zip(open_ones, run(list(open_ones.values())), strict=True):
        if "unreported exception" not in (one.failure or ""):
            found[place] = one
    return found


def _line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
