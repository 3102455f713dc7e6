"""How the daemon is reached: its folder, its socket, and the note that says which one runs."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from indexer.errors import NotAFolder
from personalizer.errors import BadInput, StorageError
from personalizer.storage import daemon_folder, unwritable

__all__ = [
    "Note",
    "born",
    "folder_of",
    "lock_file",
    "log_file",
    "note_file",
    "private_folder",
    "read_note",
    "socket_file",
]

_LONGEST_SOCKET = 100
"""Bytes; a socket's address holds 104 on macOS and 108 on Linux."""


@dataclass(frozen=True, slots=True)
class Note:
    """``daemon.json``: the daemon that runs, or ran last."""

    pid: int
    born: float
    """The process's start as :func:`born` tells it: a pid alone may be somebody else's by now."""
    socket: str
    version: str


def born(process: psutil.Process) -> float:
    """When a process started, in seconds that do not change as the clock is set.

    Linux counts them from the boot, of which psutil makes a date by the clock as it is now.
    """
    return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)


def note_file() -> Path:
    return daemon_folder() / "daemon.json"


def lock_file() -> Path:
    """Held for as long as a daemon lives."""
    return daemon_folder() / "daemon.lock"


def log_file() -> Path:
    return daemon_folder() / "daemon.log"


def read_note() -> Note | None:
    """The note of the daemon that runs or ran last; None where there never was one."""
    try:
        return msgspec.json.decode(note_file().read_bytes(), type=Note)
    except (OSError, ValueError):
        return None


def socket_file() -> Path:
    """The socket's path in the daemon's folder, or in a runtime folder where that is too long."""
    plain = daemon_folder() / "socket"
    if len(os.fsencode(plain)) <= _LONGEST_SOCKET:
        return plain
    digest = hashlib.blake2b(os.fsencode(plain), digest_size=6).hexdigest()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and len(os.fsencode(runtime)) < 50 and Path(runtime).is_dir():
        return Path(runtime) / f"personalizer-{digest}" / "socket"
    return Path(tempfile.gettempdir()) / f"personalizer-{os.getuid()}-{digest}" / "socket"


def folder_of(path: str) -> Path:
    """The folder that a request names, with links followed.

    Raises:
        BadInput: If the path is not absolute.
        NotAFolder: If there is no such folder.
    """
    folder = Path(path)
    if not folder.is_absolute():
        raise BadInput(f"expected the absolute path of a workspace, got {path!r}")
    with suppress(OSError, ValueError):  # too long, or with a zero byte
        if folder.is_dir():
            return folder.resolve()
    raise NotAFolder(f"expected a folder, got {path!r}")


def private_folder(folder: Path) -> None:
    """Makes a folder that only this user can enter.

    Raises:
        StorageError: If it cannot be made, or belongs to somebody else.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if found.st_uid == os.getuid() and not folder.is_symlink():
            folder.chmod(0o700)
            return
    except OSError as error:
        raise unwritable(folder, error) from error
    raise StorageError(f"expected {folder} to be a folder of yours, it is somebody else's")
