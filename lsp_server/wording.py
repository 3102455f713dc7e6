"""What Personalizer says, in the terms of an editor: settings of ours in place of flags."""

from __future__ import annotations

import re

from personalizer.words import shortened

__all__ = ["in_editor", "refused"]

_LONGEST_REASON = 120
"""Letters of what the compiler says."""

_TERMS = (
    (
        re.compile(r"use --trust, or (?=add it to trusted_workspaces in )"),
        "trust it in VS Code, or in any editor ",
    ),
    (re.compile(r"^budget:"), "training.budget:"),
)


def in_editor(message: str) -> str:
    """A message with what a user of an editor can do.

    Example:
        >>> in_editor("budget: expected a time such as 90s, got 'soon'")
        "training.budget: expected a time such as 90s, got 'soon'"
    """
    for flag, setting in _TERMS:
        message = flag.sub(setting, message)
    return message


def refused(failure: str | None) -> str:
    """That the compiler refused something, with the first line of what it says.

    Example:
        >>> refused("cannot find symbol: furos()\\n  in Cart"), refused(None)
        ('does not compile (cannot find symbol: furos())', 'does not compile')
    """
    why = (failure or "").partition("\n")[0]
    return "does not compile" + (f" ({shortened(why, _LONGEST_REASON)})" if why else "")
