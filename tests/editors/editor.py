"""A small editor over pytest-lsp: it keeps buffers and applies edits by its own reading of LSP."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import make_test_lsp_client

from lsp_server.questions import Choice

__all__ = ["FAKE_SERVER", "Editor", "editing", "make_shop", "until"]

ROOT = Path(__file__).parent.parent.parent
FAKE_SERVER = (sys.executable, "-m", "tests.fake_daemon")

CART = """\
package shop;

/** Things to buy. */
public class Cart {
    private int total;

    /** Adds a price. */
    public void add(int price) {
        total += price;
    }

    public int total() {
        return total;
    }

    /**
     * Takes everything out.
     */
    public void clear() {
    }

    private int hidden() {
        return 1;
    }
}
"""
CART_TEST = """\
package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;

class CartTest {
    @Test
    void totalSumsPrices() {
        Cart cart = new Cart();
        cart.add(2);
        assertEquals(2, cart.total());
    }
}
"""
CART_PATH = "src/main/java/shop/Cart.java"
TEST_PATH = "src/test/java/shop/CartTest.java"


def make_shop(folder: Path, cart: str = CART, test: str | None = CART_TEST) -> Path:
    """A project of one class and its tests."""
    for path, text in ((CART_PATH, cart), (TEST_PATH, test)):
        if text is not None:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
    return folder


async def until(found: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first truthy value; fails when there is none in time."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)
    return value


class Editor:
    """What a user does and sees."""

    def __init__(self, client: LanguageClient, root: Path, log: Path) -> None:
        self.client = client
        self.root = root
        self.buffers: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.opened: set[str] = set()
        """URIs of the documents that the server was told of."""
        self.labels: list[str | None] = []
        self.statuses: list[dict[str, Any]] = []
        self.questions: list[lsp.ShowMessageRequestParams] = []
        self.chooses: str | None = None
        """Start of the title that is taken of each question's; None takes none."""
        self.types_before_choosing: str | None = None
        """A file into which the user types a blank before each answer."""
        self.answers: str | None = None
        """Title that is answered to every question, offered or not."""
        self.refreshes = 0
        self.watched = False
        """The server has asked to be told of changed files."""
        self.refuses = False
        """Answers every edit with a no."""
        self.types_on = False
        """The user types a blank at the begin of every text just before an edit of it comes."""
        self._log = log

    @property
    def pid(self) -> int:
        process = self.client._server
        assert process is not None
        return int(process.pid)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What the fake daemon was asked."""
        text = self._log.read_text() if self._log.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def called(self, name: str) -> list[dict[str, Any]]:
        return [call for call in self.calls if call["call"] == name]

    @property
    def messages(self) -> list[str]:
        return [m.message for m in self.client.messages]

    @property
    def reports(self) -> list[Any]:
        """Every progress report, in order."""
        return [r for reports in self.client.progress_reports.values() for r in reports]

    @property
    def ends(self) -> list[lsp.WorkDoneProgressEnd]:
        return [r for r in self.reports if isinstance(r, lsp.WorkDoneProgressEnd)]

    def hang_up(self) -> None:
        """Closes the pipe to the server without a word, as a dying editor does."""
        process = self.client._server
        assert process is not None and process.stdin is not None
        process.stdin.close()

    def uri(self, path: str) -> str:
        return (self.root / path).as_uri()

    def text(self, path: str) -> str:
        return self.buffers[self.uri(path)]

    def open(self, path: str, text: str | None = None) -> str:
        """Opens a file, with other text than on disk where some is given."""
        uri = self.uri(path)
        # newline="": an editor keeps line ends as they are.
        with open(self.root / path, newline="", encoding="utf-8-sig") as file:
            self.buffers[uri] = file.read() if text is None else text
        self.versions[uri] = 1
        self.opened.add(uri)
        self.client.text_document_did_open(
            lsp.DidOpenTextDocumentParams(
                lsp.TextDocumentItem(uri, lsp.LanguageKind.Java, 1, self.buffers[uri])
            )
        )
        return uri

    def close(self, path: str) -> None:
        """Closes a file; what was not saved is gone."""
        uri = self.uri(path)
        del self.buffers[uri]
        self.opened.remove(uri)
        document = lsp.TextDocumentIdentifier(uri)
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(document))

    def type(self, path: str, line: int, character: int, text: str) -> None:
        """Inserts text; columns are UTF-16 code units."""
        place = lsp.Position(line, character)
        self._replace(path, lsp.Range(place, place), text)

    def erase(self, path: str, line: int) -> None:
        """Takes a whole line out."""
        self._replace(path, lsp.Range(lsp.Position(line, 0), lsp.Position(line + 1, 0)), "")

    def _replace(self, path: str, where: lsp.Range, text: str) -> None:
        uri = self.uri(path)
        self._changed(uri, [lsp.TextEdit(where, text)])
        self._tell(uri, lsp.TextDocumentContentChangePartial(where, text))

    def _tell(self, uri: str, change: lsp.TextDocumentContentChangeEvent) -> None:
        document = lsp.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        params = lsp.DidChangeTextDocumentParams(document, [change])
        self.client.text_document_did_change(params)

    def take(self, path: str, item: lsp.InlineCompletionItem) -> None:
        """Accepts an inline completion."""
        assert item.range is not None and isinstance(item.insert_text, str)
        self._changed(self.uri(path), [lsp.TextEdit(item.range, item.insert_text)])

    def answer(self, question: lsp.ShowMessageRequestParams) -> lsp.MessageActionItem | None:
        self.questions.append(question)
        if self.types_before_choosing:
            self.type(self.types_before_choosing, 0, 0, " ")
        if self.answers:
            return lsp.MessageActionItem(self.answers)
        start = self.chooses
        titles = question.actions or ()
        return next((one for one in titles if start and one.title.startswith(start)), None)

    def line_of(self, path: str, part: str) -> int:
        """Number, from 0, of the first line with some text."""
        lines = re.split(r"\r\n|\r|\n", self.text(path))
        return next(n for n, line in enumerate(lines) if part in line)

    async def actions(
        self, path: str, part: str, only: list[str] | None = None
    ) -> list[lsp.CodeAction]:
        """The code actions at the first line with some text."""
        at = lsp.Position(self.line_of(path, part), 0)
        found = await self.client.text_document_code_action_async(
            lsp.CodeActionParams(
                lsp.TextDocumentIdentifier(self.uri(path)),
                lsp.Range(at, at),
                lsp.CodeActionContext([], only=only),
            )
        )
        return [action for action in found or [] if isinstance(action, lsp.CodeAction)]

    async def titles(self, path: str, part: str) -> list[str]:
        return [action.title for action in await self.actions(path, part)]

    async def complete(self, path: str, part: str) -> object:
        """Inline completion at the begin of a line."""
        document = lsp.TextDocumentIdentifier(self.uri(path))
        context = lsp.InlineCompletionContext(lsp.InlineCompletionTriggerKind.Invoked)
        at = lsp.Position(self.line_of(path, part), 0)
        return await self.client.text_document_inline_completion_async(
            lsp.InlineCompletionParams(context, document, at)
        )

    async def do(self, path: str, part: str, title: str) -> None:
        """Chooses a code action by the start of its title."""
        actions = await self.actions(path, part)
        chosen = next(action for action in actions if action.title.startswith(title))
        assert chosen.command is not None
        await self.command(chosen.command.command, *(chosen.command.arguments or ()))

    async def command(self, name: str, *arguments: Any) -> None:
        await self.client.workspace_execute_command_async(
            lsp.ExecuteCommandParams(name, arguments=list(arguments))
        )

    def configure(self, settings: Any) -> None:
        """Tells the server of changed settings."""
        params = lsp.DidChangeConfigurationParams(settings)
        self.client.workspace_did_change_configuration(params)

    def change_folders(self, *, added: Sequence[str] = (), removed: Sequence[str] = ()) -> None:
        """Tells the server of workspace folders, by their URIs."""
        event = lsp.WorkspaceFoldersChangeEvent(
            added=[lsp.WorkspaceFolder(uri, "added") for uri in added],
            removed=[lsp.WorkspaceFolder(uri, "removed") for uri in removed],
        )
        params = lsp.DidChangeWorkspaceFoldersParams(event)
        self.client.workspace_did_change_workspace_folders(params)

    async def lenses(self, path: str) -> list[lsp.CodeLens]:
        document = lsp.TextDocumentIdentifier(self.uri(path))
        found = await self.client.text_document_code_lens_async(lsp.CodeLensParams(document))
        return list(found or ())

    def apply(self, params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
        """As an editor does: all or nothing, and nothing over a newer version."""
        self.labels.append(params.label)
        if self.refuses:
            return lsp.ApplyWorkspaceEditResult(False, failure_reason="read-only")
        for uri, edits in (params.edit.changes or {}).items():
            self._changed(uri, list(edits))
        for change in params.edit.document_changes or ():
            if isinstance(change, lsp.CreateFile):
                file = self._file(change.uri)
                assert not file.exists(), "an existing file must not be created"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
                self.buffers[change.uri] = ""
            else:
                assert isinstance(change, lsp.TextDocumentEdit)
                uri, version = change.text_document.uri, change.text_document.version
                if self.types_on:
                    self.type(self._file(uri).relative_to(self.root).as_posix(), 0, 0, " ")
                if version is not None and version != self.versions.get(uri):
                    return lsp.ApplyWorkspaceEditResult(False, failure_reason="newer version")
                self._changed(uri, [e for e in change.edits if isinstance(e, lsp.TextEdit)])
                if uri in self.opened:
                    whole = lsp.TextDocumentContentChangeWholeDocument(self.buffers[uri])
                    self._tell(uri, whole)
        return lsp.ApplyWorkspaceEditResult(True)

    def _file(self, uri: str) -> Path:
        return self.root / uri.removeprefix(self.root.as_uri() + "/")

    def _changed(self, uri: str, edits: Sequence[lsp.TextEdit]) -> None:
        if uri not in self.buffers:
            self.buffers[uri] = self._file(uri).read_bytes().decode("utf-8-sig")
        text = self.buffers[uri].encode("utf-16-le")
        starts = [0] + [
            len(self.buffers[uri][: end.end()].encode("utf-16-le"))
            for end in re.finditer(r"\r\n|\r|\n", self.buffers[uri])
        ]

        def place(position: lsp.Position) -> int:
            return starts[position.line] + 2 * position.character

        # Ranges are those of the text before; so the last one first.
        for edit in sorted(edits, key=lambda e: place(e.range.start), reverse=True):
            start, end = place(edit.range.start), place(edit.range.end)
            text = text[:start] + edit.new_text.encode("utf-16-le") + text[end:]
        self.buffers[uri] = text.decode("utf-16-le")
        self.versions[uri] = self.versions.get(uri, 0) + 1


@asynccontextmanager
async def editing(
    root: Path,
    *,
    data: Path,
    options: Any = None,
    like: str = "visual-studio-code",
    server: Sequence[str] = FAKE_SERVER,
    environment: dict[str, str] | None = None,
    editor_pid: int | None = None,
    unknown: Sequence[str] = (),
    odd: Mapping[str, Any] | None = None,
    **scenario: Any,
) -> AsyncIterator[Editor]:
    """An editor with a folder open.

    Args:
        root: The folder.
        data: Where the server and the fake daemon keep what they keep.
        options: ``initializationOptions``.
        like: The editor whose capabilities are offered; ``bare`` for one that can do nothing.
        server: The server's command line.
        environment: Further variables of the server.
        editor_pid: The process that the server is told is its editor; this one if left out.
        unknown: Requests that the editor does not know, though it says so.
        odd: What it answers to some requests, whatever LSP says.
        **scenario: Of the fake daemon.
    """
    log = data / "calls.jsonl"
    client = make_test_lsp_client()
    client.protocol._converter.register_structure_hook(
        lsp.Command | lsp.CodeAction,
        lambda given, _: client.protocol._converter.structure(given, _kind_of_action(given)),
    )
    client.protocol._converter.register_structure_hook(
        lsp.MessageActionItem, lambda given, _: Choice(**given)
    )
    editor = Editor(client, root, log)

    @client.feature(lsp.WORKSPACE_APPLY_EDIT)
    def apply(params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
        return editor.apply(params)

    @client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
    def register(params: lsp.RegistrationParams) -> None:
        methods = [one.method for one in params.registrations]
        editor.watched |= lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES in methods

    @client.feature(lsp.WINDOW_SHOW_MESSAGE_REQUEST)
    def asked(params: lsp.ShowMessageRequestParams) -> lsp.MessageActionItem | None:
        return editor.answer(params)

    @client.feature(lsp.WORKSPACE_CODE_LENS_REFRESH)
    def refresh(*_: Any) -> None:
        editor.refreshes += 1

    @client.feature("personalizer/statusChanged")
    def status(params: Any) -> None:
        editor.statuses.append(_plain(params))

    for method in (*unknown, *(odd or ())):
        client.protocol.fm.features.pop(method, None)
        client.protocol.fm.builtin_features.pop(method, None)
    for method, answer in (odd or {}).items():
        client.feature(method)(partial(_answering, answer))

    await client.start_io(
        *server,
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PERSONALIZER_DATA_DIR": str(data),
            "FAKE_DAEMON": json.dumps({"log": str(log), **scenario}),
            **(environment or {}),
        },
    )
    try:
        await client.initialize_session(
            lsp.InitializeParams(
                process_id=editor_pid,
                capabilities=_capabilities(like),
                workspace_folders=[lsp.WorkspaceFolder(root.as_uri(), root.name)],
                initialization_options=options,
            )
        )
        yield editor
        await client.shutdown_session()
    finally:
        process = client._server
        if process is not None and process.returncode is None:
            process.kill()
        await client.stop()


def _answering(answer: Any, _: Any) -> Any:
    return answer


def _capabilities(like: str) -> lsp.ClientCapabilities:
    return lsp.ClientCapabilities() if like == "bare" else client_capabilities(like)


def _kind_of_action(given: dict[str, Any]) -> type:
    """lsprotocol takes every action with a command for a bare command."""
    return lsp.Command if isinstance(given.get("command"), str) else lsp.CodeAction


def _plain(value: Any) -> Any:
    """pygls makes named tuples of unknown messages."""
    if hasattr(value, "_asdict"):
        return {key: _plain(one) for key, one in value._asdict().items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
