"""The example project: it compiles and passes offline, and is indexed whole."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from indexer import index_folder

LEDGER = Path(__file__).parent.parent / "examples" / "ledger"


def test_every_test_of_the_ledger_has_a_focal_method():
    snapshot, _ = index_folder(LEDGER)
    assert snapshot.errors == {}
    assert len(snapshot.tests) >= 90
    assert len(snapshot.pairs) == len(snapshot.tests)


def test_the_methods_that_the_readme_calls_untested_have_no_test():
    snapshot, _ = index_folder(LEDGER)
    tested = {pair.focal.method.name for pair in snapshot.pairs}
    assert not tested & {"clamp", "parseOrZero", "gapTo", "overdraftUsed", "lowestBalance"}


@pytest.mark.slow
def test_the_ledger_compiles_and_passes_offline(tmp_path):
    shutil.copytree(LEDGER, tmp_path / "ledger", ignore=shutil.ignore_patterns("target"))
    done = subprocess.run(
        ["mvn", "-o", "-B", "-q", "-Dmaven.repo.local=/usr/share/maven-repo", "test"],
        cwd=tmp_path / "ledger",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
