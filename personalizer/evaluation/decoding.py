"""Tests for many examples at once, for metrics; the engine serves single requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from transformers import LogitsProcessorList, StoppingCriteriaList

from personalizer.engine.batch import has_rows
from personalizer.engine.ends import MethodEnd, StopAtMethodEnd
from personalizer.engine.growing import GrowingCache
from personalizer.engine.guards import guards
from personalizer.engine.monitor.declarations import Declarations
from personalizer.models import LoadedBase, ran_out_of_memory
from personalizer.training.compute import give_memory_back

__all__ = ["Prompted", "beam_tests", "greedy_tests", "sampled_texts"]

_TEMPERATURE = 0.2
"""Of samples, as in W24."""
_SAMPLED_TOGETHER = 4
"""Prompts of like length that are sampled together, several samples each."""


class Prompted(Protocol):
    """Anything with a prompt of token ids."""

    @property
    def prompt(self) -> list[int]: ...


class _Guarded(Protocol):
    """What is added to decoding a batch of examples, whose tests begin after ``start`` tokens."""

    def __call__(self, start: int, chosen: Sequence[int]) -> dict[str, Any]: ...


def greedy_tests(
    model: Any,
    base: LoadedBase,
    examples: Sequence[Prompted],
    *,
    max_tokens: int = 320,
    batch_size: int = 16,
    as_served: bool = False,
    declared: Callable[[int], Declarations] | None = None,
) -> list[str]:
    """The likeliest test for each example, token by token.

    Args:
        model: The base's model, adapted or not, in evaluation mode.
        base: For its tokenizer and kind.
        examples: Their prompts are read, their targets never.
        max_tokens: Longest test in tokens.
        batch_size: Prompts of like length that are decoded together.
        as_served: With the engine's guards, to a method's end; plain greedy decoding otherwise.
        declared: What the test of an example, named by its place, may use; served tests are held
            to it.

    Returns:
        Texts in the order of the examples, without the end token.
    """
    served = _as_served(base, max_tokens, declared) if as_served else _plainly
    how = {"max_new_tokens": max_tokens, "do_sample": False}
    rows = _decoded(model, base, examples, batch_size, 1, served, **how)
    return [row[0] for row in rows]


def beam_tests(
    model: Any,
    base: LoadedBase,
    examples: Sequence[Prompted],
    *,
    beams: int = 5,
    max_tokens: int = 320,
    batch_size: int = 4,
    as_served: bool = False,
    declared: Callable[[int], Declarations] | None = None,
) -> list[tuple[str, ...]]:
    """The ends of a beam search for each example, the likeliest first.

    Args:
        beams: Width of the search, and texts for each example.

    The other arguments are those of :func:`greedy_tests`.
    """
    return _decoded(
        model,
        base,
        examples,
        batch_size,
        beams,
        _as_served(base, max_tokens, declared) if as_served else _plainly,
        max_new_tokens=max_tokens,
        do_sample=False,
        num_beams=beams,
        num_return_sequences=beams,
        early_stopping=True,
    )


def sampled_texts(
    model: Any,
    base: LoadedBase,
    examples: Sequence[Prompted],
    *,
    count: int,
    seed: int = 0,
    max_tokens: int = 320,
) -> list[tuple[str, ...]]:
    """Several samples for each example, as pass@k wants them (top p 0.95).

    The other arguments are those of :func:`greedy_tests`.
    """
    torch.manual_seed(seed)
    return _decoded(
        model,
        base,
        examples,
        _SAMPLED_TOGETHER,
        count,
        _plainly,
        max_new_tokens=max_tokens,
        do_sample=True,
        temperature=_TEMPERATURE,
        top_p=0.95,
        top_k=0,
        num_return_sequences=count,
    )


def _decoded(
    model: Any,
    base: LoadedBase,
    examples: Sequence[Prompted],
    batch_size: int,
    each: int,
    guarded: _Guarded,
    **how: Any,
) -> list[tuple[str, ...]]:
    """Texts for each example."""
    texts: list[tuple[str, ...]] = [()] * len(examples)
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].prompt))
    pad = base.tokenizer.pad_token_id
    device = next(model.parameters()).device
    begins = getattr(model, "active_peft_config", None)  # a prefix makes a cache of its own
    grows = has_rows(base) and not getattr(begins, "is_prompt_learning", False)
    begin = 0
    while begin < len(order):
        chosen = order[begin : begin + batch_size]
        longest = max(len(examples[i].prompt) for i in chosen)
        gaps = [longest - len(examples[i].prompt) for i in chosen]
        rows = [[pad] * gap + examples[i].prompt for gap, i in zip(gaps, chosen, strict=True)]
        mask = [[0] * gap + [1] * (longest - gap) for gap in gaps]
        tokens, seen = (torch.tensor(one, device=device) for one in (rows, mask))
        # An encoder-decoder gives the answer alone, after its start token.
        start = 1 if base.encoder_decoder else longest
        try:
            with torch.inference_mode():
                past = GrowingCache() if grows else None
                if past is not None:
                    past.read(base.model, tokens[:, :-1], seen[:, :-1], each)
                made = model.generate(
                    input_ids=tokens,
                    attention_mask=seen,
                    **({} if past is None else {"past_key_values": past}),
                    **guarded(start, chosen),
                    **how,
                )
        except Exception as error:
            if len(chosen) == 1 or not ran_out_of_memory(error):
                raise
            made = None
        if made is None:
            batch_size = len(chosen) // 2
            give_memory_back()  # only now: the error's traceback held what was computed
            continue
        begin += len(chosen)
        answers = base.tokenizer.batch_decode(made[:, start:], skip_special_tokens=True)
        for place, i in enumerate(chosen):
            texts[i] = tuple(answers[place * each : (place + 1) * each])
    return texts


def _plainly(start: int, chosen: Sequence[int]) -> dict[str, Any]:
    """Nothing is added."""
    return {}


def _as_served(
    base: LoadedBase, limit: int, declared: Callable[[int], Declarations] | None
) -> _Guarded:
    """What the engine adds to plain decoding for a test."""
    ends = MethodEnd(base.tokenizer, base.tokenizer.decode)

    def added(start: int, chosen: Sequence[int]) -> dict[str, Any]:
        known = [declared(i) for i in chosen] if declared else ()
        processors = guards(start, base.tokenizer, goal="method", limit=limit, declared=known)
        return {
            "logits_processor": LogitsProcessorList(processors),
            "stopping_criteria": StoppingCriteriaList([StopAtMethodEnd(ends, start)]),
        }

    return added
