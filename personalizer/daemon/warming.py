"""Loads the model when an editor opens a project, so that its first request need not wait."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from personalizer import settings
from personalizer.adapters import Registry
from personalizer.daemon import machine
from personalizer.engine import Engine
from personalizer.errors import PersonalizerError

__all__ = ["Warming"]

_log = logging.getLogger(__name__)

_SPARE = 3 << 30
"""Bytes that must be free; torch and a small model take about 1 GiB."""


class Warming:
    """Warms an engine for whoever looks at a project, or comes back to it.

    Args:
        engine: To warm.
        occupied: Whether a training has the accelerator; nothing is loaded beside it ahead of use.
    """

    def __init__(self, engine: Engine, occupied: Callable[[], bool] = lambda: False) -> None:
        self._engine = engine
        self._occupied = occupied
        self._looked: dict[Path, float] = {}
        self._access = threading.Lock()

    def somebody_looks_at(self, root: Path) -> None:
        """Begins to load what serves a workspace; at most once until nobody has looked for long.

        So who only edits does not keep a model in memory that its idle time has freed.
        """
        chosen = settings.load(root).settings
        now = time.monotonic()
        with self._access:
            last, self._looked[root] = self._looked.get(root), now
        away = last is None or now - last > chosen.unload_minutes * 60
        room = machine.has_memory_for(_SPARE) and not self._occupied()
        if chosen.warm and away and room:
            threading.Thread(
                target=self._warm, args=(root, chosen.base), name="warm", daemon=True
            ).start()

    def _warm(self, root: Path, base: str) -> None:
        try:
            adapter = Registry.of(root).serving()
            if adapter is None:
                self._engine.warm(base)
            else:
                self._engine.warm(adapter.base, str(adapter.folder))
        except PersonalizerError as error:
            _log.warning("the model of %s is not loaded ahead: %s", root, error)
        except Exception:
            _log.exception("the model of %s is not loaded ahead", root)
