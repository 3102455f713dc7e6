"""Edits of files, for who makes them and for who carries them out: bytes in, bytes out.

Offsets count the bytes of a file as they are, a byte-order mark included; the text of a change
is written as UTF-8, and is pure ASCII where the file is in another encoding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["TextEdit", "apply_changes", "digest"]


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replaces the bytes from ``start`` to ``end`` of a file by ``text``."""

    start: int
    end: int
    text: str


def digest(source: bytes) -> str:
    """What an edit names the bytes by that its changes count: their SHA-256."""
    return hashlib.sha256(source).hexdigest()


def apply_changes(source: bytes, changes: Iterable[TextEdit]) -> bytes:
    """A file's bytes with changes made.

    Args:
        source: The bytes that the offsets of the changes count.
        changes: In order, without overlap.

    Returns:
        The new bytes; what no change covers is as it was.

    Raises:
        ValueError: If changes overlap, are out of order or lie outside the source.

    Example:
        >>> apply_changes(b"class T {}", [TextEdit(9, 9, " int a; ")])
        b'class T { int a; }'
    """
    kept, end = [], 0
    for change in changes:
        if not end <= change.start <= change.end <= len(source):
            raise ValueError(
                f"changes must be in order within {len(source)} bytes and after {end}, "
                f"got {change.start} to {change.end}"
            )
        kept += [source[end : change.start], change.text.encode()]
        end = change.end
    return b"".join([*kept, source[end:]])
