"""How a project writes its tests: what most of them do, the nearest ones first.

Everything here is read from the snapshot; what no test shows falls back to JUnit 5 habits.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath
from typing import TypeVar

from indexer import FileFacts, Snapshot, Span, Type
from indexer.languages.lexis import inside_tokens
from indexer.pairing import find_tests, is_test, module_of
from personalizer.generation.names.libraries import FLAVOURS

__all__ = [
    "House",
    "flavour_of",
    "house_of",
    "indent_step",
    "integration",
    "line_indent",
    "member_indent",
    "most_common",
    "newline_of",
    "numbered",
    "reindent",
    "test_class_name",
    "test_files",
]

_NEAREST = 40
"""Test files whose text is read for a habit."""


@dataclass(frozen=True, slots=True)
class House:
    """Habits that a new test class follows."""

    flavour: str
    """A key of ``libraries.FLAVOURS``."""
    public: bool
    """Whether test classes are public."""
    header: str
    """The comment that most test files begin with; empty where they do not."""
    newline: str
    indent: str
    """One step of indentation: a tab, or blanks."""
    roomy: bool
    """Whether a blank line follows the brace that opens a class."""
    statics_first: bool
    """Whether static imports stand before the others."""
    model: str | None
    """The nearest test file with imports, whose groups a new file takes over."""


def house_of(snapshot: Snapshot, path: str) -> House:
    """The habits of the tests around a file."""
    tests = test_files(snapshot, path)
    near = [(snapshot.source(test), snapshot.files[test]) for test in tests[:_NEAREST]]
    shown = near or [(snapshot.source(path), snapshot.files[path])]
    every = [snapshot.files[test] for test in tests]
    flavour = _house_flavour(snapshot, path, tests)
    return House(
        flavour=flavour,
        public=most_common(
            ("public" in kind.modifiers for facts in every for kind in _test_classes(facts)),
            flavour != "junit5",
        ),
        header=_shared_header([source.decode(facts.encoding, "replace") for source, facts in near]),
        newline=most_common((newline_of(source) for source, _ in shown), "\n"),
        indent=most_common(
            (step for source, facts in shown for step in _steps(source, facts)), "    "
        ),
        roomy=most_common(
            (
                _ROOMY.match(kind.body.of(source)) is not None
                for source, facts in near
                for kind in _test_classes(facts)
            ),
            False,
        ),
        statics_first=most_common(
            (first for facts in every if (first := _statics_first(facts)) is not None), True
        ),
        model=next((test for test in tests if snapshot.files[test].imports), None),
    )


_Habit = TypeVar("_Habit", bound=Hashable)


def most_common(habits: Iterable[_Habit], otherwise: _Habit) -> _Habit:
    """What is met most often, the first met of equals."""
    ranked = Counter(habits).most_common(1)
    return ranked[0][0] if ranked else otherwise


def test_files(snapshot: Snapshot, path: str) -> list[str]:
    """Files that hold tests, those of the same module and of near folders first."""
    module, folder = module_of(path), PurePosixPath(path).parts[:-1]

    def distance(test: str) -> tuple[bool, int, str]:
        shared = 0
        for here, there in zip(folder[::-1], PurePosixPath(test).parts[-2::-1], strict=False):
            if here != there:
                break
            shared += 1
        return module_of(test) != module, -shared, test

    return sorted({where.path for where in snapshot.tests}, key=distance)


def _test_classes(facts: FileFacts) -> list[Type]:
    """Top-level types that hold tests of their own."""
    types = {kind.name: kind for kind in facts.types}
    owners = {m.owner for m in facts.methods if is_test(m, types.get(m.owner), facts.imports)}
    return [kind for kind in facts.types if "." not in kind.name and kind.name in owners]


# ---------------------------------------------------------------- framework


def flavour_of(facts: FileFacts) -> str | None:
    """The test framework of a file; None where nothing tells it.

    It is the one that the imports name (a wildcard such as ``org.junit.*`` counts for the package
    that it opens), else JUnit 3 where tests are told by their names and the parent of their class.
    """
    names = [f"{line.name}.Test" if line.wildcard else line.name for line in facts.imports]
    for flavour, kind in FLAVOURS.items():
        if any(name.startswith(kind.marks) for name in names):
            return flavour
    named = any(not where.method.annotations for where in find_tests("", facts))
    return "junit3" if named else None


def _house_flavour(snapshot: Snapshot, path: str, tests: list[str]) -> str:
    own = [test for test in tests if module_of(test) == module_of(path)]
    for group in (own, tests):
        known = [f for test in group if (f := flavour_of(snapshot.files[test])) is not None]
        if known:  # of two as common the newer
            return most_common(sorted(known, key=list(FLAVOURS).index), "junit5")
    return "junit5"


# ---------------------------------------------------------------- names


def integration(name: str) -> bool:
    """Whether a test class is one of integration tests by its name.

    Example:
        >>> integration("CartIT"), integration("CartTest")
        (True, False)
    """
    return bool(re.search(r"^IT(?=[A-Z])|(?:IT|ITCase|Integration(?:Tests?|Spec)?)$", name))


def test_class_name(snapshot: Snapshot, focal_class: str) -> str:
    """What the project would call a class's tests: ``CartTest``, unless its tests say otherwise."""
    shapes: Counter[tuple[str, str]] = Counter()
    seen: set[tuple[str, str]] = set()
    for pair in snapshot.pairs:
        focal, test = pair.focal.method.class_name, pair.test.method.owner.partition(".")[0]
        if focal in test and not integration(test) and (focal, test) not in seen:
            seen.add((focal, test))
            before, _, after = test.partition(focal)
            shapes[before, after.lstrip("0123456789")] += 1  # of Cart2Test, a second one's
    before, after = shapes.most_common(1)[0][0] if shapes else ("", "Test")
    return f"{before}{focal_class}{after}"


def numbered(name: str, taken: Iterable[str], others: Iterable[str] = ()) -> str:
    """The name itself where it is free, else one by counting on in the way of the names around.

    Args:
        name: The name that is wanted.
        taken: Names that are not free.
        others: Names that show how the project counts: ``adds2`` or ``adds_2``.

    Example:
        >>> numbered("adds", ["adds", "adds2"])
        'adds3'
        >>> numbered("adds", ["adds"], ["sums", "sums_2"])
        'adds_2'
    """
    used = set(taken)
    if name not in used:
        return name
    counted = _COUNTED.fullmatch(name)
    if counted:
        stem, bar, number = counted[1], counted[2], int(counted[3])
    else:
        known = set(others)
        marks = (match for one in sorted(known) if (match := _COUNTED.fullmatch(one)))
        bars = (match[2] for match in marks if match[1] in known)
        stem, bar, number = name, most_common(bars, "_" if "_" in name else ""), 1
    free = (f"{stem}{bar}{more}" for more in count(number + 1))
    return next(one for one in free if one not in used)


_COUNTED = re.compile(r"(.*?[^\d_])(_?)([1-9]\d{0,3})")


# ---------------------------------------------------------------- the shape of a file


def newline_of(source: bytes) -> str:
    """The line ending of most lines."""
    windows = source.count(b"\r\n")
    return "\r\n" if windows * 2 > source.count(b"\n") else "\n"


def line_indent(source: bytes, span: Span) -> str | None:
    """White space before a span; None when something else stands before it on its line."""
    before = source[source.rfind(b"\n", 0, span.start) + 1 : span.start]
    before = before.removeprefix(b"\xef\xbb\xbf")
    return None if before.strip() else before.decode("ascii", "replace")


def member_indent(source: bytes, facts: FileFacts, kind: Type) -> str | None:
    """White space before most members of a type; None where none begins a line."""
    spans = [m.span for m in facts.methods if m.owner == kind.name]
    spans += [f.span for f in facts.fields if f.owner == kind.name]
    spans += [t.span for t in facts.types if t.name == f"{kind.name}.{t.simple_name}"]
    inside = (line_indent(source, span) for span in spans if span.start > kind.body.start)
    return most_common((white for white in inside if white is not None), None)


def indent_step(source: bytes, facts: FileFacts, otherwise: str) -> str:
    """One step of a file's indentation."""
    return most_common(_steps(source, facts), otherwise)


def _steps(source: bytes, facts: FileFacts) -> Iterator[str]:
    """How far in the members of each top-level type stand, where they do."""
    for kind in facts.types:
        if "." not in kind.name and (step := member_indent(source, facts, kind)):
            yield step


_ROOMY = re.compile(rb"\{[ \t]*\r?\n[ \t]*\r?\n")


def reindent(text: str, indent: str, step: str) -> str:
    """A dedented method in another indentation; lines end in ``\\n``.

    Args:
        text: The method, first line at column 0.
        indent: Before every line but blank ones.
        step: One step further in.

    Text blocks move as a whole, so that their content stays.

    Example:
        >>> reindent("void a() {\\n  b();\\n}", "    ", "    ")
        '    void a() {\\n        b();\\n    }'
    """
    lines = text.split("\n")
    literals, comments = inside_tokens(text, "literal"), inside_tokens(text, "comment")
    widths = {at: _width(line) for at, line in enumerate(lines) if line.strip()}
    plain = (width for at, width in widths.items() if at not in literals | comments)
    own = min((width for width in plain if width > 1), default=4)
    written = []
    for at, line in enumerate(lines):
        if at in literals:
            written.append(indent + line)
        elif at in widths:
            steps, rest = divmod(widths[at], own)
            written.append(indent + step * steps + " " * rest + line.strip())
        else:
            written.append("")
    return "\n".join(written)


def _width(line: str) -> int:
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip())


def _statics_first(facts: FileFacts) -> bool | None:
    statics = [line.span.start for line in facts.imports if line.static]
    others = [line.span.start for line in facts.imports if not line.static]
    return statics[0] < others[0] if statics and others else None


_HEADER = re.compile(r"\ufeff?\s*(/\*.*?\*/|(?://[^\n]*\n)+)\s*(?=package\b|import\b)", re.DOTALL)


def _shared_header(texts: list[str]) -> str:
    """The comment before the package that over half of the files share, years aside."""
    headers = [match[1].strip() for text in texts if (match := _HEADER.match(text))]
    groups: dict[str, list[str]] = defaultdict(list)
    for header in headers:
        groups[re.sub(r"\d+|\r", "", header)].append(header)
    widest = max(groups.values(), key=len, default=[])
    if len(widest) * 2 <= len(texts):
        return ""
    return most_common(widest, "").replace("\r\n", "\n")
