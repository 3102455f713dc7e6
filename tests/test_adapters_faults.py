"""``kill -9`` at every file operation of promotion, roll back, import and remove."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from personalizer.adapters import Registry, Trained, export
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
    done = subprocess.run(
        [sys.executable, "-m", "tests.fault_injection", act, str(work)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) >= 5
    assert [row["spoilt"] for row in rows] == [None] * len(rows)
    states = [(row["serving"], len(row["names"])) for row in rows]
    assert {state[0] for state in states} <= {OLD, serving}
    assert {state[1] for state in states} <= {3, names}
    assert states[0] == (OLD, 3)
    assert states[-1] == (serving, names)
