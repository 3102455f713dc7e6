"""A completion is held to what can compile: names, arguments and types that are there."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from indexer import Level, Where, code_of, index_folder
from indexer.pairing import in_test_root
from personalizer.engine import Request
from personalizer.engine.along import Along
from personalizer.engine.guards import guards
from personalizer.engine.local import LocalEngine
from personalizer.engine.monitor.checker import Checker
from personalizer.engine.monitor.declarations import Declarations
from personalizer.engine.monitor.guard import Monitor
from personalizer.engine.monitor.java_types import java_kind, java_name, java_packages
from personalizer.engine.rows import Row
from personalizer.engine.wire import Ask
from personalizer.evaluation.decoding import beam_tests, greedy_tests
from personalizer.generation import Writer, generate_test
from personalizer.generation.names.declared import declarations_of
from personalizer.generation.names.members import Members
from personalizer.generation.names.needs import Needs
from personalizer.generation.placing.bodies import scope_within
from personalizer.generation.site import Site
from personalizer.generation.snippets.pipeline import generate_snippet
from personalizer.generation.targets import resolve_target
from personalizer.models import STARTER, base_folder, load_base
from personalizer.prompts import TestPlace, encode
from personalizer.settings import Settings
from tests.fake_engine import FakeEngine
from tests.java_build import needs_java
from tests.java_project import snapshot_of
from tests.test_symbols import CART_TEST, FILES

PIECES = re.compile(r"\w+|\s+|[^\w\s]")
CART = "src/main/java/shop/Cart.java"
TEST_PATH = "src/test/java/shop/CartTest.java"
MONITORED = Path(__file__).parent / "monitored"
"""Java of many kinds, which compiles: a project, and stubs of the libraries that it uses."""
HELPERS = """int switchOf(int i) { return i; }
    int side() { return 1; }
    Map.Entry f() { return null; }
    Outer outer;
    class Outer { class Inner { Inner(int i, Other o) { } } class Other { } }
    Cart filled"""


def site_of(files: dict[str, str]) -> Site:
    snapshot = snapshot_of(files)
    return Site(snapshot, *resolve_target(snapshot, "Cart#total"))


def declarations(files: dict[str, str]) -> Declarations:
    return site_of(files).declarations


@pytest.fixture(scope="module")
def declared() -> Declarations:
    return declarations(FILES)


def refused_at(declared: Declarations, text: str, pieces: re.Pattern[str] = PIECES) -> str | None:
    """The piece of a text that is refused; None if none is."""
    state = Checker(declared)
    for piece in pieces.findall(text):
        after = state.after(piece)
        if after is None:
            return piece
        state = after
    return None


def is_unusual(declared: Declarations, text: str) -> bool:
    """Whether hardly anybody writes the last piece of a text."""
    state: Checker | None = Checker(declared)
    for piece in PIECES.findall(text):
        assert state is not None
        state = state.after(piece)
    assert state is not None
    return state.unusual


def body(statements: str) -> str:
    return f"@Test void adds() throws Exception {{ {statements} }}"


@pytest.mark.parametrize(
    "statements",
    [
        "int sum = cart.total(); assertEquals(sum, cart.size + Cart.MAX_SIZE);",
        "boolean same = Size.SMALL == Size.LARGE; Size size = Size.SMALL; size = Size.LARGE;",
        'String[][] a = {new String[] {"a"}, {"b"}}; int[][] b = new int[][] {new int[] {1}, {2}};',
        'String[] some = new String[] {"a", new String[] {"b"}[0]}; int i = new int[] {1}.length;',
        "double a = 1.5e-3 + 1.e3 + 0x1p3 + .5 + 5f + 1_000L;",
        'String s = cart.size + 1 > 1 ? "a" : cart == other ? "b" : (one != null) ? "c" : "d";',
        "int i = Collections.<Item>emptyList().size(); Cart all = Cart.<Item>of(one, two);",
        "List.of(1); Map.entry(1, 2); new Cart.Builder();",
        "Item item = new ArrayList(1).get(0); cart.add(new AtomicReference(one).get(), 1);",
        'String s = new Date() + ""; boolean b = new Date() == null; Item i = new Cart().first();',
        "assertEquals(new Date().getTime(), 1L); Object o = new Date(); Runnable r = new Thread();",
        'new Cart("a", 1, 2).add(new Item("b", 3), cart.size);',
        "Cart other = Cart.of(one, two); String owner = other.first().name();",
        "other = new Cart(); for (Cart each : many) { each.total(); } for (Cart each : things) { }",
        "for (int i = 0, n = cart.size; i < n; i++) { cart.add(one, i); }",
        "assertThrows(Sorry.class, () -> cart.load(null));",
        "things.forEach(cart -> cart.whatever()); Size size = Size.SMALL; int i = size.inches();",
        'Size[] all = Size.values(); assertEquals(Size.valueOf("LARGE"), all[1]);',
        "Shape shape = new Shape() { int area() { Cart cart = null; return side(); } };",
        'Cart.Builder builder = new Cart.Builder(); builder.owner("a").owner("b");',
        "Window window = new Window(); window.setVisible(true); window.add(1, 2, 3);",
        'byte[] bytes = "abc".getBytes(); char first = "abc".charAt(0); long many = first;',
        'java.util.List<String> names = java.util.List.of("a"); names.get(0).length();',
        'Map<String, Cart> carts = new HashMap<>(); carts.put("a", cart); Map.Entry<A, B> e = f();',
        "boolean more = cart.size > 3 && cart.total() < cart.size; int a = (int) 'c', b = 2;",
        'try (Reader reader = new StringReader("a")) { reader.read(); } catch (IOException e) { }',
        'Object thing = cart; String text = "a" + cart.first(); cart = (Cart) thing;',
        "int[][] table = {{1, 2}, {3}}; byte[] few = {'a'}; new Cart(null, new int[] {1});",
        "Supplier<Cart> a = Cart::new; assertSame(Cart.class, cart.getClass()); this.cart = null;",
        "Runnable run = () -> { int sum = cart.total(); }; int sum = 2; cart.shake();",
        "Outer.Inner inner = outer.new Inner(1, outer.new Other());",
        "class Own extends Cart { int own() { return 1; } } new Own().own();",
        'label: while (true) { break label; } String block = """\n  cart.nothing()\n  """;',
        "// cart.nothing()\n /* cart.nothing( */ cart.add(one, switchOf(1));",
        "int switchOf = switchOf(1); Item item = (Item) cart.first();",
    ],
)
def test_what_compiles_is_let_through(declared, statements):
    files = {**FILES, TEST_PATH: CART_TEST.replace("private Cart filled", HELPERS)}
    assert refused_at(declarations(files), body(statements)) is None


SNAPSHOT, _ = index_folder(MONITORED / "project")
WRITTEN = [
    Where(path, method)
    for path, facts in sorted(SNAPSHOT.files.items())
    for method in facts.methods
    if method.body and "." not in method.owner and in_test_root(path)
]


@pytest.mark.parametrize("where", WRITTEN, ids=lambda where: where.method.key)
def test_what_javac_compiles_is_let_through_however_it_is_cut(where):
    place = TestPlace(where.path, where.method.owner)
    text = code_of(SNAPSHOT.source(where.path), where.method.span)
    known = Site(SNAPSHOT, *resolve_target(SNAPSHOT, "Cart#total"), place).declarations
    assert refused_at(known, text) is None
    assert refused_at(known, text, re.compile(".", re.DOTALL)) is None
    assert Checker(known).after(text) is not None


@needs_java
def test_javac_compiles_it(tmp_path):
    files = sorted(MONITORED.rglob("*.java"))
    command = ["javac", "-proc:none", "-nowarn", "-d", tmp_path, *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "statements",
    [
        "if (other instanceof Item(String n, int p)) { assertEquals(n, p); }",
        "if (other instanceof Item(var n, var p) && p > 1) { assertEquals(n, p); }",
        "int i = switch (other) { case Cart c when c.size > 1 -> c.total(); default -> 1; };",
        'String s = switch (other) { case Item(String n, int p) -> n; default -> ""; };',
        'String s = switch (other) { case Cart c -> "a"; case null, default -> ""; };',
    ],
)
def test_patterns_of_later_javas_are_read(declared, statements):
    assert refused_at(declared, body(statements)) is None


@pytest.mark.parametrize(
    ("statements", "piece"),
    [
        ("cart.load(cart + 1);", "1"),
        ("String a = cart + one;", ";"),
        ("String a = cart + null;", "null"),
        ("String a = cart + true;", "true"),
        ("String a = cart + 'a';", "'"),
        ("String a = cart + one.price();", ";"),
        ("String a = 1 + cart;", ";"),
        ("String a = true + 1;", "1"),
        ("int a = 2147483649;", ";"),
        ("long a = 9223372036854775809L - 1;", " "),
        ("int a = 0x1_ffff_ffff;", ";"),
        ("String a = cart.size + one + \"a\";", "+"),
        ("cart.load(one + cart.total() * 2);", ")"),
        ("String a = \"a\" - 1;", " "),
        ("int a = \"a\" + 1 - 1;", " "),
        ("int a = 1 - cart.getOwner();", ";"),
        ("int a = 2 * cart;", ";"),
        ("int a = \"a\" + 1;", ";"),
        ("int a = 1 + 2L;", ";"),
        ("int a = cart.size * 1.5;", ";"),
        ("Item a = one + \"a\";", ";"),
        ("cart.add(one, 1 + 2L);", ")"),
        ("assertTrue(cart.size + 1);", ")"),
        ("int[] a = {1 + \"a\"};", "}"),
        ("int[] a = {1}; a[1 + \"a\"] = 1;", "]"),
        ("boolean a = cart + one == cart;", "="),
        ("if (cart.size + 1) { }", ")"),
    ],
)  # fmt: skip
def test_what_cannot_be_added_is_refused(declared, statements, piece):
    assert refused_at(declared, body(statements)) == piece


@pytest.mark.parametrize(
    ("statements", "unusual"),
    [
        ("cart.add(one +", True),
        ("Item item = one +", True),
        ("cart.add(cart.total()", True),
        ("Item item = cart.total()", True),
        ("int " + 51 * "a", True),
        ('String a = "a' + 18 * "#", True),
        ('String a = "a' + 17 * "#", False),
        ('String a = "' + 12 * "\\\\a", True),
        ('String a = "' + 11 * "\\\\abcd", False),
        ("cart.load(false ?", True),
        ("cart.load(cart.size > 1 ?", False),
        ("cart.load(new Item[", True),
        ("cart.add(new Item[", True),
        ("cart.add(new Item[] {", False),
        ("Item item = new int[", True),
        ("Item[][] items = new Item[", False),
        ("Object items = new int[", False),
        ("int more = one.price() + new int[", False),
        ("int more = 1" + 24 * "2", True),
        ("int more = 1" + 23 * "2", False),
        ("cart.add" + 4 * "(" + "cart.total(", True),
        ("cart.add" + 3 * "(" + "cart.total(", False),
        ("many.forEach((((each -> { cart.total(", False),
        (4 * "\n", True),
        (3 * "\n", False),
        ("cart.total();" + 151 * " ", True),
        ('"' + 151 * " ", False),
        ("cart.load( // all", True),
        ("cart.add(one, // all", False),
        ("int a = /* all", True),
        ("cart.total(); // all", False),
        ("if (cart.size > 1) { // all", False),
        ("cart.size++; } // all", False),
        (3 * "// all\n" + "// it", True),
        (2 * "// all\n" + "// it", False),
        (2 * "// all\n" + "cart.size++; // all\n// it", False),
        ("int " + 50 * "a", False),
        ("cart.load(one +", False),
        ("String a = one +", False),
        ("String a = cart.total()", False),
        ("cart.add(one, cart.total()", False),
        ("assertTrue(cart.total()", False),
    ],
)
def test_what_hardly_anybody_writes_is_unusual(declared, statements, unusual):
    assert is_unusual(declared, f"@Test void adds() {{ {statements}") is unusual


@pytest.mark.parametrize(
    ("sources", "parameters", "unusual"),
    [
        ('@ValueSource(strings = "a")', "String name,", True),
        ("@EnumSource(Size.class)", "final Size size,", True),
        ('@ValueSource(strings = "a")', "String name", False),
        ('@CsvSource({"a, 1"})', "String name,", False),
    ],
)
def test_a_source_of_one_value_gives_one_parameter(declared, sources, parameters, unusual):
    written = f"@ParameterizedTest {sources} void adds({parameters}"
    assert is_unusual(declared, written) is unusual


def test_a_method_inside_a_test_that_is_given_one_value_may_have_two_parameters(declared):
    test = '@ParameterizedTest @ValueSource(strings = "a") void adds(String name) { '
    inside = "Comparator<Item> by = new Comparator<Item>() { public int compare(Item one,"
    assert not is_unusual(declared, test + inside)


def test_what_is_unusual_in_the_middle_of_a_piece_is_so_at_its_end(declared):
    state = Checker(declared).after("@Test void adds() { cart.add(new Item")
    after = state and state.after("[] {")
    assert after is not None and after.unusual
    more = after.after(" one")
    assert more is not None and not more.unusual


@pytest.mark.parametrize(
    ("statements", "piece"),
    [
        ("cart.totl", "totl"),
        ("cart.nothing();", "nothing"),
        ("cart.size();", "("),
        ("cart.total;", ";"),
        ("cart.hidden();", "hidden"),
        ("Cart.total();", "total"),
        ("@Exist int a = 1;", "Exist"),
        ("@Tes int a = 1;", " "),
        ("Cart.th -1;", " "),
        ("Size.SMALL = Size.LARGE;", "Size"),
        ("new Size();", "("),
        ("new Cart.Nothing();", "("),
        ('String[] some = new String[] {"a", new String[] {"b"}, "c"};', ","),
        ("double a = 1.5.5;", "."),
        ("int a = 1.size();", "size"),
        ('String s = cart.total() ? "a" : "b";', "?"),
        ("assertEquals(cart.total() + 1 ? 1 : 2, 1);", "?"),
        ("Cart.<String>total(one);", "("),
        ("ArrayList.of(1);", "of"),
        ('cart.add(new StringReader("a"), 1);', "("),
        ('Item item = new StringReader("a");', "("),
        ("cart.total((Item) null);", ")"),
        ("assertEquals(Size.SMALL = null, 1);", "null"),
        ('try (new StringReader("a")) { }', "("),
        ('try (Reader one = new StringReader("a"); assertEquals(1, 1)) { }', "("),
        ("cart.tota /* all */ = 1;", " "),
        ("cart.total(1);", "1"),
        ("cart.add(one);", ")"),
        ("cart.add(one, 2, 3);", ","),
        ('cart.add("a', '"'),
        ("cart.add(cart, 1);", ","),
        ("cart.add(one, null);", "null"),
        ("cart.first().colour();", "colour"),
        ("new Item().name();", ")"),
        ("new Cart(1);", ")"),
        ('new Cart("a", "b");', ")"),
        ("new Shape().area();", "."),
        ("new Shop();", ";"),
        ("int sum = 1; int sum = 2;", "="),
        ("Cart cart = one;", ";"),
        ("String owner = cart.total();", ";"),
        ("int owner = cart.getOwner();", ";"),
        ("Cart shop = Cart.of(one).total();", ";"),
        ("Item[] items = {cart};", "}"),
        ("int[] sizes = new int[] {1}; sizes[\"a\"] = 1;", "]"),
        ("try (Cart open = new Cart()) { }", "="),
        ("assertEquals(1, cart.save(\"a\"));", ")"),
        ("adds();", "("),
        ("assertEquals(nothing, 1);", "nothing"),
        ("nothing.add(1);", "."),
        ("nothing();", "("),
        ('"abc".size();', "size"),
        ("String name = \"a\"; name.length;", ";"),
        ("StringBuilder out = new StringBuilder(); out.append(1).write(2);", "write"),
        ("File file = new File(1);", ")"),
        ("List<String> names = new ArrayList<>(); names.length();", "length"),
        ("Size.SMALL.feet();", "feet"),
        ("cart.total().foo();", "."),
        ("cart.add(one, 1).foo();", "."),
        ('String[] names = {"a"}; names.length();', "("),
        ('int[][] many = {{1}}; many[0].length[1] = 2; many[0].size = 1;', "["),
        ('String[] names = {"a"}; names.get(0);', "("),
        ('String[] names = {"a"}; names.append(0);', "append"),
        ('"a".split("b").toString2();', "toString2"),
        ("int[] sizes = new int[] {\"a\"};", "}"),
        ("assertThrows(Sorry.class, () -> { nothing.foo(); });", "."),
        ("new Item(1);", ")"),
        ("new Item(1, 2);", ","),
        ("cart.getOwner total", "total"),
        ("cart.get total", " "),
        ("int i = 1, i = 2;", "="),
        ("Supplier<Cart> made = Cart::nothing;", "nothing"),
        ("Object limit = Cart::MAX_SIZE;", "MAX_SIZE"),
        ("assertEquals(1);", ")"),
        ("assertTrue(true, null, 1);", ","),
        ("Zebra zebra = null;", "zebra"),
        ("new Zebra();", "Zebra"),
        ("Zebra.valueOf(1);", "."),
        ("if (other instanceof Cart && cart.nothing()) { }", "nothing"),
        ("many.forEach(nothing instanceof Cart);", "instanceof"),
    ],
)  # fmt: skip
def test_what_cannot_compile_is_refused_where_it_shows(declared, statements, piece):
    assert refused_at(declared, body(statements)) == piece


def with_imports(*lines: str, **more: str) -> Declarations:
    """What a test may use in a file that imports more."""
    added = "".join(f"import {line};\n" for line in lines)
    test = CART_TEST.replace("import org", f"{added}import org", 1)
    return declarations({**FILES, TEST_PATH: test, **{f"{k}.java": v for k, v in more.items()}})


def test_a_plain_wildcard_gives_types_and_no_methods():
    known = with_imports("java.util.*", "org.w3c.dom.*")
    assert refused_at(known, body("nothing();")) == "("
    assert refused_at(known, body("Formatter all = new Formatter(); Node node = null;")) is None
    assert refused_at(known, body("Node node = null; node.getZebra();")) == "getZebra"
    assert refused_at(known, body("Zebra zebra = new Zebra();")) == "zebra"
    digest = with_imports("java.security.MessageDigest")
    assert refused_at(digest, body("MessageDigest digest = new MessageDigest();")) == ";"
    assert refused_at(with_imports("zoo.*"), body("Zebra zebra = new Zebra();")) is None


def test_a_static_wildcard_gives_what_its_class_declares():
    junit = with_imports("static org.junit.jupiter.api.Assertions.*")
    assert refused_at(junit, body("assertAll(() -> cart.total()); fail();")) is None
    assert refused_at(junit, body("nothing();")) == "("
    tools = (
        "package shop.tools; public class Tools { public static int LIMIT; static void cut() { } }"
    )
    own = with_imports("static shop.tools.Tools.*", tools=tools)
    assert refused_at(own, body("cut(); cart.add(one, LIMIT);")) is None
    assert refused_at(own, body("trim();")) == "("
    assert refused_at(own, body("cart.add(one, LIMITS);")) == "LIMITS"
    other = with_imports("static zoo.Zebras.*")
    assert refused_at(other, body("nothing(); cart.add(one, LIMITS);")) is None
    months = "package shop.time; public enum Months { MAY }"
    assert refused_at(with_imports("static shop.time.Months.*", m=months), body("f(MAY);")) == "("
    java = with_imports("static java.util.Collections.*")
    assert refused_at(java, body("emptyList(); nothing();")) == "("


@pytest.mark.parametrize(
    ("statements", "piece"),
    [
        ("cart.add(one, nothing[0]);", "nothing"),
        ("cart.add(one, NO_LIMIT);", "NO_LIMIT"),
        ("int sum = 1; cart.add(one, sug);", "sug"),
        ("boolean more = 1 > nothing;", "nothing"),
        ("for (int i = 0; i < nothing.size; i++) { }", "nothing"),
        ("Zebra[] zebras = null;", "["),
        ("for (Item each : many) { } each.name();", "."),
        ('try (Reader in = new StringReader("a")) { } catch (IOException e) { } in.read();', "."),
        ("for (Item each : cart) { }", ")"),
        ("try (Reader in = new Cart()) { }", ")"),
        ("cart = one;", ";"),
        ("int sum = 1; sum = cart.getOwner();", ";"),
        ("int[] sums = {1}; sums[0] = cart.getOwner();", ";"),
        ("assertTrue(cart.getOwner());", ")"),
        ("assertFalse(cart);", ")"),
        ('assertEquals(1, cart.total(), 2, "a", 3);', ","),
        ("Assertions.assertTrue(cart.getOwner());", ")"),
        ("Assertions.assertTru();", "("),
        ("assertNull(cart, one);", ")"),
        ("new Item(Cart::total, 1);", ":"),
        ('new Item("a", () -> 1);', ">"),
        ("cart.total(-1);", "1"),
        ("cart.add(-1);", "1"),
        ("new Item(true, 1);", ","),
        ("assertTrue(nothing);", "nothing"),
        ("new Item(nothing -> 1, 1);", "nothing"),
        ("T.total();", "."),
        ("Cart.own", "own"),
        ("Cart.size", "size"),
        ("assertThrows(Sorry.class, () -> cart.size);", ")"),
        ("assertThrows(Sorry.class, () -> 1);", "1"),
        ("cart[0].total();", "["),
        ("new Item(new Shape() { int area() { return 1; } }, 1);", ","),
        ("cart.add(new Item(one.name(), 1) { }, new Cart() { });", ")"),
        ("Cart.new Builder();", "new"),
        ("one.new Builder();", "new"),
        ("cart.add(one, Cart);", ")"),
        ("assertEquals(Cart, cart);", ","),
        ("Cart more = more;", ";"),
        ("int[] sums = {sums.length};", "."),
        ("final int sum = 1; sum = 2;", "2"),
        ("for (final Item each : many) { each = one; }", "one"),
        ("assertEquals(Locale.US_ASCII, 1);", "US_ASCII"),
        ('String name = "a"; Cart more = (Cart) name;', ";"),
        ("Cart more = (Cart) one;", ";"),
        ("Cart more = (Cart) nothing;", ";"),
        ("assertEquals(cart, () -> 1);", ">"),
        ("assertEquals(cart, (each) -> 1);", "-"),
        ("cart.add(one, car - 1);", "-"),
        ("boolean more = other == null ? car : cart;", ":"),
        ("assertEquals(cart, Cart::new);", ":"),
        ("assertThrows(Sorry.class, () -> each -> cart.total());", "each"),
        ("Cart more = 1;", ";"),
        ("cart = true;", ";"),
        ("int sum = cart.total() - cart.getOwner() * 2;", "*"),
        ("int sum = cart % 2;", "%"),
        ('int sum = 2 * "a".length() + -"a" + 1;', "+"),
        ("boolean more = 1 > 2 - true;", "true"),
        ('Cart more = "a", other = null;', ","),
        ("assertThrows(Sorry.class, cart::add);", ")"),
        ("Assertions.assertThrows(Sorry.class, cart::add);", ")"),
        ("Assertions.assertThrows(Sorry.class, Cart::total);", ")"),
        ("@EnumSource(booleans = true) int i;", "="),
        ('@MethodSource(name = "a") int i;', "="),
        ("@org.junit.jupiter.params.provider.EnumSource(strings = {}) int i;", "="),
        ("class Own { @Deprecated int own(int one) { return one.size; } }", "."),
        ("assertThrows(Sorry.class, () -> { int sum = 1; }, sum);", "sum"),
        ("cart.add(one, cart == null);", ")"),
        ("cart.add(one, !cart.isEmpty());", ")"),
        ("cart.add(one, other != cart && true);", ")"),
        ("cart.add(one, (cart));", ")"),
        ("int sum = other instanceof Cart;", ";"),
        ("Cart more = !true, all = null;", ","),
        ("Item[] items = {cart == null || cart != other};", "}"),
        ("if (cart.total()) { }", ")"),
        ("while (cart) { }", ")"),
        ("do { } while (1);", ")"),
    ],
)
def test_more_that_cannot_compile_is_refused(declared, statements, piece):
    assert refused_at(declared, body(statements)) == piece


@pytest.mark.parametrize(
    "statements",
    [
        "for (Item each : many) if (each.price() > 1) one = each; else one = null;",
        "for (Item each : many) each.name(); for (Item each : things) { each.name(); }",
        "for (Item each : many) try { each.name(); } finally { each.price(); }",
        "if (!(other instanceof Cart c)) return; c.total();",
        "int sum = cart.size == 1 ? -1 : -cart.size; sum += cart.total(); sum = cart.size = 2;",
        "Supplier<Cart> made = () -> cart; made = Cart::new; Object any = (Runnable) () -> { };",
        'assertTrue(cart.total() == 1, () -> "a"); assertTrue(() -> true, "a");',
        "things.forEach((each) -> each.name()); Comparator<Item> c = (a, b) -> a.hashCode();",
        "Function<Cart, Function<Cart, Cart>> f = a -> b -> cart.size > 1 ? a : b;",
        "Object all = cart.size > 1 ? (Function<Cart, Cart>) c -> c : (Supplier<Cart>) () -> cart;",
        '@SuppressWarnings(value = "a") int i = 1; @Deprecated final int j = i;',
        "outer: for (;;) { for (;;) { continue outer; } }",
        "OUTER: for (;;) { for (;;) { if (cart.size > 1) continue OUTER; else break OUTER; } }",
        "Function<Integer, Integer> more = GIVEN -> GIVEN + 1; Wide: while (true) { break Wide; }",
        "Function<Integer, Integer> twice = n -> n * 2; boolean a = 2 > 1 ? true : false;",
        'assertEquals(1.0, 2, 0.5); assertEquals(one, cart.first(), "a" + 1);',
        "Assertions.assertThrows(Sorry.class, () -> cart.load(null));",
        "Assertions.assertThrows(Sorry.class, () -> cart.size++); int[][] a = {}; a[0][0] = 1;",
        'Assertions.assertThrows(Sorry.class, () -> cart.size = 1, "a");',
        "Assertions.assertThrows(Sorry.class, () -> new Cart());",
        "Assertions.assertThrows(Sorry.class, () -> { cart.total(); });",
        "Assertions.assertThrows(Sorry.class, cart::total);",
        "assertThrows(Sorry.class, cart::total); assertThrows(Sorry.class, Cart::of);",
        "assertThrows(Sorry.class, Cart::new); many.forEach(cart::add); many.forEach(Cart::total);",
        "@org.junit.jupiter.api.RepeatedTest(value = 2) int i = cart.size;",
        '@EnumSource(value = Size.class, names = "A") @RepeatedTest(value = 2, name = "a") int i;',
        "final int sum; sum = 1; final boolean more = sum == 1; boolean all = more == true;",
        "Shape shape = new Shape() { int area() { int shape = 1; shape = 2; return shape; } };",
        "cart.add(new Item(one.name(), 1) { }, 1); Cart.Builder b = new Cart.Builder() { };",
        "Cart a = (Cart) other; Iterable<Cart> b = (Iterable<Cart>) a; assertNull((Cart) null);",
        "assertEquals((Supplier<Cart>) Cart::new, (Runnable) () -> cart.total());",
        "Shape shape = (Shape) (Object) cart; int sum = (int) cart.size; Shop shop = (Shop) shape;",
        "assertTrue(other instanceof Cart); assertEquals(Cart.class, (Object) cart);",
        "Object all = new Object[] {-1, 'a', -2.5}; char[] few = {'a'}; few[0] = 'b';",
        'Cart more = "a".equals(cart.getOwner()) ? cart : null; float part = 1e-3f; part = 2e-3f;',
        'int m = 2 * "abc".length(); int n = "a".charAt(0) - "b".charAt(0) * -"c".length();',
        "Cart x = 1 < 2 ? cart : null; int m = null == other ? 0 : 1; cart = 1 == m ? cart : null;",
        "int i = true ? 1 : 2; char c = true ? 'a' : 'b'; Cart y = 'a' == c ? cart : null;",
        "int m = (int) other - 1; double d = (double) other * 2 + (int) cart.first() / 3;",
        "byte few = 1; char one = 65; double all = 1, half = all / 2 - -1; Object any = 1 - 1;",
        "Integer sum = 1; sum--; int i = sum * 2 - 'a'; Object any = 1; i = (Integer) any - 1;",
        "boolean more = cart != null & other == cart | cart == null; int i = -cart.total() % 3;",
        "List<Cart> all = null; Cart more = new Shop() { { int i = 1; i = 2; } }.cart();",
    ],
)
def test_more_that_compiles_is_let_through(declared, statements):
    assert refused_at(declared, body(statements)) is None
    assert refused_at(declared, body(statements), re.compile(".", re.DOTALL)) is None


@pytest.mark.parametrize(
    ("given", "parameters", "fits"),
    [
        ('strings = "a"', "String name", True),
        ('strings = {"a"}', "Size size, TestInfo info", True),
        ('strings = "1"', "int size", True),
        ('strings = "1"', "Character size", True),
        ('strings = "1"', "BigDecimal size", True),
        ('strings = "1"', "@ConvertWith(Cart.class) Map<A, B> size", True),
        ('strings = "a"', "Sorry sorry", True),
        ('strings = "a"', "Cart cart", False),
        ('strings = "a"', "Item item", False),
        ('strings = "a"', "Map<String, String> map", False),
        ('strings = "a"', "String... names", False),
        ("ints = {1, 2}", "long size", True),
        ("booleans = true", "boolean more", True),
        ("booleans = true", "String name", False),
        ("booleans = {true, false}", "final Cart cart", False),
        ("doubles = 1", "Cart cart", False),
    ],
)
def test_what_a_test_is_given_must_fit_its_parameter(declared, given, parameters, fits):
    text = f"@ParameterizedTest @ValueSource({given}) void adds({parameters}) {{ }}"
    assert (refused_at(declared, text) is None) == fits


@pytest.mark.parametrize(
    "parameters", ["@Cart.Enum Size size", "@org.zoo.Nullable String s, @Cart.Enum final int... n"]
)
def test_an_annotation_named_with_its_package_is_no_type(declared, parameters):
    method = f"@Test void adds({parameters}) {{ @org.zoo.Nullable Cart more = cart; more.%s(); }}"
    assert refused_at(declared, method % "total") is None
    assert refused_at(declared, method % "totl") == "totl"


def test_a_final_method_has_parameters_that_are_not(declared):
    method = "public final void adds({}int sum) {{ sum = 1; }}"
    assert refused_at(declared, method.format("")) is None
    assert refused_at(declared, method.format("final ")) == "1"


def test_a_method_that_gives_values_is_there(declared):
    test = "@MethodSource({}) void adds(Cart cart) {{ }}"
    for name in (
        '"filled"',
        '{"filled", "filled"}',
        '"shop.Carts#many"',
        "",
        "Cart.MAX_SIZE",
        'A + "b"',
    ):
        assert refused_at(declared, test.format(name)) is None
    assert refused_at(declared, test.format('"data"')) == "data"
    assert refused_at(declared, '@Tag("data") void adds() { assertEquals("data", cart); }') is None


def test_a_private_field_of_another_class_is_not_there():
    bag = "package shop; class Purse { private int coins; static int SLOTS; }"
    known = with_imports(purse=bag)
    assert refused_at(known, body("int slots = Purse.SLOTS; new Purse().SLOTS++;")) is None
    assert refused_at(known, body("new Purse().coins++;")) == "coins"


def test_numbers_that_need_a_text_and_labels_are_unusual(declared):
    def last(statements: str) -> bool:
        return is_unusual(declared, f"@Test void adds() {{ {statements}")

    assert last("new Item(1") and not last('new Item("a", 1') and not last("cart.add(one, 1")
    assert last("nothing") and not last("car") and not last("int nothing")
    assert last("Runnable run = () -> nothing") and not last("Runnable run = () -> cart")
    assert last("new Item(new Cart() {") and not last("Cart cart = new Cart() {")
    assert not last("many.forEach(nothing") and not last("Function<Cart, Cart> f = nothing")
    assert last('Cart cart = "a') and not last('String name = "a') and not last('boolean one = "a')
    assert last("Cart cart = 1") and last("Cart cart = true") and last("Item i = 'a")
    assert not last("int i = 1") and not last("boolean one = true") and not last("Item i = null")
    assert last('cart = "a') and not last('boolean one = cart == "a')
    assert not last('String name = ""; name += "a')


def test_members_that_a_processor_adds_for_a_field_or_a_constructor_may_be_there():
    bean = "package shop;\nimport lombok.{0};\nclass {1} {{ {2} }}\n"
    files = {
        "src/main/java/shop/Bean.java": bean.format("Getter", "Bean", "@Getter private int x;"),
        "src/main/java/shop/Built.java": bean.format(
            "Builder", "Built", "@Builder Built(int x) {}"
        ),
    }
    known = declarations({**FILES, **files})
    assert refused_at(known, body("new Bean().getX(); Built.builder().x(1).build();")) is None


def test_a_type_of_one_letter_is_known_where_it_is_no_type_variable():
    files = {
        "src/main/java/shop/A.java": "package shop;\nclass A { int one() { return 1; } }\n",
        "src/main/java/shop/Pot.java": "package shop;\nclass Pot<A> { A first() { return null; } }",
    }
    known = declarations({**FILES, **files})
    assert refused_at(known, body("new A().one();")) is None
    assert refused_at(known, body("new A().two();")) == "two"
    assert refused_at(known, body("new Pot<Cart>().first().total();")) is None


MONEY = """package shop;
import java.math.BigDecimal;
record Money(BigDecimal amount, String... names) {
    Money { if (names == null) { throw new Sorry("a"); } }
    static Money none() { return null; }
}
"""


def test_a_record_is_made_of_its_components():
    known = declarations({**FILES, "src/main/java/shop/Money.java": MONEY})
    assert refused_at(known, body('new Money(null, "a").names()[0].length();')) is None
    for arguments, piece in (("", ")"), ("1", "1"), ("null, 2", ")"), ("null, cart", ")")):
        assert refused_at(known, body(f"new Money({arguments});")) == piece


def test_of_a_type_with_an_unseen_parent_everything_may_be_there(declared):
    assert refused_at(declared, body("new Window().whatever(1);")) is None
    assert refused_at(declared, body("new Window(1);")) == "1"


def test_what_java_protects_may_be_there_for_the_class_itself(declared):
    test = CART_TEST.replace("class CartTest {", "class CartTest extends FilterInputStream {")
    own = declarations({**FILES, TEST_PATH: test})
    assert refused_at(own, body("int i = this.in.read(); this.whatever();")) is None
    assert refused_at(declared, body("this.whatever();")) == "whatever"


def test_what_java_protects_may_be_there_for_a_class_inside_too():
    inside = "class CartTest extends FilterInputStream { class Inner { int any; }"
    files = {**FILES, TEST_PATH: CART_TEST.replace("class CartTest {", inside)}
    snapshot = snapshot_of(files)
    place = TestPlace(TEST_PATH, "CartTest.Inner")
    own = Site(snapshot, *resolve_target(snapshot, "Cart#total"), place).declarations
    assert refused_at(own, body("CartTest test = null; test.in.read();")) is None


JUNIT3 = """package shop;
import junit.framework.TestCase;
public class CartTest extends TestCase {
    public void testTotal() { assertEquals(0, new Cart().total()); }
}
"""


def test_a_new_class_of_junit_3_inherits_that_too():
    others = {"src/test/java/shop/ItemTest.java": JUNIT3.replace("CartTest", "ItemTest")}
    files = {path: text for path, text in FILES.items() if path != TEST_PATH} | others
    own = declarations(files)
    assert refused_at(own, body("assertTrue(true);").removeprefix("@Test ")) is None
    written = "Cart one = new Cart(); assertTrue(one.size);"
    assert refused_at(own, body(written).removeprefix("@Test ")) == ")"


@pytest.mark.parametrize("imports", ["junit.framework.TestCase", "junit.framework.*"])
def test_a_test_of_junit_3_inherits_what_test_case_has_and_no_more(imports):
    test = JUNIT3.replace("junit.framework.TestCase", imports)
    own = declarations({**FILES, TEST_PATH: test})
    written = (
        'setName(getName()); assertEquals("a", 1, 2); failNotEquals("a", null, null); '
        "run(new TestResult()); assertEquals(1.0, 2.0, 0.1); this.runBare(); fail();"
    )
    assert refused_at(own, body(written).removeprefix("@Test ")) is None
    for text, piece in (
        ("ShapeFactory.of(1);", "."),
        ("assertThrows(Sorry.class, null);", "("),
        ("assertNull(1, 2);", ","),
        ("setName(1);", ")"),
    ):
        assert refused_at(own, body(text).removeprefix("@Test ")) == piece


def test_a_test_case_of_another_library_may_have_anything():
    test = JUNIT3.replace("junit.framework.TestCase", "far.TestCase")
    own = declarations({**FILES, TEST_PATH: test})
    assert refused_at(own, body("whatever(); this.more(); Anything.of(1);")) is None


def test_a_static_wildcard_gives_what_its_class_has_from_java():
    file = (
        "package far;\npublic class Limits implements Cloneable, java.io.Serializable {\n"
        "    public static int most() { return 1; }\n}\n"
    )
    own = with_imports("static far.Limits.*", **{"src/main/java/far/Limits": file})
    assert refused_at(own, body("int i = most();")) is None
    assert refused_at(own, body("int i = least();")) == "least"


def test_methods_that_a_test_imports_are_called_as_they_want():
    checks = "package tools;\npublic class Checks { public static void same(Object a, int b) {} }\n"
    test = CART_TEST.replace("import static", "import static tools.Checks.same;\nimport static", 1)
    known = declarations({**FILES, TEST_PATH: test, "src/test/java/tools/Checks.java": checks})
    assert refused_at(known, body("same(cart, 1);")) is None
    assert refused_at(known, body("same(cart);")) == ")"
    both = test.replace("import static", "import static other.More.same;\nimport static", 1)
    known = declarations({**FILES, TEST_PATH: both, "src/test/java/tools/Checks.java": checks})
    assert refused_at(known, body("same(cart);")) is None


def test_an_assertion_that_a_test_imports_from_elsewhere_is_not_junit_s():
    lines = "import static tools.Checks.assertThat;\nimport static org.junit.Assert.*;\nimport org"
    test = CART_TEST.replace("import static org", "import org").replace(
        "import org.junit.jupiter.api.Assertions.assertEquals;\n", ""
    )
    known = declarations({**FILES, TEST_PATH: test.replace("import org", lines, 1)})
    assert refused_at(known, body("assertThat(cart);")) is None
    assert refused_at(known, body("assertSame(cart);")) == ")"


def test_without_a_test_class_the_names_of_the_project_are_known():
    files = {path: text for path, text in FILES.items() if path != TEST_PATH}
    known = declarations(files)
    assert refused_at(known, body("Cart cart = new Cart(); cart.total();")) is None
    assert refused_at(known, body("Cart cart = new Cart(); cart.nothing();")) == "nothing"


def test_a_name_of_java_may_mean_another_type():
    test = CART_TEST.replace("import org", "import tools.List;\nimport org", 1)
    known = declarations({**FILES, TEST_PATH: test})
    assert refused_at(known, body("List list = null; list.whatever();")) is None
    starred = CART_TEST.replace("import org", "import tools.*;\nimport org", 1)
    known = declarations({**FILES, TEST_PATH: starred})
    assert refused_at(known, body("List list = null; list.whatever();")) is None


def test_what_only_comments_texts_and_constants_name_is_no_type():
    told = '/** In Euros. */ String a() { return "Francs" + Size.Dollars; } Generated g; }\n'
    cart = FILES[CART].rstrip().removesuffix("}") + told
    known = declarations({**FILES, CART: cart})
    for name in ("Euros", "Francs", "Dollars"):
        assert refused_at(known, body(f"{name}.of(1);")) in (name, ".")
    assert refused_at(known, body("Generated.of(1);")) is None


def test_types_of_java_that_other_files_import_are_told():
    other = "package shop; import java.util.jar.Manifest; import {}; class Other {{ }}"
    known = declarations({**FILES, "src/main/java/shop/Other.java": other.format("java.net.URL")})
    assert refused_at(known, body("Manifest.nothing();")) == "nothing"
    assert refused_at(known, body("new Manifest().nothing();")) == "nothing"
    own = CART_TEST.replace("import org", "import other.Manifest;\nimport org", 1)
    mixed = {**FILES, "src/main/java/shop/Other.java": other.format("other.Manifest")}
    for files in (mixed, {**FILES, TEST_PATH: own}):
        assert refused_at(declarations(files), body("Manifest.nothing();")) is None


def test_a_name_of_java_may_be_inherited_or_left_out():
    driver = body("Driver d = new Driver(); d.whatever();")
    assert refused_at(declarations(FILES), driver) == ";"  # java.sql's is an interface
    test = CART_TEST.replace("class CartTest", "class CartTest extends JerseyTest")
    assert refused_at(declarations({**FILES, TEST_PATH: test}), driver) is None
    snapshot = replace(snapshot_of(FILES), excluded={"src/main/java/shop/Driver.java": "generated"})
    left_out = Site(snapshot, *resolve_target(snapshot, "Cart#total")).declarations
    assert refused_at(left_out, driver) is None


@pytest.mark.parametrize("other", ["org.assertj.core.api.Assertions", "org.assertj.core.api.*"])
def test_assertions_may_be_those_of_another_library(other: str):
    imports = f"import static org.junit.jupiter.api.Assertions.*;\nimport {other};\nimport org"
    test = CART_TEST.replace("import org", imports, 1)
    known = declarations({**FILES, TEST_PATH: test})
    assert refused_at(known, body("Assertions.assertThat(cart);")) is None
    assert refused_at(known, body("assertEquals(1);")) == ")"


def test_an_import_says_which_type_is_meant_though_the_project_has_one_of_that_name():
    node = "package shop.tree; public class Node { }"
    test = CART_TEST.replace("import org", "import org.w3c.dom.Node;\nimport org", 1)
    files = {**FILES, TEST_PATH: test, "src/main/java/shop/tree/Node.java": node}
    known = declarations(files)
    assert refused_at(known, body("Node node = null; node.getNodeName();")) is None
    assert refused_at(known, body("Node node = null; node.nothing();")) == "nothing"


BODY = """package shop;
class Till extends Bag {
    private int sum;
    enum Mode { open, shut; Mode other() { return open == this ? shut : open; } }
    <T extends Cart> int count(T first, int... more) { int last = more[0]; return last; }
    Till(Cart cart) { this.sum = cart.total(); shake(); }
    static class Noisy extends FilterInputStream { InputStream quiet() { return this.in; } }
    boolean same(Object one) { if (!(one instanceof Till other)) { return false; }
        return other.sum == sum && count(null, 1) > 0; }
    void each() { new Listener() { public void heard(int sum) { int one = sum; } }; int one = 2; }
}
"""


INSIDE = """package shop;
import static zoo.Zebras.stripe;
class {0} {{
    class Slot {{ void pull() {{ }} }}
}}
"""


@pytest.mark.parametrize(
    ("outer", "statements", "piece"),
    [
        ("Till extends zoo.Drawer", "open(); width++; stripe();", None),
        ("Till extends AbstractList<Cart>", "removeRange(1, 2); modCount++;", None),
        ("Till extends Bag", "shake(); stripe();", None),
        ("Till extends Bag", "shade();", "("),
    ],
)
def test_a_class_inside_another_has_what_that_inherits(outer, statements, piece):
    path, text = "src/test/java/shop/Till.java", INSIDE.format(outer)
    snapshot = snapshot_of({**FILES, path: text})
    (method,) = snapshot.files[path].methods
    scope = scope_within(snapshot, path, method)
    known = declarations_of(Needs(snapshot, scope), Members(snapshot), method.owner)
    assert refused_at(replace(known, before="a"), f"void pull() {{ {statements} }}") == piece


UNWRITTEN = """
    /** Adds up. */
    void add(Cart cart, int count) {}
    void put(Cart cart) {
        int n = 1;
        // the total

    }
"""


def test_the_methods_of_the_project_itself_are_let_through():
    snapshot = snapshot_of({**FILES, "src/main/java/shop/Till.java": BODY})
    path = "src/main/java/shop/Till.java"
    for method in snapshot.files[path].methods:
        scope = scope_within(snapshot, path, method)
        known = declarations_of(Needs(snapshot, scope), Members(snapshot), method.owner)
        text = method.span.of(BODY.encode()).decode()
        assert refused_at(replace(known, before="a"), text) is None


def test_a_body_goes_on_behind_its_signature_and_a_statement_behind_its_comment():
    path = "src/main/java/shop/Till.java"
    text = BODY.replace("void each() {", f"{UNWRITTEN}    void each() {{")
    snapshot = snapshot_of({**FILES, path: text})
    for at, good, bad in (
        ("Till#add", "{ sum = cart.total() + count;", "{ int count ="),
        (text[: text.index("// the total")].count("\n") + 1, "\nn = cart.size;", "\ncart.nothing"),
    ):
        engine = FakeEngine(["{ }"])
        generate_snippet(
            snapshot,
            path,
            at,
            engine,
            writer=Writer("starter"),
            settings=Settings(),
        )
        known = engine.requests[0].declared
        begun = Checker(known).after(known.before)
        assert begun.after(good) is not None
        assert begun.after(bad) is None


def test_records_give_their_components_and_enums_their_constants(declared):
    assert refused_at(declared, body('new Item("a", 1).price();')) is None
    assert refused_at(declared, body("Item.name();")) == "name"
    assert refused_at(declared, body("Size.values(1);")) == "1"
    assert refused_at(declared, body("Size one = Size.LARGE;")) is None
    assert refused_at(declared, body("Size one = Size.TINY;")) == "TINY"
    assert Checker(declared).after("@Test void a() { Size one = Size.T") is None


def test_the_tests_of_the_ledger_are_let_through():
    snapshot, _ = index_folder(Path(__file__).parent.parent / "examples/ledger")
    looked_at = 0
    for pair in snapshot.pairs:
        site = Site(snapshot, pair.focal.path, pair.focal.method)
        if site.place == TestPlace(pair.test.path, pair.test.method.owner):
            text = code_of(snapshot.source(pair.test.path), pair.test.method.span)
            assert refused_at(site.declarations, text) is None, text
            looked_at += 1
    assert looked_at > 30


def test_a_text_behind_a_name_is_judged_though_the_same_token_opens_its_bracket(declared):
    begun = Checker(declared).after("@Test void adds() { cart.add")
    assert begun.after('("') is None
    assert begun.after("(").after('"') is None


WORDS = ["cart", ".", "total", "(", ")", "{", "}", "[", "]", "<", ">", ",", ";", "=", "new", "Cart"]
WORDS += ["Item", "int", "x", '"', "'", "1", "->", "::", "@", "Test", "void", "class", "for", "try"]
WORDS += [" ", "\n", "//", "/*", "*/", "?", ":", "-", "...", "if", "return", "Shape", "Map", "é"]


@given(st.lists(st.sampled_from(WORDS), max_size=40), st.data())
def test_nothing_breaks_it_and_what_is_let_through_was_let_through_before(words, data):
    known = declarations(FILES)
    text = "".join(words)
    cut = data.draw(st.integers(0, len(text)))
    whole = Checker(known).after(text)
    first = Checker(known).after(text[:cut])
    if whole is not None and not text[:cut].endswith(('"', "'")):
        assert first is not None
    if first is None and not text[:cut].endswith(('"', "'")):
        assert whole is None


# ---------------------------------------------------------------- tokens


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(base_folder(STARTER))


def chosen(tokenizer, declared: Declarations, text: str, wishes: list[str]) -> str:
    """What is written next of some tokens, the likeliest first."""
    ids = [tokenizer.encode(text, add_special_tokens=False)]
    scores = torch.full((1, len(tokenizer)), -torch.inf)
    for place, wish in enumerate(wishes):
        (token,) = tokenizer.encode(wish, add_special_tokens=False)
        scores[0, token] = -place
    left = Monitor(0, tokenizer, [declared])(torch.tensor(ids), scores)
    return tokenizer.decode([int(left.argmax())])


def test_the_next_likely_token_is_taken_where_a_name_does_not_exist(tokenizer, declared):
    begun = "@Test\nvoid adds() {\n    cart."
    assert chosen(tokenizer, declared, begun, ["length", "add"]) == "add"
    assert chosen(tokenizer, declared, begun + "total", ["(", ";"]) == "("
    assert chosen(tokenizer, declared, begun + "add(", ['"', "one"]) == "one"


def test_the_end_of_a_text_is_no_java(tokenizer, declared):
    begun = "@Test\nvoid adds() {\n    int n = cart.size;\n}"
    assert chosen(tokenizer, declared, begun, [tokenizer.eos_token]) == tokenizer.eos_token


def test_where_only_a_comment_can_follow_the_model_is_led_elsewhere(tokenizer, declared):
    ids = tokenizer.encode("@Test\nvoid adds() {\n    cart.", add_special_tokens=False)
    scores = torch.full((1, len(tokenizer)), -torch.inf)
    for wish in ("//", "\n", " "):
        scores[0, tokenizer.encode(wish, add_special_tokens=False)] = 0.0
    left = Monitor(0, tokenizer, [declared])(torch.tensor([ids]), scores)
    assert left.max() < -1000


@pytest.mark.parametrize(
    ("begun", "wishes"),
    [
        ('String name = "' + 250 * "a", ["a", '"']),
        ("int " + 100 * "a", ["a", ";"]),
        ("// " + 250 * "a", ["a", "\n"]),
    ],
)
def test_names_texts_and_comments_end(tokenizer, declared, begun, wishes):
    assert chosen(tokenizer, declared, f"void adds() {{ {begun}", wishes) == wishes[1]


def test_no_blank_is_written_behind_a_dot(tokenizer, declared):
    begun = "@Test\nvoid adds() {\n    cart."
    assert chosen(tokenizer, declared, begun, [" add", "add"]) == "add"
    assert chosen(tokenizer, declared, begun, ["\n", "add"]) == "\n"


def test_where_nothing_can_go_on_the_model_is_left_alone(tokenizer, declared):
    begun = "@Test\nvoid adds() {\n    cart."
    assert chosen(tokenizer, declared, begun, ["length", "index"]) == "length"
    assert chosen(tokenizer, declared, begun + "length().", ["no", "add"]) == "no"


def test_the_rows_of_each_request_are_held_to_its_own_declarations(tokenizer, declared):
    other = declarations(FILES | {CART: FILES[CART].replace(" int size", " int length")})
    begun = tokenizer.encode("@Test\nvoid adds() {\n    cart.", add_special_tokens=False)
    words = ["length", "size"]
    wishes = [tokenizer.encode(word, add_special_tokens=False)[0] for word in words]
    scores = torch.full((4, len(tokenizer)), -torch.inf)
    scores[:, wishes] = torch.tensor([0.0, -1.0])
    left = Monitor(0, tokenizer, [declared, other])(torch.tensor([begun] * 4), scores)
    assert tokenizer.batch_decode(left.argmax(-1, keepdim=True)) == [
        "size",
        "size",
        "length",
        "length",
    ]


def test_states_of_many_rows_are_each_found_from_the_one_before():
    followed = []

    def follow(state, tokens):
        followed.append(len(tokens))
        return state + list(tokens)

    states = Along([], follow)
    for length in range(1, 5):
        rows = [(number, *range(length - 1)) for number in range(100)]
        assert states.of(rows) == [list(row) for row in rows]
    assert set(followed) == {1}


def test_only_java_is_held_to_what_is_declared(tokenizer, declared):
    kinds = [[type(one).__name__ for one in guards(0, tokenizer, goal=goal, declared=[declared])]
             for goal in ("method", "block", None)]  # fmt: skip
    assert kinds == [["Dry", "Grammar", "Monitor"], ["Dry", "Grammar", "Monitor"], ["Dry"]]


@pytest.mark.parametrize("ways", [{}, {"count": 3}, {"count": 2, "temperature": 0.8}])
def test_what_the_engine_writes_is_never_refused(declared, ways):
    """By rows and by beams, greedily and sampled."""
    prompt = site_of(FILES).prompt(Level.FM_FC_MS_FF)
    asked = {"grammar": "method", "stop_at_method_end": True, "max_tokens": 60, **ways}
    engine = LocalEngine(1)
    try:
        made = engine.generate(Request(prompt, STARTER, declared=declared, **asked))
    finally:
        engine.close()
    texts = [one.text for one in made if one.finish_reason == "stop"]
    assert texts
    assert [text for text in texts if Checker(declared).after(text) is None] == []


def row_behind(tokenizer, declared: Declarations, begun: str) -> Row:
    """A greedy row that is held to what is declared, and to nothing else."""
    ids = tokenizer.encode(begun, add_special_tokens=False)
    reading = SimpleNamespace(
        request=Request("x", STARTER, max_tokens=200),
        prompt=[],
        begun=ids,
        ends=[],
        stops=(),
        guards=lambda start: [Monitor(start, tokenizer, [declared])],
        text=tokenizer.decode,
    )
    return Row(reading)


def written_with(row: Row, tokenizer, *wishes: str) -> str:
    """What a row has written once it was given some tokens to choose from, the likeliest first."""
    scores = torch.full((len(tokenizer),), -torch.inf)
    for place, wish in enumerate(wishes):
        (token,) = tokenizer.encode(wish, add_special_tokens=False)
        scores[token] = -place
    row.follow(int(scores.argmax()), scores)
    return row.text


BEGUN = "@Test\nvoid adds() {\n    cart."


def test_a_row_leaves_a_dead_end_by_another_way(tokenizer, declared):
    row = row_behind(tokenizer, declared, BEGUN)
    assert written_with(row, tokenizer, "total", "add") == BEGUN + "total"
    assert written_with(row, tokenizer, ".", "\n") == BEGUN
    assert written_with(row, tokenizer, "total", "add") == BEGUN + "add"
    assert written_with(row, tokenizer, "(", ".") == BEGUN + "add("
    assert not row.ended


def test_a_row_goes_further_back_where_a_step_has_not_helped(tokenizer, declared):
    row = row_behind(tokenizer, declared, BEGUN)
    for wish in ("add", "(", "one", "."):
        written_with(row, tokenizer, wish)
    texts = [written_with(row, tokenizer, ")") for _ in range(4)]
    assert texts == [BEGUN + left for left in ("add(one", "add(", "", "")]
    assert row.ended


def test_a_row_that_finds_no_way_ends_as_one_that_is_cut_off(tokenizer, declared):
    row = row_behind(tokenizer, declared, BEGUN)
    written_with(row, tokenizer, "add")
    tries = 0
    while not row.ended:
        written_with(row, tokenizer, ";")
        tries += 1
    assert tries < 10


@pytest.mark.parametrize("ways", [{}, {"count": 3, "temperature": 1.2}])
def test_what_a_row_writes_instead_is_scored_as_if_it_had_been_written_at_once(
    declared, ways, monkeypatch
):
    left = []
    leave = Row._leave_dead_end
    monkeypatch.setattr(Row, "_leave_dead_end", lambda row: (left.append(row), leave(row)))
    base, prompt = load_base(STARTER), site_of(FILES).prompt(Level.FM)
    asked = {"grammar": "method", "stop_at_method_end": True, "max_tokens": 60, **ways}
    engine, pieces = LocalEngine(1), []
    try:
        request = Request(prompt, STARTER, declared=declared, **asked)
        made = engine.generate(request, on_text=pieces.append)
    finally:
        engine.close()
    assert left
    assert len(made) > 1 or "".join(pieces) == made[0].text
    begun = encode(prompt, base.tokenizer, base.context - 60)
    for one in made:
        ids = base.tokenizer.encode(one.text, add_special_tokens=False)
        if one.finish_reason == "stop" and len(ids) == one.tokens:
            with torch.inference_mode():
                scores = base.model(torch.tensor([begun + ids])).logits[0].log_softmax(-1)
            told = scores[len(begun) - 1 : -1].gather(-1, torch.tensor(ids)[:, None])
            assert one.score == pytest.approx(float(told.mean()), abs=1e-3)


@pytest.mark.parametrize("beams", [1, 3])
def test_an_evaluation_writes_each_test_by_what_it_may_use(declared, beams):
    base, site = load_base(STARTER), site_of(FILES)
    prompts = [encode(site.prompt(level), base.tokenizer, 500) for level in Level]
    refused = []
    for served in (False, True):
        how = {"max_tokens": 60, "as_served": served, "declared": lambda _: declared}
        examples = [SimpleNamespace(prompt=ids) for ids in prompts]
        if beams == 1:
            texts = greedy_tests(base.model, base, examples, **how)
        else:
            rows = beam_tests(base.model, base, examples, beams=beams, **how)
            texts = [text for row in rows for text in row]
        whole = [one for one in texts if len(base.tokenizer.encode(one)) < 40]
        refused.append([one for one in whole if Checker(declared).after(one) is None])
        assert whole
    assert refused[0]
    assert refused[1] == []


def test_what_is_declared_reaches_the_engine_s_own_process(declared):
    request = Request("x", STARTER, declared=declared)
    sent = msgspec.msgpack.encode(Ask(1, request, stream=False))
    assert len(sent) < 100_000
    assert msgspec.msgpack.decode(sent, type=Ask).request == request


def test_generation_tells_the_engine_what_is_declared():
    engine, site = FakeEngine(["@Test void adds() { }"]), site_of(FILES)
    settings = Settings()
    made = generate_test(
        site.snapshot,
        site.focal_path,
        site.focal,
        engine,
        writer=Writer("starter"),
        count=1,
        settings=settings,
    )
    assert made.candidates
    assert engine.requests[0].declared == site.declarations


# ---------------------------------------------------------------- Java's library


def test_java_s_own_types_have_what_they_inherit():
    builder = java_kind("StringBuilder")
    assert builder is not None
    assert {"append", "length", "chars", "getClass"} <= builder.methods.keys()
    assert {"CharSequence", "Comparable", "Serializable"} <= builder.above
    assert java_name("ArrayList") == "java.util.ArrayList"
    assert "Collection" in java_kind("ArrayList").above
    assert java_kind("Reader").abstract and java_kind("TimeUnit").enum
    assert java_kind("Cart") is None and java_name("Cart") == ""


def test_a_parent_of_java_s_is_the_one_that_is_meant_though_another_has_its_name():
    certificate = java_kind("X509Certificate")
    assert {"getEncoded", "getPublicKey"} <= certificate.methods.keys()
    assert {"java.security.cert.Certificate", "X509Extension"} <= certificate.above
    assert "Certificate" not in certificate.above
    assert java_kind("SSLSocketFactory").methods["createSocket"][-1].returns == "Socket"


def test_no_type_of_java_s_has_a_parent_that_is_not_told():
    names = {name for names in java_packages().values() for name in names}
    kinds = [java_kind(name) for name in names]
    assert [one for kind in kinds for one in kind.above if java_kind(one) is None] == []


def test_a_package_of_which_only_parents_are_told_is_not_told_whole():
    assert java_kind("Destroyable") is not None
    assert "javax.security.auth" not in java_packages()


def test_the_table_of_java_s_types_is_what_the_script_writes(monkeypatch, capsys):
    from benchmarks import java_types

    version = subprocess.run([shutil.which("javap"), "-version"], capture_output=True, text=True)
    java_types.main()
    written = set(capsys.readouterr().out.splitlines())
    kept = Path(java_types.__file__).parents[1] / "personalizer/engine/monitor/java.types"
    table = set(kept.read_text("utf-8").splitlines())
    if version.stdout.startswith("17"):
        assert written == table
    else:  # a later Java has more, and has lost little
        assert len(table - written) < len(table) / 20
