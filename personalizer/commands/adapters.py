"""``personalizer adapters``: lists adapters and chooses the one that serves."""

from __future__ import annotations

from pathlib import Path

import click

from personalizer import output
from personalizer.commands.common import (
    json_option,
    path_argument,
    registry_of,
    workspace_option,
)

__all__ = ["adapters"]


@click.group()
def adapters() -> None:
    """Lists adapters and chooses the one that serves."""


@adapters.command("list")
@path_argument
@json_option
def adapters_list(path: Path, as_json: bool) -> None:
    """Adapters of a project, oldest first."""
    registry = registry_of(path)
    serving = registry.serving()
    rows = [output.adapter_row(a, serving) for a in registry.all()]
    output.show_lines("adapters", rows, as_json)


@adapters.command("show")
@click.argument("adapter")
@workspace_option
@json_option
def adapters_show(adapter: str, workspace: Path, as_json: bool) -> None:
    """The manifest of an adapter."""
    output.show("manifest", output.as_dict(registry_of(workspace).get(adapter).manifest), as_json)


@adapters.command("use")
@click.argument("adapter")
@workspace_option
@json_option
def adapters_use(adapter: str, workspace: Path, as_json: bool) -> None:
    """Lets an adapter serve, whatever the gate said; `base` for the base model."""
    registry_of(workspace).use(None if adapter == "base" else adapter)
    output.show("serving", {"serving": adapter}, as_json)


@adapters.command("rollback")
@path_argument
@json_option
def adapters_rollback(path: Path, as_json: bool) -> None:
    """Lets the adapter serve that served before."""
    before = registry_of(path).rollback()
    output.show("serving", {"serving": before.id if before else "base"}, as_json)


@adapters.command("remove")
@click.argument("adapter")
@workspace_option
@json_option
def adapters_remove(adapter: str, workspace: Path, as_json: bool) -> None:
    """Deletes an adapter."""
    registry_of(workspace).remove(adapter)
    output.show("removed", {"removed": adapter}, as_json)
