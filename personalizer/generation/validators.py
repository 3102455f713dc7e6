"""Opens the validator of a workspace, where the user lets its code be built and run."""

from __future__ import annotations

import os
from pathlib import Path

from indexer import Snapshot, Workspace
from personalizer.settings import Settings, user_file
from personalizer.storage import WorkspaceData
from personalizer.validation import Unable, Validator, validator_for

__all__ = ["is_trusted", "open_validator"]


def open_validator(
    root: Path, snapshot: Snapshot, settings: Settings, *, run: bool, trusted: bool
) -> Validator:
    """What checks the candidates of a workspace.

    Args:
        root: The workspace.
        snapshot: The project.
        settings: The user's; ``trusted_workspaces`` and ``class_path`` are read.
        run: Whether candidates shall be compiled and run.
        trusted: Whether the user has just said that the workspace is to be trusted.

    Returns:
        A validator that starts nothing before it is asked; for a workspace that is not trusted
        one that never builds or runs anything, and says so.
    """
    if not run:
        return Unable("it was asked not to compile or run anything")
    if not (trusted or is_trusted(root, settings)):
        return Unable(
            f"{root} is not trusted, so nothing of it is built or run: "
            f"use --trust, or add it to trusted_workspaces in {user_file()}"
        )
    return validator_for(
        root,
        snapshot,
        Workspace(root).build_files(),
        trusted=True,
        data=WorkspaceData(root).validation,
        class_path=settings.class_path,
    )


def is_trusted(root: Path, settings: Settings) -> bool:
    """Whether a workspace is one of the user's trusted folders, or lies in one."""
    named = (one for one in settings.trusted_workspaces.split(os.pathsep) if one.strip())
    folders = {Path(one.strip()).expanduser().resolve() for one in named}
    here = root.resolve()
    return not folders.isdisjoint([here, *here.parents])
