"""Where the user's data lies: one folder a workspace, moved by ``PERSONALIZER_DATA_DIR``.

<data>/workspaces/<name>-<hash>/    the user's alone to enter: they hold code
    index.sqlite     facts of the source, can be made again
    adapters/        one folder an adapter, and serving.json
    jobs/            logs and results of running and ended trainings
    training/        checkpoints of the run under way
    tensorboard/     event files, where the settings want them
    validation/      compiled classes
    evaluation/      cells of evaluate
    untested/        results of generate --untested
    forgotten.json   files that no adapter may learn from
    freshness.json   the loss of an adapter on new pairs, measured last
    lock             held while an adapter is trained or promoted
    lock.json        by which process, and for what
<data>/daemon/       socket, token, log, and jobs.sqlite
<data>/programs/     our own Java programs, compiled
<data>/tasks/        results of evaluate on public benchmarks
<data>/digests.json  hashes of large files, by their paths, sizes and times of change
<data>/engine.log    what the engine of a command has to say; the daemon's own is beside its socket
<data>/crash.log     the traceback of the last error that nobody foresaw
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import platformdirs

from personalizer.errors import BadInput, Busy, StorageError

__all__ = [
    "WorkspaceData",
    "daemon_folder",
    "data_folder",
    "disk_is_full",
    "file_digest",
    "file_within",
    "held",
    "limit_met",
    "unwritable",
    "write_atomically",
]

_FORGOTTEN = "forgotten.json"


def data_folder() -> Path:
    """The user's data folder; made by whoever first writes into it."""
    named = os.environ.get("PERSONALIZER_DATA_DIR")
    return Path(named).expanduser() if named else platformdirs.user_data_path("personalizer")


def daemon_folder() -> Path:
    """Socket, token and log of the one daemon a user has."""
    return data_folder() / "daemon"


def _closed(folder: Path) -> Path:
    """Lets nobody else into a folder; who writes into one that cannot be made says why."""
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:  # of an earlier version
            folder.chmod(0o700)
    return folder


@dataclass(frozen=True)
class WorkspaceData:
    """The data of one workspace."""

    root: Path
    """The workspace itself, absolute."""

    @property
    def folder(self) -> Path:
        root = self.root.resolve()
        digest = hashlib.blake2b(os.fsencode(root), digest_size=6).hexdigest()
        return _closed(data_folder() / "workspaces") / f"{root.name or 'root'}-{digest}"

    @property
    def index(self) -> Path:
        return self.folder / "index.sqlite"

    @property
    def adapters(self) -> Path:
        return self.folder / "adapters"

    @property
    def measured(self) -> Path:
        return self.folder / "freshness.json"

    @property
    def training(self) -> Path:
        """Checkpoints of the run under way."""
        return self.folder / "training"

    @property
    def jobs(self) -> Path:
        return self.folder / "jobs"

    @property
    def validation(self) -> Path:
        """Classes that were compiled, by the digest of what they were compiled from."""
        return self.folder / "validation"

    @property
    def evaluation(self) -> Path:
        """Cells of ``evaluate``."""
        return self.folder / "evaluation"

    @property
    def untested(self) -> Path:
        """Results of ``generate --untested``."""
        return self.folder / "untested"

    @property
    def derived(self) -> tuple[Path, ...]:
        """Folders beside the adapters that may hold what was made from the project's code."""
        return self.training, self.validation, self.evaluation, self.untested

    @contextmanager
    def deriving(self, folder: Path, who: str) -> Iterator[None]:
        """Holds one of ``derived`` for who writes what it has read there, until it has written.

        Nothing is forgotten meanwhile, so who reads what is forgotten after this has begun never
        writes any of it.

        Args:
            folder: Of ``derived``.
            who: Named where it is held already, as ``an evaluation``.

        Raises:
            Busy: If another process holds it.
            StorageError: If it cannot be written.
        """
        with held(folder, lambda: f"{who} of this workspace runs: wait for it to end, or stop it"):
            yield

    def forgotten(self) -> list[str]:
        """Files and folders that no adapter may learn from (``adapters forget``)."""
        try:
            return msgspec.json.decode((self.folder / _FORGOTTEN).read_bytes(), type=list[str])
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError) as error:
            raise StorageError(
                f"cannot read what is to be forgotten ({self.folder / _FORGOTTEN}): {error}; "
                "forget it again, or delete that file"
            ) from error

    def forget(self, path: str) -> None:
        """Adds a file or folder, POSIX and relative to the workspace.

        Raises:
            StorageError: If the disk is full or read-only.
        """
        self._set_forgotten({*self.forgotten(), path})

    def remember(self, path: str) -> None:
        """Takes a file or folder back that was to be forgotten; raises as ``forget``."""
        self._set_forgotten({*self.forgotten()} - {path})

    def _set_forgotten(self, paths: set[str]) -> None:
        write_atomically(self.folder / _FORGOTTEN, msgspec.json.encode(sorted(paths)))

    @contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Holds the workspace for a training or a promotion; freed by the system on any death.

        Raises:
            Busy: If another process holds it; names that process and what it does.
            StorageError: If the data folder cannot be written.
        """
        holder = self.folder / "lock.json"

        def busy() -> str:
            return f"{_held_by(holder)} holds this workspace: wait for it to end, or stop it"

        with held(self.folder, busy):
            note = {"pid": os.getpid(), "purpose": purpose}
            write_atomically(holder, msgspec.json.encode(note))
            yield


@contextmanager
def held(folder: Path, busy: Callable[[], str]) -> Iterator[None]:
    """Holds a folder's lock; freed by the system on any death.

    Args:
        folder: Made where it is missing.
        busy: What is said where another process holds it.

    Raises:
        Busy: If another process holds it.
        StorageError: If the folder cannot be written.
    """
    from filelock import FileLock, Timeout  # loads asyncio: too slow for whoever only reads

    lock = FileLock(folder / "lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise Busy(busy()) from error
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _held_by(holder: Path) -> str:
    try:
        what = msgspec.json.decode(holder.read_bytes())
        return f"process {what['pid']} ({what['purpose']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def file_digest(path: Path) -> str:
    """BLAKE2b of a file, 32 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def disk_is_full(folder: Path) -> bool:
    """Whether less than a megabyte is free where a folder lies; False where nobody can tell."""
    try:
        return shutil.disk_usage(folder).free < 1 << 20
    except OSError:
        return False


def limit_met(error: Exception) -> str | None:
    """What the system says of a limit that a write has met; libraries keep but its words."""
    told = map(os.strerror, (errno.EDQUOT, errno.EFBIG))
    return next((words for words in told if words in str(error)), None)


def unwritable(path: Path, error: OSError) -> StorageError:
    """What cannot be written and why; below the data folder, what to do about it too."""
    words = f"cannot write {path}: {error.strerror}"
    if path.is_relative_to(data_folder()):
        words += "; free space there, or set PERSONALIZER_DATA_DIR to a folder that can be written"
    return StorageError(words)


def file_within(root: Path, file: str, *, new: bool) -> Path:
    """Where a file of a workspace that is to be written lies.

    Args:
        root: The workspace.
        file: POSIX, relative to it.
        new: Whether there must be none yet.

    Raises:
        BadInput: If a link on the way leads elsewhere, or a file that is to be new is there.
    """
    path = root / file
    if not path.parent.resolve().is_relative_to(root.resolve()):
        raise BadInput(f"a link leads from {file} out of the workspace: nothing was written")
    if new and os.path.lexists(path):
        raise BadInput(f"{file} is there already and not in the index: it is ignored, or new")
    return path


def write_atomically(path: Path, data: bytes, *, private: bool = True) -> None:
    """A file with the new content or the old one, never a part, whatever dies when.

    Args:
        path: The file; its folders are made. One that is there keeps its mode.
        data: All of its content.
        private: A new file is the user's alone to read; else the umask says whose.

    Raises:
        StorageError: If the disk is full or read-only.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        handle = os.open(temporary, flags, 0o600 if private else 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                with suppress(FileNotFoundError):
                    os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(path, error) from error


def _sync_folder(folder: Path) -> None:
    """Makes a rename outlive a power cut, where the system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
