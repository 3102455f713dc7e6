"""The registry: what exists, what serves, and what a damaged file does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from personalizer import digests
from personalizer.adapters import Manifest, Registry, Trained, UsedPair, new_id
from personalizer.dataset import SIDES
from personalizer.errors import AdapterError
from personalizer.models import STARTER, base_folder, fingerprint
from personalizer.storage import data_folder, file_digest

STARTER_PRINT = fingerprint(base_folder(STARTER))


def manifest(adapter_id: str, **changes) -> Manifest:
    values = {
        "id": adapter_id,
        "method": "lora",
        "base": "starter",
        "base_fingerprint": STARTER_PRINT,
        "trained_at": "2026-01-01T00:00:00+00:00",
        "commit": None,
        "pairs": {"train": 1},
        "left_out": {},
        "excluded": {},
        "hyperparameters": {},
        "metrics": {},
        "gate": {"outcome": "passed", "reason": "it is better"},
        "steps": 1,
        "tokens": 1,
        "seconds": 1.0,
        "tokens_per_second": 1.0,
        "peak_memory_bytes": 1,
        "pf_seconds": 0.1,
        "trainable_parameters": 1,
        "history": [],
        "version": "0",
        "tokenizer_fingerprint": "0",
        "split": {},
        "secrets": {},
        "licences": {},
        "forecast": {},
        "pf_seconds_measured": 0.0,
        "adapter_bytes": 0,
        "mean_absolute_change": {},
        "ended": "epochs",
        "eased": [],
        "libraries": {},
        "files": {},
    }
    return Manifest(**(values | changes))


@pytest.fixture
def registry(tmp_path):
    made = Registry(tmp_path / "adapters")

    def add(adapter_id: str):
        staging = tmp_path / "staging"
        staging.mkdir()
        (staging / "adapter_model.safetensors").write_bytes(adapter_id.encode())
        return made.add(staging, manifest(adapter_id), Trained({"a": "1"}, ["b"]))

    for name in ("one", "two"):
        add(name)
    return made


def check_serving(registry: Registry, adapter_id: str | None, by: str | None = None) -> None:
    serving = registry.serving()
    assert (serving and serving.id) == adapter_id
    if by:
        assert registry.chosen_by() == by


def test_an_adapter_that_was_added_is_listed_with_what_it_has_seen(registry):
    assert [a.id for a in registry.all()] == ["one", "two"]
    assert registry.get("one").trained() == Trained({"a": "1"}, ["b"])


def test_the_base_serves_until_an_adapter_is_used(registry):
    assert registry.serving() is None
    registry.use("one")
    assert registry.serving().id == "one"


def test_roll_back_goes_back_one_step_at_a_time(registry):
    registry.use("one")
    registry.use("two")
    assert registry.rollback().id == "one"
    assert registry.rollback() is None
    with pytest.raises(AdapterError, match="nothing served before"):
        registry.rollback()


def test_removing_the_serving_adapter_brings_back_the_one_before(registry):
    registry.use("one")
    registry.use("two")
    registry.remove("two")
    assert registry.serving().id == "one"
    assert [a.id for a in registry.all()] == ["one"]


def test_an_adapter_whose_weights_were_changed_does_not_serve(registry):
    (registry.get("one").folder / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(AdapterError, match=r"adapter_model.safetensors was changed"):
        registry.use("one")
    assert registry.serving() is None


@pytest.mark.parametrize("name", ["three", "../two", ""])
def test_an_unknown_name_is_one_clear_line(registry, name):
    with pytest.raises(AdapterError, match="no adapter is called"):
        registry.get(name)


@pytest.mark.parametrize("name", ["../two", "one/../../two", "{}/two"])
def test_a_name_leads_to_no_adapter_outside_of_the_registry(registry, name):
    """Though a whole one lies there, as ``adapters export`` writes it."""
    outside = registry.folder.parent / "two"
    shutil.copytree(registry.folder / "two", outside)
    for ask in (registry.get, registry.use, registry.remove):
        with pytest.raises(AdapterError, match="no adapter is called"):
            ask(name.format(outside.parent))
    assert (outside / "manifest.json").exists()


def test_roll_back_does_not_let_changed_weights_serve(registry):
    registry.use("one")
    registry.use("two")
    (registry.get("one").folder / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(AdapterError, match=r"adapter_model.safetensors was changed"):
        registry.rollback()
    check_serving(registry, "two")


def test_a_choice_of_what_serves_by_the_gate_is_no_step_to_roll_back(registry):
    registry.use("one", by="gate")
    registry.use("two", by="gate")
    registry.use("two")
    check_serving(registry, "two", "user")
    assert registry.rollback().id == "one"


def test_what_served_before_and_after_one_that_is_removed_is_one_step(registry):
    registry.use("one")
    registry.use("two")
    registry.use("one")
    registry.remove("two")
    assert registry.rollback() is None


def test_a_folder_without_a_manifest_is_no_adapter_and_is_swept(registry):
    left = registry.folder / "killed"
    left.mkdir()
    half = registry.folder / ".serving.json.0f"
    half.touch()
    linked = registry.folder / "linked"
    linked.symlink_to(registry.folder.parent)
    assert [a.id for a in registry.all()] == ["one", "two"]
    registry.sweep()
    assert not left.exists() and not half.exists() and linked.exists()
    assert [a.id for a in registry.all()] == ["one", "two"]


def test_of_several_all_are_removed_or_none(registry):
    with pytest.raises(AdapterError, match="no adapter is called ghost"):
        registry.remove_all(["one", "ghost"])
    assert [a.id for a in registry.all()] == ["one", "two"]
    registry.use("one")
    (registry.folder / "serving.json").write_text("{")
    registry.remove_all(["one", "two"])  # whatever the record of what serves says
    assert registry.all() == []


@pytest.mark.parametrize("text", ['{"id": "o', "", "null", "[]", "\xff"])
def test_a_damaged_manifest_is_not_listed_but_named_and_never_serves_unsaid(registry, text):
    registry.use("one")
    (registry.folder / "one" / "manifest.json").write_bytes(text.encode("latin-1"))
    assert [a.id for a in registry.all()] == ["two"]
    assert "adapter one is damaged" in registry.damaged()["one"]
    for ask in (lambda: registry.get("one"), registry.serving):
        with pytest.raises(AdapterError, match="adapter one is damaged"):
            ask()
    registry.use("two")
    check_serving(registry, "two")


def test_damage_to_an_adapter_that_does_not_serve_leaves_the_serving_one_alone(registry):
    registry.use("one")
    (registry.folder / "two" / "manifest.json").write_text("{")
    check_serving(registry, "one")
    registry.remove("two")
    assert registry.damaged() == {}
    check_serving(registry, "one")


def test_a_manifest_in_another_adapters_folder_is_damage(registry):
    one, two = (registry.folder / name / "manifest.json" for name in ("one", "two"))
    one.write_bytes(two.read_bytes())
    with pytest.raises(AdapterError, match="its manifest is that of two"):
        registry.get("one")


def test_who_let_an_adapter_serve_is_kept(registry):
    registry.use("one", by="gate")
    check_serving(registry, "one", "gate")
    registry.use("two")
    check_serving(registry, "two", "user")
    registry.rollback()
    check_serving(registry, "one", "gate")


def test_an_adapter_of_another_base_is_not_chosen_nor_rolled_back_to(registry, tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    made = {"base": str(base), "base_fingerprint": fingerprint(base)}
    registry.add(registry.staging(), manifest("far", **made), Trained({}, []))
    registry.use("far")
    registry.use("one")
    (base / "config.json").write_text("{ }")
    another = f"far was trained on another base than {base} is now: train again"
    for act in (registry.rollback, lambda: registry.use("far")):
        with pytest.raises(AdapterError) as raised:
            act()
        assert str(raised.value) == another
        check_serving(registry, "one")
    shutil.rmtree(base)  # not here: nobody can tell
    registry.use("far")
    check_serving(registry, "far")


def test_a_damaged_record_of_what_serves_is_told_and_a_choice_mends_it(registry):
    (registry.folder / "serving.json").write_text('[{"id"')
    with pytest.raises(AdapterError, match="choose again"):
        registry.serving()
    registry.use("one")
    check_serving(registry, "one")


def test_using_what_serves_is_no_step_to_roll_back(registry):
    for name in ("one", "two", "two"):
        registry.use(name)
    assert registry.rollback().id == "one"


def test_the_order_is_that_of_arrival_whatever_the_clock_said(registry, tmp_path):
    staging = tmp_path / "late"
    staging.mkdir()
    late = manifest("late", trained_at="1999-01-01T00:00:00+00:00")
    registry.add(staging, late, Trained({}, []))
    assert [a.id for a in registry.all()] == ["one", "two", "late"]


def test_a_name_that_was_given_once_is_never_given_to_another(registry, tmp_path):
    for removed in (False, True):
        if removed:
            registry.remove("one")
        staging = tmp_path / f"again {removed}"
        staging.mkdir()
        (staging / "adapter_model.safetensors").write_bytes(b"another")
        with pytest.raises(AdapterError, match="a name stands for one adapter for ever"):
            registry.add(staging, manifest("one"), Trained({}, []))


def test_changes_of_two_processes_do_not_get_lost(registry, tmp_path):
    """Each of two processes adds and uses its own adapters, at the same time."""
    script = tmp_path / "change.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from personalizer.adapters import Registry, Trained\n"
        "from tests.test_adapters import manifest\n"
        "registry = Registry(Path(sys.argv[1]))\n"
        "for n in range(15):\n"
        "    staging = registry.staging()\n"
        "    (staging / 'adapter_model.safetensors').write_bytes(sys.argv[2].encode())\n"
        "    registry.add(staging, manifest(f'{sys.argv[2]}-{n}'), Trained({}, []))\n"
        "    registry.use(f'{sys.argv[2]}-{n}')\n"
    )
    both = [
        subprocess.Popen([sys.executable, str(script), str(registry.folder), name])
        for name in ("left", "right")
    ]
    assert [one.wait(60) for one in both] == [0, 0]
    assert len(registry.all()) == 32
    steps = 0
    while registry.serving() is not None:
        registry.rollback()
        steps += 1
    assert steps == 30


def test_what_a_grandparent_learnt_is_learnt():
    used = [UsedPair(f"f{n}-t{n}", side, "A#A", "T") for n, side in enumerate(SIDES)]
    old = [UsedPair(f"F{n}-T{n}", side, "B#B", "T") for n, side in enumerate(SIDES)]
    assert Trained({}, [], used, old).learnt_tests() == {"t0", "T0"}


def test_two_ids_made_at_once_differ():
    assert len({new_id("lora") for _ in range(20)}) == 20


def test_a_base_is_read_for_its_fingerprint_once_until_its_files_change(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(bytes(2 << 20))
    monkeypatch.setattr(digests, "_SETTLED", -(10**12))
    read = []
    with monkeypatch.context() as watched:
        opened = Path.open

        def watch(file: Path, *how, **kinds):
            if file.parent == tmp_path:
                read.append(file.name)
            return opened(file, *how, **kinds)

        watched.setattr(Path, "open", watch)
        first = fingerprint(tmp_path)
        assert fingerprint(tmp_path) == first
    assert read == ["config.json", "model.safetensors"]
    before = weights.stat()
    time.sleep(0.05)  # the system's clock of changes goes by ticks
    weights.write_bytes(b"W" + bytes((2 << 20) - 1))
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if it were the old file
    assert fingerprint(tmp_path) != first


def test_a_hash_is_kept_only_of_files_that_have_not_changed_just_now_nor_while_they_were_read(
    tmp_path, monkeypatch
):
    file, quick = tmp_path / "large", []
    file.write_bytes(bytes(2 << 20))

    def read() -> str:
        quick.append("read")
        return file_digest(file)

    def read_while_it_changes() -> str:
        found = read()
        file.write_bytes(bytes(3 << 20))
        return found

    for _ in range(2):
        assert digests.quick_digest([file], read) == file_digest(file)
    assert len(quick) == 2  # it is younger than two seconds
    monkeypatch.setattr(digests, "_SETTLED", -(10**12))
    digests.kept_digest([file], read_while_it_changes)
    assert digests.quick_digest([file], read) == file_digest(file)
    assert digests.quick_digest([file], read) == file_digest(file)
    assert len(quick) == 4
    monkeypatch.setattr(digests, "_QUICK", 1 << 20)
    assert digests.quick_digest([file], read) == file_digest(file)
    file.write_bytes(bytes(4 << 20))
    assert digests.quick_digest([file], read) is None
    (data_folder() / "digests.json").write_text("{")
    assert digests.kept_digest([file], read) == file_digest(file)
    assert digests.quick_digest([file], read) == file_digest(file)
    assert len(quick) == 5


def test_every_file_of_a_tokenizer_that_has_no_whole_one_is_in_a_bases_fingerprint(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    found = {fingerprint(tmp_path)}
    for name in ("tokenizer.model", "vocab.json", "merges.txt", "spiece.model"):
        (tmp_path / name).write_text("a")
        found.add(fingerprint(tmp_path))
    assert len(found) == 5
    (tmp_path / "tokenizer.json").write_text("{}")
    whole = fingerprint(tmp_path)
    (tmp_path / "vocab.json").write_text("b")
    assert fingerprint(tmp_path) == whole
