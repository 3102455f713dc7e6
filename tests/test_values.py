"""Plain values: what tests show, constants, and what can be made."""

from __future__ import annotations

import re

import pytest

from indexer import Snapshot
from personalizer.engine.monitor.java_types import java_imports
from personalizer.generation import resolve_target
from personalizer.generation.names.libraries import JAVA_LANG
from personalizer.generation.rescue.arguments import Arguments, arguments_of, nothing_for, null_of
from personalizer.generation.rescue.beginnings import beginnings
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
    public <T> void any(T one, Box[] boxes) { }
    public void heard(Listener listener, Named named, Sum sum, Outside outside, Wide wide) { }
    public void figure(Figure figure, Ledger... ledgers) { }
    public void round(W w) { }
    public void nested(Nest nest, Nest.In in) { }
    public <K> void keys(K[] keys) { }
    public void lent(Order order, int count, Order other) { }
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
interface Figure { }
class Round implements Figure { Round(int size) { } }
abstract class Ledger { static final Ledger EMPTY = null; private static final Ledger NO = null; }
interface Listener { void heard(String what, int times); }
interface Named { String name(); default int a() { return 1; } static Named no() { return null; } }
interface Sum { int add(int one); }
interface Outside extends java.util.function.Supplier<String> { int add(int one); }
interface Wide { void one(); void two(); }
class Order { private Order() { } }
class W { W(I i) { } }
interface I { int a(); int b(); int c(); int d(); }
class A implements I {
    A(I i) { }
    public int a() { return 1; }
    public int b() { return 1; }
    public int c() { return 1; }
    public int d() { return 1; }
}
enum Nest { OUT; enum In { INSIDE } }
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
        ("shape", ("new Shape() { }",)),
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


def site_of(shop: Snapshot, name: str) -> Site:
    return Site(shop, *resolve_target(shop, f"Sign#{name}"))


def values_of(site: Site) -> list[str]:
    values = Values(site)
    return [next(iter(values.of(p.type, site.focal_path)), "") for p in site.focal.parameters]


def test_types_have_the_values_of_those_that_extend_them_or_a_lambda(shop: Snapshot):
    assert values_of(site_of(shop, "any")) == ['"a"', "new Box[] {new Box(1)}"]
    assert values_of(site_of(shop, "heard")) == [
        "(one, other) -> { }", "Named.no()", "one -> 1", "",
        "new Wide() { public void one() { } public void two() { } }",
    ]  # fmt: skip
    assert values_of(site_of(shop, "figure")) == ["new Round(1)", "new Ledger[] {Ledger.EMPTY}"]


def test_where_tests_mock_what_nothing_else_gives_is_mocked(shop: Snapshot):
    mocking = TESTS.replace("import org.junit", "import org.mockito.Mock;\nimport org.junit", 1)
    files = {f"{MAIN}/Sign.java": SIGN, f"{MAIN}/Others.java": OTHERS}
    site = site_of(snapshot_of({**files, "src/test/java/shop/SignTest.java": mocking}), "heard")
    assert values_of(site)[-2:] == ["mock(Outside.class)", "mock(Wide.class)"]
    assert values_of(site_of(site.snapshot, "point")) == ["", "new Nothing()"]


ABSTRACT = """
interface Sized { int size(); default int twice() { return 2 * size(); } }
abstract class Figure implements Sized {
    private Figure() { }
    protected Figure(Cart cart, String name) { }
    Figure(Closed closed) { }
    public abstract double area(int scale, String... names);
    protected abstract Cart cart();
    native int far();
    public boolean any() { return true; }
}
class Closed { private Closed() { } }
class Cart { }
abstract class Hidden { private Hidden() { } }
abstract class Odd extends far.Away { }
abstract class Many { abstract int a(); abstract int b(); abstract int c(); abstract int d(); }
interface Boxed<T> { T one(); T other(); }
public class Sign {
    public void made(Figure figure, Hidden hidden, Odd odd, Many many, Boxed<Cart> boxed) { }
}
"""


def test_an_abstract_type_that_nobody_extends_is_made_with_what_it_wants():
    files = {f"{MAIN}/Sign.java": f"package shop;{ABSTRACT}"}
    assert values_of(site_of(snapshot_of(files), "made")) == [
        'new Figure(new Cart(), "a") {'
        " public double area(int scale, String... names) { return 1.0; }"
        " protected Cart cart() { return new Cart(); }"
        " public int size() { return 1; } }",
        *[""] * 4,
    ]


def test_types_that_are_made_of_each_other_have_no_values(shop: Snapshot):
    assert values_of(site_of(shop, "round")) == [""]
    assert list(arguments_of(site_of(shop, "round"), Values(site_of(shop, "round")))) == []
    assert list(beginnings(site_of(shop, "round"), Values(site_of(shop, "round"))))


def test_constants_are_an_enum_s_own_and_no_array_is_of_type_variables(shop: Snapshot):
    assert values_of(site_of(shop, "nested")) == ["Nest.OUT", "Nest.In.INSIDE"]
    assert values_of(site_of(shop, "keys")) == [""]
    assert null_of("K...", site_of(shop, "keys")) == "(Object[]) null"


def test_where_methods_share_a_name_literals_have_their_types():
    sign = "class Sign { void fits(CharSequence a, int b) { } void fits(String a, int b) { } }"
    snapshot = snapshot_of({f"{MAIN}/Sign.java": f"package shop; {sign}"})
    methods = snapshot.files[f"{MAIN}/Sign.java"].methods
    site, other = (Site(snapshot, f"{MAIN}/Sign.java", one) for one in methods)
    found = [one.values for one in arguments_of(site, Values(site))]
    assert found == [('"a"', "1"), ('(CharSequence) "a"', "1")]
    assert [one.values for one in arguments_of(other, Values(other))] == [('"a"', "1")]


ORDERS = """
    @Test
    void orders() {
        Shop shop = Shop.open();
        int idle = 1;
        Order first = shop.order();
        first.fill();
        Order second = shop.order();
    }
"""


def test_several_statements_of_a_test_make_what_a_method_is_given():
    shown = OTHERS + "class Shop { static Shop open() { } Order order() { } }"
    shown = shown.replace("class Order {", "class Order { void fill() { }")
    tests = TESTS.rstrip().removesuffix("}") + ORDERS + "}\n"
    files = {f"{MAIN}/Sign.java": SIGN, f"{MAIN}/Others.java": shown}
    site = site_of(snapshot_of({**files, "src/test/java/shop/SignTest.java": tests}), "lent")
    lent, *rest = arguments_of(site, Values(site))
    assert lent == Arguments(
        ("first", "1", "second"),
        (
            "Shop shop = Shop.open();",
            "Order first = shop.order();",
            "first.fill();",
            "Order second = shop.order();",
        ),
    )
    assert not rest
    begun = "void a() {\n    Shop shop = Shop.open();\n    sign.lent"
    whole = lent.behind(begun)
    assert whole is not None
    assert whole.count("Shop.open()") == 1
    assert whole.endswith("second = shop.order();\n    sign.lent(first, 1, second);")
    assert lent.behind(begun.replace("Shop.open()", "null")) is None
    assert list(nothing_for(site)) == [Arguments(("null", "1", "null"))]


def test_a_value_that_names_what_is_not_there_is_none():
    other = """package shop;
    import org.junit.jupiter.api.Test;
    class OtherTest {
        Box mine;
        static class Own { static Box box() { return null; } }
        @Test void one(int given) { Box a = box(given); Box b = mine; Box c = Own.box(); }
        @Test void two() { Box d = x(); }
        Box x() { return null; }
    }
    """
    files = {f"{MAIN}/Sign.java": SIGN, f"{MAIN}/Others.java": OTHERS}
    tests = {"src/test/java/shop/SignTest.java": TESTS, "src/test/java/shop/OtherTest.java": other}
    assert values_of(site_of(snapshot_of({**files, **tests}), "made"))[0] == "new Box(1)"


def test_a_value_of_another_type_of_that_name_is_none():
    tests = TESTS.replace("import org", "import other.Box;\nimport org", 1).replace(
        "Cart last = Cart.of(2);", "Box box = Box.closed();"
    )
    files = {f"{MAIN}/Sign.java": SIGN, f"{MAIN}/Others.java": OTHERS}
    snapshot = snapshot_of({**files, "src/test/java/shop/SignTest.java": tests})
    assert values_of(site_of(snapshot, "made"))[0] == "new Box(1)"


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
