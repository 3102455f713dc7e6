"""Random kills over serving and training: is anything lost, is anything left over?

    python benchmarks/faults.py [KILLS] [--real]

Four clients ask for completions, two projects are trained all the time, and something kills the
daemon, the model's process, the training, or all of them at once, at random moments. A client
whose daemon has died asks again, as an editor does. Model and training are the fakes of the tests,
so that there is much to kill in little time; with ``--real``, a tiny model answers and is trained.

Checked: every completion that was asked for came, and came whole; every training that was accepted
is known afterwards and has ended well; no process is left. Prints a table and a JSON line; exits 1
on a failure.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from personalizer.daemon.client import connect, describe, stop
from personalizer.daemon.protocol import Job, TrainRequest
from personalizer.errors import PersonalizerError
from personalizer.processes import module_command
from tests.java_project import project_files, write_project

CLIENTS = 4
SECONDS_OF_LIFE = 2.5
"""From the daemon's answer to the next kill, on average."""
HITS_A_START = 0.2
"""Share of the kills that do not wait until the daemon answers."""
PATIENCE = 900.0
"""Seconds that the accepted trainings have to end after the last kill."""
KINDS = {
    "daemon": ("tests.fake_parts daemon", "personalizer.daemon"),
    "model": ("tests.fake_parts engine", "personalizer.engine.serve"),
    "training": ("tests.fake_parts training", "personalizer train"),
}


@dataclass
class Run:
    """What goes on, and what came of it."""

    command: list[str]
    data: Path
    roots: list[Path]
    real: bool
    over: threading.Event = field(default_factory=threading.Event)
    counts: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    ended: dict[str, Job] = field(default_factory=dict)
    """Trainings that were seen to have ended: the daemon keeps the newest of them only."""
    failures: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Seconds from a question to its answer, whatever died meanwhile."""


def ask(run: Run) -> None:
    """One client: asks until it is answered, again and again."""
    wanted: str | None = None if run.real else "@Test void generated()"
    body = {"model": "base", "prompt": "class Cart {", "max_tokens": 3, "temperature": 0}
    while not run.over.is_set():
        begun = time.monotonic()
        while True:
            try:
                transport = httpx.HTTPTransport(uds=connect(command=run.command).socket)
                with httpx.Client(transport=transport, base_url="http://daemon") as http:
                    answer = http.post("/v1/completions", json=body, timeout=120)
                if answer.status_code == 200:
                    break
                run.counts[f"refused ({answer.json()['error']['code']})"] += 1
            except (httpx.HTTPError, PersonalizerError):
                run.counts["asked again"] += 1
            if time.monotonic() - begun > 300:
                run.failures.append("a client was not answered for five minutes")
                return
            time.sleep(0.05)
        run.waits.append(time.monotonic() - begun)
        text = answer.json()["choices"][0]["text"]
        wanted = text if wanted is None else wanted
        if text != wanted:
            run.failures.append(f"answered {text!r} instead of {wanted!r}")
        run.counts["completions"] += 1
        time.sleep(0.1)


def train(run: Run) -> None:
    """Keeps one training of each project in the queue."""
    number = 0
    while not run.over.is_set():
        for root in run.roots:
            number += 1
            try:
                daemon = connect(command=run.command)
                jobs = daemon.jobs()
                run.ended |= {job.id: job for job in jobs if job.ended_at}
                if all(job.ended_at for job in jobs if job.workspace == str(root)):
                    # A limit of its own, so that it is not taken for the one before.
                    request = TrainRequest(str(root), limit=1000 + number)
                    run.accepted.add(daemon.train(request).id)
            except PersonalizerError:
                run.counts["asked again"] += 1
        run.over.wait(0.5)


def ours(data: Path) -> dict[int, tuple[str, psutil.Process]]:
    """Processes of this run with their kind, by the data folder in their environment."""
    found = {}
    for one in psutil.process_iter():
        try:
            if one.pid == os.getpid() or one.environ().get("PERSONALIZER_DATA_DIR") != str(data):
                continue
            if one.status() != psutil.STATUS_ZOMBIE:
                line = " ".join(one.cmdline())
                kinds = (kind for kind, marks in KINDS.items() if any(m in line for m in marks))
                found[one.pid] = next(kinds, "other"), one
        except psutil.Error:
            continue
    return found


def kill(run: Run, kills: int) -> None:
    """Kills so many times, at random moments."""
    done = 0
    while done < kills and not run.failures:
        waits = random.random() > HITS_A_START
        while waits and not describe()["running"]:
            time.sleep(0.2)
        time.sleep(random.expovariate(1 / SECONDS_OF_LIFE))
        alive = [row for row in ours(run.data).values() if row[0] != "other"]
        kinds = sorted({kind for kind, _ in alive})
        if not kinds:
            continue
        kind = random.choice([*kinds, "all at once"] if len(kinds) > 1 else kinds)
        for of, process in alive:
            if kind in (of, "all at once"):
                try:
                    process.kill()
                except psutil.Error:
                    continue
        run.counts[f"killed: {kind}"] += 1
        done += 1


def check(run: Run) -> None:
    """Waits for the trainings, and looks for what is lost or left over."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            jobs = {job.id: job for job in connect(command=run.command).jobs()}
        except PersonalizerError:
            continue
        if all(job.ended_at for job in jobs.values()):
            break
        time.sleep(0.5)
    jobs = run.ended | jobs
    for job_id in sorted(run.accepted):
        job = jobs.get(job_id)
        if job is None:
            run.failures.append(f"{job_id} is lost")
        elif job.state != "done":
            run.failures.append(f"{job_id} is {job.state}: {job.reason}")
    run.counts["trainings accepted"] = len(run.accepted)
    run.counts["trainings done"] = sum(job.state == "done" for job in jobs.values())
    stop()
    end = time.monotonic() + 20
    while (left := ours(run.data)) and time.monotonic() < end:
        time.sleep(0.2)
    if left:
        run.failures.append(f"left over: {[kind for kind, _ in left.values()]}")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("kills", type=int, nargs="?", default=200)
    arguments.add_argument("--real", action="store_true")
    arguments.add_argument("--seed", type=int, default=0)
    chosen = arguments.parse_args()
    random.seed(chosen.seed)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        run = prepared(folder, real=chosen.real)
        threads = [threading.Thread(target=ask, args=(run,)) for _ in range(CLIENTS)]
        threads.append(threading.Thread(target=train, args=(run,)))
        for thread in threads:
            thread.start()
        try:
            kill(run, chosen.kills)
        finally:
            run.over.set()
            for thread in threads:
                thread.join()
            check(run)
    waits = sorted(run.waits)
    told = {
        "kills": chosen.kills,
        "real": chosen.real,
        "seconds": round(time.monotonic() - begun, 1),
        **dict(sorted(run.counts.items())),
        "median_wait_seconds": round(waits[len(waits) // 2], 3) if waits else None,
        "longest_wait_seconds": round(waits[-1], 3) if waits else None,
        "failures": run.failures,
    }
    for what, value in told.items():
        print(f"{what:40} {value}")
    print(json.dumps(told))
    sys.exit(1 if run.failures else 0)


def prepared(folder: Path, *, real: bool) -> Run:
    """Two projects, an empty data folder, and the daemon's command line."""
    data = folder / "data"
    data.mkdir()
    os.environ |= {"PERSONALIZER_DATA_DIR": str(data), "PERSONALIZER_WARM": "false"}
    os.environ["PERSONALIZER_CONFIG"] = str(data / "personalizer.toml")
    roots = []
    for name in ("one", "two"):
        root = write_project(folder / name, project_files(classes=6)).resolve()
        (root / "training.json").write_text(
            json.dumps({"steps": 40, "pause": 0.05, "resumes": True})
        )
        roots.append(root)
    if not real:
        return Run(module_command("tests.fake_parts", "daemon"), data, roots, real)
    from tests.tiny_model import make_tiny_base

    os.environ |= {
        "PERSONALIZER_BASE": str(make_tiny_base(folder / "tiny")),
        "PERSONALIZER_EPOCHS": "2",
        "PERSONALIZER_CONTEXT_TOKENS": "700",
        "PERSONALIZER_GATE_METHODS": "0",
    }
    return Run(module_command("personalizer.daemon"), data, roots, real)


if __name__ == "__main__":
    main()
