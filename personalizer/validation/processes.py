"""The Java processes of a workspace: one compiles and measures, two run tests, one as elsewhere."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from personalizer.errors import BadInput
from personalizer.validation import sandbox
from personalizer.validation.jdk import Jdk, program
from personalizer.validation.jvm import Gone, Jvm, Message, fields, joined
from personalizer.validation.project import Layout

__all__ = ["Outcome", "Processes"]

_COMPILE_SECONDS = 300.0
_START_SECONDS = 60.0
_COMMON = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # starts sooner; tests are short
    "-XX:-UsePerfData",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
)
_COMPILER = (
    "-Xmx768m",
    "-Xss8m",
    "--add-exports",
    "jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED",
)
_RUNNER = (
    "-ea",
    "-Xmx512m",
    "-XX:MaxMetaspaceSize=256m",
    "-XX:MaxDirectMemorySize=64m",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djdk.attach.allowAttachSelf=true",  # Mockito's inline mocks
    f"-Duser.home={sandbox.HOME}",
    "-Duser.name=nobody",
)
_MOST_THREADS_LEFT = 4
"""Threads of tests that are over, at which the process is started anew."""


@dataclass(frozen=True)
class Outcome:
    """What the running process said of one run, not yet believed."""

    kind: str
    """``passed``, ``failed``, ``skipped``, ``none``, ``unowned`` or ``gone``."""
    message: str
    trace: str = ""
    """Messages of the exception and of its causes."""
    probes: Message = field(default_factory=dict)
    """What the probes of instrumented classes saw."""
    passed: frozenset[str] = frozenset()
    """Names of the tests that passed."""


class Processes:
    """Starts, asks and ends the processes.

    Args:
        root: The workspace.
        jdk: Who runs them.
        measuring: JaCoCo's jars, by artifact.
        programs: Where our compiled program is kept.
        classes: Where the project's classes are compiled to.
    """

    def __init__(
        self, root: Path, jdk: Jdk, measuring: Mapping[str, Path], programs: Path, classes: Path
    ) -> None:
        self._root = root
        self._jdk = jdk
        self._measuring = measuring
        self._programs = programs
        self._classes = classes
        self._compiler: Jvm | None = None
        self._compiler_jars: frozenset[Path] = frozenset()
        self._runners: dict[bool, tuple[tuple[object, ...], Jvm]] = {}
        """Here and elsewhere, each with what it was started for."""

    def compile(
        self,
        message: Message,
        jars: Sequence[Path],
        *,
        seconds: float = _COMPILE_SECONDS,
        cancelled: threading.Event | None = None,
    ) -> Message:
        """The compiling process's answer.

        Raises:
            BadInput: If it died, or its answer is that it failed.
            Cancelled: If ``cancelled`` was set.
        """
        jdk, wanted = self._jdk, self._compiler_jars | frozenset(jars)
        if self._compiler is None or wanted != self._compiler_jars:
            self._end(self._compiler)
            self._compiler_jars = wanted
            self._classes.mkdir(parents=True, exist_ok=True)
            ours = program(jdk, "compiler", self._measuring, self._programs)
            path = os.pathsep.join(map(str, (ours, *self._measuring.values())))
            line = [str(jdk.java), *_COMMON, *_COMPILER, "-cp", path, "personalizer.Compiler"]
            readable = [jdk.home, self._root, ours, *self._measuring.values(), *wanted]

            def command() -> tuple[list[str], int | None]:
                if sandbox.unavailable() is not None:  # it runs nothing that it compiles
                    return line, None
                return sandbox.wrapped(
                    line,
                    readable=_outside(readable),
                    folder=self._root,
                    writable=[self._classes],
                )

            self._compiler = Jvm(command)
        try:
            answer = self._compiler.ask(message, seconds=seconds, cancelled=cancelled)
        except Gone as gone:
            raise BadInput(f"the compiler could not be asked: {gone}") from gone
        if "failed" in answer:
            why = answer["failed"].decode("utf-8", "replace")
            raise BadInput(f"the compiler failed: {why[:300]}")
        return answer

    def start_runner(self, layout: Layout) -> None:
        """Starts the running process where there is none, and does not wait for it.

        Raises:
            BadInput: If our program cannot be compiled, or the process cannot be started.
        """
        try:
            self._runner_for(layout).start()
        except Gone as gone:
            raise BadInput(f"the process that runs tests {gone}") from gone

    def run(
        self,
        layout: Layout,
        classes: Message,
        test: str,
        method: str,
        *,
        without: str = "",
        elsewhere: bool = False,
        seconds: float,
        cancelled: threading.Event | None = None,
    ) -> Outcome:
        """Runs one test, or where ``method`` is empty all of a class but one.

        ``elsewhere``: in a process of another time zone and language, so that what only one start
        of Java gives (a salted order, an identity) is another there too.

        Raises:
            Cancelled: If ``cancelled`` was set.
            BadInput: If our program cannot be compiled.
        """
        runner = self._runner_for(layout, elsewhere=elsewhere)
        token = secrets.token_bytes(16)
        asked = {
            **classes,
            "token": token,
            "folders": joined(layout.outputs),
            "test": test.encode(),
            "method": method.encode(),
            "except": without.encode(),
        }
        try:
            if not runner.answered:  # the time of a start is not the test's
                runner.ask({"token": token}, seconds=_START_SECONDS, cancelled=cancelled)
            answer = runner.ask(asked, seconds=seconds, cancelled=cancelled)
        except Gone as gone:
            return Outcome("gone", str(gone))
        if not secrets.compare_digest(answer.get("token", b""), token):
            runner.kill()
            return Outcome("gone", "it wrote into the channel of its own process")
        if int(answer.get("threads", b"0")) > _MOST_THREADS_LEFT:
            runner.kill()
        return Outcome(
            kind=_text(answer, "outcome"),
            message=_text(answer, "message"),
            trace=_text(answer, "trace"),
            probes={k: v for k, v in answer.items() if k.startswith("probes:")},
            passed=frozenset(fields(answer.get("passed"))),
        )

    def close_runners(self) -> None:
        """Ends what runs tests; the next run starts another."""
        for _, runner in self._runners.values():
            runner.kill()

    def close(self) -> None:
        """Ends all."""
        self._end(self._compiler)
        self.close_runners()

    def _runner_for(self, layout: Layout, *, elsewhere: bool = False) -> Jvm:
        wanted = (layout.folder, layout.jars, self._classes)
        made, runner = self._runners.get(elsewhere, ((), None))
        if runner is None or wanted != made:
            self._end(runner)
            ours = program(self._jdk, "runner", layout.compiled_against, self._programs)
            place = _elsewhere() if elsewhere else ()
            line = [str(self._jdk.java), *_COMMON, *_RUNNER, *place, "-cp", str(ours)]
            line += ["personalizer.Runner", str(ours), *map(str, layout.jars)]
            readable = [self._jdk.home, self._root, self._classes, ours, *layout.jars]
            runner = Jvm(
                lambda: sandbox.wrapped(line, readable=_outside(readable), folder=layout.folder)
            )
            self._runners[elsewhere] = wanted, runner
        return runner

    @staticmethod
    def _end(process: Jvm | None) -> None:
        if process is not None:
            process.kill()


def _elsewhere() -> tuple[str, ...]:
    """Nearly half a day away, where decimals have a comma; the sandbox's language is none."""
    far = "GMT-11:30" if time.localtime().tm_gmtoff > 0 else "GMT+11:30"
    return f"-Duser.timezone={far}", "-Duser.language=de", "-Duser.country=DE"


def _outside(paths: Sequence[Path]) -> list[Path]:
    """Those that the sandbox does not show by itself, or below another of them."""
    found: list[Path] = []
    for path in dict.fromkeys(paths):
        system = path.is_relative_to("/usr") and path.resolve().is_relative_to("/usr")
        if not system and path.exists():
            found.append(path)
    return found


def _text(answer: Message, key: str) -> str:
    return answer.get(key, b"").decode("utf-8", "replace")
