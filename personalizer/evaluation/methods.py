"""What is compared: base models as they are, with examples in the prompt, trained, or both.

| name | what |
| --- | --- |
| base | the base model |
| icl | the base model, shown random pairs of the training side (W24's in-context learning) |
| rag | the base model, shown the pairs of the training side nearest to the focal method (BM25) |
| a strategy's name | the base model trained by it |
| strategy+icl, strategy+rag | the same trained model, shown such pairs |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from personalizer.errors import SettingsError

__all__ = ["Method", "Shown", "methods_named", "names_in"]

Shown = Literal["icl", "rag"]
"""Random pairs, or the nearest ones."""
_SHOWN: tuple[Shown, ...] = get_args(Shown)


@dataclass(frozen=True, slots=True)
class Method:
    """One column of the comparison."""

    strategy: str | None
    """None for the base model as it is."""
    shown: Shown | None
    """Which pairs the prompt shows; None for none."""

    @property
    def name(self) -> str:
        """As users write it.

        Example:
            >>> Method("lora", "rag").name, Method(None, "icl").name, Method(None, None).name
            ('lora+rag', 'icl', 'base')
        """
        return "+".join(part for part in (self.strategy, self.shown) if part) or "base"


def names_in(text: str) -> tuple[str, ...]:
    """The names of methods in a text that has commas between them.

    Example:
        >>> names_in("base, lora+rag,")
        ('base', 'lora+rag')
    """
    return tuple(name for part in text.split(",") if (name := part.strip()))


def methods_named(names: Iterable[str], strategies: Iterable[str]) -> tuple[Method, ...]:
    """The methods of these names, each once, the base first: everything is compared with it.

    Args:
        names: As users write them.
        strategies: Names of the strategies that exist.

    Raises:
        SettingsError: If a name is unknown; lists those that are.

    Example:
        >>> [m.name for m in methods_named(["lora+rag", "rag"], ["lora"])]
        ['base', 'lora+rag', 'rag']
    """
    trained = tuple(strategies)
    ways = [Method(first, shown) for first in (None, *trained) for shown in (None, *_SHOWN)]
    known = {way.name: way for way in ways}
    methods = {"base": known["base"]}
    for name in names:
        if name not in known:
            choices = ", ".join(("base", *_SHOWN, *trained))
            raise SettingsError(
                f"expected methods among {choices}, a strategy with +icl or +rag too, got {name}"
            )
        methods[name] = known[name]
    return tuple(methods.values())
