"""What both ways of generating share: the prompt's tokens, where a completion ends, its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import LogitsProcessor

from indexer.languages.lexis import block_end
from personalizer.engine import Completion, Request
from personalizer.engine.ends import MethodEnd
from personalizer.engine.guards import guards
from personalizer.errors import PromptTooLong
from personalizer.models import LoadedBase
from personalizer.prompts import SPECIAL_TOKENS, Prompt, encode, encode_begun, marked

__all__ = ["Reading", "Telling", "nothing"]


class Reading:
    """A request as one base model reads it.

    Args:
        base: The model.
        request: What to generate.
        virtual_tokens: Positions that a prefix or a soft prompt takes.
        closing: Finds where a method ends.

    Raises:
        PromptTooLong: If the prompt leaves no room for the completion.
    """

    def __init__(
        self, base: LoadedBase, request: Request, virtual_tokens: int, closing: MethodEnd
    ) -> None:
        self.request = request
        self.tokenizer: Any = base.tokenizer
        self.closing = closing
        self.prompt = _prompt_ids(base, request, virtual_tokens)
        self.begun = encode_begun(request.begun, base.tokenizer)
        self.ends = _end_ids(base, request.prompt)
        self.stops = tuple(stop for stop in request.stop if stop)

    def guards(self, start: int) -> list[LogitsProcessor]:
        """What keeps a completion in the grammar in order; free text is left alone.

        Args:
            start: Tokens before the completion in what the guards are shown.
        """
        if not isinstance(self.request.prompt, Prompt):
            return []
        wanted, limit = self.request.grammar, self.request.max_tokens
        known = self.request.declared
        declared = () if known is None else (known,)
        return guards(start, self.tokenizer, goal=wanted, limit=limit, declared=declared)

    def text(self, row: list[int]) -> str:
        """The text of a completion's tokens up to its end token."""
        return decoded(self.tokenizer, row[: self.end(row)])

    def end(self, row: list[int]) -> int | None:
        """The place of the first end token; None where there is none."""
        return next((place for place, one in enumerate(row) if one in self.ends), None)

    def stop(self, text: str) -> int | None:
        """Where the first stop text begins; None where there is none."""
        found = [place for stop in self.stops if (place := text.find(stop)) >= 0]
        return min(found, default=None)

    def completion(self, row: list[int], score: float, *, cancelled: bool) -> Completion:
        """What is answered for a completion's tokens."""
        end = self.end(row)
        text = decoded(self.tokenizer, row[:end])
        cut = self.stop(text)
        if end is None and cut is None and cancelled:
            reason = "cancelled"
        else:
            whole = self.request.stop_at_method_end and block_end(text) is not None
            reason = "length" if end is None and cut is None and not whole else "stop"
        count = len(row) if end is None else end + 1
        return Completion(text[:cut], score, count, reason, len(self.prompt))


class Telling:
    """Passes the text of one completion on as it grows."""

    def __init__(self, reading: Reading, on_text: Callable[[str], None]) -> None:
        self._reading = reading
        self._on_text = on_text
        self._given = 0

    def tell(self, text: str, *, final: bool = False) -> None:
        """Gives what is new, short of half a letter and of what may become a stop text."""
        cut = self._reading.stop(text)
        if cut is not None:
            sure = cut
        elif final:
            sure = len(text)
        else:
            held_back = max(map(len, self._reading.stops), default=1) - 1
            sure = len(text.rstrip("\ufffd")) - held_back
        if sure > self._given:
            self._on_text(text[self._given : sure])
            self._given = sure


def nothing() -> Completion:
    """The answer to a request that was cancelled before it began."""
    return Completion("", 0.0, 0, "cancelled")


def decoded(tokenizer: Any, ids: list[int]) -> str:
    """Token ids as text."""
    text: str = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def _prompt_ids(base: LoadedBase, request: Request, virtual_tokens: int) -> list[int]:
    room = base.context - virtual_tokens
    budget = room if base.encoder_decoder else room - request.max_tokens
    if isinstance(request.prompt, Prompt):
        limit = budget if request.prompt_limit is None else min(budget, request.prompt_limit)
        return encode(request.prompt, base.tokenizer, limit)
    ids: list[int] = base.tokenizer.encode(request.prompt)
    if len(ids) > budget:
        raise PromptTooLong(
            f"the prompt has {len(ids)} tokens and {request.max_tokens} are to follow, "
            f"but {base.name} holds {room}: shorten the prompt or ask for fewer"
        )
    if not ids:
        raise PromptTooLong("expected a prompt of at least one token, got an empty one")
    return ids


def _end_ids(base: LoadedBase, prompt: Prompt | str) -> list[int]:
    """Tokens that end a completion: the end token, and in the grammar any other marker."""
    config = base.model.generation_config
    given = config.eos_token_id
    ends = set(given if isinstance(given, list) else [given]) | {base.tokenizer.eos_token_id}
    if isinstance(prompt, Prompt) and marked(base.tokenizer):
        ends |= {base.tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    return sorted(one for one in ends if one is not None)
