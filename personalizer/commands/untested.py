"""``personalizer generate --untested``: tests for the methods that no test reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from personalizer import output, progress
from personalizer.commands.common import check_for_java, going_on
from personalizer.errors import BadInput, PromptTooLong, StorageError

if TYPE_CHECKING:
    from indexer import Where
    from personalizer.commands.generate import Session
    from personalizer.generation import Candidate

__all__ = ["generate_untested"]

RESULTS = "results.jsonl"


def generate_untested(
    session: Session, *, limit: int | None, out: Path | None, write: bool
) -> dict[str, Any]:
    """The JSON object of the command.

    Each result is kept as soon as it is there, and is not made again while its method, its
    adapter and what was asked stay the same: an interrupted run goes on. Before a kept test is
    written it is run once more, for anything else of the project may be another by then; one that
    no longer holds is made again. Methods that the model's context does not hold are counted and
    passed over; those of files that were to be forgotten are not tried, since their tests would
    be kept.

    Args:
        session: The project and who writes.
        limit: Most results; of all methods when left out.
        out: Folder of the results and their diffs; in the data folder when left out.
        write: Add the tests to the project that assert something, pass and reach their method.

    Raises:
        BadInput: If the project has no Java, or the folder cannot be made.
        Busy: If it runs already, with the same folder in the data folder.
    """
    check_for_java(session.snapshot, session.root)
    if out is not None:
        with going_on():
            return _tried(session, limit, out, write)
    data = session.data
    with going_on(), data.deriving(data.untested, "another generate --untested"):
        return _tried(session, limit, data.untested, write)


def _tried(session: Session, limit: int | None, folder: Path, write: bool) -> dict[str, Any]:
    from personalizer.forgotten import covers
    from personalizer.generation import untested
    from personalizer.generation.ranking import good

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
            if result is not None and write and good(_best(result)):
                result = _judged_again(session, where, result)
            if result is None:
                try:
                    made = session.generate(where.path, where.method)
                except PromptTooLong:
                    too_long += 1
                    continue
                result = output.as_dict(made)
                kept.add(key, result)
            best = _best(result)
            written = write and good(best) and session.add(where, best.text)
            results.append(result | {"written": written})
            tick()
    summary = _summary(results) | {"too_long": too_long}
    return {"results": results, "summary": summary, "out": str(folder)}


def _judged_again(session: Session, where: Where, result: dict[str, Any]) -> dict[str, Any] | None:
    """A kept result with what becomes of its best test today; None where it no longer holds.

    What cannot be checked today is kept: that says nothing of it.
    """
    from personalizer.generation.ranking import good

    best = session.judged(where, _best(result))
    if best.compiles is not None and not good(best):
        return None
    return result | {"candidates": [output.as_dict(best), *result["candidates"][1:]]}


def _summary(results: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Counts methods by what their best candidate does; ``new_lines`` adds lines up.

    Those that ``pass`` also assert something and reach their method. ``not_checked`` are those
    whose candidates could not be compiled, which says nothing of them.
    """
    from personalizer.generation.ranking import good

    best = [_best(one) for one in results]
    return {
        "methods": len(best),
        "parses": sum(one.parses for one in best),
        "compiles": sum(bool(one.compiles) for one in best),
        "passes": sum(map(good, best)),
        "new_lines": sum(one.new_lines or 0 for one in best),
        "not_checked": sum(one.parses and one.compiles is None for one in best),
    }


def _best(result: dict[str, Any]) -> Candidate:
    """The first candidate; one that is nothing where there is none."""
    from personalizer.generation import Candidate

    found = next(iter(result["candidates"]), {"text": "", "parses": False})
    return msgspec.convert(found, Candidate)


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
