"""Base models that are known to fit, and the one place that downloads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from personalizer.errors import BaseModelError
from personalizer.models import STARTER, base_folder, check_weights

__all__ = ["KNOWN", "Known", "listing", "pull"]


@dataclass(frozen=True, slots=True)
class Known:
    """A base model that is worth trying."""

    name: str
    """``starter`` or a hub name."""
    parameters: int
    licence: str
    """SPDX id, or the licence's own name; the user accepts it by pulling."""

    @property
    def training_bytes(self) -> int:
        """Rough memory for LoRA in bfloat16: weights, and as much again for activations."""
        return 4 * self.parameters + 1_000_000_000


KNOWN: tuple[Known, ...] = (
    Known(STARTER, 7_200_000, "Apache-2.0"),
    Known("Salesforce/codet5p-220m", 223_000_000, "BSD-3-Clause"),
    Known("Salesforce/codegen-350M-multi", 357_000_000, "BSD-3-Clause"),
    Known("Qwen/Qwen2.5-Coder-0.5B", 494_000_000, "Apache-2.0"),
    Known("Qwen/Qwen2.5-Coder-1.5B", 1_544_000_000, "Apache-2.0"),
    Known("Qwen/Qwen2.5-Coder-7B", 7_616_000_000, "Apache-2.0"),
    Known("codellama/CodeLlama-7b-hf", 6_738_000_000, "Llama 2 Community License"),
)

_FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
"""No pickles: weights come as safetensors or not at all."""


def listing() -> list[dict[str, Any]]:
    """Known bases: size, licence, whether they lie here and whether training fits this machine."""
    memory = _memory()
    rows = []
    for one in KNOWN:
        try:
            where: Path | None = base_folder(one.name)
        except BaseModelError:
            where = None
        rows.append(
            {
                "name": one.name,
                "parameters": one.parameters,
                "bytes": 2 * one.parameters,
                "licence": one.licence,
                "here": where is not None,
                "training_bytes": one.training_bytes,
                "fits": one.training_bytes <= memory,
            }
        )
    return rows


def pull(name: str) -> Path:
    """Downloads a base model from the hub; nothing else in Personalizer downloads.

    Returns:
        The folder that it lies in.

    Raises:
        BaseModelError: If it cannot be had, or has no weights that can be loaded.
    """
    if name == STARTER:
        return base_folder(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=_FILES))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BaseModelError(
            f"the base model {name} cannot be fetched: {reason}; check its name and the network, "
            "or fetch it elsewhere and give its folder as --base"
        ) from error
    check_weights(folder)
    return folder


def _memory() -> int:
    """Bytes that a training may use: the accelerator's, else what is available here."""
    try:
        import torch
    except ImportError:
        return int(psutil.virtual_memory().available)
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[1])
    return int(psutil.virtual_memory().available)
