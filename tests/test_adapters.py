"""The registry: what exists, what serves, and what a damaged file does."""

from __future__ import annotations

import dataclasses

import pytest

from personalizer.adapters import Manifest, Registry, Trained, new_id
from personalizer.errors import AdapterError


def manifest(adapter_id: str, **changes) -> Manifest:
    values = {f.name: None for f in dataclasses.fields(Manifest)}
    values |= {
        "id": adapter_id,
        "method": "lora",
        "base": "starter",
        "base_fingerprint": "0",
        "trained_at": "2026-01-01T00:00:00+00:00",
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


def test_a_folder_without_a_manifest_is_no_adapter_and_is_swept(registry):
    left = registry.folder / "killed"
    left.mkdir()
    assert [a.id for a in registry.all()] == ["one", "two"]
    registry.sweep()
    assert not left.exists()


def test_a_truncated_manifest_is_not_listed_and_named_when_asked_for(registry):
    registry.use("one")
    (registry.folder / "one" / "manifest.json").write_text('{"id": "o')
    assert [a.id for a in registry.all()] == ["two"]
    with pytest.raises(AdapterError, match="adapter one is damaged"):
        registry.get("one")


def test_two_ids_made_at_once_differ():
    assert len({new_id("lora") for _ in range(20)}) == 20
