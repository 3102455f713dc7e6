"""The test frameworks of a class path, completed with what runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer import Dependency
from personalizer.validation.repositories import Repositories, version_of

__all__ = ["Frameworks", "frameworks_of", "measuring"]

_PLATFORM = "org.junit.platform"
_JUPITER = "org.junit.jupiter"
_JACOCO = Dependency("org.jacoco", "org.jacoco.core", None)


@dataclass(frozen=True)
class Frameworks:
    """What runs the tests of one class path."""

    jars: tuple[Path, ...]
    """Jars to put before the project's own."""
    compiled_against: Mapping[str, Path]
    """Jars that our program is compiled against, by artifact."""
    missing: str | None
    """What to install where tests cannot be run; None when something can run them."""


def frameworks_of(class_path: Sequence[Path], repositories: Repositories) -> Frameworks:
    """Who runs the tests of a class path.

    JUnit 5 needs a launcher of the very version of its platform, which builds add themselves.
    Where that version is not on this machine, a whole JUnit 5 of one other version goes first.
    """
    names = {_artifact(jar): jar for jar in class_path if jar.suffix == ".jar"}
    jars: list[Path] = []
    against: dict[str, Path] = {}
    missing = []
    if any(name.startswith("junit-jupiter") for name in names):
        found = _same_version(names, repositories) or _whole(repositories)
        jars += found
        if found:
            against |= {_artifact(jar): jar for jar in found}
            against |= {n: j for n, j in names.items() if n not in against and _of_junit(n)}
        else:
            missing.append(
                "JUnit 5 tests are run by junit-platform-launcher and junit-jupiter-engine, which "
                "are not on this machine: run the project's own tests once with Maven or Gradle, "
                "or install Debian's junit5"
            )
    if "junit" in names or "junit4" in names or "junit-dep" in names:
        four = names.get("junit") or names.get("junit4") or names["junit-dep"]
        if version_of(four).startswith("3"):
            newer = repositories.jar("junit", "junit", None)
            hamcrest = repositories.jar("org.hamcrest", "hamcrest-core", "1.3")
            four = newer if newer and hamcrest else four
            jars += [four, hamcrest] if newer and hamcrest else []
        if version_of(four).startswith("3"):
            missing.append("JUnit 3 tests are run by JUnit 4, which is not on this machine")
        else:
            against["junit4"] = four
    if "testng" in names:
        against["testng"] = names["testng"]
        for group, artifact in (("com.beust", "jcommander"), ("org.beanshell", "bsh")):
            helper = repositories.jar(group, artifact, None)
            jars += [helper] if artifact not in names and helper else []
    if not against and not missing:
        missing.append("the class path holds no JUnit and no TestNG")
    return Frameworks(tuple(jars), against, None if against else "; ".join(missing))


def measuring(repositories: Repositories) -> dict[str, Path]:
    """JaCoCo's core and what it needs, by artifact; empty where it is not on this machine."""
    jars = repositories.closure([_JACOCO])[0]
    found = {_artifact(jar): jar for jar in jars}
    return found if {"org.jacoco.core", "asm", "asm-tree"} <= set(found) else {}


def _artifact(jar: Path) -> str:
    version = version_of(jar)
    return jar.resolve().name.removesuffix(".jar").removesuffix(f"-{version}" if version else "")


def _of_junit(name: str) -> bool:
    return name.startswith(("junit-platform", "opentest4j", "apiguardian"))


def _same_version(names: Mapping[str, Path], repositories: Repositories) -> list[Path]:
    """Launcher and engines that go with the project's own JUnit 5; empty where one is missing."""
    commons = names.get("junit-platform-commons")
    api = names.get("junit-jupiter-api")
    if commons is None or api is None or not _together(version_of(api), version_of(commons)):
        return []
    wanted = [
        (_PLATFORM, "junit-platform-launcher", version_of(commons)),
        (_PLATFORM, "junit-platform-engine", version_of(commons)),
        (_JUPITER, "junit-jupiter-engine", version_of(api)),
    ]
    found = []
    for group, artifact, version in wanted:
        own = names.get(artifact)
        jar = own if own and version_of(own) == version else None
        jar = jar or repositories.jar(group, artifact, version)
        if jar is None or version_of(jar) != version:
            return []
        found.append(jar.resolve())
    return found


def _together(jupiter: str, platform: str) -> bool:
    """Whether two versions are of one JUnit: 5.9 goes with 1.9, from 6 on they are the same."""
    five, _, minor = jupiter.partition(".")
    if five != "5":
        return jupiter == platform
    return platform.split(".")[:2] == ["1", minor.partition(".")[0]]


def _whole(repositories: Repositories) -> list[Path]:
    """The newest JUnit 5 of which every part is here; empty for none."""
    launchers = repositories.versions(_PLATFORM, "junit-platform-launcher")
    for version in repositories.versions(_JUPITER, "junit-jupiter-engine"):
        for launcher in (one for one in launchers if _together(version, one)):
            parts = [(_JUPITER, f"junit-jupiter-{p}", version) for p in ("api", "params", "engine")]
            parts += [
                (_PLATFORM, f"junit-platform-{p}", launcher)
                for p in ("commons", "engine", "launcher")
            ]
            jars = [repositories.jar(*part) for part in parts]
            here = [
                jar.resolve()
                for jar, (_, _, of) in zip(jars, parts, strict=True)
                if jar is not None and version_of(jar) == of
            ]
            if len(here) == len(parts):
                return here + _beside(repositories)
    return []


def _beside(repositories: Repositories) -> list[Path]:
    """Small jars that every version of JUnit 5 needs, the same for all."""
    named = (
        ("org.opentest4j", "opentest4j"),
        ("org.apiguardian", "apiguardian-api"),
        ("org.jspecify", "jspecify"),
    )
    found = (repositories.jar(group, artifact, None) for group, artifact in named)
    return [jar.resolve() for jar in found if jar is not None]
