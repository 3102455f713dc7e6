"""Between our words and LSP's: byte offsets and positions, paths and URIs, changes and edits.

The only place that knows how editors count. Lines end at ``\\n``, ``\\r\\n`` or ``\\r`` and nowhere
else: a form feed or U+2028 ends none, unlike in ``str.splitlines`` (and in pygls' documents, which
is why the session keeps its own texts). Columns count code units of the agreed encoding.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from lsprotocol import types as lsp
from pygls.uris import to_fs_path

from personalizer.edits import TextEdit, apply_changes

__all__ = [
    "Text",
    "applied",
    "as_shown",
    "command_at",
    "differing",
    "inserted_at",
    "moved_with",
    "path_of",
    "relative_path",
    "uri_of",
    "workspace_edit",
]

_LINE_END = re.compile(rb"\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""Codec and bytes of one code unit."""


@dataclass(frozen=True)
class Text:
    """One text, with places in it as byte offsets or as the editor's positions."""

    source: bytes
    """UTF-8."""
    encoding: str = "utf-16"
    """What columns count: ``utf-8``, ``utf-16`` or ``utf-32`` code units."""

    @classmethod
    def of(cls, text: str, encoding: str = "utf-16") -> Text:
        """From what an editor sent; a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
        return cls(_utf8(text), encoding)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(end.end() for end in _LINE_END.finditer(self.source))]

    def _line(self, number: int) -> bytes:
        """A line with its end."""
        end = self._starts[number + 1] if number + 1 < len(self._starts) else None
        return self.source[self._starts[number] : end]

    def offset(self, position: lsp.Position) -> int:
        """The byte at a position; past a line's end is its end, past the last line the text's.

        Example:
            >>> Text.of('"😀" + x').offset(lsp.Position(0, 4))
            6
        """
        if position.line >= len(self._starts):
            return len(self.source)
        line = self._line(position.line)
        return self._starts[position.line] + _bytes_before(line, position.character, self.encoding)

    def position(self, offset: int) -> lsp.Position:
        """The position of a byte; inside a character it is the character's, past the end the end's.

        Example:
            >>> Text.of('"😀" + x').position(6)
            0:4
        """
        line = bisect_right(self._starts, offset) - 1
        before = self.source[self._starts[line] : offset].rstrip(b"\r\n")
        codec, width = _UNITS[self.encoding]
        return lsp.Position(line, len(before.decode("utf-8", "ignore").encode(codec)) // width)

    def range(self, start: int, end: int) -> lsp.Range:
        """The range of the bytes from ``start`` to ``end``."""
        return lsp.Range(self.position(start), self.position(end))

    def replaced(self, start: int, end: int, text: str) -> Text:
        """With ``text`` in place of the bytes from ``start`` to ``end``."""
        return Text(self.source[:start] + _utf8(text) + self.source[end:], self.encoding)

    def after(self, changes: Iterable[lsp.TextDocumentContentChangeEvent]) -> Text:
        """With the changes of a ``textDocument/didChange``, each upon the one before.

        Only the lines that a change touches are read: editors send thousands of changes at once.
        """
        lines = _lines(self.source)
        for change in changes:
            if isinstance(change, lsp.TextDocumentContentChangePartial):
                _replace(lines, change.range, _utf8(change.text), self.encoding)
            else:
                lines = _lines(_utf8(change.text))
        return Text(b"".join(lines), self.encoding)


def _utf8(text: str) -> bytes:
    """What an editor sent, in UTF-8, which holds no lone surrogates."""
    return _SURROGATE.sub("\ufffd", text).encode()


def _bytes_before(line: bytes, column: int, encoding: str) -> int:
    """Bytes of a line before a column; those before its end where it is shorter."""
    line = line.rstrip(b"\r\n")
    if line.isascii():
        return min(column, len(line))
    codec, width = _UNITS[encoding]
    units = line.decode("utf-8", "replace").encode(codec)
    return len(units[: column * width].decode(codec, "ignore").encode())


def _lines(source: bytes) -> list[bytes]:
    """The lines of a text, each with its end; the last one, perhaps empty, has none."""
    starts = [0, *(end.end() for end in _LINE_END.finditer(source))]
    return [source[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def _replace(lines: list[bytes], where: lsp.Range, new: bytes, encoding: str) -> None:
    """Replaces a range of a text that is given as its lines."""

    def place(position: lsp.Position) -> tuple[int, int]:
        if position.line >= len(lines):
            return len(lines) - 1, len(lines[-1])
        line = lines[position.line]
        return position.line, _bytes_before(line, position.character, encoding)

    (first, start), (last, end) = sorted(map(place, (where.start, where.end)))
    piece = lines[first][:start] + new + lines[last][end:]
    if first and piece.startswith(b"\n") and lines[first - 1].endswith(b"\r"):
        first -= 1  # The two are one line end from now on.
        piece = lines[first] + piece
    made = _lines(piece)
    if last + 1 < len(lines):
        made.pop()  # The piece ends with a line end, and the next line is there already.
    lines[first : last + 1] = made


def as_shown(
    source: bytes, changes: Sequence[TextEdit], encoding: str
) -> tuple[Text, tuple[TextEdit, ...]]:
    """A file as an editor shows it, and changes of the file's bytes as changes of that text.

    An editor shows no byte-order mark, and reads what is no UTF-8 as one column a byte.

    Example:
        >>> text, [change] = as_shown(b"caf\\xe9;", [TextEdit(5, 5, "x")], "utf-16")
        >>> text.source.decode(), change.start
        ('café;', 6)
    """
    try:
        source.decode()
        codec = "utf-8-sig"
    except UnicodeDecodeError:
        codec = "latin-1"

    def moved(offset: int) -> int:
        return len(source[:offset].decode(codec, "ignore").encode())

    shown = tuple(TextEdit(moved(c.start), moved(c.end), c.text) for c in changes)
    return Text(source.decode(codec).encode(), encoding), shown


def path_of(uri: str) -> Path | None:
    """The file that a URI names; None where it names something else, such as an unsaved draft."""
    path = to_fs_path(uri)
    return Path(path) if path and "\0" not in path else None


def relative_path(uri: str, root: Path) -> str | None:
    """The POSIX path of a file inside a folder; None outside.

    Links are resolved first, so that one file has one path whatever the editor calls it; where
    they lead out of the folder, it is what it is called.
    """
    path = path_of(uri)
    if path is None:
        return None
    for inside, folder in ((path.resolve(), root.resolve()), (path, root)):
        if inside.is_relative_to(folder):
            return inside.relative_to(folder).as_posix()
    return None


def uri_of(folder_uri: str, path: str) -> str:
    """The URI of a file below a folder, in the folder's own spelling."""
    return f"{folder_uri.rstrip('/')}/{quote(PurePosixPath(path).as_posix())}"


def workspace_edit(
    changes: Sequence[TextEdit],
    text: Text,
    *,
    uri: str,
    version: int | None,
    created: bool,
    client: lsp.ClientCapabilities,
) -> lsp.WorkspaceEdit:
    """Changes of one file in the form that the editor understands.

    Args:
        changes: In bytes of ``text``, in order, without overlap.
        text: The file as it is; empty for a new one.
        uri: Of the file.
        version: Of the open buffer, so that the editor refuses where the user has typed on;
            None for a file that is not open.
        created: The file does not exist yet. An editor that cannot create files opens an empty
            buffer for the edit instead.
        client: What the editor can do.
    """
    support = client.workspace.workspace_edit if client.workspace else None
    edits = [lsp.TextEdit(text.range(c.start, c.end), c.text) for c in changes]
    if support is None or not support.document_changes:
        return lsp.WorkspaceEdit(changes={uri: edits})
    document = lsp.OptionalVersionedTextDocumentIdentifier(uri, version)
    changed = lsp.TextDocumentEdit(document, edits)
    if created and lsp.ResourceOperationKind.Create in (support.resource_operations or ()):
        made = lsp.CreateFile(uri, options=lsp.CreateFileOptions(overwrite=False))
        return lsp.WorkspaceEdit(document_changes=[made, changed])
    return lsp.WorkspaceEdit(document_changes=[changed])


def inserted_at(changes: Sequence[TextEdit]) -> int:
    """The byte where the longest of the inserted texts begins once all changes are made."""
    shift, best, longest = 0, 0, -1
    for change in changes:
        if len(change.text) > longest:
            longest = len(change.text)
            best = change.start + shift + len(change.text) - len(change.text.lstrip())
        shift += len(change.text.encode()) - (change.end - change.start)
    return best


def applied(changes: Sequence[TextEdit], text: Text) -> Text:
    """A text with changes made, which are in its bytes, in order, without overlap."""
    return Text(apply_changes(text.source, changes), text.encoding)


def differing(before: Text, after: Text) -> tuple[int, int, int]:
    """Whole lines that two texts do not share at their beginning or end.

    Returns:
        The byte where they begin in both, where they end in ``before``, and in ``after``.

    Example:
        >>> differing(Text(b"a\\nb\\nc"), Text(b"a\\nnew\\nb\\nc"))
        (2, 2, 6)
    """
    old, new = _lines(before.source), _lines(after.source)
    head = _alike(old, new)
    tail = sum(map(len, old[len(old) - _alike(old[head:][::-1], new[head:][::-1]) :]))
    return sum(map(len, old[:head])), len(before.source) - tail, len(after.source) - tail


def _alike(one: list[bytes], other: list[bytes]) -> int:
    """How many lines at the beginning are the same."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def moved_with(
    changes: Sequence[TextEdit], before: Text, after: Text
) -> tuple[TextEdit, ...] | None:
    """Changes of a text as those of a later one; None where that differs in their lines.

    Example:
        >>> old, new = Text(b"int a;\\nint b;"), Text(b"long a;\\nint b;")
        >>> moved_with([TextEdit(11, 12, "c")], old, new)
        (TextEdit(start=12, end=13, text='c'),)
        >>> moved_with([TextEdit(4, 12, "c")], old, new)
    """
    start, end, end_now = differing(before, after)
    moved = [
        replace(one, start=one.start + end_now - end, end=one.end + end_now - end)
        if one.start >= end
        else one
        for one in changes
        if one.start >= end or one.end < start
    ]
    return tuple(moved) if len(moved) == len(changes) else None


def command_at(title: str, name: str, uri: str, line: int, method: str) -> lsp.Command:
    """A command of ours on a line of a document.

    Args:
        title: As the editor shows it.
        name: Of the command.
        uri: Of the document.
        line: From 0.
        method: Key of the method there, which the command is about wherever it stands by then.
    """
    at = lsp.TextDocumentPositionParams(lsp.TextDocumentIdentifier(uri), lsp.Position(line, 0))
    return lsp.Command(title, name, arguments=[at, method])
