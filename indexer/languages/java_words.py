"""Java's own words."""

from __future__ import annotations

__all__ = ["KEYWORDS", "PRIMITIVES"]

PRIMITIVES = frozenset({"boolean", "byte", "char", "double", "float", "int", "long", "short"})
"""Types whose values are no objects."""
_OTHERS = """
    abstract assert break case catch class const continue default do else enum extends false final
    finally for goto if implements import instanceof interface native new null package private
    protected public record return static strictfp super switch synchronized this throw throws
    transient true try var void volatile while yield
"""
KEYWORDS = PRIMITIVES | frozenset(_OTHERS.split())
"""With the words that are keywords only in their place, as ``record`` and ``yield``."""
