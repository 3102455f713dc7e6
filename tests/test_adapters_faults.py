"""``kill -9`` at every file operation of promotion, roll back, import and remove."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from personalizer.adapters import Registry, Trained, export
from personalizer.training.keeping import Asking
from tests.fault_injection import OLD
from tests.test_adapters import manifest


@pytest.fixture
def work(tmp_path):
    """A registry of three, of which the second serves after the first, and a fourth to import."""
    there, elsewhere = Registry(tmp_path / "adapters"), Registry(tmp_path / "elsewhere")
    for name, registry in (("one", there), ("two", there), ("three", there), ("four", elsewhere)):
        staging = registry.staging()
        save_file({"w": np.ones(3, np.float32)}, str(staging / "adapter_model.safetensors"))
        registry.add(staging, manifest(name), Trained({name: "1"}, []))
    there.use("one")
    there.use(OLD)
    export(elsewhere.get("four"), tmp_path / "four")
    return tmp_path


def killed_at_each_operation(act, work):
    done = subprocess.run(
        [sys.executable, "-m", "tests.fault_injection", act, str(work)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) >= 5
    assert [row["spoilt"] for row in rows] == [None] * len(rows)
    return rows


@pytest.mark.parametrize(
    ("act", "serving", "names"),
    [
        ("promote", "three", 3),
        ("rollback", "one", 3),
        ("import", OLD, 4),
        ("remove", "one", 2),
        ("remove another", OLD, 2),
    ],
)
def test_a_process_killed_at_any_operation_leaves_the_old_or_the_new(work, act, serving, names):
    rows = killed_at_each_operation(act, work)
    states = [(row["serving"], len(row["names"])) for row in rows]
    assert {state[0] for state in states} <= {OLD, serving}
    assert {state[1] for state in states} <= {3, names}
    assert states[0] == (OLD, 3)
    assert states[-1] == (serving, names)


@pytest.mark.parametrize("act", ["train by hand", "train as a job"])
def test_a_training_killed_while_it_keeps_its_adapter_goes_on_to_one_that_serves(work, act):
    *broken, whole = killed_at_each_operation(act, work)
    for row in broken:
        assert len(row["names"]) == 4, row
        assert row["serving"].startswith("new-")
    # asked for once more after its end, a job has its answer, a command trains anew
    assert len(whole["names"]) == (4 if act == "train as a job" else 5)


@pytest.mark.parametrize("job", [None, "job-2"])
def test_a_training_that_is_broken_off_is_not_answered_with_an_earlier_one(tmp_path, job):
    """The same pairs, base and settings, some time later: it goes on from its own checkpoint."""
    registry, runs = Registry(tmp_path / "adapters"), tmp_path / "training"

    def keep(asking, name):
        staging = runs / "run" / "staging"
        staging.mkdir(parents=True)
        save_file({"w": np.zeros(3, np.float32)}, str(staging / "adapter_model.safetensors"))
        return asking.keep(registry, runs / "run", staging, manifest(name), Trained({}, []))

    first = Asking(runs, "asked", None if job is None else "job-1")
    assert first.kept(registry) is None
    keep(first, "early")
    registry.use(None)
    asking = Asking(runs, "asked", job)
    assert asking.kept(registry) is None
    (runs / "run" / "checkpoint-6").mkdir(parents=True)  # and there it is killed
    assert asking.kept(registry) is None
    assert (runs / "run" / "checkpoint-6").is_dir()
    assert registry.serving() is None
    keep(asking, "late")
    again = asking.kept(registry)
    assert (again.id if again else None) == (None if job is None else "late")
