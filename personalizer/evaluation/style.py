"""Coding style: how like the developers' names the generated ones are (Z22 section 5.4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from personalizer.evaluation.matches import identifiers

__all__ = ["style"]


def style(
    generated: Sequence[str], references: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Cosine between tf-idf vectors of the identifiers of each generated test and its reference.

    Weights are learnt from the references by scikit-learn's smoothed idf, a name in d of them
    weighing ln((1 + E) / (1 + d)) + 1; a name that none has weighs most: inventing names costs.

    Args:
        generated: E texts.
        references: The developers' E texts.

    Returns:
        ``(E,)`` float64, 0 to 1; 0 where either side has no name.

    Raises:
        ValueError: If the two differ in length or are empty.

    Example:
        The vectors are (a: 1, c: 1) and (a: 1, b: ln 2 + 1), so 1 / (sqrt(2) * sqrt(1 + 1.693**2)).

        >>> style(["void a() { b(); }"], ["void a() { c(); }"]).round(4)
        array([0.3596])
    """
    if not references or len(generated) != len(references):
        raise ValueError(f"expected a text a reference, got {len(generated)} for {len(references)}")
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    names = [identifiers(text) for text in (*references, *generated)]
    if not any(names):
        return np.zeros(len(references))
    # A function, not `identifiers` itself: the lists are there already.
    counts = CountVectorizer(analyzer=list).fit_transform(names)
    E = len(references)
    weigh = TfidfTransformer().fit(counts[:E])
    own, made = weigh.transform(counts[:E]), weigh.transform(counts[E:])
    return np.asarray(own.multiply(made).sum(axis=1), float).ravel().clip(0.0, 1.0)
