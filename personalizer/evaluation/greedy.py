"""Greedy tests for many examples at once, for metrics; the engine serves single requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessorList

from personalizer.dataset import Encoded
from personalizer.engine.loops import NoLoops
from personalizer.models import LoadedBase

__all__ = ["greedy_tests"]


def greedy_tests(
    model: Any,
    base: LoadedBase,
    examples: Sequence[Encoded],
    *,
    max_tokens: int = 320,
    batch_size: int = 16,
    as_served: bool = False,
) -> list[str]:
    """The likeliest test for each example, token by token.

    Args:
        model: The base's decoder-only model, adapted or not, in evaluation mode.
        base: For its tokenizer.
        examples: Their prompts are read, their targets never.
        max_tokens: Longest test in tokens.
        batch_size: Prompts of like length that are decoded together.
        as_served: Forbid loops, as the engine does; plain greedy decoding otherwise.

    Returns:
        Texts in the order of the examples, without the end token.
    """
    texts = [""] * len(examples)
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].prompt))
    pad = base.tokenizer.pad_token_id
    device = next(model.parameters()).device
    for begin in range(0, len(order), batch_size):
        chosen = order[begin : begin + batch_size]
        longest = max(len(examples[i].prompt) for i in chosen)
        gaps = [longest - len(examples[i].prompt) for i in chosen]
        rows = [[pad] * gap + examples[i].prompt for gap, i in zip(gaps, chosen, strict=True)]
        mask = [[0] * gap + [1] * (longest - gap) for gap in gaps]
        with torch.inference_mode():
            made = model.generate(
                input_ids=torch.tensor(rows, device=device),
                attention_mask=torch.tensor(mask, device=device),
                max_new_tokens=max_tokens,
                do_sample=False,
                logits_processor=LogitsProcessorList([NoLoops(longest)] if as_served else []),
            )
        for i, row in zip(chosen, made[:, longest:], strict=True):
            texts[i] = base.tokenizer.decode(row, skip_special_tokens=True)
    return texts
