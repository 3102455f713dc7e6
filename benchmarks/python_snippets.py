"""Is Python put back as it was written?

    python benchmarks/python_snippets.py PROJECT ... [--limit 500]

Takes the body of a documented function, or the code beneath a comment in one, out of its file and
gives it back as if a model had written it there. Prints how many files are then the same byte by
byte, how many differ, for how many nothing was placed, and milliseconds a snippet.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

from indexer import Index, Method, Snapshot, Span, Workspace, index_file
from personalizer.edits import apply_changes
from personalizer.engine import Completion, Engine, Request
from personalizer.errors import PersonalizerError
from personalizer.generation import Writer, generate_snippet
from personalizer.settings import Settings


class Echo:
    """An engine that gives back one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def generate(self, request: Request, **_: object) -> list[Completion]:
        return [Completion(self._text, 0.0, 1, "stop")]


class Case(NamedTuple):
    kind: str
    without: bytes
    """The file with a hole."""
    line: int
    text: str
    """What the model is to write, at the indentation of its prompt."""
    expected: bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=500, help="snippets of each kind and project")
    args = parser.parse_args()
    print("| project | of | snippets | same | differ | not placed | ms |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for project in args.projects:
        snapshot = Index(languages=("python",)).read(Workspace(project, ("python",)))
        for kind in ("body", "comment"):
            cases = [case for case in cases_of(snapshot) if case.kind == kind]
            chosen = random.Random(0).sample(cases, min(args.limit, len(cases)))
            start = time.perf_counter()
            found = Counter(outcome(case) for case in chosen)
            spent = (time.perf_counter() - start) / max(1, len(chosen)) * 1000
            row = [found[name] for name in ("same", "differs", "not placed")]
            print(
                f"| {project.name} | {kind} | {len(chosen)} | {' | '.join(map(str, row))} |", end=""
            )
            print(f" {spent:.0f} |")


def cases_of(snapshot: Snapshot) -> Iterator[Case]:
    """Every documented function and every described passage of a project."""
    for path, facts in sorted(snapshot.files.items()):
        source = snapshot.source(path)
        for method in facts.methods:
            if method.doc and method.body and _own_line(source, method.body):
                begin = source.rfind(b"\n", 0, method.body.start) + 1
                without = source[: method.doc.end] + source[method.body.end :]
                expected = source[: method.doc.end] + b"\n" + source[begin:]
                text = _text(source, method, Span(begin, method.body.end))
                yield Case("body", without, _line(source, method.doc.end - 1), text, expected)
    for passage in snapshot.passages:
        source = snapshot.source(passage.path)
        begin = source.rfind(b"\n", 0, passage.code.start) + 1
        without = source[: passage.comment.end] + source[passage.code.end :]
        text = "\n" + _text(source, passage.method, Span(begin, passage.code.end))
        yield Case("comment", without, _line(source, passage.comment.start), text, source)


def outcome(case: Case) -> str:
    """What becomes of a file whose hole is filled again."""
    try:
        snapshot = index_file(".", "x.py", case.without.decode("utf-8", "replace"))
        made = generate_snippet(
            snapshot,
            "x.py",
            case.line,
            cast(Engine, Echo(case.text)),
            writer=Writer("none"),
            settings=Settings(),
        )
    except PersonalizerError:
        return "not placed"
    if made.edit is None:
        return "not placed"
    same = apply_changes(case.without, made.edit.changes) == case.expected
    return "same" if same else "differs"


def _own_line(source: bytes, span: Span) -> bool:
    return not source[source.rfind(b"\n", 0, span.start) + 1 : span.start].strip()


def _line(source: bytes, offset: int) -> int:
    return source.count(b"\n", 0, offset) + 1


def _text(source: bytes, method: Method, code: Span) -> str:
    """Lines as far out as a prompt shows their function."""
    outer = method.span.start - source.rfind(b"\n", 0, method.span.start) - 1
    lines = code.of(source).decode("utf-8", "replace").split("\n")
    return "\n".join(line[outer:] if not line[:outer].strip() else line for line in lines)


if __name__ == "__main__":
    main()
