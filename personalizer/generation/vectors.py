"""Vectors of texts, each made once: what ranks examples where the user names an embedding model."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from personalizer.settings import BM25

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float32]
    Embed: TypeAlias = Callable[[Sequence[str]], Matrix]

__all__ = ["ByVectors", "Embeds", "Vectors"]

_AT_ONCE = 256
"""Texts of one request; what it gave is kept though the next one fails."""
_MOST = 50_000
"""Vectors kept; with 384 numbers each they take 75 MB."""


class Embeds(Protocol):
    """Whoever has embedding models: an engine, or ``Sentences`` in this process."""

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """See ``Engine.embed``."""


class Vectors:
    """Remembers the vector of each text for as long as it lives; may be asked from any thread."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bytes], Matrix] = {}
        self._access = threading.Lock()

    def by(self, retriever: str, maker: Embeds) -> Embed | None:
        """What a setting ``retriever`` ranks by; None for BM25, which ranks by words.

        Nothing is loaded before the first text comes.
        """
        return None if retriever == BM25 else partial(self._of, retriever, maker)

    def _of(self, model: str, maker: Embeds, texts: Sequence[str]) -> Matrix:
        """A row a text.

        Shapes: N texts, D numbers of a vector.

        Returns:
            ``(N, D)``, float32, rows as ``Engine.embed`` gives them.

        Raises:
            PersonalizerError: What the maker raises.
        """
        import numpy as np

        keys = [(model, hashlib.blake2b(text.encode(), digest_size=16).digest()) for text in texts]
        with self._access:
            found = {key: self._kept[key] for key in keys if key in self._kept}
            missing = [(k, t) for k, t in zip(keys, texts, strict=True) if k not in found]
            wanted = list(dict(missing).items())
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                rows = maker.embed(model, [text for _, text in part])
                made = zip(part, np.asarray(rows, np.float32), strict=True)
                new = {key: row for (key, _), row in made}
                found |= new
                self._keep(new)
        return np.stack([found[key] for key in keys]) if keys else np.empty((0, 0), np.float32)

    def _keep(self, new: dict[tuple[str, bytes], Matrix]) -> None:
        """Adds vectors; the oldest make place."""
        self._kept |= new
        for key in list(self._kept)[: max(0, len(self._kept) - _MOST)]:
            del self._kept[key]


class ByVectors:
    """Nearness as the cosine of vectors.

    Args:
        texts: What is ranked.
        embed: Gives unit-length rows.
    """

    def __init__(self, texts: Sequence[str], embed: Embed) -> None:
        self._embed = embed
        self._matrix = embed(texts)

    def scores(self, text: str) -> list[float]:
        """One cosine a text that is ranked, between -1 and 1."""
        if not len(self._matrix):
            return []
        scores: list[float] = (self._matrix @ self._embed([text])[0]).tolist()
        return scores
