"""Beams or sampling: which gives the most whole tests of five?

    python benchmarks/decoding.py PROJECT ... [--limit 10] [--base starter] [--beams-only]

Of some paired focal methods of each project, with their own tests hidden: how many of five
candidates are whole tests, how many of these differ, for how many methods there is at least one,
and CPU seconds a method. A method that is too long for the base is left out.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from pathlib import Path

from indexer import Snapshot, index_folder
from indexer.languages.java import digest
from personalizer.engine import Request
from personalizer.engine.local import LocalEngine
from personalizer.errors import PromptTooLong
from personalizer.generation.candidates import clean, whole_test
from personalizer.generation.site import Site
from personalizer.models.quiet import quiet_libraries
from personalizer.prompts import Prompt, example_of_pair

WAYS = {
    "beams": (0.0, 1.0),
    "temperature 0.4": (0.4, 0.95),
    "temperature 0.6": (0.6, 0.95),
    "temperature 0.8": (0.8, 0.95),
    "temperature 0.8, top_p 0.8": (0.8, 0.8),
}
"""Temperature and top_p by name."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=10, help="methods of each project")
    parser.add_argument("-n", type=int, default=5, help="candidates")
    parser.add_argument("--base", default="starter", help="name or folder")
    parser.add_argument("--beams-only", action="store_true")
    args = parser.parse_args()
    ways = {"beams": WAYS["beams"]} if args.beams_only else WAYS
    quiet_libraries()
    engine = LocalEngine()
    engine.warm(args.base)
    totals = {way: defaultdict[str, float](float) for way in ways}
    for project in args.projects:
        snapshot, _ = index_folder(project)
        for site, prompt in sample(snapshot, args.limit):
            for way, (temperature, top_p) in ways.items():
                start = time.process_time()
                request = Request(
                    prompt,
                    args.base,
                    count=args.n,
                    temperature=temperature,
                    top_p=top_p,
                    stop_at_method_end=True,
                    grammar="method",
                )
                try:
                    texts = [clean(one.text) for one in engine.generate(request)]
                except PromptTooLong:
                    break
                totals[way]["seconds"] += time.process_time() - start
                whole = [text for text in texts if whole_test(text, site)]
                totals[way]["methods"] += 1
                totals[way]["whole"] += len(whole)
                totals[way]["different"] += len({digest(text.encode()) for text in whole})
                totals[way]["any"] += bool(whole)
    print(f"{'':28}{'whole':>8}{'different':>11}{'any':>8}{'seconds':>9}")
    for way, count in totals.items():
        shares = [
            count[name] / count["methods"] for name in ("whole", "different", "any", "seconds")
        ]
        print(f"{way:28}{shares[0]:8.2f}{shares[1]:11.2f}{shares[2]:8.0%}{shares[3]:9.1f}")
    print(json.dumps({way: dict(count) for way, count in totals.items()}))


def sample(snapshot: Snapshot, limit: int) -> list[tuple[Site, Prompt]]:
    """Focal methods with prompts that do not show their own tests."""
    pairs = list({(p.focal.path, p.focal.method.key): p for p in snapshot.pairs}.values())
    random.Random(1).shuffle(pairs)
    return [
        (Site(snapshot, p.focal.path, p.focal.method), example_of_pair(snapshot, p).prompt)
        for p in pairs[:limit]
    ]


if __name__ == "__main__":
    main()
