"""What every strategy would take on one project: each forecast in a process of its own.

A process's memory never shrinks to what it was before, and one that dies of it takes no other
with it. Free of torch.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personalizer.processes import environment, module_command
from personalizer.training.strategies import STRATEGIES

__all__ = ["forecasts"]


def forecasts(root: Path, flags: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of ``train --dry-run --method all``.

    Args:
        root: The workspace.
        flags: Of ``personalizer train``, by name; None values are left out.

    Returns:
        ``methods``: by name, peak_memory_bytes, seconds, steps, trainable_parameters and eased;
        or ``error`` where a method cannot be trained here.
    """
    return {"methods": {name: _forecast(root, name, flags) for name in STRATEGIES}, "dry_run": True}


def _forecast(root: Path, method: str, flags: Mapping[str, Any]) -> dict[str, Any]:
    given = [f"--{name}={value}" for name, value in flags.items() if value is not None]
    command = ["train", str(root), "--dry-run", "--json", f"--method={method}", *given]
    done = subprocess.run(
        module_command("personalizer", *command), env=environment(), capture_output=True, text=True
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return {"error": said[-1].removeprefix("personalizer: ") if said else "it was ended"}
    plan = json.loads(done.stdout)
    return {
        **plan["forecast"],
        "trainable_parameters": plan["trainable_parameters"],
        "eased": plan["eased"],
    }
