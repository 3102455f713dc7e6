"""Instruction tasks: methods trained and compared as in W24, tables 3 and figures 3 to 7."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from personalizer.dataset import Dataset
from personalizer.errors import PersonalizerError, TooFewPairs
from personalizer.evaluation.code_bleu import available, code_bleu
from personalizer.evaluation.decoding import beam_tests, sampled_texts
from personalizer.evaluation.matches import exact_match
from personalizer.evaluation.methods import Method, methods_named
from personalizer.evaluation.tasks.apps import judged
from personalizer.evaluation.tasks.instructions import (
    Instruction,
    Tokens,
    encode_instruction,
    load_instructions,
)
from personalizer.generation.vectors import ByVectors, Vectors
from personalizer.models import load_base
from personalizer.models.sentences import Sentences
from personalizer.prompts import Tokenizer
from personalizer.settings import Settings, parse_duration
from personalizer.training.compute import give_memory_back
from personalizer.training.preparation import context_for, hyperparameters_of, options_of
from personalizer.training.strategies import STRATEGIES, strategy_named
from personalizer.training.trainer import fine_tune

if TYPE_CHECKING:
    from personalizer.generation.vectors import Embed

__all__ = ["run_instructions"]

_Choose: TypeAlias = Callable[[Instruction], Sequence[Instruction]]
"""Which examples stand before an instruction."""


def run_instructions(
    name: str,
    folder: Path,
    settings: Settings,
    methods: Sequence[str],
    *,
    scratch: Path,
    shots: int = 3,
    beams: int = 10,
    samples: int = 5,
    limit: int | None = None,
    report: Callable[[int, int], None] = lambda done, all_: None,
) -> dict[str, Any]:
    """Compares methods on an instruction task.

    Args:
        name: ``conala``, ``codealpacapy`` or ``apps``.
        folder: With a file for each split.
        settings: Base, lengths, training, and what finds the examples of rag.
        methods: base, icl, rag, strategies, strategies with examples.
        scratch: Folder for checkpoints; a killed training is gone on with.
        shots: Examples that icl and rag show.
        beams: Width of the search: EM@1 to EM@beams.
        samples: Programs for each problem of APPS.
        limit: Most examples of each split.
        report: Told of methods done and of all.

    Returns:
        ``splits`` and, by method, ``exact@k``, ``code_bleu``, ``pf_seconds``, ``seconds``,
        ``trainable_parameters`` and ``peak_memory_bytes``, or the reason of a gap; of APPS also
        what running the sampled programs says (:func:`judged`).

    Raises:
        BadInput: If a file is missing or of another shape.
        SettingsError: If a method is unknown.
    """
    train = load_instructions(name, folder, "train")[:limit]
    validation = load_instructions(name, folder, "validation")[:limit]
    test = load_instructions(name, folder, "test")[:limit]
    chosen = methods_named(methods, STRATEGIES)
    embed = Vectors().by(settings.retriever, Sentences())
    found: dict[str, Any] = {}
    for number, method in enumerate(chosen):
        report(number, len(chosen))
        try:
            found[method.name] = _scored(
                method,
                train,
                validation,
                test,
                settings,
                scratch / method.name,
                _choosing(method, train, shots, embed),
                beams,
                samples,
            )
        except (PersonalizerError, MemoryError, RuntimeError, ValueError) as error:
            found[method.name] = {"gap": " ".join(str(error).split())[:200]}
        give_memory_back()  # before the next model comes
    report(len(chosen), len(chosen))
    return {
        "task": name,
        "base": settings.base,
        "splits": {"train": len(train), "validation": len(validation), "test": len(test)},
        "methods": found,
    }


def _scored(
    method: Method,
    train: Sequence[Instruction],
    validation: Sequence[Instruction],
    test: Sequence[Instruction],
    settings: Settings,
    checkpoints: Path,
    choose: _Choose,
    beams: int,
    samples: int,
) -> dict[str, Any]:
    strategy = strategy_named(method.strategy) if method.strategy else None
    base = load_base(
        settings.base,
        quantization=strategy.quantization if strategy else None,
        dtype=strategy.dtype if strategy else None,
    )
    wanted = settings.context_tokens, settings.target_tokens
    longest = context_for(strategy, options_of(settings), base, *wanted)
    model: Any = base.model
    cost: dict[str, Any] = {}
    if strategy is not None:
        sides = {
            "train": _encoded(train, base.tokenizer, longest),
            "validation": _encoded(validation, base.tokenizer, longest),
            "gate": (),
        }
        data = Dataset(cast(Any, sides), {})  # a training reads no pair, only prompt and target
        if not data.train or not data.validation:
            raise TooFewPairs(f"no example of the task fits into {longest} tokens")
        hyper = hyperparameters_of(
            settings, strategy, base, data, seconds=parse_duration(settings.budget)
        )
        run = fine_tune(base, data, strategy, hyper, checkpoints, lambda _: None)
        model = run.model
        cost = {
            "pf_seconds": run.pf_seconds,
            "seconds": round(run.seconds, 2),
            "trainable_parameters": run.trainable_parameters,
            "peak_memory_bytes": run.peak_memory_bytes,
        }
    room = longest - settings.target_tokens
    asked = [_with_examples(one, choose, base.tokenizer, room) for one in test]
    kept = [(t, one) for t, one in zip(asked, test, strict=True) if t is not None and one.answer]
    if not kept:
        raise TooFewPairs(f"no test example of the task fits into {room} tokens")
    prompts = [tokens for tokens, _ in kept]
    texts = beam_tests(model, base, prompts, beams=beams, max_tokens=settings.target_tokens)
    ran: dict[str, Any] = {}
    if any(one.tests for _, one in kept):
        programs = sampled_texts(
            model,
            base,
            prompts,
            count=samples,
            seed=settings.seed,
            max_tokens=settings.target_tokens,
        )
        ran = judged([one for _, one in kept], programs)
    answers = [one.answer for _, one in kept]
    first = [row[0] for row in texts]
    return {
        "test": len(kept),
        "left_out": len(test) - len(kept),
        **{
            f"exact@{k}": sum(exact_match(t, a, k) for t, a in zip(texts, answers, strict=True))
            / len(kept)
            for k in range(1, beams + 1)
        },
        "code_bleu": code_bleu(first, answers, "python") if available() else None,
        **ran,
        **cost,
    }


def _encoded(
    examples: Sequence[Instruction], tokenizer: Tokenizer, longest: int
) -> tuple[Tokens, ...]:
    found = (encode_instruction(one, tokenizer, longest) for one in examples if one.answer)
    return tuple(one for one in found if one is not None)


def _with_examples(
    one: Instruction,
    choose: _Choose,
    tokenizer: Tokenizer,
    room: int,
) -> Tokens | None:
    """The prompt, other examples before it, as many as fit; the nearest last. None: too long."""
    bare = encode_instruction(one, tokenizer, 10**9)
    if bare is None or len(bare.prompt) > room:
        return None
    prompt = bare.prompt
    for other in choose(one):
        shown = encode_instruction(other, tokenizer, 10**9)
        if shown is None or len(shown.prompt) + len(shown.target) + len(prompt) > room:
            break
        apart = tokenizer.encode("\n\n", add_special_tokens=False)
        end = shown.target[:-1] if tokenizer.eos_token_id is not None else shown.target
        prompt = [*shown.prompt, *end, *apart, *prompt]
    return Tokens(prompt, bare.target, bare.text)


def _choosing(
    method: Method, train: Sequence[Instruction], shots: int, embed: Embed | None
) -> _Choose:
    """Says which examples stand before an instruction, the nearest first.

    Args:
        method: Shows none, random or near ones.
        train: To choose from.
        shots: Most examples.
        embed: Vectors of instructions, as W24 has them; None ranks by BM25.
    """
    if method.shown is None or not train:
        return lambda _: ()
    if method.shown == "icl":
        return lambda one: random.Random(one.id).sample(train, min(shots, len(train)))
    scores = _by_words(train) if embed is None else _by_vectors(train, embed)

    def nearest(one: Instruction) -> Sequence[Instruction]:
        order = np.asarray(scores(one)).argsort()[::-1][:shots]
        return [train[int(place)] for place in order]

    return nearest


def _by_words(train: Sequence[Instruction]) -> Callable[[Instruction], Sequence[float]]:
    """BM25 over the words of instructions; nothing where no word is known."""
    import bm25s

    ranking = bm25s.BM25()
    ranking.index([other.instruction.lower().split() for other in train], show_progress=False)

    def scores(one: Instruction) -> Sequence[float]:
        words = one.instruction.lower().split()
        known = [word for word in words if word in ranking.vocab_dict]
        found: Sequence[float] = ranking.get_scores(known) if known else ()
        return found

    return scores


def _by_vectors(
    train: Sequence[Instruction], embed: Embed
) -> Callable[[Instruction], Sequence[float]]:
    ranking = ByVectors([other.instruction for other in train], embed)
    return lambda one: ranking.scores(one.instruction)
