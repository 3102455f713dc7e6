"""Whether a test reaches its focal method; methods that it hardly can, and what is told of them."""

from __future__ import annotations

import pytest

from personalizer.errors import PromptTooLong
from personalizer.generation.reach import cautions, expects_its_exception
from personalizer.prompts import Prompt, encode
from tests.fake_engine import FakeEngine
from tests.java_project import snapshot_of
from tests.test_generation import ASSERTING, FILES, generated
from tests.test_prompts import Characters

PATH = "app/src/main/java/shop/Cart.java"
MEMBERS = """
    private int hidden() { return 1; }
    abstract int promised();
    native int outside();
    public static void main(String[] args) { new Cart(); }
    private static class Inner { int deep() { return 2; } }
"""
FAR = FILES | {PATH: FILES[PATH].rstrip().removesuffix("}") + MEMBERS + "}\n"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("hidden", "hidden is private: a test can call it only through another method"),
        ("promised", "promised is abstract: a test needs a class that implements it"),
        ("outside", "outside is native: its library is not in the sandbox, nor are lines counted"),
        ("main", "main starts the program: what it prints or ends, no test sees"),
        ("deep", "Inner is private: a test cannot name it"),
        ("total", None),
    ],
)
def test_what_keeps_a_test_from_a_method_is_told(name: str, told: str | None):
    owner = "Cart.Inner" if name == "deep" else "Cart"
    _, made = generated(ASSERTING, target=f"{owner}#{name}", files=FAR)
    assert made.notes == ((told,) if told else ())
    assert made.candidates, "a test is made all the same"


def test_a_method_of_two_thousand_lines_is_told_and_too_long_for_the_prompt():
    body = "        use(1);\n" * 1998
    source = f"class Huge {{\n    void all() {{\n{body}    }}\n}}\n"
    snapshot = snapshot_of({"src/main/java/Huge.java": source})
    facts = snapshot.files["src/main/java/Huge.java"]
    (told,) = cautions(facts, source.encode(), facts.methods[0])
    assert told == "all has 2,000 lines: no one test covers much of it"
    text = ASSERTING.replace("new Cart().total()", "new Huge().hashCode()")
    _, made = generated(text, target="Huge#all", files={"src/main/java/Huge.java": source})
    assert made.notes == (told,)


def test_a_focal_method_that_no_prompt_holds_is_refused_in_one_line():
    source = "class Huge {\n    void all() {\n" + "        use(1);\n" * 1998 + "    }\n}\n"
    engine = FakeEngine([ASSERTING])
    generated(target="Huge#all", files={"src/main/java/Huge.java": source}, engine=engine)
    prompt = engine.requests[0].prompt
    assert isinstance(prompt, Prompt)
    with pytest.raises(PromptTooLong, match="the focal method is too long"):
        encode(prompt, Characters(marked=True), 1024)


@pytest.mark.parametrize(
    ("body", "reaches"),
    [
        ('assertThrows(ParseException.class, () -> Cart.of("a"));', True),
        ('assertThrows(ParseException.class, () -> Cart.of("a", 1));', False),
        ('assertThrows(ParseException.class, () -> { cart.of(name); }, "told");', True),
        ("var e = assertThrows(ParseException.class, () -> cart.of(null)); use(e);", True),
        ('assertThrows(ParseException.class, () -> Cart.of(parsed("a")));', False),
        ("assertThrows(ParseException.class, () -> new Cart().of(1));", False),
        ("assertThrows(NullPointerException.class, () -> cart.of(1));", False),
        ("assertThrows(ParseException.class, () -> cart.other(1));", False),
        ("assertThrows(ParseException.class, cart);", False),
        ("assertEquals(1, cart.of(1));", False),
        ("assertThrows(NullPointerException.class, () -> cart.of(null));", False),
        ("assertThrows(NullPointerException.class, () -> Cart.of(null));", True),
        ("Cart c = new Cart(); assertThrows(NullPointerException.class, () -> c.of(null));", True),
        ("Cart c = null; assertThrows(NullPointerException.class, () -> c.of(null));", False),
    ],
)
def test_an_expected_exception_shows_that_its_method_was_entered(body: str, reaches: bool):
    source = "class Cart {\n    static Cart of(String a) { return parse(a); }\n}\n"
    focal = snapshot_of({"Cart.java": source}).files["Cart.java"].methods[0]
    assert expects_its_exception(f"@Test void a() {{ {body} }}", focal) is reaches


def test_so_does_that_of_a_constructor():
    source = "class Cart {\n    Cart(int a) { check(a); }\n}\n"
    focal = snapshot_of({"Cart.java": source}).files["Cart.java"].methods[0]
    test = "@Test void a() { assertThrows(IllegalStateException.class, () -> new Cart(1)); }"
    assert expects_its_exception(test, focal)
