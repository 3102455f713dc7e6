"""The class path as the real Maven tells it, offline, from Debian's own repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from indexer import Workspace, find_modules
from personalizer.validation.classpath import ClassPaths
from tests.java_build import JUPITER, needs_sandbox, pom, project

DEBIAN = Path("/usr/share/maven-repo")
PLUGIN = DEBIAN / "org/apache/maven/plugins/maven-dependency-plugin"

needs_maven = pytest.mark.skipif(
    shutil.which("mvn") is None or not PLUGIN.is_dir(),
    reason="needs Maven and its dependency plugin (Debian: maven, libmaven-dependency-plugin-java)",
)

MODULES = """<project><modelVersion>4.0.0</modelVersion><groupId>shop</groupId>
<artifactId>parent</artifactId><version>1</version><packaging>pom</packaging>
<modules><module>core</module></modules></project>"""


def class_paths(root: Path, data: Path) -> ClassPaths:
    """Of a workspace that is trusted and whose Maven has Debian's repository alone."""
    (root / ".mvn").mkdir(exist_ok=True)
    (root / ".mvn" / "maven.config").write_text(f"-Dmaven.repo.local={DEBIAN}\n")
    build_files = Workspace(root).build_files()
    modules = find_modules(build_files, ())
    return ClassPaths(root, modules, build_files, trusted=True, data=data)


@needs_maven
@needs_sandbox
def test_maven_tells_the_libraries_and_tests_run_with_them(tmp_path):
    library = ("org.apache.commons", "commons-lang3", "3.12.0")
    files = {"pom.xml": pom(JUPITER, library)}
    made = project(tmp_path / "shop", files, data=tmp_path / "data", trusted=True)
    paths = class_paths(made.root, tmp_path / "data")
    found = paths.of(find_modules(Workspace(made.root).build_files(), ())[0])
    assert (found.origin, found.note) == ("maven", None)
    names = {jar.name.partition("-5")[0] for jar in found.jars}
    assert {"junit-jupiter", "commons-lang3-3.12.0.jar"} <= names
    try:
        verdict = made.verdict(
            'cart.add(org.apache.commons.lang3.StringUtils.length("ab"));'
            " assertEquals(2, cart.total());"
        )
    finally:
        made.validator.close()
    assert verdict.passes is True, verdict


@needs_maven
def test_maven_tells_the_libraries_of_each_module(tmp_path):
    root = tmp_path / "shop"
    (root / "core").mkdir(parents=True)
    (root / "pom.xml").write_text(MODULES)
    (root / "core" / "pom.xml").write_text(pom(("org.apache.commons", "commons-lang3", "3.12.0")))
    paths = class_paths(root, tmp_path / "data")
    modules = {one.folder: one for one in find_modules(Workspace(root).build_files(), ())}
    found = paths.of(modules["core"])
    assert (found.origin, [jar.name for jar in found.jars]) == (
        "maven",
        ["commons-lang3-3.12.0.jar"],
    )


@needs_maven
def test_what_maven_lacks_is_told_by_name(tmp_path):
    root = tmp_path / "shop"
    root.mkdir()
    (root / "pom.xml").write_text(pom(("no.such", "library", "1.0")))
    paths = class_paths(root, tmp_path / "data")
    found = paths.of(find_modules(Workspace(root).build_files(), ())[0])
    assert found.origin == "build files"
    assert "no.such:library:jar:1.0 has not been downloaded" in (found.note or "")
    assert "Help" not in (found.note or "")
