"""A daemon on a disk that becomes full and empty again; one JSON object of what came of it.

    python -m tests.full_disk WORKSPACE while-training
    python -m tests.full_disk WORKSPACE at-each-write 0,1,2,3

The data folder must be a small disk of its own. ``at-each-write`` leaves so many pages of 4 KiB
free while a daemon starts, and again while it takes a training and works it off: with enough
rounds the disk is full at each write once. After each round it is emptied.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

from personalizer.daemon.client import Client, connect, stop
from personalizer.daemon.protocol import Job, TrainRequest
from personalizer.errors import PersonalizerError
from personalizer.storage import data_folder
from tests.fake_parts import DAEMON

PAGE = 4096


def fill(file: Path, pages: int = 0) -> None:
    """Writes until nothing fits any more, and then leaves so many pages free."""
    for size in (1 << 16, PAGE, 1):
        try:
            with file.open("ab", buffering=0) as stream:
                while True:
                    stream.write(b"x" * size)
        except OSError:
            continue
    with file.open("rb+") as stream:
        stream.truncate(file.stat().st_size // PAGE * PAGE - pages * PAGE)


def ended(daemon: Client, seconds: float = 200.0) -> list[Job]:
    """All trainings, once each has come to an end."""
    end = time.monotonic() + seconds
    while any(one.ended_at is None for one in daemon.jobs()) and time.monotonic() < end:
        time.sleep(0.1)
    return daemon.jobs()


def while_training(root: Path, filler: Path) -> dict[str, object]:
    """The disk fills up while a training runs."""
    (root / "training.json").write_text(json.dumps({"steps": 20, "pause": 0.1}))
    told: dict[str, object] = {}
    daemon = connect(command=DAEMON)
    accepted = [daemon.train(TrainRequest(str(root)))]
    while daemon.job(accepted[0].id).progress is None:
        time.sleep(0.05)
    fill(filler)
    (root / "training.json").write_text(json.dumps({"steps": 1}))
    try:
        for limit in range(1, 50):
            accepted.append(daemon.train(TrainRequest(str(root), limit=limit)))
    except PersonalizerError as error:
        told |= {"refused": type(error).__name__, "message": str(error)}
    told["health_when_full"] = daemon.health()["running"]
    time.sleep(3)  # the training ends meanwhile, and its end cannot be written down
    filler.unlink()
    jobs = ended(daemon)
    told["states"] = [one.state for one in jobs]
    told["reasons"] = [one.reason for one in jobs]
    told["not_kept"] = sorted({a.id for a in accepted} - {one.id for one in jobs})
    return told


def at_each_write(root: Path, filler: Path, rounds: list[int]) -> dict[str, object]:
    """The disk fills up at one write after the other."""
    (root / "training.json").write_text(json.dumps({"steps": 2, "pause": 0.01}))
    counts: Counter[str] = Counter()
    messages: set[str] = set()
    accepted: set[str] = set()
    for pages in rounds:
        fill(filler, pages)
        try:
            connect(command=DAEMON)
            counts["started"] += 1
        except PersonalizerError as error:
            counts["start refused"] += 1
            messages.add(f"{type(error).__name__}: {error}")
        filler.unlink()

        daemon = connect(command=DAEMON)
        fill(filler, pages)
        try:
            accepted.add(daemon.train(TrainRequest(str(root), limit=1000 + pages)).id)
            counts["accepted"] += 1
        except PersonalizerError as error:
            counts["training refused"] += 1
            messages.add(f"{type(error).__name__}: {error}")
        end = time.monotonic() + 1.5
        while time.monotonic() < end and any(one.ended_at is None for one in daemon.jobs()):
            time.sleep(0.05)
        filler.unlink()
        ended(daemon, 60)
        # What is asked for now is as good as ever.
        accepted.add(daemon.train(TrainRequest(str(root), limit=2000 + pages)).id)
        ended(daemon, 60)
        stop()
    daemon = connect(command=DAEMON)
    jobs = {job.id: job for job in daemon.jobs()}
    return {
        "counts": counts,
        "messages": sorted(messages),
        "states": Counter(job.state for job in jobs.values()),
        "reasons": sorted({job.reason for job in jobs.values() if job.reason}),
        "not_kept": sorted(accepted - jobs.keys()),
    }


def main() -> None:
    root, what = Path(sys.argv[1]), sys.argv[2]
    filler = data_folder() / "filler"
    try:
        if what == "while-training":
            told = while_training(root, filler)
        else:
            told = at_each_write(root, filler, [int(one) for one in sys.argv[3].split(",")])
    finally:
        stop()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
