"""From a method to candidates and an edit, with an engine that is scripted."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from indexer import Snapshot
from personalizer.adapters import Adapter
from personalizer.edits import apply_changes
from personalizer.engine import Completion, Request
from personalizer.errors import BadInput, Cancelled, NoSuchMethod
from personalizer.generation import (
    Generation,
    SnippetGeneration,
    Writer,
    generate_snippet,
    generate_test,
    resolve_snippet,
    resolve_target,
)
from personalizer.generation.candidates import clean
from personalizer.generation.syntax import likeness
from personalizer.generation.targets import overloads_told
from personalizer.prompts import Kind, Prompt
from personalizer.settings import Settings
from tests.fake_engine import FakeEngine
from tests.java_project import snapshot_of
from tests.test_adapters import manifest

CART = """package shop;

public class Cart {
    public int total() {
        return 0;
    }

    public int total(String currency) {
        return 0;
    }

    /** The sum of two numbers. */
    public static int sum(int a, int b) {
    }

    /** Empties it. */
    void clear() {
        // not yet
        throw new UnsupportedOperationException("clear");
    }

    /** All items. */
    public int count() {
        return 7;
    }

    void undocumented() {
    }
}
"""
CART_TEST = """package shop;

import org.junit.jupiter.api.Test;

class CartTest {
    @Test
    void total_isZero() {
        new Cart().total();
    }
}
"""
FILES = {
    "app/src/main/java/shop/Cart.java": CART,
    "app/src/test/java/shop/CartTest.java": CART_TEST,
    "app/src/main/java/bank/Till.java": "package bank;\nclass Till { void open() {} }\n",
    "web/src/main/java/web/Till.java": "package web;\nclass Till { void open() {} int only; }\n",
}
ASSERTING = "@Test\nvoid asserts() {\n    assertEquals(0, new Cart().total());\n}"
PLAIN = "@Test\nvoid runs() {\n    new Cart().total();\n    new Cart().clear();\n}"
BROKEN = "@Test\nvoid breaks() {\n    new Cart("


WRITER = Writer("starter", "lora-1", "/adapters/lora-1")


def generated(
    *completions: str | Completion,
    target: str = "Cart#total",
    files: dict[str, str] | None = None,
    count: int = 5,
    engine: FakeEngine | None = None,
    writer: Writer = WRITER,
    **more: object,
) -> tuple[Snapshot, Generation]:
    snapshot = snapshot_of(files or FILES)
    made = generate_test(
        snapshot,
        *resolve_target(snapshot, target),
        engine or FakeEngine(completions),
        count=count,
        writer=writer,
        **{"settings": Settings(repair_rounds=1), **more},  # type: ignore[arg-type]
    )
    return snapshot, made


def names(made: Generation) -> list[str]:
    return [one.text.partition("void ")[2].partition("(")[0] for one in made.candidates]


# ---------------------------------------------------------------- who writes


def focal_part(asked: Request) -> str:
    assert isinstance(asked.prompt, Prompt)
    part = next(part for part in asked.prompt.parts if part.kind == Kind.FOCAL)
    return "".join(piece.text for piece in part.pieces)


def test_an_adapter_is_asked_as_it_was_trained():
    shape = {"context_level": "fm", "context_tokens": 700, "target_tokens": 200}
    adapter = Adapter(Path("/adapters/lora-1"), manifest("lora-1", hyperparameters=shape))
    engine = FakeEngine([ASSERTING])
    generated(engine=engine, writer=Writer.of(adapter, "elsewhere"))
    asked = engine.requests[0]
    assert (asked.base, asked.adapter, asked.prompt_limit) == (
        adapter.base,
        "/adapters/lora-1",
        500,
    )
    assert "class Cart {" not in focal_part(asked)
    alone = FakeEngine([ASSERTING])
    generated(engine=alone, writer=Writer.of(None, "starter"))
    asked = alone.requests[0]
    assert (asked.base, asked.adapter, asked.prompt_limit) == ("starter", None, None)
    assert "class Cart {" in focal_part(asked)


@pytest.mark.parametrize("told", [{}, {"context_level": "all", "context_tokens": None}])
def test_an_adapter_that_says_nothing_of_its_prompts_is_asked_as_the_settings_say(told):
    adapter = Adapter(Path("/adapters/far"), manifest("far", hyperparameters=told))
    writer = Writer.of(adapter, "starter")
    assert (writer.level, writer.prompt_limit) == (None, None)


# ---------------------------------------------------------------- tests


def test_the_edit_holds_the_best_candidate():
    snapshot, made = generated(PLAIN, ASSERTING)
    assert made.focal == "app/src/main/java/shop/Cart.java#Cart#total()"
    assert made.adapter == "lora-1"
    assert made.edit is not None
    assert made.no_edit is None
    assert made.edit.file == "app/src/test/java/shop/CartTest.java"
    after = apply_changes(snapshot.source(made.edit.file), made.edit.changes).decode()
    assert "    @Test\n    void asserts() {\n" in after
    assert "void runs" not in after


def test_what_parses_goes_first_then_what_asserts_then_what_is_likely():
    more = PLAIN.replace("runs", "likely").replace("clear", "total")
    other = ASSERTING.replace("asserts", "unlikely").replace("0", "1")
    likely, unlikely = Completion(more, -0.01, 9, "stop"), Completion(other, -9.0, 9, "stop")
    _, made = generated(BROKEN, PLAIN, unlikely, ASSERTING, likely)
    assert names(made) == ["asserts", "unlikely", "likely", "runs", "breaks"]
    assert [one.parses for one in made.candidates] == [True, True, True, True, False]


def test_copies_are_dropped_whatever_their_layout():
    _, made = generated(PLAIN, PLAIN.replace("    ", "\t") + " // again", ASSERTING)
    assert names(made) == ["asserts", "runs"]


def test_a_copy_of_a_test_that_exists_is_dropped():
    _, made = generated("@Test void total_isZero() { new Cart().total(); }")
    assert made.candidates == ()
    assert (made.edit, made.no_edit) == (None, "nothing new was generated")


@pytest.mark.parametrize(
    ("lines", "as_before"),
    [
        ("Cart it = new Cart(); int a = it.add(1); assertEquals(1, a);", True),
        ("Cart a = new Cart(); /* one */ int cart = a.add(1); assertEquals(1, cart);", True),
        ("Cart it = new Cart(); int a = it.add(2); assertEquals(2, a);", False),
        ("Cart it = new Cart(); int a = it.add(1); assertEquals(1, it);", False),
        ("Cart it = new Cart(); int a = cart.add(1); assertEquals(1, a);", False),
        ("Cart it = new Cart(); int a = it.add(1); assertEquals(1, this.a);", False),
    ],
)
def test_what_differs_in_its_names_alone_is_offered_once(lines: str, as_before: bool):
    first = "Cart cart = new Cart(); int sum = cart.add(1); assertEquals(1, sum);"
    _, made = generated(f"@Test void a() {{ {first} }}", f"@Test void b() {{ {lines} }}")
    assert len(made.candidates) == (1 if as_before else 2)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("for (int i : a) b(i);", "for (int j : a) b(j);", True),
        ("run(a -> b(a)); run((c, d) -> c);", "run(e -> b(e)); run((f, g) -> f);", True),
        ("run((a, b) -> a);", "run((a, b) -> b);", False),
        ("try (A a = b()) { a.c(); }", "try (A d = b()) { d.c(); }", True),
        ("int a = 1; run(B::a);", "int c = 1; run(B::c);", False),
        ("b(a); int a = 1;", "b(c); int c = 1;", False),
        ("{ int a = 1; } b(a);", "{ int c = 1; } b(c);", False),
    ],
)
def test_names_are_those_of_variables_where_they_are_known(one: str, other: str, alike: bool):
    same = likeness(f"void a() {{ {one} }}") == likeness(f"void b() {{ {other} }}")
    assert same is alike


def test_without_a_complete_test_there_is_no_edit():
    no_annotation = "void helps() {\n}"
    _, made = generated(BROKEN, no_annotation)
    assert [one.parses for one in made.candidates] == [False, False]
    assert (made.edit, made.no_edit) == (None, "no candidate is a complete test")
    whys = [made.not_run, *(one.not_run for one in made.candidates)]
    assert whys == ["it is no whole test"] * 3


def test_junit_3_tests_need_no_annotation():
    files = FILES | {
        "app/src/test/java/shop/CartTest.java": (
            "package shop;\nimport junit.framework.TestCase;\n"
            "public class CartTest extends TestCase { public void testA() { } }\n"
        )
    }
    _, made = generated("public void testTotal() {\n    assertEquals(0, 1);\n}", files=files)
    assert made.candidates[0].parses
    assert made.edit is not None


@pytest.mark.parametrize("modifier", ["", "private ", "protected ", "public "])
@pytest.mark.parametrize(
    ("imported", "parent", "text"),
    [
        ("org.junit.Test", "", "@Test(expected = Gone.class)\n{}void total() {{\n"),
        ("org.testng.annotations.Test", "", "@Test\n// of none\n{}void total() {{\n"),
        ("junit.framework.TestCase", " extends TestCase", "{}void testTotal() {{\n"),
        ("junit.framework.TestCase", " extends TestCase", "@Test\n{}void total() {{\n"),
        ("org.junit.jupiter.api.Test", "", "@Test\n{}void total() {{\n"),
    ],
)
def test_a_test_is_public_where_its_framework_wants_it(
    modifier: str, imported: str, parent: str, text: str
):
    kept = f"package shop;\nimport {imported};\npublic class CartTest{parent} {{ int a; }}\n"
    files = FILES | {"app/src/test/java/shop/CartTest.java": kept}
    body = "    assertEquals(0, new Cart().total());\n}"
    _, made = generated(text.format(modifier) + body, files=files)
    (one,) = made.candidates
    given = modifier if "jupiter" in imported else "public "
    assert re.findall(r"(\w+ )?void", one.text) == [given]
    assert ("made public" in one.notes) is (given != modifier)


def test_a_test_goes_into_a_junit_3_class_as_its_kind_among_others():
    tests = "app/src/test/java/shop"
    files = FILES | {
        f"{tests}/AbstractShopTest.java": (
            "package shop;\nimport junit.framework.TestCase;\n"
            "public abstract class AbstractShopTest extends TestCase { }\n"
        ),
        f"{tests}/CartTest.java": (
            "package shop;\n"
            "public class CartTest extends AbstractShopTest { public void testA() { } }\n"
        ),
    }
    _, made = generated("@Test\nvoid total() {\n    assertEquals(0, 1);\n}", files=files)
    assert made.edit is not None
    assert "public void testTotal() {" in made.edit.diff
    assert "@Test" not in made.edit.diff


def test_a_type_that_nobody_knows_is_told_with_its_candidate():
    _, made = generated(ASSERTING, PLAIN.replace("new Cart().clear()", "new Unheard()"))
    assert [one.unknown_symbols for one in made.candidates] == [(), ("Unheard",)]


def test_a_test_class_in_mid_edit_gets_candidates_but_no_edit():
    files = FILES | {"app/src/test/java/shop/CartTest.java": CART_TEST.rstrip().removesuffix("}")}
    _, made = generated(ASSERTING, files=files)
    assert made.candidates[0].parses
    assert made.edit is None
    assert "mend it, then ask again" in (made.no_edit or "")


def test_the_engine_is_asked_with_the_prompt_of_the_test_class():
    engine = FakeEngine([ASSERTING])
    generated(engine=engine, count=3)
    (request,) = engine.requests
    assert (request.base, request.adapter, request.count) == ("starter", "/adapters/lora-1", 3)
    assert request.max_tokens == Settings().target_tokens
    assert isinstance(request.prompt, Prompt)
    assert [part.kind for part in request.prompt.parts] == [Kind.TEST_CLASS, Kind.FOCAL]


def test_a_class_without_tests_is_asked_for_without_a_test_class():
    engine = FakeEngine(["@Test\nvoid opens() { }"])
    _, made = generated(engine=engine, target="bank.Till#open")
    prompt = engine.requests[0].prompt
    assert isinstance(prompt, Prompt)
    assert [part.kind for part in prompt.parts] == [Kind.FOCAL]
    assert made.edit is not None
    assert made.edit.created
    assert made.edit.file == "app/src/test/java/bank/TillTest.java"


def test_a_cancelled_generation_raises():
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        generated(ASSERTING, count=1, cancelled=cancelled)


@pytest.mark.parametrize(
    "raw",
    [
        "@Test\nvoid a() {\n    b();\n}",
        "\n    @Test\n    void a() {\n        b();\n    }\n\n    @Test\n    void next() {",
        "@Test\n    void a() {\n        b();\n    }\n}\n",
        "Here is a test:\n```java\n@Test\nvoid a() {\n    b();\n}\n```\nIt calls b.",
        "@Test\r\nvoid a() {\r\n    b();\r\n}\r\n",
        "@Test\nvoid a() {\n    b();\n}\n// The method to test\nint c() {",
    ],
)
def test_a_completion_is_cut_to_its_first_method(raw: str):
    assert clean(raw) == "@Test\nvoid a() {\n    b();\n}"


def test_braces_of_annotations_and_strings_end_no_method():
    text = '@CsvSource({"1", "}"})\nvoid a(int b) {\n    c("}"); // }\n}'
    assert clean(text + "\n}") == text


# ---------------------------------------------------------------- snippets


def snippet(
    body: str, at: int | str = "sum", files: dict[str, str] | None = None
) -> tuple[str, SnippetGeneration]:
    snapshot = snapshot_of(files or FILES)
    made = generate_snippet(
        snapshot,
        "Cart.java",
        at,
        FakeEngine([body]),
        writer=Writer("starter"),
        settings=Settings(),
    )
    if made.edit is None:
        return "", made
    assert made.edit.file == "app/src/main/java/shop/Cart.java"
    return apply_changes(snapshot.source(made.edit.file), made.edit.changes).decode(), made


def test_a_body_takes_the_place_of_an_empty_one():
    after, made = snippet("{\n    return a + b;\n}\nand more")
    old = "sum(int a, int b) {\n    }"
    assert after == CART.replace(old, "sum(int a, int b) {\n        return a + b;\n    }")
    assert (made.text, made.adapter) == ("{\n    return a + b;\n}", "base")


def test_a_body_takes_the_place_of_one_that_only_throws():
    after, _ = snippet("{\n    items = 0;\n}", "clear")
    assert "void clear() {\n        // not yet\n        items = 0;\n    }\n" in after
    assert "Unsupported" not in after


def test_a_body_brings_its_imports():
    after, _ = snippet("{\n    return List.of(a, b).size();\n}")
    assert after.startswith("package shop;\n\nimport java.util.List;\n\npublic class Cart {\n")


@pytest.mark.parametrize("body", ["{\n    return a +", "return a + b;", "{ return ]; }", ""])
def test_what_is_no_body_gives_no_edit(body: str):
    _, made = snippet(body)
    assert made.edit is None
    assert made.no_edit == "what was generated is no complete body"


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("count", "count in .*Cart.java has a body already: empty it first"),
        ("undocumented", "has no doc comment"),
        ("sun", "has no method sun; did you mean sum"),
        (2, "no method stands at .*Cart.java:2; the nearest is total at line 4"),
    ],
)
def test_methods_that_no_body_can_be_written_for(at: int | str, message: str):
    with pytest.raises(BadInput, match=message):
        resolve_snippet(snapshot_of(FILES), "Cart.java", at)


def test_a_line_of_the_comment_or_of_the_method_names_it():
    line = CART.splitlines().index("    /** The sum of two numbers. */") + 1
    found = [resolve_snippet(snapshot_of(FILES), "Cart.java", line + more)[1] for more in (0, 1)]
    assert [method.name for method in found] == ["sum", "sum"]


# ---------------------------------------------------------------- targets


@pytest.mark.parametrize(
    ("target", "path", "key"),
    [
        ("app/src/main/java/shop/Cart.java:5", "app/src/main/java/shop/Cart.java", "Cart#total()"),
        ("./shop/Cart.java:5", "app/src/main/java/shop/Cart.java", "Cart#total()"),
        ("shop\\Cart.java:5", "app/src/main/java/shop/Cart.java", "Cart#total()"),
        ("Cart.java:9", "app/src/main/java/shop/Cart.java", "Cart#total(String)"),
        ("Cart.java#total", "app/src/main/java/shop/Cart.java", "Cart#total()"),
        ("shop/Cart.java#total(String)", "app/src/main/java/shop/Cart.java", "Cart#total(String)"),
        ("Cart#total", "app/src/main/java/shop/Cart.java", "Cart#total()"),
        ("shop.Cart#total", "app/src/main/java/shop/Cart.java", "Cart#total()"),
        ("Cart#total(String)", "app/src/main/java/shop/Cart.java", "Cart#total(String)"),
        ("web.Till#open", "web/src/main/java/web/Till.java", "Till#open()"),
    ],
)
def test_targets_that_name_a_method(target: str, path: str, key: str):
    found, method = resolve_target(snapshot_of(FILES), target)
    assert (found, method.key) == (path, key)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (
            "Cart#totl",
            NoSuchMethod,
            r"Cart in app/.*Cart.java has no method totl; did you mean total",
        ),
        ("Cart#nope", NoSuchMethod, r"has no method nope$"),
        (
            "Cart#total(int)",
            NoSuchMethod,
            r"\(int\); there are total\(\) and total\(String\)$",
        ),
        ("Cart#count(int)", NoSuchMethod, r"no method count\(int\); there is count\(\)$"),
        ("nofile.java:1", NoSuchMethod, r"no Java file nofile.java$"),
        ("Crt#total", NoSuchMethod, r"the project has no class Crt; did you mean Cart"),
        ("Cart.java:1", NoSuchMethod, r"no method stands at .*Cart.java:1; the nearest is total"),
        ("Cart.java#totl", NoSuchMethod, r"Cart.java has no method totl; did you mean total"),
        ("CartTest.java#total_isZero", BadInput, r"lies in a test file"),
        ("Card.java:1", NoSuchMethod, r"no Java file Card.java; did you mean app/.*Cart.java\?"),
        ("Till#open", BadInput, r"could be in bank.Till or web.Till: write the package too"),
        ("Till.java:2", BadInput, r"could be app/.*Till.java or web/.*: write more of the path"),
        ("CartTest#total_isZero", BadInput, r"lies in a test file .*CartTest.java"),
        ("CartTest.java:7", BadInput, r"lies in a test file"),
        ("Cart", BadInput, r"expected File.java:LINE, File.java#method or Class#m.*got 'Cart'"),
    ],
)
def test_targets_that_name_none(target: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        resolve_target(snapshot_of(FILES), target)


def test_of_classes_with_one_name_in_several_files_none_is_taken():
    code = "package p;\nclass A { int g(int a) { return a; } }\n"
    one, other = (f"{module}/src/main/java/p/A.java" for module in ("m1", "m2"))
    other_code = code.replace("a; }", "a; } int only() { return 1; }")
    snapshot = snapshot_of({one: code, other: other_code})
    for target in ("p.A#g", "A#g(int)"):
        with pytest.raises(BadInput, match=f"{one} or {other}: write .* File.java:LINE or File"):
            resolve_target(snapshot, target)
    for target in (f"{other}#g", "m2/src/main/java/p/A.java:2", "p.A#only"):
        assert resolve_target(snapshot, target)[0] == other


def test_a_nested_class_may_be_named_as_the_jvm_has_it():
    files = {"A.java": "class A { static class B { void c() { } void c(int d) { } } }"}
    for target in ("A$B#c", "A.B#c", "B#c"):
        assert resolve_target(snapshot_of(files), target)[1].key == "A.B#c()"
    with pytest.raises(NoSuchMethod, match=r"no class A\$Bc; did you mean B\?"):
        resolve_target(snapshot_of(files), "A$Bc#c")


def test_of_several_overloads_it_is_said_which_was_taken():
    snapshot = snapshot_of(FILES)
    for target, said in (
        ("Cart#total", ("total() is one of 2 of that name: name another as Cart#total(String)",)),
        ("Cart#total()", ()),
        ("Cart#count", ()),
        ("Cart.java:5", ()),
    ):
        found = resolve_target(snapshot, target)
        assert overloads_told(snapshot, *found, target) == said


def test_a_file_that_was_left_out_is_told_with_its_reason():
    files = FILES | {"gen/Stub.java": "// Code generated by protoc. DO NOT EDIT.\nclass Stub {}"}
    with pytest.raises(BadInput, match=r"gen/Stub.java is left out of the index: generated"):
        resolve_target(snapshot_of(files), "Stub.java:2")


def test_a_call_that_nothing_explains_is_unknown_and_ranks_behind():
    unsound = ASSERTING.replace("new Cart().total()", "sumUpp(new Cart())")
    assert unsound != ASSERTING
    _, made = generated(unsound, ASSERTING)
    assert [one.unknown_symbols for one in made.candidates] == [(), ("sumUpp()",)]
