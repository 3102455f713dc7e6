"""Types and how their members are called, as far as the monitor needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from indexer.languages import java_words

__all__ = ["PRIMITIVES", "Kind", "Signature", "with_inherited"]

PRIMITIVES = java_words.PRIMITIVES | {"void"}
"""Types that no class declares; their values have nothing behind a dot."""


@dataclass(frozen=True, slots=True)
class Signature:
    """How a method or a constructor is called.

    Types are told by a key of ``Declarations.kinds``, by the simple name of one of Java's own
    (``String``, ``byte[]``), or by nothing where they are not known, as type variables are.
    """

    parameters: tuple[str, ...]
    """Their types; variable arguments end in ``...``."""
    returns: str = ""
    static: bool = False


def with_inherited(
    own: tuple[Signature, ...], inherited: tuple[Signature, ...]
) -> tuple[Signature, ...]:
    """The methods of one name, without those that are surely overridden."""
    overridden = {one.parameters for one in own if "" not in one.parameters}
    return (*own, *(one for one in inherited if one.parameters not in overridden))


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of the project or of Java's library."""

    methods: Mapping[str, tuple[Signature, ...]]
    """By name, those that are inherited among them."""
    fields: Mapping[str, str]
    """Type by name."""
    inner: Mapping[str, str]
    """Types that are declared inside, by simple name."""
    constructors: tuple[Signature, ...] | None
    """None where they are not known."""
    above: frozenset[str]
    """All that it extends and implements."""
    abstract: bool = False
    """Made only with a body of its own."""
    enum: bool = False
    """Its values are constants, which are among its fields."""
    open: bool = False
    """It may have members that nobody has seen."""
    constants: frozenset[str] = frozenset()
    """Those of its fields that are static."""
    interface: bool = False

    def inherited(self) -> Iterator[tuple[str, tuple[Signature, ...]]]:
        """The methods that heirs have too, by name: an interface keeps its static ones."""
        for name, all_ in self.methods.items():
            given = tuple(one for one in all_ if not (self.interface and one.static))
            if given:
                yield name, given
