"""The engine's own process: ``python -m personalizer.engine.serve``, asked over its pipes.

It ends when its standard input does, so it never outlives whoever started it, however that died.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from personalizer.engine import Engine
from personalizer.engine.wire import (
    Ask,
    Cancel,
    Failed,
    FromChild,
    Question,
    Text,
    ToChild,
    answer,
    read,
    write,
)
from personalizer.errors import EngineError, PersonalizerError

__all__ = ["main"]

_log = logging.getLogger(__name__)


def main() -> None:
    """Serves requests until standard input ends."""
    arguments = argparse.ArgumentParser(prog="personalizer.engine.serve")
    arguments.add_argument("--threads", type=int, default=0)
    threads = arguments.parse_args().threads
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    _Server(answers, lambda: _local(threads)).run(sys.stdin.buffer)
    os._exit(0)  # a generation that still runs has nobody left to answer


def _local(threads: int) -> Engine:
    from personalizer.engine.local import LocalEngine

    return LocalEngine(threads)


class _Server:
    """Answers each request on a thread of its own."""

    def __init__(self, answers: BinaryIO, make_engine: Callable[[], Engine]) -> None:
        self._answers = answers
        self._writing = threading.Lock()
        self._make_engine = make_engine
        self._making = threading.Lock()
        self._engine: Engine | None = None
        self._running: dict[int, threading.Event] = {}

    def run(self, questions: BinaryIO) -> None:
        decode = msgspec.msgpack.Decoder(ToChild).decode
        while (data := read(questions)) is not None:
            message = decode(data)
            match message:
                case Cancel(id):
                    if (running := self._running.get(id)) is not None:
                        running.set()
                case question:
                    cancelled = self._running[question.id] = threading.Event()
                    threading.Thread(
                        target=self._answer, args=(question, cancelled), daemon=True
                    ).start()

    def _answer(self, ask: Question, cancelled: threading.Event) -> None:
        def on_text(text: str) -> None:
            self._write(Text(ask.id, text))

        telling = on_text if isinstance(ask, Ask) and ask.stream else None
        try:
            self._write(answer(self._ready(), ask, on_text=telling, cancelled=cancelled))
        except PersonalizerError as error:
            self._write(Failed(ask.id, type(error).__name__, str(error)))
        except Exception as error:
            _log.exception("a request failed")
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            self._write(Failed(ask.id, EngineError.__name__, f"the engine failed: {reason}"))
        finally:
            del self._running[ask.id]

    def _ready(self) -> Engine:
        """The engine; the first request imports torch, while cancellations are still read."""
        with self._making:
            if self._engine is None:
                self._engine = self._make_engine()
            return self._engine

    def _write(self, message: FromChild) -> None:
        try:
            write(self._answers, self._writing, message)
        except OSError:
            os._exit(0)


if __name__ == "__main__":
    main()
