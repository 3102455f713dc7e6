"""A model that serves and a training in the background share an accelerator, or a processor."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from personalizer.daemon import machine, process, warming
from personalizer.daemon.jobs import Jobs
from personalizer.daemon.protocol import TrainRequest
from personalizer.daemon.service import Service
from personalizer.daemon.warming import Warming
from personalizer.engine import Completion, Request
from personalizer.engine.child import ChildEngine
from personalizer.errors import BaseTooLarge, EngineError
from tests.fake_parts import job_command
from tests.waiting import until

FAKE = """
import os, sys, threading, time
from personalizer.engine import Completion
from personalizer.engine.serve import _Server

class Fake:
    def generate(self, request, *, on_text=None, cancelled=None):
        time.sleep(float(request.prompt))
        return [Completion("done", 0.0, 1, "stop")]

_Server(os.fdopen(os.dup(1), "wb"), Fake).run(sys.stdin.buffer)
"""


@pytest.fixture
def child() -> Iterator[ChildEngine]:
    engine = ChildEngine(command=[sys.executable, "-c", FAKE])
    yield engine
    engine.close()


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Processes that hold an accelerator's memory."""
    held: set[int] = set()
    monkeypatch.setattr(machine, "holds_accelerator", held.__contains__)
    return held


def test_a_process_holds_an_accelerator_while_it_has_the_card_s_file_open(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_CARDS", (str(tmp_path / "nvidia"),))
    (tmp_path / "nvidia-uvm").touch()
    assert not machine.holds_accelerator(os.getpid())
    with (tmp_path / "nvidia-uvm").open():
        assert machine.holds_accelerator(os.getpid())
    assert not machine.holds_accelerator(os.getpid())
    assert not machine.holds_accelerator(2**22 + 1)


def test_on_a_processor_the_model_stays_when_a_training_starts(child, card):
    child.generate(Request("0", "base"))
    before = child.pid
    process._make_way(child)
    assert child.pid == before is not None


def test_on_an_accelerator_the_model_goes_before_a_training_and_comes_back(child, card):
    process._make_way(child)  # nothing is loaded
    child.generate(Request("0", "base"))
    card.add(child.pid)
    process._make_way(child)
    assert child.pid is None
    assert child.generate(Request("0", "base"))[0].text == "done"


def test_a_request_under_way_is_answered_before_the_model_goes(child, card):
    child.generate(Request("0", "base"))
    card.add(child.pid)
    answers: list[list[Completion]] = []
    asking = threading.Thread(target=lambda: answers.append(child.generate(Request("1", "base"))))
    asking.start()
    until(lambda: child._users)
    process._make_way(child)
    asking.join()
    assert answers[0][0].text == "done"
    assert child.pid is None


def test_a_training_does_not_wait_for_ever_for_requests(child, card, monkeypatch):
    monkeypatch.setattr(process, "_PATIENCE", 0.1)
    child.generate(Request("0", "base"))
    card.add(child.pid)
    asking = threading.Thread(target=child.generate, args=[Request("2", "base")])
    asking.start()
    until(lambda: child._users)
    process._make_way(child)
    assert child.pid is not None
    asking.join()


def test_way_is_made_before_each_start_of_a_training(tmp_path: Path):
    (tmp_path / "training.json").write_text('{"steps": 1}')
    log, seen = tmp_path / "training.log", []
    jobs = Jobs(job_command, before_start=lambda: seen.append(log.exists()))
    jobs.start()
    try:
        job = jobs.submit(TrainRequest(str(tmp_path)))
        until(lambda: jobs.queue.get(job.id).state == "done")
    finally:
        jobs.stop()
    assert seen == [False]
    assert log.exists()


@pytest.mark.parametrize("occupied", [False, True])
def test_no_model_is_loaded_ahead_beside_a_training_on_the_same_card(
    tmp_path, monkeypatch, occupied
):
    loaded = threading.Event()
    engine: Any = SimpleNamespace(warm=lambda *_: loaded.set())
    monkeypatch.setattr(warming.machine, "has_memory_for", lambda spare: True)
    Warming(engine, lambda: occupied).somebody_looks_at(tmp_path)
    assert loaded.wait(0.5 if occupied else 40) is not occupied


@pytest.mark.parametrize("kind", [BaseTooLarge, EngineError])
def test_who_finds_too_little_memory_beside_a_training_is_told_of_it(tmp_path, card, kind):
    def fail(*_: Any, **__: Any) -> Any:
        raise kind("no memory")

    (tmp_path / "training.json").write_text('{"steps": 1000}')
    jobs = Jobs(job_command)
    engine: Any = SimpleNamespace(generate=fail, url=None)
    service = Service(engine, jobs, "socket")

    def told() -> str:
        with pytest.raises(kind) as raised:
            service.complete(Request("x", "base"), threading.Event())
        return str(raised.value)

    jobs.start()
    try:
        assert told() == "no memory"
        jobs.submit(TrainRequest(str(tmp_path)))
        until(lambda: jobs._current)
        assert told() == "no memory"  # on a processor it has memory of its own
        card.add(jobs._current.process.pid)
        assert told() == "no memory (a training that runs now has memory of the accelerator too)"
        engine.url = "http://elsewhere"
        assert told() == "no memory"
    finally:
        jobs.stop()
