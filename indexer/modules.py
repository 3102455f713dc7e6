"""What a build says of one module: its roots, its language level, its libraries."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

__all__ = ["Dependency", "Module", "joined", "language_level"]


@dataclass(frozen=True, slots=True)
class Dependency:
    """One library that a module uses."""

    group: str
    artifact: str
    version: str | None
    """None where the build's files do not tell."""


@dataclass(frozen=True, slots=True)
class Module:
    """A folder that is built as one."""

    folder: str
    """POSIX, relative to the workspace; empty for the workspace itself."""
    tool: str | None
    """``maven``, ``gradle``, or None for a plain folder."""
    sources: tuple[str, ...]
    """Source roots, relative to the workspace, whether or not they exist."""
    tests: tuple[str, ...]
    """Roots of test sources."""
    java: str | None
    """Language level, as ``8`` or ``17``."""
    dependencies: tuple[Dependency, ...]
    """Of every scope, those of the project's own modules left out."""
    requires: tuple[str, ...]
    """Folders of the modules that it uses."""
    java_of_tests: str | None = None
    """Language level of its tests; None where the build gives them no other."""

    @property
    def libraries(self) -> dict[str, str | None]:
        """Versions of what tests are written with: ``junit3``, ``junit4``, ``junit5``, ``testng``,
        ``mockito``, ``assertj``, ``hamcrest``, ``truth``, ``easymock``; None for one unknown."""
        found: dict[str, str | None] = {}
        for one in self.dependencies:
            for name in _library(one):
                told = None if one.artifact == _SPRING_TEST else one.version
                found[name] = found.get(name) or told
        return found


_LIBRARIES = {
    "org.junit.jupiter": "junit5",
    "org.testng": "testng",
    "org.mockito": "mockito",
    "org.assertj": "assertj",
    "org.hamcrest": "hamcrest",
    "com.google.truth": "truth",
    "org.easymock": "easymock",
}
_SPRING_TEST = "spring-boot-starter-test"


def _library(one: Dependency) -> tuple[str, ...]:
    if one.artifact in ("junit", "junit-dep"):
        return ("junit3",) if (one.version or "").startswith("3") else ("junit4",)
    if one.artifact == _SPRING_TEST:
        return ("junit5", "mockito", "assertj", "hamcrest")
    if one.artifact.endswith("-bom"):
        return ()
    name = _LIBRARIES.get(one.group)
    return (name,) if name else ()


def joined(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path)).strip("/")
    return "" if joined == "." else joined


def language_level(text: str | None) -> str | None:
    """``1.8``, ``VERSION_1_8`` and ``8`` are one; None for what is no version."""
    found = re.search(r"(?:1[._])?(\d+)$", (text or "").strip())
    return found[1] if found else None
