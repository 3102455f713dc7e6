"""The daemon as a process: its life, its API, what happens when something dies or hangs up."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import os
import re
import signal
import socket
import socketserver
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import pytest
import uvicorn
from fastapi.routing import APIRoute
from filelock import FileLock
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from uvicorn.server import ServerState

import indexer.errors
from indexer.errors import NotAFolder
from personalizer import __version__, errors
from personalizer.adapters import Registry, Trained
from personalizer.daemon import client as client_module
from personalizer.daemon import endpoint, process
from personalizer.daemon.answers import failure
from personalizer.daemon.app import Activity, create
from personalizer.daemon.bounds import HeadInTime, Turns, WholeOnly
from personalizer.daemon.client import Client, connect, describe, stop
from personalizer.daemon.jobs import Jobs
from personalizer.daemon.openai import CompletionRequest, router
from personalizer.daemon.protocol import (
    EvaluateRequest,
    Evaluation,
    GenerateRequest,
    Job,
    MeasureRequest,
    Progress,
    SnippetRequest,
    TrainRequest,
)
from personalizer.daemon.service import Service
from personalizer.engine.child import ChildEngine
from personalizer.errors import (
    AdapterError,
    BadInput,
    Cancelled,
    DaemonError,
    EngineError,
    NoSuchMethod,
    NotListening,
    SettingsError,
    StorageError,
    Unreachable,
)
from personalizer.processes import environment
from personalizer.storage import WorkspaceData, daemon_folder
from tests.fake_parts import DAEMON, asked
from tests.test_adapters import manifest
from tests.waiting import until

SHOP = {
    "src/main/java/shop/Cart.java": """\
package shop;

public class Cart {
    public int total() {
        return 1;
    }

    public int price2() {
        return "slow".length();
    }

    public int price3() {
        return "deadly".length();
    }

    public int price4() {
        return "failing".length();
    }

    /** The number of items. */
    public int size() {
    }
}
""",
    "src/test/java/shop/CartTest.java": """\
package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class CartTest {
    @Test
    void totalIsOne() {
        assertEquals(1, new Cart().total());
    }
}
""",
}
CART = "src/main/java/shop/Cart.java"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace; its training takes five short steps."""
    root = tmp_path / "shop"
    for path, text in SHOP.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "training.json").write_text("{}")
    return root


@pytest.fixture
def http(daemon: Client) -> Iterator[httpx.Client]:
    """Plain HTTP, as another program would speak it."""
    transport = httpx.HTTPTransport(uds=daemon.socket)
    with httpx.Client(transport=transport, base_url="http://daemon", timeout=10) as client:
        yield client


def request(root: Path, line: int = 4, **choices: Any) -> GenerateRequest:
    return GenerateRequest(str(root), CART, line, n=1, **choices)


SLOW, DEADLY, FAILING, SIZE = 8, 12, 16, 21


def in_thread(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Starts a call; its result or its error will be in the list."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


# ---------------------------------------------------------------- life


def test_it_starts_on_demand_and_answers(daemon: Client):
    health = daemon.health()
    assert health["version"] == __version__
    assert health["engine"] == {"loaded": False, "pid": None, "url": None}
    assert describe()["pid"] == health["pid"] != os.getpid()
    assert connect(start=False).health()["pid"] == health["pid"]


def test_nobody_else_may_speak_to_it(daemon: Client):
    assert stat.S_IMODE(os.stat(daemon.socket).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(Path(daemon.socket).parent).st_mode) == 0o700


def test_many_clients_at_once_start_one_daemon():
    try:
        with ThreadPoolExecutor(4) as pool:
            clients = list(pool.map(lambda _: connect(command=DAEMON), range(4)))
        assert len({client.health()["pid"] for client in clients}) == 1
        started = psutil.Process().children()
        until(lambda: sum(alive(one.pid) for one in started) == 1)
    finally:
        stop()


def test_it_is_not_started_when_that_is_not_wanted():
    with pytest.raises(DaemonError, match="daemon start"):
        connect(start=False)
    assert describe()["running"] is False


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"path": "cart.py", "line": 3}, "expected path to name a Java file, got cart.py"),
        ({"path": CART, "line": -3}, "expected line to be at least 1, got -3"),
        ({"path": CART, "method": "total"}, "expected method to be Class#method, got total"),
    ],
)
def test_a_target_that_cannot_be_is_told_by_the_keys_of_the_request(asked, words, daemon, shop):
    with pytest.raises(BadInput, match=f"^{words}$"):
        daemon.generate(GenerateRequest(str(shop), **asked))


def test_the_keys_that_tell_of_a_daemon_are_there_without_one(daemon: Client):
    keys = describe().keys()
    stop()
    found = describe()
    assert found.keys() == keys
    known = {"running": False, "error": None, "log": str(endpoint.log_file()), "jobs": []}
    assert found == dict.fromkeys(keys) | known


def test_a_stopped_daemon_leaves_nothing_behind(daemon: Client):
    pid = daemon.health()["pid"]
    stop()
    assert not alive(pid)
    assert not Path(daemon.socket).exists()
    assert endpoint.read_note() is None
    assert describe()["running"] is False
    with pytest.raises(NotListening, match="does not answer") as caught:
        daemon.health()
    assert caught.value.ended_well
    stop()


def test_after_a_kill_no_process_is_left_and_the_next_start_works(daemon: Client, shop: Path):
    daemon.generate(request(shop))
    health = daemon.health()
    os.kill(health["pid"], signal.SIGKILL)
    until(lambda: not alive(health["engine"]["pid"]))
    with pytest.raises(NotListening) as caught:
        daemon.health()
    assert not caught.value.ended_well
    again = connect(command=DAEMON)
    assert again.health()["pid"] != health["pid"]
    assert again.generate(request(shop))["adapter"] == "base"


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_an_unused_daemon_ends(monkeypatch):
    monkeypatch.setenv("PERSONALIZER_IDLE_MINUTES", "0.01")
    pid = connect(command=DAEMON).health()["pid"]
    until(lambda: not alive(pid))
    assert endpoint.read_note() is None


def test_a_request_that_never_comes_whole_keeps_no_daemon_alive(monkeypatch):
    monkeypatch.setenv("PERSONALIZER_IDLE_MINUTES", "0.01")
    client = connect(command=DAEMON)
    pid = client.health()["pid"]
    with half_sent(client):
        until(lambda: not alive(pid), 20)


@contextmanager
def half_sent(client: Client, count: int = 1) -> Iterator[None]:
    """Requests whose bodies stay away."""
    head = b"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
    with ExitStack() as open_ones:
        for _ in range(count):
            wire = open_ones.enter_context(socket.socket(socket.AF_UNIX))
            wire.connect(client.socket)
            wire.sendall(head)
        yield


def test_a_crowd_of_half_sent_requests_keeps_nobody_from_being_answered(daemon: Client):
    with half_sent(daemon, 520):
        assert daemon.health()["running"]
        assert describe()["error"] is None


@pytest.mark.asyncio
async def test_a_body_that_does_not_come_is_not_waited_for():
    async def app(*_: object) -> None:
        raise AssertionError("it is not whole")

    async def receive() -> Message:
        return parts.pop() if parts else await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    parts: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}]
    sent: list[Message] = []
    scope = {"type": "http", "path": "/api/generate", "headers": []}
    await WholeOnly(app, longest=0.05)(scope, receive, send)
    assert sent[0]["status"] == 408
    assert "TooSlow" in sent[1]["body"].decode()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("before", "sent"), [(0, b""), (0, b"GET / HTTP/1.1\r\nHost:"), (1, b"GET / HTTP")]
)
async def test_a_head_that_does_not_come_is_not_waited_for(
    before: int, sent: bytes, tmp_path: Path, monkeypatch
):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.3)  # longer than a head may take
        await Response("there")(scope, receive, send)

    monkeypatch.setattr(HeadInTime, "longest", 0.1)
    config = uvicorn.Config(app, lifespan="off", log_config=None)
    made = partial(HeadInTime, config, ServerState(), {})
    server = await asyncio.get_running_loop().create_unix_server(made, tmp_path / "socket")
    async with server:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        for _ in range(before):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"there")
        writer.write(sent)
        async with asyncio.timeout(2.0):  # between two requests, uvicorn itself waits for 5 s
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


def test_a_model_counts_as_loaded_once_it_has_answered_not_when_its_process_starts(
    daemon: Client, shop: Path
):
    with pytest.raises(EngineError):
        daemon.generate(request(shop, FAILING))
    engine = daemon.health()["engine"]
    assert (engine["pid"] is not None, engine["loaded"]) == (True, False)
    daemon.generate(request(shop))
    assert daemon.health()["engine"]["loaded"]


def test_a_model_nobody_uses_leaves_memory(monkeypatch, shop: Path):
    monkeypatch.setenv("PERSONALIZER_UNLOAD_MINUTES", "0.005")
    try:
        client = connect(command=DAEMON)
        client.generate(request(shop))
        until(lambda: not client.health()["engine"]["loaded"])
        assert client.generate(request(shop))["candidates"]
    finally:
        stop()


def test_a_data_folder_with_a_long_path_gets_its_socket_elsewhere(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PERSONALIZER_DATA_DIR", str(tmp_path / ("long" * 30)))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "absent"))
    try:
        client = connect(command=DAEMON)
        assert not client.socket.startswith(str(daemon_folder()))
        assert stat.S_IMODE(os.stat(Path(client.socket).parent).st_mode) == 0o700
        assert client.health()["socket"] == client.socket
    finally:
        stop()


def test_a_daemon_that_cannot_start_names_the_reason_and_the_log(monkeypatch):
    monkeypatch.setenv("PERSONALIZER_IDLE_MINUTES", "soon")
    with pytest.raises(DaemonError, match=r"idle_minutes must be float.*daemon\.log"):
        connect(command=DAEMON)


def test_a_daemon_whose_log_cannot_be_written_is_not_started():
    endpoint.log_file().mkdir(parents=True)
    with pytest.raises(StorageError, match="set PERSONALIZER_DATA_DIR"):
        connect(command=DAEMON)


def test_a_daemon_of_another_version_is_replaced(daemon: Client, monkeypatch):
    before = daemon.health()["pid"]
    monkeypatch.setattr("personalizer.daemon.client.__version__", "999")
    assert connect(command=DAEMON).health()["pid"] != before


def test_a_second_daemon_is_refused(daemon: Client):
    second = subprocess.run(DAEMON, env=environment(), capture_output=True, timeout=10)
    assert second.returncode == 0
    assert daemon.health()["running"]


def test_the_command_line_finds_all_it_needs():
    assert {"run", "start", "stop", "describe"} <= set(process.__all__)


# ---------------------------------------------------------------- tests and bodies


def test_a_test_is_generated_and_placed(daemon: Client, shop: Path):
    made = daemon.generate(request(shop))
    assert made["focal"] == f"{CART}#Cart#total()"
    assert made["adapter"] == "base"
    assert made["candidates"][0]["parses"]
    assert made["edit"]["file"] == "src/test/java/shop/CartTest.java"
    assert "generated()" in made["edit"]["diff"]
    test = (shop / made["edit"]["file"]).read_bytes()
    assert made["edit"]["sha256"] == hashlib.sha256(test).hexdigest()


def test_a_method_can_be_named(daemon: Client, shop: Path):
    made = daemon.generate(GenerateRequest(str(shop), CART, method="Cart#total"))
    assert made["focal"].endswith("#Cart#total()")


def test_unsaved_text_is_used_and_not_kept(daemon: Client, shop: Path):
    text = SHOP[CART].replace("return 1", "return 11")
    daemon.generate(request(shop, buffers={CART: text}))
    daemon.generate(request(shop))
    prompts = [row["prompt"] or "" for row in asked()]
    # Each asks twice: what was written does not call the method, so a beginning is gone on from.
    assert ["return 11" in prompt for prompt in prompts] == [True, True, False, False]
    assert (shop / CART).read_text() == SHOP[CART]


def test_a_file_that_exists_only_in_the_editor_is_used(daemon: Client, shop: Path):
    path = "src/main/java/shop/Till.java"
    text = "package shop;\n\nclass Till {\n    int open() {\n        return 5;\n    }\n}\n"
    asked_for = GenerateRequest(str(shop), path, 4, n=1, buffers={path: text})
    assert daemon.generate(asked_for)["focal"].startswith(path)
    with pytest.raises(NoSuchMethod):
        daemon.generate(replace(asked_for, buffers={}))


def test_a_file_saved_since_is_seen(daemon: Client, shop: Path):
    daemon.generate(request(shop))
    (shop / CART).write_text(SHOP[CART].replace("return 1", "return 111"))
    daemon.generate(request(shop))
    assert "return 111" in (asked()[-1]["prompt"] or "")
    (shop / CART).unlink()
    with pytest.raises(NoSuchMethod):
        daemon.generate(request(shop))


def test_a_body_is_written(daemon: Client, shop: Path):
    made = daemon.snippet(SnippetRequest(str(shop), CART, SIZE))
    assert made["text"].startswith("@Test void")
    assert made["adapter"] == "base"
    with pytest.raises(BadInput, match="no doc comment"):
        daemon.snippet(SnippetRequest(str(shop), CART, 4))


def test_a_python_body_is_written_from_its_file_alone(daemon: Client, shop: Path):
    text = 'def f(a):\n    """Doubles."""\n'
    made = daemon.snippet(SnippetRequest(str(shop), "f.py", 1, buffers={"f.py": text}))
    assert made["text"].startswith("@Test void")
    assert made["no_edit"] == "what was generated is no complete body"
    assert '"""Doubles."""' in (asked()[-1]["prompt"] or "")
    (shop.parent / "outside.py").write_text(text)
    with pytest.raises(NoSuchMethod, match="no Python file"):
        daemon.snippet(SnippetRequest(str(shop), "../outside.py", 1))


def test_the_serving_adapter_writes_unless_another_is_named(daemon: Client, shop: Path):
    adapter = an_adapter(shop, "lora-x")
    Registry(WorkspaceData(shop).adapters).use("lora-x")
    assert daemon.generate(request(shop))["adapter"] == "lora-x"
    assert daemon.generate(request(shop, adapter="base"))["adapter"] == "base"
    assert [row["adapter"] for row in asked()] == [str(adapter)] * 2 + [None] * 2
    with pytest.raises(AdapterError, match="lora-y"):
        daemon.generate(request(shop, adapter="lora-y"))


def an_adapter(root: Path, name: str) -> Path:
    """An adapter's folder in a workspace's registry; its weights are of no interest."""
    folder = WorkspaceData(root).adapters / name
    staging = WorkspaceData(root).folder / "staging"
    staging.mkdir(parents=True)
    made = manifest(name, trained_at="2026-01-02T03:04:05+00:00")
    Registry(WorkspaceData(root).adapters).add(staging, made, Trained({}, []))
    return folder


# ---------------------------------------------------------------- what goes wrong


def test_bad_requests_are_refused_in_one_line(daemon: Client, shop: Path):
    for wrong, kind, text in (
        (replace(request(shop), workspace="shop"), BadInput, "absolute path"),
        (replace(request(shop), workspace=str(shop / "no")), NotAFolder, "expected a folder"),
        (replace(request(shop), n=0), BadInput, "1 to 20"),
        (replace(request(shop), line=None), BadInput, "a line or a method"),
        (replace(request(shop), line=2), NoSuchMethod, "no method stands"),
        (replace(request(shop), retrieve=-1), SettingsError, "retrieve"),
    ):
        with pytest.raises(kind, match=text):
            daemon.generate(wrong)


def test_bad_http_gets_a_status_and_the_shape_of_an_error(http: httpx.Client):
    for method, path, body, status in (
        ("POST", "/api/generate", b"{}", 400),
        ("POST", "/api/generate", b"\xff\xfe", 400),
        ("POST", "/api/generate", b'{"workspace": 1, "path": "x"}', 400),
        ("POST", "/api/train", b"[]", 400),
        ("POST", "/api/train", b'{"workspace": "/", "method": "magic"}', 400),
        ("POST", "/api/train", b'{"workspace": "/", "budget": "soon"}', 400),
        ("POST", "/api/train", b'{"workspace": "/", "evaluate": 3}', 400),
        ("POST", "/api/train", b'{"workspace": "/", "measure": "yes"}', 400),
        ("GET", "/api/status", None, 400),
        ("GET", "/api/jobs/none", None, 404),
        ("GET", "/api/jobs/none/events", None, 404),
        ("POST", "/api/jobs/none/cancel", None, 404),
        ("GET", "/api/nothing", None, 404),
        ("GET", "/api/generate", None, 405),
    ):
        response = http.request(method, path, content=body)
        assert response.status_code == status, (path, response.text)
        assert set(response.json()["error"]) == {"message", "type"}


def test_an_engine_that_fails_or_dies_is_told(daemon: Client, shop: Path):
    with pytest.raises(EngineError, match="no mind"):
        daemon.generate(request(shop, FAILING))
    with pytest.raises(EngineError, match="died"):
        daemon.generate(request(shop, DEADLY))
    assert daemon.generate(request(shop))["candidates"]


def test_a_cancelled_request_ends_at_once_in_the_client_and_in_the_engine(
    daemon: Client, shop: Path
):
    cancelled = threading.Event()
    thread, results = in_thread(lambda: daemon.generate(request(shop, SLOW), cancelled=cancelled))
    until(lambda: asked() and asked()[-1]["what"] == "waits")
    cancelled.set()
    thread.join(2)
    assert isinstance(results[0], Cancelled)
    until(lambda: asked()[-1]["what"] == "cancelled", 2)


def test_a_client_that_hangs_up_cancels_its_generation(daemon: Client, shop: Path):
    body = msgspec.json.encode(request(shop, SLOW))
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(daemon.socket)
        head = f"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        wire.sendall(head.encode() + body)
        until(lambda: asked() and asked()[-1]["what"] == "waits")
    until(lambda: asked()[-1]["what"] == "cancelled", 2)


def test_a_daemon_that_dies_under_a_request_is_an_error_not_a_wait(daemon: Client, shop: Path):
    pid = daemon.health()["pid"]
    thread, results = in_thread(lambda: daemon.generate(request(shop, SLOW)))
    until(lambda: asked() and asked()[-1]["what"] == "waits")
    os.kill(pid, signal.SIGKILL)
    thread.join(2)
    assert isinstance(results[0], Unreachable)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Client]:
    """A daemon that meets every request with an error that nobody expected."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = failure(KeyError("unexpected"))
            data = msgspec.json.encode(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    path = endpoint.socket_file()
    endpoint.private_folder(path.parent)
    with socketserver.ThreadingUnixStreamServer(str(path), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        note = endpoint.Note(os.getpid(), endpoint.born(psutil.Process()), str(path), __version__)
        endpoint.note_file().write_bytes(msgspec.json.encode(note))
        yield Client(str(path))
        endpoint.note_file().unlink()
        server.shutdown()


def test_a_failure_that_nobody_expected_is_not_taken_for_the_daemons_death(failing: Client):
    with pytest.raises(DaemonError, match=r"failed \(KeyError\)") as raised:
        failing.health()
    assert not isinstance(raised.value, Unreachable)


def test_no_second_daemon_is_started_beside_one_that_fails(failing: Client, tmp_path: Path):
    started = tmp_path / "started"
    with pytest.raises(DaemonError, match=r"failed \(KeyError\)"):
        connect(command=["touch", str(started)])
    assert not started.exists()
    found = describe()
    assert (found["running"], found["pid"]) == (True, os.getpid())
    assert "failed (KeyError)" in found["error"]


@pytest.mark.parametrize(
    "told", ["", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"]
)
def test_a_daemon_that_ends_in_the_middle_of_an_answer_is_said_to_have_ended(
    tmp_path: Path, told: str
):
    class Ending(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if self.rfile.readline():  # a knock has none
                self.wfile.write(told.encode())

    address = str(tmp_path / "door")
    with socketserver.UnixStreamServer(address, Ending) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with pytest.raises(Unreachable, match="ended while it worked: ask again"):
            Client(address).health()
        with pytest.raises(Unreachable, match="ended while it worked: ask again"):
            Client(address).generate(request(tmp_path), cancelled=threading.Event())
        server.shutdown()


@pytest.fixture
def silent() -> Iterator[endpoint.Note]:
    """A daemon that lives and does not answer: this process."""
    born = endpoint.born(psutil.Process())
    note = endpoint.Note(os.getpid(), born, str(endpoint.socket_file()), __version__)
    endpoint.private_folder(endpoint.note_file().parent)
    endpoint.note_file().write_bytes(msgspec.json.encode(note))
    yield note
    endpoint.note_file().unlink()


def test_a_daemon_that_does_not_answer_is_not_said_to_be_dead(silent: endpoint.Note, monkeypatch):
    found = describe()
    assert (found["running"], found["pid"], found["jobs"]) == (True, os.getpid(), [])
    assert (found["uptime_seconds"], found["engine"]) == (None, None)
    assert "does not answer" in found["error"]
    with pytest.raises(Unreachable):
        connect(start=False)
    monkeypatch.setattr(client_module, "_START_SECONDS", 0.5)
    with pytest.raises(Unreachable, match="runs: `personalizer daemon stop` ends it"):
        connect(command=["true"])


def test_a_daemon_is_known_by_its_note_however_the_clock_is_set(silent: endpoint.Note, monkeypatch):
    """psutil adds a process's age at boot to the boot's date, which moves as the clock is set."""
    at_first = psutil.Process.create_time
    boot = psutil.boot_time()
    monkeypatch.setattr(psutil, "boot_time", lambda: boot + 3600)
    monkeypatch.setattr(psutil.Process, "create_time", lambda one: at_first(one) + 3600)
    assert describe()["running"]


def test_who_comes_while_a_daemon_ends_gets_the_next_one(silent: endpoint.Note):
    """The one that is started meanwhile makes way for the one that ends."""
    busy = FileLock(endpoint.lock_file())
    busy.acquire()
    thread, results = in_thread(lambda: connect(command=DAEMON).health()["pid"])
    until(lambda: psutil.Process().children())
    until(lambda: not any(alive(one.pid) for one in psutil.Process().children()))
    endpoint.note_file().rename(endpoint.note_file().with_name("gone"))
    busy.release()
    thread.join(20)
    stop()
    assert isinstance(results[0], int)
    endpoint.note_file().touch()


def test_stopping_does_not_wait_for_a_generation(daemon: Client, shop: Path):
    thread, _ = in_thread(lambda: daemon.generate(request(shop, SLOW)))
    until(lambda: asked() and asked()[-1]["what"] == "waits")
    began = time.monotonic()
    stop()
    assert time.monotonic() - began < 7
    thread.join(2)
    assert not thread.is_alive()


# ---------------------------------------------------------------- trainings


def test_a_training_is_followed_to_its_end(daemon: Client, http: httpx.Client, shop: Path):
    job = daemon.train(TrainRequest(str(shop)))
    events = []
    with http.stream("GET", f"/api/jobs/{job.id}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                events.append(json.loads(line.removeprefix("data: ")))
    assert events[-1]["state"] == "done"
    assert events[-1]["result"]["adapter"] == "lora-1"
    assert daemon.job(job.id).state == "done"
    assert [one.id for one in daemon.jobs()] == [job.id]
    assert daemon.status(str(shop))["job"]["id"] == job.id


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({}, "train"),
        ({"measure": False, "evaluate": None, "warm": True}, "train"),
        ({"measure": True}, "measure"),
        ({"evaluate": {"folds": 2}, "limit": 8}, "evaluate"),
        ({"evaluate": {}, "measure": True}, "evaluate"),
    ],
)
def test_the_keys_of_a_request_say_what_is_done(http: httpx.Client, shop: Path, keys, kind):
    job = http.post("/api/train", json={"workspace": str(shop), **keys})
    assert (job.status_code, job.json()["kind"]) == (202, kind)


def test_a_training_is_cancelled_through_the_daemon(daemon: Client, shop: Path):
    (shop / "training.json").write_text('{"steps": 1000}')
    job = daemon.train(TrainRequest(str(shop)))
    daemon.cancel(job.id)
    until(lambda: daemon.job(job.id).state == "cancelled")


@pytest.mark.parametrize("what", ["test", "body", "completion"])
def test_a_training_stands_still_while_the_model_writes(
    daemon: Client, http: httpx.Client, shop: Path, what: str
):
    cancelled = threading.Event()

    def ask() -> None:
        if what == "test":
            daemon.generate(request(shop, SLOW), cancelled=cancelled)
        elif what == "body":
            buffers = {"f.py": 'def slow(a):\n    """Doubles."""\n'}
            wanted = SnippetRequest(str(shop), "f.py", 1, buffers=buffers)
            daemon.snippet(wanted, cancelled=cancelled)
        else:
            body = {"model": "base", "prompt": "dripping", "stream": True}
            with http.stream("POST", "/v1/completions", json=body) as stream:
                next(line for line in stream.iter_lines() if cancelled.is_set())

    (shop / "training.json").write_text('{"steps": 1000, "pause": 0.02}')
    log = shop / "training.log"
    daemon.train(TrainRequest(str(shop)))
    until(lambda: log.exists() and "step 1" in log.read_text())
    thread, _ = in_thread(ask)
    until(lambda: asked() and asked()[-1]["what"] == "waits")
    time.sleep(0.1)
    held = log.read_text()
    time.sleep(0.3)
    assert log.read_text() == held
    cancelled.set()
    thread.join(2)
    until(lambda: log.read_text() != held)


def test_a_training_survives_the_death_of_its_daemon(daemon: Client, shop: Path):
    (shop / "training.json").write_text('{"steps": 40}')
    log = shop / "training.log"
    job = daemon.train(TrainRequest(str(shop)))
    until(lambda: log.exists() and "step 1" in log.read_text())
    os.kill(daemon.health()["pid"], signal.SIGKILL)
    again = connect(command=DAEMON)
    until(lambda: again.job(job.id).state == "done")
    assert log.read_text().count("start") == 1


# ---------------------------------------------------------------- status


def test_status_says_what_the_command_line_says(daemon: Client, shop: Path):
    status = daemon.status(str(shop))
    assert status["freshness"] == "none"
    assert status["job"] is None
    assert status["daemon"]["pid"] == daemon.health()["pid"]


# ---------------------------------------------------------------- OpenAI's shapes


def test_models_are_the_base_and_the_adapters(http: httpx.Client, shop: Path):
    an_adapter(shop, "lora-x")
    rows = {row["id"]: row for row in http.get("/v1/models").json()["data"]}
    assert set(rows) == {"starter", "base", "lora-x"}
    assert all(http.get(f"/v1/models/{name}").json() == row for name, row in rows.items())
    assert rows["lora-x"]["object"] == "model"
    assert rows["lora-x"]["parent"] == "starter"
    assert rows["lora-x"]["created"] == 1767323045


def test_completions_have_openais_shape(http: httpx.Client, shop: Path):
    adapter = an_adapter(shop, "lora-x")
    body = {"model": "lora-x", "prompt": "one two", "max_tokens": 3, "n": 2}
    made = http.post("/v1/completions", json=body).json()
    assert made["object"] == "text_completion"
    assert made["model"] == "lora-x"
    assert [(c["index"], c["text"], c["finish_reason"]) for c in made["choices"]] == [
        (0, "@Test void generated()", "length"),
        (1, "@Test void generated()", "length"),
    ]
    assert made["usage"] == {"prompt_tokens": 2, "completion_tokens": 6, "total_tokens": 8}
    assert asked()[-1]["adapter"] == str(adapter)


def test_several_prompts_are_answered_in_their_order(http: httpx.Client):
    body = {"model": "base", "prompt": ["a", "b c"], "max_tokens": 2}
    made = http.post("/v1/completions", json=body).json()
    assert [c["index"] for c in made["choices"]] == [0, 1]
    assert made["usage"]["prompt_tokens"] == 3


def test_a_completion_streams(http: httpx.Client):
    body = {"model": "starter", "prompt": "one", "max_tokens": 50, "stream": True}
    with http.stream("POST", "/v1/completions", json=body) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in stream.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    choices = [json.loads(line)["choices"][0] for line in lines[:-1]]
    assert "".join(c["text"] for c in choices) == "@Test void generated() { assertEquals(1, 1); }"
    assert [c["finish_reason"] for c in choices] == [None] * 7 + ["stop"]


def test_errors_have_openais_shape(http: httpx.Client):
    for body, status, text in (
        ({"prompt": "x"}, 400, "model"),
        ({"model": "nobody", "prompt": "x"}, 404, "nobody"),
        ({"model": "base", "prompt": "x", "suffix": "y"}, 400, "suffix is not supported"),
        ({"model": "base", "prompt": "x", "temperature": 9}, 400, "temperature"),
        ({"model": "base", "prompt": ["x", "y"], "stream": True}, 400, "one prompt"),
        ({"model": "base", "prompt": "failing"}, 502, "no mind"),
        ({"model": "base", "prompt": "failing", "stream": True}, 502, "no mind"),
    ):
        response = http.post("/v1/completions", json=body)
        assert response.status_code == status, response.text
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert text in error["message"]


def test_errors_of_routes_have_openais_shape_below_v1(http: httpx.Client):
    for method, path, status, code in (
        ("GET", "/v1/nothing", 404, "BadInput"),
        ("GET", "/v1", 404, "BadInput"),
        ("GET", "/v1/completions", 405, "BadInput"),
        ("GET", "/v1/models/nobody", 404, "model_not_found"),
        ("GET", "/v1/models/nobody/nothing", 404, "model_not_found"),
    ):
        response = http.request(method, path)
        assert response.status_code == status, (path, response.text)
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert set(http.get("/v1x").json()["error"]) == {"message", "type"}


def test_a_stream_that_is_left_is_cancelled(http: httpx.Client):
    body = {"model": "base", "prompt": "slow", "stream": True}
    with (
        pytest.raises(httpx.ReadTimeout),
        http.stream("POST", "/v1/completions", json=body, timeout=0.5),
    ):
        raise AssertionError("nothing was to be read")
    until(lambda: [one["what"] for one in asked()][-1:] == ["cancelled"], 10)


# ---------------------------------------------------------------- what it never loads


def test_the_daemon_imports_no_torch(shop: Path):
    """Not when it is imported, and not while it answers."""
    code = """
import asyncio, sys
import httpx
from personalizer.daemon import process
from personalizer.daemon.app import Activity, create
from personalizer.daemon.jobs import Jobs
from personalizer.daemon.service import Service
from personalizer.engine.child import ChildEngine
from personalizer.processes import module_command

engine = ChildEngine(command=module_command("tests.fake_parts", "engine"))
app = create(Service(engine, Jobs(), "socket"), Activity())

async def main(root):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        answers = [
            await http.get("/api/status", params={"workspace": root}),
            await http.get("/api/health"),
            await http.get("/v1/models"),
            await http.post("/v1/completions", json={"model": "base", "prompt": "x"}),
            await http.post(
                "/api/generate", json={"workspace": root, "path": sys.argv[2], "line": 4, "n": 1}
            ),
        ]
        asked = {"workspace": root, "base": "nobody/nothing"}
        refused = [
            await http.post("/api/train", json=asked),
            await http.post("/api/train", json=asked | {"evaluate": {"methods": "lora"}}),
        ]
    assert [a.status_code for a in answers] == [200] * 5, [a.text for a in answers]
    assert [a.status_code for a in refused] == [404] * 2, [a.text for a in refused]

asyncio.run(main(sys.argv[1]))
engine.close()
loaded = {"torch", "transformers", "peft", "tokenizers", "safetensors"} & set(sys.modules)
assert not loaded, loaded
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(shop), CART],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- its documentation


API = (Path(__file__).parent.parent / "docs" / "api.md").read_text()


def test_every_route_is_documented_and_no_other():
    service = Service(ChildEngine(), Jobs(), "socket")
    routes = {
        f"{method} {route.path_format}"
        for route in [*create(service, Activity()).routes, *router(service, Turns()).routes]
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    service.jobs.stop()
    named = re.findall(r"`((?:GET|POST) /[^`?]*)", API)
    assert sorted(named) == sorted({*routes, "GET /openapi.json"})


@pytest.mark.parametrize(
    "record",
    [
        GenerateRequest,
        SnippetRequest,
        TrainRequest,
        MeasureRequest,
        EvaluateRequest,
        Evaluation,
        Job,
        Progress,
        CompletionRequest,
    ],
)
def test_every_field_is_documented(record):
    missing = [field.name for field in dataclasses.fields(record) if f"`{field.name}`" not in API]
    assert not missing


def test_errors_have_the_status_that_is_documented():
    for status, names in re.findall(r"^\| (\d{3}) \| (.*?) \|$", API, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            kind = getattr(errors, name, None) or getattr(indexer.errors, name)
            assert failure(kind("x"))[0] == int(status), name


# ---------------------------------------------------------------- the real model


@pytest.mark.slow
def test_a_real_model_writes_through_the_whole_chain(shop: Path, tiny_base: Path, monkeypatch):
    monkeypatch.setenv("PERSONALIZER_BASE", str(tiny_base))
    try:
        client = connect()
        first = client.generate(replace(request(shop), n=3))
        clock = {"seconds": first["seconds"], "times": first["times"]}
        assert first == client.generate(replace(request(shop), n=3)) | clock
        assert first["adapter"] == "base"
    finally:
        stop()
