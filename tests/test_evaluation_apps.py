"""APPS: programs are run on inputs that they see, against outputs that they do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from personalizer.cli import personalizer
from personalizer.evaluation.tasks import apps
from personalizer.evaluation.tasks.apps import judged
from personalizer.evaluation.tasks.instructions import load_instructions
from personalizer.evaluation.tasks.programs import cannot_run, passed_cases
from personalizer.evaluation.tasks.tune import run_instructions
from personalizer.settings import Settings

REASON = cannot_run("python")
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"programs cannot be run: {REASON}")

DOUBLED = {
    "problem_id": 1,
    "question": "Print twice the number.",
    "solutions": json.dumps(["print(2 * int(input()))"]),
    "input_output": json.dumps({"inputs": ["2\n", ["3", ""]], "outputs": ["4\n", ["6"]]}),
    "difficulty": "introductory",
}
CALLED = {
    "problem_id": 2,
    "question": "Add the numbers.",
    "starter_code": "def add(a, b):",
    "solutions": json.dumps(["def add(a, b):\n    return a + b"]),
    "input_output": json.dumps({"fn_name": "add", "inputs": [[1, 2], [0, 0]], "outputs": [3, [0]]}),
    "difficulty": "interview",
}
UNTESTED = {"problem_id": 3, "question": "Nothing.", "solutions": "", "input_output": ""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split in ("train", "validation", "test"):
        (tmp_path / f"{split}.json").write_text(json.dumps([DOUBLED, CALLED, UNTESTED]))
    return tmp_path


@pytest.mark.parametrize(
    ("program", "given", "wanted", "passes"),
    [
        ("print(input())", "a\n", "a\n", True),
        ("print(input() + ' ')", "a", "a", True),
        ("print(1 / 3)", "", "0.3333333", True),
        ("print(1 / 3)", "", "0.34", False),
        ("print('nan?')", "", "nan", False),
        ("print('a b')", "", "ab", False),
        ("print('a'); print('b')", "", "a", False),
        ("print('a'); raise SystemExit(1)", "", "a", False),
        ("import sys; print(sum(map(int, sys.stdin)))", ["1", "2"], ["3"], True),
        ("while True: pass", "", "", False),
        ("while True: print('x' * 2**20)", "", "x", False),
        ("x = bytearray(2**31); print('a')", "", "a", False),
        ("import os; os.fork(); print('a')", "", "a", False),
    ],
)
def test_a_program_passes_by_what_it_prints(program, given, wanted, passes):
    assert passed_cases(program, [(given, wanted)], seconds=3.0) == [passes]


@pytest.mark.parametrize(
    ("program", "passes"),
    [
        ("def f(a, b):\n    return [a, (b,)]", True),
        ("class Solution:\n    def f(self, a, b):\n        return [a, [b]]", True),
        ("def f(a, b):\n    print('told')\n    return [a, [b]]", True),
        ("def f(a, b):\n    return a", False),
        ("def f(a):\n    return a", False),
        ("def f(a, b):\n    return {a}", False),
        ("def g(a, b):\n    return a", False),
        ("def f(a, b):\n    print('returned: [1]')\n    raise SystemExit", False),
    ],
)
def test_a_function_passes_by_what_it_returns(program, passes):
    assert passed_cases(program, [([1, "x"], [1, ["x"]])], called="f") == [passes]


def test_tasks_are_read_with_their_tests(folder):
    first, second, third = load_instructions("apps", folder, "test")
    assert first.tests == (("2\n", "4\n"), (["3", ""], ["6"]))
    assert (first.called, first.level) == ("", "introductory")
    assert (second.called, second.tests[0]) == ("add", ([1, 2], 3))
    assert second.instruction.endswith("Use Call-Based format\n")
    assert third.tests == ()


def test_shares_of_tests_and_whole_programs_are_told(folder):
    tasks = load_instructions("apps", folder, "test")
    four = "print(4)"
    right = "def add(a, b):\n    return a + b"
    found = judged(tasks, [(four, four), (right, "nonsense("), ("x", "x")])
    assert found["tested"] == 2
    assert found["average_passed"] == (0.5 + 0.5 + 1 + 0) / 4
    assert found["levels"] == {"introductory": 0.5, "interview": 0.5}
    assert (found["pass@1"], found["pass@2"]) == (0.25, 0.5)
    assert (found["any@1"], found["any@2"]) == (0.5, 0.5)


def test_nothing_to_run_is_told(folder, monkeypatch):
    untested = load_instructions("apps", folder, "test")[2:]
    assert judged(untested, [("x",)]) == {"not_run": "no task has tests"}
    monkeypatch.setattr(apps, "cannot_run", lambda language: "no sandbox")
    assert judged(untested, [("x",)]) == {"not_run": "no sandbox"}


@pytest.mark.parametrize(("solutions", "passed"), [("reference", 2), ("broken", 0)])
def test_the_command_runs_the_published_solutions(folder, solutions, passed):
    arguments = ["evaluate", "--tasks", "apps", "--data", str(folder), "--json", "--solutions"]
    found = json.loads(CliRunner().invoke(personalizer, [*arguments, solutions]).stdout)
    assert (found["problems"], found["passed"]) == (2, passed)
    assert found["without_reference"] == ["3"]
    arguments[2] = "conala"
    refused = CliRunner().invoke(personalizer, [*arguments, solutions])
    assert refused.exit_code == 2 and "conala has no programs to run" in refused.stderr


def test_a_models_programs_are_run(folder, tiny_base):
    settings = Settings(base=str(tiny_base), context_tokens=400, target_tokens=12)
    found = run_instructions("apps", folder, settings, [], scratch=folder / "s", beams=1, samples=3)
    base = found["methods"]["base"]
    assert base["tested"] == 2
    assert base["average_passed"] == 0.0
    assert base["pass@3"] == 0.0
    assert "pass@4" not in base
