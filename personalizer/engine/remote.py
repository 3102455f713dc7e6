"""The engine on a server that the user named: any that speaks OpenAI's completions, such as vLLM.

Requests go to that server and to no other: no proxy of the environment, no redirect. Adapters are
LoRA, loaded there at run time under their ids: an id is never given twice, so that no answer comes
from what a server keeps of an adapter of the same name (vllm issue 42125).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from personalizer.engine import Completion, Request
from personalizer.engine.remote_shapes import (
    Made,
    body_for,
    chunks,
    reason_of,
    unit_rows,
    whole_answer,
)
from personalizer.errors import AdapterError, EngineError, PromptTooLong, SettingsError
from personalizer.settings import Settings

__all__ = ["RemoteEngine", "remote_engine"]

_T = TypeVar("_T")

_POLL = 0.05
"""Seconds within which a cancellation is seen."""
_TIMES = httpx.Timeout(60.0, connect=5.0)
"""A server that says nothing for a minute is taken for dead."""


def remote_engine(settings: Settings) -> RemoteEngine | None:
    """The server that the user's settings name; None where they name none.

    Raises:
        SettingsError: If the file of its key cannot be read.
    """
    if not settings.engine_url:
        return None
    key = ""
    if settings.engine_key_file:
        file = Path(settings.engine_key_file).expanduser()
        try:
            key = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"engine_key_file: cannot read {file}: {error}") from error
    return RemoteEngine(settings.engine_url, key=key, model=settings.engine_model)


class RemoteEngine:
    """Asks a server.

    Args:
        url: Where its ``/v1`` lies, such as ``http://127.0.0.1:8000``.
        key: Sent as a bearer token; empty sends none.
        model: The base's name there; empty for the name that it has here.
    """

    pid: int | None = None
    """It has no process here."""
    loaded: bool = False
    """Nor a model in memory."""

    def __init__(self, url: str, *, key: str = "", model: str = "") -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        """The server."""
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model = model
        self._there: set[str] = set()
        """Adapters that the server is known to have."""

    def generate(
        self,
        request: Request,
        *,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> list[Completion]:
        """See ``Engine.generate``; hanging up ends a generation at the server too."""
        made = [Made(request) for _ in range(request.count)]
        telling = on_text if request.count == 1 else None
        read = asyncio.run(_unless(cancelled, self._told(self._complete(request, made, telling))))
        rows = [one.completion(read or 0) for one in made]
        return sorted(rows, key=lambda one: -one.score)

    def warm(self, base: str, adapter: str | None = None) -> None:
        """See ``Engine.warm``: the server loads the adapter."""

        async def loaded() -> int:
            async with self._client() as http:
                await self._named(http, base, adapter)
            return 0

        asyncio.run(self._told(loaded()))

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """See ``Engine.embed``: the server has the model, under the same name."""

        async def embedded() -> list[list[float]]:
            body = {
                "model": model,
                "input": list(texts),
                "encoding_format": "float",
                "truncate_prompt_tokens": -1,  # vLLM's; it refuses long texts otherwise
            }
            async with self._client() as http:
                answer = await http.post("/v1/embeddings", json=body)
            if answer.status_code in (400, 404, 405):
                raise EngineError(
                    f"{self.url} does not embed with {model} ({reason_of(answer)}): "
                    "serve that model there, or set retriever to bm25"
                )
            await self._accepted(answer)
            return unit_rows(answer, len(texts))

        return asyncio.run(self._told(embedded()))

    def close(self) -> None:
        """Nothing is held here."""

    async def _complete(
        self, request: Request, made: list[Made], on_text: Callable[[str], None] | None
    ) -> int:
        """Fills in the completions; gives the number of tokens that were read."""
        read = 0
        async with self._client() as http:
            body = body_for(request, await self._named(http, request.base, request.adapter))
            async with http.stream("POST", "/v1/completions", json=body) as answer:
                await self._accepted(answer)
                if not body["stream"]:
                    await answer.aread()
                    for choice in whole_answer(answer).choices:
                        made[choice.index].take(choice)
                else:
                    async for chunk in chunks(answer):
                        read = chunk.usage.prompt_tokens if chunk.usage else read
                        for choice in chunk.choices:
                            made[choice.index].take(choice)
                        if on_text is not None:
                            made[0].tell(on_text)
                        if any(one.cut for one in made) and all(one.reason for one in made):
                            return read
        if not all(one.reason for one in made):
            raise EngineError(f"{self.url} ended in the middle of its answer")
        return read

    async def _named(self, http: httpx.AsyncClient, base: str, adapter: str | None) -> str:
        """The model's name at the server; loads an adapter that it does not have."""
        if adapter is None:
            return self._model or base
        folder = Path(adapter).resolve()
        name = folder.name
        if name in self._there:
            return name
        if not (folder / "adapter_config.json").is_file():
            raise AdapterError(f"expected a LoRA adapter in {folder}: a server loads no other")
        listed = await http.get("/v1/models")
        await self._accepted(listed)
        if name not in [one["id"] for one in listed.json()["data"]]:
            load = {"lora_name": name, "lora_path": str(folder)}
            answer = await http.post("/v1/load_lora_adapter", json=load)
            if answer.status_code in (404, 405):
                raise EngineError(
                    f"{self.url} loads no adapters: start vLLM with --enable-lora and "
                    "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, or ask for the base"
                )
            if not answer.is_success:
                raise AdapterError(f"{self.url} does not load {folder}: {reason_of(answer)}")
        self._there.add(name)
        return name

    async def _accepted(self, answer: httpx.Response) -> None:
        """Turns a refusal into an error of ours."""
        if answer.is_success:
            return
        await answer.aread()
        self._there.clear()  # it may have been started anew
        reason = reason_of(answer)
        if answer.status_code == 400 and "context length" in reason:
            raise PromptTooLong(reason)
        raise EngineError(f"{self.url} refused the request ({answer.status_code}): {reason}")

    async def _told(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The work's answer; what a connection or an odd answer raises becomes one line."""
        try:
            return await work
        except httpx.TimeoutException as error:
            raise EngineError(f"{self.url} does not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EngineError(f"{self.url} does not answer: {error}") from error
        except (msgspec.MsgspecError, ValueError, LookupError, TypeError) as error:
            raise EngineError(f"{self.url} does not answer as OpenAI's API does") from error

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url, headers=self._headers, timeout=_TIMES, trust_env=False
        )


async def _unless(cancelled: threading.Event | None, work: Coroutine[Any, Any, int]) -> int | None:
    """The work's answer; None if it was cancelled before."""
    working = asyncio.ensure_future(work)
    while not working.done():
        if cancelled is not None and cancelled.is_set():
            working.cancel()
            await asyncio.wait({working})
            return None
        await asyncio.wait({working}, timeout=None if cancelled is None else _POLL)
    return working.result()
