"""Generated text into the editor: one edit, never into a text that it was not made for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcParseError

from indexer import Method
from lsp_server.answers import Edit
from lsp_server.asking import granted
from lsp_server.convert import Text, applied, as_shown, inserted_at, moved_with, workspace_edit
from lsp_server.documents import Buffer
from lsp_server.project import Project, Seen
from lsp_server.server import Server
from lsp_server.threads import in_thread
from personalizer.edits import digest
from personalizer.errors import BadInput
from personalizer.storage import file_within

__all__ = ["Changed", "Inserted", "apply", "new_test", "show"]


class Changed(BadInput):
    """The text is no longer the one that the edit was made for."""


@dataclass(frozen=True)
class Inserted:
    """What an edit did to its file."""

    before: Text
    after: Text
    at: int
    """The byte of ``after`` where the new test begins; another new text where it is no test."""
    place: lsp.Location
    """The same as the editor names it."""
    typed_on: bool
    """The user has typed or opened a file while the text was written."""


async def apply(
    server: Server, project: Project, edit: Edit, *, label: str, seen: Seen, move: bool = False
) -> Inserted:
    """Has the editor make an edit.

    Args:
        server: The server.
        project: The folder that ``edit.file`` is relative to.
        edit: From the daemon.
        label: What the editor's undo list may call it; names the adapter.
        seen: The buffers that the daemon saw.
        move: Moves the edit with its surroundings where the text changed elsewhere only.

    Raises:
        Changed: If the text is another by now.
        BadInput: If it cannot be read, a link leads out of the folder, or the editor refuses.
    """
    encoding = server.session.encoding
    seen.check(edit.file)
    await in_thread(partial(file_within, project.root, edit.file, new=edit.created))
    disk = None if edit.created else await project.on_disk(edit.file)
    if project not in server.session.projects:
        raise BadInput(f"the folder {project.root.name} is no longer open: nothing was inserted")
    open_now = project.buffers
    buffer = open_now.get(edit.file)
    source = seen.sources.get(edit.file, b"" if edit.created else disk)
    if source is None:
        raise BadInput(f"cannot read {edit.file}: nothing was inserted")
    if not edit.created and digest(source) != edit.sha256:
        raise _changed(edit)
    text, changes = as_shown(source, edit.changes, encoding)
    now = buffer.text if buffer else as_shown(disk or b"", (), encoding)[0]
    if now != text:
        moved = moved_with(changes, text, now) if move else None
        if moved is None:
            raise _changed(edit)
        text, changes = now, moved
    change = workspace_edit(
        changes,
        text,
        uri=project.uri_of(edit.file),
        version=buffer.version if buffer else None,
        created=edit.created,
        client=server.client_capabilities,
    )
    params = lsp.ApplyWorkspaceEditParams(change, label)
    try:
        done = await server.workspace_apply_edit_async(params)
    except JsonRpcParseError as error:
        raise BadInput(
            f"the editor's answer cannot be read: look into {edit.file} before you ask again"
        ) from error
    except JsonRpcException as error:
        raise BadInput(
            "this editor cannot insert text for Personalizer: nothing was inserted"
        ) from error
    if not done.applied:
        if project.buffers.get(edit.file) is not buffer:
            raise _changed(edit)
        reason = done.failure_reason or "it does not say why"
        raise BadInput(f"the editor did not insert the text: {reason}")
    after = applied(changes, text)
    test = await in_thread(new_test, edit.file, text, after)
    at = inserted_at(changes) if test is None else test.span.start
    place = lsp.Location(project.uri_of(edit.file), after.range(at, at))
    typed_on = any(one.text.source != seen.sources.get(path) for path, one in open_now.items())
    return Inserted(text, after, at, place, typed_on)


def _changed(edit: Edit) -> Changed:
    return Changed(
        f"{edit.file} changed while the text was written: nothing was inserted, ask again"
    )


def new_test(path: str, before: Text, after: Text) -> Method | None:
    """The test of a file that was not in it before, as it now stands."""
    known = {test.span.of(before.source) for test in _tests(path, before)}
    tests = _tests(path, after)
    return next((test for test in tests if test.span.of(after.source) not in known), None)


def _tests(path: str, text: Text) -> list[Method]:
    buffer = Buffer("", path, 0, text)
    return [one for one in (buffer.facts.methods if buffer.facts else ()) if buffer.is_test(one)]


async def show(server: Server, place: lsp.Location, *, take_focus: bool = True) -> None:
    """Opens a place; where the editor cannot, the user is told where it lies.

    Args:
        server: The server.
        place: What to show.
        take_focus: Not while the user types elsewhere, or the keys would land there.
    """
    window = server.client_capabilities.window
    able = window and window.show_document and window.show_document.support
    params = lsp.ShowDocumentParams(place.uri, take_focus=take_focus, selection=place.range)
    if not able or await granted(server.window_show_document_async(params)) is None:
        server.say(f"{place.uri}, line {place.range.start.line + 1}")
