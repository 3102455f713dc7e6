"""What the server reads of the daemon's JSON answers; other keys pass by unread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from personalizer.edits import TextEdit
from personalizer.errors import DaemonError

__all__ = ["Candidate", "Edit", "Generation", "Snippet", "read"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Edit:
    """Where a generated text goes."""

    file: str
    """POSIX, relative to the workspace."""
    created: bool
    """The file does not exist yet."""
    sha256: str | None
    """Of the file's bytes that ``changes`` count; None where it does not exist yet."""
    changes: tuple[TextEdit, ...]
    """In bytes of the file's UTF-8 text, in order, without overlap."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One generated test."""

    text: str = ""
    parses: bool = True
    unknown_symbols: tuple[str, ...] = ()
    may_compile: bool = True
    compiles: bool | None = None
    failure: str | None = None
    """What the compiler or the runner says of it."""
    passes: bool | None = None
    new_lines: int | None = None
    new_branches: int | None = None
    mutants: int | None = None
    killed: int = 0
    new_killed: int | None = None
    settled: bool = False
    notes: tuple[str, ...] = ()
    """What was done to it, or must be known of it, one sentence each."""

    @property
    def doubtful(self) -> bool:
        """Whether it is known to fail, or not to compile."""
        return not self.may_compile or self.compiles is False or self.passes is False


@dataclass(frozen=True, slots=True)
class Generation:
    """The answer to "generate a test"."""

    adapter: str
    """Id of the adapter that wrote it, or ``base``."""
    candidates: tuple[Candidate, ...] = ()
    """Best first."""
    edit: Edit | None = None
    no_edit: str | None = None
    """Why ``edit`` is None."""
    not_run: str | None = None
    """Why the best of them was not compiled or run."""
    notes: tuple[str, ...] = ()
    """What else the user should know, one sentence each."""

    @property
    def best(self) -> Candidate:
        return self.candidates[0] if self.candidates else Candidate()


@dataclass(frozen=True, slots=True)
class Snippet:
    """The answer to "generate a snippet"."""

    adapter: str
    edit: Edit | None = None
    no_edit: str | None = None
    """Why ``edit`` is None."""
    compiles: bool | None = None
    failure: str | None = None
    """What the compiler says of it."""
    not_run: str | None = None
    """Why it was not compiled."""
    notes: tuple[str, ...] = ()
    """What was mended in it, one sentence each."""


def read(answer: Mapping[str, Any], kind: type[T]) -> T:
    """An answer as a record.

    Raises:
        DaemonError: If it is not of that shape, as from a daemon of another version.
    """
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError as error:
        raise DaemonError(
            f"the daemon's answer is not a {kind.__name__.lower()} ({error}): "
            "stop it with `personalizer daemon stop`, it starts again by itself"
        ) from error
