"""Runs the program of a problem in the full sandbox, and decides outside whether it passed.

What a model wrote shares the process with its test, so leaving with exit code 0 proves nothing:
a program has passed only if, after the test, it prints a word that this process drew.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from personalizer.errors import PersonalizerError
from personalizer.evaluation.tasks.problems import Problem
from personalizer.validation import sandbox
from personalizer.validation.jdk import find_jdk

__all__ = ["Ran", "cannot_run", "run_program"]

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
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        if problem.language == "java":
            file = folder / "Judge.java"
            file.write_text(_java(problem, solution, word), "utf-8")
            jdk = find_jdk()
            command = [str(jdk.java), *_JAVA, str(file)]
            readable = [folder, jdk.home]
        else:
            file = folder / "program.py"
            file.write_text(_python(problem, solution, word), "utf-8")
            command = [str(Path(sys.executable).resolve()), "-I", str(file)]
            readable = [folder, Path(sys.base_prefix)]
        line, handle = sandbox.wrapped(command, readable=readable, folder=folder)
        try:
            done = subprocess.run(line, capture_output=True, timeout=seconds, pass_fds=[handle])
        except subprocess.TimeoutExpired:
            return Ran(False, "time")
        finally:
            os.close(handle)
    if done.returncode == 0 and word.encode() in done.stdout[-200:]:
        return Ran(True, "passed")
    told = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return Ran(False, told[-1][:200] if told else f"exit {done.returncode} before the test's end")


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
