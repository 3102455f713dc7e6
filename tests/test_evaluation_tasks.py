"""Benchmark tasks: published forms are read, programs run in the sandbox, verdicts are sound."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from personalizer.cli import personalizer
from personalizer.errors import BadInput
from personalizer.evaluation.methods import methods_named
from personalizer.evaluation.tasks import tune
from personalizer.evaluation.tasks.instructions import (
    SPLITS,
    Instruction,
    encode_instruction,
    load_instructions,
)
from personalizer.evaluation.tasks.problems import load_problems
from personalizer.evaluation.tasks.programs import cannot_run, run_program
from personalizer.evaluation.tasks.run import run_problems
from personalizer.evaluation.tasks.tune import run_instructions
from personalizer.generation import Vectors
from personalizer.models import load_tokenizer
from personalizer.models.sentences import Sentences
from personalizer.settings import Settings
from personalizer.training.strategies import STRATEGIES

JAVA = {
    "task_id": "Java/0",
    "prompt": "import java.util.*;\n\nclass Solution {\n    int twice(int n) {\n",
    "canonical_solution": "        return 2 * n;\n    }\n}",
    "test": "public class Main {\n    public static void main(String[] args) {\n"
    "        if (new Solution().twice(4) != 8) { throw new AssertionError(); }\n    }\n}",
}
PYTHON = {
    "task_id": "HumanEval/0",
    "prompt": 'def twice(n):\n    """Twice."""\n',
    "canonical_solution": "    return 2 * n\n",
    "test": "def check(candidate):\n    assert candidate(4) == 8\n",
    "entry_point": "twice",
}
ROWS = {"humaneval-x-java": JAVA, "humaneval": PYTHON}
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def needs_sandbox(language):
    return pytest.mark.skipif(
        cannot_run(language) is not None, reason=f"programs cannot be run: {cannot_run(language)}"
    )


def problem_of(tmp_path, name, **changes):
    file = tmp_path / f"{name}.jsonl"
    file.write_text(json.dumps(ROWS[name] | changes) + "\n")
    return load_problems(name, file)[0]


BOTH = [
    pytest.param("humaneval-x-java", marks=needs_sandbox("java")),
    pytest.param("humaneval", marks=needs_sandbox("python")),
]


@pytest.mark.parametrize("name", BOTH)
def test_a_right_program_passes(tmp_path, name):
    problem = problem_of(tmp_path, name)
    assert run_program(problem, problem.solution).passed


@pytest.mark.parametrize(
    ("name", "solution"),
    [
        ("humaneval-x-java", "        return 3 * n;\n    }\n}"),
        ("humaneval-x-java", "        return \n    }\n}"),
        ("humaneval-x-java", "        System.exit(0); return 8;\n    }\n}"),
        ("humaneval", "    return 3 * n\n"),
        ("humaneval", "    import os\n    os._exit(0)\n"),
        ("humaneval", "    return (\n"),
    ],
)
def test_a_wrong_program_or_one_that_leaves_early_does_not(tmp_path, name, solution):
    problem = problem_of(tmp_path, name)
    reason = cannot_run(problem.language)
    if reason:
        pytest.skip(f"programs cannot be run: {reason}")
    assert not run_program(problem, solution).passed


@needs_sandbox("python")
def test_a_program_without_end_is_ended(tmp_path):
    ran = run_program(problem_of(tmp_path, "humaneval"), "    while True: pass\n", seconds=2.0)
    assert (ran.passed, ran.why) == (False, "time")


@needs_sandbox("python")
def test_a_program_reaches_no_network_and_writes_nothing_outside(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("x")
    solution = (
        "    import socket, pathlib\n"
        "    try:\n        socket.create_connection(('1.1.1.1', 53), 1)\n        return 0\n"
        "    except OSError:\n        pass\n"
        f"    try:\n        pathlib.Path({str(kept)!r}).write_text('y')\n        return 0\n"
        "    except OSError:\n        return 2 * n\n"
    )
    assert run_program(problem_of(tmp_path, "humaneval"), solution).passed
    assert kept.read_text() == "x"


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data with the benchmarks' files")
@pytest.mark.parametrize(
    ("name", "count", "without"),
    [("humaneval", 164, 0), ("humaneval-x-java", 164, 0), ("mbjp", 966, 92)],
)
def test_the_published_files_are_read_and_their_first_references_pass(name, count, without):
    problems = load_problems(name, DATA)
    assert (len(problems), sum(p.solution is None for p in problems)) == (count, without)
    reason = cannot_run(problems[0].language)
    if reason:
        pytest.skip(f"programs cannot be run: {reason}")
    right = run_problems(name, DATA, Settings(), solutions="reference", limit=2)
    assert (right["pass"]["pass@1"], right["failed"]) == (1.0, {})
    wrong = run_problems(name, DATA, Settings(), solutions="broken", limit=2)
    assert wrong["pass"]["pass@1"] == 0.0


@needs_sandbox("python")
def test_a_model_writes_programs_and_both_readings_of_pass_at_k_are_told(tmp_path, tiny_base):
    (tmp_path / "HumanEval.jsonl").write_text(json.dumps(PYTHON) + "\n")
    settings = Settings(base=str(tiny_base), target_tokens=20)
    found = run_problems("humaneval", tmp_path, settings, samples=2)
    assert set(found["pass"]) == {"pass@1", "pass@2"}
    assert set(found["any"]) == {"any@1", "any@2"}
    assert found["failed"].keys() == {"HumanEval/0"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "found none"),
        ("{\n", "line 1: expected a JSON object"),
        ("[1]", "entry 1: expected a JSON object, got int"),
        ('{"task_id": "a", "prompt": "b"}\n', "problem 1: expected text under test"),
    ],
)
def test_a_file_of_the_wrong_shape_says_where(tmp_path, text, says):
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    with pytest.raises(BadInput, match=says):
        load_problems("mbjp", file)


INSTRUCTIONS = {
    "conala": {
        "question_id": 7,
        "intent": "sort",
        "rewritten_intent": "sort `x`",
        "snippet": "x.sort()",
    },
    "codealpacapy": {"instruction": "sort", "input": "[2, 1]", "output": "sorted([2, 1])"},
    "apps": {
        "problem_id": 3,
        "question": "Sort.",
        "starter_code": "",
        "solutions": json.dumps(["print(sorted(input()))", "x"]),
        "input_output": json.dumps({"inputs": ["21\n"], "outputs": ["12\n"]}),
        "difficulty": "interview",
    },
}


@pytest.mark.parametrize(
    ("name", "asked", "answer"),
    [
        ("conala", "sort `x`", "x.sort()"),
        ("codealpacapy", "sort\n[2, 1]", "sorted([2, 1])"),
        ("apps", "Sort.\nUse Standard Input format\n", "print(sorted(input()))"),
    ],
)
def test_instruction_tasks_are_read_in_their_published_form(tmp_path, name, asked, answer):
    (tmp_path / "train.json").write_text(json.dumps([INSTRUCTIONS[name]]))
    (tmp_path / "val.jsonl").write_text(json.dumps(INSTRUCTIONS[name]) + "\n")
    for split in ("train", "validation"):
        [one] = load_instructions(name, tmp_path, split)
        assert (one.instruction, one.answer) == (asked, answer)
    assert one.tests == ((("21\n", "12\n"),) if name == "apps" else ())
    with pytest.raises(BadInput, match=r"expected one of test\.jsonl, test\.json"):
        load_instructions(name, tmp_path, "test")
    assert name in SPLITS


def test_loss_is_on_the_answer_alone_and_what_does_not_fit_is_left_out(tmp_path, tiny_base):
    (tmp_path / "train.json").write_text(json.dumps([INSTRUCTIONS["conala"]]))
    [one] = load_instructions("conala", tmp_path, "train")
    tokenizer = load_tokenizer(str(tiny_base))
    tokens = encode_instruction(one, tokenizer, 200)
    assert tokenizer.decode(tokens.prompt) == "### Instruction:\nsort `x`\n\n### Response:\n"
    assert tokenizer.decode(tokens.target) == "x.sort()" + tokenizer.eos_token
    assert encode_instruction(one, tokenizer, 20) is None


def test_the_command_tells_pass_at_k_and_asks_for_the_data(tmp_path):
    (tmp_path / "HumanEval.jsonl").write_text(json.dumps(PYTHON) + "\n")
    arguments = ["evaluate", "--tasks", "humaneval", "--solutions", "reference", "--json"]
    refused = CliRunner().invoke(personalizer, arguments)
    assert refused.exit_code == 2
    assert "--tasks needs --data" in refused.stderr
    if cannot_run("python"):
        pytest.skip(f"programs cannot be run: {cannot_run('python')}")
    found = CliRunner().invoke(personalizer, [*arguments, "--data", str(tmp_path)])
    assert json.loads(found.stdout)["pass"] == {"pass@1": 1.0}


def test_the_nearest_instructions_are_those_of_the_greatest_cosine(tiny_sentences):
    from sentence_transformers import SentenceTransformer

    said = ["add one to x", "read a file", "write a file", "sort the list"]
    train = [Instruction(str(place), text, "pass") for place, text in enumerate(said)]
    asked = Instruction("9", "read the list", "pass")
    rows = SentenceTransformer(str(tiny_sentences), device="cpu").encode([*said, asked.instruction])
    cosines = rows[:-1] @ rows[-1] / np.linalg.norm(rows[:-1], axis=1)
    wanted = [said[place] for place in cosines.argsort()[::-1][:3]]
    embed = Vectors().by(str(tiny_sentences), Sentences())
    (_, rag) = methods_named(["base", "rag"], STRATEGIES)
    found = tune._choosing(rag, train, 3, embed)(asked)
    assert [one.instruction for one in found] == wanted
    by_words = tune._choosing(rag, train, 1, None)(asked)
    assert [one.instruction for one in by_words] in (["read a file"], ["sort the list"])
    assert list(tune._choosing(rag, train, 3, None)(Instruction("8", "nothing", "pass"))) == []


def test_an_instruction_task_finds_its_examples_as_the_setting_says(
    tmp_path, tiny_base, monkeypatch
):
    rows = [{"nl": f"add {n} to x", "cmd": f"x += {n}", "question_id": str(n)} for n in range(6)]
    for split, chosen in (("train", rows[:3]), ("validation", rows[3:4]), ("test", rows[4:])):
        (tmp_path / f"{split}.json").write_text(json.dumps(chosen))
    asked = []

    def embed(self, model, texts):
        asked.extend((model, text) for text in texts)
        return [[1.0, 0.0] for _ in texts]

    monkeypatch.setattr(Sentences, "embed", embed)
    settings = Settings(
        base=str(tiny_base), context_tokens=400, target_tokens=12, retriever="some/model"
    )
    found = run_instructions("conala", tmp_path, settings, ["rag"], scratch=tmp_path, beams=1)
    assert "exact@1" in found["methods"]["rag"]
    assert sorted(asked) == sorted(("some/model", r["nl"]) for r in rows[:3] + rows[4:])


def test_methods_are_trained_and_compared_on_an_instruction_task(tmp_path, tiny_base):
    rows = [{"nl": f"add {n} to x", "cmd": f"x += {n}", "question_id": str(n)} for n in range(12)]
    for split, chosen in (("train", rows[:8]), ("validation", rows[8:10]), ("test", rows[10:])):
        (tmp_path / f"{split}.json").write_text(json.dumps(chosen))
    settings = Settings(
        base=str(tiny_base),
        context_tokens=400,
        target_tokens=12,
        epochs=1,
        max_steps=2,
        batch_size=4,
    )
    found = run_instructions(
        "conala", tmp_path, settings, ["icl", "lora", "lora+rag"], scratch=tmp_path / "s", beams=2
    )
    assert found["splits"] == {"train": 8, "validation": 2, "test": 2}
    assert list(found["methods"]) == ["base", "icl", "lora", "lora+rag"]
    for values in found["methods"].values():
        assert {"exact@1", "exact@2", "code_bleu"} <= set(values)
    assert found["methods"]["lora"]["trainable_parameters"] > 0
