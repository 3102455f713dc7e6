"""Tests and snippets as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from personalizer.words import OF_TODAY, count, mutants_noticed, shortened

__all__ = ["generate_text", "snippet_text", "untested_text"]

_LONGEST_FAILURE = 200
"""Characters of why a candidate fails."""
_LONGEST_REASON = 300
"""Characters of why nothing was compiled or run."""
_LONGEST_NAME = 60
"""Characters of a name that a model wrote."""
_MOST_LINES = 12
"""Of the focal method, told as not yet run whole."""
_MOST_TOLD = 4
"""Lines of the focal method whose mutants are told."""


def generate_text(result: dict[str, Any]) -> str:
    parsed = [c for c in result["candidates"] if c["parses"]]
    head = (
        f"{result['adapter']} wrote {count(len(result['candidates']), 'candidate')} for "
        f"{result['focal'].rpartition('#')[2]} in {result['seconds']:.1f} s; "
        f"{_whole(len(parsed), len(result['candidates']))}"
    )
    if any(c["compiles"] is not None or c["failure"] for c in result["candidates"]):
        head = "\n".join([head, *_candidate_lines(result["candidates"])])
    head = "\n".join([head, *(f"  {note}" for note in result["notes"])])
    if result["edit"] is None:
        return "\n".join([head, f"Nothing was changed: {result['no_edit']}", *_left_of(result)])
    edit = result["edit"]
    best = result["candidates"][0]
    lines = [head, _where(edit, result["written"], result["not_kept"])]
    lines += [f"  {note}" for note in edit["notes"] if note != OF_TODAY]  # said of the best
    lines += _left_of(result)
    lines += _not_noticed(best)
    if result.get("not_run"):
        lines.append(f"  not compiled or run: {shortened(result['not_run'], _LONGEST_REASON)}")
    elif best["passes"] and best["not_run"]:
        lines.append(f"  what it adds is not known: {shortened(best['not_run'], _LONGEST_REASON)}")
    return "\n".join([*lines, "", edit["diff"].rstrip()])


def _whole(parsed: int, all_: int) -> str:
    """How many candidates are whole methods."""
    if all_ == 1:
        return "it is a whole method" if parsed else "it is no whole method"
    return f"{parsed} {'is a whole method' if parsed == 1 else 'are whole methods'}"


def _where(edit: dict[str, Any], written: bool, not_kept: str | None) -> str:
    """Where an edit went, or would go, or why it does not."""
    if written:
        done = "Written to"
    elif not_kept:
        done = f"Not written, for it {not_kept}; would go to"
    else:
        done = "Would go to (write it with --write)"
    return f"{done} {edit['file']}{', a new file' if edit['created'] else ''}"


def _left_of(result: dict[str, Any]) -> list[str]:
    """What of the focal method the best test leaves to others, where that was measured."""
    best = next(iter(result["candidates"]), None)
    if best is None:
        return []
    if best["open_lines"]:
        path = result["focal"].partition("#")[0].rpartition("/")[2]
        places = ", ".join(map(str, best["open_lines"][:_MOST_LINES]))
        more = ", …" if len(best["open_lines"]) > _MOST_LINES else ""
        return [f"  not yet run whole by any test of its class: {path}:{places}{more}"]
    nothing = best["new_lines"] == best["new_branches"] == 0 and not best["new_killed"]
    if best["passes"] and nothing and best["reaches_focal"]:
        if best["mutants"] and best["new_killed"] is None:
            return ["  adds no line or branch: other tests of its class run them all"]
        told = "other tests of its class run every line and branch of the method"
        more = ", and notice what it notices" if best["killed"] else ""
        return [f"  adds nothing: {told}{more}"]
    return []


def _not_noticed(best: dict[str, Any]) -> list[str]:
    """The mutants that a test lets live, a line of the method each.

    Where the other tests of its class were tried on them, those that none of them notices either.

    Example:
        >>> two = ["line 3: 1 became 2", "line 3: 0 returned"]
        >>> _not_noticed({"survivors": two, "unnoticed": [], "new_killed": None})
        ['  does not notice line 3: 1 became 2, 0 returned']
        >>> _not_noticed({"survivors": two, "unnoticed": two[:1], "new_killed": 0})
        ['  no test of its class notices line 3: 1 became 2']
    """
    alone = best["new_killed"] is None
    by_line: dict[str, list[str]] = {}
    for one in best["survivors" if alone else "unnoticed"]:
        line, _, change = one.partition(": ")
        by_line.setdefault(line, []).append(change)
    says = "does not notice" if alone else "no test of its class notices"
    told = [f"  {says} {line}: {', '.join(some)}" for line, some in by_line.items()]
    more = f"  nor changes of {count(len(told) - _MOST_TOLD, 'other line')}"
    return [*told[:_MOST_TOLD], *([more] if len(told) > _MOST_TOLD else [])]


def _candidate_lines(candidates: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What is known of each; of several in a row once, if it is the same."""
    number = 1
    for known, same in groupby(map(_known, candidates)):
        last = number + len(list(same)) - 1
        yield f"  {number if last == number else f'{number}-{last}'}. {known}"
        number = last + 1


def _known(one: dict[str, Any]) -> str:
    """What is known of a candidate."""
    if not one["parses"]:
        known = "no whole test"
    elif one["compiles"] is None:
        known = "not run" if one["may_compile"] else "not run, cannot compile"
    elif not one["compiles"]:
        known = "does not compile"
    elif one["passes"] is None:
        known = "compiles, not run"
    else:
        known = "passes" if one["passes"] else "flaky" if one["flaky"] else "fails"
    if one["passes"] and one["reaches_focal"] is False:
        known += ", does not reach the method"
    fails = False in (one["compiles"], one["passes"])
    if one["parses"] and not one["asserts"] and not fails:
        known += ", asserts nothing"
    if one["new_lines"]:
        known += f", {count(one['new_lines'], 'new line')}"
    elif one["new_branches"]:
        known += f", {count(one['new_branches'], 'new branch')}"
    if one["mutants"]:
        noticed = mutants_noticed(one["killed"], one["mutants"], one["new_killed"])
        known += f", notices {noticed}"
    if one["settled"]:
        known += f", {OF_TODAY}"
    if one["unknown_symbols"]:
        known += f", does not know {_names(one['unknown_symbols'])}"
    why = _failure(one)
    return f"{known}{f': {why}' if why else ''}"


def untested_text(result: dict[str, Any]) -> str:
    lines = []
    for one in result["results"]:
        best = one["candidates"][0] if one["candidates"] else None
        known = _known(best) if best else "nothing was written"
        written = f", written to {one['edit']['file']}" if one["written"] else ""
        lines.append(f"{one['focal'].partition('#')[2]}: {known}{written}")
    summary = result["summary"]
    width = max(map(len, summary))
    lines += ["", *(f"{name:{width}}  {count:6}" for name, count in summary.items())]
    reasons = (one["not_run"] for one in result["results"] if _is_whole(one["candidates"][:1]))
    not_run = next(filter(None, reasons), None)
    if not_run:
        lines.append(f"not compiled or run: {shortened(not_run, _LONGEST_REASON)}")
    return "\n".join([*lines, f"results and diffs: {result['out']}"])


def _is_whole(best: Sequence[dict[str, Any]]) -> bool:
    """Whether there is a best candidate, and it is a whole test."""
    return any(one["parses"] for one in best)


def snippet_text(result: dict[str, Any]) -> str:
    if result["edit"] is None:
        lines = [f"{result['adapter']} wrote nothing that can be used: {result['no_edit']}"]
        return "\n".join([*lines, *(f"  {note}" for note in result["notes"]), "", result["text"]])
    made = f"{count(len(result['text'].splitlines()), 'line')} in {result['seconds']:.1f} s"
    lines = [f"{result['adapter']} wrote {made}", *(f"  {note}" for note in result["notes"])]
    if result["unknown_symbols"]:
        lines.append(f"  does not know {_names(result['unknown_symbols'])}")
    if result["compiles"] is not None:
        lines.append(
            "  compiles" if result["compiles"] else f"  does not compile: {_failure(result)}"
        )
    elif result["not_run"]:
        lines.append(f"  not compiled: {shortened(result['not_run'], _LONGEST_REASON)}")
    lines.append(_where(result["edit"], result.get("written", False), _not_kept(result)))
    return "\n".join([*lines, "", result["edit"]["diff"].rstrip()])


def _not_kept(snippet: dict[str, Any]) -> str | None:
    return "does not compile" if snippet["compiles"] is False else None


def _names(names: Iterable[str]) -> str:
    """Names in a sentence; one that a model could not end is cut."""
    return ", ".join(shortened(name, _LONGEST_NAME) for name in names)


def _failure(one: dict[str, Any]) -> str:
    """Why a candidate fails, in a line; the place at its end stays."""
    why = str(one["failure"] or "").strip()
    if one["compiles"] is False:
        why = why.partition("\n")[0]
    why = why.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    why = re.sub(r"\w+", lambda word: shortened(word[0], _LONGEST_NAME), why)
    place = re.search(r" \(\w+\.\w+:\d+\)$", why)
    return shortened(why, _LONGEST_FAILURE, len(place[0]) if place else 0)
