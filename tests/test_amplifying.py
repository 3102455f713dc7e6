"""Assertions, and values, with which a test notices more of what its method does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from personalizer.generation import Candidate
from personalizer.generation.rescue.amplifying import amplified, looks
from personalizer.generation.rescue.further import noticing
from personalizer.generation.site import Site
from tests.java_build import CART_TEST, needs_sandbox, project
from tests.java_project import method, site_at, snapshot_of

SHOP = "src/main/java/shop/Cart.java"
SOURCE = """package shop;

import java.util.*;

public class Cart {
    private final List<String> names = new ArrayList<>();
    private int total;
    public int getTotal() { return total; }
    public boolean isEmpty() { return total == 0; }
    public Cart add(String name, int price) {
        names.add(name);
        total += price;
        return this;
    }
    public void write(StringBuilder out, int times) {
        out.append(String.join(",", names));
        out.append(times);
    }
    public List<String> names() { return names; }
    public static int[] doubled(int[] of) {
        of[0] *= 2;
        return of;
    }
    public java.io.Reader reader(int of) {
        names.add("unseen");
        return new java.io.StringReader(String.valueOf(of));
    }
    public void check(int price) {
        if (price < 0) { throw new IllegalArgumentException("below zero"); }
    }
}
"""
TESTS = CART_TEST.replace("cart.total()", "cart.getTotal()")


def site_of(target: str) -> Site:
    snapshot = snapshot_of({SHOP: SOURCE, "src/test/java/shop/CartTest.java": TESTS})
    return site_at(snapshot, target)


@pytest.mark.parametrize(
    ("target", "lines", "more"),
    [
        (  # what a call gives, which was not kept, and what it is called on
            "Cart#add",
            ['cart.add("a", 1);', "assertTrue(true);"],
            {
                "result.toString()": [
                    'Cart result = cart.add("a", 1);',
                    "assertTrue(true);",
                    'assertEquals("", result.toString());',
                ],
                "result.getTotal()": [
                    'Cart result = cart.add("a", 1);',
                    "assertTrue(true);",
                    "assertEquals(0, result.getTotal());",
                ],
                "result.isEmpty()": [
                    'Cart result = cart.add("a", 1);',
                    "assertTrue(true);",
                    "assertTrue(result.isEmpty());",
                ],
                "cart.getTotal()": [
                    'cart.add("a", 1);',
                    "assertTrue(true);",
                    "assertEquals(0, cart.getTotal());",
                ],
                "cart.isEmpty()": [
                    'cart.add("a", 1);',
                    "assertTrue(true);",
                    "assertTrue(cart.isEmpty());",
                ],
            },
        ),
        (  # what was kept is looked at closer, as long as nothing compares it
            "Cart#names",
            ["List<String> found = cart.names();", "assertNotNull(found);"],
            {
                "found.toString()": [
                    "List<String> found = cart.names();",
                    'assertEquals("", found.toString());',
                ],
            },
        ),
        (
            "Cart#names",
            ["List<String> found = cart.names();", "assertEquals(List.of(), found);"],
            {},
        ),
        ("Cart#names", ["assertEquals(List.of(), cart.names());"], {}),
        (
            "Cart#names",
            ["assertNotNull(cart.names());"],
            {
                "result.toString()": [
                    "List<String> result = cart.names();",
                    'assertEquals("", result.toString());',
                ],
            },
        ),
        (  # what became of what it is given
            "Cart#write",
            ["assertDoesNotThrow(() -> cart.write(new StringBuilder(8), 3));"],
            {
                "out.toString()": [
                    "StringBuilder out = new StringBuilder(8);",
                    "cart.write(out, 3);",
                    'assertEquals("", out.toString());',
                ],
            },
        ),
        (
            "Cart#write",
            ["StringBuilder text = new StringBuilder();", "cart.write(text, 3);"],
            {
                "text.toString()": [
                    "StringBuilder text = new StringBuilder();",
                    "cart.write(text, 3);",
                    'assertEquals("", text.toString());',
                ],
            },
        ),
        (
            "Cart#doubled",
            ["assertEquals(2, Cart.doubled(new int[] {1})[0]);"],
            {
                "Arrays.toString(of)": [
                    "int[] of = new int[] {1};",
                    "assertEquals(2, Cart.doubled(of)[0]);",
                    'assertEquals("", Arrays.toString(of));',
                ],
            },
        ),
        (  # what is looked at already, and what was before the call
            "Cart#add",
            [
                "assertEquals(0, cart.getTotal());",
                'Cart one = cart.add("a", 1);',
                'assertEquals("a", one.toString());',
                "assertEquals(1, one.getTotal());",
            ],
            {
                "one.isEmpty()": [
                    "assertEquals(0, cart.getTotal());",
                    'Cart one = cart.add("a", 1);',
                    'assertEquals("a", one.toString());',
                    "assertEquals(1, one.getTotal());",
                    "assertTrue(one.isEmpty());",
                ],
                "cart.getTotal()": [
                    "assertEquals(0, cart.getTotal());",
                    'Cart one = cart.add("a", 1);',
                    'assertEquals("a", one.toString());',
                    "assertEquals(1, one.getTotal());",
                    "assertEquals(0, cart.getTotal());",
                ],
                "cart.isEmpty()": [
                    "assertEquals(0, cart.getTotal());",
                    'Cart one = cart.add("a", 1);',
                    'assertEquals("a", one.toString());',
                    "assertEquals(1, one.getTotal());",
                    "assertTrue(cart.isEmpty());",
                ],
            },
        ),
        (  # what is looked at with something else beside it stays
            "Cart#names",
            ['assertNotNull(cart.names(), "why");'],
            {},
        ),
        (  # of a plain type, too, where nothing but its bounds was seen
            "Cart#getTotal",
            ["int t = cart.getTotal(); // two", "// then", "assertTrue(t > 0);"],
            {
                "t": [
                    "int t = cart.getTotal(); // two",
                    "// then",
                    "assertTrue(t > 0);",
                    "assertEquals(0, t);",
                ],
            },
        ),
        ("Cart#getTotal", ["int t = cart.getTotal();", "assertThat(t).isEqualTo(1);"], {}),
        (  # a comment stays with its statement
            "Cart#names",
            ["cart.names(); // two", "end();"],
            {
                "result.toString()": [
                    "List<String> result = cart.names(); // two",
                    'assertEquals("", result.toString());',
                    "end();",
                ],
            },
        ),
        (  # as the test calls assertions
            "Cart#names",
            ["List<String> a = cart.names();", "Assertions.assertNotNull(a);"],
            {
                "a.toString()": [
                    "List<String> a = cart.names();",
                    'Assertions.assertEquals("", a.toString());',
                ],
            },
        ),
        # Of the methods of that name the one that may be meant.
        ("Cart#add", ["List<String> l = all();", 'l.add("x");', 'l.add(0, "y");'], {}),
        ("Cart#check", ["try {", "    cart.check(-1);", "    fail();", "} catch (A a) {", "}"], {}),
        # Nothing stands behind what throws, nor within another method.
        ("Cart#check", ["assertThrows(RuntimeException.class, () -> cart.check(-1));"], {}),
        ("Cart#names", ["run(() -> { cart.names(); });"], {}),
        ("Cart#names", ["if (a) cart.names();"], {}),
        ("Cart#names", ["cart.other();"], {}),
    ],
)
def test_what_can_be_looked_at_behind_a_call(target: str, lines: list[str], more: dict):
    site = site_of(target)
    getters = {"cart.getTotal()", "cart.isEmpty()"}  # told once, in the first case
    found = {
        look.told: look.text
        for look in looks(method(*lines), site)
        if target == "Cart#add" or look.told not in getters
    }
    assert found == {told: method(*text) for told, text in more.items()}


def test_testng_has_what_came_first_and_lines_keep_their_place():
    tests = TESTS.replace("org.junit.jupiter.api.Assertions", "org.testng.Assert")
    tests = tests.replace("org.junit.jupiter.api.Test", "org.testng.annotations.Test")
    snapshot = snapshot_of({SHOP: SOURCE, "src/test/java/shop/CartTest.java": tests})
    site = site_at(snapshot, "Cart#names")
    text = method("try (Any any = any()) {", "    cart.names();", "    last();", "}")
    first, *_ = looks(text, site)
    assert first.text == method(
        "try (Any any = any()) {",
        "    List<String> result = cart.names();",
        '    assertEquals(result.toString(), "");',
        "    last();",
        "}",
    )


def test_a_look_need_not_begin_with_the_variable_that_it_is_about():
    source = SOURCE.replace("int getTotal()", "char[] getMarks() { return null; } int getTotal()")
    snapshot = snapshot_of({SHOP: source, "src/test/java/shop/CartTest.java": TESTS})
    text = method('Cart result = cart.add("a", 1);', "assertNotNull(result);")
    found = {one.told: one.text for one in looks(text, site_at(snapshot, "Cart#add"))}
    assert "assertNotNull" not in found["new String(result.getMarks())"]


def test_lines_are_indented_as_those_around():
    text = "@Test\nvoid a() {\n\tcart.names();\n}"
    first, *_ = looks(text, site_of("Cart#names"))
    assert "\n\tList<String> result = cart.names();\n\tassertEquals(" in first.text


def weak(text: str) -> Candidate:
    return Candidate(text, parses=True, compiles=True, passes=True, asserts=True)


def test_nothing_is_tried_where_nothing_is_left_or_nothing_passes():
    def never(_: Sequence[Candidate]) -> Sequence[Candidate]:
        raise AssertionError("nothing is to be tried")

    site = site_of("Cart#names")
    text = method("assertNotNull(cart.names());")
    full = replace(weak(text), mutants=2, killed=2)
    failing = replace(weak(text), passes=False)
    for one in (full, failing):
        assert amplified([one], site, look=never, run=never) == (one,)
    assert amplified([], site, look=never, run=never) == ()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("amplified")
    made = project(
        folder / "shop",
        {SHOP: SOURCE, "src/test/java/shop/CartTest.java": TESTS},
        data=folder / "data",
    )
    with closing(made.validator):
        yield made


@needs_sandbox
@pytest.mark.parametrize(
    ("target", "lines", "now", "killed"),
    [
        (
            "Cart#add",
            ['assertNotNull(cart.add("a", 2));'],
            [
                'Cart result = cart.add("a", 2);',
                "assertEquals(2, result.getTotal());",
            ],
            (1, 3),
        ),
        (
            "Cart#write",
            ["assertDoesNotThrow(() -> cart.write(new StringBuilder(), 3));"],
            [
                "StringBuilder out = new StringBuilder();",
                "cart.write(out, 3);",
                'assertEquals("3", out.toString());',
            ],
            (0, 1),
        ),
        (
            "Cart#names",
            ['List<String> names = cart.add("a", 1).names();', "assertNotNull(names);"],
            [
                'List<String> names = cart.add("a", 1).names();',
                'assertEquals(Arrays.asList("a"), names);',
            ],
            (1, 2),  # null is noticed before
        ),
        (
            "Cart#isEmpty",
            ["boolean none = cart.isEmpty();", "assertTrue(none);"],
            ["boolean none = cart.isEmpty();", "assertTrue(none);"],
            None,
        ),
    ],
)
def test_an_assertion_stays_that_notices_more(shop, target, lines, now, killed):
    site = site_at(shop.snapshot, target)
    run = shop.runs(site, mutants=20)
    (before,) = run([weak(method(*lines))])
    assert before.passes, before.failure
    (after,) = amplified([before], site, look=run, run=run)
    assert after.text == method(*now)
    assert after.passes
    assert after.killed >= before.killed
    if killed is not None:
        assert (before.killed, after.killed) == killed
    if now != lines:
        assert after.settled
        assert after.killed > before.killed or killed is None
        more = after.killed - before.killed
        told = rf"looks at \S+ too, which notices {more} more of \d mutants?"
        assert re.fullmatch(told, after.notes[-1])


@needs_sandbox
def test_a_look_that_changes_what_others_see_does_not_stay(shop):
    """What reads a reader takes from those behind it."""
    site = site_at(shop.snapshot, "Cart#reader")
    kept = ["java.io.Reader a = cart.reader(7);", "assertEquals('7', a.read());"]
    run = shop.runs(site, mutants=20)
    text = method(*kept).replace("a.read());", "new java.io.BufferedReader(a).read());")
    text = text.replace("sums() {", "sums() throws Exception {")
    (before,) = run([weak(text)])
    assert before.passes, before.failure
    (after,) = amplified([before], site, look=run, run=run)
    assert after.text == text


# ---------------------------------------------------------------- other values


PARSER = """package shop;

public class Cart {
    public Integer parsed(String text) {
        if (text.isEmpty() || !Character.isDigit(text.charAt(0))) {
            return null;
        }
        return Integer.valueOf(text) + 1;
    }
    public boolean same(String one) {
        return one.hashCode() == 7;
    }
    public int wrapped(String text) {
        return Integer.parseInt(text);
    }
}
"""
PARSER_TEST = CART_TEST.replace("assertEquals(0, cart.total());", "assertNotNull(cart);")


@pytest.fixture(scope="module")
def parser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noticing")
    files = {SHOP: PARSER, "src/test/java/shop/CartTest.java": PARSER_TEST}
    made = project(folder / "shop", files, data=folder / "data")
    with closing(made.validator):
        yield made


def noticed(made, target: str, *lines: str, settled: bool) -> tuple[Candidate, ...]:
    site = site_at(made.snapshot, target)
    run = made.runs(site, mutants=20)
    (before,) = run([replace(weak(method(*lines)), settled=settled)])
    assert before.passes, before.failure
    return noticing([before], site, look=partial(run, mutants=0, anyway=True), run=run)


@needs_sandbox
def test_a_value_is_chosen_for_what_the_test_then_notices(parser):
    before = ['Integer result = cart.parsed("a");', "assertNull(result);"]
    first, second = noticed(parser, "Cart#parsed", *before, settled=True)
    assert second.text == method(*before)
    after = ['Integer result = cart.parsed("1");', "assertEquals(2, result.intValue());"]
    assert first.text == method(*after).replace("sums", "parsed")
    assert first.killed > second.killed
    assert first.notes[-1].startswith('"1" for text: notices ')


@needs_sandbox
def test_a_variable_that_the_value_came_from_goes_with_it(parser):
    before = ['String text = "a".trim();', "Integer result = cart.parsed(text);"]
    first, _ = noticed(parser, "Cart#parsed", *before, "assertNull(result);", settled=True)
    after = ['Integer result = cart.parsed("1");', "assertEquals(2, result.intValue());"]
    assert first.text in (
        method(*after).replace("sums", "parsed"),
        method('"a".trim();', *after).replace("sums", "parsed"),
    )


@needs_sandbox
def test_where_the_method_gives_something_no_exception_is_expected_first(parser):
    """No line of the method was seen to run: an exception of what it called left it."""
    before = 'assertThrows(NumberFormatException.class, () -> cart.wrapped("a"));'
    first, second = noticed(parser, "Cart#wrapped", before, settled=True)
    assert (second.text, second.mutants) == (method(before), None)
    after = ['int result = cart.wrapped("1");', "assertEquals(1, result);"]
    assert first.text == method(*after).replace("sums", "wrapped")
    assert first.killed


GRADED = """package shop;

public class Cart {
    public int grade(int of) {
        int grade = 1;
        if (of > 10) {
            grade = of * 3 + of / 2 - 4;
        }
        if (of < 0) {
            grade = -of * 2;
        }
        return grade;
    }
}
"""


@needs_sandbox
@pytest.mark.parametrize(
    ("other", "value"),
    [("assertNotNull(cart);", "11"), ("assertEquals(346, cart.grade(100));", "-1")],
)
def test_what_no_other_test_of_the_class_notices_counts_first(other, value, tmp_path):
    """Great numbers go through most of the method; where a test is there for them, others do."""
    tests = CART_TEST.replace("assertEquals(0, cart.total());", other)
    files = {SHOP: GRADED, "src/test/java/shop/CartTest.java": tests}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    with closing(made.validator):
        before = ["int result = cart.grade(0);", "assertEquals(1, result);"]
        first, second = noticed(made, "Cart#grade", *before, settled=False)
    assert first.text.splitlines()[2].strip() == f"int result = cart.grade({value});"
    assert (first.new_killed or 0) > (second.new_killed or 0)
    assert f"of {first.mutants} mutants ({first.new_killed} new), " in first.notes[-1]


@needs_sandbox
def test_where_no_value_tells_more_the_test_stays(parser):
    lines = ['boolean result = cart.same("a");', "assertFalse(result);"]
    (only,) = noticed(parser, "Cart#same", *lines, settled=True)
    assert only.text == method(*lines)
    assert only.survivors


@needs_sandbox
def test_where_nothing_was_looked_at_values_are_chosen_with_a_look(parser):
    """Every value passes a test that compares nothing."""
    lines = ['cart.parsed("a");', "assertNotNull(cart);"]
    first, second = noticed(parser, "Cart#parsed", *lines, settled=False)
    assert second.text == method(*lines)
    assert first.killed > second.killed
    assert first.text == method(
        'Integer result = cart.parsed("1");',
        "assertNotNull(cart);",
        "assertEquals(2, result.intValue());",
    ).replace("sums", "parsed")
