"""How many of the developers' own tests repeat N tokens in a row? What a guard costs people.

python benchmarks/loops.py FOLDER ...
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from indexer import code_of, index_folder
from personalizer.models import STARTER, load_tokenizer
from personalizer.models.quiet import quiet_libraries

LENGTHS = (6, 8, 12, 16, 24, 32)


def repeats(ids: list[int], length: int) -> bool:
    runs = [tuple(ids[i : i + length]) for i in range(len(ids) - length + 1)]
    return len(set(runs)) < len(runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    args = parser.parse_args()
    quiet_libraries()
    tokenizer = load_tokenizer(STARTER)
    for folder in args.folders:
        snapshot, _ = index_folder(folder)
        tests = [
            tokenizer.encode(
                code_of(snapshot.source(w.path), w.method.span), add_special_tokens=False
            )
            for w in snapshot.tests[:600]
        ]
        tests = [ids for ids in tests if len(ids) <= 320]
        shares = {n: round(sum(repeats(t, n) for t in tests) / len(tests), 3) for n in LENGTHS}
        print(json.dumps({"project": folder.name, "tests": len(tests), "repeat": shares}))


if __name__ == "__main__":
    main()
