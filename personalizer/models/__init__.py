"""Base models: the embedded starter, a folder, or a hub name, loaded by transformers.

A hub name is looked up in the local cache only: fetching is ``personalizer models pull``'s work,
so that no other command leaves the machine.
"""

from __future__ import annotations

import hashlib
import logging
import os
import traceback
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from personalizer.digests import kept_digest, quick_digest
from personalizer.errors import BaseModelError, BaseTooLarge

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "STARTER",
    "LoadedBase",
    "Quantization",
    "base_folder",
    "best_device",
    "check_weights",
    "fingerprint",
    "half_of",
    "load_base",
    "load_tokenizer",
    "model_folder",
    "parameters_of",
    "quick_fingerprint",
    "ran_out_of_memory",
    "tokenizer_files",
]

# on a CPU it says at every layer and step that it casts
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

STARTER = "starter"
"""Name of the embedded base model."""

_OF_TOKENIZER = (
    *("tokenizer", "special_tokens", "added_tokens", "vocab", "merges", "spiece", "sentencepiece"),
    *("bpe", "dict"),
)
"""What the names of a tokenizer's files begin with."""

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
    return model_folder(name, "base model", "config.json", f"use the base {STARTER}")


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
    path = Path(name)
    with suppress(OSError, RuntimeError):  # a name too long, or of a user who is not there
        path = path.expanduser()
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
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BaseModelError(f"the tokenizer in {folder} cannot be read: {_why(error)}") from error
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
        dtype: float32 on a CPU and ``half_of`` the device elsewhere when left out.
        quantization: Keep linear layers in 8 or 4 bits; None keeps them whole.

    Raises:
        BaseModelError: If it is not there, cannot be read, or does not fit its tokenizer.
        BaseTooLarge: If memory does not suffice for it.
    """
    import torch
    from transformers import AutoConfig

    folder = base_folder(name)
    check_weights(folder)
    tokenizer = load_tokenizer(name)
    place = device or best_device()
    kind = dtype or (torch.float32 if place == "cpu" else half_of(place))
    choices: dict[str, Any] = {} if place == "cpu" else {"device_map": {"": place}}
    if quantization:
        choices = _quantized(quantization, place, kind)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        model = _loader(config).from_pretrained(
            folder,
            config=config,
            dtype=kind,
            trust_remote_code=False,
            use_safetensors=True,
            **choices,
        )
    except (OSError, ValueError, KeyError, RuntimeError, MemoryError) as error:
        if ran_out_of_memory(error) or "out of memory" in _unsaid(error):
            raise BaseTooLarge(
                f"the base model {name} does not fit into the free memory of {place}: "
                "take a smaller one, or close other programs"
            ) from error
        raise BaseModelError(
            f"the base model in {folder} cannot be loaded: {_why(error)}"
        ) from error
    entries = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > entries:
        raise BaseModelError(
            f"the base model in {folder} does not fit its tokenizer: "
            f"{entries} embeddings for {len(tokenizer)} tokens"
        )
    if quantization:
        _keep_trainable(model)
    return LoadedBase(name, folder, model.eval(), tokenizer)


def check_weights(folder: Path) -> None:
    """Refuses a model without weights that can be loaded; nothing but safetensors is.

    Raises:
        BaseModelError: If there are none.
    """
    if not any(folder.glob("*.safetensors")):
        raise BaseModelError(
            f"expected weights as safetensors in {folder}, found none: pickles, which can hold "
            "code, are not loaded; let transformers' `save_pretrained` convert them"
        )


def _why(error: BaseException) -> str:
    """What is said of files that cannot be loaded; no code among them is ever run."""
    if "trust_remote_code" in str(error):
        return "it brings code of its own, which is never run: take one that transformers knows"
    return str(error)


def _unsaid(error: BaseException) -> str:
    """Why weights could not be quantised, or nothing.

    transformers 5 catches what is raised meanwhile and raises only that something was; the rest
    goes into a warning.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        info = frame.f_locals.get("loading_info")
        if reasons := getattr(info, "conversion_errors", None):
            return "\n".join(map(str, reasons.values()))
    return ""


def parameters_of(name: str) -> int:
    """Parameters of a base model, counted without loading its weights.

    Raises:
        BaseModelError: If it is not there or cannot be read.
    """
    import torch
    from transformers import AutoConfig

    folder = base_folder(name)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            return int(
                _loader(config).from_config(config, trust_remote_code=False).num_parameters()
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BaseModelError(
            f"the base model in {folder} cannot be loaded: {_why(error)}"
        ) from error


def _loader(config: Any) -> Any:
    """Who makes a model of a configuration."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    return AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM


def _quantized(quantization: Quantization, place: str, kind: torch.dtype) -> dict[str, Any]:
    """What ``from_pretrained`` is told, as QLoRA does it (Dettmers et al. 2023)."""
    from transformers import BitsAndBytesConfig

    if quantization == "8bit":
        config = BitsAndBytesConfig(load_in_8bit=True)
    else:
        config = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=kind,
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
    """``cuda:0``, ``mps`` or ``cpu``.

    Each process of ``accelerate launch`` has a GPU of its own, which is made torch's current one.
    """
    import torch

    if not torch.cuda.is_available():
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if "LOCAL_RANK" not in os.environ:
        return "cuda:0"
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return f"cuda:{os.environ['LOCAL_RANK']}"


def half_of(device: str) -> torch.dtype:
    """The 16-bit floats that an accelerator computes in.

    NVIDIA GPUs before Ampere only emulate bfloat16, several times slower than float16; torch says
    that they support it unless asked without emulation.
    """
    import torch

    cuda = device.startswith("cuda")
    real = not cuda or torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if real else torch.float16


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is not enough memory, of the machine or the accelerator.

    accelerate knows torch's allocators; what CUDA and cuBLAS say themselves, which ask for memory
    of their own, it does not.
    """
    from accelerate.utils.memory import should_reduce_batch_size

    if not isinstance(error, RuntimeError):
        return isinstance(error, MemoryError)
    said = str(error)
    own = "out of memory" in said or "CUBLAS_STATUS_ALLOC_FAILED" in said
    return own or bool(should_reduce_batch_size(error))


def fingerprint(folder: Path) -> str:
    """Hash of a model's configuration, tokenizer and weights (32 hex digits).

    An adapter fits only the base whose fingerprint its manifest bears. Of a tokenizer that is kept
    as a whole that one file counts, else every file of it. Files that have not changed since are
    not read again: large ones take half a minute.
    """
    files = _fingerprinted(folder)
    return kept_digest(files, partial(_hashed, files))


def quick_fingerprint(folder: Path) -> str | None:
    """The same; None of large files that nobody has read since they changed."""
    files = _fingerprinted(folder)
    return quick_digest(files, partial(_hashed, files))


def _fingerprinted(folder: Path) -> list[Path]:
    whole = folder / "tokenizer.json"
    of_tokenizer = [whole] if whole.is_file() else tokenizer_files(folder)
    return sorted({*folder.glob("config.json"), *folder.glob("*.safetensors"), *of_tokenizer})


def tokenizer_files(folder: Path) -> list[Path]:
    """A model's tokenizer files, by name."""
    return [file for file in sorted(folder.iterdir()) if file.name.startswith(_OF_TOKENIZER)]


def _hashed(files: list[Path]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()
