"""A base model with an adapter worked into its weights: a model folder like any other."""

from __future__ import annotations

from pathlib import Path

from personalizer.adapters import Adapter
from personalizer.adapters.exchange import new_folder
from personalizer.errors import BadInput
from personalizer.models import best_device, fingerprint, half_of, load_base
from personalizer.training.strategies import attach

__all__ = ["export_merged"]

_VIRTUAL = ("prefix", "prompt")


def export_merged(adapter: Adapter, target: Path) -> list[str]:
    """Writes model and tokenizer for ``from_pretrained``; says which files.

    A base that was kept in 4 or 8 bits for training is merged in full precision: on the CPU, as it
    need not fit on the accelerator, in the floats that it would have there.

    Raises:
        AdapterError: If the adapter is damaged or of another base.
        BadInput: If its method has no weights to merge, or something is at ``target`` already.
        BaseModelError: If the base cannot be loaded.
        StorageError: If it cannot be written.
    """
    from peft import PeftModel

    adapter.verify()
    if adapter.manifest.method in _VIRTUAL:
        raise BadInput(
            f"{adapter.manifest.method} puts virtual tokens before the prompt, which no weights of "
            "the base can hold: export it without --merged"
        )
    with new_folder(target) as staging:
        device = best_device()
        kind = None if device == "cpu" else half_of(device)
        base = load_base(adapter.base, device="cpu", dtype=kind)
        adapter.check_base(fingerprint(base.folder))
        model = attach(base, adapter.folder)
        if isinstance(model, PeftModel):
            model = model.merge_and_unload()
        model.save_pretrained(staging)  # type: ignore[operator]
        base.tokenizer.save_pretrained(staging)
        return sorted(file.name for file in staging.iterdir())
