"""Does personalising help? Base, LoRA and full fine-tuning on a held-out fifth of each project.

    python benchmarks/effect.py FOLDER ... [--methods lora custom] [--contexts focal class]
                                           [--budget 150] [--generated 60] [--out FILE.jsonl]

FOLDERs are checkouts. A fifth of the focal classes is held out, a tenth stops the training. Prints
BLEU4 of greedy tests and perplexity per token of the developers' tests, once with the focal
context alone (``focal``, as in Zlotchevski et al. 2022) and once with the test class (``class``,
as in the editor), one JSON line a row.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from indexer import index_folder
from personalizer import dataset as data_module
from personalizer.dataset import Encoded
from personalizer.evaluation import bleu4, perplexity
from personalizer.evaluation.greedy import greedy_tests
from personalizer.models import LoadedBase, load_base
from personalizer.output import quiet_libraries
from personalizer.training.batches import target_losses
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.strategies import strategy_named
from personalizer.training.trainer import fine_tune

TARGET = 320


def scores(model: Any, base: LoadedBase, held_out: list[Encoded], count: int) -> dict[str, float]:
    losses = target_losses(model, base, held_out)
    sample = held_out[:: max(1, len(held_out) // count)][:count]
    return {
        "perplexity": round(perplexity(list(losses), [len(e.target) for e in held_out]), 3),
        "bleu4": round(bleu4(greedy_tests(model, base, sample), [e.text for e in sample]), 2),
        "held_out": len(held_out),
        "generated": len(sample),
    }


def rows(folder: Path, args: argparse.Namespace) -> Any:
    snapshot, _ = index_folder(folder)
    pairs = snapshot.pairs
    sides = data_module.split(pairs, validation_fraction=0.1, gate_fraction=0.2)
    for context in args.contexts:
        for method in ["base", *args.methods]:
            base = load_base(args.base)
            data = data_module.build(
                snapshot,
                sides,
                base.tokenizer,
                context_tokens=min(1024, base.context),
                target_tokens=TARGET,
                with_test_class=context == "class",
            )
            held_out = list(data.gate)[: args.held_out]
            row = {"project": folder.name, "context": context, "method": method}
            row |= {"train": len(data.train)}
            if method == "base":
                yield row | scores(base.model, base, held_out, args.generated)
                continue
            strategy = strategy_named(method)
            checkpoints = Path(tempfile.mkdtemp())
            hyper = Hyperparameters(
                learning_rate=strategy.learning_rate(base),
                batch_size=8,
                epochs=args.epochs,
                patience=3,
                seed=0,
                budget_seconds=args.budget,
            )
            start = time.perf_counter()
            run = fine_tune(base, data, strategy, hyper, checkpoints, lambda _: None)
            shutil.rmtree(checkpoints)
            row |= {"steps": run.steps, "seconds": round(time.perf_counter() - start)}
            row |= {"epochs": round(run.steps * 8 / len(data.train), 2)}
            yield row | scores(run.model, base, held_out, args.generated)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--base", default="starter")
    parser.add_argument("--methods", nargs="*", default=["lora", "custom"])
    parser.add_argument("--contexts", nargs="*", default=["focal", "class"])
    parser.add_argument("--budget", type=float, default=150.0, help="seconds a training")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--generated", type=int, default=60, help="greedy tests a row")
    parser.add_argument("--held-out", type=int, default=300, help="most held-out pairs")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    quiet_libraries()
    for folder in args.folders:
        for row in rows(folder, args):
            print(json.dumps(row), flush=True)
            if args.out:
                with args.out.open("a") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
