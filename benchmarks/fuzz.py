"""Do mangled source files ever fail? Real files cut, spliced and damaged, read as the index reads.

    python benchmarks/fuzz.py FOLDER... [--inputs 10000] [--seed 1]

Each input must give facts whose spans lie inside it and which survive the store's packing, within
ten seconds; so must what is found from facts: pairs, snippets, passages. The first input that
fails is written to ``fuzz-failure``, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from indexer import Change, FileFacts, Index, Workspace
from indexer.languages import ALL
from indexer.languages.java import method_errors
from indexer.store import decode_facts, encode_facts

LONGEST = 40_000
"""Bytes of a real file that are used: long files would only make fewer inputs."""
SLOWEST = 10.0
"""Seconds of CPU for one input."""
BITS = (
    b"{ } ( ) [ ] < > ; , . : \" ' \"\"\" ''' /* */ // # @ -> :: \\ \0 \xff \xc3 \n \r \t class"
    b" record enum interface void new switch case yield def async lambda if else try"
).split(b" ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    files = [
        (found.path, found.source[:LONGEST])
        for folder in args.folders
        for found in Workspace(folder, ALL).walk()
        if found.source
    ]
    if not files:
        sys.exit(f"expected folders with source files, found none in {args.folders}")
    slowest, with_errors, size = 0.0, 0, 0
    for path, source in mangled(files, random.Random(args.seed), args.inputs):
        start = time.process_time()
        try:
            broken = check(path, source)
        except Exception:
            Path("fuzz-failure").write_bytes(source)
            print(f"failed on a form of {path}, {len(source)} bytes, kept in fuzz-failure")
            raise
        seconds = time.process_time() - start
        assert seconds < SLOWEST, f"{path}: {len(source)} bytes took {seconds:.1f} s"
        slowest, with_errors, size = max(slowest, seconds), with_errors + broken, size + len(source)
    result = {
        "inputs": args.inputs,
        "files": len(files),
        "with_errors": with_errors,
        "mb": round(size / 1e6, 1),
        "slowest_ms": round(1000 * slowest),
        "failures": 0,
    }
    print(json.dumps(result))


def mangled(
    files: list[tuple[str, bytes]], dice: random.Random, inputs: int
) -> Iterator[tuple[str, bytes]]:
    """(path, source) of so many mangled files."""
    for _ in range(inputs):
        path, source = dice.choice(files)
        for _ in range(dice.randint(1, 3)):
            source = mangle(source, dice.choice(files)[1], dice)
        yield path, source[: 2 * LONGEST]


def mangle(source: bytes, other: bytes, dice: random.Random) -> bytes:
    """One damage: cut, spliced, a part lost, a part twice, bytes changed, a piece put in."""
    start, end = sorted(dice.randint(0, len(source)) for _ in range(2))
    there = dice.randint(0, len(other))
    return dice.choice(
        (
            lambda: source[:start],
            lambda: source[start:],
            lambda: source[:start] + other[there:],
            lambda: source[:start] + source[end:],
            lambda: source[:end] + source[start:],
            lambda: source[:start] + dice.randbytes(dice.randint(1, 20)) + source[end:],
            lambda: source[:start] + dice.choice(BITS) * dice.choice((1, 1, 50)) + source[start:],
        )
    )()


def check(path: str, source: bytes) -> bool:
    """Whether the facts of an input tell of errors; fails where something is wrong with them."""
    whole = Index(languages=ALL).apply([Change(path, source)])
    assert path in whole.files or path in whole.excluded
    for facts in whole.files.values():
        assert decode_facts(encode_facts(facts)) == facts
        check_spans(facts, len(source))
    for passage in whole.passages:
        assert passage.comment.end <= passage.code.start < passage.code.end <= len(source)
    _ = whole.pairs, whole.snippets
    assert isinstance(method_errors(source[:5000].decode("utf-8", "replace")), tuple)
    return bool(whole.errors)


def check_spans(facts: FileFacts, size: int) -> None:
    for method in facts.methods:
        spans = [method.span, method.signature, *filter(None, (method.body, method.doc))]
        assert all(0 <= span.start <= span.end <= size for span in spans)
        assert all(method.span.start <= call.start < method.span.end for call in method.calls)
    for kind in facts.types:
        assert all(0 <= s.start <= s.end <= size for s in (kind.span, kind.header, kind.body))


if __name__ == "__main__":
    main()
