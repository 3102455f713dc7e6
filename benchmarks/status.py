"""How long does ``personalizer status`` take on ten thousand files, as a process?

    python -m benchmarks.status [FILES [ROUNDS]]

A project of FILES classes and tests is made, under git, with an adapter that serves, trained on
all pairs but some hundred that changed since, and with its loss on these kept. Then ROUNDS
processes ask for the status with a warm index. Wall time is that of the whole process; CPU time,
its own and the system's, is what a busy machine does not change as much. Modules may be kept
compiled, as where the package is installed. Parts are the same call inside one process, where
modules are loaded. Prints a table and a JSON line; seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from benchmarks.latency import make_large
from indexer import index_folder
from personalizer import freshness
from personalizer.adapters import Registry
from personalizer.freshness import Measured, keep_measured
from personalizer.processes import environment, module_command
from personalizer.storage import WorkspaceData
from tests.test_adapters import manifest

FILES, ROUNDS = 10_000, 20
CHANGED = 100
"""Pairs that are not as trained on."""


def with_adapter(root: Path) -> None:
    """Lets an adapter serve, of an earlier commit, with its loss on the new pairs kept."""
    commit = _committed(root)
    _git(root, "commit", "-q", "--allow-empty", "-m", "later")
    snapshot, _ = index_folder(root)
    seen = freshness.trained_on(snapshot)
    changed = sorted(seen.pairs)[:CHANGED]
    then = seen.pairs | dict.fromkeys(changed, "another")
    data = WorkspaceData(root)
    registry = Registry(data.adapters)
    staging = registry.staging()
    save_file({"w": np.ones(3, np.float32)}, str(staging / "adapter_model.safetensors"))
    registry.add(staging, manifest("lora-1", commit=commit), replace(seen, pairs=then))
    registry.use("lora-1")
    digests = [seen.pairs[name] for name in changed]
    keep_measured(data, Measured("lora-1", "2026-01-01T00:00:00+00:00", digests, 2.0, 1.5))


def _committed(root: Path) -> str:
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "first")
    return _git(root, "rev-parse", "HEAD").strip()


def _git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    command = ["git", "-C", str(root), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def process(root: Path) -> dict[str, object]:
    """One process of the command; fails if it loaded torch."""
    command = module_command("personalizer", "status", str(root), "--json")
    done = subprocess.run(
        [command[0], "-X", "importtime", *command[1:]],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"torch", "transformers", "numpy"}, sorted(loaded)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def timed(act: Callable[[], object], who: int) -> tuple[float, float]:
    """Seconds of wall and of CPU, of this process or of its children."""
    before, begun = resource.getrusage(who), time.perf_counter()
    act()
    wall, after = time.perf_counter() - begun, resource.getrusage(who)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, spent


def measure(root: Path, rounds: int) -> dict[str, dict[str, float]]:
    command = module_command("personalizer", "status", str(root), "--json")

    def asked() -> None:
        subprocess.run(command, env=environment(), check=True, capture_output=True)

    asked()  # reads the files and keeps what they hold
    acts: dict[str, tuple[Callable[[], object], int]] = {
        "personalizer status": (asked, resource.RUSAGE_CHILDREN),
        "of it, in a loaded process": (lambda: freshness.status(root), resource.RUSAGE_SELF),
        "a bare python": (
            lambda: subprocess.run([sys.executable, "-c", ""], check=True),
            resource.RUSAGE_CHILDREN,
        ),
    }
    found = {}
    for name, (act, who) in acts.items():
        rows = [timed(act, who) for _ in range(rounds)]
        walls, spent = zip(*rows, strict=True)
        found[name] = {
            "wall median": statistics.median(walls),
            "wall longest": max(walls),
            "wall least": min(walls),
            "cpu median": statistics.median(spent),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="?", type=int, default=FILES)
    parser.add_argument("rounds", nargs="?", type=int, default=ROUNDS)
    args = parser.parse_args()
    files, rounds = args.files, args.rounds
    with tempfile.TemporaryDirectory(prefix="status-") as name:
        root = Path(name, "shop")
        os.environ["PERSONALIZER_DATA_DIR"] = str(Path(name, "data"))
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        make_large(root, files)
        with_adapter(root)
        time.sleep(2.5)  # files as young as that are read again
        said = process(root)
        assert said["loss_on_new"], said
        found = measure(root, rounds)
    print(f"{files} files, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{said['freshness']}: {said['why']}")
    heads = list(next(iter(found.values())))
    print(f"{'':30}" + "".join(f"{head:>14}" for head in heads))
    for one, row in found.items():
        print(f"{one:30}" + "".join(f"{row[head]:14.3f}" for head in heads))
    print(json.dumps({"files": files, "rounds": rounds, **found}))


if __name__ == "__main__":
    main()
