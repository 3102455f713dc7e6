"""The cells of an evaluation, one by one; what cannot be computed is a gap with its reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from personalizer.errors import PersonalizerError, StorageError
from personalizer.evaluation.cells import Cell
from personalizer.evaluation.methods import Method
from personalizer.evaluation.projects import Project
from personalizer.evaluation.runs import Bench, Work

__all__ = ["CURVE", "Result", "Step", "run_cells"]

CURVE = (0.125, 0.25, 0.5)
"""Shares of the training pairs that a learning curve adds to the whole."""


@dataclass(frozen=True)
class Step:
    """How far an evaluation is."""

    done: int
    cells: int
    what: str
    """The cell at hand: project, method, fold."""
    seconds_left: float | None
    """Foreseen from the cells computed so far; None before the first."""


@dataclass(frozen=True)
class Result:
    """One cell: computed, found, or a gap."""

    project: str
    method: str
    fold: int
    """From 1."""
    share: float
    key: str | None
    file: Path | None
    cell: Cell | None
    gap: str | None
    """Why there is none; one line."""


def run_cells(
    bench: Bench,
    projects: Sequence[Project],
    methods: Sequence[Method],
    *,
    curve: bool = False,
    report: Callable[[Step], None] = lambda _: None,
) -> list[Result]:
    """Computes every cell that is not there yet.

    Cells that an error of ours or a lack of memory prevents become gaps; the others go on.

    Args:
        bench: Computes one cell.
        projects: In their order.
        methods: In the order of the report.
        curve: Train on shares of the pairs too.
        report: Told before each cell.

    Raises:
        StorageError: If results cannot be written.
        KeyboardInterrupt: After an interrupt; the next call goes on from there.
    """
    results: list[Result] = []
    works = list(_works(projects, methods, curve))
    watch = _Watch()
    for number, work in enumerate(works):
        report(Step(number, len(works), _name(work), watch.left(works[number:])))
        results.append(_result(bench, work, watch))
        following = works[number + 1] if number + 1 < len(works) else None
        if following is None or (following.project, following.fold) != (work.project, work.fold):
            bench.close_fold(work.project)
    return results


def _works(projects: Sequence[Project], methods: Sequence[Method], curve: bool) -> list[Work]:
    """Ordered so that cells of one adapter follow each other."""
    trained = list(dict.fromkeys(m.strategy for m in methods if m.strategy))
    plain = [m for m in methods if m.strategy is None]
    works = []
    for project in projects:
        for fold in range(len(project.folds)):
            works += [Work(project, method, fold) for method in plain]
            for strategy in trained:
                same = [m for m in methods if m.strategy == strategy]
                works += [Work(project, method, fold) for method in same]
                if curve:
                    works += [Work(project, Method(strategy, None), fold, s) for s in CURVE]
    return works


def _name(work: Work) -> str:
    share = "" if work.share >= 1 else f", {work.share:.1%} of the pairs"
    return f"{work.project.name}, {work.method.name}, fold {work.fold + 1}{share}"


def _result(bench: Bench, work: Work, watch: _Watch) -> Result:
    key = file = cell = gap = None
    start = time.monotonic()
    try:
        key = bench.key(work)
        file = work.project.cells.file(key)
        cell = work.project.cells.cell(key)
        if cell is None:
            cell = bench.compute(work)
            work.project.cells.keep(key, cell)
            watch.note(work, time.monotonic() - start)
    except StorageError:
        raise
    except (PersonalizerError, MemoryError, RuntimeError, ValueError) as error:
        # A strategy that a base cannot take is told by torch or PEFT in words of their own.
        cell, file = None, None
        gap = " ".join(str(error).split())[:200] or type(error).__name__
    return Result(
        work.project.name, work.method.name, work.fold + 1, work.share, key, file, cell, gap
    )


class _Watch:
    """Foresees the rest from what cells took, trained ones apart from the others."""

    def __init__(self) -> None:
        self._took: dict[bool, list[float]] = {True: [], False: []}

    def note(self, work: Work, seconds: float) -> None:
        self._took[work.method.strategy is not None].append(seconds)

    def left(self, works: Sequence[Work]) -> float | None:
        known = {kind: sum(t) / len(t) for kind, t in self._took.items() if t}
        if not known:
            return None
        kinds = [work.method.strategy is not None for work in works]
        return sum(known.get(kind, max(known.values())) for kind in kinds)
