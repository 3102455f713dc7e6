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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from indexer.facts import FileFacts
from indexer.gradle import Call, calls_of, texts_of
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

_Folders = Mapping[str, str]
"""Folders of projects by path, as ``:core:api``."""
_JAVA_LEVELS = {
    "release": ("options", "compileJava"),
    "sourceCompatibility": (),
    "languageVersion": ("toolchain",),
    "jvmToolchain": (),
}
"""What tells the language level, and in one of which blocks; the first counts most."""
_ADDS_ROOTS = frozenset({"srcDir", "srcDirs", "setSrcDirs"})
_GETTERS = frozenset({"get", "orNull", "asInt", "toInt", "toInteger", "toString"})
_LOOKS_UP = frozenset({"property", "findProperty", "getProperty", "gradleProperty"})
_LONGEST_NAME = 5
"""Parts of a name that tell it from others, as in ``libs.versions.junit.jupiter``."""
_CONSTANT = re.compile(r"\d|JavaVersion\.")
_NOTATION = re.compile(r"([^\s:/]+):([^\s:/]+)(?::([^:@]*))?(?:[:@].*)?")


def _gradle_modules(build_files: Mapping[str, bytes]) -> list[Module]:
    builds: dict[str, list[Call]] = {}
    places: dict[str, str] = {}
    for path, data in build_files.items():
        folder, name = posixpath.split(path)
        if name.startswith("build.gradle"):
            builds[folder] = calls_of(_text(data))
        elif name.startswith("settings.gradle"):
            places |= _included(folder, calls_of(_text(data)))
    for project, folder in places.items():
        if folder not in builds:  # a script has moved it, or it has no build file of its own
            alike = [b for b in builds if posixpath.basename(b) == posixpath.basename(folder)]
            places[project] = alike[0] if len(alike) == 1 else folder
    for folder in places.values():
        builds.setdefault(folder, [])
    places |= {":" + folder.replace("/", ":"): folder for folder in builds if folder}
    texts = {path: _text(data) for path, data in build_files.items()}
    return [_gradle_module(folder, builds, texts, places) for folder in builds]


def _gradle_module(
    folder: str,
    builds: Mapping[str, list[Call]],
    texts: Mapping[str, str],
    places: _Folders,
) -> Module:
    line = [b for b in builds if not b or folder == b or folder.startswith(b + "/")]
    line.sort(key=len)
    names = _Names({"projectDir": ".", "rootDir": posixpath.relpath(line[0] or ".", folder or ".")})
    for one in line:
        names.read_properties(texts.get(_join(one, "gradle.properties"), ""))
        names.read_catalog(texts.get(_join(one, "gradle/libs.versions.toml"), ""))
        names.read_script(builds[one])
    calls = [call for one in line for call in _meant_for(folder, one, builds[one], places)]
    used = [one for call in calls for one in _dependencies(call, names)]
    managed = _managed_by(calls, used, names)
    own = [call for call in calls if call.path[-2:-1] == ("dependencies",)]
    required = [places[p] for call in own for p in _projects(call.arguments) if p in places]
    accessors = {_accessor(project): there for project, there in places.items()}
    required += [accessors[a] for call in own for a in _accessed(call.arguments) if a in accessors]
    return Module(
        folder=folder,
        tool="gradle",
        sources=_roots(calls, "main", folder, names),
        tests=_roots(calls, "test", folder, names),
        java=_java_level(calls, names),
        dependencies=tuple(
            dict.fromkeys(
                Dependency(one.group, one.artifact, one.version or managed(one)) for one in used
            )
        ),
        requires=tuple(dict.fromkeys(one for one in required if one != folder)),
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _included(folder: str, settings: Iterable[Call]) -> dict[str, str]:
    """Folder by project path, as ``:core:api``."""
    found = {}
    names = _Names({"rootDir": ".", "settingsDir": "."})
    for call in settings:
        told = [text for one in texts_of(call.arguments) if "$" not in (text := names.filled(one))]
        if call.path == ("include",):
            for text in told:
                path = ":" + text.strip(":")
                found[path] = _join(folder, path[1:].replace(":", "/"))
        elif call.path[:1] == ("project",) and call.path[2:] == ("projectDir",) and told:
            found[call.path[1]] = _join(folder, told[-1])
    return found


def _meant_for(folder: str, script: str, calls: Iterable[Call], places: _Folders) -> Iterator[Call]:
    """What the build file of a folder says of a module in it, or of itself."""
    for call in calls:
        first, rest = call.path[0], call.path[1:]
        if first == "project" and rest[:1] and rest[0].startswith(":"):
            meant, rest = places.get(rest[0]) == folder, rest[1:]
        elif first in ("allprojects", "subprojects"):
            meant = first == "allprojects" or script != folder
        else:
            meant, rest = first != "buildscript" and script == folder, call.path
        if meant and rest:
            yield call._replace(path=rest)


class _Names:
    """What names stand for in scripts: variables, properties, versions and libraries."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)
        self._libraries: dict[str, list[Dependency]] = {}

    def read_properties(self, text: str) -> None:
        self._known |= dict(re.findall(r"(?m)^\s*([\w.-]+)\s*[=:]\s*(\S+)\s*$", text))

    def read_catalog(self, text: str) -> None:
        versions, libraries = _catalog(text)
        self._known |= {f"libs.versions.{alias}": one for alias, one in versions.items()}
        self._libraries |= {f"libs.{alias}": ones for alias, ones in libraries.items()}

    def read_script(self, calls: Iterable[Call]) -> None:
        for call in calls:
            if call.path[-1:] == ("set",) and len(call.arguments) == 2:
                path, value = tuple(texts_of(call.arguments[:1])), self.value(call.arguments[1])
            elif call.sign and call.arguments and "dependencies" not in call.path[:-2]:
                path, value = call.path, self.value(call.arguments[-1])
            else:
                continue
            if value is not None:
                for at in range(-min(len(path), _LONGEST_NAME), 0):
                    self._known[".".join(path[at:])] = value

    def value(self, call: Call) -> str | None:
        """What an argument stands for; None where a running build alone could tell."""
        if call.text is not None:
            return self.filled(call.text)
        if call.path[-1:] and call.path[-1] in _LOOKS_UP:
            return self._known.get("".join(texts_of(call.arguments)))
        if len(call.arguments) == 1:
            return self.value(call.arguments[0])
        plain = ".".join(call.path)
        return self._named(call.path) or (plain if _CONSTANT.match(plain) else None)

    def filled(self, text: str) -> str:
        """Text with what is known of the names in it put in."""

        def fill(mark: re.Match[str]) -> str:
            return self._named(re.findall(r"[\w-]+", mark[0])) or mark[0]

        return re.sub(r"\$\{[^{}]*\}|\$\w+(?:\.\w+)*", fill, text)

    def libraries(self, path: Sequence[str]) -> list[Dependency]:
        """What a version catalog has under a name."""
        return self._libraries.get(".".join(_ungot(path)), [])

    def _named(self, path: Sequence[str]) -> str | None:
        path = _ungot(path)
        names = (".".join(path[at:]) for at in range(-min(len(path), _LONGEST_NAME), 0))
        return next((self._known[name] for name in names if name in self._known), None)


def _ungot(path: Sequence[str]) -> Sequence[str]:
    """A name without what only turns it into a value, as ``libs.versions.java.get().toInt()``."""
    while path and path[-1] in _GETTERS:
        path = path[:-1]
    return path


def _dependencies(call: Call, names: _Names) -> Iterator[Dependency]:
    """Libraries that a call in ``dependencies`` names, whatever the configuration."""
    if call.path[-2:-1] == ("dependencies",) and "dependencyManagement" not in call.path:
        configured = call.arguments[1:] if call.path[-1] == "add" else call.arguments
        yield from _libraries(configured, names)


def _libraries(arguments: Sequence[Call], names: _Names) -> Iterator[Dependency]:
    given = {one.path[-1]: one.arguments[-1] for one in arguments if one.sign and one.arguments}
    if "group" in given and "name" in given:
        group, artifact, version = (
            names.value(given[key]) or "" if key in given else ""
            for key in ("group", "name", "version")
        )
        yield Dependency(group, artifact, _version(version))
    for one in arguments:
        if one.sign or one.path[:1] == ("project",):
            continue
        if found := names.libraries(one.path):
            yield from found
        elif one.arguments:
            yield from _libraries(one.arguments, names)
        elif match := _NOTATION.fullmatch(names.value(one) or ""):
            yield Dependency(match[1], match[2], _version(match[3] or ""))


def _managed_by(
    calls: Iterable[Call], used: Iterable[Dependency], names: _Names
) -> Callable[[Dependency], str | None]:
    """Gives the version that constraints and bills of materials tell for a library."""
    bills = [one for one in used if one.artifact.endswith("-bom")]
    known: dict[tuple[str, str], str | None] = {}
    for call in calls:
        if call.path[-1] == "mavenBom":
            bills += _libraries(call.arguments, names)
        elif "constraints" in call.path or "dependencyManagement" in call.path:
            known |= {(o.group, o.artifact): o.version for o in _libraries(call.arguments, names)}
    groups = {one.group: one.version for one in bills}
    if "org.junit" in groups:
        groups["org.junit.jupiter"] = groups["org.junit"]
    return lambda one: known.get((one.group, one.artifact)) or groups.get(one.group)


def _projects(arguments: Iterable[Call]) -> Iterator[str]:
    """Paths of the projects that some arguments name, as ``project(':core')``."""
    for one in arguments:
        if one.path[:1] == ("project",):
            for name in (*one.path[1:2], *texts_of(one.arguments)):
                yield ":" + name.strip(":")
        else:
            yield from _projects(one.arguments)


def _accessed(arguments: Iterable[Call]) -> Iterator[str]:
    """Accessors of projects, as ``projects.coreApi``."""
    for one in arguments:
        if one.path[:1] == ("projects",):
            yield ".".join(one.path[1:])
        yield from _accessed(one.arguments)


def _accessor(project: str) -> str:
    """``:app:core-api`` is ``projects.app.coreApi``."""
    return re.sub(r"[-_.](\w)", lambda m: m[1].upper(), project[1:]).replace(":", ".")


def _java_level(calls: Sequence[Call], names: _Names) -> str | None:
    told: dict[str, str | None] = {}
    for call in calls:
        name, above = call.path[-1], call.path[:-1]
        blocks = _JAVA_LEVELS.get(name)
        if blocks is None or not call.arguments or any("Test" in one for one in above):
            continue
        if not blocks or any(one in above for one in blocks):
            value = names.value(call.arguments[-1]) or ""
            levels = filter(None, map(_level, (value, *value.split("."))))
            told[name] = next(levels, told.get(name))
    return next((told[name] for name in _JAVA_LEVELS if told.get(name)), None)


def _roots(calls: Iterable[Call], kind: str, folder: str, names: _Names) -> tuple[str, ...]:
    """The source roots of a source set; the usual one where nothing is said."""
    usual = f"src/{kind}/java"
    found: list[str] = []
    for call in calls:
        at = call.path.index("sourceSets") if "sourceSets" in call.path else len(call.path)
        inside = call.path[at + 1 :]
        if inside[:2] == (kind, "java") and len(inside) == 3 and inside[2] in _ADDS_ROOTS:
            roots = map(names.filled, texts_of(call.arguments))
            found += [usual] if call.sign == "+=" else []
            found += [root for root in roots if "$" not in root]
    return tuple(dict.fromkeys(_join(folder, root) for root in found or [usual]))


def _version(text: str) -> str | None:
    plain = text.removesuffix("!!")
    return plain if re.match(r"\d", plain) else None


def _catalog(text: str) -> tuple[dict[str, str], dict[str, list[Dependency]]]:
    """Versions, and libraries and bundles, of a catalog by the names that scripts use."""
    try:
        data = tomllib.loads(text)
        versions, found = data.get("versions", {}), {}
        for alias, entry in data.get("libraries", {}).items():
            found[alias] = [_catalog_entry(entry, versions)]
        for alias, names in data.get("bundles", {}).items():
            found["bundles." + alias] = [one for name in names for one in found.get(name, ())]
        plain = {alias: one for alias, one in versions.items() if isinstance(one, str)}
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        return {}, {}
    return (
        {_in_scripts(alias): one for alias, one in plain.items()},
        {_in_scripts(alias): ones for alias, ones in found.items()},
    )


def _in_scripts(alias: str) -> str:
    return re.sub("[-_]", ".", alias)


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
