"""Repair: by what the compiler and the run said outright, by the project's own tests, by the model.

A new text takes the old one's place only where it comes further (``ranking.worth``), and says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from personalizer.engine import Completion
from personalizer.errors import PromptTooLong
from personalizer.generation.candidates import candidate_of, candidates_of
from personalizer.generation.names.mending import with_throws
from personalizer.generation.ranking import good, ranked, worth
from personalizer.generation.records import Candidate
from personalizer.generation.rescue.arguments import arguments_of, nothing_for
from personalizer.generation.rescue.beginnings import Beginning, beginnings
from personalizer.generation.rescue.ends import ends_at
from personalizer.generation.rescue.salvage import Try, salvaged
from personalizer.generation.rescue.values import Values
from personalizer.generation.site import Site
from personalizer.prompts import Attempt
from personalizer.words import OF_TODAY

__all__ = ["begun", "declared", "mended", "repaired"]

Ask = Callable[[Attempt], Sequence[Completion]]
GoOn = Callable[[str], Sequence[Completion]]

_PATIENCE = 20.0
"""Seconds after which no further test is tried."""


def declared(candidates: Sequence[Candidate], run: Try) -> tuple[Candidate, ...]:
    """Candidates, those that the compiler refused for an undeclared exception with a ``throws``.

    Args:
        candidates: Compiled and run.
        run: Compiles and runs.
    """
    told = "added throws Exception"
    open_ones = {
        place: replace(one, text=with_throws(one.text), notes=(*one.notes, told))
        for place, one in enumerate(candidates)
        if "unreported exception" in (one.failure or "") and told not in one.notes
    }
    found = list(candidates)
    for place, one in zip(open_ones, run(list(open_ones.values())), strict=True):
        if "unreported exception" not in (one.failure or ""):
            found[place] = one
    return tuple(found)


def mended(candidates: Sequence[Candidate], site: Site, run: Try) -> tuple[Candidate, ...]:
    """Candidates, best first; while none passes, the best of which a part passes is that part.

    Args:
        candidates: Compiled and run.
        site: Where they stand.
        run: Compiles and runs.
    """
    found = list(ranked(candidates))
    if not any(map(good, found)):
        for place, one in enumerate(found):
            part = salvaged(one, site, run)
            if part is not None:
                found[place] = part
                break
    return ranked(found)


def begun(
    candidates: Sequence[Candidate],
    site: Site,
    *,
    go_on: GoOn,
    run: Try,
    known: Collection[str] = (),
) -> tuple[Candidate, ...]:
    """Candidates, best first; while none passes, also tests that begin as the project's own do.

    Args:
        candidates: Compiled and run.
        site: Where they stand.
        go_on: Asks the model to go on from the beginning of a test.
        run: Compiles and runs.
        known: Likenesses of candidates that are left out.
    """
    found = list(candidates)
    if any(map(good, found)) or any(one.parses and _likely(one) for one in found):
        return ranked(found)
    values = Values(site)
    attempts = _Attempts(site, run, known)
    plain, asked = ends_at(site, arguments_of(site, values)), list[tuple[Completion, Beginning]]()
    for beginning in beginnings(site, values):
        if attempts.over:
            break
        for completion in go_on(beginning.text):
            if not completion.text.startswith(beginning.text):
                continue  # a tokenizer that does not give back what it was given
            asked.append((completion, beginning))
            own = attempts.first([completion.text], completion, beginning)
            ends = plain(completion.text, beginning.text)
            taken = own or attempts.first(ends, completion, beginning, guessed=True)
            if taken:
                return ranked([*found, *taken])
    bare = ends_at(site, nothing_for(site))
    for completion, beginning in asked:
        ends = bare(beginning.text, beginning.text)
        if taken := attempts.first(ends, completion, beginning, guessed=True):
            return ranked([*found, *taken])
    return ranked(found)


class _Attempts:
    """Tests that are tried one after the other, as long as there is time.

    Args:
        site: Where they stand.
        run: Compiles and runs.
        known: Likenesses of candidates that are left out.
    """

    def __init__(self, site: Site, run: Try, known: Collection[str]) -> None:
        self._site, self._run, self._known = site, run, known
        self._end = time.perf_counter() + _PATIENCE

    @property
    def over(self) -> bool:
        """Whether their time is over."""
        return time.perf_counter() > self._end

    def first(
        self,
        texts: Iterable[str],
        completion: Completion,
        beginning: Beginning,
        *,
        guessed: bool = False,
    ) -> list[Candidate]:
        """The first that passes, or that is whole where nothing is run; none where none does."""
        for text in texts:  # each says less than the one before
            if self.over:
                break
            made = candidates_of([replace(completion, text=text)], self._site, known=self._known)
            tried = declared(self._run([one for one in made if one.parses]), self._run)
            tried = mended(tried, self._site, self._run)
            if taken := [one for one in tried if good(one) or _likely(one)]:
                return [_begun(one, beginning.note, guessed=guessed) for one in taken]
        return []


def _likely(one: Candidate) -> bool:
    """Whether nothing speaks against a test that nobody compiled."""
    open_ = one.compiles is None and not one.failure
    return open_ and one.may_compile and one.calls_focal and not one.unknown_symbols


def _begun(one: Candidate, note: str, *, guessed: bool) -> Candidate:
    """A test with its beginning told; a guess of ours that holds is but what the code gives."""
    told = ""
    placeholder = guessed and one.compiles is None
    if placeholder:
        told = "what it expects is a placeholder, for nothing was run"
    elif guessed and not one.settled:
        told = OF_TODAY
    settled = one.settled or (guessed and not placeholder)
    notes = (*one.notes, *([told] if told else ()), note)
    return replace(one, settled=settled, placeholder=placeholder, notes=notes)


def repaired(
    candidates: Sequence[Candidate], site: Site, *, rounds: int, ask: Ask, run: Try
) -> tuple[Candidate, ...]:
    """Candidates, best first, the best of those that fail repaired by the model where that helps.

    The model is asked while no candidate passes, each round about the best one that fails.

    Args:
        candidates: Compiled and run.
        site: Where they stand.
        rounds: Most times that the model is asked.
        ask: Asks the model for better ones.
        run: Compiles and runs.
    """
    found = list(candidates)
    tried: set[str] = set()
    for number in range(1, rounds + 1):
        failing = [one for one in ranked(found) if one.failure and one.text not in tried]
        if not failing or any(map(good, found)):
            break
        failed = failing[0]
        tried.add(failed.text)
        try:
            completions = ask(Attempt(failed.text, failed.failure or ""))
        except PromptTooLong:
            break
        new = [candidate_of(completion, site) for completion in completions]
        new = [one for one in run([one for one in new if one.parses]) if one.text not in tried]
        better = [one for one in ranked(declared(new, run)) if worth(one) > worth(failed)]
        if better:
            told = f"repaired in round {number}: {_line(failed.failure)}"
            best = replace(better[0], repair_round=number, notes=(*better[0].notes, told))
            found[found.index(failed)] = best
    return ranked(found)


def _line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
