"""From a method to a test: prompt, completions, candidates, checks, edit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from indexer import Level, Method, Pair, Snapshot, Where
from personalizer.engine import Completion, Engine
from personalizer.generation.asking import asked_of, request_for, write_tests
from personalizer.generation.candidates import candidates_of
from personalizer.generation.checking import OnCandidate, checked, in_heirs
from personalizer.generation.placing.best import edit_of_best
from personalizer.generation.ranking import ranked, why_not_kept
from personalizer.generation.reach import cautions
from personalizer.generation.records import Candidate, Generation, Writer
from personalizer.generation.rescue.amplifying import amplified
from personalizer.generation.rescue.further import noticing, varied
from personalizer.generation.rescue.rounds import begun, declared, mended, repaired
from personalizer.generation.site import Site
from personalizer.generation.syntax import likeness
from personalizer.prompts import Attempt
from personalizer.settings import Settings
from personalizer.validation import Unable, Validator

__all__ = ["generate_test"]


def generate_test(
    snapshot: Snapshot,
    focal_path: str,
    focal: Method,
    engine: Engine,
    *,
    writer: Writer,
    count: int,
    settings: Settings,
    cancelled: threading.Event | None = None,
    examples: Sequence[Pair] = (),
    validator: Validator | None = None,
    known: Sequence[Candidate] = (),
    on_candidate: OnCandidate | None = None,
    salvage: bool = True,
) -> Generation:
    """Unit tests for a method, and the edit that adds the best of them to the project.

    Args:
        snapshot: The project, unsaved buffers included.
        focal_path: File of the focal method.
        focal: The method to test.
        engine: Runs models.
        writer: Base model and adapter.
        count: Candidates that are asked for; copies of each other and of tests that are there
            are dropped.
        settings: Context level, lengths, temperature and repair rounds.
        cancelled: Once set, generation ends within a token.
        examples: Retrieved pairs for the prompt, the nearest last.
        validator: Compiles and runs the candidates; without one they are only looked at.
        known: Candidates of earlier requests, which are not made again: the model is then
            sampled, so that it writes others.
        on_candidate: Called with a number and a candidate when it is made, and again, with the
            same number, when it was tried; not for those of repair rounds.
        salvage: Whether, while nothing passes, what is left of failing tests is taken, and tests
            are begun as the project's own, and values are varied to go where no test goes; without
            it the model's own writing is judged.

    Raises:
        Cancelled: If ``cancelled`` was set.
        PersonalizerError: Whatever the engine raises.
    """
    clock = _Clock()
    site = Site(snapshot, focal_path, focal)
    level = writer.level or Level(settings.context_level)
    asked = partial(
        request_for,
        writer=writer,
        settings=settings,
        declared=site.declarations,
    )
    checker = validator or Unable("candidates were not to be compiled or run")

    def run(
        candidates: Sequence[Candidate],
        on_verdict: OnCandidate | None = None,
        mutants: int = settings.mutants,
        anyway: bool = False,
    ) -> Sequence[Candidate]:
        return checked(candidates, site, checker, cancelled, on_verdict, mutants, anyway)

    look = partial(run, mutants=0, anyway=True)

    def ask_again(attempt: Attempt) -> Sequence[Completion]:
        prompt = site.prompt(level, examples, attempt)
        return asked_of(engine, asked(prompt, count=1), cancelled)

    def go_on(beginning: str) -> Sequence[Completion]:
        more = replace(asked(prompt, count=1), begun=beginning, temperature=0.0)
        return asked_of(engine, more, cancelled)

    facts = snapshot.files[focal_path]
    told = cautions(facts, snapshot.source(focal_path), focal)
    prompt = site.prompt(level, examples)
    clock.took("prompt")
    request = asked(prompt, count=count)
    completions, twice = write_tests(engine, request, site, known=len(known), cancelled=cancelled)
    clock.took("generate")
    alike = {likeness(one.text) for one in known}
    candidates = candidates_of(completions, site, known=alike)
    clock.took("symbols")
    if on_candidate is not None:
        for number, candidate in enumerate(candidates):
            on_candidate(number, candidate)
    candidates = ranked(run(candidates, on_candidate))
    clock.took("check")
    candidates = declared(candidates, run)
    if salvage:
        candidates = mended(candidates, site, run)
        candidates = begun(candidates, site, go_on=go_on, run=run, known=alike)
    candidates = repaired(candidates, site, rounds=settings.repair_rounds, ask=ask_again, run=run)
    clock.took("repair")
    if salvage:
        candidates = varied(candidates, site, look=look, run=run, known=alike)
    clock.took("vary")
    if salvage and settings.mutants:
        candidates = noticing(candidates, site, look=look, run=run, known=alike)
        candidates = amplified(candidates, site, look=look, run=run)
        candidates = tuple(one for one in candidates if likeness(one.text) not in alike)
    clock.took("sharpen")
    candidates = in_heirs(candidates, site, checker, cancelled)
    clock.took("check")
    edit, no_edit = edit_of_best(site, candidates)
    clock.took("place")
    return Generation(
        focal=Where(focal_path, focal).key,
        adapter=writer.adapter,
        candidates=candidates,
        edit=edit,
        no_edit=no_edit,
        seconds=clock.seconds,
        not_run=next((one.not_run for one in candidates[:1] if one.passes is None), None),
        not_kept=next(map(why_not_kept, candidates[:1]), None),
        notes=(
            *told,
            *(
                ("asked twice: the first candidates were no complete tests that may compile",)
                * twice
            ),
            *_empty(candidates, focal),
        ),
        times=clock.times,
    )


def _empty(candidates: Sequence[Candidate], focal: Method) -> Iterator[str]:
    """A sentence where the best candidate says nothing by passing."""
    for best in candidates[:1]:
        fails = False in (best.compiles, best.passes)
        if best.parses and not best.asserts and not fails:
            yield f"the test asserts nothing: it passes whatever {focal.name} gives"


class _Clock:
    """Where time goes."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self.times: dict[str, float] = {}

    def took(self, step: str) -> None:
        """Counts the time since the last step."""
        now = time.perf_counter()
        self.times[step] = self.times.get(step, 0.0) + now - self._last
        self._last = now

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start
