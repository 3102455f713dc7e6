"""Does the grammar that guides decoding take what developers write?

    python benchmarks/grammar.py PROJECT ... [--limit 2000]

Of some methods of each project that tree-sitter parses: how many the grammar refuses, where it
refuses them, and milliseconds a method, token by token as they would be written by the starter.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from typing import Any

import torch

from indexer import code_of, index_folder
from indexer.languages.java import method_errors
from personalizer.engine.grammar import Grammar
from personalizer.models import STARTER, load_base
from personalizer.models.quiet import quiet_libraries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=2000, help="methods of each project")
    args = parser.parse_args()
    quiet_libraries()
    tokenizer = load_base(STARTER).tokenizer
    print("| project | methods | refused | ms |")
    print("| --- | --- | --- | --- |")
    refusals = []
    for project in args.projects:
        methods = methods_of(project, args.limit)
        start = time.perf_counter()
        refused = [text for text in methods if not takes(tokenizer, text)]
        spent = (time.perf_counter() - start) / max(1, len(methods)) * 1000
        print(f"| {project.name} | {len(methods)} | {len(refused)} | {spent:.1f} |", flush=True)
        refusals += refused
    for text in refusals[:10]:
        print(f"\n{text}")


def methods_of(project: Path, most: int) -> list[str]:
    """Methods with a body, as a prompt would have them."""
    snapshot, _ = index_folder(project)
    found = [
        (path, method)
        for path, facts in sorted(snapshot.files.items())
        for method in facts.methods
        if method.body and not method.constructor
    ]
    random.Random(0).shuffle(found)
    texts = []
    for path, method in found[:most]:
        text = code_of(snapshot.source(path), method.span, snapshot.files[path].encoding).strip()
        if not method_errors(text):
            texts.append(text)
    return texts


def takes(tokenizer: Any, text: str) -> bool:
    """Whether the grammar takes a whole text as a method and then asks for the end alone."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    scores = torch.zeros(1, len(tokenizer))
    left = Grammar(0, tokenizer, goal="method", limit=len(ids) * 2 + 100)(
        torch.tensor([ids]), scores
    )
    return torch.nonzero(left[0] == 0)[:, 0].tolist() == [tokenizer.eos_token_id]


if __name__ == "__main__":
    main()
