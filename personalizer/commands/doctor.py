"""``personalizer doctor``: what is here, what is missing, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from personalizer import output, progress
from personalizer.commands.common import json_option, path_argument
from personalizer.models.quiet import quiet_libraries

if TYPE_CHECKING:
    from indexer import Module, Workspace
    from personalizer.settings import Settings
    from personalizer.storage import WorkspaceData
    from personalizer.validation.inspection import Finding

__all__ = ["doctor"]


@click.command()
@path_argument
@json_option
def doctor(path: Path, as_json: bool) -> None:
    """Says what training and checking tests need here, what is missing, and what to do.

    The exit code is 0 whatever is missing: `ok` says whether anything is.
    """
    from indexer import Workspace
    from personalizer import settings
    from personalizer.generation.validators import is_trusted
    from personalizer.storage import WorkspaceData
    from personalizer.validation.inspection import inspect

    quiet_libraries()
    workspace = Workspace(path)
    root = workspace.root
    chosen = settings.load(root).settings
    data = WorkspaceData(root)
    with progress.working("Looking"):
        build_files = workspace.build_files()
        modules, kept = _modules(workspace, data, build_files)
        found = inspect(
            root.resolve(),
            modules,
            build_files,
            trusted=is_trusted(root, chosen),
            data=data.validation,
            class_path=chosen.class_path,
        )
        found += [kept, *_models(chosen)]
    checks = [output.as_dict(one) for one in found]
    result = {"checks": checks, "ok": all(one.ok for one in found)}
    output.show("doctor", result, as_json)


def _modules(
    workspace: Workspace, data: WorkspaceData, build_files: Mapping[str, bytes]
) -> tuple[Sequence[Module], Finding]:
    """The project's modules, and whether what is read of it can be kept; that need not be."""
    from indexer import Index, Store, StoreUnavailable, find_modules
    from personalizer.errors import StorageError
    from personalizer.forgotten import WholeStore
    from personalizer.storage import data_folder
    from personalizer.validation.inspection import Finding

    def read(store: Store) -> Sequence[Module]:
        return find_modules(build_files, Index(store).read(workspace).files)

    what = "data folder"
    try:
        output.check_writable(data.index)
        with WholeStore(data) as store:
            return read(store), Finding(what, True, str(data_folder()))
    except (StorageError, StoreUnavailable) as error:
        found, _, todo = str(error).rpartition("; ")
        with Store() as memory:
            return read(memory), Finding(what, False, found, todo)


def _models(settings: Settings) -> Iterator[Finding]:
    from importlib import metadata

    from personalizer.daemon import client
    from personalizer.errors import PersonalizerError
    from personalizer.models import base_folder, best_device
    from personalizer.settings import BM25
    from personalizer.validation.inspection import Finding

    device = best_device()
    found = {"cuda": "an NVIDIA GPU", "mps": "an Apple GPU", "cpu": "none: training uses the CPU"}
    yield Finding("GPU", True, found[device.partition(":")[0]])
    try:
        yield Finding("bitsandbytes", True, metadata.version("bitsandbytes"))
    except metadata.PackageNotFoundError:
        todo = "pip install bitsandbytes (Linux), or leave qlora and quantisation alone"
        yield Finding("bitsandbytes", False, "not installed: no 4-bit or 8-bit base", todo)
    try:
        yield Finding("base model", True, f"{settings.base} in {base_folder(settings.base)}")
    except PersonalizerError as error:
        yield Finding("base model", False, str(error), "set base to starter, or pull the model")
    if settings.retriever != BM25:
        yield _retriever(settings.retriever)
    daemon = client.describe()
    if daemon["error"]:
        yield Finding("daemon", False, daemon["error"], "see `personalizer daemon status`")
    else:
        state = "running" if daemon["running"] else "not running; it starts on demand"
        yield Finding("daemon", True, state)


def _retriever(name: str) -> Finding:
    """The embedding model that finds examples."""
    from importlib import metadata

    from personalizer.errors import BaseModelError
    from personalizer.models.sentences import sentences_folder
    from personalizer.validation.inspection import Finding

    what = "embedding model"
    try:
        folder = sentences_folder(name)
        version = metadata.version("sentence-transformers")
    except BaseModelError as error:
        return Finding(what, False, str(error), "set retriever to bm25, or pull the model")
    except metadata.PackageNotFoundError:
        todo = "pip install sentence-transformers, or set retriever to bm25"
        return Finding(what, False, "sentence-transformers is not installed", todo)
    return Finding(what, True, f"{name} in {folder}, by sentence-transformers {version}")
