"""Forgetting a file: what had seen it goes, what came from that goes, and no hash is left."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from indexer import Change, Index, Store, Workspace
from indexer.store import content_hash
from personalizer.adapters import (
    Base,
    Registry,
    Trained,
    UsedPair,
    export,
    forget,
    import_folder,
)
from personalizer.cli import personalizer
from personalizer.contents import current
from personalizer.errors import AdapterError, BadInput, Busy
from personalizer.evaluation.projects import open_projects
from personalizer.forgotten import Learnable, WholeStore
from personalizer.freshness import status, trained_on
from personalizer.settings import Settings
from personalizer.storage import WorkspaceData
from personalizer.training.preparation import usable_pairs
from tests.java_project import snapshot_of, write_project
from tests.test_adapters import STARTER_PRINT, manifest

TEST = "src/test/java/shapes/ShapeATest.java"
MAIN = "src/main/java/shapes/ShapeA.java"


@pytest.fixture
def root(tmp_path):
    return write_project(tmp_path / "shapes")


def add(root, adapter_id: str, *, without: str | None = None, parent: str | None = None) -> None:
    """An adapter of all pairs of the project, or of those that do not touch one file."""
    snapshot = snapshot_of(
        {
            str(p.relative_to(root)): p.read_text()
            for p in root.rglob("*.java")
            if without is None or not str(p.relative_to(root)).endswith(without)
        }
    )
    used = [UsedPair(p.digest, "train", p.focal_class, p.test.path) for p in snapshot.pairs]
    registry = registry_of(root)
    before = registry.get(parent).trained() if parent else None
    staging = registry.staging()
    save_file({"w": np.ones(3, np.float32)}, str(staging / "model.safetensors"))
    made = manifest(adapter_id, parent=parent)
    registry.add(staging, made, trained_on(snapshot, used, before))


def registry_of(root) -> Registry:
    return Registry(WorkspaceData(root).adapters)


def check_forgotten(root, path: str, removed: str, kept: str) -> None:
    """Forgets a path; then nothing in the data folder names its code or bears its hashes."""
    marks = {
        digest
        for name, facts in Index().read(Workspace(root)).files.items()
        if name.startswith(path)
        for method in facts.methods
        for digest in (method.digest, method.key)
    }
    assert marks
    with Store(WorkspaceData(root).index) as store:
        current(Workspace(root), store)
    for folder in ("training", "validation/1f", "evaluation/cells", "untested", "jobs"):
        made = WorkspaceData(root).folder / folder / "made"
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(" ".join(marks))
    got = forget(Workspace(root), path)
    assert " ".join(got.removed) == removed
    assert " ".join(got.kept) == kept
    for file in WorkspaceData(root).folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert not [mark for mark in marks if mark.encode() in data], file


def test_what_has_seen_a_file_goes_and_what_has_not_stays(root):
    add(root, "old", without="ShapeATest.java")
    add(root, "new")
    check_forgotten(root, TEST, "new", "old")


def test_a_focal_file_is_forgotten_with_the_adapters_that_were_shown_it(root):
    add(root, "one", without="ShapeA.java")
    add(root, "two")
    check_forgotten(root, MAIN, "two", "one")


def test_a_file_may_be_named_by_a_link_to_its_workspace(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    got = forget(Workspace(tmp_path / "link"), tmp_path / "link" / MAIN)
    assert got.path == MAIN


def test_a_folder_is_forgotten_as_a_whole(root):
    add(root, "one")
    check_forgotten(root, "src/test", "one", "")


def test_what_descends_from_an_adapter_goes_with_it(root):
    add(root, "first")
    add(root, "child", without="ShapeATest.java", parent="first")
    add(root, "grandchild", without="ShapeATest.java", parent="child")
    add(root, "other", without="ShapeATest.java")
    check_forgotten(root, TEST, "child first grandchild", "other")


def test_a_child_whose_parent_was_removed_before_still_goes(root):
    add(root, "first")
    add(root, "child", without="ShapeATest.java", parent="first")
    registry_of(root).remove("first")
    check_forgotten(root, TEST, "child", "")


def test_a_grandchild_of_adapters_that_were_removed_before_still_goes(root):
    add(root, "first")
    add(root, "child", without="ShapeATest.java", parent="first")
    add(root, "grandchild", without="ShapeATest.java", parent="child")
    registry_of(root).remove("first")
    registry_of(root).remove("child")
    check_forgotten(root, TEST, "grandchild", "")


def test_an_adapter_that_only_names_a_pair_among_those_of_the_project_goes(root):
    """As of one that was too long to be used: its names and hashes stand in ``pairs.json``."""
    snapshot = Index().read(Workspace(root))
    pairs = [p for p in snapshot.pairs if p.test.path != TEST]
    used = [UsedPair(p.digest, "train", p.focal_class, p.test.path) for p in pairs]
    registry = registry_of(root)
    staging = registry.staging()
    save_file({"w": np.ones(3, np.float32)}, str(staging / "model.safetensors"))
    registry.add(staging, manifest("one"), trained_on(snapshot, used))
    check_forgotten(root, TEST, "one", "")


def test_an_adapter_whose_manifest_cannot_be_read_goes_too(root):
    add(root, "one")
    (registry_of(root).folder / "one" / "manifest.json").write_text("{")
    assert forget(Workspace(root), TEST).removed == ("one",)
    assert not (registry_of(root).folder / "one").exists()


def test_a_file_that_has_moved_since_is_known_by_its_code(root):
    add(root, "one")
    (root / "moved").mkdir()
    (root / TEST).rename(root / "moved/ShapeATest.java")
    check_forgotten(root, "moved", "one", "")


def test_a_file_that_is_gone_is_known_by_its_path(root):
    add(root, "one")
    (root / TEST).unlink()
    assert forget(Workspace(root), TEST).removed == ("one",)


def test_a_file_that_is_gone_is_known_by_the_path_under_which_a_parent_saw_it(root):
    add(root, "first")
    add(root, "child", without="ShapeATest.java", parent="first")
    registry_of(root).remove("first")
    (root / TEST).unlink()
    assert forget(Workspace(root), TEST).removed == ("child",)


def test_an_adapter_that_does_not_say_what_it_saw_goes(root):
    registry = registry_of(root)
    staging = registry.staging()
    registry.add(staging, manifest("silent"), Trained({}, []))
    assert forget(Workspace(root), TEST).removed == ("silent",)


def test_what_served_makes_place_for_what_served_before(root):
    add(root, "old", without="ShapeATest.java")
    add(root, "new")
    for name in ("old", "new"):
        registry_of(root).use(name)
    got = forget(Workspace(root), TEST)
    assert got.serving
    assert registry_of(root).serving().id == "old"


def test_a_forgotten_adapter_does_not_come_back(root, tmp_path):
    add(root, "one")
    export(registry_of(root).get("one"), tmp_path / "out")
    forget(Workspace(root), TEST)
    forgotten = WorkspaceData(root).forgotten()
    base = Base("starter", STARTER_PRINT)
    with pytest.raises(AdapterError, match="learnt from files that were to be forgotten"):
        import_folder(
            registry_of(root), tmp_path / "out", Base("starter", STARTER_PRINT), forgotten
        )
    with pytest.raises(AdapterError, match="is not taken in again"):
        import_folder(registry_of(root), tmp_path / "out", base)


def test_a_forgotten_file_is_no_new_pair_and_is_never_learnt_from(root):
    forget(Workspace(root), TEST)
    assert WorkspaceData(root).forgotten() == [TEST]
    snapshot = Index().read(Learnable(root))
    assert not [p for p in snapshot.pairs if p.test.path == TEST]
    assert snapshot.excluded_by_reason() == {"forgotten": 1}
    add(root, "one", without="ShapeATest.java")
    registry_of(root).use("one")
    assert status(root).freshness == "fresh"


def check_nowhere(root, *names: str) -> None:
    """No file of the data folder names the code, in plain or as a text that the index keeps."""
    for file in WorkspaceData(root).folder.rglob("*"):
        if file.is_file() and file.name != "forgotten.json":
            data = file.read_bytes()
            assert not [name for name in names if name.encode() in data], file
    with Store(WorkspaceData(root).index) as store:
        assert not [path for path in store.seen() if path.endswith(names)]


def test_who_reads_the_whole_project_again_keeps_nothing_of_what_is_forgotten(root):
    data = WorkspaceData(root)
    before = Index(WholeStore(data))
    assert before.read(Workspace(root)).pairs  # a daemon that runs meanwhile
    forget(Workspace(root), TEST)
    for index in (before, Index(WholeStore(data))):
        for _ in range(2):
            snapshot = index.read(Workspace(root))
            assert "growA_addsToTheSize" in snapshot.text(TEST)
            assert [p for p in snapshot.pairs if p.test.path == TEST]
            snapshot = index.apply([Change(TEST, b"class ShapeATest { void unsaved() { } }")])
            assert snapshot.text(TEST) and snapshot.copies is not None
            index.apply([Change(TEST, (root / TEST).read_bytes())])
    with Store(data.index) as store:
        current(Learnable(root), store)
    check_nowhere(root, "ShapeATest", "unsaved")


def test_where_nobody_can_tell_what_is_forgotten_nothing_new_is_kept(root):
    data = WorkspaceData(root)
    forget(Workspace(root), TEST)
    [noted] = [file for file in data.folder.glob("*.json") if TEST in file.read_text()]
    noted.write_text("{")
    Index(WholeStore(data)).read(Workspace(root))
    check_nowhere(root, "ShapeATest")


def test_what_is_forgotten_is_no_example_and_is_in_no_fold(root, monkeypatch, capsys):
    forget(Workspace(root), TEST)
    monkeypatch.chdir(root)
    for command in ("index", "pairs", "dataset"):
        personalizer.main([command, "--json"], standalone_mode=False)
    index, *rows = map(json.loads, capsys.readouterr().out.splitlines())
    assert index["excluded"] == {"forgotten": 1}
    assert len(rows) == 2 * 28
    assert not [row for row in rows if "ShapeATest" in str(row)]
    personalizer.main(["index", "--excluded"], standalone_mode=False)
    assert f"left out {TEST}: forgotten" in capsys.readouterr().out
    with open_projects([root], Settings(), count=2) as (project,):
        assert project.all_pairs == 28
        assert TEST not in project.snapshot.files
    check_nowhere(root, "ShapeATest")


def run(capsys, *arguments: str) -> str:
    personalizer.main(arguments, standalone_mode=False)
    return capsys.readouterr().out


def test_a_misspelt_path_is_told_and_not_noted(root):
    add(root, "one")
    for path, words in (
        ("src/main/java/shapes/ShapeAA.java", f"did you mean {MAIN}?"),
        ("ShapeATest.java", f"no file or folder is called ShapeATest.java.*mean {TEST}?"),
        ("scr/test", "did you mean src/test?"),
        ("nope.java", "no adapter has seen one$"),
    ):
        with pytest.raises(BadInput, match=words):
            forget(Workspace(root), path)
    assert WorkspaceData(root).forgotten() == []
    forget(Workspace(root), TEST)
    with pytest.raises(BadInput, match="no adapter has seen one"):
        forget(Workspace(root), "nope.java")
    check_nowhere(root, "ShapeATest")
    add(root, "two", without="ShapeATest.java")
    (root / "src/test/java/shapes/ShapeCTest.java").unlink()
    assert forget(Workspace(root), "src/test/java/shapes/ShapeCTest.java").removed == ("two",)
    forget(Workspace(root), "src/test/java/shapes/ShapeCTest.java")


def test_what_was_forgotten_is_listed_and_taken_back(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    assert run(capsys, "adapters", "forget", "--list") == "Nothing was to be forgotten.\n"
    assert f"{TEST} is forgotten" in run(capsys, "adapters", "forget", TEST)
    run(capsys, "adapters", "forget", "src/main")
    assert run(capsys, "adapters", "forget", "--list").split() == ["src/main", TEST]
    with pytest.raises(BadInput, match="it lies in src/main, which is"):
        run(capsys, "adapters", "remember", MAIN)
    with pytest.raises(BadInput, match=f"did you mean {TEST}?"):
        run(capsys, "adapters", "remember", TEST[:-1])
    assert TEST in run(capsys, "adapters", "remember", TEST)
    assert json.loads(run(capsys, "adapters", "forget", "--list", "--json")) == {
        "forgotten": ["src/main"]
    }
    assert [p for p in Index().read(Learnable(root)).files if p == TEST]


def test_a_project_of_which_all_is_forgotten_is_told_so(root):
    forget(Workspace(root), "src/test")
    with pytest.raises(BadInput, match=r"found none in 8 Java files; forgotten: 8 files"):
        usable_pairs(Index().read(Learnable(root)), None)
    forget(Workspace(root), "src")
    with pytest.raises(BadInput, match=r"all of it was forgotten; see .* --list"):
        usable_pairs(Index().read(Learnable(root)), None)


def test_that_it_trains_anew_is_said_before_it_does(root, monkeypatch, capsys):
    add(root, "one")
    registry_of(root).use("one")
    monkeypatch.chdir(root)
    forgetting = ["adapters", "forget", "src/test"]
    personalizer.main(forgetting, standalone_mode=False)
    said = capsys.readouterr()
    assert "training anew without it, for 10m at most" in said.err and "--no-train" in said.err
    assert "deleted  one, and what" in said.out
    assert "Nothing was trained anew: expected JUnit or TestNG tests" in said.out


@pytest.mark.parametrize(
    ("folder", "who"), [("evaluation", "an evaluation"), ("untested", "generate --untested")]
)
def test_nothing_is_forgotten_while_what_was_read_is_still_to_be_written(root, folder, who):
    data = WorkspaceData(root)
    with (
        data.deriving(getattr(data, folder), "another"),
        pytest.raises(Busy, match=f"^{who} of this workspace runs: wait for it to end, or stop it"),
    ):
        forget(Workspace(root), TEST)
    assert data.forgotten() == []
    with (
        open_projects([root], Settings(), count=2),
        pytest.raises(Busy, match="an evaluation of this workspace runs"),
    ):
        forget(Workspace(root), TEST)
    forget(Workspace(root), TEST)
    check_nowhere(root, "ShapeATest")


def test_paths_that_cannot_be_forgotten_are_told(root):
    for path, words in (("../x", "expected a path in"), (".", "got the whole project")):
        with pytest.raises(BadInput, match=words):
            forget(Workspace(root), path)
    with WorkspaceData(root).lock("train"), pytest.raises(Busy, match="holds this workspace"):
        forget(Workspace(root), TEST)


def test_a_damaged_list_of_forgotten_files_stops_training_rather_than_learning_them(root):
    forget(Workspace(root), TEST)
    (WorkspaceData(root).folder / "forgotten.json").write_text("[")
    with pytest.raises(Exception, match="forget it again"):
        Learnable(root)


def test_status_does_not_say_that_no_adapter_was_trained_where_all_are_gone(root):
    assert status(root).why == "no adapter was trained for this workspace yet"
    add(root, "one")
    forget(Workspace(root), TEST)
    assert status(root).why.endswith("is left, so none serves now")
    add(root, "two", without="ShapeATest.java")
    registry_of(root).remove("two")
    assert status(root).why.endswith("is left, so none serves now")


def test_a_file_is_forgotten_where_a_folder_around_it_was_opened_too(tmp_path):
    root = write_project(tmp_path / "all" / "shapes")
    whole, below, beside = root.parent, root / "src/main/java", root / "src/test"
    texts = {content_hash((root / MAIN).read_bytes())}
    for one in (root, whole, below, beside):
        with Store(WorkspaceData(one).index) as store:
            current(Workspace(one), store)
            assert store.known(texts) or one == beside
        registry = registry_of(one)
        staging = registry.staging()
        save_file({"w": np.ones(3, np.float32)}, str(staging / "model.safetensors"))
        registry.add(staging, manifest("one"), Trained({}, []))
    got = forget(Workspace(root), MAIN)
    assert got.elsewhere == (str(below), str(whole))
    for one, prefix in ((root, ""), (whole, "shapes/"), (below, None)):
        path = MAIN.removeprefix("src/main/java/") if prefix is None else prefix + MAIN
        data = WorkspaceData(one)
        assert data.forgotten() == [path]
        assert not registry_of(one).all()
        with Store(data.index) as store:
            assert not store.known(texts)
    assert registry_of(beside).all()


def test_a_project_inside_a_folder_that_is_forgotten_keeps_nothing(tmp_path):
    root = write_project(tmp_path / "shapes")
    inner = root / "src/main/java"
    texts = {content_hash((root / MAIN).read_bytes())}
    with Store(WorkspaceData(inner).index) as store:
        current(Workspace(inner), store)
        assert store.known(texts)
    got = forget(Workspace(root), "src/main")
    assert got.elsewhere == (str(inner),)
    with Store(WorkspaceData(inner).index) as store:
        assert not store.known(texts)
