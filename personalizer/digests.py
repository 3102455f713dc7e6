"""Hashes of files, kept by what the system says of them: a large file is read once a change."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from personalizer.errors import StorageError
from personalizer.storage import data_folder, write_atomically

__all__ = ["kept_digest", "quick_digest"]

_QUICK = 64 << 20
"""Bytes that who must answer at once reads: a tenth of a second."""
_SMALL = 1 << 20
"""Bytes that are read again rather than kept."""
_SETTLED = 2 * 10**9
"""Nanoseconds after which a file that has changed shows it: clocks of file systems are coarse."""
_REMEMBERED = 256


def kept_digest(files: Iterable[Path], read: Callable[[], str]) -> str:
    """What ``read`` makes of files; not read again, by any process, until one of them changes.

    Raises:
        OSError: If one cannot be read.
    """
    stamps = _stamps(files)
    return _known(stamps) or _read(stamps, read)


def quick_digest(files: Iterable[Path], read: Callable[[], str]) -> str | None:
    """The same; None where it is not kept and the files are large. Raises as ``kept_digest``."""
    stamps = _stamps(files)
    known = _known(stamps)
    return known if known or _size(stamps) > _QUICK else _read(stamps, read)


_Stamp = tuple[str, int, int, int]
"""Of a file: its path, its size in bytes, the nanoseconds of its last changes."""


def _stamps(files: Iterable[Path]) -> tuple[_Stamp, ...]:
    found = ((file.absolute(), file.stat()) for file in files)
    return tuple((str(f), s.st_size, s.st_mtime_ns, s.st_ctime_ns) for f, s in found)


def _size(stamps: tuple[_Stamp, ...]) -> int:
    return sum(stamp[1] for stamp in stamps)


def _known(stamps: tuple[_Stamp, ...]) -> str | None:
    return _kept().get(_key(stamps)) if _size(stamps) > _SMALL else None


def _read(stamps: tuple[_Stamp, ...], read: Callable[[], str]) -> str:
    now = time.time_ns()
    found = read()
    settled = all(max(stamp[2:]) < now - _SETTLED for stamp in stamps)
    if settled and _size(stamps) > _SMALL and _stamps(Path(s[0]) for s in stamps) == stamps:
        with suppress(StorageError):  # read again then
            rows = list((_kept() | {_key(stamps): found}).items())
            write_atomically(_record(), msgspec.json.encode(dict(rows[-_REMEMBERED:])))
    return found


def _key(stamps: tuple[_Stamp, ...]) -> str:
    return hashlib.blake2b(repr(stamps).encode(), digest_size=16).hexdigest()


def _record() -> Path:
    return data_folder() / "digests.json"


def _kept() -> dict[str, str]:
    try:
        return msgspec.json.decode(_record().read_bytes(), type=dict[str, str])
    except (OSError, ValueError):
        return {}
