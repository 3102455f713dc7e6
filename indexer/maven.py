"""Modules of a Maven build: parents, properties, managed versions, profiles active by default."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from indexer.modules import Dependency, Module, joined, language_level

__all__ = ["maven_modules"]

_LONGEST_VALUE = 10_000
_Name = tuple[str, str]
"""Group and artifact; a group is empty where no file of the workspace tells it."""


def _name(group: str | None, artifact: str | None) -> _Name:
    """A name; ``@project.groupId@`` is put in by a running build (the invoker plugin's tests)."""
    known = "" if group is None or "@" in group else group
    return known, artifact or ""


class _Pom:
    """One pom.xml, with its parents once they are linked."""

    def __init__(self, folder: str, root: ElementTree.Element) -> None:
        self.folder = folder
        default = root.findall("profiles/profile[activation]")
        self._parts = [*(p for p in default if _text_of(p, _BY_DEFAULT) == "true"), root]
        self.parent: _Pom | None = None
        self.artifact = self.text("artifactId") or ""
        self.own: dict[str, str] = {}
        for child in self.all("properties/*"):
            self.own.setdefault(child.tag, (child.text or "").strip())

    def all(self, path: str) -> Iterator[ElementTree.Element]:
        """Elements of this file, first those of the profiles that are active by default."""
        return (element for part in self._parts for element in part.findall(path))

    def text(self, path: str) -> str | None:
        return next(filter(None, (_text_of(part, path) for part in self._parts)), None)

    def name(self) -> _Name:
        return _name(self.value("${project.groupId}"), self.artifact)

    def parents_name(self) -> _Name:
        return _name(self.value(self.text("parent/groupId")), self.text("parent/artifactId"))

    def line(self) -> list[_Pom]:
        """This file and its parents, nearest first; a cycle ends."""
        found: list[_Pom] = []
        one: _Pom | None = self
        while one is not None and one not in found:
            found.append(one)
            one = one.parent
        return found

    def value(self, text: str | None) -> str | None:
        """Text with its properties put in; None where one of them is not known."""
        for _ in range(10):
            marks = re.findall(r"\$\{([^${}]+)\}", text or "")
            if text is None or not marks:
                return text
            for mark in marks:
                known, written = self._property(mark), "${" + mark + "}"
                if known is None or len(text) + text.count(written) * len(known) > _LONGEST_VALUE:
                    return None
                text = text.replace(written, known)
        return None

    def _property(self, name: str) -> str | None:
        for one in self.line():
            if name in one.own:
                return one.own[name]
        plain = name.removeprefix("project.").removeprefix("pom.")
        if plain == "basedir":
            return "."
        if plain in ("version", "groupId"):
            return self.text(plain) or self.text("parent/" + plain)
        return self.text(plain.replace(".", "/") if plain.startswith("parent.") else plain)

    def dependencies(self, poms: Mapping[_Name, _Pom]) -> Iterator[Dependency]:
        """Own and inherited ones, with the versions that are managed.

        Args:
            poms: The workspace's, by name.
        """
        managed = self._managed(poms, set())
        for one in self.line():
            for element in one.all("dependencies/dependency"):
                group, artifact, version = self._coordinates(element)
                known = version or managed.get((group, artifact)) or managed.get((group, None))
                yield Dependency(group, artifact, known)

    def _managed(
        self, poms: Mapping[_Name, _Pom], met: set[_Pom]
    ) -> dict[tuple[str, str | None], str | None]:
        """Version by group and artifact; under None what a group's bill of materials says.

        Args:
            poms: The workspace's, by name; bills of materials among them are read.
            met: Those that were read already.
        """
        found: dict[tuple[str, str | None], str | None] = {}
        bills: list[_Pom] = []
        for one in self.line():
            for element in one.all("dependencyManagement/dependencies/dependency"):
                group, artifact, version = self._coordinates(element)
                bill = poms.get(_name(group, artifact))
                if _text_of(element, "scope") == "import" and bill is not None:
                    bills.append(bill)
                    continue
                found.setdefault((group, artifact), version)
                if artifact.endswith("-bom"):
                    below = "org.junit.jupiter" if artifact == "junit-bom" else group
                    found.setdefault((below, None), version)
        for bill in bills:
            if bill not in met:
                met.add(bill)
                found = bill._managed(poms, met) | found
        return found

    def _coordinates(self, element: ElementTree.Element) -> tuple[str, str, str | None]:
        group, artifact, version = (
            self.value((element.findtext(tag) or "").strip() or None)
            for tag in ("groupId", "artifactId", "version")
        )
        return group or "", artifact or "", version

    def first(self, *paths: str) -> str | None:
        """The first of some values that this file or a parent gives."""
        for one in self.line():
            for path in paths:
                if (text := one.text(path)) and (known := self.value(text)):
                    return known
        return None

    def java(self) -> str | None:
        told = self._java("release", "source", "target")
        return told or language_level(self.value("${java.version}"))

    def java_of_tests(self) -> str | None:
        told = self._java("testRelease", "release", "testSource", "testTarget")
        return None if told == self.java() else told

    def _java(self, *names: str) -> str | None:
        for name in names:
            for plugin in self._plugins("maven-compiler-plugin", *_PLUGINS):
                if known := self.value(_text_of(plugin, f"configuration/{name}")):
                    return language_level(known)
            if known := self.value("${maven.compiler." + name + "}"):
                return language_level(known)
        return None

    def added(self, goal: str) -> Iterator[str]:
        """Roots that the build helper adds by a goal."""
        for plugin in self._plugins("build-helper-maven-plugin", _PLUGINS[0]):
            for execution in plugin.findall("executions/execution"):
                if goal in (_text_of(one, ".") for one in execution.findall("goals/goal")):
                    for source in execution.findall("configuration/sources/*"):
                        if root := self.value(_text_of(source, ".")):
                            yield root

    def _plugins(self, artifact: str, *paths: str) -> Iterator[ElementTree.Element]:
        for path in paths:
            for one in self.line():
                for plugin in one.all(path):
                    if _text_of(plugin, "artifactId") == artifact:
                        yield plugin


_BY_DEFAULT = "activation/activeByDefault"
_PLUGINS = ("build/plugins/plugin", "build/pluginManagement/plugins/plugin")


def _text_of(element: ElementTree.Element, path: str) -> str | None:
    return (element.findtext(path) or "").strip() or None


def maven_modules(build_files: Mapping[str, bytes]) -> list[Module]:
    poms: dict[str, _Pom] = {}
    for path, data in build_files.items():
        if posixpath.basename(path) == "pom.xml":
            try:
                root = ElementTree.fromstring(data)
            except (ElementTree.ParseError, ValueError, LookupError):
                continue
            for element in root.iter():
                element.tag = str(element.tag).rpartition("}")[2]
            folder = posixpath.dirname(path)
            poms[folder] = _Pom(folder, root)
    _link(poms)
    by_name = _by_name(poms)
    return [_maven_module(pom, by_name) for pom in poms.values()]


def _by_name(poms: Mapping[str, _Pom]) -> dict[_Name, _Pom]:
    """Each file by its name, and by its artifact alone for those who do not tell the group."""
    by_artifact = {_name(None, pom.artifact): pom for pom in poms.values()}
    return by_artifact | {pom.name(): pom for pom in poms.values()}


def _link(poms: Mapping[str, _Pom]) -> None:
    """Gives each file its parent, if the workspace has it; first those that lie where it says."""
    children = [pom for pom in poms.values() if pom.text("parent/artifactId")]
    for pom in children:
        there = joined(pom.folder, pom.text("parent/relativePath") or "..")
        near = poms.get(there.removesuffix("pom.xml").rstrip("/"))
        if near and near is not pom and _alike(near.name(), pom.parents_name()):
            pom.parent = near
    by_name = _by_name(poms)
    for pom in children:
        if pom.parent is None:
            pom.parent = by_name.get(pom.parents_name())


def _alike(one: _Name, other: _Name) -> bool:
    """Whether two names may be of one file; a group that is not known may be any."""
    return one[1] == other[1] and (one[0] == other[0] or not one[0] or not other[0])


def _maven_module(pom: _Pom, by_name: Mapping[_Name, _Pom]) -> Module:
    used = list(dict.fromkeys(pom.dependencies(by_name)))
    own = [by_name.get(_name(one.group, one.artifact)) for one in used]
    main = pom.first("build/sourceDirectory") or "src/main/java"
    tests = pom.first("build/testSourceDirectory") or "src/test/java"
    roots = [main, *pom.added("add-source")], [tests, *pom.added("add-test-source")]
    sources, tested = (tuple(dict.fromkeys(joined(pom.folder, r) for r in some)) for some in roots)
    return Module(
        folder=pom.folder,
        tool="maven",
        sources=sources,
        tests=tested,
        java=pom.java(),
        dependencies=tuple(one for one, module in zip(used, own, strict=True) if module is None),
        requires=tuple(module.folder for module in own if module is not None),
        java_of_tests=pom.java_of_tests(),
    )
