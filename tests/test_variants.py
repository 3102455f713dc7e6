"""A passing test that goes only where tests go already gives way to one that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from personalizer.generation import Candidate
from personalizer.generation.checking import checked
from personalizer.generation.ranking import ranked, worth
from personalizer.generation.rescue.further import varied
from personalizer.generation.rescue.values import Values
from personalizer.generation.rescue.variants import variants
from personalizer.generation.site import Site
from personalizer.generation.targets import resolve_target
from personalizer.validation import Check, Verdict
from tests.fake_engine import FakeEngine
from tests.fake_validator import FakeValidator
from tests.java_build import CART_TEST, needs_sandbox, project
from tests.java_project import snapshot_of
from tests.test_generation import generated

PARSER = """package shop;
public class Parser {
    private static final String SCHEME = "https:";
    private char mark = '#';
    public enum Kind { NONE, SOME }
    public String read(String text, int from, Kind kind) {
        if (text == null || text.length() > 12) { return ""; }
        return text.startsWith(SCHEME) ? within(text) : kind.name();
    }
    private String within(String text) { return text.indexOf('@') < 0 ? "at" : text; }
    public String read(int from) { return ""; }
    public Parser mark(char mark) { this.mark = mark; return this; }
}
"""
PARSER_TEST = """package shop;
import org.junit.jupiter.api.Test;
class ParserTest {
    @Test void reads() { new Parser().read("mailto:", 1, Parser.Kind.NONE); }
}
"""
FILES = {
    "src/main/java/shop/Parser.java": PARSER,
    "src/test/java/shop/ParserTest.java": PARSER_TEST,
}
TEST = """@Test
void reads() {
    Parser parser = new Parser();
    parser.mark('a');
    String result = parser.read("a", 1, Parser.Kind.NONE);
    assertEquals("NONE", result);
}"""


@pytest.fixture(scope="module")
def site() -> Site:
    snapshot = snapshot_of(FILES)
    return Site(snapshot, *resolve_target(snapshot, "Parser#read(String,int,Kind)"))


def calls(site: Site, text: str = TEST) -> dict[str, str]:
    """The line that differs most, by what is told of it."""
    before = set(text.split("\n"))
    found = {}
    for one in variants(text, site, Values(site)):
        lines = [line.strip() for line in one.text.split("\n") if line not in before]
        found[one.changes] = next((line for line in lines if "void" not in line), "")
    return found


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ('"https:" for text', 'parser.read("https:", 1, Parser.Kind.NONE);'),  # its own constant
        ('"a@b" for text', 'parser.read("a@b", 1, Parser.Kind.NONE);'),  # a helper's letter
        ('"mailto:" for text', 'parser.read("mailto:", 1, Parser.Kind.NONE);'),  # of the tests
        ('"aaaaaaaaaaaaa" for text', 'parser.read("aaaaaaaaaaaaa", 1, Parser.Kind.NONE);'),
        ("(String) null for text", "parser.read((String) null, 1, Parser.Kind.NONE);"),
        ("13 for from", 'parser.read("a", 13, Parser.Kind.NONE);'),
        ("Integer.MAX_VALUE for from", 'parser.read("a", Integer.MAX_VALUE, Parser.Kind.NONE);'),
        ("Parser.Kind.SOME for kind", 'parser.read("a", 1, Parser.Kind.SOME);'),
        ("'@' for 'a'", "parser.mark('@');"),
        ("without parser.mark('a');", ""),
    ],
)
def test_values_come_from_what_the_method_looks_at_and_from_its_tests(site, change, line):
    found = calls(site)
    assert found[change].endswith(line)


def test_a_variant_differs_in_one_place_before_two(site):
    found = list(calls(site))
    twice = [place for place, change in enumerate(found) if " and " in change]
    assert twice == list(range(len(found) - len(twice), len(found)))
    assert len(twice) > 10
    assert len(set(found)) == len(found)


def test_a_variant_is_named_by_what_it_tests(site):
    found = {one.changes: one.text for one in variants(TEST, site, Values(site))}
    assert "void read() {" in found['"https:" for text']
    assert "void readWithZero() {" in found["0 for from"]
    assert "void readWithNegative() {" in found["-1 for from"]
    assert "parser.mark" not in found["without parser.mark('a');"]
    assert "\n\n" not in found["without parser.mark('a');"]


def test_where_the_plain_name_is_taken_it_says_which_argument_differs():
    names = ("read", "mark_marks", "a_b", "c_d")
    other = "".join(f"    @Test void {name}() {{ }}\n" for name in names)
    tests = PARSER_TEST.rstrip().removesuffix("}") + other + "}\n"
    snapshot = snapshot_of({**FILES, "src/test/java/shop/ParserTest.java": tests})
    one = Site(snapshot, *resolve_target(snapshot, "Parser#read(String,int,Kind)"))
    found = {each.changes: each.text for each in variants(TEST, one, Values(one))}
    assert "void read_withOtherText() {" in found['"https:" for text']
    assert "void read_withZero() {" in found["0 for from"]
    assert "void read() {" in found["without parser.mark('a');"]


def test_a_test_that_does_not_call_the_method_has_no_variants(site):
    assert list(variants("@Test void a() { parser.read(1); }", site, Values(site))) == []


# ---------------------------------------------------------------- which is taken


BEST = Candidate(
    TEST, parses=True, compiles=True, passes=True, asserts=True, new_lines=0, open_lines=(8,)
)
MISMATCH = "org.opentest4j.AssertionFailedError: expected: <NONE> but was: <at>"
LEADING = Verdict(True, False, gains=(8,))
PASSING = Verdict(True, True, covered_lines=3, new_lines=0, new_branches=1, gains=(8,))
NOTHING = Verdict(True, True, covered_lines=3, new_lines=0, new_branches=0, open_lines=(8,))


def offered(site: Site, validator: FakeValidator, best: Candidate = BEST) -> Sequence[Candidate]:
    def run(candidates: Sequence[Candidate], anyway: bool = False) -> Sequence[Candidate]:
        return checked(candidates, site, validator, anyway=anyway)

    return varied([best], site, look=partial(run, anyway=True), run=run)


def verdicts(check: Check) -> Verdict:
    if '"https:"' not in check.source:
        return NOTHING
    if 'assertEquals("at", result)' in check.source:
        return PASSING
    where = f"(ParserTest.java:{check.line + 5})"
    return replace(LEADING, failure=f"{MISMATCH} {where}")


def test_a_variant_that_reaches_something_new_is_offered_first_and_says_what(site):
    validator = FakeValidator(verdicts)
    first, second = offered(site, validator)
    assert second == BEST
    assert 'parser.read("https:", 1, Parser.Kind.NONE)' in first.text
    assert worth(first) == 4
    assert first.notes[-1] == '"https:" for text: goes where no test of its class went (line 8)'
    assert validator.asked[0].anyway


@pytest.mark.parametrize(
    "best",
    [
        replace(BEST, new_lines=2),
        replace(BEST, new_branches=1),
        replace(BEST, open_lines=()),
        replace(BEST, passes=False),
        replace(BEST, asserts=False),
    ],
)
def test_nothing_is_tried_where_nothing_is_to_be_gained(site, best):
    validator = FakeValidator(verdicts)
    assert offered(site, validator, best) == (best,)
    assert validator.asked == []


def test_what_reaches_something_new_and_does_not_pass_is_not_offered(site):
    validator = FakeValidator(otherwise=replace(LEADING, failure="it ended its process"))
    assert offered(site, validator) == (BEST,)
    assert 20 < len(validator.asked) <= 120


def test_the_models_own_writing_alone_is_judged_without_variants():
    for salvage in (True, False):
        validator = FakeValidator(otherwise=replace(NOTHING, reaches_focal=True))
        engine = FakeEngine(["@Test\nvoid a() {\n    assertEquals(0, new Cart().total());\n}"])
        made = generated(engine=engine, validator=validator, salvage=salvage)[1]
        assert made.candidates[0].passes
        assert any(one.anyway for one in validator.asked) is salvage


# ---------------------------------------------------------------- for real


@needs_sandbox
def test_a_real_branch_that_nobody_covered_is_covered(tmp_path):
    tested = CART_TEST.replace(
        "    @Test\n",
        "    @Test\n    void adds() {\n        cart.add(2);\n        assertEquals(2, cart.total());"
        "\n    }\n\n    @Test\n",
        1,
    )
    shop = project(
        tmp_path / "shop", {"src/test/java/shop/CartTest.java": tested}, data=tmp_path / "data"
    )
    with closing(shop.validator):
        site = Site(shop.snapshot, *resolve_target(shop.snapshot, "Cart#add"))

        def run(candidates: Sequence[Candidate], anyway: bool = False) -> Sequence[Candidate]:
            return checked(candidates, site, shop.validator, anyway=anyway)

        text = "@Test\nvoid sums() {\n    cart.add(3);\n    assertEquals(3, cart.total());\n}"
        found = run([Candidate(text, parses=True, asserts=True)])
        assert (found[0].passes, found[0].new_lines, found[0].open_lines) == (True, 0, (7, 8))
        first, *_ = varied(found, site, look=partial(run, anyway=True), run=run)
    assert "assertThrows(IllegalArgumentException.class, () -> cart.add(-1));" in first.text
    assert "void addWithNegative()" in first.text
    assert (first.new_lines, first.new_branches, first.gains) == (1, 1, (7, 8))
    assert ranked([first, *found])[0] == first
