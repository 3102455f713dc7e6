"""``personalizer evaluate --tasks``: a public benchmark instead of projects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from personalizer.commands.common import interrupted
from personalizer.models.quiet import quiet_libraries

if TYPE_CHECKING:
    from personalizer.evaluation.tasks.run import Solutions
    from personalizer.settings import Settings

__all__ = ["TASKS", "Asked", "run_tasks"]

_PROGRAMS = ("humaneval", "humaneval-x-java", "mbjp")
"""Benchmarks whose programs are run."""
_INSTRUCTIONS = ("conala", "codealpacapy", "apps")
"""Benchmarks that methods are trained and compared on (W24)."""
TASKS = (*_PROGRAMS, *_INSTRUCTIONS)


@dataclass(frozen=True)
class Asked:
    """What of a benchmark is tried."""

    solutions: str
    """Whose programs are run: ``model``, ``reference`` or ``broken``."""
    methods: list[str]
    """Compared on instructions."""
    shots: int
    """Most examples that icl and rag show."""
    beams: int
    samples: int
    """Programs for each problem."""
    limit: int | None
    """Most problems."""


def run_tasks(name: str, data: Path, settings: Settings, asked: Asked) -> dict[str, Any]:
    """The JSON object of the command.

    Raises:
        UsageError: If a benchmark without programs is asked for whose are run.
    """
    if asked.solutions != "model" and name not in (*_PROGRAMS, "apps"):
        raise click.UsageError(f"{name} has no programs to run: leave out --solutions")
    quiet_libraries()
    if name in _PROGRAMS:
        return _run(name, data, settings, asked)
    if asked.solutions != "model":
        return _references(data, asked)
    return _tune(name, data, settings, asked)


def _run(name: str, data: Path, settings: Settings, asked: Asked) -> dict[str, Any]:
    from personalizer.evaluation.tasks.run import run_problems

    return run_problems(
        name,
        data,
        settings,
        solutions=cast("Solutions", asked.solutions),
        samples=asked.samples,
        limit=asked.limit,
        report=_told("problems", 25),
    )


def _references(data: Path, asked: Asked) -> dict[str, Any]:
    from personalizer.evaluation.tasks.apps import run_references

    broken = asked.solutions == "broken"
    return run_references(data, broken=broken, limit=asked.limit, report=_told("problems", 25))


def _tune(name: str, data: Path, settings: Settings, asked: Asked) -> dict[str, Any]:
    from personalizer.evaluation.tasks.tune import run_instructions
    from personalizer.storage import data_folder

    return run_instructions(
        name,
        data,
        settings,
        asked.methods,
        scratch=data_folder() / "tasks" / name,
        shots=asked.shots,
        beams=max(1, asked.beams),
        samples=asked.samples,
        limit=asked.limit,
        report=_told("methods", 1),
    )


def _told(what: str, every: int) -> Callable[[int, int], None]:
    def told(done: int, count: int) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        if done % every == 0 or done == count:
            click.echo(f"{done} of {count} {what}", err=True)

    return told
