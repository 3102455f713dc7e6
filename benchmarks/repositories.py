"""The whole path on real repositories: index, train, status, generate, from the command line.

    python benchmarks/repositories.py FOLDER ... [--budget 5m] [--base starter] [--out FILE.md]

Each FOLDER is a checkout. Prints a table and, for each project, the test that was generated for
the first documented public method without a test, good or bad; then a JSON line.
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

from indexer import index_folder
from indexer.pairing import in_test_root


def personalizer(*arguments: str) -> dict[str, Any]:
    """Runs a command with --json.

    Raises:
        SystemExit: If it fails, with its message.
    """
    command = [sys.executable, "-m", "personalizer", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.returncode} {done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def untested(folder: Path) -> str:
    """``Class#method`` of a public method of a tested class that no test tests."""
    snapshot, _ = index_folder(folder)
    tested = {pair.focal_class for pair in snapshot.pairs}
    for path, facts in sorted(snapshot.files.items()):
        for method in facts.methods:
            wanted = "public" in method.modifiers and method.body and not method.constructor
            if not wanted or in_test_root(path, facts.package):
                continue
            if snapshot.tests_of(path, method):
                continue
            same = [m for m in facts.methods if m.name == method.name]
            long = method.body is not None and method.body.end - method.body.start > 120
            if f"{path}#{method.owner}" in tested and len(same) == 1 and long:
                return f"{path}:{method.line}"
    raise SystemExit(f"no untested method in {folder}")


def run(folder: Path, budget: str, base: str) -> dict[str, Any]:
    indexed = personalizer("index", str(folder))
    trained = personalizer("train", str(folder), "--budget", budget, "--base", base)
    status = personalizer("status", str(folder))
    made = personalizer("generate", str(folder / untested(folder)), "--workspace", str(folder))
    return {
        "project": folder.name.replace("+", "/"),
        "index": indexed,
        "train": trained,
        "status": status,
        "generate": made,
    }


def table(results: list[dict[str, Any]]) -> str:
    head = (
        "| project | files | tests | pairs | index s | train s | steps "
        "| validation loss base -> adapter | gate loss base -> adapter | gate | status |\n"
        + "| --- " * 11
        + "|\n"
    )
    lines = []
    for r in results:
        base, adapter = r["train"]["metrics"]["base"], r["train"]["metrics"]["adapter"]
        lines.append(
            f"| {r['project']} | {r['index']['parsed']} | {r['index']['tests']} "
            f"| {r['index']['pairs']} | {r['index']['seconds']:.1f} | {r['train']['seconds']:.0f} "
            f"| {r['train']['steps']} "
            f"| {base['validation_loss']:.3f} -> {adapter['validation_loss']:.3f} "
            f"| {base['gate_loss']:.3f} -> {adapter['gate_loss']:.3f} | {r['train']['gate']} "
            f"| {r['status']['freshness']} |"
        )
    return head + "\n".join(lines)


def generated(result: dict[str, Any]) -> str:
    made = result["generate"]
    whole = sum(c["parses"] for c in made["candidates"])
    edit = made["edit"]
    text = made["candidates"][0]["text"] if made["candidates"] else "(nothing)"
    where = edit["file"] if edit else "nowhere"
    return (
        f"{result['project']}: `{made['focal'].rpartition('#')[2]}`, {made['seconds']:.1f} s, "
        f"{whole} of {len(made['candidates'])} candidates are whole methods, to {where}\n\n"
        f"```java\n{text}\n```\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--budget", default="5m")
    parser.add_argument("--base", default="starter")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        os.environ["PERSONALIZER_DATA_DIR"] = data
        results = []
        for folder in args.folders:
            results.append(run(folder.resolve(), args.budget, args.base))
            print(table(results[-1:]).rpartition("\n")[2], flush=True)
    text = table(results) + "\n\n" + "\n".join(map(generated, results))
    print(text)
    print(json.dumps(results))
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
