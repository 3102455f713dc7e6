"""Mixes rows of another proportion from those that prepare.py made: for the end of a training.

    python benchmarks/starter/mix.py DATA OUT --tests 0.8 --tokens 6e6

OUT receives the tokenizer, ``train.npy``, the same ``validation.npy`` and ``data.json``; train.py
takes it in place of DATA. Documents are told apart by the marker that they begin with.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from prepare import pack
from transformers import PreTrainedTokenizerFast

from personalizer.prompts import END, SPECIAL_TOKENS, Kind

KINDS = {
    "test": (Kind.TYPES, Kind.EXAMPLE, Kind.TEST_CLASS, Kind.FOCAL),
    "snippet": (Kind.CLASS, Kind.COMMENT, Kind.SIGNATURE),
}
"""Markers that a document of each kind may begin with; all others are files."""


def documents_in(row: np.ndarray, end: int) -> Iterator[list[int]]:
    """The whole documents of a row; a piece of a long file may have no end."""
    ids = row[row > 0].tolist()
    begin = 0
    for place, token in enumerate(ids):
        if token == end:
            yield ids[begin : place + 1]
            begin = place + 1
    if begin < len(ids):
        yield ids[begin:]


def by_kind(rows: np.ndarray, tokenizer: PreTrainedTokenizerFast) -> dict[str, list[list[int]]]:
    """Every document of the rows under ``test``, ``snippet`` or ``file``."""
    kind_of = {
        tokenizer.convert_tokens_to_ids(f"<|{marker}|>"): kind
        for kind, markers in KINDS.items()
        for marker in markers
    }
    end = tokenizer.convert_tokens_to_ids(END)
    found: dict[str, list[list[int]]] = defaultdict(list)
    for row in rows:
        for document in documents_in(row, end):
            found[kind_of.get(document[0], "file")].append(document)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tests", type=float, default=0.8, help="their share of the tokens")
    parser.add_argument("--tokens", type=float, default=6e6)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(args.data / "tokenizer")
    assert tokenizer.convert_ids_to_tokens(list(range(len(SPECIAL_TOKENS)))) == list(SPECIAL_TOKENS)
    dice = random.Random(args.seed)
    found = by_kind(np.load(args.data / "train.npy", mmap_mode="r"), tokenizer)
    rest = 1 - args.tests
    shares = {"test": args.tests, "snippet": rest / 2, "file": rest / 2}
    chosen: list[list[int]] = []
    counts: dict[str, int] = {}
    for kind, share in shares.items():
        dice.shuffle(found[kind])
        size = 0
        for document in found[kind]:
            if size >= share * args.tokens:
                break
            chosen.append(document)
            size += len(document)
        counts[f"{kind} tokens"] = size
    rows = pack(chosen, dice)
    args.out.mkdir(parents=True, exist_ok=True)
    np.save(args.out / "train.npy", rows)
    shutil.copy(args.data / "validation.npy", args.out)
    shutil.copytree(args.data / "tokenizer", args.out / "tokenizer", dirs_exist_ok=True)
    counts |= {"rows": len(rows), "padding": int((rows == 0).sum())}
    (args.out / "data.json").write_text(json.dumps(counts, indent=1))
    print(json.dumps(counts, indent=1))


if __name__ == "__main__":
    main()
