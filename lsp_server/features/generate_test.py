"""Generate test: a unit test for the method at a line, into its test class."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from indexer import Method
from lsp_server import answers, edits
from lsp_server.progress import work
from lsp_server.server import Server
from lsp_server.session import Place, Seen, Session
from personalizer.daemon.protocol import GenerateRequest
from personalizer.errors import BadInput

__all__ = ["COMMAND", "KIND", "command", "focal_at", "offer", "register", "request_for", "verdict"]

COMMAND = "personalizer.generateTest"
KIND = "refactor.generateTest"


def command(place: Place, line: int, title: str = "Generate test") -> lsp.Command:
    """The command for the method at a line, counted from 0."""
    document = lsp.TextDocumentIdentifier(place.buffer.uri)
    at = lsp.TextDocumentPositionParams(document, lsp.Position(line, 0))
    return lsp.Command(title, COMMAND, arguments=[at])


def offer(session: Session, place: Place, method: Method) -> Iterator[lsp.CodeAction]:
    """The action on a method of main source code that a test could call."""
    if session.settings.generate_test.enable and method in place.buffer.focal_methods:
        yield lsp.CodeAction("Generate test", KIND, command=command(place, place.line))


def register(server: Server) -> None:
    @server.command(COMMAND)
    def generate(ls: Server, at: lsp.TextDocumentPositionParams) -> None:
        ls.begin(_generate(ls, at))


async def _generate(server: Server, at: lsp.TextDocumentPositionParams) -> None:
    wish = server.session.settings.generate_test
    if not wish.enable:
        raise BadInput("generating tests is switched off: see generateTest.enable")
    place, name = focal_at(server.session, at)
    project = place.project
    async with work(server, f"Generate test for {name}") as act:
        seen = await project.seen()
        request = request_for(server.session, place, seen)
        answer = await act.until_cancelled(
            server.session.daemon.ask(lambda d: d.generate(request, cancelled=act.cancelled))
        )
        generation = answers.read(answer, answers.Generation)
        if generation.edit is None:
            raise BadInput(f"none of {len(generation.candidates)} candidates for {name} parses")
        label = f"Test for {name} by {generation.adapter}"
        inserted = await edits.apply(server, project, generation.edit, label=label, seen=seen)
        act.ending = f"{verdict(generation)} (by {generation.adapter})"
    best = generation.candidates[0] if generation.candidates else answers.Candidate()
    if best.compiles is False or best.passes is False:
        server.say(f"Test for {name}: {act.ending}", lsp.MessageType.Warning)
    if wish.show:
        await edits.show(server, inserted)


def focal_at(session: Session, at: lsp.TextDocumentPositionParams) -> tuple[Place, str]:
    """The place that a command names, and the name of the method there.

    Raises:
        BadInput: If there is no method.
    """
    place = session.place(at)
    method = place.buffer.method_at(place.line)
    if method is None:
        where = f"{place.buffer.path}:{place.line + 1}"
        raise BadInput(f"expected a method, got {where}: put the cursor into one")
    return place, f"{method.class_name}.{method.name}"


def request_for(session: Session, place: Place, seen: Seen) -> GenerateRequest:
    """What the daemon is asked for a test of the method at a place."""
    wish = session.settings.generate_test
    return GenerateRequest(
        workspace=str(place.project.root),
        path=place.buffer.path,
        line=place.line + 1,
        buffers=seen.unsaved,
        adapter=wish.adapter,
        run=wish.run,
        n=wish.candidates,
        trusted=session.settings.workspace.trusted,
    )


def verdict(generation: answers.Generation) -> str:
    """What is known of the best candidate.

    Example:
        >>> best = answers.Candidate(compiles=True, passes=True, new_lines=2)
        >>> verdict(answers.Generation("base", (best,)))
        'passes, covers 2 lines that no test did'
    """
    best = generation.candidates[0] if generation.candidates else answers.Candidate()
    if best.compiles is False:
        return "does not compile yet"
    if best.passes is False:
        return "compiles, does not pass yet"
    if best.passes is None:
        return f"was not run: {generation.not_run or 'no sandbox'}"
    if best.new_lines:
        return f"passes, covers {best.new_lines} line{'s' * (best.new_lines > 1)} that no test did"
    return "passes"
