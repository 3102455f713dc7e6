"""The only reader of source files: walks a folder and honours what the user ignores.

Paths inside are POSIX and relative to the workspace. Names that are not UTF-8 are kept with
surrogate escapes on disk and left out of the index with the reason ``name``.
"""

from __future__ import annotations

import os
import stat
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from indexer import screening
from indexer.errors import NotAFolder
from indexer.ignoring import Rules, read_rules
from indexer.languages import DEFAULT, language_of
from indexer.plain_files import read_plain
from indexer.store import Seen

__all__ = ["BUILD_FILES", "RULE_FILES", "Found", "Workspace"]

BUILD_FILES = frozenset(
    {
        "pom.xml",
        "build.gradle",
        "build.gradle.kts",
        "settings.gradle",
        "settings.gradle.kts",
        "gradle.properties",
        "libs.versions.toml",
    }
)
_NEVER = frozenset({".git", ".hg", ".svn", ".gradle", ".idea", ".mvn", ".venv"})
_BUILT = "target"
"""What builds write to; inside a package it is a name as any other."""
_YOUNG = 2_000_000_000
"""Nanoseconds; the coarsest file systems keep times of two seconds (git's racy entries)."""
_RULES = 4
"""Raised with every change of the screening rules: what was seen is then read again."""
_IGNORE_FILES = (".gitignore", ".personalizerignore")
RULE_FILES = frozenset({*_IGNORE_FILES, "exclude", ".git"})
"""Names of what says which folders and files are left out; ``exclude`` is git's own, in ``info``,
and with a ``.git`` a folder is another repository."""
_OTHERS = "another repository"
_HARMLESS = (
    *("-c", "safe.bareRepository=explicit"),  # a folder of the project may look like one
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
)
_FETCHING_NOTHING = {
    "GIT_NO_LAZY_FETCH": "1",  # a commit that is not here, by a program of the repository's choice
    "GIT_ALLOW_PROTOCOL": "none",  # the same for a git that does not know the former
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


class _Ignoring(NamedTuple):
    """The ignore files that hold in a folder."""

    lead: str = ""
    """From git's top to the workspace, as ``services/shop/``; empty for git's top and outside."""
    rules: tuple[Rules, ...] = ()
    """Those of deeper folders later."""

    def further(self, base: str, *texts: bytes) -> _Ignoring:
        """With ignore files that speak of a folder too; later ones count more.

        Args:
            base: The folder from git's top, as ``services/``.
            texts: What is in them.
        """
        read = [found for text in texts if (found := read_rules(text, os.fsencode(base)))]
        return _Ignoring(self.lead, (*self.rules, *read))

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Whether a path in the workspace is ignored, none of the folders above it being so.

        The last pattern that matches decides, as in git.
        """
        asked = os.fsencode(self.lead + path)
        verdicts = (rules.verdict(asked, folder=folder) for rules in reversed(self.rules))
        return next((verdict for verdict in verdicts if verdict is not None), False)


class _Folder(NamedTuple):
    """A folder that a walk enters."""

    path: str
    ignoring: _Ignoring
    """What holds in it."""
    files: list[os.DirEntry[str]]
    """What is in it that is no folder."""
    left_out: dict[str, str]
    """The folders in it that are not entered, with the reason."""


@dataclass(frozen=True, slots=True)
class Found:
    """One file of the workspace, read or left out."""

    path: str
    """POSIX, relative to the workspace."""
    source: bytes | None
    """None when the file is left out, or is what ``hash`` says."""
    reason: str | None
    """Why it is left out; None when it is read."""
    stamp: str | None = None
    """Changes when the file is written; None for a file too young to tell two writes apart."""
    hash: str | None = None
    """Content hash of a file that is as it was seen before."""


class Workspace:
    """A folder with source code.

    Args:
        root: The folder.
        languages: Names of those whose files are looked at.

    Raises:
        NotAFolder: If ``root`` is missing or is no folder.
    """

    def __init__(self, root: Path | str, languages: Collection[str] = DEFAULT) -> None:
        self.languages = languages
        self.root = Path(root).resolve()
        if not self.root.is_dir():
            raise NotAFolder(f"expected a folder, got {root}: give the path of a project")

    def read(self, path: str) -> Found:
        """One file, screened by its content; ``link`` also for one below a linked folder."""
        parts = path.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if any(os.path.islink(f"{self.root}/{folder}") for folder in above):
            return Found(path, None, "link")
        return self._read(path)

    def has(self, path: str) -> bool:
        """Whether anything lies at a path, of whatever language."""
        return os.path.lexists(f"{self.root}/{path}")

    def _read(self, path: str) -> Found:
        """As ``read``, in a folder that a walk has entered."""
        try:
            kind = os.lstat(f"{self.root}/{path}").st_mode
            if stat.S_ISLNK(kind):
                return Found(path, None, "link")
            if screening.vendored(path):
                return Found(path, None, "vendored")
            source = self._bytes(path)
        except OSError:
            return Found(path, None, "unreadable")
        reason = screening.reason_of(source)
        return Found(path, None if reason else source, reason)

    def walk(self, seen: Mapping[str, Seen] | None = None) -> Iterator[Found]:
        """Every source file in a stable order, each read or with the reason it is not.

        Args:
            seen: What an earlier walk found; files with the same stamp are not read again.
        """
        now = time.time_ns()
        for path, reason in self._paths():
            if reason:
                yield Found(path, None, reason)
                continue
            stamp = self._stamp(path, now)
            before = seen.get(path) if seen and stamp else None
            if before and before[0] == stamp:
                yield Found(path, None, before[2], stamp, before[1])
            else:
                found = self._read(path)
                yield Found(path, found.source, found.reason, stamp)

    def _stamp(self, path: str, now: int) -> str | None:
        """Size and times of a file; None where a write after this look might not show."""
        try:
            status = os.stat(f"{self.root}/{path}")  # joined as text: made for every file
        except OSError:
            return None
        written, changed = status.st_mtime_ns, status.st_ctime_ns
        if now - max(written, changed) < _YOUNG:
            return None
        return f"{_RULES}-{status.st_size}-{written}-{changed}-{status.st_ino}"

    def build_files(self) -> dict[str, bytes]:
        """Maven and Gradle files by path; those longer than any source file are left out."""
        found = {}
        for path, reason in self._paths(only=BUILD_FILES):
            if reason is None:
                try:
                    found[path] = self._bytes(path)
                except OSError:
                    continue
        return {path: data for path, data in found.items() if len(data) <= screening.LARGEST_FILE}

    def _bytes(self, path: str) -> bytes:
        """A file's bytes; of a longer one than any source file just enough to tell."""
        return read_plain(f"{self.root}/{path}", screening.LARGEST_FILE + 1)

    def ignores(self, path: str, *, folder: bool = False) -> bool:
        """Whether the user's ignore files leave out a path (for files met outside a walk)."""
        parts = path.split("/")
        ignoring = self._ignoring_above()
        for depth in range(len(parts)):
            ignoring = self._ignoring_in("/".join(parts[:depth]), ignoring)
            below = "/".join(parts[: depth + 1])
            last = depth == len(parts) - 1
            inside = folder or not last
            if _of_a_tool(below) or ignoring.ignores(below, folder=inside):
                return True
            if inside and os.path.exists(f"{self.root}/{below}/.git"):
                return True
        return False

    def folders(self, below: str = "") -> Iterator[str]:
        """Every folder that a walk enters, from ``below`` down; none where that is left out."""
        return (folder.path for folder in self._walked(below))

    def left_out(self) -> dict[str, str]:
        """Each folder that a walk does not enter, with the reason; none inside another."""
        return {path: why for folder in self._walked() for path, why in folder.left_out.items()}

    def sources(self, below: str = "") -> Iterator[str]:
        """The path of every source file that a walk would read, from a folder down."""
        return (path for path, reason in self._paths(below=below) if reason is None)

    def stamps(self) -> dict[str, str]:
        """Size and time of each source file by path; differs when one is written."""
        found = {}
        for path in self.sources():
            try:
                status = os.stat(f"{self.root}/{path}")
            except OSError:
                continue
            found[path] = f"{status.st_size}-{status.st_mtime_ns}"
        return found

    def _paths(
        self, only: frozenset[str] | None = None, below: str = ""
    ) -> Iterator[tuple[str, str | None]]:
        for folder in self._walked(below):
            for entry in folder.files:
                path = f"{folder.path}/{entry.name}" if folder.path else entry.name
                if not _writable(path):
                    if language_of(path, self.languages):
                        yield ascii(path)[1:-1], "name"
                elif not (entry.name in only if only else language_of(path, self.languages)):
                    continue
                elif entry.is_symlink():
                    yield path, "link"  # its target is met by itself, or is not of this project
                elif entry.is_file(follow_symlinks=False):
                    ignored = folder.ignoring.ignores(path, folder=False)
                    yield path, "ignored" if ignored else None

    def _walked(self, below: str = "") -> Iterator[_Folder]:
        """Each folder that is entered, from ``below`` down."""
        if below and self.ignores(below, folder=True):
            return
        parents = below.split("/") if below else []
        ignoring = self._ignoring_above()
        for depth in range(len(parents)):
            ignoring = self._ignoring_in("/".join(parents[:depth]), ignoring)
        stack = [(below, ignoring)]
        while stack:
            folder, ignoring = stack.pop()
            try:
                entries = sorted(os.scandir(f"{self.root}/{folder}"), key=lambda one: one.name)
            except OSError:
                continue
            if any(entry.name in _IGNORE_FILES for entry in entries):
                ignoring = self._ignoring_in(folder, ignoring)
            here, inside = _Folder(folder, ignoring, [], {}), []
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    here.files.append(entry)
                    continue
                path = f"{folder}/{entry.name}" if folder else entry.name
                if not _writable(path):
                    here.left_out[ascii(path)[1:-1]] = "name"
                elif _of_a_tool(path):
                    here.left_out[path] = "built or of a tool"
                elif ignoring.ignores(path, folder=True):
                    here.left_out[path] = "ignored"
                elif os.path.exists(os.path.join(entry.path, ".git")):
                    here.left_out[path] = _OTHERS
                else:
                    inside.append((path, ignoring))
            yield here
            stack.extend(reversed(inside))

    def ruling(self) -> list[Path]:
        """The folders that a walk does not enter, but whose ``RULE_FILES`` say what it enters.

        They are those above the workspace from git's top down, the one with git's own excludes,
        and other repositories inside, for as long as they are some.
        """
        repository = _repository_of(self.root)
        above = repository.down_to(self.root) if repository else []
        own = [repository.common / "info"] if repository else []
        inside = [self.root / path for path, why in self.left_out().items() if why == _OTHERS]
        return [*above, *own, *inside]

    def _ignoring_above(self) -> _Ignoring:
        """What holds in the whole workspace: the user's and git's own excludes, and files above.

        Where they leave out the workspace itself, none holds: somebody opened it all the same.
        """
        repository = _repository_of(self.root)
        if repository is None:
            return _Ignoring()
        own = repository.common / "info" / "exclude"
        found = _Ignoring().further("", _bytes(repository.top / self._users_excludes), _bytes(own))
        for folder, below in pairwise([*repository.down_to(self.root), self.root]):
            found = found.further(repository.path_of(folder), *_ignore_files(folder))
            if found.ignores(repository.path_of(below).rstrip("/"), folder=True):
                return _Ignoring()
        return found._replace(lead=repository.path_of(self.root))

    def _ignoring_in(self, folder: str, above: _Ignoring) -> _Ignoring:
        """What holds in a folder of the workspace, from what holds above it."""
        base = above.lead + (f"{folder}/" if folder else "")
        return above.further(base, *_ignore_files(self.root / folder))

    @cached_property
    def _users_excludes(self) -> str:
        """The file with what the user ignores in every repository; asked of git once."""
        set_by_user = self._git("config", "--type=path", "--get", "core.excludesFile")
        if set_by_user is not None:
            return set_by_user
        settings = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        return f"{settings}/git/ignore"

    def git_is_writing(self) -> bool:
        """Whether git is in the midst of a checkout, a merge or the like."""
        repository = _repository_of(self.root)
        return repository is not None and os.path.exists(repository.own / "index.lock")

    def commit(self) -> str | None:
        """HEAD's commit; None outside git."""
        return self._git("rev-parse", "HEAD")

    def commits_since(self, commit: str) -> int | None:
        """How many commits HEAD is ahead of another; None where git cannot tell."""
        count = self._git("rev-list", "--count", f"{commit}..HEAD")
        return int(count) if count and count.isdigit() else None

    def _git(self, *arguments: str) -> str | None:
        """What git says of the folder; whatever a repository is set to, it runs no program."""
        try:
            done = subprocess.run(
                ["git", "-C", str(self.root), *_HARMLESS, *arguments],
                env=os.environ | _FETCHING_NOTHING,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None


def _writable(path: str) -> bool:
    """Whether a path is UTF-8, so that it can be stored and sent."""
    return path.isascii() or not any("\ud800" <= char <= "\udfff" for char in path)


def _of_a_tool(folder: str) -> bool:
    """Whether a folder is of git, of an editor or of a build, by its path."""
    above, _, name = folder.rpartition("/")
    return name in _NEVER or (name == _BUILT and not screening.in_package(above))


def _ignore_files(folder: Path) -> list[bytes]:
    """What is in a folder's ignore files; a link is none, as in git."""
    return [_bytes(folder / name, links=False) for name in _IGNORE_FILES]


def _bytes(file: Path, *, links: bool = True) -> bytes:
    """What is in a file; empty where there is none, or it cannot be read."""
    try:
        return read_plain(file, screening.LARGEST_FILE, links=links)
    except (OSError, ValueError):
        return b""


class _Repository(NamedTuple):
    """The git repository that a folder lies in."""

    top: Path
    """The nearest folder upwards that has ``.git``."""
    own: Path
    """Where git keeps what is of this work tree alone, as its index."""
    common: Path
    """Where it keeps what all work trees of the repository share, as ``info/exclude``."""

    def path_of(self, folder: Path) -> str:
        """A folder's path from the top, as ``services/shop/``; empty for the top."""
        return "".join(f"{part}/" for part in folder.relative_to(self.top).parts)

    def down_to(self, folder: Path) -> list[Path]:
        """The folders from its top to the one above a folder."""
        return [one for one in reversed(folder.parents) if one.is_relative_to(self.top)]


def _repository_of(folder: Path) -> _Repository | None:
    """None outside git. In a worktree or submodule ``.git`` is a file that says where git's is."""
    for top in (folder, *folder.parents):
        git = top / ".git"
        if os.path.exists(git):
            own = top / (_path_in(git).removeprefix("gitdir:").strip() or ".git")
            return _Repository(top, own, own / _path_in(own / "commondir"))
    return None


def _path_in(file: Path) -> str:
    """What a file of git's says, which is a path; empty where there is none."""
    return os.fsdecode(_bytes(file)).strip()
