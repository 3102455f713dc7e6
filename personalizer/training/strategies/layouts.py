"""What each family of models calls its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from personalizer.errors import SettingsError

if TYPE_CHECKING:
    import torch

__all__ = ["Layout", "known", "layout_of", "stack"]


@dataclass(frozen=True)
class Layout:
    """Ends of module names, as PEFT's ``target_modules`` takes them."""

    attention: tuple[str, ...]
    """Query, key and value; one module where they are fused."""
    feed_forward: tuple[str, ...]


_GATED = Layout(("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj", "down_proj"))
_BART = Layout(("q_proj", "k_proj", "v_proj"), ("fc1", "fc2"))
_LAYOUTS = {
    "bart": _BART,
    "codegen": Layout(("qkv_proj",), ("fc_in", "fc_out")),
    "gpt2": Layout(("c_attn",), ("mlp.c_fc", "mlp.c_proj")),
    "llama": _GATED,
    "mistral": _GATED,
    "plbart": _BART,
    "qwen2": _GATED,
    "qwen3": _GATED,
    "t5": Layout(("q", "k", "v"), ("wi", "wi_0", "wi_1", "wo")),
}
"""By ``model_type``. Those of W24's own runs are CodeGen's, T5's (CodeT5+) and Llama's."""


def known(model: Any) -> bool:
    """Whether the layers of a model's family are known."""
    return model.config.model_type in _LAYOUTS


def layout_of(model: Any) -> Layout:
    """The layers of a model that exist in it.

    Raises:
        SettingsError: If the family is not known.
    """
    kind = model.config.model_type
    if not known(model):
        raise SettingsError(
            f"expected a base of one of the families {', '.join(_LAYOUTS)}, got {kind}: "
            "use lora with all-linear targets, or custom"
        )
    ends = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    layout = _LAYOUTS[kind]
    return Layout(
        layout.attention,
        tuple(name for name in layout.feed_forward if name.rpartition(".")[2] in ends),
    )


def stack(part: Any) -> torch.nn.ModuleList:
    """The blocks of an encoder or a decoder, in order."""
    from torch import nn

    return next(child for child in part.children() if isinstance(child, nn.ModuleList))
