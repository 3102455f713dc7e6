"""``personalizer evaluate``, top to bottom: projects, cells, verdicts, summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personalizer.evaluation.comparison import Verdicts
from personalizer.evaluation.experiment import Result, Step, run_cells
from personalizer.evaluation.methods import methods_named
from personalizer.evaluation.projects import Project, open_projects
from personalizer.evaluation.runs import Asked, Bench
from personalizer.evaluation.summary import summarise
from personalizer.evaluation.validity import Outcome, outcomes
from personalizer.evaluation.vocabulary import shared, words_of
from personalizer.generation.validators import open_validator
from personalizer.settings import Settings, parse_duration
from personalizer.training.strategies import STRATEGIES
from personalizer.training.trainer import limit_threads

__all__ = ["Plan", "evaluate"]


@dataclass(frozen=True)
class Plan:
    """What is compared, on how much."""

    methods: tuple[str, ...]
    """Names; the base is always among them."""
    folds: int = 4
    limit: int | None = None
    """Most pairs of each project."""
    with_test_class: bool = True
    """Prompts show the test class, as the editor does."""
    generated: int = 16
    """Most tests written a cell."""
    beams: int = 5
    as_served: bool = True
    """Tests are decoded with the engine's guards."""
    examples: int = 16
    """Most pairs that a prompt shows."""
    curve: bool = False
    test_set: Path | None = None
    run: bool = True
    """Compile and run generated tests, where the project is trusted."""
    trusted: bool = False
    """The user has just said that the projects are to be trusted."""


def evaluate(
    roots: Sequence[Path],
    settings: Settings,
    plan: Plan,
    *,
    report: Callable[[Step], None] = lambda _: None,
) -> dict[str, Any]:
    """Compares methods on projects.

    Args:
        roots: The projects.
        settings: Base, lengths and training; the budget is that of one training.
        plan: The rest.
        report: Told before each cell.

    Returns:
        The JSON object of ``personalizer evaluate``.

    Raises:
        BadInput: If a project has too few pairs or classes for the folds.
        SettingsError: If a method is unknown.
        Busy: If another evaluation of a project runs.
    """
    methods = methods_named(plan.methods, STRATEGIES)
    limit_threads(settings.threads)
    asked = Asked(
        budget_seconds=parse_duration(settings.budget),
        with_test_class=plan.with_test_class,
        generated=plan.generated,
        beams=plan.beams,
        as_served=plan.as_served,
        shots=plan.examples,
    )
    bench = Bench(settings, asked)
    with open_projects(
        roots,
        settings,
        count=plan.folds,
        limit=plan.limit,
        test_set=plan.test_set,
        trains=any(method.strategy for method in methods),
    ) as projects:
        results = run_cells(bench, projects, methods, curve=plan.curve, report=report)
        several = len(projects) > 1
        return summarise(
            projects,
            methods,
            results,
            _verdicts(projects, results, settings, plan),
            about={
                "base": settings.base,
                "context": "editor" if plan.with_test_class else "focal",
                "settings": bench.told(),
            },
            tokens_shared=shared({p.name: words_of(p.snapshot) for p in projects})
            if several
            else None,
        )


def _verdicts(
    projects: Sequence[Project], results: Sequence[Result], settings: Settings, plan: Plan
) -> Verdicts:
    """What became of every generated test, where this machine can compile and run them."""
    found: dict[tuple[str, str, str], Outcome] = {}
    for project in projects:
        validator = open_validator(
            project.root, project.snapshot, settings, run=plan.run, trusted=plan.trusted
        )
        try:
            for result in results:
                if result.project != project.name or result.share < 1 or result.cell is None:
                    continue
                assert result.key is not None
                each = outcomes(project, result.fold, result.cell, result.key, validator)
                found |= {(project.name, result.method, one.test): one for one in each}
        finally:
            validator.close()
    return found
