"""From cells to numbers: every metric of a method over the held-out pairs, with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexer.languages.java import method_errors
from personalizer.evaluation.cells import Cell, Row, Training
from personalizer.evaluation.code_bleu import available, code_bleu
from personalizer.evaluation.matches import abstract_match, exact_match
from personalizer.evaluation.metrics import BleuCounts, bits_per_byte, perplexity
from personalizer.evaluation.significance import Indices, trusted_interval
from personalizer.evaluation.style import style
from personalizer.evaluation.validity import SHARES, Outcome

__all__ = ["Scored", "Scores", "gain", "scores"]


@dataclass(frozen=True)
class Scored:
    """A cell of one project."""

    project: str
    """As this evaluation calls it: no other of its projects has the name."""
    cell: Cell


@dataclass(frozen=True)
class Scores:
    """One method over some cells."""

    values: dict[str, Any]
    """By metric, the keys of ``personalizer evaluate --json``; None where there is no value."""
    intervals: dict[str, tuple[float, float]]
    """95 % bootstrap interval over focal classes, of the metrics that have one; none where the
    classes are too few."""
    styles: tuple[float, ...]
    """Cosine of each generated test, for the distribution."""
    not_tried: dict[str, int]
    """Generated tests of which it is not known whether they pass, by the reason."""

    @property
    def not_run(self) -> str | None:
        """The reason that kept most of them from being tried."""
        return max(self.not_tried, key=self.not_tried.__getitem__, default=None)


_NOBODY = "nobody tried it"


def scores(
    cells: Sequence[Scored],
    verdicts: Mapping[tuple[str, str], Outcome] | None = None,
    *,
    bounds: bool = True,
) -> Scores:
    """Every metric of the cells of one method; pairs of all cells count alike.

    A share of tests is of those that were tried, as ``tried`` and ``not_tried`` say.

    Args:
        cells: Of one method; folds of one project, or of several.
        verdicts: What became of each generated test, by project and test.
        bounds: Draw intervals, which takes most of the time.

    Raises:
        ValueError: If there is no held-out pair.
    """
    sheet = _Sheet({}, {}, bounds)
    rows = [(one.project, row) for one in cells for row in one.cell.rows]
    written = [(project, row) for project, row in rows if row.greedy is not None]
    sheet.values.update(held_out=len(rows), generated=len(written))
    _losses([row for _, row in rows], _groups(rows), sheet)
    own = [row for _, row in written]
    styles = _texts(own, _groups(written), sheet) if own else ()
    verdicts = verdicts or {}
    outcomes = [
        verdicts.get((project, row.test)) or Outcome(row.test, None, None, not_run=_NOBODY)
        for project, row in written
    ]
    _outcomes(outcomes, _groups(written), sheet)
    not_tried = Counter(o.not_run or _NOBODY for o in outcomes if o.passes is None)
    sheet.values.update(tried=len(outcomes) - not_tried.total())
    sheet.values.update(_costs([one.cell for one in cells], [row for _, row in rows]))
    return Scores(sheet.values, sheet.intervals, styles, dict(not_tried))


def _groups(rows: Sequence[tuple[str, Row]]) -> list[str]:
    return [f"{project}:{row.group}" for project, row in rows]


@dataclass(frozen=True)
class _Sheet:
    """Numbers as they are filled in."""

    values: dict[str, Any]
    intervals: dict[str, tuple[float, float]]
    bounds: bool

    def put(
        self, name: str, value: float, statistic: Callable[[Indices], float], groups: Sequence[str]
    ) -> None:
        self.values[name] = round(value, 6)
        if self.bounds and (found := trusted_interval(statistic, groups)) is not None:
            self.intervals[name] = found

    def mean(self, name: str, each: Sequence[float], groups: Sequence[str]) -> None:
        array = np.asarray(each, float)
        self.put(name, float(array.mean()), lambda chosen: float(array[chosen].mean()), groups)


def gain(
    first: Sequence[Scored], second: Sequence[Scored]
) -> tuple[float, float | None, float | None, int] | None:
    """How much smaller the second method's loss is on the pairs that both scored.

    Returns:
        Mean over pairs in nats per target token, its 95 % interval over focal classes (None twice
        where they are too few), and the number of pairs; None where they have none in common.
    """
    before = {
        (one.project, row.test, row.focal): row.loss for one in first for row in one.cell.rows
    }
    pairs = [
        (before[place] - row.loss, f"{one.project}:{row.group}")
        for one in second
        for row in one.cell.rows
        if (place := (one.project, row.test, row.focal)) in before
    ]
    values = np.asarray([value for value, _ in pairs])
    if not pairs:
        return None
    groups = [group for _, group in pairs]
    low, high = trusted_interval(lambda at: float(values[at].mean()), groups) or (None, None)
    return float(values.mean()), low, high, len(pairs)


def _losses(rows: Sequence[Row], groups: Sequence[str], sheet: _Sheet) -> None:
    losses, tokens = [row.loss for row in rows], [row.tokens for row in rows]
    references = [row.reference for row in rows]
    nats = np.asarray(losses) * np.asarray(tokens)
    counts = np.asarray(tokens)
    sizes = np.asarray([len(text.encode()) for text in references])

    def per_token(chosen: Indices) -> float:
        return float(np.exp(min(nats[chosen].sum() / counts[chosen].sum(), 700.0)))

    def per_byte(chosen: Indices) -> float:
        return float(nats[chosen].sum() / np.log(2) / sizes[chosen].sum())

    sheet.put("perplexity", perplexity(losses, tokens), per_token, groups)
    sheet.put("bits_per_byte", bits_per_byte(losses, tokens, references), per_byte, groups)


def _texts(rows: Sequence[Row], groups: Sequence[str], sheet: _Sheet) -> tuple[float, ...]:
    texts = [row.greedy or "" for row in rows]
    references = [row.reference for row in rows]
    counts = BleuCounts(tuple(texts), tuple(references))
    sheet.put("bleu4", counts.score(), counts.score, groups)
    sheet.values["code_bleu"] = code_bleu(texts, references, "java") if available() else None
    for k in range(1, max(len(row.beams) for row in rows) + 1):
        exact = [float(exact_match(row.beams, row.reference, k)) for row in rows]
        likely = [float(abstract_match(row.beams, row.reference, k)) for row in rows]
        sheet.mean(f"exact@{k}", exact, groups)
        sheet.mean(f"abstract@{k}", likely, groups)
    styles = [float(one) for one in style(texts, references)]
    sheet.mean("style", styles, groups)
    sheet.mean("parses", [float(not method_errors(text)) for text in texts], groups)
    return tuple(round(one, 4) for one in styles)


def _outcomes(outcomes: Sequence[Outcome], groups: Sequence[str], sheet: _Sheet) -> None:
    """Shares of the tests that were tried; a flaky one does not pass, and is counted apart."""
    for name, before in SHARES.items():
        sheet.values[name] = None
        each = [getattr(outcome, name) for outcome in outcomes]
        measured = [
            value is not None
            for value, outcome in zip(each, outcomes, strict=True)
            if before is None or getattr(outcome, before)
        ]
        if (before and sheet.values[before] is None) or (measured and not any(measured)):
            continue  # what is known is of those alone that did not get so far
        known = [place for place, value in enumerate(each) if value is not None]
        if known:
            sheet.mean(name, [float(each[i]) for i in known], [groups[i] for i in known])
    tried = [outcome for outcome in outcomes if outcome.passes is not None]
    sheet.values["flaky"] = sum(outcome.flaky for outcome in tried) if tried else None


def _costs(cells: Sequence[Cell], rows: Sequence[Row]) -> dict[str, Any]:
    """Means over trainings, one a fold; the peak is the highest. None without a training."""
    trainings = [cell.training for cell in cells if cell.training is not None]

    def mean(of: Callable[[Training], float]) -> float | None:
        return sum(map(of, trainings)) / len(trainings) if trainings else None

    def whole(value: float | None) -> int | None:
        return None if value is None else round(value)

    return {
        "examples": round(sum(row.examples for row in rows) / len(rows), 2),
        "train_pairs": whole(sum(cell.pairs["train"] for cell in cells) / len(cells))
        if trainings
        else None,
        "pf_seconds": mean(lambda t: t.pf_seconds),
        "trainable_parameters": whole(mean(lambda t: t.trainable_parameters)),
        "adapter_bytes": whole(mean(lambda t: t.adapter_bytes)),
        "shares_base": all(t.shares_base for t in trainings) if trainings else None,
        "tokens": whole(mean(lambda t: t.tokens)),
        "seconds": mean(lambda t: t.seconds),
        "peak_memory_bytes": max((t.peak_memory_bytes for t in trainings), default=None),
        "generation_seconds": round(sum(c.generation_seconds for c in cells) / len(cells), 3),
    }
