"""The tests that a class has: what they run, and which mutants they notice."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from indexer.store import content_hash
from personalizer.validation.jvm import Message
from personalizer.validation.lines import Lines
from personalizer.validation.processes import Outcome
from personalizer.validation.project import diagnostics_of
from personalizer.validation.trial import (
    MUTANT_SECONDS,
    MUTANTS_SECONDS,
    Kept,
    Mutant,
    Trial,
)

__all__ = ["Existing", "ExistingTests"]

_CLASS_SECONDS = 60.0
"""Longest run of all tests of a class."""


@dataclass(frozen=True)
class Existing:
    """The tests of a class but the one that a candidate replaces."""

    key: tuple[object, ...] = ()
    """Tells them from those of other classes, and of other states of the project."""
    compiled: Message = field(default_factory=dict)
    without: str = ""
    """The method that is replaced."""
    outcome: Outcome = field(default_factory=lambda: Outcome("none", ""))
    """Of their first run."""
    lines: Lines = field(default_factory=Lines)
    """Those that they run."""


class ExistingTests:
    """Runs them, and keeps what was found."""

    def __init__(self) -> None:
        self._found: Kept[tuple[object, ...], Existing | None] = Kept()
        self._noticed: Kept[tuple[object, ...], frozenset[int] | None] = Kept()

    def of(self, trial: Trial, text: str) -> Existing | None:
        """Those beside a candidate; None where they cannot be run.

        Args:
            trial: Of the candidate.
            text: The test file without it.
        """
        check = trial.check
        replaced = check.replaces or check.test_method
        without = replaced if re.search(rf"\b{re.escape(replaced)}\s*\(", text) else ""
        owners = (check.focal_class, check.test_class, check.runs_in)
        key = (*trial.layout.state, *owners, content_hash(text.encode("utf-8", "replace")), without)
        if key not in self._found:
            self._found[key] = _found(trial, text, without, key)
        return self._found[key]

    def noticing(
        self, existing: Existing | None, trial: Trial, mutants: Sequence[Mutant]
    ) -> frozenset[int] | None:
        """Numbers of the mutants with which one of them fails that passes without.

        None where they cannot be run, none passes without a mutant, and where it takes too long.
        """
        if existing is None:
            return None
        key = (*existing.key, trial.check.focal_lines, trial.check.mutants)
        if key not in self._noticed:
            self._noticed[key] = _noticing(existing, trial, mutants)
        return self._noticed[key]


def _found(trial: Trial, text: str, without: str, key: tuple[object, ...]) -> Existing | None:
    compiled = trial.compile(text, whole=True)
    if diagnostics_of(compiled.get("diagnostics")):
        return None
    if f"class:{trial.check.test_class}" not in compiled:
        return Existing(key)
    outcome = trial.run(compiled, method="", without=without, seconds=_CLASS_SECONDS)
    lines = None if outcome.kind == "gone" else trial.lines(outcome.probes)
    return None if lines is None else Existing(key, compiled, without, outcome, lines)


def _noticing(existing: Existing, trial: Trial, mutants: Sequence[Mutant]) -> frozenset[int] | None:
    if existing.outcome.kind in ("none", "unowned"):
        return frozenset()
    if not existing.outcome.passed:
        return None
    compiled, without = existing.compiled, existing.without
    start = time.perf_counter()
    again = trial.run(compiled, method="", without=without, seconds=_CLASS_SECONDS)
    spent = time.perf_counter() - start
    if spent * len(mutants) > MUTANTS_SECONDS:
        return None
    sure = existing.outcome.passed & again.passed  # some fail by chance
    longest = max(MUTANT_SECONDS, 3 * spent)
    tried = dict(trial.run_on(mutants, compiled, method="", without=without, longest=longest))
    if len(tried) < len(mutants):
        return None
    return frozenset(
        mutant.number
        for mutant, outcome in tried.items()
        if outcome.kind == "gone"
        or sure - outcome.passed
        or (outcome.kind == "failed" and again.kind != "failed")
    )
