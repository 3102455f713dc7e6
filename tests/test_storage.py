"""Files that are whole or old, and a lock that one process holds."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from indexer import Store
from personalizer.errors import BadInput, Busy, StorageError
from personalizer.storage import WorkspaceData, file_within, write_atomically

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


def test_what_fails_while_the_workspace_is_held_is_told_as_it_is(tmp_path):
    with (
        pytest.raises(FileNotFoundError),
        WorkspaceData(tmp_path).lock("train"),
    ):
        (tmp_path / "missing").read_bytes()
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


def test_what_to_do_is_said_where_the_data_folder_cannot_be_written(tmp_path, own_data_folder):
    for folder, told in ((own_data_folder, True), (tmp_path, False)):
        (folder / "file").write_bytes(b"")
        with pytest.raises(StorageError) as caught:
            write_atomically(folder / "file" / "below", b"new")
        assert ("set PERSONALIZER_DATA_DIR" in str(caught.value)) == told


def test_two_workspaces_of_one_name_have_two_folders(tmp_path):
    one, two = tmp_path / "a" / "project", tmp_path / "b" / "project"
    assert WorkspaceData(one).folder != WorkspaceData(two).folder
    assert WorkspaceData(one).folder.name.startswith("project-")


def test_the_mode_of_a_file_is_kept_and_a_new_one_is_private_unless_it_is_to_be_shared(tmp_path):
    before = os.umask(0o022)
    try:
        kept = tmp_path / "kept"
        kept.write_bytes(b"old")
        kept.chmod(0o664)
        write_atomically(kept, b"new")
        write_atomically(tmp_path / "token", b"secret")
        write_atomically(tmp_path / "Test.java", b"class Test { }", private=False)
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"kept": 0o664, "token": 0o600, "Test.java": 0o644}


@pytest.mark.parametrize("there", [False, True])
def test_nobody_else_may_enter_what_is_kept_of_projects(tmp_path, own_data_folder, there):
    before = os.umask(0o022)
    try:
        if there:
            (own_data_folder / "workspaces").mkdir()
        Store(WorkspaceData(tmp_path).index).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((own_data_folder / "workspaces").stat().st_mode) == 0o700


def test_nothing_is_written_behind_a_link_or_over_a_file_that_nobody_knew_of(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "src").mkdir(parents=True)
    outside.mkdir()
    (root / "src" / "test").symlink_to(outside)
    (root / "src" / "main").mkdir()
    (root / "src" / "inner").symlink_to(root / "src" / "main")
    assert file_within(root, "src/new/p/T.java", new=True) == root / "src/new/p/T.java"
    assert file_within(root, "src/inner/T.java", new=True) == root / "src/inner/T.java"
    with pytest.raises(BadInput, match=r"a link leads from src/test/p/T\.java out of"):
        file_within(root, "src/test/p/T.java", new=True)
    (root / "src" / "main" / "T.java").touch()
    assert file_within(root, "src/main/T.java", new=False) == root / "src/main/T.java"
    with pytest.raises(BadInput, match="is there already"):
        file_within(root, "src/main/T.java", new=True)
