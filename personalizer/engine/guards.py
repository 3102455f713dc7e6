"""What keeps a small model's completions in order, wherever they are served or judged."""

from __future__ import annotations

from collections.abc import Callable, Collection

from transformers import LogitsProcessor

from personalizer.engine.brackets import Brackets
from personalizer.engine.loops import Dry

__all__ = ["guards"]


def guards(
    start: int, decode: Callable[[list[int]], str], ends: Collection[int], *, method: bool
) -> list[LogitsProcessor]:
    """Against loops and, where a method is to be written, against loose brackets (decision 16).

    Args:
        start: Tokens before the completion in what the guards are shown.
        decode: Token ids to text.
        ends: Tokens that end a text.
        method: Whether the completion is one Java method.
    """
    loops = Dry(start)
    return [loops, Brackets(start, decode, ends)] if method else [loops]
