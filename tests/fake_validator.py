"""A validator whose verdicts are scripted, and that remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from indexer import Snapshot
from personalizer.errors import Cancelled
from personalizer.validation import Check, Diagnostic, Verdict

__all__ = ["FakeValidator", "fails", "passes", "refused"]


def passes(new_lines: int = 0) -> Verdict:
    """Of a test that passes."""
    return Verdict(compiles=True, passes=True, covered_lines=new_lines + 1, new_lines=new_lines)


def fails(why: str = "expected: <1> but was: <2>") -> Verdict:
    """Of a test that compiles and fails."""
    return Verdict(compiles=True, passes=False, failure=why)


def refused(why: str = "cannot find symbol") -> Verdict:
    """Of a test that does not compile."""
    return Verdict(compiles=False, passes=None, diagnostics=(Diagnostic(1, 1, "error", why),))


class FakeValidator:
    """Keeps ``Validator``.

    Args:
        verdicts: By the name of a test, or a function of what is asked.
        otherwise: For the tests that are not named.
    """

    def __init__(
        self,
        verdicts: dict[str, Verdict] | Callable[[Check], Verdict | None] | None = None,
        otherwise: Verdict | None = None,
    ) -> None:
        self._verdicts = verdicts or {}
        self._otherwise = otherwise or passes()
        self.asked: list[Check] = []
        self.closed = False

    def update(self, snapshot: Snapshot) -> None:
        """There is nothing to keep."""

    def state(self) -> str:
        """Never changes."""
        return "scripted"

    def validate(
        self, checks: Sequence[Check], *, cancelled: threading.Event | None = None
    ) -> list[Verdict]:
        """As scripted.

        Raises:
            Cancelled: If ``cancelled`` is set.
        """
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("cancelled")
        self.asked += checks
        return [self._verdict(one) or self._otherwise for one in checks]

    def compile(
        self, file: str, source: str, *, cancelled: threading.Event | None = None
    ) -> Verdict:
        """As scripted for a test without a name."""
        check = Check(file, source, "", "", file, "", (0, 0))
        return self.validate([check], cancelled=cancelled)[0]

    def close(self) -> None:
        self.closed = True

    def _verdict(self, check: Check) -> Verdict | None:
        if callable(self._verdicts):
            return self._verdicts(check)
        return self._verdicts.get(check.test_method)
