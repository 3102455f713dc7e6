"""Candidates that are told as they are made and judged."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from indexer.errors import NotAFolder
from personalizer.daemon.client import connect, stop
from personalizer.daemon.protocol import GenerateRequest
from personalizer.errors import Cancelled, NoSuchMethod
from personalizer.generation import Candidate
from tests.fake_validator import FakeValidator, refused
from tests.test_daemon import CART, DAEMON, SHOP
from tests.test_generation import ASSERTING, BROKEN, PLAIN, generated


def test_candidates_are_told_when_made_and_when_judged():
    told: list[tuple[int, Candidate]] = []
    _, made = generated(
        ASSERTING,
        PLAIN,
        BROKEN,
        validator=FakeValidator({"runs": refused()}),
        on_candidate=lambda number, one: told.append((number, one)),
    )
    assert [(number, one.compiles) for number, one in told] == [
        (0, None),
        (1, None),
        (2, None),
        (0, True),
        (1, False),
    ]
    assert {one.text for _, one in told[:3]} == {one.text for one in made.candidates}


# ---------------------------------------------------------------- over HTTP


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """Of a daemon with a fake model."""
    try:
        transport = httpx.HTTPTransport(uds=connect(command=DAEMON).socket)
        with httpx.Client(transport=transport, base_url="http://daemon", timeout=60) as client:
            yield client
    finally:
        stop()


def events(http: httpx.Client, root: Path, line: int) -> list[tuple[str, Any]]:
    """Name and data of each event of a streamed generation."""
    for path, text in SHOP.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    asked = {"workspace": str(root), "path": CART, "line": line, "n": 1, "stream": True}
    answer = http.post("/api/generate", json=asked)
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_a_streamed_generation_ends_with_its_answer(http: httpx.Client, tmp_path: Path):
    *candidates, (last, answer) = events(http, tmp_path / "shop", 4)
    assert (last, {name for name, _ in candidates}) == ("done", {"candidate"})
    assert candidates[0][1]["number"] == 0
    assert candidates[0][1]["text"] == answer["candidates"][0]["text"]


def test_a_streamed_generation_that_fails_ends_with_its_error(http: httpx.Client, tmp_path: Path):
    ((name, answer),) = events(http, tmp_path / "shop", 2)
    assert name == "error"
    assert answer["error"]["type"] == "NoSuchMethod"


@pytest.mark.parametrize(
    ("wrong", "status", "message"),
    [
        ({"skip": -1}, 400, "expected skip to be at least 0"),
        ({"n": 0}, 400, "expected 1 to"),
        ({"line": None}, 400, "expected a line or a method"),
        ({"workspace": "/no/such/folder"}, 400, "expected a folder"),
        ({"adapter": "nobody"}, 404, "nobody"),
    ],
)
def test_what_is_wrong_from_the_start_is_told_before_the_stream_begins(
    http: httpx.Client, tmp_path: Path, wrong: dict[str, Any], status: int, message: str
):
    asked = {"workspace": str(tmp_path), "path": CART, "line": 4, "n": 1, "stream": True}
    answer = http.post("/api/generate", json=asked | wrong)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]


def test_a_client_hears_of_each_candidate_and_gets_what_others_get(
    http: httpx.Client, tmp_path: Path
):
    events(http, tmp_path / "shop", 4)  # so that the project is there
    file = tmp_path / "shop/src/test/java/shop/CartTest.java"
    strange = "    // a line separator \u2028, a next line \x85 and é, which end no event\n"
    file.write_text(file.read_text().replace("    }\n}", f"{strange}    }}\n}}"))
    asked = GenerateRequest(str(tmp_path / "shop"), CART, line=4, n=1)
    told: list[int] = []
    with connect() as client:
        made = client.generate(asked, on_candidate=lambda number, one: told.append(number))
        assert "\u2028, a next line \x85 and é" in made["edit"]["diff"]
        clock = {"seconds": made["seconds"], "times": made["times"]}
        assert client.generate(asked) | clock == made
        assert set(told) == {0}
        with pytest.raises(NoSuchMethod):
            client.generate(replace(asked, line=2), on_candidate=lambda number, one: None)
        with pytest.raises(NotAFolder):
            missing = replace(asked, workspace="/no/such/folder")
            client.generate(missing, on_candidate=lambda number, one: None)
        gone = threading.Event()
        gone.set()
        with pytest.raises(Cancelled):
            client.generate(asked, cancelled=gone, on_candidate=lambda number, one: None)
