"""How much longer an editor waits for a test while a training runs, and how much slower a build is.

    python benchmarks/neighbour.py [--requests 12]

A real daemon with the starter model answers the same request for a test before, during and after a
training of the example project. Before and during it a program of its own session keeps all
processors busy, as a build does, and tells what it has of them. Prints a table and a JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from personalizer.daemon.client import Client, connect, stop
from personalizer.daemon.protocol import GenerateRequest, TrainRequest

LEDGER = Path(__file__).parent.parent / "examples" / "ledger"
GAP = 1.5
"""Seconds between two requests, in which a training goes on."""
BUILD = """
import multiprocessing, time

def work(seconds):
    begun, end = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(10_000))
    return (time.process_time() - begun) / seconds

with multiprocessing.get_context("fork").Pool() as pool:
    count = multiprocessing.cpu_count()
    print(sum(pool.map(work, [6.0] * count, 1)) / count)
"""


def latencies(daemon: Client, request: GenerateRequest, count: int) -> list[float]:
    """Seconds of so many requests, one after the other."""
    found = []
    for _ in range(count):
        time.sleep(GAP)
        begun = time.perf_counter()
        daemon.generate(request)
        found.append(time.perf_counter() - begun)
    return found


def built() -> float:
    """The share of the processors' time that a build has for a few seconds."""
    command = [sys.executable, "-c", BUILD]
    return float(subprocess.check_output(command, start_new_session=True))


def measured(root: Path, requests: int) -> dict[str, object]:
    daemon = connect()
    source = next(p for p in sorted(root.rglob("*.java")) if p.name == "Account.java")
    method = f"{source.stem}#{first_method(source)}"
    path = source.relative_to(root).as_posix()
    request = GenerateRequest(str(root), path, method=method, n=1, run=False, adapter="base")
    latencies(daemon, request, 2)  # loads the model
    before = latencies(daemon, request, requests)
    build_before = built()
    job = daemon.train(TrainRequest(str(root), budget="30m"))
    steps_before = 0
    while (now := daemon.job(job.id)).progress is None or now.progress.step < 2:
        if now.ended_at:
            raise SystemExit(f"the training ended early: {now.reason}")
        time.sleep(0.5)
    assert now.progress is not None
    steps_before = now.progress.step
    during = latencies(daemon, request, requests)
    build_during = built()
    after_training = daemon.job(job.id)
    daemon.cancel(job.id)
    while daemon.job(job.id).ended_at is None:
        time.sleep(0.2)
    after = latencies(daemon, request, requests)
    steps = after_training.progress.step if after_training.progress else 0
    quiet = statistics.median(before + after)
    return {
        "requests": requests,
        "before_seconds": round(statistics.median(before), 3),
        "during_seconds": round(statistics.median(during), 3),
        "after_seconds": round(statistics.median(after), 3),
        "ratio_of_medians": round(statistics.median(during) / quiet, 2),
        "longest_quiet_seconds": round(max(before + after), 3),
        "longest_during_seconds": round(max(during), 3),
        "build_share_before": round(build_before, 2),
        "build_share_during": round(build_during, 2),
        "training_steps_meanwhile": steps - steps_before,
        "training_still_ran": after_training.ended_at is None,
        "load_average": os.getloadavg()[0],
    }


def first_method(source: Path) -> str:
    """The first public method of a class with a body."""
    for line in source.read_text().splitlines():
        words = line.strip()
        if words.startswith("public ") and "(" in words and words.endswith("{"):
            name = words.split("(")[0].split()[-1]
            if name != source.stem and "class" not in words and "record" not in words:
                return name
    raise SystemExit(f"no method in {source}")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--requests", type=int, default=12)
    requests = arguments.parse_args().requests
    with tempfile.TemporaryDirectory(prefix="neighbour-") as name:
        data = Path(name, "data")
        data.mkdir()
        os.environ |= {
            "PERSONALIZER_DATA_DIR": str(data),
            "PERSONALIZER_CONFIG": str(data / "personalizer.toml"),
            "PERSONALIZER_EPOCHS": "200",
            "PERSONALIZER_PATIENCE": "1000",
        }
        root = Path(shutil.copytree(LEDGER, Path(name, "ledger"))).resolve()
        try:
            told = measured(root, requests)
        finally:
            stop()
    for what, value in told.items():
        print(f"{what:30} {value}")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
