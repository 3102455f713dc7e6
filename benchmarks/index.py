"""How fast is the index? Against the floor that the parser sets, in the same run.

    python benchmarks/index.py FOLDER...

The floor is tree-sitter's parse and one query over calls and declarations, in CPU seconds of one
process. A cold index reads, screens, parses, pairs and fills a new store, start of Python
included. The ratio leaves out the scan for secrets, which has a column of its own, as the search
for copies has. Universal Ctags, where it is installed, reads the same files beside. Each
measurement runs in a process of its own; the load of the machine is printed before and after.

Seconds by the clock count on a calm machine only. So the gain of two processes stands beside as
CPU: one process's over the critical path of two, which is the pairs, found in one process, and
before them the longer of what the reading process does and half of all that is done.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MEASURES = ("floor", "ctags", "screening", "two", "one", "warm", "edit")

_QUERY = """
(method_invocation name: (identifier) @call)
(object_creation_expression type: (_) @new)
(class_declaration name: (identifier) @class)
(interface_declaration name: (identifier) @interface)
(enum_declaration name: (identifier) @enum)
(method_declaration name: (identifier) @method)
(constructor_declaration name: (identifier) @constructor)
(field_declaration) @field
(import_declaration) @import
"""


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def sources_of(folder: Path) -> list[bytes]:
    from indexer import Workspace

    return [found.source for found in Workspace(folder).walk() if found.source is not None]


def floor(folder: Path, store: Path) -> dict[str, float]:
    import tree_sitter_java
    from tree_sitter import Language, Parser, Query, QueryCursor

    java = Language(tree_sitter_java.language())
    query, parser = Query(java, _QUERY), Parser(java)
    sources = sources_of(folder)
    start = cpu_seconds()
    for source in sources:
        QueryCursor(query).captures(parser.parse(source).root_node)
    seconds = cpu_seconds() - start
    return {"files": len(sources), "mb": sum(map(len, sources)) / 1e6, "cpu": seconds}


def ctags(folder: Path, store: Path) -> dict[str, float]:
    from indexer import Workspace

    program = shutil.which("ctags")
    if program is None:
        return {}
    paths = "\n".join(Workspace(folder).sources())
    start = cpu_seconds()
    subprocess.run(
        [program, "-L", "-", "--languages=Java", "-f", "-"],
        input=paths.encode(),
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return {"cpu": cpu_seconds() - start}


def screening(folder: Path, store: Path) -> dict[str, float]:
    from indexer.screening import content_reason, find_copies
    from indexer.secret_forms import secret_in

    sources = sources_of(folder)
    start = cpu_seconds()
    for source in sources:
        content_reason(source)
        secret_in(source)
    secrets = cpu_seconds() - start
    start = cpu_seconds()
    find_copies((str(i), source) for i, source in enumerate(sources))
    return {"secrets": secrets, "copies": cpu_seconds() - start}


def cold(folder: Path, store: Path) -> dict[str, float]:
    from indexer import Store, index_folder

    wall = time.perf_counter()
    with Store(store) as opened:
        snapshot, _ = index_folder(folder, opened)
        here = time.process_time()
        workers = cpu_seconds() - here
        pairs = len(snapshot.pairs)
        pairing = time.process_time() - here
    return {
        "cpu": cpu_seconds(),  # of the whole process, its start included
        "pairing_cpu": pairing,
        "critical_cpu": max(here, (here + workers) / 2) + pairing,
        "wall": time.perf_counter() - wall,
        "tests": len(snapshot.tests),
        "pairs": pairs,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "worker_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000,
        "store_mb": store.stat().st_size / 1e6,
    }


def one(folder: Path, store: Path) -> dict[str, float]:
    """A cold index without worker processes, into a store of its own."""
    import indexer.workers

    indexer.workers.cores = lambda: 1
    return cold(folder, store.with_name("one.sqlite"))


def two(folder: Path, store: Path) -> dict[str, float]:
    """A cold index with two worker processes."""
    import indexer.workers

    indexer.workers.cores = lambda: 2
    return cold(folder, store)


def warm(folder: Path, store: Path) -> dict[str, float]:
    from indexer import Store, index_folder

    used, start = cpu_seconds(), time.perf_counter()
    with Store(store) as opened:
        snapshot, _ = index_folder(folder, opened)
        assert snapshot.pairs or not snapshot.tests
    return {
        "cpu": cpu_seconds() - used,
        "wall": time.perf_counter() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def edit(folder: Path, store: Path) -> dict[str, float]:
    """New pairs after an edit of a focal method's body, of its signature, and of a test."""
    from indexer import Change, Index, Store, Workspace

    with Store(store) as opened:
        index = Index(opened)
        snapshot = index.read(Workspace(folder))
        by_focal: dict[str, set[str]] = {}
        for pair in snapshot.pairs:
            by_focal.setdefault(pair.focal.path, set()).add(pair.test.path)
        if not by_focal:
            return {}
        usual = sorted(by_focal, key=lambda path: len(snapshot.source(path)))[len(by_focal) // 2 :]
        times: dict[str, list[float]] = {"body": [], "signature": [], "test": []}
        for path in usual[:5]:
            test = min(by_focal[path])
            method = next(m for m in snapshot.files[path].methods if m.body)
            source = snapshot.source(path)
            cut = method.body.start + 1 if method.body else 0
            whole = snapshot.source(test)
            end = whole.rfind(b"}")
            for kind, name, text in (
                ("body", path, source[:cut] + b" int added = 1;" + source[cut:]),
                ("signature", path, source[: source.rfind(b"}")] + b"\nvoid added() { }\n}"),
                ("test", test, whole[:end] + b"\n@Test public void added() { }\n}"),
            ):
                start = time.perf_counter()
                index.apply([Change(name, text)]).pairs  # noqa: B018
                times[kind].append(1000 * (time.perf_counter() - start))
    return {kind: sorted(found)[len(found) // 2] for kind, found in times.items()}


def measure(folder: Path) -> dict[str, dict[str, float]]:
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in MEASURES:
            done = subprocess.run(
                [sys.executable, __file__, "--only", name, "--store", f"{scratch}/s", str(folder)],
                capture_output=True,
                check=True,
                env=os.environ,
            )
            found[name] = json.loads(done.stdout)
    return found


HEAD = (
    "| repository | files | MB | ctags CPU s | floor CPU s | index CPU s | secrets CPU s | ratio "
    "| 1 process s | 2 processes s | by CPU | warm s | warm CPU s "
    "| edit ms (body, signature, test) | peak MB | copies CPU s |"
)


def table_row(folder: Path, found: dict[str, dict[str, float]]) -> str:
    ground, many, single, later = (found[k] for k in ("floor", "two", "one", "warm"))
    edits = ", ".join(f"{ms:.0f}" for ms in found["edit"].values()) or "-"
    tags = f"{found['ctags']['cpu']:.2f}" if found["ctags"] else "-"
    secrets = found["screening"]["secrets"]
    return (
        f"| {folder.name.replace('+', '/')} | {ground['files']:.0f} | {ground['mb']:.1f} | {tags} "
        f"| {ground['cpu']:.2f} | {single['cpu']:.2f} | {secrets:.2f} "
        f"| {(single['cpu'] - secrets) / ground['cpu']:.2f} "
        f"| {single['wall']:.2f} | {many['wall']:.2f} | {single['cpu'] / many['critical_cpu']:.2f} "
        f"| {later['wall']:.2f} | {later['cpu']:.2f} | {edits} "
        f"| {max(single['peak_mb'], many['peak_mb']):.0f} | {found['screening']['copies']:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--only", choices=MEASURES, help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        print(json.dumps(globals()[args.only](args.folders[0], args.store)))
        return
    loads = [os.getloadavg()[0]]
    print(HEAD + "\n" + "| --- " * HEAD.count(" |") + "|", flush=True)
    results = []
    for folder in args.folders:
        found = measure(folder)
        print(table_row(folder, found), flush=True)
        results.append({"folder": folder.name} | found)
        loads.append(os.getloadavg()[0])
    print("load of the machine, before and after each:", ", ".join(f"{x:.1f}" for x in loads))
    for result in results:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
