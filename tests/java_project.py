"""A small Java project made of text, for tests that need pairs; nothing of it is compiled."""

from __future__ import annotations

from pathlib import Path

from indexer import Change, Index, Snapshot
from personalizer.generation import resolve_target
from personalizer.generation.site import Site


def project_files(classes: int = 8, methods: int = 4) -> dict[str, str]:
    """Text by path; each class has a field, methods that use it, and a test a method."""
    files = {}
    for c in range(classes):
        name = f"Shape{chr(65 + c)}"
        bodies, tests = [], []
        for m in range(methods):
            verb = f"grow{chr(65 + m)}"
            bodies.append(
                f"    /** Adds {m} to the size. */\n"
                f"    public int {verb}(int by) {{\n"
                f"        return size + by * {c + 1} + {m};\n"
                f"    }}\n"
            )
            tests.append(
                f"    @Test\n"
                f"    void {verb}_addsToTheSize() {{\n"
                f"        {name} shape = new {name}({c});\n"
                f"        assertEquals({c + 7 * (c + 1) + m}, shape.{verb}(7));\n"
                f"    }}\n"
            )
        joined = "\n".join(bodies)
        files[f"src/main/java/shapes/{name}.java"] = (
            f"package shapes;\n\npublic class {name} {{\n    private final int size;\n\n"
            f"    public {name}(int size) {{\n        this.size = size;\n    }}\n\n{joined}}}\n"
        )
        joined = "\n".join(tests)
        files[f"src/test/java/shapes/{name}Test.java"] = (
            "package shapes;\n\n"
            "import static org.junit.jupiter.api.Assertions.assertEquals;\n\n"
            "import org.junit.jupiter.api.Test;\n\n"
            f"class {name}Test {{\n{joined}}}\n"
        )
    return files


def with_tests(files: dict[str, str], name: str, kept: int) -> dict[str, str]:
    """The project with the first tests alone of one class."""
    path = f"src/test/java/shapes/{name}Test.java"
    head, *tests = files[path].rstrip().removesuffix("}").split("    @Test\n")
    return {**files, path: "    @Test\n".join([head, *tests[:kept]]) + "}\n"}


def snapshot_of(files: dict[str, str]) -> Snapshot:
    """The project indexed in memory."""
    return Index().apply(Change(path, text.encode()) for path, text in files.items())


def site_at(snapshot: Snapshot, target: str) -> Site:
    """Where the tests of a method stand, as ``Cart#add`` names it."""
    return Site(snapshot, *resolve_target(snapshot, target))


def method(*lines: str) -> str:
    """A test of some statements."""
    return "\n".join(["@Test", "void sums() {", *(f"    {line}" for line in lines), "}"])


def write_project(root: Path, files: dict[str, str] | None = None) -> Path:
    """The project on disk."""
    for path, text in (project_files() if files is None else files).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root
