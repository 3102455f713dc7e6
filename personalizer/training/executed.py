"""The gate's second question: do the adapter's tests compile and pass as often as the base's?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from indexer import Index, Pair, Snapshot, Where
from personalizer.daemon.protocol import Progress
from personalizer.dataset import Dataset
from personalizer.engine import BASE, Engine
from personalizer.errors import PersonalizerError
from personalizer.gate import Executed, judge_executed
from personalizer.generation import Retriever, generate_test
from personalizer.generation.held_out import without_tests
from personalizer.settings import Settings
from personalizer.training.watch import Report
from personalizer.validation import Unable, Validator

__all__ = ["judged_by_running"]

_EXAMPLES = 2
"""Pairs that the base is shown: what a user has without any adapter."""


def judged_by_running(
    index: Index,
    snapshot: Snapshot,
    dataset: Dataset,
    adapter: Path,
    settings: Settings,
    *,
    engine: Engine,
    validator: Validator,
    seconds: float,
    report: Report,
) -> Executed | None:
    """Generates, compiles and runs tests for gate methods, by the base and by the adapter.

    Each method is shown without its own tests, and both are judged by the test that they would
    offer first. Methods come in the order of their names until the time is over; a method counts
    for both or for none.

    Args:
        index: Has the project.
        snapshot: What it has.
        dataset: Its gate side is judged on; retrieval chooses from its training side.
        adapter: Folder of the new adapter's weights.
        settings: As they would serve; ``gate_methods`` is the most methods.
        engine: Who writes.
        validator: Who compiles and runs.
        seconds: Of wall time.
        report: Told of each method.

    Returns:
        None where nothing can be run.
    """
    focals = _focals(dataset)[: settings.gate_methods]
    if not focals or isinstance(validator, Unable):
        return None
    shown_to = {
        BASE: replace(settings, retrieve=max(_EXAMPLES, settings.retrieve)),
        "adapter": settings,
    }
    passes: dict[str, dict[str, bool | None]] = {writer: {} for writer in shown_to}
    until = time.monotonic() + seconds
    training = [example.pair for example in dataset.train]
    for number, focal in enumerate(focals):
        report(Progress("gate", number, len(focals)))
        if time.monotonic() > until:
            break
        with without_tests(index, snapshot, focal) as project:
            for writer, chosen in shown_to.items():
                folder = None if writer == BASE else str(adapter)
                passes[writer][f"{focal.path}#{focal.method.key}"] = _passes(
                    project, focal, training, folder, chosen, engine, validator
                )
    executed = judge_executed(passes[BASE], passes["adapter"])
    return executed if executed.methods else None


def _focals(dataset: Dataset) -> list[Where]:
    found = {f"{e.pair.focal.path}#{e.pair.focal.method.key}": e.pair.focal for e in dataset.gate}
    return [found[key] for key in sorted(found)]


def _passes(
    project: Snapshot,
    focal: Where,
    training: Sequence[Pair],
    adapter: str | None,
    settings: Settings,
    engine: Engine,
    validator: Validator,
) -> bool | None:
    """Whether the test offered first compiles and passes; None where it could not be run."""
    try:
        made = generate_test(
            project,
            focal.path,
            focal.method,
            engine,
            base=settings.base,
            adapter_id="candidate" if adapter else BASE,
            adapter_folder=adapter,
            count=settings.candidates,
            settings=settings,
            examples=Retriever(project, training).nearest(focal, settings.retrieve),
            validator=validator,
        )
    except PersonalizerError:
        return None
    best = next(iter(made.candidates), None)
    if best is None or not best.parses:
        return False
    return None if best.compiles is None else best.passes


def open_engine(settings: Settings) -> closing[Engine]:
    """The engine that judges: in this process, its memory given back when it is closed."""
    from personalizer.engine.local import LocalEngine

    engine: Engine = LocalEngine(threads=settings.threads)
    return closing(engine)
