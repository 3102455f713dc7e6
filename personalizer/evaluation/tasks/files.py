"""Rows of a published data file: JSON lines or one JSON list, packed by gzip or not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from personalizer.errors import BadInput

__all__ = ["find", "rows", "text_of"]


def find(folder: Path, names: Sequence[str]) -> Path:
    """The first of these files in a folder, or the file itself where one is given.

    Raises:
        BadInput: If there is none; says which names are looked for.
    """
    if folder.is_file():
        return folder
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise BadInput(f"expected one of {', '.join(names)} in {folder}, found none")


def rows(file: Path) -> list[dict[str, Any]]:
    """The objects of a file, in order.

    Raises:
        BadInput: If it cannot be read or holds anything but objects; says in which line.
    """
    try:
        data = file.read_bytes()
        text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {file}: {error}") from error
    found: list[Any]
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise BadInput(f"{file}: expected a JSON list: {error}") from error
        places = [f"entry {number}" for number in range(1, len(found) + 1)]
    else:
        found, places = [], []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    found.append(json.loads(line))
                except ValueError as error:
                    raise BadInput(f"{file} line {number}: expected a JSON object") from error
                places.append(f"line {number}")
    for row, place in zip(found, places, strict=True):
        if not isinstance(row, dict):
            raise BadInput(f"{file} {place}: expected a JSON object, got {type(row).__name__}")
    if not found:
        raise BadInput(f"expected examples in {file}, found none")
    return found


def text_of(row: Mapping[str, Any], keys: Sequence[str], place: str) -> str:
    """The first of these keys that a row has text for.

    Raises:
        BadInput: If it has none.
    """
    for key in keys:
        if isinstance(row.get(key), str) and row[key].strip():
            return str(row[key])
    raise BadInput(f"{place}: expected text under {' or '.join(keys)}, got keys {', '.join(row)}")
