"""How right are the pairs? Scores the rules against tests judged by reading.

    python benchmarks/pairs.py JUDGED.json FOLDER

FOLDER holds one checkout a repository, named ``owner+name``, at the commits that the file names.
Prints, for our rules and for the Methods2Test rules, each share with its 95 % Wilson interval.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

from indexer import Pair, index_folder
from indexer.pairing import MODES


def wilson(right: int, total: int) -> str:
    """A share with its 95 % Wilson score interval, as text."""
    if not total:
        return "-"
    share, z = right / total, 1.96
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    return f"{share:.3f} [{middle - half:.3f}, {middle + half:.3f}] ({right}/{total})"


def _answers(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [a for a in [case["focal"], *case["also_ok"]] if a]


def _method_right(pair: Pair, case: dict[str, Any]) -> bool:
    got = pair.focal
    return any(
        a["file"] == got.path
        and a["class"].rpartition(".")[2] == got.method.class_name
        and a["method"] in (got.method.name, "<init>")
        for a in _answers(case)
    )


def _overload_right(pair: Pair, case: dict[str, Any]) -> bool:
    params = [p.simple_type for p in pair.focal.method.parameters]
    return _method_right(pair, case) and any(a["params"] == params for a in _answers(case))


def score(cases: list[dict[str, Any]], folder: Path, verbose: bool) -> dict[str, dict[str, str]]:
    by_repo = defaultdict(list)
    for case in cases:
        by_repo[case["repo"]].append(case)
    counts: dict[str, dict[str, int]] = {mode: defaultdict(int) for mode in MODES}
    for repo, judged in sorted(by_repo.items()):
        snapshot, _ = index_folder(folder / repo.replace("/", "+"))
        for mode in MODES:
            count = counts[mode]
            found = {
                (p.test.path, p.test.method.name, p.test.method.line): p
                for p in snapshot.find_pairs(mode)
            }
            names = {(path, name): p for (path, name, _), p in found.items()}
            for case in judged:
                pair = found.get(
                    (case["test_file"], case["test_method"], case["line"])
                ) or names.get((case["test_file"], case["test_method"]))
                kind = case["confidence"]
                count[f"{kind} tests"] += 1
                if kind == "none":
                    count["false pairs"] += pair is not None
                elif pair is not None:
                    count["paired"] += 1
                    count["method"] += _method_right(pair, case)
                    count["overload"] += _overload_right(pair, case)
                    count["recalled"] += kind == "clear" and _method_right(pair, case)
                if verbose and mode == "rules":
                    _explain(case, pair)
    return {
        mode: {
            "method precision": wilson(c["method"], c["paired"]),
            "overload precision": wilson(c["overload"], c["paired"]),
            "recall (clear)": wilson(c["recalled"], c["clear tests"]),
            "false pairs (none)": wilson(c["false pairs"], c["none tests"]),
        }
        for mode, c in counts.items()
    }


def _explain(case: dict[str, Any], pair: Pair | None) -> None:
    wrong = (
        (case["confidence"] == "none") == (pair is not None)
        if case["confidence"] == "none" or pair is None
        else not _overload_right(pair, case)
    )
    if wrong:
        got = f"{pair.focal.key} {pair.rule}" if pair else "no pair"
        want = [(a["class"], a["method"], a["params"]) for a in _answers(case)]
        print(f"{case['confidence']} {case['test_file']}:{case['line']} {case['test_method']}")
        print(f"   got  {got}\n   want {want} {case['signal']} {case['note']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("judged", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verbose", action="store_true", help="print each wrong answer")
    args = parser.parse_args()
    table = score(json.loads(args.judged.read_text()), args.folder, args.verbose)
    for mode, row in table.items():
        print(mode)
        for name, value in row.items():
            print(f"  {name:20s} {value}")
    print(json.dumps(table))


if __name__ == "__main__":
    main()
