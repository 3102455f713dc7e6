"""Messages between whoever asks an engine and the process that holds it, in msgpack.

Between ``child`` and ``serve`` they are frames after four bytes of length; the daemon takes and
gives one in the body of a request.

msgpack and not JSON, since a piece that is never left out is worth infinitely much, and JSON has
no infinity.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from personalizer.engine import Completion, Engine, Request

__all__ = [
    "Ask",
    "Cancel",
    "Done",
    "Embed",
    "Embedded",
    "Failed",
    "FromChild",
    "Question",
    "Text",
    "ToChild",
    "Warm",
    "answer",
    "read",
    "write",
]


class Ask(msgspec.Struct, tag=True, frozen=True):
    """Generate; answered by any number of ``Text`` and one ``Done`` or ``Failed``."""

    id: int
    request: Request
    stream: bool


class Warm(msgspec.Struct, tag=True, frozen=True):
    """Load a model; answered by one ``Done`` or ``Failed``."""

    id: int
    base: str
    adapter: str | None


class Embed(msgspec.Struct, tag=True, frozen=True):
    """Make vectors; answered by one ``Embedded`` or ``Failed``."""

    id: int
    model: str
    texts: list[str]


class Cancel(msgspec.Struct, tag=True, frozen=True):
    """End a generation; it is answered all the same."""

    id: int


class Text(msgspec.Struct, tag=True, frozen=True):
    """A new piece of the text."""

    id: int
    text: str


class Done(msgspec.Struct, tag=True, frozen=True):
    """The answer to ``Ask`` and ``Warm``."""

    id: int
    completions: list[Completion]


class Embedded(msgspec.Struct, tag=True, frozen=True):
    """The answer to ``Embed``."""

    id: int
    rows: list[list[float]]


class Failed(msgspec.Struct, tag=True, frozen=True):
    """No answer."""

    id: int
    error: str
    """Name of the class in ``personalizer.errors``."""
    message: str


Question = Ask | Warm | Embed
ToChild = Question | Cancel
FromChild = Text | Done | Embedded | Failed


def answer(
    engine: Engine,
    question: Question,
    *,
    on_text: Callable[[str], None] | None = None,
    cancelled: threading.Event | None = None,
) -> Done | Embedded:
    """What an engine answers; raises as it does.

    Args:
        engine: Who is asked.
        question: What it is asked.
        on_text: As in ``Engine.generate``.
        cancelled: As in ``Engine.generate``.
    """
    match question:
        case Warm(id, base, adapter):
            engine.warm(base, adapter)
            return Done(id, [])
        case Embed(id, model, texts):
            return Embedded(id, engine.embed(model, texts))
        case Ask(id, request):
            return Done(id, engine.generate(request, on_text=on_text, cancelled=cancelled))


_encoder = msgspec.msgpack.Encoder()


def write(stream: BinaryIO, lock: threading.Lock, message: ToChild | FromChild) -> None:
    """Sends a message whole.

    Raises:
        OSError: If the other side is gone.
    """
    data = _encoder.encode(message)
    with lock:
        stream.write(len(data).to_bytes(4, "big") + data)
        stream.flush()


def read(stream: BinaryIO) -> bytes | None:
    """The next message, still encoded; None when the other side is gone."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    data = stream.read(size)
    return data if len(data) == size else None
