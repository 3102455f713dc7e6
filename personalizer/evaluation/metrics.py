"""Metrics of generated text against the developers' own (Z22 section 4.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["bleu4", "perplexity"]


def bleu4(generated: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU with up to 4-grams by sacrebleu (its 13a tokens, its smoothing); 0 to 100.

    Args:
        generated: One text a reference.
        references: The developers' texts.

    Raises:
        ValueError: If the two differ in length or are empty.

    Example:
        >>> round(bleu4(["assertEquals ( 1 , a ) ;"], ["assertEquals ( 1 , a ) ;"]))
        100
    """
    if not references or len(generated) != len(references):
        raise ValueError(f"expected a text a reference, got {len(generated)} for {len(references)}")
    import sacrebleu

    score = sacrebleu.corpus_bleu(list(generated), [list(references)], force=True)
    return float(score.score)


def perplexity(losses: Sequence[float], tokens: Sequence[int]) -> float:
    """Perplexity per token over all targets; lower is better, 1 is certainty.

    Args:
        losses: Mean negative log likelihood per target token of each example, in nats.
        tokens: Target tokens of each example.

    Raises:
        ValueError: If the two differ in length or there is no token.

    Example:
        >>> perplexity([math.log(2.0), math.log(8.0)], [1, 1])
        4.0
    """
    if len(losses) != len(tokens) or sum(tokens) == 0:
        raise ValueError(f"expected as many counts as losses, got {len(tokens)} for {len(losses)}")
    total = sum(loss * count for loss, count in zip(losses, tokens, strict=True))
    return round(math.exp(total / sum(tokens)), 10)
