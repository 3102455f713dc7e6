"""Where a snippet goes, and what a language has to know to write one there."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexer import Method, Snapshot, Span, index_file
from personalizer.engine import Completion, Request
from personalizer.generation.records import SnippetGeneration
from personalizer.validation import Validator, Verdict

__all__ = ["Language", "Spot", "alone", "in_python"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A documented function whose body is not written, or a bare comment in a body."""

    path: str
    """File; indexed."""
    method: Method
    comment: Span | None = None
    """Bytes of the comment, of lines that follow each other those of the last; None where the
    whole body is to be written."""


def in_python(path: str) -> bool:
    """Whether a snippet in a file is one in Python; else it is one in Java."""
    return path.endswith(".py")


def alone(root: Path, path: str, unsaved: str | None = None) -> Snapshot | None:
    """The file that a snippet in Python is written from; None where the project's index has it."""
    return index_file(root, path, unsaved) if in_python(path) else None


class Language(Protocol):
    """What a module of this package offers, one a language."""

    def find(self, snapshot: Snapshot, path: str, at: int | str) -> Spot:
        """What stands at a line (from 1) or has a name; raises as ``generate_snippet``."""

    def begun(self, snapshot: Snapshot, spot: Spot) -> str:
        """A body up to the end of its comment, as the prompt shows it."""

    def asked(self, snapshot: Snapshot, request: Request, spot: Spot) -> Request:
        """A request that ends where code of this language ends, and what it may use."""

    def written(
        self, made: SnippetGeneration, snapshot: Snapshot, spot: Spot, completion: Completion
    ) -> SnippetGeneration:
        """The code that a completion holds, with its edit, or why there is none."""

    def compiled(
        self,
        validator: Validator,
        file: str,
        source: str,
        own: Method,
        cancelled: threading.Event | None,
    ) -> Verdict:
        """Whether a file compiles with this text, as ``Validator.compile`` says it.

        What is still to be written in it, apart from the snippet's own method, counts as whole.
        """
