"""Metrics of generated text against the developers' own, and of programs that ran.

Sources: Z22 is Zlotchevski et al. (2022), section 4.2; W24 is Weyssow et al. (2024), section 4.4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = [
    "BleuCounts",
    "any_of_first",
    "average_passed",
    "bits_per_byte",
    "bleu4",
    "pass_at_k",
    "perplexity",
]

Counts = np.ndarray[tuple[int, int], np.dtype[np.int64]]


@dataclass(frozen=True)
class BleuCounts:
    """What corpus BLEU adds up, kept by example so that any resample of them is scored at once."""

    generated: tuple[str, ...]
    references: tuple[str, ...]

    @cached_property
    def counts(self) -> Counts:
        """``(E, 10)`` int64: matched n-grams of 1 to 4, n-grams, length, reference length."""
        from sacrebleu.metrics.bleu import BLEU

        bleu = BLEU(force=True)
        scores = [
            bleu.corpus_score([text], [[reference]])
            for text, reference in zip(self.generated, self.references, strict=True)
        ]
        rows = [[*s.counts, *s.totals, s.sys_len, s.ref_len] for s in scores]
        return np.asarray(rows, np.int64).reshape(len(rows), 10)

    def score(self, chosen: Sequence[int] | np.ndarray[Any, Any] | None = None) -> float:
        """Corpus BLEU of all examples, or of those chosen (with repetition), 0 to 100."""
        rows = self.counts if chosen is None else self.counts[np.asarray(chosen, int)]
        total = [int(value) for value in rows.sum(0)]
        from sacrebleu.metrics.bleu import BLEU

        return float(BLEU.compute_bleu(*_apart(total), smooth_method="exp").score)


def _apart(total: list[int]) -> tuple[list[int], list[int], int, int]:
    return total[:4], total[4:8], total[8], total[9]


def bleu4(generated: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU with up to 4-grams by sacrebleu (its 13a tokens, its smoothing); 0 to 100.

    Args:
        generated: One text a reference.
        references: The developers' texts.

    Raises:
        ValueError: If the two differ in length or are empty.

    Example:
        Unigrams 3 of 4, pairs 2 of 3, triples 1 of 2, and no run of four, which counts as a half:
        the fourth root of 3/4 * 2/3 * 1/2 * 1/2.

        >>> round(bleu4(["a b c d"], ["a b c e"]), 2)
        59.46
    """
    if not references or len(generated) != len(references):
        raise ValueError(f"expected a text a reference, got {len(generated)} for {len(references)}")
    return BleuCounts(tuple(generated), tuple(references)).score()


def perplexity(losses: Sequence[float], tokens: Sequence[int]) -> float:
    """Perplexity per token over all targets; lower is better, 1 is certainty.

    Args:
        losses: Mean negative log likelihood per target token of each example, in nats.
        tokens: Target tokens of each example.

    Raises:
        ValueError: If the two differ in length or there is no token.

    Example:
        >>> perplexity([math.log(2.0), math.log(8.0)], [1, 1])
        4.0
    """
    return round(math.exp(min(_total(losses, tokens) / sum(tokens), 700.0)), 10)


def bits_per_byte(losses: Sequence[float], tokens: Sequence[int], texts: Sequence[str]) -> float:
    """Bits that the model needs for each byte of the targets (UTF-8); lower is better.

    Unlike perplexity it can be compared between models with different tokenizers.

    Args:
        losses: Mean negative log likelihood per target token of each example, in nats.
        tokens: Target tokens of each example, the end token included.
        texts: The targets.

    Raises:
        ValueError: If the three differ in length or there is no byte.

    Example:
        Two tokens of 2 bits each over four bytes.

        >>> bits_per_byte([math.log(4.0)], [2], ["abcd"])
        1.0
    """
    size = sum(len(text.encode()) for text in texts)
    if len(texts) != len(losses) or size == 0:
        raise ValueError(f"expected a text a loss, got {len(texts)} for {len(losses)}")
    return round(_total(losses, tokens) / math.log(2) / size, 10)


def _total(losses: Sequence[float], tokens: Sequence[int]) -> float:
    if len(losses) != len(tokens) or sum(tokens) == 0:
        raise ValueError(f"expected as many counts as losses, got {len(tokens)} for {len(losses)}")
    return sum(loss * count for loss, count in zip(losses, tokens, strict=True))


def pass_at_k(programs: int, passed: int, k: int) -> float:
    """Unbiased estimate of the chance that one of k programs passes (Chen et al. 2021, eq. 1).

    Args:
        programs: Written for the problem.
        passed: Of them.
        k: Programs drawn.

    Raises:
        ValueError: If k programs cannot be drawn, or more passed than were written.

    Example:
        Two programs of four pass; both of a draw fail in 1 of 6 draws.

        >>> round(pass_at_k(4, 2, 2), 4)
        0.8333
    """
    if not 1 <= k <= programs or not 0 <= passed <= programs:
        raise ValueError(f"cannot draw {k} of {programs} programs of which {passed} passed")
    return 1.0 - math.comb(programs - passed, k) / math.comb(programs, k)


def any_of_first(passed: Sequence[bool], k: int) -> float:
    """1 if one of the first k programs passes, else 0: pass@k as W24's text defines it.

    W24's Table 4 fits :func:`pass_at_k` with five programs instead; both are reported.

    Example:
        >>> any_of_first([False, True, True], 1), any_of_first([False, True, True], 2)
        (0.0, 1.0)
    """
    return float(any(passed[:k]))


def average_passed(tests: Sequence[Sequence[bool]]) -> float:
    """Average share of its tests that a program passes (APPS; W24); between 0 and 1.

    Args:
        tests: For each program, which of its tests passed.

    Raises:
        ValueError: If there is no program, or one without tests.

    Example:
        >>> average_passed([[True, False], [True, True]])
        0.75
    """
    if not tests or not all(tests):
        raise ValueError("expected at least one program, and tests for each")
    return sum(sum(each) / len(each) for each in tests) / len(tests)
