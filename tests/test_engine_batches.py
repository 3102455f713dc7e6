"""Requests that go through the model together write what each would write by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personalizer.engine import Completion, Request
from personalizer.prompts import Kind, Part, Piece, Prompt
from tests.tiny_model import make_full_adapter, make_tiny_adapter, make_tiny_base

PROMPTS = (
    "int total()",
    "x",
    "class Cart { private final List<Item> items; }",
    "assert",
    "a b a b",
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``base`` with an adapter of every kind, each in a folder of its name."""
    folder = tmp_path_factory.mktemp("models")
    base = make_tiny_base(folder / "base")
    for seed in (1, 2, 3):
        make_tiny_adapter(base, folder / f"lora{seed}", seed=seed)
    make_full_adapter(base, folder / "full")
    for name, config in by_peft().items():
        make(base, folder / name, config)
    return folder


def by_peft() -> dict[str, Any]:
    from peft import IA3Config, LoraConfig, PrefixTuningConfig, PromptTuningConfig

    kind = {"task_type": "CAUSAL_LM"}
    return {
        "wide": LoraConfig(r=8, lora_alpha=4, target_modules=["q_proj"], use_rslora=True, **kind),
        "prefix": PrefixTuningConfig(num_virtual_tokens=7, **kind),
        "prompt": PromptTuningConfig(num_virtual_tokens=5, **kind),
        "dora": LoraConfig(r=4, target_modules="all-linear", use_dora=True, **kind),
        "ia3": IA3Config(**kind),
    }


def make(base: Path, folder: Path, config: Any) -> None:
    """An adapter whose weights are random, so that it changes every answer."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
        for name, weight in model.named_parameters():
            if "lora_B" in name or "prompt_encoder" in name or "ia3" in name:
                torch.nn.init.normal_(weight)
        model.save_pretrained(folder)


@pytest.fixture
def engine() -> Iterator[Any]:
    from personalizer.engine.local import LocalEngine

    engine = LocalEngine(threads=1)
    yield engine
    engine.close()


@pytest.fixture
def request_for(files: Path) -> Callable[..., Request]:
    def made(prompt: str = "x", adapter: str | None = None, **choices: Any) -> Request:
        folder = str(files / adapter) if adapter else None
        return Request(prompt, str(files / "base"), folder, **{"max_tokens": 40, **choices})

    return made


def one_by_one(engine: Any, requests: list[Request]) -> list[list[Completion]]:
    return [engine.generate(one) for one in requests]


def together(engine: Any, requests: list[Request]) -> list[list[Completion]]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(engine.generate, requests))


def check_same(first: list[list[Completion]], second: list[list[Completion]]) -> None:
    assert [[one.text for one in row] for row in first] == [
        [one.text for one in row] for row in second
    ]
    for before, after in zip(first, second, strict=True):
        for one, other in zip(before, after, strict=True):
            assert replace(one, score=0.0) == replace(other, score=0.0)
            assert one.score == pytest.approx(other.score, abs=1e-4)


@pytest.fixture
def largest(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each pass through the model, as they come."""
    from personalizer.engine.batch import Batch

    seen: list[int] = []
    step = Batch.step

    def counted(self: Batch) -> None:
        seen.append(len(self.rows))
        step(self)

    monkeypatch.setattr(Batch, "step", counted)
    return seen


def test_lora_prefix_prompt_and_base_in_one_batch_write_what_each_writes_alone(
    engine, request_for, largest
):
    kinds = (None, "lora1", "lora2", "lora3", "wide", "prefix", "prompt")
    requests = [
        request_for(PROMPTS[place % len(PROMPTS)], kind, max_tokens=20 + 7 * place)
        for place, kind in enumerate(kinds)
    ]
    alone = one_by_one(engine, requests)
    assert max(largest) == 1
    assert len({row[0].text[:20] for row in alone}) == len(alone)
    check_same(together(engine, requests), alone)
    assert max(largest) > 3


def test_what_does_not_mix_is_right_beside_others(engine, request_for, largest):
    kinds = ("ia3", "lora1", "dora", "full", None, "ia3", "dora", "prefix", "full", "ia3")
    requests = [request_for(PROMPTS[n % len(PROMPTS)], kind) for n, kind in enumerate(kinds)]
    check_same(together(engine, requests), one_by_one(engine, requests))


@pytest.mark.filterwarnings("ignore:Position ids are not supported")
def test_an_adapter_of_any_kind_answers_as_peft_itself_does(engine, request_for, files: Path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(files / "base")
    for kind in by_peft():
        plain = AutoModelForCausalLM.from_pretrained(files / "base")
        model = PeftModel.from_pretrained(plain, str(files / kind)).eval()
        ids = torch.tensor([tokenizer.encode("int total()")])
        for beams in (1, 3):
            row = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=16,
                do_sample=False,
                num_beams=beams,
                early_stopping=beams > 1,
            )[0]
            text = tokenizer.decode(row[-16:], skip_special_tokens=True)
            made = engine.generate(request_for("int total()", kind, max_tokens=16, count=beams))
            assert made[0].text and text.endswith(made[0].text), (kind, beams)


def test_matrices_are_of_the_base_s_own_float_type(files):
    """PEFT's are float32 on a base of 16 bits, and would be cast at every layer and token."""
    import torch

    from personalizer.engine.resident import Resident
    from personalizer.models import load_base

    base = load_base(str(files / "base"), dtype=torch.bfloat16)
    found = Resident(base).adapter(files / "wide").matrices
    assert found
    assert {one.dtype for pair in found.values() for one in pair} == {torch.bfloat16}
    plain = Resident(load_base(str(files / "base"))).adapter(files / "wide").matrices
    for pair, exact in zip(found.values(), plain.values(), strict=True):
        for one, other in zip(pair, exact, strict=True):
            assert other.dtype == torch.float32
            assert one.equal(other.to(torch.bfloat16))  # scaled before it was rounded


@pytest.mark.parametrize("family", ["bart", "t5"])
@pytest.mark.parametrize("count", [1, 3])
def test_an_encoder_decoder_goes_on_from_what_is_begun(engine, tmp_path, family, count):
    base = make_tiny_base(tmp_path / "base", family=family)
    prompt = Prompt((Part(Kind.FOCAL, (Piece("int total();", float("inf")),)),), Kind.TEST)
    request = Request(prompt, str(base), count=count, max_tokens=24, begun="void a() {")
    for one in engine.generate(request):
        assert one.text.startswith("void a() {")
        assert len(one.text) > len("void a() {")


@pytest.mark.parametrize("family", ["qwen2", "gpt2", "codegen"])
def test_families_that_count_positions_in_other_ways_are_exact_too(engine, tmp_path, family):
    from peft import LoraConfig

    base = make_tiny_base(tmp_path / "base", family=family)
    make(base, tmp_path / "prefix", by_peft()["prefix"])
    lora = LoraConfig(
        r=4, target_modules="all-linear", fan_in_fan_out=family == "gpt2", task_type="CAUSAL_LM"
    )
    make(base, tmp_path / "lora", lora)
    requests = [
        Request(prompt, str(base), folder and str(tmp_path / folder), max_tokens=24)
        for prompt, folder in zip(PROMPTS, (None, "lora", "prefix", None, "lora"), strict=True)
    ]
    check_same(together(engine, requests), one_by_one(engine, requests))


def test_each_request_has_its_own_sampling_stops_and_length(engine, request_for):
    stop = engine.generate(request_for("x", max_tokens=30))[0].text[8:10]
    requests = [
        request_for("x", max_tokens=30, stop=(stop,)),
        request_for("x", "lora1", count=3, temperature=1.0, seed=4),
        request_for("x", temperature=0.7, top_p=0.5, seed=4),
        request_for("x", max_tokens=1),
        request_for("int a() {", "lora2", stop_at_method_end=True, temperature=1.5, seed=9),
    ]
    alone = one_by_one(engine, requests)
    check_same(together(engine, requests), alone)
    assert alone[0][0].finish_reason == "stop"
    assert len({one.text for one in alone[1]}) == 3
    assert alone[3][0].tokens == 1


def test_a_request_that_comes_later_joins_and_a_short_one_leaves_first(
    engine, request_for, largest
):
    expected = engine.generate(request_for("y" * 300, "lora1", max_tokens=8))
    long: list[list[Completion]] = []
    pieces: list[str] = []
    began, ended = threading.Event(), threading.Event()

    def told(text: str) -> None:
        pieces.append(text)
        began.set()

    cancelled = threading.Event()
    request = request_for("x", temperature=1.0, max_tokens=1900)
    thread = threading.Thread(
        target=lambda: (
            long.append(engine.generate(request, on_text=told, cancelled=cancelled)),
            ended.set(),
        )
    )
    thread.start()
    assert began.wait(30)
    largest.clear()
    check_same([engine.generate(request_for("y" * 300, "lora1", max_tokens=8))], [expected])
    assert max(largest) == 2
    assert not ended.is_set()
    cancelled.set()
    thread.join(30)
    assert long[0][0].finish_reason == "cancelled"
    assert "".join(pieces) == long[0][0].text


def test_a_cancelled_request_leaves_the_others_as_they_were(engine, request_for):
    requests = [request_for(prompt, "lora1", max_tokens=120) for prompt in PROMPTS]
    alone = one_by_one(engine, requests)
    cancelled = threading.Event()
    lost: list[list[Completion]] = []
    endless = request_for("x", "lora2", temperature=1.0, max_tokens=1900)
    thread = threading.Thread(
        target=lambda: lost.append(
            engine.generate(endless, on_text=lambda _: cancelled.set(), cancelled=cancelled)
        )
    )
    thread.start()
    check_same(together(engine, requests), alone)
    thread.join(30)
    assert lost[0][0].finish_reason == "cancelled"


def test_a_listener_that_fails_ends_its_own_request_only(engine, request_for):
    request = request_for("int", max_tokens=60)
    expected = engine.generate(request)

    def fail(text: str) -> None:
        raise ZeroDivisionError

    def failing() -> None:
        with pytest.raises(ZeroDivisionError):
            engine.generate(request_for("x", max_tokens=1900), on_text=fail)

    with ThreadPoolExecutor(2) as pool:
        lost = pool.submit(failing)
        check_same([engine.generate(request)], [expected])
        lost.result(30)


def test_a_request_that_cannot_be_answered_harms_nobody_in_its_batch(engine, request_for, files):
    from personalizer.errors import AdapterError, PromptTooLong

    good = [request_for(prompt, "lora1", max_tokens=60) for prompt in PROMPTS]
    alone = one_by_one(engine, good)
    bad = [
        (request_for("x" * 3000), PromptTooLong),
        (request_for("x", "nowhere"), AdapterError),
    ]
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(engine.generate, one) for one in good]
        failing = [(pool.submit(engine.generate, one), error) for one, error in bad]
        check_same([future.result(60) for future in futures], alone)
        for future, error in failing:
            assert isinstance(future.exception(60), error)


def test_more_requests_than_a_batch_holds_wait_their_turn(
    engine, request_for, largest, monkeypatch
):
    from personalizer.engine import local

    monkeypatch.setattr(local, "_ROWS", 4)
    requests = [request_for(prompt, f"lora{n}") for prompt in PROMPTS for n in (1, 2)]
    alone = one_by_one(engine, requests)
    check_same(together(engine, requests), alone)
    assert 1 < max(largest) <= 4


def test_a_lone_greedy_request_takes_several_tokens_a_step_where_it_repeats_itself(
    engine, request_for, largest
):
    answer = engine.generate(request_for("ab" * 40, max_tokens=200))[0]
    assert answer.tokens > len(largest) + 1


def test_lookup_proposes_more_where_it_was_right_and_less_where_it_was_wrong(request_for, files):
    from personalizer.engine.reading import Reading
    from personalizer.engine.resident import Resident
    from personalizer.engine.rows import Row
    from personalizer.models import load_base

    resident = Resident(load_base(str(files / "base")))
    words = "a b c d e f g h i j k l m n o p q r s t "
    row = Row(Reading(resident.base, request_for(2 * words), 0, resident.closing))
    row.written = row.reading.prompt[:4]
    after = row.reading.prompt[4:]
    for right, ahead in ((3, 6), (6, 10), (10, 10), (4, 5), (0, 1), (1, 2)):
        row.learn(len(row.proposed()), right)
        assert row.proposed() == after[:ahead], (right, ahead)


def test_warming_loads_what_the_first_request_needs(engine, request_for, files, monkeypatch):
    from personalizer.engine import local

    engine.warm(str(files / "base"), str(files / "lora1"))
    monkeypatch.setattr(local, "load_base", lambda *_, **__: pytest.fail("loaded again"))
    assert engine.generate(request_for("x", "lora1"))
