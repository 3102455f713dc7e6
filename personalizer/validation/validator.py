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
from dataclasses import dataclass, replace
from pathlib import Path

from indexer import Snapshot, find_modules
from indexer.store import content_hash
from personalizer.errors import BadInput, Cancelled
from personalizer.validation import sandbox
from personalizer.validation.classpath import ClassPaths
from personalizer.validation.existing import Existing, ExistingTests
from personalizer.validation.frameworks import measuring
from personalizer.validation.jdk import find_jdk
from personalizer.validation.jvm import Message, fields
from personalizer.validation.lines import merged
from personalizer.validation.processes import Outcome, Processes
from personalizer.validation.project import Layout, Project, diagnostics_of
from personalizer.validation.records import Check, Diagnostic, Verdict
from personalizer.validation.trial import Kept, Mutant, Trial
from personalizer.words import shortened

__all__ = ["LocalValidator"]

_JUDGE = 1
"""Changes when the same test may be judged otherwise than before."""
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
        self._project = Project(root, modules, class_paths, classes, jdk)
        self._processes = Processes(root, jdk, self._measuring, programs, classes)
        self._turn = threading.Lock()
        self._layouts: Kept[str, Layout] = Kept()
        self._probed: Kept[tuple[object, ...], Message] = Kept()
        self._broken: Kept[tuple[object, ...], Diagnostic | None] = Kept()
        self._existing = ExistingTests()

    def update(self, snapshot: Snapshot) -> None:
        """Takes the project as it is now; a check under way goes on with what it began with."""
        self._latest = snapshot

    def state(self) -> str:
        """See ``Validator.state``; the build may be asked for its class path."""
        with self._alone(None):
            self._catch_up()
            jars = [f"{name} {jar}" for name, jar in sorted(self._measuring.items())]
            sandboxed = str(sandbox.unavailable())
            parts = [str(_JUDGE), self._project.state(self._snapshot), sandboxed, *jars]
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

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
                trial = self._trial(check, cancelled)
                start = time.perf_counter()
                answer = trial.compile(source, whole=True)
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
            trial = self._trial(check, cancelled)
            start = time.perf_counter()
            verdict, ran = self._judged(trial)
            spent = time.perf_counter() - start
            if ran is not None:
                verdict = replace(verdict, calls=tuple(fields(ran.compiled.get("calls"))))
            if ran is not None and (verdict.passes or check.anyway):
                existing = self._beside(trial)
                start = time.perf_counter()
                verdict = self._measured(verdict, trial, ran.outcome, existing)
                spent += time.perf_counter() - start
                wanted = check.mutants and verdict.reaches_focal
                if wanted and (mutants := trial.mutants()):
                    noticed = self._existing.noticing(existing, trial, mutants)
                    start = time.perf_counter()
                    verdict = _with_mutants(mutants, verdict, trial, ran.compiled, noticed)
                    spent += time.perf_counter() - start
            return replace(verdict, seconds=spent)
        except BadInput as error:
            return Verdict(compiles=None, passes=None, not_run=str(error))

    def _trial(self, check: Check, cancelled: threading.Event | None) -> Trial:
        options = self._project.options(check.file)
        layout = self._layout(check, cancelled)
        return Trial(check, layout, options, self._processes, self._probed, cancelled)

    def _layout(self, check: Check, cancelled: threading.Event | None) -> Layout:
        module = self._project.module_of(check.file)
        key = module.folder
        if key not in self._layouts or not self._layouts[key].whole:
            self._layouts[key] = self._project.layout(
                self._snapshot,
                module,
                lambda message, jars: self._processes.compile(message, jars, cancelled=cancelled),
            )
        return self._layouts[key]

    def _judged(self, trial: Trial) -> tuple[Verdict, _Ran | None]:
        """The verdict without its lines, and what tells them."""
        check, layout = trial.check, trial.layout
        cannot = sandbox.unavailable() or layout.missing
        if not cannot:
            self._processes.start_runner(layout)  # while the candidate is compiled
        answer = trial.compile(check.source)
        wrong = tuple(one for _, one in diagnostics_of(answer.get("diagnostics")))
        if wrong:
            reason = self._why_nothing_compiles(trial, wrong)
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
        first = trial.run(answer)
        if first.kind != "passed":
            return _failing(first, check), _Ran(answer, first)
        if failing := self._failing_in_heir(trial, answer):
            return failing, _Ran(answer, first)
        return self._believed(trial, answer, first)

    def _failing_in_heir(self, trial: Trial, answer: Message) -> Verdict | None:
        """The verdict where it fails in a class that inherits it; None where it does in none.

        Where the other tests of such a class all fail too, the class is to blame.
        """
        for heir in trial.check.also_in:
            there = replace(trial, check=replace(trial.check, runs_in=heir))
            outcome = there.run(answer)
            if outcome.kind not in ("failed", "gone"):
                continue
            others = self._beside(there)
            if others is not None and (others.outcome.passed or others.outcome.kind == "none"):
                failing = _failing(outcome, trial.check)
                told = f"in {heir.rpartition('.')[2]}, which inherits it: {failing.failure}"
                return replace(failing, failure=told)
        return None

    def _believed(
        self, trial: Trial, answer: Message, first: Outcome
    ) -> tuple[Verdict, _Ran | None]:
        """Runs a test that passed again, and its twin, in an order that it cannot know."""
        secret = secrets.token_hex(12)
        twin = trial.compile(trial.check.source, twin=secret)
        if diagnostics_of(twin.get("diagnostics")):
            return Verdict(True, None, not_run="its twin, which must fail, does not compile"), None
        away = trial.check.elsewhere
        for kind in random.SystemRandom().sample(["again", "twin"], 2):
            compiled = answer if kind == "again" else twin
            outcome = trial.run(compiled, elsewhere=away)
            if _as_it_must(kind, outcome, secret):
                continue
            verdict = replace(_failing(outcome, trial.check), flaky=True)
            if away and _as_it_must(kind, trial.run(compiled), secret):
                return replace(verdict, failure=f"{_ELSEWHERE}: {verdict.failure}"), None
            if kind == "again":
                return verdict, None
            self._processes.close_runners()
            return Verdict(True, False, failure=_CANNOT_FAIL), None
        return Verdict(True, True), _Ran(answer, first)

    def _measured(
        self,
        verdict: Verdict,
        trial: Trial,
        outcome: Outcome,
        existing: Existing | None,
    ) -> Verdict:
        if not self._measuring:
            return replace(verdict, not_run=_NO_JACOCO)
        covered = trial.lines(outcome.probes)
        if covered is None:
            return replace(verdict, not_run=_NO_CLASS.format(trial.check.focal_class))
        first, last = trial.check.focal_lines
        if existing is not None and outcome.kind != "gone":
            together = trial.lines(merged(outcome.probes, existing.outcome.probes)) or covered
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

    def _why_nothing_compiles(self, trial: Trial, wrong: Sequence[Diagnostic]) -> str | None:
        """Why the candidate is not to blame: its file, or the focal one, fails without it too.

        A new file has only its framework beside the candidate.
        """
        check, problems = trial.check, trial.layout.problems
        if check.focal_path in problems:
            return _does_not_compile(check.focal_path, problems[check.focal_path], trial.layout)
        text = self._before(check)
        if text is None:
            told = (" ".join(one.message.split()) for one in wrong)
            lacks = (_lacking(one, trial.layout) for one in told if _OF_FRAMEWORK.match(one))
            return next(filter(None, lacks), None)
        key = (*trial.layout.state, check.file, content_hash(text.encode("utf-8", "replace")))
        if key not in self._broken:
            found = diagnostics_of(trial.compile(text).get("diagnostics"))
            self._broken[key] = found[0][1] if found else None
        problem = self._broken[key]
        return _does_not_compile(check.file, problem, trial.layout) if problem else None

    def _beside(self, trial: Trial) -> Existing | None:
        """The other tests of the class; None where they cannot be run."""
        text = self._before(trial.check)
        if text is None or not self._measuring:
            return Existing()
        return self._existing.of(trial, text)

    def _before(self, check: Check) -> str | None:
        """The test file as it is without the candidate; None when there is none."""
        return self._snapshot.text(check.file) if check.file in self._snapshot.files else None


@dataclass(frozen=True)
class _Ran:
    """A candidate's classes, and the run that tells its lines."""

    compiled: Message
    outcome: Outcome


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


def _with_mutants(
    mutants: Sequence[Mutant],
    verdict: Verdict,
    trial: Trial,
    compiled: Message,
    noticed: frozenset[int] | None,
) -> Verdict:
    """The verdict on a test that passes, with which mutants it notices.

    Args:
        mutants: As ``Trial.mutants`` gives them.
        verdict: Of the test.
        trial: Of the test.
        compiled: Its classes.
        noticed: Numbers of those that other tests notice; None where that is not known.
    """
    survivors: list[Mutant] = []
    killed: list[Mutant] = []
    for mutant, outcome in trial.run_on(mutants, compiled):
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


def _does_not_compile(path: str, problem: Diagnostic, layout: Layout) -> str:
    first = " ".join(problem.message.split())[:200]
    told = f"{path} does not compile by itself: line {problem.line}: {first}"
    return _lacking(told, layout) or told


def _lacking(error: str, layout: Layout) -> str | None:
    """What the class path lacks, then an error that names what nobody has; None for others."""
    lacks = "; ".join(layout.notes) or layout.missing
    if not lacks or not _NAMES_NOTHING.search(error):
        return None
    return f"{shortened(lacks, _LONGEST)}; {error}"


_NAMES_NOTHING = re.compile("cannot find symbol|does not exist|cannot access|cannot be resolved")
_OF_FRAMEWORK = re.compile(r"package (?:org\.junit|junit\.framework|org\.testng)\b")
_LONGEST = 150
"""Characters of what the class path lacks."""


def _stop_if(cancelled: threading.Event | None) -> None:
    if cancelled is not None and cancelled.is_set():
        raise Cancelled("the check of the tests was cancelled")
