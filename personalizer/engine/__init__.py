"""The seam between generation and models: what is asked of an engine and what it gives.

Nothing here imports torch. ``local`` holds the model in the calling process, ``child`` runs
``local`` in a process of its own, ``remote`` asks a server that the user named.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from personalizer.engine.monitor.declarations import Declarations
from personalizer.prompts import Prompt

__all__ = ["Completion", "Engine", "Goal", "Request"]

Goal: TypeAlias = Literal["method", "block", "statements"]
"""Java that a completion is to be; statements follow the rest of a comment's line, and may go on
behind the end of the block around them."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to generate."""

    prompt: Prompt | str
    """A prompt of the grammar, or text as it is (OpenAI completions)."""
    base: str
    """Base model: ``starter``, a folder, or a hub name."""
    adapter: str | None = None
    """Folder of the adapter; None for the base model itself."""
    count: int = 1
    """Completions wanted."""
    max_tokens: int = 320
    """Longest completion in tokens, the end token included."""
    temperature: float = 0.0
    """0 decodes greedily (one completion) or by beam search (several); above it samples."""
    top_p: float = 0.95
    stop: tuple[str, ...] = ()
    """A completion ends before the first of these."""
    stop_at_method_end: bool = False
    """A completion ends with the brace that closes its first block."""
    grammar: Goal | None = None
    """What the engine writes of Java and nothing else, where it can; None for any text."""
    declared: Declarations | None = None
    """What Java may use, to which the engine keeps it where it can; None for anything."""
    seed: int = 0
    begun: str = ""
    """What each completion begins with; part of its text and of its tokens."""
    prompt_limit: int | None = None
    """Most tokens of a prompt of the grammar, which gives up what matters least; None for all
    that the context holds beside the completion."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One generated text."""

    text: str
    """Without the end token."""
    score: float
    """Mean log probability per token, natural logarithm; higher is likelier."""
    tokens: int
    finish_reason: str
    """``stop`` at the end token or a stop text, ``length`` at the limit, ``cancelled``."""
    prompt_tokens: int = 0
    """Tokens of the prompt as the model read it."""


class Engine(Protocol):
    """Holds models and generates; may be asked from any number of threads at once."""

    def generate(
        self,
        request: Request,
        *,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> list[Completion]:
        """Completions, best first.

        Args:
            request: What to generate.
            on_text: Called with each new piece of text; only for one greedy or sampled
                completion.
            cancelled: Once set, generation ends within a token.

        Raises:
            BaseModelError: If the base model cannot be loaded.
            AdapterError: If the adapter is missing or made for another base.
            PromptTooLong: If the prompt does not fit the model's context.
            EngineError: If the engine itself failed.
        """

    def warm(self, base: str, adapter: str | None = None) -> None:
        """Loads a model before it is asked; returns when it is there.

        Args:
            base: As in ``Request``.
            adapter: As in ``Request``.

        Raises:
            PersonalizerError: As ``generate``.
        """

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts, by a sentence-embedding model.

        Args:
            model: A folder, or a hub name that was pulled before.
            texts: What a text has beyond the model's context is not read.

        Returns:
            One row a text, of length 1 (0 for a text without tokens): the product of two rows is
            their cosine.

        Raises:
            BaseModelError: If the model is not there or cannot be loaded.
            SettingsError: If the package that loads it is not installed.
            EngineError: If the engine itself failed.
        """

    def close(self) -> None:
        """Gives all memory back; the next request loads again."""
