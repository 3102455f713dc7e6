"""Who judges: as many held-out pairs as a share of the budget allows, and which."""

from __future__ import annotations

import pytest

from personalizer.adapters import Registry
from personalizer.phases import Progress
from personalizer.settings import Settings
from personalizer.storage import WorkspaceData
from personalizer.texts import TEXTS
from personalizer.training import judging, project
from personalizer.training.batches import length
from personalizer.training.preparation import prepare, usable_pairs
from tests.java_project import project_files, snapshot_of, write_project

FILES = project_files(classes=16, methods=6)
HALF = {"gate_fraction": 0.4, "validation_fraction": 0.2}


def settings(base, **changes) -> Settings:
    quick = {"budget": "60s", "context_tokens": 700, "target_tokens": 220, "max_steps": 2}
    return Settings(**(quick | HALF | {"base": str(base)} | changes))


def pace(monkeypatch, seconds: float) -> None:
    """Lets judging take so long a token, however fast this machine is."""
    monkeypatch.setattr(judging, "seconds_a_token", lambda *_: seconds)


@pytest.fixture(scope="module")
def prepared(tiny_base):
    snapshot = snapshot_of(FILES)
    return prepare(snapshot, usable_pairs(snapshot, None), settings(tiny_base), seconds=60.0)


def draw(prepared, monkeypatch, share: float, folder=None, budget: float = 60.0):
    """The draw where a time suffices for such a share of what is held out."""
    held_out = [e for side in judging.HELD_OUT for e in prepared.dataset.sides[side]]
    pace(monkeypatch, 1.0)
    seconds = share * sum(map(length, held_out))
    return judging.drawn(prepared.base, prepared.dataset, seconds, folder=folder, budget=budget)


def names(examples) -> set[str]:
    return {e.pair.test.key for e in examples}


def test_all_that_is_held_out_judges_where_the_time_suffices(prepared, monkeypatch):
    assert draw(prepared, monkeypatch, 1.0) == prepared.dataset
    assert draw(prepared, monkeypatch, 7.0) == prepared.dataset


def test_a_draw_is_as_large_as_its_time_and_holds_the_smaller_ones(prepared, monkeypatch):
    whole = prepared.dataset
    large, small = draw(prepared, monkeypatch, 0.9), draw(prepared, monkeypatch, 0.7)
    for side in judging.HELD_OUT:
        assert names(small.sides[side]) < names(large.sides[side]) < names(whole.sides[side])
    for one, share in ((large, 0.9), (small, 0.7)):
        tokens, most = (sum(map(length, d.gate)) for d in (one, whole))
        assert share - 0.1 < tokens / most <= share
    assert large.train == small.train == whole.train


def test_however_short_the_time_the_gate_can_tell_something(prepared, monkeypatch):
    least = draw(prepared, monkeypatch, 0.0)
    assert len(least.gate) >= 20
    assert len({e.pair.focal.key for e in least.gate}) >= 10
    assert len(least.gate) < len(prepared.dataset.gate)
    assert len(least.validation) == 8


def test_a_draw_is_kept_for_its_budget(prepared, monkeypatch, tmp_path):
    first = draw(prepared, monkeypatch, 0.7, tmp_path)
    assert draw(prepared, monkeypatch, 0.9, tmp_path) == first
    assert draw(prepared, monkeypatch, 0.9, tmp_path, budget=120.0) != first


def test_a_real_pace_is_that_of_a_few_examples(prepared):
    found = judging.seconds_a_token(prepared.base.model, prepared.base, prepared.dataset.gate)
    assert 0 < found < 1


def test_base_and_adapter_are_judged_on_the_same_draw_and_it_is_said(
    tiny_base, tmp_path, monkeypatch
):
    pace(monkeypatch, 1.0)
    judged, losses = [], judging.losses

    def watched(model, base, judges, phase, report):
        judged.append((phase, names(judges.gate), names(judges.validation)))
        return losses(model, base, judges, phase, report)

    monkeypatch.setattr(judging, "losses", watched)
    root = write_project(tmp_path / "shapes", FILES)
    result = project.train_project(root, settings(tiny_base))
    (before, *base), (after, *adapter) = judged
    assert (before, after) == ("judge", "gate")
    assert base == adapter
    assert result["judged"] == {"gate": len(base[0]), "validation": len(base[1])}
    assert result["pairs"]["gate"] > result["judged"]["gate"] >= 20
    told = f"on {result['judged']['gate']} of {result['pairs']['gate']} held-out pairs"
    assert told in result["reason"]
    assert "a larger budget lets more of them judge" in TEXTS["train"](result)
    manifest = Registry(WorkspaceData(root).adapters).get(result["adapter"]).manifest
    assert len(manifest.gate_losses) == manifest.gate["pairs"] == result["judged"]["gate"]
    assert manifest.gate["of"] == result["pairs"]["gate"]


def test_a_training_that_goes_on_is_judged_on_the_draw_that_it_began_with(
    tiny_base, tmp_path, monkeypatch
):
    def killed(progress):
        if progress.phase == "train" and progress.step:
            raise KeyError

    root = write_project(tmp_path / "shapes", FILES)
    pace(monkeypatch, 1.0)
    with pytest.raises(KeyError):
        project.train_project(root, settings(tiny_base), report=killed)
    pace(monkeypatch, 0.0)
    went_on = project.train_project(root, settings(tiny_base))
    assert went_on["judged"]["gate"] < went_on["pairs"]["gate"]
    anew = project.train_project(root, settings(tiny_base))
    assert anew["judged"]["gate"] == anew["pairs"]["gate"]
    assert "judged by" not in TEXTS["train"](anew)


def test_an_adapter_that_fewer_pairs_judge_is_held_against_the_one_that_serves(
    tiny_base, tmp_path, monkeypatch
):
    root = write_project(tmp_path / "shapes", FILES)
    pace(monkeypatch, 0.0)
    good = project.train_project(root, settings(tiny_base, max_steps=8, learning_rate=1e-2))
    Registry(WorkspaceData(root).adapters).use(good["adapter"])
    pace(monkeypatch, 1.0)
    hasty = project.train_project(root, settings(tiny_base, max_steps=1))
    assert hasty["judged"]["gate"] < good["judged"]["gate"]
    assert hasty["reason"].endswith(f"worse than that of {good['adapter']}, which serves")


def test_judging_says_how_far_it_is_before_and_after_the_training(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes", FILES)
    told: list[Progress] = []
    result = project.train_project(root, settings(tiny_base), report=told.append)
    for phase in ("judge", "gate"):
        steps = [(p.step, p.steps) for p in told if p.phase == phase and p.steps]
        total = result["pairs"]["gate"] + result["pairs"]["validation"]
        assert len(steps) >= 3
        assert sorted(steps) == steps
        assert steps[-1] == (total, total)


def test_judging_ends_within_a_batch_when_it_is_told_to(prepared):
    told: list[Progress] = []

    def leave(progress):
        told.append(progress)
        raise KeyboardInterrupt

    base = prepared.base
    with pytest.raises(KeyboardInterrupt):
        judging.losses(base.model, base, prepared.dataset, "judge", leave)
    assert [p.step for p in told] == [8]
