"""Base models: the embedded starter, a folder, or a hub name, loaded by transformers.

A hub name is looked up in the local cache only: fetching is ``personalizer models pull``'s work,
so that no other command leaves the machine.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from personalizer.errors import BaseModelError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "STARTER",
    "LoadedBase",
    "Quantization",
    "base_folder",
    "fingerprint",
    "load_base",
    "load_tokenizer",
    "model_folder",
]

# on a CPU it says at every layer and step that it casts
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

STARTER = "starter"
"""Name of the embedded base model."""

Quantization = Literal["8bit", "4bit"]
"""How bitsandbytes keeps linear layers: LLM.int8, or NF4 with double quantisation."""


@dataclass(frozen=True)
class LoadedBase:
    """A base model in memory."""

    name: str
    """As the user gave it."""
    folder: Path
    """Where its files lie."""
    model: PreTrainedModel
    """In evaluation mode."""
    tokenizer: PreTrainedTokenizerBase

    @property
    def context(self) -> int:
        """Most tokens of prompt and target together."""
        limit = getattr(self.model.config, "max_position_embeddings", None)
        return int(limit or getattr(self.model.config, "n_positions", None) or 1024)

    @property
    def encoder_decoder(self) -> bool:
        return bool(getattr(self.model.config, "is_encoder_decoder", False))


def base_folder(name: str) -> Path:
    """Where a base model's files lie on this machine.

    Raises:
        BaseModelError: If there is none.
    """
    if name == STARTER:
        folder = Path(__file__).parent / STARTER
        if not (folder / "config.json").is_file():
            raise BaseModelError(f"the embedded base model is missing from {folder}: install again")
        return folder
    return model_folder(name, "base model", "config.json", f"use --base {STARTER}")


def model_folder(name: str, kind: str, mark: str, otherwise: str) -> Path:
    """Where the files of a model lie, which a folder or a hub name gives; nothing is fetched.

    Args:
        name: As the user gave it.
        kind: What it should be, as the user is told.
        mark: A file that every such model has.
        otherwise: What to do instead of pulling it.

    Raises:
        BaseModelError: If there is none, or not of this kind.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return _marked(path, kind, mark, otherwise).resolve()
    if path.is_absolute() or name.startswith((".", "~")):
        raise BaseModelError(f"no {kind} lies at {name}: give a folder with a {mark}")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise BaseModelError(
            f"the {kind} {name} is not on this machine: "
            f"fetch it with `personalizer models pull {name}`, or {otherwise}"
        ) from error
    return _marked(folder, kind, mark, otherwise)


def _marked(folder: Path, kind: str, mark: str, otherwise: str) -> Path:
    if not (folder / mark).is_file():
        raise BaseModelError(f"no {kind} lies in {folder}, which has no {mark}: {otherwise}")
    return folder


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a base model.

    Raises:
        BaseModelError: If there is none that can be read.
    """
    from transformers import AutoTokenizer

    folder = base_folder(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BaseModelError(f"the tokenizer in {folder} cannot be read: {error}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.model_max_length = 10**9  # prompts are packed to the budget before
    return tokenizer


def load_base(
    name: str,
    *,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    quantization: Quantization | None = None,
) -> LoadedBase:
    """A base model with its tokenizer.

    Args:
        name: ``starter``, a folder, or a hub name that was pulled before.
        device: Such as ``cuda:0``; the best one here when left out.
        dtype: float32 on a CPU and bfloat16 elsewhere when left out.
        quantization: Keep linear layers in 8 or 4 bits; None keeps them whole.

    Raises:
        BaseModelError: If it is not there, cannot be read, or does not fit its tokenizer.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    folder = base_folder(name)
    tokenizer = load_tokenizer(name)
    place = device or best_device()
    choices = _quantized(quantization, place) if quantization else {}
    kind = dtype or (torch.float32 if place == "cpu" else torch.bfloat16)
    try:
        config = AutoConfig.from_pretrained(folder)
        loader: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        model = loader.from_pretrained(folder, config=config, dtype=kind, **choices)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BaseModelError(f"the base model in {folder} cannot be loaded: {error}") from error
    entries = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > entries:
        raise BaseModelError(
            f"the base model in {folder} does not fit its tokenizer: "
            f"{entries} embeddings for {len(tokenizer)} tokens"
        )
    if quantization:
        _keep_trainable(model)
    placed = model if quantization else model.to(place)
    return LoadedBase(name, folder, placed.eval(), tokenizer)


def _quantized(quantization: Quantization, place: str) -> dict[str, Any]:
    """What ``from_pretrained`` is told, as QLoRA does it (Dettmers et al. 2023)."""
    import torch
    from transformers import BitsAndBytesConfig

    if quantization == "8bit":
        config = BitsAndBytesConfig(load_in_8bit=True)
    else:
        config = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.float32 if place == "cpu" else torch.bfloat16,
        )
    return {"quantization_config": config, "device_map": {"": place}}


def _keep_trainable(model: Any) -> None:
    """Keeps 4-bit layers as they are on a CPU.

    bitsandbytes 0.50 packs them anew at the first evaluation there, after which no gradient
    passes them.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def best_device() -> str:
    """``cuda``, ``mps`` or ``cpu``."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def fingerprint(folder: Path) -> str:
    """Hash of a model's configuration, tokenizer and weights (32 hex digits).

    An adapter fits only the base whose fingerprint its manifest bears.
    """
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(folder.iterdir()):
        if file.suffix == ".safetensors" or file.name in ("config.json", "tokenizer.json"):
            digest.update(file.name.encode())
            with file.open("rb") as stream:
                while block := stream.read(1 << 22):
                    digest.update(block)
    return digest.hexdigest()
