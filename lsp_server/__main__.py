"""``python -m lsp_server``: the server on standard input and output, until its editor ends."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from typing import NoReturn

from lsp_server.daemon import Daemon
from lsp_server.lifetime import end
from lsp_server.pauses import take_short_turns
from lsp_server.server import Server, create
from personalizer import __version__

__all__ = ["main", "serve"]


def serve(server: Server) -> NoReturn:
    """Serves until the editor says so, closes the pipe, or is gone; leaves no process behind."""
    # Nothing but the protocol may touch the pipes: a stray print goes to the log, and processes
    # that are started on the way inherit neither end, or they would hold what must close.
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    take_short_turns()
    try:
        server.start_io(
            io.BufferedReader(io.FileIO(requests)), io.BufferedWriter(io.FileIO(answers, "w"))
        )
    except BaseException:
        logging.getLogger(__name__).exception("the server ends")
    end(1)


def _connect(start: bool = True) -> Daemon:
    from personalizer.daemon import client

    return client.connect(start)


def main() -> NoReturn:
    parser = argparse.ArgumentParser("personalizer lsp", description="The language server.")
    parser.add_argument("--stdio", action="store_true", help="the only way, and the default")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--log-level", default="warning", choices=["debug", "info", "warning", "error"]
    )
    level = parser.parse_args().log_level.upper()
    logging.basicConfig(
        stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s"
    )
    serve(create(_connect))


if __name__ == "__main__":
    main()
