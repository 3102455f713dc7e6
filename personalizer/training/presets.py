"""The papers' own training protocols, by name. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from personalizer.errors import SettingsError
from personalizer.settings import Optimizer, ScheduleOver
from personalizer.training.strategies.records import Options

__all__ = ["PRESETS", "Preset", "preset_named"]


def _fixed(**values: float) -> Mapping[str, float]:
    return MappingProxyType({name.replace("_", "-"): value for name, value in values.items()})


@dataclass(frozen=True)
class Preset:
    """A published protocol."""

    name: str
    source: str
    """The paper."""
    ours: tuple[str, ...]
    """Fields that the paper leaves open: their values are ours."""
    options: Options
    optimizer: Optimizer = "adamw"
    batch_size: int = 8
    epochs: int = 12
    patience: int = 10
    """Evaluations without a better loss before the run ends."""
    evaluate_every: float = 0.2
    """Epochs between two evaluations; the lowest validation loss is kept."""
    schedule: ScheduleOver = "epochs"
    """The learning rate runs over all epochs, whatever the budget allows."""
    rates: Mapping[str, float] = field(default_factory=_fixed)
    """Learning rate by strategy; the strategy's own where none is named."""
    beams: int = 5
    new_tokens: Mapping[str, float] = field(default_factory=_fixed)
    """Most tokens of an answer, by the paper's data set."""

    def settings(self, method: str) -> dict[str, Any]:
        """The training settings that stand for it, with the rate of a strategy."""
        found: dict[str, Any] = {
            "lora_rank": self.options.rank,
            "lora_targets": self.options.targets,
            "lora_variant": self.options.variant,
            "virtual_tokens": self.options.virtual_tokens,
            "optimizer": self.optimizer,
            "batch_size": self.batch_size,
            "epochs": self.epochs,
            "patience": self.patience,
            "evaluate_every": self.evaluate_every,
            "schedule": self.schedule,
            "learning_rate": self.rates.get(method),
        }
        return {name: value for name, value in found.items() if value is not None}


_ALL = (
    Preset(
        name="weyssow2024",
        source="Weyssow et al. 2024 (arXiv 2308.10462)",
        ours=("patience",),
        options=Options(rank=16, targets="qkv", virtual_tokens=20),
        optimizer="adafactor",
        batch_size=8,
        epochs=5,
        patience=25,  # five evaluations an epoch: the paper names no early end
        evaluate_every=0.2,
        rates=_fixed(
            custom=5e-5,
            lora=3e-4,
            qlora_8bit=3e-4,
            qlora_4bit=3e-4,
            ia3=3e-4,
            prompt=3e-3,
            prefix=3e-2,
        ),
        beams=10,
        new_tokens=_fixed(conala=64, codealpacapy=128, apps=1024),
    ),
    Preset(
        name="zlotchevski2022",
        source="Zlotchevski et al. 2022 (ESEC/FSE)",
        ours=(
            "optimizer",
            "batch_size",
            "epochs",
            "patience",
            "evaluate_every",
            "rates",
            "beams",
            "new_tokens",
        ),
        options=Options(virtual_tokens=200),
    ),
)
PRESETS: dict[str, Preset] = {one.name: one for one in _ALL}


def preset_named(name: str) -> Preset:
    """The preset of a name.

    Raises:
        SettingsError: If there is none; lists those that are.
    """
    if name not in PRESETS:
        raise SettingsError(f"expected one of {', '.join(PRESETS)} as preset, got {name}")
    return PRESETS[name]
