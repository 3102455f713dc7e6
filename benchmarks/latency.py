"""Does the editor wait while its language server reads ten thousand files?

    python benchmarks/latency.py [FILES [ROUNDS]]

A project of FILES classes and tests is made, and opened with an empty data folder; from its first
second, code actions, lenses and inline completion are asked for, one after the other, until the
index is there. It is opened again, each time with another empty data folder, until ROUNDS of
requests have met the indexing. The server is the real one, the daemon a fake, for none of this
needs a model. Beside each figure stands that of the same requests afterwards, when nothing is
indexed: on a busy machine the two share their noise. Prints a table and a JSON line; seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.editors.editor import CART, CART_PATH, CART_TEST, TEST_PATH, Editor, editing, make_shop

LINE = "public int total()"
ROUNDS = 300
"""Rounds of requests while the folder is read: enough that no single one sets a percentile."""

Request = Callable[[Editor], Awaitable[object]]
Times = dict[str, list[float]]
"""Seconds of each request, by its name."""


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


async def asked(editor: Editor, found: Times) -> None:
    """One round of every request."""
    for name, request in REQUESTS.items():
        start = time.perf_counter()
        await request(editor)
        found[name].append(time.perf_counter() - start)
    await asyncio.sleep(0.02)


async def opened(root: Path, data: Path, during: Times, after: Times) -> tuple[float, float]:
    """Opens the project once; seconds to the first code action, and to the index."""
    start = time.perf_counter()
    before = len(during["code action"])
    async with editing(root, data=data) as editor:
        editor.open(CART_PATH)
        assert await editor.titles(CART_PATH, LINE)
        first = time.perf_counter() - start
        while not editor.statuses:
            await asked(editor, during)
        indexed = time.perf_counter() - start
        for _ in range(len(during["code action"]) - before):
            await asked(editor, after)
    return first, indexed


async def measure(root: Path, folder: Path, rounds: int) -> dict[str, object]:
    during: Times = defaultdict(list)
    after: Times = defaultdict(list)
    starts: list[tuple[float, float]] = []
    while len(during["code action"]) < rounds:
        data = folder / f"data{len(starts)}"
        data.mkdir()
        starts.append(await opened(root, data, during, after))
    return {
        "starts": len(starts),
        "start to first code action": statistics.median(first for first, _ in starts),
        "start to index": statistics.median(indexed for _, indexed in starts),
        "rounds while indexing": len(during["code action"]),
        "while indexing": {name: figures(rows) for name, rows in during.items()},
        "afterwards": {name: figures(rows) for name, rows in after.items()},
    }


def figures(rows: list[float]) -> dict[str, float]:
    """Median, 99th percentile and longest, in seconds.

    Raises:
        SystemExit: If the index was there before anything could be asked twice.
    """
    if len(rows) < 2:
        raise SystemExit("the index was there at once: give more FILES")
    cuts = statistics.quantiles(rows, n=100)
    found = {"median": statistics.median(rows), "p99": cuts[98], "longest": max(rows)}
    return {name: round(seconds, 4) for name, seconds in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="?", type=int, default=10_000)
    parser.add_argument("rounds", nargs="?", type=int, default=ROUNDS)
    args = parser.parse_args()
    files, rounds = args.files, args.rounds
    with tempfile.TemporaryDirectory(prefix="latency-") as name:
        root = Path(name, "shop")
        make_large(root, files)
        found = asyncio.run(measure(root, Path(name), rounds))
    print(f"{files} files, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name in ("starts", "start to first code action", "start to index", "rounds while indexing"):
        print(f"{name:30} {found[name]:8.2f}")
    heads = "".join(f"{one:>9}" for one in ("median", "p99", "longest"))
    print(f"{'':30}{heads}  {heads} afterwards")
    during, after = found["while indexing"], found["afterwards"]
    assert isinstance(during, dict) and isinstance(after, dict)
    for name in REQUESTS:
        one, other = ("".join(f"{s:9.4f}" for s in rows[name].values()) for rows in (during, after))
        print(f"{name:30}{one}  {other}")
    print(json.dumps({"files": files, **found}))


if __name__ == "__main__":
    main()
