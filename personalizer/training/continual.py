"""Training on from an adapter: its weights, the pairs that are new, and a replay of those it knows.

What trained the parent, or a parent of it, never judges the child: a focal class keeps the side it
had, whatever the split of the grown project says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from indexer import Pair
from personalizer.adapters import Adapter, Registry, Trained, halves
from personalizer.dataset import Dataset, Encoded, Side
from personalizer.errors import AdapterError, BadInput
from personalizer.models import LoadedBase
from personalizer.settings import Settings
from personalizer.training.strategies import Options, Strategy, attach
from personalizer.training.strategies.choice import AUTO

__all__ = [
    "Losses",
    "Parent",
    "WarmStart",
    "gain_and_loss",
    "keep_sides",
    "parent_of",
    "replayed",
    "started_from",
]

_REPLAY = 1.0
"""Unchanged pairs replayed for each new or changed one."""
_FEWEST_REPLAYED = 24
"""Unchanged pairs replayed at least, however little is new: three batches."""

Floats = Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]]
_HELD_OUT: tuple[Side, ...] = ("validation", "gate")

Sides = Mapping[Side, Sequence[Pair]]
Losses = Mapping[Any, Floats]
"""Losses per target token, in nats, by held-out side."""


@dataclass(frozen=True)
class Parent:
    """An adapter that is trained on from."""

    adapter: Adapter
    trained: Trained

    @property
    def known(self) -> set[str]:
        """Digests of the pairs that trained, stopped or judged the parent or a parent of it."""
        return {pair.digest for pair in (*self.trained.used, *self.trained.inherited)}


def started_from(
    registry: Registry, settings: Settings, base_fingerprint: str
) -> tuple[Settings, WarmStart | None]:
    """Settings and parent of a training; no parent without ``warm_start``, or while none serves.

    What the parent is stands in its manifest: its method and the choices within it.

    Raises:
        AdapterError: As ``parent_of``.
    """
    if not settings.warm_start:
        return settings, None
    parent = parent_of(registry, settings.method, base_fingerprint)
    if parent is None:
        return settings, None
    manifest = parent.adapter.manifest
    options = manifest.hyperparameters.get("options", {})
    settings = replace(
        settings,
        method=manifest.method,
        lora_rank=options.get("rank", settings.lora_rank),
        lora_targets=options.get("targets", settings.lora_targets),
        lora_variant=options.get("variant", settings.lora_variant),
        virtual_tokens=options.get("virtual_tokens", settings.virtual_tokens),
        prefix_from=None,
    )
    return settings, WarmStart(parent, settings.seed)


def parent_of(registry: Registry, method: str, base_fingerprint: str) -> Parent | None:
    """The adapter that serves; None when the base serves, and training starts from there.

    Raises:
        AdapterError: If it is damaged, or of another method or base than is to be trained.
    """
    adapter = registry.serving()
    if adapter is None:
        return None
    adapter.verify()
    manifest = adapter.manifest
    if method not in (manifest.method, AUTO):
        raise AdapterError(
            f"expected an adapter of method {method} to train on from, {adapter.id} is of "
            f"{manifest.method}: name that method, or train without a warm start"
        )
    if manifest.base_fingerprint != base_fingerprint:
        raise AdapterError(
            f"{adapter.id} was trained on another base ({manifest.base}): train without a warm "
            "start"
        )
    trained = adapter.trained()
    if not trained.used:
        raise AdapterError(
            f"{adapter.id} does not say which pairs trained it, so none could judge its child: "
            "train without a warm start"
        )
    return Parent(adapter, trained)


def keep_sides(sides: Sides, parent: Parent) -> dict[Side, list[Pair]]:
    """Gives every focal class the side that it had for the parent; new ones keep the split's.

    A class of which any pair trained the parent, or a parent of it, is trained on, wherever its
    file has moved. A class that the parent did not know by name is one that it knew under another
    where they have a focal method or a test in common, letter by letter.

    Args:
        sides: Pairs by side, from ``dataset.split``.
        parent: Whose sides count.
    """
    of_class: dict[str, Side] = {}
    of_code: dict[str, Side] = {}
    """Of whole pairs and of their halves, by digest."""
    ordered = [*parent.trained.inherited, *parent.trained.used]  # the newest word counts
    ordered.sort(key=lambda used: used.side == "train")
    for used in ordered:
        of_class[used.focal_class] = used.side
        of_code |= dict.fromkeys([used.digest, *used.halves], used.side)
    classes: dict[str, list[Pair]] = {}
    split: dict[str, Side] = {}
    for side, pairs in sides.items():
        for pair in pairs:
            classes.setdefault(pair.focal_class, []).append(pair)
            split[pair.focal_class] = side
    kept: dict[Side, list[Pair]] = {side: [] for side in sides}
    for name, pairs in classes.items():
        told = {p.digest for p in pairs}
        if name not in of_class:
            told |= {half for p in pairs for half in halves(p.digest)}
        had = {of_code[one] for one in told if one in of_code}
        if name in of_class:
            had.add(of_class[name])
        kept["train" if "train" in had else min(had, default=split[name])] += pairs
    return kept


def replayed(
    train: Sequence[Encoded], parent: Parent, seed: int
) -> tuple[list[Encoded], list[Encoded]]:
    """Of the training side what is new or changed, and as many examples of what is not.

    Raises:
        BadInput: If nothing is new.
    """
    fresh = [e for e in train if e.pair.digest not in parent.known]
    if not fresh:
        raise BadInput(
            f"no training pair is new or changed since {parent.adapter.id} was trained: "
            "there is nothing to train on"
        )

    def order(example: Encoded) -> bytes:
        return hashlib.blake2b(f"{seed} {example.pair.digest}".encode(), digest_size=8).digest()

    known = sorted((e for e in train if e.pair.digest in parent.known), key=order)
    return fresh, known[: max(_FEWEST_REPLAYED, round(_REPLAY * len(fresh)))]


class WarmStart:
    """One training that goes on from a parent; it remembers how the parent did on held-out pairs.

    Args:
        parent: Whose weights and sides.
        seed: Of the choice of pairs to replay.
    """

    def __init__(self, parent: Parent, seed: int) -> None:
        self.parent = parent
        self._seed = seed
        self._counts = {"new": 0, "replayed": 0}
        self.before: Losses = {}
        """The parent's losses, from when its model was made."""

    def sides(self, sides: Sides) -> dict[Side, list[Pair]]:
        """The split's sides as the parent's."""
        return keep_sides(sides, self.parent)

    def chosen(self, dataset: Dataset) -> Dataset:
        """What is new and a replay to train on, and all that is held out.

        It is chosen last: what is held out was held against the whole training side.

        Raises:
            BadInput: If nothing is new.
        """
        fresh, again = replayed(dataset.train, self.parent, self._seed)
        self._counts = {"new": len(fresh), "replayed": len(again)}
        return replace(dataset, sides={**dataset.sides, "train": (*fresh, *again)})

    def strategy(self, strategy: Strategy, judge: Callable[[Any], Losses]) -> Strategy:
        """The strategy begun with the parent's weights; raises AdapterError if they do not fit.

        Args:
            strategy: The parent's.
            judge: Gives the losses of the parent's model, by held-out side.
        """

        def apply(base: LoadedBase, options: Options) -> Any:
            model = attach(base, self.parent.adapter.folder, trainable=True)
            self.before = judge(model)
            return model

        return replace(strategy, apply=apply)

    def outcome(self, dataset: Dataset, base: Losses, after: Losses) -> dict[str, Any]:
        """What training on brought and cost: see ``gain_and_loss``, and how much was trained on.

        Args:
            dataset: Its held-out sides have judged.
            base: The base's losses by side, ``validation`` and ``gate``.
            after: The child's.
        """
        examples = [e for side in _HELD_OUT for e in dataset.sides[side]]
        losses = [np.concatenate([one[s] for s in _HELD_OUT]) for one in (base, self.before, after)]
        return {"trained": self._counts, **gain_and_loss(self.parent, examples, *losses)}


def gain_and_loss(
    parent: Parent,
    examples: Sequence[Encoded],
    base: Floats,
    before: Floats,
    after: Floats,
) -> dict[str, Any]:
    """Losses on held-out pairs: on those that are new since the parent, and on the others.

    Args:
        parent: Says which pairs the project had.
        examples: E held-out examples.
        base: E losses per target token of the base, in nats.
        before: Of the parent.
        after: Of the child.

    Returns:
        ``new`` and ``old``: pairs, base, parent, adapter (means), gain (parent - adapter; below
        zero is what was forgotten); without pairs the means are None.
    """
    fresh = np.array([e.pair.digest not in parent.known for e in examples], bool)
    found: dict[str, Any] = {}
    for name, chosen in (("new", fresh), ("old", ~fresh)):
        row: dict[str, Any] = {"pairs": int(chosen.sum())}
        for key, losses in (("base", base), ("parent", before), ("adapter", after)):
            mean = float(np.asarray(losses)[chosen].mean()) if chosen.any() else None
            row[key] = None if mean is None else round(mean, 5)
        row["gain"] = round(row["parent"] - row["adapter"], 5) if chosen.any() else None
        found[name] = row
    return found
