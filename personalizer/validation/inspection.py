"""What compiling and running tests needs, each with whether it is here; no test is run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer import Module
from personalizer.errors import BadInput
from personalizer.validation import sandbox
from personalizer.validation.classpath import ClassPaths, what_is_missing
from personalizer.validation.frameworks import frameworks_of, measuring
from personalizer.validation.jdk import find_jdk
from personalizer.words import count, shortened

__all__ = ["Finding", "inspect"]

_TOOLS = {"maven": ("Maven", "mvn"), "gradle": ("Gradle", "gradle")}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is needed."""

    name: str
    ok: bool
    found: str
    """What is there, or what is missing, in one line."""
    todo: str | None = None
    """What to do about it; None where nothing has to be done."""


def inspect(
    root: Path,
    modules: Sequence[Module],
    build_files: Mapping[str, bytes],
    *,
    trusted: bool,
    data: Path,
    class_path: str = "",
) -> list[Finding]:
    """What is here for the tests of a project.

    Args:
        root: The workspace, absolute.
        modules: Its modules.
        build_files: Their build files by path.
        trusted: Whether the build may be run for its class path.
        data: As for ``validator_for``.
        class_path: The user's own class path.
    """
    found = ClassPaths(
        root,
        modules,
        build_files,
        trusted=trusted,
        data=data,
        setting=class_path,
    )
    return [
        _jdk(),
        *_tools(modules),
        _class_path(modules, found),
        _launcher(modules, found),
        _coverage(found),
        _sandbox(),
    ]


def _jdk() -> Finding:
    try:
        jdk = find_jdk()
    except BadInput as error:
        return Finding("JDK", False, str(error), "install a JDK, or set JAVA_HOME to one")
    return Finding("JDK", True, f"{jdk.version} in {jdk.home}")


def _tools(modules: Sequence[Module]) -> Iterator[Finding]:
    for tool in sorted({module.tool for module in modules if module.tool}):
        name, command = _TOOLS[tool]
        path = shutil.which(command)
        if path:
            yield Finding(name, True, path)
        else:
            todo = f"install {name}, or name the jars in the setting class_path"
            yield Finding(name, False, f"{command} is not installed; its files are read", todo)


def _class_path(modules: Sequence[Module], found: ClassPaths) -> Finding:
    paths = [found.of(module) for module in modules]
    jars = {jar for one in paths for jar in one.jars}
    told = f"{count(len(jars), 'jar')}, as told by {', '.join(sorted({p.origin for p in paths}))}"
    missing = what_is_missing(paths)
    if missing is None:
        return Finding("class path", True, told)
    todo = "build the project once with Maven or Gradle, or name the jars in class_path"
    return Finding("class path", False, f"{told}; {shortened(missing, 500)}", todo)


def _launcher(modules: Sequence[Module], found: ClassPaths) -> Finding:
    frameworks = [frameworks_of(found.of(module).jars, found.repositories) for module in modules]
    names = sorted({name for one in frameworks for name in _names(one.compiled_against)})
    if names:
        return Finding("test launcher", True, ", ".join(names))
    missing = next((one.missing for one in frameworks if one.missing), "no module has tests")
    return Finding("test launcher", False, missing, "without it tests are compiled, not run")


def _names(jars: Mapping[str, Path]) -> list[str]:
    told = {"junit-platform-launcher": "JUnit 5", "junit4": "JUnit 4", "testng": "TestNG"}
    return [text for name, text in told.items() if name in jars]


def _coverage(found: ClassPaths) -> Finding:
    jars = measuring(found.repositories)
    if jars:
        return Finding("JaCoCo", True, str(jars["org.jacoco.core"]))
    todo = "install Debian's libjacoco-java, or build any project with JaCoCo once"
    return Finding("JaCoCo", False, "not on this machine: lines are not counted", todo)


def _sandbox() -> Finding:
    reason = sandbox.unavailable()
    if reason is None:
        return Finding("sandbox", True, "bubblewrap: no network, nothing to write, one process")
    return Finding("sandbox", False, reason, "without it generated tests are compiled, not run")
