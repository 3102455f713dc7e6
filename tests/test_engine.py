"""The engine: the same answers in this process and in a child, adapters, cancellation, deaths."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from indexer import Piece
from personalizer.engine import Completion, Request, serve
from personalizer.engine.child import ChildEngine
from personalizer.engine.wire import Cancel, write
from personalizer.errors import AdapterError, BaseModelError, EngineError, PromptTooLong
from personalizer.models import fingerprint
from personalizer.processes import environment, module_command
from personalizer.prompts import SPECIAL_TOKENS, Kind, Part, Prompt
from personalizer.storage import file_digest
from tests.tiny_model import make_full_adapter, make_tiny_adapter, make_tiny_base

# peft 0.21 reads an attribute that transformers 5.23 has renamed
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

PROMPT = Prompt(
    (
        Part(Kind.TEST_CLASS, (Piece("import org.junit.Test;", 1.0),)),
        Part(Kind.FOCAL, (Piece("int total() { return 1; }", float("inf")),)),
    ),
    Kind.TEST,
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``base`` with LoRA adapters ``lora1`` and ``lora2`` and the full adapter ``full``."""
    folder = tmp_path_factory.mktemp("models")
    base = make_tiny_base(folder / "base")
    make_tiny_adapter(base, folder / "lora1", seed=1)
    make_tiny_adapter(base, folder / "lora2", seed=2)
    make_full_adapter(base, folder / "full")
    return folder


@pytest.fixture(scope="module")
def local() -> Iterator[object]:
    from personalizer.engine.local import LocalEngine

    engine = LocalEngine(threads=1)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChildEngine]:
    engine = ChildEngine(threads=1, log=tmp_path_factory.mktemp("child") / "engine.log")
    yield engine
    engine.close()


@pytest.fixture
def ask(local, files: Path) -> Callable[..., list[Completion]]:
    """Asks the local engine; ``adapter`` by the name of its folder."""
    return asker(local, files)


def asker(engine, files: Path) -> Callable[..., list[Completion]]:
    def asked(
        prompt: Prompt | str = PROMPT,
        *,
        adapter: str | None = None,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
        base: str | None = None,
        **choices,
    ) -> list[Completion]:
        folder = str(files / adapter) if adapter else None
        choices = {"max_tokens": 24, **choices}
        request = Request(prompt, base or str(files / "base"), folder, **choices)
        return engine.generate(request, on_text=on_text, cancelled=cancelled)

    return asked


# ---------------------------------------------------------------- in this process


def test_greedy_answers_are_the_same_each_time(ask):
    first, second = ask(), ask()
    assert first == second
    assert len(first) == 1
    assert 0 < first[0].tokens <= 24


def test_greedy_equals_a_search_by_hand(ask, files: Path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(files / "base").eval()
    tokenizer = AutoTokenizer.from_pretrained(files / "base")
    ids = tokenizer.encode("int total()")
    chosen, scores = [], []
    with torch.inference_mode():
        for _ in range(16):
            logits = model(torch.tensor([ids + chosen])).logits[0, -1].log_softmax(-1)
            chosen.append(int(logits.argmax()))
            scores.append(float(logits.max()))
            if chosen[-1] == tokenizer.eos_token_id:
                break
    answer = ask("int total()", max_tokens=16)[0]
    assert answer.text == tokenizer.decode(chosen, skip_special_tokens=True)
    assert answer.tokens == len(chosen)
    assert answer.score == pytest.approx(sum(scores) / len(scores), abs=1e-4)


@pytest.mark.parametrize("choices", [{}, {"count": 3}, {"count": 2, "temperature": 0.8}])
def test_completions_go_on_from_what_is_begun(ask, choices: dict[str, Any]):
    free = ask("int total()", max_tokens=12)[0].text
    for one in ask("int total()", begun=" { return 1;", max_tokens=30, **choices):
        assert one.text.startswith(" { return 1;")
        assert one.tokens <= 30
        assert one.score < 0
    (same,) = ask("int total()", begun=free[:4], max_tokens=30)
    assert same.text.startswith(free[:4])


def test_what_is_begun_is_as_if_it_had_been_read(ask):
    whole = ask("int total() {", max_tokens=8)[0]
    begun = ask("int total()", begun=" {", max_tokens=8)[0]
    assert len(begun.text) > 2
    assert (" {" + whole.text).startswith(begun.text.rstrip("\ufffd"))


def test_a_beam_search_gives_as_many_as_asked_best_first(ask):
    answers = ask(count=4)
    assert len({one.text for one in answers}) == 4
    assert [one.score for one in answers] == sorted((a.score for a in answers), reverse=True)
    assert answers[0].score >= ask()[0].score - 0.5


def test_sampling_follows_its_seed(ask):
    def sampled(seed: int) -> list[str]:
        return [one.text for one in ask(count=3, temperature=1.0, seed=seed)]

    assert sampled(1) == sampled(1)
    assert sampled(1) != sampled(2)


def test_each_adapter_answers_for_itself_and_the_base_stays_as_it_was(ask):
    before = ask()
    texts = {name: ask(adapter=name)[0].text for name in ("lora1", "lora2", "full")}
    assert len({before[0].text, *texts.values()}) == 4
    assert ask() == before
    for name, text in texts.items():
        assert ask(adapter=name)[0].text == text


def test_an_adapter_answers_as_peft_itself_does(ask, files: Path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(files / "base")
    plain = AutoModelForCausalLM.from_pretrained(files / "base")
    model = PeftModel.from_pretrained(plain, str(files / "lora1")).eval()
    ids = torch.tensor([tokenizer.encode("int total()")])
    row = model.generate(input_ids=ids, max_new_tokens=16, do_sample=False)[0, ids.shape[1] :]
    expected = tokenizer.decode(row, skip_special_tokens=True)
    assert ask("int total()", adapter="lora1", max_tokens=16)[0].text == expected


def test_the_adapter_used_longest_ago_makes_place(ask, files: Path, monkeypatch):
    from personalizer.engine import local, resident

    before = ask(adapter="lora1")
    monkeypatch.setattr(resident, "_ADAPTERS", 1)
    monkeypatch.setattr(local, "_MODELS", 1)
    assert ask(adapter="lora2") != before
    assert ask(adapter="lora1") == before


def test_an_adapter_of_another_kind_takes_the_place_of_the_others(ask, files: Path, tmp_path):
    import torch
    from peft import PrefixTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(files / "base"), config)
    torch.manual_seed(0)
    torch.nn.init.normal_(model.prompt_encoder.default.embedding.weight)
    model.save_pretrained(tmp_path / "prefix")
    base, lora = ask(), ask(adapter="lora1")
    prefix = asker_at(ask, tmp_path / "prefix")
    assert prefix not in (base, lora)
    assert ask(adapter="lora1") == lora
    assert asker_at(ask, tmp_path / "prefix") == prefix
    assert ask() == base


def asker_at(ask, folder: Path) -> list[Completion]:
    return ask(adapter=str(folder))  # an absolute path stands for itself


def test_a_stop_text_ends_the_answer_before_it(ask):
    whole = ask(max_tokens=60)[0].text
    stop = whole[10:12]
    answer = ask(max_tokens=60, stop=(stop,))[0]
    assert answer.text == whole[: whole.index(stop)]
    assert answer.finish_reason == "stop"


def test_texts_stream_in_pieces_that_make_the_answer(ask):
    for stop in ((), ("",), ("zz",), (ask(max_tokens=60)[0].text[12:14],)):
        pieces: list[str] = []
        answer = ask(max_tokens=60, stop=stop, on_text=pieces.append)[0]
        assert "".join(pieces) == answer.text
        assert len(pieces) > 3


def test_a_marker_of_the_grammar_ends_a_test_but_not_a_plain_text(ask, files: Path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(files / "base")
    ended = [one for one in ask(count=5, temperature=2.0, max_tokens=200) if one.tokens < 200]
    assert ended and all(one.finish_reason == "stop" for one in ended)
    markers = {tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    assert all(not markers & set(tokenizer.encode(one.text)) for one in ended)


def test_a_cancelled_generation_ends_at_once_and_says_so(ask):
    for choices in ({}, {"count": 3}):
        cancelled = threading.Event()
        threading.Timer(0.2, cancelled.set).start()
        began = time.perf_counter()
        answers = ask("x" * 20, max_tokens=1900, cancelled=cancelled, **choices)
        assert time.perf_counter() - began < 1.5
        assert answers[0].finish_reason == "cancelled"


def test_a_prompt_that_does_not_fit_is_refused(ask):
    with pytest.raises(PromptTooLong, match="shorten the prompt"):
        ask("x" * 2040, max_tokens=24)
    roomy = ask(PROMPT)[0].prompt_tokens
    tight = ask(PROMPT, prompt_limit=roomy - 1)[0].prompt_tokens
    assert 0 < tight < roomy
    assert ask(PROMPT, prompt_limit=roomy)[0].prompt_tokens == roomy
    with pytest.raises(PromptTooLong, match="focal method is too long"):
        ask(PROMPT, prompt_limit=5)
    huge = Prompt((Part(Kind.FOCAL, (Piece("x" * 3000, float("inf")),)),), Kind.TEST)
    with pytest.raises(PromptTooLong, match="focal method is too long"):
        ask(huge)


def test_a_missing_base_and_a_missing_adapter_are_named(ask, files: Path):
    with pytest.raises(BaseModelError, match="nowhere"):
        ask(base=str(files / "nowhere"))
    with pytest.raises(AdapterError, match="missing"):
        ask(adapter="missing")


def test_a_damaged_adapter_is_refused_and_harms_nobody(ask, files: Path, tmp_path):
    before, lora = ask(), ask(adapter="lora1")
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (broken / name).write_bytes((files / "lora1" / name).read_bytes()[:2000])
    (broken / "adapter_config.json").write_bytes(
        (files / "lora1" / "adapter_config.json").read_bytes()
    )
    with pytest.raises(AdapterError, match="broken"):
        ask(adapter=str(broken))
    assert ask() == before
    assert ask(adapter="lora1") == lora


def test_an_adapter_of_another_base_is_refused(ask, files: Path, tmp_path):
    other = make_tiny_adapter(files / "base", tmp_path / "other")
    (other / "manifest.json").write_text(json.dumps({"base_fingerprint": "0" * 32}))
    with pytest.raises(AdapterError, match="another base"):
        ask(adapter=str(other))


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_an_adapter_whose_files_were_edited_is_refused(ask, files: Path, tmp_path, name: str):
    edited = make_tiny_adapter(files / "base", tmp_path / "edited")
    told = {
        "base_fingerprint": fingerprint(files / "base"),
        "files": {file.name: file_digest(file) for file in edited.iterdir()},
    }
    (edited / "manifest.json").write_text(json.dumps(told))
    whole = (edited / name).read_bytes()
    changed = whole[:-1] + bytes([whole[-1] ^ 1]) if name.endswith("s") else whole + b"\n"
    (edited / name).write_bytes(changed)
    with pytest.raises(AdapterError, match=f"^adapter edited is damaged: {name} was changed: "):
        ask(adapter=str(edited))
    (edited / name).write_bytes(whole)
    ask(adapter=str(edited))


def test_an_adapter_with_a_part_missing_is_refused(ask, files: Path, tmp_path):
    from safetensors.torch import load_file, save_file

    part = make_tiny_adapter(files / "base", tmp_path / "part")
    weights = load_file(part / "adapter_model.safetensors")
    del weights[sorted(weights)[0]]
    save_file(weights, part / "adapter_model.safetensors")
    with pytest.raises(AdapterError, match="missing adapter keys"):
        ask(adapter=str(part))


# ---------------------------------------------------------------- in a child


def test_a_child_answers_as_the_engine_itself(child: ChildEngine, ask, files: Path):
    through = asker(child, files)
    pieces: list[str] = []
    assert through() == ask()
    assert through(count=3, adapter="lora1") == ask(count=3, adapter="lora1")
    answer = through("int x", on_text=pieces.append)
    assert answer == ask("int x")
    assert "".join(pieces) == answer[0].text


def test_errors_of_the_child_come_back_as_they_were(child: ChildEngine, files: Path):
    through = asker(child, files)
    with pytest.raises(BaseModelError, match="nowhere"):
        through(base=str(files / "nowhere"))
    with pytest.raises(AdapterError, match="missing"):
        through(adapter="missing")
    with pytest.raises(PromptTooLong):
        through("x" * 3000)
    assert child.pid is not None


def test_a_child_makes_the_vectors_of_the_engine_itself(child: ChildEngine, local, tiny_sentences):
    texts = ["int total() { return 1; }", "void add(String item) { }", "long " * 500]
    rows = child.embed(str(tiny_sentences), texts)
    assert rows == local.embed(str(tiny_sentences), texts)
    assert [len(row) for row in rows] == [16] * 3
    assert [sum(x * x for x in row) for row in rows] == pytest.approx([1] * 3)
    assert child.embed(str(tiny_sentences), []) == []
    with pytest.raises(BaseModelError, match="no embedding model lies at /nowhere"):
        child.embed("/nowhere", texts)


def test_a_closed_engine_makes_the_same_vectors_again(tiny_sentences):
    from personalizer.engine.local import LocalEngine

    engine = LocalEngine(threads=1)
    first = engine.embed(str(tiny_sentences), ["int total()"])
    engine.close()
    assert engine.embed(str(tiny_sentences), ["int total()"]) == first
    engine.close()


def test_a_client_that_hangs_up_ends_its_own_row_only(child: ChildEngine, files: Path):
    through = asker(child, files)
    expected = through("int x", adapter="lora1", max_tokens=200)
    cancelled, began = threading.Event(), threading.Event()
    lost: list[Completion] = []
    endless = {"temperature": 1.0, "max_tokens": 1900, "cancelled": cancelled}
    thread = threading.Thread(
        target=lambda: lost.extend(through("x", on_text=lambda _: began.set(), **endless))
    )
    thread.start()
    assert began.wait(30)
    pieces: list[str] = []
    beside = through(
        "int x",
        adapter="lora1",
        max_tokens=200,
        on_text=lambda text: (pieces.append(text), cancelled.set()),
    )
    thread.join(30)
    assert lost[0].finish_reason == "cancelled"
    assert [one.text for one in beside] == [one.text for one in expected] == ["".join(pieces)]


def test_a_cancellation_reaches_the_child(child: ChildEngine, files: Path):
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    began = time.perf_counter()
    answers = asker(child, files)("x", max_tokens=1900, cancelled=cancelled)
    assert time.perf_counter() - began < 1.5
    assert answers[0].finish_reason == "cancelled"


def test_a_listener_that_fails_ends_its_generation(child: ChildEngine, files: Path):
    through = asker(child, files)

    def fail(text: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        through("x", max_tokens=1900, on_text=fail)
    began = time.perf_counter()
    assert through()
    assert time.perf_counter() - began < 1.5


def test_a_killed_child_is_started_again(child: ChildEngine, files: Path):
    through = asker(child, files)
    before = through()
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert through() == before
    assert child.pid not in (None, first)


def test_a_child_that_dies_twice_is_an_engine_error(tmp_path: Path):
    engine = ChildEngine(command=[sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(EngineError, match="died"):
        engine.generate(Request("x", "starter"))
    engine.close()


def test_a_child_that_cannot_start_is_an_engine_error(tmp_path: Path):
    engine = ChildEngine(command=[str(tmp_path / "nothing")])
    with pytest.raises(EngineError, match="cannot be started"):
        engine.generate(Request("x", "starter"))


FAKE = """
import os, sys, threading
from personalizer.engine import Completion
from personalizer.engine import serve
from personalizer.errors import BaseModelError
class Fake:
    def generate(self, request, *, on_text=None, cancelled=None):
        print("noise")
        if request.prompt == "wait":
            on_text("waits")
            cancelled.wait()
        return [Completion(request.prompt, 0.0, 1, "stop")]
    def warm(self, base, adapter=None):
        if base == "nowhere":
            raise BaseModelError("nowhere")
    def embed(self, model, texts): os._exit(1)
    def close(self): pass
serve._local = lambda threads: Fake()
sys.argv[1:] = []
serve.main()
"""


def test_an_unused_child_is_ended_and_comes_back(tmp_path: Path):
    engine = ChildEngine(command=[sys.executable, "-c", FAKE], unload_minutes=0.2 / 60)
    assert engine.generate(Request("a", "starter"))[0].text == "a"
    first = engine.pid
    assert first is not None
    wait_until(lambda: engine.pid is None)
    wait_until(lambda: not psutil.pid_exists(first))
    assert engine.generate(Request("b", "starter"))[0].text == "b"
    engine.close()
    assert engine.pid is None


def test_requests_run_beside_each_other_and_are_told_apart():
    engine = ChildEngine(command=[sys.executable, "-c", FAKE])
    cancelled = threading.Event()
    waiting: list[Completion] = []
    thread = threading.Thread(
        target=lambda: waiting.extend(
            engine.generate(Request("wait", "starter"), cancelled=cancelled, on_text=lambda _: None)
        )
    )
    thread.start()
    assert engine.generate(Request("other", "starter"))[0].text == "other"
    cancelled.set()
    thread.join(5)
    assert [one.text for one in waiting] == ["wait"]
    engine.close()


def test_a_child_that_dies_under_several_requests_fails_them_all_and_the_next_has_another():
    engine = ChildEngine(command=[sys.executable, "-c", FAKE])
    began = threading.Semaphore(0)
    failed: list[str] = []

    def wait() -> None:
        try:
            engine.generate(Request("wait", "starter"), on_text=lambda _: began.release())
        except EngineError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert began.acquire(timeout=30)
    first = engine.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    for thread in threads:
        thread.join(30)
    assert failed == ["the engine's process died while it generated"] * 3
    assert engine.generate(Request("next", "starter"))[0].text == "next"
    assert engine.pid not in (None, first)
    engine.close()


def test_warming_starts_the_child_and_tells_what_went_wrong():
    engine = ChildEngine(command=[sys.executable, "-c", FAKE])
    assert engine.pid is None
    engine.warm("starter")
    assert engine.pid is not None
    with pytest.raises(BaseModelError, match="nowhere"):
        engine.warm("nowhere")
    engine.close()


def test_a_child_that_dies_while_it_embeds_is_an_engine_error():
    engine = ChildEngine(command=[sys.executable, "-c", FAKE])
    with pytest.raises(EngineError, match="died"):
        engine.embed("any", ["x"])
    engine.close()


def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path):
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from personalizer.engine import Request\n"
            "from personalizer.engine.child import ChildEngine\n"
            "engine = ChildEngine(command=[sys.executable, '-c', sys.argv[1]])\n"
            "engine.generate(Request('a', 'starter'))\n"
            "print(engine.pid, flush=True)\n"
            "time.sleep(60)\n",
            FAKE,
        ],
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not psutil.pid_exists(pid))


def test_a_child_ends_with_its_input_even_in_mid_generation():
    process = subprocess.Popen(
        module_command("personalizer.engine.serve"), stdin=subprocess.PIPE, env=environment()
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0


def test_a_cancellation_that_comes_as_its_request_ends_harms_nothing():
    class Ending(dict[int, threading.Event]):
        """Requests that end between two looks at them."""

        def __contains__(self, id: object) -> bool:
            found = super().__contains__(id)
            self.clear()
            return found

    server = serve._Server(io.BytesIO(), lambda: pytest.fail("nobody is asked"))
    cancelled = threading.Event()
    server._running = Ending({1: cancelled})
    sent = io.BytesIO()
    for id in (1, 2):
        write(sent, threading.Lock(), Cancel(id))
    sent.seek(0)
    server.run(sent)
    assert cancelled.is_set()


def test_asking_a_child_imports_no_torch():
    code = (
        "import sys, personalizer.engine.child, personalizer.engine.serve\n"
        "assert not {'torch', 'transformers', 'peft'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())


def wait_until(condition: Callable[[], bool], seconds: float = 8.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
