"""Is personalising worth it? Metrics, cross-validation, benchmark tasks and the report."""

from personalizer.evaluation.metrics import bleu4, perplexity

__all__ = ["bleu4", "perplexity"]
