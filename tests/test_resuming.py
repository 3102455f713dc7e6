"""A training that is killed, ended or held goes on as if it had not been."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from personalizer import dataset
from personalizer.adapters import Registry
from personalizer.processes import environment, module_command
from personalizer.settings import Settings
from personalizer.storage import WorkspaceData
from personalizer.training.checkpoints import last_whole, state_of
from personalizer.training.clock import RunningClock
from personalizer.training.keeping import (
    checkpoints_of,
    forget_other_examples,
    forget_other_runs,
    run_name,
)
from personalizer.training.watch import Watch
from tests.java_project import project_files, snapshot_of, write_project
from tests.tiny_model import _tokenizer
from tests.training_runs import Losses, run


class Killed(Exception):
    """Stands for a kill: nothing more is written."""


def killing(losses: Losses, step: int):
    def report(progress):
        losses(progress)
        if progress.phase == "train" and progress.step >= step:
            raise Killed

    return report


def checkpoint_every_step(monkeypatch) -> None:
    """Lets a test's short steps have the checkpoints that long ones get by the clock."""
    monkeypatch.setattr("personalizer.training.watch._SHARE", 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_killed_at_any_steps_has_the_losses_of_an_unbroken_one(tiny_base, tmp_path, seed):
    whole, broken = Losses(), Losses()
    first = run(tiny_base, tmp_path / "whole", whole)
    steps = sorted(random.Random(seed).sample(range(2, first.steps), 2))
    for step in steps:
        with pytest.raises(Killed):
            run(tiny_base, tmp_path / "broken", killing(broken, step), checkpoint_seconds=0.0)
    last = run(tiny_base, tmp_path / "broken", broken, checkpoint_seconds=0.0)
    assert broken.by_step == whole.by_step
    assert last.history == first.history
    assert (last.steps, last.tokens) == (first.steps, first.tokens)


def test_a_kill_loses_no_more_than_the_steps_since_the_last_checkpoint(
    tiny_base, tmp_path, monkeypatch
):
    checkpoint_every_step(monkeypatch)
    with pytest.raises(Killed):
        run(tiny_base, tmp_path, killing(Losses(), 6), checkpoint_seconds=0.0)
    again = Losses()
    run(tiny_base, tmp_path, again, checkpoint_seconds=0.0)
    assert min(again.by_step) == 6


@pytest.mark.parametrize(
    "damaged", ["trainer_state.json", "optimizer.pt", "adapter_model.safetensors"]
)
def test_a_checkpoint_that_was_not_written_to_its_end_is_none(
    tiny_base, tmp_path, monkeypatch, damaged
):
    checkpoint_every_step(monkeypatch)
    whole, broken = Losses(), Losses()
    run(tiny_base, tmp_path / "whole", whole)
    with pytest.raises(Killed):
        run(tiny_base, tmp_path / "broken", killing(broken, 6), checkpoint_seconds=0.0)
    file = tmp_path / "broken" / "checkpoint-5" / damaged
    file.write_bytes(file.read_bytes()[:-20])
    again = Losses()
    run(tiny_base, tmp_path / "broken", again)
    assert min(again.by_step) == 5  # on from the one before
    assert broken.by_step | again.by_step == whole.by_step


def test_without_its_best_checkpoint_a_run_begins_anew(tiny_base, tmp_path, monkeypatch):
    checkpoint_every_step(monkeypatch)
    with pytest.raises(Killed):
        run(tiny_base, tmp_path, killing(Losses(), 7), checkpoint_seconds=0.0)
    newest = last_whole(tmp_path)
    best = state_of(newest).best_model_checkpoint
    assert Path(best) != newest
    (Path(best) / "adapter_model.safetensors").write_bytes(b"")
    again = Losses()
    run(tiny_base, tmp_path, again)
    assert min(again.by_step) == 1


def test_pairs_that_moved_are_another_run():
    """Their side may be another one: what trained must not judge."""
    files = project_files(classes=6)
    moved = {path.replace("src/", "core/src/"): text for path, text in files.items()}
    here, there = (snapshot_of(one).pairs for one in (files, moved))
    assert sorted(p.digest for p in here) == sorted(p.digest for p in there)
    settings = Settings()
    assert run_name(here, "base", settings) == run_name(here[::-1], "base", settings)
    assert run_name(here, "base", settings) != run_name(there, "base", settings)


def test_a_run_whose_prompts_have_changed_begins_anew_and_says_so(tmp_path):
    """Its pairs are the same: what changed is a field of the focal classes."""
    files = project_files(classes=6)
    field = "private final int size;"
    changed = {p: t.replace(field, f"{field}\n    String name;") for p, t in files.items()}
    snapshots = [snapshot_of(one) for one in (files, files, changed)]
    limits = {"context_tokens": 1400, "target_tokens": 220}
    first, again, other = (
        dataset.build(
            one,
            dataset.split(one.pairs, validation_fraction=0.2, gate_fraction=0.2),
            _tokenizer(),
            **limits,
        )
        for one in snapshots
    )
    assert len({run_name(one.pairs, "base", Settings()) for one in snapshots}) == 1
    here = checkpoints_of(tmp_path, 0, first)
    assert checkpoints_of(tmp_path, 0, again) == here
    (here / "checkpoint-12").mkdir(parents=True)
    below = checkpoints_of(tmp_path, 1, other)
    assert forget_other_examples(here) == forget_other_examples(below) == []
    (said,) = forget_other_examples(checkpoints_of(tmp_path, 0, other))
    assert "begins anew" in said and "step 12" in said
    assert not here.exists()


def test_the_last_of_the_other_runs_that_was_broken_off_is_kept_for_a_week(tmp_path):
    now = time.time()
    for days, (name, step) in enumerate((("new", 90), ("old", 40), ("older", 20))):
        folder = tmp_path / name / "rung-0-x" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        os.utime(folder, (now - 86400 * days, now - 86400 * days))
    (tmp_path / "nothing").mkdir()
    (tmp_path / "kept.json").touch()
    said = forget_other_runs(tmp_path / "this")
    assert [one for one in said if "is kept until" in one and "step 90" in one]
    assert len([one for one in said if "deleted: a later one is kept" in one]) == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept.json", "new"]
    week = now - 7 * 86400
    os.utime(tmp_path / "new" / "rung-0-x" / "checkpoint-90", (week, week))
    (said,) = forget_other_runs(tmp_path / "this")
    assert "step 90, was deleted: it is a week old" in said
    assert forget_other_runs(tmp_path / "this") == []


def test_a_termination_saves_the_step_and_leaves(tiny_base, tmp_path):
    losses = Losses()

    def terminated(progress):
        losses(progress)
        if progress.step == 6 and progress.phase == "train":
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        run(tiny_base, tmp_path, terminated)
    assert signal.getsignal(signal.SIGTERM) is before
    assert max(losses.by_step) <= 7
    again = Losses()
    run(tiny_base, tmp_path, again)
    assert min(again.by_step) == max(losses.by_step) + 1


@pytest.mark.parametrize(
    ("changes", "ended"),
    [({"budget_seconds": 1e-9}, "budget"), ({"max_steps": 5}, "steps"), ({}, "epochs")],
)
def test_a_run_that_had_ended_is_not_trained_further(tiny_base, tmp_path, changes, ended):
    first = run(tiny_base, tmp_path, **changes)
    again = Losses()
    second = run(tiny_base, tmp_path, again, **changes)
    assert again.by_step == {}
    assert (first.ended, second.ended) == (ended, ended)
    assert (second.steps, second.history) == (first.steps, first.history)
    weights = dict(first.model.named_parameters())
    for name, weight in second.model.named_parameters():
        assert weight.equal(weights[name])


def test_a_run_that_its_budget_ended_goes_on_within_a_larger_one(tiny_base, tmp_path):
    """What reading and judging leave of a budget differs from one attempt to the next."""
    short = {"budget_seconds": 1e-9, "whole_budget": 60.0}
    assert run(tiny_base, tmp_path, **short).ended == "budget"
    again = Losses()
    same = run(tiny_base, tmp_path, again, **(short | {"budget_seconds": 1000.0}))
    assert (same.ended, same.steps, again.by_step) == ("budget", 1, {})
    larger = run(tiny_base, tmp_path, again, budget_seconds=1000.0, whole_budget=1060.0)
    assert (larger.ended, larger.steps) == ("epochs", 12)
    assert list(again.by_step) == list(range(2, 13))


def test_a_run_that_no_longer_improves_ends_by_patience_and_stays_ended(tiny_base, tmp_path):
    wild = {"learning_rate": 1.0, "patience": 1, "evaluate_every": 0.25, "epochs": 6}
    first = run(tiny_base, tmp_path, **wild)
    again = Losses()
    second = run(tiny_base, tmp_path, again, **wild)
    assert (first.ended, second.ended) == ("patience", "patience")
    assert again.by_step == {}


def test_the_time_of_earlier_attempts_counts_against_the_budget(tiny_base, tmp_path, monkeypatch):
    checkpoint_every_step(monkeypatch)
    with pytest.raises(Killed):
        run(tiny_base, tmp_path, killing(Losses(), 6), checkpoint_seconds=0.0)
    again = Losses()
    last = run(tiny_base, tmp_path, again, budget_seconds=0.01)
    assert list(again.by_step) == [6]
    assert last.ended == "budget"
    assert 0 < last.earlier_seconds < last.seconds


def test_checkpoints_take_no_more_than_their_share_of_the_time():
    class State:
        best_metric = None

    class Control:
        should_save = should_evaluate = should_training_stop = False

    clock = RunningClock()
    watch = Watch(clock, 1e9, 0.0, leave=_never(), report=lambda _: None)
    watch._cost = 5.0
    watch.on_step_end(None, State(), control := Control())
    clock.stop()
    assert not control.should_save


def test_the_last_evaluation_ends_within_the_budget():
    class Clock:
        now = 0.0

        def seconds(self):
            return self.now

    class State:
        best_metric = None

    class Control:
        should_save = should_evaluate = should_training_stop = False

    clock = Clock()
    watch = Watch(clock, 100.0, 1e9, _never(), lambda _: None, evaluation_seconds=10.0)
    ended = []
    for clock.now in (20.0, 40.0, 60.0, 80.0):
        watch.on_step_end(None, State(), control := Control())
        ended.append(control.should_training_stop and control.should_evaluate)
    assert ended == [False, False, False, True]  # a fifth step and its evaluation would end at 110


def _never():
    import threading

    return threading.Event()


def test_time_that_a_process_is_held_does_not_count():
    script = (
        "import time\n"
        "from personalizer.training.clock import RunningClock\n"
        "clock = RunningClock(); begun = time.monotonic()\n"
        "print('ready', flush=True)\n"
        "while time.monotonic() - begun < 3: time.sleep(0.05)\n"
        "print(clock.seconds())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        process.send_signal(signal.SIGCONT)
        counted = float(process.stdout.read())
    assert counted < 2.2


@pytest.mark.slow
def test_the_command_goes_on_after_a_termination_and_a_kill(tiny_base, tmp_path, monkeypatch):
    root = write_project(tmp_path / "shapes")
    config = tmp_path / "quick.toml"
    config.write_text(
        "context_tokens = 1400\ntarget_tokens = 220\nepochs = 6\nevaluate_every = 1.0"
    )
    command = module_command(
        *("personalizer", "train", str(root), f"--base={tiny_base}", f"--config={config}"),
        *("--budget=10m", "--json", "--progress"),
    )

    def started(folder):
        surroundings = environment() | {"PERSONALIZER_DATA_DIR": str(folder)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=surroundings, **pipes)

    def signalled_at(step, number):
        with started(tmp_path / "broken") as process:
            for line in process.stderr:
                if line.startswith("{") and json.loads(line)["progress"]["step"] >= step:
                    process.send_signal(number)
                    break
            process.stderr.read()
            return process.wait()

    def history(folder):
        with started(folder) as process:
            out, err = process.communicate()
        assert process.returncode == 0, err
        monkeypatch.setenv("PERSONALIZER_DATA_DIR", str(folder))
        adapter = Registry(WorkspaceData(root).adapters).get(json.loads(out)["adapter"])
        return adapter.manifest.history

    assert signalled_at(4, signal.SIGTERM) == 130
    assert signalled_at(9, signal.SIGKILL) == -signal.SIGKILL
    assert history(tmp_path / "broken") == history(tmp_path / "whole")
