"""The project's nearest (focal method, test) pairs, shown to the model as examples (W24 section 3).

Nearness is BM25 (Robertson and Zaragoza, 2009) over the sub-words of identifiers, so that
``addItem`` finds ``removeItem`` and ``itemsAdded``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cached_property

from indexer import Pair, Snapshot, Where
from indexer.languages.lexis import tokens

__all__ = ["Retriever", "sub_words"]


class Retriever:
    """Finds the pairs whose focal method is nearest to another method.

    Args:
        snapshot: The project.
        pairs: Those that may be shown: all of them in an editor, the training side in an
            evaluation.
    """

    def __init__(self, snapshot: Snapshot, pairs: Sequence[Pair]) -> None:
        self._snapshot = snapshot
        self._pairs = tuple(pairs)
        self._focals = {(pair.focal.path, pair.focal.method.key): pair.focal for pair in pairs}
        self._rows = {key: row for row, key in enumerate(self._focals)}

    def nearest(self, focal: Where, k: int, exclude: Collection[Pair] = ()) -> tuple[Pair, ...]:
        """At most ``k`` pairs, one a focal method, the nearest last, as a prompt wants them.

        Args:
            focal: The method to be tested. Its own tests are never given, nor copies of them.
            k: How many.
            exclude: Pairs whose tests are held out: neither they nor copies of them are given.
        """
        if k < 1:
            return ()
        own = self._snapshot.tests_of(focal.path, focal.method)
        hidden = {pair.test.method.digest for pair in (*own, *exclude)}
        itself = (focal.path, focal.method.key)
        scores = self._ranking.scores(self._words(focal))

        def order(pair: Pair) -> tuple[float, int]:
            """Nearness first; of one method's tests the shortest, which leaves room for others."""
            span = pair.test.method.span
            return -scores[self._row(pair)], span.end - span.start

        found: dict[int, Pair] = {}
        for pair in sorted(self._pairs, key=order):
            same = (pair.focal.path, pair.focal.method.key) == itself
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
        return _Ranking([self._words(focal) for focal in self._focals.values()])

    def _row(self, pair: Pair) -> int:
        return self._rows[pair.focal.path, pair.focal.method.key]

    def _words(self, where: Where) -> list[str]:
        facts = self._snapshot.files[where.path]
        code = where.method.span.of(self._snapshot.source(where.path))
        return [where.method.class_name.lower(), *sub_words(code.decode(facts.encoding, "replace"))]


class _Ranking:
    """BM25 over documents that are lists of words."""

    def __init__(self, documents: Sequence[list[str]]) -> None:
        import bm25s

        self._count = len(documents)
        self._model = bm25s.BM25()
        if documents:
            self._model.index(documents, show_progress=False)

    def scores(self, words: list[str]) -> list[float]:
        """One number a document; 0 for one without any of the words."""
        known = [word for word in words if word in self._model.vocab_dict] if self._count else []
        if not known:
            return [0.0] * self._count
        scores: list[float] = self._model.get_scores(known).tolist()
        return scores


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
