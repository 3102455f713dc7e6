"""Parsing in worker processes: the parser holds the GIL, so threads would gain nothing.

A worker runs ``serve``: frames in, frames out, over its pipes. It imports the indexer alone,
never the caller's main module as ``multiprocessing`` would.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import IO

import msgspec

from indexer.languages import ALL, language_of
from indexer.store import Row, content_hash, pack_row

__all__ = ["Work", "cores", "rows_of", "serve"]

Work = tuple[str, bytes]
"""(path, source)."""

_PARALLEL_FROM = 3_000_000
"""Bytes of source from which worker processes pay for their start."""
_FRAME = 250_000
"""Bytes of source that go to a worker at once, so that one big file holds nobody back."""
_YIELDING = 5
"""How far a worker stands behind its parent, which a user may be waiting for meanwhile."""
_AHEAD = 4
"""Frames in flight for each worker; more would only fill memory."""

_encode = msgspec.msgpack.Encoder().encode
_works = msgspec.msgpack.Decoder(list[Work]).decode
_rows = msgspec.msgpack.Decoder(list[Row]).decode


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def rows_of(works: Iterable[Work], processes: int | None = None) -> Iterator[Row]:
    """The store's row of each source, in order; in worker processes when there is much to do.

    Args:
        works: Sources of files that have a language.
        processes: How many workers; the number of processors when left out, at most 8.
    """
    count = min(cores(), 8) if processes is None else processes
    frames = _frames(works)
    waiting: list[list[Work]] = []
    size = 0
    while size < _PARALLEL_FROM and (frame := next(frames, None)):
        waiting.append(frame)
        size += sum(len(source) for _, source in frame)
    if count < 2 or size < _PARALLEL_FROM:
        for frame in waiting:
            yield from map(_parse, frame)
        for frame in frames:
            yield from map(_parse, frame)
        return
    with closing(_Workers(count)) as workers:
        yield from workers.map(waiting, frames)


def _parse(work: Work) -> Row:
    path, source = work
    language = language_of(path, ALL)
    if language is None:
        raise ValueError(f"expected a path with a language's suffix, got {path!r}")
    name = content_hash(source, language.name)
    return pack_row(name, source, language.parse(source))


def _frames(works: Iterable[Work]) -> Iterator[list[Work]]:
    frame: list[Work] = []
    size = 0
    for work in works:
        frame.append(work)
        size += len(work[1])
        if size >= _FRAME:
            yield frame
            frame, size = [], 0
    if frame:
        yield frame


class _Workers:
    """Some worker processes; a frame whose worker dies is parsed here."""

    def __init__(self, count: int) -> None:
        here = str(Path(__file__).resolve().parent.parent)
        before = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        paths = [here, *(one for one in before if Path(one).is_absolute())]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        self._all = [
            subprocess.Popen(
                # -P: a project that holds a msgspec.py must not be run by being indexed
                [sys.executable, "-P", "-c", "from indexer.workers import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
            for _ in range(count)
        ]
        self._free: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for one in self._all:
            self._free.put(one)
        self._threads = ThreadPoolExecutor(count)

    def map(self, first: Iterable[list[Work]], rest: Iterator[list[Work]]) -> Iterator[Row]:
        flying: list[Future[list[Row]]] = [self._threads.submit(self._ask, f) for f in first]
        while flying:
            while len(flying) < _AHEAD * len(self._all) and (frame := next(rest, None)):
                flying.append(self._threads.submit(self._ask, frame))
            yield from flying.pop(0).result()

    def _ask(self, frame: list[Work]) -> list[Row]:
        worker = self._free.get()
        try:
            assert worker.stdin and worker.stdout
            _write(worker.stdin, _encode(frame))
            answer = _read(worker.stdout)
            return _rows(answer) if answer else [_parse(work) for work in frame]
        except OSError:
            return [_parse(work) for work in frame]
        finally:
            self._free.put(worker)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        for one in self._all:
            with one:  # closes its pipes, at which it ends
                pass


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    """One frame; empty at the end of the stream."""
    head = pipe.read(8)
    return pipe.read(int.from_bytes(head, "big")) if len(head) == 8 else b""


def serve() -> None:
    """A worker's life: answers each frame until its input ends, and gives way to whoever waits."""
    if hasattr(os, "nice"):
        os.nice(_YIELDING)
    while frame := _read(sys.stdin.buffer):
        _write(sys.stdout.buffer, _encode([_parse(work) for work in _works(frame)]))
