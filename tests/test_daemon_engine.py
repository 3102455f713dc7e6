"""Where a daemon runs, a command in a shell asks its model and loads none of its own."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from personalizer.cli import personalizer
from personalizer.daemon import engine as engine_module
from personalizer.daemon.client import Client
from personalizer.daemon.engine import DaemonEngine, running_engine
from personalizer.engine import Request
from personalizer.engine import child as child_module
from personalizer.errors import BadInput, Cancelled, EngineError, Unreachable
from tests.fake_parts import FakeModel, asked
from tests.test_daemon import in_thread, shop
from tests.waiting import until

__all__ = ["shop"]  # a fixture

pytestmark = pytest.mark.usefixtures("daemon")


@pytest.fixture
def engine() -> DaemonEngine:
    found = running_engine()
    assert found is not None
    return found


def test_it_answers_as_the_engine_that_the_daemon_holds(engine: DaemonEngine):
    request = Request("class Cart {", "base", adapter="/adapters/one", count=3)
    told: list[str] = []
    assert engine.generate(request, on_text=told.append) == FakeModel().generate(request)
    assert told == ["@Test void generated() { assertEquals(1, 1); }"]
    assert engine.embed("small", ["one", "two"]) == FakeModel().embed("small", ["one", "two"])
    engine.warm("base", "/adapters/one")
    first, *_, last = asked()
    assert (first["what"], first["adapter"]) == ("wrote", "/adapters/one")
    assert last == {"what": "warmed", "adapter": "/adapters/one", "base": "base", "prompt": None}


def test_what_the_model_raises_is_raised_here(engine: DaemonEngine):
    with pytest.raises(EngineError, match="the model has no mind to"):
        engine.generate(Request("failing", "base"))


def test_a_cancelled_question_ends_in_the_daemon_too(engine: DaemonEngine):
    cancelled = threading.Event()
    slow = Request("slow", "base")
    thread, results = in_thread(lambda: engine.generate(slow, cancelled=cancelled))
    until(lambda: asked() and asked()[-1]["what"] == "waits")
    cancelled.set()
    thread.join(2)
    assert isinstance(results[0], Cancelled)
    until(lambda: asked()[-1]["what"] == "cancelled", 2)


def test_a_daemon_that_dies_is_an_error_not_a_wait(engine: DaemonEngine, daemon: Client):
    pid = daemon.health()["pid"]
    thread, results = in_thread(lambda: engine.generate(Request("slow", "base")))
    until(lambda: asked() and asked()[-1]["what"] == "waits")
    os.kill(pid, signal.SIGKILL)
    thread.join(2)
    assert isinstance(results[0], Unreachable)


@pytest.mark.parametrize("nonsense", [b"", b"{}", msgspec.msgpack.encode({"type": "Ask"})])
def test_what_is_no_question_is_refused(daemon: Client, nonsense: bytes):
    with pytest.raises(BadInput, match="expected a question to the engine"):
        daemon.engine(nonsense)


def test_a_daemon_of_another_version_is_not_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine_module, "__version__", "0.0.0")
    assert running_engine() is None


def test_a_command_loads_no_model_beside_the_daemons(shop: Path, monkeypatch: pytest.MonkeyPatch):
    def none_of_its_own(*_: Any, **__: Any) -> None:
        raise AssertionError("a second model")

    monkeypatch.setattr(child_module, "ChildEngine", none_of_its_own)
    answer = CliRunner().invoke(
        personalizer,
        ["generate", "Cart#total", "--workspace", str(shop), "--no-run", "--json"],
        catch_exceptions=False,
    )
    assert answer.exit_code == 0, answer.output
    assert "void generated()" in answer.stdout
    assert {row["what"] for row in asked()} == {"wrote"}
