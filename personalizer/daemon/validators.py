"""One validator a workspace; its Java processes end when nobody has asked for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer import Snapshot, Workspace
from personalizer.generation.validators import is_trusted, open_validator
from personalizer.settings import Settings
from personalizer.validation import Unable, Validator

__all__ = ["Validators"]


@dataclass
class _Open:
    """A validator and who uses it."""

    validator: Validator
    reason_to_stay: tuple[object, ...]
    """What it was opened for; another answer, another validator."""
    users: int = 0
    idle: threading.Timer | None = None


class Validators:
    """Opens validators when first asked for, and closes them.

    Args:
        idle_seconds: Time without a request after which a validator ends, its processes and all
            that it keeps of its project; the next request opens another.
    """

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._open: dict[Path, _Open] = {}
        self._changing = threading.Lock()

    @contextmanager
    def of(
        self, root: Path, snapshot: Snapshot, settings: Settings, *, run: bool, trusted: bool
    ) -> Iterator[Validator]:
        """A workspace's validator, kept open meanwhile; arguments as ``open_validator``."""
        if not run or not (trusted or is_trusted(root, settings)):
            yield open_validator(root, snapshot, settings, run=run, trusted=trusted)
            return
        found = self._taken(root, snapshot, settings)
        try:
            yield found.validator
        finally:
            with self._changing:
                found.users -= 1
                if not found.users:
                    self._end_later(root, found)

    def close(self) -> None:
        """Ends all processes."""
        with self._changing:
            for one in self._open.values():
                _forget_timer(one)
                one.validator.close()
            self._open.clear()

    def _taken(self, root: Path, snapshot: Snapshot, settings: Settings) -> _Open:
        builds = tuple(sorted(Workspace(root).build_files().items()))
        reason = (settings.class_path, builds)
        with self._changing:
            found = self._open.get(root)
            if found is None or found.reason_to_stay != reason or _unable(found):
                # One that was open ends by its timer, which its last user starts.
                validator = open_validator(root, snapshot, settings, run=True, trusted=True)
                found = self._open[root] = _Open(validator, reason)
            _forget_timer(found)
            found.users += 1
            return found

    def _end_later(self, root: Path, one: _Open) -> None:
        _forget_timer(one)
        one.idle = threading.Timer(self._idle_seconds, self._end, (root, one))
        one.idle.daemon = True
        one.idle.start()

    def _end(self, root: Path, one: _Open) -> None:
        """Closes a validator that nobody uses, and forgets it."""
        with self._changing:
            if one.users:  # taken when its timer had gone off already
                return
            _forget_timer(one)
            if self._open.get(root) is one:
                del self._open[root]
        one.validator.close()


def _unable(one: _Open) -> bool:
    """Whether it could not check anything: a JDK may have come since."""
    return isinstance(one.validator, Unable)


def _forget_timer(one: _Open) -> None:
    if one.idle is not None:
        one.idle.cancel()
        one.idle = None
