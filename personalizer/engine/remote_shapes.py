"""OpenAI's completions as a client of them sees them: what is asked, and what comes back."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import msgspec
from httpx_sse import EventSource, SSEError

from indexer.languages.lexis import block_end
from personalizer.engine import Completion, Request
from personalizer.errors import BaseModelError, EngineError
from personalizer.models import base_folder
from personalizer.prompts import SPECIAL_TOKENS, Prompt, encode, encode_begun, marked

__all__ = ["Made", "body_for", "chunks", "reason_of", "unit_rows", "whole_answer"]


class _LogProbs(msgspec.Struct):
    token_logprobs: list[float | None] = []


class _Choice(msgspec.Struct):
    text: str = ""
    index: int = 0
    finish_reason: str | None = None
    logprobs: _LogProbs | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0


class Chunk(msgspec.Struct):
    """A piece of an answer, or all of it."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


class _Vector(msgspec.Struct):
    index: int
    embedding: list[float]


class _Vectors(msgspec.Struct):
    data: list[_Vector]


def body_for(request: Request, model: str) -> dict[str, Any]:
    """The body of ``POST /v1/completions``; only for a prompt of the grammar and for beams is more
    in it than OpenAI knows (vLLM does).

    Raises:
        BaseModelError: If the base's tokenizer is not on this machine.
        PromptTooLong: If the prompt leaves no room for the completion.
    """
    beams = request.temperature == 0 and request.count > 1
    body: dict[str, Any] = {
        "model": model,
        "prompt": f"{request.prompt}{request.begun}",
        "n": request.count,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "logprobs": 1,
        "stream": not beams,  # so that one that has its method can end early
    }
    if request.temperature > 0:
        body |= {"top_p": request.top_p, "seed": request.seed % 2**31}
    if beams:
        body["use_beam_search"] = True
    else:
        body["stream_options"] = {"include_usage": True}
    if stops := [stop for stop in request.stop if stop]:
        body["stop"] = stops
    if isinstance(request.prompt, Prompt):
        tokenizer, context = _read(base_folder(request.base))
        begun = encode_begun(request.begun, tokenizer)
        room = context - request.max_tokens
        body["prompt"] = [*encode(request.prompt, tokenizer, room), *begun]
        body["max_tokens"] = max(1, request.max_tokens - len(begun))
        if marked(tokenizer):
            vocabulary = tokenizer.get_vocab()
            body["stop_token_ids"] = [vocabulary[token] for token in SPECIAL_TOKENS]
    return body


class Made:
    """One completion as it comes."""

    def __init__(self, request: Request) -> None:
        self.text = request.begun
        self.reason: str | None = None
        """Why it ended; None while it goes on."""
        self.cut = False
        """Whether it was ended here and not at the server."""
        self._to_method_end = request.stop_at_method_end
        self._sum = 0.0
        self._tokens = 0
        self._given = 0

    def take(self, choice: _Choice) -> None:
        """Adds a piece."""
        if self.reason is not None:
            return
        self.text += choice.text
        self.reason = choice.finish_reason
        scores = choice.logprobs.token_logprobs if choice.logprobs else []
        self._sum += sum(score for score in scores if score is not None)
        self._tokens += len(scores) or (1 if choice.text else 0)
        if self._to_method_end and (end := block_end(self.text)) is not None:
            self.text, self.cut, self.reason = self.text[:end], True, "stop"

    def tell(self, on_text: Callable[[str], None]) -> None:
        """Passes on what is new."""
        if len(self.text) > self._given:
            on_text(self.text[self._given :])
            self._given = len(self.text)

    def completion(self, prompt_tokens: int) -> Completion:
        """What it is by now."""
        mean = self._sum / self._tokens if self._tokens else 0.0
        return Completion(self.text, mean, self._tokens, self.reason or "cancelled", prompt_tokens)


async def chunks(answer: httpx.Response) -> AsyncIterator[Chunk]:
    """The pieces of a streamed answer up to its end.

    Raises:
        EngineError: If the server failed meanwhile.
        msgspec.MsgspecError: If a piece is none.
    """
    with suppress(SSEError):  # it streams no events, so none of them was the end
        async for event in EventSource(answer).aiter_sse():
            if event.data == "[DONE]":
                return
            if event.data:
                yield _checked(event.data)


def whole_answer(answer: httpx.Response) -> Chunk:
    """An answer that came at once; raises as :func:`chunks`."""
    return _checked(answer.content)


def unit_rows(answer: httpx.Response, count: int) -> list[list[float]]:
    """The vectors of an answer of ``POST /v1/embeddings``, each made as long as 1.

    Raises:
        msgspec.MsgspecError: If it is no such answer.
        ValueError: If it does not have as many vectors as texts were sent.
    """
    vectors = msgspec.json.decode(answer.content, type=_Vectors).data
    if sorted(one.index for one in vectors) != list(range(count)):
        raise ValueError(f"expected {count} vectors, got {len(vectors)}")
    rows = [one.embedding for one in sorted(vectors, key=lambda one: one.index)]
    return [[x / (math.hypot(*row) or 1.0) for x in row] for row in rows]


def reason_of(answer: httpx.Response) -> str:
    """What a server says of an error, in one line."""
    try:
        told = json.loads(answer.content)
        told = told.get("error", told)
        told = told.get("message", told) if isinstance(told, dict) else told
    except (ValueError, AttributeError):
        told = answer.text
    return (str(told).strip().splitlines() or [answer.reason_phrase])[0][:300]


def _checked(data: str | bytes) -> Chunk:
    chunk = msgspec.json.decode(data, type=Chunk)
    if chunk.error is not None:
        error = chunk.error.get("message") if isinstance(chunk.error, dict) else chunk.error
        raise EngineError(f"the server failed in mid-answer: {str(error)[:300]}")
    return chunk


class _Tokenizer:
    """A base's tokenizer without transformers, which would bring torch along."""

    eos_token_id: int | None = None

    def __init__(self, file: Path) -> None:
        from tokenizers import Tokenizer

        self._own = Tokenizer.from_file(str(file))
        self._own.encode_special_tokens = not marked(self)  # as ``split_special_tokens`` says

    def encode(self, text: str, add_special_tokens: bool = True, **_: Any) -> list[int]:
        ids: list[int] = self._own.encode(text, add_special_tokens=add_special_tokens).ids
        return ids

    def get_vocab(self) -> dict[str, int]:
        vocabulary: dict[str, int] = self._own.get_vocab()
        return vocabulary


@lru_cache(maxsize=2)
def _read(folder: Path) -> tuple[_Tokenizer, int]:
    """Tokenizer and most tokens of a base."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        tokenizer = _Tokenizer(folder / "tokenizer.json")
    except Exception as error:  # tokenizers raises Exception itself
        raise BaseModelError(f"the tokenizer in {folder} cannot be read: {error}") from error
    return tokenizer, int(
        config.get("max_position_embeddings") or config.get("n_positions") or 1024
    )
