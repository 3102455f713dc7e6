"""A small server on loopback that speaks the part of vLLM's API that the remote engine asks for.

It writes the words of its script, one a chunk. A prompt may tell it otherwise: ``endless`` writes
until the client hangs up, ``broken`` hangs up in the middle, ``failing`` sends an error as a chunk,
``odd`` answers something else.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["FakeOpenAI", "fake_openai"]


class FakeOpenAI(ThreadingHTTPServer):
    """Remembers what it was asked."""

    daemon_threads = True

    def __init__(self, script: str, *, key: str, adapters: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.key = key
        self.loads_adapters = adapters
        self.models = ["base-there"]
        self.embedding_model = "vectors-there"
        self.embedded: list[dict[str, Any]] = []
        """Bodies of embeddings."""
        self.asked: list[dict[str, Any]] = []
        """Bodies of completions."""
        self.loaded: list[dict[str, Any]] = []
        """Bodies of adapters."""
        self.hung_up = threading.Event()
        """A client went in the middle of an endless answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def fake_openai(
    script: str = "one two three", *, key: str = "", adapters: bool = True
) -> Iterator[FakeOpenAI]:
    with FakeOpenAI(script, key=key, adapters=adapters) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: FakeOpenAI

    def do_GET(self) -> None:
        self._answer({"object": "list", "data": [{"id": one} for one in self.server.models]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        if server.key and self.headers.get("Authorization") != f"Bearer {server.key}":
            self._answer({"error": {"message": "wrong key", "code": 401}}, 401)
        elif self.path == "/v1/load_lora_adapter" and server.loads_adapters:
            server.loaded.append(body)
            server.models.append(body["lora_name"])
            self._answer("Success: LoRA adapter added successfully.")
        elif self.path == "/v1/embeddings" and body["model"] == server.embedding_model:
            server.embedded.append(body)
            self._embed(body["input"])
        elif self.path not in ("/v1/completions", "/v1/embeddings"):
            self._answer({"detail": "Not Found"}, 404)
        elif body["model"] not in server.models:
            message = f"The model `{body['model']}` does not exist."
            self._answer({"error": {"message": message, "type": "NotFoundError"}}, 404)
        else:
            server.asked.append(body)
            self._complete(body)

    def _complete(self, body: dict[str, Any]) -> None:
        prompt = str(body["prompt"])
        words = self.server.script.split(" ")
        texts = [word if place == 0 else f" {word}" for place, word in enumerate(words)]
        if "odd" in prompt:
            self._answer("<html>")
        elif "too long" in prompt:
            message = "This model's maximum context length is 8 tokens."
            self._answer({"error": {"message": message}}, 400)
        elif not body["stream"]:
            choices = [
                {"index": n, "text": f"beam {n}", "finish_reason": "stop", "logprobs": None}
                for n in range(body["n"])
            ]
            self._answer({"choices": choices, "usage": {"prompt_tokens": 4}})
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self._stream(body, prompt, texts)

    def _embed(self, texts: list[str]) -> None:
        """A vector of a text has its length and 1; ``odd`` gets none. The last comes first."""
        rows = [[len(text), 1] for text in texts if "odd" not in text]
        data = [{"index": place, "embedding": row} for place, row in enumerate(rows)]
        self._answer({"object": "list", "data": data[::-1]})

    def _stream(self, body: dict[str, Any], prompt: str, texts: list[str]) -> None:
        texts = texts[: body["max_tokens"]]
        if "endless" in prompt:
            try:
                for text in itertools.cycle(texts):
                    self._chunk(text, 0)
                    threading.Event().wait(0.005)
            except OSError:
                self.server.hung_up.set()
            return
        for number in range(body["n"]):
            for text in texts[:-1]:
                self._chunk(text, number)
            if "failing" in prompt:
                self._send({"error": {"message": "out of memory", "code": 500}})
                return
            if "broken" in prompt:
                return
            self._chunk(texts[-1], number, "stop")
        self._send({"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": len(texts)}})
        self.wfile.write(b"data: [DONE]\n\n")

    def _chunk(self, text: str, index: int, reason: str | None = None) -> None:
        scores = {"token_logprobs": [-0.5 - index], "tokens": [text]}
        choice = {"index": index, "text": text, "finish_reason": reason, "logprobs": scores}
        self._send({"choices": [choice]})

    def _send(self, event: dict[str, Any]) -> None:
        data = json.dumps(event, ensure_ascii=False).encode()  # as servers not in Python do
        self.wfile.write(b"data: " + data + b"\n\n")
        self.wfile.flush()

    def _answer(self, body: Any, status: int = 200) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""
