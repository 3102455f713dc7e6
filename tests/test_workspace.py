"""What is read of a folder: the user's ignore files hold, and nothing odd on disk fails."""

import os
import subprocess
from pathlib import Path

import pytest

from indexer import NotAFolder, Workspace, index_folder


def tree(root: Path, *paths: str, **files: str) -> Path:
    """Makes Java files at paths, and other files by their names with ``_`` for ``.``."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"class {file.stem} {{ }}")
    for name, text in files.items():
        (root / name.replace("_", ".")).write_text(text)
    return root


def check_walk(root: Path, *expected: str) -> None:
    """What a walk finds: a path, with its reason where it is left out."""
    found = [f.path + (f" {f.reason}" if f.reason else "") for f in Workspace(root).walk()]
    assert found == list(expected)


def test_source_files_are_found_in_a_stable_order(tmp_path: Path):
    tree(tmp_path, "b/B.java", "a/z/Z.java", "a/A.java", "C.java", readme_md="")
    check_walk(tmp_path, "C.java", "a/A.java", "a/z/Z.java", "b/B.java")


def test_ignore_files_hold_as_in_git(tmp_path: Path):
    tree(
        tmp_path,
        "A.java",
        "gen/G.java",
        "b/keep/K.java",
        "b/B.java",
        "b/C.java",
        _gitignore="gen/\n",
        _personalizerignore="b/*.java\n!b/C.java\n",
    )
    (tmp_path / "b" / ".gitignore").write_text("keep\n")
    check_walk(tmp_path, "A.java", "b/B.java ignored", "b/C.java")


def test_git_own_excludes_hold(tmp_path: Path):
    tree(tmp_path, ".git/info/x", "A.java", "B.java")
    (tmp_path / ".git" / "info" / "exclude").write_text("B.java\n")
    check_walk(tmp_path, "A.java", "B.java ignored")


@pytest.mark.parametrize("folder", ["target", ".hg", ".gradle", ".idea"])
def test_build_and_tool_folders_are_never_entered(tmp_path: Path, folder: str):
    check_walk(tree(tmp_path, f"{folder}/A.java", f"a/{folder}/B.java", "a/C.java"), "a/C.java")


def test_submodules_and_other_repositories_are_never_entered(tmp_path: Path):
    tree(tmp_path, "A.java", "sub/B.java", "other/C.java")
    (tmp_path / "sub" / ".git").write_text("gitdir: ../.git/modules/sub\n")
    (tmp_path / "other" / ".git").mkdir()
    check_walk(tmp_path, "A.java")


def test_folders_that_are_left_out_are_told_with_the_reason(tmp_path: Path):
    tree(tmp_path, "a/A.java", "a/gen/deep/G.java", "target/T.java", "sub/S.java")
    (tmp_path / "sub" / ".git").write_text("gitdir: ../.git/modules/sub\n")
    (tmp_path / ".gitignore").write_text("gen/\n")
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")
    workspace = Workspace(tmp_path)
    assert workspace.left_out() == {
        "caf\\udce9": "name",
        "sub": "another repository",
        "target": "built or of a tool",
        "a/gen": "ignored",
    }
    assert list(workspace.folders()) == ["", "a"]


def test_names_that_differ_only_in_case_are_two_files(tmp_path: Path):
    tree(tmp_path, "a/Cart.java", "A/Cart.java", "a/CART.java")
    if not (tmp_path / "A").samefile(tmp_path / "a"):  # else they are one on this file system
        check_walk(tmp_path, "A/Cart.java", "a/CART.java", "a/Cart.java")


def test_a_sparse_checkout_is_what_is_on_disk(tmp_path: Path):
    def git(*arguments: str) -> None:
        options = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *options, *arguments], cwd=tmp_path, check=True, capture_output=True)

    tree(tmp_path, "a/A.java", "b/B.java")
    git("init")
    git("add", ".")
    git("commit", "-m", "both")
    git("sparse-checkout", "set", "a")
    check_walk(tmp_path, "a/A.java")
    git("sparse-checkout", "disable")
    check_walk(tmp_path, "a/A.java", "b/B.java")


def test_vendored_code_is_left_out(tmp_path: Path):
    check_walk(tree(tmp_path, "third_party/a/A.java"), "third_party/a/A.java vendored")


def test_links_are_left_out_and_cycles_end(tmp_path: Path):
    tree(tmp_path, "a/A.java")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "L.java").symlink_to(tmp_path / "a" / "A.java")
    (tmp_path / "Loop.java").symlink_to(tmp_path / "Loop.java")
    (tmp_path / "Gone.java").symlink_to(tmp_path / "none")
    check_walk(tmp_path, "Gone.java link", "L.java link", "Loop.java link", "a/A.java")


def test_what_is_no_file_is_passed_by(tmp_path: Path):
    tree(tmp_path, "A.java")
    os.mkfifo(tmp_path / "Pipe.java")
    (tmp_path / "Folder.java").mkdir()
    check_walk(tmp_path, "A.java")


def test_names_that_are_not_utf8_are_told(tmp_path: Path):
    tree(tmp_path, "A.java")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.java", "wb"):
        pass
    check_walk(tmp_path, "A.java", "caf\\udce9.java name")
    snapshot, _ = index_folder(tmp_path)
    assert snapshot.excluded == {"caf\\udce9.java": "name"}


def test_a_file_that_vanishes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tree(tmp_path, "A.java", "B.java")
    real = Workspace.read

    def read(self: Workspace, path: str) -> object:
        (tmp_path / "A.java").unlink(missing_ok=True)
        return real(self, path)

    monkeypatch.setattr(Workspace, "read", read)
    check_walk(tmp_path, "A.java unreadable", "B.java")


def test_a_folder_that_vanishes_is_passed_by(tmp_path: Path):
    tree(tmp_path, "a/A.java", "b/B.java")
    walk = Workspace(tmp_path).walk()
    assert next(walk).path == "a/A.java"
    (tmp_path / "b" / "B.java").unlink()
    (tmp_path / "b").rmdir()
    assert list(walk) == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"\x7fELF\0\0\0class A { }", "binary"),
        (b"class A { }" * 200_000, "over-long"),
        (b"class A { int a = 1; } " * 500, "minified"),
        (b'class A { String k = "-----BEGIN RSA PRIVATE KEY-----"; }', "secret (Private Key)"),
    ],
)
def test_content_that_is_no_source_is_left_out(tmp_path: Path, source: bytes, reason: str):
    (tmp_path / "A.java").write_bytes(source)
    check_walk(tmp_path, f"A.java {reason}")


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path):
    with open(tmp_path / "A.java", "wb") as file:
        file.truncate(50_000_000_000)  # sparse: its bytes are not there
    check_walk(tmp_path, "A.java over-long")


def test_a_missing_folder_or_a_file_is_no_workspace(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(NotAFolder, match="expected a folder, got"):
            Workspace(path)


def test_build_files_are_given_by_path(tmp_path: Path):
    tree(tmp_path, "a/A.java", pom_xml="<project/>")
    (tmp_path / "a" / "build.gradle.kts").write_text("plugins { }")
    found = Workspace(tmp_path).build_files()
    assert found == {"pom.xml": b"<project/>", "a/build.gradle.kts": b"plugins { }"}
    with open(tmp_path / "pom.xml", "wb") as file:
        file.truncate(50_000_000_000)
    assert list(Workspace(tmp_path).build_files()) == ["a/build.gradle.kts"]


def test_a_path_met_outside_a_walk_is_ignored_alike(tmp_path: Path):
    tree(tmp_path, "a/A.java", _gitignore="gen/\n*.tmp.java\n")
    workspace = Workspace(tmp_path)
    asked = ["a/A.java", "a/gen/B.java", "B.tmp.java", "target/C.java", "a/.git/D.java"]
    assert [path for path in asked if not workspace.ignores(path)] == ["a/A.java"]


def test_commits_are_counted(tmp_path: Path):
    def git(*arguments: str) -> None:
        options = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *options, *arguments], cwd=tmp_path, check=True, capture_output=True)

    workspace = Workspace(tmp_path)
    assert workspace.commit() is None
    git("init")
    git("commit", "--allow-empty", "-m", "one")
    first = workspace.commit()
    assert first is not None
    git("commit", "--allow-empty", "-m", "two")
    assert workspace.commits_since(first) == 1
    assert workspace.commits_since("0" * 40) is None
