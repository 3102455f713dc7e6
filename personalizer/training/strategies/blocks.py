"""Prefixes that self-attention reads through a hook.

On an encoder-decoder that is every prefix, in encoder and decoder alike (Z22 3.5; decision 0006).
On a decoder-only base, where the prefix is PEFT's, it is so under gradient checkpointing only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from personalizer.errors import SettingsError
from personalizer.training.strategies.layouts import known, layout_of, stack

__all__ = ["NAME", "Prefix", "install", "read_when_checkpointed"]

NAME = "prefix"
"""The attribute of the model that holds it, and so the beginning of its weights' name."""


class Prefix(nn.Module):
    """Keys and values that every self-attention reads before those of the real tokens.

    They lie outside the cache and move no position: what a model may read and write stays as long
    as it was. T5's relative positions place them before the text.

    Shapes: L blocks of encoder and decoder, H heads, N virtual tokens, D width of a head.
    """

    def __init__(self, blocks: int, heads: int, tokens: int, width: int, like: torch.Tensor):
        super().__init__()
        shape = (blocks, 2, heads, tokens, width)
        weight = torch.empty(shape, device=like.device, dtype=torch.float32)
        self.weight = nn.Parameter(nn.init.normal_(weight, std=0.02))
        """``(L, 2, H, N, D)``, float32 on any base, as 16 bits would round steps away: keys and
        values, the encoder's blocks first."""
        self._recording = False

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Takes over what the blocks compute for N tokens, instead of adding to it."""
        self._recording = True
        try:
            yield
        finally:
            self._recording = False

    def cache(self, block: int, rest: Any) -> _Cache:
        return _Cache(self.weight[block], rest, self._recording)


class _Cache:
    """Stands before the cache of one self-attention, which may be None."""

    def __init__(self, weight: torch.Tensor, rest: Any, recording: bool) -> None:
        self.weight = weight
        self.rest = getattr(rest, "self_attention_cache", rest)
        self.recording = recording

    def get_seq_length(self, layer: int = 0) -> int:
        own = 0 if self.recording else self.weight.shape[2]
        return own + (self.rest.get_seq_length(layer) if self.rest is not None else 0)

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *more: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Shapes: B rows, T tokens; keys and values are ``(B, H, T, D)`` and come back longer."""
        if self.recording:
            self.weight.copy_(torch.stack((keys[0], values[0])))
            return keys, values
        if self.rest is not None:
            keys, values = self.rest.update(keys, values, layer)
        before = self.weight.to(keys.dtype).unsqueeze(1).expand(-1, keys.shape[0], -1, -1, -1)
        return torch.cat((before[0], keys), 2), torch.cat((before[1], values), 2)


def install(model: Any, tokens: int) -> Prefix:
    """Gives a BART or T5 a prefix of its own; the model has it as ``model.prefix``.

    Raises:
        SettingsError: If the family is not known.
    """
    names = layout_of(model).attention
    if len(names) != 3 or not model.config.is_encoder_decoder:
        raise SettingsError(f"expected a BART or a T5, got {model.config.model_type}")
    encoder, decoder = model.get_encoder(), model.get_decoder()
    found = [
        (_self_attention(block, names[-1]), part is decoder)
        for part in (encoder, decoder)
        for block in stack(part)
    ]
    first = found[0][0]
    heads = getattr(first, "num_heads", None) or first.n_heads
    inner = getattr(first, names[1]).out_features
    like = getattr(first, names[1]).weight
    own = Prefix(len(found), heads, tokens, inner // heads, like)
    for place, (attention, causal) in enumerate(found):
        attention.register_forward_pre_hook(
            _reader(own, place, attention.layer_idx, causal), with_kwargs=True
        )
    setattr(model, NAME, own)
    return own


def read_when_checkpointed(model: Any) -> None:
    """Lets PEFT's prefix train under gradient checkpointing.

    transformers takes the cache from a block whose activations are computed again, and PEFT's
    prefix lies there; computed twice, the block would also add to it twice.

    Args:
        model: PEFT's, on a decoder-only base; of an unknown family it is left as it is.
    """
    if known(model.base_model):
        key = layout_of(model.base_model).attention[-1]
        for place, block in enumerate(stack(model.base_model.get_decoder())):
            attention = _self_attention(block, key)
            attention.register_forward_pre_hook(_rereader(model, place), with_kwargs=True)


def _rereader(model: Any, place: int) -> Any:
    """A hook that gives one self-attention PEFT's prefix where it was taken away."""

    def before(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        name = "layer_past" if "layer_past" in kwargs else "past_key_values"
        if kwargs.get(name) is not None or not module.training or model._adapters_disabled:
            return None
        config = model.active_peft_config
        heads = config.num_attention_heads
        weight = model.prompt_encoder[model.active_adapter].embedding.weight
        both = weight.view(len(weight), -1, heads, config.token_dim // heads)
        own = both[:, 2 * place : 2 * place + 2].permute(1, 2, 0, 3)
        return args, kwargs | {name: _Cache(own, None, recording=False)}

    return before


def _self_attention(block: nn.Module, projection: str) -> Any:
    """The first module of a block that has a projection; cross-attention comes after."""
    return next(one for one in block.modules() if hasattr(one, projection))


def _reader(own: Prefix, place: int, layer: int, causal: bool) -> Any:
    """A hook that lays the prefix before what one self-attention reads."""

    def before(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        states = args[0] if args else kwargs["hidden_states"]
        name = "mask" if "mask" in kwargs else "attention_mask"
        cache = own.cache(place, kwargs.get("past_key_values"))
        past = cache.get_seq_length(layer)
        mask = kwargs.get(name)
        tokens = 0 if cache.recording else own.weight.shape[3]
        changed = kwargs | {"past_key_values": cache}
        if tokens:
            changed[name] = _widened(mask, tokens, past, states, causal)
        return args, changed

    return before


def _widened(
    mask: torch.Tensor | None, tokens: int, past: int, states: torch.Tensor, causal: bool
) -> torch.Tensor | None:
    """The mask with ``tokens`` columns before it that everybody sees.

    Without one, attention would take its queries to begin where its keys do.

    Shapes: B rows, T queries, K keys.

    Args:
        mask: ``(B, 1, T, K)``, bool or float; or ``(B, K)`` integers; None where all is seen.
        tokens: Of the prefix.
        past: Positions before the queries, the prefix included.
        states: ``(B, T, width)``, the queries' hidden states.
        causal: Whether a query sees no later key.
    """
    length = states.shape[1]
    if mask is None:
        if not causal or length == 1:
            return None
        seen = torch.ones(length, past + length, dtype=torch.bool, device=states.device)
        return seen.tril(past)[None, None]
    if mask.dtype.is_floating_point:
        return nn.functional.pad(mask, (tokens, 0), value=0.0)
    return nn.functional.pad(mask, (tokens, 0), value=1)
