"""Where import declarations go: into the group and the order that a file has."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any

from indexer import FileFacts, Import
from personalizer.edits import TextEdit

__all__ = ["Line", "import_changes", "import_section", "shared_parts"]


@dataclass(frozen=True, slots=True)
class Line:
    """One import declaration that is to be written."""

    name: str
    """Dotted, with the member's name where it is static."""
    static: bool

    @property
    def text(self) -> str:
        return f"import {'static ' if self.static else ''}{self.name};"


def import_changes(
    source: bytes,
    facts: FileFacts,
    lines: Iterable[Line],
    *,
    newline: str,
    statics_first: bool,
) -> list[TextEdit]:
    """Insertions that bring imports into a file.

    Args:
        source: The file's bytes.
        facts: Its facts.
        lines: What to add; none of it is there yet.
        newline: The file's line ending.
        statics_first: Where static imports go when the file has only others, and the reverse.
    """
    groups = _groups(source, facts)
    inserted: dict[int, str] = defaultdict(str)
    new: dict[bool, list[Line]] = {True: [], False: []}
    for line in sorted(lines, key=lambda line: line.name):
        group = _fitting(groups, line)
        if group is None:
            new[line.static].append(line)
            continue
        following = group.follower(line)
        if following is None:
            inserted[_line_end(source, group.imports[-1].span.end)] += newline + line.text
        else:
            inserted[following.span.start] += line.text + newline
    section = [new[static] for static in (statics_first, not statics_first) if new[static]]
    if section:
        text = _written(section, newline)
        first = not groups or section[0][0].static == statics_first
        offset, text = _new_group(source, facts, text, newline, first=first)
        inserted[offset] = text + inserted[offset] if first else inserted[offset] + text
    return [TextEdit(offset, offset, text) for offset, text in sorted(inserted.items())]


def import_section(
    lines: Iterable[Line],
    model: tuple[bytes, FileFacts] | None,
    *,
    newline: str,
    statics_first: bool,
) -> str:
    """The imports of a new file, grouped as a model file groups its own; without a last newline."""
    groups = _groups(*model) if model else []
    sections: dict[tuple[bool, int], list[Line]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line.name):
        group = _fitting(groups, line)
        place = groups.index(group) if group else 0
        sections[line.static != statics_first, place].append(line)
    return _written([sections[key] for key in sorted(sections)], newline)


def _written(groups: Iterable[Iterable[Line]], newline: str) -> str:
    return (newline * 2).join(newline.join(line.text for line in group) for group in groups)


# ---------------------------------------------------------------- groups


@dataclass(frozen=True)
class _Group:
    """Imports of one kind on neighbouring lines."""

    static: bool
    imports: Sequence[Import]

    def nearness(self, line: Line) -> tuple[int, int]:
        """Most leading parts of the name that a member shares; then how mixed the group is."""
        shared = max(shared_parts(one.name, line.name) for one in self.imports)
        return shared, len({one.name.partition(".")[0] for one in self.imports})

    def follower(self, line: Line) -> Import | None:
        """The member before which a line keeps the group's order; None for its end."""
        key = next((key for key in _ORDERS if self._sorted_by(key)), None)
        if key is None:
            return None
        return next((one for one in self.imports if key(_full(one)) > key(line.name)), None)

    def _sorted_by(self, key: Callable[[str], Any]) -> bool:
        return all(key(_full(a)) <= key(_full(b)) for a, b in pairwise(self.imports))


def _full(one: Import) -> str:
    return one.name + ".*" * one.wildcard


_ORDERS: tuple[Callable[[str], Any], ...] = (
    lambda name: name,
    str.lower,
    lambda name: name.rpartition(".")[::2],
)
"""Orders that editors sort imports in: by character, without case, by package before class."""


def _groups(source: bytes, facts: FileFacts) -> list[_Group]:
    rows: list[list[Import]] = []
    for one in facts.imports:
        last = rows[-1][-1] if rows else None
        between = source[last.span.end : one.span.start] if last else b""
        if last and last.static == one.static and between.count(b"\n") <= 1:
            rows[-1].append(one)
        else:
            rows.append([one])
    return [_Group(row[0].static, row) for row in rows]


def _fitting(groups: Iterable[_Group], line: Line) -> _Group | None:
    """The group that a line belongs to; None when the file has none of its kind."""
    same = [group for group in groups if group.static == line.static]
    return max(reversed(same), key=lambda group: group.nearness(line), default=None)


def shared_parts(left: str, right: str) -> int:
    """How many leading parts two dotted names share.

    Example:
        >>> shared_parts("org.junit.Test", "org.mockito.Mock")
        1
    """
    pairs = zip(left.split("."), right.split("."), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


# ---------------------------------------------------------------- a file's first group of a kind


def _new_group(
    source: bytes, facts: FileFacts, text: str, newline: str, *, first: bool
) -> tuple[int, str]:
    """Offset and text of a group that the file did not have, set off by blank lines."""
    if facts.imports and first:
        return facts.imports[0].span.start, text + newline * 2
    if facts.imports:
        return _line_end(source, facts.imports[-1].span.end), newline * 2 + text
    if facts.package_span is not None:
        offset = _line_end(source, facts.package_span.end)
        return offset, newline * 2 + text + _blank_line(source, offset, newline)
    return _before_types(source, facts), text + newline * 2


def _line_end(source: bytes, offset: int) -> int:
    """Where the line of a declaration ends; right behind it when more code follows on the line."""
    rest = re.compile(rb"[^\r\n]*").match(source, offset)
    assert rest is not None
    behind = rest[0].strip()
    comment = behind.startswith(b"//") or re.fullmatch(rb"/\*(?:(?!\*/).)*\*/", behind)
    return rest.end() if not behind or comment else offset


def _blank_line(source: bytes, offset: int, newline: str) -> str:
    """What makes a blank line stand after an insertion at a line's end."""
    breaks = re.compile(rb"(?:[ \t]*\r?\n)*").match(source, offset)
    assert breaks is not None
    return newline * max(0, 2 - breaks[0].count(b"\n"))


def _before_types(source: bytes, facts: FileFacts) -> int:
    """The start of a file's first type, its doc comment included."""
    start = min(kind.span.start for kind in facts.types)
    doc = re.search(rb"/\*\*(?:(?!\*/).)*\*/\s*\Z", source[:start], re.DOTALL)
    return doc.start() if doc else start
