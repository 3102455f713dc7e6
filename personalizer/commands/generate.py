"""``personalizer generate`` and ``snippet``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from personalizer import output
from personalizer.commands.common import json_option, registry_of, workspace_option
from personalizer.errors import BadInput

__all__ = ["generate", "snippet"]


@click.command()
@click.argument("target")
@workspace_option
@click.option("-n", "count", type=click.IntRange(1, 20), help="Candidates.")
@click.option("--adapter", help="Adapter id, or base; the serving adapter when left out.")
@click.option(
    "--retrieve", type=click.IntRange(0), metavar="K", help="Examples from the project's own pairs."
)
@click.option("--write", is_flag=True, help="Write the test into its file; else show the diff.")
@json_option
def generate(
    target: str,
    workspace: Path,
    count: int | None,
    adapter: str | None,
    retrieve: int | None,
    write: bool,
    as_json: bool,
) -> None:
    """Writes a unit test for TARGET: File.java:LINE or Class#method."""
    from indexer import Store, Where, index_folder
    from personalizer import settings
    from personalizer.engine.local import LocalEngine
    from personalizer.generation import Retriever, generate_test, resolve_target
    from personalizer.storage import WorkspaceData

    output.quiet_libraries()
    root, target = _workspace_of(target, workspace)
    chosen = settings.load(root, {"candidates": count, "retrieve": retrieve}).settings
    with Store(WorkspaceData(root).index) as store, output.working("Generating"):
        snapshot, _ = index_folder(root, store)
        path, method = resolve_target(snapshot, target)
        serving = _serving(root, adapter)
        retriever = Retriever(snapshot, snapshot.pairs)
        with closing(LocalEngine(threads=chosen.threads)) as engine:
            made = generate_test(
                snapshot,
                path,
                method,
                engine,
                base=serving.base if serving else chosen.base,
                adapter_id=serving.id if serving else "base",
                adapter_folder=str(serving.folder) if serving else None,
                count=chosen.candidates,
                settings=chosen,
                examples=retriever.nearest(Where(path, method), chosen.retrieve),
            )
        if write and made.edit is not None:
            _write(root, snapshot, made.edit)
    result = output.as_dict(made) | {"written": bool(write and made.edit)}
    output.show("generate", result, as_json)


@click.command()
@click.argument("target", metavar="FILE:LINE")
@workspace_option
@click.option("--adapter", help="Adapter id, or base; the serving adapter when left out.")
@click.option("--write", is_flag=True, help="Write the body into its file; else show the diff.")
@json_option
def snippet(target: str, workspace: Path, adapter: str | None, write: bool, as_json: bool) -> None:
    """Writes the body of the documented, empty method at FILE:LINE."""
    from indexer import Store, index_folder
    from personalizer import settings
    from personalizer.engine.local import LocalEngine
    from personalizer.generation import generate_snippet
    from personalizer.storage import WorkspaceData

    output.quiet_libraries()
    root, target = _workspace_of(target, workspace)
    file, colon, line = target.rpartition(":")
    if not colon or not line.isdigit():
        raise BadInput(f"expected FILE:LINE, got {target}")
    chosen = settings.load(root).settings
    with Store(WorkspaceData(root).index) as store, output.working("Generating"):
        snapshot, _ = index_folder(root, store)
        serving = _serving(root, adapter)
        with closing(LocalEngine(threads=chosen.threads)) as engine:
            made = generate_snippet(
                snapshot,
                file,
                int(line),
                engine,
                base=serving.base if serving else chosen.base,
                adapter_id=serving.id if serving else "base",
                adapter_folder=str(serving.folder) if serving else None,
                settings=chosen,
            )
        if write and made.edit is not None:
            _write(root, snapshot, made.edit)
    output.show("snippet", output.as_dict(made), as_json)


def _workspace_of(target: str, workspace: Path) -> tuple[Path, str]:
    """The project of a target, and the target relative to it.

    A file outside ``--workspace`` belongs to the nearest folder above it with ``.git``, or with
    the topmost build file.
    """
    from indexer import Workspace

    root = Workspace(workspace).root
    file, colon, line = target.rpartition(":")
    named = Path(file)
    if not colon or not named.is_file():
        return root, target
    full = named.resolve()
    if root not in full.parents:
        root = _project_above(full)
    return root, f"{full.relative_to(root).as_posix()}:{line}"


def _project_above(file: Path) -> Path:
    built = file.parent
    for folder in file.parents:
        if (folder / ".git").exists():
            return folder
        if any(
            (folder / name).exists() for name in ("pom.xml", "build.gradle", "build.gradle.kts")
        ):
            built = folder
    return built


def _serving(root: Path, adapter: str | None) -> Any:
    registry = registry_of(root)
    if adapter == "base":
        return None
    return registry.get(adapter) if adapter else registry.serving()


def _write(root: Path, snapshot: Any, edit: Any) -> None:
    from personalizer.generation import apply_changes
    from personalizer.storage import write_atomically

    file = root / edit.file
    if edit.created and file.exists():
        raise BadInput(f"{edit.file} was made meanwhile: run the command again")
    before = b"" if edit.created else file.read_bytes()
    if not edit.created and before != snapshot.source(edit.file):
        raise BadInput(f"{edit.file} was changed meanwhile: run the command again")
    write_atomically(file, apply_changes(before, edit.changes))
