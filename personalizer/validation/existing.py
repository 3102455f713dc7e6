"""The tests that a class has: what they run, and which mutants they notice."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from personalizer.validation.jvm import Message
from personalizer.validation.lines import Lines
from personalizer.validation.project import diagnostics_of
from personalizer.validation.trial import Kept, Mutant, Trial

__all__ = ["MUTANTS_SECONDS", "MUTANT_SECONDS", "Existing", "ExistingTests", "digest"]

MUTANT_SECONDS, MUTANTS_SECONDS = 2.0, 5.0
"""Longest run of one mutant, which may loop for ever, and of all."""
_CLASS_SECONDS = 60.0
"""Longest run of all tests of a class."""


@dataclass(frozen=True)
class Existing:
    """The tests of a class but the one that a candidate replaces."""

    key: tuple[object, ...] = ()
    """Tells them from those of other classes."""
    compiled: Message = field(default_factory=dict)
    without: str = ""
    """The method that is replaced."""
    probes: Message = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)
    """Those that they run."""
    passed: int | None = 0
    """How many of them pass; None where all fail."""
    seconds: float = 0.0


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
        named = re.search(rf"\b{re.escape(check.test_method)}\s*\(", text)
        without = check.test_method if named else ""
        key = (trial.layout.outputs, check.focal_class, check.test_class, digest(text), without)
        if key not in self._found:
            self._found[key] = _run(trial, text, without, key)
        return self._found[key]

    def noticing(
        self, existing: Existing | None, trial: Trial, mutants: Sequence[Mutant]
    ) -> frozenset[int] | None:
        """Numbers of the mutants with which fewer of them pass.

        None where they cannot be run, all fail without a mutant, too, and where it takes too long.
        """
        if existing is None or existing.passed is None:
            return None
        key = (*existing.key, trial.check.focal_lines, trial.check.mutants)
        if key not in self._noticed:
            self._noticed[key] = _noticing(existing, existing.passed, trial, mutants)
        return self._noticed[key]


def _run(trial: Trial, text: str, without: str, key: tuple[object, ...]) -> Existing | None:
    compiled = trial.compile(text, whole=True)
    if f"class:{trial.check.test_class}" not in compiled:
        return Existing(key)
    if diagnostics_of(compiled.get("diagnostics")):
        return None
    start = time.perf_counter()
    outcome = trial.run(compiled, method="", without=without, seconds=_CLASS_SECONDS)
    spent = time.perf_counter() - start
    lines = None if outcome.kind == "gone" else trial.lines(outcome.probes)
    if lines is None:
        return None
    passed = outcome.passed or (None if outcome.kind == "failed" else 0)
    return Existing(key, compiled, without, outcome.probes, lines, passed, spent)


def _noticing(
    existing: Existing, passed: int, trial: Trial, mutants: Sequence[Mutant]
) -> frozenset[int] | None:
    noticed = set()
    start = time.perf_counter()
    for mutant in mutants if passed else ():
        if time.perf_counter() - start > MUTANTS_SECONDS:
            return None
        outcome = trial.run(
            existing.compiled,
            method="",
            without=existing.without,
            mutant=mutant,
            seconds=max(MUTANT_SECONDS, 3 * existing.seconds),
        )
        if outcome.kind == "gone" or outcome.passed < passed:
            noticed.add(mutant.number)
    return frozenset(noticed)


def digest(text: str) -> bytes:
    """Tells texts apart."""
    return hashlib.blake2b(text.encode("utf-8", "replace")).digest()
