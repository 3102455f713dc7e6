"""Kills a process at each of its file operations in turn, as ``kill -9`` would.

``python -m tests.fault_injection ACT WORK`` runs an act on a copy of ``WORK/adapters`` over and
over; the n-th child dies before its n-th operation. One line a child: what lies there afterwards,
for a training after it has gone on.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import safetensors.numpy  # here, else its import would be among the operations

from personalizer.adapters import Base, Registry, Trained, import_folder
from personalizer.training.keeping import Asking
from tests.test_adapters import STARTER_PRINT, manifest

__all__ = ["ACTS", "OLD", "spoilt"]

BASE = Base("starter", STARTER_PRINT)
OLD = "two"
"""Serves before each act; ``one`` served before it."""


def keep(registry: Registry, work: Path, job: str | None) -> None:
    """The end of a training: another name for its adapter each time that it comes so far."""
    asking, run = Asking(work / "training", "asked", job), work / "training" / "run"
    if asking.kept(registry):
        return
    staging = run / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    weights = staging / "adapter_model.safetensors"
    safetensors.numpy.save_file({"w": np.zeros(3, np.float32)}, str(weights))
    asking.keep(registry, run, staging, manifest(f"new-{os.getpid()}"), Trained({}, []))


ACTS = {
    "promote": lambda registry, work: registry.use("three", by="gate"),
    "rollback": lambda registry, work: registry.rollback(),
    "import": lambda registry, work: import_folder(registry, work / "four", BASE),
    "remove": lambda registry, work: registry.remove(OLD),
    "remove another": lambda registry, work: registry.remove("one"),
    "train by hand": lambda registry, work: keep(registry, work, None),
    "train as a job": lambda registry, work: keep(registry, work, "job"),
}
_GOES_ON = ("train by hand", "train as a job")
_WATCHED = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.rmtree")


def spoilt(adapters: Path) -> str | None:
    """What is wrong with a registry that a dead process left; None when nothing is."""
    registry = Registry(adapters)
    registry.serving()
    for adapter in registry.all():
        adapter.verify()
        adapter.trained()
    if registry.damaged():
        return f"damaged {registry.damaged()}"
    registry.sweep()
    left = {p.name for p in adapters.iterdir()} - {a.id for a in registry.all()}
    left -= {"serving.json", "names.json", ".lock"}
    return f"left over {sorted(left)}" if left else None


def _die_at(number: int) -> None:
    """Ends this process before its ``number``-th operation on files, counted from now."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(lambda event, _: step() if event in _WATCHED else None)
    for name in ("fsync", "write", "close"):  # not audited
        real = getattr(os, name)

        def stepping(*arguments: object, real: object = real) -> object:
            step()
            return real(*arguments)  # type: ignore[operator]

        setattr(os, name, stepping)


def main() -> None:
    act, work = sys.argv[1], Path(sys.argv[2])
    number = 0
    while True:
        number += 1
        adapters = work / "tried"
        shutil.rmtree(adapters, ignore_errors=True)
        shutil.rmtree(work / "training", ignore_errors=True)
        shutil.copytree(work / "adapters", adapters)
        child = os.fork()
        if child == 0:
            _die_at(number)
            ACTS[act](Registry(adapters), work)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if act in _GOES_ON:
            ACTS[act](Registry(adapters), work)
        serving = Registry(adapters).serving()
        names = [a.id for a in Registry(adapters).all()]
        row = {"died_at": number, "serving": serving and serving.id, "names": names}
        row["spoilt"] = spoilt(adapters)
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()  # else the next child would hold it too
        if os.WIFEXITED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
