"""How the model libraries are set up before they are loaded. Importing this loads none."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings

from personalizer.errors import StorageError
from personalizer.processes import libraries

__all__ = ["quiet_libraries"]


def quiet_libraries() -> None:
    """Keeps the model libraries off the terminal and off the hubs; called before torch comes.

    A library may fetch what it thinks it needs, as bitsandbytes does its kernels; only
    ``models pull``, which does not call this, may leave the machine.

    Raises:
        StorageError: If nothing temporary can be written, which some libraries do as they load.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise StorageError(
            "cannot write temporary files: make room on the disk, or name a folder in TMPDIR"
        ) from error
    os.environ.update(libraries())
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve a busy machine
    # oneDNN keeps code for the last 1,024 shapes that it met: with texts of ever other lengths, a
    # gigabyte. As many as a step has are enough (docs/experiments.md).
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
    warnings.filterwarnings("ignore")
    logging.getLogger().setLevel(logging.ERROR)
    logging.disable(logging.INFO)  # bm25s sets its own logger to DEBUG
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
