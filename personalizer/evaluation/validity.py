"""Do the generated tests compile and pass, each in the place of the developers' own?"""

from __future__ import annotations

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

__all__ = ["Outcome", "check_in_place", "outcomes"]

_JUDGED = 2
"""Changes when outcomes of before are not comparable."""


@dataclass(frozen=True)
class Outcome:
    """What became of one generated test."""

    test: str
    """``path#key`` of the developers' test in whose place it stood."""
    compiles: bool | None
    passes: bool | None
    flaky: bool = False
    new_lines: bool | None = None
    """Whether it runs a line that the other tests of its class do not; None where unknown."""
    mutation_score: float | None = None
    """Share of the mutants of its method that it notices, 0 where it does not pass; None where
    there are none, or that is unknown."""
    not_run: str | None = None


def outcomes(
    project: Project, fold: int, cell: Cell, key: str, validator: Validator
) -> tuple[tuple[Outcome, ...], str | None]:
    """What becomes of each greedy test of a cell; computed once while nothing changes that decides.

    Args:
        project: The cell's.
        fold: The cell's, from 1.
        cell: Whose tests are tried.
        key: The cell's.
        validator: Compiles and runs, in the full sandbox.

    Returns:
        Outcomes, and why there are none: model-written code runs in a full sandbox or not at all.
    """
    if isinstance(validator, Unable):
        return (), validator.reason
    validator.update(project.snapshot)
    file = project.cells.verdicts(key_of(key, validator.state(), _JUDGED))
    known = read(file, tuple[Outcome, ...])
    if known is not None:
        return known, None
    pairs = {
        f"{p.test.path}#{p.test.method.key}": p
        for side in project.folds[fold - 1].values()
        for p in side
    }
    texts = [(row.test, row.greedy) for row in cell.rows if row.greedy is not None]
    whole = [(test, text) for test, text in texts if not method_errors(text) and test in pairs]
    checks = {}
    for test, text in whole:
        with suppress(BadInput):  # as much as not compiling
            checks[test] = check_in_place(project.snapshot, pairs[test], text)
    verdicts = dict(zip(checks, validator.validate(list(checks.values())), strict=True))
    found = tuple(
        _outcome(test, verdicts[test])
        if test in verdicts
        else Outcome(test, compiles=False, passes=False, mutation_score=0.0)
        for test, _ in texts
    )
    if any(one.not_run is None for one in found):
        write(file, found)
    return found, next((one.not_run for one in found if one.not_run), None)


def _outcome(test: str, verdict: Verdict) -> Outcome:
    # What does not compile does not pass: shares are of all tests that were written.
    passes = False if verdict.compiles is False else verdict.passes
    score = None if passes is None else 0.0
    if passes and verdict.reaches_focal is not False:
        score = verdict.killed / verdict.mutants if verdict.mutants else None
    return Outcome(
        test,
        verdict.compiles,
        passes,
        verdict.flaky,
        None if (lines := verdict.new_lines) is None else lines > 0,
        score,
        verdict.not_run,
    )


_MUTANTS = 20
"""Most mutants of a method that a test is tried on."""


def check_in_place(snapshot: Snapshot, pair: Pair, text: str) -> Check:
    """A generated test in the very place of the developers', whose imports it finds there."""
    at = TestPlace(pair.test.path, pair.test.method.owner)
    site = Site(snapshot, pair.focal.path, pair.focal.method, at)
    return replace(site.check_in_place(pair.test.method, text), mutants=_MUTANTS)
