"""What commands share: arguments that mean the same everywhere, and the interrupt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from personalizer import output
from personalizer.errors import BadInput, NoTests, TooFewPairs

if TYPE_CHECKING:
    from indexer import Snapshot
    from personalizer.adapters import Registry
    from personalizer.daemon.protocol import JobRequest
    from personalizer.phases import Progress
    from personalizer.settings import Resolved

__all__ = [
    "GoesOn",
    "check_for_java",
    "going_on",
    "hinting_at_the_project_around",
    "in_background",
    "interrupted",
    "json_lines_option",
    "json_option",
    "path_argument",
    "progress_option",
    "project_above",
    "project_here",
    "registry_of",
    "say_what_is_ignored",
    "until_interrupted",
    "workspace_option",
]

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
json_lines_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a line."
)
progress_option = click.option(
    "--progress",
    "as_json_lines",
    is_flag=True,
    hidden=True,
    help="Progress as JSON lines on stderr.",
)
_JAVA_BUILDS = ("pom.xml", "build.gradle", "build.gradle.kts")
_PYTHON_BUILDS = ("pyproject.toml", "setup.py")
_MARKS = (".git", "personalizer.toml", *_JAVA_BUILDS, *_PYTHON_BUILDS)


def project_above(place: Path) -> Path:
    """The project of a file, or of a folder that is none by itself.

    It is the nearest folder above with ``.git``, or else the topmost with a build file. The user's
    own folder is none, nor is what lies above that.
    """
    builds = {".java": _JAVA_BUILDS, ".py": _PYTHON_BUILDS}.get(place.suffix, _MARKS[2:])
    found = place.parent if place.is_file() else place
    for folder in place.parents:
        if folder == Path.home():
            break
        if (folder / ".git").exists():
            return folder
        if any((folder / name).exists() for name in builds):
            found = folder
    return found


def project_here() -> Path:
    """The project that the shell stands in; says so where that is a folder above."""
    here = Path.cwd()
    if any((here / mark).exists() for mark in _MARKS) or (found := project_above(here)) == here:
        return Path()
    output.remark(f"the project is {found}")
    return found


def _project(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    """The folder that was named; where none was, the project that the shell stands in."""
    assert parameter.name is not None
    named = context.get_parameter_source(parameter.name) is not ParameterSource.DEFAULT
    return path if named else project_here()


path_argument = click.argument(
    "path", default=".", type=click.Path(path_type=Path), callback=_project
)
workspace_option = click.option(
    "--workspace",
    default=".",
    show_default="the project that this folder is part of",
    type=click.Path(path_type=Path),
    callback=_project,
    help="The project.",
)

interrupted = threading.Event()
"""Set by an interrupt, which a library may have swallowed."""


def until_interrupted(report: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Ends a training at its next step when a library swallowed the interrupt (in a destructor)."""

    def reporting(progress: Progress) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        report(progress)

    return reporting


class GoesOn(KeyboardInterrupt):
    """An interrupt of what goes on where it was when it is called again."""


@contextmanager
def going_on() -> Iterator[None]:
    """Says of what an interrupt ends in it that it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        raise GoesOn from None


@contextmanager
def hinting_at_the_project_around(path: Path) -> Iterator[None]:
    """Names the project around a folder that was named and has too little to learn from."""
    try:
        yield
    except (TooFewPairs, NoTests) as error:
        here = path.resolve()
        around = project_above(here)
        if around == here or any((here / mark).exists() for mark in _MARKS):
            raise
        raise type(error)(f"{error}; {here} is part of the project {around}: name that") from None


def check_for_java(snapshot: Snapshot, root: Path) -> None:
    """Raises ``BadInput`` where a project has no Java, not even some that is left out."""
    if not snapshot.files and not snapshot.excluded:
        raise BadInput(f"expected a folder with Java source files, found none in {root}")


def say_what_is_ignored(resolved: Resolved) -> None:
    """Names the settings of the repository's file that only the user may set, a line each."""
    for line in resolved.ignored:
        output.remark(line)


_JOBS = {"train": "a training", "measure": "a measurement", "evaluate": "an evaluation"}


def in_background(request: JobRequest, as_json: bool) -> None:
    """Lets the daemon do a job and prints it; says so where an equal one has not ended yet."""
    from personalizer.daemon.client import connect
    from personalizer.daemon.protocol import MeasureRequest

    if not isinstance(request, MeasureRequest):
        request = replace(request, base=_found_elsewhere(request.base))
    with connect() as client:
        before = {job.id for job in client.jobs()}
        job = client.train(request)
    if job.id in before and not as_json:
        output.remark(f"{_JOBS[job.kind]} is under way already")
    output.show("job", job, as_json)


def _found_elsewhere(base: str | None) -> str | None:
    """A base as a process that works in another folder finds it."""
    from personalizer.models import STARTER

    if base in (None, STARTER) or not (folder := Path(base).expanduser()).is_dir():
        return base
    return str(folder.resolve())


def registry_of(path: Path) -> Registry:
    """The adapters of the project at a path."""
    from indexer import Workspace
    from personalizer.adapters import Registry

    return Registry.of(Workspace(path).root)
