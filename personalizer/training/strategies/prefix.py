"""Prefix tuning and soft prompts: virtual tokens before the real ones, the base frozen.

On decoder-only bases both are PEFT's. On encoder-decoder bases PEFT's prefix reaches the decoder's
self-attention only; Z22 puts one into every block, so :class:`Prefix` does (decision 0006).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalizer.errors import AdapterError
from personalizer.models import LoadedBase
from personalizer.training.strategies.matrices import fitting, task_type, wrap
from personalizer.training.strategies.records import Options
from personalizer.training.strategies.words import spelled

if TYPE_CHECKING:
    import torch

    from personalizer.training.strategies.blocks import Prefix

__all__ = ["accept_batches", "prefix", "prefix_positions", "prompt", "prompt_positions"]

_PREFIX_TOKENS = 200
"""As in Z22."""
_PROMPT_TOKENS = 20
"""As in W24."""

_INSTRUCTION = "Unit test of the Java method."
"""A soft prompt begins with these words, as W24's begin with an instruction."""


def prefix_positions(options: Options, base: LoadedBase) -> int:
    """A prefix lies in a decoder-only base's cache, and beside an encoder-decoder's."""
    return 0 if base.encoder_decoder else options.virtual_tokens or _PREFIX_TOKENS


def prompt_positions(options: Options, base: LoadedBase) -> int:
    return options.virtual_tokens or _PROMPT_TOKENS


def prefix(base: LoadedBase, options: Options) -> Any:
    """Keys and values of virtual tokens in every block, begun with frequent words.

    Raises:
        AdapterError: If ``options.start_from`` holds no prefix of this shape.
    """
    count = options.virtual_tokens or _PREFIX_TOKENS
    if base.encoder_decoder:
        from personalizer.training.strategies.blocks import NAME, install

        base.model.requires_grad_(False)
        own = install(base.model, count)
        if options.start_from:
            _start(own.weight, options.start_from / "model.safetensors", f"{NAME}.weight")
        elif own.weight.device.type != "meta":
            _read_words(base, own, spelled(options.frequent_words, base.tokenizer, count))
        return base.model
    from peft import PrefixTuningConfig

    model = wrap(base, PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=count))
    weight = model.prompt_encoder["default"].embedding.weight
    if options.start_from:
        _start(weight, options.start_from / "adapter_model.safetensors", "prompt_embeddings")
    elif weight.device.type != "meta":
        _fill_cache(base, model, spelled(options.frequent_words, base.tokenizer, count))
    accept_batches(model)
    return model


def prompt(base: LoadedBase, options: Options) -> Any:
    """Embeddings of virtual tokens before the input, begun with an instruction."""
    import torch
    from peft import PromptTuningConfig

    count = options.virtual_tokens or _PROMPT_TOKENS
    model = wrap(
        base,
        PromptTuningConfig(
            task_type=task_type(base),
            num_virtual_tokens=count,
            num_transformer_submodules=1,  # the encoder of an encoder-decoder
        ),
    )
    weight = model.prompt_encoder["default"].embedding.weight
    if weight.device.type != "meta":
        ids = spelled((_INSTRUCTION,), base.tokenizer, count)
        with torch.no_grad():
            weight.copy_(model.word_embeddings(torch.tensor(ids, device=weight.device)))
    accept_batches(model)
    return model


def accept_batches(model: Any) -> None:
    """Lets PEFT's model with virtual tokens take the batches that every other model takes.

    PEFT needs the cache for a prefix, and drops the positions of a soft prompt: they are counted
    anew, padding left out. Other adapters are left alone.
    """
    config = model.active_peft_config
    if config.is_prompt_learning:
        model.register_forward_pre_hook(_without_refused, with_kwargs=True)
        if config.peft_type == "PREFIX_TUNING" and config.task_type == "CAUSAL_LM":
            from personalizer.training.strategies.blocks import read_when_checkpointed

            read_when_checkpointed(model)
        if config.peft_type == "PROMPT_TUNING" and config.task_type == "CAUSAL_LM":
            model.base_model.register_forward_pre_hook(_with_positions, with_kwargs=True)


def _without_refused(model: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    if not model._adapters_disabled:
        prefixed = model.active_peft_config.peft_type == "PREFIX_TUNING"
        kwargs = kwargs | ({"use_cache": None} if prefixed else {"position_ids": None})
    return args, kwargs


def _with_positions(model: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    mask = kwargs.get("attention_mask")
    first = kwargs.get("inputs_embeds") is not None and kwargs.get("position_ids") is None
    if first and mask is not None and mask.dim() == 2:
        kwargs = kwargs | {"position_ids": (mask.long().cumsum(1) - 1).clamp(min=0)}
    return args, kwargs


def _fill_cache(base: LoadedBase, model: Any, ids: list[int]) -> None:
    """The prefix is what the base remembers after reading ``ids``."""
    import torch
    from peft import initialize_kv_prefix_from_past_key_values

    with torch.no_grad(), model.disable_adapter():
        read = model(input_ids=torch.tensor([ids], device=base.model.device), use_cache=True)
    layers = [(layer.keys, layer.values) for layer in read.past_key_values.layers]
    with fitting(base, model.active_peft_config):
        initialize_kv_prefix_from_past_key_values(model, past_key_values=layers)


def _read_words(base: LoadedBase, own: Prefix, ids: list[int]) -> None:
    """Each block's prefix is its keys and values of ``ids``, read by encoder and decoder."""
    import torch

    tokens = torch.tensor([ids], device=base.model.device)
    with own.recording(), torch.no_grad():
        base.model(input_ids=tokens, decoder_input_ids=tokens, use_cache=False)


def _start(weight: torch.Tensor, file: Path, key: str) -> None:
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(file), "pt") as tensors:
            found = tensors.get_tensor(key)
    except (OSError, SafetensorError) as error:
        raise AdapterError(f"expected a prefix in {file.parent}, found none: {error}") from error
    if found.shape != weight.shape:
        raise AdapterError(
            f"expected a prefix of shape {tuple(weight.shape)} in {file.parent}, "
            f"got {tuple(found.shape)}: it is of another base or number of virtual tokens"
        )
    with torch.no_grad():
        weight.copy_(found)
