"""From a model's completions to ranked candidates."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Collection, Iterable

from indexer import Method, Type, method_errors
from indexer.languages.java import digest
from indexer.pairing import is_test
from personalizer.engine import Completion
from personalizer.generation.lexis import first_block
from personalizer.generation.place import method_of
from personalizer.generation.records import Candidate

__all__ = ["candidates_of", "clean"]


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
    *,
    owner: Type | None,
    flavour: str,
    existing: Collection[str] = (),
    unknown: Callable[[str], tuple[str, ...]] = lambda text: (),
) -> tuple[Candidate, ...]:
    """Candidates, best first: those that parse, that assert, that name nothing unknown, likelier.

    Args:
        completions: What an engine gave.
        owner: The class that the test will live in; None when it does not exist yet.
        flavour: Test framework of that class.
        existing: Digests of the methods that it has; their copies are left out, as are copies
            among the completions.
        unknown: Names of a method that nothing explains.
    """
    seen = set(existing)
    ranked = []
    for completion in completions:
        text = clean(completion.text)
        code = digest(text.encode())
        if not text or code in seen:
            continue
        seen.add(code)
        parses = not method_errors(text) and _tests(method_of(text), owner, flavour)
        names = unknown(text) if parses else ()
        candidate = Candidate(text, parses, names, score=completion.score)
        asserts = parses and _asserts(text)
        ranked.append((not parses, not asserts, len(names), -completion.score, candidate))
    return tuple(row[-1] for row in sorted(ranked, key=lambda row: row[:4]))


def _tests(method: Method, owner: Type | None, flavour: str) -> bool:
    if is_test(method, owner):
        return True
    return flavour == "junit3" and method.name.startswith("test") and not method.parameters


_ASSERTION = re.compile(r"assert|verify|expect|fail|then|should|ensure|check", re.IGNORECASE)


def _asserts(text: str) -> bool:
    """Whether a test can fail by more than an exception, or says which exception it wants."""
    calls = method_of(text).calls
    return "expected" in text or any(_ASSERTION.match(call.name) for call in calls)
