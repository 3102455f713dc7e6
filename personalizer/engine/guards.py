"""What keeps a small model's completions in order, wherever they are served or judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import LogitsProcessor

from personalizer.engine import Goal
from personalizer.engine.grammar import Grammar
from personalizer.engine.loops import Dry
from personalizer.engine.monitor.declarations import Declarations
from personalizer.engine.monitor.guard import Monitor

__all__ = ["guards"]


def guards(
    start: int,
    tokenizer: Any,
    *,
    goal: Goal | None = None,
    limit: int | None = None,
    declared: Sequence[Declarations] = (),
) -> list[LogitsProcessor]:
    """Against loops and, where Java is to be written, against what no parser takes (decision 16).

    Where it is known what the Java may use, also against what does not compile (decision 18).

    Args:
        start: Tokens before the completion in what the guards are shown.
        tokenizer: The base model's.
        goal: What the completion is; None for anything.
        limit: Most tokens of the completion; None where it may be cut off.
        declared: What the Java may use, as :class:`Monitor` takes it; empty where that is unknown.
    """
    found: list[LogitsProcessor] = [Dry(start)]
    if goal is not None:
        found.append(Grammar(start, tokenizer, goal=goal, limit=limit, last=not declared))
    if goal is not None and declared:
        found.append(Monitor(start, tokenizer, declared))
    return found
