"""The extension in a real VS Code, and the status view in a real browser.

Real: VS Code with the packaged extension, language server, daemon, index, training of the starter,
gate, freshness, placement, Maven. The text of the test that Maven runs is scripted: what the
starter writes differs from machine to machine and seldom compiles. So that step proves that a test
that is right arrives, runs and passes. The step after it, with the adapter that was just trained,
proves the way from the light bulb through the real model to the edit, and nothing of what the
model wrote.

``PERSONALIZER_SCREENSHOTS=FOLDER`` keeps what was seen.
"""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psutil import Process

from personalizer.daemon.client import connect, stop
from personalizer.storage import WorkspaceData
from tests.editors.scripted_server import DAEMON, UNSCRIPTED
from tests.editors.vscode import ROOT, Hand, a_hand, install, shot, vs_code
from tests.fake_parts import asked

pytestmark = pytest.mark.slow

LEDGER = ROOT / "examples" / "ledger"
MONEY = "ledger-core/src/main/java/example/ledger/money/Money.java"
MONEY_TEST = "ledger-core/src/test/java/example/ledger/money/MoneyTest.java"
PATIENCE = 900
"""Seconds for a training on a busy machine; on two idle cores it takes one minute."""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    folder = tmp_path / "ledger"
    shutil.copytree(LEDGER, folder, ignore=shutil.ignore_patterns("target"))
    # steps, not time: on a busy machine forty seconds are two steps, and the gate refuses
    (folder / "personalizer.toml").write_text("max_steps = 20\n")
    return folder


@pytest.fixture
def daemon() -> Iterator[None]:
    """Ends the daemon that a test has started."""
    yield
    stop()


def place_of(file: Path, part: str) -> dict[str, int]:
    """Line and column, from 1, of a text in a file."""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if part in line:
            return {"line": number, "column": line.index(part) + 2}
    raise AssertionError(f"no {part} in {file}")


def maven(ledger: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["mvn", "-o", "-q", "-B", "-Dmaven.repo.local=/usr/share/maven-repo", "test"],
        cwd=ledger,
        capture_output=True,
        text=True,
        timeout=300,
    )


def change_tests(ledger: Path, count: int) -> None:
    """Adds a statement to the first tests of the project."""
    left = count
    for file in sorted(ledger.glob("*/src/test/java/**/*Test.java")):
        text = file.read_text()
        parts = re.split(r"(@Test\s+void \w+\(\)[^{]*\{\n)", text)
        for at in range(1, len(parts), 2):
            if left:
                parts[at] += "        String changed = toString();\n"
                left -= 1
        file.write_text("".join(parts))
    assert left == 0


def written_by_the_model(hand: Hand, ledger: Path) -> None:
    """Has the trained adapter write a test: of three methods, for the first that it can for."""
    file = ledger / MONEY_TEST
    before = file.read_text()
    scripted = asked()
    for method in ("isZero(", "negate(", "isNegative("):
        hand.file(path=MONEY, **place_of(ledger / MONEY, method))
        assert "Generate test" in hand.lightbulb()
        hand.take(title="Generate test")
        if "parses" not in hand.sees(
            lambda: hand.tab() + hand.told(),
            r"MoneyTest|candidates for Money\.\w+ parses",
            PATIENCE,
        ):
            break
        hand.read()
    hand.command(title="File: Save All Files")
    hand.sees(lambda: str(file.read_text() != before), "True", 20)
    after = file.read_text()
    assert after.count("@Test") == before.count("@Test") + 1
    changed = difflib.ndiff(before.splitlines(), after.splitlines())
    assert [line for line in changed if line.startswith("- ")] == []
    with connect(start=False) as client:
        assert client.health()["engine"]["loaded"]
        assert client.status(str(ledger))["adapter"]
    assert asked() == scripted


def test_a_user_trains_generates_cancels_and_sees_the_adapter_age(
    ledger: Path, tmp_path: Path, own_data_folder: Path, daemon: None
) -> None:
    settings = {
        "personalizer.command": [sys.executable, "-m", "tests.editors.scripted_server"],
        "personalizer.training.budget": "20m",
        "personalizer.generateTest.candidates": 2,
    }
    around = {"PERSONALIZER_DATA_DIR": str(own_data_folder), "PYTHONPATH": str(ROOT)}
    before = (ledger / MONEY_TEST).read_text()
    clamp = place_of(ledger / MONEY, "clamp(")
    with vs_code(tmp_path / "home", settings, around) as (code, hand):
        hand.open(url=code.folder(ledger))
        hand.file(path=MONEY, **clamp)
        hand.sees(hand.status, "No adapter", 60)

        hand.command(title="Personalizer: Train Adapter for This Workspace")
        hand.sees(hand.status, "Training", 30)
        hand.command(title="Personalizer: Show Status")
        hand.sees(hand.view, r"step \d+ of \d+", PATIENCE)
        hand.sees(hand.status, r"Training \d+ %", 30)
        hand.sees(hand.view, r"step ([2-9]|\d\d) of", 60)
        hand.sees(hand.view, "base on validation pairs.*adapter on validation pairs", 10)
        shot(hand, "training")
        hand.sees(hand.status, "Adapter fresh", PATIENCE)
        hand.sees(hand.view, "Adapter fresh.*All 99 pairs are as trained on", 30)

        hand.file(path=MONEY, **clamp)
        assert "Generate test" in hand.lightbulb()
        shot(hand, "generate")
        hand.take(title="Generate test")
        hand.sees(hand.tab, "MoneyTest", PATIENCE)
        hand.command(title="File: Save All Files")
        hand.sees((ledger / MONEY_TEST).read_text, "void generated", 20)
        after = (ledger / MONEY_TEST).read_text()
        changed = difflib.ndiff(before.splitlines(), after.splitlines())
        assert [line for line in changed if line.startswith("- ")] == []
        done = maven(ledger)
        assert done.returncode == 0, done.stdout
        report = (
            ledger / "ledger-core/target/surefire-reports/TEST-example.ledger.money.MoneyTest.xml"
        )
        assert 'name="generated"' in report.read_text()

        hand.command(title="Personalizer: Train Adapter for This Workspace")
        hand.sees(hand.status, "Training", 30)
        hand.command(title="Personalizer: Cancel Training")
        hand.sees(hand.status, "Adapter fresh", 60)
        hand.sees(hand.told, "Training was cancelled", 20)

        (own_data_folder / UNSCRIPTED).touch()
        stop()
        written_by_the_model(hand, ledger)
        shot(hand, "written")

        change_tests(ledger, 10)
        hand.sees(hand.status, "Adapter ageing", 60)
        hand.command(title="Personalizer: Show Status")
        hand.sees(hand.view, r"Adapter ageing.*1\d changed", 30)
        shot(hand, "status")
        assert hand.noise() == []
    adapters = WorkspaceData(ledger).adapters
    assert len(list(adapters.glob("*/manifest.json"))) == 1


def test_a_folder_that_is_not_trusted_is_only_read(
    ledger: Path, tmp_path: Path, own_data_folder: Path, daemon: None
) -> None:
    settings = {
        "personalizer.command": [sys.executable, "-m", "tests.editors.scripted_server"],
        "security.workspace.trust.enabled": True,
        "security.workspace.trust.startupPrompt": "never",
    }
    around = {"PERSONALIZER_DATA_DIR": str(own_data_folder), "PYTHONPATH": str(ROOT)}
    with vs_code(tmp_path / "home", settings, around) as (code, hand):
        hand.open(url=code.folder(ledger))
        hand.file(path=MONEY, **place_of(ledger / MONEY, "clamp("))
        hand.sees(hand.status, "No adapter", 60)
        assert "Generate test" in hand.lightbulb()
        hand.take(title="Generate test")
        hand.sees(hand.tab, "MoneyTest", PATIENCE)
        assert not list(ledger.glob("**/target"))
        with connect(start=False) as client:
            family = Process(client.health()["pid"]).children(recursive=True)
            assert [one.name() for one in family if "java" in one.name()] == []

        hand.command(title="Personalizer: Show Status")
        hand.sees(hand.view, "99 pairs of test and method to learn from", 30)
        hand.press(name="Train an adapter")
        hand.sees(hand.told, "Trust this workspace first", 20)
        with connect(start=False) as client:
            assert client.jobs() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_the_status_view_is_for_everybody(
    ledger: Path, tmp_path: Path, width: int, scheme: str, daemon: None
) -> None:
    with (
        connect(command=DAEMON) as client,
        (tmp_path / "log").open("w") as log,
        a_hand(log) as hand,
    ):
        hand.browse(url=client.view(str(ledger)), width=width, scheme=scheme)
        hand.sees(hand.view, "99 pairs of test and method to learn from", 20)
        assert hand.overflow() <= 0
        assert hand.tabbed() == ["Train an adapter"]
        assert hand.noise() == []
        axe = install() / "node_modules/axe-core/axe.min.js"
        assert hand.violations(axe=str(axe)) == []
        hand.press(name="Train an adapter")
        hand.sees(hand.view, "Cancel training", 20)
        hand.press(name="Cancel training")
        hand.sees(hand.view, "The last training was cancelled", 30)
