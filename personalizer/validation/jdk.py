"""The JDK that compiles and runs, and our own small Java program, compiled at first use."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from personalizer.errors import BadInput

__all__ = ["OLDEST", "Jdk", "find_jdk", "program"]

OLDEST = 11
"""Java version from which our program compiles; what a project targets may be older."""

_SOURCES = Path(__file__).parent / "java"
_EXPORTS = ("--add-exports", "jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED")
_PARTS = {
    "compiler": (
        "Calls",
        "Compiler",
        "Coverage",
        "InMemory",
        "Methods",
        "Mutants",
        "Named",
        "Screen",
        "Source",
        "Wire",
    ),
    "runner": ("Framework", "Libraries", "Loader", "Probes", "Runner", "Wire"),
}
"""Sources of the processes; those that run tests hold nothing of the other."""
_FRAMEWORKS = {"Platform": "junit-platform-launcher", "JUnit4": "junit4", "TestNg": "testng"}
"""Sources that are left out where their jar is missing; everything else goes on."""


@dataclass(frozen=True)
class Jdk:
    """An installed JDK."""

    home: Path
    version: int
    """As 17; 8 for 1.8."""

    @property
    def java(self) -> Path:
        return self.home / "bin" / "java"


def find_jdk(environment: Mapping[str, str] | None = None) -> Jdk:
    """The JDK of ``JAVA_HOME``, else the one on the path, else the newest that Linux installed.

    Raises:
        BadInput: If there is none, or only one that is too old.
    """
    environment = os.environ if environment is None else environment
    named = environment.get("JAVA_HOME")
    on_path = shutil.which("javac", path=environment.get("PATH"))
    homes = [Path(named)] if named else []
    homes += [Path(on_path).resolve().parent.parent] if on_path else []
    if environment is os.environ:
        homes += sorted(Path("/usr/lib/jvm").glob("*"), key=lambda home: -(_version(home) or 0))
    found = [Jdk(home, version) for home in homes if (version := _version(home))]
    for jdk in found:
        if jdk.version >= OLDEST:
            return jdk
    wanted = f"tests are compiled and run by a JDK of version {OLDEST} or newer"
    if found:
        raise BadInput(f"{wanted}, found {found[0].version} in {found[0].home}: set JAVA_HOME")
    raise BadInput(f"{wanted}, found none: install one, or set JAVA_HOME to it")


def _version(home: Path) -> int | None:
    """The version that a JDK's ``release`` file tells; None for what is no JDK (or a JRE)."""
    try:
        text = (home / "release").read_text("utf-8", "replace")
    except OSError:
        return None
    found = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', text)
    has_compiler = (home / "bin" / "javac").exists() and (home / "bin" / "java").exists()
    return int(found[1]) if found and has_compiler else None


def program(jdk: Jdk, part: str, jars: Mapping[str, Path], data: Path) -> Path:
    """The folder of our compiled program, compiled when there is none for these very jars.

    Args:
        part: ``compiler`` or ``runner``.
        jars: By artifact; JaCoCo's for the compiler, the test frameworks' for the runner.
        data: Where compiled programs are kept.

    Raises:
        BadInput: If the JDK cannot compile it.
    """
    sources = [_SOURCES / f"{name}.java" for name in _PARTS[part]]
    if part == "runner":
        named = [name for name, jar in _FRAMEWORKS.items() if jar in jars]
        sources += [_SOURCES / "frameworks" / f"{name}.java" for name in ["Annotations", *named]]
    elif "org.jacoco.core" not in jars:
        sources.remove(_SOURCES / "Coverage.java")
        sources.remove(_SOURCES / "Mutants.java")
        sources.append(_SOURCES / "without" / "Coverage.java")
    digest = hashlib.blake2b(digest_size=8)
    for path in sources:
        digest.update(path.read_bytes())
    for name, jar in sorted(jars.items()):
        digest.update(f"{name} {jar} {jar.stat().st_size}".encode())
    digest.update(f"{jdk.home} {jdk.version}".encode())
    folder = data / f"{part}-{digest.hexdigest()}"
    if not folder.is_dir():
        data.mkdir(parents=True, exist_ok=True)
        _compile(jdk, sources, list(jars.values()), folder)
    return folder


def _compile(jdk: Jdk, sources: Sequence[Path], jars: Sequence[Path], folder: Path) -> None:
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    command = [str(jdk.home / "bin" / "javac"), "-nowarn", "-Xlint:none", "-proc:none", *_EXPORTS]
    command += ["-cp", os.pathsep.join(map(str, jars)), "-d", str(made), *map(str, sources)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(f"javac of {jdk.home} cannot be run: {error}") from error
    if done.returncode:
        shutil.rmtree(made, ignore_errors=True)
        first = next(iter(done.stderr.splitlines()), "no message")
        raise BadInput(f"javac {jdk.version} of {jdk.home} cannot compile our program: {first}")
    with suppress(OSError):  # another process was first: the same classes
        made.rename(folder)
    shutil.rmtree(made, ignore_errors=True)
