"""One module a language. A language turns bytes into facts and never raises."""

from __future__ import annotations

from typing import Protocol

from indexer.facts import FileFacts
from indexer.languages import java

__all__ = ["Language", "language_of"]


class Language(Protocol):
    """What a module of this package offers."""

    @property
    def NAME(self) -> str: ...

    @property
    def SUFFIXES(self) -> tuple[str, ...]: ...

    def parse(self, source: bytes) -> FileFacts:
        """Facts of one file; broken source gives what can be read, and errors."""


_LANGUAGES: tuple[Language, ...] = (java,)


def language_of(path: str) -> Language | None:
    """The language of a file by its suffix; None where there is none."""
    return next((one for one in _LANGUAGES if path.endswith(one.SUFFIXES)), None)
