"""The language server with a real daemon: first with a fake model, then with a tiny real one."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from lsprotocol import types as lsp

from lsp_server.daemon import Daemon, Link
from personalizer.daemon.client import connect, describe, stop
from personalizer.errors import DaemonError, NotListening, Unreachable
from personalizer.storage import WorkspaceData
from tests.editors.editor import CART_PATH, TEST_PATH, Editor, editing, make_shop, until
from tests.fake_daemon import FakeDaemon, Scenario
from tests.fake_parts import DAEMON, asked

pytestmark = pytest.mark.asyncio

LEDGER = Path(__file__).parent.parent / "examples" / "ledger"
TOTAL = "public int total()"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = make_shop(tmp_path / "shop")
    (folder / "training.json").write_text("{}")
    return folder


@pytest.fixture(autouse=True)
def no_daemon_left(own_data_folder: Path) -> Iterator[None]:
    yield
    stop()


@asynccontextmanager
async def with_fake_model(shop: Path, data: Path) -> AsyncIterator[Editor]:
    server = (sys.executable, "-m", "tests.editors.daemon_server")
    async with editing(shop, data=data, server=server) as editor:
        editor.open(CART_PATH)
        editor.open(TEST_PATH)
        yield editor


async def test_a_test_is_written_placed_and_named_by_its_adapter(
    shop: Path, own_data_folder: Path
) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        before = editor.text(TEST_PATH)
        await editor.do(CART_PATH, TOTAL, "Generate test")
        await until(lambda: "generated()" in editor.text(TEST_PATH))
        new = "\n    @Test void generated() { assertEquals(1, 1); }\n}\n"
        assert editor.text(TEST_PATH) == before.removesuffix("}\n") + new
        assert editor.labels == ["Test for Cart.total by base"]


async def test_of_two_that_write_the_same_at_once_one_goes_in(
    shop: Path, own_data_folder: Path
) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        for _ in range(2):  # both before a daemon runs
            await editor.do(CART_PATH, TOTAL, "Generate test")
        await until(lambda: "generated()" in editor.text(TEST_PATH))
        await until(lambda: "the test class has this test already" in editor.messages)
        assert editor.text(TEST_PATH).count("generated()") == 1


async def test_a_chosen_test_is_placed_among_what_is_not_saved(
    shop: Path, own_data_folder: Path
) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        editor.type(TEST_PATH, 0, 0, "// unsaved\n")
        before = editor.text(TEST_PATH)
        editor.chooses = "1. generated"
        await editor.do(CART_PATH, TOTAL, "Generate test (choose")
        await until(lambda: "generated()" in editor.text(TEST_PATH))
        new = "\n    @Test void generated() { assertEquals(1, 1); }\n}\n"
        assert editor.text(TEST_PATH) == before.removesuffix("}\n") + new


async def test_the_panel_shows_what_the_daemon_knows(shop: Path, own_data_folder: Path) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        page = await editor.client.protocol.send_request_async(
            "personalizer/page", {"workspace": editor.root.as_uri()}
        )
        assert "No adapter serves" in page.html
        assert "training needs" in page.html
        policy = page.html.partition('Content-Security-Policy" content="')[2].partition('"')[0]
        assert policy.startswith("default-src")


async def test_the_model_sees_what_is_not_saved(shop: Path, own_data_folder: Path) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        line = editor.line_of(CART_PATH, "return total;")
        editor.type(CART_PATH, line, 8, "/* unsaved */ ")
        await editor.do(CART_PATH, TOTAL, "Generate test")
        await until(lambda: "generated()" in editor.text(TEST_PATH))
        assert any("unsaved" in str(one["prompt"]) for one in asked())


async def test_cancelling_reaches_the_model(shop: Path, own_data_folder: Path) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        editor.type(CART_PATH, editor.line_of(CART_PATH, "return total;"), 8, "/* slow */ ")
        await editor.do(CART_PATH, TOTAL, "Generate test")
        await until(lambda: [one for one in asked() if one["what"] == "waits"])
        [token] = editor.client.progress_reports
        editor.client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token))
        await until(lambda: [one for one in asked() if one["what"] == "cancelled"])
        assert "generated()" not in editor.text(TEST_PATH)


async def test_a_killed_daemon_is_started_again(shop: Path, own_data_folder: Path) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        await until(lambda: editor.statuses)
        first = describe()["pid"]
        os.kill(first, signal.SIGKILL)
        await editor.do(CART_PATH, TOTAL, "Generate test")
        await until(lambda: "generated()" in editor.text(TEST_PATH))
        assert "The Personalizer daemon had ended; it was started again" in editor.messages
        assert describe()["pid"] != first


FAILED = DaemonError("the daemon failed (KeyError): its log says why")


def away(*, well: bool) -> NotListening:
    error = NotListening()
    error.ended_well = well
    return error


@pytest.mark.parametrize(
    ("error", "repeat", "calls", "told"),
    [
        pytest.param(FAILED, True, 1, 0, id="it lives"),
        pytest.param(Unreachable(), True, 2, 1, id="it died at it"),
        pytest.param(Unreachable(), False, 1, 0, id="it died at what must not be done twice"),
        pytest.param(away(well=False), False, 2, 1, id="it had died before"),
        pytest.param(away(well=True), False, 2, 0, id="it had ended, as it does when idle"),
    ],
)
async def test_only_what_met_a_dead_daemon_is_asked_again(
    error: DaemonError, repeat: bool, calls: int, told: int
) -> None:
    said: list[str] = []
    link = Link(FakeDaemon(Scenario()).connect, lambda: said.append("it was started again"))
    await link.ask(lambda daemon: daemon.status("/shop"))
    met: list[Daemon] = []

    def fails(daemon: Daemon) -> None:
        met.append(daemon)
        raise error

    with pytest.raises(type(error)):
        await link.ask(fails, repeat=repeat)
    assert (len(met), len(said)) == (calls, told)


async def test_a_daemon_that_was_stopped_is_started_again_without_a_word(
    shop: Path, own_data_folder: Path
) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        await until(lambda: editor.statuses)
        stop()
        await editor.command("personalizer.showStatus")
        [message] = await until(lambda: editor.messages)
        assert message.startswith("The base model writes")


async def test_looking_for_what_others_change_starts_no_daemon(
    shop: Path, own_data_folder: Path
) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        await until(lambda: editor.statuses)
        await asyncio.sleep(1)
        stop()
        told = len(editor.statuses)
        serving = WorkspaceData(shop).adapters / "serving.json"
        serving.parent.mkdir(exist_ok=True)
        serving.write_text("[]")
        await asyncio.sleep(6)
        assert not describe()["running"]
        connect(command=DAEMON)  # as a shell does
        await until(lambda: len(editor.statuses) > told)


async def test_a_training_is_followed_to_its_end(shop: Path, own_data_folder: Path) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        await editor.command("personalizer.train")
        assert await until(lambda: editor.messages) == ["Adapter lora-1 is trained and serves"]


async def test_the_daemon_outlives_the_editor(shop: Path, own_data_folder: Path) -> None:
    async with with_fake_model(shop, own_data_folder) as editor:
        await until(lambda: editor.statuses)
        pid = describe()["pid"]
    assert psutil.pid_exists(pid)


@pytest.mark.slow
async def test_a_real_model_is_trained_and_asked_from_the_editor(
    tmp_path: Path, own_data_folder: Path, tiny_base: Path
) -> None:
    root = shutil.copytree(LEDGER, tmp_path / "ledger")
    choices = {"base": tiny_base, "epochs": 1, "context_tokens": 1024, "target_tokens": 700}
    environment = {f"PERSONALIZER_{k.upper()}": str(v) for k, v in choices.items()}
    server = (sys.executable, "-m", "lsp_server")
    money = "ledger-core/src/main/java/example/ledger/money/Money.java"
    money_test = "ledger-core/src/test/java/example/ledger/money/MoneyTest.java"
    async with editing(
        root,
        data=own_data_folder,
        server=server,
        environment={**environment, "OMP_NUM_THREADS": "1"},
        options={"generateTest": {"run": False, "candidates": 1}},
    ) as editor:
        editor.open(money)
        first = await until(lambda: editor.statuses)
        assert first[0]["freshness"] == "none"
        await editor.command("personalizer.train")
        [trained] = await until(lambda: editor.messages, seconds=240)
        assert trained.startswith("Adapter "), trained
        loaded = {m.path for m in psutil.Process(editor.pid).memory_maps()}
        assert not [path for path in loaded if "torch" in path]
        await editor.do(money, "public boolean isNegative()", "Generate test")
        await until(lambda: len(editor.ends) == 2, seconds=120)
        # Random parameters write no Java: what stands is begun as the project begins its tests.
        await until(lambda: ".isNegative();" in editor.text(money_test))
        assert "    void isNegative() {" in editor.text(money_test)
