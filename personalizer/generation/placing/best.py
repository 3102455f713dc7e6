"""The edit of the best candidate, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from personalizer.errors import BadInput
from personalizer.generation.records import Candidate, Edit
from personalizer.generation.site import Site

__all__ = ["edit_of_best", "or_why_not"]


def edit_of_best(site: Site, candidates: Sequence[Candidate]) -> tuple[Edit | None, str | None]:
    """The edit that adds the first candidate, or why there is none."""
    if not candidates:
        return None, "nothing new was generated"
    best = candidates[0]
    if not best.parses:
        return None, "no candidate is a complete test"
    if site.has(best.text):  # by what was settled
        return None, "the test class has the best of them already"
    edit, reason = or_why_not(lambda: site.edit(best.text))
    return (replace(edit, notes=(*best.notes, *edit.notes)) if edit else None), reason


def or_why_not(make: Callable[[], Edit]) -> tuple[Edit | None, str | None]:
    """An edit, or why it cannot be made: the text is worth showing all the same."""
    try:
        return make(), None
    except BadInput as error:
        return None, str(error)
