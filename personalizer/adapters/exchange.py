"""Adapters that travel: written for others, and taken in from others without trusting them.

What comes in is copied first and judged as copied: plain files that the manifest names, with the
hashes that it names, as safetensors or JSON. Nothing in it is ever executed.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from indexer.plain_files import open_plain
from personalizer.adapters.forget import has_seen
from personalizer.adapters.manifest import (
    BASE,
    MANIFEST,
    PAIRS,
    Adapter,
    Manifest,
    Trained,
    read_manifest,
)
from personalizer.adapters.registry import Registry
from personalizer.errors import AdapterError, BadInput, StorageError
from personalizer.storage import file_digest

__all__ = ["Base", "export", "import_folder", "new_folder"]

_SUFFIXES = (".safetensors", ".json")
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz")
_LARGEST_JSON = 256 * 2**20
"""Bytes; a manifest and the hashes of a million pairs stay below."""
_NAME = r"^[a-z0-9][a-z0-9_-]{0,98}[a-z0-9]$"


@dataclass(frozen=True)
class Base:
    """The base model that this machine would serve an adapter with."""

    name: str
    fingerprint: str


def export(adapter: Adapter, target: Path) -> list[str]:
    """Writes an adapter's files into a new folder, byte for byte; says which.

    Where PEFT has the method, plain PEFT loads the folder.

    Raises:
        AdapterError: If the adapter is damaged.
        BadInput: If something is at ``target`` already.
        StorageError: If it cannot be written.
    """
    adapter.verify()
    names = [*sorted(adapter.manifest.files), MANIFEST]
    with new_folder(target) as staging:
        for name in names:
            shutil.copyfile(adapter.folder / name, staging / name)
    return names


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which appears at ``target`` whole or not at all.

    Raises:
        BadInput: If something is there already.
        StorageError: If it cannot be written.
    """
    if os.path.lexists(target) and not _empty_folder(target):
        raise BadInput(f"expected a new or empty folder, got {target}: something is there")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            yield staging
            staging.chmod(0o755)
            staging.replace(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise StorageError(f"cannot write {target}: {error.strerror}") from error


def import_folder(
    registry: Registry, folder: Path, base: Base, forgotten: Sequence[str] = ()
) -> Adapter:
    """Takes in an adapter that ``export`` wrote, here or elsewhere; it does not serve by that.

    Args:
        registry: Gets the adapter under its own name.
        folder: What ``export`` wrote.
        base: The adapter must be of this one; its name becomes the adapter's base.
        forgotten: Files and folders that the adapter must not have seen.

    Raises:
        AdapterError: If anything in the folder is not as the manifest says, or may be code, or the
            adapter is of another base, or another adapter had its name.
        StorageError: If the disk is full or read-only.
    """
    with registry.changing():
        staging = registry.staging()
        try:
            manifest = _copied(folder, staging)
            _check_base(manifest, base)
            _check_seen(staging, manifest, forgotten)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            kept = replace(manifest, base=base.name, imported_at=now)
            registry.adopt(staging, kept)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return registry.get(kept.id)


def _copied(folder: Path, staging: Path) -> Manifest:
    """Copies what a manifest names, and checks the copies."""
    if folder.is_symlink() or not folder.is_dir():
        raise AdapterError(f"expected a folder that `adapters export` wrote, got {folder}")
    names = _plain_files(folder)
    if MANIFEST not in names:
        raise AdapterError(f"expected a {MANIFEST} in {folder}, as `adapters export` writes it")
    with tempfile.TemporaryDirectory(dir=staging.parent, prefix=staging.name) as apart:
        _copy(folder / MANIFEST, Path(apart) / MANIFEST, _LARGEST_JSON)
        manifest = _manifest_of(Path(apart))
    _check_names(names, manifest)
    for name, digest in manifest.files.items():
        small = name.endswith(".json")
        _copy(folder / name, staging / name, _LARGEST_JSON if small else None)
        if file_digest(staging / name) != digest:
            raise AdapterError(f"{name} is not the file that the manifest names: export again")
        _check_content(staging / name)
    return manifest


def _plain_files(folder: Path) -> set[str]:
    names = set()
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink():
            raise AdapterError(f"{entry.name} is a link: expected plain files alone")
        if not entry.is_file():
            raise AdapterError(f"{entry.name} is no file: expected plain files alone")
        if entry.name.endswith(_PICKLES):
            raise AdapterError(
                f"{entry.name} may be a pickle, which can run code: expected safetensors"
            )
        names.add(entry.name)
    return names


def _manifest_of(folder: Path) -> Manifest:
    try:
        name = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=dict[str, object]).get(
            "id"
        )
    except ValueError as error:
        raise AdapterError(f"{MANIFEST} is damaged: {error}: export again") from error
    if not isinstance(name, str) or not re.fullmatch(_NAME, name) or name == BASE:
        raise AdapterError(f"expected an adapter's name of a-z, 0-9, - and _, got {name!r}")
    named = folder / name
    named.mkdir()
    (folder / MANIFEST).replace(named / MANIFEST)
    return read_manifest(named)


def _check_names(names: set[str], manifest: Manifest) -> None:
    for name in manifest.files:
        if name != os.path.basename(name) or name in ("", ".", "..") or "\\" in name:  # noqa: PTH119
            raise AdapterError(f"the manifest names {name!r}, which lies outside the folder")
        if not name.endswith(_SUFFIXES) or name == MANIFEST:
            raise AdapterError(f"the manifest names {name}: expected safetensors and JSON alone")
        if name not in names:
            raise AdapterError(f"{name} is missing: export again")
    if unknown := names - manifest.files.keys() - {MANIFEST}:
        raise AdapterError(f"{min(unknown)} is not named by the manifest: take it out")
    if not any(name.endswith(".safetensors") for name in manifest.files):
        raise AdapterError("expected weights as safetensors, the manifest names none")


def _copy(source: Path, target: Path, most: int | None) -> None:
    """Copies a plain file; a link put there meanwhile is not followed."""
    try:
        reading = open_plain(source)
    except OSError as error:
        raise AdapterError(f"{source.name} cannot be read: {error.strerror}") from error
    with reading:
        if most is not None and os.fstat(reading.fileno()).st_size > most:
            raise AdapterError(f"{source.name} is larger than {most >> 20} MiB")
        try:
            with target.open("wb") as writing:
                shutil.copyfileobj(reading, writing)
        except OSError as error:
            raise StorageError(f"cannot write {target}: {error.strerror}") from error


def _check_content(file: Path) -> None:
    """Refuses what only bears the name of safetensors or JSON, and what names code."""
    if file.suffix == ".safetensors":
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(file), framework="numpy"):
                return
        except (SafetensorError, OSError, ValueError) as error:
            raise AdapterError(f"{file.name} holds no safetensors: {error}") from error
    kind = Trained if file.name == PAIRS else dict[str, object]
    try:
        content: object = msgspec.json.decode(file.read_bytes(), type=kind)
    except ValueError as error:
        raise AdapterError(f"{file.name} is damaged: {error}: export again") from error
    if file.name == _PEFT and isinstance(content, dict):
        _check_peft(content)


_PEFT = "adapter_config.json"
_Modules = list[Annotated[str, msgspec.Meta(pattern=r"\A\w[\w.-]*\Z", max_length=300)]]
"""Plain names: PEFT takes a string, and the keys of patterns, for regular expressions."""
_Size = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_TELLING: dict[str, Any] = {
    "peft_type": Literal["LORA", "IA3", "PREFIX_TUNING", "PROMPT_TUNING"],
    "task_type": Literal["CAUSAL_LM", "SEQ_2_SEQ_LM"],
    "peft_version": str,
    "base_model_name_or_path": str,
    "inference_mode": bool,
    "target_modules": _Modules | Literal["all-linear"],
    "feedforward_modules": _Modules,
    "fan_in_fan_out": bool,
    "r": _Size,
    "lora_alpha": float,
    "lora_dropout": Annotated[float, msgspec.Meta(ge=0, le=1)],
    "bias": Literal["none"],
    "use_rslora": bool,
    "use_dora": bool,
    "init_lora_weights": bool,
    "init_ia3_weights": bool,
    "num_virtual_tokens": _Size,
    "token_dim": _Size,
    "num_transformer_submodules": _Size,
    "num_attention_heads": _Size,
    "num_layers": _Size,
    "encoder_hidden_size": _Size,
    "prompt_tuning_init": Literal["RANDOM"],
    "megatron_core": Literal["megatron.core"],  # a default, of no use without megatron_config
    "qalora_group_size": int,  # likewise, without use_qalora
}
"""What our methods set of PEFT's configuration, and what PEFT writes into it by itself."""


def _check_peft(config: dict[str, object]) -> None:
    """Refuses what else PEFT would do as it is told: import, match, read, fetch.

    Raises:
        AdapterError: Names the key.
    """
    for key, value in config.items():
        if value is None or value is False or value in ("", [], {}):
            continue
        if key not in _TELLING:
            raise AdapterError(f"{_PEFT} sets {key}, which no method of ours does: take it out")
        try:
            msgspec.convert(value, _TELLING[key])
        except msgspec.ValidationError as error:
            raise AdapterError(f"{_PEFT} sets {key} as no method of ours does: {error}") from error


def _check_base(manifest: Manifest, base: Base) -> None:
    if manifest.base_fingerprint != base.fingerprint:
        raise AdapterError(
            f"the adapter {manifest.id} is of another base ({manifest.base}) than {base.name} as "
            "it is here: set `base` to the model that it was trained on"
        )


def _check_seen(staging: Path, manifest: Manifest, forgotten: Sequence[str]) -> None:
    if not forgotten:
        return
    try:
        trained = msgspec.json.decode((staging / PAIRS).read_bytes(), type=Trained)
    except FileNotFoundError:
        trained = Trained({}, [])
    if has_seen(trained, forgotten):
        raise AdapterError(
            f"{manifest.id} has learnt from files that were to be forgotten "
            f"({', '.join(forgotten)}), or does not say from which"
        )


def _empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())
