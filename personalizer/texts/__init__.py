"""Results as text: what a person reads where ``--json`` was not asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from personalizer.texts.daemon import cancelled_text, daemon_text, job_text, status_text
from personalizer.texts.generation import generate_text, snippet_text, untested_text
from personalizer.texts.plain import plain
from personalizer.texts.training import (
    adapters_text,
    exported_text,
    forecasts_text,
    forgotten_list_text,
    forgotten_text,
    manifest_text,
    measured_text,
    plan_text,
    serving_text,
    train_text,
)
from personalizer.words import count

__all__ = ["LINES", "TEXTS"]


def _index_text(result: dict[str, Any]) -> str:
    left_out = sum(result["excluded"].values())
    lines = [
        f"{count(result['parsed'], 'Java file')}, {count(result['methods'], 'method')}, "
        f"{count(result['tests'], 'test')}",
        f"{count(result['pairs'], 'test')} with a known focal method, "
        f"{count(result['snippets'], 'documented method')}",
        f"{result['seconds']:.2f} s",
    ]
    if left_out:
        reasons = ", ".join(f"{number} {reason}" for reason, number in result["excluded"].items())
        lines.insert(2, f"{count(left_out, 'file')} left out: {reasons}")
    for path, errors in list(result["errors"].items())[:10]:
        lines.append(f"{path}: {errors[0]}")
    if len(result["errors"]) > 10:
        lines.append(f"… and {len(result['errors']) - 10} more files with errors")
    for path, reason in result.get("excluded_files", {}).items():
        lines.append(f"left out {path}: {reason}")
    for path, reason in result.get("excluded_folders", {}).items():
        lines.append(f"left out {path}/: {reason}")
    for path, original in result.get("copies", {}).items():
        lines.append(f"{path} is a copy of {original}")
    return "\n".join(lines)


def _config_text(result: dict[str, Any]) -> str:
    rows = result["settings"]
    width = max(len(row["name"]) for row in rows)
    return "\n".join(
        f"{row['name']:{width}}  {row['value']!s:12}  {row['origin']:8}  {row['doc']}"
        for row in rows
    )


def _evaluate_text(result: dict[str, Any]) -> str:
    where = f"\n\nReport: {result['report']}" if result.get("report") else ""
    return f"{result['markdown']}{where}"


def _doctor_text(result: dict[str, Any]) -> str:
    rows = result["checks"]
    width = max(len(row["name"]) for row in rows)
    lines = []
    for row in rows:
        lines.append(f"{'ok' if row['ok'] else '--'}  {row['name']:{width}}  {row['found']}")
        if row["todo"]:
            lines.append(f"    {'':{width}}  {row['todo']}")
    return "\n".join(lines)


def _models_text(result: dict[str, Any]) -> str:
    return "\n".join(
        f"{row['name']:32} {row['parameters'] / 1e6:8,.0f}M  {row['licence']:27}"
        f"{'here' if row['here'] else 'not here':10}"
        f"{'fits' if row['fits'] else 'too large for this machine'}"
        for row in result["models"]
    )


TEXTS: dict[str, Callable[[Any], str]] = {
    "adapters": adapters_text,
    "base": lambda r: f"{r['base']} is the base of new trainings now, by {r['file']}",
    "cancelled": cancelled_text,
    "config": _config_text,
    "daemon": daemon_text,
    "dataset": lambda r: f"Wrote {count(r['examples'], 'example')} into {r['file']}",
    "doctor": _doctor_text,
    "evaluate": _evaluate_text,
    "exported": exported_text,
    "forecasts": forecasts_text,
    "forgotten": forgotten_text,
    "forgotten list": forgotten_list_text,
    "generate": generate_text,
    "imported": lambda r: (
        f"Took in {r['imported']}; it serves once `personalizer adapters use` names it."
    ),
    "index": _index_text,
    "job": job_text,
    "manifest": manifest_text,
    "measured": measured_text,
    "models": _models_text,
    "plan": plan_text,
    "pulled": lambda r: f"{r['name']} lies in {r['folder']}",
    "remembered": lambda r: f"Training may learn from {r['remembered']} again.",
    "removed": lambda r: f"Deleted {r['removed']}.",
    "serving": serving_text,
    "snippet": snippet_text,
    "status": status_text,
    "tasks": plain,
    "untested": untested_text,
    "train": train_text,
    "view": lambda r: str(r["url"]),
}

LINES: dict[str, Callable[[dict[str, Any]], str]] = {
    "pairs": lambda r: (
        f"{r['focal_class']}.{r['focal_method']}({', '.join(r['focal_params'])}) <- "
        f"{r['test_class']}.{r['test_method']}  {r['rule']} {r['confidence']:.2f}"
    ),
}
