"""Decides about candidates: compiled by one process, run by another, judged in this one.

What the running process says is evidence, not a verdict (docs/decisions/0008-verdicts.md): a
pass counts when the candidate names nothing by which it could reach its own judge, when it passes
again, and when its twin, the same test with an error thrown at its end, fails by that very error.
"""

from __future__ import annotations

import hashlib
import random
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexer import Snapshot, find_modules
from personalizer.errors import BadInput, Cancelled
from personalizer.validation import sandbox
from personalizer.validation.classpath import ClassPaths
from personalizer.validation.frameworks import measuring
from personalizer.validation.jdk import find_jdk
from personalizer.validation.jvm import Message, fields, joined
from personalizer.validation.lines import Lines, merged
from personalizer.validation.processes import Outcome, Processes
from personalizer.validation.project import Layout, Project, diagnostics_of
from personalizer.validation.records import Check, Diagnostic, Verdict

__all__ = ["LocalValidator"]

RUN_SECONDS = 10.0
"""Longest run of one candidate."""
_CLASS_SECONDS = 60.0
"""Longest run of all existing tests of a class."""
_COMPILE_SECONDS = 30.0
"""Longest compilation of one file."""
_MUTANT_SECONDS, _MUTANTS_SECONDS = 2.0, 5.0
"""Longest run of one mutant, which may loop for ever, and of all; of the existing tests, too."""
_MOST_KEPT = 200
"""Entries of each of the tables that a validator keeps."""
_CANNOT_FAIL = "it passes even when an error is thrown at its end, so its pass says nothing"
_ELSEWHERE = "in another process, time zone or language"
_NO_CLASS = "lines are not counted: {} has no class file, or one that this JaCoCo cannot read"
_NO_JACOCO = "lines are not counted: JaCoCo is not on this machine (Debian: libjacoco-java)"


class LocalValidator:
    """Checks candidates on this machine; see ``validator_for`` for its arguments."""

    def __init__(
        self,
        root: Path,
        snapshot: Snapshot,
        build_files: Mapping[str, bytes],
        *,
        trusted: bool,
        data: Path,
        programs: Path,
        class_path: str,
    ) -> None:
        self._snapshot = self._latest = snapshot
        jdk = find_jdk()
        modules = find_modules(build_files, snapshot.files)
        class_paths = ClassPaths(
            root, modules, build_files, trusted=trusted, data=data, setting=class_path
        )
        self._measuring = measuring(class_paths.repositories)
        classes = data / "classes"
        self._project = Project(root, modules, class_paths, classes, jdk.version)
        self._processes = Processes(root, jdk, self._measuring, programs, classes)
        self._turn = threading.Lock()
        self._layouts: dict[tuple[object, ...], Layout] = {}
        self._probed: dict[tuple[object, ...], Message] = {}
        self._existing: dict[tuple[object, ...], _Existing | None] = {}
        self._noticed: dict[tuple[object, ...], frozenset[int] | None] = {}
        self._broken: dict[tuple[object, ...], Diagnostic | None] = {}

    def update(self, snapshot: Snapshot) -> None:
        """Takes the project as it is now; a check under way goes on with what it began with."""
        self._latest = snapshot

    def validate(
        self, checks: Sequence[Check], *, cancelled: threading.Event | None = None
    ) -> list[Verdict]:
        """See ``Validator.validate``; requests of several threads are answered one by one."""
        with self._alone(cancelled):
            self._catch_up()
            return [self._verdict(check, cancelled) for check in checks]

    def compile(
        self, file: str, source: str, *, cancelled: threading.Event | None = None
    ) -> Verdict:
        """See ``Validator.compile``."""
        check = Check(file, source, "", "", file, "", (0, 0))
        with self._alone(cancelled):
            self._catch_up()
            try:
                asking = _Asking(check, self._layout(check, cancelled), cancelled)
                start = time.perf_counter()
                answer = self._compile(asking, source, whole=True)
            except BadInput as error:
                return Verdict(compiles=None, passes=None, not_run=str(error))
        wrong = tuple(one for _, one in diagnostics_of(answer.get("diagnostics")))
        spent = time.perf_counter() - start
        return Verdict(not wrong, None, diagnostics=wrong, seconds=spent)

    def _catch_up(self) -> None:
        if self._latest is not self._snapshot:
            self._snapshot = self._latest
            self._layouts.clear()

    def close(self) -> None:
        """Ends both processes."""
        with self._turn:
            self._processes.close()

    @contextmanager
    def _alone(self, cancelled: threading.Event | None) -> Iterator[None]:
        while not self._turn.acquire(timeout=0.02):
            _stop_if(cancelled)
        try:
            yield
        finally:
            self._turn.release()

    def _verdict(self, check: Check, cancelled: threading.Event | None) -> Verdict:
        _stop_if(cancelled)
        try:
            asking = _Asking(check, self._layout(check, cancelled), cancelled)
            start = time.perf_counter()
            verdict, ran = self._judged(asking)
            spent = time.perf_counter() - start
            if ran is not None:
                verdict = replace(verdict, calls=tuple(fields(ran.compiled.get("calls"))))
            if ran is not None and (verdict.passes or check.anyway):
                existing = self._existing_tests(asking)
                start = time.perf_counter()
                verdict = self._measured(verdict, asking, ran.outcome, existing)
                spent += time.perf_counter() - start
                mutants = self._mutants(asking, verdict)
                noticed = self._noticed_by(existing, asking, mutants) if mutants else None
                start = time.perf_counter()
                verdict = self._tried_on(mutants, verdict, asking, ran.compiled, noticed)
                spent += time.perf_counter() - start
            return replace(verdict, seconds=spent)
        except BadInput as error:
            return Verdict(compiles=None, passes=None, not_run=str(error))

    def _layout(self, check: Check, cancelled: threading.Event | None) -> Layout:
        module = self._project.module_of(check.file)
        unsaved = {p: t for p, t in check.sources.items() if p != check.file}
        key = (module.folder, tuple(sorted(unsaved.items())))
        if key not in self._layouts or not self._layouts[key].whole:
            if len(self._layouts) >= _MOST_KEPT:
                self._layouts.clear()
            self._layouts[key] = self._project.layout(
                self._snapshot,
                module,
                unsaved,
                lambda message, jars: self._processes.compile(message, jars, cancelled=cancelled),
            )
        return self._layouts[key]

    def _judged(self, asking: _Asking) -> tuple[Verdict, _Ran | None]:
        """The verdict without its lines, and what tells them."""
        check, layout = asking.check, asking.layout
        cannot = sandbox.unavailable() or layout.missing
        if not cannot:
            self._processes.start_runner(layout)  # while the candidate is compiled
        answer = self._compile(asking, check.source)
        wrong = tuple(one for _, one in diagnostics_of(answer.get("diagnostics")))
        if wrong:
            reason = self._why_nothing_compiles(asking)
            compiles = None if reason else False
            return Verdict(compiles, None, diagnostics=wrong, not_run=reason), None
        if not answer.get("found"):
            reason = f"{check.test_class} holds no method {check.test_method} with a body"
            return Verdict(True, None, not_run=reason), None
        if cannot:
            return Verdict(True, None, not_run=cannot), None
        refused = fields(answer.get("refused"))
        if refused:
            reason = f"it uses {refused[0]}, by which a test could forge its own verdict"
            return Verdict(True, None, not_run=reason), None
        first = self._run(asking, answer)
        if first.kind != "passed":
            return _failing(first, check), _Ran(answer, first)
        return self._believed(asking, answer, first)

    def _believed(
        self, asking: _Asking, answer: Message, first: Outcome
    ) -> tuple[Verdict, _Ran | None]:
        """Runs a test that passed again, and its twin, in an order that it cannot know."""
        secret = secrets.token_hex(12)
        twin = self._compile(asking, asking.check.source, twin=secret)
        if diagnostics_of(twin.get("diagnostics")):
            return Verdict(True, None, not_run="its twin, which must fail, does not compile"), None
        away = asking.check.elsewhere
        for kind in random.SystemRandom().sample(["again", "twin"], 2):
            compiled = answer if kind == "again" else twin
            outcome = self._run(asking, compiled, elsewhere=away)
            if _as_it_must(kind, outcome, secret):
                continue
            verdict = replace(_failing(outcome, asking.check), flaky=True)
            if away and _as_it_must(kind, self._run(asking, compiled), secret):
                return replace(verdict, failure=f"{_ELSEWHERE}: {verdict.failure}"), None
            if kind == "again":
                return verdict, None
            self._processes.close_runners()
            return Verdict(True, False, failure=_CANNOT_FAIL), None
        return Verdict(True, True), _Ran(answer, first)

    def _measured(
        self,
        verdict: Verdict,
        asking: _Asking,
        outcome: Outcome,
        existing: _Existing | None,
    ) -> Verdict:
        if not self._measuring:
            return replace(verdict, not_run=_NO_JACOCO)
        covered = self._lines(asking, outcome.probes)
        if covered is None:
            return replace(verdict, not_run=_NO_CLASS.format(asking.check.focal_class))
        first, last = asking.check.focal_lines
        if existing is not None and outcome.kind != "gone":
            together = self._lines(asking, merged(outcome.probes, existing.probes)) or covered
            gains = together.added_to(existing.lines)
            verdict = replace(
                verdict,
                gains=tuple(sorted(line for line in gains if first <= line <= last)),
                open_lines=together.open(first, last),
            )
            if verdict.passes:
                verdict = replace(
                    verdict,
                    new_lines=len(covered.ran - existing.lines.ran),
                    new_branches=together.branches_added_to(existing.lines),
                )
        if not verdict.passes:
            return verdict
        return replace(
            verdict,
            covered_lines=len(covered.ran),
            reaches_focal=any(first <= line <= last for line in covered.ran),
            not_run="the existing tests of its class could not be run"
            if existing is None
            else None,
        )

    def _mutants(self, asking: _Asking, verdict: Verdict) -> list[_Mutant]:
        """Mutants of the focal method, the same for each test; none where none is to be tried."""
        check, layout = asking.check, asking.layout
        if not (check.mutants and self._measuring and verdict.passes and verdict.reaches_focal):
            return []
        first, last = check.focal_lines
        asked = {
            "ask": b"mutants",
            "name": asking.focal,
            "folders": joined(layout.outputs),
            "first": str(first).encode(),
            "last": str(last).encode(),
            "most": str(check.mutants).encode(),
        }
        made = self._processes.compile(asked, layout.jars, cancelled=asking.cancelled)
        mutants = []
        for number, told in enumerate(fields(made.get("told"))):
            name, line, change = told.split("\t")
            changed = {f"class:{name}": made[f"mutant:{number}"]}
            mutants.append(_Mutant(number, int(line), change, changed))
        return mutants

    def _noticed_by(
        self, existing: _Existing | None, asking: _Asking, mutants: Sequence[_Mutant]
    ) -> frozenset[int] | None:
        """Numbers of the mutants with which an existing test of the class fails that else passes.

        None where they cannot be run, all fail without a mutant, too, or it takes too long.
        """
        if existing is None or existing.passed is None:
            return None
        key = (*existing.key, asking.check.focal_lines, asking.check.mutants)
        if key not in self._noticed:
            if len(self._noticed) >= _MOST_KEPT:
                self._noticed.clear()
            self._noticed[key] = self._run_on(existing, asking, mutants)
        return self._noticed[key]

    def _run_on(
        self, existing: _Existing, asking: _Asking, mutants: Sequence[_Mutant]
    ) -> frozenset[int] | None:
        noticed = set()
        start = time.perf_counter()
        for mutant in mutants if existing.passed else ():
            if time.perf_counter() - start > _MUTANTS_SECONDS:
                return None
            outcome = self._run(
                asking,
                existing.compiled,
                method="",
                without=existing.without,
                instead=mutant.classes,
                seconds=max(_MUTANT_SECONDS, 3 * existing.seconds),
            )
            if outcome.kind == "gone" or outcome.passed < (existing.passed or 0):
                noticed.add(mutant.number)
        return frozenset(noticed)

    def _tried_on(
        self,
        mutants: Sequence[_Mutant],
        verdict: Verdict,
        asking: _Asking,
        compiled: Message,
        noticed: frozenset[int] | None,
    ) -> Verdict:
        """Which mutants the test notices; it passed without them.

        Args:
            noticed: Those that other tests notice; None where that is not known.
        """
        survivors: list[_Mutant] = []
        killed: list[_Mutant] = []
        start = time.perf_counter()
        for mutant in mutants:
            if time.perf_counter() - start > _MUTANTS_SECONDS:
                break
            outcome = self._run(asking, compiled, instead=mutant.classes, seconds=_MUTANT_SECONDS)
            if "VerifyError" in outcome.message:
                continue  # it is no program
            (killed if outcome.kind in ("failed", "gone") else survivors).append(mutant)
        verdict = replace(
            verdict,
            mutants=len(killed) + len(survivors) or None,
            killed=len(killed),
            survivors=tuple(map(str, survivors)),
        )
        if noticed is None:
            return verdict
        return replace(
            verdict,
            new_killed=sum(one.number not in noticed for one in killed),
            unnoticed=tuple(str(one) for one in survivors if one.number not in noticed),
        )

    def _compile(
        self, asking: _Asking, source: str, *, twin: str = "", whole: bool = False
    ) -> Message:
        """Compiles a text of the test file; the bodies of its other tests only if ``whole``."""
        check, layout = asking.check, asking.layout
        message = {
            "ask": b"candidate",
            "path": check.file.encode(),
            "source": source.encode("utf-8", "replace"),
            "owner": check.test_class.encode(),
            "method": check.test_method.encode(),
            "twin": twin.encode(),
            "class_path": joined(layout.class_path),
            "options": joined(layout.options),
            **({"whole": b"yes"} if whole else {}),
        }
        return self._processes.compile(
            message, layout.jars, seconds=_COMPILE_SECONDS, cancelled=asking.cancelled
        )

    def _run(
        self,
        asking: _Asking,
        compiled: Message,
        *,
        method: str | None = None,
        without: str = "",
        elsewhere: bool = False,
        instead: Message | None = None,
        seconds: float = RUN_SECONDS,
    ) -> Outcome:
        """Runs the candidate, or another method or all of its class; ``instead``: a mutant."""
        check = asking.check
        classes = {k: v for k, v in compiled.items() if k.startswith("class:")}
        return self._processes.run(
            asking.layout,
            {**(instead or self._probes(asking)), **classes},
            check.runs_in or check.test_class,
            check.test_method if method is None else method,
            without=without,
            elsewhere=elsewhere,
            seconds=seconds,
            cancelled=asking.cancelled,
        )

    def _probes(self, asking: _Asking) -> Message:
        """The focal class and those nested in it, with probes; empty where they cannot be had."""
        key = (asking.layout.outputs, asking.check.focal_class)
        if key not in self._probed:
            if len(self._probed) >= _MOST_KEPT:
                self._probed.clear()
            self._probed[key] = self._processes.compile(
                {
                    "ask": b"instrument",
                    "name": asking.focal,
                    "folders": joined(asking.layout.outputs),
                },
                asking.layout.jars,
                cancelled=asking.cancelled,
            )
        return self._probed[key]

    def _lines(self, asking: _Asking, probes: Message) -> Lines | None:
        if f"class:{asking.check.focal_class}" not in self._probes(asking):
            return None
        asked = {
            "ask": b"lines",
            "name": asking.focal,
            "folders": joined(asking.layout.outputs),
            **probes,
        }
        told = self._processes.compile(asked, asking.layout.jars, cancelled=asking.cancelled)
        return Lines.told(told)

    def _existing_tests(self, asking: _Asking) -> _Existing | None:
        """What the other tests of the class run; None where they cannot be run."""
        check = asking.check
        text = self._before(check)
        if text is None or not self._measuring:
            return _Existing()
        named = re.search(rf"\b{re.escape(check.test_method)}\s*\(", text)
        without = check.test_method if named else ""
        key = (asking.layout.outputs, check.focal_class, check.test_class, _digest(text), without)
        if key not in self._existing:
            if len(self._existing) >= _MOST_KEPT:
                self._existing.clear()
            self._existing[key] = self._run_existing(asking, text, without, key)
        return self._existing[key]

    def _run_existing(
        self, asking: _Asking, text: str, without: str, key: tuple[object, ...]
    ) -> _Existing | None:
        compiled = self._compile(asking, text, whole=True)
        if f"class:{asking.check.test_class}" not in compiled:
            return _Existing(key=key)
        if diagnostics_of(compiled.get("diagnostics")):
            return None
        start = time.perf_counter()
        outcome = self._run(asking, compiled, method="", without=without, seconds=_CLASS_SECONDS)
        spent = time.perf_counter() - start
        lines = None if outcome.kind == "gone" else self._lines(asking, outcome.probes)
        if lines is None:
            return None
        passed = outcome.passed or (None if outcome.kind == "failed" else 0)
        return _Existing(key, compiled, without, outcome.probes, lines, passed, spent)

    def _why_nothing_compiles(self, asking: _Asking) -> str | None:
        """Why the candidate is not to blame: its file, or the focal one, fails without it too."""
        check, problems = asking.check, asking.layout.problems
        if check.focal_path in problems:
            return _does_not_compile(check.focal_path, problems[check.focal_path], asking.layout)
        text = self._before(check)
        if text is None:
            return None
        key = (asking.layout.class_path, check.file, _digest(text))
        if key not in self._broken:
            if len(self._broken) >= _MOST_KEPT:
                self._broken.clear()
            wrong = diagnostics_of(self._compile(asking, text).get("diagnostics"))
            self._broken[key] = wrong[0][1] if wrong else None
        problem = self._broken[key]
        return _does_not_compile(check.file, problem, asking.layout) if problem else None

    def _before(self, check: Check) -> str | None:
        """The test file as it is without the candidate; None when there is none."""
        if check.file in check.sources:
            return check.sources[check.file]
        return self._snapshot.text(check.file) if check.file in self._snapshot.files else None


@dataclass(frozen=True)
class _Asking:
    """One check, with what it is compiled against and who may cancel it."""

    check: Check
    layout: Layout
    cancelled: threading.Event | None

    @property
    def focal(self) -> bytes:
        return self.check.focal_class.encode()


@dataclass(frozen=True)
class _Ran:
    """A candidate's classes, and the run that tells its lines."""

    compiled: Message
    outcome: Outcome


@dataclass(frozen=True)
class _Existing:
    """The other tests of a class, and what they run."""

    key: tuple[object, ...] = ()
    """Tells them from those of other classes."""
    compiled: Message = field(default_factory=dict)
    without: str = ""
    """The method among them that the candidate replaces."""
    probes: Message = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)
    passed: int | None = 0
    """How many of them pass; None where all fail."""
    seconds: float = 0.0


@dataclass(frozen=True)
class _Mutant:
    """A small change of the focal method."""

    number: int
    line: int
    change: str
    classes: Message

    def __str__(self) -> str:
        return f"line {self.line}: {self.change}"


def _as_it_must(kind: str, outcome: Outcome, secret: str) -> bool:
    """Whether a run again passed, or a twin failed by its own error."""
    if kind == "again":
        return outcome.kind == "passed"
    return outcome.kind == "failed" and secret in outcome.trace


def _failing(outcome: Outcome, check: Check) -> Verdict:
    told = {
        "failed": outcome.message,
        "gone": outcome.message,
        "skipped": f"it was skipped: {outcome.message}",
        "unowned": "it bears no annotation of a test framework of the project",
        "none": f"no test called {check.test_method} ran",
    }
    return Verdict(True, False, failure=told.get(outcome.kind, "its process spoke nonsense"))


def _does_not_compile(path: str, problem: Diagnostic, layout: Layout) -> str:
    first = " ".join(problem.message.split())
    notes = "".join(f"; class path: {note}" for note in layout.notes)
    return f"{path} does not compile by itself: line {problem.line}: {first[:200]}{notes}"


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace")).digest()


def _stop_if(cancelled: threading.Event | None) -> None:
    if cancelled is not None and cancelled.is_set():
        raise Cancelled("the check of the tests was cancelled")
