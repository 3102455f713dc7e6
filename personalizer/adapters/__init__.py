"""Adapters on disk: what is known of each, which one serves, how they travel, how they go.

adapters/<id>/adapter_model.safetensors, adapter_config.json   PEFT's own files where it has them
adapters/<id>/pairs.json       hash and side of each pair used, names that the project had
adapters/<id>/manifest.json    an adapter exists when this exists; it is never edited
adapters/serving.json          which one serves, who chose it, and which served before
adapters/names.json            every name ever given, in order: none is given twice
"""

from personalizer.adapters.exchange import Base, export, import_folder
from personalizer.adapters.forget import Forgotten, forget, remember
from personalizer.adapters.manifest import (
    BASE,
    Adapter,
    Manifest,
    Side,
    Trained,
    UsedPair,
    halves,
    new_id,
)
from personalizer.adapters.registry import Chooser, Registry

__all__ = [
    "BASE",
    "Adapter",
    "Base",
    "Chooser",
    "Forgotten",
    "Manifest",
    "Registry",
    "Side",
    "Trained",
    "UsedPair",
    "export",
    "forget",
    "halves",
    "import_folder",
    "new_id",
    "remember",
]
