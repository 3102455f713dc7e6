"""Chooses how a workspace's candidates are checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from indexer import Snapshot
from personalizer.validation.records import Unable, Validator

__all__ = ["validator_for"]


def validator_for(
    root: Path,
    snapshot: Snapshot,
    build_files: Mapping[str, bytes],
    *,
    trusted: bool,
    data: Path,
    class_path: str = "",
) -> Validator:
    """A validator that lives as long as its workspace; nothing is started before the first check.

    Args:
        root: The workspace.
        snapshot: The project; ``Validator.update`` takes later ones.
        build_files: ``Workspace(root).build_files()``.
        trusted: Whether the user trusts the workspace, so that its build may be run for its class
            path; otherwise the build's files are only read.
        data: The workspace's data folder; what is made lies in ``validation`` below it.
        class_path: The user's own class path, instead of the build's; folders and jars, jars of
            a folder as ``lib/*``, separated as the system does.

    Returns:
        A validator; where nothing can be checked, one that answers nulls and the reason.
    """
    return Unable("candidates are not compiled or run yet")
