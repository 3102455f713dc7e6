"""What a manifest says of where an adapter comes from: pairs, licences, secrets, libraries."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from indexer import Snapshot
from personalizer.adapters import UsedPair
from personalizer.dataset import SIDES, Dataset
from personalizer.models import tokenizer_files
from personalizer.settings import Settings

__all__ = ["licence_in", "provenance", "tokenizer_fingerprint", "used_pairs"]

_HEADER = 4000
"""Bytes of a file in which its licence is looked for."""
_SPDX = re.compile(r"SPDX-License-Identifier:\s*([\w.+-]+(?: (?:OR|AND|WITH) [\w.+-]+)*)")
_PHRASES = (
    ("Apache-2.0", re.compile(r"Apache License,?\s+Version 2\.0", re.I)),
    ("LGPL", re.compile(r"GNU Lesser General Public License", re.I)),
    ("AGPL", re.compile(r"GNU Affero General Public License", re.I)),
    ("GPL", re.compile(r"GNU General Public License", re.I)),
    ("EPL", re.compile(r"Eclipse Public License", re.I)),
    ("MPL-2.0", re.compile(r"Mozilla Public License,?\s+(?:v\.|version)\s*2\.0", re.I)),
    ("MIT", re.compile(r"Permission is hereby granted, free of charge", re.I)),
    ("BSD", re.compile(r"Redistribution and use in source and binary forms", re.I)),
)
"""The first that is found counts; families stand where the text names no version clearly."""


def provenance(
    snapshot: Snapshot, dataset: Dataset, settings: Settings, base: Path
) -> dict[str, Any]:
    """Fields of a manifest, ready to be passed to it.

    Args:
        snapshot: The project.
        dataset: What was used of it.
        settings: How it was split.
        base: Folder of the base model.
    """
    classes = {side: {e.pair.focal_class for e in dataset.sides[side]} for side in SIDES}
    return {
        "tokenizer_fingerprint": tokenizer_fingerprint(base),
        "split": {
            "seed": settings.seed,
            "validation_fraction": settings.validation_fraction,
            "gate_fraction": settings.gate_fraction,
            "classes": {side: len(names) for side, names in classes.items()},
        },
        "secrets": _secrets(snapshot),
        "licences": _licences(snapshot, dataset),
        "libraries": dict(_libraries()),
    }


def used_pairs(dataset: Dataset) -> list[UsedPair]:
    """Every pair of a dataset with its side."""
    return [
        UsedPair(e.pair.digest, side, e.pair.focal_class, e.pair.test.path)
        for side in SIDES
        for e in dataset.sides[side]
    ]


def licence_in(text: str) -> str | None:
    """The licence that a file's header names, by SPDX id where it says one; None for none.

    Example:
        >>> licence_in("/* Licensed under the Apache License, Version 2.0 */")
        'Apache-2.0'
    """
    named = _SPDX.search(text)
    if named:
        return named[1]
    words = re.sub(r"[\s*/#]+", " ", text)
    return next((name for name, phrase in _PHRASES if phrase.search(words)), None)


def tokenizer_fingerprint(folder: Path) -> str:
    """Hash of a model's tokenizer files (32 hex digits)."""
    digest = hashlib.blake2b(digest_size=16)
    for file in tokenizer_files(folder):
        digest.update(file.name.encode())
        digest.update(hashlib.blake2b(file.read_bytes()).digest())
    return digest.hexdigest()


def _secrets(snapshot: Snapshot) -> dict[str, int]:
    kinds = Counter(
        reason.removeprefix("secret (").removesuffix(")")
        for reason in snapshot.excluded.values()
        if reason.startswith("secret")
    )
    return dict(sorted(kinds.items()))


def _licences(snapshot: Snapshot, dataset: Dataset) -> dict[str, int]:
    paths = {path for pair in dataset.pairs() for path in (pair.focal.path, pair.test.path)}
    found = Counter(
        licence_in(snapshot.source(path)[:_HEADER].decode("utf-8", "replace")) or "none named"
        for path in paths
    )
    return dict(sorted(found.items()))


def _libraries() -> Iterator[tuple[str, str]]:
    for name in ("torch", "transformers", "peft", "tokenizers"):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
