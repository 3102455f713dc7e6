"""How fast is training, in what memory, and to what loss, beside TRL's SFTTrainer?

    python -m benchmarks.training FOLDER [--base starter] [--method lora] [--batch 8]
        [--epochs 1] [--limit N] [--variants ours trl-defaults ...] [--repeats 1]
        [--out FILE.jsonl]

FOLDER is a Java project; its own pairs train, so lengths vary as they do. Same model, examples,
batch size, learning rate and threads; each variant in a process of its own. Time is that of the
whole run with one evaluation and one checkpoint; the rehearsal that our forecast comes from is
counted beside it. Repeats run all variants in turn, the last first in every second one, so that
what else the machine does meets them alike; medians are printed, and speeds from least to most.
The loss is taken on the validation pairs by one function, without autocast.
Prints a table, and a JSON line a run. Needs the optional dependencies ``benchmarks``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.peers import NAMES, in_a_process, train_with_trl
from indexer import index_folder
from personalizer.models.quiet import quiet_libraries
from personalizer.settings import Settings
from personalizer.training.batches import length, target_losses
from personalizer.training.preparation import prepare, usable_pairs
from personalizer.training.trainer import fine_tune


def measured(variant: str, args: argparse.Namespace) -> dict[str, Any]:
    """One variant, in this process."""
    quiet_libraries()
    settings = Settings(
        base=args.base,
        method=args.method,
        batch_size=args.batch,
        epochs=args.epochs,
        evaluate_every=float(args.epochs),
        patience=10**6,
    )
    snapshot, _ = index_folder(args.folder)
    prepared = prepare(snapshot, usable_pairs(snapshot, args.limit), settings, seconds=float("inf"))
    base, data, hyper = prepared.base, prepared.dataset, prepared.hyper
    before = target_losses(base.model, base, data.validation).mean()
    with tempfile.TemporaryDirectory() as folder:
        if variant == "ours":
            begun = time.perf_counter()
            run = fine_tune(base, data, prepared.strategy, hyper, Path(folder), lambda _: None)
            model = run.model
            figures = {
                "tokens_per_second": round(run.tokens / run.seconds, 1),
                "seconds": round(run.seconds, 1),
                "rehearsal_seconds": round(time.perf_counter() - begun - run.seconds, 1),
                "peak_memory_bytes": run.peak_memory_bytes,
                "steps": run.steps,
            }
        else:
            from transformers import set_seed

            set_seed(hyper.seed)
            model = prepared.strategy.apply(base, hyper.options)
            figures = train_with_trl(
                base,
                model,
                data,
                variant,
                Path(folder),
                learning_rate=hyper.learning_rate,
                batch_size=args.batch,
                epochs=args.epochs,
            )
            model.float()
    tokens = sum(map(length, data.train))
    return {
        "variant": variant,
        "project": args.folder.resolve().name,
        "base": args.base,
        "method": args.method,
        "batch": args.batch,
        "examples": len(data.train),
        "tokens": tokens,
        **figures,
        "loss_before": round(float(before), 4),
        "loss": round(float(target_losses(model.eval(), base, data.validation).mean()), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base", default="starter")
    parser.add_argument("--method", default="lora")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--limit", type=int, help="most pairs used")
    parser.add_argument("--variants", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", choices=NAMES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measured(args.one, args)))
        return
    runs: dict[str, list[dict[str, Any]]] = {variant: [] for variant in args.variants}
    for number in range(args.repeats):
        for variant in args.variants[:: -1 if number % 2 else 1]:
            row = in_a_process("benchmarks.training", variant, out=args.out)
            if isinstance(row, str):
                sys.exit(f"{variant} failed:\n{row}")
            runs[variant].append(row)
    print(f"\n{'variant':22}{'tokens/s':>10}{'of them':>16}{'MiB':>8}{'steps':>7}{'loss':>9}")
    for variant, rows in runs.items():
        speeds = [row["tokens_per_second"] for row in rows]
        memory = statistics.median(row["peak_memory_bytes"] for row in rows) / 2**20
        print(
            f"{variant:22}{statistics.median(speeds):>10,.0f}"
            f"{f'{min(speeds):,.0f}-{max(speeds):,.0f}':>16}{memory:>8,.0f}"
            f"{rows[0]['steps']:>7}{rows[0]['loss']:>9.4f}"
        )


if __name__ == "__main__":
    main()
