"""A result as a table of its keys."""

from __future__ import annotations

from typing import Any

__all__ = ["in_words", "plain"]


def plain(result: dict[str, Any]) -> str:
    width = max(map(len, result), default=0)
    return "\n".join(f"{key:{width}}  {in_words(value)}" for key, value in result.items())


def in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {in_words(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value)) or "none"
    return "-" if value is None else str(value)
