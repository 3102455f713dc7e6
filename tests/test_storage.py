"""Files that are whole or old, and a lock that one process holds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from personalizer.errors import Busy, StorageError
from personalizer.storage import WorkspaceData, write_atomically

HOLD = """
import sys, time
from pathlib import Path
from personalizer.storage import WorkspaceData
with WorkspaceData(Path(sys.argv[1])).lock("train"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_told_who_holds_the_workspace(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with (
            pytest.raises(Busy, match=rf"process {holder.pid} \(train\) holds"),
            WorkspaceData(tmp_path).lock("train"),
        ):
            pass
        holder.kill()
        holder.wait()
        with WorkspaceData(tmp_path).lock("train"):
            pass


def test_a_write_that_fails_leaves_the_old_content(tmp_path, monkeypatch):
    file = tmp_path / "file"
    write_atomically(file, b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_two_workspaces_of_one_name_have_two_folders(tmp_path):
    one, two = tmp_path / "a" / "project", tmp_path / "b" / "project"
    assert WorkspaceData(one).folder != WorkspaceData(two).folder
    assert WorkspaceData(one).folder.name.startswith("project-")
