"""Strategies that train weights of the base itself, and how those are kept: only what trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from personalizer.errors import AdapterError
from personalizer.models import LoadedBase
from personalizer.training.strategies.layouts import stack
from personalizer.training.strategies.records import Options

__all__ = ["WEIGHTS", "custom", "embeddings_and_output", "last_block", "load", "write"]

WEIGHTS = "model.safetensors"
_BASE = "base_parameters"
"""Key of the file's metadata: parameters of the whole base, which an adapter must fit."""
_PREFIX = "prefix.weight"


def custom(base: LoadedBase, options: Options) -> Any:
    """All parameters (Z22 3.2)."""
    return base.model.requires_grad_(True)


def embeddings_and_output(base: LoadedBase, options: Options) -> Any:
    """Token embeddings and the output layer, which many bases tie to them (Z22 3.3)."""
    model: Any = base.model.requires_grad_(False)
    model.get_input_embeddings().requires_grad_(True)
    model.get_output_embeddings().requires_grad_(True)
    return model


def last_block(base: LoadedBase, options: Options) -> Any:
    """The last decoder block (Z22 3.4)."""
    model: Any = base.model.requires_grad_(False)
    stack(model.get_decoder())[-1].requires_grad_(True)
    return model


def write(model: Any, folder: Path) -> None:
    """Writes the parameters that require gradients.

    Raises:
        AdapterError: If none does.
    """
    from safetensors.torch import save_file

    trained = {
        name: one.detach().cpu().contiguous()
        for name, one in model.named_parameters()
        if one.requires_grad
    }
    if not trained:
        raise AdapterError("expected a model with trained parameters, got one that is frozen")
    save_file(trained, str(folder / WEIGHTS), {_BASE: str(_parameters(model))})


def load(base: LoadedBase, file: Path, *, trainable: bool = False) -> None:
    """Puts what was trained into the base's model.

    Args:
        base: Changed in place.
        file: As ``write`` made it.
        trainable: Whether the parameters in it, and no others, are to require gradients.

    Raises:
        AdapterError: If it was trained on a base of another shape.
    """
    import torch
    from safetensors import safe_open

    from personalizer.training.strategies.blocks import install

    with safe_open(str(file), "pt") as tensors:
        found = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118
        told = (tensors.metadata() or {}).get(_BASE)
    if told != str(_parameters(base.model)):
        raise AdapterError(
            f"expected an adapter of a base with {_parameters(base.model)} parameters, got {told}"
        )
    if _PREFIX in found:
        install(base.model, found[_PREFIX].shape[3])
    own = dict(base.model.named_parameters())
    base.model.requires_grad_(False)
    for name, weight in found.items():
        if name not in own or own[name].shape != weight.shape:
            raise AdapterError(f"{name} of shape {tuple(weight.shape)} is no part of the base")
        with torch.no_grad():
            own[name].copy_(weight)
        own[name].requires_grad_(trainable)


def _parameters(model: Any) -> int:
    return sum(one.numel() for name, one in model.named_parameters() if name != _PREFIX)
