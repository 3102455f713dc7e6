"""Generate test (choose…): the candidates with what is known of each, and the one that is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from lsprotocol import types as lsp

from indexer import Method
from lsp_server import answers, edits
from lsp_server.features import generate_test
from lsp_server.progress import work
from lsp_server.project import Place
from lsp_server.questions import Choice, ask
from lsp_server.server import Server
from lsp_server.session import Session
from personalizer.errors import BadInput, Cancelled
from personalizer.words import count, mutants_noticed

__all__ = ["COMMAND", "KIND", "badge", "offer", "register"]

COMMAND = "personalizer.chooseTest"
KIND = f"{generate_test.KIND}.choose"

_NAME = re.compile(r"(\w+)\s*\(\s*\)\s*(?:throws [\w., ]+)?\{")


def offer(session: Session, place: Place, method: Method) -> Iterator[lsp.CodeAction]:
    """The action beside "Generate test"."""
    wish = session.settings.generate_test
    if wish.enable and wish.choose and method in place.buffer.focal_methods:
        yield place.action("Generate test (choose…)", KIND, COMMAND, method)


def register(server: Server) -> None:
    @server.command(COMMAND)
    def choose(ls: Server, at: lsp.TextDocumentPositionParams, method: str | None = None) -> None:
        ls.begin(_choose(ls, at, method))


async def _choose(server: Server, at: lsp.TextDocumentPositionParams, key: str | None) -> None:
    wish = server.session.settings.generate_test
    if not (wish.enable and wish.choose):
        raise BadInput("choosing among tests is switched off: see generateTest.choose")
    focal = generate_test.focal_at(server.session, at, key)
    async with work(server, f"Generate tests for {focal.name}") as act:
        request, _ = await generate_test.request_for(server.session, focal)
        generation = await generate_test.ask(server, request, act)
    whole = [one for one in generation.candidates if one.parses]
    if not whole:
        raise BadInput(f"none of {len(generation.candidates)} candidates for {focal.name} parses")
    # Numbered, so that none equals another.
    choices = [Choice(f"{n}. {badge(one)}", one.text) for n, one in enumerate(whole, 1)]
    chosen = await ask(server, f"Which test for {focal.name}?", choices)
    if chosen is None:
        raise Cancelled("no test was chosen")
    seen = await focal.project.seen()
    edit = await generate_test.placed(server, focal, whole[chosen].text, seen)
    taken = replace(generation, candidates=(whole[chosen],), edit=edit)
    shown = len(generation.candidates)
    taken, inserted = await generate_test.write(server, focal, shown, taken, seen)
    if kind := generate_test.heeded(taken):
        server.say(f"Test for {focal.name}: {generate_test.outcome(taken)}", kind)
    if wish.show:
        server.begin(edits.show(server, inserted.place))


def badge(candidate: answers.Candidate) -> str:
    """A candidate in one line: its name and what is known of it.

    Example:
        >>> badge(answers.Candidate("@Test void sums() { }", compiles=True, passes=True,
        ...                         new_lines=2))
        'sums: passes, 2 new lines'
        >>> badge(answers.Candidate("@Test void sums() { }", unknown_symbols=("furos()",)))
        'sums: not run, does not know furos()'
    """
    found = _NAME.search(candidate.text)
    if candidate.compiles is False or not candidate.may_compile:
        parts = ["does not compile"]
    elif candidate.passes is False:
        parts = ["compiles, fails"]
    elif candidate.passes is None:
        parts = ["compiles, not run" if candidate.compiles else "not run"]
    else:
        parts = ["passes"]
    if candidate.new_lines:
        parts.append(count(candidate.new_lines, "new line"))
    elif candidate.new_branches:
        parts.append(count(candidate.new_branches, "new branch"))
    if candidate.mutants:
        told = mutants_noticed(candidate.killed, candidate.mutants, candidate.new_killed)
        parts.append(f"notices {told}")
    if candidate.settled:
        parts.append("values of today")
    if candidate.unknown_symbols:
        parts.append(f"does not know {', '.join(candidate.unknown_symbols)}")
    return f"{found[1] if found else 'test'}: {', '.join(parts)}"
