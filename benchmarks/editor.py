"""What each step costs from the start of the editor to the edit, cold and warm.

    python benchmarks/editor.py [PROJECT] [REPEATS]

PROJECT is copied first, with an empty data folder beside it, so the first round is cold: no index,
no daemon, no model in memory. The server, the daemon and the starter are the real ones; the editor
is the tests' own, over stdio. Prints a table and a JSON line; seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from personalizer.daemon.client import stop
from tests.editors.editor import Editor, editing, until

FOCAL = "ledger-core/src/main/java/example/ledger/money/Money.java"
LINE = "public Money clamp("
SERVER = (sys.executable, "-m", "lsp_server")
PATIENCE = 300.0


async def timed(step: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await step()
    return time.perf_counter() - start


async def first_action(editor: Editor) -> None:
    editor.open(FOCAL)
    assert "Generate test" in await editor.titles(FOCAL, LINE)


async def generate(editor: Editor) -> None:
    """From the click to the end of the work: the edit is made by then, or the user told why not."""
    ends = len(editor.ends)
    await editor.do(FOCAL, LINE, "Generate test")
    await until(lambda: len(editor.ends) > ends, PATIENCE)


async def measure(root: Path, data: Path, repeats: int) -> dict[str, float]:
    """Seconds by step."""
    found: dict[str, float] = {}
    start = time.perf_counter()
    async with editing(root, data=data, server=SERVER) as editor:
        found["server started"] = time.perf_counter() - start
        found["first code action, cold"] = await timed(lambda: first_action(editor))
        begun = time.perf_counter()
        await until(lambda: editor.statuses, PATIENCE)
        found["index, daemon and first status, cold"] = time.perf_counter() - begun
        found["click to edit, cold (model loaded)"] = await timed(lambda: generate(editor))
        assert editor.labels, editor.messages
        warm = [await timed(lambda: generate(editor)) for _ in range(repeats)]
        found["click to edit, warm (median)"] = statistics.median(warm)
        steps = [await timed(lambda: editor.titles(FOCAL, LINE)) for _ in range(200)]
        found["code action, warm (median)"] = statistics.median(steps)
        found["code action, warm (99th percentile)"] = statistics.quantiles(steps, n=100)[98]
        lenses = [await timed(lambda: editor.lenses(FOCAL)) for _ in range(200)]
        found["code lenses, warm (99th percentile)"] = statistics.quantiles(lenses, n=100)[98]
        asked = [await timed(lambda: editor.complete(FOCAL, LINE)) for _ in range(50)]
        found["inline completion, nothing to do (median)"] = statistics.median(asked)
    start = time.perf_counter()
    async with editing(root, data=data, server=SERVER) as editor:
        await first_action(editor)
        found["start to first code action, warm index"] = time.perf_counter() - start
        found["click to edit, warm daemon"] = await timed(lambda: generate(editor))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", nargs="?", type=Path, default=Path("examples/ledger"))
    parser.add_argument("repeats", nargs="?", type=int, default=3)
    args = parser.parse_args()
    project, repeats = args.project.resolve(), args.repeats
    with tempfile.TemporaryDirectory(prefix="editor-") as name:
        root, data = Path(name) / project.name, Path(name) / "data"
        shutil.copytree(project, root, ignore=shutil.ignore_patterns("target", ".git"))
        data.mkdir()
        os.environ["PERSONALIZER_DATA_DIR"] = str(data)
        try:
            found = asyncio.run(measure(root, data, repeats))
        finally:
            stop()
    for step, seconds in found.items():
        print(f"{step:45} {seconds:8.3f}")
    print(json.dumps({step: round(seconds, 4) for step, seconds in found.items()}))


if __name__ == "__main__":
    main()
