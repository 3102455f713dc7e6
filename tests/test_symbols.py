"""Names that do not exist are found before a compiler runs, and near misses are mended."""

from __future__ import annotations

import pytest

from indexer import Snapshot
from personalizer.generation.names.mending import Checked, Symbols, one_edit
from personalizer.generation.placing.place import find_place, scope_of
from personalizer.generation.placing.style import house_of
from personalizer.generation.targets import resolve_target
from tests.java_project import snapshot_of

CART = """package shop;
public class Cart extends Bag implements Comparable<Cart> {
    public static final int MAX_SIZE = 10;
    public int size;
    public Cart() {}
    public Cart(String owner, int... counts) {}
    public int total() { return 0; }
    public void add(Item item, int count) {}
    public Item first() { return null; }
    public String getOwner() { return null; }
    public void save(String file) throws java.io.IOException {}
    public void load(String file) throws IllegalStateException, Sorry {}
    public static Cart of(Item... items) { return null; }
    private void hidden() {}
    public static class Builder { public Builder owner(String name) { return this; } }
    public int compareTo(Cart other) { return 0; }
}
"""
REST = """package shop;
class Bag { protected void shake() {} public boolean isEmpty() { return true; } }
enum Size { SMALL, LARGE; int inches() { return 1; } }
record Item(String name, int price) { static final Item FREE = null; }
abstract class Shape { abstract int area(); }
class Window extends Frame { int width() { return 0; } }
class Sorry extends RuntimeException { Sorry(String why) { super(why); } }
interface Shop { Cart cart(); default void close(Cart cart) {} }
"""
LOMBOK = """package shop;
import lombok.Data;
@Data
public class Parcel { private int weight; }
"""
CART_TEST = """package shop;
import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.assertEquals;
class CartTest {
    private Cart cart = new Cart();
    private Iterable<Cart> things, many;
    private Object other;
    private Item one, two;
    private Cart filled() { return cart; }
    @Test void totals() { assertEquals(0, cart.total()); }
}
"""
FILES = {
    "src/main/java/shop/Cart.java": CART,
    "src/main/java/shop/Rest.java": REST,
    "src/main/java/shop/Parcel.java": LOMBOK,
    "src/test/java/shop/CartTest.java": CART_TEST,
}
SNAPSHOT = snapshot_of(FILES)


def symbols(snapshot: Snapshot = SNAPSHOT) -> Symbols:
    path, focal = resolve_target(snapshot, "Cart#total")
    place = find_place(snapshot, path, focal)
    assert place is not None
    scope = scope_of(snapshot, path, focal, place, house_of(snapshot, path))
    return Symbols(snapshot, scope, place.owner)


def unknown(body: str) -> list[str]:
    """What is unknown in a test of ``Cart#total`` with a body."""
    return list(symbols().check(f"@Test\nvoid tests() {{\n    {body}\n}}").unknown)


def mended(body: str, head: str = "@Test\nvoid tests()") -> Checked:
    return symbols().mend(f"{head} {{\n    {body}\n}}")


def body_of(checked: Checked) -> str:
    return checked.text.partition("{")[2].rpartition("}")[0].strip()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("cart.price();", ["Cart.price()"]),
        ("cart.total(1);", ["Cart.total(1 argument)"]),
        ("cart.add(null);", ["Cart.add(1 argument)"]),
        ("new Cart(1, 2).total();", []),
        ("new Item();", ["new Item(0 arguments)"]),
        ("new Shape();", ["new Shape()"]),
        ("Size s = new Size();", ["new Size()"]),
        ("int a = Cart.MIN_SIZE;", ["Cart.MIN_SIZE"]),
        ("Cart c = new Cart(); c.first().colour();", ["Item.colour()"]),
        ("filled().price();", ["Cart.price()"]),
        ("var c = Cart.of(); c.price();", ["Cart.price()"]),
        ("for (Cart c : many) { c.price(); }", ["Cart.price()"]),
        ("this.cart.price();", ["Cart.price()"]),
        ("((Cart) other).price();", ["Cart.price()"]),
        ("cart.hidden();", ["Cart.hidden()"]),
        ("new Sorry(\"a\").why();", ["Sorry.why()"]),
        ("Zebra z = null;", ["Zebra"]),
        ("assertEquals(0, bag.total());", ["bag"]),
        ("for (Cart c : lots) { c.total(); }", ["lots"]),
        ("int n = count + 1;", ["count"]),
        ("assertEquals(hashCode(), getClass().hashCode()); notify();", []),
        ("nothing();", ["nothing()"]),
        ("shop.Cart c = null; c.price();", ["Cart.price()"]),
        ("new Cart.Builder().owned();", ["Builder.owned()"]),
        ("Cart.Builder b = null; b.owner(null);", []),
        ("cart.get one;", ["cart.get"]),
        ("if (other instanceof Item(String n, int p)) { n.trim(); p++; q++; }", ["q"]),
        ("int i = switch (other) { case Cart c when c.size > 1 -> c.nothing(); default -> 1; };",
         ["Cart.nothing()"]),
        ("record P(int ab) { int s() { return ab; } } new P(1).s();", []),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_named(body: str, expected: list[str]):
    assert unknown(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "cart.total(); cart.add(null, 1); cart.isEmpty(); cart.shake();",
        "cart.hashCode(); cart.equals(null); cart.getClass().foo(); cart.compareTo(cart);",
        "new Cart(); new Cart(null); new Cart(null, 1, 2, 3); Cart.of(); Cart.of(one, two);",
        "new Item(null, 1).name(); new Item(null, 1).price();",
        "Size.SMALL.inches(); Size.valueOf(null); Size.values(); Size.LARGE.ordinal();",
        "int a = Cart.MAX_SIZE + cart.size;",
        "new Sorry(null).getMessage(); new Sorry(null).addSuppressed(null);",
        "new Shape() { int area() { return 1; } };",
        "Shop shop = () -> cart; shop.close(cart); shop.cart().total();",
    ],
)
def test_what_exists_is_not_reported(body: str):
    assert unknown(body) == []


@pytest.mark.parametrize(
    "body",
    [
        "new Window().title();",
        "Window w = null; w.pack(1, 2);",
        "new Parcel().getWeight(); new Parcel(1);",
        "Cart cart = null; { Item cart = null; cart.anything(); }",
        "things.forEach(cart -> cart.anything());",
        "record Cart(int a) {} new Cart(1).anything();",
        "String cart = null; cart.length();",
        "new Object() { int wrapped; int get() { return this.wrapped; } };",
        "other.Cart c = null; c.anything();",
        "Cart[] carts = null; int n = carts.length;",
        "loop: for (;;) { break loop; }",
        "java.util.List<String> l = java.util.List.of(); l.forEach(e -> e.length());",
        "try (java.io.Closeable c = null) { c.close(); } catch (Exception e) { e.getCause(); }",
        "Object o = other; if (o instanceof Cart c) { c.total(); }",
        "switch (Size.SMALL) { case SMALL: break; }",
    ],
)
def test_what_is_not_certain_is_not_reported(body: str):
    """A parent that nobody has seen, an annotation processor, a name with two meanings."""
    assert unknown(body) == []


@pytest.mark.parametrize(
    ("body", "expected", "note"),
    [
        ("cart.totl();", "cart.total();", "wrote total for Cart.totl, which does not exist"),
        ("cart.getTotal();", "cart.total();", "wrote total for Cart.getTotal"),
        ("cart.owner();", "cart.getOwner();", "wrote getOwner for Cart.owner"),
        ("int a = Cart.MAX_SIZ;", "int a = Cart.MAX_SIZE;", "wrote MAX_SIZE for Cart.MAX_SIZ"),
        ("assertEqual(1, cart.total());", "assertEquals(1, cart.total());", "wrote assertEquals"),
        ("othr.hashCode();", "other.hashCode();", "wrote other for othr"),
        ("filed().total();", "filled().total();", "wrote filled for filed"),
        ("Itme i = new Itme(null, 1);", "Item i = new Item(null, 1);", "wrote Item for Itme"),
    ],
)
def test_a_near_miss_is_mended_and_told(body: str, expected: str, note: str):
    checked = mended(body)
    assert body_of(checked) == expected
    assert checked.unknown == ()
    assert checked.notes[0].startswith(note)


@pytest.mark.parametrize(
    "body",
    [
        "cart.totl(1);",  # another number of arguments
        "cart.sav(1);",  # a number where a text is wanted
        "cart.price();",  # nothing near
        "new Window().widh();",  # the type may have it from its parent
    ],
)
def test_what_does_not_fit_is_not_mended(body: str):
    checked = mended(body)
    assert body_of(checked) == body
    assert checked.notes == ()


def test_a_field_that_a_foreign_parent_may_have_is_not_reported():
    path = "src/test/java/shop/CartTest.java"
    text = CART_TEST.replace("class CartTest", "class CartTest extends FrameTestCase")
    checked = symbols(snapshot_of({**FILES, path: text})).check("@Test\nvoid a() { frame.pack(); }")
    assert checked.unknown == ()


def test_a_variable_declared_twice_gets_a_name_of_its_own():
    checked = mended("int a = 1;\n    assertEquals(1, a);\n    int a = 2;\n    assertEquals(2, a);")
    assert body_of(checked) == (
        "int a = 1;\n    assertEquals(1, a);\n    int a2 = 2;\n    assertEquals(2, a2);"
    )
    assert checked.notes == ("renamed the second a to a2",)


def test_variables_of_sibling_blocks_keep_their_names():
    body = "{ int a = 1; }\n    { int a = 2; }\n    for (int a = 0; a < 1; a++) { }"
    assert body_of(mended(body)) == body


def test_the_components_of_records_keep_their_names():
    body = "record A(int x) {}\n    record B(int x) {}\n    int x = 1;"
    assert body_of(mended(body)) == body


def test_a_member_keeps_the_name_that_a_second_variable_loses():
    checked = mended("int size = 1;\n    int size = cart.size;")
    assert body_of(checked) == "int size = 1;\n    int size2 = cart.size;"


def test_a_test_that_calls_what_throws_says_so():
    checked = mended('cart.save("a");')
    assert checked.text.startswith("@Test\nvoid tests() throws Exception {")
    assert checked.notes == ("added throws Exception",)


def test_a_call_that_need_not_throw_adds_nothing():
    path = "src/main/java/shop/Files.java"
    text = (
        "package shop;\nclass Files { static void read(String a) {} "
        "static void read(byte[] a) throws Exception {} }\n"
    )
    checked = symbols(snapshot_of({**FILES, path: text})).mend("void a() { Files.read(x); }")
    assert checked.notes == ()


def test_what_is_called_in_a_lambda_or_a_try_adds_nothing():
    thrown = "assertThrows(IOException.class, () -> cart.save(null));"
    tried = "try { cart.save(null); } finally { }"
    assert mended(f"{thrown} {tried}").notes == ()


def test_an_exception_that_needs_no_declaration_adds_nothing():
    assert mended('cart.load("a");').notes == ()


def test_a_test_that_says_what_it_throws_keeps_it():
    checked = mended('cart.save("a");', "@Test\nvoid tests() throws IOException")
    assert "throws Exception" not in checked.text


@pytest.mark.parametrize(
    ("head", "expected", "notes"),
    [
        ("@Override\n@Test\nvoid a()", "@Test\nvoid a()", ("left out @Override",)),
        (
            "@Test @Override @Test void a()",
            "@Test void a()",
            ("left out @Override", "left out @Test"),
        ),
        (
            '@Test\n@Disabled("later")\npublic void a()',
            "@Test\npublic void a()",
            ("left out @Disabled",),
        ),
        ('@Tag("a")\n@Tag("b")\nvoid a()', '@Tag("a")\n@Tag("b")\nvoid a()', ()),
        ("List<String> a()", "List<String> a()", ()),
    ],
)
def test_a_test_bears_no_annotation_twice_and_none_that_keeps_it_from_running(
    head: str, expected: str, notes: tuple[str, ...]
):
    checked = mended("cart.total();", head)
    assert checked.text.startswith(f"{expected} {{")
    assert checked.notes == notes


def test_letters_that_are_no_ascii_move_nothing():
    checked = mended('String é = "ü";\n    cart.totl();')
    assert body_of(checked) == 'String é = "ü";\n    cart.total();'


@pytest.mark.parametrize(
    ("left", "right", "near"),
    [
        ("total", "totals", True),
        ("total", "toatl", True),
        ("total", "Total", True),
        ("total", "tonal", True),
        ("isEmpty", "empty", True),
        ("total", "tallot", False),
        ("add", "adds", False),
        ("first", "last", False),
    ],
)
def test_names_are_near_by_one_edit(left: str, right: str, near: bool):
    assert one_edit(left, right) == one_edit(right, left) == near
