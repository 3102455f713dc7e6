"""A request on its way through the engine: asked on one thread, answered on another."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from personalizer.engine import Completion, Request
from personalizer.engine.reading import Telling, nothing
from personalizer.engine.resident import mixes, quantization_of
from personalizer.engine.rows import Row
from personalizer.models import Quantization
from personalizer.training.strategies import is_peft

__all__ = ["Job", "Model", "ServedModel", "served_model"]

_POLL = 0.02
"""Seconds within which a cancellation is seen."""

Model: TypeAlias = tuple[str, Path | None, Quantization | None]
"""Base, folder of an adapter that is a model of its own, quantisation."""
_Event: TypeAlias = str | list[Completion] | Exception
"""A piece of text, the answer, or why there is none."""


@dataclass(frozen=True)
class ServedModel:
    """The model that a job is for; see :func:`served_model`."""

    base: str
    folder: Path | None
    """The adapter's; None for the base itself."""
    whole: bool
    """Whether the adapter is a model of its own."""
    quantization: Quantization | None
    """How the base is kept: as the adapter was trained on it."""
    mixes: bool
    """Whether rows with other adapters may go through the model together with this one's."""

    @property
    def model(self) -> Model:
        """Which model in memory it needs."""
        return (self.base, self.folder if self.whole else None, self.quantization)

    @property
    def laid(self) -> Path | None:
        """Folder of the adapter that lies on the model; None for none."""
        return None if self.whole else self.folder

    def beside(self, other: ServedModel) -> bool:
        """Whether jobs of both may go through the model together."""
        if self.model != other.model:
            return False
        return self.laid == other.laid or (self.mixes and other.mixes)


def served_model(
    base: str, adapter: str | None, quantization: Quantization | None = None
) -> ServedModel:
    """The model that a request is for, read from the adapter's files before it is loaded.

    Args:
        base: As in ``Request``.
        adapter: As in ``Request``.
        quantization: How the base is kept where no adapter says it.

    Raises:
        AdapterError: If they are damaged.
    """
    if adapter is None:
        return ServedModel(base, None, whole=False, quantization=quantization, mixes=True)
    folder = Path(adapter).resolve()
    kept = quantization_of(folder)
    if not is_peft(folder):
        return ServedModel(base, folder, whole=True, quantization=kept, mixes=True)
    return ServedModel(base, folder, whole=False, quantization=kept, mixes=mixes(folder))


class Job:
    """A request, and what became of it.

    Args:
        served: The model that it is for.
        request: What to generate; None only loads the model.
        streams: Whether text is wanted as it comes.
    """

    def __init__(
        self, served: ServedModel, request: Request | None, *, streams: bool = False
    ) -> None:
        self.served = served
        self.request = request
        self.streams = streams and request is not None and request.count == 1
        self.cancelled = threading.Event()
        """Set by who asked; the engine ends the job at the next token."""
        self.rows: list[Row] = []
        self._telling: Telling | None = None
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()

    def wait(
        self,
        on_text: Callable[[str], None] | None,
        cancelled: threading.Event | None,
        give_up: Callable[[], bool],
    ) -> list[Completion]:
        """The answer, on the asking thread.

        Args:
            on_text: Called with each piece of text.
            cancelled: Set by the caller's caller.
            give_up: Takes the job back if nobody has begun it.

        Raises:
            Exception: What the engine raised, or ``on_text``.
        """
        try:
            while True:
                if cancelled is not None and cancelled.is_set() and not self.cancelled.is_set():
                    self.cancelled.set()
                    if give_up():
                        return [nothing()]
                watching = cancelled is not None and not self.cancelled.is_set()
                try:
                    event = self._events.get(timeout=_POLL if watching else None)
                except queue.Empty:
                    continue
                if isinstance(event, Exception):
                    raise event
                if not isinstance(event, str):
                    return event
                if on_text is not None:
                    on_text(event)
        finally:
            self.cancelled.set()  # whoever asked has gone, in whatever way

    def give(self, event: _Event) -> None:
        """Passes text, the answer or an error to the asking thread."""
        self._events.put(event)

    def began(self, rows: list[Row]) -> None:
        """Its completions are rows of a batch from now on."""
        self.rows = rows
        if self.streams:
            self._telling = Telling(rows[0].reading, self.give)

    def went_on(self) -> bool:
        """Tells what its rows wrote; answers, and says so, once all have ended."""
        cancelled = self.cancelled.is_set()
        ended = cancelled or all(row.ended for row in self.rows)
        if self._telling is not None:
            row = self.rows[0]
            self._telling.tell(row.text if ended else row.settled, final=ended)
        if ended:
            made = [row.completion(cancelled=cancelled and not row.ended) for row in self.rows]
            self.give(sorted(made, key=lambda one: -one.score))
        return ended
