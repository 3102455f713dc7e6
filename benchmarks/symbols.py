"""Is anything called unknown in tests that developers wrote? They compile, so nothing should be.

    python benchmarks/symbols.py PROJECT ... [--limit 400]

Each paired test is looked up in its own class, as a generated one would be. Prints what was called
unknown, what was mended, and milliseconds a test.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

from indexer import code_of, index_folder
from personalizer.generation.names.mending import Symbols
from personalizer.generation.placing.place import scope_of
from personalizer.generation.placing.style import house_of
from personalizer.prompts import TestPlace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=400, help="about so many tests of each")
    args = parser.parse_args()
    for project in args.projects:
        snapshot, _ = index_folder(project)
        unknown: Counter[str] = Counter()
        mended: Counter[str] = Counter()
        sites: dict[tuple[TestPlace, str], Symbols] = {}
        seconds, pairs = 0.0, snapshot.pairs[:: max(1, len(snapshot.pairs) // args.limit)]
        for pair in pairs:
            place = TestPlace(pair.test.path, pair.test.method.owner)
            key = (place, pair.focal.path)
            if key not in sites:
                house = house_of(snapshot, pair.focal.path)
                focal = pair.focal.method
                scope = scope_of(snapshot, pair.focal.path, focal, place, house)
                sites[key] = Symbols(snapshot, scope, place.owner)
            facts = snapshot.files[place.path]
            source = snapshot.source(place.path)
            text = code_of(source, pair.test.method.span, facts.encoding)
            start = time.perf_counter()
            found = sites[key].mend(text)
            seconds += time.perf_counter() - start
            unknown.update(found.unknown)
            mended.update(found.notes)
        print(
            json.dumps(
                {
                    "project": project.name,
                    "tests": len(pairs),
                    "unknown": dict(unknown.most_common(10)),
                    "mended": dict(mended.most_common(10)),
                    "milliseconds": round(1000 * seconds / len(pairs), 1),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
