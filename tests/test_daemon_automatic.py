"""What the daemon begins by itself, and what it leaves alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from personalizer import texts
from personalizer.cli import personalizer
from personalizer.daemon import automatic, client, machine, warming
from personalizer.daemon.automatic import Automatic, known_of
from personalizer.daemon.jobs import Jobs
from personalizer.daemon.protocol import Retraining, Status, TrainRequest
from personalizer.daemon.warming import Warming
from personalizer.status import AdapterStatus, LossOnNew, PairChanges


def status(**changes: Any) -> AdapterStatus:
    """Of a project whose adapter is stale; what does not matter here is left out."""
    pairs = PairChanges(trained=10, unchanged=4, changed=3, new=2, removed=1)
    found = {"adapter": "lora-1", "freshness": "stale", "why": "3 changed", "pairs": pairs}
    return AdapterStatus(**found | {"loss_on_new": measured(0), "contents": "a"} | changes)


def measured(since: int) -> LossOnNew:
    """A loss on new pairs, of which some came since."""
    return LossOnNew("2026-02-03T04:05:06+00:00", 5, 5, since, 2.0, 1.5)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    """A queue that nobody works off; its user has been away for long."""
    monkeypatch.setattr(automatic, "_QUIET", 0.0)
    queue = Jobs()
    yield queue
    queue.stop()


@pytest.fixture
def idle(jobs: Jobs) -> Automatic:
    return Automatic(jobs, lambda: None)


def kinds(jobs: Jobs) -> list[str]:
    return [job.kind for job in reversed(jobs.queue.all())]


def end_long_ago(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends what is queued, more than any cool-down ago."""
    then = datetime.now(UTC) - timedelta(days=1)
    monkeypatch.setattr("personalizer.daemon.queue._now", lambda: then.isoformat())
    for job in jobs.queue.all():
        jobs.queue.end(job.id, "done", result={})


def test_a_stale_adapter_is_a_question_by_default(idle: Automatic, jobs: Jobs, tmp_path: Path):
    told = idle.saw(tmp_path, status()).retraining
    assert told == Retraining("ask", "3 changed", "your word")
    assert known_of(tmp_path, status()).retraining == told
    idle.look()
    assert jobs.queue.all() == []


@pytest.mark.parametrize("word", ["fresh", "ageing", "none"])
def test_nothing_is_proposed_for_an_adapter_that_is_not_stale(
    idle: Automatic, tmp_path: Path, word: str
):
    assert idle.saw(tmp_path, status(freshness=word)).retraining is None


def test_a_stale_adapter_is_trained_anew_where_the_user_has_said_so(
    idle: Automatic, jobs: Jobs, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("PERSONALIZER_RETRAIN", "on")
    assert idle.saw(tmp_path, status()).retraining is not None
    idle.look()
    (job,) = jobs.queue.all()
    assert (job.kind, job.began_because, job.workspace) == ("train", "3 changed", str(tmp_path))
    assert idle.saw(tmp_path, status()).retraining is None  # it is under way


def test_a_training_is_not_begun_twice_for_the_same_contents(
    idle: Automatic, jobs: Jobs, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("PERSONALIZER_RETRAIN", "on")
    for contents, trainings in (("a", 1), ("a", 1), ("b", 2)):
        idle.saw(tmp_path, status(contents=contents))
        idle.look()
        assert len(jobs.queue.all()) == trainings
        end_long_ago(jobs, monkeypatch)


def test_a_training_is_not_proposed_soon_after_the_last(
    idle: Automatic, jobs: Jobs, tmp_path: Path
):
    job = jobs.submit(TrainRequest(str(tmp_path)))
    assert idle.saw(tmp_path, status()).retraining is None
    jobs.queue.end(job.id, "done", result={"promoted": False})
    assert idle.saw(tmp_path, status()).retraining is None


def test_new_pairs_are_measured_once(idle: Automatic, jobs: Jobs, tmp_path: Path, monkeypatch):
    fresh = status(freshness="fresh", loss_on_new=None)
    idle.saw(tmp_path, fresh)
    idle.look()
    assert kinds(jobs) == ["measure"]
    assert "5 new or changed pairs" in (jobs.queue.all()[0].began_because or "")
    end_long_ago(jobs, monkeypatch)
    idle.look()
    assert kinds(jobs) == ["measure"]
    idle.saw(tmp_path, replace(fresh, contents="b", loss_on_new=measured(1)))
    idle.look()
    assert kinds(jobs) == ["measure", "measure"]
    end_long_ago(jobs, monkeypatch)
    idle.saw(tmp_path, replace(fresh, contents="b", adapter="lora-2"))
    idle.look()
    assert kinds(jobs) == ["measure", "measure", "measure"]


def test_the_projects_that_were_looked_at_last_are_remembered(
    idle: Automatic, jobs: Jobs, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("PERSONALIZER_RETRAIN", "on")
    monkeypatch.setattr(automatic, "_REMEMBERED", 2)
    for name in ("a", "b", "a", "c"):
        (tmp_path / name).mkdir(exist_ok=True)
        idle.saw(tmp_path / name, status())
    for _ in range(3):
        idle.look()
        end_long_ago(jobs, monkeypatch)
    assert {Path(job.workspace).name for job in jobs.queue.all()} == {"a", "c"}


def test_nothing_begins_beside_what_is_under_way(idle: Automatic, jobs: Jobs, tmp_path: Path):
    (tmp_path / "other").mkdir()
    jobs.submit(TrainRequest(str(tmp_path / "other")))
    idle.saw(tmp_path, status(loss_on_new=None))
    idle.look()
    assert kinds(jobs) == ["train"]


def test_a_clock_that_went_backwards_keeps_nothing_from_its_turn(
    idle: Automatic, jobs: Jobs, tmp_path: Path
):
    job = jobs.submit(TrainRequest(str(tmp_path)))
    with pytest.MonkeyPatch.context() as late:
        late.setattr("personalizer.daemon.queue._now", lambda: "2999-01-01T00:00:00+00:00")
        jobs.queue.end(job.id, "done", result={"promoted": False})
    assert idle.saw(tmp_path, status()).retraining is not None


def test_a_measurement_is_no_training_of_the_workspace(idle: Automatic, jobs: Jobs, tmp_path: Path):
    idle.saw(tmp_path, status(loss_on_new=None))
    idle.look()
    assert kinds(jobs) == ["measure"]
    assert jobs.queue.newest(str(tmp_path)) is None


def test_nothing_begins_by_itself_where_the_user_wants_none(
    idle: Automatic, jobs: Jobs, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("PERSONALIZER_RETRAIN", "off")
    assert idle.saw(tmp_path, status(loss_on_new=None)).retraining is None
    idle.look()
    assert jobs.queue.all() == []


def test_a_project_that_is_gone_keeps_no_other_from_its_training(
    idle: Automatic, jobs: Jobs, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("PERSONALIZER_RETRAIN", "on")
    gone, shop = tmp_path / "gone", tmp_path / "shop"
    for root in (gone, shop):
        root.mkdir()
        idle.saw(root, status())
    gone.rmdir()
    idle.look()
    assert [job.workspace for job in jobs.queue.all()] == [str(shop)]
    end_long_ago(jobs, monkeypatch)
    gone.mkdir()  # it counts again once somebody has asked for its status
    idle.look()
    assert not jobs.queue.busy
    idle.saw(gone, status())
    idle.look()
    assert jobs.queue.busy


def test_a_project_with_wrong_settings_is_passed_over_until_they_are_right(
    idle: Automatic, jobs: Jobs, tmp_path: Path, monkeypatch
):
    told: list[str] = []
    monkeypatch.setattr(automatic._log, "warning", lambda text, *of: told.append(text % of))
    monkeypatch.setenv("PERSONALIZER_RETRAIN", "on")
    wrong, shop = tmp_path / "wrong", tmp_path / "shop"
    for root in (wrong, shop):
        root.mkdir()
        idle.saw(root, status())
    (wrong / "personalizer.toml").write_text("nonsense = 1")
    idle.look()
    assert [job.workspace for job in jobs.queue.all()] == [str(shop)]
    assert len(told) == 1 and "no setting is called nonsense" in told[0]
    end_long_ago(jobs, monkeypatch)
    (wrong / "personalizer.toml").unlink()
    idle.look()
    assert [job.workspace for job in jobs.queue.all()] == [str(wrong), str(shop)]


def test_a_project_that_is_gone_is_no_error_of_the_daemons(
    idle: Automatic, tmp_path: Path, monkeypatch, caplog
):
    monkeypatch.setenv("PERSONALIZER_RETRAIN", "on")
    monkeypatch.setattr(automatic, "_LOOK", 0.01)
    (tmp_path / "gone").mkdir()
    idle.saw(tmp_path / "gone", status())
    (tmp_path / "gone").rmdir()
    idle.start()
    end = time.monotonic() + 5
    while idle._seen:
        assert time.monotonic() < end
        time.sleep(0.01)
    idle.stop()
    assert caplog.records == []


def test_nothing_begins_while_somebody_works(idle: Automatic, jobs: Jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("PERSONALIZER_RETRAIN", "on")
    idle.saw(tmp_path, status())
    busy = Automatic(jobs, lambda: "mains power")
    busy.saw(tmp_path, status())
    busy.look()
    monkeypatch.setattr(automatic, "_QUIET", 60.0)
    idle.look()
    with jobs.paused():
        idle.look()
    assert jobs.queue.all() == []


def test_heavy_work_waits_for_mains_power_and_an_idle_machine(monkeypatch):
    class Battery:
        power_plugged = False

    monkeypatch.setattr("psutil.getloadavg", lambda: (0.1, 0.0, 0.0))
    monkeypatch.setattr("psutil.sensors_battery", lambda: None, raising=False)
    assert machine.waits_for() is None
    monkeypatch.setattr("psutil.sensors_battery", Battery, raising=False)
    assert machine.waits_for() == "mains power"
    Battery.power_plugged = True
    monkeypatch.setattr("psutil.getloadavg", lambda: (100.0, 0.0, 0.0))
    assert machine.waits_for() == "an idle machine"


# ---------------------------------------------------------------- the model, ahead of its use


class Warmed:
    """An engine that notes what it is to load."""

    def __init__(self) -> None:
        self.loaded: list[tuple[str, str | None]] = []

    def warm(self, base: str, adapter: str | None = None) -> None:
        self.loaded.append((base, adapter))


# ---------------------------------------------------------------- from the command line


def status_of_a_stale_project(
    monkeypatch: pytest.MonkeyPatch, root: Path, *, running: bool
) -> tuple[dict[str, Any], list[str]]:
    """What ``status`` prints with ``retrain`` on, and what it asked a daemon for."""
    asked: list[str] = []
    due = Retraining("on", "3 changed", None)
    health = {"running": running, "socket": None, "log": ""}
    monkeypatch.setattr(automatic, "known_of", lambda _, found: Status.of(found, retraining=due))
    monkeypatch.setattr(client, "describe", lambda: health)
    monkeypatch.setattr(client.Client, "status", lambda self, root: asked.append(root))
    monkeypatch.setattr(client, "connect", lambda *, start: client.Client("/nowhere"))
    answer = CliRunner().invoke(personalizer, ["status", str(root), "--json"])
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout), asked


def test_a_status_from_the_command_line_tells_the_daemon_of_a_training_that_is_due(
    monkeypatch, tmp_path
):
    found, asked = status_of_a_stale_project(monkeypatch, tmp_path, running=True)
    assert asked == [str(tmp_path)]
    assert found["retraining"]["waits_for"] is None


def test_without_a_daemon_a_training_that_is_due_waits_for_one(monkeypatch, tmp_path):
    found, asked = status_of_a_stale_project(monkeypatch, tmp_path, running=False)
    assert (asked, found["retraining"]["waits_for"]) == ([], "the daemon")
    shown = texts.TEXTS["status"](msgspec.convert(found, Status))
    assert "  training  begins by itself, waits for the daemon\n" in shown


@pytest.fixture
def warmed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Warmed]:
    """Looks at a workspace twice; the engine as it is then."""
    monkeypatch.setattr(warming.threading, "Thread", _AtOnce)

    def look(root: Path) -> Warmed:
        engine = Warmed()
        warm = Warming(engine)  # type: ignore[arg-type]
        warm.somebody_looks_at(root)
        warm.somebody_looks_at(root)
        return engine

    return look


class _AtOnce:
    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], **_: Any) -> None:
        self.start = lambda: target(*args)


def test_the_model_is_loaded_once_for_whoever_looks_at_a_project(warmed, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "has_memory_for", lambda spare: True)
    assert warmed(tmp_path).loaded == [("starter", None)]


def test_no_model_is_loaded_ahead_where_memory_is_short(warmed, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "has_memory_for", lambda spare: False)
    assert warmed(tmp_path).loaded == []


def test_no_model_is_loaded_ahead_where_the_user_wants_none(warmed, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "has_memory_for", lambda spare: True)
    monkeypatch.setenv("PERSONALIZER_WARM", "false")
    assert warmed(tmp_path).loaded == []
