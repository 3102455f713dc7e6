"""A corpus of places: what is added compiles, and every other byte stays.

Each of four test frameworks meets each shape of test class and of focal class. All results are
compiled by one javac, with the frameworks' few names as stubs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from indexer import Change, Index
from indexer.languages import java
from personalizer.edits import apply_changes
from personalizer.generation import Site, resolve_target

STUBS = {
    "org/junit/jupiter/api/Test.java": "public @interface Test {}",
    "org/junit/jupiter/api/Nested.java": "public @interface Nested {}",
    "org/junit/jupiter/api/BeforeEach.java": "public @interface BeforeEach {}",
    "org/junit/jupiter/api/Assertions.java": (
        "public class Assertions { public static void assertEquals(Object a, Object b) {} }"
    ),
    "org/junit/Test.java": "public @interface Test {}",
    "org/junit/Before.java": "public @interface Before {}",
    "org/junit/Assert.java": (
        "public class Assert { public static void assertEquals(Object a, Object b) {} }"
    ),
    "junit/framework/TestCase.java": (
        "public class TestCase { public static void assertEquals(Object a, Object b) {} }"
    ),
    "org/testng/annotations/Test.java": "public @interface Test {}",
    "org/testng/Assert.java": (
        "public class Assert { public static void assertEquals(Object a, Object b) {} }"
    ),
}


@dataclass(frozen=True)
class Framework:
    """How a framework's tests look."""

    name: str
    imports: str
    head: str
    """Of a test class, up to its brace."""
    method: str
    """Before a test's name."""


FRAMEWORKS = (
    Framework(
        "junit5",
        "import static org.junit.jupiter.api.Assertions.assertEquals;\n\n"
        "import org.junit.jupiter.api.Test;\n",
        "class {}",
        "@Test\nvoid test",
    ),
    Framework(
        "junit4",
        "import static org.junit.Assert.assertEquals;\n\nimport org.junit.Test;\n",
        "public class {}",
        "@Test\npublic void test",
    ),
    Framework(
        "junit3",
        "import junit.framework.TestCase;\n",
        "public class {} extends TestCase",
        "public void test",
    ),
    Framework(
        "testng",
        "import static org.testng.Assert.assertEquals;\n\nimport org.testng.annotations.Test;\n",
        "public class {}",
        "@Test\npublic void test",
    ),
)

PLAIN = "{imports}\n{head} {{\n{first}}}\n"
FOCAL = "public class Cart {\n    public int total() {\n        return 0;\n    }\n}\n"


@dataclass(frozen=True)
class Shape:
    """What is special about a case; ``{p}`` stands for its package."""

    name: str
    focal: str = FOCAL
    call: str = "new Cart().total()"
    target: str = "Cart#total"
    test_class: str | None = PLAIN
    """None where there is none yet."""
    bytes: tuple[tuple[str, str], ...] = ()
    """What is replaced in the test file's text."""
    others: dict[str, str] = field(default_factory=dict)
    module: str = ""
    statements: str = ""
    """Before the assertion."""


SHAPES = (
    Shape("plain"),
    Shape("new-file", test_class=None),
    Shape("module", module="app/"),
    Shape("new-file-in-a-module", test_class=None, module="app/"),
    Shape("tabs", bytes=(("    ", "\t"),)),
    Shape("windows-lines", bytes=(("\n", "\r\n"),)),
    Shape("no-final-newline", bytes=(("}\n\\Z", "}"),)),
    Shape("byte-order-mark", bytes=(("\\A", "\ufeff"),)),
    Shape("header", bytes=(("\\A", "/*\n * Licensed.\n */\n"),)),
    Shape("trailing-comment", bytes=(("}\n\\Z", "    // the end\n}\n// after it\n"),)),
    Shape("empty-class", test_class="{imports}\n{head} {{\n}}\n"),
    Shape("class-on-one-line", test_class="{imports}\n{head} {{}}\n"),
    Shape("no-imports-yet", test_class="{base}\n{head} {{\n}}\n"),
    Shape(
        "record",
        focal="public record Cart(int size) {\n    public int total() {\n"
        "        return size;\n    }\n}\n",
        call="new Cart(1).total()",
    ),
    Shape(
        "enum",
        focal="public enum Cart {\n    SMALL;\n    public int total() {\n"
        "        return ordinal();\n    }\n}\n",
        call="Cart.SMALL.total()",
    ),
    Shape(
        "interface",
        focal="public interface Cart {\n    default int total() {\n        return 0;\n    }\n}\n",
        call="new Cart() {}.total()",
    ),
    Shape(
        "abstract",
        focal="public abstract class Cart {\n    public int total() {\n        return 0;\n"
        "    }\n}\n",
        call="new Cart() {}.total()",
    ),
    Shape(
        "generic",
        focal="public class Cart<T extends Comparable<T>> {\n    public T total(T one) {\n"
        "        return one;\n    }\n}\n",
        call="new Cart<Integer>().total(0)",
    ),
    Shape(
        "inner",
        focal="public class Cart {\n    public static class Line {\n"
        "        public int total() {\n            return 0;\n        }\n    }\n}\n",
        call="new Cart.Line().total()",
        target="Cart.Line#total",
    ),
    Shape(
        "package-private",
        focal="class Cart {\n    int total() {\n        return 0;\n    }\n}\n",
    ),
    Shape(
        "same-names",
        statements="Item item = new Item();",
        call="item.hashCode() - item.hashCode()",
        others={
            "Item": "package {p};\npublic class Item {{}}\n",
            "other/Item": "package {p}.other;\npublic class Item {{}}\n",
        },
    ),
    Shape(
        "name-clash",
        bytes=(("testFirst", "testAdded"),),
    ),
    Shape(
        "java-types",
        statements="List<Map<String, Integer>> all = new ArrayList<>();",
        call="all.size()",
    ),
    Shape(
        "wildcard-imports",
        statements="List<String> all = new ArrayList<>();",
        call="all.size()",
        bytes=(("(package [^;]*;\n\n)", "\\1import java.util.*;\n"),),
    ),
    Shape(
        "two-classes",
        test_class="{imports}\n{head} {{\n{first}}}\n\nclass Helper{p} {{\n}}\n",
    ),
    Shape(
        "fields-and-helpers",
        test_class="{imports}\n{head} {{\n    private final Cart cart = cart();\n\n{first}\n"
        "    private static Cart cart() {{\n        return new Cart();\n    }}\n}}\n",
        call="cart.total()",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A shape with a framework, in a package of its own."""

    shape: Shape
    framework: Framework

    @property
    def package(self) -> str:
        return f"{self.framework.name}_{self.shape.name.replace('-', '_')}"

    def files(self) -> dict[str, str]:
        """The project by path."""
        shape, package, module = self.shape, self.package, self.shape.module
        main, test = f"{module}src/main/java/{package}", f"{module}src/test/java/{package}"
        found = {f"{main}/Cart.java": f"package {package};\n\n{shape.focal}"}
        for name, text in shape.others.items():
            found[f"{main}/{name}.java"] = text.format(p=package)
        if shape.test_class is not None:
            found[f"{test}/CartTest.java"] = self._test_class(shape.test_class)
        else:  # what the new file learns its framework from
            found[f"{test}/OtherTest.java"] = self._test_class(PLAIN).replace("Cart", "Other")
        return found

    def _test_class(self, layout: str) -> str:
        one = self.framework
        first = f"{one.method}First() {{\n    assertEquals(1, 1);\n}}\n"
        text = "package {};\n\n{}".format(
            self.package,
            layout.format(
                imports=one.imports,
                base=re.sub(r"import static .*\n+", "", one.imports),
                head=one.head.format("CartTest"),
                first="".join(f"    {line}\n" for line in first.splitlines()),
                p=self.package,
            ),
        )
        for old, new in self.shape.bytes:
            text = re.sub(old, new, text)
        return text

    def written(self) -> str:
        """The test that is added."""
        before = f"    {self.shape.statements}\n" if self.shape.statements else ""
        head = f"{self.framework.method}Added() {{\n"
        return f"{head}{before}    assertEquals(0, {self.shape.call});\n}}"

    def placed(self) -> dict[str, bytes]:
        """The project with the test in it; checks that nothing else has changed."""
        sources = {path: text.encode() for path, text in self.files().items()}
        snapshot = Index().apply(Change(path, source) for path, source in sources.items())
        target = f"{self.package}.{self.shape.target}"
        edit = Site(snapshot, *resolve_target(snapshot, target)).edit(self.written())
        assert edit.created == (self.shape.test_class is None)
        assert all(change.start == change.end for change in edit.changes), "something was replaced"
        before = b"" if edit.created else sources[edit.file]
        after = apply_changes(before, edit.changes)
        assert b"testAdded" in after
        assert java.parse(after).errors == ()
        return {**sources, edit.file: after}


CASES = [Case(shape, framework) for shape in SHAPES for framework in FRAMEWORKS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.framework.name}-{case.shape.name}")
def test_every_other_byte_stays(case: Case):
    after = case.placed()
    before = {path: text.encode() for path, text in case.files().items()}
    for path, source in before.items():
        left = iter(after[path])
        assert all(byte in left for byte in source), f"{path} lost a byte"


@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK is installed")
def test_every_case_compiles(tmp_path: Path):
    """One javac for all, since starting it takes longest."""
    assert len(CASES) >= 60
    sources = []
    for path, text in STUBS.items():
        package = path.rpartition("/")[0].replace("/", ".")
        sources.append((path, f"package {package};\n{text}\n".encode()))
    for case in CASES:
        for path, source in case.placed().items():
            # javac itself takes no byte-order mark
            sources.append((f"{case.package}/{path}", source.removeprefix("\ufeff".encode())))
    for path, source in sources:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(source)
    names = [str(tmp_path / path) for path, _ in sources]
    (tmp_path / "sources").write_text("\n".join(names))
    command = ["javac", "-proc:none", "-encoding", "utf-8", "-d", tmp_path / "classes"]
    made = subprocess.run(
        [*command, f"@{tmp_path / 'sources'}"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr[-4000:]
