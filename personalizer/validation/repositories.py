"""Jars that are on this machine: the local Maven repository, Gradle's cache, the system's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from indexer import Dependency

__all__ = ["Repositories", "version_of"]

_SYSTEM_JARS = Path("/usr/share/java")
_SYSTEM_MAVEN = Path("/usr/share/maven-repo")


@dataclass(frozen=True)
class Repositories:
    """Where jars are looked for, the user's own first."""

    maven: tuple[Path, ...]
    """Folders laid out as group/artifact/version."""
    gradle: tuple[Path, ...]
    """Gradle's caches, group/artifact/version/hash."""
    plain: tuple[Path, ...]
    """Folders of jars named by artifact."""

    @classmethod
    def of_this_machine(cls) -> Repositories:
        """The usual places below the home folder, then the system's."""
        home = Path.home()
        return cls(
            maven=(home / ".m2" / "repository", _SYSTEM_MAVEN),
            gradle=(home / ".gradle" / "caches" / "modules-2" / "files-2.1",),
            plain=(_SYSTEM_JARS,),
        )

    def jar(
        self, group: str, artifact: str, version: str | None, near: Path | None = None
    ) -> Path | None:
        """The jar of that very version, else the newest of a repository, else the newest."""
        found = list(self._jars(group, artifact))
        exact = [jar for jar, of in found if version is not None and of == version]
        if exact:
            return exact[0]
        beside = [row for row in found if near is not None and near in row[0].parents]
        return max(beside or found, key=lambda row: _ordered(row[1]), default=(None, ""))[0]

    def versions(self, group: str, artifact: str) -> list[str]:
        """The versions of a jar that are here, newest first."""
        found = {version for _, version in self._jars(group, artifact)}
        return sorted(found, key=_ordered, reverse=True)

    def closure(
        self, wanted: Iterable[Dependency]
    ) -> tuple[tuple[Path, ...], tuple[Dependency, ...]]:
        """The jars of some libraries and of what they need in turn; and what is not here.

        The first version named wins, as nearest-first does in Maven; what a library marks as
        optional, or for its own tests, is left out.
        """
        queue: list[tuple[Dependency, Path | None]] = [(one, None) for one in wanted]
        seen = set[tuple[str, str]]()
        jars: dict[Path, None] = {}
        missing = []
        while queue:
            one, near = queue.pop(0)
            if (one.group, one.artifact) in seen or one.artifact.endswith("-bom"):
                continue
            seen.add((one.group, one.artifact))
            pom = self._pom(one, near)
            home = next((root for root in self.maven if pom and root in pom.parents), None)
            queue += [(need, home) for need in _needs(pom)] if pom else []
            jar = self.jar(one.group, one.artifact, one.version, near)
            if jar is not None:
                jars[jar.resolve()] = None
            elif pom is None:
                missing.append(one)
        return tuple(jars), tuple(missing)

    def _jars(self, group: str, artifact: str) -> Iterator[tuple[Path, str]]:
        for root in self.maven:
            for folder in _folders(root / group.replace(".", "/") / artifact):
                jar = folder / f"{artifact}-{folder.name}.jar"
                if jar.is_file():
                    yield jar, folder.name
        for root in self.gradle:
            for folder in _folders(root / group / artifact):
                for jar in folder.glob(f"*/{artifact}-{folder.name}.jar"):
                    yield jar, folder.name
        for root in self.plain:
            jar = root / f"{artifact}.jar"
            if jar.is_file():
                yield jar, version_of(jar)

    def _pom(self, one: Dependency, near: Path | None) -> Path | None:
        found = [
            pom
            for root in self.maven
            for folder in _folders(root / one.group.replace(".", "/") / one.artifact)
            if (pom := folder / f"{one.artifact}-{folder.name}.pom").is_file()
        ]

        def rank(pom: Path) -> tuple[bool, bool, tuple[int, ...]]:
            version = pom.parent.name
            return version == one.version, near in pom.parents, _ordered(version)

        return max(found, key=rank, default=None)


def version_of(jar: Path) -> str:
    """The version in a jar's file name, symbolic links followed; empty for none.

    Example:
        >>> version_of(Path("junit-platform-launcher-1.9.1.jar"))
        '1.9.1'
    """
    found = re.search(r"-(\d[\w.-]*)\.jar$", jar.resolve().name)
    return found[1] if found else ""


def _folders(path: Path) -> list[Path]:
    try:
        return [one for one in path.iterdir() if one.is_dir()]
    except OSError:
        return []


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:6])


def _needs(pom: Path) -> list[Dependency]:
    """What a library's own pom says that it needs to run; an unreadable one says nothing."""
    try:
        root = ElementTree.fromstring(pom.read_bytes())
    except (OSError, ElementTree.ParseError, ValueError, LookupError):
        return []
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    known = {child.tag: (child.text or "").strip() for child in root.find("properties") or ()}
    own = root.findtext("version") or root.findtext("parent/version") or ""
    group = root.findtext("groupId") or root.findtext("parent/groupId") or ""
    known |= {"project.version": own, "project.groupId": group, "pom.version": own}
    found = []
    for one in root.findall("dependencies/dependency"):
        scope = (one.findtext("scope") or "compile").strip()
        if scope not in ("compile", "runtime") or one.findtext("optional") == "true":
            continue
        told = [
            re.sub(
                r"\$\{([^}]+)\}",
                lambda mark: known.get(mark[1], mark[0]),
                (one.findtext(tag) or "").strip(),
            )
            for tag in ("groupId", "artifactId", "version")
        ]
        version = told[2] if told[2] and "$" not in told[2] else None
        found.append(Dependency(told[0], told[1], version))
    return found
