"""From a method to a test: prompt, completions, candidates, checks, edit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from indexer import Level, Method, Pair, Snapshot, Where
from indexer.languages.java import digest
from personalizer.engine import Completion, Engine, Request
from personalizer.engine.monitor.declarations import Declarations
from personalizer.errors import BadInput, Cancelled
from personalizer.generation.candidates import candidates_of, clean, whole_test
from personalizer.generation.checking import OnCandidate, checked
from personalizer.generation.ranking import ranked
from personalizer.generation.reach import cautions
from personalizer.generation.records import Candidate, Edit, Generation, Writer
from personalizer.generation.rescue.amplifying import amplified
from personalizer.generation.rescue.further import noticing, varied
from personalizer.generation.rescue.rounds import begun, declared, mended, repaired
from personalizer.generation.site import Site
from personalizer.prompts import Attempt, Kind, Prompt
from personalizer.settings import Settings
from personalizer.validation import Unable, Validator

__all__ = ["asked_of", "edit_of_best", "generate_test", "or_why_not", "request_for", "write_tests"]

OnText = Callable[[str], None]


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
    on_text: OnText | None = None,
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
        on_text: Called with new text as it comes, where the engine can.
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
    reasons: list[str] = []

    def run(
        candidates: Sequence[Candidate],
        on_verdict: OnCandidate | None = None,
        mutants: int = settings.mutants,
        anyway: bool = False,
    ) -> Sequence[Candidate]:
        tried, reason = checked(candidates, site, checker, cancelled, on_verdict, mutants, anyway)
        reasons.extend([reason] if reason else [])
        return tried

    look = partial(run, mutants=0, anyway=True)

    def ask_again(attempt: Attempt) -> Sequence[Completion]:
        prompt = site.prompt(level, examples, attempt)
        return asked_of(engine, asked(prompt, count=1), None, cancelled)

    def go_on(beginning: str) -> Sequence[Completion]:
        more = replace(asked(prompt, count=1), begun=beginning, temperature=0.0)
        return asked_of(engine, more, None, cancelled)

    facts = snapshot.files[focal_path]
    told = cautions(facts, snapshot.source(focal_path), focal)
    prompt = site.prompt(level, examples)
    clock.took("prompt")
    request = asked(prompt, count=count)
    completions, twice = write_tests(
        engine, request, site, known=len(known), on_text=on_text, cancelled=cancelled
    )
    clock.took("generate")
    digests = {digest(one.text.encode()) for one in known}
    candidates = candidates_of(completions, site, known=digests)
    clock.took("symbols")
    if on_candidate is not None:
        for number, candidate in enumerate(candidates):
            on_candidate(number, candidate)
    candidates = ranked(run(candidates, on_candidate))
    clock.took("check")
    candidates = declared(candidates, run)
    if salvage:
        candidates = mended(candidates, site, run)
        candidates = begun(candidates, site, go_on=go_on, run=run, known=digests)
    candidates = repaired(candidates, site, rounds=settings.repair_rounds, ask=ask_again, run=run)
    clock.took("repair")
    if salvage:
        candidates = varied(candidates, site, look=look, run=run, known=digests)
    clock.took("vary")
    if salvage and settings.mutants:
        candidates = noticing(candidates, site, look=look, run=run, known=digests)
        candidates = amplified(candidates, site, look=look, run=run)
        candidates = tuple(one for one in candidates if digest(one.text.encode()) not in digests)
    clock.took("sharpen")
    edit, no_edit = edit_of_best(site, candidates)
    clock.took("place")
    return Generation(
        focal=Where(focal_path, focal).key,
        adapter=writer.adapter,
        candidates=candidates,
        edit=edit,
        no_edit=no_edit,
        seconds=clock.seconds,
        not_run=reasons[0] if reasons else None,
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


def write_tests(
    engine: Engine,
    request: Request,
    site: Site,
    *,
    known: int = 0,
    on_text: OnText | None = None,
    cancelled: threading.Event | None = None,
) -> tuple[list[Completion], bool]:
    """Completions of a request, and whether the model was asked twice.

    A beam search gives the most whole tests of five, but often none at all, or none that may
    compile; sampling, then, nearly always gives one (``benchmarks/decoding.py``).

    Args:
        engine: Who writes.
        request: What is asked.
        site: Where the tests will stand.
        known: How many were made before; with any, the model is sampled at once.
        on_text: As ``Engine.generate``.
        cancelled: As ``Engine.generate``.

    Raises:
        Cancelled: If ``cancelled`` was set.
        PersonalizerError: Whatever the engine raises.
    """
    first = _sampled(request, seed=known) if known else request
    completions = asked_of(engine, first, on_text, cancelled)
    texts = [clean(one.text) for one in completions]
    if any(whole_test(text, site) and site.may_compile(text) for text in texts):
        return completions, False
    again = asked_of(engine, _sampled(request, seed=known + 1), None, cancelled)
    return [*completions, *again], True


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


_SAMPLED_AT = 0.8
"""Temperature at which the starter most often writes a whole test (``benchmarks/decoding.py``)."""


def _sampled(request: Request, *, seed: int) -> Request:
    """A request for other texts than a beam search gives."""
    return replace(request, temperature=max(request.temperature, _SAMPLED_AT), seed=seed)


def request_for(
    prompt: Prompt,
    *,
    writer: Writer,
    settings: Settings,
    count: int,
    declared: Declarations | None = None,
) -> Request:
    """What an engine is asked for tests or a body: complete methods, at the settings' lengths."""
    return Request(
        prompt=prompt,
        base=writer.base,
        adapter=writer.folder,
        prompt_limit=writer.prompt_limit,
        count=count,
        max_tokens=settings.target_tokens,
        temperature=settings.temperature,
        stop_at_method_end=True,
        grammar="block" if prompt.target == Kind.BODY else "method",
        declared=declared,
    )


def asked_of(
    engine: Engine,
    request: Request,
    on_text: OnText | None,
    cancelled: threading.Event | None,
) -> list[Completion]:
    """What an engine gives.

    Raises:
        Cancelled: If ``cancelled`` was set.
        PersonalizerError: Whatever the engine raises.
    """
    completions = engine.generate(request, on_text=on_text, cancelled=cancelled)
    if cancelled is not None and cancelled.is_set():
        raise Cancelled("the generation was cancelled")
    return completions


def edit_of_best(site: Site, candidates: Sequence[Candidate]) -> tuple[Edit | None, str | None]:
    """The edit that adds the first candidate, or why there is none."""
    if not candidates:
        return None, "nothing new was generated"
    best = candidates[0]
    if not best.parses:
        return None, "no candidate is a complete test"
    if site.has(best.text):  # by what was settled
        return None, "the test class has the best of them already"
    edit, reason = or_why_not(lambda: site.edit(best.text))
    return (replace(edit, notes=(*best.notes, *edit.notes)) if edit else None), reason


def or_why_not(make: Callable[[], Edit]) -> tuple[Edit | None, str | None]:
    """An edit, or why it cannot be made: the text is worth showing all the same."""
    try:
        return make(), None
    except BadInput as error:
        return None, str(error)
