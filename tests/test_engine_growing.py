"""The cache with room behind its last token remembers what transformers' own one does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook
from transformers.cache_utils import Cache, DynamicCache

from personalizer.engine import Request
from personalizer.engine.growing import GrowingCache
from personalizer.engine.local import LocalEngine
from personalizer.evaluation import decoding
from personalizer.evaluation.decoding import beam_tests
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


@contextmanager
def noted_shapes() -> Iterator[list[torch.Size]]:
    """Rows and tokens of all that models read meanwhile."""
    read: list[torch.Size] = []

    def note(module: torch.nn.Module, given: tuple[Any, ...]) -> None:
        if isinstance(module, torch.nn.Embedding):
            read.append(given[0].shape)

    hook = register_module_forward_pre_hook(note)
    try:
        yield read
    finally:
        hook.remove()


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


def test_rows_that_begin_alike_are_read_once():
    torch.manual_seed(2)
    ours, theirs = GrowingCache(), DynamicCache()
    for cache in (ours, theirs):
        cache.batch_repeat_interleave(3)  # of nothing
    for block in range(BLOCKS):
        one = torch.randn(2, 1, HEADS, 17, WIDTH)
        for cache in (ours, theirs):
            cache.update(*one, block)
    for cache in (ours, theirs):
        cache.batch_repeat_interleave(ROWS)
    for _ in range(150):  # room is made for all rows
        new = [states(1) for _ in range(BLOCKS)]
        order = torch.randint(ROWS, (ROWS,))
        for cache in (ours, theirs):
            for block in range(BLOCKS):
                cache.update(*new[block], block)
            cache.reorder_cache(order)
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


def test_beams_read_their_prompt_in_one_row(tiny_base: Path):
    engine = LocalEngine(1)
    with noted_shapes() as read:
        engine.generate(Request("class Cart { int total; }", str(tiny_base), count=4, max_tokens=5))
    engine.close()
    (one, tokens), *others = read
    assert one == 1 and tokens > 5
    assert others == [(4, 1)] * len(others)


def test_prompts_of_different_lengths_are_read_once_and_written_on_as_ever(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
):
    base = load_base(str(tiny_base))
    prompts = [list(range(30, 30 + length)) for length in (9, 40, 41, 70, 1)]
    examples = [SimpleNamespace(prompt=prompt) for prompt in prompts]

    def written() -> list[tuple[str, ...]]:
        return beam_tests(base.model, base, examples, beams=3, max_tokens=60)

    with noted_shapes() as read:
        ours = written()
    assert read[0] == (4, 40) and (12, 40) not in read
    monkeypatch.setattr(decoding, "has_rows", lambda base: False)
    with noted_shapes() as read:
        assert written() == ours
    assert read[0] == (12, 41)
