"""One fine-tuning run: examples in, the best checkpoint out. The loop is Hugging Face's Trainer.

Loss is on the target only. Evaluation, checkpoint and patience go by a fixed number of steps, so
that a run that was killed goes on from its last checkpoint on the same trajectory.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from personalizer.daemon.protocol import Progress
from personalizer.dataset import Dataset, Encoded
from personalizer.models import LoadedBase
from personalizer.training.compute import peak_memory_bytes, petaflop_seconds
from personalizer.training.strategies import Options, Strategy

__all__ = ["Hyperparameters", "Report", "Run", "fine_tune", "target_losses"]

Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Hyperparameters:
    """What a run is told."""

    learning_rate: float
    batch_size: int
    """Examples a step."""
    epochs: int
    """Most passes over the training examples."""
    patience: int
    """Evaluations without a better validation loss before the run ends."""
    rank: int
    """Of LoRA matrices."""
    seed: int
    warmup: float = 0.05
    """Share of the steps."""
    evaluations_per_epoch: int = 1
    budget_seconds: float = math.inf
    """The run ends at the step after this time; its best checkpoint counts."""


@dataclass(frozen=True)
class Run:
    """What a run gave."""

    model: Any
    """The adapted model at its best checkpoint, in evaluation mode."""
    steps: int
    tokens: int
    """Trained on, prompts included, padding not."""
    seconds: float
    tokens_per_second: float
    peak_memory_bytes: int
    pf_seconds: float
    trainable_parameters: int
    history: tuple[dict[str, float], ...]
    """One row an evaluation: step, loss, validation_loss."""


def fine_tune(
    base: LoadedBase,
    dataset: Dataset,
    strategy: Strategy,
    hyper: Hyperparameters,
    checkpoints: Path,
    report: Report,
) -> Run:
    """Adapts a base model to training examples, stopping by the validation examples.

    Args:
        base: Changed in place.
        dataset: Training and validation sides are used, the gate's never.
        strategy: What trains.
        hyper: How.
        checkpoints: Folder of this run's checkpoints; a run that lies there is gone on with.
        report: Told of every step.
    """
    set_seed(hyper.seed)
    model = strategy.apply(base, Options(rank=hyper.rank))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    steps_an_epoch = math.ceil(len(dataset.train) / hyper.batch_size)
    every = max(1, steps_an_epoch // hyper.evaluations_per_epoch)
    device = next(model.parameters()).device.type
    watch = _Watch(hyper.budget_seconds, report)
    trainer = _TargetTrainer(
        model=model,
        encoder_decoder=base.encoder_decoder,
        args=TrainingArguments(
            output_dir=str(checkpoints),
            per_device_train_batch_size=hyper.batch_size,
            per_device_eval_batch_size=2 * hyper.batch_size,
            num_train_epochs=hyper.epochs,
            learning_rate=hyper.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=max(1, round(hyper.warmup * hyper.epochs * steps_an_epoch)),
            weight_decay=0.01,
            max_grad_norm=1.0,
            bf16=_bf16_pays(device),
            use_cpu=device == "cpu",
            seed=hyper.seed,
            train_sampling_strategy="group_by_length",
            eval_strategy="steps",
            eval_steps=every,
            save_strategy="steps",
            save_steps=every,
            save_total_limit=2,
            load_best_model_at_end=True,
            metric_for_best_model="eval_loss",
            greater_is_better=False,
            logging_steps=1,
            include_num_input_tokens_seen="non_padding",
            logging_nan_inf_filter=False,
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=device == "cuda",
            prediction_loss_only=True,
            label_names=["labels"],
        ),
        train_dataset=_Examples(dataset.train, base.encoder_decoder),
        eval_dataset=_Examples(dataset.validation, base.encoder_decoder),
        data_collator=_Padding(base.tokenizer.pad_token_id or 0, base.encoder_decoder),
        callbacks=[watch, EarlyStoppingCallback(early_stopping_patience=hyper.patience)],
    )
    trainer.remove_callback(PrinterCallback)
    start = time.perf_counter()
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(checkpoints)))
    seconds = time.perf_counter() - start
    # Accelerate leaves forward under autocast: judging must compute as serving does.
    model = trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    tokens = int(trainer.state.num_input_tokens_seen)
    evaluated = len(watch.history) * sum(len(e.prompt) + len(e.target) for e in dataset.validation)
    return Run(
        model=model.eval(),
        steps=trainer.state.global_step,
        tokens=tokens,
        seconds=seconds,
        tokens_per_second=(tokens - watch.tokens_before) / seconds,
        peak_memory_bytes=peak_memory_bytes(),
        pf_seconds=petaflop_seconds(
            tokens,
            sum(p.numel() for p in model.parameters()),
            trainable,
            model.get_input_embeddings().weight.numel(),
            evaluated,
        ),
        trainable_parameters=trainable,
        history=tuple(watch.history),
    )


def target_losses(
    model: Any, base: LoadedBase, examples: Sequence[Encoded], batch_size: int = 8
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Mean negative log likelihood per target token of each example, in nats.

    Args:
        model: The base's model, adapted or not, in evaluation mode.
        base: For its tokenizer and kind.
        examples: E examples.
        batch_size: Examples a forward pass.

    Returns:
        ``(E,)`` float64; the prompt is read, never scored.
    """
    collate = _Padding(base.tokenizer.pad_token_id or 0, base.encoder_decoder)
    rows = _Examples(examples, base.encoder_decoder)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    losses = np.zeros(len(rows))
    device = next(model.parameters()).device
    for begin in range(0, len(order), batch_size):
        chosen = order[begin : begin + batch_size]
        batch = {k: v.to(device) for k, v in collate([rows[i] for i in chosen]).items()}
        with torch.inference_mode():
            logits, labels = _target_logits(model, batch, base.encoder_decoder)
            each = torch.nn.functional.cross_entropy(
                logits.float().transpose(1, 2), labels, ignore_index=-100, reduction="none"
            )
        counts = (labels != -100).sum(1)
        losses[chosen] = (each.sum(1) / counts).double().cpu().numpy()
    return losses


class _Examples(torch.utils.data.Dataset[dict[str, list[int]]]):
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


@dataclass(frozen=True)
class _Padding:
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


def _padded(rows: list[list[int]], value: int, left: bool) -> torch.Tensor:
    longest = max(map(len, rows))
    filled = []
    for row in rows:
        gap = [value] * (longest - len(row))
        filled.append(gap + row if left else row + gap)
    return torch.tensor(filled)


def _target_logits(
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
        return model(**batch).logits, labels
    columns = int((labels != -100).any(0).sum())
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    logits = model(**inputs, logits_to_keep=columns + 1, use_cache=False).logits
    return logits[:, :-1], labels[:, labels.shape[1] - columns :]


class _TargetTrainer(Trainer):
    """A Trainer whose loss reads target columns only."""

    def __init__(self, *args: Any, encoder_decoder: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.encoder_decoder = encoder_decoder
        self.model_accepts_loss_kwargs = True

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        logits, labels = _target_logits(model, inputs, self.encoder_decoder)
        total = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum"
        )
        loss = total / (num_items_in_batch or (labels != -100).sum())
        return (loss, {"loss": loss}) if return_outputs else loss


def _bf16_pays(device: str) -> bool:
    """Whether bfloat16 is faster: on accelerators, and on processors with units for it."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device != "cpu":
        return False
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


class _Watch(TrainerCallback):
    """Reports progress and ends the run when its time is over."""

    def __init__(self, budget: float, report: Report) -> None:
        self.until = time.monotonic() + budget
        self.report = report
        self.first = 0
        self.tokens_before = 0
        self.history: list[dict[str, float]] = []
        self._begun = time.monotonic()
        self._loss: float | None = None
        self._validation: float | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.first = state.global_step
        self.tokens_before = int(state.num_input_tokens_seen)
        self._begun = time.monotonic()
        self.history = [
            {"step": row["step"], "validation_loss": row["eval_loss"]}
            for row in state.log_history
            if "eval_loss" in row
        ]

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if time.monotonic() > self.until:
            control.should_evaluate = True
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if not logs or "loss" not in logs:
            return
        self._loss = float(logs["loss"])
        self._tell(state)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if metrics and "eval_loss" in metrics:
            self._validation = float(metrics["eval_loss"])
            row = {"step": float(state.global_step), "validation_loss": self._validation}
            self.history.append(row | ({"loss": self._loss} if self._loss is not None else {}))
            self._tell(state)

    def _tell(self, state: TrainerState) -> None:
        passed = time.monotonic() - self._begun
        done = state.global_step - self.first
        left = passed / done * (state.max_steps - state.global_step) if done else None
        if left is not None:
            left = max(0.0, min(left, self.until - time.monotonic()))
        seen = int(state.num_input_tokens_seen) - self.tokens_before
        self.report(
            Progress(
                phase="train",
                step=state.global_step,
                steps=state.max_steps,
                loss=self._loss,
                validation_loss=self._validation,
                tokens_per_second=seen / passed if seen > 0 and passed else None,
                seconds_left=left,
            )
        )


def limit_threads(threads: int) -> None:
    """Sets torch's CPU threads; 0 leaves them."""
    if threads > 0:
        torch.set_num_threads(threads)
        os.environ["OMP_NUM_THREADS"] = str(threads)
