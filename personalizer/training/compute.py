"""What a training costs: floating-point operations by rule and as measured, and memory."""

from __future__ import annotations

import ctypes
import gc
import math
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from torch.utils.flop_counter import FlopCounterMode

__all__ = [
    "flop_counter",
    "forget_peak_memory",
    "give_memory_back",
    "keep_memory_below",
    "multiplying_parameters",
    "peak_memory_bytes",
    "petaflop_seconds",
    "size_of",
]


def petaflop_seconds(tokens: int, multiplying: int, trainable: int, evaluated: int = 0) -> float:
    """PetaFLOP-seconds of a training run by the rule of Zlotchevski et al. (2022), section 4.4.

    A forward pass takes two operations a parameter and token; the backward pass takes twice that,
    and nothing for frozen parameters. Look-ups in embedding tables multiply nothing, so neither
    number counts them. The rule flatters methods that freeze much: gradients must cross frozen
    layers too. ``pf_seconds_measured`` of a run counts what its steps really multiplied.

    Args:
        tokens: Tokens trained on, prompts included.
        multiplying: Parameters of the model without tables that are only looked up.
        trainable: Those of them that are updated.
        evaluated: Tokens that only went forward.

    Returns:
        PF-s: 1e15 floating-point operations each.

    Example:
        >>> petaflop_seconds(10**9, 10**6, 10**6)
        6.0
        >>> petaflop_seconds(10**9, 10**6, 0)
        2.0
    """
    forward, backward = 2 * multiplying, 4 * trainable
    return ((tokens + evaluated) * forward + tokens * backward) / 1e15


def multiplying_parameters(model: Any) -> tuple[int, int]:
    """Parameters that take part in multiplications, and those of them that are trainable.

    Tables of token and position embeddings are looked up; one that is tied to the output layer
    multiplies there, once.
    """
    import torch

    output = model.get_output_embeddings()
    tied = None if output is None else output.weight
    looked_up = {
        id(weight)
        for module in model.modules()
        if isinstance(module, torch.nn.Embedding)
        for weight in module.parameters(recurse=False)
        if weight is not tied
    }
    every = [weight for weight in model.parameters() if id(weight) not in looked_up]
    return sum(map(size_of, every)), sum(size_of(one) for one in every if one.requires_grad)


def size_of(weight: Any) -> int:
    """Numbers in a parameter; bitsandbytes packs two 4-bit ones into a byte."""
    return int(weight.numel()) * (2 if type(weight).__name__ == "Params4bit" else 1)


def flop_counter() -> FlopCounterMode:
    """Counts the multiplications of what runs under it, of quantised layers and on a CPU too.

    bitsandbytes' kernels are opaque to torch: their forward passes would count for nothing.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    def attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
        batch, heads, queries, width = query
        return int(2 * batch * heads * queries * key[2] * (width + value[3]))

    def backward(gradient: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
        return attention(query, key, value) * 5 // 2  # five products for the forward pass's two

    def in_4_bits(inputs: Any, packed: Any, shape: Any, *_: Any, **__: Any) -> int:
        return int(2 * math.prod(inputs) * shape[0])

    def in_8_bits(inputs: Any, rounded: Any, weight: Any, *_: Any, **__: Any) -> int:
        return int(2 * math.prod(inputs) * weight[0])

    aten, quantised = torch.ops.aten, torch.ops.bitsandbytes
    formulas: dict[Any, Any] = {  # torch itself knows the kernels of accelerators only
        aten._scaled_dot_product_flash_attention_for_cpu: attention,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: backward,
    }
    if "bitsandbytes" in sys.modules:
        formulas |= {quantised.gemm_4bit: in_4_bits, quantised.int8_mixed_scaled_mm: in_8_bits}
    return FlopCounterMode(display=False, custom_mapping=formulas)


def give_memory_back() -> None:
    """Returns what nothing uses any more to the accelerator and to the system.

    glibc keeps freed memory: one training after another in a process would seem to take more each
    time, and would leave less for others.
    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    _trim()


def keep_memory_below(resident: float) -> None:
    """Returns freed memory to the system once the process holds more bytes than ``resident``.

    Steps of ever other lengths leave gaps that the next ones do not fit into. Given back, memory
    must be made anew, so not after each step.
    """
    if psutil.Process().memory_info().rss > resident:
        _trim()


def _trim() -> None:
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def forget_peak_memory() -> None:
    """Lets :func:`peak_memory_bytes` begin anew, where the system can."""
    give_memory_back()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_bytes() -> int:
    """Most memory so far: the accelerator's where there is one, else the process's."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
