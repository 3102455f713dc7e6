"""One check in the Java processes: what is compiled, run and measured of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from personalizer.validation.jvm import Message, fields, joined
from personalizer.validation.lines import Lines
from personalizer.validation.processes import Outcome, Processes
from personalizer.validation.project import Layout
from personalizer.validation.records import Check

__all__ = ["MUTANTS_SECONDS", "MUTANT_SECONDS", "Kept", "Mutant", "Trial"]

RUN_SECONDS = 10.0
"""Longest run of one candidate."""
MUTANT_SECONDS, MUTANTS_SECONDS = 2.0, 5.0
"""Longest run on one mutant, which may loop for ever, and on all."""
_COMPILE_SECONDS = 30.0
"""Longest compilation of one file."""
_MOST_KEPT = 200

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(dict[K, V]):
    """What was found, by what it was found for; emptied when it is full."""

    def __setitem__(self, key: K, found: V) -> None:
        if len(self) >= _MOST_KEPT:
            self.clear()
        super().__setitem__(key, found)


@dataclass(frozen=True)
class Mutant:
    """A small change of the focal method."""

    number: int
    line: int
    change: str
    classes: Message = field(compare=False)
    """The class that holds it, changed."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.change}"


@dataclass(frozen=True)
class Trial:
    """One check, with what it is compiled against, who does it and who may cancel it.

    Its methods raise ``Cancelled`` when ``cancelled`` is set, and ``BadInput`` where the compiling
    process cannot be asked.
    """

    check: Check
    layout: Layout
    options: tuple[str, ...]
    """The compiler's, for the language level of the file."""
    processes: Processes
    probed: Kept[tuple[object, ...], Message]
    """Classes with probes, of any check."""
    cancelled: threading.Event | None

    def compile(self, source: str, *, twin: str = "", whole: bool = False) -> Message:
        """Compiles a text of the test file; the bodies of its other tests only if ``whole``."""
        message = {
            "ask": b"candidate",
            "path": self.check.file.encode(),
            "source": source.encode("utf-8", "replace"),
            "owner": self.check.test_class.encode(),
            "method": self.check.test_method.encode(),
            "twin": twin.encode(),
            "class_path": joined(self.layout.class_path),
            "stamp": self.layout.stamp.encode(),
            "options": joined(self.options),
            **({"whole": b"yes"} if whole else {}),
        }
        return self.processes.compile(
            message, self.layout.jars, seconds=_COMPILE_SECONDS, cancelled=self.cancelled
        )

    def run(
        self,
        compiled: Message,
        *,
        method: str | None = None,
        without: str = "",
        elsewhere: bool = False,
        mutant: Mutant | None = None,
        seconds: float | None = None,
    ) -> Outcome:
        """Runs the candidate, or another method, or where ``method`` is empty all of its class.

        Args:
            compiled: Classes of the test file.
            method: The method that is run in place of the candidate.
            without: The method that is left out where all are run.
            elsewhere: See ``Processes.run``.
            mutant: What the focal class is replaced by; else it has probes.
            seconds: Longest run; as of one candidate where left out.
        """
        classes = {k: v for k, v in compiled.items() if k.startswith("class:")}
        return self.processes.run(
            self.layout,
            {**(mutant.classes if mutant else self._probes()), **classes},
            self.check.runs_in or self.check.test_class,
            self.check.test_method if method is None else method,
            without=without,
            elsewhere=elsewhere,
            seconds=RUN_SECONDS if seconds is None else seconds,
            cancelled=self.cancelled,
        )

    def lines(self, probes: Message) -> Lines | None:
        """What probes tell of the focal class's file; None where it cannot have any."""
        if f"class:{self.check.focal_class}" not in self._probes():
            return None
        return Lines.told(self._ask("lines", probes))

    def mutants(self) -> list[Mutant]:
        """Mutants of the focal method, the same for each of its tests."""
        first, last = self.check.focal_lines
        wanted = {"first": first, "last": last, "most": self.check.mutants}
        made = self._ask("mutants", {name: str(n).encode() for name, n in wanted.items()})
        mutants = []
        for number, told in enumerate(fields(made.get("told"))):
            name, line, change = told.split("\t")
            changed = {f"class:{name}": made[f"mutant:{number}"]}
            mutants.append(Mutant(number, int(line), change, changed))
        return mutants

    def run_on(
        self,
        mutants: Sequence[Mutant],
        compiled: Message,
        *,
        method: str | None = None,
        without: str = "",
        longest: float = MUTANT_SECONDS,
    ) -> Iterator[tuple[Mutant, Outcome]]:
        """Runs on each mutant that there is time for what ran without one.

        Args:
            mutants: As :meth:`mutants` gives them.
            compiled: As in :meth:`run`.
            method: As in :meth:`run`.
            without: As in :meth:`run`.
            longest: Of one run, in seconds.
        """
        run = partial(self.run, compiled, method=method, without=without)
        end = time.perf_counter() + MUTANTS_SECONDS
        cold = False
        for mutant in mutants:
            if time.perf_counter() > end:
                return
            if cold:  # the process is new: the time of what it does first is not the mutant's
                run()
            outcome = run(mutant=mutant, seconds=longest)
            cold = outcome.kind == "gone"
            yield mutant, outcome

    def _probes(self) -> Message:
        """The focal class and those nested in it, with probes; empty where they cannot be had."""
        key = (*self.layout.state, self.check.focal_class)
        if key not in self.probed:
            self.probed[key] = self._ask("instrument", {})
        return self.probed[key]

    def _ask(self, what: str, more: Message) -> Message:
        """What the compiling process answers about the focal class."""
        asked = {
            "ask": what.encode(),
            "name": self.check.focal_class.encode(),
            "folders": joined(self.layout.outputs),
            "stamp": self.layout.stamp.encode(),
            **more,
        }
        return self.processes.compile(asked, self.layout.jars, cancelled=self.cancelled)
