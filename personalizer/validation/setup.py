"""Chooses how a workspace's candidates are checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from indexer import Snapshot
from personalizer.errors import BadInput
from personalizer.storage import data_folder
from personalizer.validation.records import Unable, Validator
from personalizer.validation.validator import LocalValidator

__all__ = ["validator_for"]


def validator_for(
    root: Path,
    snapshot: Snapshot,
    build_files: Mapping[str, bytes],
    *,
    trusted: bool,
    data: Path,
    class_path: str = "",
    programs: Path | None = None,
) -> Validator:
    """A validator that lives as long as its workspace; nothing is started before the first check.

    Args:
        root: The workspace.
        snapshot: The project; ``Validator.update`` takes later ones.
        build_files: ``Workspace(root).build_files()``.
        trusted: Whether the user trusts the workspace, so that its build may be run for its class
            path; otherwise the build's files are only read.
        data: Where what is made lies: ``WorkspaceData.validation``.
        class_path: The user's own class path, instead of the build's; folders and jars, jars of
            a folder as ``lib/*``, separated as the system does.
        programs: Where our compiled Java program is kept; the user's data folder when left out.

    Returns:
        A validator; where nothing can be checked, one that answers nulls and the reason.
    """
    try:
        return LocalValidator(
            root.resolve(),
            snapshot,
            build_files,
            trusted=trusted,
            data=data,
            programs=programs or data_folder() / "programs",
            class_path=class_path,
        )
    except BadInput as error:
        return Unable(str(error))
