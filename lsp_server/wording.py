"""What Personalizer says, in the terms of an editor: settings of ours in place of flags."""

from __future__ import annotations

import re

__all__ = ["in_editor"]

_TERMS = (
    (
        re.compile(r"use --trust, or (?=add it to trusted_workspaces in )"),
        "trust it in VS Code, or in any editor ",
    ),
    (re.compile(r"^--budget:"), "training.budget:"),
)


def in_editor(message: str) -> str:
    """A message with what a user of an editor can do.

    Example:
        >>> in_editor("--budget: expected a time such as 90s, got 'soon'")
        "training.budget: expected a time such as 90s, got 'soon'"
    """
    for flag, setting in _TERMS:
        message = flag.sub(setting, message)
    return message
