"""The gate: what it lets through, what it refuses, and that ties do not slip by."""

from __future__ import annotations

import math

import numpy as np
import pytest

from personalizer.gate import _interval, judge, judge_executed


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


def test_twenty_pairs_of_ten_methods_are_enough():
    assert judge([2.0, 2.1] * 10, [1.0] * 20, [str(n // 2) for n in range(20)]).outcome == "passed"


def test_an_adapter_hardly_worse_than_the_one_that_serves_takes_its_place():
    verdict = judge([2.0] * 30, [1.0] * 30, [str(n) for n in range(30)])
    own = [1.0] * 30
    assert verdict.beside("lora-1", [0.995] * 30, own).promotes
    assert not verdict.beside("lora-1", [0.985] * 30, own).promotes
    refused = judge([1.0] * 30, [2.0] * 30, names(30))
    assert refused.beside("lora-1", [0.5] * 30, [2.0] * 30) == refused  # it has its reason


def test_adapters_that_other_numbers_of_pairs_judged_are_compared_on_those_that_judged_both():
    verdict = judge([2.0] * 30, [1.0] * 30, [str(n) for n in range(30)], of=90)
    fewer, more = [0.5] * 20, [0.5] * 30 + [9.0] * 60
    for theirs, told in ((fewer, "20 of 90"), (more, "30 of 90")):
        refused = verdict.beside("lora-1", theirs, [1.0] * 30)
        assert refused.reason.startswith(f"its loss on {told} held-out pairs is 0.500 worse")
    assert verdict.beside("lora-1", [], [1.0] * 30).promotes
    assert verdict.beside("lora-1", [None, 1.0], [1.0, 1.0]).promotes


def test_a_verdict_by_some_of_the_pairs_says_of_how_many():
    verdict = judge([2.0] * 30, [1.0] * 30, [str(n) for n in range(30)], of=501)
    assert verdict.reason.startswith("its loss on 30 of 501 held-out pairs is 1.000 better")
    assert (verdict.pairs, verdict.of) == (30, 501)


def test_a_gain_on_many_pairs_of_few_methods_is_provisional():
    verdict = judge([2.0] * 30, [1.0] * 30, names(3) * 10)
    assert verdict.outcome == "provisional"
    assert "they test 3 methods and 10 are needed" in verdict.reason


def test_a_loss_is_refused():
    check([1.0] * 30, [1.2] * 30, "refused", "0.200 worse")


@pytest.mark.parametrize("loss", [1.0, 1.0001])
def test_a_loss_as_good_as_the_bases_is_called_no_better(loss):
    check([1.0] * 8, [loss] * 8, "refused", "on 8 held-out pairs is no better than the base's")


def test_a_gain_that_may_be_chance_is_refused():
    check([2.0] * 30, [1.0, 2.95] * 15, "refused", "may be chance")


def test_a_loss_that_is_no_number_is_refused_and_is_told_whose_it_is():
    check([2.0] * 30, [float("nan")] * 30, "refused", "the adapter's loss is no number")
    check([float("inf"), *[2.0] * 29], [1.0] * 30, "refused", "the base's loss is no number")


def test_pairs_of_one_method_count_once():
    gains = np.random.default_rng(0).normal(0.3, 1.0, 12)
    base, adapter, groups = [], [], []
    for n, gain in enumerate(gains):
        base += [2.0] * 20
        adapter += [2.0 - gain] * 20
        groups += [f"method {n}"] * 20
    apart = judge(base, adapter, names(240))
    together = judge(base, adapter, groups)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_the_interval_is_students_between_whole_degrees_of_freedom_too():
    """Six pairs of one method and one each of four others count as 2.5 methods."""
    low, high = _interval(np.array([0.0] * 6 + [1.0, -1.0, 1.0, -1.0]), [0] * 6 + [1, 2, 3, 4])
    error = math.sqrt(4 / 5 * 4 / 81)
    assert (low, high) == pytest.approx((-6.016663 * error, 6.016663 * error), rel=1e-6)


def ties(methods: int, pairs: int, *, alike: float, seed: int = 1) -> int:
    """Of 200 adapters that are no better than the base, how many are promoted.

    Args:
        methods: Focal methods of the gate.
        pairs: Pairs a method, on average; half of the methods have one.
        alike: Spread of what pairs of one method have in common, beside 1 for each pair.
    """
    dice = np.random.default_rng(seed)
    promoted = 0
    for _ in range(200):
        counts = np.where(np.arange(methods) % 2, 1, 2 * pairs - 1)
        groups = np.repeat(np.arange(methods), counts)
        gains = dice.normal(0, alike, methods)[groups] + dice.normal(0, 1, len(groups))
        base = dice.normal(2, 0.5, len(groups))
        verdict = judge(list(base), list(base - gains), [str(g) for g in groups])
        promoted += verdict.promotes
    return promoted


@pytest.mark.parametrize(
    ("methods", "pairs", "alike"),
    [(40, 1, 0), (10, 2, 1), (10, 4, 1), (12, 8, 2), (20, 3, 1), (60, 2, 1), (5, 1, 0), (3, 8, 0)],
)
def test_of_two_hundred_ties_at_most_eighteen_are_promoted(methods, pairs, alike):
    assert ties(methods, pairs, alike=alike) <= 18


def test_the_interval_holds_the_truth_as_often_as_it_says():
    dice = np.random.default_rng(3)
    held = 0
    for _ in range(600):
        counts = dice.geometric(0.3, 12)
        groups = np.repeat(np.arange(12), counts)
        gains = 0.4 + dice.normal(0, 1, 12)[groups] + dice.normal(0, 0.5, len(groups))
        groups = np.append(groups, range(100, 108))
        gains = np.append(gains, 0.4 + dice.normal(0, 1, 8))
        verdict = judge(list(gains), [0.0] * len(gains), [str(g) for g in groups])
        held += verdict.low <= 0.4 <= verdict.high
    assert 0.92 <= held / 600 <= 0.985


def test_one_pair_tells_nothing():
    check(
        [2.0],
        [1.0],
        "refused",
        "on 1 held-out pair is 1.000 better than the base's, which may be chance (one pair",
    )


def outcomes(marks: str) -> dict[str, bool | None]:
    """``+`` compiles and passes, ``-`` does not, ``?`` was not run."""
    return {f"method {n}": {"+": True, "-": False, "?": None}[m] for n, m in enumerate(marks)}


def check_executed(base: str, adapter: str, refuses: bool, words: str) -> None:
    executed = judge_executed(outcomes(base), outcomes(adapter))
    assert executed.refuses == refuses
    assert words in executed.reason
    better = judge([2.0] * 30, [1.0] * 30, names(30))
    assert better.after(executed).promotes == (not refuses)
    assert better.after(executed).executed == executed
    worse = judge([1.0] * 30, [2.0] * 30, names(30))
    assert worse.after(executed).outcome == "refused"
    assert "worse than the base's" in worse.after(executed).reason


def test_an_adapter_whose_tests_compile_no_more_is_refused_though_its_loss_is_lower():
    words = "for 0 of 6 held-out methods its test compiles and passes"
    check_executed("+++++-", "------", True, words)


def test_fewer_tests_that_pass_by_chance_are_a_remark():
    words = "for 3 of 5 held-out methods its test compiles and passes, for 5"
    check_executed("+++++", "+++--", False, f"{words} the base's with retrieval, which may be")
    check_executed("+++++--", "-----+-", False, "which may be chance")  # five lost, one won


def test_of_two_hundred_adapters_that_write_as_well_at_most_ten_are_refused():
    dice = np.random.default_rng(0)

    def passing(share: float) -> dict[str, bool | None]:
        return {f"method {n}": bool(passes) for n, passes in enumerate(dice.random(8) < share)}

    for share in (0.1, 0.3, 0.5):
        refused = sum(judge_executed(passing(share), passing(share)).refuses for _ in range(200))
        assert refused <= 10
    worse = sum(judge_executed(passing(0.9), passing(0.1)).refuses for _ in range(200))
    assert worse > 120


def test_as_many_tests_that_pass_are_enough():
    check_executed("+-+-", "-+-+", False, "for 2 of 4")
    check_executed("----", "+---", False, "for 1 of 4")


def test_methods_that_were_not_run_on_both_sides_do_not_count():
    check_executed("++?", "?++", False, "for 1 of 1")


def test_outcomes_of_different_methods_are_no_question_for_the_gate():
    with pytest.raises(ValueError, match="same methods"):
        judge_executed(outcomes("++"), outcomes("+"))


def test_losses_of_different_pairs_are_no_question_for_the_gate():
    with pytest.raises(ValueError, match="same pairs"):
        judge([1.0], [1.0, 2.0], ["a"])
