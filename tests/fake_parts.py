"""A real daemon whose model and whose training are fakes, each as a process of its own.

``python -m tests.fake_parts daemon`` is the daemon; it starts the other two.

The model writes one test, unless the prompt says otherwise: ``slow`` waits until it is cancelled,
``dripping`` streams until then, ``failing`` raises, ``deadly`` kills the process. It notes what it
was asked in ``engine.jsonl``.

The training does what ``training.json`` of its workspace says and notes each step in
``training.log`` there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from personalizer import output
from personalizer.daemon.protocol import JobRequest
from personalizer.engine import Completion, Request
from personalizer.errors import Busy, EngineError
from personalizer.processes import BUSY, module_command
from personalizer.storage import WorkspaceData, data_folder, write_atomically

__all__ = ["DAEMON", "FakeModel", "asked", "job_command"]

DAEMON = module_command("tests.fake_parts", "daemon")
WORDS = ["@Test", "void", "generated()", "{", "assertEquals(1,", "1);", "}"]


class FakeModel:
    """Keeps ``Engine``; a word is a token."""

    def generate(
        self,
        request: Request,
        *,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> list[Completion]:
        prompt = request.prompt if isinstance(request.prompt, str) else _text(request)
        if "deadly" in prompt:
            os._exit(1)
        if "failing" in prompt:
            raise EngineError("the model has no mind to")
        if "slow" in prompt:
            assert cancelled is not None
            self._note(request, "waits", prompt)
            if cancelled.wait(20):
                self._note(request, "cancelled", prompt)
                return [Completion("", 0.0, 0, "cancelled")]
        if "dripping" in prompt:
            assert cancelled is not None
            assert on_text is not None
            self._note(request, "waits", prompt)
            while not cancelled.wait(0.02):
                on_text("drop ")
            self._note(request, "cancelled", prompt)
            return [Completion("", 0.0, 0, "cancelled")]
        self._note(request, "wrote", prompt)
        words = WORDS[: request.max_tokens]
        for place, word in enumerate(words):
            if on_text is not None:
                on_text(word if place == 0 else f" {word}")
        reason = "length" if len(words) < len(WORDS) else "stop"
        one = Completion(" ".join(words), -0.5, len(words), reason, len(prompt.split()))
        return [one] * request.count

    def warm(self, base: str, adapter: str | None = None) -> None:
        row = {"what": "warmed", "adapter": adapter, "base": base, "prompt": None}
        with (data_folder() / "engine.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        row = {"what": "embedded", "adapter": None, "base": model, "prompt": None}
        with (data_folder() / "engine.jsonl").open("a") as file:
            file.write(json.dumps(row | {"texts": list(texts)}) + "\n")
        return [[1.0, 0.0] for _ in texts]

    def close(self) -> None:
        """Nothing is held."""

    def _note(self, request: Request, what: str, prompt: str) -> None:
        row = {"what": what, "adapter": request.adapter, "base": request.base, "prompt": prompt}
        row |= {"at": time.time()}
        with (data_folder() / "engine.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")


def asked() -> list[dict[str, Any]]:
    """What the fake model was asked, and what became of it."""
    try:
        lines = (data_folder() / "engine.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def job_command(request: JobRequest) -> list[str]:
    return module_command("tests.fake_parts", "training", request.workspace)


def _text(request: Request) -> str:
    assert not isinstance(request.prompt, str)
    return "\n".join(piece.text for part in request.prompt.parts for piece in part.pieces)


def _train(root: Path) -> None:
    plan = {"steps": 5, "pause": 0.05, "fail": None, "signal": None, "stubborn": False}
    plan |= {"helper": False, "dies_after_each_step": False, "resumes": False, "holds": None}
    plan |= json.loads((root / "training.json").read_text())
    log = root / "training.log"
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.SIG_IGN if plan["stubborn"] else lambda *_: sys.exit(130)
        signal.signal(number, handler)

    def note(text: str) -> None:
        with log.open("a") as file:
            file.write(f"{text}\n")

    note(f"start nice {os.nice(0)}")
    if plan["holds"]:
        try:
            with WorkspaceData(root).lock(plan["holds"]):
                pass
        except Busy as error:
            output.complain(str(error))
            sys.exit(BUSY)
    if (session := Path("/proc/self/autogroup")).exists():
        (root / "autogroup").write_text(session.read_text())
    if plan["helper"]:
        helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        (root / "helper").write_text(str(helper.pid))
    reached = root / f"reached by {os.environ.get('PERSONALIZER_JOB')}"
    done = int(reached.read_text()) if reached.exists() else 0
    for step in range(1 + done, plan["steps"] + 1):
        time.sleep(plan["pause"])
        note(f"step {step}")
        if plan["resumes"]:
            write_atomically(reached, str(step).encode())
        progress = {"phase": "train", "step": step, "steps": plan["steps"], "loss": 1.0 / step}
        sys.stderr.write(json.dumps({"progress": progress}) + "\n")
        sys.stderr.flush()
        if plan["dies_after_each_step"] and step < plan["steps"]:
            os.kill(os.getpid(), signal.SIGKILL)
    if plan["helper"]:
        helper.kill()
    if plan["signal"]:
        os.kill(os.getpid(), plan["signal"])
    if plan["fail"]:
        sys.exit(f"personalizer: {plan['fail']}")
    sys.stdout.write(json.dumps({"adapter": "lora-1", "promoted": True}) + "\n")


def main() -> None:
    part = sys.argv[1]
    if part == "daemon":
        from personalizer.daemon import process
        from personalizer.errors import PersonalizerError

        try:
            process.run(
                job=job_command, engine_command=module_command("tests.fake_parts", "engine")
            )
        except Busy:
            sys.exit(0)
        except PersonalizerError as error:
            sys.exit(str(error))
    elif part == "engine":
        from personalizer.engine import serve

        sys.argv[1:] = []
        serve._local = lambda threads: FakeModel()
        serve.main()
    else:
        _train(Path(sys.argv[2]))


if __name__ == "__main__":
    main()
