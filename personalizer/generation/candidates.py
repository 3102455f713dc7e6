"""From a model's completions to ranked candidates."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterable

from indexer import Method
from indexer.languages.java import method_errors
from indexer.languages.lexis import first_block
from indexer.pairing import is_test
from personalizer.engine import Completion
from personalizer.generation.assertions import asserts, without_empty_words
from personalizer.generation.placing.naming import OF_OBJECT
from personalizer.generation.placing.place import method_of
from personalizer.generation.ranking import ranked
from personalizer.generation.records import Candidate
from personalizer.generation.site import Site
from personalizer.generation.syntax import MethodTree, calls_of, code, likeness

__all__ = ["candidate_of", "candidates_of", "clean", "whole_test"]


def clean(text: str) -> str:
    """A completion as source: no Markdown fence, nothing after the first block, dedented.

    Example:
        >>> clean("```java\\n  void a() {\\n  }\\n```\\nThis tests a.")
        'void a() {\\n}'
    """
    fence = re.search(r"```(?:java)?[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", text, re.DOTALL)
    code = (fence[1] if fence else text).replace("\r\n", "\n").encode("utf-8", "replace").decode()
    # The first line often lost its indentation to the prompt's last token.
    whole = textwrap.dedent(first_block(code.strip("\n"))).strip()
    first, newline, rest = whole.partition("\n")
    closing = re.search(r"^([ \t]+)\S[^\n]*\Z", rest, re.MULTILINE)
    if closing and all(line.startswith(closing[1]) for line in rest.split("\n") if line.strip()):
        rest = textwrap.dedent(rest)
    return first + newline + rest


def candidates_of(
    completions: Iterable[Completion],
    site: Site,
    *,
    mend: bool = True,
    known: Collection[str] = (),
) -> tuple[Candidate, ...]:
    """Candidates, best first, none of them compiled yet.

    Args:
        completions: What an engine gave.
        site: Where the tests will stand. Copies of methods that are there are left out, as are
            copies among the completions, whatever they and their variables are called.
        mend: Repair near misses (``names.mending``); else only name what is unknown.
        known: Likenesses of candidates that are left out too.
    """
    seen = set(known)
    found = []
    for completion in completions:
        candidate = candidate_of(completion, site, mend=mend)
        alike = likeness(candidate.text)
        if candidate.text and alike not in seen and not site.has(candidate.text):
            seen.add(alike)
            found.append(candidate)
    return ranked(found)


def candidate_of(completion: Completion, site: Site, *, mend: bool = True) -> Candidate:
    """What a completion holds."""
    text = clean(completion.text)
    if site.flavour == "junit3":
        text = _of_junit3(text)
    if not whole_test(text, site):
        why = "it is no whole test"
        return Candidate(text, parses=False, not_run=why, score=completion.score)
    text, notes = _tidied(text, site) if mend else (text, [])
    checked = site.symbols.mend(text) if mend else site.symbols.check(text)
    return Candidate(
        checked.text,
        parses=True,
        unknown_symbols=checked.unknown,
        may_compile=site.may_compile(checked.text),
        calls_focal=any(calls_of(site.focal, MethodTree(checked.text).method)),
        score=completion.score,
        asserts=asserts(checked.text, site),
        notes=(*notes, *checked.notes),
    )


def _tidied(text: str, site: Site) -> tuple[str, list[str]]:
    """A test without what says nothing, and under a name that speaks of its method."""
    notes = []
    fewer = without_empty_words(text)
    if fewer != text and asserts(fewer, site):
        text = fewer
        notes.append("left out what compares constants")
    if any(calls_of(site.focal, MethodTree(text).method)):
        named = _named_for(text, site)
        if named != text:
            notes.append(f"named for {site.focal.name}, not for a method beside it")
        text = named
    return text, notes


def _named_for(text: str, site: Site) -> str:
    """A test that bears the name of another method of its focal class under its own's."""
    tree = MethodTree(text)
    node = tree.method.child_by_field_name("name") if tree.method else None
    stem = re.sub(r"^test_?", "", code(node))
    focal, facts = site.focal, site.snapshot.files[site.focal_path]
    beside = {
        one.name
        for one in facts.methods
        if one.owner == focal.owner and "private" not in one.modifiers and one.name != focal.name
    }
    if node is None or f"{stem[:1].lower()}{stem[1:]}" not in beside or "MethodSource" in text:
        return text
    first = focal.name[0].upper() if stem[0].isupper() else focal.name[0].lower()
    named = f"{code(node).removesuffix(stem)}{first}{focal.name[1:]}"
    if named not in OF_OBJECT:
        tree.replace(node, named)
    return tree.text


def _of_junit3(text: str) -> str:
    """A test that its name makes one, as JUnit 3 wants it, and not an annotation.

    Example:
        >>> _of_junit3("@Test void adds() { }")
        'void testAdds() { }'
    """
    plain, annotated = re.subn(r"^@Test\b(?:\([^()]*\))?\s*", "", text)
    if not annotated:
        return text
    return re.sub(r"\bvoid (?!test)(\w)", lambda it: f"void test{it[1].upper()}", plain, count=1)


def whole_test(text: str, site: Site) -> bool:
    """Whether a text is exactly one complete test of the class's framework."""
    whole = bool(text) and not method_errors(text)
    return whole and _tests(method_of(text), site)


def _tests(method: Method, site: Site) -> bool:
    if is_test(method, site.owner, site.imports):
        return True
    return site.flavour == "junit3" and method.name.startswith("test") and not method.parameters
