"""A base model in memory and the adapters that lie on it.

LoRA matrices and what prefixes and soft prompts make the base remember are kept beside the base:
any number of them, and requests for different ones go through the model together. Other adapters
change the base's layers by PEFT (IA3, DoRA); one of them at a time, alone.
"""

from __future__ import annotations

import copy
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import torch
from transformers import DynamicCache

from personalizer.adapters.manifest import MANIFEST, check_files
from personalizer.engine.ends import MethodEnd
from personalizer.engine.matrices import Matrices, RowMatrices, matrices_of
from personalizer.engine.reading import decoded
from personalizer.errors import AdapterError
from personalizer.models import LoadedBase, Quantization, fingerprint, ran_out_of_memory
from personalizer.training.strategies import STRATEGIES, check_width

__all__ = ["Adapter", "Asked", "Resident", "quantization_of"]

_ADAPTERS = 16
"""Adapters in memory for each base."""


@dataclass(frozen=True, eq=False)
class Adapter:
    """What an adapter adds to a base: one of these, or nothing for the base itself."""

    matrices: Matrices | None = None
    """LoRA."""
    past: DynamicCache | None = None
    """What the model remembers before the prompt's first token: a prefix, or a soft prompt read."""
    layers: Any = None
    """PEFT's model, whose layers lie in the base's place: such an adapter mixes with nothing."""
    wrapper: Any = None
    """PEFT's model around an encoder-decoder, for a soft prompt."""

    @property
    def virtual_tokens(self) -> int:
        """Positions that a prefix or a soft prompt takes."""
        if self.wrapper is not None:
            return int(self.wrapper.active_peft_config.num_virtual_tokens)
        return 0 if self.past is None else int(self.past.get_seq_length())


@dataclass(frozen=True)
class Asked:
    """A model ready for one request."""

    base: LoadedBase
    adapter: Adapter

    @property
    def model(self) -> Any:
        return self.adapter.wrapper or self.base.model

    def remembered(self, rows: int = 1) -> DynamicCache | None:
        """A cache to begin with, of so many equal rows; None begins with nothing."""
        if self.adapter.past is None:
            return None
        past = copy.deepcopy(self.adapter.past)
        past.batch_repeat_interleave(rows)
        return past


@dataclass
class Resident:
    """A base model and the adapters that lie on it."""

    base: LoadedBase
    adapters: OrderedDict[Path, Adapter] = field(default_factory=OrderedDict)
    """By folder, the one used last at the end."""
    matrices: RowMatrices = field(default_factory=RowMatrices)
    print: str | None = None
    """The base's fingerprint, taken when first an adapter asks for it."""
    _laid: Path | None = None
    """Folder of the adapter whose layers lie in the base's place."""
    _laid_on: bool = False
    """Whether they are switched on."""

    @cached_property
    def closing(self) -> MethodEnd:
        """Finds where a method ends."""
        tokenizer = self.base.tokenizer  # alone: an answered request does not hold the model
        return MethodEnd(tokenizer, lambda row: decoded(tokenizer, row))

    def adapter(self, folder: Path | None) -> Adapter:
        """An adapter, loaded where it was not; the base's own for none.

        Raises:
            AdapterError: If it is missing, damaged, or of another base.
        """
        if folder is None:
            return Adapter()
        found = self.adapters.get(folder) or self._load(folder)
        self.adapters[folder] = found
        self.adapters.move_to_end(folder)
        return found

    def turn_to(self, adapters: Sequence[Adapter]) -> None:
        """Says whose the rows of the next passes are."""
        wanted = any(one.layers is not None for one in adapters)
        if self._laid is not None and self._laid_on != wanted:
            layers = self.adapters[self._laid].layers.base_model
            (layers.enable_adapter_layers if wanted else layers.disable_adapter_layers)()
            self._laid_on = wanted
        self.matrices.choose([one.matrices for one in adapters])

    def check(self, folder: Path) -> None:
        """Refuses an adapter whose manifest names another base, or other files than are there.

        Raises:
            AdapterError: If the base's files are not those that the adapter was trained on, or its
                own not those that training wrote.
        """
        manifest = _manifest(folder)
        if manifest is None:
            return
        self.print = self.print or fingerprint(self.base.folder)
        if manifest.base_fingerprint != self.print:
            raise AdapterError(
                f"the adapter in {folder} was trained on another base than {self.base.name} "
                "as it is now: train again"
            )
        check_files(folder, manifest.files)

    def _load(self, folder: Path) -> Adapter:
        self.check(folder)
        while len(self.adapters) >= _ADAPTERS:
            self._forget(next(iter(self.adapters)))
        if self._laid is not None:
            self._forget(self._laid)  # PEFT does not lay one over another
        try:
            with warnings.catch_warnings():
                # peft 0.21 reads an attribute that transformers 5.23 has renamed
                warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
                # an adapter with a part missing would answer with random weights
                warnings.filterwarnings("error", "Found missing adapter keys")
                return self._by_peft(folder)
        except Exception as error:  # PEFT raises whatever its files make it raise
            self._lift()
            if ran_out_of_memory(error):
                raise
            raise AdapterError(
                f"the adapter in {folder} does not fit {self.base.name}: {_line(error)}"
            ) from error

    def _by_peft(self, folder: Path) -> Adapter:
        from peft import PeftConfig, PeftModel

        config = PeftConfig.from_pretrained(str(folder))
        check_width(config, self.base)
        self._bare  # noqa: B018 - as the model was before PEFT touched it
        wrapper = PeftModel.from_pretrained(self.base.model, str(folder)).eval()
        if config.is_prompt_learning:
            if self.base.encoder_decoder:
                return Adapter(wrapper=wrapper)
            return Adapter(past=self._read(wrapper))
        if mixes(folder):
            found = matrices_of(wrapper)
            self._lift()
            return Adapter(matrices=found)
        self._laid, self._laid_on = folder, True
        return Adapter(layers=wrapper)

    @cached_property
    def _bare(self) -> dict[str, torch.nn.Module]:
        """The base's own layers by name."""
        return dict(self.base.model.named_modules())

    def _lift(self) -> None:
        """Puts the base's own layers back where PEFT laid others."""
        model = self.base.model
        for name, module in self._bare.items():
            parent, _, child = name.rpartition(".")
            if name and getattr(self._bare[parent], child) is not module:
                setattr(self._bare[parent], child, module)
        vars(model).pop("peft_config", None)

    def _read(self, wrapper: Any) -> DynamicCache:
        """What the base remembers of virtual tokens."""
        self.matrices.choose([])
        with torch.inference_mode():
            virtual = wrapper.get_prompt(batch_size=1)
            if isinstance(virtual, torch.Tensor):  # embeddings
                given = virtual.to(self.base.model.dtype)
                past = DynamicCache()
                self.base.model(inputs_embeds=given, past_key_values=past, use_cache=True)
                return past
            layers = getattr(virtual, "layers", virtual)
            return DynamicCache([(layer.keys, layer.values) for layer in layers])

    def _forget(self, folder: Path) -> None:
        gone = self.adapters.pop(folder)
        if gone.layers is not None:
            self._lift()
            self._laid = None


def mixes(folder: Path) -> bool:
    """Whether rows with an adapter go through the model together with rows without it.

    Virtual tokens do, and pairs of LoRA matrices by themselves: biases, embeddings and other
    modules that were trained along show in the weights.

    Raises:
        AdapterError: If its files cannot be read.
    """
    from peft import PeftConfig
    from safetensors import safe_open

    try:
        config = PeftConfig.from_pretrained(str(folder))
        if config.peft_type != "LORA" or any(getattr(config, name, None) for name in _NOT_MATRICES):
            return bool(config.is_prompt_learning)
        with safe_open(str(folder / "adapter_model.safetensors"), "pt") as weights:
            return all(
                name.endswith((".lora_A.weight", ".lora_B.weight"))
                and len(weights.get_slice(name).get_shape()) == 2
                for name in weights.keys()  # noqa: SIM118
            )
    except Exception as error:  # of whatever is wrong with its files
        raise AdapterError(f"the adapter in {folder} cannot be read: {_line(error)}") from error


_NOT_MATRICES = (
    "use_dora",
    "use_qalora",
    "use_bdlora",
    "velora_config",
    "monteclora_config",
    "kasa_config",
    "arrow_config",
    "alora_invocation_tokens",
    "target_parameters",
    "layer_replication",
)
"""What PEFT reckons in another way."""


class _Manifest(msgspec.Struct):
    """What is asked here of an adapter's manifest, whichever version wrote it."""

    base_fingerprint: str
    method: str | None = None
    files: dict[str, str] = {}


def _manifest(folder: Path) -> _Manifest | None:
    """What an adapter says of itself; None for somebody else's PEFT files.

    Raises:
        AdapterError: If it is damaged.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Manifest)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise AdapterError(f"the manifest in {folder} is damaged: train again") from error


def quantization_of(folder: Path) -> Quantization | None:
    """How the base was kept in training: an adapter serves as it was judged."""
    manifest = _manifest(folder)
    method = manifest.method if manifest else None
    return STRATEGIES[method].quantization if method in STRATEGIES else None


def _line(error: Exception) -> str:
    """The first line of an error of a library."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
