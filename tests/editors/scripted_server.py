"""The language server with a daemon that trains for real and whose model writes one fixed test.

``python -m tests.editors.scripted_server`` is the server; with ``daemon`` it is the daemon. What
the real starter writes differs from machine to machine, so a test of the whole way to a test that
passes cannot say what it must be. A daemon that starts while ``UNSCRIPTED`` is in the data folder
has the real model.
"""

from __future__ import annotations

import sys
from functools import partial

from personalizer.processes import module_command
from personalizer.storage import data_folder

__all__ = ["DAEMON", "UNSCRIPTED"]

DAEMON = module_command("tests.editors.scripted_server", "daemon")
UNSCRIPTED = "unscripted"

if __name__ == "__main__":
    if sys.argv[1:] == ["daemon"]:
        from personalizer.daemon.process import run

        if (data_folder() / UNSCRIPTED).exists():
            run()
        else:
            run(engine_command=module_command("tests.fake_parts", "engine"))
    else:
        from lsp_server.__main__ import serve
        from lsp_server.server import create
        from personalizer.daemon.client import connect

        serve(create(partial(connect, command=DAEMON)))
