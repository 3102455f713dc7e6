"""Asking the daemon, and starting it where none runs. Free of torch; calls block.

Each call makes a connection of its own, so a client may be used from several threads, and a call
that ends early hangs up, which cancels its work in the daemon.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec
import psutil

import indexer.errors
from personalizer import __version__, errors
from personalizer.daemon import endpoint
from personalizer.daemon.protocol import (
    GenerateRequest,
    Job,
    JobRequest,
    PlaceRequest,
    SnippetRequest,
    ViewAct,
)
from personalizer.daemon.queue import Queue, without_daemon
from personalizer.errors import (
    Cancelled,
    DaemonError,
    NotListening,
    PersonalizerError,
    StorageError,
    Unreachable,
)
from personalizer.processes import environment, module_command
from personalizer.storage import disk_is_full, unwritable

if TYPE_CHECKING:
    import httpx

__all__ = ["Client", "connect", "describe", "start", "stop"]

_START_SECONDS = 20.0
"""Longest wait for a daemon to answer; half a second is usual."""
_STOP_SECONDS = 20.0
_POLL = 0.02
"""Seconds within which a cancellation is seen."""

T = TypeVar("T")
Json = dict[str, Any]
OnCandidate = Callable[[int, Json], None]


def connect(start: bool = True, *, command: Sequence[str] | None = None) -> Client:
    """A client of the daemon that runs, or of one that is started now.

    Args:
        start: Whether to start one where none runs; one of another version is replaced.
        command: Instead of the daemon's own command line.

    Raises:
        DaemonError: If none runs, or none can be started.
        Unreachable: If one runs and does not answer.
        PersonalizerError: As the one that runs, if it fails.
    """
    try:
        found = _answering()
    except Unreachable:
        if not start:
            raise
        found = None  # it begins, ends, or has too much to do
    if found is not None and (not start or found[1]["version"] == __version__):
        return found[0]
    if not start:
        raise DaemonError("no daemon runs: start it with `personalizer daemon start`")
    if found is not None:
        stop()
    return _started(list(command or module_command("personalizer.daemon")))


def start() -> None:
    """Starts the daemon unless it runs.

    Raises:
        DaemonError: If it cannot be started; names its log.
    """
    connect(start=True)


def stop() -> None:
    """Ends the daemon, if one runs; its jobs go on when the next one starts."""
    note = endpoint.read_note()
    if note is None or (process := _process(note)) is None:
        return
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_STOP_SECONDS)


def describe() -> Json:
    """Whether the daemon runs, and where: the JSON of ``personalizer daemon status``.

    What is not known of it is None. ``error`` says why one that lives tells nothing of itself, or
    why nobody knows what is queued.
    """
    note = endpoint.read_note()
    try:
        found = _answering()
    except PersonalizerError as error:
        assert note is not None
        alive = {"running": True, "pid": note.pid, "version": note.version, "socket": note.socket}
        return _UNKNOWN | _left() | alive | {"error": str(error)}
    if found is None:
        return _UNKNOWN | _left()
    return {"error": None} | found[1]


_UNKNOWN: Json = {"running": False} | dict.fromkeys(
    ("pid", "version", "socket", "url", "token_file", "uptime_seconds", "engine")
)
"""What ``Client.health`` tells, of a daemon that does not run."""


def _left() -> Json:
    """What is known of the daemon from its files."""
    nothing: list[Job] = []
    error = None
    try:
        jobs = without_daemon(Queue.unfinished, nothing)
    except StorageError as unreadable:
        jobs, error = nothing, str(unreadable)
    return {"error": error, "log": str(endpoint.log_file()), "jobs": msgspec.to_builtins(jobs)}


class Client:
    """The daemon behind one socket.

    Every call raises what the daemon raised, and ``Unreachable`` when none answers.
    """

    def __init__(self, address: str) -> None:
        self.socket = address

    def health(self) -> Json:
        """What runs: pid, version, uptime, whether the model is loaded."""
        return self._ask("GET", "/api/health", dict, seconds=5.0)

    def generate(
        self,
        request: GenerateRequest,
        *,
        cancelled: threading.Event | None = None,
        on_candidate: OnCandidate | None = None,
    ) -> Json:
        """A unit test: the JSON of ``personalizer generate``.

        Args:
            request: Where, and how many.
            cancelled: Once set, the call hangs up and raises.
            on_candidate: Called with a number and a candidate when it is made, and again, with the
                same number, when it was tried.

        Raises:
            Cancelled: If ``cancelled`` was set.
        """
        if on_candidate is not None:
            request, cancelled = replace(request, stream=True), cancelled or threading.Event()
        ways: Any = {"cancelled": cancelled, "heard": on_candidate}
        return self._ask("POST", "/api/generate", dict, request, **ways)

    def place(self, request: PlaceRequest) -> Json:
        """The edit that adds one candidate of a generation to the project."""
        return self._ask("POST", "/api/place", dict, request)

    def snippet(self, request: SnippetRequest, *, cancelled: threading.Event | None = None) -> Json:
        """A method's body: the JSON of ``personalizer snippet``; as ``generate``."""
        return self._ask("POST", "/api/snippet", dict, request, cancelled=cancelled)

    def status(self, workspace: str) -> Json:
        """The JSON of ``personalizer status``."""
        return self._ask("GET", "/api/status", dict, parameters={"workspace": workspace})

    def adapters(self, workspace: str) -> Json:
        """Adapters, the newest first, and which one serves."""
        return self._ask("GET", "/api/adapters", dict, parameters={"workspace": workspace})

    def act(self, workspace: str, act: ViewAct) -> str:
        """Uses an adapter, rolls back, trains or cancels; what to tell the user."""
        parameters = {"workspace": workspace}
        told: dict[str, str] = self._ask("POST", "/api/act", dict, act, parameters=parameters)
        return told["said"]

    def page(self, workspace: str) -> str:
        """The status view as one HTML document, for an editor's panel."""
        made: dict[str, str] = self._ask(
            "GET", "/api/page", dict, parameters={"workspace": workspace}
        )
        return made["html"]

    def view(self, workspace: str) -> str:
        """The address that opens the status view in a browser, once, within a minute."""
        made: dict[str, str] = self._ask(
            "POST", "/api/view", dict, parameters={"workspace": workspace}
        )
        return made["url"]

    def train(self, request: JobRequest) -> Job:
        """Has a job done in the background; an equal one under way is not doubled."""
        return self._ask("POST", "/api/train", Job, request)

    def jobs(self) -> list[Job]:
        """Trainings, the newest first."""
        return self._ask("GET", "/api/jobs", list[Job])

    def job(self, job_id: str) -> Job:
        """A training as it is now."""
        return self._ask("GET", f"/api/jobs/{job_id}", Job)

    def cancel(self, job_id: str) -> Job:
        """Asks a training to end."""
        return self._ask("POST", f"/api/jobs/{job_id}/cancel", Job)

    def engine(self, question: bytes, *, cancelled: threading.Event | None = None) -> bytes:
        """What the daemon's engine answers; ``daemon.engine`` knows what the bytes are."""
        return self._answer("POST", "/api/engine", question, cancelled=cancelled).content

    def close(self) -> None:
        """Nothing stays open between calls; here for ``with``."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        body: object = None,
        **ways: Any,
    ) -> T:
        content = None if body is None else msgspec.json.encode(body)
        response = self._answer(method, path, content, **ways)
        try:
            return msgspec.json.decode(response.content, type=answer)
        except msgspec.DecodeError as error:
            raise DaemonError(f"the daemon's answer cannot be read: {error}") from error

    def _answer(
        self,
        method: str,
        path: str,
        content: bytes | None,
        *,
        parameters: dict[str, str] | None = None,
        seconds: float | None = None,
        cancelled: threading.Event | None = None,
        heard: OnCandidate | None = None,
    ) -> httpx.Response:
        self._knock()
        import asyncio  # both take longer to load than a status without a daemon takes

        import httpx

        asked: Any = {
            "method": method,
            "url": path,
            "params": parameters,
            "content": content,
            "timeout": httpx.Timeout(seconds, connect=5.0),
        }
        try:
            if cancelled is None:
                transport = httpx.HTTPTransport(uds=self.socket, verify=False)
                with httpx.Client(transport=transport, **_PLAIN) as http:
                    response = http.request(**asked)
            else:
                response = asyncio.run(self._ask_until(cancelled, asked, heard))
        except (httpx.RemoteProtocolError, httpx.ReadError) as error:
            raise Unreachable("the daemon ended while it worked: ask again") from error
        except httpx.HTTPError as error:
            raise Unreachable(
                f"the daemon does not answer: {error or type(error).__name__}"
            ) from error
        if response.is_error:
            raise _error(response)
        return response

    def _knock(self) -> None:
        """Refuses early where nobody listens: httpcore 1.0 leaks the socket of a refused call."""
        try:
            with socket.socket(socket.AF_UNIX) as door:
                door.connect(self.socket)
        except OSError as error:
            none = NotListening(f"the daemon does not answer: {error.strerror}")
            none.ended_well = isinstance(error, FileNotFoundError)
            raise none from error

    async def _ask_until(
        self, cancelled: threading.Event, asked: Any, heard: OnCandidate | None
    ) -> httpx.Response:
        import asyncio

        import httpx

        transport = httpx.AsyncHTTPTransport(uds=self.socket, verify=False)
        async with httpx.AsyncClient(transport=transport, **_PLAIN) as http:
            asking = _streamed(http, asked, heard) if heard else http.request(**asked)
            answer = asyncio.create_task(asking)
            while not answer.done():
                if cancelled.is_set():
                    answer.cancel()
                    raise Cancelled("the request was cancelled")
                await asyncio.wait({answer}, timeout=_POLL)
            return answer.result()


async def _streamed(http: httpx.AsyncClient, asked: Any, heard: OnCandidate) -> httpx.Response:
    """The last of the server-sent events, as if it had been the whole answer."""
    import httpx
    from httpx_sse import EventSource

    last = None
    async with http.stream(**asked) as response:
        if response.is_error:
            await response.aread()
            return response
        async for last in EventSource(response).aiter_sse():
            if last.event == "candidate":
                told = msgspec.json.decode(last.data)
                heard(told.pop("number"), told)
    if last is None or last.event == "candidate":
        raise httpx.RemoteProtocolError("it ended in the middle of its answer")
    return httpx.Response(500 if last.event == "error" else 200, content=last.data.encode())


_PLAIN: Any = {"base_url": "http://daemon", "trust_env": False}
"""No proxies: nothing of this leaves the machine. (Nor is there any TLS on a Unix socket, so
``verify=False`` saves reading the certificates, 80 ms a call.)"""


def _error(response: httpx.Response) -> Exception:
    """What the daemon raised, as the class it was."""
    try:
        told = msgspec.json.decode(response.content)["error"]
        name, message = str(told["type"]), str(told["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return DaemonError(f"the daemon answered {response.status_code}")
    for module in (errors, indexer.errors):
        if name in module.__all__:
            made: Exception = getattr(module, name)(message)
            return made
    return DaemonError(message)


def _answering() -> tuple[Client, Json] | None:
    """The daemon that runs, with its health; None where none does.

    Raises:
        Unreachable: If it does not answer.
        PersonalizerError: If it answers with an error.
    """
    note = endpoint.read_note()
    if note is None or _process(note) is None:
        return None
    client = Client(note.socket)
    return client, client.health()


def _process(note: endpoint.Note) -> psutil.Process | None:
    """The daemon's process; None when it is gone and its pid perhaps somebody else's."""
    try:
        process = psutil.Process(note.pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return process if alive and abs(endpoint.born(process) - note.born) < 2 else None
    except psutil.Error:
        return None


def _started(command: list[str]) -> Client:
    """Starts a daemon that outlives us, and waits until one answers, be it another's.

    Raises:
        Unreachable: If one runs that does not answer.
        DaemonError: If none could be started.
    """
    log = endpoint.log_file()
    endpoint.private_folder(log.parent)
    process = _begun(command, log)
    silent: Unreachable | None = None
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        try:
            found, silent = _answering(), None
        except Unreachable as error:
            found, silent = None, error
        if found is not None:
            return found[0]
        if process.returncode not in (None, 0):
            break
        if process.returncode == 0 and silent is None:  # it made way for one that is gone by now
            process = _begun(command, log)
        time.sleep(_POLL)
    if silent is not None:
        raise Unreachable(f"{silent}, and runs: `personalizer daemon stop` ends it") from silent
    if disk_is_full(log.parent):
        raise DaemonError(f"the daemon did not start: the disk of {log.parent} is full: make room")
    raise DaemonError(f"the daemon did not start{_last_words(log)}: see {log}")


def _begun(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Starts a daemon; a thread waits for its end."""
    try:
        with log.open("ab") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=environment(),
                cwd=log.parent,
                start_new_session=True,
            )
    except OSError as error:
        if error.filename == str(log):
            raise unwritable(log, error) from error
        raise DaemonError(f"the daemon cannot be started: {error}") from error
    threading.Thread(target=process.wait, name="reap-daemon", daemon=True).start()
    return process


def _last_words(log: Path) -> str:
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 2000))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
        if lines:
            return f" ({lines[-1][:300]})"
    return ""
