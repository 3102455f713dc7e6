"""Ends of tests that are guesses: a call of the focal method and what may be asserted of it.

What comes is not known before a run; the run settles it (``settling``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from indexer import Method
from personalizer.generation.rescue.arguments import Arguments
from personalizer.generation.rescue.views import (
    RESULT,
    Views,
    guesses,
    in_order,
    of_state,
    views_of,
)
from personalizer.generation.site import Site
from personalizer.generation.syntax import whole

__all__ = ["Ends", "ends_at", "plain_ends"]


def plain_ends(
    text: str, begun: str, focal: Method, arguments: Iterable[Arguments], views: Views
) -> Iterator[str]:
    """The test with nothing behind its call but an assertion of what comes: guesses, to be settled.

    Args:
        text: What the model made of a beginning.
        begun: The beginning's text.
        focal: The method under test.
        arguments: Ways to call it.
        views: What tells what it did.

    Yields:
        With the arguments that the model wrote, then with the others.
    """
    seen = _seen(begun, focal, views)
    for call in _calls(text, begun, focal, arguments):
        for guess in seen:
            lines = "".join(f"    {in_order(one, views.flavour)};\n" for one in guess.split("\n"))
            yield f"{call}\n{lines}}}"
        if focal.returns == "void" and views.flavour == "junit5":
            *before, last = call.split("\n")
            quiet = f"    assertDoesNotThrow(() -> {last.strip().rstrip(';')});"
            yield "\n".join([*before, quiet, "}"])


def _seen(begun: str, focal: Method, views: Views) -> tuple[str, ...]:
    """What may be asserted behind a call, the most that can be said first."""
    found = re.search(r"(?:^|[\s=])([a-z_$][\w$]*)\.[\w$]+(?:\(\);)?\Z", begun)
    called_on = found[1] if found else ""
    if focal.constructor:
        text, *less = guesses(focal.owner, getters=views.of_owner)
        return (*less[:-1], text, less[-1])  # it says less of what was handed over than getters
    if focal.returns == "void":  # what it did is seen in what it was called on, if at all
        state = "\n".join(of_state(called_on, views.of_owner))
        text = f'assertEquals("", {called_on}.toString())'
        return tuple(one for one in (state, text) if one) if called_on else ()
    *most, least = guesses(focal.returns or "", getters=views.of_result)
    itself = [f"assertSame({called_on}, {RESULT})"] if views.fluent and called_on else []
    return (*most, *itself, least)


def _calls(text: str, begun: str, focal: Method, arguments: Iterable[Arguments]) -> Iterator[str]:
    """A beginning up to behind its call, with what the model gave it first."""
    if not focal.parameters:
        yield begun
        return
    written = re.match(r"[^;{}]*;", text[len(begun) :])
    if written and not re.search(whole(RESULT), written[0]):  # which is not yet there
        yield begun + written[0]
    made = (one.behind(begun) for one in arguments)
    yield from (one for one in made if one is not None)


Ends = Callable[[str, str], Iterator[str]]
"""From what the model made of a beginning, and the beginning, to tests that are guesses."""


def ends_at(site: Site, arguments: Iterable[Arguments]) -> Ends:
    """``plain_ends`` for the tests of one site.

    Args:
        site: Where they stand.
        arguments: Ways to call its focal method.
    """
    ways, views = list(arguments), views_of(site)

    def ends(text: str, begun: str) -> Iterator[str]:
        return plain_ends(text, begun, site.focal, ways, views)

    return ends
