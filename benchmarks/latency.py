"""Does the editor wait while its language server reads ten thousand files?

    python benchmarks/latency.py [FILES]

A project of FILES classes and tests is made, and opened with an empty data folder; from its first
second, code actions, lenses and inline completion are asked for, one after the other, until the
index is there. The server is the real one, the daemon a fake, for none of this needs a model.
Beside each figure stands that of the same requests afterwards, when nothing is indexed: on a busy
machine the two share their noise. Prints a table and a JSON line; seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.editors.editor import CART, CART_PATH, CART_TEST, TEST_PATH, Editor, editing, make_shop

LINE = "public int total()"
AFTERWARDS = 100
"""Rounds of requests once the index is there."""

Request = Callable[[Editor], Awaitable[object]]


async def keystroke(editor: Editor) -> None:
    """A typed character, and the lenses after it."""
    editor.type(CART_PATH, 0, 0, "/")
    await editor.lenses(CART_PATH)


REQUESTS: dict[str, Request] = {
    "code action": lambda editor: editor.titles(CART_PATH, LINE),
    "code lenses": lambda editor: editor.lenses(CART_PATH),
    "lenses after a keystroke": keystroke,
    "inline completion": lambda editor: editor.complete(CART_PATH, LINE),
}


def make_large(root: Path, files: int) -> None:
    """A shop and ``files - 2`` files more: classes, and a test for every second one."""
    make_shop(root)
    for number in range((files - 2) // 2):
        for text, path, end in ((CART, CART_PATH, ".java"), (CART_TEST, TEST_PATH, "Test.java")):
            folder = (root / path).parent / f"part{number % 100}"
            folder.mkdir(parents=True, exist_ok=True)
            name = f"Cart{number}"
            changed = text.replace("package shop", f"package shop.part{number % 100}")
            (folder / f"{name}{end}").write_text(changed.replace("Cart", name))


async def asked(editor: Editor, found: dict[str, list[float]]) -> None:
    """One round of every request."""
    for name, request in REQUESTS.items():
        start = time.perf_counter()
        await request(editor)
        found[name].append(time.perf_counter() - start)
    await asyncio.sleep(0.02)


async def measure(root: Path, data: Path) -> dict[str, object]:
    during: dict[str, list[float]] = defaultdict(list)
    after: dict[str, list[float]] = defaultdict(list)
    start = time.perf_counter()
    async with editing(root, data=data) as editor:
        editor.open(CART_PATH)
        assert await editor.titles(CART_PATH, LINE)
        first = time.perf_counter() - start
        while not editor.statuses:
            await asked(editor, during)
        indexed = time.perf_counter() - start
        for _ in range(AFTERWARDS):
            await asked(editor, after)
    return {
        "start to first code action": first,
        "start to index": indexed,
        "rounds while indexing": len(during["code action"]),
        "while indexing": {name: figures(rows) for name, rows in during.items()},
        "afterwards": {name: figures(rows) for name, rows in after.items()},
    }


def figures(rows: list[float]) -> dict[str, float]:
    """Median and 99th percentile, in seconds.

    Raises:
        SystemExit: If the index was there before anything could be asked twice.
    """
    if len(rows) < 2:
        raise SystemExit("the index was there at once: give more FILES")
    cuts = statistics.quantiles(rows, n=100)
    return {"median": round(statistics.median(rows), 4), "p99": round(cuts[98], 4)}


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="latency-") as name:
        root, data = Path(name, "shop"), Path(name, "data")
        data.mkdir()
        make_large(root, files)
        found = asyncio.run(measure(root, data))
    print(f"{files} files, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name in ("start to first code action", "start to index", "rounds while indexing"):
        print(f"{name:30} {found[name]:8.2f}")
    print(f"{'':30} {'median':>8} {'p99':>8}   {'median':>8} {'p99':>8} afterwards")
    during, after = found["while indexing"], found["afterwards"]
    assert isinstance(during, dict) and isinstance(after, dict)
    for name in REQUESTS:
        one, other = during[name], after[name]
        print(
            f"{name:30} {one['median']:8.4f} {one['p99']:8.4f}"
            f"   {other['median']:8.4f} {other['p99']:8.4f}"
        )
    print(json.dumps({"files": files, **found}))


if __name__ == "__main__":
    main()
