"""All that an evaluation found, as one JSON-ready object: the command's answer, the report's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from personalizer.evaluation.answer import Gain, advice, answer
from personalizer.evaluation.comparison import Verdicts, in_common, tried_for_all
from personalizer.evaluation.experiment import Result
from personalizer.evaluation.methods import Method
from personalizer.evaluation.projects import Project
from personalizer.evaluation.scores import Scored, Scores, gain, scores
from personalizer.evaluation.significance import kruskal_wallis

__all__ = ["MATCHES", "METRICS", "summarise"]

METRICS = ("perplexity", "bits_per_byte", "bleu4", "style", "parses", "compiles", "passes")
"""Compared by Kruskal-Wallis, with ``MATCHES``."""
MATCHES = ("exact@1", "exact@5", "abstract@1", "abstract@5")
"""Of the first and of the first five tests of a beam search; null where fewer were searched."""
_STORAGE = (1, 10, 100, 1000)


def summarise(
    projects: Sequence[Project],
    methods: Sequence[Method],
    results: Sequence[Result],
    verdicts: Verdicts,
    *,
    about: Mapping[str, Any],
    tokens_shared: Mapping[str, Mapping[str, float]] | None = None,
) -> dict[str, Any]:
    """The JSON object of ``personalizer evaluate``.

    Methods are compared on what all of them were measured on: the pairs that all of them read, the
    tests that all of them wrote and that could be tried for all of them.

    Args:
        projects: Evaluated on.
        methods: In the order of the report, the base first.
        results: Cells and gaps.
        verdicts: What became of generated tests.
        about: Base, context, settings: told as they are.
        tokens_shared: Figure 1, where there are several projects.
    """
    names = [method.name for method in methods]
    whole, compared = in_common([r for r in results if r.share >= 1])
    verdicts = tried_for_all(verdicts)

    def cells(method: str, project: str | None = None, fold: int | None = None) -> list[Scored]:
        return [
            Scored(r.project, r.cell)
            for r in whole
            if r.cell is not None
            and r.cell.rows
            and r.method == method
            and project in (None, r.project)
            and fold in (None, r.fold)
        ]

    def scored(found: list[Scored], method: str, bounds: bool = True) -> Scores:
        known = {(p, test): o for (p, m, test), o in verdicts.items() if m == method}
        return scores(found, known, bounds=bounds)

    pooled = {n: scored(cells(n), n) for n in names if cells(n)}
    by_project = {
        p.name: {n: scored(cells(n, p.name), n) for n in names if cells(n, p.name)}
        for p in projects
    }
    gains = _gains(methods, pooled, cells) if compared.pairs else []
    values = {name: found.values for name, found in pooled.items()}
    intervals = {name: found.intervals for name, found in pooled.items()}
    subject = projects[0].name if len(projects) == 1 else f"these {len(projects)} repositories"
    compared_with = {one.method for one in gains}
    failed = {r.method: r.gap for r in results if r.gap and r.method not in compared_with}
    said = answer(subject, gains, values, intervals, failed=failed)
    base = next((r.cell for r in results if r.cell), None)
    return {
        "answer": list(said.sentences),
        "worth": said.worth,
        "recommended": said.method,
        **about,
        "folds": max(len(p.folds) for p in projects),
        "compared": asdict(compared),
        "methods": {n: _told(s) for n, s in pooled.items()},
        "gains": [asdict(one) for one in gains],
        "projects": {
            p.name: {
                "commit": p.commit,
                "pairs": p.pairs,
                "all_pairs": p.all_pairs,
                "methods": {n: _told(s) for n, s in by_project[p.name].items()},
            }
            for p in projects
        },
        "kruskal": _kruskal(projects, by_project, names, cells, scored),
        "curve": _curve(results, cells, gains),
        "advice": advice(values, base_bytes=base.base_bytes if base else 0, projects=_STORAGE),
        "tokens_shared": tokens_shared,
        "styles": {n: list(s.styles) for n, s in pooled.items()},
        "cells": [_cell(result) for result in results],
    }


def _told(found: Scores) -> dict[str, Any]:
    rounded = {name: [round(v, 6) for v in bounds] for name, bounds in found.intervals.items()}
    values = {**dict.fromkeys((*METRICS, *MATCHES)), **found.values}
    tried = {"not_tried": found.not_tried, "not_run": found.not_run}
    return {**values, **tried, "intervals": rounded}


def _gains(methods: Sequence[Method], pooled: Mapping[str, Scores], cells: Any) -> list[Gain]:
    """Of each trained method over the untrained one with the least perplexity."""
    plain = [m.name for m in methods if m.strategy is None and m.name in pooled]
    if not plain:
        return []
    against = min(plain, key=lambda name: pooled[name].values["perplexity"])
    found = []
    for method in methods:
        if method.strategy is None or method.name not in pooled:
            continue
        if numbers := gain(cells(against), cells(method.name)):
            found.append(Gain(method.name, against, *numbers))
    return found


def _kruskal(
    projects: Sequence[Project],
    by_project: Mapping[str, Mapping[str, Scores]],
    names: Sequence[str],
    cells: Any,
    scored: Any,
) -> dict[str, Any]:
    """Methods compared over projects (Z22 table 4), or over the folds of one."""
    if len(projects) > 1:
        unit = "projects"
        each = {
            n: [by_project[p.name][n] for p in projects if n in by_project[p.name]] for n in names
        }
    else:
        unit = "folds"
        folds = range(1, len(projects[0].folds) + 1)
        each = {n: [scored(c, n, False) for f in folds if (c := cells(n, None, f))] for n in names}
    tests: dict[str, Any] = {}
    for metric in (*METRICS, *MATCHES):
        samples = {
            n: [v for s in found if (v := s.values.get(metric)) is not None]
            for n, found in each.items()
        }
        test = kruskal_wallis(samples)
        tests[metric] = None if test is None else asdict(test)
    return {"unit": unit, "metrics": tests}


def _curve(results: Sequence[Result], cells: Any, gains: Sequence[Gain]) -> list[dict[str, Any]]:
    """Gain over the best untrained method against the number of training pairs."""
    rows = []
    shares = sorted({r.share for r in results})
    if len(shares) == 1:
        return []
    for one in gains:
        if "+" in one.method:
            continue
        for share in shares:
            found = [
                Scored(r.project, r.cell)
                for r in results
                if r.method == one.method and r.share == share and r.cell
            ]
            if numbers := gain(cells(one.against), found):
                mean, low, high, _ = numbers
                pairs = round(sum(of.cell.pairs["train"] for of in found) / len(found))
                row = {"method": one.method, "share": share, "train_pairs": pairs}
                rows.append(row | {"gain": mean, "low": low, "high": high})
    return rows


def _cell(result: Result) -> dict[str, Any]:
    """Where a cell's numbers lie, and what the figures draw of it."""
    row: dict[str, Any] = {
        "project": result.project,
        "method": result.method,
        "fold": result.fold,
        "share": result.share,
        "file": None if result.file is None else str(result.file),
        "gap": result.gap,
    }
    cell = result.cell
    if cell is None:
        return row
    found = scores([Scored(result.project, cell)], bounds=False).values
    row |= {name: found.get(name) for name in ("perplexity", "bleu4", "held_out", "generated")}
    row |= {"pairs": cell.pairs, "left_out": cell.left_out}
    training = cell.training
    if training is not None:
        row["training"] = {
            "seconds": training.seconds,
            "steps": training.steps,
            "pf_seconds": training.pf_seconds,
            "blocks": training.blocks,
            "history": [
                # PF-seconds grow with the tokens, and those evenly with the steps.
                {
                    "pf_seconds": training.pf_seconds * h["step"] / max(1, training.steps),
                    "validation_loss": h["validation_loss"],
                }
                for h in training.history
            ],
        }
    return row
