"""Commands that look at a project: index, pairs, dataset, config."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from personalizer import output, progress
from personalizer.commands.common import (
    check_for_java,
    json_lines_option,
    json_option,
    path_argument,
    say_what_is_ignored,
)
from personalizer.errors import BadInput
from personalizer.models.quiet import quiet_libraries

__all__ = ["config", "dataset", "index", "pairs"]


@click.command()
@path_argument
@click.option("--excluded", is_flag=True, help="List what is left out and why; copies too.")
@json_option
def index(path: Path, excluded: bool, as_json: bool) -> None:
    """Reads a project: files, methods, tests and pairs."""
    from indexer import Index, Store
    from personalizer.forgotten import Learnable
    from personalizer.storage import WorkspaceData

    workspace = Learnable(path)
    root = workspace.root
    with Store(WorkspaceData(root).index) as store, progress.working("Indexing"):
        begun = time.perf_counter()
        snapshot = Index(store).read(workspace)
        seconds = time.perf_counter() - begun
        check_for_java(snapshot, root)
        result: dict[str, Any] = {
            "files": len(snapshot.files) + len(snapshot.excluded),
            "parsed": len(snapshot.files),
            "errors": {path: list(errors) for path, errors in snapshot.errors.items()},
            "excluded": snapshot.excluded_by_reason(),
            "methods": snapshot.methods,
            "tests": len(snapshot.tests),
            "pairs": len(snapshot.pairs),
            "snippets": len(snapshot.snippets),
            "seconds": round(seconds, 3),
        }
        if excluded:
            result["excluded_files"] = dict(snapshot.excluded)
            result["excluded_folders"] = workspace.left_out()
            result["copies"] = dict(snapshot.copies)
    output.show("index", result, as_json)


@click.command()
@path_argument
@json_lines_option
def pairs(path: Path, as_json: bool) -> None:
    """Lists the tests with the method that each tests."""
    from indexer import Index, Store
    from personalizer.forgotten import Learnable
    from personalizer.storage import WorkspaceData

    workspace = Learnable(path)
    with Store(WorkspaceData(workspace.root).index) as store:
        snapshot = Index(store).read(workspace)
        check_for_java(snapshot, workspace.root)
        output.show_lines("pairs", (output.pair_row(pair) for pair in snapshot.pairs), as_json)


@click.command()
@path_argument
@click.option("--out", type=click.Path(path_type=Path), help="A file instead of stdout.")
@click.option(
    "--json", "as_json", is_flag=True, help="With --out, print one JSON object; else one a line."
)
def dataset(path: Path, out: Path | None, as_json: bool) -> None:
    """Prints the examples that training would use, one JSON object a line."""
    from indexer import Index, Store
    from personalizer import settings
    from personalizer.forgotten import Learnable
    from personalizer.storage import WorkspaceData

    if out is not None and not out.absolute().parent.is_dir():
        raise BadInput(f"expected a file in a folder that is there, got {out}")
    quiet_libraries()
    from personalizer.training import preparation

    workspace = Learnable(path)
    chosen = settings.load(workspace.root).settings
    with Store(WorkspaceData(workspace.root).index) as store, progress.working("Reading"):
        snapshot = Index(store).read(workspace)
        rows = list(preparation.examples(snapshot, chosen))
    if out is None:
        output.show_lines("dataset", rows, as_json=True)
        return
    count = output.write_lines(out, rows)
    output.show("dataset", {"examples": count, "file": str(out)}, as_json)


@click.command()
@path_argument
@json_option
def config(path: Path, as_json: bool) -> None:
    """Prints each setting and where its value comes from."""
    from indexer import Workspace
    from personalizer import settings

    resolved = settings.load(Workspace(path).root)
    say_what_is_ignored(resolved)
    output.show("config", {"settings": settings.as_table(resolved)}, as_json)
