"""Benchmarks run in small; the figures that count come from running them large."""

from __future__ import annotations

import argparse
import os

import pytest

from benchmarks import memory, serving
from tests.tiny_model import make_tiny_base


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


def test_a_tiny_base_is_served_to_many_clients_as_the_starter_is(tmp_path):
    from personalizer.engine.local import LocalEngine

    class Here(LocalEngine):
        pid = os.getpid()

    engine = Here(threads=1)
    base = str(make_tiny_base(tmp_path / "base"))
    folders = serving.make_adapters(base, tmp_path, 2)
    asked = serving.requests(base, folders, tokens=8)
    rows = list(serving.many_clients(engine, asked, [1, 2], rounds=1))
    assert [(row["clients"], row["adapters"]) for row in rows] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert all(0 < row["first_p50"] <= row["end_p50"] for row in rows)
    found = serving.eight(engine, asked, repeats=1)
    assert found["same texts"] is True
    assert found["times one by one, cpu s"] > 0
    engine.close()
