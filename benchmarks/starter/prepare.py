"""Makes the starter's training data from a folder of repositories.

    python benchmarks/starter/prepare.py REPOSITORIES OUT [--hold-out NAME ...] [--never FOLDER]

REPOSITORIES holds one checkout a repository, named ``owner+name``. OUT receives the tokenizer,
``train.npy`` and ``validation.npy`` (rows of 1,024 token ids, uint16) and ``data.json`` with the
counts. The repositories that are held out make the validation rows; the tokenizer never sees them.

Every file is read through the indexer: ignored, generated, vendored, minified files and files
with secrets are left out, then exact and near copies across all repositories. ``--never`` is a
folder of checkouts on which quality is measured: a file is left out too where it stands in a
package of theirs, or shares many of its lines with a file of theirs. ``--tokenizer`` takes an
existing tokenizer, to go on training a model that has it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from indexer import Change, Found, Index, Level, Pair, Snapshot, Workspace
from indexer.screening import find_copies
from personalizer.errors import PromptTooLong
from personalizer.prompts import (
    END,
    PAD,
    SPECIAL_TOKENS,
    encode,
    encode_target,
    example_of_pair,
    example_of_snippet,
    file_text,
    fill_in_the_middle_text,
)

ROW = 1024
TARGET = 320
"""Longest target in tokens; a prompt may take the rest of the row."""
FILE_SHARE = 0.35
"""Share of files that are written whole; as many again have a hole (fill in the middle)."""
FILE_TOKENS = 3 * ROW
"""Of a long file only this much is taken, from a random line on."""
PAIRS_PER_FILE = 12
"""A test class with hundreds of tests would drown the others."""


LARGEST_FILE = 300_000
"""Bytes; longer files are tables more often than code."""
MOST_SHARED = 0.4
"""Share of a file's distinct lines of code that a file of a measured project may have too."""
COMMON = 50
"""Files; a line that more measured files have does not tell where it is from."""


@dataclass(frozen=True)
class Repository:
    """A checkout and the files of it that are learnt from."""

    folder: Path
    paths: tuple[str, ...]

    def snapshot(self) -> Snapshot:
        workspace = Workspace(self.folder)
        return Index().apply(Change(path, workspace.read(path).source) for path in self.paths)


def packages(repository: Path, most: int, dice: random.Random) -> Iterator[Found]:
    """Files of a repository, whole packages at random until there are ``most`` bytes.

    A package's main and test files stay together: a test without its class is no pair.
    """
    by_package: dict[str, list[Found]] = {}
    for found in Workspace(repository).walk():
        if found.source is not None and len(found.source) < LARGEST_FILE:
            package = re.sub(r".*\bjava/", "", found.path.rpartition("/")[0])
            by_package.setdefault(package, []).append(found)
    names = sorted(by_package)
    dice.shuffle(names)
    size = 0
    for name in names:
        if size < most:
            size += sum(len(found.source or b"") for found in by_package[name])
            yield from by_package[name]


def package_of(source: bytes) -> bytes:
    found = re.search(rb"^package\s+([\w.]+)\s*;", source, re.MULTILINE)
    return found[1] if found else b""


def lines_of(source: bytes) -> set[bytes]:
    """The distinct lines that say something: no comments, imports, braces or annotations."""
    lines = (line.strip() for line in source.splitlines())
    skipped = (b"import ", b"package ", b"*", b"/", b"@", b"}")
    return {line for line in lines if len(line) > 12 and not line.startswith(skipped)}


class Measured:
    """What the projects hold on which quality is measured: their packages and their lines."""

    def __init__(self, folder: Path | None) -> None:
        self.packages: set[bytes] = set()
        self.files: dict[bytes, set[int]] = {}
        if folder is None:
            return
        for number, path in enumerate(sorted(folder.rglob("*.java"))):
            if path.is_file():
                source = path.read_bytes()
                self.packages.add(package_of(source))
                for line in lines_of(source):
                    self.files.setdefault(line, set()).add(number)
        self.packages.discard(b"")
        common = [line for line, files in self.files.items() if len(files) > COMMON]
        for line in common:
            del self.files[line]

    def holds(self, source: bytes) -> bool:
        if package_of(source) in self.packages:
            return True
        lines = lines_of(source)
        shared: Counter[int] = Counter()
        for line in lines:
            shared.update(self.files.get(line, ()))
        return bool(shared) and max(shared.values()) >= MOST_SHARED * len(lines)


def screened(folder: Path, most: int, measured: Measured) -> list[Repository]:
    """Each repository without what screening leaves out, what is measured, and copies."""
    paths: dict[Path, list[str]] = {}
    left_out: list[str] = []

    def sources() -> Iterator[tuple[str, bytes]]:
        for repository in sorted(p for p in folder.iterdir() if p.is_dir()):
            kept = paths.setdefault(repository, [])
            for found in packages(repository, most, random.Random(repository.name)):
                if measured.holds(found.source or b""):
                    left_out.append(found.path)
                    continue
                kept.append(found.path)
                yield f"{repository.name}/{found.path}", found.source or b""

    copies = find_copies(sources())
    files = sum(map(len, paths.values()))
    print(f"{files} files, {len(copies)} of them copies that are left out", flush=True)
    print(f"{len(left_out)} more are of measured projects", flush=True)
    return [
        Repository(where, tuple(p for p in kept if f"{where.name}/{p}" not in copies))
        for where, kept in paths.items()
    ]


def train_tokenizer(texts: Iterator[str], size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE whose first 32 ids are the grammar's tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        model_max_length=ROW,
        clean_up_tokenization_spaces=False,
    )


def pair_documents(
    snapshot: Snapshot, tokenizer: PreTrainedTokenizerFast, dice: random.Random
) -> Iterator[list[int]]:
    """Test examples at mixed levels, with and without the test class, some with neighbours."""
    by_file: dict[str, list[Pair]] = {}
    for pair in snapshot.pairs:
        by_file.setdefault(pair.test.path, []).append(pair)
    everything = list(snapshot.pairs)
    for pairs in by_file.values():
        for pair in dice.sample(pairs, min(len(pairs), PAIRS_PER_FILE)):
            level = dice.choices(list(Level), [1, 1, 1, 2, 5])[0]
            others = (
                dice.sample(everything, min(2, len(everything))) if dice.random() < 0.15 else []
            )
            shown = [p for p in others if p.focal_class != pair.focal_class]
            example = example_of_pair(
                snapshot,
                pair,
                with_test_class=dice.random() < 0.6,
                level=level,
                examples=shown,
            )
            yield _encoded(example, tokenizer)


def snippet_documents(
    snapshot: Snapshot, tokenizer: PreTrainedTokenizerFast, dice: random.Random
) -> Iterator[list[int]]:
    chosen = [s for s in snapshot.snippets if dice.random() < 0.3]
    for snippet in chosen:
        yield _encoded(example_of_snippet(snapshot, snippet), tokenizer)


def _encoded(example, tokenizer) -> list[int]:  # type: ignore[no-untyped-def]
    target = encode_target(example.target, tokenizer)
    if len(target) > TARGET:
        return []
    try:
        return encode(example.prompt, tokenizer, ROW - TARGET) + target
    except PromptTooLong:
        return []


def file_documents(
    snapshot: Snapshot, tokenizer: PreTrainedTokenizerFast, dice: random.Random
) -> Iterator[list[int]]:
    """Whole files and files with a hole, each from its package line or a random line on."""
    for path in snapshot.files:
        draw = dice.random()
        if draw > 2 * FILE_SHARE:
            continue
        lines = _without_header(snapshot.text(path)).splitlines(keepends=True)
        if len(lines) > 150:
            begin = dice.choice((0, dice.randrange(len(lines) - 100)))
            lines = lines[begin : begin + 300]
        if draw < FILE_SHARE or len(lines) < 12:
            text = file_text("".join(lines))
        else:
            first = dice.randrange(2, len(lines) - 4)
            last = min(len(lines) - 1, first + dice.randrange(1, 16))
            text = fill_in_the_middle_text(
                "".join(lines[max(0, first - 40) : first]),
                "".join(lines[first:last]),
                "".join(lines[last : last + 25]),
            )
        ids = tokenizer.encode(text, add_special_tokens=False)[:FILE_TOKENS]
        for start in range(0, len(ids), ROW):
            if len(ids) - start > 32:
                yield ids[start : start + ROW]


def _without_header(text: str) -> str:
    """Licence headers are the most repeated text of all; nothing is learnt from them."""
    place = text.find("package ")
    return text[place:] if 0 <= place < 5000 else text


def documents_of(work: tuple[Repository, Path, int]) -> tuple[Counter[str], list[list[int]]]:
    """The encoded documents of one repository, with their counts."""
    repository, tokenizer_folder, seed = work
    dice = random.Random(f"{seed} {repository.folder.name}")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)
    tokenizer.model_max_length = 10**9  # files are cut below, with no warning before
    snapshot = repository.snapshot()
    count = Counter(
        repositories=1,
        files=len(snapshot.files),
        bytes=sum(len(snapshot.source(path)) for path in snapshot.files),
        pairs=len(snapshot.pairs),
    )
    documents: list[list[int]] = []
    for kind, make in (
        ("test", pair_documents),
        ("snippet", snippet_documents),
        ("file", file_documents),
    ):
        made = [d for d in make(snapshot, tokenizer, dice) if d]
        count[f"{kind} documents"] += len(made)
        count[f"{kind} tokens"] += sum(map(len, made))
        documents += made
    return count, documents


def pack(documents: list[list[int]], dice: random.Random) -> np.ndarray:
    """Rows of whole documents, best fit first; the rest of a row is padding (id 0)."""
    dice.shuffle(documents)
    rows: list[list[int]] = []
    open_rows: list[int] = []
    for document in documents:
        fits = [i for i in open_rows if len(rows[i]) + len(document) <= ROW]
        if fits:
            best = max(fits, key=lambda i: len(rows[i]))
            rows[best] += document
            if len(rows[best]) > ROW - 40:
                open_rows.remove(best)
        else:
            rows.append(list(document))
            open_rows.append(len(rows) - 1)
            if len(open_rows) > 256:
                open_rows.remove(max(open_rows, key=lambda i: len(rows[i])))
    packed = np.zeros((len(rows), ROW), dtype=np.uint16)
    for i, row in enumerate(rows):
        packed[i, : len(row)] = row
    return packed[np.random.default_rng(0).permutation(len(rows))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repositories", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--hold-out", nargs="*", default=[], metavar="OWNER+NAME")
    parser.add_argument("--never", type=Path, metavar="FOLDER", help="checkouts to be measured on")
    parser.add_argument("--tokenizer", type=Path, help="taken as it is instead of a new one")
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--most", type=float, default=3.0, metavar="MB", help="a repository")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    dice = random.Random(args.seed)
    measured = Measured(args.never)
    repositories = screened(args.repositories, round(args.most * 1e6), measured)

    def texts() -> Iterator[str]:
        for repository in repositories:
            if repository.folder.name not in args.hold_out:
                for path in repository.paths:
                    if dice.random() < 0.3:
                        source = (repository.folder / path).read_bytes()
                        yield _without_header(source.decode("utf-8", "replace"))

    if args.tokenizer:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(args.tokenizer)
    else:
        tokenizer = train_tokenizer(texts(), args.vocabulary)
    tokenizer.save_pretrained(args.out / "tokenizer")
    print(f"tokenizer: {len(tokenizer)} entries", flush=True)

    sides: dict[str, list[list[int]]] = {"train": [], "validation": []}
    counts: dict[str, Counter[str]] = {side: Counter() for side in sides}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        work = [(repository, args.out / "tokenizer", args.seed) for repository in repositories]
        for repository, (count, documents) in zip(
            repositories, pool.map(documents_of, work), strict=True
        ):
            side = "validation" if repository.folder.name in args.hold_out else "train"
            counts[side] += count
            sides[side] += documents
            print(repository.folder.name, count["files"], count["pairs"], flush=True)
    for side, documents in sides.items():
        rows = pack(documents, dice)
        np.save(args.out / f"{side}.npy", rows)
        counts[side]["rows"] = len(rows)
        counts[side]["padding"] = int((rows == 0).sum())
    (args.out / "data.json").write_text(json.dumps(counts, indent=1))
    print(json.dumps(counts, indent=1))


if __name__ == "__main__":
    main()
