"""The daemon among strangers, without a network, on a full disk, under a crowd, and killed."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from psutil import Process

from personalizer.adapters import Registry
from personalizer.daemon.client import Client, connect, stop
from personalizer.daemon.protocol import GenerateRequest, TrainRequest
from personalizer.daemon.runs import Files, found
from personalizer.processes import environment, module_command
from personalizer.storage import WorkspaceData, data_folder
from tests.editors.editor import CART_PATH
from tests.fake_parts import DAEMON, asked
from tests.java_project import project_files, write_project
from tests.waiting import until


def a_test_of(shop: Path) -> GenerateRequest:
    return GenerateRequest(str(shop), CART_PATH, method="Cart#total", n=1)


def works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


# ---------------------------------------------------------------- strangers and networks


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_another_users_process_cannot_connect(daemon: Client, tmp_path_factory):
    code = f"""
import os, socket
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    socket.socket(socket.AF_UNIX).connect({daemon.socket!r})
except PermissionError:
    raise SystemExit(7)
"""
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 7
        for folder in Path(daemon.socket).parents:  # the socket itself is closed to others too
            if folder.is_relative_to(tmp_path_factory.getbasetemp().parent):
                folder.chmod(0o755)


def test_nothing_listens_beyond_loopback(daemon: Client, shop: Path):
    daemon.generate(a_test_of(shop))
    assert addresses(daemon) == set()
    daemon.view(str(shop))
    assert addresses(daemon) == {"127.0.0.1"}


def test_on_loopback_only_who_has_the_token_is_answered(monkeypatch):
    monkeypatch.setenv("PERSONALIZER_LOOPBACK", "true")
    try:
        daemon = connect(command=DAEMON)
        health = daemon.health()
        assert addresses(daemon) == {"127.0.0.1"}
        file = Path(health["token_file"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with httpx.Client(base_url=health["url"], timeout=60) as http:
            for given in ({}, {"Authorization": "Bearer wrong"}):
                answer = http.get("/api/health", headers=given)
                assert answer.status_code == 401
                assert "bearer token" in answer.json()["error"]["message"]
                error = http.get("/v1/models", headers=given).json()["error"]
                assert set(error) == {"message", "type", "param", "code"}
            right = {"Authorization": f"Bearer {file.read_text()}"}
            assert http.get("/api/health", headers=right).json()["pid"] == health["pid"]
    finally:
        stop()


def addresses(daemon: Client) -> set[str]:
    """Where the daemon and its children listen, Unix sockets apart."""
    one = psutil.Process(daemon.health()["pid"])
    rows = [row for p in (one, *one.children(recursive=True)) for row in p.net_connections("inet")]
    return {row.laddr.ip for row in rows if row.status == psutil.CONN_LISTEN}


@pytest.mark.skipif(not works(["unshare", "-rn", "true"]), reason="no network can be cut off here")
def test_with_the_network_cut_nothing_changes(shop: Path):
    try:
        client = connect(command=["unshare", "-rn", *DAEMON])
        assert client.generate(a_test_of(shop))["edit"]
        assert client.status(str(shop))["freshness"] == "none"
    finally:
        stop()


# ---------------------------------------------------------------- crowds


def test_two_hundred_clients_at_once_are_all_answered(daemon: Client):
    def ask(number: int) -> str:
        transport = httpx.HTTPTransport(uds=daemon.socket, verify=False)
        body = {"model": "base", "prompt": f"client {number}", "max_tokens": 3}
        with httpx.Client(transport=transport, base_url="http://daemon", timeout=120) as http:
            answer = http.post("/v1/completions", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["choices"][0]["text"])

    with ThreadPoolExecutor(200) as pool:
        texts = list(pool.map(ask, range(200)))
    assert texts == ["@Test void generated()"] * 200
    assert {row["prompt"] for row in asked()} == {f"client {n}" for n in range(200)}


def test_a_request_too_large_is_refused_without_being_read(daemon: Client):
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(daemon.socket)
        wire.sendall(b"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n{")
        answer = ""
        while "}}" not in answer and (part := wire.recv(10_000)):
            answer += part.decode()
    assert answer.startswith("HTTP/1.1 413")
    assert "at most 32 MiB" in answer


def test_a_client_that_leaves_in_mid_stream_ends_its_generation(daemon: Client):
    transport = httpx.HTTPTransport(uds=daemon.socket, verify=False)
    body = {"model": "base", "prompt": "dripping", "stream": True, "max_tokens": 1000}
    with httpx.Client(transport=transport, base_url="http://daemon", timeout=60) as http:
        with http.stream("POST", "/v1/completions", json=body) as stream:
            next(stream.iter_lines())
        left = time.time()
    until(lambda: [one for one in asked() if one["what"] == "cancelled"], 60)
    assert asked()[-1]["at"] - left < 2.0  # 100 ms where the machine has time


# ---------------------------------------------------------------- full disks


on_a_small_disk = pytest.mark.skipif(
    os.getuid() != 0 or not works(["unshare", "-m", "true"]), reason="only root can mount a disk"
)


def small_disk(*arguments: str) -> dict[str, Any]:
    """What ``tests.full_disk`` tells, its data folder a disk of 4 MiB."""
    mounted = f"mount -t tmpfs -o size=4m,mode=0700 small {data_folder()}"
    inside = module_command("tests.full_disk", *arguments)
    done = subprocess.run(
        [*("unshare", "-m", "sh", "-c", f'{mounted} && exec "$@"', "sh"), *inside],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@on_a_small_disk
def test_on_a_full_disk_errors_are_clear_and_nothing_is_lost(shop: Path):
    """The data folder is filled up and emptied again."""
    told = small_disk(str(shop), "while-training")
    assert told["refused"] == "StorageError", told
    assert "No space left" in told["message"] or "full" in told["message"], told
    assert set(told["states"]) == {"done"}, told
    assert told["health_when_full"], told
    assert told["not_kept"] == [], told


@on_a_small_disk
def test_at_whichever_write_the_disk_is_full_errors_are_clear_and_nothing_is_lost(shop: Path):
    pages = os.environ.get("FULL_DISK_PAGES", "0,2,5,11")
    told = small_disk(str(shop), "at-each-write", pages)
    assert told["counts"]["start refused"] > 0, told
    assert told["counts"]["training refused"] > 0, told
    assert all("full" in said for said in (*told["messages"], *told["reasons"])), told
    assert set(told["states"]) <= {"done", "failed"}, told
    assert told["states"]["done"] >= len(pages.split(",")), told
    assert told["not_kept"] == [], told


# ---------------------------------------------------------------- the real training, killed


@pytest.mark.slow
def test_a_training_that_is_killed_everywhere_makes_the_adapter_of_an_unbroken_one(
    tiny_base: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("PERSONALIZER_BASE", str(tiny_base))
    monkeypatch.setenv("PERSONALIZER_BUDGET", "10m")
    for name, value in {
        "EPOCHS": 12,  # it must not end before the last kill
        "PATIENCE": 99,
        "BATCH_SIZE": 2,
        "CONTEXT_TOKENS": 700,
        "WARM": "false",
    }.items():
        monkeypatch.setenv(f"PERSONALIZER_{name}", str(value))
    weights = []
    for name in ("whole", "broken"):
        root = write_project(tmp_path / name / "shapes", project_files(classes=6))
        try:
            weights.append(trained_weights(root, kills=name == "broken"))
        finally:
            stop()
    assert weights[0] == weights[1]


def trained_weights(root: Path, *, kills: bool) -> bytes:
    """The adapter that a training through the daemon makes, whatever is killed meanwhile."""
    job = connect().train(TrainRequest(str(root)))
    log = Files.of(str(root), job.id)
    if kills:
        goes_on(log)
        stop()  # as a user would: the step that it has reached is kept
        for victims in ("training", "daemon", "training and daemon"):
            daemon = connect().health()["pid"]
            goes_on(log)
            training = found(job.id, log)
            assert training is not None
            for name, process in (("training", training.process), ("daemon", Process(daemon))):
                if name in victims:
                    process.kill()
                    process.wait(30)
    until(lambda: connect().job(job.id).state not in ("queued", "running"), 300)
    ended = connect().job(job.id)
    assert ended.state == "done", ended.reason
    assert ended.result is not None
    adapter = Registry(WorkspaceData(root).adapters).get(str(ended.result["adapter"]))
    return (adapter.folder / "adapter_model.safetensors").read_bytes()


def goes_on(log: Files) -> None:
    """Waits until a training has made another step."""
    before = len([one for one in log.told() if one.phase == "train"])
    until(lambda: len([one for one in log.told() if one.phase == "train"]) > before, 120)
