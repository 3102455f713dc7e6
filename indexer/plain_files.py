"""Plain files alone are read, and no more of them than is bounded.

What lies in a project may be a link to anywhere, a pipe that never ends or is waited for, a device.
"""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from pathlib import Path

__all__ = ["open_plain", "read_plain"]


def open_plain(path: Path | str, *, links: bool = False) -> FileIO:
    """Opens a plain file to be read, without waiting.

    Args:
        path: The file.
        links: Whether a link may lead to it.

    Raises:
        OSError: If it cannot be opened, or is something else.
    """
    no_link = 0 if links else os.O_NOFOLLOW
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | no_link)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "no plain file", str(path))
    return FileIO(handle)


def read_plain(path: Path | str, most: int, *, links: bool = False) -> bytes:
    """The first bytes of a plain file, ``most`` at most; raises as ``open_plain``."""
    with open_plain(path, links=links) as file:
        data = file.read(min(most, os.fstat(file.fileno()).st_size + 1))
        while data and len(data) < most and (more := file.read(min(most - len(data), 1 << 16))):
            data += more
        return data
