"""What was generated before, so that another candidate needs no waiting."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace

from indexer import Method, Snapshot
from personalizer.generation import Candidate, Generation
from personalizer.generation.placing.best import edit_of_best
from personalizer.generation.site import Site

__all__ = ["Earlier"]

_KEPT = 50
"""Methods whose candidates stay in memory."""

Key = tuple[str, ...]


class Earlier:
    """The candidates of each method in the order in which they were offered."""

    def __init__(self) -> None:
        self._made: OrderedDict[Key, Generation] = OrderedDict()
        self._access = threading.Lock()

    def candidates(self, key: Key) -> tuple[Candidate, ...]:
        """Those that were made for a method; none when it has changed since."""
        with self._access:
            return self._made[key].candidates if key in self._made else ()

    def next(
        self, key: Key, skip: int, snapshot: Snapshot, path: str, focal: Method
    ) -> Generation | None:
        """The answer without its first ``skip`` candidates; None where no whole test is left."""
        with self._access:
            made = self._made.get(key)
        left = made.candidates[skip:] if made else ()
        if made is None or not left or not left[0].parses:
            return None
        edit, no_edit = edit_of_best(Site(snapshot, path, focal), left)
        return replace(
            made, candidates=left, edit=edit, no_edit=no_edit, seconds=0.0, times={}, notes=()
        )

    def keep(self, key: Key, made: Generation, skip: int) -> None:
        """Remembers an answer; its candidates follow the first ``skip`` of those that were made."""
        with self._access:
            before = self._made[key].candidates[:skip] if key in self._made else ()
            self._made[key] = replace(made, candidates=(*before, *made.candidates))
            self._made.move_to_end(key)
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
