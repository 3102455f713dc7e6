"""What the command line prints: results on stdout as text or JSON, everything else on stderr."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console

from personalizer.errors import StorageError
from personalizer.storage import data_folder, write_atomically

if TYPE_CHECKING:
    from indexer import Pair
    from personalizer.adapters import Adapter
    from personalizer.daemon.protocol import Progress

__all__ = [
    "adapter_row",
    "as_dict",
    "cell_line",
    "complain",
    "counting",
    "log_crash",
    "pair_row",
    "quiet_libraries",
    "remark",
    "show",
    "show_lines",
    "training_progress",
    "working",
    "write_lines",
    "write_text",
]

_stderr = Console(stderr=True, highlight=False)


def show(kind: str, result: dict[str, Any], as_json: bool) -> None:
    """Prints the result of a command."""
    click.echo(json.dumps(result) if as_json else _TEXTS.get(kind, _plain)(result))


def show_lines(kind: str, rows: Iterable[dict[str, Any]], as_json: bool) -> None:
    """Prints rows as they come, one JSON object or one line of text each."""
    for row in rows:
        click.echo(json.dumps(row) if as_json else _LINES[kind](row))


def write_lines(file: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Writes one JSON object a line into a file, whole or not at all; says how many.

    Raises:
        StorageError: If the file cannot be written.
    """
    lines = [json.dumps(row) for row in rows]
    write_atomically(file, "".join(f"{line}\n" for line in lines).encode())
    return len(lines)


def complain(text: str) -> None:
    """One line that says what went wrong."""
    click.echo(f"personalizer: {' '.join(text.split())}", err=True)


def log_crash() -> Path:
    """Keeps the traceback of an error that nobody foresaw; says where."""
    file = data_folder() / "crash.log"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(traceback.format_exc())
    except OSError:
        traceback.print_exc()
    return file


def remark(text: str) -> None:
    """One line that the user should know, no error."""
    click.echo(f"note: {text}", err=True)


def write_text(file: Path, text: str) -> None:
    """A text file, whole or not at all.

    Raises:
        StorageError: If it cannot be written.
    """
    write_atomically(file, text.encode())


def cell_line(done: int, cells: int, what: str, seconds_left: float | None) -> None:
    """A line for each cell of an evaluation: what comes, and how long the rest takes."""
    left = "" if seconds_left is None else f", about {_time(seconds_left)} left"
    click.echo(f"{done + 1} of {cells}: {what}{left}", err=True)


def as_dict(record: Any) -> dict[str, Any]:
    """A record as JSON-ready values."""
    built: dict[str, Any] = msgspec.to_builtins(record)
    return built


def quiet_libraries() -> None:
    """Keeps the model libraries off the terminal and off the hubs; called before torch comes.

    A library may fetch what it thinks it needs, as bitsandbytes does its kernels; only
    ``models pull``, which does not call this, may leave the machine.

    Raises:
        StorageError: If nothing temporary can be written, which some libraries do as they load.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise StorageError(
            "cannot write temporary files: make room on the disk, or name a folder in TMPDIR"
        ) from error
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve a busy machine
    warnings.filterwarnings("ignore")
    logging.getLogger().setLevel(logging.ERROR)
    logging.disable(logging.INFO)  # bm25s sets its own logger to DEBUG
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner on a terminal, nothing elsewhere."""
    with _stderr.status(f"{what}…"):
        yield


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on a terminal; calls count on."""
    from rich.progress import Progress as Bar

    with Bar(console=_stderr, disable=not _stderr.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def training_progress(*, as_json_lines: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal, JSON lines for the daemon, a line a phase elsewhere."""
    if as_json_lines:
        yield _json_line
    elif _stderr.is_terminal:
        with _bar() as report:
            yield report
    else:
        yield _phases()


def _json_line(progress: Progress) -> None:
    print(json.dumps({"progress": asdict(progress)}), file=sys.stderr, flush=True)  # noqa: T201


def _phases() -> Callable[[Progress], None]:
    said: set[str] = set()

    def report(progress: Progress) -> None:
        if progress.phase not in said:
            said.add(progress.phase)
            click.echo(f"{_PHASES[progress.phase]}…", err=True)
        if progress.note:
            remark(progress.note)

    return report


_PHASES = {
    "index": "Reading the project",
    "prepare": "Loading the base model",
    "train": "Training",
    "gate": "Judging the adapter on held-out pairs",
}


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    with Bar(*columns, console=_stderr) as bar:
        task = bar.add_task(_PHASES["index"], total=None, figures="")

        def report(progress: Progress) -> None:
            if progress.note:
                bar.console.print(f"note: {progress.note}")
            bar.update(
                task,
                description=_PHASES[progress.phase],
                completed=progress.step,
                total=progress.steps or None,
                figures=_figures(progress),
            )

        yield report


def _figures(progress: Progress) -> str:
    parts = []
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.3f}")
    if progress.validation_loss is not None:
        parts.append(f"validation {progress.validation_loss:.3f}")
    if progress.tokens_per_second:
        parts.append(f"{progress.tokens_per_second:,.0f} tokens/s")
    if progress.seconds_left is not None:
        parts.append(f"{_time(progress.seconds_left)} left")
    return "  ".join(parts)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


# ---------------------------------------------------------------- rows


def pair_row(pair: Pair) -> dict[str, Any]:
    """The JSON object of one pair."""
    test, focal = pair.test.method, pair.focal.method
    return {
        "test_file": pair.test.path,
        "test_class": test.owner,
        "test_method": test.name,
        "test_line": test.line,
        "focal_file": pair.focal.path,
        "focal_class": focal.owner,
        "focal_method": focal.name,
        "focal_params": [p.simple_type for p in focal.parameters],
        "constructor": focal.constructor,
        "rule": pair.rule,
        "confidence": pair.confidence,
    }


def adapter_row(adapter: Adapter, serving: Adapter | None) -> dict[str, Any]:
    """The JSON object of one adapter in a list."""
    manifest = adapter.manifest
    return {
        "id": adapter.id,
        "method": manifest.method,
        "base": manifest.base,
        "trained_at": manifest.trained_at,
        "gate": manifest.gate["outcome"],
        "reason": manifest.gate["reason"],
        "pairs": manifest.pairs,
        "serving": serving is not None and serving.id == adapter.id,
    }


# ---------------------------------------------------------------- texts


def _plain(result: dict[str, Any]) -> str:
    width = max(map(len, result), default=0)
    return "\n".join(f"{key:{width}}  {_value(value)}" for key, value in result.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_value(v)}" for k, v in value.items()) or "none"
    return "-" if value is None else str(value)


def _index_text(result: dict[str, Any]) -> str:
    left_out = sum(result["excluded"].values())
    lines = [
        f"{result['parsed']} Java files, {result['methods']} methods, {result['tests']} tests",
        f"{result['pairs']} tests with a known focal method, "
        f"{result['snippets']} documented methods",
        f"{result['seconds']:.2f} s",
    ]
    if left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in result["excluded"].items())
        lines.insert(2, f"{left_out} files left out: {reasons}")
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


def _train_text(result: dict[str, Any]) -> str:
    base, adapter = result["metrics"]["base"], result["metrics"]["adapter"]
    verdict = {
        "passed": "It serves now",
        "provisional": "It serves now, provisionally",
        "refused": "It does not serve",
    }[result["gate"]]
    return "\n".join(
        [
            f"Adapter {result['adapter']} ({result['method']} on {result['base']})",
            f"  pairs       {_value(result['pairs'])}",
            f"  loss        {base['gate_loss']:.3f} base, {adapter['gate_loss']:.3f} adapter "
            "(gate pairs, nats a token)",
            f"  perplexity  {base['gate_perplexity']:.2f} base, "
            f"{adapter['gate_perplexity']:.2f} adapter",
            f"  trained     {result['trainable_parameters']:,} parameters, "
            f"{result['steps']} steps, {result['tokens']:,} tokens in {_time(result['seconds'])} "
            f"({result['tokens_per_second']:,.0f} a second)",
            f"  memory      {_mebibytes(result['peak_memory_bytes'])} at most "
            f"({_mebibytes(result['forecast']['peak_memory_bytes'])} foretold), "
            f"adapter {_mebibytes(result['adapter_bytes'])}",
            *(f"  eased       {one}" for one in result["eased"]),
            *([f"  chosen      {result['chosen']}"] if result["chosen"] else []),
            *_continual_lines(result),
            f"{verdict}: {result['reason']}.",
        ]
    )


def _continual_lines(result: dict[str, Any]) -> list[str]:
    """What training on from an adapter brought on new pairs, and cost on old ones."""
    if result["continual"] is None:
        return []
    counts = result["continual"]["trained"]
    lines = [
        f"  began       as {result['parent']}, on {counts['new']} new or changed pairs and "
        f"{counts['replayed']} old ones"
    ]
    for name in ("new", "old"):
        row = result["continual"][name]
        if row["pairs"]:
            lines.append(
                f"  {name} pairs   loss {row['parent']:.3f} before, {row['adapter']:.3f} now "
                f"({row['pairs']} held out)"
            )
    return lines


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.{0 if count > 10 * 2**20 else 1}f} MiB"


def _plan_text(result: dict[str, Any]) -> str:
    return "\n".join(
        [
            f"{result['method']} on {result['base']}, nothing was trained",
            f"  pairs     {_value(result['pairs'])}",
            f"  left out  {_value(result['left_out'])}",
            f"  steps     at most {result['steps']}, {result['tokens']:,} tokens",
            f"  time      about {_time(result['seconds'])} at most",
            f"  memory    about {_mebibytes(result['forecast']['peak_memory_bytes'])} at most",
            *(f"  eased     {one}" for one in result["eased"]),
            *([f"  chosen    {result['chosen']}"] if result["chosen"] else []),
        ]
    )


def _forecasts_text(result: dict[str, Any]) -> str:
    lines = [f"{'method':12}{'trains':>14}{'memory':>12}{'time':>8}"]
    for method, row in result["methods"].items():
        if "error" in row:
            lines.append(f"{method:12}{row['error']}")
        else:
            lines.append(
                f"{method:12}{row['trainable_parameters']:>14,}"
                f"{_mebibytes(row['peak_memory_bytes']):>12}{_time(row['seconds']):>8}"
            )
    return "\n".join(lines)


def _status_text(result: dict[str, Any]) -> str:
    if result["adapter"] is None:
        lines = [f"No adapter serves ({result['base']} alone): {result['why']}"]
    else:
        unseen = result["unseen_symbols"]
        behind = result["commits_behind"]
        lines = [
            f"{result['adapter']} is {result['freshness']}: {result['why']}",
            f"  base      {result['base']}",
            f"  trained   {result['trained_at']}",
            f"  gate      {result['gate']}: {result['gate_reason']}",
            f"  names     {unseen['count']} never seen in training ({unseen['share']:.1%})",
            f"  commits   {'-' if behind is None else behind} behind",
        ]
        if result["chosen_by"] == "user":
            lines.append("  chosen    by name, whatever the gate said")
        if measured := result["loss_on_new"]:
            lines.append(
                f"  new       loss {measured['adapter']:.3f}, the base's {measured['base']:.3f} "
                f"on {measured['pairs']} new pairs (measured {measured['measured_at']})"
            )
    lines += [f"  note      {warning}" for warning in result["warnings"]]
    if result["job"]:
        lines.append(f"  training  {_job(result['job'])}")
    running = result["daemon"] and result["daemon"].get("running")
    lines.append(f"  daemon    {'running' if running else 'not running'}")
    return "\n".join(lines)


def _job(job: dict[str, Any]) -> str:
    """Where a background training stands, in a line."""
    words = [str(job["state"])]
    progress = job["progress"]
    if job["state"] == "running" and progress:
        words.append(_PHASES[progress["phase"]].lower())
        if progress["steps"]:
            words.append(f"step {progress['step']} of {progress['steps']}")
        if progress["seconds_left"] is not None:
            words.append(f"{_time(progress['seconds_left'])} left")
    if job["reason"]:
        words.append(str(job["reason"]))
    return ", ".join(words)


def _generate_text(result: dict[str, Any]) -> str:
    parsed = [c for c in result["candidates"] if c["parses"]]
    head = (
        f"{result['adapter']} wrote {len(result['candidates'])} candidates for "
        f"{result['focal'].rpartition('#')[2]} in {result['seconds']:.1f} s; "
        f"{len(parsed)} are whole methods"
    )
    if any(c["compiles"] is not None or c["failure"] for c in result["candidates"]):
        head = "\n".join([head, *map(_candidate_line, range(1, 99), result["candidates"])])
    if result["edit"] is None:
        return f"{head}\nNone of them can be used; nothing was changed."
    edit = result["edit"]
    done = "Written to" if result["written"] else "Would go to (write it with --write)"
    lines = [head, f"{done} {edit['file']}{', a new file' if edit['created'] else ''}"]
    lines += [f"  {note}" for note in edit["notes"]]
    if result.get("not_run"):
        lines.append(f"  not compiled or run: {result['not_run']}")
    return "\n".join([*lines, "", edit["diff"].rstrip()])


def _candidate_line(number: int, one: dict[str, Any]) -> str:
    """What is known of a candidate."""
    if not one["parses"]:
        known = "no whole test"
    elif one["compiles"] is None:
        known = "not run"
    elif not one["compiles"]:
        known = "does not compile"
    elif one["passes"] is None:
        known = "compiles, not run"
    else:
        known = "passes" if one["passes"] else "flaky" if one["flaky"] else "fails"
    if one["new_lines"]:
        known += f", {one['new_lines']} new lines"
    if one["unknown_symbols"]:
        known += f", does not know {', '.join(one['unknown_symbols'])}"
    why = (one["failure"] or "").partition("\n")[0]
    return f"  {number}. {known}{f': {why}' if why else ''}"


def _untested_text(result: dict[str, Any]) -> str:
    lines = []
    for one in result["results"]:
        best = one["candidates"][0] if one["candidates"] else None
        known = _candidate_line(0, best).partition(". ")[2] if best else "nothing was written"
        written = f", written to {one['edit']['file']}" if one["written"] else ""
        lines.append(f"{one['focal'].partition('#')[2]}: {known}{written}")
    summary = result["summary"]
    width = max(map(len, summary))
    lines += ["", *(f"{name:{width}}  {count:6}" for name, count in summary.items())]
    not_run = next((one["not_run"] for one in result["results"] if one["not_run"]), None)
    if not_run:
        lines.append(f"not compiled or run: {not_run}")
    return "\n".join([*lines, f"results and diffs: {result['out']}"])


def _snippet_text(result: dict[str, Any]) -> str:
    if result["edit"] is None:
        return f"{result['adapter']} wrote nothing that can be used:\n{result['text']}"
    return f"{result['adapter']} wrote\n\n{result['edit']['diff'].rstrip()}"


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


_TEXTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "config": _config_text,
    "doctor": _doctor_text,
    "evaluate": _evaluate_text,
    "forecasts": _forecasts_text,
    "generate": _generate_text,
    "index": _index_text,
    "plan": _plan_text,
    "snippet": _snippet_text,
    "status": _status_text,
    "untested": _untested_text,
    "train": _train_text,
}

_LINES: dict[str, Callable[[dict[str, Any]], str]] = {
    "pairs": lambda r: (
        f"{r['focal_class']}.{r['focal_method']}({', '.join(r['focal_params'])}) <- "
        f"{r['test_class']}.{r['test_method']}  {r['rule']} {r['confidence']:.2f}"
    ),
    "models": lambda r: (
        f"{r['name']:32} {r['parameters'] / 1e6:8,.0f}M  {r['licence']:27}"
        f"{'here' if r['here'] else 'not here':10}"
        f"{'fits' if r['fits'] else 'too large for this machine'}"
    ),
    "adapters": lambda r: (
        f"{'*' if r['serving'] else ' '} {r['id']}  {r['gate']}  {r['trained_at']}  {r['reason']}"
    ),
}
