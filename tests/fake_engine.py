"""An engine that gives scripted completions and remembers what it was asked."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

from personalizer.engine import Completion, Request

__all__ = ["FakeEngine"]


class FakeEngine:
    """Answers the first request with the first script, and so on; the last script stays.

    Args:
        scripts: Completions of each request, best first: texts, or whole completions. Texts get
            the scores -0.1, -0.2 and so on.
    """

    def __init__(self, *scripts: Sequence[str | Completion]) -> None:
        self._scripts = list(scripts)
        self.requests: list[Request] = []
        """All that was asked, in order."""
        self.embedded: list[tuple[str, str]] = []
        """Each text that was embedded, with the model."""
        self.closed = False

    def generate(
        self,
        request: Request,
        *,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> list[Completion]:
        """The next script, at most ``request.count`` of it, at once."""
        self.requests.append(request)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        return [_completion(one, rank) for rank, one in enumerate(script[: request.count])]

    def warm(self, base: str, adapter: str | None = None) -> None:
        """Nothing is loaded."""

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """A vector of one text points where its length says; remembers what it was asked."""
        self.embedded += [(model, text) for text in texts]
        return [[math.cos(len(text) / 100), math.sin(len(text) / 100)] for text in texts]

    def close(self) -> None:
        self.closed = True


def _completion(one: str | Completion, rank: int) -> Completion:
    if isinstance(one, Completion):
        return one
    return Completion(one, -0.1 * (rank + 1), len(one.split()), "stop")
