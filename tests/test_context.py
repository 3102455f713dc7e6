"""What a model is shown, character by character: the starter model is trained on this text."""

import textwrap

import pytest

from indexer import FileFacts, Level, Method, Piece, code_of, focal_context, snippet_context
from indexer import test_class_context as class_context
from indexer.languages.java import parse

CART = """
package a;

@Entity
public class Cart<T> extends Base implements Shop {
    public static final int MOST = 9;
    private final List<Item> items = new ArrayList<>();
    private String name;

    public Cart(int size) { }

    private Cart() { }

    /** The sum. */
    @Override
    public int total(int tax) {
        int sum = tax;
        for (Item item : items) {
            sum += price(item);
        }
        return sum;
    }

    public int total() { return total(0); }

    protected int price(Item item) { return 1; }

    private void check() { }

    @Deprecated(since = "2") public void clear()
            throws IOException { items.clear(); }
}
"""

TEST = """
package a;

import static org.junit.Assert.assertEquals;
import java.util.List;
import org.junit.Test;

public class CartTest extends Base {
    private Cart cart;

    @Before
    public void setUp() {
        cart = new Cart(1);
    }

    @Test
    public void totalIsZero() {
        assertEquals(0, cart.total());
    }

    @Test
    public void clears() {
        cart.clear();
    }

    private Item item(int price) { return null; }
}
"""


def read(source: str) -> tuple[bytes, FileFacts]:
    return source.encode(), parse(source.encode())


def method(facts: FileFacts, key: str) -> Method:
    return next(m for m in facts.methods if m.key == key)


def check(pieces: tuple[Piece, ...], expected: str) -> None:
    """Each piece, its worth in the margin of its first line."""
    lines = []
    for piece in pieces:
        first, *rest = piece.text.split("\n")
        lines += [f"{piece.worth:3} {first}".rstrip(), *(f"    {line}".rstrip() for line in rest)]
    assert "\n".join(lines) == textwrap.dedent(expected).strip("\n")


def test_the_whole_context_of_a_focal_method():
    source, facts = read(CART)
    check(
        focal_context(source, facts, method(facts, "Cart#total(int)")),
        """
         inf public class Cart<T> extends Base implements Shop {
         inf     @Override
                 public int total(int tax) {
                     int sum = tax;
                     for (Item item : items) {
                         sum += price(item);
                     }
                     return sum;
                 }
         8.0     public Cart(int size);
         6.0     public int total();
         6.0     protected int price(Item item);
         4.0     public void clear() throws IOException;
         3.0     public static final int MOST = 9;
         7.0     private final List<Item> items = new ArrayList<>();
         inf }
        """,
    )


@pytest.mark.parametrize(
    ("level", "lines"), [("fm", 1), ("fm_fc", 3), ("fm_fc_co", 4), ("fm_fc_ms", 7)]
)
def test_a_lower_level_shows_less(level: str, lines: int):
    source, facts = read(CART)
    focal = method(facts, "Cart#total()")
    pieces = focal_context(source, facts, focal, Level(level))
    whole = focal_context(source, facts, focal)
    assert len(pieces) == lines
    shown = [piece.text.strip() for piece in pieces]
    assert "public int total() { return total(0); }" in shown
    assert set(shown) <= {piece.text.strip() for piece in whole}


def test_the_context_of_a_test_leaves_the_target_out():
    source, facts = read(TEST)
    target = method(facts, "CartTest#totalIsZero()")
    check(
        class_context(source, facts, "CartTest", leave_out=[target]),
        """
         7.0 import static org.junit.Assert.assertEquals;
         2.0 import java.util.List;
         7.0 import org.junit.Test;
         inf public class CartTest extends Base {
         6.0     private Cart cart;
         6.5     @Before
                 public void setUp() {
                     cart = new Cart(1);
                 }
         5.0     private Item item(int price);
         5.5     @Test
                 public void clears() {
                     cart.clear();
                 }
         inf }
        """,
    )


def test_a_class_that_is_not_there_has_no_context():
    source, facts = read(TEST)
    assert class_context(source, facts, "Other") == ()


def test_the_context_of_a_snippet_hides_every_body():
    source, facts = read(CART)
    check(
        snippet_context(source, facts, method(facts, "Cart#clear()")),
        """
         inf public class Cart<T> extends Base implements Shop {
         6.0     public static final int MOST = 9;
         6.0     private final List<Item> items = new ArrayList<>();
         6.0     private String name;
         4.0     public Cart(int size);
         4.0     private Cart();
         4.0     public int total(int tax);
         4.0     public int total();
         4.0     protected int price(Item item);
         4.0     private void check();
         inf }
        """,
    )


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("class A {\n    void a() {\n        b();\n    }\n}", "void a() {\n    b();\n}"),
        ("class A {\n\tvoid a() {\n\t\tb();\n\t}\n}", "void a() {\n    b();\n}"),
        ("class A {\r\n  void a() {\r\n  }\r\n}", "void a() {\n}"),
        ("class A { void a() { } }", "void a() { }"),
        ("class A {\n  void a() {\nb();\n  }\n}", "  void a() {\nb();\n  }"),
    ],
    ids=["spaces", "tabs", "windows", "one line", "ragged"],
)
def test_code_is_shown_from_the_left_margin(source: str, code: str):
    facts = parse(source.encode())
    assert code_of(source.encode(), facts.methods[0].span) == code
