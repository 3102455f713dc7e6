"""The same server in a real neovim and a real Emacs, with the very lines of docs/editors.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.editors.editor import CART, CART_PATH, CART_TEST, TEST_PATH, make_shop
from tests.fake_daemon import GENERATED, SNIPPET

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent


@dataclass(frozen=True)
class RealEditor:
    """How an editor is started with a configuration and a scenario."""

    program: str
    language: str
    """Of its configuration, as the manual names it."""
    arguments: tuple[str, ...]
    """Before the configuration's path."""
    then: tuple[str, ...]
    """After it: what runs the scenario."""

    def command(self, configuration: Path) -> list[str]:
        path = shutil.which(self.program)
        if path is None:
            pytest.skip(f"{self.program} is not installed: apt-get install {self.package}")
        return [path, *self.arguments, str(configuration), *self.then]

    @property
    def package(self) -> str:
        return {"nvim": "neovim", "emacs": "emacs-nox elpa-eglot"}[self.program]

    def documented(self) -> str:
        """The first block of its language in the manual."""
        manual = (ROOT / "docs/editors.md").read_text()
        found = re.search(rf"```{self.language}\n(.*?)```", manual, re.DOTALL)
        assert found
        return found[1]


NEOVIM = RealEditor(
    "nvim",
    "lua",
    ("--headless", "-u"),
    ("-c", f"luafile {HERE}/scenario.lua"),
)
EMACS = RealEditor(
    "emacs", "elisp", ("--batch", "-l", "eglot", "-l"), ("-l", f"{HERE}/scenario.el")
)


@pytest.fixture(params=[NEOVIM, EMACS], ids=["neovim", "emacs"])
def real(request) -> RealEditor:
    return request.param


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = make_shop(tmp_path / "shop")
    (folder / ".git").mkdir()  # By this, Emacs knows a project.
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A ``personalizer`` on the path that is the server with the fake daemon."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "personalizer"
    run = f'cd "{ROOT}" && exec "{sys.executable}" -m tests.fake_daemon'
    command.write_text(f'#!/bin/sh\n[ "$*" = lsp ] && {run}\n')
    command.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PERSONALIZER_DATA_DIR": str(tmp_path / "data"),
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
    }


def start(
    real: RealEditor, shop: Path, environment: dict[str, str], **scenario: str
) -> subprocess.Popen[bytes]:
    configuration = shop.parent / "init"
    configuration.write_text(real.documented())
    configuration = configuration.rename(configuration.with_suffix(f".{real.language}"))
    return subprocess.Popen(
        real.command(configuration),
        cwd=shop,
        env={**environment, **{f"SCENARIO_{k.upper()}": v for k, v in scenario.items()}},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run(
    real: RealEditor, shop: Path, environment: dict[str, str], **scenario: str
) -> dict[str, str]:
    """The text of each open Java buffer by its path in the project, once the scenario is over.

    Every text ends in one newline here: neovim shows none at the end of a file, and keeps the
    empty line of a new buffer below what is inserted.
    """
    out = shop.parent / "out.json"
    with start(real, shop, environment, file=CART_PATH, out=str(out), **scenario) as process:
        try:
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert out.exists(), errors.decode()
    report = json.loads(out.read_text())
    assert report.get("error") is None, report
    buffers = report["buffers"].items()
    return {str(Path(name).relative_to(shop)): f"{text.rstrip()}\n" for name, text in buffers}


def until(found: Callable[[], Any], seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return value


def test_a_generated_test_is_added_and_nothing_else_is_touched(real, shop, environment):
    buffers = run(
        real,
        shop,
        environment,
        line="public int total()",
        action="Generate test",
        wait="void generated",
    )
    body, closing, _ = CART_TEST.rpartition("}")
    head, semicolon, rest = body.partition(";")
    imported = f"{head}{semicolon}\nimport org.junit.jupiter.api.Test;{rest}"
    assert buffers == {CART_PATH: CART, TEST_PATH: f"{imported}\n{GENERATED}{closing}\n"}


def test_a_missing_test_class_is_created(real, shop, environment):
    (shop / TEST_PATH).unlink()
    buffers = run(
        real,
        shop,
        environment,
        line="public int total()",
        action="Generate test",
        wait="void generated",
    )
    assert buffers[TEST_PATH] == f"class CartTest {{\n{GENERATED}}}\n"


def test_a_generated_snippet_fills_the_body(real, shop, environment):
    buffers = run(
        real,
        shop,
        environment,
        line="public void clear()",
        action="Generate snippet",
        wait="return 42",
    )
    assert buffers[CART_PATH] == CART.replace("clear() {\n    }", f"clear() {SNIPPET}")


def test_a_killed_editor_leaves_no_server(real, shop, environment):
    calls = shop.parent / "calls"
    environment["FAKE_DAEMON"] = json.dumps({"seconds": 120, "log": str(calls)})
    editor = start(
        real,
        shop,
        environment,
        file=CART_PATH,
        line="public int total()",
        action="Generate test",
        wait="void generated",
        out=str(shop.parent / "out.json"),
    )
    try:
        until(lambda: calls.exists() and '"generate"' in calls.read_text())
        family = psutil.Process(editor.pid).children(recursive=True)
        assert any("tests.fake_daemon" in one.cmdline() for one in family)
    finally:
        editor.send_signal(signal.SIGKILL)
        editor.communicate()
    _, alive = psutil.wait_procs(family, 5)
    assert alive == []
