"""A second way in, where the user wants one: 127.0.0.1, for programs that know no Unix sockets.

Whoever can read the token's file (mode 0600) may ask; every other request is refused.
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from personalizer.daemon.answers import refusal
from personalizer.errors import StorageError
from personalizer.storage import daemon_folder, write_atomically

__all__ = ["TokenOnly", "listening", "token_file"]


def token_file() -> Path:
    return daemon_folder() / "token"


def listening() -> tuple[socket.socket, str]:
    """A listener on a free port, and its address.

    Raises:
        StorageError: If no port can be had.
    """
    listener = socket.socket(socket.AF_INET)
    try:
        listener.bind(("127.0.0.1", 0))
    except OSError as error:
        listener.close()
        raise StorageError(f"cannot listen at 127.0.0.1: {error.strerror}") from error
    listener.listen(1024)
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


class TokenOnly:
    """ASGI middleware: what comes over loopback must bear the token.

    Raises:
        StorageError: If the token cannot be kept.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._wanted = f"Bearer {_token()}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _over_loopback(scope):
            given = Headers(scope=scope).get("authorization", "").encode()
            if not secrets.compare_digest(given, self._wanted):
                message = f"expected the bearer token that {token_file()} holds"
                answer = refusal(scope["path"], 401, message, "BadInput")
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _over_loopback(scope: Scope) -> bool:
    """Whether a request came by a port; a Unix socket has none."""
    server = scope.get("server")
    return server is not None and server[1] is not None


def _token() -> str:
    """The token, made when first needed."""
    file = token_file()
    try:
        if not file.exists():
            write_atomically(file, secrets.token_urlsafe(32).encode())  # mode 0600
        return file.read_text().strip()
    except OSError as error:
        raise StorageError(f"cannot read {file}: {error.strerror}") from error
