"""Which lines and branches of a class's file ran, and what one run adds to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from personalizer.validation.jvm import Message, fields

__all__ = ["Line", "Lines", "merged"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line that has code."""

    ran: bool
    taken: int
    """Branches that were taken."""
    branches: int
    """All that it has; 0 where it decides nothing."""

    @property
    def whole(self) -> bool:
        """Whether nothing of it is left to run."""
        return self.ran and self.taken == self.branches


@dataclass(frozen=True)
class Lines:
    """The lines with code of one file, from 1."""

    lines: Mapping[int, Line] = field(default_factory=dict)

    @classmethod
    def told(cls, answer: Message) -> Lines:
        """As the compiling process tells them."""
        found = {}
        for one in fields(answer.get("lines")):
            number, ran, taken, branches = map(int, one.split(","))
            found[number] = Line(bool(ran), taken, branches)
        return cls(found)

    @cached_property
    def ran(self) -> frozenset[int]:
        return frozenset(number for number, line in self.lines.items() if line.ran)

    def added_to(self, before: Lines) -> frozenset[int]:
        """Lines that did not run before, or of which fewer branches were taken."""
        return frozenset(
            number
            for number, line in self.lines.items()
            if (number in self.ran and number not in before.ran)
            or line.taken > before._taken_at(number)
        )

    def branches_added_to(self, before: Lines) -> int:
        """Branches that were not taken before."""
        return sum(line.taken - before._taken_at(number) for number, line in self.lines.items())

    def open(self, first: int, last: int) -> tuple[int, ...]:
        """Lines from one to another that did not run, or of which a branch was not taken."""
        return tuple(
            number
            for number, line in sorted(self.lines.items())
            if first <= number <= last and not line.whole
        )

    def _taken_at(self, number: int) -> int:
        return self.lines[number].taken if number in self.lines else 0


def merged(probes: Message, others: Message) -> Message:
    """What the probes of two runs saw together."""
    both = {**others, **probes}
    for key in probes.keys() & others.keys():
        both[key] = bytes(a | b for a, b in zip(probes[key], others[key], strict=True))
    return both
