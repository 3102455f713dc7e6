"""Whether a new adapter may serve: judged on pairs that neither trained nor stopped it.

Two questions: is its loss better than the base's with confidence, and, where tests can be run, do
fewer of its tests compile and pass than of the base's with retrieval, beyond chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from personalizer.words import count

__all__ = [
    "FEWEST_GATE_METHODS",
    "FEWEST_GATE_PAIRS",
    "Executed",
    "GateVerdict",
    "GateWord",
    "cannot_pass",
    "judge",
    "judge_executed",
]

GateWord = Literal["passed", "provisional", "refused"]

FEWEST_GATE_PAIRS = 20
"""Gate pairs below which a better adapter is only provisional."""
FEWEST_GATE_METHODS = 10
"""The same for focal methods, which are what the interval counts."""
_CHANCE = 0.05
"""How likely a difference between tests that were run may be by chance, and still refuse."""
_SAME = 0.01
"""Nats a token by which two adapters differ that are as good as each other."""
_UNKNOWN = 1e9
"""Half the width of an interval of which nothing is known; infinity is no JSON."""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """The gate's answer."""

    outcome: GateWord
    reason: str
    """One sentence."""
    base_loss: float
    """Mean over gate pairs of the loss per target token, in nats."""
    adapter_loss: float
    low: float
    """Lower bound of the 95 % interval of the gain in loss."""
    high: float
    pairs: int
    methods: int = 0
    """Focal methods that the pairs test."""
    executed: Executed | None = None
    """What running the tests said; None where they were not run."""
    of: int | None = None
    """Gate pairs in all, of which ``pairs`` judged; None for all."""

    @property
    def promotes(self) -> bool:
        return self.outcome != "refused"

    def beside(
        self, serving: str, theirs: Sequence[float | None], own: Sequence[float]
    ) -> GateVerdict:
        """This verdict where an adapter serves that pairs of the same draw judged.

        Args:
            serving: Its name.
            theirs: Its losses per target token in the draw's order, in nats; None is no number.
            own: The same of the one that was judged here; what both have are the same pairs.

        Example:
            >>> good = GateVerdict("passed", "better", 2.0, 1.5, 0.1, 0.9, 2)
            >>> good.beside("lora-1", [1.49, 1.5, 0.1], [1.5, 1.5]).promotes
            True
            >>> good.beside("lora-1", [1.2, 1.2, 9.0], [1.5, 1.5]).reason
            'its loss on 2 held-out pairs is 0.300 worse than that of lora-1, which serves'
        """
        both = [(one, other) for one, other in zip(own, theirs, strict=False) if other is not None]
        if not self.promotes or not both:
            return self
        worse = float(np.mean([one - other for one, other in both]))
        if worse <= _SAME:
            return self
        told = f"its loss on {_held_out(len(both), self.of)} is {worse:.3f}"
        reason = f"{told} worse than that of {serving}, which serves"
        return replace(self, outcome="refused", reason=reason)

    def after(self, executed: Executed) -> GateVerdict:
        """This verdict with what running the tests said: it may refuse, never promote."""
        if executed.refuses and self.promotes:
            return replace(self, outcome="refused", reason=executed.reason, executed=executed)
        return replace(self, executed=executed)


@dataclass(frozen=True, slots=True)
class Executed:
    """Tests that were compiled and run, for the same focal methods by base and adapter."""

    methods: int
    """Focal methods for which both were run."""
    base_passes: int
    """Methods whose test by the base with retrieval compiles and passes."""
    adapter_passes: int
    lost: int
    """Methods for which the base's test passes and the adapter's does not."""
    won: int
    """The other way round."""
    reason: str
    """One sentence."""

    @property
    def refuses(self) -> bool:
        """Whether it lost more than a coin would, by the sign test (docs/decisions/0011)."""
        differ = self.lost + self.won
        as_many = sum(math.comb(differ, lost) for lost in range(self.lost, differ + 1))
        return bool(as_many / 2**differ <= _CHANCE)


def judge(
    base: Sequence[float],
    adapter: Sequence[float],
    groups: Sequence[str],
    of: int | None = None,
) -> GateVerdict:
    """Compares losses on the same gate pairs, as they would be served.

    Tests of one method rise and fall together, so the interval counts methods, not pairs. Where
    methods or pairs are few, that interval says nothing; then a gain that is beyond chance pair by
    pair is promoted as provisional (docs/decisions/0011).

    Args:
        base: Loss per target token of the base model, one a gate pair, in nats.
        adapter: The same of the adapter.
        groups: Focal method of each pair.
        of: Gate pairs in all, where not all of them judge.

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
    pairs, methods = len(gains), len(set(groups))

    def verdict(outcome: GateWord, reason: str, low: float = 0.0, high: float = 0.0) -> GateVerdict:
        losses = float(np.mean(base)), float(np.mean(adapter))
        return GateVerdict(outcome, reason, *losses, low, high, pairs, methods, of=of)

    for whose, losses in (("base", base), ("adapter", adapter)):
        if not np.isfinite(losses).all():
            return verdict("refused", f"the {whose}'s loss is no number")
    few = pairs < FEWEST_GATE_PAIRS or methods < FEWEST_GATE_METHODS
    low, high = _interval(gains, range(pairs) if few else groups)
    mean, held_out = float(gains.mean()), _held_out(pairs, of)
    if mean <= 0:
        worse = f"{-mean:.3f}"
        how = "no better" if float(worse) == 0 else f"{worse} worse"
        words = f"its loss on {held_out} is {how} than the base's"
        return verdict("refused", words, low, high)
    better = f"its loss on {held_out} is {mean:.3f} better than the base's"
    if low <= 0:
        unknown = low <= -_UNKNOWN
        told = "one pair cannot tell" if unknown else f"95 % interval {low:.3f} to {high:.3f}"
        words = f"{better}, which may be chance ({told})"
        return verdict("refused", words, low, high)
    if pairs < FEWEST_GATE_PAIRS:
        words = f"{better}, but {FEWEST_GATE_PAIRS} pairs are needed to be sure"
        return verdict("provisional", words, low, high)
    if few:
        tested = count(methods, "method")
        words = f"{better}, but they test {tested} and {FEWEST_GATE_METHODS} are needed"
        return verdict("provisional", words, low, high)
    return verdict("passed", f"{better} (95 % interval {low:.3f} to {high:.3f})", low, high)


def _held_out(pairs: int, of: int | None) -> str:
    """How many judged, in words.

    >>> _held_out(20, 20), _held_out(20, 501)
    ('20 held-out pairs', '20 of 501 held-out pairs')
    """
    if of is None or of == pairs:
        return count(pairs, "held-out pair")
    return f"{pairs:,} of {count(of, 'held-out pair')}"


def cannot_pass(pairs: int) -> str | None:
    """Why no adapter can pass on so few gate pairs, known before any is trained; None if one can.

    Example:
        >>> cannot_pass(2) is None
        True
    """
    if pairs > 1:
        return None
    held_out = count(pairs, "held-out pair")
    return f"the gate will refuse any adapter: {held_out} cannot tell a gain from chance"


def judge_executed(base: Mapping[str, bool | None], adapter: Mapping[str, bool | None]) -> Executed:
    """Compares tests that were run, method by method.

    Args:
        base: Whether the test that the base with retrieval would offer compiles and passes, by
            focal method; None where it was not run.
        adapter: The same of the adapter, as it would be served.

    Raises:
        ValueError: If the two are not of the same methods.

    Example:
        >>> base, adapter = dict.fromkeys("abcde", True), dict.fromkeys("abcde", False)
        >>> [judge_executed(base, one).refuses for one in (adapter, adapter | {"a": True})]
        [True, False]
    """
    if base.keys() != adapter.keys():
        raise ValueError(
            f"expected outcomes of the same methods, one has {sorted(base.keys() ^ adapter.keys())}"
        )
    both = [m for m in base if base[m] is not None and adapter[m] is not None]
    theirs, its = {m for m in both if base[m]}, {m for m in both if adapter[m]}
    words = (
        f"for {len(its)} of {len(both)} held-out methods its test compiles and passes, "
        f"for {len(theirs)} the base's with retrieval"
    )
    found = Executed(len(both), len(theirs), len(its), len(theirs - its), len(its - theirs), words)
    if len(its) < len(theirs) and not found.refuses:
        return replace(found, reason=f"{words}, which may be chance")
    return found


def _interval(
    gains: np.ndarray[tuple[int], np.dtype[np.float64]], groups: Sequence[object]
) -> tuple[float, float]:
    """95 % interval of the mean gain, by leaving out one group after the other.

    Student's t with the effective number of groups (Kish 1965) keeps it wide where groups are few
    or one outweighs the others; a percentile bootstrap is too narrow there.
    """
    from scipy.stats import t  # half a second, for whoever only reads verdicts

    names = {name: place for place, name in enumerate(dict.fromkeys(groups))}
    if len(names) < 2:
        return -_UNKNOWN, _UNKNOWN
    where = [names[name] for name in groups]
    sums, counts = np.bincount(where, gains), np.bincount(where)
    mean = gains.mean()
    without = (gains.sum() - sums) / (len(gains) - counts)
    error = math.sqrt((1 - 1 / len(names)) * float(((without - mean) ** 2).sum()))
    effective = len(gains) ** 2 / float((counts**2).sum())
    reach = float(t.ppf(0.975, max(1.0, effective - 1))) * error
    return float(mean - reach), float(mean + reach)
