"""Two editors for a while: edits ten times a second, a training in the background, random kills.

    python benchmarks/soak.py MINUTES

Each editor types comments into its file and asks for code lenses, code actions and tests, while
something kills its language server, the daemon, the model's process or the training every few
seconds. Language servers and daemon are the real ones, over stdio and the socket; model and
training are the fakes of the tests, so that there is much to kill in little time.

Checked all the time: every typed text is in the editor's buffer; lenses stand at the lines of the
methods, so the server's text is the editor's. Checked in the end: no process is left over, and
memory is where it was after the first fifth. Prints a table and a JSON line; exits 1 on a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from personalizer.daemon.client import connect, stop
from personalizer.daemon.protocol import TrainRequest
from personalizer.errors import PersonalizerError
from tests.editors.editor import CART_PATH, TEST_PATH, Editor, editing, make_shop

REAL_SERVER = (sys.executable, "-m", "tests.editors.daemon_server")
EDITS_A_SECOND = 10
KILL_EVERY = 6.0
"""Seconds, on average."""
VICTIMS = {
    "language server": "tests.editors.daemon_server",
    "daemon": "tests.fake_parts daemon",
    "model": "tests.fake_parts engine",
    "training": "tests.fake_parts training",
}
KEPT = 200
"""Typed lines after which the oldest is erased for each new one."""
FLAT = 1.2
"""Largest memory in the last fifth, as a multiple of that in the second fifth."""


@dataclass
class Tally:
    """What happened."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    memory: list[tuple[float, str, int]] = field(default_factory=list)
    """Seconds since the start, which process, bytes."""


@dataclass
class Typist:
    """One user, whose language server may die under them; the buffer is theirs and stays."""

    name: str
    root: Path
    data: Path
    tally: Tally
    text: str | None = None
    typed: int = 0

    async def work(self, until: float) -> None:
        while time.monotonic() < until:
            try:
                async with editing(
                    self.root, data=self.data, server=REAL_SERVER, editor_pid=os.getpid()
                ) as editor:
                    self.tally.counts["servers started"] += 1
                    editor.open(CART_PATH, self.text)
                    await self._session(editor, until)
            except Exception as error:  # whatever a dead server raises: the next one goes on
                self.tally.counts[f"broken sessions ({type(error).__name__})"] += 1

    async def _session(self, editor: Editor, until: float) -> None:
        asking: asyncio.Task[None] | None = None
        while time.monotonic() < until and psutil.pid_exists(editor.pid):
            self._type(editor)
            if asking is None or asking.done():
                if asking is not None and asking.exception() is not None:
                    return
                asking = asyncio.create_task(self._ask(editor))
            await asyncio.sleep(1 / EDITS_A_SECOND)
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    def _type(self, editor: Editor) -> None:
        self.typed += 1
        lines = editor.text(CART_PATH).splitlines()
        line = random.randrange(1, next(n for n, one in enumerate(lines) if "Things" in one))
        editor.type(CART_PATH, line, 0, f"// {self.name} 😀 {self.typed}\n")
        if self.typed > KEPT:
            oldest = f"// {self.name} 😀 {self.typed - KEPT}"
            editor.erase(CART_PATH, editor.text(CART_PATH).splitlines().index(oldest))
        self.text = editor.text(CART_PATH)
        self.tally.counts["edits"] += 1
        if self.typed % 50 == 0:
            found = {int(n) for n in re.findall(rf"// {self.name} 😀 (\d+)", self.text)}
            wanted = set(range(max(1, self.typed - KEPT + 1), self.typed + 1))
            if found != wanted:
                wrong = sorted(found ^ wanted)[:5]
                self.tally.failures.append(f"{self.name}: lost or doubled edits {wrong}")

    async def _ask(self, editor: Editor) -> None:
        uri = editor.uri(CART_PATH)
        version = editor.versions[uri]
        lenses = await asyncio.wait_for(editor.lenses(CART_PATH), 10)
        if lenses and version == editor.versions[uri]:
            self.tally.counts["lens checks"] += 1
            at = {lens.range.start.line for lens in lenses}
            lines = enumerate(editor.text(CART_PATH).splitlines())
            real = {n for n, one in lines if re.match(r"    public .*\{", one)}
            if at != real:
                self.tally.failures.append(f"{self.name}: lenses at {at}, methods at {real}")
        titles = await asyncio.wait_for(editor.titles(CART_PATH, "public int total()"), 10)
        if not any(one.startswith("Generate test") for one in titles):
            self.tally.failures.append(f"{self.name}: offered {titles}")
        self.tally.counts["code actions"] += 1
        if random.random() < 0.2:
            ends = len(editor.ends)
            await editor.do(CART_PATH, "public int total()", "Generate test")
            for _ in range(200):
                if len(editor.ends) > ends:
                    self.tally.counts["generations ended"] += 1
                    break
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)


def ours(data: Path) -> dict[int, tuple[str, psutil.Process]]:
    """Processes of this run, by the data folder in their environment."""
    found = {}
    for one in psutil.process_iter():
        try:
            if one.environ().get("PERSONALIZER_DATA_DIR") != str(data) or one.pid == os.getpid():
                continue
            line = " ".join(one.cmdline())
            if one.status() != psutil.STATUS_ZOMBIE:
                kinds = (name for name, mark in VICTIMS.items() if mark in line)
                found[one.pid] = next(kinds, "other"), one
        except psutil.Error:
            continue
    return found


async def kill(data: Path, until: float, tally: Tally) -> None:
    """Kills something of ours, again and again."""
    while time.monotonic() < until:
        await asyncio.sleep(random.expovariate(1 / KILL_EVERY))
        alive = await asyncio.to_thread(ours, data)
        kinds = sorted({kind for kind, _ in alive.values() if kind in VICTIMS})
        if kinds:
            kind = random.choice(kinds)
            one = random.choice([p for k, p in alive.values() if k == kind])
            try:
                one.kill()
                tally.counts[f"killed: {kind}"] += 1
            except psutil.Error:
                continue


async def train(roots: list[Path], until: float, tally: Tally) -> None:
    """Keeps a training in the background."""
    while time.monotonic() < until:
        for root in roots:
            try:
                await asyncio.to_thread(_train, root)
                tally.counts["trainings asked for"] += 1
            except PersonalizerError:
                tally.counts["trainings refused by a dead daemon"] += 1
        await asyncio.sleep(3)


def _train(root: Path) -> None:
    with connect(command=[sys.executable, "-m", "tests.fake_parts", "daemon"]) as daemon:
        daemon.train(TrainRequest(str(root)))


async def watch(data: Path, until: float, tally: Tally) -> None:
    """Notes the memory of each kind of process."""
    begun = time.monotonic()
    while time.monotonic() < until:
        for kind, one in (await asyncio.to_thread(ours, data)).values():
            try:
                tally.memory.append((time.monotonic() - begun, kind, one.memory_info().rss))
            except psutil.Error:
                continue
        await asyncio.sleep(2)


def growth(tally: Tally, seconds: float) -> dict[str, tuple[int, int]]:
    """Largest memory of a kind in the second and in the last fifth, MiB."""
    found = {}
    for kind in ("language server", "daemon"):
        rows = [(at, size) for at, one, size in tally.memory if one == kind]
        early = [size for at, size in rows if 0.2 <= at / seconds < 0.4]
        late = [size for at, size in rows if at / seconds >= 0.8]
        if early and late:
            found[kind] = max(early) >> 20, max(late) >> 20
    return found


async def soak(minutes: float, folder: Path) -> Tally:
    """The whole run."""
    data = folder / "data"
    data.mkdir()
    os.environ["PERSONALIZER_DATA_DIR"] = str(data)
    roots = [make_shop(folder / name) for name in ("one", "two")]
    for root in roots:
        (root / "training.json").write_text(json.dumps({"steps": 200, "pause": 0.05}))
    tally = Tally()
    until = time.monotonic() + minutes * 60
    typists = [Typist(root.name, root, data, tally) for root in roots]
    await asyncio.gather(
        *(one.work(until) for one in typists),
        kill(data, until, tally),
        train(roots, until, tally),
        watch(data, until, tally),
    )
    for one in typists:
        on_disk = (one.root / TEST_PATH).read_text()
        if "totalSumsPrices" not in on_disk:
            tally.failures.append(f"{one.name}: the test class was changed on disk")
    stop()
    for _ in range(100):
        left = {pid: kind for pid, (kind, _) in ours(data).items()}
        if not left:
            break
        await asyncio.sleep(0.1)
    if left:
        tally.failures.append(f"left over: {left}")
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("minutes", type=float)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        tally = asyncio.run(soak(minutes, Path(name)))
    memory = growth(tally, minutes * 60)
    for kind, (early, late) in memory.items():
        if late > early * FLAT and late - early > 10:
            tally.failures.append(f"memory of the {kind} grew from {early} to {late} MiB")
    rows: dict[str, Any] = dict(sorted(tally.counts.items()))
    for what, number in rows.items():
        print(f"{what:45} {number}")
    for kind, (early, late) in memory.items():
        print(f"{'memory, ' + kind:45} {early} MiB early, {late} MiB late")
    print("\n".join(tally.failures[:20]) or "no failure")
    print(json.dumps({"minutes": minutes, **rows, "memory": memory, "failures": tally.failures}))
    sys.exit(1 if tally.failures else 0)


if __name__ == "__main__":
    main()
