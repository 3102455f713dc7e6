"""Starting Python processes of our own. Free of torch.

The child finds this very package wherever it was started from, and never imports from the folder
it runs in: a project that holds a ``torch.py`` must not be run by being opened.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import personalizer

__all__ = ["BUSY", "JOB", "environment", "libraries", "module_command"]

BUSY = os.EX_TEMPFAIL
"""Exit code of a daemon's job that cannot begin while another process holds what it needs."""
JOB = "PERSONALIZER_JOB"
"""Environment variable that names the daemon's job to its process and all that this starts."""


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules in a new interpreter."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """The environment of such a process: ours, this package importable, hubs out of reach."""
    package = str(Path(personalizer.__file__).parent.parent)
    before = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [entry for entry in before if Path(entry).is_absolute() and entry != package]
    return {
        **os.environ,
        **libraries(),
        "PYTHONPATH": os.pathsep.join([package, *kept]),
    }


def libraries() -> dict[str, str]:
    """What the model libraries are told: no hub is to be asked, and tokenizers start no threads."""
    return {
        **_allocator(),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _allocator() -> dict[str, str]:
    """Lets torch keep a GPU's memory in segments that grow; nothing where the user has said how.

    Batches of ever other lengths leave gaps in fixed ones that no later batch fits into. A torch
    that knows only the older of the two names is left as it is.
    """
    names = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")
    said = any(name in os.environ for name in names)
    return {} if said else {names[0]: "expandable_segments:True"}
