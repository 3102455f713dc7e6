"""Generate test: a unit test for the method at a line, into its test class."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lsprotocol import types as lsp

from indexer import Method
from lsp_server import answers, edits
from lsp_server.offered import Focal, Offered
from lsp_server.progress import Work, work
from lsp_server.project import Place, Seen
from lsp_server.server import Server
from lsp_server.session import Session
from lsp_server.wording import refused
from personalizer import words
from personalizer.daemon.protocol import GenerateRequest, PlaceRequest
from personalizer.errors import BadInput

__all__ = [
    "COMMAND",
    "KIND",
    "ask",
    "check_enabled",
    "edit_of",
    "focal_at",
    "heeded",
    "insert",
    "method_at",
    "offer",
    "outcome",
    "placed",
    "register",
    "request_for",
    "verdict",
    "write",
]

COMMAND = "personalizer.generateTest"
KIND = "refactor.generateTest"

_TRIES = 4
"""How often a test is placed while its file changes beneath it."""


def offer(session: Session, place: Place, method: Method) -> Iterator[lsp.CodeAction]:
    """The action on a method of main source code that a test could call."""
    if session.settings.generate_test.enable and method in place.buffer.focal_methods:
        yield place.action("Generate test", KIND, COMMAND, method)


def register(server: Server) -> None:
    @server.command(COMMAND)
    def generate(ls: Server, at: lsp.TextDocumentPositionParams, method: str | None = None) -> None:
        ls.begin(_generate(ls, at, method))


async def _generate(server: Server, at: lsp.TextDocumentPositionParams, key: str | None) -> None:
    check_enabled(server.session)
    focal = focal_at(server.session, at, key)
    async with work(server, f"Generate test for {focal.name}") as act:
        request, seen = await request_for(server.session, focal)
        await insert(server, focal, 1, await ask(server, request, act), seen, act)


def check_enabled(session: Session) -> None:
    """Raises ``BadInput`` where the feature is switched off."""
    if not session.settings.generate_test.enable:
        raise BadInput("generating tests is switched off: see generateTest.enable")


def method_at(
    session: Session, at: lsp.TextDocumentPositionParams, key: str | None
) -> tuple[Place, Method]:
    """The place that a command names, and the method there.

    Raises:
        BadInput: If there is none.
    """
    place = session.place(at, key)
    method = place.buffer.method_at(place.line)
    if method is None:
        where = f"{place.buffer.path}:{place.line + 1}"
        raise BadInput(f"expected a method, got {where}: put the cursor into one")
    return place, method


def focal_at(session: Session, at: lsp.TextDocumentPositionParams, key: str | None) -> Focal:
    """The method at the place that a command names, as a focal one; raises the same."""
    place, method = method_at(session, at, key)
    name = f"{method.class_name}.{method.name}"
    return Focal(place.project, place.buffer.path, method.key, name)


async def request_for(session: Session, focal: Focal) -> tuple[GenerateRequest, Seen]:
    """What the daemon is asked for a test of a method, and the buffers as they are now.

    Raises:
        BadInput: If the method is gone, or the daemon may not see its file as it is.
    """
    line = focal.line()  # In the text that is seen: nothing is awaited in between.
    seen = await focal.project.seen()
    seen.check(focal.path)
    wish = session.settings.generate_test
    request = GenerateRequest(
        workspace=str(focal.project.root),
        path=focal.path,
        line=line + 1,
        buffers=seen.unsaved,
        adapter=wish.adapter,
        run=wish.run,
        n=wish.candidates,
        trusted=session.settings.workspace.trusted,
    )
    return request, seen


async def ask(server: Server, request: GenerateRequest, act: Work) -> answers.Generation:
    """What the daemon writes; raises ``Cancelled`` once the user has cancelled.

    How far it is, is shown meanwhile.
    """
    loop = asyncio.get_running_loop()
    made: dict[int, Any] = {}

    def on_candidate(number: int, candidate: dict[str, Any]) -> None:
        made[number] = candidate
        if not act.cancelled.is_set():
            loop.call_soon_threadsafe(act.say, _so_far(list(made.values())))

    answer = await act.until_cancelled(
        server.session.daemon.ask(
            lambda d: d.generate(request, cancelled=act.cancelled, on_candidate=on_candidate)
        )
    )
    return answers.read(answer, answers.Generation)


def _so_far(candidates: Sequence[Mapping[str, Any]]) -> str:
    """What is known of the candidates that were made.

    Example:
        >>> _so_far([{"passes": None}, {"passes": None}])
        '2 candidates'
        >>> _so_far([{"passes": True}, {"passes": False}, {"passes": None}])
        '3 candidates, 1 of 2 passes'
    """
    told = words.count(len(candidates), "candidate")
    tried = [one["passes"] for one in candidates if one["passes"] is not None]
    return f"{told}, {tried.count(True)} of {len(tried)} passes" if tried else told


def edit_of(generation: answers.Generation, focal: Focal) -> answers.Edit:
    """The edit with the best candidate.

    Raises:
        BadInput: If there is none, or the compiler refused it; it says why.
    """
    if generation.edit is None:
        if not generation.candidates:
            raise BadInput(f"no other test came for {focal.name}")
        reason = generation.no_edit or "nothing came that can be used"
        raise BadInput(f"no test for {focal.name}: {reason}")
    if generation.best.compiles is False:
        count = words.count(len(generation.candidates), "candidate")
        why = refused(generation.best.failure)
        raise BadInput(f"no test for {focal.name}: the best of {count} {why}")
    return generation.edit


async def insert(
    server: Server, focal: Focal, count: int, generation: answers.Generation, seen: Seen, act: Work
) -> None:
    """Has the editor insert the best candidate, and says what is known of it.

    Args:
        server: The server.
        focal: What the test tests.
        count: Candidates that the user has seen, this one included.
        generation: The daemon's answer.
        seen: The buffers that the daemon saw.
        act: Shown meanwhile.

    Raises:
        BadInput: If there is nothing to insert, or it cannot be.
    """
    generation, done = await write(server, focal, count, generation, seen)
    act.conclude(f"Test for {focal.name}", outcome(generation), heeded(generation))
    if server.session.settings.generate_test.show:
        server.begin(edits.show(server, done.place, take_focus=not done.typed_on))


async def write(
    server: Server, focal: Focal, count: int, generation: answers.Generation, seen: Seen
) -> tuple[answers.Generation, edits.Inserted]:
    """Has the editor insert the best candidate, placed anew where its file changed meanwhile.

    It is remembered, so that another may take its place.

    Args:
        server: The server.
        focal: What the test tests.
        count: Candidates that the user has seen, this one included.
        generation: The daemon's answer.
        seen: The buffers that the daemon saw.

    Returns:
        The answer with the edit that was made, and what that did.

    Raises:
        BadInput: If there is nothing to insert, it cannot be, or the file changes all the time.
    """
    label = f"Test for {focal.name} by {generation.adapter}"
    edit = edit_of(generation, focal)
    changed: tuple[str, ...] = ()
    for left in reversed(range(_TRIES)):
        try:
            done = await edits.apply(server, focal.project, edit, label=label, seen=seen)
            break
        except edits.Changed:
            if not left:
                raise
            changed = (f"{edit.file} changed while it was written",)
            seen = await focal.project.seen()
            edit = await placed(server, focal, generation.best.text, seen)
    server.session.offered.remember(_offered(focal, count, edit, done))
    told = replace(generation, edit=edit, notes=generation.notes + changed)
    return told, replace(done, typed_on=done.typed_on or bool(changed))


async def placed(server: Server, focal: Focal, text: str, seen: Seen) -> answers.Edit:
    """Where a test goes in the project as it is by now.

    Raises:
        BadInput: If it cannot be added, or what it tests is gone.
    """
    root, line = str(focal.project.root), focal.line() + 1
    wanted = PlaceRequest(root, focal.path, line, text, buffers=seen.unsaved)
    return answers.read(await server.session.daemon.ask(lambda d: d.place(wanted)), answers.Edit)


def _offered(focal: Focal, count: int, edit: answers.Edit, done: edits.Inserted) -> Offered:
    """What is remembered; of a new file, the text without its test is what is around the test."""
    before, after = done.before, done.after
    test = edits.new_test(edit.file, before, after) if edit.created else None
    if test is not None:
        start = after.source.rfind(b"\n", 0, test.span.start) + 1
        end = after.source.find(b"\n", test.span.end) + 1
        before = after.replaced(start, end or len(after.source), "")
    return Offered(focal, count, edit.file, before, after, done.at)


def outcome(generation: answers.Generation) -> str:
    """What the user is told of the best candidate: the verdict, who wrote it, the notes.

    Example:
        >>> best = answers.Candidate(passes=True, notes=("left out @Foo",))
        >>> outcome(answers.Generation("base", (best,), notes=("go is private",)))
        'passes (by base); go is private; left out @Foo'
    """
    best, told = generation.best, f"{verdict(generation)} (by {generation.adapter})"
    notes = list(best.notes)
    if best.passes and best.settled and not any(one.startswith(words.OF_TODAY) for one in notes):
        notes.insert(0, words.OF_TODAY)
    return "; ".join([told, *generation.notes, *notes])


def heeded(generation: answers.Generation) -> lsp.MessageType | None:
    """The kind of message that the user must see; None where nothing is to be heeded."""
    if generation.best.doubtful:
        return lsp.MessageType.Warning
    return lsp.MessageType.Info if generation.notes or generation.best.notes else None


def verdict(generation: answers.Generation) -> str:
    """What is known of the best candidate.

    Example:
        >>> best = answers.Candidate(compiles=True, passes=True, new_lines=2)
        >>> verdict(answers.Generation("base", (best,)))
        'passes, covers 2 lines that no test did'
    """
    best = generation.best
    if best.compiles is False or not best.may_compile:
        return "does not compile yet"
    if best.passes is False:
        return "compiles, does not pass yet"
    if best.passes is None:
        return f"was not run: {generation.not_run or 'no sandbox'}"
    told = "passes"
    if best.new_lines:
        told += f", covers {words.count(best.new_lines, 'line')} that no test did"
    elif best.new_branches:
        told += ", takes a branch that no test did"
    elif best.new_killed:
        told += ", notices what no test of its class did"
    elif best.new_lines == best.new_branches == best.new_killed == 0:
        told += ", adds nothing to the tests of its class"
    return told
