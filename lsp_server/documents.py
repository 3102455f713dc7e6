"""Open documents: each once, under whatever name and in however many folders it is open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from indexer import Change, FileFacts, Index, Method, Snapshot, Store
from indexer.pairing import in_test_root
from lsp_server.convert import Text, relative_path

__all__ = ["Buffer", "Document", "Documents", "line_of"]


@dataclass(frozen=True)
class Buffer:
    """One open document at one version, as a folder names it."""

    uri: str
    """As the editor spells it."""
    path: str
    """POSIX, relative to the folder."""
    version: int
    text: Text

    @cached_property
    def _alone(self) -> Snapshot:
        with Store() as store:
            return Index(store).apply([Change(self.path, self.text.source)])

    @property
    def facts(self) -> FileFacts | None:
        """Facts of exactly this version; None where screening leaves it out."""
        return self._alone.files.get(self.path)

    @property
    def left_out(self) -> str | None:
        """Why there are no facts."""
        return self._alone.excluded.get(self.path)

    @cached_property
    def _tests(self) -> frozenset[str]:
        return frozenset(where.method.key for where in self._alone.tests)

    def is_test(self, method: Method) -> bool:
        return method.key in self._tests

    @cached_property
    def focal_methods(self) -> tuple[Method, ...]:
        """Methods that a test could be written for; none in a file of tests."""
        if self.facts is None or self._tests or in_test_root(self.path, self.facts.package):
            return ()
        return tuple(m for m in self.facts.methods if m.body and "private" not in m.modifiers)

    def method_at(self, line: int) -> Method | None:
        """The innermost method at a line, counted from 0."""
        return self.facts.method_at(line + 1, self.text.source) if self.facts else None


def line_of(facts: FileFacts | None, key: str) -> int | None:
    """The line, from 0, where a method of a file stands; None where it is gone."""
    methods = facts.methods if facts else ()
    return next((one.line - 1 for one in methods if one.key == key), None)


class Document:
    """One document for as long as the editor has it open."""

    def __init__(self, uri: str, version: int, text: Text) -> None:
        self.uri = uri
        self._paths: dict[Path, str | None] = {}
        self.update(version, text)

    def update(self, version: int, text: Text) -> None:
        self.version = version
        self.text = text
        self._buffers: dict[str, Buffer] = {}

    def path_in(self, folder: Path) -> str | None:
        """Where it lies in a folder; None where outside."""
        if folder not in self._paths:
            self._paths[folder] = relative_path(self.uri, folder)
        return self._paths[folder]

    def at(self, path: str) -> Buffer:
        """As it is now, by its path in a folder; the same object until it changes."""
        if path not in self._buffers:
            self._buffers[path] = Buffer(self.uri, path, self.version, self.text)
        return self._buffers[path]


class Documents:
    """Every open document. Of two names of one file, that counts which was changed last."""

    def __init__(self) -> None:
        self._open: dict[str, Document] = {}
        """By URI; the one that was changed last is the last."""

    def get(self, uri: str) -> Document | None:
        return self._open.get(uri)

    def put(self, uri: str, version: int, text: Text) -> Document:
        """Takes in what a document says now."""
        document = self._open.pop(uri, None)
        if document is None:
            document = Document(uri, version, text)
        else:
            document.update(version, text)
        self._open[uri] = document
        return document

    def drop(self, uri: str) -> Document | None:
        """Forgets a document that was closed."""
        return self._open.pop(uri, None)

    def inside(self, folder: Path) -> dict[str, Buffer]:
        """Those that lie in a folder, or in a folder of it, by path."""
        placed = ((one.path_in(folder), one) for one in self._open.values())
        return {path: one.at(path) for path, one in placed if path is not None}
