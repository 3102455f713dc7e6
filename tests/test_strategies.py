"""Strategies: what trains, that it comes back from disk and is served, and the choice."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from personalizer.engine import Request
from personalizer.errors import AdapterError, SettingsError
from personalizer.models import LoadedBase, load_base
from personalizer.training import presets
from personalizer.training.strategies import (
    STRATEGIES,
    Options,
    Situation,
    attach,
    choose,
    frequent_words,
    parameter_groups,
    save,
    strategy_named,
)
from personalizer.training.strategies.words import spelled
from tests.tiny_model import FAMILIES, make_tiny_base

QUANTISED = ("qlora-8bit", "qlora-4bit")
CASES = [
    (family, method)
    for family in FAMILIES
    for method in STRATEGIES
    if method not in QUANTISED or family in ("llama", "t5")
]
WORDS = ("cart", "total", "price")
OPTIONS = Options(rank=4, virtual_tokens=6, frequent_words=WORDS)
LAST_BLOCK = {
    "llama": "model.layers.1.",
    "qwen2": "model.layers.1.",
    "gpt2": "transformer.h.1.",
    "codegen": "transformer.h.1.",
    "bart": "model.decoder.layers.1.",
    "t5": "decoder.block.1.",
}
EMBEDDINGS = {
    "llama": {"model.embed_tokens.weight"},
    "qwen2": {"model.embed_tokens.weight"},
    "gpt2": {"transformer.wte.weight"},
    "codegen": {"transformer.wte.weight", "lm_head.bias"},
    "bart": {"model.shared.weight"},
    "t5": {"shared.weight"},
}
"""The tiny models tie their output layer; only CodeGen's has a bias."""


def other_base(base: LoadedBase, family: str, **sizes: Any) -> LoadedBase:
    """The same with a tiny model of a family that nothing here knows."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(family, vocab_size=len(base.tokenizer), pad_token_id=0, **sizes)
    return replace(base, model=AutoModelForCausalLM.from_config(config))


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny base by family, made once. NF4 on a CPU needs width 64."""
    folder = tmp_path_factory.mktemp("bases")

    def base(family: str) -> Path:
        place = folder / family
        return place if place.exists() else make_tiny_base(place, family=family, width=64)

    return base


@dataclass(frozen=True)
class Trained:
    """A tiny base after one step of a strategy, and its adapter on disk."""

    trainable: frozenset[str]
    without_gradient: frozenset[str]
    changed: frozenset[str]
    before: torch.Tensor
    after: torch.Tensor
    folder: Path


@pytest.fixture(scope="module")
def trained(
    bases: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Trained]:
    done: dict[tuple[str, str], Trained] = {}

    def train(family: str, method: str) -> Trained:
        if (family, method) not in done:
            folder = tmp_path_factory.mktemp(f"{family}-{method}")
            done[family, method] = one_step(bases(family), method, folder)
        return done[family, method]

    return train


def loaded(folder: Path, method: str) -> LoadedBase:
    return load_base(str(folder), quantization=strategy_named(method).quantization)


def one_step(folder: Path, method: str, adapter: Path, options: Options = OPTIONS) -> Trained:
    torch.manual_seed(0)
    base = loaded(folder, method)
    model = strategy_named(method).apply(base, options).eval()
    named = dict(model.named_parameters())
    trainable = [name for name, one in named.items() if one.requires_grad]
    first = {name: one.detach().clone() for name, one in named.items()}
    before = logits(base, model)
    model.train()
    ids = torch.arange(40, 60)[None]
    optimizer = torch.optim.AdamW(parameter_groups(model, options, 1e-2))
    model(input_ids=ids, labels=ids).loss.backward()
    lazy = [name for name in trainable if named[name].grad is None]
    optimizer.step()
    model.eval()
    changed = [name for name, one in named.items() if not torch.equal(one.detach(), first[name])]
    after = logits(base, model)
    save(model, adapter)
    return Trained(
        frozenset(trainable), frozenset(lazy), frozenset(changed), before, after, adapter
    )


def logits(base: LoadedBase, model: Any, ids: Any = range(50, 70)) -> torch.Tensor:
    """Logits of the last nine of some tokens, as ``(9, V)``."""
    tokens = torch.tensor([list(ids)])
    asked = {"decoder_input_ids": tokens[:, -9:]} if base.encoder_decoder else {}
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=tokens, **asked).logits
    return found[0, -9:]


# ---------------------------------------------------------------- every strategy on every family


@pytest.mark.parametrize(("family", "method"), CASES)
def test_only_what_should_train_requires_gradients_and_gets_them(trained, bases, family, method):
    one = trained(family, method)
    everything = {name for name, _ in loaded(bases(family), "custom").model.named_parameters()}
    expected: dict[str, Callable[[str], bool]] = {
        "custom": lambda name: name in everything,
        "l-eo": lambda name: name in EMBEDDINGS[family],
        "l-ldb": lambda name: name.startswith(LAST_BLOCK[family]),
        "prefix": lambda name: name in ("prefix.weight", "prompt_encoder.default.embedding.weight"),
        "prompt": lambda name: name == "prompt_encoder.default.embedding.weight",
        "ia3": lambda name: "ia3_l" in name,
    }
    fits = expected.get(method, lambda name: "lora_" in name)
    assert one.trainable and all(map(fits, one.trainable))
    assert not one.without_gradient
    if method in ("custom", "l-eo", "l-ldb"):
        assert one.trainable == set(filter(fits, everything))


@pytest.mark.parametrize(("family", "method"), CASES)
def test_a_step_changes_the_answers_and_nothing_that_is_frozen(trained, family, method):
    one = trained(family, method)
    assert one.changed and one.changed <= one.trainable
    assert not torch.allclose(one.before, one.after, atol=1e-4)


@pytest.mark.parametrize(("family", "method"), CASES)
def test_what_was_saved_comes_back_with_equal_logits(trained, bases, family, method):
    one = trained(family, method)
    base = loaded(bases(family), method)
    model = attach(base, one.folder)
    torch.testing.assert_close(logits(base, model), one.after, rtol=1e-5, atol=1e-5)
    assert {file.suffix for file in one.folder.iterdir()} <= {".safetensors", ".json"}


@pytest.mark.parametrize("method", [name for name in STRATEGIES if name not in QUANTISED])
@pytest.mark.parametrize("family", ["llama", "t5"])
def test_an_adapter_of_another_base_is_refused(trained, tmp_path, family, method):
    other = load_base(str(make_tiny_base(tmp_path / "other", family=family, width=32)))
    with pytest.raises(AdapterError, match="does not fit"):
        attach(other, trained(family, method).folder)


# ---------------------------------------------------------------- served


@pytest.fixture(scope="module")
def engine():
    from personalizer.engine.local import LocalEngine

    one = LocalEngine(threads=1)
    yield one
    one.close()


def check_served(engine: Any, folder: Path, adapter: Path, method: str) -> None:
    """The engine writes what the attached model writes token by token, without a cache."""
    base = loaded(folder, method)
    model = attach(base, adapter)
    ids = base.tokenizer.encode("int total()")
    start = base.model.generation_config.decoder_start_token_id
    chosen: list[int] = []
    with torch.inference_mode():
        while len(chosen) < 12 and base.tokenizer.eos_token_id not in chosen:
            if base.encoder_decoder:
                asked = {"decoder_input_ids": torch.tensor([[start, *chosen]])}
                found = model(input_ids=torch.tensor([ids]), **asked).logits
            else:
                found = model(input_ids=torch.tensor([ids + chosen])).logits
            chosen.append(int(found[0, -1].argmax()))
    expected = base.tokenizer.decode(chosen, skip_special_tokens=True)
    request = Request("int total()", str(folder), str(adapter), max_tokens=12)
    plain = engine.generate(replace(request, adapter=None))
    answer = engine.generate(request)
    assert answer[0].text == expected
    assert engine.generate(replace(request, adapter=None)) == plain
    assert engine.generate(request) == answer
    beams = engine.generate(replace(request, count=3))
    assert len(beams) == 3 and beams[0].tokens > 0


@pytest.mark.parametrize("method", [name for name in STRATEGIES if name not in QUANTISED])
@pytest.mark.parametrize("family", ["codegen", "bart", "t5"])
def test_the_engine_serves_every_kind_as_it_was_trained(trained, bases, engine, family, method):
    check_served(engine, bases(family), trained(family, method).folder, method)


@pytest.mark.parametrize("method", QUANTISED)
def test_an_adapter_of_a_quantised_base_serves_on_one(trained, bases, engine, tmp_path, method):
    from personalizer.models import fingerprint

    adapter = tmp_path / "adapter"
    shutil.copytree(trained("llama", method).folder, adapter)
    told = {"base_fingerprint": fingerprint(bases("llama")), "method": method}
    (adapter / "manifest.json").write_text(str(told).replace("'", '"'))
    check_served(engine, bases("llama"), adapter, method)


# ---------------------------------------------------------------- virtual tokens


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2", "codegen"])
def test_a_prefix_begins_as_its_words_in_the_context(bases, family):
    base = load_base(str(bases(family)))
    words = spelled(WORDS, base.tokenizer, 6)
    expected = logits(base, base.model, [*words, *range(50, 70)])
    model = strategy_named("prefix").apply(base, OPTIONS)
    torch.testing.assert_close(logits(base, model), expected, rtol=1e-4, atol=1e-4)


def test_a_prefix_of_an_encoder_decoder_begins_as_its_words_before_the_text(bases):
    base = load_base(str(bases("t5")))
    words = torch.tensor([spelled(WORDS, base.tokenizer, 6)])
    text = torch.arange(50, 70)[None]
    decoder = base.model.get_decoder()
    with torch.inference_mode():
        read = base.model.get_encoder()(input_ids=words).last_hidden_state
        whole = torch.cat((words, text), 1)
        expected = decoder(input_ids=whole, encoder_hidden_states=read).last_hidden_state[:, 6:]
        strategy_named("prefix").apply(base, OPTIONS)
        found = decoder(input_ids=text, encoder_hidden_states=read).last_hidden_state
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", ["bart", "t5"])
def test_a_prefix_reaches_every_block_of_encoder_and_decoder(bases, family):
    base = load_base(str(bases(family)))
    model = strategy_named("prefix").apply(base, OPTIONS)
    plain = logits(base, model)
    assert model.prefix.weight.shape[0] == 4
    for block in range(4):
        with torch.no_grad():
            model.prefix.weight[block] += 1.0
        moved = logits(base, model)
        with torch.no_grad():
            model.prefix.weight[block] -= 1.0
        assert not torch.allclose(moved, plain, atol=1e-3)


@pytest.mark.parametrize("method", ["prefix", "prompt", "lora"])
@pytest.mark.parametrize("family", ["llama", "gpt2", "codegen", "bart", "t5"])
def test_a_padded_row_answers_as_it_does_alone(trained, bases, family, method):
    base = load_base(str(bases(family)))
    model = attach(base, trained(family, method).folder)
    short, long = list(range(50, 62)), list(range(60, 80))
    gap = [base.tokenizer.pad_token_id] * 8
    mask = torch.tensor([[0] * 8 + [1] * 12, [1] * 20])
    rows, more = [gap + short, long], {"position_ids": (mask.cumsum(1) - 1).clamp(min=0)}
    if base.encoder_decoder:
        mask, rows = mask.flip(1), [short + gap, long]
        mask[1] = 1
        more = {"decoder_input_ids": torch.arange(70, 79).repeat(2, 1)}
    with torch.inference_mode():
        batch = model(
            input_ids=torch.tensor(rows), attention_mask=mask, use_cache=False, **more
        ).logits[0, -9:]
        more = {"decoder_input_ids": torch.arange(70, 79)[None]} if base.encoder_decoder else {}
        alone = model(input_ids=torch.tensor([short]), **more).logits[0, -9:]
    torch.testing.assert_close(batch, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", ["llama", "gpt2", "codegen", "bart", "t5"])
def test_a_prefix_has_the_same_gradient_under_gradient_checkpointing(bases, family):
    ids = torch.arange(40, 60)[None]

    def gradient(checkpointed: bool) -> torch.Tensor:
        base = load_base(str(bases(family)))
        for module in base.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        model = strategy_named("prefix").apply(base, OPTIONS).train()
        if checkpointed:
            renamed = getattr(base.model, "activation_checkpointing_enable", None)  # in 5.23
            (renamed or base.model.gradient_checkpointing_enable)({"use_reentrant": False})
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        [one] = [weight for weight in model.parameters() if weight.requires_grad]
        return one.grad

    torch.testing.assert_close(gradient(True), gradient(False), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "bart"])
def test_a_prefix_may_start_from_one_of_other_repositories(trained, bases, family):
    strategy, other = strategy_named("prefix"), trained(family, "prefix")
    base = load_base(str(bases(family)))
    model = strategy.apply(base, replace(OPTIONS, start_from=other.folder))
    torch.testing.assert_close(logits(base, model), other.after)
    base = load_base(str(bases(family)))
    with pytest.raises(AdapterError, match="number of virtual tokens"):
        strategy.apply(base, replace(OPTIONS, start_from=other.folder, virtual_tokens=9))
    base = load_base(str(bases(family)))
    with pytest.raises(AdapterError, match="expected a prefix in"):
        strategy.apply(base, replace(OPTIONS, start_from=trained(family, "l-eo").folder / "no"))


def test_virtual_tokens_take_positions_where_they_lie_in_the_context(bases):
    def taken(family: str, method: str, options: Options) -> int:
        return strategy_named(method).virtual_tokens(options, load_base(str(bases(family))))

    assert taken("llama", "prefix", Options()) == 200
    assert taken("llama", "prefix", OPTIONS) == 6
    assert taken("bart", "prefix", Options()) == 0
    assert taken("bart", "prompt", Options()) == 20
    assert taken("llama", "lora", Options()) == 0


def test_the_most_frequent_words_come_first_and_keywords_never():
    source = "public class Cart { int total; int add(int total) { return total + size; } }"
    assert frequent_words([source, "Cart size"]) == ("total", "Cart", "size", "add")
    assert frequent_words([source], 1) == ("total",)
    assert frequent_words([]) == ()


def test_few_words_are_spelled_again_until_the_prefix_is_full(bases):
    tokenizer = load_base(str(bases("llama"))).tokenizer
    ids = spelled(("ab", "c"), tokenizer, 10)
    assert tokenizer.decode(ids) == "ab cab cab"
    assert len(spelled((), tokenizer, 200)) == 200


# ---------------------------------------------------------------- LoRA's variants, quantisation


@pytest.mark.parametrize("variant", ["rslora", "dora", "pissa", "lora+"])
def test_a_variant_of_lora_begins_as_the_base_and_comes_back(bases, tmp_path, variant):
    base = load_base(str(bases("llama")))
    plain = logits(base, base.model)
    one = one_step(bases("llama"), "lora", tmp_path, replace(OPTIONS, variant=variant))
    torch.testing.assert_close(one.before, plain, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(one.after, plain, atol=1e-3)
    model = attach(base, tmp_path)
    torch.testing.assert_close(logits(base, model), one.after, rtol=1e-3, atol=1e-3)


def test_lora_plus_steps_the_second_matrices_faster(bases):
    options = replace(OPTIONS, variant="lora+")
    model = strategy_named("lora").apply(load_base(str(bases("llama"))), options)
    slow, fast = parameter_groups(model, options, 1e-3)
    assert fast["lr"] == pytest.approx(16 * slow["lr"])
    trainable = [one for one in model.parameters() if one.requires_grad]
    assert len(slow["params"]) + len(fast["params"]) == len(trainable)
    assert all(one.abs().sum() == 0 for one in fast["params"])  # B matrices begin with zeros


@pytest.mark.parametrize("family", FAMILIES)
def test_qkv_targets_lie_in_attention_alone(bases, family):
    options = replace(OPTIONS, targets="qkv")
    model = strategy_named("lora").apply(load_base(str(bases(family))), options)
    ends = {
        name.split(".lora_")[0].rpartition(".")[2]
        for name, _ in model.named_parameters()
        if "lora_" in name
    }
    expected = {"gpt2": {"c_attn"}, "codegen": {"qkv_proj"}, "t5": {"q", "k", "v"}}
    assert ends == expected.get(family, {"q_proj", "k_proj", "v_proj"})


@pytest.mark.filterwarnings("ignore:The following .*_pattern keys")  # of PEFT itself
def test_experts_have_low_rank_matrices_too(bases):
    sizes = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_local_experts": 4,
    }
    base = other_base(load_base(str(bases("llama"))), "mixtral", **sizes)
    model = strategy_named("lora").apply(base, OPTIONS)
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert any("experts" in name for name in trained)


@pytest.mark.parametrize(
    ("family", "method", "sizes"),
    [
        ("falcon", "prefix", {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}),
        ("mpt", "prompt", {"d_model": 32, "n_layers": 2, "n_heads": 4}),
    ],
)
def test_a_base_that_peft_cannot_adapt_is_refused_with_a_way_out(bases, family, method, sizes):
    base = other_base(load_base(str(bases("llama"))), family, **sizes)
    with pytest.raises(SettingsError, match=rf"family {family}, takes no .*another method"):
        strategy_named(method).apply(base, OPTIONS)


def test_vectors_of_ia3_are_not_drawn_to_nothing(bases, tmp_path):
    """They scale by 1 where nothing is learnt."""
    from tests.training_runs import run

    options = Options()
    how = {"method": "ia3", "learning_rate": 1e-9, "options": options, "max_steps": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("personalizer.training.trainer._WEIGHT_DECAY", 1e8)
        done = run(bases("llama"), tmp_path, **how)
    vectors = [one for name, one in done.model.named_parameters() if "ia3_" in name]
    assert vectors
    assert all(one.sub(1).abs().max() < 1e-3 for one in vectors)


def test_a_family_whose_layers_are_unknown_is_refused_with_a_way_out(bases):
    base = load_base(str(bases("llama")))
    base.model.config.model_type = "unheard-of"
    with pytest.raises(SettingsError, match="unheard-of: use lora with all-linear"):
        strategy_named("ia3").apply(base, OPTIONS)


def test_a_quantised_base_is_smaller(bases):
    sizes = [
        loaded(bases("llama"), method).model.get_memory_footprint()
        for method in ("lora", "qlora-8bit", "qlora-4bit")
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.5 * sizes[0]


def test_a_4_bit_base_trains_after_it_was_evaluated(trained):
    """bitsandbytes would pack it for evaluation, and pass no gradient on from then."""
    one = trained("llama", "qlora-4bit")  # its first logits come before its step
    assert not one.without_gradient
    assert one.changed == one.trainable


# ---------------------------------------------------------------- the choice, the presets


AMPLE = Situation(
    pairs=800,
    parameters=7_000_000,
    memory_bytes=16 * 10**9,
    accelerator=False,
    epoch_seconds=60.0,
    budget_seconds=600.0,
)


@pytest.mark.parametrize(
    ("changes", "method", "why"),
    [
        ({}, "custom", "7M parameters learns most when all of it trains"),
        ({"pairs": 40}, "lora", "40 training pairs are too few"),
        ({"budget_seconds": 90.0}, "lora", "90 s are too short"),
        ({"parameters": 49_000_000, "memory_bytes": 15 * 10**8}, "lora", "1.5 GB are too little"),
        ({"parameters": 500_000_000}, "lora", "500M parameters needs 3.3 GB with lora"),
        (
            {"parameters": 6_738_000_000, "accelerator": True, "memory_bytes": 14 * 10**9},
            "qlora-8bit",
            "6.7B parameters needs 12.4 GB with qlora-8bit",
        ),
        (
            {"parameters": 6_738_000_000, "accelerator": True, "memory_bytes": 9 * 10**9},
            "qlora-4bit",
            "needs 8.9 GB with qlora-4bit",
        ),
        ({"parameters": 33 * 10**9, "memory_bytes": 8 * 10**9}, "qlora-4bit", "needs 24.1 GB even"),
    ],
)
def test_auto_chooses_by_pairs_base_memory_and_time_and_says_why(changes, method, why):
    choice = choose(replace(AMPLE, **changes))
    assert choice.method == method
    assert why in choice.reason and choice.reason.endswith(".")
    assert choice.reason.count("\n") == 0


@pytest.mark.parametrize(
    ("parameters", "method", "published"),
    [
        (6_738_000_000, "lora", 19.1e9),
        (6_738_000_000, "qlora-4bit", 9.2e9),
        (33_744_000_000, "qlora-4bit", 23.6e9),
    ],
)
def test_auto_reckons_with_the_memory_that_w24_measured_within_a_tenth(
    parameters, method, published
):
    large = replace(AMPLE, parameters=parameters, accelerator=True)
    assert choose(replace(large, memory_bytes=round(1.1 * published))).method == method
    less = choose(replace(large, memory_bytes=round(0.9 * published)))
    assert less.method != method or "even with" in less.reason


def test_a_small_base_takes_the_larger_rate(bases):
    base = load_base(str(bases("llama")))
    for strategy in STRATEGIES.values():
        assert strategy.learning_rate(base) == strategy.small_rate > strategy.rate


def test_the_page_on_methods_lists_each_with_its_learning_rates():
    page = (Path(__file__).parent.parent / "docs" / "methods.md").read_text()
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    rates = {row[0].strip("| `"): row[2:4] for row in rows if len(row) == 5}
    for strategy in STRATEGIES.values():
        assert [float(rate) for rate in rates.pop(strategy.name)] == [
            strategy.rate,
            strategy.small_rate,
        ]
    assert not rates


def test_an_unknown_strategy_and_an_unknown_preset_list_those_that_are():
    with pytest.raises(SettingsError, match=r"lora, .*l-ldb, auto as method, got qlora$"):
        strategy_named("qlora")
    with pytest.raises(SettingsError, match="weyssow2024, zlotchevski2022 as preset, got w24"):
        presets.preset_named("w24")


def test_presets_say_what_the_papers_leave_open():
    w24, z22 = presets.preset_named("weyssow2024"), presets.preset_named("zlotchevski2022")
    assert (w24.optimizer, w24.batch_size, w24.epochs, w24.evaluate_every) == (
        "adafactor",
        8,
        5,
        0.2,
    )
    assert w24.rates["prefix"] == 3e-2 and w24.rates["prompt"] == 3e-3
    assert {"rates", "optimizer", "batch_size"} <= set(z22.ours)
    assert not z22.rates
    for preset in (w24, z22):
        assert set(preset.rates) <= set(STRATEGIES)
        assert all(hasattr(preset, name) for name in preset.ours)
