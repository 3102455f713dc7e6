"""Mangled files never fail: our own sources and the example, cut, spliced and damaged."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_mangled_files_of_ours_never_fail(tmp_path: Path):
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "benchmarks/fuzz.py",
            *(ROOT / "examples/ledger", ROOT / "indexer"),
            *("--inputs", "300"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert (result["inputs"], result["failures"]) == (300, 0)
    assert 100 < result["with_errors"] < 300
