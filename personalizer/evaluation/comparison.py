"""What methods are compared on: the same pairs and the same tests for all of them.

Where a fold of one method failed, or tests of one could not be run, the others' are left out
there, too: figures of different pairs say nothing about methods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from personalizer.evaluation.cells import Cell, Row
from personalizer.evaluation.experiment import Result
from personalizer.evaluation.validity import SHARES, Outcome

__all__ = ["Compared", "Verdicts", "in_common", "tried_for_all"]

Verdicts = Mapping[tuple[str, str, str], Outcome]
"""Outcomes by project, method and test."""

_RowKey = tuple[str, str, str]
"""Project, test and focal method of a row."""
_OTHERS = "of another method it could not be tried"


@dataclass(frozen=True)
class Compared:
    """How much of what was held out is compared."""

    pairs: int
    """That every method read; where there are none, each method is scored on its own."""
    of: int
    """That any method read."""


def in_common(results: Sequence[Result]) -> tuple[list[Result], Compared]:
    """Cells with those rows alone that every method has that has any.

    Args:
        results: Of whole folds; gaps stay gaps.
    """
    read: dict[str, set[_RowKey]] = defaultdict(set)
    written: dict[str, set[_RowKey]] = defaultdict(set)
    for result in results:
        for row in result.cell.rows if result.cell else ():
            read[result.method].add(_row_key(result, row))
            if row.greedy is not None:
                written[result.method].add(_row_key(result, row))
    pairs, tests = _in_all([*read.values()]), _in_all([written[method] for method in read])
    compared = Compared(len(pairs), len(set().union(*read.values())))
    if pairs:
        results = [
            replace(result, cell=_with_rows(result, result.cell, pairs, tests))
            if result.cell
            else result
            for result in results
        ]
    return list(results), compared


def tried_for_all(verdicts: Verdicts) -> dict[tuple[str, str, str], Outcome]:
    """Verdicts less what is not known of the same test of every method.

    Args:
        verdicts: Of tests that every method wrote.
    """
    for fact in SHARES:
        unknown = {(p, test) for (p, _, test), o in verdicts.items() if getattr(o, fact) is None}
        verdicts = {
            (p, method, test): _without(outcome, fact) if (p, test) in unknown else outcome
            for (p, method, test), outcome in verdicts.items()
        }
    return dict(verdicts)


def _without(outcome: Outcome, fact: str) -> Outcome:
    why = outcome.not_run or (_OTHERS if fact == "passes" else None)
    less: dict[str, Any] = {fact: None}
    return replace(outcome, not_run=why, **less)


def _row_key(result: Result, row: Row) -> _RowKey:
    return result.project, row.test, row.focal


def _in_all(sets: Collection[set[_RowKey]]) -> set[_RowKey]:
    return set.intersection(*sets) if sets else set()


def _with_rows(result: Result, cell: Cell, pairs: set[_RowKey], tests: set[_RowKey]) -> Cell:
    rows = [row for row in cell.rows if _row_key(result, row) in pairs]
    kept = [
        row if _row_key(result, row) in tests else replace(row, greedy=None, beams=())
        for row in rows
    ]
    return replace(cell, rows=tuple(kept))
