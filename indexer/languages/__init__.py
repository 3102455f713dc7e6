"""One module a language. A language turns bytes into facts and never raises."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from indexer.facts import FileFacts, Span
from indexer.languages import java, python

__all__ = ["ALL", "DEFAULT", "Language", "language_of"]


class Language(Protocol):
    """What a module of this package offers."""

    @property
    def NAME(self) -> str: ...

    @property
    def SUFFIXES(self) -> tuple[str, ...]: ...

    def parse(self, source: bytes) -> FileFacts:
        """Facts of one file; broken source gives what can be read, and errors."""

    def passages(self, source: bytes) -> Iterator[tuple[Span, Span]]:
        """(comment inside a body, the code that it describes) of a whole file, in any order."""


_LANGUAGES: tuple[Language, ...] = (java, python)
_BY_SUFFIX = {suffix: one for one in _LANGUAGES for suffix in one.SUFFIXES}
ALL = tuple(one.NAME for one in _LANGUAGES)
DEFAULT = (java.NAME,)
"""What is read where nobody asks for more (decision 12)."""


def language_of(path: str, among: Collection[str] = DEFAULT) -> Language | None:
    """The language of a file by its suffix; None where it is none of those asked for."""
    found = _BY_SUFFIX.get(path[path.rfind(".") :])
    return found if found is not None and found.NAME in among else None
