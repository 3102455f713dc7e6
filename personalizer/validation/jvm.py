"""One Java process of ours and its messages; watched, and killed when it does not behave."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil

from personalizer.errors import Cancelled

__all__ = ["Gone", "Jvm", "Message", "fields", "joined"]

Message = dict[str, bytes]

_POLL = 0.02
"""Seconds within which a cancellation is seen."""
_WATCH = 0.25
"""Seconds between looks at the process's memory and threads."""
_LARGEST = 64_000_000
"""Bytes of one value of a message."""

# A sandbox dies with the thread that started it (prctl PR_SET_PDEATHSIG), so this one lives on.
_starter = ThreadPoolExecutor(1, "jvm-starter")


class Gone(Exception):
    """The process ended, was killed or spoke nonsense; its text says which."""


def fields(value: bytes | None) -> list[str]:
    """A list as it travels: its items between NULs."""
    return value.decode("utf-8", "replace").split("\0") if value else []


def joined(items: Iterable[object]) -> bytes:
    """What ``fields`` reads."""
    return "\0".join(map(str, items)).encode()


class Jvm:
    """A process that answers one message at a time.

    Its standard input is a socket for both directions: unlike a pipe, it cannot be opened again by
    its name in ``/proc``, so code inside cannot write an answer there by a file's name.

    Args:
        command: Gives the command line and a descriptor to pass on and close, or None.
        memory: Bytes of resident memory at which it is killed.
        threads: Threads at which it is killed.
    """

    def __init__(
        self,
        command: Callable[[], tuple[list[str], int | None]],
        *,
        memory: int = 1_500_000_000,
        threads: int = 400,
    ) -> None:
        self._command = command
        self._memory = memory
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._answered = False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def answered(self) -> bool:
        """Whether the process that runs now has answered a message, and so has started."""
        return self.running and self._answered

    def start(self) -> None:
        """Starts the process where there is none.

        Raises:
            Gone: If it cannot be started.
        """
        if self.running:
            return
        self.kill()
        line, handle = self._command()
        ours, theirs = socket.socketpair()
        try:
            self._process = _starter.submit(_started, line, theirs, handle).result()
        except OSError as error:
            ours.close()
            raise Gone(f"{line[0]} cannot be started: {error.strerror}") from error
        finally:
            theirs.close()
            if handle is not None:
                os.close(handle)
        self._socket, self._answered = ours, False

    def ask(
        self,
        message: Mapping[str, bytes],
        *,
        seconds: float,
        cancelled: threading.Event | None = None,
    ) -> Message:
        """Sends a message and waits for its answer.

        Raises:
            Gone: If the process ended, took too long or was killed for what it used.
            Cancelled: If ``cancelled`` was set; the process is then killed.
        """
        self.start()
        turn = _Turn(time.monotonic() + seconds, cancelled)
        try:
            return self._asked(message, turn)
        except OSError as error:
            self.kill()
            raise Gone("it ended its process") from error
        except (Gone, Cancelled):
            self.kill()
            raise

    def kill(self) -> None:
        """Ends the process at once; the next message starts another."""
        process, self._process = self._process, None
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()
        if process is not None:
            # its group: the sandbox's child dies with it only once the sandbox is set up
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _asked(self, message: Mapping[str, bytes], turn: _Turn) -> Message:
        connection = self._socket
        assert connection is not None
        connection.settimeout(30)
        parts = [struct.pack(">i", len(message))]
        for key, value in message.items():
            name = key.encode()
            parts += [struct.pack(">i", len(name)), name, struct.pack(">i", len(value)), value]
        connection.sendall(b"".join(parts))
        count = self._length(turn, 10_000)
        answer = {}
        for _ in range(count):
            key = self._read(self._length(turn, 10_000), turn).decode("utf-8", "replace")
            answer[key] = self._read(self._length(turn, _LARGEST), turn)
        self._answered = True
        return answer

    def _length(self, turn: _Turn, largest: int) -> int:
        (length,) = struct.unpack(">i", self._read(4, turn))
        if not 0 <= length <= largest:
            raise Gone("it wrote into the channel of its own process")
        return int(length)

    def _read(self, count: int, turn: _Turn) -> bytes:
        connection = self._socket
        assert connection is not None
        data = bytearray()
        while len(data) < count:
            readable, _, _ = select.select([connection], [], [], _POLL)
            if readable:
                part = connection.recv(min(count - len(data), 1 << 20))
                if not part:
                    raise Gone("it ended its process")
                data += part
            else:
                turn.check()
                if turn.is_time_to_watch():
                    self._watch()
        return bytes(data)

    def _watch(self) -> None:
        process = self._process
        with suppress(psutil.Error):
            family = psutil.Process(process.pid).children(recursive=True) if process else []
            for one in family:
                if one.memory_info().rss > self._memory:
                    raise Gone(f"it used more than {self._memory / 1e6:.0f} MB of memory")
                if one.num_threads() > self._threads:
                    raise Gone(f"it started more than {self._threads} threads")


_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
"""What the compiler, which runs without a sandbox where there is none, is let know of ours."""


def _started(
    line: list[str], connection: socket.socket, handle: int | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        line,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,  # the virtual machine itself writes there
        stderr=subprocess.DEVNULL,
        pass_fds=() if handle is None else (handle,),
        start_new_session=True,  # a Ctrl-C in the terminal is for us to handle
    )


class _Turn:
    """How long one message may take, and who may end it before."""

    def __init__(self, deadline: float, cancelled: threading.Event | None) -> None:
        self._started = time.monotonic()
        self._deadline = deadline
        self._cancelled = cancelled
        self._watched = self._started

    def check(self) -> None:
        if self._cancelled is not None and self._cancelled.is_set():
            raise Cancelled("the check of the tests was cancelled")
        if time.monotonic() > self._deadline:
            raise Gone(f"it did not end within {self._deadline - self._started:.0f} s")

    def is_time_to_watch(self) -> bool:
        due = time.monotonic() - self._watched > _WATCH
        if due:
            self._watched = time.monotonic()
        return due
