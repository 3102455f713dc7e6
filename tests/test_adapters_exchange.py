"""Adapters that travel: what is written, what is taken in, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save_file

from personalizer.adapters import Base, Registry, Trained, export, import_folder
from personalizer.errors import AdapterError, BadInput
from personalizer.storage import file_digest
from tests.test_adapters import STARTER_PRINT, check_serving, manifest

BASE = Base("starter", STARTER_PRINT)


def exported(folder: Path, adapter_id: str = "far", *, weight: float = 1.0) -> Path:
    """An adapter as another machine would export it."""
    registry = Registry(folder / "far away")
    staging = registry.staging()
    save_file({"w": np.full(3, weight, np.float32)}, str(staging / "adapter_model.safetensors"))
    (staging / "adapter_config.json").write_text('{"peft_type": "LORA", "auto_mapping": null}')
    adapter = registry.add(staging, manifest(adapter_id), Trained({"a": "1"}, ["b"]))
    export(adapter, folder / "out")
    return folder / "out"


@pytest.fixture
def here(tmp_path):
    """This machine's registry, with one adapter that serves."""
    registry = Registry(tmp_path / "here")
    staging = registry.staging()
    save_file({"w": np.zeros(3, np.float32)}, str(staging / "adapter_model.safetensors"))
    registry.add(staging, manifest("own"), Trained({}, []))
    registry.use("own", by="gate")
    return registry


def named_anew(folder: Path, **changes) -> None:
    """Rewrites the manifest as a forger would: every file under its true hash."""
    file = folder / "manifest.json"
    values = json.loads(file.read_text())
    names = [p.name for p in folder.iterdir() if p.name != "manifest.json"]
    values["files"] = {name: file_digest(folder / name) for name in names}
    file.write_text(json.dumps(values | changes))


def check_refused(registry: Registry, folder: Path, words: str, base: Base = BASE) -> None:
    with pytest.raises(AdapterError, match=words):
        import_folder(registry, folder, base)
    check_serving(registry, "own", "gate")
    assert [a.id for a in registry.all()] == ["own"]
    assert not list(registry.folder.glob(".staging-*"))


def test_an_imported_adapter_keeps_its_name_and_serves_only_when_chosen(here, tmp_path):
    adapter = import_folder(here, exported(tmp_path), Base("/models/starter", STARTER_PRINT))
    check_serving(here, "own", "gate")
    assert (adapter.id, adapter.base) == ("far", "/models/starter")
    assert adapter.manifest.imported_at is not None
    assert adapter.trained() == Trained({"a": "1"}, ["b"])
    here.use("far")
    check_serving(here, "far", "user")


def test_what_was_exported_and_imported_is_exported_the_same(here, tmp_path):
    first = exported(tmp_path)
    export(import_folder(here, first, BASE), tmp_path / "again")
    assert (tmp_path / "again").stat().st_mode & 0o777 == 0o755
    for file in first.iterdir():
        if file.name != "manifest.json":
            assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_export_overwrites_nothing(here, tmp_path):
    for target in ("full", "link"):
        (tmp_path / "full").mkdir(exist_ok=True)
        (tmp_path / "full" / "precious").touch()
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(tmp_path / "empty")
        with pytest.raises(BadInput, match="something is there"):
            export(here.get("own"), tmp_path / target)
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["precious"]


def test_a_damaged_adapter_is_not_exported(here, tmp_path):
    (here.folder / "own" / "adapter_model.safetensors").write_bytes(b"x")
    with pytest.raises(AdapterError, match="was changed"):
        export(here.get("own"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["adapter_model.bin", "weights.pt", "weights.pkl", "x.npz"])
def test_a_pickle_is_refused_named_or_not(here, tmp_path, name):
    folder = exported(tmp_path)
    (folder / name).write_bytes(pickle.dumps({}))
    check_refused(here, folder, f"{name} may be a pickle")
    named_anew(folder)
    check_refused(here, folder, f"{name} may be a pickle")


def test_a_pickle_that_calls_itself_safetensors_is_refused(here, tmp_path):
    folder = exported(tmp_path)
    (folder / "adapter_model.safetensors").write_bytes(pickle.dumps({"w": [1.0]}))
    named_anew(folder)
    check_refused(here, folder, "holds no safetensors")


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/b.json", "..", "a\\b.json"])
def test_a_path_that_climbs_out_is_refused(here, tmp_path, name):
    folder = exported(tmp_path)
    values = json.loads((folder / "manifest.json").read_text())
    named_anew(folder, files=values["files"] | {name: "0"})
    check_refused(here, folder, "outside the folder")


@pytest.mark.parametrize("name", ["../up", "Upper", ".hidden", "base", "", "a/b", 7])
def test_a_name_that_is_no_name_is_refused(here, tmp_path, name):
    folder = exported(tmp_path)
    named_anew(folder, id=name)
    check_refused(here, folder, "expected an adapter's name")


def test_links_and_folders_are_refused(here, tmp_path):
    folder = exported(tmp_path)
    weights = folder / "adapter_model.safetensors"
    weights.rename(tmp_path / "elsewhere")
    weights.symlink_to(tmp_path / "elsewhere")
    check_refused(here, folder, "is a link")
    weights.unlink()
    weights.mkdir()
    check_refused(here, folder, "is no file")
    (tmp_path / "linked").symlink_to(folder)
    check_refused(here, tmp_path / "linked", "expected a folder")
    weights.rmdir()
    os.mkfifo(weights)
    check_refused(here, folder, "is no file")


def test_a_tampered_file_is_refused_by_its_hash(here, tmp_path):
    folder = exported(tmp_path)
    for name in ("adapter_model.safetensors", "adapter_config.json", "pairs.json"):
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        check_refused(here, folder, f"{name} is not the file that the manifest names")
        (folder / name).write_bytes(before[: len(before) // 2])
        check_refused(here, folder, f"{name} is not the file that the manifest names")
        (folder / name).unlink()
        check_refused(here, folder, f"{name} is missing")
        (folder / name).write_bytes(before)


def test_what_is_too_large_or_does_not_say_what_it_saw_as_we_do_is_refused(
    here, tmp_path, monkeypatch
):
    folder = exported(tmp_path)
    (folder / "pairs.json").write_text('{"pairs": 7}' + " " * 9000)
    named_anew(folder)
    check_refused(here, folder, r"pairs\.json is damaged")
    for most, name in ((8000, "pairs"), (20, "manifest")):
        monkeypatch.setattr("personalizer.adapters.exchange._LARGEST_JSON", most)
        check_refused(here, folder, rf"{name}\.json is larger than")


def test_files_that_nobody_named_are_refused(here, tmp_path):
    folder = exported(tmp_path)
    (folder / "setup.py").write_text("")
    check_refused(here, folder, r"setup\.py is not named by the manifest")
    named_anew(folder)
    check_refused(here, folder, r"setup\.py: expected safetensors and JSON alone")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("auto_mapping", {"parent_library": "os"}),
        ("megatron_config", {"a": 1}),
        ("megatron_core", "os"),
        ("target_modules", "(([a-z0-9_.]*)*)*X"),
        ("target_modules", ["(a*)*X"]),
        ("target_modules", ["q\n"]),
        ("exclude_modules", "(a*)*X"),
        ("rank_pattern", {"(a*)*X": 1}),
        ("alpha_pattern", {"(a*)*X": 1}),
        ("layers_pattern", "(a*)*X"),
        ("init_lora_weights", "pissa"),
        ("prompt_tuning_init", "TEXT"),
        ("tokenizer_name_or_path", "some/tokenizer"),
        ("peft_type", "XLORA"),
        ("use_qalora", True),
        ("bias", "all"),
        ("use_rslora", 1),
        ("r", 10**12),
        ("num_virtual_tokens", -1),
    ],
)
def test_a_configuration_that_no_method_of_ours_writes_is_refused(here, tmp_path, key, value):
    folder = exported(tmp_path)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"} | {key: value}))
    named_anew(folder)
    check_refused(here, folder, f"adapter_config.json sets {key}")


@pytest.mark.parametrize("text", ["", "{", "null", "[1]", '{"id": "far"}', '{"id": "f\xff"}'])
def test_a_manifest_that_is_none_is_refused(here, tmp_path, text):
    folder = exported(tmp_path)
    (folder / "manifest.json").write_bytes(text.encode("latin-1"))
    check_refused(here, folder, "damaged")


def test_an_adapter_of_another_base_is_refused(here, tmp_path):
    check_refused(here, exported(tmp_path), "of another base", Base("starter", "1"))


def test_where_anything_is_forgotten_what_does_not_say_what_it_saw_is_refused(here, tmp_path):
    folder = exported(tmp_path)
    (folder / "pairs.json").unlink()
    named_anew(folder)
    with pytest.raises(AdapterError, match="does not say from which"):
        import_folder(here, folder, BASE, ["src/Secret.java"])
    assert [a.id for a in here.all()] == ["own"]
    assert import_folder(here, folder, BASE).id == "far"


def test_folders_that_hold_no_adapter_are_refused(here, tmp_path):
    check_refused(here, tmp_path / "nowhere", "expected a folder")
    (tmp_path / "empty").mkdir()
    check_refused(here, tmp_path / "empty", "expected a manifest.json")
    bare = exported(tmp_path)
    (bare / "adapter_model.safetensors").unlink()
    named_anew(bare)
    check_refused(here, bare, "expected weights as safetensors")


def test_two_machines_adapters_of_one_name_do_not_meet(here, tmp_path):
    import_folder(here, exported(tmp_path, weight=1.0), BASE)
    (tmp_path / "other").mkdir()
    other = exported(tmp_path / "other", weight=2.0)
    with pytest.raises(AdapterError, match="another adapter was called far here before"):
        import_folder(here, other, BASE)
    with pytest.raises(AdapterError, match="is here already"):
        import_folder(here, tmp_path / "out", BASE)
    check_serving(here, "own", "gate")
    here.remove("far")
    assert import_folder(here, tmp_path / "out", BASE).id == "far"


def test_a_manifest_with_unknown_fields_of_a_later_version_is_read(here, tmp_path):
    folder = exported(tmp_path)
    named_anew(folder, some_later_field={"a": 1})
    adapter = import_folder(here, folder, BASE)
    known = {f.name for f in dataclasses.fields(adapter.manifest)}
    assert msgspec.to_builtins(adapter.manifest).keys() == known
