"""How good generated tests are: metrics, each with its source and an example for the hand."""

from personalizer.evaluation.metrics import bleu4, perplexity

__all__ = ["bleu4", "perplexity"]
