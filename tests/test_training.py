"""Training: what is scored, what is kept, and the gate's place."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
import subprocess

import numpy as np
import pytest
import torch

from personalizer import dataset
from personalizer.adapters import Registry
from personalizer.errors import (
    AdapterError,
    BadInput,
    BaseModelError,
    Busy,
    SettingsError,
    TooFewPairs,
)
from personalizer.freshness import status
from personalizer.models import catalogue, load_base, parameters_of
from personalizer.phases import Progress
from personalizer.processes import environment, module_command
from personalizer.settings import Settings
from personalizer.storage import WorkspaceData
from personalizer.texts import TEXTS
from personalizer.training import preparation, project, strategies, trainer
from personalizer.training.batches import target_losses
from personalizer.training.trainer import fine_tune
from tests.java_project import project_files, snapshot_of, with_tests, write_project
from tests.tiny_model import make_tiny_base
from tests.training_runs import encoded, hyper, run

QUICK = {"budget": "60s", "context_tokens": 1400, "target_tokens": 220, "epochs": 2}


def quick(base, **changes) -> Settings:
    return Settings(**(QUICK | {"base": str(base)} | changes))


@pytest.mark.parametrize("seed", range(6))
def test_a_class_of_over_long_tests_gives_its_side_to_another(seed):
    files = project_files(classes=5, methods=6)
    long = "src/test/java/shapes/ShapeATest.java"
    padding = "        int much = " + " + ".join(map(str, range(1, 200))) + ";\n"
    files[long] = files[long].replace("() {\n", "() {\n" + padding)
    settings = Settings(target_tokens=120, seed=seed)
    rows = list(preparation.examples(snapshot_of(files), settings))
    assert {row["split"] for row in rows} == set(dataset.SIDES)
    assert not any(row["test"].startswith(long) for row in rows)


def test_pairs_that_are_too_long_do_not_count_among_the_fewest():
    files = project_files(classes=7)
    padding = "        int much = " + " + ".join(map(str, range(1, 200))) + ";\n"
    for name in "CDEFG":
        path = f"src/test/java/shapes/Shape{name}Test.java"
        head, *tests = files[path].split("() {\n")
        files[path] = "() {\n".join([head, tests[0], *(padding + one for one in tests[1:])])
    rows = preparation.examples(snapshot_of(files), Settings(target_tokens=120))
    with pytest.raises(
        TooFewPairs, match=r"at least 24 pairs, 13 are left: 28 pairs, left out .*15"
    ):
        list(rows)


def test_a_gate_that_can_let_nothing_through_is_told_before_the_training(tiny_base, tmp_path):
    files = with_tests(project_files(classes=3, methods=12), "ShapeB", 1)
    root = write_project(tmp_path / "shapes", files)
    settings = quick(tiny_base, max_steps=1)
    planned = project.plan(root, settings)
    assert planned["pairs"]["gate"] == 1
    assert planned["warning"] in TEXTS["plan"](planned)
    told: list[Progress] = []
    result = project.train_project(root, settings, report=told.append)
    before = [p.note for p in told[: [p.phase for p in told].index("train")] if p.note]
    assert before == [planned["warning"]]
    assert result["gate"] == "refused"
    other = write_project(tmp_path / "other")
    assert project.plan(other, settings)["warning"] is None


def test_target_losses_are_those_of_the_model_on_each_example_alone(tiny_base):
    base = load_base(str(tiny_base))
    examples = encoded(base).train[:5]
    batched = target_losses(base.model, base, examples, batch_size=5)
    for loss, example in zip(batched, examples, strict=True):
        ids = torch.tensor([example.prompt + example.target])
        labels = torch.tensor([[-100] * len(example.prompt) + example.target])
        with torch.inference_mode():
            alone = base.model(input_ids=ids, labels=labels).loss
        assert loss == pytest.approx(alone.item(), rel=1e-4)


def test_the_tokens_of_an_encoder_decoder_are_those_of_prompts_and_targets(tmp_path):
    base = make_tiny_base(tmp_path / "base", family="t5")
    data = encoded(load_base(str(base)))
    found = run(base, tmp_path / "run", epochs=1)
    assert found.tokens == sum(len(e.prompt) + len(e.target) for e in data.train)


@pytest.mark.parametrize("method", ["lora", "custom"])
def test_what_was_trained_comes_back_from_disk_with_the_same_losses(tiny_base, tmp_path, method):
    base = load_base(str(tiny_base))
    data = encoded(base)
    before = target_losses(base.model, base, data.validation)
    strategy = strategies.strategy_named(method)
    run = fine_tune(base, data, strategy, hyper(), tmp_path / "run", lambda _: None)
    after = target_losses(run.model, base, data.validation)
    assert after.mean() < before.mean()
    assert run.trainable_parameters > 0
    assert run.tokens == 3 * sum(len(e.prompt) + len(e.target) for e in data.train)
    strategies.save(run.model, tmp_path / "adapter")
    fresh = load_base(str(tiny_base))
    attached = strategies.attach(fresh, tmp_path / "adapter")
    again = target_losses(attached, fresh, data.validation)
    np.testing.assert_allclose(again, after, rtol=1e-5)


@pytest.mark.parametrize("accumulation", [1, 4])
def test_training_judges_as_the_gate_does_however_batches_lie(
    tiny_base, tmp_path, monkeypatch, accumulation
):
    monkeypatch.setattr(trainer, "_autocast", lambda _: None)  # the gate reads in float32
    base = load_base(str(tiny_base))
    data = encoded(base)
    sides = dict(data.sides) | {"validation": data.validation[:5]}  # batches of 4 and of 1
    data = dataset.Dataset(sides, {})
    before = target_losses(base.model, base, data.validation).mean()
    still = hyper(learning_rate=1e-12, epochs=1, accumulation=accumulation)
    strategy = strategies.strategy_named("lora")
    run = fine_tune(base, data, strategy, still, tmp_path / "run", lambda _: None)
    assert run.history[0]["validation_loss"] == pytest.approx(before, rel=1e-5)


def test_the_best_checkpoint_is_kept_not_the_last(tiny_base, tmp_path):
    base = load_base(str(tiny_base))
    data = encoded(base)
    wild = hyper(learning_rate=0.3, epochs=4)
    strategy = strategies.strategy_named("lora")
    run = fine_tune(base, data, strategy, wild, tmp_path / "run", lambda _: None)
    best = min(row["validation_loss"] for row in run.history)
    assert math.isfinite(best)
    kept = target_losses(run.model, base, data.validation)
    assert kept.mean() == pytest.approx(best, rel=0.01)  # in 16 bits


def test_training_a_project_ends_with_a_judged_adapter_that_status_knows(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    phases = []
    result = project.train_project(
        root, quick(tiny_base), report=lambda progress: phases.append(progress.phase)
    )
    assert list(dict.fromkeys(phases)) == ["index", "prepare", "judge", "train", "gate"]
    assert sum(result["pairs"].values()) == 32
    assert result["gate"] in ("passed", "provisional", "refused")
    assert result["promoted"] == (result["gate"] != "refused")
    registry = Registry(WorkspaceData(root).adapters)
    adapter = registry.get(result["adapter"])
    adapter.verify()
    assert (adapter.folder / "adapter_config.json").exists()
    left = [one.name for one in (WorkspaceData(root).folder / "training").iterdir()]
    assert left == ["kept.json"]  # the note of what was kept; checkpoints are gone
    registry.use(adapter.id)
    assert status(root).freshness == "fresh"
    shutil.rmtree(root / "src/test/java/shapes")
    assert status(root).freshness == "stale"


def test_an_adapter_does_not_take_the_place_of_a_better_one(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    good = project.train_project(root, quick(tiny_base))
    registry = Registry(WorkspaceData(root).adapters)
    registry.use(good["adapter"])
    hasty = project.train_project(root, quick(tiny_base, max_steps=1))
    losses = [registry.get(one["adapter"]).manifest.gate["adapter_loss"] for one in (good, hasty)]
    assert losses[1] > losses[0] + 0.1
    assert not hasty["promoted"]
    assert hasty["reason"].endswith(f"worse than that of {good['adapter']}, which serves")
    assert registry.serving().id == good["adapter"]
    for file in (root / "src/test/java/shapes").iterdir():  # so that other pairs judge
        file.write_text(file.read_text().replace("(7)", "(8)"))
    later = project.train_project(root, quick(tiny_base, max_steps=1))
    assert "which serves" not in later["reason"]


@pytest.fixture(scope="module")
def schooled_base(tiny_base, tmp_path_factory):
    """A base that knows the project already: there is something to spoil."""
    folder = tmp_path_factory.mktemp("schooled")
    base = load_base(str(tiny_base))
    strategy = strategies.strategy_named("custom")
    run = fine_tune(base, encoded(base), strategy, hyper(epochs=6), folder / "run", lambda _: None)
    run.model.save_pretrained(folder / "base")
    base.tokenizer.save_pretrained(folder / "base")
    return folder / "base"


def test_a_refused_adapter_does_not_serve_and_says_why(schooled_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    result = project.train_project(root, quick(schooled_base, learning_rate=100.0, epochs=1))
    assert result["gate"] == "refused"
    assert re.search("(worse|no better) than the base's", result["reason"])
    assert Registry(WorkspaceData(root).adapters).serving() is None
    said = status(root)
    assert said.freshness == "none"
    assert result["adapter"] in said.why


def test_a_training_whose_loss_is_no_number_is_told_and_stays_readable(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    settings = quick(tiny_base, learning_rate=1e30, epochs=1, evaluate_every=1.0)
    told: list[Progress] = []
    result = project.train_project(root, settings, report=told.append)
    assert (result["gate"], result["reason"]) == ("refused", "the adapter's loss is no number")
    assert "NaN" not in json.dumps([dataclasses.asdict(progress) for progress in told])
    assert "NaN" not in json.dumps(result)
    assert result["metrics"]["adapter"]["gate_loss"] is None
    assert "no number adapter" in TEXTS["train"](result)
    adapter = Registry(WorkspaceData(root).adapters).get(result["adapter"])
    assert adapter.manifest.history == []
    assert result["adapter"] in status(root).why


def check_refused(root, settings, error, words, limit=None):
    with pytest.raises(error, match=words):
        project.train_project(root, settings, limit=limit)


def test_projects_that_cannot_be_trained_on_are_told_what_is_missing(tiny_base, tmp_path):
    settings = quick(tiny_base)
    empty = write_project(tmp_path / "empty", {"README.md": "no code"})
    check_refused(empty, settings, BadInput, "Java source files, found none")
    untested = write_project(tmp_path / "untested", {"A.java": "class A { int a() { return 1; } }"})
    check_refused(untested, settings, BadInput, "tests, found none in 1 Java file$")
    small = write_project(tmp_path / "small", project_files(classes=2))
    check_refused(small, settings, TooFewPairs, "at least 24 tests .* found 8")
    whole = write_project(tmp_path / "whole")
    check_refused(whole, settings, TooFewPairs, "--limit is 10", limit=10)


def test_virtual_tokens_that_leave_no_room_are_named(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    much = quick(tiny_base, method="prefix", virtual_tokens=5000)
    check_refused(root, much, SettingsError, "220 tokens and 5000 virtual ones leave no room")


def test_base_models_that_cannot_be_used_are_named(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    for base in (str(tmp_path / "nowhere"), str(tmp_path), "nobody/nothing"):
        check_refused(root, quick(base), BaseModelError, "base model|model folder")
    misfit = tmp_path / "misfit"
    shutil.copytree(tiny_base, misfit)
    _add_tokens(misfit)
    check_refused(root, quick(misfit), BaseModelError, "does not fit its tokenizer")
    pickled = tmp_path / "pickled"
    shutil.copytree(tiny_base, pickled)
    torch.save(load_base(str(pickled)).model.state_dict(), pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    check_refused(root, quick(pickled), BaseModelError, "expected weights as safetensors")


def test_a_model_whose_weights_are_pickled_alone_is_not_said_to_be_pulled(monkeypatch, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(tmp_path))
    with pytest.raises(BaseModelError, match="expected weights as safetensors"):
        catalogue.pull("some/model")


def _add_tokens(folder):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"<extra{n}>" for n in range(50)])
    tokenizer.save_pretrained(folder)


def test_two_trainings_of_one_workspace_do_not_meet(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    with WorkspaceData(root).lock("train"):
        check_refused(root, quick(tiny_base), Busy, "holds this workspace")


def test_a_folder_without_weights_is_no_adapter(tiny_base, tmp_path):
    with pytest.raises(AdapterError, match="found no weights"):
        strategies.attach(load_base(str(tiny_base)), tmp_path)


def test_a_dry_run_keeps_nothing(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    result = project.plan(root, quick(tiny_base))
    assert result["dry_run"] and result["steps"] > 0
    assert result["forecast"]["seconds"] > 0 and result["forecast"]["peak_memory_bytes"] > 0
    assert not WorkspaceData(root).folder.exists()


def plain_base(folder, family):
    """A base of a family whose tokenizer knows no markers, so that prompts are plain text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    make_tiny_base(folder, family=family)
    alphabet = ["<pad>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({letter: n for n, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>"
    ).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("family", ["bart", "t5"])
def test_an_encoder_decoder_trains_from_the_project_to_the_adapter(tmp_path, family):
    root = write_project(tmp_path / "shapes")
    base = plain_base(tmp_path / family, family)
    changes = {"context_level": "fm", "context_tokens": 900, "learning_rate": 1e-2}
    result = project.train_project(root, quick(base, **changes))
    assert result["metrics"]["adapter"]["gate_loss"] < result["metrics"]["base"]["gate_loss"]
    assert {"encoder 0", "decoder 1"} <= set(result["mean_absolute_change"])
    assert result["mean_absolute_change"]["decoder 1"] > 0
    adapter = Registry(WorkspaceData(root).adapters).get(result["adapter"])
    strategies.attach(load_base(str(base)), adapter.folder)


def test_tensorboard_gets_its_event_files_when_asked(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    project.train_project(root, quick(tiny_base, tensorboard=True, epochs=1))
    folder = WorkspaceData(root).folder / "tensorboard"
    assert [file for file in folder.rglob("*") if "tfevents" in file.name]


@pytest.mark.slow
def test_two_processes_train_one_adapter_as_one_process_does(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    config = tmp_path / "quick.toml"
    config.write_text('context_level = "fm"\ntarget_tokens = 220\nepochs = 2\nevaluate_every = 1.0')
    launcher = ["accelerate.commands.launch", "--cpu", "--num_processes=2", "-m", "personalizer"]
    told = ["train", str(root), f"--base={tiny_base}", f"--config={config}", "--method=custom"]

    def validation_loss(module, *arguments):
        command = module_command(module, *arguments, "--json")
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        results = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert len(results) == 1
        return json.JSONDecoder().raw_decode(results[0])[0]["metrics"]["adapter"]["validation_loss"]

    together = validation_loss(*launcher, *told)
    assert together == pytest.approx(validation_loss("personalizer", *told), rel=1e-3)
    assert len(Registry(WorkspaceData(root).adapters).all()) == 2


@pytest.mark.parametrize("load", [load_base, parameters_of])
def test_code_that_a_base_brings_is_neither_run_nor_asked_about(tiny_base, tmp_path, load):
    folder = tmp_path / "base"
    shutil.copytree(tiny_base, folder)
    (folder / "other.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "other", "auto_map": {"AutoConfig": "other.A"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BaseModelError, match="code of its own, which is never run"):
        load(str(folder))
    assert not (tmp_path / "ran").exists()
