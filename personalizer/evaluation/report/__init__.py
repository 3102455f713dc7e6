"""The report: one HTML file that loads nothing from anywhere, and a Markdown summary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from personalizer.evaluation.answer import as_bytes, as_time, as_words
from personalizer.evaluation.report.columns import COST, QUALITY, Column, cell_text
from personalizer.evaluation.report.figures import figures

__all__ = ["markdown", "render"]


def render(result: Mapping[str, Any], *, made_by: str) -> str:
    """The page.

    Args:
        result: The JSON object of ``personalizer evaluate``.
        made_by: The command line that made it.
    """
    cells = [cell | {"id": f"c{number}"} for number, cell in enumerate(result["cells"], 1)]
    return (
        _templates()
        .get_template("report.html")
        .render(
            r=result,
            cells=cells,
            sources=_sources(cells),
            untold=_untold(result),
            gaps=[cell for cell in cells if cell["gap"]],
            quality=_present(QUALITY, result),
            cost=_present(COST, result),
            figures=figures(result),
            made_by=made_by,
            data=json.dumps({k: v for k, v in result.items() if k != "styles"}),
            css=files(__name__).joinpath("templates", "report.css").read_text("utf-8"),
        )
    )


def markdown(result: Mapping[str, Any]) -> str:
    """The answer and the table of methods, for a terminal or an issue."""
    columns = [*_present(QUALITY, result), *_present(COST, result)[:3]]
    lines: list[str] = [" ".join(result["answer"]), ""]
    lines += [
        "| method | " + " | ".join(column.title for column in columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for name, values in result["methods"].items():
        texts = [cell_text(column, values) for column in columns]
        lines.append(f"| {name} | " + " | ".join(texts) + " |")
    gaps = dict.fromkeys((cell["method"], cell["gap"]) for cell in result["cells"] if cell["gap"])
    lines += [f"\nNo result for {method}: {why}" for method, why in gaps]
    lines += [f"\n{line}" for line in _untold(result)]
    return "\n".join(lines)


def _untold(result: Mapping[str, Any]) -> list[str]:
    """What the figures are not made of, a sentence each."""
    compared, lines = result["compared"], []
    if not compared["pairs"]:
        lines.append("No held-out pair was read by every method: each is scored on its own.")
    elif compared["pairs"] < compared["of"]:
        lines.append(
            f"Scored on {compared['pairs']} of {compared['of']} held-out pairs, "
            "those that every method read."
        )
    methods: dict[tuple[str, int, int], list[str]] = {}
    for name, values in result["methods"].items():
        for why, tests in values["not_tried"].items():
            methods.setdefault((why, tests, values["generated"]), []).append(name)
    lines += [
        f"Not compiled or not run: {tests} of {generated} tests ({', '.join(names)}): {why}."
        for (why, tests, generated), names in methods.items()
    ]
    return lines


def _present(columns: tuple[Column, ...], result: Mapping[str, Any]) -> list[Column]:
    """Columns that some method has a value for."""
    return [
        column
        for column in columns
        if any(values.get(column.key) is not None for values in result["methods"].values())
    ]


def _sources(cells: list[dict[str, Any]]) -> dict[tuple[str | None, str], list[str]]:
    """The cells that a number is made of, by project (None: all of them) and method."""
    found: dict[tuple[str | None, str], list[str]] = {}
    for cell in cells:
        if cell["share"] >= 1 and not cell["gap"]:
            for project in (None, cell["project"]):
                found.setdefault((project, cell["method"]), []).append(cell["id"])
    return found


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("personalizer.evaluation.report"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "bytes": as_bytes,
        "time": as_time,
        "words": as_words,
        "file_name": lambda path: Path(path).name,
        "probability": lambda p: "< 0.001" if p < 0.001 else f"{p:.3f}",
    }
    made.globals |= {"cell_text": cell_text}
    return made
