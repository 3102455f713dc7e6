"""The queue of trainings, with a fake training in real processes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from subprocess import Popen
from types import SimpleNamespace

import psutil
import pytest
from click.testing import CliRunner

from indexer.errors import NotAFolder
from personalizer.commands.daemon import daemon
from personalizer.commands.evaluate import evaluate
from personalizer.commands.train import status, train
from personalizer.daemon import client, runs
from personalizer.daemon import jobs as jobs_module
from personalizer.daemon import queue as queue_module
from personalizer.daemon.automatic import known_of
from personalizer.daemon.jobs import Jobs
from personalizer.daemon.protocol import (
    EvaluateRequest,
    Evaluation,
    Job,
    MeasureRequest,
    Progress,
    TrainRequest,
)
from personalizer.daemon.queue import Queue, database_file
from personalizer.errors import (
    BadInput,
    EngineError,
    PersonalizerError,
    SettingsError,
    StorageError,
    TooBusy,
)
from personalizer.progress import cell_json
from personalizer.status import AdapterStatus
from personalizer.storage import WorkspaceData
from personalizer.texts.daemon import job_text
from tests.fake_parts import job_command
from tests.waiting import until


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    queue = Jobs(job_command)
    queue.start()
    yield queue
    queue.stop()


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., str]:
    """Makes a workspace whose training does what it is told."""

    def make(name: str = "shop", **plan: object) -> str:
        root = tmp_path / name
        root.mkdir()
        (root / "training.json").write_text(json.dumps(plan))
        return str(root)

    return make


def ended(jobs: Jobs, job: Job, seconds: float = 40.0) -> Job:
    until(lambda: jobs.queue.get(job.id).state not in ("queued", "running"), seconds)
    return jobs.queue.get(job.id)


def steps(workspace: str) -> list[str]:
    log = Path(workspace, "training.log")
    return log.read_text().splitlines() if log.exists() else []


def starts(workspace: str) -> int:
    return sum(line.startswith("start") for line in steps(workspace))


def process_of(job: Job) -> psutil.Process | None:
    training = runs.found(job.id, runs.Files.of(job.workspace, job.id))
    return training and training.process


NO_ADAPTER = AdapterStatus(freshness="none", why="none was trained")


def newest_job(root: Path) -> Job | None:
    """As the command line's ``status`` tells it."""
    return known_of(root, NO_ADAPTER).job


def test_a_training_runs_tells_its_progress_and_gives_its_result(jobs: Jobs, workspace):
    job = jobs.submit(TrainRequest(workspace()))
    assert job.state in ("queued", "running")
    seen = []
    while jobs.queue.get(job.id).state != "done":
        seen.append(jobs.queue.get(job.id).progress)
        time.sleep(0.01)
    done = jobs.queue.get(job.id)
    assert done.result == {"adapter": "lora-1", "promoted": True}
    assert done.progress == Progress("train", 5, 5, loss=0.2)
    assert any(one is not None and one.step < 5 for one in seen)
    assert done.ended_at is not None
    assert done.reason is None
    assert not jobs.queue.busy


def test_a_training_has_low_priority(jobs: Jobs, workspace):
    root = workspace()
    ended(jobs, jobs.submit(TrainRequest(root)))
    assert steps(root)[0] in ("start nice 10", "start nice 19")
    if Path("/proc/self/autogroup").exists():  # Linux may weigh sessions, not processes
        assert Path(root, "autogroup").read_text().endswith(" nice 10\n")


def test_a_failed_training_says_why_in_its_own_words(jobs: Jobs, workspace):
    job = ended(jobs, jobs.submit(TrainRequest(workspace(fail="too few pairs: 3, 20 are needed"))))
    assert (job.state, job.reason) == ("failed", "too few pairs: 3, 20 are needed")


def test_a_killed_training_names_the_likely_reason(jobs: Jobs, workspace, monkeypatch):
    monkeypatch.setattr(queue_module, "_MOST_STARTS", 2)
    root = workspace(signal=int(signal.SIGKILL), steps=1)
    job = ended(jobs, jobs.submit(TrainRequest(root)))
    assert job.state == "failed"
    assert "memory" in (job.reason or "")
    assert starts(root) == 2


def test_a_training_that_is_killed_goes_on(jobs: Jobs, workspace):
    root = workspace(steps=12)
    job = jobs.submit(TrainRequest(root))
    until(lambda: "step 1" in steps(root))
    training = jobs._current
    assert training is not None
    training.process.kill()
    assert ended(jobs, job).state == "done"
    assert starts(root) == 2


def test_what_a_killed_training_has_started_ends_with_it(jobs: Jobs, workspace):
    root = workspace(steps=1000, helper=True)
    job = jobs.submit(TrainRequest(root))
    until(lambda: "step 1" in steps(root))
    helper = psutil.Process(int(Path(root, "helper").read_text()))
    process = process_of(job)
    assert process is not None
    process.kill()  # it alone
    until(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)


def test_a_training_that_gets_further_each_time_is_never_given_up(
    jobs: Jobs, workspace, monkeypatch
):
    monkeypatch.setattr(queue_module, "_MOST_STARTS", 2)
    root = workspace(steps=3, dies_after_each_step=True, resumes=True)
    job = ended(jobs, jobs.submit(TrainRequest(root)))
    assert job.state == "done"
    assert starts(root) == 3


def test_a_training_that_cannot_be_started_fails(tmp_path: Path):
    queue = Jobs(lambda request: [str(tmp_path / "nothing")])
    queue.start()
    job = ended(queue, queue.submit(TrainRequest(str(tmp_path))))
    assert "cannot be started" in (job.reason or "")
    queue.stop()


def test_no_folder_is_no_workspace(jobs: Jobs, tmp_path: Path):
    with pytest.raises(NotAFolder, match="expected a folder"):
        jobs.submit(TrainRequest(str(tmp_path / "nothing")))
    with pytest.raises(BadInput, match="absolute path"):
        jobs.submit(TrainRequest("nothing"))
    with pytest.raises(BadInput, match="job-x"):
        jobs.queue.get("job-x")


def test_an_equal_training_is_not_queued_twice(jobs: Jobs, workspace):
    root = workspace(steps=100)
    first = jobs.submit(TrainRequest(root))
    assert jobs.submit(TrainRequest(root)).id == first.id
    assert jobs.submit(TrainRequest(root, method="custom")).id != first.id


def test_a_training_waits_while_another_process_holds_its_workspace(jobs, workspace, monkeypatch):
    monkeypatch.setattr(jobs_module, "_HELD_UP", 0.5)
    monkeypatch.setattr(jobs_module, "_LOOK", 0.1)
    root = workspace("shop", holds="train")
    with WorkspaceData(Path(root)).lock("train"):
        job = jobs.submit(TrainRequest(root))
        told = f"process {os.getpid()} (train) holds this workspace"
        wait = Progress("wait", note=told)
        until(lambda: jobs.queue.get(job.id).progress == wait and starts(root) > 1)
        other = jobs.submit(TrainRequest(workspace("other")))
        assert ended(jobs, other).state == "done"
        assert jobs.queue.get(job.id).unfinished
        until(lambda: jobs.queue.get(job.id).state == "queued")
        assert f"queued, waits: {told} (job" in job_text(jobs.queue.get(job.id))
    assert ended(jobs, job).state == "done"


def test_a_training_that_waits_for_another_process_can_be_cancelled(jobs, workspace):
    root = workspace(holds="train")
    with WorkspaceData(Path(root)).lock("train"):
        job = jobs.submit(TrainRequest(root))
        until(lambda: jobs.queue.get(job.id).progress and jobs.queue.get(job.id).state == "queued")
        assert jobs.queue.cancel(job.id).state == "cancelled"
    time.sleep(0.2)
    assert starts(root) == 1


def test_workspaces_take_turns(workspace):
    queue = Jobs(job_command)
    a, b = workspace("a", steps=1), workspace("b", steps=1)
    order = [
        queue.submit(TrainRequest(a, limit=1)),
        queue.submit(TrainRequest(a, limit=2)),
        queue.submit(TrainRequest(a, limit=3)),
        queue.submit(TrainRequest(b)),
    ]
    queue.start()
    for job in order:
        ended(queue, job)
    with closing(sqlite3.connect(database_file())) as database:
        rows = database.execute("SELECT id FROM job ORDER BY started").fetchall()
    names = {job.id: name for job, name in zip(order, ("a1", "a2", "a3", "b"), strict=True)}
    assert [names[row[0]] for row in rows] == ["a1", "b", "a2", "a3"]
    queue.stop()


def test_one_training_runs_at_a_time(jobs: Jobs, workspace):
    first = jobs.submit(TrainRequest(workspace("a", steps=8)))
    second = jobs.submit(TrainRequest(workspace("b", steps=8)))
    most = 0
    while jobs.queue.get(second.id).state != "done":
        # The later one is looked at first: it may begin between two looks.
        states = [jobs.queue.get(one.id).state for one in (second, first)]
        most = max(most, states.count("running"))
        time.sleep(0.01)
    assert most == 1
    assert jobs.queue.get(first.id).state == "done"


def test_a_running_training_can_be_cancelled(jobs: Jobs, workspace):
    root = workspace(steps=1000)
    job = jobs.submit(TrainRequest(root))
    until(lambda: "step 1" in steps(root))
    jobs.queue.cancel(job.id)
    assert ended(jobs, job).state == "cancelled"
    after = steps(root)
    time.sleep(0.2)
    assert steps(root) == after


def test_a_queued_training_can_be_cancelled(jobs: Jobs, workspace):
    first, root = workspace("a", steps=20), workspace("b")
    jobs.submit(TrainRequest(first))
    waiting = jobs.submit(TrainRequest(root))
    assert jobs.queue.cancel(waiting.id).state == "cancelled"
    assert jobs.queue.cancel(waiting.id).state == "cancelled"
    assert steps(root) == []


def test_a_training_cancelled_in_the_moment_of_its_start_does_not_run(workspace, monkeypatch):
    root = workspace()
    queue = Jobs(job_command)
    job = queue.submit(TrainRequest(root))
    taken = queue.queue.next
    monkeypatch.setattr(queue.queue, "next", lambda _: (taken(), queue.queue.cancel(job.id))[0])
    queue.start()
    time.sleep(0.5)
    assert queue.queue.get(job.id).state == "cancelled"
    assert steps(root) == []
    queue.stop()


def test_a_training_that_will_not_end_is_killed(jobs: Jobs, workspace, monkeypatch):
    monkeypatch.setattr(jobs_module, "_PATIENCE", (0.3, 0.3))
    root = workspace(steps=1000, stubborn=True)
    job = jobs.submit(TrainRequest(root))
    until(lambda: "step 1" in steps(root))
    jobs.queue.cancel(job.id)
    assert ended(jobs, job).state == "cancelled"


def test_a_training_stands_still_while_it_is_paused(jobs: Jobs, workspace):
    root = workspace(steps=1000, pause=0.02)
    jobs.submit(TrainRequest(root))
    until(lambda: "step 1" in steps(root))
    with jobs.paused():
        with jobs.paused():
            pass  # one of two requests has its answer
        time.sleep(0.1)
        held = steps(root)
        time.sleep(0.3)
        assert steps(root) == held
    until(lambda: len(steps(root)) > len(held))


def test_it_is_quiet_since_the_end_of_the_last_request(jobs: Jobs):
    time.sleep(0.2)
    with jobs.paused():
        assert jobs.quiet_seconds == 0
        end = time.monotonic()
    quiet = jobs.quiet_seconds
    assert 0 < quiet < time.monotonic() - end


def test_a_training_goes_on_after_an_error_under_the_pause(jobs: Jobs, workspace):
    root = workspace(steps=1000, pause=0.02)
    jobs.submit(TrainRequest(root))
    until(lambda: "step 1" in steps(root))
    with pytest.raises(EngineError), jobs.paused():
        raise EngineError("failed")
    count = len(steps(root))
    until(lambda: len(steps(root)) > count)


def test_a_training_that_starts_under_a_pause_waits(jobs: Jobs, workspace):
    root = workspace(steps=3, pause=0.2)
    with jobs.paused():
        job = jobs.submit(TrainRequest(root))
        until(lambda: (process := process_of(job)) and process.status() == psutil.STATUS_STOPPED)
        assert not any(line.startswith("step") for line in steps(root))
    assert ended(jobs, job).state == "done"


def test_a_paused_training_can_be_cancelled(jobs: Jobs, workspace, monkeypatch):
    monkeypatch.setattr(jobs_module, "_PATIENCE", (60.0, 60.0))  # it ends by itself
    root = workspace(steps=1000)
    job = jobs.submit(TrainRequest(root))
    until(lambda: "step 1" in steps(root))
    with jobs.paused():
        jobs.queue.cancel(job.id)
        assert ended(jobs, job).state == "cancelled"


def test_stopping_interrupts_a_training_and_the_next_start_takes_it_up(workspace, monkeypatch):
    monkeypatch.setattr(queue_module, "_MOST_STARTS", 1)  # its end is not held against it
    root = workspace(steps=20)
    first = Jobs(job_command)
    first.start()
    job = first.submit(TrainRequest(root))
    until(lambda: "step 1" in steps(root))
    first.stop()
    left = newest_job(Path(root))
    assert left is not None
    assert left.state == "queued"
    second = Jobs(job_command)
    second.start()
    assert ended(second, job).state == "done"
    assert starts(root) == 2
    second.stop()


def test_the_newest_job_is_read_without_a_daemon(jobs: Jobs, workspace, tmp_path: Path):
    assert newest_job(tmp_path) is None
    root = workspace()
    job = ended(jobs, jobs.submit(TrainRequest(root)))
    found = newest_job(Path(root))
    assert found is not None
    assert (found.id, found.state) == (job.id, "done")
    later = jobs.submit(TrainRequest(root, limit=1))
    found = newest_job(Path(root))
    assert found is not None and found.id == later.id


def fill(queue: Queue) -> None:
    for number in range(100):
        queue._change(
            "INSERT INTO job (id, workspace, request, state, created_at) "
            f"VALUES ('job-{number}', '/shop', '{'x' * 500}', 'done', '')"
        )
    queue._rows("PRAGMA wal_checkpoint(TRUNCATE)")


def damaged(how: str) -> bytes:
    """What the queue's file holds once it is spoilt."""
    with closing(Queue()) as queue:
        fill(queue)
    data = database_file().read_bytes()
    data = b"no database" * 500 if how == "garbage" else data[: len(data) // 2]
    database_file().write_bytes(data)
    return data


@pytest.mark.parametrize("how", ["garbage", "half"])
def test_a_damaged_queue_is_kept_aside_and_a_new_one_begins(workspace, how: str):
    data = damaged(how)
    queue = Jobs(job_command)
    queue.start()
    try:
        assert queue.queue.all() == []
        assert ended(queue, queue.submit(TrainRequest(workspace()))).state == "done"
    finally:
        queue.stop()
    assert Path(f"{database_file()}.damaged").read_bytes()[: len(data)] == data


def test_a_queue_of_another_make_is_kept_aside_and_told_of(workspace):
    with closing(Queue()) as queue:
        queue._change("ALTER TABLE job DROP COLUMN contents")
    with pytest.raises(StorageError, match=r"the table of jobs lacks contents; the daemon keeps"):
        Queue()
    with closing(Queue(renews=True)) as queue:
        assert queue.submit(TrainRequest(workspace())).state == "queued"
    assert Path(f"{database_file()}.damaged").exists()


def test_a_queue_that_is_damaged_while_it_is_used_is_replaced(workspace):
    with closing(Queue(renews=True)) as queue:
        fill(queue)
        with database_file().open("r+b") as file:
            file.seek(4096)
            file.write(b"x" * 40_000)
        queue._rows("PRAGMA shrink_memory")  # what it has read before
        assert queue.all() == []
        job = queue.submit(TrainRequest(workspace()))
        assert [one.id for one in queue.unfinished()] == [job.id]


@pytest.mark.parametrize("how", ["garbage", "half"])
def test_a_queue_that_cannot_be_read_is_told_from_an_empty_one(how: str):
    assert client.describe()["error"] is None
    data = damaged(how)
    found = client.describe()
    assert (found["running"], found["jobs"]) == (False, [])
    assert str(database_file()) in found["error"]
    assert known_of(Path("/shop"), NO_ADAPTER).job is None
    assert database_file().read_bytes() == data  # it is the daemon's to set aside


# ---------------------------------------------------------------- after a daemon that was killed


def as_a_killed_daemon_leaves_it(workspace: str, *, alive: bool) -> tuple[Job, Popen[bytes]]:
    """A job that is marked as running, with a training that lives on or is dead."""
    queue = Queue()
    job = queue.submit(TrainRequest(workspace))
    queue.claim(job.id)
    files = runs.Files.of(workspace, job.id)
    training = runs.start(job_command(TrainRequest(workspace)), job.id, files)
    process = training.popen
    assert process is not None
    until(lambda: "step 1" in steps(workspace))
    if not alive:
        training.signal(signal.SIGKILL)
        process.wait()
    queue.close()
    return job, process


def test_a_training_that_outlived_its_daemon_is_followed_to_its_end(workspace):
    root = workspace(steps=20)
    job, process = as_a_killed_daemon_leaves_it(root, alive=True)
    os.killpg(process.pid, signal.SIGSTOP)  # the daemon died while it held the training still
    queue = Jobs(job_command)
    queue.start()
    until(lambda: queue.queue.get(job.id).state == "done")
    assert starts(root) == 1
    queue.stop()
    process.wait()


def test_a_training_that_died_with_its_daemon_is_run_again(workspace):
    root = workspace(steps=4)
    job, _ = as_a_killed_daemon_leaves_it(root, alive=False)
    queue = Jobs(job_command)
    queue.start()
    assert ended(queue, job).state == "done"
    assert starts(root) == 2
    queue.stop()


def test_a_training_that_ended_while_no_daemon_ran_is_done(workspace):
    root = workspace(steps=3)
    job, process = as_a_killed_daemon_leaves_it(root, alive=True)
    process.wait()
    queue = Jobs(job_command)
    queue.start()
    assert ended(queue, job).state == "done"
    assert starts(root) == 1
    queue.stop()


def test_a_training_that_keeps_dying_is_given_up(workspace, monkeypatch):
    monkeypatch.setattr(queue_module, "_MOST_STARTS", 1)
    monkeypatch.setattr(queue_module, "_FAIR_TRIAL", 0.0)
    job, _ = as_a_killed_daemon_leaves_it(workspace(), alive=False)
    queue = Jobs(job_command)
    queue.start()
    given_up = ended(queue, job)
    assert given_up.state == "failed"
    assert "several starts got no further" in (given_up.reason or "")
    queue.stop()


def test_a_training_is_given_up_once_it_has_died_so_often_at_one_step(workspace, monkeypatch):
    monkeypatch.setattr(queue_module, "_MOST_STARTS", 2)
    with closing(Queue()) as queue:
        job = queue.submit(TrainRequest(workspace()))
        for reached, goes_on in ((5, True), (7, True), (7, False)):
            assert queue.claim(job.id)
            assert queue.again(job.id, reached, with_daemon=False) == goes_on


def test_a_training_that_was_to_end_when_its_daemon_died_is_not_started_again(
    workspace, monkeypatch
):
    job, _ = as_a_killed_daemon_leaves_it(workspace(steps=1000), alive=False)
    with closing(Queue()) as queue:
        queue.cancel(job.id)
    monkeypatch.setattr(runs, "start", None)  # any start would fail
    queue = Jobs(job_command)
    queue.start()
    assert ended(queue, job, 10.0).state == "cancelled"
    queue.stop()


def test_a_training_that_soon_dies_with_its_daemon_is_not_blamed(workspace, monkeypatch):
    monkeypatch.setattr(queue_module, "_MOST_STARTS", 1)
    job, _ = as_a_killed_daemon_leaves_it(workspace(steps=1), alive=False)
    queue = Jobs(job_command)
    queue.start()
    assert ended(queue, job).state == "done"
    queue.stop()


def test_what_waits_outlives_what_has_ended_and_files_go_with_their_job(workspace, monkeypatch):
    monkeypatch.setattr(queue_module, "_KEPT", 1)
    with closing(Queue()) as queue:
        waiting = queue.submit(TrainRequest(workspace("a")))
        root = workspace("b")
        logs = []
        for limit in range(4):
            job = queue.submit(TrainRequest(root, limit=limit))
            logs.append(runs.Files.of(root, job.id).log_file)
            logs[-1].parent.mkdir(parents=True, exist_ok=True)
            logs[-1].write_text("told")
            queue.end(job.id, "done")
        assert queue.get(waiting.id).state == "queued"
        assert [log.exists() for log in logs] == [False, False, False, True]


def test_a_training_that_the_daemons_own_end_interrupts_is_not_blamed(workspace, monkeypatch):
    monkeypatch.setattr(queue_module, "_MOST_STARTS", 2)
    with closing(Queue()) as queue:
        job = queue.submit(TrainRequest(workspace()))
        for _ in range(5):
            assert queue.claim(job.id)
            queue.put_back(job.id)
        assert queue.claim(job.id)
        assert queue.again(job.id, 0, with_daemon=False)


def test_who_asks_again_for_what_is_being_cancelled_gets_another(workspace):
    with closing(Queue()) as queue:
        root = workspace()
        job = queue.submit(TrainRequest(root))
        queue.claim(job.id)
        queue.cancel(job.id)
        assert queue.submit(TrainRequest(root)).id != job.id


def test_only_so_many_wait(workspace, monkeypatch):
    monkeypatch.setattr(queue_module, "_MOST_WAITING", 2)
    with closing(Queue()) as queue:
        root = workspace()
        for limit in (1, 2):
            queue.submit(TrainRequest(root, limit=limit))
        with pytest.raises(TooBusy, match="2 trainings wait already"):
            queue.submit(TrainRequest(root, limit=3))


def test_what_a_dead_training_has_left_running_is_ended(workspace):
    root = workspace(steps=4, helper=True)
    job, process = as_a_killed_daemon_leaves_it(root, alive=True)
    helper = psutil.Process(int(Path(root, "helper").read_text()))
    process.kill()  # it alone, as the system does when memory runs out
    process.wait()
    assert helper.is_running()
    queue = Jobs(job_command)
    queue.start()
    assert ended(queue, job).state == "done"
    assert not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE
    queue.stop()


# ---------------------------------------------------------------- evaluations


def test_an_evaluation_is_a_job_but_no_training_of_its_workspace(jobs: Jobs, workspace):
    root = workspace(steps=1)
    job = ended(jobs, jobs.submit(EvaluateRequest(root, Evaluation(folds=2))))
    assert (job.kind, job.state) == ("evaluate", "done")
    assert jobs.queue.newest(root) is None
    assert jobs.queue.newest(root, "evaluate") == job


def test_status_says_how_far_an_evaluation_is_and_what_came_of_it(workspace):
    root = workspace()

    def told() -> str:
        said = CliRunner().invoke(status, [root], catch_exceptions=False).stdout
        return next((line for line in said.splitlines() if "compared" in line), "")

    with closing(Queue()) as queue:
        assert told() == ""
        job = queue.submit(EvaluateRequest(root, Evaluation()))
        assert told() == "  compared  queued"
        answer = ["Personalising shop is worth it.", "By lora."]
        queue.end(job.id, "done", result={"answer": answer, "report": "/r.html", "rows": [1]})
        assert told() == "  compared  done, Personalising shop is worth it, report /r.html"
    evaluation = known_of(Path(root), NO_ADAPTER).evaluation
    assert evaluation.result["answer"] == answer
    assert "rows" not in evaluation.result


def test_an_evaluation_is_given_the_flags_of_its_command(tmp_path: Path):
    wish = Evaluation(methods="base,lora", folds=2, generated=3, beams=0, report="/r.html")
    request = EvaluateRequest(str(tmp_path), wish, limit=8, trusted=True)
    command = jobs_module.job_command(request)
    arguments = command[command.index("evaluate") + 1 :]
    read = evaluate.make_context("evaluate", arguments).params
    wanted = {"methods": "base,lora", "folds": 2, "generated": 3, "beams": 0, "limit": 8}
    wanted |= {"report": Path("/r.html"), "paths": (tmp_path,), "as_json": True, "trust": True}
    assert read.items() >= (wanted | {"as_json_lines": True}).items()


def test_a_training_is_given_the_flags_of_its_command(tmp_path: Path):
    told = {"method": "ia3", "base": "/b", "budget": "9m", "limit": 8, "preset": "weyssow2024"}
    request = TrainRequest(str(tmp_path), config="/c.toml", warm=True, trusted=True, **told)
    command = jobs_module.job_command(request)
    read = train.make_context("train", command[command.index("train") + 1 :]).params
    wanted = told | {"path": tmp_path, "config": Path("/c.toml"), "warm": True, "trust": True}
    assert read.items() >= (wanted | {"as_json": True, "as_json_lines": True}).items()
    plain = jobs_module.job_command(TrainRequest(str(tmp_path)))
    assert plain[plain.index("train") :] == ["train", str(tmp_path), "--json", "--progress"]


@pytest.fixture
def daemon_of_jobs(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line reaches these jobs."""
    queue = jobs.queue
    calls = {"train": jobs.submit, "jobs": queue.all, "cancel": queue.cancel}
    there = nullcontext(SimpleNamespace(**calls))
    monkeypatch.setattr(client, "connect", lambda: there)


@pytest.mark.usefixtures("daemon_of_jobs")
def test_evaluate_in_the_background_hands_over_what_it_was_given(jobs: Jobs, workspace):
    root = workspace(steps=1)
    flags = ["--background", "--folds=3", "--limit=5", "--report=r.html", "--trust", "--json"]
    told = CliRunner().invoke(evaluate, [root, *flags], catch_exceptions=False)
    job = json.loads(told.stdout)
    assert (job["kind"], job["workspace"]) == ("evaluate", root)
    assert ended(jobs, jobs.queue.get(job["id"])).state == "done"


@pytest.mark.usefixtures("daemon_of_jobs")
@pytest.mark.parametrize("flag", ["--curve", "--no-run", "--examples=2"])
def test_evaluate_in_the_background_refuses_what_it_cannot_hand_over(workspace, flag: str):
    told = CliRunner().invoke(evaluate, [workspace(), "--background", flag])
    assert told.exit_code == 2
    assert "--background does not go with" in told.stderr


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"method": "magic"}, "got magic"),
        ({"budget": "soon"}, "expected a time"),
        ({"base": "nobody/nothing"}, "nobody/nothing is not on this machine"),
        ({"preset": "nobody2024"}, "got nobody2024"),
        ({"config": "/no/such.toml"}, "found none at /no/such.toml"),
        ({"config": "x" * 5000}, "found none at x"),
        ({"base": "x" * 5000}, "is not on this machine"),
        ({"limit": 0}, "limit to be at least 1"),
        ({"evaluate": Evaluation(methods="base, magic")}, "got magic"),
        ({"evaluate": Evaluation(folds=1)}, "folds to be at least 2"),
        ({"evaluate": Evaluation(generated=0)}, "generated to be at least 1"),
        ({"evaluate": Evaluation(beams=-1)}, "beams to be at least 0"),
        ({"evaluate": Evaluation(methods=",")}, "expected methods to name one, got ','"),
        ({"evaluate": Evaluation(report="r.html")}, "report to be an absolute path, got r.html"),
        ({"evaluate": Evaluation(), "budget": "soon"}, "expected a time"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_not_queued(jobs: Jobs, workspace, asked, words):
    with pytest.raises(PersonalizerError, match=words):
        kind = EvaluateRequest if "evaluate" in asked else TrainRequest
        jobs.submit(kind(workspace(), **asked))
    assert jobs.queue.all() == []


@pytest.mark.parametrize("method", ["lora", "auto", "qlora-4bit"])
def test_every_method_can_be_queued(jobs: Jobs, workspace, method: str):
    assert jobs.submit(TrainRequest(workspace(), method=method)).reason is None


def test_an_evaluation_without_a_beam_search_can_be_queued(jobs: Jobs, workspace):
    asked = Evaluation(folds=2, generated=1, beams=0)
    assert jobs.submit(EvaluateRequest(workspace(), evaluate=asked)).kind == "evaluate"


@pytest.mark.usefixtures("daemon_of_jobs")
@pytest.mark.parametrize(
    ("command", "flag"), [(train, "--method=magic"), (evaluate, "--methods=magic")]
)
def test_what_cannot_be_trained_in_the_background_is_told_at_once(workspace, command, flag):
    told = CliRunner().invoke(command, [workspace(), "--background", flag])
    assert isinstance(told.exception, SettingsError)
    assert told.stdout == ""


@pytest.mark.usefixtures("daemon_of_jobs")
@pytest.mark.parametrize(("command", "words"), [(train, "a training"), (evaluate, "an evaluation")])
def test_who_asks_again_is_told_what_is_under_way(jobs: Jobs, workspace, command, words):
    root = workspace(steps=1000)
    first, again, machine = (
        CliRunner().invoke(command, [root, "--background", *flags], catch_exceptions=False)
        for flags in ((), (), ("--json",))
    )
    assert "already" not in first.stderr
    assert f"{words} is under way already" in again.stderr
    assert json.loads(machine.stdout)["id"] in again.stdout
    assert machine.stderr == ""


@pytest.mark.usefixtures("daemon_of_jobs")
def test_what_is_done_in_the_background_can_be_ended_from_the_command_line(
    jobs: Jobs, workspace, monkeypatch: pytest.MonkeyPatch
):
    root, other = workspace(steps=1000), workspace("other", steps=1000)
    mine = [jobs.submit(TrainRequest(root)), jobs.submit(MeasureRequest(root))]
    theirs = jobs.submit(TrainRequest(other))
    told = CliRunner().invoke(daemon, ["cancel", root], catch_exceptions=False)
    assert "Training in the background ends (job " in told.stdout
    assert "Measuring in the background ends (job " in told.stdout
    assert {ended(jobs, job).state for job in mine} == {"cancelled"}
    assert jobs.queue.get(theirs.id).state in ("queued", "running")
    monkeypatch.chdir(other)
    told = CliRunner().invoke(daemon, ["cancel", "--json"], catch_exceptions=False)
    assert [job["id"] for job in json.loads(told.stdout)["cancelled"]] == [theirs.id]
    assert ended(jobs, theirs).state == "cancelled"
    told = CliRunner().invoke(daemon, ["cancel", root])
    assert isinstance(told.exception, BadInput)
    assert str(told.exception) == f"nothing is done in the background for {root}"


@pytest.mark.usefixtures("daemon_of_jobs")
def test_what_waits_for_a_folder_that_is_gone_can_be_ended(jobs: Jobs, workspace, tmp_path: Path):
    jobs.submit(TrainRequest(workspace(steps=1000)))
    root = workspace("gone")
    job = jobs.submit(TrainRequest(root))
    (tmp_path / "link").symlink_to(root)
    Path(root, "training.json").unlink()
    Path(root).rmdir()
    CliRunner().invoke(daemon, ["cancel", str(tmp_path / "link")], catch_exceptions=False)
    assert jobs.queue.get(job.id).state == "cancelled"


def test_who_asks_for_the_daemon_is_told_what_it_will_go_on_with(workspace):
    root = workspace()
    with closing(Queue()) as queue:
        job = queue.submit(TrainRequest(root))
        said = CliRunner().invoke(daemon, ["status"], catch_exceptions=False).stdout
        line = f"  training in the background for {root}: queued, goes on when it starts"
        assert line in said.splitlines()
        queue.cancel(job.id)
    assert client.describe()["jobs"] == []


@pytest.mark.usefixtures("daemon_of_jobs")
def test_a_base_in_a_folder_is_found_from_wherever_the_daemon_works(
    jobs: Jobs, workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    asked: list[TrainRequest] = []
    monkeypatch.setattr(jobs, "_command", lambda one: asked.append(one) or job_command(one))
    told = CliRunner().invoke(train, [workspace(), "--background", "--base=model", "--json"])
    assert ended(jobs, jobs.queue.get(json.loads(told.stdout)["id"])).state == "done"
    assert asked[0].base == str(tmp_path / "model")


def test_an_evaluation_tells_the_daemon_how_far_it_is(capsys: pytest.CaptureFixture[str]):
    cell_json(3, 8, "shop, lora, fold 1", 90.0)
    line = json.loads(capsys.readouterr().err)
    assert Progress(**line["progress"]) == Progress("evaluate", 3, 8, seconds_left=90.0)
