"""What is read of a folder: the user's ignore files hold, and nothing odd on disk fails."""

import itertools
import os
import random
import subprocess
import time
import warnings
from pathlib import Path

import pytest

from indexer import Index, NotAFolder, Store, Workspace, index_folder
from indexer.plain_files import open_plain


def tree(root: Path, *paths: str, **files: str) -> Path:
    """Makes Java files at paths, and other files by their names with ``_`` for ``.``."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"class {file.stem} {{ }}")
    for name, text in files.items():
        (root / name.replace("_", ".")).write_text(text)
    return root


def git(root: Path, *arguments: str) -> None:
    options = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *options, *arguments], cwd=root, check=True, capture_output=True)


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


@pytest.mark.parametrize("line", ["!", "\\", "foo\\", "[z-a]", "[b-a"])
def test_a_line_that_cannot_be_read_is_passed_by_and_the_others_hold(tmp_path: Path, line: str):
    tree(tmp_path, "A.java", "gen/G.java", "b/B.java", _gitignore=f"{line}\ngen/\n{line}\nb\n")
    check_walk(tmp_path, "A.java")


@pytest.mark.parametrize(
    ("files", "read"),
    [
        ({".gitignore": "*\n!*/\n!*.java\n"}, "A.java m/config/C.java src/gen/A.java"),
        ({".gitignore": "src/gen/**/\n"}, "A.java m/config/C.java src/gen/A.java"),
        ({".gitignore": "\ufeffA.java\n"}, "m/config/C.java"),
        ({".gitignore": "[[:upper:]].java\n"}, ""),
        ({".gitignore": "A.jav\fa\n"}, "A.java m/config/C.java src/gen/A.java"),
        ({".gitignore": "C.java\n", "m/.gitignore": "!config/\n"}, "A.java src/gen/A.java"),
        (
            {".git/info/exclude": "C.java", ".gitignore": "/*\n!/m/\n"},
            "",
        ),
        ({".git/info/exclude": "A.java", ".gitignore": "!/A.java"}, "A.java m/config/C.java"),
    ],
)
def test_a_pattern_means_what_it_means_in_git(tmp_path: Path, files: dict[str, str], read: str):
    git(tmp_path, "init")
    tree(tmp_path, "A.java", "m/config/C.java", "src/gen/A.java")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert kept_by_git(tmp_path) == set(read.split())
    with warnings.catch_warnings(action="error"):
        assert set(Workspace(tmp_path).sources()) == set(read.split())


def kept_by_git(root: Path) -> set[str]:
    listing = ["git", "ls-files", "-z", "--others", "--exclude-standard", "*.java"]
    listed = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True)
    return set(filter(None, listed.stdout.split("\0")))


def test_what_random_ignore_files_leave_is_what_git_leaves(tmp_path: Path):
    chosen = random.Random(0)
    names = ["A", "b", "ab", "B1"]
    pieces = [*names, "*", "?", "*b", "A*", "[Ab]", "[!b]*", "[[:upper:]]", "[[:digit:]-b]?", "\\A"]
    pieces += ["*b*", "*b*1*", "A*?*", "**A*b", "\\**"]
    segments = [
        *pieces,
        *(f"{piece}.java" for piece in pieces),
        "**",
        "**",
        "*.java",
        "[",
        "[b-A]*",
    ]
    files = [".gitignore", "A/.gitignore", "A/b/.gitignore", ".git/info/exclude", "users"]

    def pattern() -> str:
        inner = "/".join(chosen.choices(segments, k=chosen.choice([1, 1, 2, 3, 5])))
        ends = [("", "!"), ("", "", "/"), (inner,), ("", "", "/"), ("", "", "", " ", "\r")]
        return "".join(map(chosen.choice, ends))

    git(tmp_path, "init")
    git(tmp_path, "config", "core.excludesFile", "users")
    folders = [parts for depth in range(4) for parts in itertools.product("Ab", repeat=depth)]
    paths = ["/".join([*folder, f"{name}.java"]) for folder in folders for name in names]
    workspace = Workspace(tree(tmp_path, *paths))
    for _ in range(60):
        for file in files:
            lines = "\n".join(pattern() for _ in range(chosen.choice([0, 0, 1, 2, 4])))
            (tmp_path / file).write_text(lines)
        kept = kept_by_git(tmp_path)
        assert set(workspace.sources()) == kept
        assert {path for path in paths if not workspace.ignores(path)} == kept


def test_names_of_all_characters_are_matched_as_in_git(tmp_path: Path):
    git(tmp_path, "init")
    names = ["#.java", "B.java", "C.java", "D.java", "x/Y.java", "x Y.java", "x\nY.java"]
    names += ["gen/G.java", "gen /G.java", "p\nq/Z.java"]
    tree(tmp_path, *names)
    for pattern, ignored in {
        "#.java": [],
        "\\#.java": ["#.java"],
        "gen\\ ": ["gen /G.java"],
        "gen ": ["gen/G.java"],
        "[B-C].java": ["B.java", "C.java"],
        "/[^B#].java": ["C.java", "D.java"],
        "[[:nothing:]B].java": [],
        "x?Y.java": ["x Y.java", "x\nY.java"],
        "x[ /]Y.java": ["x Y.java"],
        "x[!a]Y.java": ["x Y.java", "x\nY.java"],
        "x[[:space:]]Y.java": ["x Y.java", "x\nY.java"],
        "**/Z.java": ["p\nq/Z.java"],
        "Z.java": ["p\nq/Z.java"],
    }.items():
        (tmp_path / ".gitignore").write_text(f"{pattern}\n")
        kept = {*names} - {*ignored}
        assert kept_by_git(tmp_path) == kept, pattern
        assert set(Workspace(tmp_path).sources()) == kept, pattern


def test_our_own_ignore_file_has_the_last_word_in_its_folder(tmp_path: Path):
    tree(tmp_path, "A.java", "B.java", _gitignore="A.java", _personalizerignore="B.java\n!A.java")
    check_walk(tmp_path, "A.java", "B.java ignored")


@pytest.mark.parametrize("pattern", ["*a" * 12 + "*b", "/**/" + "a*a/**/" * 12 + "b"])
def test_a_pattern_of_many_wildcards_is_matched_at_once(tmp_path: Path, pattern: str):
    long = f"{'aa/' * 40}{'a' * 200}.java"
    tree(tmp_path, long, _gitignore=pattern)
    start = time.process_time()
    check_walk(tmp_path, long)
    assert time.process_time() - start < 5  # it took hours, of which git takes none


@pytest.mark.parametrize(
    ("settings", "file"),
    [
        ("[core]\n\texcludesFile = ~/mine\n", "mine"),
        ("", ".config/git/ignore"),
        ("[core]\n\texcludesFile =\n", None),
    ],
)
def test_what_the_user_ignores_in_every_repository_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, file: str | None
):
    home = tmp_path / "home"
    (home / ".config/git").mkdir(parents=True)
    (home / ".gitconfig").write_text(settings)
    (home / (file or ".config/git/ignore")).write_text("A.java\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    root = tree(tmp_path / "root", "A.java", "m/A.java", _gitignore="!/A.java\n")
    git(root, "init")
    check_walk(root, "A.java", "m/A.java ignored" if file else "m/A.java")


def test_what_the_user_ignores_is_left_out_without_git_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tree(tmp_path, "root/.git/x", "root/A.java", "root/B.java", "git/x")
    (tmp_path / "git/ignore").write_text("A.java\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    check_walk(tmp_path / "root", "A.java ignored", "B.java")


def test_an_ignore_file_that_is_no_file_is_passed_by(tmp_path: Path):
    tree(tmp_path, "A.java", "b/B.java")
    os.mkfifo(tmp_path / ".gitignore")
    (tmp_path / "b" / ".gitignore").mkdir()
    (tmp_path / "rules").write_text("*")
    (tmp_path / ".personalizerignore").symlink_to("rules")
    (tmp_path / "b" / ".personalizerignore").symlink_to("/dev/zero")
    check_walk(tmp_path, "A.java", "b/B.java")


def test_ignore_files_above_hold_up_to_the_top_of_git(tmp_path: Path):
    shop = tree(tmp_path / "repo/apps/shop", "A.java", "gen/G.java", "gen/K.java", "old/O.java")
    tree(tmp_path, _gitignore="A.java\n")
    tree(tmp_path / "repo", ".git/info/x", _gitignore="gen/\n/old/\n")
    (tmp_path / "repo/.git/info/exclude").write_text("/apps/shop/new/\n")
    tree(tmp_path / "repo/apps", _personalizerignore="shop/old\n")
    tree(shop, "new/N.java", "keep/gen/G.java")
    tree(shop / "keep", _gitignore="!gen/\n")
    check_walk(shop, "A.java", "keep/gen/G.java")
    asked = ["A.java", "gen/G.java", "old/O.java", "new/N.java", "keep/gen/G.java"]
    left = [path for path in asked if not Workspace(shop).ignores(path)]
    assert left == ["A.java", "keep/gen/G.java"]


def test_above_a_workspace_that_is_a_repository_or_in_none_nothing_is_read(tmp_path: Path):
    tree(tmp_path / "a/b", "A.java")
    tree(tmp_path / "a", _gitignore="A.java\n")
    check_walk(tmp_path / "a/b", "A.java")
    tree(tmp_path / "a", ".git/info/x")
    check_walk(tmp_path / "a/b", "A.java ignored")
    tree(tmp_path / "a/b", ".git/info/x")
    check_walk(tmp_path / "a/b", "A.java")


@pytest.mark.parametrize("line", ["*", "/work/", "work/clone"])
def test_a_workspace_that_git_ignores_is_read_by_its_own_rules_alone(tmp_path: Path, line: str):
    tree(tmp_path, ".git/info/x", _gitignore=f"{line}\nB.java\n")
    clone = tree(tmp_path / "work/clone", "A.java", "B.java", "C.java", _gitignore="C.java\n")
    check_walk(clone, "A.java", "B.java", "C.java ignored")


def test_a_changed_ignore_file_above_holds_for_what_was_seen_before(tmp_path: Path):
    shop = tree(tmp_path / "shop", "A.java", "gen/G.java")
    tree(tmp_path, ".git/info/x")
    for path in (shop / "A.java", shop / "gen/G.java"):
        os.utime(path, (1, 1))
    with Store(tmp_path / "index.sqlite") as store:
        for rules, expected in (("", {"A.java", "gen/G.java"}), ("gen/", {"A.java"})) * 2:
            (tmp_path / ".gitignore").write_text(rules)
            assert Index(store).read(Workspace(shop)).files.keys() == expected


def test_a_file_that_was_just_changed_may_change_again_unseen(tmp_path: Path):
    file = tree(tmp_path, "A.java") / "A.java"
    os.utime(file, (1, 1))  # as who copies it may: when it came is kept all the same
    [found] = Workspace(tmp_path).walk()
    assert found.stamp is None


def test_a_file_is_read_again_after_any_write_and_by_other_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("indexer.workspace._YOUNG", -(10**18))
    workspace = Workspace(tree(tmp_path, "A.java"))
    os.utime(tmp_path / "A.java", (1, 1))
    [first] = workspace.walk()
    assert first.stamp
    seen = {"A.java": (first.stamp, "hash", None)}
    assert [found.hash for found in workspace.walk(seen)] == ["hash"]
    (tmp_path / "A.java").write_text("class B { }")
    os.utime(tmp_path / "A.java", (1, 1))
    assert [found.source for found in workspace.walk(seen)] == [b"class B { }"]
    [second] = workspace.walk()
    assert second.stamp
    monkeypatch.setattr("indexer.workspace._RULES", 0)
    found = workspace.walk({"A.java": (second.stamp, "hash", None)})
    assert [one.source for one in found] == [b"class B { }"]


def test_the_excludes_of_a_worktree_lie_with_its_repository(tmp_path: Path):
    main, other = tmp_path / "main", tmp_path / "other"
    tree(main, "A.java", "shop/B.java", "shop/C.java")
    git(main, "init")
    git(main, "add", ".")
    git(main, "commit", "-m", "all")
    git(main, "worktree", "add", "../other")
    (main / ".git/info").mkdir(exist_ok=True)
    (main / ".git/info/exclude").write_text("B.java\n")
    check_walk(other, "A.java", "shop/B.java ignored", "shop/C.java")
    check_walk(other / "shop", "B.java ignored", "C.java")
    assert not Workspace(other / "shop").git_is_writing()
    (main / ".git/worktrees/other/index.lock").write_text("")
    assert Workspace(other / "shop").git_is_writing()
    assert not Workspace(main).git_is_writing()


def test_the_excludes_of_a_submodule_lie_with_the_repository_around_it(tmp_path: Path):
    tree(tmp_path, ".git/modules/sub/info/x", _gitignore="A.java\n")
    (tmp_path / ".git/modules/sub/info/exclude").write_text("B.java\n")
    tree(tmp_path / "sub", "A.java", "B.java")
    (tmp_path / "sub/.git").write_text("gitdir: ../.git/modules/sub\n")
    check_walk(tmp_path / "sub", "A.java", "B.java ignored")


@pytest.mark.parametrize("text", ["", "gitdir:", "gitdir: /none", "gitdir: a\0b", "a" * 5000])
def test_a_git_file_that_points_nowhere_fails_nothing(tmp_path: Path, text: str):
    tree(tmp_path, "A.java", _git=text)
    check_walk(tmp_path, "A.java")
    assert not Workspace(tmp_path).git_is_writing()


def test_git_own_excludes_hold(tmp_path: Path):
    tree(tmp_path, ".git/info/x", "A.java", "B.java")
    (tmp_path / ".git" / "info" / "exclude").write_text("B.java\n")
    check_walk(tmp_path, "A.java", "B.java ignored")


@pytest.mark.parametrize("folder", ["target", ".hg", ".gradle", ".idea"])
def test_build_and_tool_folders_are_never_entered(tmp_path: Path, folder: str):
    check_walk(tree(tmp_path, f"{folder}/A.java", f"a/{folder}/B.java", "a/C.java"), "a/C.java")


def test_a_package_may_be_named_as_a_build_folder(tmp_path: Path):
    tree(
        tmp_path,
        "src/main/java/com/acme/target/V.java",
        "src/main/java/com/acme/.idea/V.java",
        "src/org/acme/target/V.java",
        "src/target/V.java",
        "shop/target/generated-sources/src/main/java/com/acme/target/V.java",
    )
    check_walk(tmp_path, "src/main/java/com/acme/target/V.java", "src/org/acme/target/V.java")
    assert not Workspace(tmp_path).ignores("src/main/java/com/acme/target/V.java")


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
    tree(tmp_path, "a/A.java", "b/B.java")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "both")
    git(tmp_path, "sparse-checkout", "set", "a")
    check_walk(tmp_path, "a/A.java")
    git(tmp_path, "sparse-checkout", "disable")
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


def test_what_an_event_names_is_read_only_where_a_walk_reads_it(tmp_path: Path):
    root = tree(tmp_path / "root", "a/A.java")
    tree(tmp_path / "out", "Secret.java")
    (root / "Link.java").symlink_to(tmp_path / "out/Secret.java")
    (root / "a/out").symlink_to(tmp_path / "out")
    (root / "a/again").symlink_to(root / "a")
    (root / "Folder.java").mkdir()
    os.mkfifo(root / "Pipe.java")
    workspace = Workspace(root)
    reasons = {
        path: workspace.read(path).reason
        for path in (
            "a/A.java",
            "Link.java",
            "a/out/Secret.java",
            "a/again/A.java",
            "Folder.java",
            "Pipe.java",
            "None.java",
        )
    }
    assert reasons == {
        "a/A.java": None,
        "Link.java": "link",
        "a/out/Secret.java": "link",
        "a/again/A.java": "link",
        "Folder.java": "unreadable",
        "Pipe.java": "unreadable",
        "None.java": "unreadable",
    }


def test_what_is_no_file_is_passed_by(tmp_path: Path):
    tree(tmp_path, "A.java")
    os.mkfifo(tmp_path / "Pipe.java")
    (tmp_path / "Folder.java").mkdir()
    check_walk(tmp_path, "A.java")


def test_what_is_no_plain_file_is_not_kept_open(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("folder")
    before = len(os.listdir("/proc/self/fd"))
    for name in ("folder", "pipe", "link", "missing"):
        with pytest.raises(OSError):
            open_plain(tmp_path / name)
    assert len(os.listdir("/proc/self/fd")) == before


def test_names_that_are_not_utf8_are_told(tmp_path: Path):
    tree(tmp_path, "A.java")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.java", "wb"):
        pass
    check_walk(tmp_path, "A.java", "caf\\udce9.java name")
    snapshot, _ = index_folder(tmp_path)
    assert snapshot.excluded == {"caf\\udce9.java": "name"}


def test_a_file_that_vanishes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tree(tmp_path, "A.java", "B.java")
    real = Workspace._read

    def read(self: Workspace, path: str) -> object:
        (tmp_path / "A.java").unlink(missing_ok=True)
        return real(self, path)

    monkeypatch.setattr(Workspace, "_read", read)
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
        (b"class A { }" * 100 + b"\0", "binary"),
        (b"class A { }" * 200_000, "over-long"),
        (b"int ab;\n" * 250_000 + b"\n", "over-long"),
        (b"class A { int a = 1; } " * 500, "minified"),
        (b"// by A\n" + b"class A { int a = 1; } " * 500, "minified"),
        (b'class A { String token = "ghp_' + b"a1B2" * 9 + b'"; }', "secret (GitHub Token)"),
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
    tree(tmp_path, "a/A.java", pom_xml="<project/>", settings_gradle="", _gitignore="settings*")
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


@pytest.mark.parametrize("of_git", [".", ".git"])
@pytest.mark.parametrize("setting", ['[remote "origin"]\nuploadpack', "[core]\nsshCommand"])
def test_git_runs_no_program_that_a_repository_names(tmp_path: Path, of_git: str, setting: str):
    root, ran = tmp_path / "root", tmp_path / "ran"
    there, missing = root / of_git, "1234567890" * 4
    for folder in ("objects", "refs"):
        (there / folder).mkdir(parents=True)
    (there / "HEAD").write_text(missing)
    url = tmp_path if "uploadpack" in setting else "ssh://example.invalid/x"
    bare = str(of_git == ".").lower()
    (there / "config").write_text(
        f"[core]\n repositoryformatversion = 1\n bare = {bare}\n fsmonitor = touch {ran}\n"
        "[extensions]\n partialClone = origin\n"
        f'[remote "origin"]\n promisor = true\n url = {url}\n{setting} = "touch {ran} #"\n'
    )
    workspace = Workspace(root)
    list(workspace.walk())
    workspace.commit()
    assert workspace.commits_since(missing) is None
    assert not ran.exists()


def test_commits_are_counted(tmp_path: Path):
    workspace = Workspace(tmp_path)
    assert workspace.commit() is None
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "one")
    first = workspace.commit()
    assert first is not None
    git(tmp_path, "commit", "--allow-empty", "-m", "two")
    assert workspace.commits_since(first) == 1
    assert workspace.commits_since("0" * 40) is None
