"""The tests that were written last, so that another candidate may take the place of one."""

from __future__ import annotations

from dataclasses import dataclass

from indexer import Method
from lsp_server.answers import Edit
from lsp_server.convert import Text, applied, differing
from lsp_server.documents import line_of
from lsp_server.project import Place, Project
from personalizer.edits import TextEdit, digest
from personalizer.errors import BadInput

__all__ = ["Focal", "Offered", "OfferedTests", "in_place_of"]


@dataclass(frozen=True)
class Focal:
    """A method that a test is written for."""

    project: Project
    path: str
    """POSIX, relative to the project."""
    key: str
    """The method's name inside the file."""
    name: str
    """For the user: ``Cart.total``."""

    def line(self) -> int:
        """The line, from 0, where the method now stands; raises ``BadInput`` where it is gone."""
        buffer, snapshot = self.project.buffers.get(self.path), self.project.snapshot
        known = snapshot.files.get(self.path) if snapshot else None
        facts = buffer.facts if buffer else known
        line = line_of(facts, self.key)
        if line is None:
            raise BadInput(f"{self.name}, which the test tests, is gone")
        return line


@dataclass(frozen=True)
class Offered:
    """One generated test as it was inserted."""

    focal: Focal
    count: int
    """Candidates for the method that the user has seen, this one included."""
    file: str
    """Of the test."""
    before: Text
    """That file without the test."""
    after: Text
    """With it."""
    at: int
    """The byte of ``after`` where the test begins."""

    @property
    def untouched(self) -> bool:
        """Whether the file is open, and as it was when the test was inserted."""
        buffer = self.focal.project.buffers.get(self.file)
        return buffer is not None and buffer.text == self.after


class OfferedTests:
    """The last test of each method, for as long as the editor runs."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, str], Offered] = {}

    def remember(self, one: Offered) -> None:
        self._last[one.focal.project.uri, one.focal.path, one.focal.key] = one

    def forget(self, project: Project) -> None:
        """What was offered in a folder that is no longer open."""
        self._last = {key: one for key, one in self._last.items() if one.focal.project != project}

    def at(self, place: Place, method: Method) -> Offered | None:
        """What was offered for a method, or is that method itself, still as it was inserted."""
        project, path = place.project, place.buffer.path
        known = self._last.get((project.uri, path, method.key))
        if known is not None:
            return known
        return next((one for one in self._last.values() if _is(one, project, path, method)), None)


def _is(one: Offered, project: Project, path: str, method: Method) -> bool:
    within = method.span.start <= one.at < method.span.end
    return one.focal.project is project and one.file == path and within and one.untouched


def in_place_of(offered: Offered, edit: Edit) -> Edit:
    """An edit of the file without the earlier test, as an edit of the file with it.

    Whole lines are replaced, and none that both have at the beginning or the end.
    """
    wanted = applied(edit.changes, offered.before)
    start, end, wanted_end = differing(offered.after, wanted)
    text = wanted.source[start:wanted_end].decode()
    return Edit(edit.file, False, digest(offered.after.source), (TextEdit(start, end, text),))
