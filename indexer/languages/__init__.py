"""One module a language. A language turns bytes into facts and never raises."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Protocol, cast

from indexer.facts import FileFacts, Span

__all__ = ["ALL", "DEFAULT", "Language", "language_of"]


class _Module(Protocol):
    """What a module of this package offers."""

    def parse(self, source: bytes) -> FileFacts: ...

    def passages(self, source: bytes) -> Iterator[tuple[Span, Span]]: ...


@dataclass(frozen=True)
class Language:
    """A language by name; its module and grammar are loaded when a file of it is read."""

    name: str
    """Also of its module."""
    suffixes: tuple[str, ...]

    def parse(self, source: bytes) -> FileFacts:
        """Facts of one file; broken source gives what can be read, and errors."""
        return self._module.parse(source)

    def passages(self, source: bytes) -> Iterator[tuple[Span, Span]]:
        """(comment inside a body, the code that it describes) of a whole file, in any order."""
        return self._module.passages(source)

    @cached_property
    def _module(self) -> _Module:
        return cast("_Module", import_module(f"{__name__}.{self.name}"))


_LANGUAGES = (Language("java", (".java",)), Language("python", (".py",)))
_BY_SUFFIX = {suffix: one for one in _LANGUAGES for suffix in one.suffixes}
ALL = tuple(one.name for one in _LANGUAGES)
DEFAULT = ("java",)
"""What is read where nobody asks for more (decision 12)."""


def language_of(path: str, among: Collection[str] = DEFAULT) -> Language | None:
    """The language of a file by its suffix; None where it is none of those asked for."""
    found = _BY_SUFFIX.get(path[path.rfind(".") :])
    return found if found is not None and found.name in among else None
