"""Trains the starter model on rows made by prepare.py; stops and goes on at any time.

    python benchmarks/starter/train.py DATA RUN --minutes 60      go on from the last checkpoint
    python benchmarks/starter/train.py DATA RUN --decay 300 --export FOLDER
    python benchmarks/starter/train.py DATA NEWRUN --begin MODEL  go on from finished weights

The learning rate warms up, stays, and is taken to zero only by ``--decay``: so the run can go on
later from the checkpoints before the decay (warm-up, stable, decay). Hidden matrices are trained
by Muon, embeddings and norms by AdamW. ``curve.jsonl`` in RUN keeps every evaluation.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_optimizer import Muon
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

WARMUP = 60
"""Steps."""


class Rows(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """Rows of token ids; padding (id 0) is not scored."""

    def __init__(self, file: Path, at_most: int | None = None) -> None:
        self.rows = np.load(file, mmap_mode="r")[:at_most]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        ids = torch.from_numpy(self.rows[index].astype(np.int64))
        return {"input_ids": ids, "labels": ids.masked_fill(ids == 0, -100)}


class Watch(TrainerCallback):  # type: ignore[misc]
    """Stops when the time is over, and keeps the curve."""

    def __init__(self, minutes: float, curve: Path) -> None:
        self.until = time.monotonic() + minutes * 60
        self.curve = curve

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if time.monotonic() > self.until:
            control.should_training_stop = True
            control.should_save = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        with self.curve.open("a") as file:
            file.write(json.dumps({"step": state.global_step, "time": time.time(), **logs}) + "\n")


def new_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """About 7M parameters: width 256, 6 layers, tied embeddings, context 1,024."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=256,
            intermediate_size=768,
            num_hidden_layers=6,
            num_attention_heads=4,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def optimizer_for(model: LlamaForCausalLM, rate: float) -> Muon:
    hidden = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    chosen = {id(p) for p in hidden}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return Muon(
        [
            {"params": hidden, "lr": rate, "weight_decay": 0.01, "use_muon": True},
            {"params": others, "lr": rate / 6, "weight_decay": 0.0, "use_muon": False},
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument(
        "--decay", type=int, metavar="STEPS", help="take the rate to zero, then end"
    )
    parser.add_argument("--export", type=Path, help="where the decayed model is written, in bf16")
    parser.add_argument("--begin", type=Path, help="a model whose weights a new run starts from")
    parser.add_argument("--rate", type=float, default=0.02, help="Muon's; AdamW's is a sixth")
    parser.add_argument("--batch", type=int, default=8, help="rows a step")
    parser.add_argument("--save-steps", type=int, default=100)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    args = parser.parse_args()
    set_seed(1)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(args.data / "tokenizer")
    if args.begin:
        model = LlamaForCausalLM.from_pretrained(args.begin, dtype=torch.float32)
    else:
        model = new_model(tokenizer)
    print(f"{model.num_parameters() / 1e6:.2f}M parameters", flush=True)
    optimizer = optimizer_for(model, args.rate)
    args.run.mkdir(parents=True, exist_ok=True)
    last = get_last_checkpoint(str(args.run))
    begin = int(last.rpartition("-")[2]) if last else 0

    def factor(step: int) -> float:
        if args.decay is None:
            return min(1.0, (step + 1) / WARMUP)
        return max(0.0, 1 - (step - begin) / float(args.decay))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    on_gpu = torch.cuda.is_available()
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(args.run if args.decay is None else args.run / "decay"),
            per_device_train_batch_size=args.batch,
            per_device_eval_batch_size=args.batch,
            max_steps=begin + args.decay if args.decay else 1_000_000,
            max_grad_norm=1.0,
            bf16=True,
            use_cpu=not on_gpu,
            torch_compile=args.compile,
            logging_steps=10,
            eval_strategy="steps",
            eval_steps=args.save_steps,
            save_steps=args.save_steps,
            save_total_limit=3,
            dataloader_drop_last=True,
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=Rows(args.data / "train.npy"),
        eval_dataset=Rows(args.data / "validation.npy", at_most=64),
        optimizers=(optimizer, schedule),
        callbacks=[Watch(args.minutes, args.run / "curve.jsonl")],
    )
    trainer.train(resume_from_checkpoint=last)
    trainer.save_state()
    if args.export:
        model.to(torch.bfloat16).save_pretrained(args.export)
        tokenizer.save_pretrained(args.export)


if __name__ == "__main__":
    main()
