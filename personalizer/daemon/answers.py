"""Requests and answers over HTTP: records in, JSON out, errors with a type and one line."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from indexer.errors import IndexerError, NotAFolder
from personalizer import errors
from personalizer.engine.wire import Question
from personalizer.errors import BadInput, Cancelled, PersonalizerError

__all__ = ["OPENAI", "body_of", "failure", "json", "question_of", "refusal", "refused", "watched"]

_log = logging.getLogger(__name__)

OPENAI = "/v1"
"""Below this path requests, answers and errors have OpenAI's shapes."""

T = TypeVar("T")

_STATUS: list[tuple[type[Exception], int]] = [
    (errors.NoSuchMethod, 404),
    (errors.NoSuchJob, 404),
    (errors.AdapterError, 404),
    (errors.BaseTooLarge, 507),
    (errors.BaseModelError, 404),
    (errors.TooLarge, 413),
    (errors.TooSlow, 408),
    (errors.BadInput, 400),
    (errors.PromptTooLong, 400),
    (errors.SettingsError, 400),
    (NotAFolder, 400),
    (errors.Busy, 409),
    (errors.Cancelled, 499),
    (errors.EngineError, 502),
    (errors.TooBusy, 503),
    (errors.StorageError, 507),
    (IndexerError, 507),
    (PersonalizerError, 500),
]
"""The first class that fits decides; 499 is nginx's "client closed the request"."""


async def body_of(request: Request, kind: type[T]) -> T:
    """The record in a request's body.

    Raises:
        BadInput: If it is none; names the key.
        Cancelled: If the client hung up in the middle.
    """
    whole = await _whole(request)
    try:
        return msgspec.json.decode(whole, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"expected {kind.__name__} as JSON: {error}") from error


async def question_of(request: Request) -> Question:
    """What the engine is asked; raises as ``body_of``."""
    whole = await _whole(request)
    try:
        question: Question = msgspec.msgpack.decode(whole, type=Question)
        return question
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"expected a question to the engine: {error}") from error


async def _whole(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect as error:
        raise Cancelled("the client hung up before its request was whole") from error


def json(value: object, status: int = 200) -> Response:
    """An answer."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def refused(path: str, error: Exception, code: str | None = None) -> Response:
    """The answer to a request that has failed; ``code`` as ``refusal`` has it."""
    status, body = failure(error)
    return refusal(path, status, **body["error"], code=code)


def refusal(path: str, status: int, message: str, type: str, code: str | None = None) -> Response:
    """An error as who asks at a path reads it.

    Args:
        path: Of the request.
        status: Of the answer.
        message: One line for the user.
        type: Name of an exception.
        code: In OpenAI's shape, instead of that name.
    """
    error: dict[str, str | None] = {"message": message, "type": type}
    if f"{path}/".startswith(f"{OPENAI}/"):
        kind = "invalid_request_error" if 400 <= status < 500 else "server_error"
        error |= {"type": kind, "param": None, "code": code or type}
    return json({"error": error}, status)


async def watched(request: Request, work: Coroutine[Any, Any, T], cancelled: threading.Event) -> T:
    """Awaits work; sets its event when the client hangs up meanwhile.

    The work is awaited even then, so that whatever it holds is given back.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            cancelled.set()
        return await working
    except BaseException:
        cancelled.set()
        raise
    finally:
        watching.cancel()


async def _gone(request: Request) -> None:
    """Returns when the client has hung up; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def failure(error: Exception) -> tuple[int, dict[str, Any]]:
    """HTTP status and body for an error; what nobody expected is logged, not shown."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status, {"error": {"message": str(error), "type": type(error).__name__}}
    _log.error("a request failed", exc_info=error)
    message = f"the daemon failed ({type(error).__name__}): its log says why"
    return 500, {"error": {"message": message, "type": "DaemonError"}}
