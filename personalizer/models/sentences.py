"""Sentence-embedding models: texts to vectors, by the extra ``embeddings``.

A model is a folder as sentence-transformers writes it, or a hub name that was pulled before. It
runs none of the code that may lie beside its weights.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from personalizer.errors import BaseModelError, SettingsError
from personalizer.models import best_device, model_folder
from personalizer.settings import BM25

__all__ = ["Sentences", "sentences_folder"]

_TOGETHER = 32
"""Texts of a batch."""


class Sentences:
    """Makes vectors in this process; asked from any thread, it answers one after the other.

    The model asked last stays in memory.
    """

    def __init__(self) -> None:
        self._access = threading.Lock()
        self._name: str | None = None
        self._model: Any = None

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """See ``Engine.embed``."""
        with self._access:
            if model != self._name:
                self._name = self._model = None  # frees the memory before the next model comes
                self._model, self._name = _loaded(model), model
            if not texts:
                return []
            rows: list[list[float]] = self._model.encode(
                list(texts),
                batch_size=_TOGETHER,
                normalize_embeddings=True,
                show_progress_bar=False,
            ).tolist()
        return rows

    def close(self) -> None:
        """Gives all memory back; the next request loads again."""
        with self._access:
            self._name = self._model = None


def sentences_folder(name: str) -> Path:
    """Where an embedding model's files lie on this machine.

    Raises:
        BaseModelError: If there is none.
    """
    return model_folder(name, "embedding model", "modules.json", f"set retriever to {BM25}")


def _loaded(name: str) -> Any:
    """The model, ready to encode.

    Raises:
        BaseModelError: If it is not there or cannot be read.
        SettingsError: If sentence-transformers is not installed.
    """
    folder = sentences_folder(name)
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise SettingsError(
            f"retriever {name} needs sentence-transformers: "
            f"pip install sentence-transformers, or set retriever to {BM25}"
        ) from error
    try:
        _check_modules(folder)
        return SentenceTransformer(
            str(folder), device=best_device(), local_files_only=True, trust_remote_code=False
        )
    except (ImportError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise BaseModelError(
            f"the embedding model in {folder} cannot be loaded: {reason}"
        ) from error


def _check_modules(folder: Path) -> None:
    """Refuses a model whose ``modules.json`` names others' classes, which would be imported.

    Raises:
        ValueError: If one is named, or it cannot be read.
    """
    for module in msgspec.json.decode((folder / "modules.json").read_bytes(), type=list[_Module]):
        if not module.type.startswith("sentence_transformers."):
            raise ValueError(
                f"modules.json names {module.type}, which is not sentence-transformers'"
            )


class _Module(msgspec.Struct):
    """An entry of ``modules.json``."""

    type: str
