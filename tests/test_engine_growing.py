"""The cache with room behind its last token remembers what transformers' own one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.cache_utils import Cache, DynamicCache

from personalizer.engine.growing import GrowingCache
from personalizer.models import load_base

ROWS, HEADS, WIDTH, BLOCKS = 4, 2, 3, 2


def states(tokens: int, *, alike: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    shape = (1 if alike else ROWS, HEADS, tokens, WIDTH)
    keys, values = torch.randn(2, *shape).expand(2, ROWS, *shape[1:])
    return keys, values


def begun(tokens: int) -> DynamicCache:
    cache = DynamicCache()
    for block in range(BLOCKS):
        cache.update(*states(tokens, alike=True), block)
    return cache


@pytest.mark.parametrize("prefix", [0, 5])
def test_it_remembers_what_the_dynamic_cache_remembers(prefix: int):
    torch.manual_seed(1)
    past = begun(prefix) if prefix else None
    ours = GrowingCache(past)
    theirs = past or DynamicCache()
    for step in range(300):  # room is made several times
        for block in range(BLOCKS):
            new = states(17, alike=True) if step == 0 else states(1)
            got = ours.update(*new, block)
            expected = theirs.update(*new, block)
            assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))
        order = torch.randint(ROWS, (ROWS,))
        for cache in (ours, theirs):
            cache.reorder_cache(order)
    assert ours.get_seq_length() == theirs.get_seq_length() == prefix + 17 + 299
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        assert torch.equal(mine.keys, other.keys) and torch.equal(mine.values, other.values)


def test_beams_write_the_same_text_with_it(tiny_base: Path):
    model: Any = load_base(str(tiny_base)).model
    prompt = torch.arange(30, 70)[None]

    def written(cache: Cache | None) -> list[list[int]]:
        with torch.inference_mode():
            made = model.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                num_beams=4,
                num_return_sequences=4,
                max_new_tokens=150,
                min_new_tokens=150,
                **({} if cache is None else {"past_key_values": cache}),
            )
        rows: list[list[int]] = made.tolist()
        return rows

    assert written(GrowingCache()) == written(None)
