"""The same server in a real neovim, started with the very lines of docs/editors.md."""

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
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.editors.editor import CART, CART_PATH, CART_TEST, TEST_PATH, make_shop
from tests.fake_daemon import GENERATED

ROOT = Path(__file__).parent.parent.parent
NVIM = shutil.which("nvim")

pytestmark = pytest.mark.skipif(
    NVIM is None, reason="neovim is not installed: apt-get install neovim"
)


def documented_configuration() -> str:
    """The first Lua block of the manual."""
    found = re.search(r"```lua\n(.*?)```", (ROOT / "docs/editors.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


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
        "XDG_STATE_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
    }


def start(shop: Path, environment: dict[str, str], **scenario: str) -> subprocess.Popen[bytes]:
    init = shop.parent / "init.lua"
    init.write_text(documented_configuration())
    assert NVIM is not None
    return subprocess.Popen(
        [NVIM, "--headless", "-u", str(init), "-c", f"luafile {ROOT}/tests/editors/scenario.lua"],
        cwd=shop,
        env={**environment, **{f"SCENARIO_{k.upper()}": v for k, v in scenario.items()}},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run(shop: Path, environment: dict[str, str], **scenario: str) -> dict[str, Any]:
    out = shop.parent / "out.json"
    with start(shop, environment, file=CART_PATH, out=str(out), **scenario) as nvim:
        try:
            _, errors = nvim.communicate(timeout=60)
        finally:
            nvim.kill()
    assert out.exists(), errors.decode()
    report: dict[str, Any] = json.loads(out.read_text())
    assert report.get("error") is None, report
    return report


def until(found: Callable[[], Any], seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return value


def test_generate_test_in_neovim_adds_the_test_and_nothing_else(shop, environment):
    report = run(
        shop, environment, line="public int total()", action="Generate test", wait="void generated"
    )
    body, closing, _ = CART_TEST.rpartition("}")
    head, semicolon, rest = body.partition(";")
    wanted = f"{head}{semicolon}\nimport org.junit.jupiter.api.Test;{rest}\n{GENERATED}{closing}"
    assert report["buffers"][str(shop / TEST_PATH)] == wanted
    assert report["buffers"][str(shop / CART_PATH)] + "\n" == CART


def test_a_missing_test_class_is_created_in_neovim(shop, environment):
    (shop / TEST_PATH).unlink()
    report = run(
        shop, environment, line="public int total()", action="Generate test", wait="void generated"
    )
    # neovim keeps the empty line of a new buffer below an insertion.
    wanted = f"class CartTest {{\n{GENERATED}}}\n"
    assert report["buffers"][str(shop / TEST_PATH)] == wanted


def test_generate_snippet_in_neovim_fills_the_body(shop, environment):
    report = run(
        shop, environment, line="public void clear()", action="Generate snippet", wait="return 42"
    )
    assert "clear() {\n        return 42;\n    }" in report["buffers"][str(shop / CART_PATH)]


def test_a_killed_neovim_leaves_no_server(shop, environment):
    environment["FAKE_DAEMON"] = json.dumps({"seconds": 120, "log": str(shop.parent / "calls")})
    nvim = start(
        shop,
        environment,
        file=CART_PATH,
        line="public int total()",
        action="Generate test",
        wait="void generated",
        out=str(shop.parent / "out.json"),
    )
    calls = shop.parent / "calls"
    try:
        until(lambda: calls.exists() and '"generate"' in calls.read_text())
        family = psutil.Process(nvim.pid).children(recursive=True)
        assert any("tests.fake_daemon" in one.cmdline() for one in family)
    finally:
        nvim.send_signal(signal.SIGKILL)
        nvim.communicate()
    _, alive = psutil.wait_procs(family, 5)
    assert alive == []
