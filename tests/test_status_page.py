"""The status view: what it shows, and who may see it."""

from __future__ import annotations

import asyncio
import html
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from indexer import Index, Workspace
from personalizer.adapters import Registry, Trained
from personalizer.daemon.client import Client, connect, stop
from personalizer.daemon.page.charts import Line, chart
from personalizer.daemon.page.door import Door
from personalizer.daemon.page.facts import (
    AdapterRow,
    Changes,
    Forecast,
    LeftOut,
    View,
    _live,
    view_of,
)
from personalizer.daemon.page.render import render
from personalizer.daemon.protocol import Job, Progress, Status, ViewAct
from personalizer.errors import AdapterError, BadInput
from personalizer.status import PairChanges, UnseenSymbols
from personalizer.storage import WorkspaceData
from personalizer.texts.daemon import status_text
from tests.fake_parts import DAEMON
from tests.java_project import write_project
from tests.test_adapters import manifest

STATUS = Status(
    adapter="lora-1",
    method="lora",
    base="starter",
    freshness="ageing",
    why="10 changed of 99 pairs",
    pairs=PairChanges(trained=99, unchanged=89, changed=10),
    unseen_symbols=UnseenSymbols(3, 0.012),
    commits_behind=2,
    trained_at="2026-11-21T00:39:00+00:00",
    gate="passed",
    gate_reason="its loss is better",
)
ROW = AdapterRow(
    "lora-1", True, "lora", "2026-11-21T00:39:00+00:00", "passed", "", 2.0, 1.0, 2.7, 99, 192.0
)


def a_view(**other: Any) -> View:
    values: dict[str, Any] = {
        "name": "shop",
        "status": STATUS,
        "changes": Changes(),
        "pairs": 99,
        "fewest_pairs": 8,
        "job": None,
        "curve": None,
        "curve_of": "",
        "adapters": (ROW,),
        "left_out": (),
        "forecast": (),
    }
    return View(**values | other)


def shown(**other: Any) -> str:
    """The page's words, without tags."""
    page = render(a_view(**other), "n")
    body = page.partition("<main>")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


# ---------------------------------------------------------------- what it shows


def test_it_says_how_fresh_the_adapter_is_and_why():
    text = shown(changes=Changes(changed=("Cart.total <- CartTest.sums",)))
    assert "shop Adapter ageing" in text
    assert "10 changed of 99 pairs" in text
    assert "1 pair changed Cart.total <- CartTest.sums" in text
    assert "Names never seen 3 (1.2 %)" in text


def test_what_is_not_known_is_not_claimed():
    none = replace(STATUS, adapter=None, freshness="none")
    assert "Left out Nothing: every Java file is read." in shown(status=none, adapters=())
    assert "every Java file is read, and every pair is fit to train on." in shown()
    against = replace(STATUS, gate="refused", chosen_by="user")
    assert "Adapter ageing, refused by the gate and chosen by name" in shown(status=against)
    assert "chosen by name" not in shown(status=replace(STATUS, chosen_by="user"))


def test_forgotten_files_are_left_out_and_their_pairs_are_not_new(tmp_path):
    root = write_project(tmp_path / "shapes")
    test = "src/test/java/shapes/ShapeATest.java"
    WorkspaceData(root).forget(test)
    registry = Registry(WorkspaceData(root).adapters)
    view = view_of(root, Index().read(Workspace(root)), registry, STATUS, None, [])
    assert view.pairs == 28
    assert view.left_out == (LeftOut("forgotten", "files", 1, (test,)),)


def test_a_project_with_too_few_pairs_is_told_so():
    text = shown(status=replace(STATUS, adapter=None, freshness="none"), pairs=3, adapters=())
    assert "has 3 pairs of test and method; training needs 8" in text
    assert "the base model writes" in text
    assert "Train" not in text.partition("Adapters")[0].replace("Training", "")


def test_a_running_training_is_counted_and_may_be_cancelled():
    progress = Progress("train", 30, 120, loss=2.5, seconds_left=95)
    text = shown(job=Job("j", "/shop", "running", "", progress=progress))
    assert "Training, step 30 of 120, 1 min 35 s left" in text
    assert "Cancel training" in text
    judges = shown(job=Job("j", "/shop", "running", "", progress=Progress("judge", 8, 28)))
    assert "Judging what training starts from on held-out pairs, 8 of 28" in judges
    assert "Waiting for its turn" in shown(job=Job("j", "/shop", "queued", "", progress=progress))
    wait = Progress("wait", note="process 12 (train) holds this workspace")
    waits = shown(job=Job("j", "/shop", "queued", "", progress=wait))
    assert "Waiting since process 12 (train) holds this workspace." in waits


def test_a_failed_training_says_why():
    assert "failed: no memory" in shown(job=Job("j", "/shop", "failed", "", reason="no memory"))


@pytest.mark.parametrize(
    ("ended", "told"),
    [("2026-11-21T01:38:59+01:00", False), ("2026-11-21T00:39:00Z", True)],
)
def test_a_training_that_ended_before_the_adapter_was_trained_is_no_news(ended: str, told: bool):
    for state, reason in (("failed", "no memory"), ("cancelled", None)):
        job = Job("j", "/shop", state, "", ended_at=ended, reason=reason)
        assert ("The last training" in shown(job=job)) is told
        line = f"  training  {state}"
        assert (line in status_text(replace(STATUS, job=job, daemon={"running": False}))) is told


def test_what_was_foretold_stands_beside_what_came():
    assert "Seconds 180 192" in shown(forecast=(Forecast("Seconds", 180.0, 192.0),))


def test_what_is_left_out_is_shown_with_its_reason():
    row = LeftOut("generated", "files", 7, ("src/gen/A.java",))
    assert "generated src/gen/A.java and more 7 files" in shown(left_out=(row,))


def test_names_from_a_project_are_text_and_never_markup():
    page = render(a_view(name="<script>alert(1)</script>"), "n")
    assert "<script>alert" not in page
    assert page.count("<script") == 1


def test_the_page_loads_nothing_from_anywhere():
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", render(a_view(), "n"))


def test_every_control_has_a_name_and_every_chart_words():
    curve = chart([Line("adapter on validation pairs", [(0, 2.0), (9, 1.0)])])
    page = render(a_view(curve=curve, curve_of="This training"), "n")
    assert all(re.findall(r"<button[^>]*>(.*?)</button>", page))
    assert re.findall(r'<svg[^>]*role="img"[^>]*aria-label="([^"]+)"', page) == [curve.summary]


# ---------------------------------------------------------------- curves


def test_the_bases_loss_is_a_level_beside_the_adapters_curve():
    told = [
        Progress("judge", validation_loss=3.0),
        Progress("train", 1, 4, loss=3.1),
        Progress("train", 2, 4, loss=2.0, validation_loss=2.5),
        Progress("train", 3, 4, loss=1.9, validation_loss=2.5),
    ]
    base, adapter, batches = _live(told)
    assert base.points == [(0.0, 3.0), (3.0, 3.0)]
    assert adapter.points == [(0, 3.0), (2, 2.5)]
    assert batches.points == [(1, 3.1), (2, 2.0), (3, 1.9)]


def test_nothing_to_draw_is_no_chart():
    assert chart([Line("adapter", []), Line("base", [(1, float("nan"))])]) is None


def test_a_long_run_is_drawn_with_few_points_up_to_its_last():
    drawn = chart([Line("training batches", [(n, 1.0) for n in range(10_001)])])
    assert drawn is not None
    assert drawn.lines[0].path.count("L") <= 201
    assert drawn.across[-1].text == "10000"


def test_one_point_and_equal_points_are_drawn():
    drawn = chart([Line("adapter", [(0, 2.0)])])
    assert drawn is not None and drawn.up


# ---------------------------------------------------------------- the door


class FakePages:
    """Keeps ``door.Pages``."""

    def __init__(self) -> None:
        self.marks = 0
        self.acts: list[tuple[str, ViewAct]] = []

    def page(self, root: str, nonce: str) -> str:
        return f"<p>{root}</p>"

    def mark(self, root: str) -> object:
        return self.marks

    def act(self, root: str, act: ViewAct) -> str:
        self.acts.append((root, act))
        return "done"


def through_the_door(look: Any) -> FakePages:
    """Runs ``look(door, http)`` with a browser that keeps cookies."""
    pages = FakePages()

    async def run() -> None:
        door = Door(pages)
        async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as http:
            try:
                await look(door, http)
            finally:
                await door.close()

    asyncio.run(run())
    return pages


def test_a_token_opens_once():
    async def look(door: Door, http: httpx.AsyncClient) -> None:
        url = await door.open("/shop")
        assert (await http.get(url + "\u00e4")).status_code == 403
        first = await http.get(url)
        assert (first.status_code, first.text) == (200, "<p>/shop</p>")
        http.cookies.clear()
        assert (await http.get(url)).status_code == 403
        assert (await http.get(str(first.url))).status_code == 403

    through_the_door(look)


def test_a_cookie_opens_its_own_view_and_no_other():
    async def look(door: Door, http: httpx.AsyncClient) -> None:
        await http.get(await door.open("/shop"))
        stolen = http.cookies.get("personalizer_view")
        http.cookies.clear()
        other = await http.get(await door.open("/bank"))
        http.cookies.clear()
        again = await http.get(other.url, headers={"Cookie": f"personalizer_view={stolen}"})
        assert again.status_code == 403

    through_the_door(look)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "localhost:1"}, {"Origin": "https://evil.example"}],
    ids=["rebound name", "other port", "other site"],
)
def test_pages_of_others_are_refused(headers):
    async def look(door: Door, http: httpx.AsyncClient) -> None:
        page = await http.get(await door.open("/shop"))
        refused = await http.get(page.url, headers=headers)
        assert refused.status_code == 403
        act = await http.post(page.url.join("act"), json={"act": "rollback"}, headers=headers)
        assert act.status_code == 403

    assert through_the_door(look).acts == []


def test_a_form_of_another_site_without_an_origin_does_nothing():
    async def look(door: Door, http: httpx.AsyncClient) -> None:
        page = await http.get(await door.open("/shop"))
        assert (await http.post(page.url.join("act"), json={"act": "train"})).status_code == 403

    assert through_the_door(look).acts == []


def test_a_button_of_the_page_itself_acts():
    async def look(door: Door, http: httpx.AsyncClient) -> None:
        page = await http.get(await door.open("/shop"))
        origin = f"http://127.0.0.1:{door.port}"
        act = {"act": "use", "adapter": "lora-1"}
        done = await http.post(page.url.join("act"), json=act, headers={"Origin": origin})
        assert done.json() == {"said": "done"}

    assert through_the_door(look).acts == [("/shop", ViewAct("use", "lora-1"))]


def test_no_answer_may_be_read_by_other_sites_framed_or_kept():
    async def look(door: Door, http: httpx.AsyncClient) -> None:
        page = await http.get(await door.open("/shop"))
        assert not [name for name in page.headers if name.startswith("access-control")]
        assert page.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        cookie = page.history[0].headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=lax" in cookie  # strict fails from a file

    through_the_door(look)


def test_it_listens_on_loopback_and_only_while_somebody_looks(monkeypatch):
    monkeypatch.setattr("personalizer.daemon.page.door._AWAY_SECONDS", 0.2)
    monkeypatch.setattr("personalizer.daemon.page.door._TICK", 0.05)

    async def look(door: Door, http: httpx.AsyncClient) -> None:
        assert door.port is None
        url = await door.open("/shop")
        assert url.startswith("http://127.0.0.1:")
        await http.get(url)
        for _ in range(100):
            if door.port is None:
                break
            await asyncio.sleep(0.05)
        for _ in range(100):
            if not door._serving:  # its graceful end is over
                break
            await asyncio.sleep(0.05)
        with pytest.raises(httpx.ConnectError):
            await http.get(url)
        assert (await http.get(await door.open("/shop"))).status_code == 200

    through_the_door(look)


def test_a_change_is_told_to_those_who_look(monkeypatch):
    monkeypatch.setattr("personalizer.daemon.page.door._TICK", 0.02)

    async def look(door: Door, http: httpx.AsyncClient) -> None:
        page = await http.get(await door.open("/shop"))
        async with http.stream("GET", page.url.join("events")) as events:
            lines = (line async for line in events.aiter_lines() if line)
            assert await anext(lines) == "data: opened"
            door._pages.marks += 1
            assert await anext(lines) == "data: changed"

    through_the_door(look)


def test_a_view_opened_while_the_last_one_ends_lives_on(monkeypatch):
    monkeypatch.setattr("personalizer.daemon.page.door._AWAY_SECONDS", 0.1)
    monkeypatch.setattr("personalizer.daemon.page.door._TICK", 0.05)
    clicked, answer = threading.Event(), threading.Event()

    def slowly(root: str, act: ViewAct) -> str:
        clicked.set()
        answer.wait(10)
        return "done"

    async def look(door: Door, http: httpx.AsyncClient) -> None:
        monkeypatch.setattr(door._pages, "act", slowly)
        first = await http.get(await door.open("/shop"))
        origin = {"Origin": f"http://127.0.0.1:{door.port}"}
        act = http.post(first.url.join("act"), json={"act": "train"}, headers=origin)
        slow = asyncio.create_task(act)
        while not clicked.is_set() or door.port is not None:
            await asyncio.sleep(0.02)
        second = await http.get(await door.open("/shop"))
        async with http.stream("GET", second.url.join("events")) as events:
            lines = (line async for line in events.aiter_lines() if line)
            assert await anext(lines) == "data: opened"
            answer.set()
            await asyncio.wait({slow})
            for _ in range(10):  # longer than the first listener's end takes
                await asyncio.sleep(0.1)
                door._pages.marks += 1
                assert await anext(lines) == "data: changed"
        assert f"http://127.0.0.1:{door.port}" in str(second.url)
        await door.close()
        assert door.port is None
        with pytest.raises(httpx.ConnectError):
            await http.get(second.url)

    through_the_door(look)


# ---------------------------------------------------------------- with a daemon


@contextmanager
def a_daemon() -> Iterator[Client]:
    try:
        yield connect(command=DAEMON)
    finally:
        stop()


def test_a_daemon_shows_a_training_as_it_runs_and_ends_with_its_view(tmp_path: Path):
    (tmp_path / "A.java").write_text("class A { int a() { return 1; } }")
    (tmp_path / "training.json").write_text(json.dumps({"steps": 400, "pause": 0.05}))
    with a_daemon() as daemon:
        assert daemon.adapters(str(tmp_path)) == {"serving": "base", "adapters": []}
        assert daemon.act(str(tmp_path), ViewAct("train")) == "the training begins"
        with httpx.Client(trust_env=False, follow_redirects=True) as http:
            page = http.get(daemon.view(str(tmp_path)))
            with http.stream("GET", page.url.join("events")) as events:
                told = (line for line in events.iter_lines() if line)
                assert [next(told), next(told)] == ["data: opened", "data: changed"]
            text = http.get(page.url).text
            for _ in range(50):
                if "of 400" in text:
                    break
                text = http.get(page.url).text
            assert re.search(r"Training, step \d+ of 400", text)
        assert "Cancel training" in daemon.page(str(tmp_path))
        assert daemon.act(str(tmp_path), ViewAct("cancel")) == "the training ends"


def test_its_buttons_switch_adapters_and_back(tmp_path: Path):
    root = tmp_path / "shop"
    root.mkdir()
    registry = Registry(WorkspaceData(root).adapters)
    for name in ("one", "two"):
        staging = tmp_path / "staging"
        staging.mkdir()
        (staging / "adapter_model.safetensors").write_bytes(name.encode())
        registry.add(staging, manifest(name), Trained({}, []))
    with a_daemon() as daemon:
        assert daemon.act(str(root), ViewAct("use", "one")) == "one serves now"
        assert daemon.act(str(root), ViewAct("use", "two")) == "two serves now"
        assert daemon.adapters(str(root))["serving"] == "two"
        assert 'data-adapter="one"' in daemon.page(str(root))
        assert 'data-adapter="two"' not in daemon.page(str(root))
        assert daemon.act(str(root), ViewAct("rollback")) == "one serves again"
        assert daemon.act(str(root), ViewAct("use", "base")) == "the base serves now"
        assert daemon.adapters(str(root))["serving"] == "base"


def test_what_cannot_be_done_is_said(tmp_path: Path):
    with a_daemon() as daemon:
        with pytest.raises(AdapterError, match="no adapter is called nobody"):
            daemon.act(str(tmp_path), ViewAct("use", "nobody"))
        with pytest.raises(BadInput, match="no training"):
            daemon.act(str(tmp_path), ViewAct("cancel"))
        with pytest.raises(BadInput, match="absolute"):
            daemon.view("shop")
