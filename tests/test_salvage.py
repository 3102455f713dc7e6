"""What is left of a failing test, and tests that begin as the project's own do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from indexer import Method, Parameter, Snapshot
from personalizer.engine import Completion
from personalizer.generation import Candidate, resolve_target
from personalizer.generation.assertions import asserts, without_empty_words
from personalizer.generation.candidates import candidates_of
from personalizer.generation.placing.best import edit_of_best
from personalizer.generation.ranking import ranked, worth
from personalizer.generation.rescue.arguments import Arguments
from personalizer.generation.rescue.beginnings import Beginning, beginnings
from personalizer.generation.rescue.ends import plain_ends
from personalizer.generation.rescue.removal import without_lines, without_unused
from personalizer.generation.rescue.rounds import begun, mended
from personalizer.generation.rescue.settling import returned, settled, thrown, thrown_instead
from personalizer.generation.rescue.values import Values
from personalizer.generation.rescue.views import Getter, Views, kind_of_result, views_of
from personalizer.generation.site import Site
from tests.java_build import Project, needs_sandbox, project
from tests.java_project import method, site_at, snapshot_of

ONE = [Arguments(("1",))]
OPENTEST = "org.opentest4j.AssertionFailedError: "


# ---------------------------------------------------------------- statements that are left out


@pytest.mark.parametrize(
    ("lines", "wrong", "left"),
    [
        (["a();", "b();"], [3], ["b();"]),
        (["int i = a();", "b();", "c(i);", "d.i();"], [3], ["b();", "d.i();"]),
        (["int i = a();", "int j = i;", "c(j);", "b();"], [3], ["b();"]),
        (["for (X x : all()) {", "    a(x);", "}", "b();"], [3], ["b();"]),
        (
            ["for (X x : all) {", "    a(x);", "    b();", "}"],
            [4],
            ["for (X x : all) {", "    b();", "}"],
        ),
        (["try (R r = new R()) {", "    a(r);", "}", "b();"], [3], ["b();"]),
        (["run(() -> {", "    a();", "    b();", "});"], [4], ["run(() -> {", "    b();", "});"]),
        (["a(", "    1,", "    x);", "b();"], [4], ["b();"]),
        (["int i;", "i = 3;", "b();"], [3], ["b();"]),
    ],
)
def test_a_statement_goes_with_all_that_needs_it(lines: list[str], wrong: list[int], left):
    assert without_lines(method(*lines), wrong)[0] == method(*left)


@pytest.mark.parametrize("line", [1, 2, 4, 9])
def test_a_line_that_is_of_no_statement_leaves_the_test_as_it_was(line: int):
    text = method("a();")
    assert without_lines(text, [line]) == (text, 0)


# ---------------------------------------------------------------- values that are settled


@pytest.mark.parametrize(
    ("statement", "failure", "now"),
    [
        ("assertEquals(1, a());", "expected: <1> but was: <2>", "assertEquals(2, a());"),
        ("assertEquals(-1L, a());", "expected: <-1> but was: <7>", "assertEquals(7L, a());"),
        ('assertEquals("x", a());', "expected: <x> but was: <>", 'assertEquals("", a());'),
        ('assertEquals("x", a());', "expected: <x> but was: <null>", "assertNull(a());"),
        (
            'assertEquals("x", a());',
            'expected: <x> but was: <"\n\\>',
            'assertEquals("\\"\\n\\\\", a());',
        ),
        (
            "assertEquals(true, a());",
            "expected: <true> but was: <false>",
            "assertEquals(false, a());",
        ),
        (
            'assertEquals(1, a(), "why");',
            "why ==> expected: <1> but was: <2>",
            'assertEquals(2, a(), "why");',
        ),
        (
            'assertMoney("1 EUR", a());',
            "expected: <1 EUR> but was: <2 EUR>",
            'assertMoney("2 EUR", a());',
        ),
        (
            "assertEquals(0.0, a(), 0.0);",
            "expected: <0.0> but was: <-2.5E-4>",
            "assertEquals(-2.5E-4, a(), 0.0);",
        ),
        (
            "assertEquals(-0.5f, a(), 1e-6f);",
            "expected: <-0.5> but was: <2.0>",
            "assertEquals(2.0f, a(), 1e-6f);",
        ),
        (
            'assertEquals("[]", a().toString());',
            "expected: <[]> but was: <[1, 2]>",
            'assertEquals("[1, 2]", a().toString());',
        ),
        ("assertEquals(1, a());", "expected [1] but found [3]", "assertEquals(3, a());"),
        ("assertEquals(null, a());", "expected: <null> but was: <at>", 'assertEquals("at", a());'),
        ('assertEquals("", a());', "expected: <> but was: <null>", "assertNull(a());"),
        (
            'assertEquals("", a(), b);',
            "expected: <> but was: <null>",
            "assertEquals(null, a(), b);",
        ),
        ("assertTrue(a());", "expected: <true> but was: <false>", "assertFalse(a());"),
        ("assertNotNull(a());", "expected: not <null>", "assertNull(a());"),
    ],
)
def test_a_literal_gives_way_to_what_came(statement: str, failure: str, now: str):
    found = settled(method(statement), 3, OPENTEST + failure)
    assert found is not None
    assert found[0] == method(now)


def test_junit_4_marks_where_two_texts_differ():
    failure = "org.junit.ComparisonFailure: expected:<a[b]c> but was:<a[x]c>"
    found = settled(method('assertEquals("abc", a());'), 3, failure)
    assert found is not None
    assert found[0] == method('assertEquals("axc", a());')
    failure = "junit.framework.ComparisonFailure: expected:<[]> but was:<[[1, 2]]>"
    found = settled(method('assertEquals("", a());'), 3, failure)
    assert found is not None
    assert found[0] == method('assertEquals("[1, 2]", a());')


@pytest.mark.parametrize(
    ("statement", "failure"),
    [
        ("assertEquals(a(), b());", OPENTEST + "expected: <1> but was: <2>"),
        ("assertEquals(1, a());", OPENTEST + "expected: <1> but was: <shop.Cart@12>"),
        ('assertEquals("", a());', OPENTEST + "expected: <> but was: <[shop.Cart@1b2c3d]>"),
        ("assertEquals(b(), a(), 0.0);", OPENTEST + "expected: <0.0> but was: <5.0>"),
        ("assertEquals(0.0, a(), 0.0);", OPENTEST + "expected: <0.0> but was: <NaN>"),
        ("assertEquals(1L, a());", OPENTEST + "expected: <1> but was: <2.5>"),
        ('assertEquals("", a());', OPENTEST + f"expected: <> but was: <{'a' * 201}>"),
        ('assertEquals("", a());', OPENTEST + f"expected: <> but was: <{date.today()}T10:00>"),
        (
            'assertEquals("", a());',
            OPENTEST + f"expected: <> but was: <in {Path(__file__).parent}>",
        ),
        ("assertEquals(1, a());", "java.lang.IllegalStateException: expected: <1> but was: <2>"),
        (
            'assertEquals("abc", a());',
            "org.junit.ComparisonFailure: expected:<...[b]c> but was:<...[x]c>",
        ),
        ("a();", OPENTEST + "expected: <1> but was: <2>"),
    ],
)
def test_what_is_no_literal_of_that_value_is_left(statement: str, failure: str):
    assert settled(method(statement), 3, failure) is None


def test_an_exception_of_the_focal_method_is_expected():
    text = method("Cart cart = new Cart();", "int sum = cart.add(-1);", "assertEquals(1, sum);")
    failure = "java.lang.IllegalArgumentException: a price below zero (CartTest.java:9)"
    assert thrown(text, 4, failure, add()) == (
        method(
            "Cart cart = new Cart();",
            "assertThrows(IllegalArgumentException.class, () -> cart.add(-1));",
        ),
        "IllegalArgumentException thrown",
    )


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        (3, "java.lang.IllegalStateException: of the constructor"),
        (4, "java.lang.NullPointerException: the test's own fault"),
        (4, OPENTEST + "expected: <1> but was: <2>"),
        (4, "java.nio.file.FileSystemException: out.csv: Read-only file system"),
        (4, "java.io.FileNotFoundException: out.csv (Permission denied)"),
        (4, "java.net.UnknownHostException: example.com"),
        (4, 'java.io.IOException: Cannot run program "ls": error=1, Operation not permitted'),
    ],
)
def test_other_exceptions_are_not_expected(line: int, failure: str):
    text = method("Cart cart = new Cart();", "int sum = cart.add(-1);")
    assert thrown(text, line, failure, add()) is None


@pytest.mark.parametrize(
    ("argument", "before", "given"),
    [
        ("parse(text)", ["int price = parse(text);"], "price"),
        ("new int[] {-1}[0]", [], "new int[] {-1}[0]"),
        ("price.of(1)", [], "price.of(1)"),
    ],
)
def test_what_an_argument_calls_is_called_before(argument: str, before: list[str], given: str):
    text = method("Cart cart = new Cart();", f"int sum = cart.add({argument});")
    expected = f"assertThrows(java.io.IOException.class, () -> cart.add({given}));"
    found = thrown(text, 4, "java.io.IOException: gone (CartTest.java:9)", add())
    assert found is not None
    assert found[0] == method("Cart cart = new Cart();", *before, expected)


def test_what_one_of_many_arguments_calls_stays():
    many = msgspec.structs.replace(add(), parameters=(Parameter("int...", "prices"),))
    text = method("int sum = cart.add(1, two());")
    found = thrown(text, 3, "java.io.IOException: gone (CartTest.java:9)", many)
    assert found is not None
    assert found[0] == method("assertThrows(java.io.IOException.class, () -> cart.add(1, two()));")


def test_a_name_that_means_another_exception_is_written_in_full():
    imports = (
        "import java.util.concurrent.*;\nimport other.IllegalStateException;\nimport org.junit"
    )
    symbols = site_of("Cart#add", TESTS.replace("import org.junit", imports, 1)).symbols
    assert (
        symbols.short_name("java.lang.IllegalStateException") == "java.lang.IllegalStateException"
    )
    assert symbols.short_name("other.IllegalStateException") == "IllegalStateException"
    assert symbols.short_name("java.util.concurrent.TimeoutException") == "TimeoutException"
    assert symbols.short_name("java.net.BindException") == "BindException"  # is imported
    assert symbols.short_name("zoo.GoneException") == "zoo.GoneException"
    inner = TESTS.replace("class CartTest {", "class CartTest {\n class BindException { }", 1)
    symbols = site_of("Cart#add", inner).symbols
    assert symbols.short_name("java.net.BindException") == "java.net.BindException"


def test_the_file_s_imports_say_how_an_exception_is_named():
    imports = "import java.io.*;\nimport java.net.ConnectException;\nimport org.junit"
    symbols = site_of("Cart#add", TESTS.replace("import org.junit", imports, 1)).symbols
    scope = symbols.scope
    short = ["java.io.IOException", "java.net.ConnectException", "shop.Gone", "java.lang.Error"]
    assert all(map(scope.names, short))
    assert not any(map(scope.names, ["java.net.BindException", "java.io.sub.Gone"]))
    text = method("Cart cart = new Cart();", "int sum = cart.add(-1);")
    found = thrown(text, 4, "java.io.IOException: gone", add(), symbols.short_name)
    assert found is not None
    assert "assertThrows(IOException.class" in found[0]


def test_what_is_given_null_may_throw_a_null_pointer_exception():
    failure = "java.lang.NullPointerException: price"
    found = thrown(method("Cart.of(null);"), 3, failure, focal_of("Cart#of"))
    assert found is not None
    assert "assertThrows(NullPointerException.class, () -> Cart.of(null));" in found[0]
    assert thrown(method("Cart.of(price);"), 3, failure, focal_of("Cart#of")) is None


OTHER = "Unexpected exception type thrown, expected: <java.io.IOException> but was: <{}>"


@pytest.mark.parametrize("said", [OTHER, OTHER.replace("U", "u").replace(",", ";")])
def test_the_exception_that_came_is_expected(said: str):
    text = method("assertThrows(IOException.class, () -> cart.add(1));")
    failure = OPENTEST + said.format("java.lang.IllegalStateException")
    assert thrown_instead(text, 3, failure, add(), lambda full: full.rpartition(".")[2]) == (
        method("assertThrows(IllegalStateException.class, () -> cart.add(1));"),
        "IllegalStateException.class for IOException.class",
    )


@pytest.mark.parametrize(
    ("line", "came"),
    [
        (2, "java.lang.IllegalStateException"),
        (3, "java.lang.NullPointerException"),
        (3, "java.net.UnknownHostException"),
        (3, "org.opentest4j.AssertionFailedError"),
        (3, "java.lang.ExceptionInInitializerError"),
        (3, "org.mockito.exceptions.misusing.UnnecessaryStubbingException"),
    ],
)
def test_an_exception_that_says_nothing_of_the_method_is_not_expected(line: int, came: str):
    text = method("assertThrows(IOException.class, () -> cart.add(1));")
    assert thrown_instead(text, line, OPENTEST + OTHER.format(came), add(), str) is None


@pytest.mark.parametrize(
    "statement",
    [
        "Integer.parseInt(cart.add(-1));",
        "assertEquals(x, cart.add(-1).trim());",
        "assertEquals(next(), cart.add(-1));",
        "assertThrows(Gone.class, () -> cart.add(-1));",
        "if (cart.add(-1) > 0) { }",
    ],
)
def test_what_another_call_may_have_thrown_is_not_expected(statement: str):
    failure = "java.lang.IllegalArgumentException: below zero"
    assert thrown(method(statement), 3, failure, add()) is None


@pytest.mark.parametrize("given", ["y == null ? 1 : 2", "y.z(null)", "null == y"])
def test_only_null_itself_makes_a_null_pointer_exception_tell(given: str):
    text = method(f"Cart.of({given});")
    assert thrown(text, 3, "java.lang.NullPointerException", focal_of("Cart#of")) is None


def test_an_assertion_gives_way_to_the_exception_of_the_call_in_it():
    text = method("assertEquals(1, cart.add(-1));")
    found = thrown(text, 3, "java.lang.IllegalStateException: gone", add())
    assert found is not None
    expected = "assertThrows(IllegalStateException.class, () -> cart.add(-1));"
    assert found[0] == method(expected)


@pytest.mark.parametrize(
    ("target", "statements", "failure", "changed"),
    [
        ("total", "assertEquals(DATA, cart.total());", "expected: <a> but was: <7>", "7, cart"),
        ("total", "assertEquals(sum(), cart.total());", "expected: <1> but was: <7>", "7, cart"),
        ("total", "assertEquals(cart.total(), DATA);", "expected: <7> but was: <a>", "total(), 7)"),
        (
            "total",
            "int a = cart.total(); assertEquals(b, a);",
            "expected: <1> but was: <7>",
            "7, a",
        ),
        ("total", 'assertEquals("a", b, cart.total());', "expected: <1> but was: <7>", ", 7, cart"),
        ("total", "assertEquals(cart.total(), b);", "expected [1] but found [7]", "total(), 7)"),
        ("name", "assertEquals(DATA, cart.name());", "expected: <a> but was: <b c>", '"b c", cart'),
        ("name", "assertEquals(DATA, cart.name());", "expected: <a> but was: <null>", "Null(cart"),
        ("open", "assertEquals(DATA, cart.open());", "expected: <a> but was: <true>", "true, cart"),
        ("size", "assertEquals(DATA, cart.size());", "expected: <2> but was: <3>", "3L, cart"),
    ],
)
def test_what_a_call_is_compared_with_gives_way_to_what_came(
    target: str, statements: str, failure: str, changed: str
):
    others = "String name() { } boolean open() { } long size() { } Cart next() { }"
    snapshot = snapshot_of({SHOP: SOURCE.rstrip().removesuffix("}") + others + "}"})
    found = settled(method(statements), 3, OPENTEST + failure, focal(snapshot, f"Cart#{target}")[1])
    assert found is not None
    assert changed in found[0]


@pytest.mark.parametrize(
    "statement",
    [
        "assertEquals(DATA, cart.next());",
        "assertEquals(DATA, cart.total() + 1);",
        "assertEquals(DATA, other);",
        "assertSame(DATA, cart.total());",
    ],
)
def test_other_comparisons_stay(statement: str):
    others = "Cart next() { }"
    snapshot = snapshot_of({SHOP: SOURCE.rstrip().removesuffix("}") + others + "}"})
    target = "next" if "next" in statement else "total"
    of = focal(snapshot, f"Cart#{target}")[1]
    assert settled(method(statement), 3, OPENTEST + "expected: <1> but was: <2>", of) is None


def test_variables_that_nothing_uses_any_more_go():
    before = method(
        "int want = 1;", "Cart cart = new Cart(want);", "int sum = cart.add(1);", "int idle = 2;",
        "Cart kept = Cart.of(cart.total());", "assertEquals(sum, kept);",
    )  # fmt: skip
    after = before.replace("assertEquals(sum, kept)", "assertEquals(3, total)")
    assert without_unused(after, before, add()) == method(
        "Cart cart = new Cart(want);", "cart.add(1);", "int idle = 2;", "Cart.of(cart.total());",
        "assertEquals(3, total);",
    ).replace("Cart cart", "int want = 1;\n    Cart cart")  # fmt: skip
    alone = method("int want = 1;", "Cart cart = new Cart(want);", "assertEquals(3, total);")
    assert without_unused(alone, before, add()) == method("assertEquals(3, total);")
    made = msgspec.structs.replace(add(), returns=None, name="Cart")
    assert "    new Cart(want);" in without_unused(alone, before, made)


def add() -> Method:
    return focal_of("Cart#add")


def focal_of(target: str) -> Method:
    return focal(snapshot_of({SHOP: SOURCE}), target)[1]


def focal(snapshot: Snapshot, target: str) -> tuple[str, Method]:
    return resolve_target(snapshot, target)


# ---------------------------------------------------------------- beginnings

SHOP = "src/main/java/shop/Cart.java"
SOURCE = """package shop;

public class Cart {
    private int total;

    public int add(int price) {
        if (price < 0) {
            throw new IllegalArgumentException("a price below zero");
        }
        return total += price;
    }

    public int total() {
        return total;
    }

    public void clear() {
        total = 0;
    }

    public static Cart of(int total) {
        return new Cart();
    }
}
"""
TESTS = """package shop;

import static org.junit.jupiter.api.Assertions.*;

import org.junit.jupiter.api.Test;

class CartTest {
    @Test
    void totalOfTwo() {
        int first = 3;
        String unused = "x";
        Cart cart = new Cart();
        cart.add(first);
        Cart other;
        assertEquals(3, cart.total());
        Cart late = new Cart();
    }

    @Test
    void inALoop() {
        for (int i = 0; i < 3; i++) {
            Cart inner = new Cart();
        }
    }
}
"""


def site_of(target: str, tests: str = TESTS) -> Site:
    snapshot = snapshot_of({SHOP: SOURCE, "src/test/java/shop/CartTest.java": tests})
    return site_at(snapshot, target)


def begins(target: str, tests: str = TESTS) -> list[Beginning]:
    site = site_of(target, tests)
    return list(beginnings(site, Values(site)))


def test_a_test_begins_with_what_another_needs_for_its_object():
    found = [one.text for one in begins("Cart#add")]
    assert found == [
        "@Test\nvoid add() {\n    Cart cart = new Cart();\n    int result = cart.add",
        "@Test\nvoid add() {\n    Cart late = new Cart();\n    int result = late.add",
        "@Test\nvoid add() {\n    Cart cart = Cart.of(1);\n    int result = cart.add",
    ]


def test_an_object_is_made_where_no_test_makes_one():
    tests = TESTS.replace("Cart", "Chart").replace("class ChartTest", "class CartTest")
    one, other = begins("Cart#add", tests)
    assert "    Cart cart = new Cart();\n    int result = cart.add" in one.text
    assert "    Cart cart = Cart.of(1);\n    int result = cart.add" in other.text
    assert one.note == other.note == "makes its own Cart"


def test_what_stands_most_often_comes_first():
    again = "\n    @Test\n    void again() {\n        Cart late = new Cart();\n    }\n}\n"
    first, second, _ = begins("Cart#add", TESTS.rstrip().removesuffix("}") + again)
    assert "    Cart late = new Cart();" in first.text
    assert "    Cart cart = new Cart();" in second.text


def test_types_within_others_are_told_apart():
    inner = "    public static class Builder { public Builder dear() { return this; } }\n}"
    source = SOURCE.rstrip().removesuffix("}") + inner
    tests = TESTS.replace("Cart late = new Cart();", "Box.Builder box = Box.builder();").replace(
        "Cart other;", "Cart.Builder made = new Cart.Builder();"
    )
    snapshot = snapshot_of({SHOP: source, "src/test/java/shop/CartTest.java": tests})
    site = site_at(snapshot, "Cart.Builder#dear")
    assert [one.text.split("{\n")[1] for one in beginnings(site, Values(site))] == [
        "    Cart.Builder made = new Cart.Builder();\n    Cart.Builder result = made.dear();",
        "    Cart.Builder builder = new Cart.Builder();\n    Cart.Builder result = builder.dear();",
    ]


def test_names_may_hold_a_dollar_sign():
    inner = "public static class %s { public int sum$up() { return 1; } public %s self() {} }"
    inners = "".join(f"    {inner.replace('%s', one)}\n" for one in ("B", "A$B"))
    source = SOURCE.rstrip().removesuffix("}").replace("class Cart", "class Cart$") + f"{inners}}}"
    tests = TESTS.replace("Cart late = new Cart();", "Cart$.A$B b$ = new Cart$.A$B();").replace(
        "Cart other;", "Cart.A$B another = new Cart.A$B();"
    )
    snapshot = snapshot_of({SHOP: source, "src/test/java/shop/CartTest.java": tests})
    site = site_at(snapshot, "Cart$.A$B#sum$up")
    start = next(iter(beginnings(site, Values(site)))).text
    assert start.split("\n")[2:] == [
        "    Cart$.A$B b$ = new Cart$.A$B();",
        "    int result = b$.sum$up();",
    ]
    getters = (Getter("size", "int"),)
    cleared = msgspec.structs.replace(site.focal, returns="void")
    (end, *_) = plain_ends(start, "    b$.clear();", cleared, (), Views(of_owner=getters))
    assert end == "    b$.clear();\n    assertEquals(0, b$.size());\n}"
    assert kind_of_result(site_at(snapshot, "Cart$.A$B#self")) == "Cart$.A$B"


def test_a_field_of_what_declares_the_method_is_called_too():
    source = SOURCE.replace("class Cart", "class Cart implements Sums") + (
        "interface Sums { int add(int price); int total(int rate); }\n"
    )
    tests = TESTS.replace("Cart cart = new Cart();", "Sums other = new Bag();")
    tests = tests.replace("Cart late = new Cart();", "Sums mine = new Cart();")
    tests = tests.replace("class CartTest {", "class CartTest {\n    Sums sums;\n    Cart own;")
    snapshot = snapshot_of({SHOP: source, "src/test/java/shop/CartTest.java": tests})

    def receivers(target: str) -> list[str]:
        site = site_at(snapshot, target)
        called = (one.text.rpartition(" ")[2] for one in beginnings(site, Values(site), most=9))
        return [call.partition(".")[0] for call in called]

    assert receivers("Cart#add") == ["own", "sums", "mine", "cart", "cart"]  # not other, a bag
    assert receivers("Cart#total") == ["own", "cart", "cart"]


def test_what_takes_nothing_is_called():
    found = [one.text.rpartition("\n")[2].strip() for one in begins("Cart#clear")]
    assert found[0] == "cart.clear();"


def test_a_test_is_named_as_its_neighbours_are():
    tests = TESTS.replace("void totalOfTwo", "void testTotalOfTwo").replace("inALoop", "testLoop")
    assert begins("Cart#add", tests)[0].text.startswith("@Test\nvoid testAdd() {")


def test_a_static_method_is_called_by_its_class():
    (one,) = begins("Cart#of")
    assert one.text.endswith("    Cart result = Cart.of")


def test_a_field_of_the_test_class_comes_first():
    tests = TESTS.replace("class CartTest {\n", "class CartTest {\n    Cart basket = new Cart();\n")
    first, *_ = begins("Cart#add", tests)
    assert first.text.endswith("    int result = basket.add")
    assert first.note == "begins with the field basket of CartTest"


def test_variables_that_an_object_is_made_of_come_along():
    tests = TESTS.replace("new Cart();\n        cart", "Cart.of(first);\n        cart", 1)
    first, *_ = (one for one in begins("Cart#add", tests) if "first" in one.text)
    assert "    int first = 3;\n    Cart cart = Cart.of(first);\n" in first.text
    assert "unused" not in first.text


def test_resources_become_variables():
    tests = TESTS.replace("Cart cart = new Cart();", "try (Cart cart = new Cart()) {", 1).replace(
        "Cart late = new Cart();", "}", 1
    )
    first, *_ = begins("Cart#add", tests)
    assert "    Cart cart = new Cart();\n    int result = cart.add" in first.text


def test_a_variable_without_a_type_has_that_of_what_is_made():
    tests = TESTS.replace("Cart cart = new", "var cart = new")
    assert "    var cart = new Cart();\n" in begins("Cart#add", tests)[0].text


def test_plain_ends_say_less_and_less():
    site = site_of("Cart#add")
    start = "void a() {\n    int result = cart.add"
    made = list(plain_ends(f"{start}(sum(2));\n    fail();\n}}", start, site.focal, ONE, Views()))
    assert made == [
        f"{start}(sum(2));\n    assertEquals(0, result);\n}}",
        f"{start}(1);\n    assertEquals(0, result);\n}}",
    ]
    unknown = list(plain_ends(f"{start}(result);\n}}", start, site.focal, ONE, Views()))
    assert unknown == made[1:]
    start = "void a() {\n    new Cart().clear();"  # what it did is seen nowhere
    assert list(plain_ends(start, start, site_of("Cart#clear").focal, (), Views())) == []
    start = "void a() {\n    cart.clear();"
    assert list(plain_ends(start, start, site_of("Cart#clear").focal, (), Views())) == [
        f'{start}\n    assertEquals("", cart.toString());\n}}'
    ]
    start = "void a() {\n    Cart result = Cart.of"
    assert list(plain_ends(start, start, site_of("Cart#of").focal, ONE, Views())) == [
        f'{start}(1);\n    assertEquals("", result.toString());\n}}',
        f"{start}(1);\n    assertNotNull(result);\n}}",
    ]


def test_what_does_something_unseen_does_at_least_not_throw():
    site = site_of("Cart#clear")
    start = "void a() {\n    cart.clear();"
    *_, last = plain_ends(start, start, site.focal, (), Views("junit5"))
    assert last == "void a() {\n    assertDoesNotThrow(() -> cart.clear());\n}"
    assert all("Throw" not in one for one in plain_ends(start, start, site.focal, (), Views()))


def test_what_is_given_may_be_what_the_method_is_called_on():
    start = "void a() {\n    Cart result = cart.with();"
    itself = msgspec.structs.replace(site_of("Cart#clear").focal, returns="Cart")
    getters = (Getter("total", "int"),)
    said = [
        one.removeprefix(f"{start}\n    ").removesuffix(";\n}")
        for one in plain_ends(start, start, itself, (), Views("", (), getters, fluent=True))
    ]
    assert said == [
        'assertEquals("", result.toString())',
        "assertEquals(0, result.total())",
        "assertSame(cart, result)",
        "assertNotNull(result)",
    ]


@pytest.mark.parametrize(
    ("target", "fluent", "of_result"),
    [
        ("Cart#with", True, ["total"]),
        ("Cart#self", True, []),
        ("Cart#base", True, []),
        ("Cart#of", False, ["total"]),
        ("Cart#price", False, ["amount"]),
        ("Cart#clear", False, []),
        ("Cart#text", False, []),
    ],
)
def test_what_a_method_gives_is_looked_at_by_its_type(target: str, fluent: bool, of_result):
    shop = """package shop;
public class Cart<T> extends Base {
    public int total() { return 0; }
    public Cart with(int price) { return this; }
    public T self() { return null; }
    public Base base() { return this; }
    public static Cart of(int price) { return null; }
    public Price price() { return null; }
    public void clear() { }
    public String text() { return ""; }
}
class Base { }
record Price(int amount) { }
"""
    snapshot = snapshot_of({SHOP: shop})
    views = views_of(site_at(snapshot, target))
    assert (views.fluent, [one.name for one in views.of_result]) == (fluent, of_result)


def test_what_was_made_or_done_is_seen_by_getters():
    getters = (Getter("getOwner", "String"), Getter("isEmpty", "boolean"), Getter("rate", "double"))
    site = site_of("Cart#clear")
    start = "void a() {\n    cart.clear();"
    assert next(plain_ends(start, start, site.focal, (), Views(of_owner=getters))) == (
        f'{start}\n    assertEquals("", cart.getOwner());\n    assertTrue(cart.isEmpty());\n'
        "    assertEquals(0.0, cart.rate(), 1e-9);\n}"
    )
    constructor = msgspec.structs.replace(site.focal, returns=None)
    start = "void a() {\n    Cart result = new Cart();"
    ends = list(plain_ends(start, start, constructor, (), Views("testng", getters[:1])))
    assert ends == [
        f'{start}\n    assertEquals(result.getOwner(), "");\n}}',
        f'{start}\n    assertEquals(result.toString(), "");\n}}',
        f"{start}\n    assertNotNull(result);\n}}",
    ]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("Cart#setOwner", ["getOwner", "getCount", "isFull"]),
        ("Cart#clear", ["getCount", "isFull", "getOwner"]),
        ("Cart#Cart", ["isFull", "getCount", "getOwner"]),
        ("Price#Price", ["amount", "name"]),
        ("Draft#title", ["build().getTitle", "pages"]),
        ("Draft#titled", ["build().getTitle", "pages"]),
        ("Gone#Gone", ["getMessage", "code"]),
    ],
)
def test_getters_are_what_others_may_call_and_compare(target: str, found: list[str]):
    shop = """package shop;
public class Cart {
    public Cart(boolean full) { }
    public int getCount() { return 0; }
    public boolean isFull() { return true; }
    public String getOwner() { return ""; }
    public Object getAny() { return null; }
    public int getAt(int place) { return 0; }
    int getHidden() { return 0; }
    public static int getAll() { return 0; }
    public long size() { return 0; }
    public void setOwner(String owner) { }
    public void clear() { }
}
record Price(int amount, String name, Object any) {
    Price { }
}
class Book {
    public String getTitle() { return ""; }
    public int getOther() { return 0; }
}
class Draft {
    private int pages;
    public Draft title(String text) { return this; }
    public Draft titled(String title) { return this; }
    public int pages() { return this.pages; }
    public int counted() { return pages + 1; }
    public Book build() { return null; }
}
class Gone extends RuntimeException {
    private int code;
    public Gone(String message) { super(message); }
    public int code() { return code; }
}
"""
    snapshot = snapshot_of({SHOP: shop})
    site = site_at(snapshot, target)
    assert [one.name for one in views_of(site).of_owner] == found


@pytest.mark.parametrize(
    ("returned", "first"),
    [
        ("double", "assertEquals(0.0, result, 1e-9)"),
        ("char", 'assertEquals("", String.valueOf(result))'),
        ("char[]", 'assertEquals("", new String(result))'),
        ("byte[]", 'assertEquals("", Arrays.toString(result))'),
        ("String[][]", 'assertEquals("", Arrays.deepToString(result))'),
        ("List<String>", 'assertEquals("", result.toString())'),
        ("Iterator<String>", "assertTrue(result.hasNext())"),
        ("java.util.Date", "assertEquals(0L, result.getTime())"),
    ],
)
def test_what_is_asserted_first_goes_by_what_the_method_gives(returned: str, first: str):
    focal = msgspec.structs.replace(site_of("Cart#add").focal, returns=returned, parameters=())
    start = f"void a() {{\n    {returned} result = cart.all();"
    made = list(plain_ends(start, start, focal, (), Views()))
    assert made[0] == f"{start}\n    {first};\n}}"


def test_a_value_compared_with_itself_asserts_nothing():
    site = site_of("Cart#add")
    assert not asserts(method("assertEquals(sum, sum);"), site)
    assert asserts(method("assertEquals(sum, sum);", "assertTrue(sum > 1);"), site)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["assertEquals(1, 1);"], False),
        (['assertEquals("a", "a", "why");'], False),
        (["assertTrue(true);"], False),
        (["assertNotNull(null);"], False),
        (["assertEquals(1, one());"], True),
        (['assertParses("1 EUR", "2 EUR");'], True),  # by a method of the project's
        (["assertRoundTrip(a, a);"], True),
        (["assertSame(Cart.one(), Cart.one());"], True),
        (["assertEquals(it.next(), it.next());"], True),
        (["assertNotSame(a, a);"], True),
        (['fail("not yet");'], True),
        (["try {", "    a();", "} catch (Gone gone) {", "    assertEquals(1, b());", "}"], False),
        (["try {", "    a();", "} catch (Gone gone) {", "    fail();", "}"], False),
        (["try {", "    a();", "    fail();", "} catch (Gone gone) {", "}"], True),
        (["String expected = a();"], False),
        (["thrown.expect(Gone.class);", "a();"], True),
    ],
)
def test_what_says_nothing_asserts_nothing(lines: list[str], says: bool):
    assert asserts(method(*lines), site_of("Cart#add")) is says


def test_a_test_of_constants_alone_is_left_as_it_is():
    text = method("assertEquals(7, 7);")
    (one,) = candidates_of([Completion(text, -1.0, 5, "stop")], site_of("Cart#add"))
    assert (one.text, one.asserts) == (text, False)


@pytest.mark.parametrize(
    "lines",
    [
        ["if (a == null) assertTrue(true);", "assertEquals(1, b);"],
        ["for (int i : all) assertEquals(1, 1);"],
        ["if (a) assertTrue(true); else b();"],
        ["run(() -> assertTrue(true));"],
        ["assertEquals(a, a);"],
        ["assertSame(Cart.one(), Cart.one());"],
    ],
)
def test_what_another_statement_needs_is_not_taken_out(lines: list[str]):
    assert without_empty_words(method(*lines)) == method(*lines)


@pytest.mark.parametrize(
    ("target", "name"),
    [("Cart#toString", "clear"), ("Cart#add", "testHidden"), ("Cart#add", "testClearsAll")],
)
def test_names_of_objects_and_of_private_methods_are_not_taken(target: str, name: str):
    source = SOURCE.rstrip().removesuffix("}")
    source += 'private void hidden() { } public String toString() { return ""; } }\n'
    snapshot = snapshot_of({SHOP: source, "src/test/java/shop/CartTest.java": TESTS})
    site = site_at(snapshot, target)
    text = f"@Test\nvoid {name}() {{\n    assertEquals(1, cart.add(1));\n}}"
    (one,) = candidates_of([Completion(text, -1.0, 5, "stop")], site)
    assert f"void {name}()" in one.text


def test_a_test_of_another_method_keeps_its_name():
    text = "@Test\nvoid testClear() {\n    cart.clear();\n    assertEquals(0, cart.size());\n}"
    (one,) = candidates_of([Completion(text, -1.0, 5, "stop")], site_of("Cart#add"))
    assert "void testClear()" in one.text and not one.calls_focal


@pytest.mark.parametrize(
    ("target", "call", "is_it"),
    [
        ("Cart#add", "cart.add(1)", True),
        ("Cart#add", "cart.add(/* a price */ 1)", True),
        ("Cart#add", 'cart.add(1, "why")', False),
        ("Cart#add", "names.add()", False),
        ("Cart#put", "cart.put(1)", True),
        ("Cart#put", 'cart.put(1, "a", "b")', True),
        ("Cart#put", "cart.put()", False),
        ("Cart#Cart", "new Cart<>(1)", True),
        ("Cart#Cart", "new Cart()", False),
    ],
)
def test_a_method_is_called_with_as_many_arguments_as_it_takes(target: str, call: str, is_it: bool):
    source = SOURCE.rstrip().removesuffix("}")
    source += "int put(int price, String... tags) { return 1; } public Cart(int total) { } }\n"
    snapshot = snapshot_of({SHOP: source, "src/test/java/shop/CartTest.java": TESTS})
    text = method(f"assertNotNull({call});")
    (one,) = candidates_of([Completion(text, -1.0, 5, "stop")], site_at(snapshot, target))
    assert one.calls_focal is is_it


def test_an_exception_that_an_annotation_expects_is_asserted():
    site = site_of("Cart#add")
    assert asserts("@Test(expected = Gone.class)\npublic void a() { b(); }", site)
    assert asserts("@Test(expectedExceptions = Gone.class)\npublic void a() { b(); }", site)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("testClear", "testAdd"),
        ("clear", "add"),
        ("test_clear", "test_add"),
        ("clearsAll", "clearsAll"),
        ("testAdd", "testAdd"),
        ("adds", "adds"),
    ],
)
def test_what_a_model_wrote_is_tidied(name: str, named: str):
    text = (
        f"@Test\nvoid {name}() {{\n    assertEquals(7, 7);\n    assertEquals(1, cart.add(1));\n}}"
    )
    (one,) = candidates_of([Completion(text, -1.0, 5, "stop")], site_of("Cart#add"))
    assert one.text == (f"@Test\nvoid {named}() {{\n    assertEquals(1, cart.add(1));\n}}")
    told = ["left out what compares constants"]
    told += ["named for add, not for a method beside it"] if name != named else []
    assert list(one.notes[: len(told)]) == told
    (as_it_was,) = candidates_of(
        [Completion(text, -1.0, 5, "stop")], site_of("Cart#add"), mend=False
    )
    assert as_it_was.text == text


def test_a_pass_that_does_not_reach_the_method_is_none():
    past = Candidate(
        "a", parses=True, asserts=True, compiles=True, passes=True, reaches_focal=False
    )
    there = Candidate("b", parses=True, asserts=True, compiles=True, passes=True, settled=True)
    assert worth(past) == 2
    assert ranked([past, there]) == (there, past)


@pytest.mark.parametrize("runs", [False, True])
def test_where_no_candidate_is_whole_a_begun_test_is_offered_run_or_not(runs: bool):
    broken = [Candidate("@Test void a( {", parses=False)]

    def go_on(beginning: str) -> Sequence[Completion]:
        return [Completion(f"{beginning}(2);\n    assertEquals(2, result);\n}}", -0.5, 9, "stop")]

    def run(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        compiles = True if runs else None
        return [replace(one, compiles=compiles, passes=compiles) for one in candidates]

    best, *_ = begun(broken, site_of("Cart#add"), go_on=go_on, run=run)
    assert best.parses
    assert "cart.add(2);" in best.text
    assert best.passes is (True if runs else None)


@pytest.mark.parametrize(
    "one", [{"may_compile": False}, {"calls_focal": False}, {"unknown_symbols": ("Crate",)}, {}]
)
def test_where_nothing_is_run_a_begun_test_goes_before_what_can_hardly_be_right(one):
    first = Candidate("@Test void a() { assertEquals(1, b()); }", parses=True, asserts=True, **one)
    best, *rest = begun(
        [first],
        site_of("Cart#add"),
        go_on=lambda begun: [
            Completion(f"{begun}(2);\n    assertEquals(2, result);\n}}", -9, 9, "stop")
        ],
        run=lambda candidates: candidates,
    )
    assert ("cart.add(2);" in best.text) is bool(one)
    assert len(rest) == bool(one)


def test_a_settled_copy_of_a_test_that_is_there_is_not_written():
    body = "Cart cart = new Cart();\n        assertEquals({}, cart.add(2));"
    there = f"    @Test\n    void adds() {{\n        {body.format(2)}\n    }}\n}}\n"
    site = site_of("Cart#add", TESTS.rstrip().removesuffix("}") + there)
    same, other = (
        Candidate(
            f"@Test\nvoid add() {{\n        {body.format(value)}\n}}", parses=True, passes=True
        )
        for value in (2, 3)
    )
    edit, why = edit_of_best(site, [same, other])
    assert edit is None
    assert why is not None and "already" in why
    assert edit_of_best(site, [other])[0] is not None


def test_where_no_value_is_known_nothing_is_given():
    source = SOURCE.replace("int price)", "Price price)")

    def run(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        return [replace(one, compiles=True, passes="add(null)" in one.text) for one in candidates]

    snapshot = snapshot_of({SHOP: source, "src/test/java/shop/CartTest.java": TESTS})
    best, *_ = begun(
        [Candidate("@Test void a( {", parses=False)],
        site_at(snapshot, "Cart#add"),
        go_on=lambda begun: [Completion(f"{begun}(1);\n    fail();\n}}", -0.5, 9, "stop")],
        run=run,
    )
    assert best.passes
    assert "int result = cart.add(null);" in best.text


def test_a_guess_that_nobody_ran_is_told_to_be_one():
    """The model's own end is no test; ours expects what nobody has seen."""
    made = begun(
        [Candidate("@Test void a( {", parses=False)],
        site_of("Cart#add"),
        go_on=lambda begun: [Completion(begun, -0.5, 9, "length")],
        run=lambda candidates: candidates,
    )
    first, broken = made
    assert (first.parses, first.settled, broken.parses) == (True, False, False)
    assert first.notes[0] == "what it expects is a placeholder, for nothing was run"
    assert first.placeholder


@pytest.mark.parametrize(
    ("flavour", "ends"),
    [("junit5", "assertEquals(0, result);"), ("testng", "assertEquals(result, 0);")],
)
def test_testng_has_what_came_first(flavour: str, ends: str):
    start = "void a() {\n    int result = cart.all();"
    nothing = msgspec.structs.replace(site_of("Cart#add").focal, parameters=())
    assert next(plain_ends(start, start, nothing, (), Views(flavour))).endswith(f"{ends}\n}}")


@pytest.mark.parametrize(
    ("returns", "call", "flavour", "now"),
    [
        ("Integer", "assertNull(a);", "junit5", "assertEquals(0, a.intValue());"),
        ("String", "Assertions.assertNull(a);", "junit5", 'Assertions.assertEquals("", a);'),
        ("String", "assertNull(a);", "testng", 'assertEquals(a, "");'),
        ("Float", "assertNull(a);", "junit5", "assertEquals(0.0f, a, 1e-6f);"),
        ("BigInteger", "assertNull(a);", "junit5", 'assertEquals("", a.toString());'),
        ("Object", "assertNull(a);", "junit5", "assertNotNull(a);"),  # no literal says what came
        ("Integer", "assertNull(b);", "junit5", "assertNotNull(b);"),  # not of the method
    ],
)
def test_null_gives_way_to_what_came(returns: str, call: str, flavour: str, now: str):
    adds = msgspec.structs.replace(site_of("Cart#add").focal, returns=returns)
    text = method(f"{returns} a = cart.add(1);", call)
    found = settled(text, 4, f"{OPENTEST}expected: <null> but was: <2>", adds, flavour)
    assert found is not None
    assert found[0] == method(f"{returns} a = cart.add(1);", now)


def test_where_nothing_was_thrown_what_came_is_asserted(site: Site):
    text = method("Cart cart = new Cart();", "assertThrows(Gone.class, () -> cart.add(1));")
    failure = OPENTEST + "Expected shop.Gone to be thrown, but nothing was thrown."
    found = returned(text, 4, failure, site)
    assert found is not None
    assert found[0] == method(
        "Cart cart = new Cart();", "int result = cart.add(1);", "assertEquals(0, result);"
    )
    assert returned(text, 3, failure, site) is None
    assert returned(text.replace("cart.add", "cart.all"), 4, failure, site) is None
    assert returned(text, 4, OPENTEST + "expected: <1> but was: <2>", site) is None


@pytest.fixture
def site() -> Site:
    return site_of("Cart#add")


def test_where_nothing_is_run_whole_candidates_are_enough():
    whole = [Candidate(method("assertTrue(a());"), parses=True, asserts=True)]
    assert begun(whole, site_of("Cart#add"), go_on=fail, run=fail) == tuple(whole)


def fail(_: object) -> Any:
    raise AssertionError("was asked")


# ---------------------------------------------------------------- for real


@needs_sandbox
def test_real_candidates_are_mended_by_what_a_real_run_says(tmp_path):
    shop = project(tmp_path / "shop", data=tmp_path / "data")
    with closing(shop.validator):
        (one,) = tried(shop, "cart.ad(1);\n    cart.add(2);\n    assertEquals(7, cart.total());")
        assert (one.passes, one.settled) == (True, True)
        assert "    cart.add(2);\n    assertEquals(2, cart.total());\n" in one.text
        assert one.notes == (
            "left out 1 statement that failed",
            "expects what the code gives today: 2 for 7",
        )
        (one,) = tried(shop, "cart.add(-2);\n    assertEquals(7, cart.total());")
        assert "assertThrows(IllegalArgumentException.class, () -> cart.add(-2));" in one.text
        assert "assertEquals(0, cart.total());" in one.text


@needs_sandbox
def test_where_nothing_passes_a_test_begins_as_the_projects_own_do(tmp_path):
    shop = project(tmp_path / "shop", data=tmp_path / "data")
    asked = []

    def go_on(beginning: str) -> Sequence[Completion]:
        asked.append(beginning)
        return [Completion(f"{beginning}\n    assertEquals(5, result);\n}}", -0.5, 9, "stop")]

    with closing(shop.validator):
        site = site_at(shop.snapshot, "Cart#total")
        run = shop.runs(site)
        wrong = candidates_of([Completion(method("assertNull(none);"), -1.0, 9, "stop")], site)
        found = begun(run(wrong), site, go_on=go_on, run=run)
    assert len(asked) == 1
    assert "int result = cart.total();" in asked[0]
    assert found[0].passes is True
    assert "assertEquals(0, result);" in found[0].text
    assert found[0].notes == (
        "expects what the code gives today: 0 for 5",
        "begins with the field cart of CartTest",
    )
    assert found[1].compiles is False


def tried(shop: Project, body: str) -> Sequence[Candidate]:
    site = site_at(shop.snapshot, "Cart#add")
    made = candidates_of([Completion(method(body), -1.0, 9, "stop")], site)
    run = shop.runs(site)
    return mended(run(made), site, run)
