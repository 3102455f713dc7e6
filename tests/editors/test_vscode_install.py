"""A user without the program: the extension makes an environment of its own, and the server runs.

Real: the notification's button, ``venv``, ``pip``, the wheel of this checkout that the extension
brings along, the server and the daemon out of it. Not real: its libraries are those of this
environment, for they are two gigabytes.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import pytest
from psutil import process_iter

from personalizer.daemon.client import stop
from tests.editors.editor import CART_PATH
from tests.editors.vscode import shot, vs_code

pytestmark = pytest.mark.slow


def test_the_program_is_installed_by_a_button(
    shop: Path, tmp_path: Path, own_data_folder: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to(Path(sys.base_prefix, "bin", "python3").resolve())
    around = {
        # a PATH without the `personalizer` of this environment
        "PATH": os.pathsep.join([str(programs), "/usr/bin", "/bin"]),
        "PERSONALIZER_DATA_DIR": str(own_data_folder),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_IGNORE_INSTALLED": "1",
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }
    home = tmp_path / "home"
    with vs_code(home, {"personalizer.command": []}, around) as (code, hand):
        hand.open(url=code.folder(shop))
        hand.file(path=CART_PATH, line=12, column=18)
        hand.sees(hand.told, "needs the program", 60)
        shot(hand, "missing")
        hand.answer(name="Install for Me")
        hand.sees(hand.told, "Making the environment|Installing", 30)
        shot(hand, "installing")
        try:
            hand.sees(hand.status, "No adapter", 400)
            [program] = home.glob("vscode/**/personalizer.personalizer/python/bin/personalizer")
            running = [" ".join(one.info["cmdline"] or ()) for one in process_iter(["cmdline"])]
        finally:
            stop()
    servers = [line for line in running if str(program.parent) in line]
    assert any("lsp_server" in line for line in servers), servers
