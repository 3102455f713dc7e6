"""Starting Python processes of our own. Free of torch.

The child finds this very package wherever it was started from, and never imports from the folder
it runs in: a project that holds a ``torch.py`` must not be run by being opened.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import personalizer

__all__ = ["JOB", "environment", "module_command"]

JOB = "PERSONALIZER_JOB"
"""Environment variable that names the daemon's job to its process and all that this starts."""


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules in a new interpreter."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """The environment of such a process: ours, this package importable, hubs out of reach."""
    package = str(Path(personalizer.__file__).parent.parent)
    before = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [entry for entry in before if entry and Path(entry).is_absolute() and entry != package]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([package, *kept]),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
