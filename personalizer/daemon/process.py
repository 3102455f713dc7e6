"""The daemon's process: one a user, on a private socket, gone when nobody has asked for long."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

import msgspec
import psutil
import uvicorn
from filelock import FileLock, Timeout

from personalizer import __version__, settings
from personalizer.daemon import endpoint, loopback, machine
from personalizer.daemon.app import Activity, create
from personalizer.daemon.bounds import HeadInTime
from personalizer.daemon.client import describe, start, stop
from personalizer.daemon.jobs import JobCommand, Jobs, job_command
from personalizer.daemon.logs import keep_log
from personalizer.daemon.service import Service
from personalizer.engine.child import ChildEngine
from personalizer.engine.remote import RemoteEngine, remote_engine
from personalizer.errors import Busy, StorageError
from personalizer.storage import daemon_folder, unwritable, write_atomically

__all__ = ["describe", "run", "start", "stop"]

_log = logging.getLogger(__name__)

_LAST_ANSWERS = 3
"""Seconds that requests under way have when the daemon ends."""
_PATIENCE = 60.0
"""Seconds that a training waits for requests under way, where they share an accelerator."""


def run(*, job: JobCommand = job_command, engine_command: Sequence[str] | None = None) -> None:
    """Runs the daemon until it is told to end or was idle for long.

    Args:
        job: Makes a job's command line.
        engine_command: Instead of the engine child's own command line.

    Raises:
        Busy: If a daemon of this user runs already.
        StorageError: If the data folder cannot be written.
        SettingsError: If the user's settings cannot be.
    """
    keep_log(endpoint.log_file())
    chosen = settings.load().settings
    endpoint.private_folder(daemon_folder())
    with _only_one(), _listening() as (listener, address):
        engine = remote_engine(chosen) or ChildEngine(
            chosen.threads,
            unload_minutes=chosen.unload_minutes,
            log=daemon_folder() / "engine.log",
            command=engine_command,
        )
        jobs = Jobs(job, before_start=lambda: _make_way(engine))
        try:
            jobs.start()
            service = Service(engine, jobs, address)
            listeners = [listener]
            if chosen.loopback:
                second, service.url = loopback.listening()
                listeners.append(second)
            service.automatic.start()
            try:
                asyncio.run(_serve(service, listeners, idle_seconds=chosen.idle_minutes * 60))
            finally:
                for one in listeners:
                    one.close()
                service.automatic.stop()
                service.validators.close()
        finally:
            engine.close()
            jobs.stop()
    _log.info("the daemon has ended")


def _make_way(engine: ChildEngine | RemoteEngine) -> None:
    """Gives a training the accelerator's memory; on a processor the model stays where it is."""
    if isinstance(engine, ChildEngine) and engine.pid and machine.holds_accelerator(engine.pid):
        engine.unload(_PATIENCE)


@contextmanager
def _only_one() -> Iterator[None]:
    lock = FileLock(endpoint.lock_file(), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise Busy("a daemon runs already: see `personalizer daemon status`") from error
    except OSError as error:
        raise unwritable(endpoint.lock_file(), error) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _listening() -> Iterator[tuple[socket.socket, str]]:
    """The private socket, and the note that names it; what a dead daemon left is cleared."""
    path = endpoint.socket_file()
    endpoint.private_folder(path.parent)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        except OSError as error:
            raise StorageError(f"cannot listen at {path}: {error.strerror}") from error
        finally:
            os.umask(mask)
        listener.listen(1024)
        born = endpoint.born(psutil.Process())
        note = endpoint.Note(os.getpid(), born, str(path), __version__)
        write_atomically(endpoint.note_file(), msgspec.json.encode(note))
        try:
            yield listener, str(path)
        finally:
            for file in (endpoint.note_file(), path):
                file.unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """uvicorn, with signals left to us: a SIGTERM is a clean end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        def end(number: int, frame: FrameType | None) -> None:
            self.should_exit = True

        before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def _serve(service: Service, listeners: list[socket.socket], idle_seconds: float) -> None:
    activity = Activity()
    server = _Server(
        uvicorn.Config(
            create(service, activity),
            log_config=None,
            access_log=False,
            http=HeadInTime,
            lifespan="on",
            timeout_graceful_shutdown=_LAST_ANSWERS,
        )
    )
    ending = asyncio.create_task(_end_when_idle(server, service, activity, idle_seconds))
    try:
        await server.serve(sockets=listeners)
    finally:
        ending.cancel()
        with suppress(asyncio.CancelledError):
            await ending


async def _end_when_idle(
    server: uvicorn.Server, service: Service, activity: Activity, seconds: float
) -> None:
    while not server.should_exit:
        await asyncio.sleep(min(5.0, seconds / 4))
        if activity.idle_seconds > seconds and not service.jobs.queue.busy:
            _log.info("nobody has asked for %.0f seconds", seconds)
            server.should_exit = True
