"""The gate's second question: do the adapter's tests compile and pass as often as the base's?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from indexer import Index, Snapshot, Where
from personalizer.dataset import Dataset
from personalizer.engine import Engine
from personalizer.errors import Cancelled, PersonalizerError, PromptTooLong
from personalizer.gate import Executed, judge_executed
from personalizer.generation import Retriever, Vectors, Writer, generate_test
from personalizer.generation.held_out import without_tests
from personalizer.phases import Progress
from personalizer.settings import Settings
from personalizer.training.strategies import strategy_named
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
    offer first. Methods come in the order of their names; when the time is over, the one at hand
    is broken off, for a method counts for both or for none.

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
    with_examples = replace(settings, retrieve=max(_EXAMPLES, settings.retrieve))
    as_trained = Writer.trained(settings.base, "candidate", adapter, asdict(settings))
    writers = {"base": (Writer(settings.base), with_examples), "adapter": (as_trained, settings)}
    passes: dict[str, dict[str, bool | None]] = {name: {} for name in writers}
    training = [example.pair for example in dataset.train]
    embed = Vectors().by(settings.retriever, engine)
    with _set_after(seconds) as over:
        for number, focal in enumerate(focals):
            report(Progress("gate", number, len(focals)))
            found: dict[str, bool | None] = {}
            with without_tests(index, snapshot, focal) as project:
                retriever = Retriever(project, training, embed)
                try:
                    for name, (writer, chosen) in writers.items():
                        found[name] = _passes(
                            project, focal, retriever, writer, chosen, engine, validator, over
                        )
                except PersonalizerError as error:  # a writer that cannot write writes no other
                    why = f"the gate runs no more tests: {error}"
                    report(Progress("gate", number, len(focals), note=why))
                    break
            if over.is_set():
                break
            for name, passed in found.items():
                passes[name][focal.key] = passed
    executed = judge_executed(passes["base"], passes["adapter"])
    return executed if executed.methods else None


@contextmanager
def _set_after(seconds: float) -> Iterator[threading.Event]:
    """An event that is set when the time is over, in the middle of whatever looks at it."""
    over = threading.Event()
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), over.set)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def _focals(dataset: Dataset) -> list[Where]:
    found = {e.pair.focal.key: e.pair.focal for e in dataset.gate}
    return [found[key] for key in sorted(found)]


def _passes(
    project: Snapshot,
    focal: Where,
    retriever: Retriever,
    writer: Writer,
    settings: Settings,
    engine: Engine,
    validator: Validator,
    over: threading.Event,
) -> bool | None:
    """Whether the test offered first compiles and passes; None where it could not be run."""
    if over.is_set():
        return None
    try:
        made = generate_test(
            project,
            focal.path,
            focal.method,
            engine,
            writer=writer,
            count=settings.candidates,
            settings=settings,
            cancelled=over,
            examples=retriever.nearest(focal, settings.retrieve),
            validator=validator,
            salvage=False,  # it passes with either writer, and would hide which writes better
        )
    except (Cancelled, PromptTooLong):
        return None
    best = next(iter(made.candidates), None)
    if best is None or not best.parses:
        return False
    return None if best.compiles is None else best.passes


def open_engine(settings: Settings) -> closing[Engine]:
    """The engine that judges: in this process, its memory given back when it is closed.

    The base is kept as it was for the adapter, which is judged beside it.
    """
    from personalizer.engine.local import LocalEngine

    kept = strategy_named(settings.method).quantization
    engine: Engine = LocalEngine(threads=settings.threads, quantization=kept)
    return closing(engine)
