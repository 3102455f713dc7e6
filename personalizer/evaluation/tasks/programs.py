"""Runs the program of a problem in the full sandbox, and decides outside whether it passed.

What a model wrote shares the process with its test, so leaving with exit code 0 proves nothing:
a program has passed only if, after the test, it prints a word that this process drew. Where cases
are inputs with outputs (APPS), the program sees the inputs alone.
"""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personalizer.errors import PersonalizerError
from personalizer.evaluation.tasks.problems import Problem
from personalizer.validation import sandbox
from personalizer.validation.jdk import find_jdk

__all__ = ["Ran", "cannot_run", "passed_cases", "run_program"]

_IMPORT = re.compile(r"^import [^;\n]+;[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program."""

    passed: bool
    why: str
    """``passed``, ``time``, or the last line that it complained with."""


def cannot_run(language: str) -> str | None:
    """Why programs of a language cannot be run here; None where they can."""
    reason = sandbox.unavailable()
    if reason is None and shutil.which("prlimit") is None:
        reason = "prlimit is missing, which bounds what programs take (Debian: util-linux)"
    if reason is not None or language == "python":
        return reason
    try:
        find_jdk()
    except PersonalizerError as error:
        return str(error)
    return None


def run_program(problem: Problem, solution: str, *, seconds: float = 20.0) -> Ran:
    """Whether a solution passes the problem's test.

    Args:
        problem: Its prompt comes first, its test last.
        solution: What follows the prompt.
        seconds: Longest time; Java compiles within it.

    Raises:
        OSError: If the sandbox cannot be started; ask :func:`cannot_run` before.
    """
    word = secrets.token_hex(16)
    if problem.language == "java":
        jdk = find_jdk()
        judge = _java(problem, solution, word)
        done = _ended([str(jdk.java), *_JAVA], jdk.home, "Judge.java", judge, seconds)
    else:
        done = _ended_python(_python(problem, solution, word), seconds)
    if done is None:
        return Ran(False, "time")
    if done.code == 0 and word in done.printed[-200:]:
        return Ran(True, "passed")
    told = done.complained.strip().splitlines()
    return Ran(False, told[-1][:200] if told else f"exit {done.code} before the test's end")


def passed_cases(
    program: str, cases: Sequence[tuple[Any, Any]], *, called: str = "", seconds: float = 4.0
) -> list[bool]:
    """Which cases a Python program passes, each in a process of its own (APPS).

    Args:
        program: Reads what is given and prints what is wanted, or defines a function.
        cases: What is given, and what is wanted: texts or lists of lines; for a function its
            arguments, and what it returns, which may stand in a list.
        called: The function, also where it is a method of ``Solution``; empty for a program.
        seconds: Longest time of one case, as in APPS's own judge.

    Raises:
        OSError: If the sandbox cannot be started; ask :func:`cannot_run` before.
    """
    if called:
        asking = _ASKING.format(called=called)
        return [
            _returned(_ended_python(f"{program}\n{asking}", seconds, json.dumps(given)), wanted)
            for given, wanted in cases
        ]
    return [
        done is not None and done.code == 0 and _alike(done.printed, _lines(wanted))
        for given, wanted in cases
        for done in [_ended_python(program, seconds, _lines(given))]
    ]


_RETURNED = "returned: "
_ASKING = f"""
import json as _json, sys as _sys
_called = Solution().{{called}} if "Solution" in globals() else {{called}}
print("\\n{_RETURNED}" + _json.dumps(_called(*_json.loads(_sys.stdin.read()))))
"""


def _returned(done: _Done | None, wanted: Any) -> bool:
    """Whether the last line is what is wanted; tuples count as lists, as in JSON."""
    last = done.printed.rstrip("\n").rpartition("\n")[2] if done and done.code == 0 else ""
    if not last.startswith(_RETURNED):
        return False
    try:
        value = json.loads(last.removeprefix(_RETURNED))
    except ValueError:
        return False
    return bool(value == wanted or [value] == wanted)


def _lines(text: Any) -> str:
    return "\n".join(map(str, text)) if isinstance(text, list) else str(text)


def _alike(printed: str, wanted: str) -> bool:
    """Line by line the same words; numbers may differ as numpy's ``allclose`` lets them."""
    ours, theirs = (
        [line.split() for line in text.splitlines() if line.strip()] for text in (printed, wanted)
    )
    return [len(line) for line in ours] == [len(line) for line in theirs] and all(
        one == other or _close(one, other)
        for line, expected in zip(ours, theirs, strict=True)
        for one, other in zip(line, expected, strict=True)
    )


def _close(one: str, other: str) -> bool:
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-5, abs_tol=1e-8)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Done:
    code: int
    printed: str
    complained: str


_MOST_PRINTED = 16 * 2**20
_MOST_MEMORY = 2**30


def _ended_python(program: str, seconds: float, given: str = "") -> _Done | None:
    python = [str(Path(sys.executable).resolve()), "-I"]
    home = Path(sys.base_prefix)
    return _ended(python, home, "program.py", program, seconds, given, memory=_MOST_MEMORY)


def _ended(
    command: Sequence[str],
    home: Path,
    name: str,
    program: str,
    seconds: float,
    given: str = "",
    memory: int | None = None,
) -> _Done | None:
    """What a program printed until it ended; None where its time was over.

    Args:
        command: Runs a file, which comes last.
        home: What it needs to read.
        name: Of the file.
        program: The file's text.
        seconds: Longest time.
        given: Its standard input.
        memory: Bytes of address space; None for what the command limits by itself.
    """
    limits = [f"--fsize={_MOST_PRINTED}", *([f"--as={memory}"] if memory else [])]
    with (
        tempfile.TemporaryDirectory() as place,
        tempfile.TemporaryFile() as printed,
        tempfile.TemporaryFile() as complained,
    ):
        folder = Path(place)
        folder.chmod(0o755)
        file = folder / name
        file.write_text(program, "utf-8")
        line, handle = sandbox.wrapped(
            ["prlimit", *limits, *command, str(file)], readable=[folder, home], folder=folder
        )
        try:
            code = subprocess.run(
                line,
                input=given.encode(),
                stdout=printed,
                stderr=complained,
                timeout=seconds,
                pass_fds=[handle],
            ).returncode
        except subprocess.TimeoutExpired:
            return None
        finally:
            os.close(handle)
        texts = []
        for told in (printed, complained):
            told.seek(0)
            texts.append(told.read().decode("utf-8", "replace"))
    return _Done(code, *texts)


_JAVA = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xshare:auto",
    "-Dfile.encoding=UTF-8",
)


def _java(problem: Problem, solution: str, word: str) -> str:
    """One file that ``java`` runs from its source: the class with ``main`` first, imports above."""
    whole = "\n".join((problem.test, problem.prompt + solution))
    imports = dict.fromkeys(_IMPORT.findall(whole))
    body = re.sub(r"\bpublic class\b", "class", _IMPORT.sub("", whole))
    judge = (
        "class Judge { public static void main(String[] a) throws Throwable { Main.main(a); "
        f'System.out.println(); System.out.println("{word}"); System.out.flush(); }} }}'
    )
    return "\n".join((*imports, judge, body))


def _python(problem: Problem, solution: str, word: str) -> str:
    check = f"check({problem.entry_point})\nprint()\nprint({word!r})\n"
    return "\n".join((problem.prompt + solution, problem.test, check))
