"""How an adapter ages over a project's history, and what training it again costs and brings.

    python benchmarks/history.py REPO_GITDIR --at COMMIT --then COMMIT ... [--method lora]
        [--base starter] [--budget 10m] [--limit N] [--epochs 12] [--out FILE.jsonl]

REPO_GITDIR is any git repository, bare or not; it is only read. An adapter is trained at the first
commit. At each later one: what ``status`` says, with the adapter's loss on the pairs that are new,
then the adapter trained on (warm) and one from the base (scratch), both with the sides that the
first adapter had, judged on the same held-out pairs. ``gain`` is the first adapter's loss less
the new one's: above zero on new pairs is what was learnt, below zero on old ones what was lost.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from indexer import Pair, Snapshot, index_folder
from personalizer import freshness, settings
from personalizer.adapters import Registry
from personalizer.dataset import Dataset, Side
from personalizer.errors import BadInput
from personalizer.models.quiet import quiet_libraries
from personalizer.settings import Settings, parse_duration
from personalizer.storage import WorkspaceData
from personalizer.training.batches import target_losses
from personalizer.training.continual import Losses, Parent, WarmStart, gain_and_loss
from personalizer.training.measure import measure_new
from personalizer.training.preparation import prepare, usable_pairs
from personalizer.training.project import train_project
from personalizer.training.strategies import Strategy
from personalizer.training.trainer import fine_tune, limit_threads

HELD_OUT: tuple[Side, ...] = ("validation", "gate")
WHAT_IS_READ = ("*.java", "pom.xml", "*.gradle", "*.gradle.kts", "*.toml", ".gitignore")
"""Only these are checked out: a copy of a repository may lack its large files."""


def history(git: Path, at: str, then: list[str], chosen: Settings, limit: int | None) -> Any:
    """One row a later commit, in the order given."""
    with tempfile.TemporaryDirectory() as work:
        os.environ["PERSONALIZER_DATA_DIR"] = str(Path(work) / "data")
        root = Path(work) / git.resolve().stem.strip(".") / "checkout"
        _git("clone", "--quiet", "--shared", "--no-checkout", str(git), str(root))
        _git("-C", str(root), "sparse-checkout", "set", "--no-cone", *WHAT_IS_READ)
        _git("-C", str(root), "checkout", "--quiet", "--force", "--detach", at)
        limit_threads(chosen.threads)
        first = train_project(root, chosen, limit=limit)
        assert first is not None, "no other process leads"
        registry = Registry(WorkspaceData(root).adapters)
        registry.use(first["adapter"])  # also one that the gate refused: it is to age here
        adapter = registry.get(first["adapter"])
        for commit in then:
            _git("-C", str(root), "checkout", "--quiet", "--force", "--detach", commit)
            _git("-C", str(root), "clean", "--quiet", "-fdx")
            started = time.perf_counter()
            measured = measure_new(root, chosen)
            row: dict[str, Any] = {"repository": git.resolve().stem, "at": at, "commit": commit}
            row |= {"first": first["gate"], "first_seconds": first["seconds"]}
            row |= {"measure_seconds": round(time.perf_counter() - started, 1)}
            status = msgspec.to_builtins(freshness.status(root))
            kept = ("freshness", "why", "pairs", "unseen_symbols", "commits_behind", "loss_on_new")
            row |= {key: status[key] for key in kept} | {"measured": measured}
            snapshot, _ = index_folder(root)
            parent = Parent(adapter, adapter.trained())
            yield row | retrained(snapshot, usable_pairs(snapshot, limit), parent, chosen)


def retrained(
    snapshot: Snapshot, pairs: list[Pair], parent: Parent, chosen: Settings
) -> dict[str, Any]:
    """The same project learnt warm and from scratch, judged on the same held-out pairs."""
    warm = WarmStart(parent, chosen.seed)
    try:
        first = _run(snapshot, pairs, chosen, warm)
    except BadInput as error:
        return {"warm": None, "scratch": None, "why_not": str(error)}
    second = _run(snapshot, pairs, chosen, SameSides(parent))
    before = _by_digest(first.dataset, warm.before)
    return {
        "warm": first.row | _compared(first, before, parent),
        "scratch": second.row | _compared(second, before, parent),
    }


class SameSides(WarmStart):
    """The parent's sides, without its weights and with all training pairs."""

    def __init__(self, parent: Parent) -> None:
        super().__init__(parent, 0)

    def chosen(self, dataset: Dataset) -> Dataset:
        return dataset

    def strategy(self, strategy: Strategy, judge: Callable[[Any], Losses]) -> Strategy:
        return strategy


@dataclass(frozen=True)
class Trained:
    row: dict[str, Any]
    dataset: Dataset
    base: dict[str, float]
    after: dict[str, float]


def _run(snapshot: Snapshot, pairs: list[Pair], chosen: Settings, warm: WarmStart) -> Trained:
    started = time.perf_counter()
    budget = parse_duration(chosen.budget)
    prepared = prepare(snapshot, pairs, chosen, seconds=budget, warm=warm)
    base, dataset = prepared.base, prepared.dataset

    def judge(model: Any) -> Losses:
        return {side: target_losses(model, base, dataset.sides[side]) for side in HELD_OUT}

    before, strategy = judge(base.model), warm.strategy(prepared.strategy, judge)
    with tempfile.TemporaryDirectory() as checkpoints:
        run = fine_tune(base, dataset, strategy, prepared.hyper, Path(checkpoints), lambda _: None)
    after = judge(run.model)
    row = {
        "pairs": len(dataset.train),
        "steps": run.steps,
        "ended": run.ended,
        "training_seconds": round(run.seconds, 1),
        "seconds": round(time.perf_counter() - started, 1),
    }
    return Trained(row, dataset, _by_digest(dataset, before), _by_digest(dataset, after))


def _by_digest(dataset: Dataset, losses: Mapping[Any, Any]) -> dict[str, float]:
    return {
        example.pair.digest: float(loss)
        for side in HELD_OUT
        for example, loss in zip(dataset.sides[side], losses[side], strict=True)
    }


def _compared(trained: Trained, before: dict[str, float], parent: Parent) -> dict[str, Any]:
    examples = [
        example
        for side in HELD_OUT
        for example in trained.dataset.sides[side]
        if example.pair.digest in before
    ]
    digests = [example.pair.digest for example in examples]
    losses = [[one[d] for d in digests] for one in (trained.base, before, trained.after)]
    return gain_and_loss(parent, examples, *losses)


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def _show(row: dict[str, Any]) -> None:
    pairs, new = row["pairs"], row["loss_on_new"]
    print(
        f"{row['commit'][:10]}  {row['freshness']:7} {pairs['unchanged']:5} unchanged "
        f"{pairs['changed']:4} changed {pairs['new']:4} new {pairs['removed']:4} removed  "
        f"{row['unseen_symbols']['share']:.1%} unseen  {row['commits_behind']} behind"
    )
    if new:
        print(f"  loss on {new['pairs']} new pairs: base {new['base']}, adapter {new['adapter']}")
    for name in ("warm", "scratch"):
        if one := row[name]:
            print(
                f"  {name:8} {one['pairs']:5} pairs {one['seconds']:7.0f} s  "
                f"gain on {one['new']['pairs']} new {_number(one['new']['gain'])}, "
                f"on {one['old']['pairs']} old {_number(one['old']['gain'])}"
            )
    if "why_not" in row:
        print(f"  not trained again: {row['why_not']}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("git", type=Path)
    parser.add_argument("--at", required=True)
    parser.add_argument("--then", required=True, nargs="+")
    parser.add_argument("--method")
    parser.add_argument("--base")
    parser.add_argument("--budget")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    flags = {name: getattr(given, name) for name in ("method", "base", "budget", "epochs")}
    quiet_libraries()
    chosen = replace(settings.load(None, flags).settings, warm_start=False)
    for row in history(given.git, given.at, given.then, chosen, given.limit):
        _show(row)
        print(json.dumps(row), flush=True)
        if given.out:
            with given.out.open("a") as file:
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
