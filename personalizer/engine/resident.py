"""A base model in memory and the PEFT adapters that lie on it, switched from request to request."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from personalizer.errors import AdapterError
from personalizer.models import LoadedBase, Quantization, fingerprint
from personalizer.training.strategies import STRATEGIES, check_width

__all__ = ["Asked", "Resident", "quantization_of"]

_ADAPTERS = 8
"""PEFT adapters in memory for each base."""


@dataclass(frozen=True)
class Asked:
    """A model ready for one request."""

    base: LoadedBase
    model: Any
    """The base model, or PEFT's wrapper around it."""
    virtual_tokens: int
    """Positions that a prefix or a soft prompt takes."""


@dataclass
class Resident:
    """A base model and the PEFT adapters that lie on it."""

    base: LoadedBase
    wrapper: Any = None
    """PEFT's model; None while no adapter was asked for."""
    names: OrderedDict[Path, str] = field(default_factory=OrderedDict)
    """PEFT's name of each adapter by folder, the one used last at the end."""
    loaded: int = 0
    broken: bool = False
    """PEFT failed and may have left half of an adapter: load everything anew."""
    print: str | None = None
    """The base's fingerprint, taken when first an adapter asks for it."""

    @contextmanager
    def switched(self, folder: Path | None) -> Iterator[Asked]:
        if folder is None:
            if self.wrapper is None or self.wrapper.active_peft_config.is_prompt_learning:
                yield Asked(self.base, self.base.model, 0)  # virtual tokens change no layer
            else:
                with self.wrapper.disable_adapter():
                    yield Asked(self.base, self.wrapper, 0)
            return
        name = self.names.get(folder) or self._add(folder)
        self.names[folder] = name
        self.names.move_to_end(folder)
        self.wrapper.set_adapter(name)
        config = self.wrapper.peft_config[name]
        virtual = config.num_virtual_tokens if config.is_prompt_learning else 0
        yield Asked(self.base, self.wrapper, virtual)

    def check(self, folder: Path) -> None:
        """Refuses an adapter whose manifest names another base.

        Raises:
            AdapterError: If the base's files are not those that the adapter was trained on.
        """
        manifest = _manifest(folder)
        if manifest is None:
            return
        wanted = manifest["base_fingerprint"]
        self.print = self.print or fingerprint(self.base.folder)
        if wanted != self.print:
            raise AdapterError(
                f"the adapter in {folder} was trained on another base than {self.base.name} "
                "as it is now: train again"
            )

    def _add(self, folder: Path) -> str:
        from peft import PeftConfig, PeftModel

        self.check(folder)
        name = f"adapter_{self.loaded}"
        self.loaded += 1
        try:
            with warnings.catch_warnings():
                # peft 0.21 reads an attribute that transformers 5.23 has renamed
                warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
                # an adapter with a part missing would answer with random weights
                warnings.filterwarnings("error", "Found missing adapter keys")
                config = PeftConfig.from_pretrained(str(folder))
                check_width(config, self.base)
                if self.wrapper is not None and config.peft_type != self.wrapper.peft_type:
                    self._unwrap()
                if self.wrapper is None:
                    self.wrapper = PeftModel.from_pretrained(
                        self.base.model, str(folder), adapter_name=name
                    ).eval()
                else:
                    while len(self.names) >= _ADAPTERS:
                        self.wrapper.delete_adapter(self.names.popitem(last=False)[1])
                    found = self.wrapper.load_adapter(str(folder), adapter_name=name)
                    missing = [key for key in found.missing_keys if "prompt_encoder" not in key]
                    if missing:
                        raise ValueError(f"Found missing adapter keys: {missing}")
        except Exception as error:  # PEFT raises whatever its files make it raise
            self.broken = True
            raise AdapterError(
                f"the adapter in {folder} does not fit {self.base.name}: {_line(error)}"
            ) from error
        return name

    def _unwrap(self) -> None:
        """Takes every adapter off: PEFT does not mix types on one model."""
        if not self.wrapper.active_peft_config.is_prompt_learning:
            self.wrapper.unload()
        self.wrapper = None
        self.names.clear()


def _manifest(folder: Path) -> dict[str, Any] | None:
    """What an adapter says of itself; None for somebody else's PEFT files.

    Raises:
        AdapterError: If it is damaged.
    """
    try:
        manifest: dict[str, Any] = msgspec.json.decode((folder / "manifest.json").read_bytes())
        return {"base_fingerprint": manifest["base_fingerprint"], "method": manifest.get("method")}
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise AdapterError(f"the manifest in {folder} is damaged: train again") from error


def quantization_of(folder: Path) -> Quantization | None:
    """How the base was kept in training: an adapter serves as it was judged."""
    method = (_manifest(folder) or {}).get("method")
    return STRATEGIES[method].quantization if method in STRATEGIES else None


def _line(error: Exception) -> str:
    """The first line of an error of a library."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
