"""What memory and time do CodeLlama's sizes take on a GPU, beside W24's figures and TRL's defaults?

    python -m benchmarks.memory [--shapes 7b 34b] [--methods lora qlora-4bit] [--steps 10]
        [--prompt 128] [--target 128] [--variants ours trl-defaults] [--out FILE.jsonl]

Weights are random: memory and speed do not depend on them. Batch 8, 16 bit, Adafactor, LoRA of
rank 16 on queries, keys and values, as W24 (arXiv 2308.10462) set them; prompt and target are as
long as given here, every row alike. W24's figures are peaks on their own GPUs and lengths. Each
row is trained in a process of its own. Prints a table, and a JSON line a row. On a CPU only the
shape ``tiny`` is of use. Needs the optional dependencies ``benchmarks``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from benchmarks.peers import NAMES, in_a_process, train_with_trl
from indexer import Pair
from personalizer.dataset import Dataset, Encoded
from personalizer.models import STARTER, LoadedBase, load_tokenizer
from personalizer.models.quiet import quiet_libraries
from personalizer.training.hyperparameters import Hyperparameters
from personalizer.training.strategies import Options, strategy_named
from personalizer.training.trainer import fine_tune


@dataclass(frozen=True)
class Shape:
    """A Llama's sizes."""

    width: int
    inner: int
    layers: int
    heads: int
    key_heads: int
    vocabulary: int


SHAPES = {
    "7b": Shape(4096, 11008, 32, 32, 32, 32016),
    "34b": Shape(8192, 22016, 48, 64, 8, 32000),
    "tiny": Shape(64, 128, 2, 4, 2, 300),
}
"""CodeLlama's, and one for a test."""

PUBLISHED = {("7b", "lora"): 19.1, ("7b", "qlora-4bit"): 9.2, ("34b", "qlora-4bit"): 23.6}
"""W24's peak memory in GB."""


def random_base(shape: Shape, device: str, *, four_bits: bool) -> LoadedBase:
    """A model of a shape; its linear layers are packed one by one where four bits are wanted.

    The tokenizer is there for its padding token alone: examples are token ids already.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_heads,
        max_position_embeddings=16384,
    )
    kind = torch.float32 if device == "cpu" else torch.bfloat16
    with torch.device("meta"):
        model: Any = LlamaForCausalLM(config).to(kind)
    head = model.lm_head
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Linear):
                packed = four_bits and child is not head
                setattr(module, name, _linear(child, kind, device, packed))
    for module in model.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            if weight.is_meta:
                filled = torch.empty_like(weight, device=device).normal_(std=0.02)
                setattr(module, name, torch.nn.Parameter(filled, requires_grad=False))
    with torch.device(device):
        model.model.rotary_emb = type(model.model.rotary_emb)(config)
    model.is_loaded_in_4bit = four_bits
    return LoadedBase("random", Path(), model.eval(), load_tokenizer(STARTER))


def _linear(like: torch.nn.Linear, kind: torch.dtype, device: str, packed: bool) -> torch.nn.Module:
    weight = torch.empty(like.weight.shape, dtype=kind, device=device).normal_(std=0.02)
    if not packed:
        layer = torch.nn.Linear(like.in_features, like.out_features, bias=False, device="meta")
        layer.weight = torch.nn.Parameter(weight, requires_grad=False)
        return layer
    import bitsandbytes

    small = bitsandbytes.nn.Linear4bit(
        like.in_features, like.out_features, bias=False, compute_dtype=kind, device="meta"
    )
    small.weight = bitsandbytes.nn.Params4bit(
        weight, requires_grad=False, compress_statistics=True, quant_type="nf4", module=small
    )
    placed: torch.nn.Module = small.to(device)
    return placed


def random_rows(shape: Shape, count: int, prompt: int, target: int) -> Dataset:
    """Examples of one length."""
    random = torch.Generator().manual_seed(0)

    def ids(size: int) -> list[int]:
        return torch.randint(2, shape.vocabulary, (size,), generator=random).tolist()

    no_pair = cast(Pair, None)  # nobody asks whose example it is

    def rows(number: int) -> tuple[Encoded, ...]:
        return tuple(Encoded(no_pair, ids(prompt), ids(target), "") for _ in range(number))

    return Dataset({"train": rows(count), "validation": rows(2), "gate": rows(2)}, {})


def measured(shape: str, method: str, variant: str, args: argparse.Namespace) -> dict[str, Any]:
    """One row, in this process."""
    quiet_libraries()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    strategy = strategy_named(method)
    base = random_base(SHAPES[shape], device, four_bits=strategy.quantization == "4bit")
    data = random_rows(SHAPES[shape], args.batch * args.steps, args.prompt, args.target)
    options = Options(rank=16, targets="qkv")
    rate = 3e-4
    with tempfile.TemporaryDirectory() as folder:
        if variant == "ours":
            hyper = Hyperparameters(
                learning_rate=rate,
                batch_size=args.batch,
                epochs=1,
                evaluate_every=1.0,
                optimizer="adafactor",
                options=options,
            )
            run = fine_tune(base, data, strategy, hyper, Path(folder), lambda _: None)
            figures = {
                "tokens_per_second": round(run.tokens_per_second, 1),
                "peak_memory_bytes": run.peak_memory_bytes,
                "forecast_bytes": run.forecast.peak_memory_bytes,
                "steps": run.steps,
            }
        else:
            figures = train_with_trl(
                base,
                strategy.apply(base, options),
                data,
                variant,
                Path(folder),
                learning_rate=rate,
                batch_size=args.batch,
                epochs=1,
            )
    return {
        "shape": shape,
        "method": method,
        "variant": variant,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "batch": args.batch,
        "prompt": args.prompt,
        "target": args.target,
        **figures,
        "published_gb": PUBLISHED.get((shape, method)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="*", default=["7b", "34b"], choices=list(SHAPES))
    parser.add_argument("--methods", nargs="*", default=["lora", "qlora-4bit"])
    parser.add_argument("--variants", nargs="*", default=["ours", "trl-defaults"], choices=NAMES)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--target", type=int, default=128)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        shape, method, variant = args.one
        print(json.dumps(measured(shape, method, variant, args)))
        return
    rows = []
    wanted = list(itertools.product(args.shapes, args.methods, args.variants))
    for one in wanted:
        row = in_a_process("benchmarks.memory", *one, out=args.out)
        if isinstance(row, str):
            print(f"{' '.join(one)} failed: {row}", flush=True)
        else:
            rows.append(row)
    print(f"\n{'shape':7}{'method':12}{'variant':22}{'GB':>7}{'W24 GB':>8}{'tokens/s':>10}")
    for row in rows:
        print(
            f"{row['shape']:7}{row['method']:12}{row['variant']:22}"
            f"{row['peak_memory_bytes'] / 1e9:>7.1f}{row['published_gb'] or '-':>8}"
            f"{row['tokens_per_second']:>10,.0f}"
        )
    if len(rows) < len(wanted):
        sys.exit(1)


if __name__ == "__main__":
    main()
