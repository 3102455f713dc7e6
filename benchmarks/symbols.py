"""Is anything called unknown in tests that developers wrote? They compile, so nothing should be.

    python benchmarks/symbols.py PROJECT ... [--limit 400] [--methods 0] [--taken-out]

Each paired test is looked up in its own class, as a generated one would be, and read piece by piece
by the monitor that generation is held to. Prints what was called unknown, what was mended, what the
monitor refused (the end of the text there), in how many tests something costs nats because hardly
anybody writes it, and milliseconds a test of the two. ``--methods`` reads so many
methods of each project's main code by the monitor too: more kinds of Java stand there. With
``--taken-out`` the tests of a method are taken out of the project before one of them is looked up:
a test that stands there explains some of its own names.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from indexer import Index, Snapshot, Where, Workspace, code_of
from indexer.pairing import in_test_root
from personalizer.engine.monitor.checker import Checker
from personalizer.engine.monitor.declarations import Declarations
from personalizer.generation.held_out import without_tests
from personalizer.generation.names.declared import declarations_of
from personalizer.generation.names.members import Members
from personalizer.generation.names.mending import Symbols
from personalizer.generation.names.needs import Needs
from personalizer.generation.placing.bodies import scope_within
from personalizer.generation.site import Site
from personalizer.prompts import TestPlace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=400, help="about so many tests of each")
    parser.add_argument("--methods", type=int, default=0, help="so many methods of main code too")
    parser.add_argument("--taken-out", action="store_true", help="tests out of the project first")
    args = parser.parse_args()
    for project in args.projects:
        index = Index()
        snapshot = index.read(Workspace(project))
        unknown: Counter[str] = Counter()
        mended: Counter[str] = Counter()
        refused: list[str] = []
        unusual: list[str] = []
        sites: dict[tuple[TestPlace, str, str], tuple[Symbols, Declarations]] = {}
        reading = telling = 0.0
        seconds, pairs = 0.0, snapshot.pairs[:: max(1, len(snapshot.pairs) // args.limit)]
        for pair in pairs:
            place = TestPlace(pair.test.path, pair.test.method.owner)
            out = pair.focal.method.key if args.taken_out else ""
            key = (place, pair.focal.path, out)
            if key not in sites:
                hidden = without_tests(index, snapshot, pair.focal)
                with hidden if args.taken_out else nullcontext(snapshot) as shown:
                    site = Site(shown, pair.focal.path, pair.focal.method, place)
                    symbols = site.symbols
                    start = time.perf_counter()
                    told = site.declarations
                    telling += time.perf_counter() - start
                sites[key] = symbols, told
            facts = snapshot.files[place.path]
            source = snapshot.source(place.path)
            text = code_of(source, pair.test.method.span, facts.encoding)
            start = time.perf_counter()
            found = sites[key][0].mend(text)
            seconds += time.perf_counter() - start
            start = time.perf_counter()
            ends = read_by(sites[key][1], text)
            refused += ends[0]
            unusual += ends[1]
            reading += time.perf_counter() - start
            unknown.update(found.unknown)
            mended.update(found.notes)
        methods = methods_of(snapshot)[: args.methods]
        print(
            json.dumps(
                {
                    "project": project.name,
                    "tests": len(pairs),
                    "unknown": dict(unknown.most_common(10)),
                    "mended": dict(mended.most_common(10)),
                    "refused": refused,
                    "unusual": len(unusual),
                    "such as": random.Random(0).sample(unusual, min(10, len(unusual))),
                    "methods": len(methods),
                    "refused methods": refused_methods(snapshot, methods),
                    "milliseconds": round(1000 * seconds / len(pairs), 1),
                    "milliseconds of the monitor": round(1000 * reading / len(pairs), 1),
                    "milliseconds a class": round(1000 * telling / len(sites), 1),
                }
            ),
            flush=True,
        )


def methods_of(snapshot: Snapshot) -> list[Where]:
    """Methods with a body outside tests, in any order."""
    found = [
        Where(path, method)
        for path, facts in sorted(snapshot.files.items())
        for method in facts.methods
        if method.body and not facts.errors and not in_test_root(path, facts.package)
    ]
    random.Random(0).shuffle(found)
    return found


def refused_methods(snapshot: Snapshot, methods: Sequence[Where]) -> list[str]:
    """The ends of the texts where the monitor refuses them."""
    members = Members(snapshot)
    refused: list[str] = []
    for where in methods:
        path, method = where.path, where.method
        scope = scope_within(snapshot, path, method)
        declared = declarations_of(Needs(snapshot, scope), members, method.owner)
        text = code_of(snapshot.source(path), method.span, snapshot.files[path].encoding)
        refused += read_by(replace(declared, before="//"), text)[0]  # it may call itself
    return refused


def read_by(declared: Declarations, text: str) -> tuple[list[str], list[str]]:
    """The end of a text where the monitor refuses it, and where it first finds it unusual."""
    state, read = Checker(declared), ""
    unusual: list[str] = []
    for piece in re.findall(r"\w+|\s+|[^\w\s]", text):
        read += piece
        after = state.after(piece)
        if after is None:
            return [read[-80:]], unusual
        state = after
        if state.unusual and not unusual:
            unusual = [read[-80:]]
    return [], unusual


if __name__ == "__main__":
    main()
