"""What keeps a small model's completions in order, wherever they are served or judged."""

from __future__ import annotations

from typing import Any

from transformers import LogitsProcessor

from personalizer.engine import Goal
from personalizer.engine.grammar import Grammar
from personalizer.engine.loops import Dry

__all__ = ["guards"]


def guards(
    start: int, tokenizer: Any, *, goal: Goal | None = None, limit: int | None = None
) -> list[LogitsProcessor]:
    """Against loops and, where Java is to be written, against what no parser takes (decision 16).

    Args:
        start: Tokens before the completion in what the guards are shown.
        tokenizer: The base model's.
        goal: What the completion is; None for anything.
        limit: Most tokens of the completion; None where it may be cut off.
    """
    loops = Dry(start)
    return [loops, Grammar(start, tokenizer, goal=goal, limit=limit)] if goal else [loops]
