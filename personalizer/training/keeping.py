"""What a killed training finds again: its run, and the adapter that it had kept already.

Between an adapter's coming into the registry and its training's answer a process may die. What
is to be kept is noted before, so that a training that goes on answers with it and adds no second.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from indexer import Pair
from personalizer.adapters import Adapter, Manifest, Registry, Trained
from personalizer.dataset import Dataset
from personalizer.errors import AdapterError
from personalizer.processes import JOB
from personalizer.settings import Settings
from personalizer.storage import write_atomically

__all__ = ["Asking", "checkpoints_of", "forget_other_examples", "forget_other_runs", "run_name"]

_NOTE = "kept.json"
_LEFT = timedelta(days=7)
"""How long a training that was broken off is kept while others are begun."""


@dataclass(frozen=True)
class _Kept:
    """What was about to be kept."""

    asked: str
    job: str | None
    run: str
    """Folder of the run's checkpoints; it is deleted once the adapter is kept and serves."""
    adapter: str


@dataclass(frozen=True)
class Asking:
    """A training as it was asked for; the same one asks again after a kill."""

    folder: Path
    """Of all runs of the workspace."""
    asked: str
    """``run_name`` of pairs, base and settings, whatever serves by then."""
    job: str | None
    """The daemon's name of it; None where a user called the command."""

    @classmethod
    def here(cls, folder: Path, asked: str) -> Asking:
        """Of this process."""
        return cls(folder, asked, os.environ.get(JOB))

    def kept(self, registry: Registry) -> Adapter | None:
        """The adapter that this training has kept already, let serve if its gate did.

        None where it has kept none: then what an earlier training noted is forgotten, so that it
        is not taken for this one's. A command by hand that ended as it should asks anew.
        """
        adapter = self._kept(registry)
        if adapter is None:
            (self.folder / _NOTE).unlink(missing_ok=True)
        return adapter

    def _kept(self, registry: Registry) -> Adapter | None:
        kept = self._noted()
        if kept is None:
            return None
        run = self.folder / kept.run
        broken_off = kept.asked == self.asked and run.exists()
        if not broken_off and (self.job is None or kept.job != self.job):
            return None
        try:
            adapter = registry.get(kept.adapter)
        except AdapterError:
            return None
        if run.exists():
            _serve(registry, adapter)
            shutil.rmtree(run, ignore_errors=True)
        return adapter

    def keep(
        self, registry: Registry, run: Path, staging: Path, manifest: Manifest, seen: Trained
    ) -> Adapter:
        """Takes an adapter in, lets it serve if its gate does, and deletes its run.

        Args:
            registry: Of the workspace.
            run: Folder of the run's checkpoints.
            staging: Folder of the adapter's weights.
            manifest: Without files.
            seen: What trained it.

        Raises:
            StorageError: If the disk is full or read-only.
        """
        kept = _Kept(self.asked, self.job, run.name, manifest.id)
        write_atomically(self.folder / _NOTE, msgspec.json.encode(kept))
        adapter = registry.add(staging, manifest, seen)
        _serve(registry, adapter)
        shutil.rmtree(run, ignore_errors=True)
        return adapter

    def _noted(self) -> _Kept | None:
        with suppress(OSError, ValueError):
            return msgspec.json.decode((self.folder / _NOTE).read_bytes(), type=_Kept)
        return None


def _serve(registry: Registry, adapter: Adapter) -> None:
    if adapter.manifest.gate["outcome"] != "refused":
        registry.use(adapter.id, by="gate")


def run_name(pairs: Iterable[Pair], base: str, settings: Settings) -> str:
    """Same pairs, base and training settings, same run: a killed one is found again."""
    values = {
        one.name: getattr(settings, one.name)
        for one in fields(settings)
        if one.metadata.get("training") and one.name not in ("budget", "tensorboard")
    }
    # the focal class decides on which side a pair lies: a digest alone knows no paths
    told = sorted(f"{pair.digest} {pair.focal_class} {pair.test.path}" for pair in pairs)
    text = "\n".join([f"{base} {values}", *told])
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def checkpoints_of(run: Path, rung: int, dataset: Dataset) -> Path:
    """Where the checkpoints of a run lie that learns from just these examples.

    Pairs alone do not say what prompts show: the code around them may have changed meanwhile.

    Args:
        run: Its folder.
        rung: Of the ladder: how much was given up for memory.
        dataset: Its training and validation sides count.
    """
    shown = hashlib.blake2b(digest_size=8)
    for side in (dataset.train, dataset.validation):
        shown.update(repr([(e.prompt, e.target) for e in side]).encode())
    return run / f"rung-{rung}-{shown.hexdigest()}"


def forget_other_examples(checkpoints: Path) -> list[str]:
    """Deletes the checkpoints of the same run and rung that learnt from other examples.

    Returns:
        What became of those, a sentence each.
    """
    said = []
    for other in checkpoints.parent.glob(f"{checkpoints.name.rpartition('-')[0]}-*"):
        if other != checkpoints:
            got = _how_far([other])
            shutil.rmtree(other, ignore_errors=True)
            if got.step:
                said.append(
                    f"begins anew: code that its prompts show has changed since an earlier "
                    f"training was broken off at step {got.step}"
                )
    return said


def forget_other_runs(kept: Path) -> list[str]:
    """Deletes the runs beside one, but for the last one that got anywhere, which stays for a week.

    Returns:
        What became of those that had got anywhere, a sentence each.
    """
    folders = [one for one in kept.parent.glob("*") if one.is_dir() and one != kept]
    others = [(_how_far(one.glob("rung-*")), one) for one in folders]
    last = max((got.at for got, _ in others), default=None)
    said = []
    for got, folder in others:
        what = f"an earlier training of other pairs or settings, broken off at step {got.step},"
        until = got.at + _LEFT
        if got.at == last and until > datetime.now(UTC):
            said.append(f"{what} is kept until {until:%Y-%m-%d}: asked for as it was, it goes on")
            continue
        shutil.rmtree(folder, ignore_errors=True)
        if got.step:
            why = "it is a week old" if got.at == last else "a later one is kept"
            said.append(f"{what} was deleted: {why}")
    return said


@dataclass(frozen=True)
class _Got:
    """How far a training came."""

    step: int
    """Of its newest checkpoint; 0 where it has none."""
    at: datetime
    """When that was written."""


def _how_far(runs: Iterable[Path]) -> _Got:
    from personalizer.training.checkpoints import checkpoints_in, step_of  # loads transformers

    rows = [
        _Got(step_of(one), datetime.fromtimestamp(one.stat().st_mtime, UTC))
        for run in runs
        for one in checkpoints_in(run)
    ]
    return max(rows, key=lambda got: got.at, default=_Got(0, datetime.fromtimestamp(0, UTC)))
