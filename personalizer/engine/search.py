"""One request by itself, by transformers' own ``generate``: beams, and what has no rows.

Encoder-decoders, models that count positions in a way of their own, and adapters that only PEFT can
lay over a model go this way too.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.cache_utils import Cache

from personalizer.engine import Completion
from personalizer.engine.batch import has_rows
from personalizer.engine.ends import StopAtMethodEnd
from personalizer.engine.growing import GrowingCache
from personalizer.engine.reading import Reading, Telling
from personalizer.engine.resident import Asked

__all__ = ["search"]


def search(
    asked: Asked,
    reading: Reading,
    on_text: Callable[[str], None] | None,
    cancelled: threading.Event,
) -> list[Completion]:
    """Completions of one request, best first."""
    request = reading.request
    beams = request.count if request.temperature == 0 else 1
    rows = has_rows(asked.base)
    past: Cache | None = asked.remembered(1 if rows else beams)
    virtual = past.get_seq_length() if past is not None else 0
    if rows:
        past = GrowingCache(past)
    pad = asked.base.tokenizer.pad_token_id
    ids = [pad] * virtual + reading.prompt  # a cache stands for its first tokens
    start = 1 if asked.base.encoder_decoder else len(ids)
    begun: dict[str, Any] = {}
    if not asked.base.encoder_decoder:
        ids = ids + reading.begun
    elif reading.begun:
        first = asked.base.model.generation_config.decoder_start_token_id
        begun["decoder_input_ids"] = torch.tensor([[first, *reading.begun]])
    watch = _Watch(reading, start, on_text, cancelled)
    stops: list[StoppingCriteria] = [watch]
    if request.stop_at_method_end:
        stops.append(StopAtMethodEnd(reading.closing, start))
    device = asked.base.model.device
    prompt = torch.tensor([ids], device=device)
    devices = [device] if device.type == "cuda" else []
    with (
        torch.inference_mode(),
        torch.random.fork_rng(devices=devices),
        warnings.catch_warnings(),
    ):
        # PEFT counts positions itself where there is a soft prompt, and says so at every token
        warnings.filterwarnings("ignore", "Position ids are not supported")
        if isinstance(past, GrowingCache):
            past.read(asked.base.model, prompt[:, :-1], torch.ones_like(prompt[:, :-1]), beams)
        torch.manual_seed(request.seed)
        output = asked.model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=_configuration(asked, reading, beams),
            stopping_criteria=StoppingCriteriaList(stops),
            logits_processor=LogitsProcessorList(reading.guards(start)),
            **({} if past is None else {"past_key_values": past}),
            **{name: given.to(device) for name, given in begun.items()},
        )
        written = output.sequences[:, start:].tolist()
        if request.stop_at_method_end:
            written = [row[: reading.closing.of(row)] for row in written]
        scores = (
            output.sequences_scores.float().tolist()
            if beams > 1
            else _mean_log_probabilities(
                output.logits,
                output.sequences[:, start + len(reading.begun) :],
                reading.ends,
                [len(row) - len(reading.begun) for row in written],
            )
        )
    watch.finish(output.sequences)
    made = [
        reading.completion(row, score, cancelled=cancelled.is_set())
        for row, score in zip(written, scores, strict=True)
    ]
    return sorted(made, key=lambda one: -one.score)


def _configuration(asked: Asked, reading: Reading, beams: int) -> Any:
    """Every choice spelt out: a base's own sampling defaults are not what was asked for."""
    request = reading.request
    own = asked.base.model.generation_config
    sampled = request.temperature > 0
    choices: dict[str, Any] = {"do_sample": sampled, "num_beams": beams, "repetition_penalty": 1.0}
    if sampled:
        choices |= {"temperature": request.temperature, "top_p": request.top_p, "top_k": 0}
    if beams > 1:
        choices |= {"length_penalty": 1.0, "early_stopping": True, "output_scores": True}
    else:
        choices |= {"output_logits": True}
    return GenerationConfig(
        max_new_tokens=max(1, request.max_tokens - len(reading.begun)),
        num_return_sequences=request.count,
        return_dict_in_generate=True,
        eos_token_id=reading.ends,
        pad_token_id=asked.base.tokenizer.pad_token_id,
        bos_token_id=own.bos_token_id,
        decoder_start_token_id=own.decoder_start_token_id,
        **choices,
    )


def _mean_log_probabilities(
    logits: tuple[torch.Tensor, ...], tokens: torch.Tensor, ends: list[int], lengths: list[int]
) -> list[float]:
    """Mean log probability of each completion's tokens, its end token included.

    Shapes: B completions, T tokens of the longest, V vocabulary.

    Args:
        logits: T tensors ``(B, V)``, unnormalised.
        tokens: ``(B, T)``, int64; what follows an end token is padding and is not scored.
        ends: Ids of the end tokens.
        lengths: Tokens of each completion that are scored at most.

    Returns:
        B numbers, natural logarithms, at most 0; 0 for no tokens.
    """
    count = min(len(logits), tokens.shape[1])
    if count == 0:
        return [0.0] * tokens.shape[0]
    chosen = torch.stack(
        [
            torch.log_softmax(step.float(), -1).gather(-1, tokens[:, place, None].to(step.device))
            for place, step in enumerate(logits[:count])
        ],
        dim=1,
    )[..., 0]
    ended = torch.isin(tokens[:, :count].cpu(), torch.tensor(ends)).int()
    scored = (ended.cumsum(1) - ended) == 0
    scored &= torch.arange(count) < torch.tensor(lengths)[:, None]
    chosen = chosen.cpu().masked_fill(~scored, 0.0)
    means: list[float] = (chosen.sum(1) / scored.sum(1)).tolist()
    return [one if math.isfinite(one) else 0.0 for one in means]


class _Watch(StoppingCriteria):
    """After each step: ends on a cancellation or a stop text, passes new text on."""

    def __init__(
        self,
        reading: Reading,
        start: int,
        on_text: Callable[[str], None] | None,
        cancelled: threading.Event,
    ) -> None:
        self._reading = reading
        self._start = start
        self._telling = Telling(reading, on_text) if on_text else None
        self._cancelled = cancelled

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        rows = input_ids.shape[0]
        if self._cancelled.is_set():
            return torch.ones(rows, dtype=torch.bool, device=input_ids.device)
        stopped = [False] * rows
        if self._telling or self._reading.stops:
            texts = [self._reading.text(row) for row in input_ids[:, self._start :].tolist()]
            stopped = [self._reading.stop(text) is not None for text in texts]
            if self._telling:
                self._telling.tell(texts[0])
        return torch.tensor(stopped, dtype=torch.bool, device=input_ids.device)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Watch:
        """PEFT copies what it passes on; a cancellation reaches this one."""
        return self

    def finish(self, sequences: torch.Tensor) -> None:
        """Passes on what was held back."""
        if self._telling:
            text = self._reading.text(sequences[0, self._start :].tolist())
            self._telling.tell(text, final=True)
