"""Every training method through ``personalizer train``, one after the other, side by side.

    python benchmarks/strategies.py PROJECT [--bases starter FOLDER ...] [--methods lora ...]
        [--budget 30s] [--limit N]

Each training is a process of its own, so that its memory is its own, in a data folder that is
thrown away. Prints a table row and a JSON line as each ends; a method that fails has its reason.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from personalizer.processes import environment, module_command
from personalizer.training.strategies import STRATEGIES

HEAD = (
    "| base | method | trainable | steps | validation loss | gate loss | gate | seconds | tokens/s "
    "| PF-s, by rule and as run | memory MiB | foretold | adapter kB |"
)


def trained(project: Path, base: str, method: str, budget: str, limit: int | None) -> Any:
    """What ``personalizer train --json`` printed, or the line that it ended with."""
    given = ["--base", base, "--method", method, "--budget", budget, "--json"]
    given += [] if limit is None else ["--limit", str(limit)]
    with tempfile.TemporaryDirectory() as data:
        done = subprocess.run(
            module_command("personalizer", "train", str(project), *given),
            env=environment() | {"PERSONALIZER_DATA_DIR": data},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no reason"])[-1]
    return json.loads(done.stdout)


def row(base: str, method: str, result: Any) -> str:
    """One line of the table."""
    if isinstance(result, str):
        return f"| {base} | {method} | {result} |" + " |" * 10
    before, after = result["metrics"]["base"], result["metrics"]["adapter"]
    cells = [
        base,
        method,
        f"{result['trainable_parameters']:,}",
        result["steps"],
        f"{before['validation_loss']:.3f} -> {after['validation_loss']:.3f}",
        f"{before['gate_loss']:.3f} -> {after['gate_loss']:.3f}",
        result["gate"],
        f"{result['seconds']:.0f}",
        f"{result['tokens_per_second']:.0f}",
        f"{result['pf_seconds']:.4f}, {result['pf_seconds_measured']:.4f}",
        round(result["peak_memory_bytes"] / 2**20),
        round(result["forecast"]["peak_memory_bytes"] / 2**20),
        f"{result['adapter_bytes'] / 1000:,.0f}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--bases", nargs="+", default=["starter"])
    parser.add_argument("--methods", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--budget", default="30s")
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    print(HEAD)
    print("|" + " --- |" * (HEAD.count("|") - 1), flush=True)
    for base in args.bases:
        for method in args.methods:
            result = trained(args.project, base, method, args.budget, args.limit)
            print(row(Path(base).name, method, result), flush=True)
            told = {"base": Path(base).name, "method": method, "result": result}
            print(json.dumps(told), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
