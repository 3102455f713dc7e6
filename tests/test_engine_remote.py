"""The remote engine against a small server on loopback that speaks vLLM's API."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from indexer import Piece
from personalizer import settings
from personalizer.engine import Request
from personalizer.engine.remote import RemoteEngine, remote_engine
from personalizer.errors import AdapterError, EngineError, PromptTooLong, SettingsError
from personalizer.processes import environment
from personalizer.prompts import END, Kind, Part, Prompt, encode
from tests.fake_openai import FakeOpenAI, fake_openai


@pytest.fixture
def server():
    with fake_openai() as running:
        yield running


def asking(server: FakeOpenAI, prompt="int total()", *, adapter: Path | None = None, **choices):
    engine = RemoteEngine(server.url, model="base-there", key=server.key)
    ways = {name: choices.pop(name) for name in ("on_text", "cancelled") if name in choices}
    folder = str(adapter) if adapter else None
    return engine.generate(Request(prompt, "starter", folder, **choices), **ways)


def lora(folder: Path) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    return folder


def test_a_completion_streams_and_says_what_it_read_and_wrote(server):
    pieces: list[str] = []
    answer = asking(server, on_text=pieces.append, max_tokens=9)[0]
    assert pieces == ["one", " two", " three"]
    assert (answer.text, answer.finish_reason) == ("one two three", "stop")
    assert (answer.tokens, answer.prompt_tokens, answer.score) == (3, 4, -0.5)
    assert server.asked[0]["model"] == "base-there"
    assert server.asked[0]["temperature"] == 0


def test_what_a_completion_begins_with_is_sent_and_given_back(server):
    answer = asking(server, "int total()", begun=" {", max_tokens=9)[0]
    assert server.asked[0]["prompt"] == "int total() {"
    assert answer.text == " {one two three"


def test_several_are_sampled_with_the_request_s_own_choices_best_first(server):
    rows = asking(server, count=3, temperature=0.7, top_p=0.9, stop=("}", ""), seed=5)
    assert [one.score for one in rows] == [-0.5, -1.5, -2.5]
    body = server.asked[0]
    assert {name: body[name] for name in ("n", "temperature", "top_p", "stop", "seed")} == {
        "n": 3,
        "temperature": 0.7,
        "top_p": 0.9,
        "stop": ["}"],
        "seed": 5,
    }


def test_several_without_sampling_are_the_server_s_beams(server):
    rows = asking(server, count=3)
    assert [one.text for one in rows] == ["beam 0", "beam 1", "beam 2"]
    assert server.asked[0]["use_beam_search"] is True


def test_a_prompt_of_the_grammar_travels_as_the_base_s_own_tokens(server):
    from personalizer.models import load_tokenizer

    prompt = Prompt((Part(Kind.FOCAL, (Piece("int total();", float("inf")),)),), Kind.TEST)
    asking(server, prompt, max_tokens=20)
    tokenizer = load_tokenizer("starter")
    assert server.asked[0]["prompt"] == encode(prompt, tokenizer, 1004)
    assert tokenizer.convert_tokens_to_ids(END) in server.asked[0]["stop_token_ids"]


def test_a_method_ends_where_its_brace_closes_and_the_server_is_told_by_hanging_up():
    with fake_openai("void a() { b(); } void c() {") as server:
        pieces: list[str] = []
        answer = asking(server, "endless", stop_at_method_end=True, on_text=pieces.append)[0]
        assert answer.text == "".join(pieces) == "void a() { b(); }"
        assert answer.finish_reason == "stop"
        assert server.hung_up.wait(20)


def test_what_ends_a_line_elsewhere_ends_none_of_an_event():
    text = 'void a() { b("one\u2028two\x85three"); }'
    with fake_openai(f"{text} end") as server:
        assert asking(server)[0].text.startswith(text)


def test_an_adapter_is_loaded_once_under_its_id(server, tmp_path):
    engine = RemoteEngine(server.url)
    folder = lora(tmp_path / "lora-20261121-000000-ab12cd34")
    engine.warm("starter", str(folder))
    for _ in range(2):
        assert engine.generate(Request("x", "starter", str(folder)))
    assert server.loaded == [{"lora_name": folder.name, "lora_path": str(folder)}]
    assert {body["model"] for body in server.asked} == {folder.name}
    server.models.remove(folder.name)  # as if it had been started anew
    with pytest.raises(EngineError, match="does not exist"):
        engine.generate(Request("x", "starter", str(folder)))
    assert engine.generate(Request("x", "starter", str(folder)))
    assert len(server.loaded) == 2


def test_what_no_server_serves_is_refused_before_it_is_asked(server, tmp_path):
    with pytest.raises(AdapterError, match="expected a LoRA adapter"):
        asking(server, adapter=tmp_path)
    with (
        fake_openai(adapters=False) as other,
        pytest.raises(EngineError, match="VLLM_ALLOW_RUNTIME_LORA_UPDATING"),
    ):
        asking(other, adapter=lora(tmp_path / "lora"))


def test_a_cancellation_hangs_up_and_keeps_what_was_written(server):
    cancelled = threading.Event()
    answer = asking(server, "endless", cancelled=cancelled, on_text=lambda _: cancelled.set())[0]
    assert answer.finish_reason == "cancelled"
    assert answer.text.startswith("one")
    assert server.hung_up.wait(20)


@pytest.mark.parametrize(
    ("prompt", "error", "words"),
    [
        ("failing", EngineError, "out of memory"),
        ("broken", EngineError, "in the middle of its answer"),
        ("odd", EngineError, "in the middle of its answer"),
        ("too long", PromptTooLong, "maximum context length"),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(server, prompt, error, words):
    with pytest.raises(error, match=words) as caught:
        asking(server, prompt)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there_or_speaks_otherwise_is_named():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(EngineError, match=f"{url} does not answer"):
        RemoteEngine(url).generate(Request("x", "starter"))
    with (
        fake_openai() as server,
        pytest.raises(EngineError, match="does not answer as OpenAI's API does"),
    ):
        asking(server, "odd", count=2)


def test_the_vectors_of_a_server_come_in_the_order_of_the_texts_and_of_length_1(server):
    rows = RemoteEngine(server.url).embed("vectors-there", ["x" * 3, ""])
    assert rows == [pytest.approx([3 / 10**0.5, 1 / 10**0.5]), [0.0, 1.0]]
    assert server.embedded[0]["input"] == ["xxx", ""]


def test_a_server_that_does_not_embed_is_told_with_what_to_do(server):
    with pytest.raises(EngineError, match=r"does not exist.*or set retriever to bm25"):
        RemoteEngine(server.url).embed("elsewhere", ["x"])
    with pytest.raises(EngineError, match="does not answer as OpenAI's API does"):
        RemoteEngine(server.url).embed("vectors-there", ["x", "odd"])


def test_the_key_is_read_from_its_file_and_a_wrong_one_is_told(tmp_path):
    key = tmp_path / "key"
    key.write_text("secret\n")
    with fake_openai(key="secret") as server:
        flags = {
            "engine_url": f"{server.url}/v1/",
            "engine_model": "base-there",
            "engine_key_file": str(key),
        }
        engine = remote_engine(settings.load(None, flags, {}).settings)
        assert engine is not None
        assert engine.generate(Request("x", "starter"))[0].text == "one two three"
        with pytest.raises(EngineError, match="wrong key"):
            RemoteEngine(server.url, model="base-there").generate(Request("x", "starter"))
    key.unlink()
    with pytest.raises(SettingsError, match="engine_key_file"):
        remote_engine(settings.load(None, flags, {}).settings)


def test_no_server_is_asked_unless_the_user_names_one(tmp_path):
    (tmp_path / "personalizer.toml").write_text(
        'engine_url = "http://example.org"\nengine_model = "x"\nengine_key_file = "/etc/passwd"\n'
    )
    found = settings.load(tmp_path, environment={})
    assert len(found.ignored) == 3
    assert remote_engine(found.settings) is None
    with pytest.raises(SettingsError, match="must begin with http"):
        settings.load(None, {"engine_url": "example.org"}, {})


def test_proxies_of_the_environment_see_nothing(server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert asking(server)[0].text == "one two three"


def test_asking_a_server_imports_no_torch():
    code = (
        "import sys\n"
        "from personalizer.engine import Request\n"
        "from personalizer.engine.remote import RemoteEngine\n"
        "from personalizer.engine.remote_shapes import body_for\n"
        "from personalizer.prompts import Kind, Part, Prompt\n"
        "from indexer import Piece\n"
        "prompt = Prompt((Part(Kind.FOCAL, (Piece('x', 1.0),)),), Kind.TEST)\n"
        "body_for(Request(prompt, 'starter'), 'm')\n"
        "assert not {'torch', 'transformers', 'peft'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())
