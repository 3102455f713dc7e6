"""Training and models on a GPU, as far as a processor can act one out: errors, devices, kinds."""

from __future__ import annotations

import gc
import math
import weakref
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
import transformers

from personalizer import models
from personalizer.adapters import Registry, Trained
from personalizer.commands import doctor
from personalizer.errors import BaseModelError, BaseTooLarge, OutOfMemory
from personalizer.models import fingerprint, load_base
from personalizer.processes import environment
from personalizer.settings import Settings
from personalizer.training import auto, batches, changes, forecast, merge, preparation, trainer
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.ladder import down_the_ladder
from personalizer.training.merge import export_merged
from personalizer.training.strategies import STRATEGIES, Options, attach, save, strategy_named
from tests.java_project import project_files, snapshot_of
from tests.test_adapters import manifest
from tests.tiny_model import FAMILIES, make_tiny_base
from tests.training_runs import encoded, hyper, run

FULL = torch.OutOfMemoryError(
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1 GiB free"
)
OPTIONS = Options(rank=4, virtual_tokens=6, frequent_words=("cart", "total"))
WHOLE = [name for name, one in STRATEGIES.items() if one.quantization is None]


# ---------------------------------------------------------------- what wants memory


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"
        ),
        MemoryError(),
        BaseTooLarge("too large"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_want_of_memory_is_known_by_whoever_tells_of_it(error):
    assert models.ran_out_of_memory(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("size mismatch"), ValueError("out of memory"), KeyError("x")], ids=repr
)
def test_nothing_else_is_taken_for_want_of_memory(error):
    assert not models.ran_out_of_memory(error)


def test_processes_of_ours_keep_a_gpus_memory_in_segments_that_grow(monkeypatch):
    monkeypatch.delenv("PYTORCH_ALLOC_CONF", raising=False)
    monkeypatch.delenv("PYTORCH_CUDA_ALLOC_CONF", raising=False)
    assert environment()["PYTORCH_ALLOC_CONF"] == "expandable_segments:True"
    monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", "max_split_size_mb:64")
    assert "PYTORCH_ALLOC_CONF" not in environment()
    monkeypatch.setenv("PYTORCH_ALLOC_CONF", "backend:native")
    assert environment()["PYTORCH_ALLOC_CONF"] == "backend:native"


# ---------------------------------------------------------------- a base comes into memory


def loading(monkeypatch, answer) -> list[dict]:
    """Lets every model come from ``answer``; what was asked for is kept."""
    asked: list[dict] = []

    def from_pretrained(folder, **choices):
        asked.append(choices)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", from_pretrained)
    return asked


@pytest.mark.parametrize("quantization", [None, "8bit", "4bit"])
def test_a_base_that_does_not_fit_is_told_from_one_that_cannot_be_read(
    tiny_base, monkeypatch, quantization
):
    monkeypatch.setattr(models, "half_of", lambda device: torch.bfloat16, raising=False)
    loading(monkeypatch, FULL)
    with pytest.raises(BaseTooLarge, match="free memory of cuda:0"):
        load_base(str(tiny_base), device="cuda:0", quantization=quantization)
    loading(monkeypatch, RuntimeError("size mismatch"))
    with pytest.raises(BaseModelError) as caught:
        load_base(str(tiny_base), device="cuda:0", quantization=quantization)
    assert not isinstance(caught.value, BaseTooLarge)


@pytest.mark.parametrize(
    ("error", "kind"), [(FULL, BaseTooLarge), (TypeError("no such layer"), BaseModelError)]
)
def test_memory_that_runs_out_as_weights_are_quantised_is_known_too(
    tiny_base, monkeypatch, error, kind
):
    """transformers catches that error, and raises another that does not say why."""

    def convert(*_, **__):
        raise error

    monkeypatch.setattr("transformers.integrations.bitsandbytes.Bnb8bitQuantize.convert", convert)
    with pytest.raises(BaseModelError) as caught:
        load_base(str(tiny_base), quantization="8bit")
    assert type(caught.value) is kind


def test_a_base_goes_to_the_gpu_as_it_is_read_and_to_a_processor_as_ever(tiny_base, monkeypatch):
    monkeypatch.setattr(models, "half_of", lambda device: torch.bfloat16, raising=False)
    made = load_base(str(tiny_base)).model
    asked = loading(monkeypatch, made)
    monkeypatch.setattr(made, "to", lambda *_: pytest.fail("moved after it was built in RAM"))
    load_base(str(tiny_base), device="cuda:0")
    load_base(str(tiny_base), device="cpu")
    assert [one.get("device_map") for one in asked] == [{"": "cuda:0"}, None]
    assert [one["dtype"] for one in asked] == [torch.bfloat16, torch.float32]


@pytest.mark.parametrize(("major", "kind"), [(7, torch.float16), (8, torch.bfloat16)])
def test_a_gpu_that_only_emulates_bfloat16_computes_in_float16(
    tiny_base, tmp_path, monkeypatch, major, kind
):
    def emulated(including_emulation=True):
        return major >= 8 or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", emulated)
    monkeypatch.setattr("transformers.training_args.is_torch_bf16_gpu_available", lambda: True)
    asked = loading(monkeypatch, load_base(str(tiny_base)).model)
    load_base(str(tiny_base), device="cuda:0")
    load_base(str(tiny_base), device="cuda:0", quantization="4bit")
    assert [one["dtype"] for one in asked] == [kind, kind]
    assert asked[1]["quantization_config"].bnb_4bit_compute_dtype == kind
    told = trainer._arguments(hyper(), 12, 3, "cuda", tmp_path)
    assert (told.fp16, told.bf16) == (kind == torch.float16, kind == torch.bfloat16)
    assert trainer._autocast("cuda") == kind


def test_an_apple_gpu_keeps_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    assert models.half_of("mps") == torch.bfloat16


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_are_counted_without_weights(tmp_path, family):
    folder = make_tiny_base(tmp_path / family, family=family)
    expected = load_base(str(folder)).model.num_parameters()
    (folder / "model.safetensors").unlink()
    assert models.parameters_of(str(folder)) == expected


# ---------------------------------------------------------------- which GPU


def test_each_process_of_a_launch_has_a_gpu_of_its_own(monkeypatch):
    chosen: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert models.best_device() == "cuda:0" and chosen == []
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert models.best_device() == "cuda:1" and chosen == [1]


def test_the_doctor_knows_a_gpu_by_its_kind(monkeypatch):
    monkeypatch.setattr(models, "best_device", lambda: "cuda:0")
    first = next(doctor._models(Settings()))
    assert (first.name, first.found) == ("GPU", "an NVIDIA GPU")


def test_gpus_that_no_process_was_started_for_change_no_batch(tiny_base, tmp_path, monkeypatch):
    alone = run(tiny_base, tmp_path / "one")

    def of_two(**told):
        args = transformers.TrainingArguments(**told)
        assert args.n_gpu < 2
        args._n_gpu = 2
        return args

    monkeypatch.setattr(trainer, "TrainingArguments", of_two)
    beside = run(tiny_base, tmp_path / "two")
    assert beside.steps == alone.steps == 12
    assert beside.history == alone.history


def test_a_rehearsal_asks_no_gpu_that_it_does_not_use(tiny_base, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: pytest.fail(f"asked {device}"))
    base = load_base(str(tiny_base))
    model = strategy_named("lora").apply(base, OPTIONS)
    assert forecast.rehearse(model, base, encoded(base), hyper(), autocast=None).steps == 12


# ---------------------------------------------------------------- down the ladder


def walked(method: str, fits, **changes):
    """What was tried from a method on, until ``fits`` says of settings that they fit."""
    tried: list[tuple[Settings, int]] = []
    notes: list[str] = []

    def attempt(settings, number):
        tried.append((settings, number))
        error = fits(settings)
        if error:
            raise error
        return settings

    asked = Settings(method=method, batch_size=4, **changes)
    try:
        found = down_the_ladder(asked, attempt, lambda p: notes.append(p.note or ""))
    except OutOfMemory as error:
        return tried, notes, error
    return tried, notes, found[1]


@pytest.mark.parametrize("method", ["lora", "qlora-8bit"])
def test_a_base_that_does_not_fit_is_kept_in_4_bits_and_nothing_else_is_given_up(method):
    large = BaseTooLarge("it does not fit")
    tried, notes, eased = walked(method, lambda s: large if s.method == method else None)
    assert [one.method for one, _ in tried] == [method, "qlora-4bit"]
    told = "the base is kept in 4 bits (method qlora-4bit)"
    assert eased == [told] and notes == ["", f"memory ran out: {told}"]
    first, last = (one for one, _ in tried)
    assert (last.accumulation, last.context_tokens) == (first.accumulation, first.context_tokens)
    assert not last.gradient_checkpointing


def test_a_4_bit_base_has_a_ladder_of_its_own_and_checkpoints_of_its_own():
    def fits(settings):
        if settings.method == "lora":
            return BaseTooLarge("it does not fit")
        return None if settings.gradient_checkpointing else FULL

    tried, _, eased = walked("lora", fits)
    assert [(one.method, one.accumulation) for one, _ in tried] == [
        ("lora", 1),
        ("qlora-4bit", 1),
        ("qlora-4bit", 2),
        ("qlora-4bit", 4),
        ("qlora-4bit", 4),
    ]
    assert len(eased) == 4
    plain, _, _ = walked("lora", lambda _: FULL)
    numbers = [number for _, number in tried[1:]]
    assert not {number for _, number in plain} & set(numbers)
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(("method", "tries"), [("custom", 1), ("qlora-4bit", 1), ("lora", 2)])
def test_a_base_that_never_fits_is_not_loaded_again_and_again(method, tries):
    tried, _, error = walked(method, lambda _: BaseTooLarge("it does not fit"))
    assert len(tried) == tries
    assert f"{method} on starter needs more memory than there is" in str(error)
    assert ": ;" not in str(error) and "when :" not in str(error)


# ---------------------------------------------------------------- auto


def gpu_of(monkeypatch, free: list[float]) -> None:
    """A GPU whose free bytes are the last of a list."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (int(free[-1]), 24 * 10**9))


def test_auto_chooses_for_a_base_too_large_to_rehearse(monkeypatch):
    gpu_of(monkeypatch, [9.5e9])

    def prepare(*_, **__):
        raise BaseTooLarge("it does not fit")

    monkeypatch.setattr(auto, "prepare", prepare)
    monkeypatch.setattr(auto, "parameters_of", lambda name: 6_738_000_000, raising=False)
    snapshot = snapshot_of(project_files(classes=6))
    settings, why = auto.decided(snapshot, list(snapshot.pairs), Settings(method="auto"))
    assert settings.method == "qlora-4bit"
    assert "needs 8.9 GB" in why


def test_auto_takes_other_errors_for_what_they_are(monkeypatch):
    gpu_of(monkeypatch, [9.5e9])

    def prepare(*_, **__):
        raise BaseModelError("it cannot be read")

    monkeypatch.setattr(auto, "prepare", prepare)
    snapshot = snapshot_of(project_files(classes=6))
    with pytest.raises(BaseModelError, match="cannot be read"):
        auto.decided(snapshot, list(snapshot.pairs), Settings(method="auto"))


def test_auto_reckons_with_what_was_free_before_its_rehearsal_and_holds_nothing(monkeypatch):
    free = [23.5e9]
    gpu_of(monkeypatch, free)
    held = []

    class Base:
        model = SimpleNamespace(num_parameters=lambda: 6_738_000_000)

    def prepare(*_, **__):
        free.append(5e9)
        base = Base()
        base.itself = base  # a cycle, as hooks make them
        held.append(weakref.ref(base))
        dataset = SimpleNamespace(train=[0] * 100)
        hyper = Hyperparameters(learning_rate=1e-3)
        return preparation.Prepared(base, strategy_named("lora"), dataset, hyper)

    monkeypatch.setattr(auto, "prepare", prepare)
    rehearsed = (None, SimpleNamespace(seconds_a_step=1.0))
    monkeypatch.setattr(auto, "rehearsed", lambda *_: rehearsed)
    gc.disable()
    try:
        chosen, _ = auto.decided(snapshot_of({}), [], Settings(method="auto"))
    finally:
        gc.enable()
    assert chosen.method == "lora"
    assert held[0]() is None


# ---------------------------------------------------------------- judging


def memory_for(monkeypatch, rows: int) -> list[int]:
    """Lets judging more rows at once run out of memory; what was tried is kept."""
    real = batches.target_logits
    tried: list[int] = []

    def limited(model, batch, encoder_decoder):
        tried.append(len(batch["labels"]))
        if tried[-1] > rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(model, batch, encoder_decoder)

    monkeypatch.setattr(batches, "target_logits", limited)
    return tried


def test_judging_takes_fewer_at_once_where_memory_runs_out(tiny_base, monkeypatch):
    base = load_base(str(tiny_base))
    examples = encoded(base).train
    ample = batches.target_losses(base.model, base, examples)
    tried = memory_for(monkeypatch, 3)
    np.testing.assert_allclose(batches.target_losses(base.model, base, examples), ample, rtol=1e-5)
    assert tried[:3] == [8, 4, 2] and max(tried[3:]) == 2
    memory_for(monkeypatch, 0)
    with pytest.raises(torch.OutOfMemoryError):
        batches.target_losses(base.model, base, examples)


def test_judging_holds_the_float32_logits_of_one_row(tiny_base, monkeypatch):
    base = load_base(str(tiny_base))
    seen: list[int] = []
    real = torch.nn.functional.cross_entropy

    def watched(logits, *args, **kwargs):
        seen.append(len(logits))
        return real(logits, *args, **kwargs)

    examples = encoded(base).train[:5]
    with torch.inference_mode():
        rows = batches.Examples(examples, False)
        batch = batches.padding_of(base)([rows[i] for i in range(len(rows))])
        logits, labels = batches.target_logits(base.model, batch, False)
        together = real(logits.float().transpose(1, 2), labels, reduction="none").sum(1)
        expected = (together / (labels != -100).sum(1)).double().numpy()
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", watched)
    losses = batches.target_losses(base.model, base, examples)
    np.testing.assert_array_equal(losses, expected)  # bit for bit
    assert seen == [1] * 5


# ---------------------------------------------------------------- kinds of floats


@pytest.mark.parametrize("family", ["llama", "t5"])
@pytest.mark.parametrize("method", WHOLE)
def test_what_trains_is_float32_on_a_base_in_16_bits(tmp_path, family, method):
    folder = make_tiny_base(tmp_path / family, family=family)
    strategy = strategy_named(method)
    told = getattr(strategy, "dtype", None)  # as ``prepare`` loads it
    base = load_base(str(folder), dtype=told or torch.bfloat16)
    model = strategy.apply(base, OPTIONS)
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}


@pytest.mark.parametrize(("method", "kind"), [("custom", torch.float32), ("lora", None)])
def test_a_base_that_trains_itself_is_loaded_in_float32(tiny_base, monkeypatch, method, kind):
    asked = []

    def loads(name, **choices):
        asked.append(choices.get("dtype"))
        return load_base(name)

    monkeypatch.setattr(preparation, "load_base", loads)
    snapshot = snapshot_of(project_files(classes=6))
    settings = Settings(base=str(tiny_base), method=method, context_tokens=1400, target_tokens=220)
    preparation.prepare(snapshot, list(snapshot.pairs), settings, seconds=1.0)
    assert asked == [kind]


@pytest.mark.parametrize("method", ["custom", "lora", "prefix"])
def test_a_base_in_16_bits_trains_under_autocast(tiny_base, tmp_path, monkeypatch, method):
    monkeypatch.setattr(trainer, "_autocast", lambda device: torch.bfloat16)
    strategy = strategy_named(method)
    base = load_base(str(tiny_base), dtype=strategy.dtype or torch.bfloat16)
    data = encoded(base)
    before = batches.target_losses(base.model, base, data.validation).mean()
    done = trainer.fine_tune(base, data, strategy, hyper(), tmp_path, lambda _: None)
    after = batches.target_losses(done.model, base, data.validation).mean()
    assert math.isfinite(after) and after < before


@pytest.mark.parametrize("method", ["lora", "ia3"])
def test_changes_too_small_for_16_bits_are_counted_and_the_base_stays(tiny_base, tmp_path, method):
    def moved_on(kind):
        base = load_base(str(tmp_path), dtype=kind)
        torch.manual_seed(0)
        model = strategy_named(method).apply(base, OPTIONS).eval()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_B" in name or "ia3" in name:
                    weight.add_(1e-4)
        before = {name: one.clone() for name, one in model.named_parameters()}
        found = changes.block_changes(model, base)
        for name, one in model.named_parameters():
            assert one.dtype == before[name].dtype and one.equal(before[name])
        return found

    rounded = load_base(str(tiny_base), dtype=torch.bfloat16)
    rounded.model.save_pretrained(tmp_path)
    rounded.tokenizer.save_pretrained(tmp_path)
    in_16_bits, whole = moved_on(torch.bfloat16), moved_on(torch.float32)
    assert in_16_bits["block 0"] == pytest.approx(whole["block 0"], rel=1e-2)


def test_an_adapter_is_not_lost_for_a_statistic_that_memory_does_not_suffice_for(
    tiny_base, monkeypatch
):
    base = load_base(str(tiny_base))
    model = strategy_named("lora").apply(base, OPTIONS)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    monkeypatch.setattr(changes, "load_base", lambda *_, **__: pytest.fail("loaded again"))
    assert changes.block_changes(model, base) == {}


# ---------------------------------------------------------------- merging


@pytest.mark.parametrize(("device", "kind"), [("cuda:0", torch.bfloat16), ("cpu", torch.float32)])
def test_a_base_that_fits_on_no_gpu_is_merged_on_the_processor(
    tiny_base, tmp_path, monkeypatch, device, kind
):
    base = load_base(str(tiny_base))
    registry = Registry(tmp_path / "adapters")
    staging = registry.staging()
    save(strategy_named("lora").apply(base, OPTIONS), staging)
    of_base = {"base": str(tiny_base), "base_fingerprint": fingerprint(tiny_base)}
    adapter = registry.add(staging, manifest("lora-1", **of_base), Trained({}, []))
    monkeypatch.setattr(models, "best_device", lambda: device)
    monkeypatch.setattr(merge, "best_device", lambda: device, raising=False)
    monkeypatch.setattr(merge, "half_of", lambda _: torch.bfloat16, raising=False)
    monkeypatch.setattr("peft.peft_model.infer_device", lambda: "cuda")
    export_merged(adapter, tmp_path / "out")
    merged = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto")
    assert merged.dtype == kind


def test_an_adapter_is_read_to_where_its_base_lies(tiny_base, tmp_path, monkeypatch):
    base = load_base(str(tiny_base))
    save(strategy_named("lora").apply(base, OPTIONS), tmp_path / "adapter")
    monkeypatch.setattr("peft.peft_model.infer_device", lambda: "cuda")
    fresh = load_base(str(tiny_base))
    assert next(attach(fresh, tmp_path / "adapter").parameters()).device.type == "cpu"
