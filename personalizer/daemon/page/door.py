"""The view in a browser: a second listener on loopback, open only while somebody looks.

Whoever knows a view's one-time token gets its cookie, and with it one workspace. Names other than
127.0.0.1 and pages of other origins are refused, so neither a rebound name nor another site's
script reaches it.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from indexer.errors import IndexerError
from personalizer.daemon.answers import body_of, failure, json
from personalizer.daemon.bounds import HeadInTime
from personalizer.daemon.protocol import ViewAct
from personalizer.errors import PersonalizerError

__all__ = ["Door", "Pages"]

_TOKEN_SECONDS = 60.0
"""A token that nobody came with is worth nothing afterwards."""
_AWAY_SECONDS = 30.0
"""A view that nobody looks at any more is closed after this time; a reload takes less."""
_TICK = 0.5
"""Seconds between two looks at whether something changed."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Pages(Protocol):
    """What the door shows. Calls block."""

    def page(self, root: str, nonce: str) -> str:
        """The page of a workspace."""

    def mark(self, root: str) -> object:
        """Something that differs whenever the page would."""

    def act(self, root: str, act: ViewAct) -> str:
        """Does what a button says; what to tell the user."""


@dataclass
class _View:
    """One browser's look at one workspace."""

    root: str
    server: _Server
    """The listener that it was opened at; it ends with it."""
    token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32))
    """None once it was used."""
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    made: float = field(default_factory=time.monotonic)
    seen: float = field(default_factory=time.monotonic)
    followers: int = 0

    @property
    def over(self) -> bool:
        now = time.monotonic()
        if self.token is not None:
            return now - self.made > _TOKEN_SECONDS
        return self.followers == 0 and now - self.seen > _AWAY_SECONDS


class Door:
    """Listens while there is a view.

    Args:
        pages: What is shown.
        wrap: Around the application, to count its requests.
    """

    def __init__(self, pages: Pages, wrap: Callable[[FastAPI], None] = lambda app: None) -> None:
        self._pages = pages
        self._views: dict[str, _View] = {}
        self._server: _Server | None = None
        """The listener that takes new views."""
        self._serving: dict[_Server, asyncio.Task[None]] = {}
        """Until each one's graceful end is over; the next may listen by then."""
        self._port = 0
        self._app = self._made()
        wrap(self._app)

    @property
    def port(self) -> int | None:
        """Of the listener; None while there is none."""
        return self._port if self._server is not None else None

    async def open(self, root: str) -> str:
        """A new view of a workspace: the address that opens it, once, within a minute."""
        if self._server is None:
            self._server = self._listening()
        name, view = secrets.token_urlsafe(6), _View(root, self._server)
        self._views[name] = view
        return f"http://127.0.0.1:{self._port}/{name}/open?token={view.token}"

    async def close(self) -> None:
        """Ends every view."""
        self._views.clear()
        for server in self._serving:
            server.should_exit = True
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._serving.values())

    def _listening(self) -> _Server:
        listener = socket.socket(socket.AF_INET)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self._port = listener.getsockname()[1]
        server = _Server(
            uvicorn.Config(
                self._app,
                log_config=None,
                access_log=False,
                http=HeadInTime,
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        self._serving[server] = asyncio.create_task(self._serve(server, listener))
        return server

    async def _serve(self, server: _Server, listener: socket.socket) -> None:
        closing = asyncio.create_task(self._close_when_over(server))
        try:
            await server.serve(sockets=[listener])
        finally:
            closing.cancel()
            listener.close()
            del self._serving[server]
            if self._server is server:
                self._server = None

    async def _close_when_over(self, server: _Server) -> None:
        while not server.should_exit:
            await asyncio.sleep(_TICK)
            self._views = {name: one for name, one in self._views.items() if not one.over}
            if not self._views:
                self._server = None  # a view that is asked for now gets a listener of its own
                server.should_exit = True

    # ------------------------------------------------------------ over HTTP

    def _made(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.middleware("http")
        async def guard(
            request: Request, go_on: Callable[[Request], Awaitable[Response]]
        ) -> Response:
            refused = _refused(request.headers, request.method, request.scope["server"][1])
            answer = _no(403, refused) if refused else await go_on(request)
            for name, value in _HEADERS.items():
                answer.headers.setdefault(name, value)
            return answer

        @app.exception_handler(PersonalizerError)
        @app.exception_handler(IndexerError)
        @app.exception_handler(Exception)
        async def failed(request: Request, error: Exception) -> Response:
            status, body = failure(error)
            return json(body, status)

        @app.get("/{name}/open")
        async def enter(name: str, token: str = "") -> Response:
            view = self._views.get(name)
            right = view is not None and view.token is not None and not view.over
            if view is None or not right or not _same(token, view.token or ""):
                return _no(403, "this address was used, or is too old: ask for a new one")
            view.token, view.seen = None, time.monotonic()
            answer = RedirectResponse(f"/{name}/", 303)
            answer.set_cookie(  # strict would not let it come here from the file that leads here
                _COOKIE, view.cookie, path=f"/{name}/", httponly=True, samesite="lax"
            )
            return answer

        @app.get("/{name}/")
        async def page(request: Request, name: str) -> Response:
            if (view := self._known(request, name)) is None:
                return _no(403, _STRANGER)
            nonce = secrets.token_urlsafe(16)
            html = await run_in_threadpool(self._pages.page, view.root, nonce)
            return HTMLResponse(html, headers={"Content-Security-Policy": policy(nonce)})

        @app.get("/{name}/events")
        async def events(request: Request, name: str) -> Response:
            if (view := self._known(request, name)) is None:
                return _no(403, _STRANGER)
            return StreamingResponse(self._events(view), media_type="text/event-stream")

        @app.post("/{name}/act")
        async def act(request: Request, name: str) -> Response:
            if (view := self._known(request, name)) is None:
                return _no(403, _STRANGER)
            asked = await body_of(request, ViewAct)
            return json({"said": await run_in_threadpool(self._pages.act, view.root, asked)})

        return app

    def _known(self, request: Request, name: str) -> _View | None:
        """The view of a name, if the browser has its cookie."""
        view, cookie = self._views.get(name), request.cookies.get(_COOKIE, "")
        if view is None or view.token or not _same(cookie, view.cookie):
            return None
        view.seen = time.monotonic()
        return view

    async def _events(self, view: _View) -> AsyncIterator[bytes]:
        """A message each time the page would differ, as long as the browser listens."""
        view.followers += 1
        try:
            before = await run_in_threadpool(self._pages.mark, view.root)
            yield b"data: opened\n\n"
            while not view.server.should_exit:
                await asyncio.sleep(_TICK)
                now = await run_in_threadpool(self._pages.mark, view.root)
                if now != before:
                    before = now
                    yield b"data: changed\n\n"
        finally:
            view.followers -= 1
            view.seen = time.monotonic()


def _same(given: str, secret: str) -> bool:
    """Whether a secret was given; in the same time whatever was."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), secret.encode())


_COOKIE = "personalizer_view"
_STRANGER = "this view is not open here: run `personalizer status --web`"


def policy(nonce: str) -> str:
    """The content security policy of a page: its own style and script, nothing else."""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _refused(headers: Mapping[str, str], method: str, port: int) -> str | None:
    """Why a request is not from a page of ours; None where it is."""
    here = f"127.0.0.1:{port}"
    if headers.get("host") != here:
        return f"expected the host {here}"
    origin = headers.get("origin")
    if origin not in (None, f"http://{here}") or (origin is None and method != "GET"):
        return f"expected the origin http://{here}"
    return None


def _no(status: int, why: str) -> Response:
    return json({"error": {"message": why, "type": "BadInput"}}, status)


class _Server(uvicorn.Server):
    """uvicorn beside the daemon's own, which keeps the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
