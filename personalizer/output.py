"""What the command line prints: results on stdout as text or JSON, everything else on stderr."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from personalizer.errors import StorageError
from personalizer.storage import data_folder, unwritable, write_atomically
from personalizer.texts import LINES, TEXTS

if TYPE_CHECKING:
    from indexer import Pair
    from personalizer.adapters import Adapter

__all__ = [
    "adapter_row",
    "as_dict",
    "complain",
    "harmless",
    "log_crash",
    "pair_row",
    "remark",
    "show",
    "show_lines",
    "write_lines",
    "write_text",
    "wrong_usage",
]


_CONTROL = re.compile(r"(?!\r\n)[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def harmless(text: str) -> str:
    """A text that a terminal only shows; file names, settings and tests may hold orders for it.

    Example:
        >>> harmless("a\\x1b[2J")
        'a\\\\x1b[2J'
    """
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def show(kind: str, result: object, as_json: bool) -> None:
    """Prints the result of a command, a record or a JSON object."""
    _printed(json.dumps(as_dict(result)) if as_json else harmless(TEXTS[kind](result)))


def show_lines(kind: str, rows: Iterable[dict[str, Any]], as_json: bool) -> None:
    """Prints rows as they come, one JSON object or one line of text each, while they are read."""
    for row in rows:
        if not _printed(json.dumps(row) if as_json else harmless(LINES[kind](row))):
            return


def _printed(text: str) -> bool:
    """Prints a text; whether anybody still reads stdout. Who reads no further is no error."""
    try:
        click.echo(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def write_lines(file: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Writes one JSON object a line into a file, whole or not at all; says how many.

    Raises:
        StorageError: If the file cannot be written.
    """
    lines = [json.dumps(row) for row in rows]
    write_atomically(file, "".join(f"{line}\n" for line in lines).encode(), private=False)
    return len(lines)


def complain(text: str) -> None:
    """One line that says what went wrong."""
    click.echo(harmless(f"personalizer: {' '.join(text.split())}"), err=True)


def wrong_usage(error: click.ClickException) -> None:
    """What click says of a command line that is none."""
    said = io.StringIO()
    error.show(said)
    click.echo(harmless(said.getvalue()), err=True, nl=False)


def log_crash() -> Path:
    """Keeps the traceback of an error that nobody foresaw; says where."""
    file = data_folder() / "crash.log"
    trace = traceback.format_exc()
    try:
        write_atomically(file, trace.encode("utf-8", "backslashreplace"))
    except StorageError:
        click.echo(harmless(trace), err=True)
    return file


def remark(text: str) -> None:
    """One line that the user should know, no error."""
    click.echo(harmless(f"note: {text}"), err=True)


def write_text(file: Path, text: str) -> None:
    """A text file, whole or not at all.

    Raises:
        StorageError: If it cannot be written.
    """
    write_atomically(file, text.encode(), private=False)


def check_writable(file: Path) -> None:
    """Finds out before long work whether ``write_text`` will be able to write a file.

    Raises:
        StorageError: If it will not.
    """
    try:
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent, prefix=f".{file.name}."):
            pass
    except OSError as error:
        raise unwritable(file, error) from error


def as_dict(record: Any) -> dict[str, Any]:
    """A record as JSON-ready values."""
    built: dict[str, Any] = msgspec.to_builtins(record)
    return built


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
