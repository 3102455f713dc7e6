"""Whether this machine has time and memory to spare."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil

__all__ = ["has_memory_for", "holds_accelerator", "waits_for"]

_BUSY_SHARE = 0.5
"""Load of the last minute, as a share of the processors, above which somebody works."""
_CARDS = ("/dev/nvidia", "/dev/kfd", "/dev/dxg")
"""What a process has open while it uses a card: NVIDIA's, AMD's, and any under WSL."""


def waits_for() -> str | None:
    """What heavy work that nobody asked for should wait for; None where nothing speaks against."""
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is not None and battery.power_plugged is False:
        return "mains power"
    if psutil.getloadavg()[0] > _BUSY_SHARE * (os.cpu_count() or 1):
        return "an idle machine"
    return None


def has_memory_for(spare: int) -> bool:
    """Whether so many bytes can be had without taking them from others."""
    return psutil.virtual_memory().available >= spare


def holds_accelerator(pid: int) -> bool:
    """Whether a process has memory of an accelerator, told as by ``fuser /dev/nvidia*``.

    macOS does not tell; there processor and accelerator have their memory in common.
    """
    with suppress(OSError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # closed by now
                if str(file.readlink()).startswith(_CARDS):
                    return True
    return False
