"""A daemon without a model: it writes a fixed test, waits, fails or dies as a scenario says.

``python -m tests.fake_daemon`` is the language server with this daemon behind it; the scenario is
JSON in the environment variable ``FAKE_DAEMON``. With arguments other than ``lsp`` it is the real
``personalizer``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from lsp_server.daemon import Daemon, Json
from personalizer.daemon.protocol import (
    GenerateRequest,
    Job,
    PlaceRequest,
    Progress,
    SnippetRequest,
    TrainRequest,
    ViewAct,
)
from personalizer.errors import BadInput, Cancelled, DaemonError, Unreachable

__all__ = ["GENERATED", "IMPORTED", "NO_EDIT", "OTHER", "SNIPPET", "FakeDaemon", "Scenario"]

GENERATED = "    @Test\n    void generated() {\n        assertEquals(1, 1);\n    }\n"
OTHER = GENERATED.replace("generated", "other")
NO_EDIT = "the test class has the best of them already"
IMPORTED = "\nimport java.util.List;"
SNIPPET = "{\n        return 42;\n    }"


@dataclass(frozen=True)
class Scenario:
    """How the daemon behaves."""

    log: str | None = None
    """File that each call is written to, one JSON object a line."""
    seconds: float = 0.0
    """How long a generation takes, unless it is cancelled."""
    placed_first: bool = False
    """The project is read before that time, not after it: the test is being run."""
    error: str | None = None
    """Text of the ``BadInput`` that every generation raises."""
    deaths: int = 0
    """How many generations are met by a dead daemon."""
    starts: int = 99
    """How many times the daemon can be started."""
    compiles: bool = True
    may_compile: bool = True
    not_run: str | None = None
    """Why nothing was compiled or run; it was where left out."""
    notes: tuple[str, ...] = ()
    """Of the generation."""
    test_notes: tuple[str, ...] = ()
    """Of its first candidate, and of a snippet."""
    imports: bool = False
    """A snippet needs ``IMPORTED``."""
    no_edit: bool = False
    """There is nothing to change; ``NO_EDIT`` says why."""
    job_steps: int = 3
    """Looks at a training after which it is done."""
    running: bool = False
    """A training is under way that somebody else has started."""
    promoted: bool = True
    status: Json = field(
        default_factory=lambda: {
            "adapter": "shop-1",
            "method": "lora",
            "base": "starter",
            "freshness": "fresh",
            "why": "all 2 pairs are as trained on",
            "pairs": {"trained": 2, "unchanged": 2, "changed": 0, "new": 0, "removed": 0},
            "commits_behind": 0,
        }
    )


class FakeDaemon:
    """Keeps ``lsp_server.daemon.Daemon``."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._deaths = scenario.deaths
        self._starts = scenario.starts
        self._job: Job | None = None
        if scenario.running:
            self._job = Job("job-0", "", "running", "2026-01-01T00:00:00Z")

    def connect(self, start: bool = True) -> Daemon:
        if self._starts == 0:
            raise DaemonError("the daemon cannot be started: expected a socket, got none")
        self._starts -= 1
        self._note("connect", {})
        return self

    def generate(
        self,
        request: GenerateRequest,
        *,
        cancelled: threading.Event | None = None,
        on_candidate: Callable[[int, Json], None] | None = None,
    ) -> Json:
        test = re.sub(r"^src/main/(.*)\.java$", r"src/test/\1Test.java", request.path)
        tests = [GENERATED, OTHER][request.skip :]
        writes = tests and not self.scenario.no_edit
        early = (
            self._edit(request, test, tests[0]) if writes and self.scenario.placed_first else None
        )
        self._meet("generate", request, cancelled)
        edit = early or (self._edit(request, test, tests[0]) if writes else None)
        ran = self.scenario.may_compile and not self.scenario.not_run
        candidate = {
            "text": GENERATED,
            "parses": not self.scenario.no_edit,
            "may_compile": self.scenario.may_compile,
            "compiles": self.scenario.compiles if ran else None,
            "failure": None if self.scenario.compiles else "cannot find symbol: furos()",
            "passes": True if self.scenario.compiles and ran else None,
            "new_lines": 2,
            "notes": self.scenario.test_notes,
        }
        second = candidate | {
            "text": OTHER,
            "may_compile": True,
            "compiles": True,
            "passes": None,
            "new_lines": None,
            "notes": (),
        }
        if on_candidate is not None:
            on_candidate(0, candidate | {"passes": None})
            on_candidate(0, candidate)
        return {
            "focal": request.path,
            "adapter": "shop-1",
            "candidates": [candidate, second][request.skip :],
            "edit": edit,
            "no_edit": None if edit else NO_EDIT,
            "seconds": 0.1,
            "not_run": self.scenario.not_run,
            "notes": self.scenario.notes,
        }

    def place(self, request: PlaceRequest) -> Json:
        self._note("place", asdict(request))
        test = re.sub(r"^src/main/(.*)\.java$", r"src/test/\1Test.java", request.path)
        return self._edit(request, test, request.text)

    def _edit(
        self, request: GenerateRequest | PlaceRequest, test: str, generated: str = GENERATED
    ) -> Json:
        file = Path(request.workspace, test)
        if test in request.buffers:
            source = request.buffers[test].encode()
        elif file.exists():
            source = file.read_bytes()
        else:
            name = Path(test).stem
            text = f"class {name} {{\n{generated}}}\n"
            return {
                "file": test,
                "created": True,
                "sha256": None,
                "changes": [{"start": 0, "end": 0, "text": text}],
                "diff": "",
            }
        end = source.rindex(b"}")
        first = source.find(b";") + 1
        newline = "\r\n" if b"\r\n" in source else "\n"
        text = ("\n" + generated).replace("\n", newline)
        changes = [
            {"start": first, "end": first, "text": f"{newline}import org.junit.jupiter.api.Test;"},
            {"start": end, "end": end, "text": text},
        ]
        return _edit_of(test, source, changes)

    def snippet(self, request: SnippetRequest, *, cancelled: threading.Event | None = None) -> Json:
        self._meet("snippet", request, cancelled)
        text = request.buffers.get(request.path)
        source = text.encode() if text else Path(request.workspace, request.path).read_bytes()
        above = sum(len(x) for x in source.splitlines(True)[: request.line - 1])
        start = source.index(b"{", above) + 1
        end = source.index(b"}", start) + 1
        changes = [{"start": start, "end": end, "text": SNIPPET.removeprefix("{")}]
        if self.scenario.imports:
            below = source.index(b";") + 1
            changes.insert(0, {"start": below, "end": below, "text": IMPORTED})
        edit = _edit_of(request.path, source, changes)
        if self.scenario.no_edit:
            return {"text": SNIPPET, "adapter": "shop-1", "edit": None, "no_edit": NO_EDIT}
        return {
            "text": SNIPPET,
            "adapter": "shop-1",
            "edit": edit,
            "compiles": None if self.scenario.not_run else self.scenario.compiles,
            "failure": None if self.scenario.compiles else "cannot find symbol: furos()",
            "not_run": self.scenario.not_run,
            "notes": self.scenario.test_notes,
        }

    def status(self, workspace: str) -> Json:
        self._note("status", {"workspace": workspace})
        return {**self.scenario.status, "job": asdict(self._job) if self._job else None}

    def adapters(self, workspace: str) -> Json:
        row = {
            "gate": "passed",
            "trained_at": "2026-01-01T00:00:00Z",
            "base_loss": 2.0,
            "adapter_loss": 1.0,
        }
        rows = [row | {"id": "shop-2"}, row | {"id": "shop-1"}]
        return {"serving": "shop-1", "adapters": rows}

    def act(self, workspace: str, act: ViewAct) -> str:
        self._note("act", {"workspace": workspace, **asdict(act)})
        if act.act == "cancel" and self._job is None:
            raise BadInput("no training is running")
        return "done"

    def page(self, workspace: str) -> str:
        return f"<main>{workspace}</main>"

    def train(self, request: TrainRequest) -> Job:
        self._note("train", asdict(request))
        self._job = Job("job-1", request.workspace, "running", "2026-01-01T00:00:00Z")
        return self._job

    def job(self, job_id: str) -> Job:
        assert self._job is not None
        step = (self._job.progress.step if self._job.progress else 0) + 1
        steps = self.scenario.job_steps
        if self._job.state == "running" and step > steps:
            result = {"adapter": "shop-2", "promoted": self.scenario.promoted, "reason": None}
            self._job = replace(self._job, state="done", result=result)
        elif self._job.state == "running":
            progress = Progress("train", step, steps, loss=2.0, seconds_left=float(steps - step))
            self._job = replace(self._job, progress=progress)
        return self._job

    def cancel(self, job_id: str) -> Job:
        self._note("cancel", {"id": job_id})
        assert self._job is not None
        self._job = replace(self._job, state="cancelled")
        return self._job

    def _meet(self, call: str, request: Any, cancelled: threading.Event | None) -> None:
        self._note(call, asdict(request))
        if self._deaths:
            self._deaths -= 1
            raise Unreachable("the daemon does not answer")
        if self.scenario.error:
            raise BadInput(self.scenario.error)
        end = time.monotonic() + self.scenario.seconds
        while time.monotonic() < end:
            if cancelled is not None and cancelled.wait(0.02):
                self._note("cancelled", {})
                raise Cancelled("cancelled")

    def _note(self, call: str, what: Json) -> None:
        if self.scenario.log:
            with open(self.scenario.log, "a") as file:
                file.write(json.dumps({"call": call, **what}) + "\n")


def _edit_of(file: str, source: bytes, changes: list[Json]) -> Json:
    digest = hashlib.sha256(source).hexdigest()
    return {"file": file, "created": False, "sha256": digest, "changes": changes, "diff": ""}


def main() -> None:
    if sys.argv[1:2] not in ([], ["lsp"]):
        from personalizer.cli import main as personalizer

        personalizer()
        return

    from lsp_server.__main__ import serve
    from lsp_server.server import create

    scenario = msgspec.json.decode(os.environ.get("FAKE_DAEMON", "{}"), type=Scenario)
    serve(create(FakeDaemon(scenario).connect))


if __name__ == "__main__":
    main()
