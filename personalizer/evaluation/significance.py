"""Is a difference more than chance? Intervals by bootstrap, and the rank tests of Z22 table 4."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = [
    "FEWEST_GROUPS",
    "Pairwise",
    "RankTest",
    "cliffs_delta",
    "interval",
    "kruskal_wallis",
    "trusted_interval",
]

Indices = np.ndarray[tuple[int], np.dtype[np.int64]]
_RESAMPLES = 1000
FEWEST_GROUPS = 6
"""Groups below which nothing is said with 95 % confidence.

Where no group tells a gain, each has it by chance in one of two cases, and the bootstrap's interval
keeps clear of 0 whenever all agree: for five groups in 2 of 32 cases, for six in 2 of 64.
"""


def interval(
    statistic: Callable[[Indices], float],
    groups: Sequence[str],
    *,
    resamples: int = _RESAMPLES,
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a statistic of examples.

    Whole groups are drawn, not examples: tests of one class rise and fall together.

    Args:
        statistic: Of the examples at these indices (with repetition).
        groups: Group of each example.
        resamples: How many draws.

    Returns:
        Lower and upper bound; both the statistic itself where there is one group only.

    Raises:
        ValueError: If there is no example.

    Example:
        >>> values = np.array([1.0, 1.0, 1.0])
        >>> interval(lambda chosen: values[chosen].mean(), ["a", "b", "c"])
        (1.0, 1.0)
    """
    if not groups:
        raise ValueError("expected at least one example")
    values = [statistic(chosen) for chosen in _draws(tuple(groups), resamples)]
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def trusted_interval(
    statistic: Callable[[Indices], float], groups: Sequence[str]
) -> tuple[float, float] | None:
    """As :func:`interval`; None where there are fewer groups than ``FEWEST_GROUPS``.

    Example:
        >>> values = np.array([1.0, 1.0, 1.0])
        >>> trusted_interval(lambda chosen: values[chosen].mean(), ["a", "b", "c"])
    """
    return interval(statistic, groups) if len(set(groups)) >= FEWEST_GROUPS else None


@lru_cache(maxsize=16)
def _draws(groups: tuple[str, ...], resamples: int) -> tuple[Indices, ...]:
    """Kept, because every metric of a method is drawn alike."""
    members: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    each = [np.asarray(places, np.int64) for places in members.values()]
    random = np.random.default_rng(0)
    return tuple(
        np.concatenate([each[i] for i in random.integers(0, len(each), len(each))])
        for _ in range(resamples)
    )


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Two samples compared."""

    first: str
    second: str
    p: float
    """Of Kruskal-Wallis on the two, corrected by Holm for the number of pairs."""
    cliffs_delta: float
    """Chance that a value of the first is larger, less the chance that it is smaller; -1 to 1."""


@dataclass(frozen=True, slots=True)
class RankTest:
    """Kruskal-Wallis over several samples."""

    h: float
    p: float
    epsilon_squared: float
    """Effect size: share of the ranks' variance that the samples explain; 0 to 1."""
    n: int
    """Values of all samples."""
    pairs: tuple[Pairwise, ...]


def kruskal_wallis(samples: Mapping[str, Sequence[float]]) -> RankTest | None:
    """Kruskal-Wallis over samples and over each two of them (Z22 table 4), by scipy.

    Args:
        samples: Values by name, one a project (or a fold).

    Returns:
        None where there are fewer than two samples of two values.

    Example:
        The ranks 1 to 3 and 4 to 6: H = 12 / (6 * 7) * (6**2 + 15**2) / 3 - 3 * 7 = 27 / 7.

        >>> test = kruskal_wallis({"a": [1, 2, 3], "b": [4, 5, 6]})
        >>> round(test.h, 4), round(test.epsilon_squared, 4), test.pairs[0].cliffs_delta
        (3.8571, 0.7714, -1.0)
    """
    samples = {name: values for name, values in samples.items() if len(values) >= 2}
    if len(samples) < 2:
        return None
    h, p = _kruskal(samples.values())
    n = sum(map(len, samples.values()))
    pairs = list(itertools.combinations(samples, 2))
    raw = [_kruskal((samples[a], samples[b]))[1] for a, b in pairs]
    return RankTest(
        h=h,
        p=p,
        epsilon_squared=min(1.0, h / (n - 1)),
        n=n,
        pairs=tuple(
            Pairwise(a, b, p, cliffs_delta(samples[a], samples[b]))
            for (a, b), p in zip(pairs, _holm(raw), strict=True)
        ),
    )


def cliffs_delta(first: Sequence[float], second: Sequence[float]) -> float:
    """Chance that a value of the first is larger, less the chance that it is smaller.

    Example:
        Of four comparisons three are won and one is lost.

        >>> cliffs_delta([2, 4], [1, 3])
        0.5
    """
    signs = np.sign(np.subtract.outer(np.asarray(first, float), np.asarray(second, float)))
    return float(signs.mean())


def _kruskal(samples: Any) -> tuple[float, float]:
    from scipy.stats import kruskal

    values = list(samples)
    if len({value for sample in values for value in sample}) == 1:
        return 0.0, 1.0  # scipy gives nan where all are equal
    found = kruskal(*values)
    return float(found.statistic), float(found.pvalue)


def _holm(raw: Sequence[float]) -> list[float]:
    """Holm's correction: the smallest p times the number of tests, the next times one less, …"""
    corrected = [math.nan] * len(raw)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(raw)), key=raw.__getitem__)):
        highest = max(highest, min(1.0, raw[place] * (len(raw) - rank)))
        corrected[place] = highest
    return corrected
