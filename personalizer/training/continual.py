"""Training on from an adapter: its weights, the pairs that are new, and a replay of those it knows.

What trained the parent, or a parent of it, never judges the child: a focal class keeps the side it
had, whatever the split of the grown project says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from indexer import Pair
from personalizer.adapters import Adapter, Registry, Trained
from personalizer.dataset import Dataset, Encoded, Side
from personalizer.errors import AdapterError, BadInput
from personalizer.models import LoadedBase
from personalizer.settings import Settings
from personalizer.training.batches import target_losses
from personalizer.training.strategies import Options, Strategy, attach
from personalizer.training.strategies.choice import AUTO
from personalizer.training.strategies.files import is_peft

__all__ = [
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
        """Digests of the pairs that the project had when the parent was trained."""
        return set(self.trained.pairs.values())


def started_from(
    registry: Registry, settings: Settings, base_fingerprint: str
) -> tuple[Settings, WarmStart | None]:
    """Settings and parent of a training; no parent without ``warm_start``, or while none serves.

    Raises:
        AdapterError: As ``parent_of``.
    """
    if not settings.warm_start:
        return settings, None
    parent = parent_of(registry, settings.method, base_fingerprint)
    if parent is None:
        return settings, None
    method = parent.adapter.manifest.method
    return replace(settings, method=method), WarmStart(parent, settings.seed)


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
    file has moved.

    Args:
        sides: Pairs by side, from ``dataset.split``.
        parent: Whose sides count.
    """
    of_class: dict[str, Side] = {}
    of_pair: dict[str, Side] = {}
    ordered = [*parent.trained.inherited, *parent.trained.used]  # the newest word counts
    for used in ordered:
        of_class[used.focal_class] = of_pair[used.digest] = used.side  # type: ignore[assignment]
    for used in ordered:
        if used.side == "train":
            of_class[used.focal_class] = of_pair[used.digest] = "train"
    classes: dict[str, list[Pair]] = {}
    split: dict[str, Side] = {}
    for side, pairs in sides.items():
        for pair in pairs:
            classes.setdefault(pair.focal_class, []).append(pair)
            split[pair.focal_class] = side
    kept: dict[Side, list[Pair]] = {side: [] for side in sides}
    for name, pairs in classes.items():
        had = {of_pair[p.digest] for p in pairs if p.digest in of_pair}
        if name in of_class:
            had.add(of_class[name])
        kept["train" if "train" in had else min(had, default=split[name])] += pairs
    return kept


def replayed(sides: Sides, parent: Parent, seed: int) -> tuple[dict[Side, list[Pair]], int, int]:
    """Leaves of the training side what is new or changed, and as many pairs that are not.

    Returns:
        The sides, the number of new or changed training pairs, and of those replayed.

    Raises:
        BadInput: If nothing is new.
    """
    fresh = [p for p in sides["train"] if p.digest not in parent.known]
    if not fresh:
        raise BadInput(
            f"no training pair is new or changed since {parent.adapter.id} was trained: "
            "there is nothing to train on"
        )

    def order(pair: Pair) -> bytes:
        return hashlib.blake2b(f"{seed} {pair.digest}".encode(), digest_size=8).digest()

    known = sorted((p for p in sides["train"] if p.digest in parent.known), key=order)
    again = known[: max(_FEWEST_REPLAYED, round(_REPLAY * len(fresh)))]
    kept = {side: list(pairs) for side, pairs in sides.items()}
    kept["train"] = [*fresh, *again]
    return kept, len(fresh), len(again)


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
        """The split's sides as the parent's, with what is new and a replay to train on.

        Raises:
            BadInput: If nothing is new.
        """
        kept, new, again = replayed(keep_sides(sides, self.parent), self.parent, self._seed)
        self._counts = {"new": new, "replayed": again}
        return kept

    def strategy(self, strategy: Strategy, dataset: Dataset) -> Strategy:
        """The strategy begun with the parent's weights; raises AdapterError if they do not fit."""

        def apply(base: LoadedBase, options: Options) -> Any:
            model = _resumed(strategy, base, options, self.parent.adapter)
            model.eval()
            self.before = {s: target_losses(model, base, dataset.sides[s]) for s in _HELD_OUT}
            return model

        return replace(strategy, apply=apply)

    def outcome(self, dataset: Dataset, base: Losses, after: Losses) -> dict[str, Any]:
        """What training on brought and cost: see ``gain_and_loss``, and how much was trained on.

        Args:
            dataset: What the child was trained and judged with.
            base: The base's losses by side, ``validation`` and ``gate``.
            after: The child's.
        """
        examples = [e for side in _HELD_OUT for e in dataset.sides[side]]
        losses = [np.concatenate([one[s] for s in _HELD_OUT]) for one in (base, self.before, after)]
        return {"trained": self._counts, **gain_and_loss(self.parent, examples, *losses)}


def _resumed(strategy: Strategy, base: LoadedBase, options: Options, adapter: Adapter) -> Any:
    """The parent's model with the parameters trainable that trained it."""
    if not is_peft(adapter.folder):
        model = strategy.apply(base, options)
        attach(base, adapter.folder)
        return model
    from peft import PeftConfig, get_peft_model, set_peft_model_state_dict
    from peft.utils import load_peft_weights

    try:
        # from_pretrained would do, but refuses to make prompts and prefixes trainable
        config = PeftConfig.from_pretrained(str(adapter.folder))
        config.inference_mode = False
        model = get_peft_model(base.model, config)
        device = next(model.parameters()).device.type
        set_peft_model_state_dict(model, load_peft_weights(str(adapter.folder), device=device))
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise AdapterError(f"{adapter.id} does not fit {base.name}: {error}") from error
    return model


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
