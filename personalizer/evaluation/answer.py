"""The answer in three sentences: is personalising worth it, by which strategy, at what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from personalizer.evaluation.significance import FEWEST_GROUPS
from personalizer.words import count

__all__ = ["Answer", "Gain", "advice", "answer", "as_bytes", "as_time", "as_words"]


@dataclass(frozen=True)
class Gain:
    """How much smaller a trained method's loss is than that of the best untrained one."""

    method: str
    against: str
    """The untrained method: base, or base with examples."""
    mean: float
    """Nats per target token."""
    low: float | None
    """Of the 95 % interval over focal classes; None where they are too few for one."""
    high: float | None
    pairs: int

    @property
    def sure(self) -> bool:
        """Whether it is more than chance."""
        return self.low is not None and self.low > 0


@dataclass(frozen=True)
class Answer:
    """What an engineer asked."""

    worth: bool | None
    """None where nothing can be said: nothing was trained, or on too few classes."""
    method: str | None
    """The strategy to choose, or the untrained method that does as well."""
    sentences: tuple[str, str, str]


def answer(
    subject: str,
    gains: Sequence[Gain],
    scores: Mapping[str, Mapping[str, Any]],
    intervals: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    failed: Mapping[str, str] | None = None,
) -> Answer:
    """Says whether to personalise.

    It is worth it when the best trained method's loss is smaller with confidence and its tests
    are not further from the developers' (their BLEU4 intervals overlap, or its is higher), nor,
    where they were run, fewer that pass. Of trained methods that cannot be told from the best,
    the one with the smallest adapter is chosen.

    Args:
        subject: The repository, or how many.
        gains: Of each trained method over the best untrained one.
        scores: Metrics by method, of all that ``gains`` names.
        intervals: Their intervals.
        failed: Why methods that were asked for have no result.

    Example:
        >>> said = answer("ledger", [], {"base": {"perplexity": 5.0, "held_out": 9}}, {})
        >>> said.worth is None, said.sentences[0]
        (True, 'Whether personalising ledger is worth it cannot be said: nothing was trained.')
    """
    if not gains:
        return _nothing_compared(subject, failed or {})
    best = max(gains, key=lambda gain: gain.mean)
    if best.low is None:
        return _too_few_classes(subject, best, scores)
    chosen = _cheapest(best, gains, scores)
    harm = _harm(chosen, scores, intervals)
    if chosen.sure and harm is None:
        return Answer(True, chosen.method, _worth(subject, best, chosen, scores))
    return Answer(False, chosen.against, _not_worth(subject, chosen, harm, scores))


def _nothing_compared(subject: str, failed: Mapping[str, str]) -> Answer:
    why, todo = (
        "nothing was trained",
        "Name a strategy beside the base, as in --methods base,rag,lora.",
    )
    if failed:
        why = "no trained method can be compared"
        told = "; ".join(f"{method}: {reason}" for method, reason in failed.items())
        todo = f"What was in the way: {told.rstrip('.')}."
    return Answer(
        None,
        None,
        (
            f"Whether personalising {subject} is worth it cannot be said: {why}.",
            todo,
            "No training was measured, so no cost is known.",
        ),
    )


def _too_few_classes(subject: str, best: Gain, scores: Mapping[str, Mapping[str, Any]]) -> Answer:
    return Answer(
        None,
        None,
        (
            f"Whether personalising {subject} is worth it cannot be said: the held-out tests are "
            f"of fewer than {FEWEST_GROUPS} classes, too few to tell a gain from chance.",
            f"Hold out tests of more classes; on {count(best.pairs, 'held-out pair')} "
            f"{best.method} gains {best.mean:.3f} nats a token over {as_words(best.against)}.",
            _cost(best.method, scores[best.method]),
        ),
    )


def _cheapest(best: Gain, trained: Sequence[Gain], scores: Mapping[str, Mapping[str, Any]]) -> Gain:
    """Of those whose interval reaches the best's mean, the one with the smallest adapter."""
    close = [one for one in trained if one is best or (one.sure and (one.high or 0) >= best.mean)]
    return min(close, key=lambda gain: (scores[gain.method]["adapter_bytes"] or 0, -gain.mean))


def _harm(
    gain: Gain,
    scores: Mapping[str, Mapping[str, Any]],
    intervals: Mapping[str, Mapping[str, Sequence[float]]],
) -> str | None:
    """What got worse with confidence, though the loss did not."""
    for metric, words in (("bleu4", "BLEU4"), ("passes", "share of tests that pass")):
        mine = intervals.get(gain.method, {}).get(metric)
        other = intervals.get(gain.against, {}).get(metric)
        if mine and other and mine[1] < other[0]:
            before, after = (scores[name][metric] for name in (gain.against, gain.method))
            return f"its {words} falls from {before:.3g} to {after:.3g}"
    return None


def _worth(
    subject: str, best: Gain, chosen: Gain, scores: Mapping[str, Mapping[str, Any]]
) -> tuple[str, str, str]:
    cost = scores[chosen.method]
    first = (
        f"Personalising {subject} is worth it: {as_words(chosen.method)} lowers the perplexity of "
        f"the developers' tests from {scores[chosen.against]['perplexity']:.2f} "
        f"({as_words(chosen.against)}, the best without training) to {cost['perplexity']:.2f}, "
        f"a gain of {chosen.mean:.3f} nats a token on {count(chosen.pairs, 'held-out pair')} "
        f"(95 % interval {chosen.low:.3f} to {chosen.high:.3f})."
    )
    second = f"Choose {chosen.method}: it gains most of those compared."
    if chosen.method != best.method:
        other = scores[best.method]
        second = (
            f"Choose {chosen.method}: {best.method} gains {best.mean - chosen.mean:.3f} more, "
            f"which may be chance, and its adapter takes {as_bytes(other['adapter_bytes'])} "
            f"instead of {as_bytes(cost['adapter_bytes'])}."
        )
    return first, second, _cost(chosen.method, cost)


def _not_worth(
    subject: str, gain: Gain, harm: str | None, scores: Mapping[str, Mapping[str, Any]]
) -> tuple[str, str, str]:
    interval = f"(95 % interval {gain.low:.3f} to {gain.high:.3f})"
    if harm is not None:
        why = f"{gain.method} gains {gain.mean:.3f} nats a token {interval}, but {harm}"
    elif gain.mean <= 0:
        why = (
            f"the best strategy, {gain.method}, is {-gain.mean:.3f} nats a token worse than "
            f"{as_words(gain.against)} on {count(gain.pairs, 'held-out pair')} {interval}"
        )
    else:
        why = (
            f"the best strategy, {gain.method}, gains {gain.mean:.3f} nats a token over "
            f"{as_words(gain.against)} on {count(gain.pairs, 'held-out pair')}, "
            f"which may be chance {interval}"
        )
    return (
        f"Personalising {subject} is not worth it: {why}.",
        f"Use {as_words(gain.against)}: it needs no training.",
        "What was tried: "
        + _cost(gain.method, scores[gain.method])[0].lower()
        + _cost(gain.method, scores[gain.method])[1:],
    )


def _cost(method: str, cost: Mapping[str, Any]) -> str:
    return (
        f"One training of {method.partition('+')[0]} took {as_time(cost['seconds'])} on this "
        f"machine, {cost['pf_seconds']:.3g} PF-seconds and "
        f"{as_bytes(cost['peak_memory_bytes'])} of memory, and each adapter takes "
        f"{as_bytes(cost['adapter_bytes'])} of disk."
    )


def advice(
    scores: Mapping[str, Mapping[str, Any]], *, base_bytes: int, projects: Sequence[int]
) -> list[dict[str, Any]]:
    """What each strategy costs for many projects or users (the questions of Z22 section 6).

    Args:
        scores: Metrics by method.
        base_bytes: Of the base model's weights.
        projects: How many projects or users, for each column of storage.

    Returns:
        One row a strategy: ``storage`` in bytes by number, ``serving`` and ``privacy`` in words.

    Example:
        >>> lora = {"adapter_bytes": 10, "shares_base": True, "seconds": 60.0}
        >>> advice({"lora": lora}, base_bytes=1000, projects=[100])[0]["storage"]
        {100: 2000}
    """
    rows = []
    for name, cost in scores.items():
        if cost.get("adapter_bytes") is None or "+" in name:
            continue
        shared = bool(cost["shares_base"])
        rows.append(
            {
                "method": name,
                "storage": {n: base_bytes + n * int(cost["adapter_bytes"]) for n in projects},
                "training_seconds": cost["seconds"],
                "serving": (
                    "one base in memory serves all; adapters are switched from request to request"
                    if shared
                    else "each project's model takes as much memory as the base while it serves"
                ),
                "privacy": (
                    "what was learnt lies in the adapter alone, which may stay on its machine"
                    if shared
                    else "what was learnt lies in weights of the model; keep each with its project"
                ),
            }
        )
    return rows


def as_words(method: str) -> str:
    """A method's name in a sentence.

    Example:
        >>> as_words("base"), as_words("rag"), as_words("lora")
        ('the base alone', 'the base with retrieved examples', 'lora')
    """
    names = {
        "base": "the base alone",
        "icl": "the base with random examples",
        "rag": "the base with retrieved examples",
    }
    return names.get(method, method)


def as_time(seconds: float) -> str:
    """Minutes and seconds.

    Example:
        >>> as_time(92.4), as_time(3725)
        ('1:32', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def as_bytes(size: int) -> str:
    """A size in decimal units.

    Example:
        >>> as_bytes(1_340_000), as_bytes(900)
        ('1.3 MB', '900 B')
    """
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
