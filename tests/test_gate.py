"""The gate: what it lets through, what it refuses, and that ties do not slip by."""

from __future__ import annotations

import numpy as np
import pytest

from personalizer.gate import judge


def names(count: int) -> list[str]:
    return [f"method {n}" for n in range(count)]


def check(base: list[float], adapter: list[float], outcome: str, words: str) -> None:
    verdict = judge(base, adapter, names(len(base)))
    assert verdict.outcome == outcome
    assert words in verdict.reason


def test_a_clear_gain_passes():
    check([2.0, 2.2] * 15, [1.5, 1.6] * 15, "passed", "better than the base's (95 % interval")


def test_a_gain_on_few_pairs_is_provisional():
    check([2.0] * 5, [1.0] * 5, "provisional", "20 pairs are needed")


def test_a_gain_on_many_pairs_of_few_methods_is_provisional():
    verdict = judge([2.0] * 30, [1.0] * 30, names(3) * 10)
    assert verdict.outcome == "provisional"
    assert "they test 3 methods and 10 are needed" in verdict.reason


def test_a_loss_is_refused():
    check([1.0] * 30, [1.2] * 30, "refused", "0.200 worse")


def test_a_gain_that_may_be_chance_is_refused():
    check([2.0] * 30, [1.0, 2.95] * 15, "refused", "may be chance")


def test_a_loss_that_is_no_number_is_refused():
    check([2.0] * 30, [float("nan")] * 30, "refused", "no number")


def test_pairs_of_one_method_count_once():
    gains = np.random.default_rng(0).normal(0.3, 1.0, 6)
    base, adapter, groups = [], [], []
    for n, gain in enumerate(gains):
        base += [2.0] * 20
        adapter += [2.0 - gain] * 20
        groups += [f"method {n}"] * 20
    apart = judge(base, adapter, names(120))
    together = judge(base, adapter, groups)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_of_two_hundred_ties_at_most_eighteen_are_promoted():
    dice = np.random.default_rng(1)
    promoted = sum(
        judge(list(dice.normal(2, 0.5, 40)), list(dice.normal(2, 0.5, 40)), names(40)).promotes
        for _ in range(200)
    )
    assert promoted <= 18


def test_losses_of_different_pairs_are_no_question_for_the_gate():
    with pytest.raises(ValueError, match="same pairs"):
        judge([1.0], [1.0, 2.0], ["a"])
