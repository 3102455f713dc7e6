"""What a training costs, by the rule of Zlotchevski et al. (2022), section 4.4, and memory."""

from __future__ import annotations

import resource
import sys

__all__ = ["peak_memory_bytes", "petaflop_seconds"]


def petaflop_seconds(
    tokens: int, parameters: int, trainable: int, embeddings: int, evaluated: int = 0
) -> float:
    """PetaFLOP-seconds of a training run by Z22's rule.

    A forward pass takes two operations a parameter and token; the backward pass takes twice that,
    and nothing for frozen parameters. Embedding look-ups multiply nothing.

    Args:
        tokens: Tokens trained on, prompts included.
        parameters: All parameters of the model.
        trainable: Parameters that are updated.
        embeddings: Parameters of embedding tables that are looked up, not multiplied.
        evaluated: Tokens that only went forward.

    Returns:
        PF-s: 1e15 floating-point operations each.

    Example:
        >>> petaflop_seconds(10**9, 10**6, 10**6, 0)
        6.0
    """
    forward = 2 * (parameters - embeddings)
    backward = 4 * max(0, min(trainable, parameters - embeddings))
    return ((tokens + evaluated) * forward + tokens * backward) / 1e15


def peak_memory_bytes() -> int:
    """Most memory so far: the accelerator's where there is one, else the process's."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
