"""The project's own classes: those that its build made, or compiled here, kept by content."""

from __future__ import annotations

import hashlib
import math
import os
import posixpath
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from indexer import Module, Snapshot, Workspace, module_at
from indexer.store import content_hash
from personalizer.errors import BadInput
from personalizer.storage import write_atomically
from personalizer.validation.classpath import ClassPaths, requirements
from personalizer.validation.frameworks import frameworks_of
from personalizer.validation.jdk import Jdk
from personalizer.validation.jvm import Message, fields, joined
from personalizer.validation.records import Diagnostic

__all__ = ["Layout", "Project", "diagnostics_of"]

_KEPT = 16
"""Folders of compiled classes that are kept; those not used for longest are removed."""
_OUTPUTS = {
    "maven": ("target/classes", "target/test-classes"),
    "gradle": ("build/classes/java/main", "build/classes/java/test"),
}
_RESOURCES = {"maven": (), "gradle": ("build/resources/main", "build/resources/test")}

Compile = Callable[[Message, Sequence[Path]], Message]
"""Asks the compiling process, which must see some jars; raises ``BadInput`` where it died."""


@dataclass(frozen=True)
class Layout:
    """What the tests of one module are compiled against and run with."""

    folder: Path
    """The module's own folder, where its tests start."""
    outputs: tuple[Path, ...]
    """Folders of classes and resources: the module's tests, its code, the modules it uses."""
    stamp: str
    """Tells two states of these folders apart, as far as their paths do not."""
    jars: tuple[Path, ...]
    """Libraries, those first that run the tests."""
    compiled_against: Mapping[str, Path]
    """Of the test frameworks, what our own program needs."""
    problems: Mapping[str, Diagnostic]
    """First error by path, of sources that do not compile."""
    notes: tuple[str, ...]
    """What is missing from the class path."""
    missing: str | None
    """Why tests cannot be run; None when they can."""

    @property
    def state(self) -> tuple[object, ...]:
        """What classes depend on that are compiled against it and run with it."""
        return (self.stamp, *self.class_path)

    @property
    def class_path(self) -> tuple[Path, ...]:
        return (*self.outputs, *self.jars)

    @property
    def whole(self) -> bool:
        """Whether all its folders are still there."""
        return all(folder.is_dir() for folder in self.outputs)


class Project:
    """Finds or makes the classes of a workspace's modules.

    Args:
        root: The workspace.
        modules: Its modules.
        class_paths: Their libraries.
        data: Where compiled classes are kept.
        jdk: Compiles and runs.
    """

    def __init__(
        self,
        root: Path,
        modules: Sequence[Module],
        class_paths: ClassPaths,
        data: Path,
        jdk: Jdk,
    ) -> None:
        self._root = root
        self._modules = {module.folder: module for module in modules}
        self._class_paths = class_paths
        self._data = data
        self._jdk = jdk
        self._disk = Workspace(root)
        self._hashes: dict[str, tuple[tuple[int, int], str]] = {}
        """What lies on disk, by path: size and time of change, and content."""

    def module_of(self, path: str) -> Module:
        """The module that a file lies in.

        Raises:
            BadInput: If there is none.
        """
        module = module_at(self._modules.values(), path)
        if module is None:
            raise BadInput(f"{path} lies in no module of the project")
        return module

    def state(self, snapshot: Snapshot) -> str:
        """A digest of all that the classes and runs of any of its tests depend on."""
        digest = hashlib.blake2b(f"{self._jdk}\0".encode(), digest_size=16)
        digest.update(self._class_paths.build_state.encode())
        for path, content in sorted(snapshot.hashes.items()):
            digest.update(f"{path}\0{content}\0".encode("utf-8", "replace"))
        for module in self._modules.values():
            resources = [
                folder
                for roots, of_tests in ((module.sources, False), (module.tests, True))
                for folder in self._resources(module, roots, of_tests)
            ]
            for one in (*resources, *self._class_paths.of(module).jars):
                digest.update(_stamp(one))
        return digest.hexdigest()

    def layout(self, snapshot: Snapshot, module: Module, compile: Compile) -> Layout:
        """The layout of a module's tests; compiles what is not compiled yet.

        Raises:
            BadInput: If a module wants a newer JDK than there is, or the compiler dies.
        """
        found = self._class_paths.of(module)
        frameworks = frameworks_of(found.jars, self._class_paths.repositories)
        jars = (*frameworks.jars, *(j for j in found.jars if j not in frameworks.jars))
        outputs: list[Path] = []
        built, beside = hashlib.blake2b(digest_size=10), hashlib.blake2b(digest_size=10)
        problems: dict[str, Diagnostic] = {}
        for one in reversed(requirements(module, self._modules)):
            tests = one is module
            for roots, of_tests in ((one.sources, False), (one.tests, True)):
                if of_tests and not tests:
                    continue
                paths = _sources(snapshot, one, roots, of_tests)
                resources = self._resources(one, roots, of_tests)
                classes = self._built(one, of_tests, paths, snapshot)
                if classes is not None:
                    built.update(_stamp(classes))
                else:
                    texts = {path: snapshot.text(path) for path in paths}
                    classes, wrong = self._compiled(
                        texts,
                        (*outputs, *jars),
                        built.hexdigest(),
                        self._options(one, of_tests=of_tests),
                        lambda ask: compile(ask, jars),
                    )
                    problems |= wrong
                for folder in resources:
                    beside.update(_stamp(folder))
                outputs[:0] = [classes, *resources]
        self._forget_old(set(outputs))
        return Layout(
            folder=self._root / module.folder,
            outputs=tuple(outputs),
            stamp=built.hexdigest() + beside.hexdigest(),
            jars=jars,
            compiled_against=frameworks.compiled_against,
            problems=problems,
            notes=(found.note,) if found.note else (),
            missing=frameworks.missing,
        )

    def options(self, path: str) -> tuple[str, ...]:
        """The compiler's for a file of main code or of tests, by its language level.

        Raises:
            BadInput: If that wants a newer JDK than there is, or no module has the file.
        """
        module = self.module_of(path)
        return self._options(module, of_tests=not _is_in(path, module.sources, module.tests))

    def _options(self, module: Module, *, of_tests: bool) -> tuple[str, ...]:
        told = (module.java_of_tests if of_tests else None) or module.java
        if told is None:
            return ()
        level = max(int(told), 8)
        if level > self._jdk.version:
            raise BadInput(
                f"the project is written for Java {level}, the JDK is version {self._jdk.version}: "
                "set JAVA_HOME to a newer one"
            )
        return ("-source", str(level), "-target", str(level))

    def _built(
        self, module: Module, of_tests: bool, paths: Iterable[str], snapshot: Snapshot
    ) -> Path | None:
        """The build's own classes, where none of the sources is newer or unsaved."""
        if module.tool is None:
            return None
        folder = self._root / module.folder / _OUTPUTS[module.tool][of_tests]
        made = max((p.stat().st_mtime for p in folder.rglob("*.class")), default=0.0)
        if not made:
            return None
        try:
            fresh = all(self._saved(path, snapshot.hashes[path]) <= made for path in paths)
        except OSError:
            return None
        return folder if fresh else None

    def _saved(self, path: str, content: str) -> float:
        """When a file was changed; never, where something else lies on disk.

        Raises:
            OSError: If it is not there.
        """
        told = (self._root / path).stat()
        stamp = (told.st_size, told.st_mtime_ns)
        known, found = self._hashes.get(path, (None, ""))
        if known != stamp:
            source = self._disk.read(path).source
            found = "" if source is None else content_hash(source)
            self._hashes[path] = stamp, found
        return told.st_mtime if found == content else math.inf

    def _compiled(
        self,
        texts: Mapping[str, str],
        against: Sequence[Path],
        built: str,
        options: Sequence[str],
        compile: Callable[[Message], Message],
    ) -> tuple[Path, dict[str, Diagnostic]]:
        """Classes of some sources, and the first error of each that does not compile."""
        digest = hashlib.blake2b(digest_size=10)
        for part in (str(self._jdk.version), built, *map(str, against), *options):
            digest.update(f"{part}\0".encode())
        for path, text in texts.items():
            digest.update(f"{path}\0{len(text)}\0{text}\0".encode("utf-8", "replace"))
        folder = self._data / digest.hexdigest()
        told = folder / ".problems"
        if not told.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            asked = {f"source:{p}": t.encode("utf-8", "replace") for p, t in texts.items()}
            asked |= {
                "ask": b"project",
                "folder": str(folder).encode(),
                "class_path": joined(against),
                "options": joined(options),
            }
            answer = compile(asked) if texts else {}
            write_atomically(told, answer.get("diagnostics", b""))
        with suppress(OSError):
            os.utime(folder)
        problems: dict[str, Diagnostic] = {}
        for path, one in diagnostics_of(told.read_bytes()):
            problems.setdefault(path, one)
        return folder, problems

    def _forget_old(self, used: Set[Path]) -> None:
        """Removes the classes that were not used for longest, but none of those just used."""
        with suppress(OSError):
            by_use = sorted(self._data.iterdir(), key=lambda one: one.stat().st_mtime)
            for old in by_use[:-_KEPT]:
                if old not in used:
                    shutil.rmtree(old, ignore_errors=True)

    def _resources(self, module: Module, roots: Iterable[str], of_tests: bool) -> list[Path]:
        """Folders beside the sources whose files tests find on their class path."""
        named = [posixpath.join(posixpath.dirname(root), "resources") for root in roots]
        if module.tool:
            named += [
                posixpath.join(module.folder, one)
                for one in (
                    _OUTPUTS[module.tool][of_tests],
                    *_RESOURCES[module.tool][of_tests:][:1],
                )
            ]
        return [folder for one in named if (folder := self._root / one).is_dir()]


def diagnostics_of(told: bytes | None) -> list[tuple[str, Diagnostic]]:
    """The compiler's messages, each with its path."""
    found = []
    for row in fields(told):
        path, line, column, message = row.split("\t", 3)
        found.append((path, Diagnostic(int(line), int(column), "error", message)))
    return found


def _sources(snapshot: Snapshot, module: Module, roots: Iterable[str], of_tests: bool) -> list[str]:
    """Paths below some roots."""
    others = module.sources if of_tests else module.tests
    found = []
    for path in sorted(snapshot.files):
        if not path.endswith(".java") or path.endswith(("module-info.java", "package-info.java")):
            continue
        if _is_in(path, roots, others):
            found.append(path)
    return found


def _is_in(path: str, roots: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a path lies below one of some roots, and not nearer below one of others."""
    inside = max((len(r) for r in roots if _below(path, r)), default=-1)
    outside = max((len(r) for r in others if _below(path, r)), default=-1)
    return inside > outside


def _stamp(place: Path) -> bytes:
    """Tells two states of a folder or a file apart: names, sizes and times of change."""
    rows = []
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        with suppress(OSError):
            told = path.stat()
            rows.append(f"{path}\0{told.st_size}\0{told.st_mtime_ns}\0")
    return "".join(rows).encode("utf-8", "replace")


def _below(path: str, root: str) -> bool:
    return not root or path.startswith(root + "/")
