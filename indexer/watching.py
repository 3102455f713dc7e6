"""Tells of files that change on disk, a burst at a time.

On Linux each folder that a walk enters is watched by itself, with watchdog's inotify reader: a
recursive watch would take in build outputs and dependencies too, many times as many. Elsewhere one
recursive watch of the operating system costs nothing more, and what is ignored is dropped. Where
the kernel's limit of watches is met, times of files are looked at now and then.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from indexer.languages import language_of
from indexer.workspace import RULE_FILES, Workspace

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent, WatchDescriptor

__all__ = ["Changed", "Watcher"]

_log = logging.getLogger(__name__)

Changed = frozenset[str] | None
"""Paths that may have changed, relative to the workspace; None where any may have."""

_PAUSE = 0.3
"""Seconds without an event after which a burst is over."""
_LONGEST = 10.0
"""Seconds after which a burst is told of though it goes on."""
_POLL = 5.0
"""Seconds between two looks where the kernel tells of nothing, at least."""
_POLL_SHARE = 0.02
"""Share of one processor that looking may take."""


class Watcher:
    """Watches a workspace from ``start`` to ``stop``, in threads of its own.

    Args:
        workspace: What is watched.
        told: Called after each burst, in the watcher's thread, one call at a time. The first call
            comes once the watch stands: what is read after it will not change unnoticed.
    """

    def __init__(self, workspace: Workspace, told: Callable[[Changed], None]) -> None:
        self._workspace = workspace
        self._told = told
        self._burst = _Burst(workspace.git_is_writing)
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self.polling = False
        """Whether times are looked at, because the kernel's limit was met."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch; ``told`` is not called any more once this returns."""
        self._burst.end()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        kind = _Inotify if sys.platform == "linux" else _Native
        try:
            with closing(kind(self._workspace, self._burst)) as source:
                self._burst.add(everything=True)
                while (changed := self._burst.wait()) is not _END:
                    if changed is None:
                        source.refresh()
                    self._tell(changed)
        except OSError as error:
            self.polling = True
            _log.warning(
                "%s: looking at the files of %s every few seconds instead; "
                "a higher fs.inotify.max_user_watches would tell of changes at once",
                error,
                self._workspace.root,
            )
            self._poll()

    def _poll(self) -> None:
        before = self._workspace.stamps()
        self._tell(None)
        pause = _POLL
        while not self._burst.ended.wait(pause):
            start = time.thread_time()
            now = self._workspace.stamps()
            pause = max(_POLL, (time.thread_time() - start) / _POLL_SHARE)
            changed = {path for path in before.keys() | now if before.get(path) != now.get(path)}
            before = now
            if changed:
                self._tell(frozenset(changed))

    def _tell(self, changed: Changed) -> None:
        try:
            self._told(changed)
        except Exception:
            _log.exception("cannot take in what changed in %s", self._workspace.root)


_END: frozenset[str] = frozenset({"\0"})
"""What no path is; told apart by identity."""


class _Burst:
    """Gathers what changes until a pause; filled in one thread, emptied in another.

    Args:
        unfinished: Whether what goes on will go on after a pause.
    """

    def __init__(self, unfinished: Callable[[], bool]) -> None:
        self._unfinished = unfinished
        self.ended = threading.Event()
        self._paths: set[str] = set()
        self._everything = False
        self._last = 0.0
        self._news = threading.Condition()

    def add(self, *paths: str, everything: bool = False) -> None:
        with self._news:
            self._paths.update(paths)
            self._everything |= everything
            self._last = time.monotonic()
            self._news.notify()

    def end(self) -> None:
        with self._news:
            self.ended.set()
            self._news.notify()

    def wait(self) -> Changed:
        """Sleeps until something changes, then until a pause; ``_END`` at the end."""
        with self._news:
            self._news.wait_for(lambda: self._paths or self._everything or self.ended.is_set())
            begin = time.monotonic()
            while not self.ended.is_set():
                now = time.monotonic()
                over = now >= self._last + _PAUSE and not self._unfinished()
                if over or now >= begin + _LONGEST:
                    break
                self._news.wait(max(self._last + _PAUSE - now, _PAUSE / 4))
            if self.ended.is_set():
                return _END
            found = None if self._everything else frozenset(self._paths)
            self._paths, self._everything = set(), False
            return found


class _Inotify:
    """A watch for each folder that a walk enters; watchdog's reader calls the ``on_`` methods."""

    def __init__(self, workspace: Workspace, burst: _Burst) -> None:
        from watchdog.observers import inotify_c

        self._workspace = workspace
        self._burst = burst
        self._reader = inotify_c.InotifyFD.get_instance()
        self._id = inotify_c.CallbackId(id(self))
        kinds = inotify_c.InotifyConstants
        self._mask = inotify_c.Mask(
            kinds.IN_CLOSE_WRITE
            | kinds.IN_CREATE
            | kinds.IN_DELETE
            | kinds.IN_MOVED_FROM
            | kinds.IN_MOVED_TO
            | kinds.IN_ONLYDIR
            | kinds.IN_DONT_FOLLOW
        )
        self._folders: dict[inotify_c.WatchDescriptor, str] = {}
        self._ruling: set[inotify_c.WatchDescriptor] = set()
        self._access = threading.RLock()

    def refresh(self) -> None:
        """Watches the folders that a walk now enters, and those that say which these are.

        Raises:
            OSError: If the kernel's limit of watches is met.
        """
        with self._access:
            self.close()
            self._watch("")
            for folder in map(os.fsencode, self._workspace.ruling()):
                with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                    self._ruling.add(self._reader.add_callback(folder, self._mask, self, self._id))

    def close(self) -> None:
        with self._access:
            self._leave("")
            self._reader.remove_callbacks([(one, self._id) for one in self._ruling])
            self._ruling.clear()

    def _watch(self, below: str) -> None:
        with self._access:
            watched = set(self._folders.values())
            for folder in self._workspace.folders(below):
                if folder in watched:
                    continue
                path = os.fsencode(self._workspace.root / folder)
                try:
                    one = self._reader.add_callback(path, self._mask, self, self._id)
                except (FileNotFoundError, NotADirectoryError):
                    continue  # gone again
                self._folders[one] = folder

    def _leave(self, below: str) -> None:
        with self._access:
            left = [
                (one, self._id)
                for one, folder in self._folders.items()
                if below in ("", folder) or folder.startswith(below + "/")
            ]
            for one, _ in left:
                del self._folders[one]
            self._reader.remove_callbacks(left)

    def on_event(self, event: InotifyEvent) -> None:
        name = os.fsdecode(event.name)
        with self._access:
            folder = self._folders.get(event.wd)
            ruling = event.wd in self._ruling
        if name in RULE_FILES and (ruling or folder is not None):
            self._burst.add(everything=True)
            return
        if folder is None or not name:
            return
        path = f"{folder}/{name}" if folder else name
        if not event.is_directory:
            if language_of(path, self._workspace.languages):
                self._burst.add(path)
        elif event.is_moved_from:  # its files go without events of their own
            self._leave(path)
            self._burst.add(everything=True)
        elif event.is_create or event.is_moved_to:
            self._enter(path)

    def _enter(self, folder: str) -> None:
        """Watches a new folder; what was put into it before the watch is told as well."""
        try:
            self._watch(folder)
        except OSError:
            self._burst.add(everything=True)  # if ``refresh`` meets the limit too, it says so
        self._burst.add(*self._workspace.sources(folder))

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        with self._access:
            self._folders.pop(wd, None)
            self._ruling.discard(wd)

    def on_queue_overflow(self) -> None:
        self._burst.add(everything=True)


class _Native(FileSystemEventHandler):
    """One recursive watch, as macOS and Windows have them."""

    def __init__(self, workspace: Workspace, burst: _Burst) -> None:
        self._workspace = workspace
        self._burst = burst
        self._observer = Observer()

    def refresh(self) -> None:
        if not self._observer.is_alive():
            self._observer.schedule(self, str(self._workspace.root), recursive=True)
            for folder in self._workspace.ruling():
                if folder.is_dir() and not folder.is_relative_to(self._workspace.root):
                    self._observer.schedule(self, str(folder), recursive=False)
            self._observer.start()

    def close(self) -> None:
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("opened", "closed_no_write"):
            return
        for name in (event.src_path, event.dest_path):
            path = os.path.relpath(os.fsdecode(name), self._workspace.root) if name else "."
            path = path.replace(os.sep, "/")
            touched = event.is_directory and event.event_type == "modified"  # by what is in it
            if path == "." or touched:
                continue
            if self._rules(path):
                self._burst.add(everything=True)
            elif path.startswith("../") or self._workspace.ignores(path, folder=event.is_directory):
                continue
            elif event.is_directory:
                self._burst.add(everything=True)
            elif language_of(path, self._workspace.languages):
                self._burst.add(path)

    def _rules(self, path: str) -> bool:
        """Whether something says what a walk leaves out, and lies where a walk heeds it."""
        name = path.rpartition("/")[2]
        if name == ".git" or path == ".git/info/exclude":
            return True
        return name in RULE_FILES and (path.startswith("../") or not self._workspace.ignores(path))
