"""Every command of the extension, as a user gives it in a real VS Code; the daemon is a fake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.editors.editor import CART_PATH, TEST_PATH
from tests.editors.vscode import EXTENSION, HOST_TESTS, ROOT, Hand, packaged, shot, vs_code
from tests.fake_daemon import OTHER

pytestmark = pytest.mark.slow

SETTINGS = {"personalizer.command": [sys.executable, "-m", "tests.fake_daemon"]}
FACTS = 12
"""In ``vscode-extension/test/host``."""
TOTAL = {"path": CART_PATH, "line": 12, "column": 18}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the fake daemon was asked."""
    return tmp_path / "calls"


@pytest.fixture
def around(data: Path, log: Path) -> dict[str, str]:
    """The environment of the editor."""
    return {
        "PERSONALIZER_DATA_DIR": str(data),
        "PERSONALIZER_CONFIG": os.environ["PERSONALIZER_CONFIG"],
        "PYTHONPATH": str(ROOT),
        "FAKE_DAEMON": json.dumps({"log": str(log), "job_steps": 1000}),
    }


def asked(log: Path, call: str) -> Callable[[], str]:
    """The calls of one name so far, as text to look at."""

    def look() -> str:
        lines = log.read_text().splitlines()
        return "\n".join(line for line in lines if json.loads(line)["call"] == call)

    return look


def saved(hand: Hand, file: Path, pattern: str) -> str:
    """The text of a file on disk once it has a pattern; the user saves until then."""

    def look() -> str:
        hand.command(title="File: Save All Files")
        return file.read_text()

    return hand.sees(look, pattern, 30)


def test_every_command_does_what_it_says(
    shop: Path, tmp_path: Path, around: dict[str, str], log: Path
) -> None:
    with vs_code(tmp_path / "home", SETTINGS, around) as (code, hand):
        hand.open(url=code.folder(shop))
        hand.file(**TOTAL)
        hand.sees(hand.status, "Adapter fresh", 60)
        _tests(hand, shop, log)
        _adapters(hand, log)
        hand.command(title="Personalizer: Open Log")
        hand.sees(hand.output, "Personalizer", 20)
        hand.command(title="Personalizer: Restart Server")
        hand.sees(hand.status, "Adapter fresh", 60)
        assert hand.noise() == []


def _tests(hand: Hand, shop: Path, log: Path) -> None:
    test = shop / TEST_PATH
    hand.command(title="Personalizer: Generate Test (Choose…)")
    rows = hand.rows(title="Which test for Cart.total?")
    assert ["generated" in rows[0], "passes, 2 new lines" in rows[0]] == [True, True]
    assert ["other" in rows[1], "compiles, not run" in rows[1]] == [True, True]
    hand.sees(hand.beside, "1. generated: passes.*void generated.*2. other.*void other", 30)
    shot(hand, "choose")
    hand.choose(text="other")
    hand.sees(hand.tab, "CartTest", 30)
    hand.sees(hand.text, "void other", 30)
    assert hand.beside() == ""
    assert OTHER in saved(hand, test, "void other")

    hand.file(**TOTAL)
    hand.command(title="Personalizer: Generate Test")
    hand.sees(hand.tab, "CartTest", 30)
    hand.sees(hand.text, "void generated", 30)
    hand.sees(hand.told, "Generate test for Cart.total: passes, covers 2 lines that no test", 20)
    hand.sees(asked(log, "generate"), '"skip": 0.*"skip": 0', 10)
    assert "Generate test (another)" in hand.lightbulb()
    hand.take(title="Generate test (another)")
    hand.sees(asked(log, "generate"), '"skip": 1', 20)
    hand.sees(hand.text, "void other.*void other", 30)
    assert "void generated" not in hand.text()

    hand.file(path=CART_PATH, line=19, column=10)
    hand.command(title="Personalizer: Generate Snippet")
    hand.sees(hand.text, "return 42", 30)
    saved(hand, shop / CART_PATH, "return 42")


def test_who_types_on_while_tests_are_written_gets_them(
    shop: Path, tmp_path: Path, around: dict[str, str], log: Path
) -> None:
    around["FAKE_DAEMON"] = json.dumps({"log": str(log), "seconds": 8.0})
    with vs_code(tmp_path / "home", SETTINGS, around) as (code, hand):
        hand.open(url=code.folder(shop))
        for line in (TOTAL["line"], 8):
            hand.file(path=CART_PATH, line=line, column=18)
            hand.sees(hand.status, "Adapter fresh", 60)
            hand.command(title="Personalizer: Generate Test")
        hand.sees(asked(log, "generate"), "generate.*generate", 20)
        hand.file(path=TEST_PATH, line=1, column=1)
        hand.type(text="// typed on, ")
        hand.sees(hand.told, "CartTest.java changed while it was written", 60)
        saved(hand, shop / TEST_PATH, "^// typed on, package.*void generated.*void generated")
        shot(hand, "typed_on")


def _adapters(hand: Hand, log: Path) -> None:
    hand.command(title="Personalizer: Switch Adapter")
    rows = hand.rows(title="shop-1 serves shop")
    assert ["shop-2" in rows[0], "base" in rows[1]] == [True, True]
    hand.choose(text="shop-2")
    hand.sees(asked(log, "act"), '"act": "use", "adapter": "shop-2"', 20)
    hand.sees(hand.told, "shop: done", 20)

    hand.command(title="Personalizer: Roll Back Adapter")
    hand.sees(asked(log, "act"), '"act": "rollback"', 20)


def test_a_stale_adapter_is_proposed_once_and_trained_when_wished(
    shop: Path, tmp_path: Path, around: dict[str, str], log: Path
) -> None:
    why = "31 changed, 0 new and 0 removed of 99 pairs (31%): train again"
    stale = {
        "adapter": "shop-1",
        "freshness": "stale",
        "contents": "a1",
        "retraining": {"mode": "ask", "why": why, "waits_for": "your word"},
    }
    around["FAKE_DAEMON"] = json.dumps({"log": str(log), "status": stale})
    with vs_code(tmp_path / "home", SETTINGS, around) as (code, hand):
        hand.open(url=code.folder(shop))
        hand.file(**TOTAL)
        hand.sees(hand.told, "stale: 31 changed", 60)
        shot(hand, "proposal")
        hand.answer(name="Train Now")
        hand.sees(asked(log, "train"), '"trusted": true', 20)
        hand.read()
        hand.command(title="Personalizer: Restart Server")
        hand.sees(asked(log, "connect"), "connect.*connect", 60)
        hand.sees(hand.status, "Adapter stale", 60)
        assert "31 changed" not in hand.told()


def test_a_base_model_is_chosen_for_the_user_alone(
    shop: Path, tmp_path: Path, around: dict[str, str]
) -> None:
    with vs_code(tmp_path / "home", SETTINGS, around) as (code, hand):
        hand.open(url=code.folder(shop))
        hand.file(**TOTAL)
        hand.sees(hand.status, "Adapter fresh", 60)
        hand.command(title="Personalizer: Choose Base Model")
        rows = hand.rows(title="Base model")
        assert "starter" in rows[0]
        assert "On this machine" in rows[0]
        assert "To be fetched" in rows[1]
        shot(hand, "models")
        hand.choose(text="Qwen/Qwen2.5-Coder-0.5B")
        hand.answer(name="Fetch 988 MB")
        hand.sees(hand.told, "cannot be fetched", 60)
        assert not Path(around["PERSONALIZER_CONFIG"]).exists()
        hand.command(title="Personalizer: Choose Base Model")
        hand.rows(title="Base model")
        hand.choose(text="starter")
        hand.sees(hand.told, "starter is the base model", 60)
    assert Path(around["PERSONALIZER_CONFIG"]).read_text() == 'base = "starter"\n'
    assert not (shop / "personalizer.toml").exists()


def test_facts_hold_inside_the_extension_host(
    shop: Path, tmp_path: Path, around: dict[str, str]
) -> None:
    packaged()  # with what it needs from npm
    built = subprocess.run(
        ["npm", "run", "compile:host"], cwd=EXTENSION, capture_output=True, text=True, timeout=120
    )
    assert built.returncode == 0, built.stderr
    with vs_code(tmp_path / "home", SETTINGS, around, HOST_TESTS) as (code, hand):
        ended = hand.mocha(url=code.tests(shop, EXTENSION, EXTENSION / "dist/host"))
    told = "\n".join(ended["lines"])
    assert ended["code"] == 0, told
    assert told.count("holds: ") == FACTS
