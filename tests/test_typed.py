"""Settled texts that are compared as what they stand for."""

from __future__ import annotations

from contextlib import closing

import pytest

from personalizer.generation import Candidate
from personalizer.generation.rescue.salvage import salvaged
from personalizer.generation.rescue.typed import typed
from personalizer.generation.site import Site
from tests.java_build import CART_TEST, needs_sandbox, project
from tests.java_project import method, site_at, snapshot_of

SHOP = "src/main/java/shop/Cart.java"
SOURCE = """package shop;

import java.math.BigDecimal;
import java.nio.file.*;
import java.util.*;

public class Cart {
    public enum Kind { FULL, EMPTY }
    public int total() { return 0; }
    public Kind kind() { return Kind.FULL; }
    public byte[] bytes() { return new byte[] {1, -2}; }
    public double[] reals() { return new double[] {0.5}; }
    public String[] none() { return new String[0]; }
    public List<String> names() { return Arrays.asList("a", "b\\"c"); }
    public List<Long> counts() { return Arrays.asList(1L, 2L); }
    public List<Object> mixed() { return Arrays.asList("a", 1); }
    public Set<Integer> numbers() { return new HashSet<>(Arrays.asList(1)); }
    public Collection<String> linked() { return new ArrayDeque<>(Arrays.asList("a")); }
    public Map<String, String> map() { return new HashMap<>(); }
    public Optional<String> maybe() { return Optional.of("a"); }
    public BigDecimal price() { return new BigDecimal("1.50"); }
    public Path path() { return Paths.get("a/b"); }
}
"""
TESTS = CART_TEST


def site_of(target: str) -> Site:
    snapshot = snapshot_of({SHOP: SOURCE, "src/test/java/shop/CartTest.java": TESTS})
    return site_at(snapshot, target)


@pytest.mark.parametrize(
    ("kind", "said", "now"),
    [
        ("List<String>", "[a, b]", 'assertEquals(Arrays.asList("a", "b"), a)'),
        ("List<String>", "[]", "assertTrue(a.isEmpty())"),
        ("Set<Integer>", "[1]", "assertEquals(new HashSet<>(Arrays.asList(1)), a)"),
        ("List<Object>", "[a, 1]", None),
        ("List<String>", "a", None),
        ("List<Long>", "[1, x]", None),
        ("List<String>", f"[{', '.join('a' * 13)}]", None),
        ("Map<String, Long>", "{}", "assertTrue(a.isEmpty())"),
        ("Map<String, Long>", "{a=1}", None),
        ("Optional<Long>", "Optional[7]", "assertEquals(Optional.of(7L), a)"),
        ("Optional<Long>", "Optional.empty", "assertFalse(a.isPresent())"),
        ("BigDecimal", "1.50", 'assertEquals(new BigDecimal("1.50"), a)'),
        ("Cart.Kind", "FULL", "assertEquals(Cart.Kind.FULL, a)"),
        ("Cart", "FULL", None),
        ("Cart.Kind", "not full", None),
    ],
)
def test_a_text_is_compared_as_what_it_stands_for(kind: str, said: str, now: str | None):
    kept, compared = f"{kind} a = cart.a();", f'assertEquals("{said}", a.toString())'
    found = typed(method(kept, f"{compared};"), site_of("Cart#total"))
    assert found == method(kept, f"{now or compared};")


def test_lists_are_made_as_the_test_class_makes_them():
    tests = TESTS.replace(
        "assertEquals(0, cart.total());", "assertEquals(List.of(), cart.names());"
    )
    snapshot = snapshot_of({SHOP: SOURCE, "src/test/java/shop/CartTest.java": tests})
    site = site_at(snapshot, "Cart#total")
    lines = ["List<String> a = cart.a();", "Set<Long> b = cart.b();"]
    said = ['assertEquals("[a]", a.toString());', 'assertEquals("[1]", b.toString());']
    now = ['assertEquals(List.of("a"), a);', "assertEquals(Set.of(1L), b);"]
    assert typed(method(*lines, *said), site) == method(*lines, *now)


def test_several_are_taken_together_and_others_stay():
    lines = [
        "int[] a = cart.a();",
        "boolean[] b = cart.b();",
        'assertEquals("[1, -2]", Arrays.toString(a));',
        'assertEquals("[]", Arrays.toString(b));',
        'assertEquals("[]", c.toString());',
        'assertEquals("x", a.toString(), "why");',
        'assertEquals(1, "[]", a);',
    ]
    assert typed(method(*lines), site_of("Cart#total")) == method(
        *lines[:2],
        "assertArrayEquals(new int[] {1, -2}, a);",
        "assertEquals(0, b.length);",
        *lines[4:],
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("typed")
    files = {SHOP: SOURCE, "src/test/java/shop/CartTest.java": TESTS}
    made = project(folder / "shop", files, data=folder / "data")
    with closing(made.validator):
        yield made


@needs_sandbox
@pytest.mark.parametrize(
    ("name", "kind", "guess", "now"),
    [
        ("kind", "Cart.Kind", "found.toString()", "assertEquals(Cart.Kind.FULL, found)"),
        (
            "bytes",
            "byte[]",
            "Arrays.toString(found)",
            "assertArrayEquals(new byte[] {1, -2}, found)",
        ),
        (
            "reals",
            "double[]",
            "Arrays.toString(found)",
            "assertArrayEquals(new double[] {0.5}, found, 1e-9)",
        ),
        ("none", "String[]", "Arrays.toString(found)", "assertEquals(0, found.length)"),
        (
            "names",
            "List<String>",
            "found.toString()",
            'assertEquals(Arrays.asList("a", "b\\"c"), found)',
        ),
        ("counts", "List<Long>", "found.toString()", "assertEquals(Arrays.asList(1L, 2L), found)"),
        ("mixed", "List<Object>", "found.toString()", 'assertEquals("[a, 1]", found.toString())'),
        (
            "numbers",
            "Set<Integer>",
            "found.toString()",
            "assertEquals(new HashSet<>(Arrays.asList(1)), found)",
        ),
        # no list, though its text is one's
        (
            "linked",
            "Collection<String>",
            "found.toString()",
            'assertEquals("[a]", found.toString())',
        ),
        ("map", "Map<String, String>", "found.toString()", "assertTrue(found.isEmpty())"),
        ("maybe", "Optional<String>", "found.toString()", 'assertEquals(Optional.of("a"), found)'),
        ("price", "BigDecimal", "found.toString()", 'assertEquals(new BigDecimal("1.50"), found)'),
        ("path", "Path", "found.toString()", 'assertEquals(Paths.get("a/b"), found)'),
    ],
)
def test_what_came_is_compared_as_what_it_is(shop, name: str, kind: str, guess: str, now: str):
    site = site_at(shop.snapshot, f"Cart#{name}")
    run = shop.runs(site)
    kept = f"{kind} found = cart.{name}();"
    (failing,) = run(
        [Candidate(method(kept, f'assertEquals("?", {guess});'), parses=True, asserts=True)]
    )
    found = salvaged(failing, site, run)
    assert found is not None, failing.failure
    assert found.passes
    assert found.text == method(kept, f"{now};")
