"""Edits made and shown: with a diff, and in what the file's encoding can hold."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from indexer import Snapshot
from personalizer.edits import TextEdit, apply_changes, digest
from personalizer.generation.records import Edit

__all__ = ["make_edit", "text_after", "writable"]


def writable(text: str, encoding: str) -> str:
    """Text that a file of an encoding can take: outside UTF-8, Java's own escapes for non-ASCII.

    Example:
        >>> writable("caf\u00e9", "latin-1") == "caf" + chr(92) + "u00e9"
        True
    """
    if encoding == "utf-8" or text.isascii():
        return text
    units = text.encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(code) if code < 0x80 else f"\\u{code:04x}" for code in codes)


def make_edit(
    file: str,
    source: bytes | None,
    changes: Iterable[TextEdit],
    *,
    encoding: str = "utf-8",
    notes: Iterable[str] = (),
) -> Edit:
    """An edit with its diff.

    Args:
        file: POSIX, relative to the workspace.
        source: The file's bytes; None when the file does not exist yet.
        changes: In any order, without overlap.
        encoding: How the diff reads the bytes.
        notes: What was done.
    """
    ordered = tuple(sorted(changes, key=lambda change: change.start))
    after = apply_changes(source or b"", ordered)
    diff = _diff(file, source, after, encoding)
    of = None if source is None else digest(source)
    return Edit(file, source is None, ordered, diff, tuple(notes), of)


def text_after(snapshot: Snapshot, edit: Edit) -> str:
    """A file's whole text with an edit made."""
    raw = apply_changes(snapshot.source(edit.file), edit.changes)
    return raw.decode(snapshot.files[edit.file].encoding, "replace").removeprefix("\ufeff")


def _diff(file: str, before: bytes | None, after: bytes, encoding: str) -> str:
    """A unified diff that ``patch`` takes."""
    old = [] if before is None else _lines(before.decode(encoding, "replace"))
    shown = difflib.unified_diff(
        old,
        _lines(after.decode(encoding, "replace")),
        "/dev/null" if before is None else f"a/{file}",
        f"b/{file}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in shown
    )


def _lines(text: str) -> list[str]:
    """Lines with their ends; only a newline ends one, as ``patch`` has it."""
    kept = [line + "\n" for line in text.split("\n")]
    kept[-1] = kept[-1][:-1]
    return kept if kept[-1] else kept[:-1]
