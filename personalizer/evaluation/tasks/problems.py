"""Problems whose programs are run, as published: HumanEval, HumanEval-X Java and MBJP."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from personalizer.errors import BadInput
from personalizer.evaluation.tasks.files import find, rows, text_of

__all__ = ["PROBLEMS", "Problem", "completed", "load_problems"]

Language = Literal["java", "python"]

PROBLEMS: dict[str, tuple[Language, tuple[str, ...]]] = {
    "humaneval": ("python", ("human-eval.jsonl.gz", "HumanEval.jsonl.gz", "HumanEval.jsonl")),
    "humaneval-x-java": (
        "java",
        ("humaneval-x-java.jsonl.gz", "humaneval_java.jsonl.gz", "humaneval_java.jsonl"),
    ),
    "mbjp": ("java", ("mbjp-v1.2.jsonl.gz", "mbjp_release_v1.2.jsonl")),
}
"""By name: the language, and what the data file is called."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem."""

    id: str
    language: Language
    prompt: str
    """What the model goes on with: imports, the comment and the signature."""
    solution: str | None
    """The reference, which goes on from the prompt; None where none was published."""
    test: str
    entry_point: str
    """Function that a Python test checks; empty for Java."""


def load_problems(name: str, folder: Path) -> list[Problem]:
    """The problems of a benchmark.

    Args:
        name: One of ``PROBLEMS``.
        folder: That holds its file, or the file.

    Raises:
        BadInput: If the file is missing or of another shape; says which line.
    """
    language, names = PROBLEMS[name]
    file = find(folder, names)
    problems = []
    for number, row in enumerate(rows(file), 1):
        place = f"{file} problem {number}"
        entry = str(row.get("entry_point") or "")
        if language == "python" and not entry:
            raise BadInput(f"{place}: expected an entry_point")
        problems.append(
            Problem(
                id=text_of(row, ["task_id"], place),
                language=language,
                prompt=text_of(row, ["prompt"], place),
                solution=row.get("canonical_solution") or None,
                test=text_of(row, ["test"], place),
                entry_point=entry,
            )
        )
    return problems


def completed(problem: Problem, text: str) -> str:
    """A completion cut where its function ends, with the class closed: models go on and on.

    Example:
        >>> problem = Problem("x", "java", "class A {\\n  int f() {\\n", None, "", "")
        >>> completed(problem, "    return 1;\\n  }\\n  int g() { }\\n")
        '    return 1;\\n  }\\n}'
        >>> python = Problem("x", "python", "def f():\\n", None, "", "f")
        >>> completed(python, "    return 1\\n\\nprint(f())\\n")
        '    return 1\\n'
    """
    if problem.language == "python":
        kept = re.split(r"\n(?=\S)", text, maxsplit=1)[0]
        return kept if kept.endswith("\n") else kept + "\n"
    # The prompt ends inside the method, so the text is read until that brace is closed.
    depth = 1
    for match in re.finditer(_JAVA_TOKEN, text):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return text[: match.end()] + "\n}"
    return text


_JAVA_TOKEN = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"' + r"|'(?:\\.|[^'\\\n])*'|[{}]"
