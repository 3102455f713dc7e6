"""``personalizer generate --untested``: tests for the methods that no test reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from personalizer import output, progress
from personalizer.commands.common import check_for_java
from personalizer.errors import BadInput, PromptTooLong, StorageError

if TYPE_CHECKING:
    from personalizer.commands.generate import Session

__all__ = ["generate_untested"]

RESULTS = "results.jsonl"


def generate_untested(
    session: Session, *, limit: int | None, out: Path | None, write: bool
) -> dict[str, Any]:
    """The JSON object of the command.

    Each result is kept as soon as it is there, and is not made again while its method, its
    adapter and what was asked stay the same: an interrupted run goes on. Methods that the model's
    context does not hold are counted and passed over; those of files that were to be forgotten
    are not tried, since their tests would be kept.

    Args:
        session: The project and who writes.
        limit: Most results; of all methods when left out.
        out: Folder of the results and their diffs; in the data folder when left out.
        write: Add the tests that pass to the project.

    Raises:
        BadInput: If the project has no Java, or the folder cannot be made.
    """
    from personalizer.contents import covers
    from personalizer.generation import untested

    check_for_java(session.snapshot, session.root)
    folder = out or session.data.untested
    gone = session.data.forgotten()
    methods = [one for one in untested(session.snapshot) if not covers(gone, one.path)]
    most = len(methods) if limit is None else min(limit, len(methods))
    kept = _Kept(folder)
    results: list[dict[str, Any]] = []
    too_long = 0
    with progress.counting("Generating", most) as tick:
        for where in methods:
            if len(results) == most:
                break
            key = session.key(where)
            result = kept.get(key)
            if result is None:
                try:
                    made = session.generate(where.path, where.method)
                except PromptTooLong:
                    too_long += 1
                    continue
                result = output.as_dict(made)
                kept.add(key, result)
            best = _best(result)
            written = bool(write and best.get("passes")) and session.add(where, best["text"])
            results.append(result | {"written": written})
            tick()
    summary = _summary(results) | {"too_long": too_long}
    return {"results": results, "summary": summary, "out": str(folder)}


def _summary(results: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Counts methods by what their best candidate does; ``new_lines`` adds lines up.

    ``not_checked`` are those whose candidates could not be compiled, which says nothing of them.
    """
    best = [_best(one) for one in results]
    counts = {name: sum(bool(one.get(name)) for one in best) for name in _COUNTED}
    return {
        "methods": len(best),
        **counts,
        "new_lines": sum(one.get("new_lines") or 0 for one in best),
        "not_checked": sum(bool(one.get("parses")) and one.get("compiles") is None for one in best),
    }


def _best(result: dict[str, Any]) -> dict[str, Any]:
    """The first candidate; empty without one."""
    found: dict[str, Any] = next(iter(result["candidates"]), {})
    return found


_COUNTED = ("parses", "compiles", "passes")


class _Kept:
    """Results in a folder: a JSON object a line, and a diff a method.

    Raises:
        BadInput: If the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = (folder / RESULTS).read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        except OSError as error:
            raise BadInput(f"cannot keep results in {folder}: {error.strerror}") from error
        self._known = dict(_rows(lines))

    def get(self, key: str) -> dict[str, Any] | None:
        return self._known.get(key)

    def add(self, key: str, result: dict[str, Any]) -> None:
        """Keeps a result at once.

        Raises:
            StorageError: If the disk is full or read-only.
        """
        self._known[key] = result
        row = msgspec.json.encode({"key": key, "result": result})
        try:
            with (self._folder / RESULTS).open("ab") as file:
                file.write(row + b"\n")
            if result["edit"]:
                name = "".join(c if c.isalnum() else "-" for c in result["focal"].split("#", 1)[1])
                diff = result["edit"]["diff"].encode("utf-8", "replace")
                (self._folder / f"{name[:80]}-{key[:8]}.diff").write_bytes(diff)
        except OSError as error:
            raise StorageError(f"cannot write to {self._folder}: {error.strerror}") from error


def _rows(lines: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What was kept; a line that a death cut short is no row."""
    for line in lines:
        try:
            row = msgspec.json.decode(line)
            yield row["key"], row["result"]
        except (ValueError, KeyError, TypeError):
            continue
