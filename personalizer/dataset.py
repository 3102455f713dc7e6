"""Pairs to training examples: the split, the token ids, and what was left out and why."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import get_args

from indexer import Level, Pair, Snapshot
from indexer.languages.java import digest
from personalizer.adapters import Side
from personalizer.errors import PromptTooLong, TooFewPairs
from personalizer.prompts import Tokenizer, encode, encode_target, example_of_pair

__all__ = [
    "FEWEST_PAIRS",
    "SIDES",
    "Dataset",
    "Encoded",
    "Side",
    "build",
    "folds",
    "hold_out",
    "split",
]

SIDES: tuple[Side, ...] = get_args(Side)

FEWEST_PAIRS = 24
"""Pairs below which no adapter is trained: three batches, and a pair or two to judge by."""
_FEWEST_CLASSES = 3
"""One focal class a side."""
_FEWEST_JUDGES = 5
"""Pairs that the gate shall have at least: an interval over fewer tells next to nothing."""
_UNBOUNDED = 10**9
"""Tokens that no prompt reaches."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example as token ids."""

    pair: Pair
    prompt: list[int]
    target: list[int]
    """The end token included."""
    text: str
    """The target as text."""
    examples: int = 0
    """Other pairs of the project that the prompt shows."""


@dataclass(frozen=True)
class Dataset:
    """Encoded examples by side."""

    sides: Mapping[Side, tuple[Encoded, ...]]
    left_out: Mapping[str, int]
    """Pairs by reason: ``over-long target``, ``over-long focal method``, ``copy``."""

    @property
    def train(self) -> tuple[Encoded, ...]:
        return self.sides["train"]

    @property
    def validation(self) -> tuple[Encoded, ...]:
        return self.sides["validation"]

    @property
    def gate(self) -> tuple[Encoded, ...]:
        return self.sides["gate"]

    def counts(self) -> dict[str, int]:
        return {side: len(self.sides[side]) for side in SIDES}

    def pairs(self) -> Iterator[Pair]:
        """Every pair that was used, on any side."""
        for side in SIDES:
            for example in self.sides[side]:
                yield example.pair


def split(
    pairs: Iterable[Pair], *, validation_fraction: float, gate_fraction: float, seed: int = 0
) -> dict[Side, list[Pair]]:
    """Parts pairs by focal class, so that no class lies on two sides.

    Classes are ordered by a hash of their name, so that a class keeps its side while the project
    grows around it. Sides have their share of the pairs as nearly as whole classes allow.

    Args:
        pairs: Pairs of one project.
        validation_fraction: Share of the pairs for early stopping, between 0 and 1.
        gate_fraction: Share of the pairs for the gate, between 0 and 1.
        seed: Another seed, another split.

    Raises:
        TooFewPairs: If the sides cannot all have a class.
    """
    by_class = _by_class(pairs)
    if len(by_class) < _FEWEST_CLASSES:
        raise TooFewPairs(
            f"training needs tests of at least {_FEWEST_CLASSES} classes, found {len(by_class)}"
        )
    names = _in_order(by_class, seed)
    total = sum(map(len, by_class.values()))
    gate = _share(names, by_class, max(gate_fraction * total, _FEWEST_JUDGES), leaving=2)
    rest = [name for name in names if name not in gate]
    return _around(by_class, gate, rest, validation_fraction * total)


def folds(
    pairs: Iterable[Pair], count: int, *, validation_fraction: float, seed: int = 0
) -> list[dict[Side, list[Pair]]]:
    """Parts pairs for cross-validation by focal class: each class is held out once.

    Folds are as even in pairs as whole classes allow. The held-out side is called ``gate``, as in
    :func:`split`; some classes of the rest stop the training.

    Args:
        pairs: Pairs of one project.
        count: How many folds, at least two.
        validation_fraction: Share of the other pairs for early stopping, between 0 and 1.
        seed: Another seed, another split.

    Raises:
        TooFewPairs: If a side of a fold would be empty.
    """
    by_class = _by_class(pairs)
    if count < 2:
        raise TooFewPairs(f"cross-validation needs at least 2 folds, got {count}")
    if len(by_class) < max(count, 4):
        raise TooFewPairs(
            f"{count} folds need tests of {max(count, 4)} classes, found tests of {len(by_class)}"
        )
    parts: list[list[str]] = [[] for _ in range(count)]
    sizes = [0] * count
    order = {name: place for place, name in enumerate(_in_order(by_class, seed))}
    for name in sorted(by_class, key=lambda name: (-len(by_class[name]), order[name])):
        smallest = min(range(count), key=lambda i: (sizes[i], len(parts[i])))
        parts[smallest].append(name)
        sizes[smallest] += len(by_class[name])
    made = []
    for held_out in parts:
        rest = [name for name in order if name not in set(held_out)]
        if len(rest) < 2:
            raise TooFewPairs("all tests but few are of one class: ask for more folds")
        made.append(_around(by_class, held_out, rest, validation_fraction * _size(by_class, rest)))
    return made


def hold_out(
    pairs: Iterable[Pair], held_out: Collection[Pair], *, validation_fraction: float, seed: int = 0
) -> dict[Side, list[Pair]]:
    """One fold whose held-out side is given; other pairs of its focal classes are not used.

    Raises:
        TooFewPairs: If less than two classes are left to train and to stop the training.
    """
    chosen = _by_class(held_out)
    by_class = _by_class(pairs)
    rest = [name for name in _in_order(by_class, seed) if name not in chosen]
    if len(rest) < 2:
        raise TooFewPairs(f"training needs tests of 2 other classes, found {len(rest)}")
    wanted = validation_fraction * _size(by_class, rest)
    return _around(by_class | chosen, list(chosen), rest, wanted)


def _around(
    by_class: Mapping[str, list[Pair]], held_out: list[str], rest: list[str], wanted: float
) -> dict[Side, list[Pair]]:
    """The rest parted: classes of about so many pairs stop the training, the others train."""
    stopping = _share(rest, by_class, wanted, leaving=1)
    bounds: dict[Side, list[str]] = {
        "gate": held_out,
        "validation": stopping,
        "train": [name for name in rest if name not in stopping],
    }
    return {side: [p for name in bounds[side] for p in by_class[name]] for side in SIDES}


def _share(
    names: list[str], by_class: Mapping[str, list[Pair]], wanted: float, *, leaving: int
) -> list[str]:
    """Classes of about so many pairs: in their order, those that bring the sum nearer to it.

    Where that is less than half of it, the smallest of the others come in addition.

    Args:
        names: Of the classes, in order.
        by_class: Their pairs.
        wanted: How many.
        leaving: Classes that must be left over.
    """
    most, chosen = len(names) - leaving, list[str]()
    for name in names:
        if len(chosen) < most and len(by_class[name]) < 2 * (wanted - _size(by_class, chosen)):
            chosen.append(name)
    others = [name for name in names if name not in chosen]
    for name in sorted(others, key=lambda name: len(by_class[name])):
        if len(chosen) < most and _size(by_class, chosen) < wanted / 2:
            chosen.append(name)
    return chosen


def _size(by_class: Mapping[str, list[Pair]], names: Iterable[str]) -> int:
    return sum(len(by_class[name]) for name in names)


def _by_class(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    by_class: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_class[pair.focal_class].append(pair)
    return by_class


def _in_order(names: Iterable[str], seed: int) -> list[str]:
    """By a hash, so that a name keeps its place while others come and go."""

    def order(name: str) -> bytes:
        return hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest()

    return sorted(names, key=order)


def build(
    snapshot: Snapshot,
    sides: Mapping[Side, Sequence[Pair]],
    tokenizer: Tokenizer,
    *,
    context_tokens: int,
    target_tokens: int,
    level: Level = Level.FM_FC_MS_FF,
    with_test_class: bool = True,
    shown: Callable[[Pair], Sequence[Pair]] | None = None,
) -> Dataset:
    """Encodes the pairs of each side.

    A held-out test is neither a training target nor shown in a training prompt; an exact copy of
    a training test is no held-out test.

    Args:
        snapshot: The project that the pairs are of.
        sides: Pairs by side, from :func:`split`.
        tokenizer: The base model's.
        context_tokens: Prompt and target together.
        target_tokens: Longest target; the prompt gets the rest.
        level: How much of the focal class is shown.
        with_test_class: Show the test class too, as the editor does.
        shown: Pairs to show in a pair's prompt, the nearest last; as many as fit beside all the
            rest. The caller sees to it that they are of the training side.
    """
    left_out: Counter[str] = Counter()
    held_out: dict[str, list[Pair]] = defaultdict(list)
    for side in ("validation", "gate"):
        for pair in sides[side]:
            held_out[pair.test.path].append(pair)
    seen: dict[str, Side] = {}
    encoded: dict[Side, tuple[Encoded, ...]] = {}
    for side in SIDES:
        kept = []
        for pair in sides[side]:
            if seen.setdefault(_body(snapshot, pair), side) != side:
                left_out["copy"] += 1
                continue
            write = partial(
                example_of_pair,
                snapshot,
                pair,
                level=level,
                with_test_class=with_test_class,
                held_out=held_out[pair.test.path] if side == "train" else (),
            )
            example = write()
            target = encode_target(example.target, tokenizer)
            if len(target) > target_tokens:
                left_out["over-long target"] += 1
                continue
            budget = context_tokens - target_tokens
            try:
                prompt = encode(example.prompt, tokenizer, budget)
            except PromptTooLong:
                left_out["over-long focal method"] += 1
                continue
            examples: tuple[Pair, ...] = ()
            for one in reversed(shown(pair) if shown else ()):
                longer = encode(write(examples=(one, *examples)).prompt, tokenizer, _UNBOUNDED)
                if len(longer) > budget:
                    break
                prompt, examples = longer, (one, *examples)
            kept.append(Encoded(pair, prompt, target, example.target, len(examples)))
        encoded[side] = tuple(kept)
    return Dataset(encoded, dict(left_out))


def _body(snapshot: Snapshot, pair: Pair) -> str:
    """The same for tests that differ in name, comments and white space alone."""
    body = pair.test.method.body or pair.test.method.span
    return digest(snapshot.source(pair.test.path)[body.start : body.end])
