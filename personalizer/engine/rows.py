"""One completion in the making: a row of a batch, with sampling and an end of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import TemperatureLogitsWarper, TopPLogitsWarper
from transformers.generation import PromptLookupCandidateGenerator

from personalizer.engine import Completion
from personalizer.engine.reading import Reading

__all__ = ["Row"]

_LOOKUP = 10
"""Most tokens that prompt lookup proposes at once; tests repeat much of their prompt."""
_AT_FIRST = 3
"""Tokens that it proposes before it is known how often it is right."""


class Row:
    """A completion.

    Args:
        reading: The request.
        place: Which of the request's completions; each is sampled by itself.
    """

    def __init__(self, reading: Reading, place: int = 0) -> None:
        request = reading.request
        self.reading = reading
        self.written = list(reading.begun)
        self.ended = False
        self.greedy = request.temperature == 0
        self._sum = 0.0
        self._guards = reading.guards(0)
        self._warpers = [] if self.greedy else _warpers(request.temperature, request.top_p)
        self._random = torch.Generator().manual_seed((request.seed * 1_000_003 + place) % 2**63)
        ends = torch.tensor(reading.ends) if reading.ends else None
        self._lookup = PromptLookupCandidateGenerator(
            eos_token_id=ends,
            num_output_tokens=_LOOKUP,
            max_length=len(reading.prompt) + request.max_tokens,
        )
        self._ahead = _AT_FIRST

    @property
    def text(self) -> str:
        return self.reading.text(self.written)

    def proposed(self) -> list[int]:
        """Tokens that may come next, since they did where the last ones stood before."""
        known = torch.tensor([self.reading.prompt + self.written])
        found, _ = self._lookup.get_candidates(known)
        ids: list[int] = found[0, known.shape[1] :].tolist()
        return ids[: self._ahead]

    def learn(self, proposed: int, right: int) -> None:
        """Of so many tokens that were proposed so many were right.

        If all were, twice as many are proposed the next time; else one more than were right.
        """
        if proposed:
            self._ahead = min(_LOOKUP, 2 * proposed if right == proposed else right + 1)

    def follow(self, likeliest: int, scores: torch.Tensor) -> int:
        """Takes the next token.

        Shapes: V vocabulary.

        Args:
            likeliest: The token of the highest score.
            scores: ``(V,)``, float32 log probabilities.

        Returns:
            The token.
        """
        token = likeliest
        if self._guards or not self.greedy:
            token = self._chosen(scores)
        self._take(token, float(scores[token]))
        return token

    def completion(self, *, cancelled: bool) -> Completion:
        chosen = len(self.written) - len(self.reading.begun)
        mean = self._sum / chosen if chosen else 0.0
        return self.reading.completion(self.written, mean, cancelled=cancelled)

    def _chosen(self, scores: torch.Tensor) -> int:
        known = torch.tensor([self.written], device=scores.device)
        row = scores[None]
        for process in (*self._guards, *self._warpers):
            row = process(known, row)
        if self.greedy:
            return int(row.argmax())
        return int(torch.multinomial(row[0].softmax(-1).cpu(), 1, generator=self._random))

    def _take(self, token: int, score: float) -> None:
        self.written.append(token)
        self._sum += score
        reading = self.reading
        self.ended = (
            token in reading.ends
            or len(self.written) >= reading.request.max_tokens
            or (reading.request.stop_at_method_end and self._closed())
            or (bool(reading.stops) and reading.stop(self.text) is not None)
        )

    def _closed(self) -> bool:
        return self.reading.closing.of(self.written, len(self.written) - 1) is not None


def _warpers(
    temperature: float, top_p: float
) -> Sequence[TemperatureLogitsWarper | TopPLogitsWarper]:
    nucleus = [TopPLogitsWarper(top_p)] if top_p < 1 else []
    return [TemperatureLogitsWarper(temperature), *nucleus]
