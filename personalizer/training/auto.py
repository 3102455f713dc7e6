"""``--method auto``: measures the situation, and keeps to what was chosen once."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil

from indexer import Pair, Snapshot
from personalizer.models import parameters_of, ran_out_of_memory
from personalizer.settings import Settings, parse_duration
from personalizer.storage import write_atomically
from personalizer.training.compute import give_memory_back
from personalizer.training.preparation import prepare
from personalizer.training.strategies.choice import AUTO, Choice, Situation, choose
from personalizer.training.trainer import rehearsed

__all__ = ["decided"]


def decided(
    snapshot: Snapshot, pairs: list[Pair], settings: Settings, kept: Path | None = None
) -> tuple[Settings, str | None]:
    """Settings with a strategy in place of ``auto``, and why that one.

    Args:
        snapshot: The project.
        pairs: Those that may train.
        settings: As resolved.
        kept: Folder of the run: a choice that lies there stands, since a clock had a part in it
            and a run that goes on must go on as it began. None keeps nothing.

    Returns:
        The settings as they came and None when they name a strategy.
    """
    if settings.method != AUTO:
        return settings, None
    file = None if kept is None else kept / "choice.json"
    if file is not None and file.exists():
        choice = msgspec.json.decode(file.read_bytes(), type=Choice)
    else:
        choice = choose(_situation(snapshot, pairs, settings))
        if file is not None:
            write_atomically(file, msgspec.json.encode(choice))
    return replace(settings, method=choice.method), choice.reason


def _situation(snapshot: Snapshot, pairs: list[Pair], settings: Settings) -> Situation:
    """What a choice depends on; without a rehearsal where memory does not suffice for one."""
    import torch

    budget = parse_duration(settings.budget)
    accelerator = torch.cuda.is_available()
    give_memory_back()
    free = (  # before the rehearsal takes of it
        torch.cuda.mem_get_info()[0] if accelerator else psutil.virtual_memory().available
    )
    try:
        count, parameters, epoch = _rehearsed(snapshot, pairs, settings, budget)
    except Exception as error:
        if not ran_out_of_memory(error):
            raise
        count, parameters, epoch = len(pairs), parameters_of(settings.base), math.inf
    give_memory_back()
    return Situation(
        pairs=count,
        parameters=parameters,
        memory_bytes=free,
        accelerator=accelerator,
        epoch_seconds=epoch,
        budget_seconds=budget,
    )


def _rehearsed(
    snapshot: Snapshot, pairs: list[Pair], settings: Settings, budget: float
) -> tuple[int, int, float]:
    """Training pairs, the base's parameters, and the seconds of an epoch with ``lora``."""
    prepared = prepare(snapshot, pairs, replace(settings, method="lora"), seconds=budget)
    parameters = prepared.base.model.num_parameters()
    _, forecast = rehearsed(prepared.base, prepared.dataset, prepared.strategy, prepared.hyper)
    count = len(prepared.dataset.train)
    return count, parameters, forecast.seconds_a_step * prepared.hyper.steps_an_epoch(count)
