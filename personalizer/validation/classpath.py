"""The libraries of a module: as the user says, as its build says, or as its build's files say."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from indexer import Dependency, Module
from personalizer.errors import StorageError
from personalizer.storage import write_atomically
from personalizer.validation.repositories import Repositories

__all__ = ["ClassPath", "ClassPaths"]

_BUILD_SECONDS = 120
_GRADLE_TASK = """
allprojects {
    tasks.register("personalizerClassPath") {
        doLast {
            def found = ["testRuntimeClasspath", "testCompileClasspath"].collect {
                configurations.findByName(it)
            }.findAll { it != null && it.canBeResolved }
            def files = found.collectMany {
                it.incoming.artifactView { lenient(true) }.files.files
            }
            def path = files.unique().join(File.pathSeparator)
            println "personalizer-class-path\\t${project.projectDir}\\t${path}"
        }
    }
}
"""


_NAMED = 5
"""Missing libraries that are named; the others are counted."""


@dataclass(frozen=True)
class ClassPath:
    """The libraries of one module."""

    jars: tuple[Path, ...]
    """Jars and folders that exist, in order."""
    origin: str
    """``class_path``, ``maven``, ``gradle``, ``build files`` or ``folder``."""
    failure: str | None = None
    """Why the build does not tell it, in one line."""
    missing: tuple[str, ...] = ()
    """What it names and is not on this machine, as ``group:artifact``."""

    @property
    def note(self) -> str | None:
        """What is missing, and why, in one line."""
        return what_is_missing([self])


def what_is_missing(paths: Iterable[ClassPath]) -> str | None:
    """What class paths lack, each thing once, in one line; None where they lack nothing.

    Example:
        >>> of_a = ClassPath((), "build files", missing=("a:b", "c:d"))
        >>> what_is_missing([of_a, ClassPath((), "build files", missing=("c:d", "e:f"))])
        'not on this machine: a:b, c:d, e:f'
    """
    paths = list(paths)
    notes = list(dict.fromkeys(one.failure for one in paths if one.failure))
    if missing := list(dict.fromkeys(name for one in paths for name in one.missing)):
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        notes.append(f"not on this machine: {', '.join(missing[:_NAMED])}{more}")
    return "; ".join(notes) or None


class ClassPaths:
    """Finds the libraries of a workspace's modules; what a build says is kept by its files' hash.

    Args:
        root: The workspace.
        modules: Its modules.
        build_files: Their build files by path.
        trusted: Whether the build may be run.
        data: Where answers are kept.
        setting: The user's own class path.
    """

    def __init__(
        self,
        root: Path,
        modules: Sequence[Module],
        build_files: Mapping[str, bytes],
        *,
        trusted: bool,
        data: Path,
        setting: str = "",
        repositories: Repositories | None = None,
    ) -> None:
        self._root = root
        self._modules = {module.folder: module for module in modules}
        self._build_files = build_files
        self._trusted = trusted
        self._data = data
        self._setting = setting
        self.repositories = repositories or Repositories.of_this_machine()
        self._found: dict[str, ClassPath] = {}
        self._built: dict[str, tuple[str, list[str]]] | None = None
        self._failure: str | None = None

    def of(self, module: Module) -> ClassPath:
        """The libraries of a module, those of the modules that it uses included."""
        if module.folder not in self._found:
            self._found[module.folder] = self._of(module)
        return self._found[module.folder]

    def _of(self, module: Module) -> ClassPath:
        if self._setting:
            return ClassPath(tuple(_expanded(self._setting, self._root)), "class_path")
        if module.tool is None:
            jars = tuple(sorted((self._root / module.folder).glob("**/*.jar"))[:2000])
            return ClassPath(jars, "folder")
        if self._trusted:
            if self._built is None:
                self._built = self._remembered()
            if module.folder in self._built:
                tool, entries = self._built[module.folder]
                return ClassPath(tuple(p for e in entries if (p := Path(e)).exists()), tool)
        return self._from_files(module)

    def _from_files(self, module: Module) -> ClassPath:
        wanted: dict[Dependency, None] = {}
        for one in requirements(module, self._modules):
            wanted |= dict.fromkeys(one.dependencies)
        jars, missing = self.repositories.closure(wanted)
        names = tuple(f"{one.group}:{one.artifact}" for one in missing)
        return ClassPath(jars, "build files", self._failure, names)

    @property
    def build_state(self) -> str:
        """Changes with any text of the build's files."""
        digest = hashlib.blake2b(str(self._root).encode(), digest_size=16)
        for path, data in sorted(self._build_files.items()):
            digest.update(f"\0{path}\0{len(data)}\0".encode() + data)
        return digest.hexdigest()

    def _remembered(self) -> dict[str, tuple[str, list[str]]]:
        file = self._data / "class-path.json"
        try:
            kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
            if kept.key == self.build_state:
                return kept.modules
        except (OSError, ValueError):
            pass  # none yet, or of another version
        found = self._asked()
        if found:
            with suppress(StorageError):  # what cannot be kept is asked again
                write_atomically(file, msgspec.json.encode(_Kept(self.build_state, found)))
        return found

    def _asked(self) -> dict[str, tuple[str, list[str]]]:
        """What the build says of each module, by its folder; empty when it cannot be run."""
        tools = {module.tool for module in self._modules.values()}
        found: dict[str, tuple[str, list[str]]] = {}
        if "maven" in tools:
            found |= {f: ("maven", entries) for f, entries in self._maven().items()}
        if "gradle" in tools:
            found |= {f: ("gradle", entries) for f, entries in self._gradle().items()}
        return found

    def _maven(self) -> dict[str, list[str]]:
        goal = "org.apache.maven.plugins:maven-dependency-plugin:build-classpath"
        command = ["mvn", "-o", "-B", "--fail-at-end", goal, "-DincludeScope=test"]
        names = {}
        for folder in self._modules:
            text = self._build_files.get(f"{folder}/pom.xml".lstrip("/"), b"").decode(
                "utf-8", "replace"
            )
            own = re.sub(r"<(parent|dependencies|build|profiles)>.*?</\1>", "", text, flags=re.S)
            if artifact := re.search(r"<artifactId>\s*([^<\s]+)", own):
                names[artifact[1]] = folder
        found = {}
        module = None
        for line in self._run("Maven", command):
            if head := re.search(r"build-classpath \([^)]*\) @ (\S+)", line):
                module = names.get(head[1])
            elif module is not None and not line.startswith("[") and os.sep in line:
                found[module] = line.strip().split(os.pathsep)
        return found

    def _gradle(self) -> dict[str, list[str]]:
        with tempfile.NamedTemporaryFile("w", suffix=".gradle") as script:
            script.write(_GRADLE_TASK)
            script.flush()
            command = ["gradle", "--offline", "-q", "--continue", "-I", script.name]
            lines = self._run("Gradle", [*command, "personalizerClassPath"])
        found = {}
        for line in lines:
            mark, _, rest = line.partition("\t")
            folder, _, entries = rest.partition("\t")
            if mark == "personalizer-class-path" and entries:
                with_root = os.path.relpath(folder, self._root)
                found["" if with_root == "." else with_root] = entries.split(os.pathsep)
        return found

    def _run(self, tool: str, command: list[str]) -> list[str]:
        """A build's output, offline; what fails is told, and the build's files are read instead."""
        if shutil.which(command[0]) is None:
            self._failure = f"{tool} is not installed, so its files alone were read"
            return []
        try:
            done = subprocess.run(
                command,
                cwd=self._root,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=_BUILD_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            self._failure = f"{tool} did not tell the class path: {error}"
            return []
        if done.returncode:
            why = _complaint(done.stdout + "\n" + done.stderr) or f"exit {done.returncode}"
            self._failure = f"{tool} did not tell the whole class path: {why}"
        return done.stdout.splitlines()


def _complaint(output: str) -> str:
    """What a build says first of its failure, in one line; empty where it says nothing.

    Example:
        >>> _complaint("[ERROR] Some problems were encountered:\\n[FATAL] no parent -> [Help 1]")
        'no parent'
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", output)
    told = [t for t in text.splitlines() if re.search("ERROR|FATAL|wrong|not", t)]
    lines = [re.sub(r"^(\[[A-Z]+\]\s*)+|\s*-> \[Help.*", "", t).strip() for t in told]
    return next((t[:300] for t in lines if t and "problems were encountered" not in t), "")


class _Kept(msgspec.Struct):
    """What a build said, with the hash of the files that it was asked of."""

    key: str
    modules: dict[str, tuple[str, list[str]]]


def requirements(module: Module, modules: Mapping[str, Module]) -> list[Module]:
    """A module and those that it uses, in turn, each before those that it uses itself."""
    found, queue = [module], list(module.requires)
    while queue:
        one = modules.get(queue.pop(0))
        if one is not None:
            found = [m for m in found if m is not one] + [one]
            queue += [f for f in one.requires if modules.get(f) not in found]
    return found


def _expanded(setting: str, root: Path) -> list[Path]:
    found: list[Path] = []
    for entry in setting.split(os.pathsep):
        path = root / Path(entry.strip()).expanduser()
        if path.name == "*":
            found += sorted(path.parent.glob("*.jar"))
        elif entry.strip() and path.exists():
            found.append(path)
    return found
