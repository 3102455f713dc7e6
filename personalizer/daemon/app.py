"""The daemon's HTTP API; what it does is in ``service``, ``jobs`` and ``openai``."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from indexer.errors import IndexerError
from personalizer.daemon import openai
from personalizer.daemon.answers import body_of, json, question_of, refusal, refused
from personalizer.daemon.bounds import Bounds, Turns, WholeOnly
from personalizer.daemon.endpoint import folder_of
from personalizer.daemon.loopback import TokenOnly
from personalizer.daemon.page import Door, ServicePages
from personalizer.daemon.protocol import (
    EvaluateRequest,
    Evaluation,
    GenerateRequest,
    Job,
    JobRequest,
    MeasureRequest,
    PlaceRequest,
    SnippetRequest,
    Status,
    TrainRequest,
    ViewAct,
)
from personalizer.daemon.schema import described, document
from personalizer.daemon.service import Service
from personalizer.daemon.streaming import generation_events
from personalizer.errors import PersonalizerError

__all__ = ["Activity", "create"]

_WATCH = 0.2
"""Seconds between two looks at a job whose events are followed."""


class Activity:
    """Counts requests, so that an unused daemon can end."""

    def __init__(self) -> None:
        self.running = 0
        self.last = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Time since the last request ended; 0 while one runs."""
        return 0.0 if self.running else time.monotonic() - self.last


class _Counted:
    """ASGI middleware that keeps an ``Activity``."""

    def __init__(self, app: ASGIApp, activity: Activity) -> None:
        self._app = app
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._activity.running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._activity.running -= 1
            self._activity.last = time.monotonic()


def create(service: Service, activity: Activity) -> FastAPI:
    """The application."""
    pages = ServicePages(service)

    def counted(app: FastAPI) -> None:
        app.add_middleware(_Counted, activity=activity)
        app.add_middleware(WholeOnly)  # around it: waiting for a body is nobody's activity

    door = Door(pages, counted)

    @asynccontextmanager
    async def until_the_end(_: FastAPI) -> AsyncIterator[None]:
        yield
        await door.close()

    app = FastAPI(title="Personalizer", docs_url=None, redoc_url=None, lifespan=until_the_end)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    app.add_middleware(Bounds)
    counted(app)
    if service.url is not None:
        app.add_middleware(TokenOnly)
    turns = Turns()
    app.include_router(openai.router(service, turns))
    jobs = service.jobs

    @app.exception_handler(PersonalizerError)
    @app.exception_handler(IndexerError)
    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return refused(request.url.path, error)

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        message = f"{request.method} {request.url.path}: {error.detail}"
        return refusal(request.url.path, error.status_code, message, "BadInput")

    @app.get("/api/health", **described())
    def health() -> Response:
        return json(service.health())

    @app.post("/api/generate", **described(GenerateRequest, streams=True))
    async def generate(request: Request) -> Response:
        asked = await body_of(request, GenerateRequest)
        if asked.stream:
            await run_in_threadpool(service.check, asked)  # an error has a status of its own
            events = generation_events(service, turns, asked)
            return StreamingResponse(events, media_type="text/event-stream")
        return json(await turns.unless_gone(request, lambda gone: service.generate(asked, gone)))

    @app.post("/api/place", **described(PlaceRequest))
    async def place_test(request: Request) -> Response:
        asked = await body_of(request, PlaceRequest)
        return json(await run_in_threadpool(service.place, asked))

    @app.post("/api/snippet", **described(SnippetRequest))
    async def snippet(request: Request) -> Response:
        asked = await body_of(request, SnippetRequest)
        return json(await turns.unless_gone(request, lambda gone: service.snippet(asked, gone)))

    @app.post("/api/engine", include_in_schema=False)  # for commands of ours, not for programs
    async def engine(request: Request) -> Response:
        asked = await question_of(request)
        made = await turns.unless_gone(request, lambda gone: service.ask_engine(asked, gone))
        return Response(msgspec.msgpack.encode(made), media_type="application/msgpack")

    @app.get("/api/status", **described(gives=Status))
    def status(workspace: str = "") -> Response:
        return json(service.status(workspace))

    @app.post("/api/train", **described(JobRequest, Job, 202))
    async def train(request: Request) -> Response:
        asked = await _job_of(request)
        return json(await run_in_threadpool(jobs.submit, asked), 202)

    @app.get("/api/jobs", **described(gives=list[Job]))
    def list_jobs() -> Response:
        return json(jobs.queue.all())

    @app.get("/api/jobs/{job_id}", **described(gives=Job))
    def one_job(job_id: str) -> Response:
        return json(jobs.queue.get(job_id))

    @app.get("/api/jobs/{job_id}/events", **described(gives=None, streams=True))
    def events(job_id: str) -> Response:
        return StreamingResponse(
            _events(service, jobs.queue.get(job_id)), media_type="text/event-stream"
        )

    @app.post("/api/jobs/{job_id}/cancel", **described(gives=Job))
    def cancel(job_id: str) -> Response:
        return json(jobs.queue.cancel(job_id))

    @app.get("/api/adapters", **described())
    def adapters(workspace: str = "") -> Response:
        return json(pages.adapters(str(folder_of(workspace))))

    @app.post("/api/act", **described(ViewAct))
    async def act(request: Request, workspace: str = "") -> Response:
        asked = await body_of(request, ViewAct)
        return json({"said": await run_in_threadpool(pages.act, str(folder_of(workspace)), asked)})

    @app.get("/api/page", **described())
    def page(workspace: str = "") -> Response:
        nonce = secrets.token_urlsafe(16)
        own = f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'"
        return json({"html": pages.page(str(folder_of(workspace)), nonce, own)})

    @app.post("/api/view", **described())
    async def view(workspace: str = "") -> Response:
        root = str(folder_of(workspace))
        await run_in_threadpool(pages.view, root)
        return json({"url": await door.open(root)})

    return app


@dataclass(frozen=True, slots=True)
class JobKeys:
    """The keys by which a job's request says what it is."""

    measure: bool = False
    evaluate: Evaluation | None = None


async def _job_of(request: Request) -> JobRequest:
    """The record in the body of ``/api/train``; raises as ``body_of``."""
    asked = await body_of(request, JobKeys)
    if asked.evaluate is not None:
        return await body_of(request, EvaluateRequest)
    return await body_of(request, MeasureRequest if asked.measure else TrainRequest)


async def _events(service: Service, job: Job) -> AsyncIterator[bytes]:
    """A job each time it changes, up to its end."""
    while True:
        yield b"data: " + msgspec.json.encode(job) + b"\n\n"
        if not job.unfinished:
            return
        before = job
        while job == before:
            await asyncio.sleep(_WATCH)
            job = await run_in_threadpool(service.jobs.queue.get, job.id)
