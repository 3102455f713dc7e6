"""Freshness: what ages an adapter and what does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from indexer import Index, Store, Workspace
from personalizer import digests, texts
from personalizer.adapters import Registry, Trained, UsedPair
from personalizer.adapters.manifest import check_files
from personalizer.daemon.protocol import Job, Status
from personalizer.errors import AdapterError
from personalizer.freshness import (
    Measured,
    changes_of,
    compare,
    keep_measured,
    pair_names,
    status,
    trained_on,
)
from personalizer.models import fingerprint
from personalizer.status import AdapterStatus, LossOnNew, PairChanges, UnseenSymbols
from personalizer.storage import WorkspaceData
from tests.java_project import project_files, snapshot_of, write_project
from tests.test_adapters import manifest

TEST = "src/test/java/shapes/ShapeATest.java"
MAIN = "src/main/java/shapes/ShapeA.java"


def check_changes(change, expected: str) -> None:
    """Compares the project before and after ``change(files)``: unchanged/changed/new/removed."""
    files = project_files(classes=3, methods=2)
    before = trained_on(snapshot_of(files)).pairs
    changed = dict(files)
    change(changed)
    got = compare(before, pair_names(snapshot_of(changed).pairs))
    assert f"{got.unchanged}/{got.changed}/{got.new}/{got.removed}" == expected


def edit(files, path, old, new):
    assert old in files[path]
    files[path] = files[path].replace(old, new)


def test_nothing_changed_is_fresh():
    check_changes(lambda files: None, "6/0/0/0")


def test_white_space_and_comments_do_not_age():
    check_changes(
        lambda f: edit(f, TEST, "shape.growA(7)", "shape . growA( /* seven */ 7)"), "6/0/0/0"
    )


def test_code_that_is_copied_over_other_code_changes_that():
    assert compare({"a": "1", "c": "2"}, {"a": "1", "c": "1"}) == PairChanges(2, 1, 1, 0, 0)
    assert changes_of({"a": "1"}, {"a": "1", "b": "1"}) == (set(), {"b"}, 1)
    assert changes_of({"b": "1"}, {"a": "1", "b": "1"}) == (set(), {"a"}, 1)


def test_a_moved_file_does_not_age():
    def move(files):
        files["moved/" + MAIN] = files.pop(MAIN)
        files["moved/" + TEST] = files.pop(TEST)

    check_changes(move, "6/0/0/0")


def test_of_two_pairs_with_the_same_code_each_counts():
    assert compare({"a": "1", "b": "1"}, {"c": "1"}) == PairChanges(2, 1, 0, 0, 1)
    assert compare({"a": "1"}, {"b": "1", "c": "1"}) == PairChanges(1, 1, 0, 1, 0)


def test_another_test_body_is_a_changed_pair():
    check_changes(lambda f: edit(f, TEST, "shape.growA(7)", "shape.growA(8)"), "5/1/0/0")


def test_another_focal_body_is_a_changed_pair():
    check_changes(lambda f: edit(f, MAIN, "by * 1 + 0", "by * 1"), "5/1/0/0")


def test_a_new_test_and_a_deleted_test_are_counted():
    def swap(files):
        edit(files, TEST, "growA_addsToTheSize", "growA_worksToo")

    check_changes(swap, "5/0/1/1")


def test_a_deleted_test_class_removes_its_pairs():
    check_changes(lambda files: files.pop(TEST), "4/0/0/2")


# ---------------------------------------------------------------- status


@pytest.fixture
def root(tmp_path):
    """A project whose serving adapter has seen all of it."""
    root = write_project(tmp_path / "shapes", project_files(classes=8, methods=4))
    add_adapter(root)
    return root


def add_adapter(root, **changes) -> Registry:
    registry = Registry(WorkspaceData(root).adapters)
    staging = registry.staging()
    save_file({"w": np.ones(300, np.float32)}, staging / "model.safetensors", {"format": "pt"})
    gate = {"outcome": "passed", "reason": "it is better", "base_loss": 2.0, "adapter_loss": 1.0}
    made = manifest("one", **({"gate": gate} | changes))
    snapshot = Index().read(Workspace(root))
    registry.add(staging, made, trained_on(snapshot))
    registry.use("one", by="gate")
    return registry


def grow(root, tests: int) -> list[str]:
    """Adds tests of one class; gives the digests of the new pairs."""
    before = set(pair_names(Index().read(Workspace(root)).pairs).values())
    file = root / TEST
    more = "".join(
        f"    @Test\n    void growA_adds{n}() {{\n"
        f"        assertEquals({n}, new ShapeA(0).growA({n}));\n    }}\n"
        for n in range(100, 100 + tests)
    )
    file.write_text(file.read_text().rstrip().removesuffix("}") + more + "}\n")
    after = set(pair_names(Index().read(Workspace(root)).pairs).values())
    assert len(after - before) == tests
    return sorted(after - before)


def measured(root, pairs, base: float, adapter: float, adapter_id: str = "one") -> None:
    found = Measured(adapter_id, "2026-02-03T04:05:06+00:00", pairs, base, adapter)
    keep_measured(WorkspaceData(root), found)


def test_an_adapter_of_another_project_is_told_as_such(root):
    registry = Registry(WorkspaceData(root).adapters)
    registry.remove("one")
    add_adapter(root, imported_at="2026-02-03T04:05:06+00:00")
    for file in (root / "src/test/java/shapes").iterdir():
        file.unlink()
    files = project_files(classes=2, methods=4)
    for path, text in files.items():
        other = root / path.replace("Shape", "Other")
        other.write_text(text.replace("Shape", "Other"))
    told = status(root)
    assert told.freshness == "stale"
    assert told.why == (
        "it was trained on another project's 32 pairs, none of which is here: train again"
    )


def test_a_project_that_has_more_than_doubled_is_given_no_share(root):
    assert status(root).freshness == "fresh"
    grow(root, 33)
    assert status(root).why == "0 changed, 33 new and 0 removed of 32 pairs: train again"


def test_status_tells_a_kept_loss_with_its_date_and_what_it_left_out(root):
    pairs = grow(root, 3)
    measured(root, pairs[:2], 2.0, 1.5)
    assert status(root).loss_on_new == LossOnNew(
        measured_at="2026-02-03T04:05:06+00:00",
        pairs=2,
        still_there=2,
        not_measured=1,
        base=2.0,
        adapter=1.5,
    )


def shown(found: AdapterStatus, **known: Any) -> str:
    """What the command line prints."""
    return texts.TEXTS["status"](Status.of(found, daemon={"running": True}, **known))


def check_word(root, word: str, words: str = "") -> None:
    got = status(root)
    assert got.freshness == word, got.why
    assert words in got.why


def test_a_kept_loss_that_gains_too_little_makes_stale(root):
    pairs = grow(root, 5)
    check_word(root, "ageing")
    measured(root, pairs, 2.0, 1.9)
    check_word(root, "stale", "on 5 new pairs its loss is only 0.100 better than the base's, at")
    measured(root, pairs, 2.0, 1.7)
    check_word(root, "ageing")


def test_a_kept_loss_of_few_pairs_of_gone_pairs_or_of_another_adapter_does_not(root):
    pairs = grow(root, 5)
    measured(root, pairs[:4], 2.0, 3.0)
    check_word(root, "ageing")
    measured(root, ["gone"] * 20, 2.0, 3.0)
    check_word(root, "ageing")
    measured(root, pairs, 2.0, 3.0, adapter_id="another")
    check_word(root, "ageing")
    WorkspaceData(root).measured.write_text("{")
    check_word(root, "ageing")


def test_what_was_considered_and_not_measured_is_not_measured_again(root):
    pairs = grow(root, 3)
    found = Measured("one", "2026-02-03T04:05:06+00:00", pairs[:1], 2.0, 1.5, pairs[:2])
    keep_measured(WorkspaceData(root), found)
    assert status(root).loss_on_new.not_measured == 1


def test_a_share_that_is_just_the_threshold_counts(root, monkeypatch):
    grow(root, 8)  # of 32
    monkeypatch.setenv("PERSONALIZER_AGEING_FROM", "0.25")
    monkeypatch.setenv("PERSONALIZER_STALE_FROM", "0.5")
    check_word(root, "ageing")
    monkeypatch.setenv("PERSONALIZER_STALE_FROM", "0.25")
    check_word(root, "stale")


def test_a_moved_file_is_no_reason_to_begin_anything_by_itself(root):
    before = status(root).contents
    (root / "a").mkdir()
    for path in (root / "src").rglob("ShapeH*.java"):
        path.rename(root / "a" / path.name)
    assert status(root).pairs.unchanged == 32
    assert status(root).contents == before


def test_an_adapter_that_was_chosen_against_the_gate_is_stale_where_new_pairs_say_no(tmp_path):
    root = write_project(tmp_path / "shapes", project_files(classes=8, methods=4))
    gate = {"outcome": "refused", "reason": "worse", "base_loss": 2.0, "adapter_loss": 3.0}
    add_adapter(root, gate=gate)
    measured(root, grow(root, 5), 2.0, 2.1)
    check_word(root, "stale", "its loss is only -0.100 better")


def test_thresholds_are_settings(root, monkeypatch):
    measured(root, grow(root, 5), 2.0, 1.9)
    monkeypatch.setenv("PERSONALIZER_STALE_GAIN", "0.05")
    check_word(root, "ageing")
    monkeypatch.setenv("PERSONALIZER_AGEING_FROM", "0.5")
    monkeypatch.setenv("PERSONALIZER_STALE_FROM", "0.6")
    check_word(root, "fresh")


def test_new_names_are_counted_but_not_those_of_tests(root):
    assert status(root).unseen_symbols.count == 0
    grow(root, 2)
    assert status(root).unseen_symbols.count == 0
    extra = root / "src/main/java/shapes/Extra.java"
    extra.write_text("class Extra { int unheardOf() { return 1; } }")
    assert status(root).unseen_symbols.count == 2


def test_without_git_commits_behind_are_not_known(root):
    found = status(root)
    assert found.commits_behind is None
    assert "  commits   not known\n" in shown(found)


def test_pairs_that_the_training_did_not_use_are_not_counted_as_trained_on(root):
    assert status(root).why == "all 32 pairs are as trained on"
    snapshot = Index().read(Workspace(root))
    used = [UsedPair(p.digest, "train", p.focal_class, p.test.path) for p in snapshot.pairs]
    for name, count, why in (
        ("all", 32, "all 32 pairs are as trained on"),
        ("some", 20, "all 32 pairs are as when it was trained; it used 20"),
    ):
        registry = Registry(WorkspaceData(root).adapters)
        registry.add(registry.staging(), manifest(name), trained_on(snapshot, used[:count]))
        registry.use(name, by="gate")
        assert status(root).why == why
    parent = Trained({}, [], used[20:26], used[26:])
    trained = trained_on(snapshot, used[:20], parent)
    registry.add(registry.staging(), manifest("child"), trained)
    registry.use("child", by="gate")
    assert status(root).why == "all 32 pairs are as trained on"


def test_a_project_without_a_method_left_has_no_unseen_names(root):
    for file in root.rglob("*.java"):
        file.unlink()
    assert status(root).unseen_symbols == UnseenSymbols(0, 0.0)


def test_why_the_base_serves_is_told(root):
    registry = Registry(WorkspaceData(root).adapters)
    registry.use(None)
    assert status(root).why == "the base serves: one was not chosen"
    gate = {"outcome": "refused", "reason": "worse"}
    registry.add(
        registry.staging(), manifest("two", gate=gate), trained_on(Index().read(Workspace(root)))
    )
    assert status(root).why == "the base serves: two was refused by the gate"


def test_a_damaged_adapter_that_does_not_serve_is_warned_of(root):
    registry = Registry(WorkspaceData(root).adapters)
    registry.add(registry.staging(), manifest("two"), Trained({}, []))
    (registry.folder / "two/manifest.json").write_text("{")
    found = status(root)
    assert (found.adapter, found.freshness) == ("one", "fresh")
    [warning] = found.warnings
    assert warning.startswith("adapter two is damaged")


@pytest.mark.parametrize("serving", ["an adapter", "a damaged one", "the base"])
def test_what_only_the_user_may_set_is_warned_of_where_the_repository_sets_it(root, serving):
    registry = Registry(WorkspaceData(root).adapters)
    if serving == "a damaged one":
        (registry.folder / "one/manifest.json").write_text("{")
    if serving == "the base":
        registry.use(None)
    (root / "personalizer.toml").write_text('engine_url = "http://evil"')
    found = status(root)
    assert (found.adapter == "one", found.base is None) == (
        serving == "an adapter",
        serving == "a damaged one",
    )
    [warning] = found.warnings
    assert warning.startswith(f"{root}/personalizer.toml may not set engine_url: set it in ")
    assert f"  note      {warning}" in shown(found)


def test_an_adapter_that_serves_against_the_gate_is_headed_so(root):
    found = replace(status(root), chosen_by="user")
    told = shown(replace(found, gate="refused", gate_reason="it is worse"))
    assert told.startswith("one, refused by the gate and chosen by name, is fresh: all 32")
    told = shown(found)
    assert told.startswith("one is fresh") and "  chosen    by name, whatever" in told


def test_what_became_of_the_last_training_is_told(root):
    result = {"gate": "refused", "reason": "it may be chance"}
    job = Job("job-1", str(root), "done", "2026-02-03T04:05:06+00:00", result=result)
    assert "  training  done, refused: it may be chance\n" in shown(status(root), job=job)


def test_who_chose_the_adapter_is_told(root):
    assert status(root).chosen_by == "gate"
    Registry(WorkspaceData(root).adapters).use("one")
    assert status(root).chosen_by == "user"


def test_a_damaged_serving_adapter_is_told_and_nothing_else_is_touched(root):
    registry = Registry(WorkspaceData(root).adapters)
    kept = (registry.folder / "serving.json").read_bytes()
    file = registry.folder / "one" / "manifest.json"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    got = status(root)
    assert (got.freshness, got.adapter) == ("none", None)
    assert "adapter one is damaged" in got.why
    assert (registry.folder / "serving.json").read_bytes() == kept
    file.write_bytes(whole)
    check_word(root, "fresh")


@pytest.mark.parametrize("left", [0, 5, 40, 1000, -1])
def test_a_serving_adapter_whose_weights_are_cut_off_is_told(root, left: int):
    file = WorkspaceData(root).adapters / "one" / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:left])
    got = status(root)
    assert (got.freshness, got.adapter, got.base) == ("none", None, None)
    assert got.why == (
        "adapter one is damaged: model.safetensors is missing or cut off: train again"
    )
    assert shown(got).startswith("Nothing can serve: adapter one is damaged")
    file.unlink()
    check_word(root, "none", "damaged")
    file.write_bytes(whole)
    check_word(root, "fresh")


@pytest.mark.parametrize("most", [64 << 20, 0])
@pytest.mark.parametrize("place", [12, 700])  # in the header, among the weights
def test_a_serving_adapter_whose_weights_were_edited_is_told(root, monkeypatch, place, most: int):
    monkeypatch.setattr(digests, "_SMALL", 0)
    monkeypatch.setattr(digests, "_SETTLED", -(10**12))
    file = WorkspaceData(root).adapters / "one" / "model.safetensors"
    check_word(root, "fresh")
    monkeypatch.setattr(digests, "_QUICK", most)
    whole = file.read_bytes()
    time.sleep(0.05)  # the system's clock of changes goes by ticks
    file.write_bytes(whole[:place] + b"x" + whole[place + 1 :])
    if not most:  # whoever loads it reads it
        check_word(root, "fresh")
        adapter = Registry(file.parent.parent).get("one")
        with pytest.raises(AdapterError, match="was changed"):
            check_files(adapter.folder, adapter.manifest.files)
    got = status(root)
    assert (got.freshness, got.adapter, got.base) == ("none", None, None)
    assert got.why == "adapter one is damaged: model.safetensors was changed: train again"
    file.write_bytes(whole)
    check_word(root, "fresh")


def test_an_adapter_whose_base_is_another_one_now_is_stale(tmp_path, monkeypatch):
    root = write_project(tmp_path / "shapes", project_files(classes=8, methods=4))
    base = write_project(tmp_path / "base", {"config.json": "{}", "model.safetensors": "old"})
    add_adapter(root, base=str(base), base_fingerprint=fingerprint(base))
    check_word(root, "fresh")
    (base / "model.safetensors").write_text("new")
    got = status(root)
    assert (got.adapter, got.freshness) == ("one", "stale")
    assert got.why == (
        f"it was trained on another base than {base} is now and cannot serve: train again"
    )
    with monkeypatch.context() as large:
        large.setattr(digests, "_QUICK", 0)  # nobody has read it yet
        check_word(root, "fresh")
    check_word(root, "stale")
    (base / "config.json").unlink()  # the base is not here: nobody can tell
    check_word(root, "fresh")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"pairs": {'])
def test_an_adapter_serves_though_what_it_was_trained_on_cannot_be_read(root, content: bytes):
    (WorkspaceData(root).adapters / "one" / "pairs.json").write_bytes(content)
    got = status(root)
    assert (got.adapter, got.gate, got.chosen_by) == ("one", "passed", "gate")
    check_word(root, "stale", "it serves, but what it was trained on cannot be read: train again")


def test_a_clock_that_went_backwards_is_told_and_changes_nothing(tmp_path):
    root = write_project(tmp_path / "shapes", project_files(classes=8, methods=4))
    add_adapter(root, trained_at="2999-01-01T00:00:00+00:00")
    got = status(root)
    assert got.freshness == "fresh"
    assert "before the adapter was trained" in got.warnings[0]
    for path in root.rglob("*.java"):
        os.utime(path, (4e9, 4e9))
    check_word(root, "fresh")


def test_a_summary_kept_of_another_state_is_not_taken_for_this_one(root):
    check_word(root, "fresh")
    check_word(root, "fresh")
    (root / TEST).unlink()
    assert status(root).pairs.removed == 4
    with Store(WorkspaceData(root).index) as store:
        store.set_note("contents", b"\xff damaged")
    assert status(root).pairs.removed == 4


LARGE = """
import json, sys, time
from pathlib import Path
from personalizer.freshness import status
times = []
for _ in range(6):
    begun = time.process_time()
    word = status(Path(sys.argv[1])).freshness
    times.append(time.process_time() - begun)
print(json.dumps({"word": word, "best": min(times), "torch": "torch" in sys.modules}))
"""


@pytest.mark.slow
def test_status_of_ten_thousand_files_takes_less_than_300_ms_of_cpu_and_no_torch(tmp_path):
    files = {}
    for n in range(5000):
        folder = f"java/p{n // 50}"
        files[f"src/main/{folder}/Thing{n}.java"] = (
            f"package p{n // 50}; public class Thing{n} {{ public int grow{n}(int by) "
            f"{{ return by * {n}; }} public int shrink{n}(int by) {{ return by - {n}; }} }}"
        )
        files[f"src/test/{folder}/Thing{n}Test.java"] = (
            f"package p{n // 50}; import org.junit.jupiter.api.Test; class Thing{n}Test {{ "
            f"@Test void grow{n}_grows() {{ assertEquals({n}, new Thing{n}().grow{n}(1)); }} }}"
        )
    root = write_project(tmp_path / "large", files | {".gitignore": "target/\n*.class\nout/\n"})
    add_adapter(root)
    old = time.time() - 60
    for path in root.rglob("*.java"):
        os.utime(path, (old, old))
    time.sleep(2.1)  # files younger than two seconds are read again
    status(root)
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(root)], check=True, capture_output=True, text=True
    )
    got = json.loads(done.stdout)
    assert (got["word"], got["torch"]) == ("fresh", False)
    assert got["best"] < 0.3
