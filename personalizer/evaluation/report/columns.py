"""The columns of the report's tables: what a metric is called, means, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from personalizer.evaluation.answer import as_bytes, as_time

__all__ = ["COST", "QUALITY", "Column", "cell_text"]


@dataclass(frozen=True, slots=True)
class Column:
    """One metric in a table."""

    key: str
    """In the JSON."""
    title: str
    meaning: str
    """For a person who never saw the papers."""
    write: Callable[[Any], str]


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _number(digits: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{digits}f}"


QUALITY = (
    Column(
        "perplexity",
        "Perplexity",
        "between how many tokens the model hesitates while it reads the developers' tests; "
        "1 is certainty, lower is better",
        _number(2),
    ),
    Column(
        "bits_per_byte",
        "Bits a byte",
        "the same, comparable between models with other tokenizers; lower is better",
        _number(3),
    ),
    Column(
        "bleu4",
        "BLEU4",
        "shared word runs of one to four with the developers' test, 0 to 100",
        _number(2),
    ),
    Column("code_bleu", "CodeBLEU", "BLEU that also compares syntax and data flow", _number(2)),
    Column(
        "exact@1", "Exact@1", "the likeliest test is the developers', white space apart", _percent
    ),
    Column("exact@5", "Exact@5", "one of the five likeliest is", _percent),
    Column("exact@10", "Exact@10", "one of the ten likeliest is", _percent),
    Column("abstract@1", "Abstract@1", "as Exact@1, but for names and literals", _percent),
    Column("abstract@5", "Abstract@5", "as Exact@5, but for names and literals", _percent),
    Column("style", "Style", "likeness of names to the developers', 0 to 1", _number(3)),
    Column("parses", "Parses", "generated tests that are one whole method", _percent),
    Column("compiles", "Compiles", "generated tests that compile in their class", _percent),
    Column("passes", "Passes", "generated tests that pass, each time they are run", _percent),
    Column(
        "new_lines",
        "New lines",
        "generated tests that pass and run a line no other test of the class runs",
        _percent,
    ),
    Column(
        "mutation_score",
        "Mutants",
        "small changes of its method that a test notices, none where it fails",
        _percent,
    ),
    Column("flaky", "Flaky", "tests that passed once and failed once; they do not pass", str),
    Column("examples", "Examples", "other pairs that a prompt showed, on average", _number(1)),
    Column("held_out", "Pairs", "held-out pairs whose loss was taken", str),
    Column("generated", "Tests", "held-out pairs that tests were written for", str),
    Column(
        "tried",
        "Tried",
        "those of them that were compiled and, where they compile, run, for every method; "
        "Compiles, Passes, New lines and Mutants are of these",
        str,
    ),
)

COST = (
    Column("seconds", "Training", "time of one training on this machine", as_time),
    Column(
        "pf_seconds",
        "PF-seconds",
        "10^15 floating-point operations of one training, by Z22's rule",
        lambda value: f"{value:.3g}",
    ),
    Column("adapter_bytes", "Adapter", "disk that each project takes", as_bytes),
    Column(
        "trainable_parameters",
        "Parameters",
        "that are trained (Z22 table 1)",
        lambda value: f"{value:,}",
    ),
    Column("peak_memory_bytes", "Memory", "most that a training took", as_bytes),
    Column("tokens", "Tokens", "trained on, prompts included", lambda value: f"{value:,}"),
    Column("train_pairs", "Training pairs", "of a fold, on average", str),
)


def cell_text(column: Column, values: Mapping[str, Any], *, interval: bool = True) -> str:
    """A value as a table shows it, with its interval where it has one; a dash for a gap."""
    value = values.get(column.key)
    if value is None:
        return "–"
    text = column.write(value)
    bounds = values.get("intervals", {}).get(column.key)
    if not interval or bounds is None:
        return text
    low, high = (column.write(bound).removesuffix(" %") for bound in bounds)
    return f"{text} ({low}–{high})"
