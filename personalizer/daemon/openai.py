"""``/v1``: the part of OpenAI's API that completions need. A model is the base or an adapter."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from personalizer.adapters import Adapter
from personalizer.daemon.answers import OPENAI, body_of, json, refused, watched
from personalizer.daemon.bounds import Turns
from personalizer.daemon.schema import described
from personalizer.daemon.service import Service
from personalizer.engine import Completion
from personalizer.engine import Request as Wish
from personalizer.errors import AdapterError, BadInput, PersonalizerError

__all__ = ["CompletionRequest", "router"]


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """``POST /v1/completions``; what is not named here is refused rather than ignored."""

    model: str
    prompt: str | list[str]
    max_tokens: int = 16
    temperature: float = 1.0
    top_p: float = 1.0
    n: int = 1
    stop: str | list[str] | None = None
    stream: bool = False
    seed: int | None = None
    user: str | None = None
    """Taken and not used."""
    suffix: str | None = None
    echo: bool = False
    logprobs: int | None = None
    best_of: int | None = None
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: dict[str, float] | None = None
    stream_options: dict[str, Any] | None = None

    def checked(self) -> CompletionRequest:
        """Itself.

        Raises:
            BadInput: If something is asked for that is not there, or cannot be.
        """
        for name in _NOT_THERE:
            if getattr(self, name) != _DEFAULTS[name]:
                raise BadInput(f"{name} is not supported: leave it out")
        if self.best_of not in (None, self.n):
            raise BadInput(f"best_of is not supported: leave it out, got {self.best_of}")
        for name, low, high in _RANGES:
            if not low <= getattr(self, name) <= high:
                raise BadInput(
                    f"{name} must lie between {low} and {high}, got {getattr(self, name)}"
                )
        if isinstance(self.prompt, list):
            if self.stream or not self.prompt:
                raise BadInput("expected one prompt to stream, or a list of at least one")
            if len(self.prompt) * self.n > _MOST_TEXTS:
                raise BadInput(f"expected at most {_MOST_TEXTS} completions of all prompts")
        if isinstance(self.stop, list) and len(self.stop) > _MOST_STOPS:
            raise BadInput(f"expected at most {_MOST_STOPS} stop texts, got {len(self.stop)}")
        if self.seed is not None and not 0 <= self.seed < 1 << 63:
            raise BadInput(f"seed must lie between 0 and 2**63 - 1, got {self.seed}")
        return self


_NOT_THERE = (
    "suffix",
    "echo",
    "logprobs",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "stream_options",
)
_DEFAULTS = {name: CompletionRequest.__dataclass_fields__[name].default for name in _NOT_THERE}
_RANGES = (("max_tokens", 1, 16_384), ("n", 1, 20), ("temperature", 0, 2), ("top_p", 0.001, 1))

_MOST_TEXTS = 128
_MOST_STOPS = 16


def router(service: Service, turns: Turns) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix=OPENAI)

    @routes.get("/models", **described())
    def models() -> Response:
        rows = [_model(name, adapter) for name, adapter in service.models().items()]
        return json({"object": "list", "data": rows})

    @routes.get("/models/{model:path}", **described())  # a hub name has a slash
    def one_model(model: str) -> Response:
        try:
            return json(_model(model, service.model(model)))
        except AdapterError as error:
            return refused(OPENAI, error, code="model_not_found")

    @routes.post("/completions", **described(CompletionRequest, streams=True))
    async def completions(request: Request) -> Response:
        try:
            asked = (await body_of(request, CompletionRequest)).checked()
            wish = await run_in_threadpool(_wish, service, asked)
            if asked.stream:
                stream = _Stream(service, turns, asked, wish)
                first = await watched(request, stream.first(), stream.cancelled)
                return StreamingResponse(stream.events(first), media_type="text/event-stream")
            prompts = asked.prompt if isinstance(asked.prompt, list) else [asked.prompt]

            def work(cancelled: threading.Event) -> list[Completion]:
                wishes = [replace(wish, prompt=prompt) for prompt in prompts]
                return [c for one in wishes for c in service.complete(one, cancelled)]

            made = await turns.unless_gone(request, work)
        except Exception as error:
            return refused(OPENAI, error)
        choices = [_choice(place, one) for place, one in enumerate(made)]
        return json(_envelope(asked) | {"choices": choices, "usage": _usage(made, asked.n)})

    return routes


def _model(name: str, adapter: Adapter | None) -> dict[str, Any]:
    made = datetime.fromisoformat(adapter.manifest.trained_at) if adapter else None
    return {
        "id": name,
        "object": "model",
        "created": int(made.timestamp()) if made else 0,
        "owned_by": "personalizer",
        "parent": adapter.base if adapter else None,
    }


def _wish(service: Service, asked: CompletionRequest) -> Wish:
    base, adapter = service.named(asked.model)
    stops = [asked.stop] if isinstance(asked.stop, str) else asked.stop or []
    return Wish(
        prompt=asked.prompt if isinstance(asked.prompt, str) else "",
        base=base,
        adapter=adapter,
        count=asked.n,
        max_tokens=asked.max_tokens,
        temperature=asked.temperature,
        top_p=asked.top_p,
        stop=tuple(stops),
        seed=secrets.randbits(31) if asked.seed is None else asked.seed,
    )


def _envelope(asked: CompletionRequest) -> dict[str, Any]:
    return {
        "id": f"cmpl-{secrets.token_hex(8)}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": asked.model,
    }


def _choice(place: int, made: Completion) -> dict[str, Any]:
    reason = made.finish_reason if made.finish_reason in ("stop", "length") else None
    return {"index": place, "text": made.text, "logprobs": None, "finish_reason": reason}


def _usage(made: list[Completion], count: int) -> dict[str, int]:
    """Tokens read and written; a prompt counts once, however many completions it has."""
    read = sum(one.prompt_tokens for one in made[::count])
    written = sum(one.tokens for one in made)
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }


class _Stream:
    """One completion as it comes; several at once come whole, one after the other."""

    def __init__(
        self, service: Service, turns: Turns, asked: CompletionRequest, wish: Wish
    ) -> None:
        self._service = service
        self._turns = turns
        self._envelope = _envelope(asked)
        self._wish = wish
        self.cancelled = threading.Event()
        self._events: asyncio.Queue[str | list[Completion] | Exception] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._working: asyncio.Task[None] | None = None

    async def first(self) -> str | list[Completion]:
        """Starts, and waits for the first text, so that an early error is a plain answer.

        Raises:
            PersonalizerError: What the engine raised.
        """
        self._working = asyncio.create_task(self._work())
        return self._or_raise(await self._events.get())

    async def events(self, event: str | list[Completion]) -> AsyncIterator[bytes]:
        """Server-sent events up to ``[DONE]``."""
        try:
            while isinstance(event, str):
                yield self._chunk(Completion(event, 0.0, 0, ""), 0)
                event = self._or_raise(await self._events.get())
            for place, one in enumerate(event):
                yield self._chunk(replace(one, text="") if self._streams else one, place)
        except PersonalizerError as error:
            yield b"data: " + bytes(refused(OPENAI, error).body) + b"\n\n"
        finally:
            self.cancelled.set()
        yield b"data: [DONE]\n\n"

    @property
    def _streams(self) -> bool:
        return self._wish.count == 1

    def _chunk(self, made: Completion, place: int) -> bytes:
        return (
            b"data: "
            + msgspec.json.encode(self._envelope | {"choices": [_choice(place, made)]})
            + b"\n\n"
        )

    async def _work(self) -> None:
        on_text = self._put if self._streams else None
        try:
            made = await self._turns.run(
                lambda gone: self._service.complete(self._wish, gone, on_text), self.cancelled
            )
            self._put(made)
        except Exception as error:
            self._put(error)

    def _put(self, event: str | list[Completion] | Exception) -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it whoever listened
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    @staticmethod
    def _or_raise(event: str | list[Completion] | Exception) -> str | list[Completion]:
        if isinstance(event, Exception):
            raise event
        return event
