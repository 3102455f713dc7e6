"""The engine in a process of its own: torch's memory goes when the process does.

The process starts with the first request, serves any number of them at once, is started again
when it has died, and ends after some minutes without one. Nothing here imports torch.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from personalizer import errors
from personalizer.engine import Completion, Request
from personalizer.engine.wire import (
    Ask,
    Cancel,
    Done,
    Embed,
    Embedded,
    Failed,
    FromChild,
    Question,
    Text,
    ToChild,
    Warm,
    read,
    write,
)
from personalizer.errors import EngineError
from personalizer.processes import environment, module_command

__all__ = ["ChildEngine"]

_POLL = 0.02
"""Seconds within which a cancellation is seen."""
_LARGEST_LOG = 1_000_000
"""Bytes from which a log is started anew."""


class ChildEngine:
    """Generates in a child process.

    Args:
        threads: CPU threads of the child; 0 leaves it to torch.
        unload_minutes: Time without a request after which the child is ended.
        log: File that takes what the child writes to its standard error; none keeps nothing.
        command: Instead of the child's own command line.
    """

    def __init__(
        self,
        threads: int = 0,
        *,
        unload_minutes: float = 10.0,
        log: Path | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._command = list(
            command or module_command("personalizer.engine.serve", "--threads", str(threads))
        )
        self._unload_seconds = unload_minutes * 60
        self._log = log
        self._changing = threading.Lock()
        self._unused = threading.Condition(self._changing)
        self._child: _Child | None = None
        self._users = 0
        self._idle: threading.Timer | None = None

    url: str | None = None
    """It asks no server."""

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is none."""
        child = self._child
        return child.process.pid if child is not None and child.alive else None

    @property
    def loaded(self) -> bool:
        """Whether the child holds a model, not merely lives."""
        child = self._child
        return child is not None and child.alive and child.loaded

    def generate(
        self,
        request: Request,
        *,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> list[Completion]:
        """See ``Engine.generate``.

        A child that dies under this request alone is started again once. One that dies under
        several fails them all: it is not known which of them killed it.
        """
        given = 0

        def counted(text: str) -> None:
            nonlocal given
            given += 1
            assert on_text is not None
            on_text(text)

        def asked() -> list[Completion]:
            answer = self._ask(
                lambda number: Ask(number, request, stream=on_text is not None),
                on_text and counted,
                cancelled,
            )
            assert isinstance(answer, Done)
            return answer.completions

        try:
            return asked()
        except _Died as death:
            if given or death.requests > 1:
                raise self._error() from None
        try:
            return asked()
        except _Died:
            raise self._error() from None

    def warm(self, base: str, adapter: str | None = None) -> None:
        """See ``Engine.warm``; starts the child too."""
        try:
            self._ask(lambda number: Warm(number, base, adapter), None, None)
        except _Died:
            raise self._error() from None

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """See ``Engine.embed``; starts the child too."""
        try:
            answer = self._ask(lambda number: Embed(number, model, list(texts)), None, None)
        except _Died:
            raise self._error() from None
        assert isinstance(answer, Embedded)
        return answer.rows

    def unload(self, patience: float) -> None:
        """Ends the child once nobody asks it; one that is still asked after so many seconds stays.

        The next request starts another.
        """
        with self._unused:
            self._unused.wait_for(lambda: self._users == 0, patience)
        self._unload()

    def close(self) -> None:
        """Ends the child; the next request starts another."""
        with self._changing:
            self._forget_timer()
            child, self._child = self._child, None
        if child is not None:
            child.end()

    def _ask(
        self,
        message: Callable[[int], Question],
        on_text: Callable[[str], None] | None,
        cancelled: threading.Event | None,
    ) -> Done | Embedded:
        child = self._taken()
        try:
            return child.ask(message, on_text, cancelled)
        finally:
            self._given_back()

    def _error(self) -> EngineError:
        where = f": see {self._log}" if self._log else ""
        return EngineError(f"the engine's process died while it generated{where}")

    def _taken(self) -> _Child:
        with self._changing:
            self._forget_timer()
            if self._child is None or not self._child.alive:
                if self._child is not None:
                    self._child.end()
                self._child = _Child(self._command, self._log)
            self._users += 1
            return self._child

    def _given_back(self) -> None:
        with self._changing:
            self._users -= 1
            if self._users == 0:
                self._unused.notify_all()
            if self._users == 0 and self._child is not None:
                self._idle = threading.Timer(self._unload_seconds, self._unload)
                self._idle.daemon = True
                self._idle.start()

    def _unload(self) -> None:
        with self._changing:
            child = None
            if self._users == 0:
                child, self._child = self._child, None
        if child is not None:
            child.end()

    def _forget_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None


class _Died(Exception):
    """The child ended before it answered."""

    def __init__(self, requests: int = 1) -> None:
        self.requests = requests
        """How many waited for it."""


class _Child:
    """One process and the requests that wait for it.

    Raises:
        EngineError: If it cannot be started.
    """

    def __init__(self, command: list[str], log: Path | None) -> None:
        try:
            self.process = _started(command, log)
        except OSError as error:
            raise EngineError(f"the engine's process cannot be started: {error}") from error
        self.alive = True
        self.loaded = False
        """It has answered, so a model is in its memory."""
        self._writing = threading.Lock()
        self._waiting: dict[int, queue.SimpleQueue[FromChild | _Died]] = {}
        self._changing = threading.Lock()
        self._last = 0
        self._reader = threading.Thread(target=self._read, name="engine-child", daemon=True)
        self._reader.start()

    def ask(
        self,
        message: Callable[[int], Question],
        on_text: Callable[[str], None] | None,
        cancelled: threading.Event | None,
    ) -> Done | Embedded:
        """One request.

        Args:
            message: Makes it, given its number.

        Raises:
            _Died: If the child ended before its answer.
            PersonalizerError: What the engine raised.
        """
        answers: queue.SimpleQueue[FromChild | _Died] = queue.SimpleQueue()
        with self._changing:
            if not self.alive:
                raise _Died
            self._last += 1
            number = self._last
            self._waiting[number] = answers
        answered = told = False
        try:
            self._send(message(number))
            while True:
                if cancelled is not None and cancelled.is_set() and not told:
                    told = True
                    self._send(Cancel(number))
                try:
                    answer = answers.get(timeout=None if cancelled is None or told else _POLL)
                except queue.Empty:
                    continue
                match answer:
                    case _Died():
                        answered = True
                        raise answer
                    case Text(text=text):
                        if on_text is not None:
                            on_text(text)
                    case Done() | Embedded():
                        answered = True
                        return answer
                    case Failed(error=name, message=reason):
                        answered = True
                        raise _error(name, reason)
        finally:
            self._waiting.pop(number, None)
            if not answered and not told:  # the caller's own code raised
                with suppress(_Died):
                    self._send(Cancel(number))

    def end(self) -> None:
        """Asks the child to end by closing its input, and kills one that does not."""
        with suppress(OSError):
            cast(BinaryIO, self.process.stdin).close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()

    def _send(self, message: ToChild) -> None:
        try:
            write(cast(BinaryIO, self.process.stdin), self._writing, message)
        except (OSError, ValueError) as error:  # ValueError: closed by ``end``
            raise _Died from error

    def _read(self) -> None:
        decode = msgspec.msgpack.Decoder(FromChild).decode
        with cast(BinaryIO, self.process.stdout) as stream, suppress(msgspec.DecodeError):
            while (data := read(stream)) is not None:
                message = decode(data)
                self.loaded = self.loaded or isinstance(message, Text | Done)
                waiting = self._waiting.get(message.id)
                if waiting is not None:
                    waiting.put(message)
        with self._changing:
            self.alive = False
            left = list(self._waiting.values())
        for waiting in left:
            waiting.put(_Died(len(left)))


def _started(command: list[str], log: Path | None) -> subprocess.Popen[bytes]:
    with _opened(log) as stderr:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment(),
            start_new_session=True,  # a Ctrl-C in the terminal is for us to handle
        )


def _opened(log: Path | None) -> BinaryIO:
    if log is None:
        return Path(os.devnull).open("wb")
    log.parent.mkdir(parents=True, exist_ok=True)
    fresh = not log.exists() or log.stat().st_size > _LARGEST_LOG
    return log.open("wb" if fresh else "ab")


def _error(name: str, message: str) -> errors.PersonalizerError:
    kind = getattr(errors, name) if name in errors.__all__ else EngineError
    made: errors.PersonalizerError = kind(message)
    return made
