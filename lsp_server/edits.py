"""Generated text into the editor: one edit, refused where the user has typed on meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

from lsprotocol import types as lsp

from lsp_server.answers import Edit
from lsp_server.convert import Text, caret_after, workspace_edit
from lsp_server.server import Server
from lsp_server.session import Project
from personalizer.errors import BadInput

__all__ = ["Versions", "apply", "show", "versions_of"]

Versions = Mapping[str, int]
"""By path, the version that a buffer had when the daemon was asked."""


def versions_of(project: Project) -> Versions:
    return {path: buffer.version for path, buffer in project.buffers.items()}


async def apply(
    server: Server, project: Project, edit: Edit, *, label: str, asked: Versions
) -> lsp.Location:
    """Has the editor make an edit.

    Args:
        server: The server.
        project: The folder that ``edit.file`` is relative to.
        edit: From the daemon, which saw the buffers as they were in ``asked``.
        label: What the editor's undo list may call it; names the adapter.
        asked: The versions that the daemon saw.

    Returns:
        Where the new text begins.

    Raises:
        BadInput: If the text has changed since, or the editor refuses.
    """
    uri, buffer = project.uri_of(edit.file), project.buffers.get(edit.file)
    changed = f"{edit.file} changed while the text was written: nothing was inserted, ask again"
    if (buffer.version if buffer else None) != asked.get(edit.file):
        raise BadInput(changed)
    encoding = server.session.encoding
    if edit.created:
        text: Text | None = Text(b"", encoding)
    else:
        text = await project.text_of(edit.file, encoding)
    if text is None:
        raise BadInput(f"cannot read {edit.file}: nothing was inserted")
    change = workspace_edit(
        edit.changes,
        text,
        uri=uri,
        version=buffer.version if buffer else None,
        created=edit.created,
        client=server.client_capabilities,
    )
    done = await server.workspace_apply_edit_async(lsp.ApplyWorkspaceEditParams(change, label))
    if not done.applied:
        raise BadInput(f"the editor did not insert the text: {done.failure_reason or changed}")
    caret = caret_after(edit.changes, text)
    return lsp.Location(uri, lsp.Range(caret, caret))


async def show(server: Server, place: lsp.Location) -> None:
    """Opens a place; an editor that cannot be asked to is told where it lies."""
    window = server.client_capabilities.window
    if window and window.show_document and window.show_document.support:
        await server.window_show_document_async(
            lsp.ShowDocumentParams(place.uri, take_focus=True, selection=place.range)
        )
    else:
        server.say(f"{place.uri}, line {place.range.start.line + 1}")
