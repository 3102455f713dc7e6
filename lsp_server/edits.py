"""Generated text into the editor: one edit, refused where the user has typed on meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lsprotocol import types as lsp

from lsp_server.answers import Edit
from lsp_server.convert import Text, applied, as_shown, caret_after, workspace_edit
from lsp_server.project import Project, Seen
from lsp_server.server import Server
from lsp_server.threads import in_thread
from personalizer.errors import BadInput
from personalizer.storage import file_within

__all__ = ["Inserted", "apply", "show"]


@dataclass(frozen=True)
class Inserted:
    """What an edit did to its file."""

    before: Text
    after: Text
    place: lsp.Location
    """Where the new text begins."""
    typed_on: bool
    """The user has typed or opened a file while the text was written."""


async def apply(
    server: Server, project: Project, edit: Edit, *, label: str, seen: Seen
) -> Inserted:
    """Has the editor make an edit.

    Args:
        server: The server.
        project: The folder that ``edit.file`` is relative to.
        edit: From the daemon.
        label: What the editor's undo list may call it; names the adapter.
        seen: The buffers that the daemon saw.

    Raises:
        BadInput: If the text has changed since, a link leads out of the folder, or the editor
            refuses.
    """
    encoding = server.session.encoding
    changed = f"{edit.file} changed while the text was written: nothing was inserted, ask again"
    if edit.file in seen.withheld:
        why = seen.withheld[edit.file]
        raise BadInput(f"{edit.file} is left out ({why}) and not saved: nothing was inserted")
    await in_thread(partial(file_within, project.root, edit.file, new=edit.created))
    disk = None if edit.created else await project.on_disk(edit.file)
    buffer = project.buffers.get(edit.file)
    source = seen.sources.get(edit.file, b"" if edit.created else disk)
    if source is None:
        raise BadInput(f"cannot read {edit.file}: nothing was inserted")
    text, changes = as_shown(source, edit.changes, encoding)
    open_now = {path: one.text.source for path, one in project.buffers.items()}
    now = buffer.text if buffer else as_shown(disk or b"", (), encoding)[0]
    if now != text:
        raise BadInput(changed)
    change = workspace_edit(
        changes,
        text,
        uri=project.uri_of(edit.file),
        version=buffer.version if buffer else None,
        created=edit.created,
        client=server.client_capabilities,
    )
    done = await server.workspace_apply_edit_async(lsp.ApplyWorkspaceEditParams(change, label))
    if not done.applied:
        raise BadInput(f"the editor did not insert the text: {done.failure_reason or changed}")
    caret = caret_after(changes, text)
    place = lsp.Location(project.uri_of(edit.file), lsp.Range(caret, caret))
    typed_on = not open_now.items() <= seen.sources.items()
    return Inserted(text, applied(changes, text), place, typed_on)


async def show(server: Server, place: lsp.Location, *, take_focus: bool = True) -> None:
    """Opens a place; an editor that cannot be asked to is told where it lies.

    Args:
        server: The server.
        place: What to show.
        take_focus: Not while the user types elsewhere, or the keys would land there.
    """
    window = server.client_capabilities.window
    if window and window.show_document and window.show_document.support:
        await server.window_show_document_async(
            lsp.ShowDocumentParams(place.uri, take_focus=take_focus, selection=place.range)
        )
    else:
        server.say(f"{place.uri}, line {place.range.start.line + 1}")
