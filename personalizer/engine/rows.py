"""One completion in the making: a row of a batch, with sampling and an end of its own.

Where nothing that is likely can follow, the last tokens are taken back and what led there is not
written again; a search over beams goes on with another beam there.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import TemperatureLogitsWarper, TopPLogitsWarper
from transformers.generation import PromptLookupCandidateGenerator

from personalizer.engine import Completion
from personalizer.engine.monitor.guard import Monitor
from personalizer.engine.reading import Reading

__all__ = ["Row"]

_LOOKUP = 10
"""Most tokens that prompt lookup proposes at once; tests repeat much of their prompt."""
_AT_FIRST = 3
"""Tokens that it proposes before it is known how often it is right."""
_BACK = 16
"""Most tokens that are taken back at a dead end: one first, twice as many where that helps not."""


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
        self._scores: list[float] = []
        self._guards = reading.guards(0)
        self._first = max(1, len(reading.begun))
        """Tokens that are never taken back."""
        self._dead_end = 0
        """How many tokens were written at the furthest one."""
        self._back = 1
        """How many of them will be taken back if it is come to again."""
        self._spare = request.max_tokens
        """How many more will be taken back in all."""
        self._nowhere: dict[int, set[int]] = {}
        """Tokens that led to dead ends, by the place where they stood."""
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

    @property
    def settled(self) -> str:
        """The text that will not be taken back."""
        monitored = any(isinstance(one, Monitor) for one in self._guards)
        if self.ended or not monitored:
            return self.text
        furthest = max(self._dead_end, len(self.written))
        return self.reading.text(self.written[: max(0, furthest - _BACK)])

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

    def follow(self, likeliest: int, scores: torch.Tensor) -> int | None:
        """Takes the next token, or takes the last ones back.

        Shapes: V vocabulary.

        Args:
            likeliest: The token of the highest score.
            scores: ``(V,)``, float32 log probabilities.

        Returns:
            The token; None if some were taken back, or the row has ended without another.
        """
        token: int | None = likeliest
        if self._guards or not self.greedy:
            token = self._chosen(scores)
        if token is None:
            self._leave_dead_end()
        else:
            self._take(token, float(scores[token]))
        return token

    def completion(self, *, cancelled: bool) -> Completion:
        mean = sum(self._scores) / len(self._scores) if self._scores else 0.0
        return self.reading.completion(self.written, mean, cancelled=cancelled)

    def _chosen(self, scores: torch.Tensor) -> int | None:
        """The next token; None at a dead end."""
        known = torch.tensor([self.written], device=scores.device)
        row = scores[None]
        if nowhere := self._nowhere.get(len(self.written)):
            row = row.index_fill(1, torch.tensor([*nowhere], device=row.device), -torch.inf)
        for guard in self._guards:
            row = guard(known, row)
            if isinstance(guard, Monitor) and guard.stuck[0]:
                return None
        for warper in self._warpers:
            row = warper(known, row)
        if self.greedy:
            return int(row.argmax())
        return int(torch.multinomial(row[0].softmax(-1).cpu(), 1, generator=self._random))

    def _leave_dead_end(self) -> None:
        """Takes tokens back, and more of them where that has not helped; ends if it never does."""
        if len(self.written) > self._dead_end:
            self._dead_end, self._back = len(self.written), 1
        place = max(self._first, self._dead_end - self._back)
        taken = len(self.written) - place
        if self._back > _BACK or not 0 < taken <= self._spare:
            self.ended = True
            return
        self._back *= 2
        self._spare -= taken
        self._nowhere = {one: ids for one, ids in self._nowhere.items() if one <= place}
        self._nowhere.setdefault(place, set()).add(self.written[place])
        del self.written[place:], self._scores[-taken:]

    def _take(self, token: int, score: float) -> None:
        self.written.append(token)
        self._scores.append(score)
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
