"""A project as it was before the tests of one method were written, to judge generation by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from indexer import Change, Index, Snapshot, Where

__all__ = ["without_tests"]


@contextmanager
def without_tests(index: Index, snapshot: Snapshot, focal: Where) -> Iterator[Snapshot]:
    """The project without a method's own tests: in no prompt, example or baseline of coverage.

    Args:
        index: Has the project; as it was when this ends.
        snapshot: What it has now.
        focal: The method that tests are to be generated for.
    """
    spans: dict[str, set[tuple[int, int]]] = {}
    for pair in snapshot.tests_of(focal.path, focal.method):
        span = pair.test.method.span
        spans.setdefault(pair.test.path, set()).add((span.start, span.end))
    before = {path: snapshot.source(path) for path in spans}
    after = dict(before)
    for path, places in spans.items():
        for start, end in sorted(places, reverse=True):
            after[path] = after[path][:start] + after[path][end:]
    shown = index.apply(Change(path, source) for path, source in after.items())
    try:
        yield shown
    finally:
        index.apply(Change(path, source) for path, source in before.items())
