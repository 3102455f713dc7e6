"""One fine-tuning run: examples in, the best checkpoint out. The loop is Hugging Face's Trainer.

Loss is on the target only. Where a step's batch lies, and what is evaluated when, follow from the
step's number alone, so that a run that was killed goes on from its last checkpoint, wherever in an
epoch that lies, on the same trajectory.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from accelerate.utils import broadcast_object_list
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)

from personalizer.dataset import Dataset
from personalizer.errors import SettingsError
from personalizer.models import LoadedBase, half_of
from personalizer.phases import Progress
from personalizer.training.batches import (
    Examples,
    LengthGrouped,
    length,
    mean_losses,
    padding_of,
    summed_loss,
)
from personalizer.training.checkpoints import (
    BUDGET,
    history_of,
    last_whole,
    seconds_of,
    state_of,
    why_ended,
)
from personalizer.training.clock import RunningClock
from personalizer.training.compute import (
    give_memory_back,
    multiplying_parameters,
    peak_memory_bytes,
    petaflop_seconds,
)
from personalizer.training.forecast import Forecast, rehearse
from personalizer.training.hyperparameters import OPTIMIZERS, Hyperparameters
from personalizer.training.schedule import Schedule, schedule_of
from personalizer.training.strategies import Strategy, parameter_groups
from personalizer.training.watch import Report, Watch, leaving_on_signals

__all__ = ["Run", "fine_tune", "limit_threads", "rehearsed"]

_WEIGHT_DECAY = 0.01
_HELD = 1.1
"""Share of the forecast from which on freed memory goes back after a step: at each it would cost an
eighth of the speed, at none a long run takes a third more than was foretold."""
_NEVER = 10**9
"""Evaluations between two checkpoints of the Trainer's own counting: ``Watch`` says when."""


@dataclass(frozen=True)
class Run:
    """What a run gave."""

    model: Any
    """The adapted model at its best checkpoint, in evaluation mode."""
    steps: int
    tokens: int
    """Trained on, prompts included, padding not."""
    seconds: float
    """Of running time, that of attempts that were killed included."""
    earlier_seconds: float
    """Of attempts that were killed."""
    tokens_per_second: float
    """Of the last attempt."""
    peak_memory_bytes: int
    pf_seconds: float
    """By Z22's rule."""
    pf_seconds_measured: float
    """By the multiplications that a rehearsed step did; gradients cross frozen layers too."""
    trainable_parameters: int
    forecast: Forecast
    ended: str
    """Why: ``epochs``, ``steps``, ``patience`` or ``budget``."""
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
        checkpoints: Folder of this run's checkpoints; a run that lies there is gone on with, and
            one that had ended there is not trained further, unless its budget did and is larger.
        report: Told of every step.

    Raises:
        KeyboardInterrupt: After an interrupt or a termination; a checkpoint is saved first.
        SettingsError: If the optimizer or the logs need what is not there.
        RuntimeError: If memory runs out.
    """
    model, forecast = rehearsed(base, dataset, strategy, hyper)
    last = last_whole(checkpoints)
    state = None if last is None else state_of(last)
    if state is not None:
        told = f"goes on from step {state.global_step}, where an earlier training was broken off"
        report(Progress("train", state.global_step, note=told))
    clock = RunningClock(seconds_of(state))
    leave = threading.Event()
    watch = Watch(
        clock,
        hyper.budget_seconds,
        hyper.checkpoint_seconds,
        leave,
        report,
        forecast.evaluation_seconds,
        _HELD * forecast.peak_memory_bytes if _device(model) == "cpu" else math.inf,
    )
    give_memory_back()
    trainer = _trainer(model, base, dataset, hyper, forecast, checkpoints, watch)
    before = clock.seconds()
    try:
        if state is not None and why_ended(state, hyper, len(dataset.train)):
            trainer.state = state
            trainer._load_best_model()  # what ``train`` does at its end; no public way leads there
        else:
            with leaving_on_signals(leave):
                trainer.train(resume_from_checkpoint=None if last is None else str(last))
    finally:
        clock.stop()
    seconds = clock.seconds()
    # Accelerate leaves forward under autocast: judging must compute as serving does.
    model = trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    if hyper.gradient_checkpointing:
        _checkpointing(model, "disable")()
    tokens = int(trainer.state.num_input_tokens_seen)
    history = history_of(trainer.state)
    evaluated = len(history) * sum(map(length, hyper.evaluated_on(dataset.validation)))
    multiplying, trainable = multiplying_parameters(model)
    measured = tokens * forecast.flops_a_token + evaluated * forecast.flops_a_token_forward
    return Run(
        model=model.eval(),
        steps=trainer.state.global_step,
        tokens=tokens,
        seconds=seconds,
        earlier_seconds=before,
        tokens_per_second=(tokens - watch.tokens_before) / max(seconds - before, 1e-9),
        peak_memory_bytes=peak_memory_bytes(),
        pf_seconds=petaflop_seconds(tokens, multiplying, trainable, evaluated),
        pf_seconds_measured=measured / 1e15,
        trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        forecast=forecast,
        ended=cast(str, why_ended(trainer.state, hyper, len(dataset.train))),
        history=history,
    )


def rehearsed(
    base: LoadedBase, dataset: Dataset, strategy: Strategy, hyper: Hyperparameters
) -> tuple[Any, Forecast]:
    """The model that a run would train, untrained, and what the run would take."""
    set_seed(hyper.seed)
    model = strategy.apply(base, hyper.options)
    if hyper.gradient_checkpointing:
        _checkpointing(model, "enable")({"use_reentrant": False})
    return model, rehearse(model, base, dataset, hyper, autocast=_autocast(_device(model)))


def _trainer(
    model: Any,
    base: LoadedBase,
    dataset: Dataset,
    hyper: Hyperparameters,
    forecast: Forecast,
    checkpoints: Path,
    watch: Watch,
) -> Trainer:
    device = _device(model)
    every = forecast.steps_between_evaluations
    if hyper.tensorboard is not None:
        os.environ["TENSORBOARD_LOGGING_DIR"] = hyper.tensorboard  # the Trainer's own setting
    _check_optimizer(hyper.optimizer, device)
    try:
        trainer = _TargetTrainer(
            model=model,
            order=LengthGrouped([length(e) for e in dataset.train], hyper.batch_size, hyper.seed),
            encoder_decoder=base.encoder_decoder,
            clock=watch.clock,
            budget=hyper.budget_asked,
            schedule=lambda: schedule_of(checkpoints, hyper, forecast),
            args=_arguments(hyper, len(dataset.train), every, device, checkpoints),
            train_dataset=Examples(dataset.train, base.encoder_decoder),
            eval_dataset=Examples(
                sorted(hyper.evaluated_on(dataset.validation), key=length), base.encoder_decoder
            ),
            data_collator=padding_of(base),
            callbacks=[EarlyStoppingCallback(early_stopping_patience=hyper.patience)],
        )
    except (RuntimeError, ImportError) as error:
        if hyper.tensorboard is None or "ensorboard" not in str(error):
            raise
        raise SettingsError(
            "tensorboard = true needs the package tensorboard: pip install tensorboard"
        ) from error
    if hyper.options.variant == "lora+":
        kind, choices = trainer.get_optimizer_cls_and_kwargs(trainer.args)
        groups = parameter_groups(model, hyper.options, hyper.learning_rate)
        trainer.optimizer = kind(groups, weight_decay=_WEIGHT_DECAY, **choices)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(watch)
    return trainer


def _arguments(
    hyper: Hyperparameters, count: int, every: int, device: str, checkpoints: Path
) -> TrainingArguments:
    """What the Trainer is told of a run over so many examples, evaluated each so many steps."""
    autocast = _autocast(device)
    micro = hyper.micro_batch()
    args = TrainingArguments(
        output_dir=str(checkpoints),
        per_device_train_batch_size=micro,
        per_device_eval_batch_size=micro,  # more would ask for more memory than a step
        gradient_accumulation_steps=hyper.accumulation,
        num_train_epochs=hyper.epochs,
        max_steps=-1 if hyper.max_steps is None else hyper.steps(count),
        learning_rate=hyper.learning_rate,
        optim=OPTIMIZERS[hyper.optimizer],
        weight_decay=_WEIGHT_DECAY,
        max_grad_norm=1.0,
        bf16=autocast == torch.bfloat16,
        fp16=autocast == torch.float16,
        use_cpu=device == "cpu",
        seed=hyper.seed,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every * _NEVER,
        save_total_limit=2,
        restore_callback_states_from_checkpoint=True,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        logging_steps=1,
        include_num_input_tokens_seen="non_padding",
        logging_nan_inf_filter=False,
        report_to=[] if hyper.tensorboard is None else ["tensorboard"],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=device == "cuda",
        ddp_find_unused_parameters=False,
        prediction_loss_only=True,
        label_names=["labels"],
    )
    # A process trains on one GPU: with more in sight the Trainer would copy the model to each of
    # them for every batch, and make that batch as many times larger.
    args._n_gpu = min(args.n_gpu, 1)
    return args


class _TargetTrainer(Trainer):
    """A Trainer whose loss reads target columns only and whose batches hold one length."""

    lr_scheduler: Any

    def __init__(
        self,
        *args: Any,
        order: LengthGrouped,
        encoder_decoder: bool,
        clock: RunningClock,
        budget: float,
        schedule: Callable[[], Schedule],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.schedule = schedule
        self.order = order
        self.encoder_decoder = encoder_decoder
        self.clock = clock
        self.budget = budget
        self.model_accepts_loss_kwargs = True

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGrouped:
        return self.order

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> Any:
        if self.lr_scheduler is None:
            # each process has foretold steps of its own: the first one's word counts
            said = [self.schedule() if self.is_world_process_zero() else None]
            share = broadcast_object_list(said)[0].share
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                optimizer or self.optimizer, share
            )
        return self.lr_scheduler

    def get_decay_parameter_names(self, model: Any) -> list[str]:
        """Without IA3's vectors: they scale by 1 where nothing is learnt, not by 0."""
        return [name for name in super().get_decay_parameter_names(model) if "ia3_" not in name]

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        if not model.training:  # as the gate has it: by example, however batches lie
            loss = mean_losses(model, inputs, self.encoder_decoder).mean()
            return (loss, {"loss": loss}) if return_outputs else loss
        total, count = summed_loss(model, inputs, self.encoder_decoder)
        loss = total / (count if num_items_in_batch is None else num_items_in_batch)
        if num_items_in_batch is not None:  # of all processes, whose gradients are averaged
            loss = loss * self.accelerator.num_processes
        return (loss, {"loss": loss}) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Keeps running time and budget beside each step's loss: they outlive a kill there."""
        super().log({**logs, "seconds": round(self.clock.seconds(), 3)}, start_time)
        self.state.log_history[-1][BUDGET] = self.budget

    def _track_num_input_tokens(self, inputs: dict[str, torch.Tensor]) -> None:
        super()._track_num_input_tokens(inputs)
        if self.encoder_decoder:  # whose targets are beside the input
            read = (inputs["labels"] != -100).sum().to(self.args.device)
            self.state.num_input_tokens_seen += int(self.accelerator.gather(read).sum())


def _device(model: Any) -> str:
    return str(next(model.parameters()).device.type)


def _checkpointing(model: Any, act: str) -> Any:
    """transformers renamed these methods in 5.23 and warns at the old names."""
    renamed = getattr(model, f"activation_checkpointing_{act}", None)
    return renamed or getattr(model, f"gradient_checkpointing_{act}")


def _check_optimizer(name: str, device: str) -> None:
    if name == "paged-adamw-8bit" and device != "cuda":
        raise SettingsError(
            f"the optimizer paged-adamw-8bit needs a CUDA device, this is {device}: "
            "use adamw, or adafactor to keep less"
        )


def _autocast(device: str) -> torch.dtype | None:
    """What steps compute in: 16 bits on NVIDIA GPUs, and on processors with units for bfloat16."""
    if device == "cuda":
        return half_of(device)
    has_units = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if device == "cpu" and has_units else None


def limit_threads(threads: int) -> None:
    """Sets torch's CPU threads; 0 leaves them."""
    if threads > 0:
        torch.set_num_threads(threads)
        os.environ["OMP_NUM_THREADS"] = str(threads)
