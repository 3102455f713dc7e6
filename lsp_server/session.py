"""What the server remembers: settings, workspace folders, what was offered and followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lsprotocol import types as lsp

from indexer.languages import language_of
from lsp_server.convert import Text, path_of, relative_path
from lsp_server.daemon import Json, Link
from lsp_server.documents import Buffer, Document, Documents, line_of
from lsp_server.offered import OfferedTests
from lsp_server.project import Place, Project
from lsp_server.settings import Settings
from personalizer.errors import BadInput

__all__ = ["Session"]


class Session:
    """Everything that lives as long as the editor's connection."""

    def __init__(self, daemon: Link) -> None:
        self.daemon = daemon
        self.settings = Settings()
        self.encoding = "utf-16"
        """What columns count, as agreed with the editor."""
        self._watching = False
        """Folders are watched here, because the editor does not tell of files that change."""
        self.leaving = False
        """The editor has asked for the end in good order."""
        self.documents = Documents()
        """All that are open, in a folder or not."""
        self.projects: list[Project] = []
        self.when_indexed: list[Callable[[Project], None]] = []
        """Called after a project's snapshot has changed."""
        self.when_set: list[Callable[[Settings, Settings], None]] = []
        """Called with the settings before and after a change while the editor runs."""
        self.when_asked: list[Callable[[Project, Json], None]] = []
        """Called with each status that the editor is told of unbidden."""
        self.offered = OfferedTests()
        self.followed: set[str] = set()
        """Ids of the trainings that are shown to the user, or were."""

    def add_folder(self, uri: str) -> Project | None:
        """A project for a workspace folder.

        None where it is no folder of this machine, or has a project already.
        """
        root = path_of(uri)
        if root is None or not root.is_dir() or self._of_folder(root):
            return None
        project = Project(uri, root, self.documents, self._indexed)
        self.projects.append(project)
        if self._watching:
            project.watch()
        return project

    def remove_folder(self, uri: str) -> None:
        root = path_of(uri)
        project = self._of_folder(root) if root else None
        if project is not None:
            project.close()
            self.projects.remove(project)
            self.offered.forget(project)

    def _of_folder(self, root: Path) -> Project | None:
        """The project of a folder, by whatever name it is given."""
        here = root.resolve()
        return next((one for one in self.projects if one.root.resolve() == here), None)

    def _around(self, uri: str) -> Iterator[tuple[Project, str]]:
        """The projects that a file lies in, one inside another, and its path in each."""
        for project in self.projects:
            if path := relative_path(uri, project.root):
                yield project, path

    def find(self, uri: str) -> tuple[Project, str] | None:
        """The project of a document, the innermost of several, and the path in it."""
        return min(self._around(uri), key=lambda one: len(one[1]), default=None)

    def buffer(self, uri: str) -> tuple[Project, Buffer] | None:
        """An open document of a project."""
        document, found = self.documents.get(uri), self.find(uri)
        if document is None or found is None:
            return None
        project, path = found
        return project, document.at(path)

    def open(self, uri: str, version: int, text: str) -> None:
        if language_of(uri):
            self._changed(self.documents.put(uri, version, Text.of(text, self.encoding)))

    def change(
        self, uri: str, version: int, changes: list[lsp.TextDocumentContentChangeEvent]
    ) -> None:
        if known := self.documents.get(uri):
            self._changed(self.documents.put(uri, version, known.text.after(changes)))

    def shut(self, uri: str) -> None:
        if known := self.documents.drop(uri):
            self._changed(known)

    def _changed(self, document: Document) -> None:
        for project in self.projects:
            if path := document.path_in(project.root):
                project.touch(frozenset({path}))

    def saved(self, uri: str) -> None:
        """Notes that a file was written."""
        for project, path in self._around(uri):
            project.touch(frozenset({path}))

    def gone(self, uris: Iterable[str]) -> None:
        """Notes what was deleted: files, or folders with all that was in them."""
        places = [found for uri in uris for found in self._around(uri)]
        for project in self.projects:
            paths = {path for one, path in places if one is project}
            project.touch(None if paths and project.holds(paths) else frozenset(paths))

    def watch(self) -> None:
        """Looks for changes on disk itself, in every folder from now on."""
        self._watching = True
        for project in self.projects:
            project.watch()

    def _indexed(self, project: Project) -> None:
        if project in self.projects:
            for listener in self.when_indexed:
                listener(project)

    def place(self, at: lsp.TextDocumentPositionParams, key: str | None) -> Place:
        """The open document and line that a command names.

        Args:
            at: As the editor sent it; it may have shown the command before the text changed.
            key: Of the method that the command is about. None takes the line as it is.

        Raises:
            BadInput: If it lies in no workspace folder, is not open, or is left out, or if the
                method is gone.
        """
        found = self.buffer(at.text_document.uri)
        if found is None:
            wanted = "an open Java file inside a workspace folder"
            if not self.projects:
                wanted += ", and no folder is open"
            raise BadInput(f"expected {wanted}, got {at.text_document.uri}")
        project, buffer = found
        if buffer.left_out:
            raise BadInput(f"{buffer.path} is left out: {buffer.left_out}")
        line: int | None = at.position.line
        method = buffer.method_at(at.position.line)
        if key is not None and (method is None or method.key != key):
            line = line_of(buffer.facts, key)
        if line is None:
            raise BadInput(f"{buffer.path} has changed and the method is gone: ask again")
        return Place(project, buffer, line)

    def project(self, uri: object) -> Project:
        """The project of a folder or of a file in it; the only one where none is named.

        Args:
            uri: As the editor sent it.

        Raises:
            BadInput: If there is none, or none is named and there are several.
        """
        if uri is None:
            if len(self.projects) == 1:
                return self.projects[0]
            if not self.projects:
                raise BadInput("no folder is open: open the one of your project first")
            names = ", ".join(p.uri for p in self.projects)
            raise BadInput(f"expected the URI of one workspace folder out of several: {names}")
        if not isinstance(uri, str):
            raise BadInput(f"expected the URI of a workspace folder, got {uri!r}")
        for project in self.projects:
            if project.uri.rstrip("/") == uri.rstrip("/"):
                return project
        if found := self.find(uri):
            return found[0]
        raise BadInput(f"expected a workspace folder or a file in one, got {uri}")
