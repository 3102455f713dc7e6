"""The daemon's engine, for a command in a shell: where a daemon runs, one model is in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import msgspec

from personalizer import __version__
from personalizer.daemon.client import Client, connect
from personalizer.engine import Completion, Request
from personalizer.engine.wire import Ask, Done, Embed, Embedded, Question, Warm
from personalizer.errors import PersonalizerError

__all__ = ["DaemonEngine", "running_engine"]


def running_engine() -> DaemonEngine | None:
    """The engine of the daemon that runs; None where none of this version answers."""
    try:
        daemon = connect(start=False)
        same = daemon.health()["version"] == __version__
    except PersonalizerError:
        return None
    return DaemonEngine(daemon) if same else None


class DaemonEngine:
    """Asks the daemon, which holds a running training still meanwhile.

    Args:
        daemon: Of this version: what travels is no contract between versions.
    """

    def __init__(self, daemon: Client) -> None:
        self._daemon = daemon

    def generate(
        self,
        request: Request,
        *,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> list[Completion]:
        """See ``Engine.generate``; text is told once, when it is whole.

        Raises:
            Unreachable: If the daemon ends meanwhile.
            TooBusy: If too many ask it.
        """
        answer = self._ask(Ask(0, request, stream=False), cancelled)
        assert isinstance(answer, Done)
        if on_text is not None:
            on_text(answer.completions[0].text)
        return answer.completions

    def warm(self, base: str, adapter: str | None = None) -> None:
        """See ``Engine.warm``."""
        self._ask(Warm(0, base, adapter))

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """See ``Engine.embed``."""
        answer = self._ask(Embed(0, model, list(texts)))
        assert isinstance(answer, Embedded)
        return answer.rows

    def close(self) -> None:
        """The daemon keeps its model for whoever asks next, until its idle time is over."""

    def _ask(self, asked: Question, cancelled: threading.Event | None = None) -> Done | Embedded:
        told = self._daemon.engine(msgspec.msgpack.encode(asked), cancelled=cancelled)
        answer: Done | Embedded = msgspec.msgpack.decode(told, type=Done | Embedded)
        return answer
