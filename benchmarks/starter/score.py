"""Scores a starter model on projects that it never saw, and looks for memorised text.

    python benchmarks/starter/score.py MODEL DATA FOLDER ... [--out FILE.json]

MODEL is a folder or ``starter``, DATA the folder that prepare.py made, FOLDERs checkouts of
held-out projects. Prints bits per byte of their test code beside ``xz -9`` a file and a 5-gram
model with the same vocabulary trained on the same rows; the share of 200 tests that parse and end,
greedy, with the engine's guards, and as they are served, where what is open near the limit is
closed; the share of their 50-token windows that stand verbatim in the rows; and the time of a
120-token test.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from indexer import Pair, index_folder
from indexer.languages.java import method_errors
from personalizer import dataset as data_module
from personalizer.dataset import Side
from personalizer.evaluation.decoding import greedy_tests
from personalizer.models import LoadedBase, load_base
from personalizer.models.quiet import quiet_libraries
from personalizer.prompts import SPECIAL_TOKENS

WINDOW = 50
"""Tokens of a window that counts as memorised when it stands verbatim in the corpus."""
TARGET = 320
"""Longest test in tokens."""
WAYS: dict[str, dict[str, Any]] = {
    "greedy": {},
    "greedy, with guards": {"as_served": True, "closed": False},
    "as served": {"as_served": True},
}
"""How tests are decoded, by name."""
STRIDE = 512
ORDER = 5
DISCOUNT = 0.75


def test_texts(folder: Path) -> list[str]:
    """The files of a project that hold tests."""
    snapshot, _ = index_folder(folder)
    paths = sorted({where.path for where in snapshot.tests})
    return [snapshot.text(path) for path in paths]


def model_bits(base: LoadedBase, ids: list[int]) -> float:
    """Bits that the model needs for a text, in windows of its context that overlap by half."""
    bits = 0.0
    start_id = base.tokenizer.convert_tokens_to_ids("<|file|>")
    for begin in range(0, len(ids), STRIDE):
        first = max(0, begin - STRIDE + 1)
        piece = [start_id, *ids[first : begin + STRIDE]]
        labels = list(piece)
        labels[: begin - first + 1] = [-100] * (begin - first + 1)
        with torch.inference_mode():
            loss = base.model(
                input_ids=torch.tensor([piece]), labels=torch.tensor([labels])
            ).loss.item()
        bits += loss * (len(piece) - (begin - first + 1)) / math.log(2)
    return bits


class NGrams:
    """Interpolated absolute discounting over token n-grams, counted by hash."""

    def __init__(self, tokens: np.ndarray, order: int, vocabulary: int) -> None:
        self.order, self.vocabulary = order, vocabulary
        self.tables = []
        for n in range(1, order + 1):
            grams, first, counts = np.unique(
                _hashes(tokens, n), return_index=True, return_counts=True
            )
            contexts, totals = np.unique(_contexts(tokens, n), return_counts=True)
            followers = np.searchsorted(contexts, _contexts(tokens, n)[first])
            kinds = np.bincount(followers, minlength=len(contexts))
            self.tables.append((grams, counts, contexts, totals, kinds))

    def bits(self, tokens: np.ndarray) -> float:
        """Bits of a text."""
        chance = np.full(len(tokens), 1.0 / self.vocabulary)
        for n, (grams, counts, contexts, totals, kinds) in enumerate(self.tables, 1):
            mine = _found(grams, counts, _hashes(tokens, n))
            total = _found(contexts, totals, _contexts(tokens, n))
            kind = _found(contexts, kinds, _contexts(tokens, n))
            seen = total > 0
            here = chance[n - 1 :]
            blend = np.maximum(mine - DISCOUNT, 0) + DISCOUNT * kind * here
            here[seen] = blend[seen] / total[seen]
        return float(-np.log2(chance).sum())


def _hashes(tokens: np.ndarray, n: int) -> np.ndarray:
    """One 64-bit number for each n tokens in a row."""
    total = np.zeros(len(tokens) - n + 1, np.uint64)
    for k in range(n):
        total = total * np.uint64(0x9E3779B97F4A7C15) + tokens[k : len(tokens) - n + 1 + k] + 1
    return total


def _contexts(tokens: np.ndarray, n: int) -> np.ndarray:
    """The first n - 1 of each n tokens in a row."""
    if n == 1:
        return np.zeros(len(tokens), np.uint64)
    return _hashes(tokens[:-1], n - 1)


def _found(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)


def memorised(windows: Iterator[np.ndarray], rows: np.ndarray) -> float:
    """Share of windows that stand verbatim in the rows."""
    wanted = np.concatenate(list(windows)) if windows else np.zeros(0, np.uint64)
    found = np.zeros(len(wanted), bool)
    for begin in range(0, len(rows), 4000):
        there = np.unique(_hashes(rows[begin : begin + 4000].reshape(-1).astype(np.uint64), WINDOW))
        found |= np.isin(wanted, there)
    return float(found.mean()) if len(found) else 0.0


def held_out_examples(base: LoadedBase, folders: list[Path], count: int) -> list[Any]:
    """Examples with the test class, as many from each project."""
    chosen: list[Any] = []
    for folder in folders:
        snapshot, _ = index_folder(folder)
        pairs = list(snapshot.pairs)
        gate = pairs[:: max(1, len(pairs) // count)]
        sides: dict[Side, list[Pair]] = {"train": [], "validation": [], "gate": gate}
        data = data_module.build(
            snapshot, sides, base.tokenizer, context_tokens=1024, target_tokens=TARGET
        )
        chosen += data.gate[: math.ceil(count / len(folders))]
    return chosen[:count]


def generations(
    base: LoadedBase, examples: list[Any], rows: np.ndarray, **how: Any
) -> dict[str, Any]:
    texts = greedy_tests(base.model, base, examples, max_tokens=TARGET, **how)
    encoded = [base.tokenizer.encode(text, add_special_tokens=False) for text in texts]
    ended = [len(ids) < TARGET - 1 for ids in encoded]
    parsed = [not method_errors(text) for text in texts]
    long = (np.array(ids, np.uint64) for ids in encoded if len(ids) >= WINDOW)
    return {
        "generated": len(texts),
        "parse": round(float(np.mean(parsed)), 4),
        "end": round(float(np.mean(ended)), 4),
        "parse and end": round(
            float(np.mean([p and e for p, e in zip(parsed, ended, strict=True)])), 4
        ),
        "memorised windows": round(memorised((_hashes(ids, WINDOW) for ids in long), rows), 5),
        "examples": texts[:3],
    }


def speed(base: LoadedBase) -> float:
    """Seconds of a greedy test of 120 tokens after a prompt of 700."""
    ids = torch.randint(100, 4000, (1, 700), generator=torch.Generator().manual_seed(0))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        with torch.inference_mode():
            base.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                min_new_tokens=120,
                max_new_tokens=120,
                do_sample=False,
            )
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=60, help="test files a project")
    parser.add_argument("--generated", type=int, default=200, help="greedy tests in all")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    quiet_libraries()
    base = load_base(args.model)
    rows = np.load(args.data / "train.npy", mmap_mode="r")
    flat = rows.reshape(-1).astype(np.uint64)
    grams = NGrams(flat[flat > 0], ORDER, len(base.tokenizer))
    result: dict[str, Any] = {"bits per byte": {}}
    for folder in args.folders:
        texts = test_texts(folder)
        texts = texts[:: max(1, len(texts) // args.files)][: args.files]
        size = sum(len(text.encode()) for text in texts)
        encoded = [
            base.tokenizer.encode(text.replace("<|", "< |"), add_special_tokens=False)
            for text in texts
        ]
        row = {
            "files": len(texts),
            "bytes": size,
            "starter": sum(model_bits(base, ids) for ids in encoded) / size,
            "5-gram": sum(grams.bits(np.array(ids, np.uint64)) for ids in encoded) / size,
            "xz -9": 8 * sum(len(lzma.compress(t.encode(), preset=9)) for t in texts) / size,
        }
        result["bits per byte"][folder.name] = {
            k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()
        }
        print(folder.name, result["bits per byte"][folder.name], flush=True)
    del grams
    examples = held_out_examples(base, args.folders, args.generated)
    for name, how in WAYS.items():
        result[name] = generations(base, examples, rows, **how)
    result["seconds for 120 tokens"] = round(speed(base), 2)
    result["special tokens"] = len(SPECIAL_TOKENS)
    print(json.dumps(result, indent=1))
    if args.out:
        args.out.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
