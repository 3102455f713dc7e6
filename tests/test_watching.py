"""What is told of files that change on disk, with real files."""

from __future__ import annotations

import errno
import logging
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import pytest
from watchdog.observers.inotify_c import InotifyFD

from indexer import Change, Index, Workspace, watching
from indexer.watching import Changed, Watcher
from tests.java_project import write_project


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_PAUSE", 0.1)
    monkeypatch.setattr(watching, "_POLL", 0.05)


class Told:
    """The bursts that a watcher told of."""

    def __init__(self) -> None:
        self.bursts: Queue[Changed] = Queue()

    def next(self) -> list[str] | None:
        """The next burst's paths in order; None where any may have changed."""
        changed = self.bursts.get(timeout=10)
        return None if changed is None else sorted(changed)

    def nothing(self) -> bool:
        try:
            self.bursts.get(timeout=0.4)
        except Empty:
            return True
        return False


@contextmanager
def watched(root: Path, *, polling: bool = False) -> Iterator[Told]:
    told = Told()
    watcher = Watcher(Workspace(root), told.bursts.put)
    watcher.start()
    try:
        assert told.next() is None  # the watch stands
        assert watcher.polling is polling
        yield told
    finally:
        watcher.stop()


def write(root: Path, *paths: str, text: str = "class A { }") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_files_that_are_written_removed_or_renamed_are_told(tmp_path: Path):
    write(tmp_path, "A.java", "b/B.java", "b/C.java", "notes.txt")
    with watched(tmp_path) as told:
        write(tmp_path, "A.java", "notes.txt", text="class A { int a; }")
        assert told.next() == ["A.java"]
        (tmp_path / "b/B.java").unlink()
        assert told.next() == ["b/B.java"]
        (tmp_path / "b/C.java").rename(tmp_path / "D.java")
        assert told.next() == ["D.java", "b/C.java"]


def test_a_new_folder_is_told_with_what_is_in_it_and_watched(tmp_path: Path):
    with watched(tmp_path) as told:
        write(tmp_path, "a/b/A.java", "a/C.java")
        assert told.next() == ["a/C.java", "a/b/A.java"]
        write(tmp_path, "a/b/A.java", text="class A { int a; }")
        assert told.next() == ["a/b/A.java"]


def test_a_folder_that_moves_may_have_changed_anything_and_is_watched_on(tmp_path: Path):
    write(tmp_path, "a/b/A.java")
    with watched(tmp_path) as told:
        (tmp_path / "a").rename(tmp_path / "z")
        assert told.next() is None
        write(tmp_path, "z/b/A.java", text="class A { int a; }")
        assert told.next() == ["z/b/A.java"]


def test_a_folder_that_is_removed_and_made_again_is_watched(tmp_path: Path):
    write(tmp_path, "a/A.java")
    with watched(tmp_path) as told:
        shutil.rmtree(tmp_path / "a")
        assert told.next() == ["a/A.java"]
        write(tmp_path, "a/A.java")
        assert told.next() == ["a/A.java"]
        write(tmp_path, "a/B.java")
        assert told.next() == ["a/B.java"]


def test_ignored_folders_are_never_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, "A.java", "target/T.java", "gen/G.java", "sub/S.java", ".git/x")
    write(tmp_path, ".gitignore", text="gen/\n")
    write(tmp_path, "sub/.git", text="gitdir: elsewhere")
    folders = []
    real = InotifyFD.add_callback

    def add(self: InotifyFD, path: bytes, *rest: object) -> object:
        folders.append(path.decode().removeprefix(str(tmp_path)).strip("/"))
        return real(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(InotifyFD, "add_callback", add)
    with watched(tmp_path) as told:
        write(tmp_path, "target/T.java", "gen/G.java", "sub/S.java", "node/target/N.java")
        assert told.nothing()
    assert sorted(set(folders)) == ["", ".git/info", "node", "sub"]  # those for their rules alone


def test_a_changed_ignore_file_moves_the_watches(tmp_path: Path):
    write(tmp_path, "gen/G.java")
    write(tmp_path, ".gitignore", text="gen/\n")
    with watched(tmp_path) as told:
        write(tmp_path, ".gitignore", text="")
        assert told.next() is None
        write(tmp_path, "gen/G.java", text="class G { int a; }")
        assert told.next() == ["gen/G.java"]


@pytest.mark.parametrize("kind", ["_Inotify", "_Native"])
def test_an_ignore_file_above_the_workspace_is_watched_and_nothing_else_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setattr(watching, "_Inotify", getattr(watching, kind))
    write(tmp_path, "repo/.git/x", "repo/apps/shop/A.java")
    with watched(tmp_path / "repo/apps/shop") as told:
        write(tmp_path, "repo/B.java", "repo/apps/C.java", ".gitignore", "repo/apps/new/D.java")
        assert told.nothing()
        write(tmp_path, "repo/.gitignore", text="gen/\n")
        assert told.next() is None
        write(tmp_path, "repo/apps/.personalizerignore", text="gen/\n")
        assert told.next() is None
        write(tmp_path, "repo/apps/shop/A.java", text="class A { int a; }")
        assert told.next() == ["A.java"]


@pytest.mark.parametrize("kind", ["_Inotify", "_Native"])
@pytest.mark.parametrize("below", ["", "apps/shop"])
def test_the_excludes_of_git_are_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, below: str
):
    monkeypatch.setattr(watching, "_Inotify", getattr(watching, kind))
    write(tmp_path, ".git/info/exclude", ".git/x", f"{below}/A.java".lstrip("/"))
    with watched(tmp_path / below) as told:
        write(tmp_path, ".git/x", ".git/info/other")
        assert told.nothing()
        write(tmp_path, ".git/info/exclude", text="A.java")
        assert told.next() is None


@pytest.mark.parametrize("kind", ["_Inotify", "_Native"])
def test_a_folder_that_becomes_a_repository_or_ceases_to_be_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setattr(watching, "_Inotify", getattr(watching, kind))
    write(tmp_path, "src/sub/A.java")
    with watched(tmp_path) as told:
        write(tmp_path, "src/sub/.git/x")
        assert told.next() is None
        assert told.nothing()
        write(tmp_path, "src/sub/A.java", text="class A { int a; }")
        assert told.nothing()
        shutil.rmtree(tmp_path / "src/sub/.git")
        assert told.next() is None
        assert told.nothing()
        write(tmp_path, "src/sub/A.java")
        assert told.next() == ["src/sub/A.java"]


def test_a_branch_switch_across_5000_files_is_one_burst(tmp_path: Path):
    def git(*arguments: str) -> None:
        options = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *options, *arguments], cwd=tmp_path, check=True, capture_output=True)

    paths = [f"p{i % 100}/A{i}.java" for i in range(5000)]
    git("init", "-b", "one")
    write(tmp_path, *paths)
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "two")
    write(tmp_path, *paths, text="class A { int a; }")
    git("commit", "-am", "two")
    with watched(tmp_path) as told:
        git("checkout", "one")
        assert told.next() == sorted(paths)
        assert told.nothing()


def test_a_burst_that_does_not_end_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "_LONGEST", 0.3)
    write(tmp_path, ".git/index.lock", text="")  # as a git that was killed leaves it
    with watched(tmp_path) as told:
        write(tmp_path, "A.java")
        assert told.next() == ["A.java"]


def test_what_follows_the_bursts_is_the_project(tmp_path: Path):
    root = write_project(tmp_path / "project")
    workspace, index = Workspace(root), Index()
    with watched(root) as told:
        index.read(workspace)
        (root / "src/main/java/shapes/ShapeA.java").unlink()
        (root / "src/main/java/shapes").rename(root / "src/main/java/forms")
        write(root, "src/main/java/forms/Extra.java")
        while (changed := told.next()) is not None:
            index.apply(Change(path, workspace.read(path).source) for path in changed)
        snapshot = index.read(workspace)
    assert dict(snapshot.hashes) == dict(Index().read(workspace).hashes)


def test_an_idle_watch_takes_no_time(tmp_path: Path):
    write(tmp_path, "a/A.java")
    with watched(tmp_path):
        before = time.process_time()
        time.sleep(0.5)
        assert time.process_time() - before < 0.05


@pytest.mark.parametrize("free", [0, 1])
def test_past_the_kernels_limit_files_are_looked_at_and_the_user_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    free: int,
):
    """``free`` watches are to be had: none, or enough for the start alone."""
    real, count = InotifyFD.add_callback, 0

    def add(self: InotifyFD, path: bytes, *rest: object) -> object:
        nonlocal count
        count += 1
        if count > free:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        return real(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(InotifyFD, "add_callback", add)
    with caplog.at_level(logging.WARNING), watched(tmp_path, polling=not free) as told:
        write(tmp_path, "a/A.java")
        while told.next() not in (None, ["a/A.java"]):
            pass
        write(tmp_path, "a/A.java", text="class A { int longer; }")
        while told.next() != ["a/A.java"]:
            pass
        assert any(told.nothing() for _ in range(3))
    (message,) = [record.getMessage() for record in caplog.records if "inotify" in record.message]
    assert "limit reached: looking at the files of" in message
    assert "fs.inotify.max_user_watches" in message


def test_a_lost_event_may_be_any(tmp_path: Path):
    with watched(tmp_path) as told:
        (watch,) = InotifyFD.get_instance()._watch_for_wd.values()
        for callback in watch.callbacks.values():
            callback.on_queue_overflow()
        assert told.next() is None


def test_one_recursive_watch_tells_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "_Inotify", watching._Native)
    write(tmp_path, "A.java", "b/B.java", "target/T.java")
    with watched(tmp_path) as told:
        write(tmp_path, "A.java", "target/T.java", "notes.txt", text="class A { int a; }")
        assert told.next() == ["A.java"]
        (tmp_path / "b/B.java").rename(tmp_path / "b/C.java")
        assert told.next() == ["b/B.java", "b/C.java"]
        (tmp_path / "b").rename(tmp_path / "c")
        assert told.next() is None


def test_a_listener_that_fails_is_logged_and_told_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    bursts: Queue[Changed] = Queue()

    def told(changed: Changed) -> None:
        bursts.put(changed)
        raise ValueError("no")

    watcher = Watcher(Workspace(tmp_path), told)
    watcher.start()
    assert bursts.get(timeout=10) is None
    write(tmp_path, "A.java")
    assert bursts.get(timeout=10) == {"A.java"}
    watcher.stop()
    assert "cannot take in what changed" in caplog.text
