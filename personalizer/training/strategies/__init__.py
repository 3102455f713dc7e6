"""Ways to adapt a base model: what trains, with which learning rate, and how it is kept.

| name | what trains | source |
| --- | --- | --- |
| lora | low-rank matrices beside every linear layer | W24; all layers and the rate are ours |
| custom | all parameters | Z22 3.2, W24 full fine-tuning |
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalizer.errors import AdapterError, SettingsError
from personalizer.models import LoadedBase
from personalizer.training.strategies.records import Options, Strategy

if TYPE_CHECKING:
    import torch

__all__ = ["STRATEGIES", "Options", "Strategy", "attach", "save", "strategy_named"]

_WEIGHTS = "model.safetensors"


def _lora(base: LoadedBase, options: Options) -> Any:
    from peft import LoraConfig, TaskType, get_peft_model

    task = TaskType.SEQ_2_SEQ_LM if base.encoder_decoder else TaskType.CAUSAL_LM
    return get_peft_model(
        base.model,
        LoraConfig(
            task_type=task,
            r=options.rank,
            lora_alpha=2 * options.rank,
            lora_dropout=0.05,
            target_modules="all-linear",
            base_model_name_or_path=base.name,
        ),
    )


def _custom(base: LoadedBase, options: Options) -> Any:
    return base.model.requires_grad_(True)


STRATEGIES: dict[str, Strategy] = {
    one.name: one
    for one in (
        Strategy(
            name="lora",
            trains="low-rank matrices beside linear layers",
            source="W24: r 16, alpha 32, q, k and v, 3e-4",
            apply=_lora,
            rate=3e-4,
            small_rate=2e-3,
        ),
        Strategy(
            name="custom",
            trains="all parameters",
            source="Z22 3.2; W24 full fine-tuning: 5e-5",
            apply=_custom,
            rate=5e-5,
            small_rate=5e-4,
        ),
    )
}


def strategy_named(name: str) -> Strategy:
    """The strategy of a name.

    Raises:
        SettingsError: If there is none; lists those that are.
    """
    if name not in STRATEGIES:
        raise SettingsError(f"expected one of {', '.join(STRATEGIES)} as method, got {name}")
    return STRATEGIES[name]


def save(model: Any, folder: Path) -> None:
    """Writes what was trained: PEFT's files for a PEFT model, else all weights as safetensors."""
    from peft import PeftModel
    from safetensors.torch import save_model

    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(model, PeftModel):
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
    else:
        save_model(model, str(folder / _WEIGHTS))


def attach(base: LoadedBase, folder: Path) -> torch.nn.Module:
    """The base model with an adapter from disk, in evaluation mode.

    PEFT wraps the base in place; a ``custom`` adapter replaces the base's weights.

    Raises:
        AdapterError: If the folder holds no adapter of this base.
    """
    from peft import PeftModel
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    try:
        if (folder / "adapter_config.json").is_file():
            adapted: torch.nn.Module = PeftModel.from_pretrained(base.model, str(folder)).eval()
            return adapted
        if (folder / _WEIGHTS).is_file():
            load_model(base.model, str(folder / _WEIGHTS))
            whole: torch.nn.Module = base.model.eval()
            return whole
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise AdapterError(f"the adapter in {folder} does not fit {base.name}: {error}") from error
    raise AdapterError(f"expected an adapter in {folder}, found no weights")
