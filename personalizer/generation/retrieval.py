"""The project's nearest (focal method, test) pairs, shown to the model as examples (W24 section 3).

Nearness is BM25 (Robertson and Zaragoza, 2009) over the sub-words of identifiers, so that
``addItem`` finds ``removeItem`` and ``itemsAdded``; or, where the user names an embedding model,
the cosine of the vectors of methods.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from indexer import Pair, Snapshot, Where
from indexer.languages.lexis import tokens
from personalizer.generation.vectors import ByVectors

if TYPE_CHECKING:
    from personalizer.generation.vectors import Embed

__all__ = ["Retriever", "sub_words"]


class Retriever:
    """Finds the pairs whose focal method is nearest to another method.

    Args:
        snapshot: The project.
        pairs: Those that may be shown: all of them in an editor, the training side in an
            evaluation.
        embed: Vectors of texts, unit-length rows, to rank by; None ranks by BM25. It is asked when
            examples are first wanted.
    """

    def __init__(
        self, snapshot: Snapshot, pairs: Sequence[Pair], embed: Embed | None = None
    ) -> None:
        self._snapshot = snapshot
        self._pairs = tuple(pairs)
        self._embed = embed
        self._focals = {pair.focal.key: pair.focal for pair in pairs}
        self._rows = {key: row for row, key in enumerate(self._focals)}

    def nearest(self, focal: Where, k: int, exclude: Collection[Pair] = ()) -> tuple[Pair, ...]:
        """At most ``k`` pairs, one a focal method, the nearest last, as a prompt wants them.

        Args:
            focal: The method to be tested. Its own tests are never given, nor copies of them.
            k: How many.
            exclude: Pairs whose tests are held out: neither they nor copies of them are given.

        Raises:
            PersonalizerError: If the embedding model cannot be asked.
        """
        if k < 1:
            return ()
        own = self._snapshot.tests_of(focal.path, focal.method)
        hidden = {pair.test.method.digest for pair in (*own, *exclude)}
        scores = self._ranking.scores(self._text(focal))

        def order(pair: Pair) -> tuple[float, int]:
            """Nearness first; of one method's tests the shortest, which leaves room for others."""
            span = pair.test.method.span
            return -scores[self._row(pair)], span.end - span.start

        found: dict[int, Pair] = {}
        for pair in sorted(self._pairs, key=order):
            same = pair.focal.key == focal.key
            copy = pair.focal.method.digest == focal.method.digest
            if same or copy or pair.test.method.digest in hidden or not scores[self._row(pair)]:
                continue
            found.setdefault(self._row(pair), pair)
            if len(found) == k:
                break
        return tuple(reversed(found.values()))

    @cached_property
    def _ranking(self) -> _Ranking:
        """Made when first asked for: most prompts have no examples."""
        texts = [self._text(focal) for focal in self._focals.values()]
        return _ByWords(texts) if self._embed is None else ByVectors(texts, self._embed)

    def _row(self, pair: Pair) -> int:
        return self._rows[pair.focal.key]

    def _text(self, where: Where) -> str:
        """The name of its class on a line of its own, then the method."""
        facts = self._snapshot.files[where.path]
        code = where.method.span.of(self._snapshot.source(where.path))
        return f"{where.method.class_name}\n{code.decode(facts.encoding, 'replace')}"


class _Ranking(Protocol):
    """Says how near a text is to each of some others."""

    def scores(self, text: str) -> list[float]:
        """One number a text that is ranked, higher for nearer; 0 for one not to be shown."""


class _ByWords:
    """BM25 over the words of texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s

        self._count = len(texts)
        self._model = bm25s.BM25()
        if texts:
            self._model.index([_words(text) for text in texts], show_progress=False)

    def scores(self, text: str) -> list[float]:
        """0 for a text without any of the words."""
        words = _words(text)
        known = [word for word in words if word in self._model.vocab_dict] if self._count else []
        if not known:
            return [0.0] * self._count
        scores: list[float] = self._model.get_scores(known).tolist()
        return scores


def _words(text: str) -> list[str]:
    """The class's name whole, then the sub-words of the method."""
    owner, _, code = text.partition("\n")
    return [owner.lower(), *sub_words(code)]


def sub_words(code: str) -> list[str]:
    """The parts of a code's identifiers in lower case, comments and literals left out.

    Example:
        >>> sub_words("int addItem(HTMLPage p2) { return MAX_SIZE; } // no")
        ['add', 'item', 'html', 'page', 'p2', 'max', 'size']
    """
    words = (token.text for token in tokens(code) if token.kind == "word")
    parts = (part for word in words if word not in _COMMON for part in _PART.findall(word))
    return [part.lower() for part in parts]


_PART = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|[^\W_]+")
_COMMON = frozenset(
    {"public", "private", "protected", "static", "final", "return", "new", "this", "if", "else"}
    | {"for", "while", "void", "int", "boolean", "long", "null", "true", "false", "throw", "throws"}
)
"""Words of Java that say nothing of what a method is about."""
