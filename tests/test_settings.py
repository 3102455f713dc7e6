"""Settings: which layer wins, what a repository may not set, what cannot be."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from indexer import Level
from personalizer import settings
from personalizer.errors import SettingsError


def write_users(text: str) -> None:
    Path(os.environ["PERSONALIZER_CONFIG"]).write_text(text)


def test_each_layer_wins_over_the_one_before(tmp_path):
    write_users('lora_rank = 1\nbatch_size = 1\nepochs = 1\nseed = 1\nbase = "mine"')
    (tmp_path / "personalizer.toml").write_text("batch_size = 2\nepochs = 2\nseed = 2")
    environment = {"PERSONALIZER_EPOCHS": "3", "PERSONALIZER_SEED": "3"}
    found = settings.load(tmp_path, {"seed": 4, "budget": None}, environment)
    assert (found.settings.lora_rank, found.settings.batch_size) == (1, 2)
    assert (found.settings.epochs, found.settings.seed) == (3, 4)
    assert found.settings.budget == "10m"
    assert found.origins["seed"] == "flag"
    assert found.origins["epochs"] == "PERSONALIZER_EPOCHS"
    assert found.origins["budget"] == "default"


def test_a_repository_cannot_choose_a_model(tmp_path):
    (tmp_path / "personalizer.toml").write_text(
        'base = "evil/model"\nretriever = "evil/model"\nseed = 5'
    )
    found = settings.load(tmp_path, environment={})
    assert (found.settings.base, found.settings.retriever) == ("starter", "bm25")
    assert found.settings.seed == 5
    assert "may not set base" in found.ignored[0]


def test_all_bad_keys_are_reported_together(tmp_path):
    (tmp_path / "personalizer.toml").write_text('colour = "red"\nepochs = "many"\nseed = 1.5')
    with pytest.raises(SettingsError) as caught:
        settings.load(tmp_path, environment={})
    for words in ("no setting is called colour", "epochs must be int, got 'many'", "seed"):
        assert words in str(caught.value)


def test_the_levels_are_the_indexers():
    for level in Level:
        assert (
            settings.load(None, {"context_level": level.value}, {}).settings.context_level == level
        )
    with pytest.raises(SettingsError, match=", ".join(Level)):
        settings.load(None, {"context_level": "other"}, {})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("validation_fraction", 1.5, "must lie between 0 and 1, got 1.5"),
        ("epochs", 0, "must be at least 1, got 0"),
        ("context_level", "foo", "must be one of fm, fm_fc, .*, got foo"),
        ("temperature", -1, "temperature must be at least 0, got -1"),
        ("temperature", math.inf, "temperature must be a number, got inf"),
        ("evaluate_every", math.inf, "evaluate_every must be a number"),
        ("seed", -1, "seed must lie between 0 and 4294967295, got -1"),
        ("temperature", math.nan, "temperature must be at least 0, got nan"),
        ("repair_rounds", 3, "repair_rounds must lie between 0 and 2, got 3"),
        ("mutants", 51, "mutants must lie between 0 and 50, got 51"),
        ("candidates", 20_000, "candidates must lie between 1 and 20, got 20000"),
        ("context_tokens", 10**9, "context_tokens must lie between 1 and 262144"),
        ("target_tokens", 10**8, "target_tokens must lie between 1 and 65536"),
        ("retrieve", 10**6, "retrieve must lie between 0 and 100"),
        ("budget", "999999999h", "expected a time of at most 720h, got 999999999h"),
        ("threads", -1, "threads must be at least 0"),
        ("gate_methods", -3, "gate_methods must be at least 0"),
        ("idle_minutes", -3, "idle_minutes must be at least 0"),
        ("learning_rate", 0, "learning_rate must be above 0"),
        ("retriever", "", "retriever must be bm25 or an embedding model"),
        ("budget", "soon", "expected a time such as 90s, 10m or 2h, got 'soon'"),
        ("target_tokens", 4000, "context_tokens must be above target_tokens"),
    ],
)
def test_values_that_cannot_be_are_refused(name, value, words):
    with pytest.raises(SettingsError, match=words):
        settings.load(None, {name: value}, {})


def test_a_file_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "personalizer.toml").write_text("= =")
    with pytest.raises(SettingsError, match=r"cannot read .*personalizer.toml"):
        settings.load(tmp_path, environment={})


def test_a_file_that_is_nested_without_end_is_named(tmp_path):
    (tmp_path / "personalizer.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(SettingsError, match=r"cannot read .*personalizer.toml: .*nested"):
        settings.load(tmp_path, environment={})


@pytest.mark.parametrize("target", ["/dev/zero", "secret.toml"])
def test_settings_of_a_repository_may_be_no_link(tmp_path, target):
    (tmp_path / "secret.toml").write_text("budget = 'hush'\n")
    (tmp_path / "personalizer.toml").symlink_to(target)
    with pytest.raises(SettingsError, match="may not be a link"):
        settings.load(tmp_path, environment={})


def test_settings_of_a_repository_that_are_no_file_or_endless_are_not_read(tmp_path):
    file = tmp_path / "personalizer.toml"
    os.mkfifo(file)
    with pytest.raises(SettingsError, match="no plain file"):
        settings.load(tmp_path, environment={})
    file.unlink()
    file.write_text("# " + "x" * 2_000_000)
    with pytest.raises(SettingsError, match="larger than 1 MiB"):
        settings.load(tmp_path, environment={})


def test_the_users_own_file_may_be_a_link(tmp_path, monkeypatch):
    (tmp_path / "dotfile").write_text("budget = '7m'\n")
    (tmp_path / "own").symlink_to("dotfile")
    monkeypatch.setenv("PERSONALIZER_CONFIG", str(tmp_path / "own"))
    assert settings.load(environment={}).settings.budget == "7m"


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "personalizer.toml").write_text("budget = '7m'\n", "utf-8-sig")
    assert settings.load(tmp_path, environment={}).settings.budget == "7m"


def test_a_file_of_training_settings_wins_over_all_but_flags(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text("epochs = 2\nseed = 2\ngradient_checkpointing = true")
    preset = {"epochs": 5, "batch_size": 4}
    found = settings.load(
        None, {"seed": 9}, {"PERSONALIZER_EPOCHS": "7"}, hyperparameters=file, preset=preset
    )
    assert (found.settings.epochs, found.settings.seed) == (2, 9)
    assert (found.settings.batch_size, found.settings.gradient_checkpointing) == (4, True)
    assert (found.origins["epochs"], found.origins["batch_size"]) == (str(file), "preset")


def test_a_file_of_training_settings_holds_nothing_else(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('base = "other"\nlearning_rat = 1.0')
    with pytest.raises(SettingsError) as caught:
        settings.load(None, hyperparameters=file, environment={})
    for words in ("no training setting is called base", "called learning_rat; there are method"):
        assert words in str(caught.value)
    with pytest.raises(SettingsError, match="found none at"):
        settings.load(None, hyperparameters=tmp_path / "absent.toml", environment={})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"optimizer": "sgd"}, "optimizer must be one of adamw, adafactor, paged-adamw-8bit"),
        ({"batch_size": 8, "accumulation": 3}, "accumulation must divide batch_size"),
        ({"evaluate_every": 0}, "evaluate_every must be above 0"),
        ({"max_steps": 0}, "max_steps must be at least 1"),
        ({"tensorboard": "maybe"}, "tensorboard must be true or false, got 'maybe'"),
    ],
)
def test_training_settings_that_cannot_be_are_refused(values, words):
    with pytest.raises(SettingsError, match=words):
        settings.load(None, values, {})


def test_a_budget_that_is_no_time_is_named_with_its_place(tmp_path):
    (tmp_path / "personalizer.toml").write_text("budget = '3x'\n")
    with pytest.raises(SettingsError, match=r"personalizer\.toml: budget: expected a time"):
        settings.load(tmp_path, environment={})
    with pytest.raises(SettingsError, match=r"^budget: expected a time"):
        settings.load(None, {"budget": "3x"}, {})


# ---------------------------------------------------------------- what a command remembers


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'base = "new"\n'),
        ('seed = 3 # mine\nbase = "old" # mine too\n', 'seed = 3 # mine\nbase = "new"\n'),
        ("# mine\n[other]\n", 'base = "new"\n# mine\n[other]\n'),
    ],
)
def test_one_setting_is_written_and_other_lines_stay(before, after):
    if before:
        write_users(before)
    assert settings.remember("base", "new").read_text() == after


def test_a_file_that_would_say_something_else_then_is_left_alone():
    hidden = 'base = "old"\nnote = """\nbase = 1\n"""\n'
    write_users(hidden.replace('base = "old"\n', "") + 'base = "old"\n')
    with pytest.raises(SettingsError, match="yourself"):
        settings.remember("base", "new")
    assert settings.user_file().read_text().startswith("note")
