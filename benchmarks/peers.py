"""TRL's SFTTrainer on our examples, for the benchmarks that set it beside ours.

A peak of memory is a process's own, so each variant runs in one: ``in_a_process`` starts the
benchmark again with its arguments and ``--one``, and reads the JSON line that it ends with.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from personalizer.dataset import Dataset, Encoded
from personalizer.models import LoadedBase
from personalizer.training.batches import length
from personalizer.training.compute import forget_peak_memory, peak_memory_bytes

__all__ = ["NAMES", "VARIANTS", "in_a_process", "train_with_trl"]

VARIANTS: dict[str, dict[str, Any]] = {
    "trl-defaults": {},
    "trl-no-checkpointing": {"gradient_checkpointing": False},
    "trl-length-grouped": {
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
    },
    "trl-packed": {"gradient_checkpointing": False, "packing": True},
}
"""What each variant sets beside batch size, learning rate, epochs, seed and length."""
NAMES = ("ours", *VARIANTS)


def in_a_process(benchmark: str, *one: str, out: Path | None) -> dict[str, Any] | str:
    """One row of a benchmark, printed and added to a file of JSON lines; or why there is none."""
    command = [sys.executable, "-m", benchmark, *sys.argv[1:], "--one", *one]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr[-3000:]
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(row), flush=True)
    if out:
        with out.open("a") as file:
            file.write(json.dumps(row) + "\n")
    return row


def train_with_trl(
    base: LoadedBase,
    model: Any,
    data: Dataset,
    variant: str,
    folder: Path,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    max_steps: int = -1,
) -> dict[str, Any]:
    """Trains a model that a strategy has adapted; evaluates and saves once, at the end.

    Returns:
        tokens_per_second (without padding), seconds, peak_memory_bytes, steps.
    """
    from datasets import Dataset as Rows
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    def rows(examples: tuple[Encoded, ...]) -> Rows:
        return Rows.from_list(
            [
                {
                    "input_ids": e.prompt + e.target,
                    "completion_mask": [0] * len(e.prompt) + [1] * len(e.target),
                }
                for e in examples
            ]
        )

    on_cpu = next(model.parameters()).device.type == "cpu"
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=str(folder),
            per_device_train_batch_size=batch_size,
            per_device_eval_batch_size=batch_size,
            learning_rate=learning_rate,
            num_train_epochs=epochs,
            max_steps=max_steps,
            max_length=max(map(length, (*data.train, *data.validation))),
            eval_strategy="epoch" if max_steps < 0 else "no",
            save_strategy="epoch" if max_steps < 0 else "no",
            seed=0,
            report_to="none",
            disable_tqdm=True,
            use_cpu=on_cpu,
            dataloader_pin_memory=not on_cpu,
            **VARIANTS[variant],
        ),
        train_dataset=rows(data.train),
        eval_dataset=rows(data.validation),
        processing_class=base.tokenizer,
    )
    forget_peak_memory()
    begun = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - begun
    steps = trainer.state.global_step
    seen = sum(map(length, data.train)) * (trainer.state.epoch or epochs)
    return {
        "tokens_per_second": round(seen / seconds, 1),
        "seconds": round(seconds, 1),
        "peak_memory_bytes": peak_memory_bytes(),
        "steps": steps,
    }
