"""Plain values: what tests show, constants, and what can be made."""

from __future__ import annotations

import re

import pytest

from indexer import Snapshot
from personalizer.engine.monitor.java_types import java_imports
from personalizer.generation import resolve_target
from personalizer.generation.names.libraries import JAVA_LANG
from personalizer.generation.rescue.values import _OF_JAVA, Values
from personalizer.generation.site import Site
from tests.java_project import snapshot_of

MAIN = "src/main/java/shop"
SIGN = """package shop;

public class Sign {
    public static final Sign NONE = new Sign();
    public void several(String one, int two, String three, int four, String five) { }
    public boolean fits(Cart cart, Cart other, Sign sign, String text) { return true; }
    public boolean knows(Thread thread) { return true; }
    public void many(String[] names, Locale locale, int... counts) { }
    public void made(Box box, Outer.Plain plain) { }
    public void deep(Crate crate) { }
    public void closed(Closed closed) { }
    public void shape(Shape shape) { }
    public void inner(Outer.Inner inner) { }
    public void endless(Endless endless) { }
    public void point(Point point, Nothing nothing) { }
    public void given(Given given, Given.Maker maker) { }
    public void chosen(Side side, Outer.Mode mode, Never never) { }
    public void sized(long[] sizes, Lamp lamp) { }
    public void sided(Side side, Outer.Mode mode) { }
}
"""
OTHERS = """package shop;

class Box { Box(String name, Cart cart) { } Box(int size) { } }
class Outer { static class Plain { } class Inner { } enum Mode { ON, OFF } }
enum Side { /* FRONT, */ @Deprecated LEFT { void turn() { } }, RIGHT; void turn() { } }
enum Never { }
class Crate { Crate(Box box) { } }
class Closed { private Closed() { } }
abstract class Shape { Shape() { } }
class Endless { Endless(Endless next) { } }
record Point(int x) { }
record Nothing() { }
class Cart { static Cart of(Object one) { return null; } }
class Lamp { }
interface Given {
    static Given of(int a) { return null; }
    static Given none() { return null; }
    static Maker maker(String name) { return new Maker(); }
    class Maker { private Maker() { } }
}
"""
TESTS = """package shop;

import org.junit.jupiter.api.Test;

class SignTest {
    @Test
    void begins() {
        String name = "x";
        Cart own = Cart.of(name);
        Cart first = new Cart();
        Cart other = Cart.of(2);
        first.add(other);
    }

    @Test
    void ends() {
        Cart last = Cart.of(2);
        long[] sizes = { 1, 2 };
        Lamp lamps[] = { null };
    }
}
"""


@pytest.fixture(scope="module")
def shop() -> Snapshot:
    test = "src/test/java/shop/SignTest.java"
    return snapshot_of({f"{MAIN}/Sign.java": SIGN, f"{MAIN}/Others.java": OTHERS, test: TESTS})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fits", ("Cart.of(2)", "new Cart()", "Sign.NONE", '"a"')),
        ("many", ('new String[] {"a"}', "Locale.ROOT", "new int[] {1}")),
        ("made", ("new Box(1)", "new Outer.Plain()")),
        ("deep", ("new Crate(new Box(1))",)),
        ("given", ("Given.none()", 'Given.maker("a")')),
        ("sided", ("Side.LEFT", "Outer.Mode.ON")),
        ("sized", ("new long[] { 1, 2 }", "new Lamp()")),
        ("several", ('"a"', "1", '"b"', "2", '"c"')),
        ("chosen", None),
        ("knows", None),
        ("closed", None),
        ("shape", None),
        ("inner", None),
        ("endless", None),
        ("point", None),
    ],
)
def test_arguments_are_what_tests_show_or_what_can_be_made(
    shop: Snapshot, name: str, arguments: tuple[str, ...] | None
):
    path, method = resolve_target(shop, f"Sign#{name}")
    values = Values(Site(shop, path, method))
    assert values.arguments(method, path) == arguments


@pytest.mark.parametrize(("kind", "value"), _OF_JAVA.items())
def test_what_a_value_of_java_s_library_names_can_be_imported(kind: str, value: str):
    assert {kind, *re.findall(r"\b[A-Z]\w*[a-z]\w*|\bU\w+(?=[.(])", value)} <= {
        *java_imports(),
        *JAVA_LANG,
    }


def test_a_record_without_components_is_made(shop: Snapshot):
    site = Site(shop, *resolve_target(shop, "Sign#point"))
    declared = site.symbols.members.of(f"{MAIN}/Others.java", "Nothing")
    assert declared is not None
    assert list(Values(site).objects(declared)) == ["new Nothing()"]
