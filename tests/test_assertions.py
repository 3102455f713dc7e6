"""Which tests can fail by more than an exception: what is an assertion, and what only looks so."""

from __future__ import annotations

import pytest

from personalizer.generation.assertions import asserts
from personalizer.generation.site import Site
from tests.java_project import method, site_at, snapshot_of

CART = """package shop;

public class Cart {
    public static Cart of(int total) { return new Cart(); }
    public int total() { return 0; }
    public void checkTotal() { }
    public void ensureOpen() { }
    public boolean verify(String seal) { return true; }
    public void assertOpen() { }
    public static void checkAll() { }
}
"""
CHECKS = """package shop;

class Checks {
    static void checkCart(Cart cart) { }
    void ensureEmpty(Cart cart) { }
    Cart cart() { return null; }
}
"""
BASE = """package shop;

abstract class CartTestCase {
    protected void checkSum(Cart cart) { }
    protected Cart cart() { return null; }
}
"""
HEAD = """package shop;

import org.junit.jupiter.api.Test;
import org.junit.rules.ExpectedException;
import org.mockito.InOrder;
import org.mockito.Mockito;
import org.reactivestreams.Publisher;
import reactor.test.StepVerifier;
import java.util.concurrent.CompletableFuture;
"""
CART_TEST = """
class CartTest extends CartTestCase {
    private final Checks checks = new Checks();
    private final ExpectedException thrown = null;
    private final CompletableFuture<Integer> later = null;
    private final Cart cart = new Cart();
    private final InOrder order = null;

    void thenItIsOpen() { }

    @Test
    void total() { assertEquals(0, cart.total()); }
}
"""
BY_NAME = """
import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.*;
import static org.mockito.BDDMockito.then;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;
import static shop.Cart.checkAll;
"""
BY_WILDCARD = """
import static org.junit.jupiter.api.Assertions.*;
import static org.mockito.Mockito.*;
import static java.util.Objects.*;
import static shop.Cart.*;
"""


def site(imports: str = BY_NAME, target: str = "Cart#total", more: str = "") -> Site:
    test = "src/test/java/shop"
    files = {
        "src/main/java/shop/Cart.java": CART.replace("class Cart {", f"class Cart {{ {more}"),
        f"{test}/CartTest.java": f"{HEAD}{imports}{CART_TEST}",
        f"{test}/CartTestCase.java": BASE,
        f"{test}/Checks.java": CHECKS,
    }
    return site_at(snapshot_of(files), target)


@pytest.mark.parametrize(
    "line",
    [
        "when(cart.total()).thenReturn(1);",
        "Mockito.when(cart.total()).thenReturn(1);",
        "later.thenApply(x -> x);",
        "CompletableFuture<Cart> all = load(); all.thenAccept(x -> use(x));",
        "var all = CompletableFuture.runAsync(null); all.thenRun(null);",
        "cart.checkTotal();",
        "cart.ensureOpen();",
        "cart().checkTotal();",
        "checks.cart().checkTotal();",
        "new Cart().ensureOpen();",
        "Cart.of(1).ensureOpen();",
        'cart.verify("seal");',
        "cart.assertOpen();",
        "checkAll();",
        "Cart.checkAll();",
        "StringBuilder text = new StringBuilder(); text.ensureCapacity(3);",
        "for (var one : carts) { one.checkTotal(); }",
        "carts.forEach(one -> one.checkTotal());",
    ],
)
def test_a_call_of_what_is_tested_or_of_java_is_no_assertion_whatever_it_is_called(line: str):
    assert not asserts(method(line), site())


@pytest.mark.parametrize("line", ["checkIndex(1, 2);", "checkAll();", "when(a()).thenReturn(1);"])
def test_what_a_wildcard_gives_is_no_assertion_either(line: str):
    assert not asserts(method(line), site(BY_WILDCARD))


@pytest.mark.parametrize(
    "line",
    [
        "thenItIsOpen();",
        "checkSum(cart);",
        "this.checkSum(cart);",
        "checks.ensureEmpty(cart);",
        "Checks.checkCart(cart);",
        "thrown.expect(Gone.class);",
        "then(cart).should().total();",
        "StepVerifier.create(all).expectNext(1);",
        "StepVerifier.create(all).expectNext(1).verify(LONG);",
        "given().get(PATH).then().statusCode(200);",
        "verify(cart).total();",
        "order.verify(cart).total();",
        "Mockito.verify(cart, Mockito.never()).total();",
        "verifyNoInteractions(cart);",
        "assertThat(cart.total()).isZero();",
        'assertThat(cart.total()).as("sum").isZero();',
        "assertThat(cart.total(), is(0));",
        "assertThatThrownBy(() -> cart.total());",
        "assertAll(() -> assertEquals(1, cart.total()));",
        "assert cart.total() == 1;",
    ],
)
def test_an_assertion_comes_from_a_library_or_from_the_tests_themselves(line: str):
    assert asserts(method(line), site())


@pytest.mark.parametrize(
    "line",
    [
        "verify(cart);",
        "Mockito.verify(cart, Mockito.times(2));",
        "order.verify(cart);",
        "then(cart).should();",
        "assertThat(cart);",
        'assertThat(cart).as("cart");',
        "given().get(PATH).then();",
        "assertAll();",
        "assertAll(() -> cart.total());",
    ],
)
def test_what_only_begins_to_assert_asserts_nothing(line: str):
    assert not asserts(method(line), site())


def test_a_mock_of_easy_mock_is_verified_by_one_call():
    mocked = site("import static org.easymock.EasyMock.*;\n")
    assert asserts(method("verify(cart);"), mocked)
    assert not asserts(method("expect(cart.total()).andReturn(1);"), mocked)


@pytest.mark.parametrize(
    "line",
    [
        "assertEquals(-1, -1);",
        "assertTrue(1 == 1);",
        "assertTrue(!(1 > 2));",
        "assert true;",
        "assertEquals(cart.total(), cart.total());",
        'assertEquals("sum", cart.total(), cart.total());',
        "assertEquals(Cart.of(1).total(), Cart.of(1).total());",
        "assertEquals(cart.size, cart.size);",
        "assertSame(Cart.EMPTY, Cart.EMPTY);",
        "assertTrue(cart == cart);",
        "assertTrue(cart.total() == cart.total());",
        "assertNotNull(new Cart());",
        'assertNotNull("why", new Cart());',
        'assertNotNull(new int[] {1}, "why" + cart);',
        "assertNotNull(Cart.class);",
        "assertNotNull(Cart.class.getCanonicalName());",
        "assertNotNull(Arrays.toString(cart.names()));",
        "assertNotNull(String.valueOf(cart.first()));",
        "assertNotNull(cart.total());",
        "assertNotNull(() -> cart.total());",
    ],
)
def test_what_always_holds_asserts_nothing(line: str):
    assert not asserts(method(line), site())


@pytest.mark.parametrize(
    "line",
    [
        "assertEquals(Cart.of(1), Cart.of(1));",
        "assertEquals(new Cart(), new Cart());",
        "assertTrue(cart.equals(cart));",
        "assertSame(cart.total(), cart.total());",
        "assertEquals(0, cart.total(), 0);",
        "assertNotNull(cart);",
        'assertNotNull("why", cart.first());',
        "assertNotNull(cart.total(1));",
        "assertNotNull(cart.names().toString2());",
    ],
)
def test_two_objects_that_are_made_alike_may_differ(line: str):
    assert asserts(method(line), site())


def test_what_the_focal_method_gives_may_be_null_whatever_its_name_promises():
    called = method("assertNotNull(cart.toString());")
    assert not asserts(called, site())
    printed = "public String toString() { return null; }"
    assert asserts(called, site(target="Cart#toString", more=printed))


def test_what_the_focal_method_gives_twice_is_one():
    twice = method("assertEquals(Cart.of(1), Cart.of(1));")
    assert not asserts(twice, site(target="Cart#of"))


@pytest.mark.parametrize(
    ("caught", "body", "says"),
    [
        ("Throwable", "", False),
        ("Error", "", False),
        ("AssertionError", "", False),
        ("IOException | java.lang.AssertionError", "log(e);", False),
        ("AssertionFailedError", "", False),
        ("Exception", "", True),
        ("Throwable", "throw e;", True),
        ("Throwable", "fail(e);", True),
        ("AssertionError", "assertNull(e.getMessage());", True),
    ],
)
def test_an_assertion_whose_failure_is_caught_asserts_nothing(caught: str, body: str, says: bool):
    tried = "run(() -> assertEquals(1, cart.total()));"
    lines = f"try {{ {tried} }} catch ({caught} e) {{ {body} }} finally {{ cart.total(); }}"
    assert asserts(method(lines), site()) is says


def test_a_helper_is_of_the_tests_where_it_lies_beside_them_alone():
    files = {
        "java/shop/Cart.java": CART,
        "javatests/shop/CartTest.java": f"{HEAD}{BY_NAME}{CART_TEST}",
        "javatests/shop/CartTestCase.java": BASE,
        "javatests/shop/Checks.java": CHECKS,
    }
    lines = method("Checks.checkCart(cart);")
    assert asserts(lines, site_at(snapshot_of(files), "Cart#total"))
    beside = {f"java/shop/{path.rpartition('/')[2]}": text for path, text in files.items()}
    assert not asserts(lines, site_at(snapshot_of(beside), "Cart#total"))


def test_a_test_of_a_new_class_knows_what_it_will_import():
    files = {"src/main/java/shop/Cart.java": CART}
    new = site_at(snapshot_of(files), "Cart#total")
    assert not asserts(method("when(new Cart().total()).thenReturn(1);", "checkAll();"), new)
    assert asserts(method("assertEquals(0, new Cart().total());"), new)
