"""The adapters of one workspace: which exist, which one serves, who chose it.

Every change is one rename, so that a process that dies at any moment leaves the old state or the
new one. Changes of several processes wait for each other; reading never waits.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from personalizer.adapters.manifest import (
    BASE,
    MANIFEST,
    PAIRS,
    Adapter,
    Manifest,
    Trained,
    identity,
    read_manifest,
)
from personalizer.errors import AdapterError, Busy, StorageError
from personalizer.models import fingerprint
from personalizer.storage import WorkspaceData, file_digest, unwritable, write_atomically

if TYPE_CHECKING:
    from filelock import FileLock

__all__ = ["Chooser", "Registry"]

Chooser = Literal["gate", "user"]
"""Who let an adapter serve."""

_SERVING, _NAMES, _LOCK = "serving.json", "names.json", ".lock"
_STAGING, _REMOVED = ".staging-", ".removed-"
_BANNED = "forgotten"
"""Stands in the place of an adapter's hash that must not come back."""
_PATIENCE = 60.0
"""Seconds to wait for another process's change; one takes milliseconds, an import its copying."""
_REMEMBERED = 50
"""Steps that can be rolled back."""


@dataclass(frozen=True)
class _Choice:
    id: str
    """Empty for the base."""
    by: Chooser


class Registry:
    """The adapters of one workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, root: Path) -> Registry:
        """Those of the workspace in a folder."""
        return cls(WorkspaceData(root).adapters)

    @cached_property
    def _lock(self) -> FileLock:
        from filelock import FileLock  # loads asyncio: too slow for whoever only reads

        return FileLock(self.folder / _LOCK, timeout=_PATIENCE)

    # ------------------------------------------------------------ reading

    def all(self) -> list[Adapter]:
        """Adapters that can be read, in the order they came, whatever the clock said."""
        order = {name: place for place, name in enumerate(self._names())}
        found = []
        for name in self._folders():
            try:
                found.append(self.get(name))
            except AdapterError:
                continue
        return sorted(found, key=lambda a: (order.get(a.id, -1), a.manifest.trained_at, a.id))

    def damaged(self) -> dict[str, str]:
        """One line by name for each adapter whose manifest cannot be read."""
        found = {}
        for name in self._folders():
            try:
                self.get(name)
            except AdapterError as error:
                found[name] = str(error)
        return found

    def ever(self) -> bool:
        """Whether there was any adapter, be it removed since."""
        return bool(self._names())

    def get(self, adapter_id: str) -> Adapter:
        """The adapter of an id.

        Raises:
            AdapterError: If there is none, or its manifest is damaged.
        """
        folder = self.folder / adapter_id
        try:
            if folder.parent != self.folder or adapter_id.startswith("."):
                raise FileNotFoundError(adapter_id)
            return Adapter(folder, read_manifest(folder))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise AdapterError(
                f"no adapter is called {adapter_id}: see `personalizer adapters list`"
            ) from error

    def named(self, name: str | None) -> Adapter | None:
        """The adapter that a user names; that which serves where none is named.

        Args:
            name: An id, or ``base``.

        Returns:
            None for the base.

        Raises:
            AdapterError: If there is none of this name, or it is damaged.
        """
        if name == BASE:
            return None
        return self.get(name) if name else self.serving()

    def serving(self) -> Adapter | None:
        """The adapter that serves; None when the base serves.

        Raises:
            AdapterError: If it is damaged or gone: nothing else serves in its place unsaid.
        """
        chosen = self._chosen()
        if not chosen or not chosen[0].id:
            return None
        try:
            return self.get(chosen[0].id)
        except AdapterError as error:
            raise AdapterError(
                f"{error}; or let the base serve: `personalizer adapters use base`"
            ) from error

    def chosen_by(self) -> Chooser | None:
        """Who let serve what serves; None when nothing was ever chosen."""
        chosen = self._chosen()
        return chosen[0].by if chosen else None

    # ------------------------------------------------------------ changing

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One process at a time, and again within itself; freed by the system on any death.

        Raises:
            Busy: If another process has been at it for a minute.
            StorageError: If the folder cannot be written.
        """
        from filelock import Timeout

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise Busy(
                f"another process has been changing {self.folder} for {_PATIENCE:.0f} s: "
                "wait for it to end, or stop it"
            ) from error
        except OSError as error:
            raise unwritable(self.folder, error) from error
        try:
            yield
        finally:
            self._lock.release()

    def staging(self) -> Path:
        """A new folder for ``add``, on the same disk; swept away if its process dies."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(dir=self.folder, prefix=_STAGING))
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def add(self, staging: Path, manifest: Manifest, trained: Trained) -> Adapter:
        """Takes a folder of weights in; the adapter exists when this returns, never in part.

        Raises:
            AdapterError: If another adapter has or had this name.
            StorageError: If the disk is full or read-only.
        """
        write_atomically(staging / PAIRS, msgspec.json.encode(trained))
        files = {f.name: file_digest(f) for f in sorted(staging.iterdir()) if f.is_file()}
        kept = replace(manifest, files=files)
        self.adopt(staging, kept)
        return Adapter(self.folder / kept.id, kept)

    def adopt(self, staging: Path, manifest: Manifest) -> None:
        """Takes a folder in that is whole apart from its manifest, which is written last.

        Raises:
            AdapterError: If another adapter has or had this name.
            StorageError: If the disk is full or read-only.
        """
        target = self.folder / manifest.id
        with self.changing():
            self._claim(manifest)
            if (target / MANIFEST).exists():
                raise AdapterError(f"the adapter {manifest.id} is here already")
            encoded = msgspec.json.format(msgspec.json.encode(manifest))
            write_atomically(staging / MANIFEST, encoded)
            shutil.rmtree(target, ignore_errors=True)  # has no manifest: nobody's
            try:
                staging.replace(target)
            except OSError as error:
                raise unwritable(target, error) from error

    def use(self, adapter_id: str | None, *, by: Chooser = "user") -> None:
        """Lets an adapter serve from now on, or the base (None).

        Raises:
            AdapterError: If there is no such adapter, its files are damaged, or a user has chosen
                one of another base.
        """
        with self.changing():
            if adapter_id is not None:
                self._check(adapter_id, base=by == "user")  # the gate has just measured on it
            choice = _Choice(adapter_id or "", by)
            history = self._chosen(forgive=True)
            if not history or history[0].id != choice.id:
                self._choose([choice, *history])
            elif history[0] != choice:
                self._choose([choice, *history[1:]])

    def rollback(self) -> Adapter | None:
        """Lets the adapter serve that served before; None when that was the base.

        Raises:
            AdapterError: If nothing served before, or what did is damaged or of another base.
        """
        with self.changing():
            history = self._chosen()
            if not history:
                raise AdapterError("nothing served before: there is nothing to roll back to")
            before = history[1:]
            if before and before[0].id:
                self._check(before[0].id)
            self._choose(before)
        return self.serving()

    def remove(self, adapter_id: str) -> None:
        """Deletes an adapter, a damaged one too; one that serves makes place for the one before.

        Raises:
            AdapterError: If there is none.
        """
        self.remove_all([adapter_id])

    def remove_all(self, adapter_ids: Sequence[str], *, for_ever: bool = False) -> None:
        """Deletes several adapters; raises as ``remove``, before anything is deleted.

        Args:
            adapter_ids: Their names.
            for_ever: Take none of them in again from elsewhere.
        """
        with self.changing():
            for name in adapter_ids:
                if name not in self._folders():
                    self.get(name)
            gone = set(adapter_ids)
            if for_ever and gone:
                names = self._names() | dict.fromkeys(adapter_ids, _BANNED)
                write_atomically(self.folder / _NAMES, msgspec.json.encode(names))
            history = self._chosen(forgive=True)
            kept = [choice for choice in history if choice.id not in gone]
            if kept != history:
                self._choose([c for i, c in enumerate(kept) if not i or kept[i - 1].id != c.id])
            for name in adapter_ids:
                grave = self.folder / f"{_REMOVED}{name}"
                shutil.rmtree(grave, ignore_errors=True)
                try:
                    (self.folder / name).replace(grave)
                except OSError as error:
                    raise StorageError(f"cannot delete {name}: {error.strerror}") from error
                shutil.rmtree(grave, ignore_errors=True)

    def sweep(self) -> None:
        """Deletes what killed processes left."""
        if not self.folder.is_dir():
            return
        with self.changing():
            for path in self.folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    if path.name.startswith(".") or not (path / MANIFEST).exists():
                        shutil.rmtree(path, ignore_errors=True)
                elif path.name.startswith((f".{_SERVING}.", f".{_NAMES}.")):
                    path.unlink(missing_ok=True)

    # ------------------------------------------------------------ files

    def _check(self, adapter_id: str, *, base: bool = True) -> None:
        """Refuses an adapter that could not serve.

        Raises:
            AdapterError: If there is none, or it is damaged or, with ``base``, of another base.
        """
        adapter = self.get(adapter_id)
        adapter.verify()
        if base and not adapter.fits(fingerprint):
            raise adapter.of_another_base()

    def _claim(self, manifest: Manifest) -> None:
        names = self._names()
        mark = identity(manifest.files)
        if names.get(manifest.id) == _BANNED:
            raise AdapterError(f"{manifest.id} was to be forgotten: it is not taken in again")
        if names.setdefault(manifest.id, mark) != mark:
            raise AdapterError(
                f"another adapter was called {manifest.id} here before: a name stands for one "
                "adapter for ever"
            )
        write_atomically(self.folder / _NAMES, msgspec.json.encode(names))

    def _folders(self) -> list[str]:
        found = self.folder.glob(f"*/{MANIFEST}")
        return sorted(f.parent.name for f in found if not f.parent.name.startswith("."))

    def _names(self) -> dict[str, str]:
        try:
            return msgspec.json.decode((self.folder / _NAMES).read_bytes(), type=dict[str, str])
        except (OSError, ValueError):
            return {}

    def _chosen(self, *, forgive: bool = False) -> list[_Choice]:
        """The choices, the newest first.

        Raises:
            AdapterError: If the record is damaged and ``forgive`` is not set.
        """
        try:
            data = (self.folder / _SERVING).read_bytes()
            return msgspec.json.decode(data, type=list[_Choice])
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError) as error:
            if forgive:
                return []
            raise AdapterError(
                f"the record of what serves is damaged ({self.folder / _SERVING}): choose again "
                "with `personalizer adapters use`"
            ) from error

    def _choose(self, history: list[_Choice]) -> None:
        write_atomically(self.folder / _SERVING, msgspec.json.encode(history[:_REMEMBERED]))
