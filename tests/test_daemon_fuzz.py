"""The OpenAPI document against the real application: whatever is asked, it is no accident."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from personalizer.daemon.app import Activity, create
from personalizer.daemon.jobs import Jobs
from personalizer.daemon.service import Service
from personalizer.engine.child import ChildEngine
from personalizer.processes import module_command
from tests.fake_parts import job_command
from tests.java_project import project_files, write_project

CASES = int(os.environ.get("FUZZ_CASES", "160"))
"""In all; ``FUZZ_CASES=1000`` looks longer."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """The daemon's application, with a fake model, at an address of this test's own."""
    engine = ChildEngine(command=module_command("tests.fake_parts", "engine"))
    jobs = Jobs(job_command)  # not started: what is asked for stays queued
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            create(Service(engine, jobs, "socket"), Activity()), log_config=None
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            engine.close()
            jobs.stop()


def pointed(body: Any, turn: int, root: Path, path: str) -> None:
    """Leads every other case to a project that is there, and past the first refusal."""
    if isinstance(body, dict) and turn % 2:
        body.update({k: v for k, v in {"workspace": str(root), "path": path}.items() if k in body})
        if turn % 4 == 3 and isinstance(body.get("line"), int):
            body["line"] = turn % 40
        if "model" in body:
            body["model"] = "base"


def test_no_request_is_answered_by_an_accident(tmp_path: Path):
    root = write_project(tmp_path / "shop", project_files(classes=2))
    path = next(p.relative_to(root).as_posix() for p in root.rglob("src/main/**/*.java"))
    asked: Counter[int] = Counter()
    with serving(root) as address:
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
        operations = [one.ok() for one in schema.get_all_operations()]
        assert len(operations) == 17
        for operation in operations:
            examples = settings(
                max_examples=CASES // len(operations),
                derandomize=True,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            turns = count()

            def check(case: schemathesis.Case) -> None:
                turn = next(turns)  # noqa: B023, the loop goes on when all are checked
                pointed(case.body, turn, root, path)
                pointed(case.query, turn, root, path)
                answer = case.call(timeout=60)
                asked[answer.status_code] += 1
                case.validate_response(answer, checks=CHECKS)

            examples(given(case=operation.as_strategy())(check))()
    assert asked.total() >= CASES // 2
    assert asked[200] > 10


if __name__ == "__main__":
    pytest.main([__file__, "-s"])
