"""A daemon whose data folder becomes full and empty again; one JSON object of what came of it.

``python -m tests.full_disk WORKSPACE``, with a small disk of its own as data folder.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from personalizer.daemon.client import connect, stop
from personalizer.daemon.protocol import Job, TrainRequest
from personalizer.errors import PersonalizerError
from personalizer.storage import data_folder
from tests.fake_parts import DAEMON


def fill(file: Path) -> None:
    """Writes until nothing fits any more."""
    for size in (1 << 16, 1 << 10, 1):
        try:
            with file.open("ab", buffering=0) as stream:
                while True:
                    stream.write(b"x" * size)
        except OSError:
            continue


def main() -> None:
    root, filler = Path(sys.argv[1]), data_folder() / "filler"
    (root / "training.json").write_text(json.dumps({"steps": 20, "pause": 0.1}))
    told: dict[str, object] = {}
    accepted: list[Job] = []
    try:
        daemon = connect(command=DAEMON)
        accepted.append(daemon.train(TrainRequest(str(root))))
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
        end = time.monotonic() + 200
        while any(one.ended_at is None for one in daemon.jobs()) and time.monotonic() < end:
            time.sleep(0.1)
        told["states"] = [one.state for one in daemon.jobs()]
        told["reasons"] = [one.reason for one in daemon.jobs()]
        told["not_kept"] = sorted({a.id for a in accepted} - {one.id for one in daemon.jobs()})
    finally:
        stop()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
