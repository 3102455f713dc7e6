"""From a project's pairs to what a training is given: base, strategy, examples, hyperparameters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from indexer import Level, Pair, Snapshot
from personalizer import dataset as data_module
from personalizer.dataset import FEWEST_PAIRS, Dataset, Side
from personalizer.errors import BadInput, NoTests, SettingsError, TooFewPairs
from personalizer.gate import cannot_pass
from personalizer.models import LoadedBase, load_base, load_tokenizer
from personalizer.settings import Settings
from personalizer.training.continual import WarmStart
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.strategies import Options, Strategy, frequent_words, strategy_named
from personalizer.words import count

__all__ = [
    "Prepared",
    "context_for",
    "examples",
    "hyperparameters_of",
    "options_of",
    "prepare",
    "usable_pairs",
]


@dataclass(frozen=True)
class Prepared:
    """What a training is given."""

    base: LoadedBase
    strategy: Strategy
    dataset: Dataset
    hyper: Hyperparameters


def prepare(
    snapshot: Snapshot,
    pairs: list[Pair],
    settings: Settings,
    *,
    seconds: float,
    tensorboard: Path | None = None,
    warm: WarmStart | None = None,
) -> Prepared:
    """Loads the base and encodes the pairs.

    Args:
        snapshot: The project.
        pairs: Those of :func:`usable_pairs`.
        settings: As resolved.
        seconds: Running time that is left of the budget.
        tensorboard: Folder for event files, where the settings want them.
        warm: The adapter to train on from, if any.

    Raises:
        BadInput: If the adapter to train on from has seen every training pair.
        BaseModelError: If the base model cannot be loaded.
        BaseTooLarge: If memory does not suffice for it.
        SettingsError: If there is no such method, or targets leave no room for prompts.
        TooFewPairs: If a side would be empty.
    """
    strategy = strategy_named(settings.method)
    base = load_base(settings.base, quantization=strategy.quantization, dtype=strategy.dtype)
    options = options_of(settings)
    context = context_for(strategy, options, base, settings.context_tokens, settings.target_tokens)
    dataset = _learnable(snapshot, pairs, base.tokenizer, settings, context, warm)
    hyper = hyperparameters_of(
        settings, strategy, base, dataset, seconds=seconds, tensorboard=tensorboard
    )
    return Prepared(base, strategy, dataset, hyper)


def context_for(
    strategy: Strategy | None,
    options: Options,
    base: LoadedBase,
    context_tokens: int,
    target_tokens: int,
) -> int:
    """Tokens that prompt and target may have together, beside a strategy's virtual ones.

    Args:
        strategy: What trains; None for the base alone.
        options: Its choices.
        base: Holds so many.
        context_tokens: Most that are wanted.
        target_tokens: Those of the longest target.

    Raises:
        SettingsError: If no room is left for a prompt.
    """
    virtual = 0 if strategy is None else strategy.virtual_tokens(options, base)
    context = min(context_tokens, base.context - virtual)
    if context > target_tokens:
        return context
    beside, name = (f" and {virtual} virtual ones", " or virtual_tokens") if virtual else ("", "")
    raise SettingsError(
        f"targets of {target_tokens} tokens{beside} leave no room for a prompt in the "
        f"{base.context} tokens of {base.name}: lower target_tokens{name}"
    )


def options_of(settings: Settings) -> Options:
    """The choices within a strategy that the settings make."""
    return Options(
        rank=settings.lora_rank,
        targets=settings.lora_targets,
        variant=settings.lora_variant,
        virtual_tokens=settings.virtual_tokens,
        start_from=None if settings.prefix_from is None else Path(settings.prefix_from),
    )


def hyperparameters_of(
    settings: Settings,
    strategy: Strategy,
    base: LoadedBase,
    dataset: Dataset,
    *,
    seconds: float,
    tensorboard: Path | None = None,
) -> Hyperparameters:
    """What a run of a strategy is told; the arguments are those of ``prepare``."""
    options = options_of(settings)
    if strategy.name == "prefix":
        options = replace(options, frequent_words=_words(dataset, base))
    return Hyperparameters(
        learning_rate=settings.learning_rate or strategy.learning_rate(base),
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        patience=settings.patience,
        seed=settings.seed,
        options=options,
        schedule=settings.schedule,
        evaluate_every=settings.evaluate_every,
        optimizer=settings.optimizer,
        accumulation=settings.accumulation,
        gradient_checkpointing=settings.gradient_checkpointing,
        max_steps=settings.max_steps,
        budget_seconds=seconds,
        tensorboard=str(tensorboard) if settings.tensorboard and tensorboard else None,
    )


def examples(snapshot: Snapshot, settings: Settings) -> Iterator[dict[str, Any]]:
    """The (prompt, target) examples that training would use, with their side.

    Raises:
        BadInput: If the project has no Java, no tests or too few pairs.
        BaseModelError: If the base model's tokenizer cannot be loaded.
    """
    tokenizer = load_tokenizer(settings.base)
    pairs = usable_pairs(snapshot, None)
    built = _learnable(snapshot, pairs, tokenizer, settings, settings.context_tokens)
    for side in data_module.SIDES:
        for example in built.sides[side]:
            yield {
                "split": side,
                "prompt": tokenizer.decode(example.prompt),
                "target": example.text,
                "focal": example.pair.focal.key,
                "test": example.pair.test.key,
                "prompt_tokens": len(example.prompt),
                "target_tokens": len(example.target),
            }


def usable_pairs(
    snapshot: Snapshot, limit: int | None, *, fewest: int = FEWEST_PAIRS
) -> list[Pair]:
    """The pairs that training may use, the same ones each time.

    Args:
        snapshot: The project.
        limit: Most pairs.
        fewest: Fewer are refused.

    Raises:
        BadInput: If there is no Java, no test or too few pairs; says what was found.
    """
    gone = snapshot.excluded_by_reason().get("forgotten", 0)
    back = "see `personalizer adapters forget --list`, take back by `adapters remember PATH`"
    besides = f"; forgotten: {count(gone, 'file')} ({back})" if gone else ""
    if not snapshot.files:
        if gone == len(snapshot.excluded) > 0:
            raise BadInput(f"nothing is left to learn from: all of it was forgotten; {back}")
        raise BadInput(f"expected a folder with Java source files, found none{besides}")
    if not snapshot.tests:
        raise NoTests(
            "expected JUnit or TestNG tests, found none in "
            f"{count(len(snapshot.files), 'Java file')}{besides}"
        )
    pairs = list(snapshot.pairs)
    if len(pairs) < fewest:
        raise TooFewPairs(
            f"training needs at least {fewest} tests whose focal method is known, "
            f"found {len(pairs)} (of {count(len(snapshot.tests), 'test')}){besides}"
        )
    if limit is not None and limit < len(pairs):
        if limit < fewest:
            raise TooFewPairs(f"training needs at least {fewest} pairs, --limit is {limit}")
        names = {id(p): f"{p.focal_class} {p.test.method.key}".encode() for p in pairs}
        pairs.sort(key=lambda p: hashlib.blake2b(names[id(p)], digest_size=8).digest())
        pairs = pairs[:limit]
    return pairs


def _learnable(
    snapshot: Snapshot,
    pairs: list[Pair],
    tokenizer: Any,
    settings: Settings,
    context_tokens: int,
    warm: WarmStart | None = None,
) -> Dataset:
    """The encoded pairs of each side, none of which is empty.

    A side whose every pair is too long gives its place to classes that can be learnt from: in a
    project of few classes the split may hit one that cannot. So does a gate of a single pair.

    Raises:
        TooFewPairs: If no split has a pair on every side, or too few are short enough.
    """
    candidates = pairs
    while True:
        sides = _sides(candidates, settings)
        if warm is not None:
            sides = warm.sides(sides)
        dataset = _encoded(snapshot, sides, tokenizer, settings, context_tokens)
        used = list(dataset.pairs())
        classes = {pair.focal_class for pair in used}
        left = [pair for pair in candidates if pair.focal_class in classes]
        hopeless = cannot_pass(len(dataset.gate)) or not all(dataset.sides.values())
        if hopeless and len(left) < len(candidates):
            candidates = left
            continue
        told = f"{len(pairs)} pairs, left out {dict(dataset.left_out)}"
        if empty := [side for side, found in dataset.sides.items() if not found]:
            raise TooFewPairs(f"no pair is left for {', '.join(empty)}: {told}")
        if warm is None and len(used) < FEWEST_PAIRS:
            raise TooFewPairs(
                f"training needs at least {FEWEST_PAIRS} pairs, {len(used)} are left: {told}"
            )
        return dataset if warm is None else warm.chosen(dataset)


def _sides(pairs: list[Pair], settings: Settings) -> dict[Side, list[Pair]]:
    return data_module.split(
        pairs,
        validation_fraction=settings.validation_fraction,
        gate_fraction=settings.gate_fraction,
        seed=settings.seed,
    )


def _encoded(
    snapshot: Snapshot,
    sides: dict[Side, list[Pair]],
    tokenizer: Any,
    settings: Settings,
    context_tokens: int,
) -> Dataset:
    return data_module.build(
        snapshot,
        sides,
        tokenizer,
        context_tokens=context_tokens,
        target_tokens=settings.target_tokens,
        level=Level(settings.context_level),
    )


def _words(dataset: Dataset, base: LoadedBase) -> tuple[str, ...]:
    """Of the training side alone: what is held out must not show through a prefix either."""
    decode = base.tokenizer.decode
    return frequent_words(
        decode([*e.prompt, *e.target], skip_special_tokens=True) for e in dataset.train
    )
