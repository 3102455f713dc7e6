"""Modules of a Gradle build: Groovy or Kotlin scripts, properties, version catalogs."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from indexer.gradle_syntax import Call, calls_of, texts_of
from indexer.modules import Dependency, Module, joined, language_level

__all__ = ["gradle_modules"]

_Folders = Mapping[str, str]
"""Folders of projects by path, as ``:core:api``."""
_JAVA_LEVELS = {
    "release": "options",
    "sourceCompatibility": "",
    "languageVersion": "toolchain",
    "jvmToolchain": "",
}
"""What tells the language level, in which block beside a task's; the first counts most."""
_MAIN, _TESTS = "compileJava", "compileTestJava"
"""The tasks that compile a module and its tests."""
_ADDS_ROOTS = frozenset({"srcDir", "srcDirs", "setSrcDirs"})
_GETTERS = frozenset({"get", "orNull", "asInt", "toInt", "toInteger", "toString"})
_LOOKS_UP = frozenset({"property", "findProperty", "getProperty", "gradleProperty"})
_LONGEST_NAME = 5
"""Parts of a name that tell it from others, as in ``libs.versions.junit.jupiter``."""
_CONSTANT = re.compile(r"\d|JavaVersion\.")
_NOTATION = re.compile(r"([^\s:/]+):([^\s:/]+)(?::([^:@]*))?(?:[:@].*)?")


def gradle_modules(build_files: Mapping[str, bytes]) -> list[Module]:
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
        names.read_properties(texts.get(joined(one, "gradle.properties"), ""))
        names.read_catalog(texts.get(joined(one, "gradle/libs.versions.toml"), ""))
        names.read_script(builds[one])
    calls = [call for one in line for call in _meant_for(folder, one, builds[one], places)]
    used = [one for call in calls for one in _dependencies(call, names)]
    managed = _managed_by(calls, used, names)
    own = [call for call in calls if call.path[-2:-1] == ("dependencies",)]
    required = [places[p] for call in own for p in _projects(call.arguments) if p in places]
    accessors = {_accessor(project): there for project, there in places.items()}
    required += [accessors[a] for call in own for a in _accessed(call.arguments) if a in accessors]
    java, of_tests = (_java_level(calls, names, task) for task in (_MAIN, _TESTS))
    return Module(
        folder=folder,
        tool="gradle",
        sources=_roots(calls, "main", folder, names),
        tests=_roots(calls, "test", folder, names),
        java=java,
        dependencies=tuple(
            dict.fromkeys(
                Dependency(one.group, one.artifact, one.version or managed(one)) for one in used
            )
        ),
        requires=tuple(dict.fromkeys(one for one in required if one != folder)),
        java_of_tests=None if of_tests == java else of_tests,
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
                found[path] = joined(folder, path[1:].replace(":", "/"))
        elif call.path[:1] == ("project",) and call.path[2:] == ("projectDir",) and told:
            found[call.path[1]] = joined(folder, told[-1])
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
        yield from _libraries(call.arguments, names)


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


def _java_level(calls: Sequence[Call], names: _Names, task: str) -> str | None:
    """The language level that a task compiles: by what is said in its own block, or of all."""
    told: dict[tuple[str, bool], str | None] = {}
    for call in calls:
        name, above = call.path[-1], call.path[:-1]
        block, own = _JAVA_LEVELS.get(name), task in above
        if block is None or not call.arguments or any(_is_other(one, task) for one in above):
            continue
        if own or not block or block in above:
            value = names.value(call.arguments[-1]) or ""
            levels = filter(None, map(language_level, (value, *value.split("."))))
            told[name, own] = next(levels, told.get((name, own)))
    found = (told.get((name, own)) for name in _JAVA_LEVELS for own in (True, False))
    return next(filter(None, found), None)


def _is_other(name: str, task: str) -> bool:
    """Whether a block is that of another task that compiles, or of other tests."""
    compiles = name.startswith("compile") and name.endswith("Java")
    return name != task and (compiles or "Test" in name)


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
    return tuple(dict.fromkeys(joined(folder, root) for root in found or [usual]))


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
    except (tomllib.TOMLDecodeError, RecursionError, AttributeError, TypeError):
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
