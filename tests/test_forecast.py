"""What a training will take is said before, and memory that runs out is answered step by step."""

from __future__ import annotations

import sys
from typing import get_args

import numpy as np
import psutil
import pytest
import torch

from personalizer.errors import OutOfMemory, SettingsError
from personalizer.models import load_base
from personalizer.settings import Optimizer, Settings
from personalizer.training import comparison, project, strategies
from personalizer.training.batches import LengthGrouped, length, target_losses
from personalizer.training.changes import block_changes
from personalizer.training.compute import (
    flop_counter,
    give_memory_back,
    keep_memory_below,
    multiplying_parameters,
    petaflop_seconds,
)
from personalizer.training.forecast import _STATE_BYTES, _largest, rehearse
from personalizer.training.hyperparameters import OPTIMIZERS
from personalizer.training.ladder import rungs
from personalizer.training.trainer import rehearsed
from tests.java_project import write_project
from tests.training_runs import encoded, hyper, run

QUICK = {"budget": "60s", "context_level": "fm", "target_tokens": 220, "epochs": 1, "batch_size": 4}


def quick(base, **changes) -> Settings:
    return Settings(**(QUICK | {"base": str(base)} | changes))


def test_every_optimizer_of_the_settings_can_be_used_and_foretold():
    assert set(OPTIMIZERS) == set(_STATE_BYTES) == set(get_args(Optimizer))


def test_a_forecast_changes_neither_weights_nor_random_numbers(tiny_base):
    base = load_base(str(tiny_base))
    data, how = encoded(base), hyper()
    model = strategies.strategy_named("custom").apply(base, how.options)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    forecast = rehearse(model, base, data, how, autocast=None)
    assert torch.random.get_rng_state().equal(state)
    for name, weight in model.named_parameters():
        assert weight.equal(before[name])
        assert weight.grad is None
    assert forecast.steps == how.steps(len(data.train)) == 12
    assert forecast.training_seconds > forecast.evaluation_seconds > 0
    assert forecast.peak_memory_bytes > torch.get_num_threads()


def test_what_was_foretold_stands_beside_what_came(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    planned = project.plan(root, quick(tiny_base))
    assert set(planned["forecast"]) >= {"peak_memory_bytes", "seconds", "steps"}
    result = project.train_project(root, quick(tiny_base))
    assert result["forecast"]["steps"] == result["steps"] == planned["steps"]
    share = result["forecast"]["peak_memory_bytes"] / result["peak_memory_bytes"]
    assert 0.5 < share < 2
    assert result["eased"] == []
    assert result["adapter_bytes"] > 0
    assert result["ended"] == "epochs"


def test_operations_are_counted_as_they_run_through_frozen_layers_too(tiny_base):
    def flops(method):
        base = load_base(str(tiny_base))
        _, forecast = rehearsed(base, encoded(base), strategies.strategy_named(method), hyper())
        return forecast

    whole, low_rank = flops("custom"), flops("lora")
    weights, _ = multiplying_parameters(load_base(str(tiny_base)).model)
    assert whole.flops_a_token > 3 * (whole.flops_a_token_forward * 0.95)
    assert (
        whole.flops_a_token_forward > 1.5 * weights
    )  # attention comes on top, prompts have no logits
    assert low_rank.flops_a_token > 1.5 * low_rank.flops_a_token_forward


@pytest.mark.parametrize("bits", [4, 8])
def test_a_quantised_layer_counts_like_a_whole_one(bits):
    import bitsandbytes

    if bits == 4:
        kinds = {"quant_type": "nf4", "compress_statistics": True}
        layer = bitsandbytes.nn.Linear4bit(64, 128, compute_dtype=torch.float32, **kinds)
    else:
        layer = bitsandbytes.nn.Linear8bitLt(64, 128, has_fp16_weights=False, threshold=6.0)
    layer = layer.to("cpu").eval()
    layer.support_avx512bf16_for_cpu = False  # as ``load_base`` sets it
    with flop_counter() as counter, torch.inference_mode():
        layer(torch.ones(10, 64, dtype=torch.float32 if bits == 4 else torch.float16))
    assert counter.get_total_flops() == 2 * 10 * 64 * 128


def test_a_table_that_is_tied_to_the_output_multiplies_once_and_others_never(tiny_base):
    model = load_base(str(tiny_base)).model
    every = sum(p.numel() for p in model.parameters())
    assert multiplying_parameters(model) == (every, every)
    model.requires_grad_(False)
    assert multiplying_parameters(model) == (every, 0)
    table = model.get_input_embeddings().weight
    model.lm_head.weight = torch.nn.Parameter(table.detach().clone(), requires_grad=False)
    assert multiplying_parameters(model) == (every, 0)


def test_the_rule_counts_no_backward_pass_for_frozen_parameters():
    assert petaflop_seconds(10**9, 10**6, 0, evaluated=10**9) == pytest.approx(4.0)
    assert petaflop_seconds(10**9, 10**6, 10**5) == pytest.approx(2.4)


def test_an_epoch_meets_each_example_once_in_batches_of_one_length():
    lengths = np.random.default_rng(0).integers(50, 1000, 203).tolist()
    order = LengthGrouped(lengths, batch=8, seed=1)
    first = list(order)
    assert sorted(first) == list(range(203))
    assert list(order) == first
    order.set_epoch(1)
    assert list(order) != first
    batches = [first[i : i + 8] for i in range(0, 200, 8)]
    padded = sum(8 * max(lengths[i] for i in batch) for batch in batches)
    assert padded < 1.3 * sum(lengths[i] for batch in batches for i in batch)
    longest = [max(lengths[i] for i in batch) for batch in batches]
    assert longest != sorted(longest, reverse=True)


def test_a_batch_of_few_examples_is_not_always_that_of_the_shortest():
    lengths = list(range(100, 117))
    order, alone = LengthGrouped(lengths, batch=4, seed=0), set()
    for epoch in range(12):
        order.set_epoch(epoch)
        met = list(order)
        assert sorted(met) == list(range(17))
        alone.add(met[-1])
    assert max(alone) - min(alone) > 8


def test_what_costs_nothing_is_given_up_first():
    told = [rung.told for rung in rungs(Settings(batch_size=8))]
    assert told == [
        "",
        "the 8 examples of a step are computed 4 at a time",
        "the 8 examples of a step are computed 2 at a time",
        "the 8 examples of a step are computed 1 at a time",
        "activations are computed twice instead of kept",
        "prompts are cut to 469 tokens",
        "prompts are cut to 312 tokens",
        "the base is kept in 4 bits (method qlora-4bit)",
    ]
    last = list(rungs(Settings(batch_size=6, method="custom")))[-1].settings
    assert (last.accumulation, last.gradient_checkpointing, last.context_tokens) == (6, True, 632)
    assert last.method == "custom"


@pytest.mark.parametrize(
    "changes", [{"accumulation": 4}, {"gradient_checkpointing": True}], ids=lambda c: next(iter(c))
)
def test_the_first_steps_down_change_no_loss(tiny_base, tmp_path, changes):
    plain = run(tiny_base, tmp_path / "plain", method="custom", learning_rate=1e-3)
    eased = run(tiny_base, tmp_path / "eased", method="custom", learning_rate=1e-3, **changes)
    for one, other in zip(plain.history, eased.history, strict=True):
        assert other["validation_loss"] == pytest.approx(one["validation_loss"], rel=1e-3)


def memory_for(monkeypatch, examples: int) -> None:
    """Lets a step of more examples run out of memory, as an accelerator would."""
    from personalizer.training import forecast

    real = forecast.summed_loss

    def limited(model, batch, encoder_decoder):
        if len(batch["labels"]) > examples:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(model, batch, encoder_decoder)

    monkeypatch.setattr(forecast, "summed_loss", limited)


def test_memory_that_runs_out_is_answered_and_told(tiny_base, tmp_path, monkeypatch):
    memory_for(monkeypatch, 1)
    notes = []
    root = write_project(tmp_path / "shapes")
    result = project.train_project(root, quick(tiny_base), report=lambda p: notes.append(p.note))
    expected = [
        "the 4 examples of a step are computed 2 at a time",
        "the 4 examples of a step are computed 1 at a time",
    ]
    assert result["eased"] == expected
    assert [n for n in notes if n] == [f"memory ran out: {one}" for one in expected]
    assert result["steps"] == project.plan(root, quick(tiny_base))["steps"]


def test_memory_that_never_suffices_ends_in_one_line(tiny_base, tmp_path, monkeypatch):
    memory_for(monkeypatch, 0)
    root = write_project(tmp_path / "shapes")
    with pytest.raises(OutOfMemory, match=r"needs more memory than there is, even when .* 4 bits"):
        project.plan(root, quick(tiny_base, batch_size=2))


def test_other_errors_are_not_taken_for_want_of_memory(tiny_base, tmp_path):
    root = write_project(tmp_path / "shapes")
    with pytest.raises(SettingsError, match="needs a CUDA device"):
        project.train_project(root, quick(tiny_base, optimizer="paged-adamw-8bit"))


@pytest.mark.parametrize("variant", ["adafactor", "lora+"])
def test_other_optimizers_train_too(tiny_base, tmp_path, variant):
    how = {"optimizer": variant} if variant == "adafactor" else {}
    options = strategies.Options(rank=4, variant="lora+" if variant == "lora+" else "lora")
    done = run(tiny_base, tmp_path, options=options, **how)
    assert done.history[-1]["validation_loss"] < done.history[0]["validation_loss"]


def test_change_is_measured_on_the_weights_as_they_act(tiny_base, tmp_path):
    base = load_base(str(tiny_base))
    untouched = strategies.strategy_named("lora").apply(base, strategies.Options(rank=4))
    assert set(block_changes(untouched, base).values()) == {0.0}
    done = run(tiny_base, tmp_path)
    data = encoded(base)
    as_trained = target_losses(done.model, base, data.gate)
    moved = block_changes(done.model, base)
    np.testing.assert_array_equal(target_losses(done.model, base, data.gate), as_trained)
    assert list(moved) == ["embeddings", "block 0", "block 1", "output"]
    assert moved["block 0"] > 0 and moved["block 1"] > 0
    assert moved["embeddings"] == moved["output"] == 0
    merged = dict(done.model.merge_and_unload().named_parameters())
    before = dict(load_base(str(tiny_base)).model.named_parameters())
    names = [name for name in before if "layers.1." in name]
    total = sum((merged[n] - before[n]).abs().sum().item() for n in names)
    size = sum(before[n].numel() for n in names)
    assert moved["block 1"] == pytest.approx(total / size, rel=1e-3)


@pytest.mark.slow
def test_every_method_is_forecast_beside_the_others(tiny_base, tmp_path, monkeypatch):
    root = write_project(tmp_path / "shapes")
    chosen = {name: strategies.STRATEGIES[name] for name in ("custom",)}
    monkeypatch.setattr(comparison, "STRATEGIES", chosen | {"mystery": None})
    found = comparison.forecasts(root, {"base": str(tiny_base), "limit": None})["methods"]
    assert found["custom"]["peak_memory_bytes"] > 0
    assert found["custom"]["trainable_parameters"] > 0
    assert "as method, got mystery" in found["mystery"]["error"]


def resident() -> int:
    return psutil.Process().memory_info().rss


@pytest.mark.parametrize("give", [give_memory_back, lambda: keep_memory_below(1.0)])
def test_memory_that_nothing_uses_goes_back_to_the_system(give):
    blocks = [torch.ones(1000, 100) for _ in range(1000)]
    kept = blocks[::500]  # among freed ones, so that glibc alone gives nothing back
    full = resident()
    del blocks
    keep_memory_below(full + 1e9)
    held = resident()  # glibc gives back what lies behind the last one kept
    give()
    assert kept
    if sys.platform == "linux":
        assert resident() < min(held - 100_000_000, full - 300_000_000)


def test_long_targets_are_rehearsed_where_the_longest_examples_have_none(tiny_base):
    rows = sorted(encoded(load_base(str(tiny_base))).train, key=length, reverse=True)
    for size in (1, 2, len(rows)):
        batches = _largest(rows, size)
        assert batches[0] == rows[:size]
        widest = max(len(row.target) for batch in batches for row in batch)
        assert widest == max(len(row.target) for row in rows)
