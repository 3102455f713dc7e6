"""``personalizer daemon`` and ``lsp``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from personalizer import output, processes
from personalizer.commands.common import json_option, path_argument
from personalizer.errors import BadInput

__all__ = ["daemon", "lsp"]


@click.group()
def daemon() -> None:
    """Starts, stops and describes the daemon."""


@daemon.command("start")
@json_option
def daemon_start(as_json: bool) -> None:
    """Starts the daemon unless it runs."""
    from personalizer.daemon import client

    client.start()
    output.show("daemon", client.describe(), as_json)


@daemon.command("stop")
@json_option
def daemon_stop(as_json: bool) -> None:
    """Stops the daemon; its jobs go on when it starts again."""
    from personalizer.daemon import client

    client.stop()
    output.show("daemon", client.describe(), as_json)


@daemon.command("cancel")
@path_argument
@json_option
def daemon_cancel(path: Path, as_json: bool) -> None:
    """Ends what is done in the background for a project, whose folder may be gone."""
    from personalizer.daemon.client import connect

    workspace = str(path.resolve())
    with connect() as client:
        jobs = [job for job in client.jobs() if job.workspace == workspace and job.unfinished]
        if not jobs:
            raise BadInput(f"nothing is done in the background for {workspace}")
        cancelled = [output.as_dict(client.cancel(job.id)) for job in jobs]
    output.show("cancelled", {"cancelled": cancelled}, as_json)


@daemon.command("status")
@json_option
def daemon_status(as_json: bool) -> None:
    """Says whether the daemon runs, and where."""
    from personalizer.daemon import client

    output.show("daemon", client.describe(), as_json)


@daemon.command("run")
def daemon_run() -> None:
    """Runs the daemon in the foreground."""
    from personalizer.daemon import process

    process.run()


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def lsp(options: tuple[str, ...]) -> None:
    """Runs the language server on stdin and stdout.

    OPTIONS are its own: --stdio (the default), --log-level debug, info, warning or error.
    """
    command = processes.module_command("lsp_server", *options)
    os.execve(command[0], command, processes.environment())
