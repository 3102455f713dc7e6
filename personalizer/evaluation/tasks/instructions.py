"""Instruction tasks of W24 in their published form: CoNaLa, CodeAlpacaPy, APPS.

A folder holds ``train``, ``validation`` and ``test`` as ``.json`` (a list) or ``.jsonl``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from personalizer.evaluation.tasks.files import find, rows, text_of
from personalizer.prompts import Tokenizer

__all__ = ["SPLITS", "Instruction", "Tokens", "encode_instruction", "load_instructions"]

Split = Literal["train", "validation", "test"]

SPLITS: dict[str, tuple[int, int, int]] = {
    "conala": (2135, 201, 543),
    "codealpacapy": (2192, 314, 628),
    "apps": (4500, 500, 750),
}
"""Examples that W24 trained on, stopped by and tested on."""

_TEMPLATE = "### Instruction:\n{}\n\n### Response:\n"


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is asked, and a right answer."""

    id: str
    instruction: str
    answer: str
    tests: tuple[tuple[Any, Any], ...] = ()
    """Inputs and outputs of a program (APPS): texts, or lists of lines; of a function its
    arguments and what it returns."""
    called: str = ""
    """The function that the tests call; empty for a program (APPS)."""
    level: str = ""
    """How hard it is, in its authors' words (APPS)."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """An instruction as a training takes it: loss is on the target alone."""

    prompt: list[int]
    target: list[int]
    """The end token included."""
    text: str


def load_instructions(name: str, folder: Path, split: Split) -> list[Instruction]:
    """One split of a task.

    Args:
        name: One of ``SPLITS``.
        folder: With a file for each split.
        split: Which.

    Raises:
        BadInput: If a file is missing or of another shape; says which line.
    """
    aliases = ["validation", "valid", "val", "dev"] if split == "validation" else [split]
    file = find(folder, [f"{alias}{end}" for alias in aliases for end in (".jsonl", ".json")])
    read = {"conala": _conala, "codealpacapy": _alpaca, "apps": _apps}[name]
    return [
        read(row, f"{file} example {number}", str(number))
        for number, row in enumerate(rows(file), 1)
    ]


def encode_instruction(one: Instruction, tokenizer: Tokenizer, longest: int) -> Tokens | None:
    """Token ids in the instruction template; None where both do not fit into ``longest``."""
    prompt = tokenizer.encode(_TEMPLATE.format(one.instruction), add_special_tokens=False)
    target = tokenizer.encode(one.answer, add_special_tokens=False)
    if tokenizer.eos_token_id is not None:
        target = [*target, tokenizer.eos_token_id]
    return Tokens(prompt, target, one.answer) if len(prompt) + len(target) <= longest else None


def _conala(row: Mapping[str, Any], place: str, number: str) -> Instruction:
    """CoNaLa's own keys, or those of its DocPrompting split, which W24 took."""
    return Instruction(
        str(row.get("question_id", number)),
        text_of(row, ["nl", "rewritten_intent", "intent"], place),
        text_of(row, ["cmd", "snippet"], place),
    )


def _alpaca(row: Mapping[str, Any], place: str, number: str) -> Instruction:
    asked = text_of(row, ["instruction"], place)
    more = str(row.get("input") or "").strip()
    answer = text_of(row, ["output"], place)
    return Instruction(number, f"{asked}\n{more}" if more else asked, answer)


def _apps(row: Mapping[str, Any], place: str, number: str) -> Instruction:
    """Solutions and tests are JSON texts inside the row; the first solution is the answer."""
    asked = text_of(row, ["question"], place) + str(row.get("starter_code") or "")
    solutions = _inner(row.get("solutions"), [])
    tests = _inner(row.get("input_output"), {})
    tests = tests if isinstance(tests, dict) else {}
    called = str(tests.get("fn_name") or "")
    asked += "\nUse Call-Based format\n" if called else "\nUse Standard Input format\n"
    return Instruction(
        str(row.get("problem_id", row.get("id", number))),
        asked,
        str(solutions[0]) if solutions else "",
        tuple(zip(tests.get("inputs", []), tests.get("outputs", []), strict=False)),
        called,
        str(row.get("difficulty") or ""),
    )


def _inner(text: Any, empty: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) and text.strip() else empty
    except ValueError:
        return empty
