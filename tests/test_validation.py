"""Candidates are compiled, run and measured for real."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from indexer import Change, Dependency, Index, Module, Store, Workspace, index_folder
from personalizer.errors import BadInput, Cancelled
from personalizer.generation.site import Site
from personalizer.validation import Check, Unable, Verdict, validator_for
from personalizer.validation.classpath import ClassPaths
from personalizer.validation.frameworks import frameworks_of, measuring
from personalizer.validation.jdk import find_jdk
from personalizer.validation.repositories import Repositories
from tests.java_build import (
    CART,
    CART_TEST,
    JUNIT4,
    JUPITER,
    TESTNG,
    Project,
    needs_java,
    needs_sandbox,
    pom,
    project,
)

HERE = Repositories.of_this_machine()


@pytest.fixture(scope="module")
def cart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = project(tmp_path_factory.mktemp("shop"), data=tmp_path_factory.mktemp("data"))
    yield made
    made.validator.close()


@needs_sandbox
def test_a_test_that_holds_passes_with_the_lines_it_covers(cart):
    verdict = cart.verdict("cart.add(2); assertEquals(2, cart.total());")
    assert (verdict.compiles, verdict.passes, verdict.flaky) == (True, True, False)
    assert verdict.failure is None and verdict.diagnostics == ()
    # The class, its constructor's line included; the throwing line is left.
    assert (verdict.covered_lines, verdict.new_lines) == (5, 3)
    assert verdict.reaches_focal is True
    assert 0 < verdict.seconds < 60


@needs_sandbox
def test_a_test_that_covers_what_others_cover_covers_nothing_new(cart):
    verdict = cart.verdict("assertEquals(0, cart.total());")
    assert (verdict.passes, verdict.new_lines, verdict.reaches_focal) == (True, 0, False)
    assert (verdict.new_branches, verdict.gains) == (0, ())


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "passes", "gains", "left"),
    [
        ("cart.add(2); assertEquals(2, cart.total());", True, (7, 10, 11), (7, 8)),
        ("cart.add(2); assertEquals(3, cart.total());", False, (7, 10, 11), (7, 8)),
        ("cart.add(-2); assertEquals(3, cart.total());", False, (7, 8), (7, 10, 11)),
        ("assertEquals(0, cart.total());", True, (), (7, 8, 10, 11)),
        ("assertEquals(1, cart.total());", False, (), (7, 8, 10, 11)),
    ],
)
def test_what_of_a_method_a_test_adds_and_leaves_is_told_of_failing_ones_too(
    cart, body, passes, gains, left
):
    check = replace(cart.check(f"@Test void generated() {{ {body} }}"), anyway=True)
    verdict = cart.validator.validate([check])[0]
    assert (verdict.passes, verdict.gains, verdict.open_lines) == (passes, gains, left)
    assert verdict.new_branches == ((1 if gains else 0) if passes else None)
    silent = cart.validator.validate([replace(check, anyway=False)])[0]
    assert silent == replace(
        verdict, seconds=silent.seconds, **({} if passes else {"gains": (), "open_lines": ()})
    )


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "most", "noticed"),
    [
        ("cart.add(2); assertEquals(2, cart.total());", 20, (5, 3)),
        ("cart.add(0); assertEquals(0, cart.total());", 20, (5, 2)),
        ("cart.add(2); assertEquals(2, cart.total());", 1, (1, 1)),
        ("cart.add(2); assertEquals(2, cart.total());", 0, (None, 0)),
        ("assertEquals(0, cart.total());", 20, (None, 0)),  # it does not reach the method
        ("cart.add(2); fail();", 20, (None, 0)),
    ],
)
def test_a_test_notices_what_it_looks_at(cart, body, most, noticed):
    """Of the condition, its bound, the message, the sum and the assignment."""
    check = replace(cart.check(f"@Test void generated() {{ {body} }}"), mutants=most)
    verdict = cart.validator.validate([check])[0]
    assert (verdict.mutants, verdict.killed) == noticed
    left = (verdict.mutants or 0) - verdict.killed
    assert len(verdict.survivors) == left
    if left:
        assert "line 8: a constant changed" in verdict.survivors


_SUM = "@Test void generated() { cart.add(2); assertEquals(2, cart.total()); }"
_OTHERS = {
    "sum": _SUM.replace("generated", "sum"),
    "below": "@Test void below() { assertThrows(RuntimeException.class, () -> cart.add(-1)); }",
    "fails": "@Test void fails() { assertEquals(7, cart.total()); }",
    "zero": "@Test void zero() { cart.add(0); }",
    "endless": "@Test void endless() { cart.add(2); while (cart.total() != 2) { } }",
    "slow": "@Test void slow() throws Exception { Thread.sleep(400); }",
    "late": "@Test void late() throws Exception { Thread.sleep(400); }",
    "halts": "@Test void halts() { Runtime.getRuntime().halt(0); }",
    "once": "@Test void once() { var log = java.util.logging.Logger.getGlobal(); "
    "boolean first = log.getLevel() == null; "
    "log.setLevel(java.util.logging.Level.OFF); assertTrue(first); }",
    "itself": _SUM,
    "replaced": _SUM.replace("generated", "replaced"),
    "outdated": "@Test void outdated() { cart.add(2); assertEquals(-2, cart.total()); }",
    "nested": f"@org.junit.jupiter.api.Nested class In {{ {_SUM} }}",
    "after": "@org.junit.jupiter.api.AfterAll static void after() { "
    "Cart other = new Cart(); other.add(2); assertEquals(2, other.total()); }",
    "four": "@org.junit.Test public void four() { cart.add(2); assertEquals(2, cart.total()); }",
    "incompilable": "@Test void incompilable() { nowhere(); }",
}


@needs_sandbox
@pytest.mark.parametrize(
    ("others", "new", "unnoticed"),
    [
        ("", 3, ["the bound of the condition moved", "a constant changed"]),
        ("nobody", 3, ["the bound of the condition moved", "a constant changed"]),
        ("fails", 3, ["the bound of the condition moved", "a constant changed"]),
        # What throws runs no line to its end, as far as it can be seen: it notices all the same.
        ("below", 2, ["the bound of the condition moved", "a constant changed"]),
        ("sum fails", 0, ["the bound of the condition moved", "a constant changed"]),
        ("zero", 2, ["a constant changed"]),
        ("once", 3, ["the bound of the condition moved", "a constant changed"]),
        ("endless", 0, ["the bound of the condition moved", "a constant changed"]),
        ("itself", 3, ["the bound of the condition moved", "a constant changed"]),
        ("replaced", 3, ["the bound of the condition moved", "a constant changed"]),
        ("itself sum", 0, ["the bound of the condition moved", "a constant changed"]),
        ("sum outdated", 0, ["the bound of the condition moved", "a constant changed"]),
        ("nested", 0, ["the bound of the condition moved", "a constant changed"]),
        ("after", 0, ["the bound of the condition moved", "a constant changed"]),
        ("four", 0, ["the bound of the condition moved", "a constant changed"]),
        ("sum incompilable", None, []),
        ("slow", None, []),
        ("late", 3, ["the bound of the condition moved", "a constant changed"]),
        ("endless in vain", None, []),  # some were not tried
        ("halts", None, []),
        ("none passes", None, []),  # it is not known what they look at
    ],
)
def test_what_other_tests_of_the_class_notice_is_not_new(
    others, new, unnoticed, tmp_path, monkeypatch
):
    """Of the condition, its bound, the message, the sum and the assignment, as above."""
    if others == "slow":
        monkeypatch.setattr("personalizer.validation.existing.MUTANTS_SECONDS", 1.2)
    if others == "late":
        monkeypatch.setattr("personalizer.validation.existing.MUTANTS_SECONDS", 60.0)
        monkeypatch.setattr("personalizer.validation.existing.MUTANT_SECONDS", 0.2)
        monkeypatch.setattr("personalizer.validation.trial.MUTANTS_SECONDS", 60.0)
    if "in vain" in others:
        monkeypatch.setattr("personalizer.validation.existing.MUTANT_SECONDS", 5.5)
    tests = CART_TEST.replace("class CartTest", "public class CartTest")
    if others == "nobody":
        tests = tests.replace("@Test", "")
    if others == "none passes":
        tests = tests.replace("assertEquals(0,", "assertEquals(7,")
    added = "".join(_OTHERS[one] for one in others.split() if one in _OTHERS)
    tests = tests[: tests.rindex("}")] + added + "}"
    files = {"src/test/java/shop/CartTest.java": tests, "pom.xml": pom(JUPITER, JUNIT4)}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    check = made.check(_SUM)
    if others == "replaced":
        check = replace(check, replaces="replaced")
    if "itself" in others:
        check = replace(check, source=tests)
    with closing(made.validator):
        (verdict,) = made.validator.validate([replace(check, mutants=20)])
    assert verdict.passes, verdict
    assert (verdict.mutants, verdict.killed, verdict.new_killed) == (5, 3, new)
    assert [one.partition(": ")[2] for one in verdict.unnoticed] == unnoticed
    unknown = others in ("sum incompilable", "halts")
    assert verdict.not_run == ("the existing tests of its class could not be run" * unknown or None)
    assert (verdict.new_lines is None) == unknown
    assert verdict.open_lines == (() if unknown or "below" in others else (7, 8))


@needs_sandbox
def test_what_is_kept_of_the_tests_of_a_class_is_told_of_no_other_question(tmp_path):
    """So the verdicts are the same in whatever order they are asked for."""
    tests = CART_TEST[: CART_TEST.rindex("}")] + _OTHERS["sum"] + _OTHERS["below"] + "}"
    till = "package shop;\n\npublic class Till {\n    public int open() { return 1; }\n}\n"
    files = {"src/test/java/shop/CartTest.java": tests, "src/main/java/shop/Till.java": till}
    body = "cart.add(2); assertEquals(2, cart.total()); assertEquals(1, new Till().open());"

    def verdicts(name: str, *, backwards: bool) -> list[Verdict]:
        made = project(tmp_path / name, files, data=tmp_path / f"{name}-data")
        check = replace(made.check(f"@Test void generated() {{ {body} }}"), mutants=20)
        checks = [
            check,
            replace(check, replaces="sum"),
            replace(check, replaces="below"),
            replace(check, mutants=1),
            replace(check, focal_lines=(13, 15)),
            replace(
                check,
                focal_path="src/main/java/shop/Till.java",
                focal_class="shop.Till",
                focal_lines=(4, 4),
            ),
        ]
        with closing(made.validator):
            told = made.validator.validate(checks[::-1] if backwards else checks)
        return [replace(one, seconds=None) for one in (told[::-1] if backwards else told)]

    forwards = verdicts("forwards", backwards=False)
    assert all(one.passes for one in forwards)
    assert [one.new_killed for one in forwards] == [0, 2, 0, 0, 0, 1]
    assert forwards == verdicts("backwards", backwards=True)


_LATE = """package shop;
public class Cart {
    private int total;
    public void add(int price) {
        while (total < price) {
            total += 1;
        }
        total(3);
    }
    public void total(int unused) { }
    public int total() { return total; }
    static {
        if (java.security.Security.getProperty("shop.begun") == null) {
            try { Thread.sleep(2500); } catch (InterruptedException e) { }
            java.security.Security.setProperty("shop.begun", "yes");
        }
    }
}
"""


@needs_sandbox
def test_the_start_of_a_process_is_no_mutants_fault(tmp_path, monkeypatch):
    """One without an end takes its process with it, and the next begins with what takes long."""
    monkeypatch.setattr("personalizer.validation.trial.MUTANTS_SECONDS", 60.0)
    files = {"src/main/java/shop/Cart.java": _LATE}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    check = made.check("@Test void generated() { cart.add(2); assertNotNull(cart); }")
    with closing(made.validator):
        (verdict,) = made.validator.validate([replace(check, focal_lines=(4, 9), mutants=20)])
    assert verdict.passes
    assert verdict.killed  # at least the sum that adds 0
    after = [one.partition(": ")[2] for one in verdict.survivors if one.startswith("line 8:")]
    assert after == ["3 became 4", "the call of total left out"]


_KINDS = """package shop;
import java.util.*;
public class Cart {
    private int total;
    private static long all;
    public void add(int price) { total = price; }
    public int total() { return total; }
    boolean less(int a) { return a < 3; }
    boolean flag(boolean a) { return a; }
    int over(int a) { if (a >= 4) { return -a; } return 0; }
    long all(long a) { all = a; return all; }
    double half(double a) { return a / 2; }
    char first(String a) { return a.charAt(0); }
    String text(Object a) { return String.valueOf(a); }
    String same() { return "a"; }
    Object any(Object a) { return a; }
    Object nil() { return null; }
    int[] some(int a) { return new int[a]; }
    List<String> list(String a) { return Arrays.asList(a); }
    Optional<String> maybe(String a) { return Optional.of(a); }
    void call(List<String> a) { a.clear(); }
    void tell(StringBuilder a) { a.append("b").append('c'); }
    static int noted(List<Long> a) { a.size(); return a.hashCode(); }
    long one() { return 1L; }
    double none(int a) { return Double.NaN; }
    List<String> empty() { return Collections.emptyList(); }
    int mixed(int a) { return a % 7 ^ a >>> 2; }
    void close(Scanner a) { try (Scanner b = a) { b.hasNext(); } }
    void sure(int a) { assert a > 0; }
}
"""


@needs_sandbox
@pytest.mark.parametrize(
    ("name", "call", "changes"),
    [
        ("add", "add(1)", ["the assignment of total left out"]),
        ("total", "total()", ["0 returned"]),
        (
            "less",
            "less(1)",
            [
                "3 became 4",
                "the condition turned round",
                "the bound of the condition moved",
                "1 became 0",
                "0 became 1",
            ],
        ),
        ("flag", "flag(true)", ["true returned", "false returned"]),
        (
            "over",
            "over(5)",
            [
                "4 became 5",
                "the condition turned round",
                "the bound of the condition moved",
                "a sign turned round",
                "0 returned",
                "0 became 1",
            ],
        ),
        ("all", "all(1L)", ["the assignment of all left out", "0 returned"]),
        ("half", "half(1.0)", ["a constant changed", "arithmetic turned round", "0 returned"]),
        ("first", 'first("bc")', ["0 became 1", "0 returned"]),
        ("text", 'text("b")', ["an empty text returned", "null returned"]),
        ("same", "same()", ["a constant changed"]),
        ("any", 'any("b")', ["null returned"]),
        ("nil", "nil()", []),
        ("some", "some(1)", ["null returned"]),
        ("list", 'list("b")', None),
        ("maybe", 'maybe("b")', ["nothing in it returned", "null returned"]),
        ("call", "call(new java.util.ArrayList<>())", ["the call of clear left out"]),
        (
            "tell",
            "tell(new StringBuilder())",
            ["a constant changed", "99 became 100", "the call of append left out"],
        ),
        ("noted", "noted(java.util.List.of(1L))", ["the call of size left out", "0 returned"]),
        ("one", "one()", ["a constant changed"]),
        ("none", "none(1)", ["0 returned"]),  # next to infinite nothing changes
        ("empty", "empty()", ["null returned"]),
        (
            "mixed",
            "mixed(9)",
            ["7 became 8"]
            + ["arithmetic turned round", "2 became 3"]
            + 2 * ["arithmetic turned round"]
            + ["0 returned"],
        ),
        ("close", 'close(new java.util.Scanner("a"))', ["the call of hasNext left out"]),
        ("sure", "sure(1)", ["the bound of the condition moved"]),  # turned round, it throws
    ],
)
def test_each_kind_of_mutant_runs_and_is_told(kinds, name, call, changes):
    """A test that looks at nothing notices none, whichever way it is changed."""
    line = next(n for n, one in enumerate(_KINDS.splitlines(), 1) if f" {name}(" in one)
    check = kinds.check(f"@Test void generated() {{ try {{ cart.{call}; }} finally {{ }} }}")
    check = replace(check, focal_lines=(line, line), mutants=20)
    (verdict,) = kinds.validator.validate([check])
    assert verdict.passes
    if changes is None:  # a list is made by an array with numbers in it
        assert f"line {line}: nothing in it returned" in verdict.survivors
        assert f"line {line}: null returned" in verdict.survivors
    else:
        assert list(verdict.survivors) == [f"line {line}: {change}" for change in changes]
    assert verdict.killed == {"list": 2, "sure": 1}.get(name, 0)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    made = project(folder / "shop", {"src/main/java/shop/Cart.java": _KINDS}, data=folder / "data")
    yield made
    made.validator.close()


@needs_sandbox
def test_what_an_annotation_holds_is_no_call(cart):
    body = '@org.junit.jupiter.api.DisplayName("a") @Test void generated() { cart.add(1); '
    verdict = cart.validator.validate([cart.check(f"{body} assertEquals(1, cart.total()); }}")])[0]
    assert set(verdict.calls) == {"add(int)", "assertEquals(int,int)", "total()"}


@needs_sandbox
def test_mutants_without_an_end_are_noticed_and_ended(tmp_path):
    counter = """package shop;
public class Cart {
    private int total;
    public void add(int price) {
        while (total < price) {
            total += 1;
            note(2.5, 7L);
        }
    }
    private static void note(double a, long b) { }
    public int total() { return total; }
}
"""
    made = project(
        tmp_path / "shop", {"src/main/java/shop/Cart.java": counter}, data=tmp_path / "data"
    )
    try:
        check = made.check("@Test void generated() { cart.add(2); assertEquals(2, cart.total()); }")
        verdict = made.validator.validate([replace(check, focal_lines=(4, 9), mutants=20)])[0]
        # Noticed: the condition and its bound; the 1 that became 0, the sum and the assignment,
        # with each of which it never ends. Not: both numbers and the call of what does nothing,
        # if time is left for them.
        assert verdict.passes is True
        assert verdict.killed == 5
        assert verdict.mutants in range(5, 9)
        assert not any("became" in one for one in verdict.survivors)
        assert made.verdict("cart.add(2); assertEquals(2, cart.total());").passes is True
    finally:
        made.validator.close()


@needs_sandbox
def test_a_failing_assertion_is_told_with_its_line(cart):
    verdict = cart.verdict("assertEquals(3, cart.total());")
    assert verdict.passes is False
    line = CART_TEST.count("\n", 0, CART_TEST.rindex("}")) + 2
    assert verdict.failure == (
        f"org.opentest4j.AssertionFailedError: expected: <3> but was: <0> (CartTest.java:{line})"
    )


@needs_java
def test_what_does_not_compile_is_told_with_line_and_column(cart):
    verdict = cart.verdict("cart.remove(2);")
    assert (verdict.compiles, verdict.passes) == (False, None)
    (one,) = verdict.diagnostics
    assert "cannot find symbol" in one.message and "remove(int)" in one.message
    line = cart.check("@Test void generated() {}").source.splitlines()[one.line - 1]
    assert one.column >= 1
    assert (one.kind, "generated" in line) == ("error", True)


@needs_sandbox
@pytest.mark.parametrize(
    ("annotations", "body", "failure"),
    [
        ("@Test @org.junit.jupiter.api.Disabled", "", "it was skipped"),
        ("@Test", "org.junit.jupiter.api.Assumptions.assumeTrue(false);", "it was skipped"),
        ("", "", "no annotation"),
        ("@org.junit.jupiter.api.RepeatedTest(3)", "cart.add(1);", None),
        (
            "@org.junit.jupiter.params.ParameterizedTest "
            "@org.junit.jupiter.params.provider.ValueSource(ints = {1, 2})",
            "cart.add(x); assertEquals(x, cart.total());",
            None,
        ),
        (
            "@Test",
            "assertThrows(IllegalArgumentException.class, () -> cart.add(-1));",
            None,
        ),
        ("@Test", "throw new IllegalStateException();", "java.lang.IllegalStateException"),
        ("@Test", "assert cart.total() == 1 : 7;", "java.lang.AssertionError: 7"),
        ("@Test", "int a = 1; { int b = a; if (b == 1) return; } fail();", None),
    ],
)
def test_tests_of_many_kinds_run_as_a_build_runs_them(cart, annotations, body, failure):
    parameters = "int x" if "Parameterized" in annotations else ""
    check = cart.check(f"{annotations} void generated({parameters}) {{ {body} }}")
    verdict = cart.validator.validate([check])[0]
    assert verdict.compiles is True, verdict.diagnostics
    if failure is None:
        assert verdict.passes is True, verdict
    else:
        assert verdict.passes is False and failure in (verdict.failure or "")


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("use();", "java.lang.ExceptionInInitializerError"),
        (
            "try { use(); } catch (Error once) { } use();",
            "java.lang.NoClassDefFoundError: Could not initialize class shop.CartTest$Prices",
        ),
    ],
)
def test_a_class_that_could_not_be_begun_is_told_with_its_cause(cart, body: str, told: str):
    prices = "static class Prices { static int first = Integer.parseInt(String.valueOf(1.5)); }"
    test = f"@Test void generated() {{ {body} }} void use() {{ assertEquals(1, Prices.first); }}"
    (verdict,) = cart.validator.validate([cart.check(f"{prices} {test}")])
    failure = verdict.failure or ""
    assert failure.startswith(told)
    assert 'java.lang.NumberFormatException: For input string: "1.5"' in failure
    assert failure.endswith("(CartTest.java:15)")


@needs_sandbox
def test_a_test_that_passes_once_and_fails_once_is_flaky(cart):
    verdict = cart.verdict(
        """var log = java.util.logging.Logger.getGlobal();
        boolean first = log.getLevel() == null;
        log.setLevel(java.util.logging.Level.OFF);
        assertTrue(first);"""
    )
    assert (verdict.passes, verdict.flaky) == (False, True), verdict


@needs_sandbox
def test_which_of_several_methods_is_called_is_told(cart):
    verdict = cart.verdict(
        """StringBuilder text = new StringBuilder("a").append(1).append((Object) null);
        java.util.function.Supplier<String> all = text::toString;
        assertEquals("a1null", all.get());"""
    )
    assert verdict.passes is True, verdict
    calls = {"<init>(String)", "append(int)", "append(Object)", "toString()", "get()"}
    assert calls | {"assertEquals(Object,Object)"} == {*verdict.calls}


HOME = 'assertFalse(java.util.TimeZone.getDefault().getID().contains(":30"));'


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "same"),
    [
        ('assertEquals("0.5", String.format("%.1f", 0.5));', False),
        (HOME, False),
        ('assertEquals("0.5", String.valueOf(0.5));', True),
        ('assertEquals("TITLE", "title".toUpperCase());', True),
    ],
)
def test_what_only_this_zone_and_language_give_fails(cart, body: str, same: bool):
    check = cart.check(f"@Test void generated() throws Exception {{ {body} }}")
    verdict = cart.validator.validate([replace(check, elsewhere=True)])[0]
    assert (verdict.passes, verdict.flaky) == (same, not same), verdict
    if not same:
        told = "in another process, time zone or language: org.opentest4j"
        assert (verdict.failure or "").startswith(told)
        assert cart.verdict(body).passes is True
    assert cart.verdict(HOME).passes is True


# Numbers all over the table: its order starts anywhere, so two starts of Java rarely agree.
SALTED = """java.util.Set<Integer> all = java.util.Set.copyOf(
    java.util.stream.IntStream.range(0, 3000).mapToObj(i -> i * 0x9E3779B9)
        .collect(java.util.stream.Collectors.toSet()));
    assertEquals({}, all.toString().hashCode());"""


@needs_sandbox
def test_what_only_this_start_of_java_gives_fails(cart):
    told = cart.verdict(SALTED.format(0)).failure or ""
    came = re.search(r"but was: <(-?\d+)>", told)
    assert came is not None, told
    body = SALTED.format(came[1])
    assert cart.verdict(body).passes is True
    check = cart.check(f"@Test void generated() throws Exception {{ {body} }}")
    verdict = cart.validator.validate([replace(check, elsewhere=True)])[0]
    assert (verdict.passes, verdict.flaky) == (False, True), verdict


@needs_sandbox
def test_a_class_that_is_set_up_only_here_is_no_test_that_cannot_fail(cart):
    check = cart.check(
        """@org.junit.jupiter.api.BeforeEach void here() {
            assertEquals("0.5", String.format("%.1f", 0.5)); }
        @Test void generated() { assertEquals(0, new Cart().total()); }"""
    )
    for _ in range(4):  # whichever of the second run and the twin comes first
        verdict = cart.validator.validate([replace(check, elsewhere=True)])[0]
        assert (verdict.passes, verdict.flaky) == (False, True), verdict
        assert (verdict.failure or "").startswith("in another process, time zone or language")


@needs_sandbox
def test_what_a_test_changes_for_all_is_put_back(cart):
    body = """assertNull(System.getProperty("mark")); System.setProperty("mark", "x");
        assertNotEquals(java.util.Locale.GERMANY, java.util.Locale.getDefault());
        java.util.Locale.setDefault(java.util.Locale.GERMANY);
        assertNotNull(System.out); System.setOut(null);"""
    assert cart.verdict(body).passes is True


@needs_sandbox
def test_a_new_test_class_has_no_existing_tests(cart):
    text = CART_TEST.replace("CartTest", "CartTotalTest")
    check = Check(
        "src/test/java/shop/CartTotalTest.java",
        text,
        "shop.CartTotalTest",
        "totalIsZeroAtFirst",
        "src/main/java/shop/Cart.java",
        "shop.Cart",
        (13, 15),
        mutants=20,
    )
    verdict = cart.validator.validate([check])[0]
    assert (verdict.passes, verdict.covered_lines, verdict.new_lines) == (True, 2, 2)
    assert (verdict.new_killed, verdict.unnoticed) == (0, ("line 14: 0 returned",))


@needs_sandbox
def test_unsaved_code_is_what_tests_see(cart):
    body = "cart.add(2); assertEquals(4, cart.total());"
    with unsaved(cart, "src/main/java/shop/Cart.java", _DOUBLED):
        assert cart.verdict(body).passes is True
    assert cart.verdict(body).passes is False


_DOUBLED = CART.replace("total += price;", "total += 2 * price;")


@contextmanager
def unsaved(made: Project, path: str, text: str) -> Iterator[None]:
    """The project with an unsaved buffer."""
    index = Index()
    saved = index.read(Workspace(made.root))
    made.validator.update(index.apply([Change(path, text.encode())]))
    yield
    made.validator.update(saved)


@needs_sandbox
def test_built_classes_are_believed_as_long_as_they_are_those_of_the_code(tmp_path):
    """Unsaved, saved, and built again, while the same process goes on."""
    made = project(tmp_path / "shop", data=tmp_path / "data")
    file = made.root / "src/main/java/shop/Cart.java"

    def build() -> None:
        folder = made.root / "target/classes"
        folder.mkdir(parents=True, exist_ok=True)
        javac = find_jdk().home / "bin/javac"
        subprocess.run([javac, "-g", "-d", folder, file], check=True)

    def kept() -> tuple[str, int | None]:
        """By which sum a test passes, and how many mutants it is the first to notice."""
        for told, wanted in (("once", 2), ("twice", 4)):
            check = made.check(
                f"@Test void generated() {{ cart.add(2); assertEquals({wanted}, cart.total()); }}"
            )
            (verdict,) = made.validator.validate([replace(check, mutants=20)])
            if verdict.passes:
                return told, verdict.new_killed
        return "neither", None

    with closing(made.validator):
        build()
        assert kept() == ("once", 3)
        with unsaved(made, "src/main/java/shop/Cart.java", _DOUBLED):
            assert kept() == ("twice", 5)
        assert kept() == ("once", 3)
        file.write_text(_DOUBLED)
        made.validator.update(index_folder(made.root, Store())[0])
        assert kept() == ("twice", 5)
        build()
        made.validator.update(index_folder(made.root, Store())[0])
        assert kept() == ("twice", 5)
        file.write_text(CART)
        build()
        made.validator.update(index_folder(made.root, Store())[0])
        assert kept() == ("once", 3)


@needs_java
@pytest.mark.parametrize(
    "changed",
    [
        {"src/main/java/shop/Other.java": "package shop;\nclass Other { }\n"},
        {"pom.xml": "<project/>"},
        {"src/test/resources/prices.txt": "1"},
        {"lib/a.jar": "changed"},
    ],
)
def test_whatever_decides_a_verdict_changes_the_state(tmp_path, changed):
    files = {"lib/a.jar": "jar", "src/test/resources/prices.txt": ""}

    def state(files):
        how = {"data": tmp_path / "data", "class_path": "lib/*"}
        return project(tmp_path / "shop", files, **how).validator.state()

    for path, text in files.items():
        (tmp_path / "shop" / path).parent.mkdir(parents=True)
        (tmp_path / "shop" / path).write_text(text)
    before = state({})
    assert state({}) == before != state(changed)


@needs_java
def test_so_does_what_this_machine_has_and_what_was_saved_since(tmp_path, monkeypatch):
    made = project(tmp_path / "shop", data=tmp_path / "data")
    with closing(made.validator):
        states = [made.validator.state()]
        (made.root / "src/main/java/shop/Cart.java").write_text(_DOUBLED)
        made.validator.update(index_folder(made.root, Store())[0])
        states.append(made.validator.state())
        monkeypatch.setattr("personalizer.validation.sandbox.unavailable", lambda: "not here")
        states.append(made.validator.state())
    monkeypatch.setattr("personalizer.validation.validator.measuring", lambda repositories: {})
    files = {"src/main/java/shop/Cart.java": _DOUBLED}
    states.append(project(made.root, files, data=tmp_path / "data").validator.state())
    assert len({*states}) == 4


@needs_sandbox
def test_saved_code_is_seen_after_an_update(tmp_path):
    made = project(tmp_path / "shop", data=tmp_path / "data")
    body = "cart.add(2); assertEquals(4, cart.total());"
    try:
        assert made.verdict(body).passes is False
        file = made.root / "src/main/java/shop/Cart.java"
        file.write_text(CART.replace("total += price;", "total += 2 * price;"))
        made.validator.update(index_folder(made.root, Store())[0])
        assert made.verdict(body).passes is True
    finally:
        made.validator.close()


@needs_java
def test_a_class_that_was_compiled_is_found_by_those_that_extend_it(tmp_path):
    base = "package shop; class Base { @org.junit.jupiter.api.Test void first() { } }\n"
    other = "package shop; class OtherTest extends Base { void last() { } }\n"
    folder = "src/test/java/shop"
    made = project(
        tmp_path / "shop",
        {f"{folder}/Base.java": base, f"{folder}/OtherTest.java": other},
        data=tmp_path / "data",
    )
    try:
        for name in ("Base", "OtherTest", "Base", "OtherTest"):
            check = made.check(
                "@org.junit.jupiter.api.Test void generated() { first(); }",
                file=f"{folder}/{name}.java",
                test_class=f"shop.{name}",
            )
            verdict = made.validator.validate([check])[0]
            assert verdict.compiles is True, verdict.not_run
    finally:
        made.validator.close()


@needs_sandbox
def test_classes_in_use_outlast_those_of_many_edits(tmp_path, monkeypatch):
    monkeypatch.setattr("personalizer.validation.project._KEPT", 2)
    made = project(tmp_path / "shop", data=tmp_path / "data")
    body = "cart.add(2); assertEquals(2, cart.total());"
    try:
        assert made.verdict(body).passes is True
        for number in range(4):  # each makes one more folder of test classes
            other = f"package shop; class Other {{ static final int NUMBER = {number}; }}"
            with unsaved(made, "src/test/java/shop/Other.java", other):
                assert made.verdict(body).passes is True
        assert made.verdict(body).passes is True
        assert len(list(tmp_path.glob("data/**/.problems"))) <= 3
    finally:
        made.validator.close()


@needs_sandbox
def test_junit_3_and_4_and_testng_run_too(tmp_path):
    four = """package shop; import org.junit.*; public class FourTest {
        @Test public void nothing() {} }"""
    three = """package shop; public class ThreeTest extends junit.framework.TestCase {
        public void testNothing() {} }"""
    ng = """package shop; import org.testng.annotations.*; public class NgTest {
        @Test public void nothing() {} }"""
    files = {
        "pom.xml": pom(JUNIT4, TESTNG),
        "src/test/java/shop/CartTest.java": "",
        "src/test/java/shop/FourTest.java": four,
        "src/test/java/shop/ThreeTest.java": three,
        "src/test/java/shop/NgTest.java": ng,
    }
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    cases = [
        ("Four", "@Test public void generated() { Assert.assertEquals(0, new Cart().total()); }"),
        ("Four", "@Test(expected = Error.class) public void generated() { throw new Error(); }"),
        (
            "Four",
            "@Test(expected = IllegalArgumentException.class) "
            "public void generated() { new Cart().add(-1); }",
        ),
        ("Four", "@Test public void generated() { Assert.fail(); }"),
        ("Three", "public void testGenerated() { assertEquals(0, new Cart().total()); }"),
        ("Three", "public void testGenerated() { assertEquals(1, new Cart().total()); }"),
        ("Ng", "@Test public void generated() { org.testng.Assert.assertEquals(0, 0); }"),
        ("Ng", "@Test public void generated() { org.testng.Assert.assertEquals(0, 1); }"),
    ]
    try:
        checks = [
            made.check(
                method,
                name="testGenerated" if owner == "Three" else "generated",
                file=f"src/test/java/shop/{owner}Test.java",
                test_class=f"shop.{owner}Test",
            )
            for owner, method in cases
        ]
        verdicts = made.validator.validate(checks)
    finally:
        made.validator.close()
    assert [v.passes for v in verdicts] == [True, False, True, False, True, False, True, False], (
        verdicts
    )


@needs_sandbox
def test_tests_of_one_module_use_the_classes_of_another(tmp_path):
    parent = (
        "<parent><groupId>shop</groupId><artifactId>shop</artifactId><version>1</version></parent>"
    )
    child = (
        "<project><modelVersion>4.0.0</modelVersion>" + parent + "<artifactId>{}</artifactId>"
        "<dependencies>{}</dependencies></project>"
    )
    uses = (
        "<dependency><groupId>shop</groupId><artifactId>core</artifactId>"
        "<version>1</version></dependency>"
    )
    files = {
        "pom.xml": pom(JUPITER),
        "src/main/java/shop/Cart.java": "",
        "src/test/java/shop/CartTest.java": "",
        "core/pom.xml": child.format("core", ""),
        "core/src/main/java/shop/Cart.java": CART,
        "core/src/test/java/shop/CoreTest.java": CART_TEST.replace("CartTest", "CoreTest"),
        "web/pom.xml": child.format("web", uses),
        "web/src/test/java/shop/CartTest.java": CART_TEST,
    }
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    check = made.check(
        "@Test void generated() { cart.add(2); assertEquals(2, cart.total()); }",
        file="web/src/test/java/shop/CartTest.java",
    )
    in_core = made.check(
        '@Test void generated() { assertTrue(new java.io.File("pom.xml").getAbsolutePath()'
        '.endsWith("/core/pom.xml")); }',
        file="core/src/test/java/shop/CoreTest.java",
        test_class="shop.CoreTest",
    )
    try:
        verdict, of_core = made.validator.validate([check, in_core])
    finally:
        made.validator.close()
    assert (verdict.passes, verdict.new_lines) == (True, 3), verdict
    assert of_core.passes, of_core  # it starts in the folder of its own module


@needs_sandbox
def test_a_test_of_an_abstract_class_runs_in_a_subclass(tmp_path):
    files = {
        "src/test/java/shop/CartTest.java": "",
        "src/test/java/shop/AbstractCartTest.java": CART_TEST.replace(
            "class CartTest", "abstract class AbstractCartTest"
        ),
        "src/test/java/shop/QuickCheck.java": (
            "package shop;\n\nclass QuickCheck extends AbstractCartTest {\n}\n"
        ),
    }
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    focal = next(m for m in made.snapshot.files["src/main/java/shop/Cart.java"].methods)
    site = Site(made.snapshot, "src/main/java/shop/Cart.java", focal)
    check = site.check("@Test\nvoid grows() { cart.add(2); assertEquals(2, cart.total()); }")
    assert (check.test_class, check.runs_in) == ("shop.AbstractCartTest", "shop.QuickCheck")
    wrong = site.check("@Test\nvoid grows() { assertEquals(2, cart.total()); }")
    try:
        verdict, failing = made.validator.validate([check, wrong])
    finally:
        made.validator.close()
    assert (verdict.passes, verdict.new_lines) == (True, 3), verdict
    assert (failing.failure or "").endswith(f"(AbstractCartTest.java:{wrong.line + 1})"), failing


@needs_sandbox
def test_a_test_passes_where_it_does_in_each_class_that_inherits_it(tmp_path):
    """But for those in which no test passes, whatever it says."""
    body = "{\n    @Override Cart cart() { %s }\n}\n"
    heirs = {
        "EmptyTest": "class EmptyTest extends AbstractCartTest " + body % "return new Cart();",
        "MoreTest": "abstract class MoreTest extends AbstractCartTest { }\n",
        "FullTest": "class FullTest extends MoreTest "
        + body % "Cart cart = new Cart(); cart.add(5); return cart;",
        "DeadTest": "class DeadTest extends AbstractCartTest " + body % "throw new Error();",
    }
    files = {
        "src/test/java/shop/CartTest.java": "",
        "src/test/java/shop/AbstractCartTest.java": CART_TEST.replace(
            "class CartTest", "abstract class AbstractCartTest"
        )
        .replace("cart = new Cart();", "cart = cart();\n\n    abstract Cart cart();")
        .replace("assertEquals(0, cart.total())", "assertNotEquals(7, cart.total())"),
        **{
            f"src/test/java/shop/{name}.java": f"package shop;\n\n{text}"
            for name, text in heirs.items()
        },
    }
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    focal = next(m for m in made.snapshot.files["src/main/java/shop/Cart.java"].methods)
    site = Site(made.snapshot, "src/main/java/shop/Cart.java", focal)
    assert {site.check("@Test\nvoid a() { cart.add(1); }").runs_in, *site.heirs} == {
        "shop.EmptyTest",
        "shop.DeadTest",
        "shop.FullTest",
    }
    bodies = (
        "cart.add(2); assertTrue(cart.total() > 1);",
        "cart.add(2); assertEquals(2, cart.total());",
    )
    checks = [
        replace(
            site.check(f"@Test\nvoid grows() {{ {body} }}"),
            runs_in="shop.EmptyTest",
            also_in=("shop.DeadTest", "shop.FullTest"),
        )
        for body in bodies
    ]
    try:
        holds, fails = made.validator.validate(checks)
    finally:
        made.validator.close()
    assert (holds.passes, fails.passes) == (True, False), (holds, fails)
    assert (fails.failure or "").startswith("in FullTest, which inherits it: "), fails


@needs_sandbox
def test_a_class_that_jacoco_cannot_read_is_tested_without_its_lines(tmp_path):
    """Sealed classes, and enums whose constants have bodies, are of a newer Java than some know."""
    sealed = CART.replace("class Cart {", "sealed class Cart permits Cart.Large {").replace(
        "    private int total;",
        "    static final class Large extends Cart { }\n    private int total;",
    )
    made = project(
        tmp_path / "shop",
        {"pom.xml": pom(JUPITER, java="17"), "src/main/java/shop/Cart.java": sealed},
        data=tmp_path / "data",
    )
    try:
        verdict = made.verdict("cart.add(2); assertEquals(2, cart.total());")
        failing = made.verdict("cart.add(2); assertEquals(3, cart.total());")
    finally:
        made.validator.close()
    assert (verdict.compiles, verdict.passes) == (True, True), verdict
    assert verdict.covered_lines or "JaCoCo cannot read" in (verdict.not_run or ""), verdict
    assert (failing.compiles, failing.passes) == (True, False), failing


@needs_sandbox
def test_a_test_on_which_javac_itself_breaks_does_not_compile(cart):
    verdict = cart.verdict("cart.add(false.one(true.two()));")
    assert verdict.compiles is False
    assert "javac breaks on it" in verdict.diagnostics[0].message
    assert cart.verdict("cart.add(2); assertEquals(2, cart.total());").passes is True


@needs_java
def test_a_project_that_does_not_compile_is_not_the_candidates_fault(tmp_path):
    files = {"src/main/java/shop/Cart.java": CART.replace("return total;", "return totl;")}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    try:
        verdict = made.verdict("assertEquals(0, cart.total());")
    finally:
        made.validator.close()
    assert verdict.passes is not True
    told = f"{verdict.not_run} {verdict.failure}"
    assert "Cart.java" in told or "totl" in told, verdict


@needs_sandbox
def test_broken_files_beside_a_test_do_not_keep_it_from_running(tmp_path):
    files = {
        "src/test/java/shop/Bench.java": "package shop; import no.such.Thing; class Bench {}",
        "src/test/java/shop/Needs.java": "package shop; class Needs { Bench bench; }",
        "src/test/java/shop/Helper.java": "package shop; class Helper { static int two() "
        "{ return 2; } }",
        "src/main/java/shop/Broken.java": "package shop; class Broken { int a() { return b; } }",
    }
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    try:
        verdict = made.verdict("cart.add(Helper.two()); assertEquals(2, cart.total());")
    finally:
        made.validator.close()
    assert verdict.passes is True, verdict


@needs_java
def test_a_test_class_that_does_not_compile_is_not_the_candidates_fault(tmp_path):
    broken = CART_TEST.replace("new Cart()", "new Basket()")
    files = {"src/test/java/shop/CartTest.java": broken}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    try:
        verdict = made.verdict("")
    finally:
        made.validator.close()
    assert (verdict.compiles, verdict.passes) == (None, None)
    assert "CartTest.java does not compile by itself: line 8" in (verdict.not_run or "")


@needs_java
@pytest.mark.parametrize(
    ("libraries", "broken", "why"),
    [
        (
            (JUPITER, ("org.acme", "rockets", "1")),
            "import org.acme.Rocket;\n",
            "not on this machine: org.acme:rockets; {} does not compile by itself: "
            "line 6: package org.acme does not exist",
        ),
        (
            (),
            "",
            "the class path holds no JUnit and no TestNG; {} does not compile by itself: "
            "line 3: package org.junit.jupiter.api does not exist",
        ),
        (
            (JUPITER, ("org.acme", "rockets", "1")),
            "import;\n",
            "{} does not compile by itself: line 6: <identifier> expected",
        ),
    ],
)
def test_a_library_that_is_missing_is_told_before_what_does_not_compile_without(
    tmp_path, libraries, broken, why
):
    path = "src/test/java/shop/CartTest.java"
    text = CART_TEST.replace("\nclass ", f"{broken}\nclass ")
    files = {"pom.xml": pom(*libraries), path: text}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    try:
        verdict = made.verdict("")
    finally:
        made.validator.close()
    assert (verdict.compiles, verdict.not_run) == (None, why.format(path))


@needs_java
def test_no_candidate_in_a_new_class_is_to_blame_where_its_framework_is_missing(tmp_path):
    path = "src/test/java/shop/CartTest.java"
    files = {"pom.xml": pom(), path: ""}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    new = Check(
        path, CART_TEST, "shop.CartTest", "totalIsZeroAtFirst",
        "src/main/java/shop/Cart.java", "shop.Cart", (6, 11),
    )  # fmt: skip
    try:
        (verdict,) = made.validator.validate([new])
    finally:
        made.validator.close()
    lacks = "the class path holds no JUnit and no TestNG"
    why = f"{lacks}; package org.junit.jupiter.api does not exist"
    assert (verdict.compiles, verdict.not_run) == (None, why)


@needs_java
def test_a_broken_test_beside_the_candidate_is_not_its_fault(tmp_path):
    files = {"src/test/java/shop/CartTest.java": CART_TEST.replace("assertEquals(0", "missing(0")}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    try:
        assert made.verdict("").compiles is True
        wrong = made.verdict("missing(1);").diagnostics
    finally:
        made.validator.close()
    assert [one.line for one in wrong] == [15]


@needs_java
def test_without_a_test_framework_candidates_are_compiled_and_not_run(tmp_path):
    text = "package shop; class CartTest { final Cart cart = new Cart(); }"
    files = {"pom.xml": pom(), "src/test/java/shop/CartTest.java": text}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    try:
        verdict = made.validator.validate([made.check("void generated() { cart.add(1); }")])[0]
    finally:
        made.validator.close()
    assert (verdict.compiles, verdict.passes) == (True, None)
    assert verdict.not_run == "the class path holds no JUnit and no TestNG"


@needs_java
@pytest.mark.parametrize(
    ("main", "tests", "newer"),
    [
        ("release", "testRelease", True),
        ("source", "testSource", True),
        ("release", "testSource", False),  # a release is that of tests, too
        ("release", "", False),
    ],
)
def test_tests_are_of_the_language_level_that_the_build_gives_them(tmp_path, main, tests, newer):
    told = pom(JUPITER, java="8").replace("compiler.release", f"compiler.{main}")
    if tests:
        more = f"<maven.compiler.{tests}>11</maven.compiler.{tests}>"
        told = told.replace("<properties>", f"<properties>{more}")
    made = project(tmp_path / "shop", {"pom.xml": told}, data=tmp_path / "data")
    try:
        verdict = made.verdict("var more = cart; assertEquals(0, more.total());")
    finally:
        made.validator.close()
    assert verdict.compiles is newer, verdict


@needs_java
@pytest.mark.parametrize(("main", "tests"), [("8", "11"), ("11", "8")])
def test_a_file_is_compiled_at_the_language_level_of_its_kind(tmp_path, main: str, tests: str):
    more = f"<maven.compiler.testRelease>{tests}</maven.compiler.testRelease>"
    told = pom(JUPITER, java=main).replace("<properties>", f"<properties>{more}")
    made = project(tmp_path / "shop", {"pom.xml": told}, data=tmp_path / "data")
    asserted = "assertEquals(0, cart.total());"
    newer = {
        "src/main/java/shop/Cart.java": CART.replace("total += price;", "var more = price;"),
        "src/test/java/shop/CartTest.java": CART_TEST.replace(asserted, "var more = cart;"),
    }
    try:
        found = [made.validator.compile(path, text) for path, text in newer.items()]
    finally:
        made.validator.close()
    assert [one.compiles for one in found] == [main == "11", tests == "11"], found


@needs_java
def test_a_language_level_above_the_jdk_is_told(tmp_path):
    files = {"pom.xml": pom(JUPITER, java="99")}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    verdict = made.verdict("")
    assert verdict.compiles is None
    assert "written for Java 99" in (verdict.not_run or "")


@needs_sandbox
def test_six_hundred_jars_are_no_trouble(tmp_path):
    folder = tmp_path / "libraries"
    folder.mkdir()
    for number in range(600):
        (folder / f"library-{number}.jar").write_bytes(b"PK\x05\x06" + bytes(18))
    junit = [
        HERE.jar("org.junit.jupiter", f"junit-jupiter-{n}", "5.9.2") for n in ("api", "engine")
    ]
    junit += [HERE.jar("org.junit.platform", "junit-platform-commons", "1.9.1")]
    entries = [*(str(jar) for jar in junit), f"{folder}/*"]
    made = project(tmp_path / "shop", data=tmp_path / "data", class_path=os.pathsep.join(entries))
    try:
        assert made.verdict("assertEquals(0, cart.total());").passes is True
    finally:
        made.validator.close()


@needs_sandbox
def test_a_cancelled_check_ends_at_once_and_the_next_one_works(cart):
    assert cart.verdict("assertEquals(0, cart.total());").passes is True  # all has started
    cancelled = threading.Event()
    threading.Timer(1.5, cancelled.set).start()
    loop = cart.check("@Test void generated() { while (true) { } }")
    with pytest.raises(Cancelled):
        cart.validator.validate([loop], cancelled=cancelled)
    late = time.monotonic()
    with pytest.raises(Cancelled):
        cart.validator.validate([loop], cancelled=cancelled)
    assert time.monotonic() - late < 0.5
    assert cart.verdict("assertEquals(0, cart.total());").passes is True


@needs_sandbox
def test_two_threads_that_ask_at_once_get_their_own_answers(cart):
    answers: dict[int, list[bool | None]] = {}

    def ask(number: int) -> None:
        checks = [
            cart.check(f"@Test void generated() {{ assertEquals({number}, {wanted}); }}")
            for wanted in (0, 1)
        ]
        answers[number] = [v.passes for v in cart.validator.validate(checks)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {0: [True, False], 1: [False, True]}


@needs_sandbox
def test_a_closed_validator_starts_again(cart):
    cart.validator.close()
    assert cart.verdict("assertEquals(0, cart.total());").passes is True


def jdk_at(folder: Path, version: str) -> Path:
    for name in ("java", "javac"):
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / name).touch()
    (folder / "release").write_text(f'JAVA_VERSION="{version}"\n')
    return folder


@pytest.mark.parametrize(("told", "version"), [("17.0.15", 17), ("11", 11), ("21-ea", 21)])
def test_a_jdk_is_found_by_java_home(tmp_path, told, version):
    jdk = find_jdk({"JAVA_HOME": str(jdk_at(tmp_path, told)), "PATH": ""})
    assert (jdk.home, jdk.version) == (tmp_path, version)


def test_an_old_jdk_and_none_at_all_are_told_with_what_to_do(tmp_path):
    old = str(jdk_at(tmp_path, "1.8.0_392"))
    with pytest.raises(BadInput, match=r"version 11 or newer, found 8 in .*: set JAVA_HOME"):
        find_jdk({"JAVA_HOME": old, "PATH": ""})
    with pytest.raises(BadInput, match="found none: install one"):
        find_jdk({"PATH": ""})


def test_a_validator_that_cannot_check_answers_nulls_and_why(tmp_path, monkeypatch):
    monkeypatch.setattr("personalizer.validation.validator.find_jdk", find_none)
    (tmp_path / "A.java").write_text("class A {}")
    snapshot, _ = index_folder(tmp_path, Store())
    made = validator_for(tmp_path, snapshot, {}, trusted=False, data=tmp_path / "data")
    assert isinstance(made, Unable)
    check = Check("A.java", "class A {}", "A", "a", "A.java", "A", (1, 1))
    (verdict,) = made.validate([check])
    assert (verdict.compiles, verdict.passes, verdict.not_run) == (None, None, "no JDK")


def find_none() -> None:
    raise BadInput("no JDK")


# ---------------------------------------------------------------- class paths


def library(root: Path, name: str, needs: str = "") -> None:
    group, artifact, version = name.split(":")
    folder = root / group.replace(".", "/") / artifact / version
    folder.mkdir(parents=True)
    (folder / f"{artifact}-{version}.jar").write_bytes(b"PK\x05\x06" + bytes(18))
    body = ""
    if needs:
        other = needs.split(":")
        body = (
            f"<dependencies><dependency><groupId>{other[0]}</groupId><artifactId>{other[1]}"
            f"</artifactId><version>{other[2]}</version></dependency></dependencies>"
        )
    text = f'<project xmlns="http://maven.apache.org/POM/4.0.0">{body}</project>'
    (folder / f"{artifact}-{version}.pom").write_text(text)


def module(*dependencies: str, tool: str | None = "maven") -> Module:
    found = tuple(Dependency(*name.split(":")) for name in dependencies)
    return Module("", tool, ("src/main/java",), ("src/test/java",), None, found, ())


def class_paths(root: Path, one: Module, *, trusted: bool = False, **files: bytes) -> ClassPaths:
    own = Repositories(maven=(root / "m2",), gradle=(), plain=())
    return ClassPaths(root, [one], files, trusted=trusted, data=root / "data", repositories=own)


def test_a_library_brings_what_it_needs_in_turn(tmp_path):
    library(tmp_path / "m2", "a:one:1.0", needs="b:two:2.0")
    library(tmp_path / "m2", "b:two:2.0")
    library(tmp_path / "m2", "b:two:3.0")
    one = module("a:one:1.0", "c:three:1")
    found = class_paths(tmp_path, one).of(one)
    assert [jar.name for jar in found.jars] == ["one-1.0.jar", "two-2.0.jar"]
    assert (found.origin, found.note) == ("build files", "not on this machine: c:three")


def test_a_plain_folder_uses_the_jars_that_lie_in_it(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.jar").touch()
    one = module(tool=None)
    assert class_paths(tmp_path, one).of(one).jars == (tmp_path / "lib" / "a.jar",)


FAKE_MAVEN = """#!/bin/sh
echo "$@" >> {root}/asked
echo "[INFO] --- maven-dependency-plugin:3.6:build-classpath (default-cli) @ shop ---"
echo "[INFO] Dependencies classpath:"
echo "{root}/m2/a.jar:{root}/m2/b.jar"
"""
FAKE_GRADLE = """#!/bin/sh
echo "$@" >> {root}/asked
printf 'personalizer-class-path\\t%s\\t%s\\n' "{root}" "{root}/m2/a.jar:{root}/m2/b.jar"
"""


@pytest.mark.parametrize(
    ("tool", "command", "script"),
    [("maven", "mvn", FAKE_MAVEN), ("gradle", "gradle", FAKE_GRADLE)],
)
def test_a_trusted_build_is_asked_once_and_offline(tmp_path, monkeypatch, tool, command, script):
    (tmp_path / "bin").mkdir()
    (tmp_path / "m2").mkdir()
    for name in ("a", "b"):
        (tmp_path / "m2" / f"{name}.jar").touch()
    (tmp_path / "bin" / command).write_text(script.format(root=tmp_path))
    (tmp_path / "bin" / command).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    one = module(tool=tool)
    files = {"pom.xml": b"<project><artifactId>shop</artifactId></project>"}

    untrusted = class_paths(tmp_path, one, **files).of(one)
    assert (untrusted.origin, untrusted.jars) == ("build files", ())
    assert not (tmp_path / "asked").exists()
    for _ in range(2):
        found = class_paths(tmp_path, one, trusted=True, **files).of(one)
        assert found.origin == tool
        assert [jar.name for jar in found.jars] == ["a.jar", "b.jar"]
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 1 and ("-o " in asked[0] or "--offline" in asked[0])
    class_paths(tmp_path, one, trusted=True, **files, other=b"").of(one)
    assert len((tmp_path / "asked").read_text().splitlines()) == 2


def test_a_build_that_fails_is_told_and_its_files_are_read(tmp_path, monkeypatch):
    library(tmp_path / "m2", "a:one:1.0")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mvn").write_text("#!/bin/sh\necho '[ERROR] no plugin'\nexit 1\n")
    (tmp_path / "bin" / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    one = module("a:one:1.0")
    found = class_paths(tmp_path, one, trusted=True).of(one)
    assert [jar.name for jar in found.jars] == ["one-1.0.jar"]
    assert found.note == "Maven did not tell the whole class path: no plugin"


def test_a_junit_5_whose_launcher_is_not_here_is_told():
    api = HERE.jar("org.junit.jupiter", "junit-jupiter-api", None)
    if api is None:
        pytest.skip("no JUnit 5 on this machine")
    nothing = Repositories((), (), ())
    found = frameworks_of([api], nothing)
    assert "install Debian's junit5" in (found.missing or "")
    assert measuring(nothing) == {}
    assert frameworks_of([api], HERE).missing is None
