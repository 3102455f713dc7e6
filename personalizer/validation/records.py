"""What is asked of a validator, and what it answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer import Snapshot

__all__ = ["Check", "Diagnostic", "Unable", "Validator", "Verdict"]


@dataclass(frozen=True, slots=True)
class Check:
    """One candidate test, in the file where it would live."""

    file: str
    """The test file, POSIX, relative to the workspace; it need not exist yet."""
    source: str
    """Whole text of that file with the candidate in it."""
    test_class: str
    """Binary name of the class that holds the candidate, as ``shop.CartTest$Totals``."""
    test_method: str
    """The candidate's own name."""
    focal_path: str
    """File of the focal method."""
    focal_class: str
    """Binary name of its class."""
    focal_lines: tuple[int, int]
    """First and last line of the focal method, from 1."""
    line: int = 0
    """The candidate's first line in ``source``, from 1."""
    runs_in: str = ""
    """Binary name of a subclass to run it in, where its own class is abstract; else empty."""
    also_in: tuple[str, ...] = ()
    """Binary names of other classes that inherit it: it passes where it does in each of them."""
    mutants: int = 0
    """Most mutants of the focal method that a passing candidate is tried on."""
    replaces: str = ""
    """Name of the method that it takes the place of, which is none of the other tests; its own
    name's, where left out."""
    anyway: bool = False
    """Whether ``gains`` and ``open_lines`` are told of a candidate that fails, too."""
    elsewhere: bool = False
    """Whether the second run is in another process, time zone and language: a test whose values
    only one start of Java or today's machine gives then fails."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message of the compiler about the test file."""

    line: int
    """From 1, in ``Check.source``; 0 where the compiler names none."""
    column: int
    """From 1; 0 where the compiler names none."""
    kind: str
    """``error`` or ``warning``."""
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one candidate."""

    compiles: bool | None
    """None when it could not be tried; ``not_run`` says why."""
    passes: bool | None
    """None when it was not run; a candidate that does not compile was not."""
    flaky: bool = False
    """It passed once and failed once; ``passes`` is then false."""
    covered_lines: int | None = None
    """Lines of the focal class's file that a passing candidate runs."""
    new_lines: int | None = None
    """Those among them that no existing test of the test class runs."""
    new_branches: int | None = None
    """Branches in that file that no existing test of the test class takes."""
    reaches_focal: bool | None = None
    """Whether a line of the focal method itself ran."""
    calls: tuple[str, ...] = ()
    """Methods that a candidate that was run calls itself, each with the erased simple types of its
    parameters: ``get(Enum)``, ``<init>(int,String[])``."""
    gains: tuple[int, ...] = ()
    """Lines of the focal method, from 1, that no existing test runs, or of which one takes fewer
    branches."""
    open_lines: tuple[int, ...] = ()
    """Lines of the focal method that, with this candidate, still do not run, or not each branch."""
    mutants: int | None = None
    """Mutants of the focal method that a passing candidate was tried on; None when on none."""
    killed: int = 0
    """Those among them with which it fails, as a test that looks at what they change does."""
    new_killed: int | None = None
    """Those among these with which no existing test of the test class fails; None when that was not
    measured."""
    survivors: tuple[str, ...] = ()
    """The others, each as ``line 9: the condition turned round``."""
    unnoticed: tuple[str, ...] = ()
    """Those among ``survivors`` with which no existing test of the test class fails either."""
    diagnostics: tuple[Diagnostic, ...] = ()
    failure: str | None = None
    """Exception and message of a failing candidate, with its own stack frame."""
    seconds: float = 0.0
    """Wall time for this candidate, without what all candidates of a class share."""
    not_run: str | None = None
    """Why ``compiles``, ``passes`` or the lines are None; one line."""


class Validator(Protocol):
    """Compiles and runs candidates of one workspace; safe to call from several threads."""

    def update(self, snapshot: Snapshot) -> None:
        """Takes the project as it is now; costs nothing until the next check."""

    def state(self) -> str:
        """A digest of all that decides a verdict beside its check, none of which is compiled.

        Sources, build files, resources, libraries, JDK and judge: where it is the same, verdicts of
        before still hold.
        """

    def validate(
        self, checks: Sequence[Check], *, cancelled: threading.Event | None = None
    ) -> list[Verdict]:
        """One verdict a check, in order. Never raises for what a candidate does.

        Raises:
            Cancelled: Within 50 ms after ``cancelled`` was set.
        """

    def compile(
        self, file: str, source: str, *, cancelled: threading.Event | None = None
    ) -> Verdict:
        """Whether a file of the project would compile with this text; nothing is run.

        Args:
            file: POSIX, relative to the workspace.
            source: The file's whole text.

        Returns:
            ``compiles``, ``diagnostics`` and ``not_run``; the rest is None.

        Raises:
            Cancelled: Within 50 ms after ``cancelled`` was set.
        """

    def close(self) -> None:
        """Ends the processes; a later ``validate`` starts them again."""


class Unable:
    """Answers nothing but why nothing can be checked."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def update(self, snapshot: Snapshot) -> None:
        """There is nothing to keep."""

    def state(self) -> str:
        """Only the reason: nothing else decides."""
        return self.reason

    def validate(
        self, checks: Sequence[Check], *, cancelled: threading.Event | None = None
    ) -> list[Verdict]:
        """A verdict without an answer for each check."""
        return [Verdict(compiles=None, passes=None, not_run=self.reason) for _ in checks]

    def compile(
        self, file: str, source: str, *, cancelled: threading.Event | None = None
    ) -> Verdict:
        """A verdict without an answer."""
        return Verdict(compiles=None, passes=None, not_run=self.reason)

    def close(self) -> None:
        """There is nothing to end."""
