"""Do the generated tests compile and pass, each in the place of the developers' own?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from indexer import Pair, Snapshot
from indexer.languages.java import method_errors
from personalizer.errors import BadInput
from personalizer.evaluation.cells import Cell, key_of, read, write
from personalizer.evaluation.projects import Project
from personalizer.generation.site import Site
from personalizer.prompts import TestPlace
from personalizer.validation import Check, Unable, Validator, Verdict

__all__ = ["SHARES", "Outcome", "check_in_place", "outcomes"]

_JUDGED = 2
"""Changes when outcomes of before are not comparable."""

SHARES = {
    "compiles": None,
    "passes": "compiles",
    "new_lines": "passes",
    "mutation_score": "passes",
}
"""Facts of which the mean over tests is told, each with what a test must do before it is measured;
where a test does not, the fact counts as 0."""


@dataclass(frozen=True)
class Outcome:
    """What became of one generated test."""

    test: str
    """``path#key`` of the developers' test in whose place it stood."""
    compiles: bool | None
    passes: bool | None
    flaky: bool = False
    new_lines: bool | None = None
    """Whether it runs a line that the other tests of its class do not, False where it does not
    pass; None where unknown."""
    mutation_score: float | None = None
    """Share of the mutants of its method that it notices, 0 where it does not pass; None where
    there are none, or that is unknown."""
    not_run: str | None = None
    """Why something of it is None; such outcomes are never kept."""


def outcomes(
    project: Project, fold: int, cell: Cell, key: str, validator: Validator
) -> tuple[Outcome, ...]:
    """What becomes of each greedy test of a cell; computed once while nothing changes that decides.

    Args:
        project: The cell's.
        fold: The cell's, from 1.
        cell: Whose tests are tried.
        key: The cell's.
        validator: Compiles and runs, in the full sandbox.

    Returns:
        One a test; where it could not be tried, with the reason: model-written code runs in a full
        sandbox or not at all.
    """
    texts = {row.test: row.greedy for row in cell.rows if row.greedy is not None}
    if isinstance(validator, Unable):
        return tuple(_not_tried(test, validator.reason) for test in texts)
    validator.update(project.snapshot)
    file = project.cells.verdicts(key_of(key, validator.state(), _JUDGED))
    known = {one.test: one for one in read(file, tuple[Outcome, ...]) or ()}
    pairs = {p.test.key: p for side in project.folds[fold - 1].values() for p in side}
    wanted = [(pairs[test], text) for test, text in texts.items() if test not in known]
    known |= {one.test: one for one in _judged(project.snapshot, wanted, validator)}
    if wanted and (kept := [one for one in known.values() if one.not_run is None]):
        write(file, kept)
    return tuple(known[test] for test in texts)


def _judged(
    snapshot: Snapshot, written: Sequence[tuple[Pair, str]], validator: Validator
) -> Iterator[Outcome]:
    checks: dict[str, Check] = {}
    for pair, text in written:
        if not method_errors(text):
            with suppress(BadInput):  # as much as not compiling
                checks[pair.test.key] = check_in_place(snapshot, pair, text)
    verdicts = dict(zip(checks, validator.validate(list(checks.values())), strict=True))
    # Where no test can be judged, what is no whole method is no failure either.
    unfit = {checks[t].file: v.not_run for t, v in verdicts.items() if v.compiles is None}
    for pair, _ in written:
        test = pair.test.key
        if test in verdicts:
            yield _outcome(test, verdicts[test])
        elif why := unfit.get(pair.test.path):
            yield _not_tried(test, why)
        else:
            yield Outcome(test, False, False, new_lines=False, mutation_score=0.0)


def _not_tried(test: str, why: str) -> Outcome:
    return Outcome(test, compiles=None, passes=None, not_run=why)


def _outcome(test: str, verdict: Verdict) -> Outcome:
    # What does not compile does not pass, and what does not pass adds and notices nothing: shares
    # are of all tests that were written.
    passes = False if verdict.compiles is False else verdict.passes
    nothing = Outcome(
        test,
        verdict.compiles,
        passes,
        verdict.flaky,
        None if passes is None else False,
        None if passes is None else 0.0,
        verdict.not_run,
    )
    if not passes:
        return nothing
    lines, mutants = verdict.new_lines, verdict.mutants
    noticed = verdict.killed / mutants if mutants else None
    return replace(
        nothing,
        new_lines=None if lines is None else lines > 0,
        mutation_score=0.0 if verdict.reaches_focal is False else noticed,
    )


_MUTANTS = 20
"""Most mutants of a method that a test is tried on."""


def check_in_place(snapshot: Snapshot, pair: Pair, text: str) -> Check:
    """A generated test in the very place of the developers', whose imports it finds there."""
    at = TestPlace(pair.test.path, pair.test.method.owner)
    site = Site(snapshot, pair.focal.path, pair.focal.method, at)
    return replace(site.check_in_place(pair.test.method, text), mutants=_MUTANTS)
