"""Documented methods, which become the examples of comment to code."""

import pytest

from indexer import Change, Index


def check_snippets(source: str, *names: str) -> None:
    snapshot = Index().apply([Change("A.java", source.encode())])
    assert [snippet.method.name for snippet in snapshot.snippets] == list(names)


def test_documented_methods_are_snippets():
    check_snippets(
        "class A { /** Sums. */ int a() { return b() + c(); } int d() { return 1 + 2 + 3; } "
        "/** Makes one. */ A() { start(this); } }",
        "a",
        "A",
    )


@pytest.mark.parametrize(
    "member",
    [
        "/** Doc. */ void a() { }",
        "/** Doc. */ abstract void a();",
        "/* no doc */ void a() { start(this); }",
        "/** far */ int x; void a() { start(this); }",
        "/** Doc. */ void a() { " + "start(this); " * 400 + "}",
    ],
    ids=["empty", "abstract", "plain comment", "of a field", "long"],
)
def test_other_methods_are_none(member: str):
    check_snippets(f"class A {{ {member} }}")
