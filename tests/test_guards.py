"""The engine's guards: what a completion may not say twice, and brackets that must fit."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.languages.lexis import block_end
from personalizer.engine.brackets import Brackets
from personalizer.engine.loops import Dry

# ---------------------------------------------------------------- loops


def costs(prompt: list[int], completion: list[int]) -> dict[int, float]:
    """What each of ten tokens would cost next, where that is anything."""
    scores = torch.zeros(1, 10)
    left = Dry(len(prompt))(torch.tensor([prompt + completion]), scores)
    assert torch.equal(scores, torch.zeros(1, 10))
    return {token: -float(left[0, token]) for token in range(10) if left[0, token]}


def test_a_token_costs_more_with_every_token_of_the_run_that_it_repeats():
    line = [1, 2, 3, 4, 5, 6, 7, 8]
    assert costs([], [*line, *line[:4]]) == {}
    five, six, seven = (costs([], [*line, *line[:n]])[n + 1] for n in (5, 6, 7))
    assert 0 < five < six < seven
    assert seven / six == pytest.approx(six / five)


def test_every_continuation_of_the_last_run_costs():
    line = [1, 2, 3, 4, 5]
    assert set(costs([], [*line, 6, *line, 7, *line])) == {6, 7}


def test_a_run_of_one_token_is_a_loop_too():
    assert costs([], [3] * 5) == {}
    assert set(costs([], [3] * 6)) == {3}


def test_a_run_of_the_prompt_may_be_copied():
    assert costs([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5]) == {}


def test_each_row_of_a_batch_is_judged_alone():
    rows = torch.tensor([[1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5], [*range(10), 0]])
    left = Dry(0)(rows, torch.zeros(2, 10))
    assert left[0, 6] < 0
    assert not left[1].any()


# ---------------------------------------------------------------- brackets

PIECES = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ";",
    '"',
    "'",
    "\n",
    "x",
    " for",
    " try",
    ");",
    "//",
    "/*",
    " ",
]
PIECES += ["*/", "->", "\\", ",", "<end>"]
END = PIECES.index("<end>")


def decode(ids: list[int]) -> str:
    return "".join(PIECES[i] for i in ids if i != END)


def encode(text: str) -> list[int]:
    """Pieces of a text, the longest first; every letter is an x."""
    ids = []
    while text:
        found = max((p for p in PIECES if text.startswith(p)), key=len, default="x")
        ids.append(PIECES.index(found))
        text = text[max(1, len(found) if text.startswith(found) else 1) :]
    return ids


def forbidden(text: str) -> set[str]:
    """Pieces that may not follow a text."""
    guard = Brackets(0, decode, [END], likeliest=len(PIECES))
    left = guard(torch.tensor([encode(text)], dtype=torch.long), torch.zeros(1, len(PIECES)))
    return {PIECES[i] for i in range(len(PIECES)) if left[0, i] == -torch.inf}


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("x() {", {")", "]", ");", "<end>"}),
        ("x() { x(", {"]", "}", ";", "<end>"}),
        ("x() { x[", {")", "}", ";", ");", "<end>"}),
        ("x() { for (", {"]", "}", "<end>"}),
        ("x() { for (x;", {"]", "}", "<end>"}),
        ("x() { for (x", {"]", "}", "<end>"}),
        ("x() { for (x x", {"]", "}", "<end>"}),
        ("x() { x (x", {"]", "}", ";", "<end>"}),
        ("x() { try (", {"]", "}", "<end>"}),
        ("x() { x(x -> {", {")", "]", ");", "<end>"}),
        ('x() { "(', {"\n", "<end>"}),
        ("x() { '", {"\n", "<end>"}),
        ("x() { // it'", {"<end>"}),
        ("x() { /* ) ", {"<end>"}),
        ("x() { }", {")", "]", "}", ");"}),
    ],
)
def test_what_no_parser_could_close_is_forbidden(text: str, never: set[str]):
    assert forbidden(text) == never


def test_a_row_keeps_its_scores_where_nothing_likely_fits():
    guard = Brackets(0, lambda ids: ")" * len(ids), [])
    scores = torch.zeros(1, 4)
    assert guard(torch.tensor([[0]]), scores) is scores


_NO_CODE = re.compile(
    r'"{3}(\\.|[^\\])*?("{3}|\\?\Z)|"(\\.|[^"\\])*("|\\?\Z)'
    r"|'(\\.|[^'\\])*('|\\?\Z)|//[^\n]*|/\*.*?(\*/|\Z)",
    re.DOTALL,
)
"""Strings, characters and comments."""


@settings(deadline=None)
@given(st.integers(0, 2**31))
def test_whatever_a_model_prefers_its_brackets_fit(seed: int):
    """Of a model that writes at random, every block that it closes is well formed."""
    guard = Brackets(0, decode, [END], likeliest=len(PIECES))
    random = torch.Generator().manual_seed(seed)
    ids = encode("x() {")
    while block_end(decode(ids)) is None and len(ids) < 60:
        scores = guard(torch.tensor([ids]), torch.randn(1, len(PIECES), generator=random))
        ids.append(int(scores.argmax()))
    code = _NO_CODE.sub("", decode(ids))
    signs = re.sub(r"[^()\[\]{}]", "", code)
    while (shorter := re.sub(r"\(\)|\[\]|\{\}", "", signs)) != signs:
        signs = shorter
    assert re.fullmatch(r"[(\[{]*", signs), decode(ids)  # what is left is open still
    if block_end(decode(ids)) is not None:
        assert not signs
