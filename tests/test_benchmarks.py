"""Benchmarks of training run in small; the figures that count come from running them large."""

from __future__ import annotations

import argparse

import pytest

from benchmarks import memory


@pytest.mark.parametrize("method", ["lora", "qlora-4bit"])
def test_a_tiny_shape_trains_as_the_large_ones_do(method):
    args = argparse.Namespace(batch=4, steps=2, prompt=12, target=6)
    row = memory.measured("tiny", method, "ours", args)
    assert row["steps"] == 2
    assert row["tokens_per_second"] > 0
    assert row["peak_memory_bytes"] > 0


def test_four_bits_are_really_kept_in_four():
    def bits(four):
        model = memory.random_base(memory.SHAPES["tiny"], "cpu", four_bits=four).model
        return model.model.layers[0].mlp.up_proj.weight

    assert bits(True).dtype.itemsize == 1
    assert bits(True).numel() * 2 == bits(False).numel()
