"""A server with a real daemon whose model is a fake: ``python -m tests.editors.daemon_server``."""

from __future__ import annotations

from functools import partial

from lsp_server.__main__ import serve
from lsp_server.server import create
from personalizer.daemon.client import connect
from tests.fake_parts import DAEMON

if __name__ == "__main__":
    serve(create(partial(connect, command=DAEMON)))
