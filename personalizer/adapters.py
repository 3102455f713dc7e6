"""Adapters on disk: an adapter exists when its manifest exists, and manifests are never edited.

adapters/<id>/adapter_model.safetensors, adapter_config.json   PEFT's own files
adapters/<id>/pairs.json       digests of the pairs it was trained on, symbols it has seen
adapters/<id>/manifest.json    written last
adapters/serving.json          which one serves, and which served before
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from personalizer.errors import AdapterError, StorageError
from personalizer.storage import write_atomically

__all__ = ["Adapter", "Manifest", "Registry", "Trained", "new_id"]


@dataclass(frozen=True)
class Manifest:
    """What is known of an adapter; written once."""

    id: str
    method: str
    base: str
    """As the user named it."""
    base_fingerprint: str
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
    metrics: dict[str, dict[str, float]]
    """``base`` and ``adapter``: validation_loss, gate_loss, gate_perplexity."""
    gate: dict[str, Any]
    """The verdict: outcome, reason, base_loss, adapter_loss, low, high, pairs."""
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
    files: dict[str, str] = field(default_factory=dict)
    """BLAKE2b of each file beside the manifest."""


@dataclass(frozen=True)
class Trained:
    """What an adapter has seen; ``status`` compares the project with it."""

    pairs: dict[str, str]
    """Digest by stable name of each pair used, on any side."""
    symbols: list[str]
    """Names of the methods and types that the project had."""


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
            return msgspec.json.decode((self.folder / _PAIRS).read_bytes(), type=Trained)
        except (OSError, msgspec.DecodeError) as error:
            raise AdapterError(f"adapter {self.id} is damaged: {error}: train again") from error

    def verify(self) -> None:
        """Checks every file against the manifest.

        Raises:
            AdapterError: Names the first file that is missing or changed.
        """
        for name, digest in self.manifest.files.items():
            path = self.folder / name
            if not path.is_file() or _digest(path) != digest:
                raise AdapterError(f"adapter {self.id} is damaged: {name} was changed: train again")


_MANIFEST, _PAIRS, _SERVING = "manifest.json", "pairs.json", "serving.json"


def new_id(method: str) -> str:
    """A name for ever: method, time (UTC) and four random hex digits."""
    return f"{method}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(2).hex()}"


class Registry:
    """The adapters of one workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Adapter]:
        """Adapters, oldest first; folders without a manifest are none."""
        found = []
        for path in sorted(self.folder.glob(f"*/{_MANIFEST}")):
            try:
                found.append(self.get(path.parent.name))
            except AdapterError:
                continue
        return sorted(found, key=lambda a: (a.manifest.trained_at, a.id))

    def get(self, adapter_id: str) -> Adapter:
        """The adapter of an id.

        Raises:
            AdapterError: If there is none, or its manifest is damaged.
        """
        folder = self.folder / adapter_id
        try:
            if folder.parent != self.folder:
                raise FileNotFoundError(adapter_id)
            data = (folder / _MANIFEST).read_bytes()
            return Adapter(folder, msgspec.json.decode(data, type=Manifest))
        except FileNotFoundError as error:
            raise AdapterError(
                f"no adapter is called {adapter_id}: see `personalizer adapters list`"
            ) from error
        except (OSError, msgspec.DecodeError) as error:
            raise AdapterError(f"adapter {adapter_id} is damaged: {error}: train again") from error

    def serving(self) -> Adapter | None:
        """The adapter that serves; None when the base serves."""
        for adapter_id in self._history()[:1]:
            try:
                return self.get(adapter_id)
            except AdapterError:
                return None
        return None

    def add(self, staging: Path, manifest: Manifest, trained: Trained) -> Adapter:
        """Takes a folder of weights in; the adapter exists when this returns, never in part.

        Raises:
            StorageError: If the disk is full or read-only.
        """
        target = self.folder / manifest.id
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            staging.replace(target)
        except OSError as error:
            raise StorageError(f"cannot write {target}: {error.strerror}") from error
        write_atomically(target / _PAIRS, msgspec.json.encode(trained))
        files = {f.name: _digest(f) for f in sorted(target.iterdir()) if f.is_file()}
        kept = replace(manifest, files=files)
        write_atomically(target / _MANIFEST, msgspec.json.format(msgspec.json.encode(kept)))
        return Adapter(target, kept)

    def use(self, adapter_id: str | None) -> None:
        """Lets an adapter serve from now on, or the base (None).

        Raises:
            AdapterError: If there is no such adapter or its files are damaged.
        """
        if adapter_id is not None:
            self.get(adapter_id).verify()
        self._write([adapter_id or "", *self._history()])

    def rollback(self) -> Adapter | None:
        """Lets the adapter serve that served before; None when that was the base.

        Raises:
            AdapterError: If nothing served before.
        """
        history = self._history()
        if not history:
            raise AdapterError("nothing served before: there is nothing to roll back to")
        before = history[1:]
        if before and before[0]:
            self.get(before[0]).verify()
        self._write(before)
        return self.serving()

    def remove(self, adapter_id: str) -> None:
        """Deletes an adapter; one that serves makes place for the one before it.

        Raises:
            AdapterError: If there is none.
        """
        folder = self.get(adapter_id).folder
        self._write([name for name in self._history() if name != adapter_id])
        (folder / _MANIFEST).unlink()
        shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> None:
        """Deletes what a killed training left without a manifest."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.is_dir() and not (path / _MANIFEST).exists():
                    shutil.rmtree(path, ignore_errors=True)

    def _history(self) -> list[str]:
        try:
            names = msgspec.json.decode((self.folder / _SERVING).read_bytes(), type=list[str])
        except (OSError, msgspec.DecodeError):
            return []
        return names

    def _write(self, history: list[str]) -> None:
        write_atomically(self.folder / _SERVING, msgspec.json.encode(history[:50]))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
