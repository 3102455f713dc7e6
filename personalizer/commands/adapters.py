"""``personalizer adapters``: lists them, chooses one, sends, takes in, forgets, measures."""

from __future__ import annotations

from pathlib import Path

import click

from personalizer import output, progress
from personalizer.commands.common import (
    in_background,
    json_option,
    path_argument,
    registry_of,
    until_interrupted,
    workspace_option,
)
from personalizer.models.quiet import quiet_libraries

__all__ = ["adapters"]


@click.group()
def adapters() -> None:
    """Lists adapters and chooses the one that serves."""


@adapters.command("list")
@path_argument
@json_option
def adapters_list(path: Path, as_json: bool) -> None:
    """Adapters of a project, oldest first."""
    from personalizer.errors import AdapterError

    registry = registry_of(path)
    serving, name = None, None
    try:
        serving = registry.serving()
        name = serving.id if serving else "base"
    except AdapterError as error:
        output.remark(str(error))
    for line in registry.damaged().values():
        output.remark(line)
    rows = [output.adapter_row(a, serving) for a in registry.all()]
    output.show("adapters", {"adapters": rows, "serving": name}, as_json)


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


@adapters.command("export")
@click.argument("adapter")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--merged", is_flag=True, help="Write a whole model, adapter worked in.")
@workspace_option
@json_option
def adapters_export(
    adapter: str, folder: Path, merged: bool, workspace: Path, as_json: bool
) -> None:
    """Writes an adapter's files into a new folder; PEFT loads them where PEFT has the method.

    They hold names and hashes of the project's code, and weights that were trained on it.
    """
    from personalizer.adapters import export

    found = registry_of(workspace).get(adapter)
    if merged:
        quiet_libraries()
        from personalizer.training.merge import export_merged

        with progress.working("Merging"):
            files = export_merged(found, folder)
    else:
        files = export(found, folder)
    output.show("exported", {"exported": adapter, "folder": str(folder), "files": files}, as_json)


@adapters.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@workspace_option
@json_option
def adapters_import(folder: Path, workspace: Path, as_json: bool) -> None:
    """Takes in an adapter that `export` wrote; it serves only when `use` names it."""
    from indexer import Workspace
    from personalizer import settings
    from personalizer.adapters import Base, import_folder
    from personalizer.models import base_folder, fingerprint
    from personalizer.storage import WorkspaceData

    root = Workspace(workspace).root
    name = settings.load(root).settings.base
    base = Base(name, fingerprint(base_folder(name)))
    forgotten = WorkspaceData(root).forgotten()
    adapter = import_folder(registry_of(root), folder, base, forgotten)
    output.show("imported", {"imported": adapter.id, "serving": False}, as_json)


@adapters.command("forget")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--no-train", is_flag=True, help="Do not train anew what served.")
@click.option("--list", "listing", is_flag=True, help="List what was to be forgotten.")
@workspace_option
@json_option
def adapters_forget(
    path: Path | None, no_train: bool, listing: bool, workspace: Path, as_json: bool
) -> None:
    """Deletes all that was learnt from a file or folder, for ever, and trains anew without it.

    It is not learnt from again until `remember` takes it back.
    """
    from indexer import Workspace
    from personalizer.adapters import forget
    from personalizer.storage import WorkspaceData

    if listing == (path is not None):
        raise click.UsageError("expected a PATH or --list")
    found = Workspace(workspace)
    if path is None:
        listed = WorkspaceData(found.root).forgotten()
        output.show("forgotten list", {"forgotten": listed}, as_json)
        return
    gone = forget(found, path)
    result = output.as_dict(gone) | {"trained": None, "why_not": None}
    if gone.serving and not no_train:
        result |= _trained_anew(found.root, gone.path)
    output.show("forgotten", result, as_json)


@adapters.command("remember")
@click.argument("path", type=click.Path(path_type=Path))
@workspace_option
@json_option
def adapters_remember(path: Path, workspace: Path, as_json: bool) -> None:
    """Takes back what was to be forgotten: the next training may learn from it again."""
    from indexer import Workspace
    from personalizer.adapters import remember
    from personalizer.storage import WorkspaceData

    found = Workspace(workspace)
    name = remember(found, path)
    left = WorkspaceData(found.root).forgotten()
    output.show("remembered", {"remembered": name, "forgotten": left}, as_json)


def _trained_anew(root: Path, path: str) -> dict[str, object]:
    """From the base, whatever the settings say of a warm start."""
    from dataclasses import replace

    from personalizer import settings
    from personalizer.errors import BadInput

    resolved = settings.load(root).settings
    output.remark(
        f"what served had seen {path} and is gone: training anew without it, for "
        f"{resolved.budget} at most (interrupt it, or forget with --no-train, to leave that)"
    )
    quiet_libraries()
    from personalizer.training.project import train_project

    with progress.training_progress(as_json_lines=False) as report:
        try:
            trained = train_project(
                root, replace(resolved, warm_start=False), report=until_interrupted(report)
            )
        except BadInput as error:
            return {"why_not": str(error)}
    return {"trained": trained}


@adapters.command("measure")
@path_argument
@click.option("--background", is_flag=True, help="Let the daemon measure; return at once.")
@json_option
def adapters_measure(path: Path, background: bool, as_json: bool) -> None:
    """Measures the serving adapter's loss on new pairs; `status` then shows it with its date."""
    from indexer import Workspace
    from personalizer import settings

    root = Workspace(path).root
    if background:
        from personalizer.daemon.protocol import MeasureRequest

        in_background(MeasureRequest(str(root)), as_json)
        return
    resolved = settings.load(root).settings
    quiet_libraries()
    from personalizer.training.measure import measure_new

    with progress.working("Measuring"):
        result = measure_new(root, resolved)
    output.show("measured", result, as_json)
