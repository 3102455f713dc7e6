"""Results on disk: one file a cell (method and fold), one folder a training.

<workspace data>/evaluation/
    cells/<key>.json        what a model wrote and what it lost, on the held-out pairs of a fold
    trainings/<key>/        an adapter that several cells use; ``training.json`` is written last
    verdicts/<key>.json     what became of a cell's tests when they were compiled and run

Keys are hashes of everything that decides the content, so a cell is never computed twice and a
changed project, base or setting never finds an old one.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from personalizer.errors import StorageError
from personalizer.storage import write_atomically

__all__ = ["Cell", "Cells", "Row", "Training", "key_of"]

FORMAT = 3
"""Changes when cells of before cannot be read, or would not be comparable."""


@dataclass(frozen=True)
class Row:
    """One held-out pair."""

    focal: str
    """``path#key`` of the focal method."""
    group: str
    """Its class, the unit of the bootstrap."""
    test: str
    """``path#key`` of the developers' test."""
    reference: str
    """The developers' test."""
    loss: float
    """Mean negative log likelihood per token of the reference, in nats."""
    tokens: int
    """Of the reference, the end token included."""
    examples: int
    """Pairs that the prompt showed."""
    greedy: str | None
    """The likeliest test, token by token; None where none was written."""
    beams: tuple[str, ...]
    """Ends of the beam search, the likeliest first."""


@dataclass(frozen=True)
class Training:
    """What an adapter cost."""

    strategy: str
    steps: int
    tokens: int
    """Trained on, prompts included."""
    seconds: float
    pf_seconds: float
    peak_memory_bytes: int
    trainable_parameters: int
    adapter_bytes: int
    """Of its files."""
    shares_base: bool
    """Whether it lies on the base beside others; else each adapter is a model of its own."""
    history: tuple[dict[str, float], ...]
    """One row an evaluation: step, loss, validation_loss."""
    blocks: dict[str, float]
    """Mean absolute change of each block's weights (Z22 figure 3)."""


@dataclass(frozen=True)
class Cell:
    """One method on one fold: only what its key decides, since other projects and folds with the
    same content find it, too."""

    method: str
    share: float
    """Of the fold's training pairs that were used; 1 but for the learning curve."""
    base: str
    base_fingerprint: str
    base_parameters: int
    base_bytes: int
    settings: dict[str, Any]
    pairs: dict[str, int]
    """Train, validation and held-out pairs."""
    left_out: dict[str, int]
    training: Training | None
    generation_seconds: float
    rows: tuple[Row, ...]
    format: int = FORMAT


def key_of(*parts: Any) -> str:
    """A short hash of JSON-ready parts."""
    return hashlib.blake2b(msgspec.json.encode([FORMAT, *parts]), digest_size=10).hexdigest()


_T = TypeVar("_T")


@dataclass(frozen=True)
class Cells:
    """The results of one workspace."""

    folder: Path

    def file(self, key: str) -> Path:
        return self.folder / "cells" / f"{key}.json"

    def training(self, key: str) -> Path:
        return self.folder / "trainings" / key

    def verdicts(self, key: str) -> Path:
        return self.folder / "verdicts" / f"{key}.json"

    def cell(self, key: str) -> Cell | None:
        """A cell that was computed before; None where there is none that can be read."""
        return read(self.file(key), Cell)

    def keep(self, key: str, cell: Cell) -> Path:
        """Writes a cell, whole or not at all.

        Raises:
            StorageError: If the disk is full or read-only.
        """
        write(self.file(key), cell)
        return self.file(key)

    def forget_training(self, key: str) -> None:
        """Frees the disk of an adapter whose cells are all there."""
        shutil.rmtree(self.training(key), ignore_errors=True)


def read(file: Path, kind: type[_T]) -> _T | None:
    """A record from a file; None where there is none of this format."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (FileNotFoundError, ValueError):
        return None
    except OSError as error:
        raise StorageError(f"cannot read {file}: {error.strerror}") from error


def write(file: Path, record: Any) -> None:
    """A record to a file, whole or not at all."""
    write_atomically(file, msgspec.json.format(msgspec.json.encode(record), indent=1))
