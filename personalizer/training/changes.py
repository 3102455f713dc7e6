"""How far training moved each block of a model (Figure 3 of Zlotchevski et al., 2022)."""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psutil

from personalizer.models import LoadedBase, load_base
from personalizer.training.compute import size_of

if TYPE_CHECKING:
    import torch

__all__ = ["block_changes", "block_of"]

_BLOCK = re.compile(r"(?:(encoder|decoder)\.)?(?:layers|layer|h|blocks|block)\.(\d+)\.")
_EMBEDDING = re.compile(r"embed|shared|wte|wpe")


def block_of(name: str) -> str:
    """The block that a parameter belongs to.

    Example:
        >>> block_of("model.layers.3.mlp.up_proj.weight"), block_of("lm_head.weight")
        ('block 3', 'output')
        >>> block_of("decoder.block.0.layer.1.EncDecAttention.q.weight")
        'decoder 0'
    """
    match = _BLOCK.search(name)
    if match:
        return f"{match[1] or 'block'} {match[2]}"
    return "embeddings" if _EMBEDDING.search(name) else "output"


def block_changes(model: Any, base: LoadedBase) -> dict[str, float]:
    """Mean of ``|after - before|`` over all weights of each block, frozen ones included.

    LoRA matrices and scaling vectors count as the weights they come to once merged. Virtual
    tokens change no weights. A quantised base counts what LoRA adds to it.

    Args:
        model: As trained, in evaluation mode; its weights are left as they were.
        base: What it was trained from; read from disk again, as training changed it in place.

    Returns:
        By block, in the model's order; nothing where memory does not suffice for the base a second
        time: the adapter counts for more than this does.
    """
    if getattr(base.model, "quantization_method", None) is not None:
        sizes = {_plain(name): size_of(weight) for name, weight in model.named_parameters()}
        moved = _added(model)
    else:
        kind = next(base.model.parameters()).dtype
        if base.model.num_parameters() * kind.itemsize > psutil.virtual_memory().available:
            return {}
        before = load_base(str(base.folder), device="cpu", dtype=kind).model
        weights = dict(before.named_parameters())
        sizes = {name: weight.numel() for name, weight in weights.items()}
        moved = (
            (name, after.float() - weights[name].detach().float())
            for name, after in _effective(model)
            if name in weights
        )
    totals: dict[str, int] = defaultdict(int)
    sums: dict[str, float] = defaultdict(float)
    for name, size in sizes.items():
        totals[block_of(name)] += size
    for name, difference in moved:
        sums[block_of(name)] += float(difference.abs().sum(dtype=difference.dtype))
    return {block: sums[block] / total for block, total in totals.items()}


def _effective(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Trained weights as they act, by their names in the base, on the CPU."""
    import torch
    from peft.tuners.tuners_utils import BaseTunerLayer

    inside = set()
    for name, module in model.named_modules():
        if isinstance(module, BaseTunerLayer):
            inside |= {id(weight) for weight in module.parameters()}
            weight = module.get_base_layer().weight
            kept = weight.data
            weight.data = kept.to(torch.float32, copy=True)  # 16 bits would round changes away
            module.merge()
            merged = weight.detach().cpu().clone()
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Unmerge result can be inaccurate")  # IA3
                module.unmerge()
            weight.data = kept  # subtracting again would leave rounding behind
            yield f"{_plain(name)}.weight", merged
    for name, weight in model.named_parameters():
        if weight.requires_grad and id(weight) not in inside:
            yield _plain(name), weight.detach().cpu()


def _added(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    for name, module in model.named_modules():
        if hasattr(module, "get_delta_weight"):
            for adapter in module.active_adapters:
                yield f"{_plain(name)}.weight", module.get_delta_weight(adapter).detach().float()


def _plain(name: str) -> str:
    """A parameter's name in the base: without what PEFT wraps around it."""
    return name.removeprefix("base_model.model.").replace(".base_layer.", ".")
