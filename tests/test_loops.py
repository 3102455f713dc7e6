"""The loop guard: what a completion may not say twice, and what it may copy from its prompt."""

from __future__ import annotations

import torch

from personalizer.engine.loops import NoLoops


def check_forbidden(prompt: list[int], completion: list[int], expected: set[int]) -> None:
    """Which of ten tokens may not come next, when three in a row may not come twice."""
    scores = torch.zeros(1, 10)
    left = NoLoops(len(prompt), 3)(torch.tensor([prompt + completion]), scores)
    assert {token for token in range(10) if left[0, token] == -torch.inf} == expected
    assert torch.equal(scores, torch.zeros(1, 10))


def test_the_token_that_would_repeat_a_run_is_forbidden():
    check_forbidden([], [1, 2, 3, 1, 2], {3})


def test_every_continuation_of_the_last_run_is_forbidden():
    check_forbidden([], [1, 2, 3, 1, 2, 4, 1, 2], {3, 4})


def test_shorter_repetitions_are_free():
    check_forbidden([], [1, 2, 3, 4, 2], set())
    check_forbidden([], [1], set())


def test_a_run_of_the_prompt_may_be_copied():
    check_forbidden([1, 2, 3], [1, 2], set())


def test_each_row_of_a_batch_is_judged_alone():
    rows = torch.tensor([[1, 2, 3, 1, 2], [1, 2, 3, 4, 5]])
    left = NoLoops(0, 3)(rows, torch.zeros(2, 10))
    assert left[0, 3] == -torch.inf
    assert torch.isfinite(left[1]).all()
