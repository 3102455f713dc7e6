"""What a build says of a project, read from its files alone: no build is run.

Maven (parents, properties, dependencyManagement) and Gradle (Groovy, Kotlin, version catalogs).
What only a running build could tell (a parent outside the workspace, a plugin's defaults) is
left unknown, never guessed. Broken files give what can be read.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping

from indexer.facts import FileFacts
from indexer.gradle import gradle_modules
from indexer.maven import maven_modules
from indexer.modules import Dependency, Module
from indexer.project import in_test_root

__all__ = ["Dependency", "Module", "find_modules", "module_at"]


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
    found = {module.folder: module for module in gradle_modules(build_files)}
    found |= {module.folder: module for module in maven_modules(build_files)}
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
