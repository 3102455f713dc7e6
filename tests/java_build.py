"""A small Java project with a build, for tests that compile and run for real."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer import Snapshot, Store, Workspace, index_folder
from personalizer.generation import Candidate
from personalizer.generation.checking import checked
from personalizer.generation.site import Site
from personalizer.validation import Check, Validator, Verdict, sandbox, validator_for

_programs = tempfile.TemporaryDirectory(prefix="programs-", ignore_cleanup_errors=True)
"""Our own Java program, compiled once for all tests of a process."""

needs_java = pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK is installed")
needs_sandbox = pytest.mark.skipif(
    shutil.which("javac") is None or sandbox.unavailable() is not None,
    reason=sandbox.unavailable() or "no JDK is installed",
)

JUPITER = ("org.junit.jupiter", "junit-jupiter", "5.9.2")
JUNIT4 = ("junit", "junit", "4.13.2")
TESTNG = ("org.testng", "testng", "debian")

CART = """package shop;

public class Cart {
    private int total;

    public void add(int price) {
        if (price < 0) {
            throw new IllegalArgumentException("a price below zero");
        }
        total += price;
    }

    public int total() {
        return total;
    }
}
"""
CART_TEST = """package shop;

import static org.junit.jupiter.api.Assertions.*;

import org.junit.jupiter.api.Test;

class CartTest {
    private final Cart cart = new Cart();

    @Test
    void totalIsZeroAtFirst() {
        assertEquals(0, cart.total());
    }
}
"""


def pom(*libraries: tuple[str, str, str], java: str = "11") -> str:
    """A Maven file with some libraries."""
    told = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version><scope>test</scope></dependency>"
        for group, artifact, version in libraries
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>shop</groupId>"
        "<artifactId>shop</artifactId><version>1</version>"
        f"<properties><maven.compiler.release>{java}</maven.compiler.release></properties>"
        f"<dependencies>{told}</dependencies></project>"
    )


@dataclass
class Project:
    """A project on disk with its validator."""

    root: Path
    snapshot: Snapshot
    validator: Validator

    def check(
        self,
        method: str,
        *,
        name: str = "generated",
        file: str = "src/test/java/shop/CartTest.java",
        test_class: str = "shop.CartTest",
    ) -> Check:
        """A method as the last of a test class."""
        text = self.snapshot.text(file)
        end = text.rindex("}")
        return Check(
            file=file,
            source=f"{text[:end]}\n    {method}\n{text[end:]}",
            test_class=test_class,
            test_method=name,
            focal_path="src/main/java/shop/Cart.java",
            focal_class="shop.Cart",
            focal_lines=(6, 11),
        )

    def runs(self, site: Site, mutants: int = 0) -> Callable[..., tuple[Candidate, ...]]:
        """Compiles and runs candidates at a site."""

        def run(
            candidates: Sequence[Candidate], mutants: int = mutants, anyway: bool = False
        ) -> tuple[Candidate, ...]:
            return checked(candidates, site, self.validator, mutants=mutants, anyway=anyway)

        return run

    def verdict(self, body: str) -> Verdict:
        """What is found of a JUnit 5 test with a body."""
        check = self.check(f"@Test void generated() throws Exception {{ {body} }}")
        return self.validator.validate([check])[0]


def project(
    root: Path,
    files: Mapping[str, str] | None = None,
    *,
    data: Path,
    trusted: bool = False,
    class_path: str = "",
) -> Project:
    """Writes a project; a cart with one JUnit 5 test when no files are given."""
    files = {
        "pom.xml": pom(JUPITER),
        "src/main/java/shop/Cart.java": CART,
        "src/test/java/shop/CartTest.java": CART_TEST,
        **(files or {}),
    }
    for path, text in files.items():
        if text:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
    snapshot, _ = index_folder(root, Store())
    validator = validator_for(
        root,
        snapshot,
        Workspace(root).build_files(),
        trusted=trusted,
        data=data,
        class_path=class_path,
        programs=Path(_programs.name),
    )
    return Project(root, snapshot, validator)
