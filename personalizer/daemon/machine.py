"""Whether this machine has time and memory to spare."""

from __future__ import annotations

import os

import psutil

__all__ = ["has_memory_for", "waits_for"]

_BUSY_SHARE = 0.5
"""Load of the last minute, as a share of the processors, above which somebody works."""


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
