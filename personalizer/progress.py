"""How far a command is: bars and spinners on a terminal, plain lines elsewhere, on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

import click

from personalizer.output import harmless, remark
from personalizer.words import PHASES, duration

if TYPE_CHECKING:
    from rich.console import Console

    from personalizer.phases import Progress

__all__ = ["cell_json", "cell_line", "counting", "training_progress", "working"]


@cache
def _stderr() -> Console:
    from rich.console import Console  # not for commands that are over before a bar could show

    return Console(stderr=True, highlight=False)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner on a terminal, nothing elsewhere."""
    with _stderr().status(f"{what}…"):
        yield


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on a terminal; calls count on."""
    from rich.progress import Progress as Bar

    with Bar(console=_stderr(), disable=not _stderr().is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def training_progress(*, as_json_lines: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal, JSON lines for the daemon, a line a phase elsewhere."""
    if as_json_lines:
        yield _json_line
    elif _stderr().is_terminal:
        with _bar() as report:
            yield report
    else:
        yield _phases()


def _json_line(progress: Progress) -> None:
    print(json.dumps({"progress": asdict(progress)}), file=sys.stderr, flush=True)  # noqa: T201


def _phases() -> Callable[[Progress], None]:
    said: set[str] = set()

    def report(progress: Progress) -> None:
        if progress.phase not in said:
            said.add(progress.phase)
            click.echo(f"{PHASES[progress.phase]}…", err=True)
        if progress.note:
            remark(progress.note)

    return report


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    with Bar(*columns, console=_stderr()) as bar:
        task = bar.add_task(PHASES["index"], total=None, figures="")

        def report(progress: Progress) -> None:
            if progress.note:
                bar.console.print(harmless(f"note: {progress.note}"), markup=False)
            bar.update(
                task,
                description=PHASES[progress.phase],
                completed=progress.step,
                total=progress.steps or None,
                figures=_figures(progress),
            )

        yield report


def _figures(progress: Progress) -> str:
    parts = []
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.3f}")
    if progress.validation_loss is not None:
        parts.append(f"validation {progress.validation_loss:.3f}")
    if progress.tokens_per_second:
        parts.append(f"{progress.tokens_per_second:,.0f} tokens/s")
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    return "  ".join(parts)


def cell_line(done: int, cells: int, what: str, seconds_left: float | None) -> None:
    """A line for each cell of an evaluation: what comes, and how long the rest takes."""
    left = "" if seconds_left is None else f", about {duration(seconds_left)} left"
    click.echo(harmless(f"{done + 1} of {cells}: {what}{left}"), err=True)


def cell_json(done: int, cells: int, what: str, seconds_left: float | None) -> None:
    """The same for the daemon, as a JSON line; it does not ask which cell."""
    from personalizer.phases import Progress

    _json_line(Progress("evaluate", done, cells, seconds_left=seconds_left))
