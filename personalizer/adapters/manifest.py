"""What is known of one adapter: its manifest, the pairs it was trained on, its files' hashes."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from personalizer.digests import kept_digest, quick_digest
from personalizer.errors import AdapterError, BaseModelError
from personalizer.models import base_folder
from personalizer.storage import file_digest

__all__ = [
    "BASE",
    "MANIFEST",
    "PAIRS",
    "Adapter",
    "Manifest",
    "Side",
    "Trained",
    "UsedPair",
    "check_files",
    "halves",
    "identity",
    "new_id",
    "read_manifest",
]

BASE = "base"
"""Name of the base model alone where an adapter could be named."""
Side = Literal["train", "validation", "gate"]
"""What a pair is for: to train, to stop a training, or to judge."""
MANIFEST, PAIRS = "manifest.json", "pairs.json"


@dataclass(frozen=True)
class Manifest:
    """What is known of an adapter; written once."""

    id: str
    method: str
    base: str
    """As the user named it."""
    base_fingerprint: str
    """Of the base's configuration, tokenizer and weights."""
    trained_at: str
    """ISO 8601, UTC."""
    commit: str | None
    """HEAD when it was trained; None outside git."""
    pairs: dict[str, int]
    """train, validation, gate."""
    left_out: dict[str, int]
    """Pairs left out of training by reason."""
    excluded: dict[str, int]
    """Files left out of the index by reason."""
    hyperparameters: dict[str, Any]
    metrics: dict[str, dict[str, float | None]]
    """``base`` and ``adapter``: validation_loss, gate_loss, gate_perplexity; None: no number."""
    gate: dict[str, Any]
    """The verdict: outcome, reason, base_loss, adapter_loss, low, high, pairs, of how many."""
    steps: int
    tokens: int
    seconds: float
    tokens_per_second: float
    peak_memory_bytes: int
    pf_seconds: float
    trainable_parameters: int
    history: list[dict[str, float]]
    version: str
    """Of Personalizer."""
    tokenizer_fingerprint: str
    """Of the tokenizer's files alone."""
    split: dict[str, Any]
    """seed, validation_fraction, gate_fraction, and the number of focal classes a side."""
    secrets: dict[str, int]
    """Files left out because they hold a secret, by its kind."""
    licences: dict[str, int]
    """Licences that the files of its pairs name, by SPDX id; ``none named`` for the others."""
    forecast: dict[str, Any]
    """What was foretold before the run, by the names that the fact has here."""
    pf_seconds_measured: float
    """PetaFLOP-seconds by what a step really multiplied; ``pf_seconds`` goes by Z22's rule."""
    adapter_bytes: int
    mean_absolute_change: dict[str, float | None]
    """By block of the model, see ``training.changes``."""
    ended: str
    """Why training ended: ``epochs``, ``steps``, ``patience`` or ``budget``."""
    eased: list[str]
    """What was given up because memory ran out, one sentence each."""
    libraries: dict[str, str]
    """Versions of torch, transformers and peft."""
    files: dict[str, str] = field(default_factory=dict)
    """BLAKE2b of each file beside the manifest."""
    imported_at: str | None = None
    """When it came from elsewhere (ISO 8601, UTC); None for one that was trained here."""
    parent: str | None = None
    """Adapter whose weights it started from; None when it started from the base."""
    continual: dict[str, Any] | None = None
    """Of an adapter with a parent: held-out losses on new and on old pairs, see ``continual``."""
    chosen: str | None = None
    """Why the method ``auto`` chose this one; None when the user named it."""
    judged: dict[str, int] = field(default_factory=dict)
    """validation, gate: how many of the held-out ``pairs`` judged base and adapter."""
    gate_losses: list[float | None] = field(default_factory=list)
    """The adapter's on each gate pair that judged, in the order of the draw (``judging``)."""
    warning: str | None = None
    """What the user should know of the training, in one sentence."""


@dataclass(frozen=True)
class UsedPair:
    """One pair that an adapter was trained, stopped or judged with."""

    digest: str
    """Changes when the code of either side changes; its halves are focal method and test."""
    side: Side
    focal_class: str
    """Path and class."""
    test: str
    """Path of the test's file."""

    @property
    def halves(self) -> tuple[str, str]:
        return halves(self.digest)

    @property
    def paths(self) -> tuple[str, str]:
        """The files whose code it shows."""
        return self.focal_class.rpartition("#")[0], self.test


@dataclass(frozen=True)
class Trained:
    """What an adapter has seen; ``status`` compares the project with it."""

    pairs: dict[str, str]
    """Digest by stable name of each pair that the project had."""
    symbols: list[str]
    """Names of the methods and types that the project had."""
    used: list[UsedPair] = field(default_factory=list)
    """The pairs that were used, on any side."""
    inherited: list[UsedPair] = field(default_factory=list)
    """Those of its parent, and of the parent's parents."""

    def digests(self) -> set[str]:
        """Of every pair that is named here."""
        named = {pair.digest for pair in (*self.used, *self.inherited)}
        return named | set(self.pairs.values())

    def learnt(self) -> set[str]:
        """Digests of the pairs whose targets trained it or one of its parents."""
        return {p.digest for p in (*self.used, *self.inherited) if p.side == "train"}

    def learnt_tests(self) -> set[str]:
        """Digests of the tests among them, whatever became of their focal methods."""
        return {halves(digest)[1] for digest in self.learnt()}


@dataclass(frozen=True)
class Adapter:
    """An adapter on disk."""

    folder: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def base(self) -> str:
        return self.manifest.base

    def trained(self) -> Trained:
        """What it has seen.

        Raises:
            AdapterError: If the file is damaged.
        """
        try:
            return msgspec.json.decode((self.folder / PAIRS).read_bytes(), type=Trained)
        except (OSError, ValueError) as error:
            raise AdapterError(f"adapter {self.id} is damaged: {error}: train again") from error

    def fits(self, fingerprint_of: Callable[[Path], str | None]) -> bool:
        """Whether its base, as it lies on this machine, is what it was trained on.

        Yes, too, where the base is not here or ``fingerprint_of`` does not know it.
        """
        try:
            found = fingerprint_of(base_folder(self.base))
        except (BaseModelError, OSError):
            return True
        return found in (self.manifest.base_fingerprint, None)

    def check_base(self, fingerprint: str) -> None:
        """Refuses another base than it was trained on.

        Raises:
            AdapterError: If this fingerprint is not that of its base.
        """
        if fingerprint != self.manifest.base_fingerprint:
            raise self.of_another_base()

    def of_another_base(self) -> AdapterError:
        """What is said of one that does not fit."""
        return AdapterError(
            f"{self.id} was trained on another base than {self.base} is now: train again"
        )

    def check_files(self) -> None:
        """Refuses files that cannot serve, as far as that is quickly seen; see ``check_files``."""
        check_files(self.folder, self.manifest.files, quick_digest)

    def verify(self) -> None:
        """Checks every file against the manifest.

        Raises:
            AdapterError: Names the first file that is missing or changed.
        """
        for name, digest in self.manifest.files.items():
            path = self.folder / name
            if not path.is_file() or file_digest(path) != digest:
                raise _damaged(self.id, f"{name} was changed")


def check_files(
    folder: Path,
    files: Mapping[str, str],
    digest_of: Callable[[list[Path], Callable[[], str]], str | None] = kept_digest,
) -> None:
    """Checks the files that an adapter serves with: all but its pairs.

    Args:
        folder: The adapter's.
        files: Hashes by name, as its manifest has them.
        digest_of: Gives the hash of a file or, of one too large to be read now, None: then only the
            header of its weights is looked at.

    Raises:
        AdapterError: Names the first file that is missing, cut off or changed.
    """
    for name, wanted in files.items():
        path = folder / name
        if name == PAIRS:
            continue
        if not (_is_whole(path) if name.endswith(".safetensors") else path.is_file()):
            raise _damaged(folder.name, f"{name} is missing or cut off")
        try:
            digest = digest_of([path], partial(file_digest, path))
        except OSError as error:
            raise _damaged(folder.name, f"{name} cannot be read ({error.strerror})") from error
        if digest not in (wanted, None):
            raise _damaged(folder.name, f"{name} was changed")


def _damaged(adapter_id: str, how: str) -> AdapterError:
    return AdapterError(f"adapter {adapter_id} is damaged: {how}: train again")


class _Tensor(msgspec.Struct):
    """An entry of a safetensors header; the one of the file itself names no place."""

    data_offsets: tuple[int, int] = (0, 0)


def _is_whole(weights: Path) -> bool:
    """Whether a safetensors file is as long as its header says.

    The header's length comes first, in eight bytes; places in the data count from its end.
    """
    try:
        with weights.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            begin = 8 + int.from_bytes(file.read(8), "little")
            header = file.read(begin - 8) if begin <= size else b""
        tensors = msgspec.json.decode(header, type=dict[str, _Tensor])
    except (OSError, ValueError):
        return False
    return size == begin + max((one.data_offsets[1] for one in tensors.values()), default=0)


def new_id(method: str) -> str:
    """A name for ever, on any machine: method, time (UTC) and 32 random bits."""
    return f"{method}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(4).hex()}"


def read_manifest(folder: Path) -> Manifest:
    """The manifest in an adapter's folder.

    Raises:
        FileNotFoundError: If there is none.
        AdapterError: If it is damaged, or is another adapter's.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, ValueError) as error:  # msgspec's errors and bad UTF-8 are ValueErrors
        raise AdapterError(f"adapter {folder.name} is damaged: {error}: train again") from error
    if manifest.id != folder.name:
        raise AdapterError(
            f"adapter {folder.name} is damaged: its manifest is that of {manifest.id}: train again"
        )
    return manifest


def halves(digest: str) -> tuple[str, str]:
    """What stands for the focal method in a pair's digest, and what for the test."""
    focal, _, test = digest.partition("-")
    return focal, test


def identity(files: Mapping[str, str]) -> str:
    """One hash for all files of an adapter: what its name stands for."""
    rows = "\n".join(f"{name} {digest}" for name, digest in sorted(files.items()))
    return hashlib.blake2b(rows.encode(), digest_size=16).hexdigest()
