"""What a build says of a project, read from its files alone: no build is run.

Maven (parents, properties, dependencyManagement) and Gradle (Groovy, Kotlin, version catalogs).
What only a running build could tell (a parent outside the workspace, a plugin's defaults) is
left unknown, never guessed. Broken files give what can be read.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from indexer.facts import FileFacts
from indexer.project import in_test_root

__all__ = ["Dependency", "Module", "find_modules", "module_at"]


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


def find_modules(
    build_files: Mapping[str, bytes], files: Mapping[str, FileFacts]
) -> tuple[Module, ...]:
    """The modules of a project, by folder.

    Args:
        build_files: Maven and Gradle files by path (``Workspace.build_files``).
        files: Facts by path; they tell the roots where no build does.

    Returns:
        At least one module: a folder without a build is a module by itself.
    """
    found = {module.folder: module for module in _gradle_modules(build_files)}
    found |= {module.folder: module for module in _maven_modules(build_files)}
    if "" not in found:
        outside = [p for p in files if not any(p.startswith(f + "/") for f in found)]
        if outside or not found:
            found[""] = _plain(files, outside)
    return tuple(found[folder] for folder in sorted(found))


def module_at(modules: Iterable[Module], path: str) -> Module | None:
    """The innermost module that a path lies in."""
    inside = [m for m in modules if not m.folder or path.startswith(m.folder + "/")]
    return max(inside, key=lambda module: len(module.folder), default=None)


def _plain(files: Mapping[str, FileFacts], paths: Iterable[str]) -> Module:
    """A folder without a build: a root is what stands before the folders of a package."""
    roots: Counter[str] = Counter()
    for path in paths:
        folder = posixpath.dirname(path)
        package = files[path].package.replace(".", "/")
        if not package:
            roots[folder] += 1
        elif folder == package or folder.endswith("/" + package):
            roots[folder[: len(folder) - len(package)].rstrip("/")] += 1
    ranked = [root for root, _ in roots.most_common()]
    return Module(
        folder="",
        tool=None,
        sources=tuple(r for r in ranked if not in_test_root(r + "/")),
        tests=tuple(r for r in ranked if in_test_root(r + "/")),
        java=None,
        dependencies=(),
        requires=(),
    )


def _join(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path)).strip("/")
    return "" if joined == "." else joined


def _level(text: str | None) -> str | None:
    """``1.8``, ``VERSION_1_8`` and ``8`` are one; None for what is no version."""
    found = re.search(r"(?:1[._])?(\d+)$", (text or "").strip())
    return found[1] if found else None


# ---------------------------------------------------------------- Maven


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
                known = self._property(mark)
                if known is None or len(text) > 1000:
                    return None
                text = text.replace("${" + mark + "}", known)
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
        for name in ("release", "source", "target"):
            for plugin in self._plugins("maven-compiler-plugin", *_PLUGINS):
                if known := self.value(_text_of(plugin, f"configuration/{name}")):
                    return _level(known)
            if known := self.value("${maven.compiler." + name + "}"):
                return _level(known)
        return _level(self.value("${java.version}"))

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


def _maven_modules(build_files: Mapping[str, bytes]) -> list[Module]:
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
        there = _join(pom.folder, pom.text("parent/relativePath") or "..")
        near = poms.get(there.removesuffix("pom.xml").rstrip("/"))
        if near and near is not pom and _alike(near.name(), pom.parents_name()):
            pom.parent = near
    by_name = _by_name(poms)
    for pom in children:
        named = by_name.get(pom.parents_name())
        if pom.parent is None and named is not pom:
            pom.parent = named


def _alike(one: _Name, other: _Name) -> bool:
    """Whether two names may be of one file; a group that is not known may be any."""
    return one[1] == other[1] and (one[0] == other[0] or not one[0] or not other[0])


def _maven_module(pom: _Pom, by_name: Mapping[_Name, _Pom]) -> Module:
    used = list(dict.fromkeys(pom.dependencies(by_name)))
    own = [by_name.get(_name(one.group, one.artifact)) for one in used]
    main = pom.first("build/sourceDirectory") or "src/main/java"
    tests = pom.first("build/testSourceDirectory") or "src/test/java"
    roots = [main, *pom.added("add-source")], [tests, *pom.added("add-test-source")]
    sources, tested = (tuple(dict.fromkeys(_join(pom.folder, r) for r in some)) for some in roots)
    return Module(
        folder=pom.folder,
        tool="maven",
        sources=sources,
        tests=tested,
        java=pom.java(),
        dependencies=tuple(one for one, module in zip(used, own, strict=True) if module is None),
        requires=tuple(module.folder for module in own if module is not None),
    )


# ---------------------------------------------------------------- Gradle

_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|//[^\n]*|/\*.*?(?:\*/|\Z)""", re.S
)
_QUOTED = r"""["']([^"'\n]+)["']"""
_NOTATION = re.compile(rf"\b\w+[ \t]*\(?[ \t]*(?:(?:enforcedP|p)latform\s*\(\s*)?{_QUOTED}")
_NAMED = re.compile(
    rf"group\s*[:=]\s*{_QUOTED}\s*,\s*name\s*[:=]\s*{_QUOTED}(?:\s*,\s*version\s*[:=]\s*([^,)\s]+))?"
)
_CATALOG = re.compile(r"\blibs\.((?:bundles\.)?[\w.]+)")
_VARIABLE = re.compile(
    rf"""(?:(?:def|val|var|String)\s+|ext\.|extra\[["'])?([\w.-]+)(?:["']\])?"""
    rf"(?:\s+by\s+extra\s*\(\s*|\s*[:=]\s*){_QUOTED}"
)
_JAVA = re.compile(
    r"(?:JavaLanguageVersion\.of\s*\(|sourceCompatibility\s*[= ]"
    r"|options\.release\s*(?:=|\.set\s*\())"
    r"""\s*["']?(?:JavaVersion\.)?(?:VERSION_)?([\d._]+)"""
)
_PROJECT = re.compile(rf"\bproject\s*\(\s*(?:path\s*[:=]\s*)?{_QUOTED}")


def _gradle_modules(build_files: Mapping[str, bytes]) -> list[Module]:
    texts = {p: _COMMENT.sub(lambda m: m[1] or " ", _text(d)) for p, d in build_files.items()}
    builds = {
        posixpath.dirname(path): text
        for path, text in texts.items()
        if posixpath.basename(path) in ("build.gradle", "build.gradle.kts")
    }
    places: dict[str, str] = {}
    for path, text in texts.items():
        if posixpath.basename(path).startswith("settings.gradle"):
            places |= _included(posixpath.dirname(path), text)
    for name, folder in places.items():
        if folder not in builds:  # a script has moved it, or it has no build file of its own
            alike = [b for b in builds if posixpath.basename(b) == posixpath.basename(folder)]
            places[name] = alike[0] if len(alike) == 1 else folder
    for folder in places.values():
        builds.setdefault(folder, "")
    places |= {":" + folder.replace("/", ":"): folder for folder in builds if folder}
    return [_gradle_module(folder, builds, texts, places) for folder in builds]


def _gradle_module(
    folder: str, builds: Mapping[str, str], texts: Mapping[str, str], places: Mapping[str, str]
) -> Module:
    above = [other for other in builds if folder.startswith(other + "/") or (not other and folder)]
    shared = [
        block
        for other in sorted(above, key=len)
        for block in _blocks(builds[other], "subprojects", "allprojects")
    ]
    own = builds[folder]
    for block in _blocks(own, "subprojects"):
        own = own.replace(block, "")
    known: dict[str, str] = {}
    catalog: dict[str, list[Dependency]] = {}
    for other in [*sorted(above, key=len), folder]:
        properties = texts.get(_join(other, "gradle.properties"), "")
        known |= dict(re.findall(r"(?m)^\s*([\w.-]+)\s*[=:]\s*(\S+)\s*$", properties))
        known |= dict(_VARIABLE.findall(builds[other]))
        catalog |= _catalog(texts.get(_join(other, "gradle/libs.versions.toml"), ""))
    used = [
        one
        for text in [*shared, own]
        for block in _blocks(text, "dependencies")
        for one in _dependencies(block, known, catalog)
    ]
    boms = {one.group: one.version for one in used if one.artifact.endswith("-bom")}
    if "org.junit" in boms:
        boms["org.junit.jupiter"] = boms["org.junit"]
    java = next(
        (m[1] for text in [own, *reversed(shared)] for m in [_JAVA.search(text)] if m), None
    )
    roots = {
        kind: [
            _join(folder, root)
            for sets in _blocks(own, "sourceSets")
            for block in _blocks(sets, kind)
            for line in re.findall(r"srcDirs?\b([^\n]*)", block)
            for root in re.findall(_QUOTED, line)
            if "resources" not in root
        ]
        for kind in ("main", "test")
    }
    return Module(
        folder=folder,
        tool="gradle",
        sources=tuple(roots["main"]) or (_join(folder, "src/main/java"),),
        tests=tuple(roots["test"]) or (_join(folder, "src/test/java"),),
        java=_level(java),
        dependencies=tuple(
            dict.fromkeys(
                Dependency(one.group, one.artifact, one.version or boms.get(one.group))
                for one in used
            )
        ),
        requires=tuple(
            dict.fromkeys(
                places[name]
                for text in [*shared, own]
                for block in _blocks(text, "dependencies")
                for name in _PROJECT.findall(block)
                if name in places and places[name] != folder
            )
        ),
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _blocks(text: str, *names: str) -> Iterator[str]:
    """What stands between the braces after each of some names."""
    for start in re.finditer(rf"\b(?:{'|'.join(names)})\b[^\n{{}}]*\{{", text):
        depth, end = 1, start.end()
        for brace in re.finditer(r"[{}]", text[start.end() :]):
            depth += 1 if brace[0] == "{" else -1
            end = start.end() + brace.start()
            if not depth:
                break
        yield text[start.end() : end]


def _included(folder: str, settings: str) -> dict[str, str]:
    """Folder by project path, as ``:core:api``."""
    found = {}
    for line in re.findall(r"\binclude\b[ \t]*\(?((?:\s*[\"'][^\"'\n]+[\"']\s*,?)+)", settings):
        for name in re.findall(_QUOTED, line):
            path = ":" + name.strip(":")
            if "$" not in name:
                found[path] = _join(folder, path[1:].replace(":", "/"))
    moved = rf"project\s*\(\s*{_QUOTED}\s*\)\.projectDir\s*=\s*[^\n\"']*{_QUOTED}"
    for name, there in re.findall(moved, settings):
        found[name] = _join(folder, there)
    return found


def _dependencies(
    block: str, known: Mapping[str, str], catalog: Mapping[str, list[Dependency]]
) -> Iterator[Dependency]:
    for text in _NOTATION.findall(block):
        group, _, rest = _filled(text, known).partition(":")
        artifact, _, version = rest.partition(":")
        if artifact:
            yield Dependency(group, artifact, _version(version.partition("@")[0]))
    for group, artifact, version in _NAMED.findall(block):
        plain = version.strip("\"'")
        yield Dependency(group, artifact, _version(_filled(known.get(plain, plain), known)))
    for alias in _CATALOG.findall(block):
        yield from catalog.get(alias, ())


def _filled(text: str, known: Mapping[str, str]) -> str:
    def fill(mark: re.Match[str]) -> str:
        name = re.sub(r"^(?:rootProject|project|ext|versions)\.|[\"'()\[\]]|property", "", mark[1])
        return known.get(name.rpartition(".")[2], known.get(name, mark[0]))

    return re.sub(r"\$\{?((?:[\w.]|\([^)]*\)|\[[^\]]*\])+)\}?", fill, text)


def _version(text: str) -> str | None:
    return text if re.match(r"\d", text) else None


def _catalog(text: str) -> dict[str, list[Dependency]]:
    """Libraries and bundles of a version catalog, by the names under which scripts use them."""
    try:
        data = tomllib.loads(text)
        versions, found = data.get("versions", {}), {}
        for alias, entry in data.get("libraries", {}).items():
            found[alias] = [_catalog_entry(entry, versions)]
        for alias, names in data.get("bundles", {}).items():
            found["bundles." + alias] = [one for name in names for one in found.get(name, ())]
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        return {}
    return {re.sub("[-_]", ".", alias): ones for alias, ones in found.items()}


def _catalog_entry(entry: object, versions: Mapping[str, object]) -> Dependency:
    if isinstance(entry, str):
        group, artifact, number = [*entry.split(":"), "", ""][:3]
        return Dependency(group, artifact, number or None)
    if not isinstance(entry, dict):
        raise TypeError(f"expected a library, got {entry!r}")
    module = str(entry.get("module") or f"{entry.get('group')}:{entry.get('name')}")
    version = entry.get("version")
    if isinstance(version, dict):
        version = versions.get(str(version.get("ref")))
    group, _, artifact = module.partition(":")
    return Dependency(group, artifact, version if isinstance(version, str) else None)
