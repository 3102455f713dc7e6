"""Whether a new adapter may serve: judged on pairs that neither trained nor stopped it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["FEWEST_GATE_METHODS", "FEWEST_GATE_PAIRS", "Outcome", "Verdict", "judge"]

Outcome = Literal["passed", "provisional", "refused"]

FEWEST_GATE_PAIRS = 20
"""Gate pairs below which a better adapter is only provisional: the interval means little."""
FEWEST_GATE_METHODS = 10
"""The same for focal methods, which are what the bootstrap draws."""
_RESAMPLES = 4000


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer."""

    outcome: Outcome
    reason: str
    """One sentence."""
    base_loss: float
    """Mean over gate pairs of the loss per target token, in nats."""
    adapter_loss: float
    low: float
    """Lower bound of the 95 % interval of the gain in loss."""
    high: float
    pairs: int

    @property
    def promotes(self) -> bool:
        return self.outcome != "refused"


def judge(
    base: Sequence[float], adapter: Sequence[float], groups: Sequence[str], *, seed: int = 0
) -> Verdict:
    """Compares losses on the same gate pairs, as they would be served.

    The interval is a bootstrap over focal methods, not pairs: tests of one method rise and fall
    together.

    Args:
        base: Loss per target token of the base model, one a gate pair, in nats.
        adapter: The same of the adapter.
        groups: Focal method of each pair.
        seed: Of the bootstrap.

    Raises:
        ValueError: If the three differ in length or are empty.

    Example:
        >>> judge([2.0] * 30, [1.0] * 30, [str(n) for n in range(30)]).outcome
        'passed'
    """
    if not base or not len(base) == len(adapter) == len(groups):
        raise ValueError(
            f"expected losses of the same pairs, got {len(base)}, {len(adapter)}, {len(groups)}"
        )
    gains = np.asarray(base, float) - np.asarray(adapter, float)
    if not np.isfinite(gains).all():
        return _verdict("refused", "the adapter's loss is no number", base, adapter, 0.0, 0.0)
    low, high = _interval(gains, groups, seed)
    mean = float(gains.mean())
    if mean <= 0:
        words = f"its loss on {len(gains)} held-out pairs is {-mean:.3f} worse than the base's"
        return _verdict("refused", words, base, adapter, low, high)
    better = f"its loss on {len(gains)} held-out pairs is {mean:.3f} better than the base's"
    if len(gains) < FEWEST_GATE_PAIRS:
        words = f"{better}, but {FEWEST_GATE_PAIRS} pairs are needed to be sure"
        return _verdict("provisional", words, base, adapter, low, high)
    methods = len(set(groups))
    if methods < FEWEST_GATE_METHODS:
        words = f"{better}, but they test {methods} methods and {FEWEST_GATE_METHODS} are needed"
        return _verdict("provisional", words, base, adapter, low, high)
    if low <= 0:
        words = f"{better}, which may be chance (95 % interval {low:.3f} to {high:.3f})"
        return _verdict("refused", words, base, adapter, low, high)
    words = f"{better} (95 % interval {low:.3f} to {high:.3f})"
    return _verdict("passed", words, base, adapter, low, high)


def _interval(
    gains: np.ndarray[tuple[int], np.dtype[np.float64]], groups: Sequence[str], seed: int
) -> tuple[float, float]:
    names = sorted(set(groups))
    place = {name: i for i, name in enumerate(names)}
    sums, counts = np.zeros(len(names)), np.zeros(len(names))
    for gain, group in zip(gains, groups, strict=True):
        sums[place[group]] += gain
        counts[place[group]] += 1
    draws = np.random.default_rng(seed).integers(0, len(names), (_RESAMPLES, len(names)))
    means = sums[draws].sum(1) / counts[draws].sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _verdict(
    outcome: Outcome,
    reason: str,
    base: Sequence[float],
    adapter: Sequence[float],
    low: float,
    high: float,
) -> Verdict:
    return Verdict(
        outcome,
        reason,
        float(np.mean(base)),
        float(np.mean(adapter)),
        low,
        high,
        len(base),
    )
