"""Examples to batches: their order, their padding, and what of them is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from personalizer.dataset import Encoded
from personalizer.models import LoadedBase, ran_out_of_memory
from personalizer.training.compute import give_memory_back

__all__ = [
    "Examples",
    "LengthGrouped",
    "Padding",
    "length",
    "mean_losses",
    "padding_of",
    "summed_loss",
    "target_logits",
    "target_losses",
]

_JITTER = 0.2
"""Share by which a length is blurred, so that no epoch has the batches of the one before."""


def length(example: Encoded) -> int:
    """Tokens of prompt and target together."""
    return len(example.prompt) + len(example.target)


class Examples(torch.utils.data.Dataset[dict[str, list[int]]]):
    """Encoded examples as rows of token ids and labels; labels of the prompt are -100."""

    def __init__(self, examples: Sequence[Encoded], encoder_decoder: bool) -> None:
        self.examples = examples
        self.encoder_decoder = encoder_decoder

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        example = self.examples[index]
        if self.encoder_decoder:
            return {"input_ids": example.prompt, "labels": example.target}
        return {
            "input_ids": example.prompt + example.target,
            "labels": [-100] * len(example.prompt) + example.target,
        }


class LengthGrouped(torch.utils.data.Sampler[int]):
    """Examples of about one length side by side, in batches whose order is random.

    The order is a function of seed and epoch alone, so that a run that goes on in the middle of
    an epoch meets the examples it has not seen yet, and no others.

    Args:
        lengths: Of each example, in tokens.
        batch: Examples a step, over all processes and micro-batches.
        seed: Another seed, another order.
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self.lengths = np.asarray(lengths, dtype=np.float64)
        self.batch = batch
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The data loader says which epoch comes."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng((self.seed, self.epoch))
        blur = random.uniform(1 - _JITTER, 1 + _JITTER, len(self.lengths))
        order = np.argsort(-self.lengths * blur, kind="stable")
        whole, few = divmod(len(order), self.batch)
        # a batch of few examples weighs as much as any: not the shortest ones' in each epoch
        begin = int(random.integers(0, whole + 1)) * self.batch
        last = order[begin : begin + few]
        order = np.delete(order, np.s_[begin : begin + few])
        for number in random.permutation(whole):
            yield from order[number * self.batch : (number + 1) * self.batch].tolist()
        yield from last.tolist()


@dataclass(frozen=True)
class Padding:
    """Rows of different lengths to one batch.

    Decoder-only rows are padded on the left, so that all targets end together and logits are
    needed only for the last columns.
    """

    pad: int
    encoder_decoder: bool

    def __call__(self, rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        left = not self.encoder_decoder
        ids = _padded([row["input_ids"] for row in rows], self.pad, left)
        mask = _padded([[1] * len(row["input_ids"]) for row in rows], 0, left)
        labels = _padded([row["labels"] for row in rows], -100, left)
        batch = {"input_ids": ids, "attention_mask": mask, "labels": labels}
        if left:
            batch["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
        return batch


def padding_of(base: LoadedBase) -> Padding:
    """The padding that a base's tokenizer and kind ask for."""
    return Padding(base.tokenizer.pad_token_id or 0, base.encoder_decoder)


def _padded(rows: list[list[int]], value: int, left: bool) -> torch.Tensor:
    longest = max(map(len, rows))
    filled = []
    for row in rows:
        gap = [value] * (longest - len(row))
        filled.append(gap + row if left else row + gap)
    return torch.tensor(filled)


def target_logits(
    model: Any, batch: dict[str, torch.Tensor], encoder_decoder: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and labels of the target columns only; prompts need no logits.

    Shapes: B examples, K columns that hold a target, V vocabulary.

    Returns:
        ``(B, K, V)`` unnormalised, any float dtype; ``(B, K)`` int64, -100 where nothing is
        scored; ``logits[:, k]`` predicts ``labels[:, k]``.
    """
    labels = batch["labels"]
    if encoder_decoder:
        return model(**batch, use_cache=False).logits, labels
    columns = int((labels != -100).any(0).sum())
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    logits = model(**inputs, logits_to_keep=columns + 1, use_cache=False).logits
    return logits[:, :-1], labels[:, labels.shape[1] - columns :]


def summed_loss(
    model: Any, batch: dict[str, torch.Tensor], encoder_decoder: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Negative log likelihood of all target tokens of a batch, in nats, and how many they are."""
    logits, labels = target_logits(model, batch, encoder_decoder)
    total = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum"
    )
    return total, (labels != -100).sum()


def target_losses(
    model: Any,
    base: LoadedBase,
    examples: Sequence[Encoded],
    batch_size: int = 8,
    told: Callable[[int], None] = lambda _: None,
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Mean negative log likelihood per target token of each example, in nats.

    Args:
        model: The base's model, adapted or not, in evaluation mode.
        base: For its tokenizer and kind.
        examples: E examples.
        batch_size: Most examples a forward pass; fewer where memory runs out.
        told: How many are done, after each pass.

    Returns:
        ``(E,)`` float64; the prompt is read, never scored.

    Raises:
        RuntimeError: If memory does not suffice for one example.
    """
    rows = Examples(examples, base.encoder_decoder)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    losses = np.zeros(len(rows))
    begin = 0
    while begin < len(order):
        chosen = order[begin : begin + batch_size]
        try:
            losses[chosen] = _mean_losses(model, base, [rows[i] for i in chosen])
        except Exception as error:
            if len(chosen) == 1 or not ran_out_of_memory(error):
                raise
        else:
            begin += len(chosen)
            told(begin)
            continue
        give_memory_back()
        batch_size = len(chosen) // 2
    return losses


@torch.inference_mode()
def _mean_losses(
    model: Any, base: LoadedBase, rows: list[dict[str, list[int]]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    device = next(model.parameters()).device
    batch = {name: value.to(device) for name, value in padding_of(base)(rows).items()}
    means: np.ndarray[tuple[int], np.dtype[np.float64]] = (
        mean_losses(model, batch, base.encoder_decoder).double().cpu().numpy()
    )
    return means


def mean_losses(model: Any, batch: dict[str, torch.Tensor], encoder_decoder: bool) -> torch.Tensor:
    """Mean negative log likelihood per target token of each example of a batch, in nats: ``(B,)``.

    One row's float32 logits at a time: they weigh more than all else.
    """
    logits, labels = target_logits(model, batch, encoder_decoder)
    each = torch.cat(
        [
            torch.nn.functional.cross_entropy(
                row.float().transpose(1, 2), targets, ignore_index=-100, reduction="none"
            )
            for row, targets in zip(logits[:, None], labels[:, None], strict=True)
        ]
    )
    return each.sum(1) / (labels != -100).sum(1)
