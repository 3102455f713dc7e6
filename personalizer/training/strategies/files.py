"""Adapters on disk: PEFT's own files where PEFT has the method, else only what trained."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalizer.errors import AdapterError
from personalizer.models import LoadedBase
from personalizer.training.strategies import deltas
from personalizer.training.strategies.matrices import wrap
from personalizer.training.strategies.prefix import accept_batches

if TYPE_CHECKING:
    import torch

__all__ = ["attach", "check_width", "is_peft", "save"]


def save(model: Any, folder: Path) -> None:
    """Writes what was trained, as safetensors.

    Args:
        model: As ``Strategy.apply`` gave it, trained.
        folder: Made where it is missing.
    """
    from peft import PeftModel

    folder.mkdir(parents=True, exist_ok=True)
    if not isinstance(model, PeftModel):
        deltas.write(model, folder)
        return
    if hasattr(model, "first_state"):
        _save_difference(model, folder)
    else:
        model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)


def attach(base: LoadedBase, folder: Path, *, trainable: bool = False) -> torch.nn.Module:
    """The base model with an adapter from disk, in evaluation mode.

    PEFT wraps the base in place; what is not PEFT's replaces weights of the base.

    Args:
        base: Changed in place.
        folder: Of the adapter.
        trainable: Whether what was trained, and nothing else, is to require gradients.

    Raises:
        AdapterError: If the folder holds no adapter of this base.
    """
    from safetensors import SafetensorError

    try:
        if is_peft(folder):
            return _wrapped(base, folder, trainable).eval()
        if (folder / deltas.WEIGHTS).is_file():
            deltas.load(base, folder / deltas.WEIGHTS, trainable=trainable)
            changed: torch.nn.Module = base.model.eval()
            return changed
    except (AdapterError, OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise AdapterError(f"the adapter in {folder} does not fit {base.name}: {error}") from error
    raise AdapterError(f"expected an adapter in {folder}, found no weights")


def _wrapped(base: LoadedBase, folder: Path, trainable: bool) -> torch.nn.Module:
    """PEFT's model, which takes the batches that every other model takes."""
    from peft import PeftConfig, PeftModel, set_peft_model_state_dict
    from peft.utils import load_peft_weights

    config = PeftConfig.from_pretrained(str(folder))
    check_width(config, base)
    device = str(base.model.device)  # else PEFT reads them to any GPU there is
    adapted: torch.nn.Module
    if trainable:  # from_pretrained refuses to make prompts and prefixes so
        config.inference_mode = False
        adapted = wrap(base, config)
        set_peft_model_state_dict(adapted, load_peft_weights(str(folder), device=device))
    else:
        adapted = PeftModel.from_pretrained(base.model, str(folder), torch_device=device)
    accept_batches(adapted)
    return adapted


def is_peft(folder: Path) -> bool:
    """Whether an adapter lies on a base beside others, or is a model of its own."""
    return (folder / "adapter_config.json").is_file()


def check_width(config: Any, base: LoadedBase) -> None:
    """Refuses a soft prompt of another width, which PEFT would notice only when it is used.

    Raises:
        AdapterError: If its virtual tokens are no tokens of this base.
    """
    width = base.model.get_input_embeddings().weight.shape[1]
    if config.peft_type == "PROMPT_TUNING" and config.token_dim != width:
        raise AdapterError(
            f"expected virtual tokens of width {width}, got such of width {config.token_dim}"
        )


def _save_difference(model: Any, folder: Path) -> None:
    """A PiSSA adapter as the LoRA that makes the same of the untouched base."""
    from safetensors.torch import save_file

    with tempfile.TemporaryDirectory() as place:
        first = Path(place) / "first"
        first.mkdir()
        model.peft_config["default"].save_pretrained(str(first))
        save_file(model.first_state, str(first / "adapter_model.safetensors"))
        model.save_pretrained(folder, path_initial_model_for_weight_conversion=str(first))
