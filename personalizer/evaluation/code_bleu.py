"""CodeBLEU (Ren et al. 2020) by the codebleu package, which is optional.

Its last release asks for tree-sitter 0.22, with which today's grammars fail; it runs with newer
ones, so it is installed beside them: ``pip install --no-deps codebleu==0.7.0``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal

from personalizer.errors import BadInput

__all__ = ["INSTALL", "available", "code_bleu"]

INSTALL = "pip install --no-deps codebleu==0.7.0"


def available() -> bool:
    """Whether the package is installed."""
    return find_spec("codebleu") is not None


def code_bleu(
    generated: Sequence[str], references: Sequence[str], language: Literal["java", "python"]
) -> float:
    """Mean of n-gram, weighted n-gram, syntax and data-flow match over a corpus; 0 to 100.

    Raises:
        BadInput: If the package is not installed.
        ValueError: If the two differ in length or are empty.

    Example:
        >>> code_bleu(["int f() { return 1; }"], ["int f() { return 1; }"], "java")
        100.0
    """
    if not references or len(generated) != len(references):
        raise ValueError(f"expected a text a reference, got {len(generated)} for {len(references)}")
    if not available():
        raise BadInput(f"CodeBLEU needs the codebleu package: {INSTALL}")
    from codebleu import calc_codebleu

    score = calc_codebleu([[text] for text in references], list(generated), language)
    return round(100.0 * float(score["codebleu"]), 6)
