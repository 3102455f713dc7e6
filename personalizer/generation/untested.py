"""Methods of a project that no test reaches, those first that are worth a test and can get one."""

from __future__ import annotations

from collections import Counter

from indexer import FileFacts, Method, Snapshot, Where
from indexer.languages.lexis import tokens
from indexer.pairing import in_test_root

__all__ = ["untested"]

_LONGEST = 4_000
"""Bytes of a method beyond which a prompt has no room for anything else."""


def untested(snapshot: Snapshot) -> tuple[Where, ...]:
    """Public methods with something to test that no test names, best first.

    A method is taken to be reached when it is the focal method of a pair, or when a test file
    calls a method of its name with as many arguments: rather one too few than one twice. Methods
    of classes that have tests come first, since their tests show how; then those with more
    decisions, then shorter ones.
    """
    paired = {(pair.focal.path, pair.focal.method.key) for pair in snapshot.pairs}
    with_tests = Counter(pair.focal_class for pair in snapshot.pairs)
    test_files = {where.path for where in snapshot.tests}
    called = {
        (call.name, len(call.arguments))
        for path in test_files
        for method in snapshot.files[path].methods
        for call in method.calls
    }

    def rank(where: Where) -> tuple[bool, int, int, str, int]:
        method = where.method
        known = with_tests[f"{where.path}#{method.owner}"] > 0
        length = method.span.end - method.span.start
        return not known, -_decisions(snapshot, where), length, where.path, method.span.start

    found = [
        Where(path, method)
        for path, facts in snapshot.files.items()
        if path not in test_files and not in_test_root(path, facts.package)
        for method in facts.methods
        if (path, method.key) not in paired
        and (method.name, len(method.parameters)) not in called
        and _testable(facts, method)
        and not _trivial(snapshot, Where(path, method))
    ]
    return tuple(sorted(found, key=rank))


def _testable(facts: FileFacts, method: Method) -> bool:
    kind = facts.type_named(method.owner)
    if kind is None or method.body is None or method.constructor:
        return False
    public = "public" in method.modifiers or kind.kind == "interface"
    main = method.name == "main" and "static" in method.modifiers
    hidden = "private" in kind.modifiers
    short = method.span.end - method.span.start <= _LONGEST
    return public and short and not main and not hidden and "Override" not in method.annotations


def _trivial(snapshot: Snapshot, where: Where) -> bool:
    """Whether a body only gives or takes a field, or does nothing."""
    words = _body(snapshot, where)
    return words.count(";") <= 1 and "(" not in words and not _DECISIONS & {*words}


def _decisions(snapshot: Snapshot, where: Where) -> int:
    return sum(word in _DECISIONS for word in _body(snapshot, where))


_DECISIONS = frozenset({"if", "for", "while", "switch", "catch", "?", "throw"})


def _body(snapshot: Snapshot, where: Where) -> list[str]:
    """The tokens of a method's body, without comments."""
    facts = snapshot.files[where.path]
    span = where.method.body or where.method.span
    code = span.of(snapshot.source(where.path)).decode(facts.encoding, "replace")
    return [token.text for token in tokens(code) if token.kind != "comment"]
