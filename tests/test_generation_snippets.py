"""Snippets: their symbols, whether they compile, and comments inside a body."""

from __future__ import annotations

import textwrap

import pytest
from click.testing import CliRunner

from indexer import Snapshot
from personalizer.cli import personalizer
from personalizer.edits import apply_changes
from personalizer.engine import child
from personalizer.errors import BadInput
from personalizer.generation import SnippetGeneration, Writer, generate_snippet, validators
from personalizer.generation.snippets.java import before_repeated, statements
from personalizer.prompts import Prompt, encode
from personalizer.settings import Settings
from personalizer.validation import Diagnostic, Validator, Verdict
from tests.fake_engine import FakeEngine
from tests.fake_validator import FakeValidator
from tests.java_build import needs_java, project
from tests.java_project import snapshot_of, write_project
from tests.test_prompts import Characters

CART = """package shop;

public class Cart {
    private int total;

    /** Sums two prices. */
    int sum(int a, int b) {
    }

    public int totalTwice() {
        int twice = total;
        // double it

        return twice;
    }

    public int other() {
        // has code
        return total;
    }

    void last() {
        if (total > 0) {
            // forget
            // what there was
        }
    }
}
"""
PATH = "src/main/java/shop/Cart.java"


def line_of(text: str) -> int:
    return CART.count("\n", 0, CART.index(text)) + 1


def written(
    completion: str,
    text: str,
    *,
    more: int = 0,
    validator: Validator | None = None,
    cart: str = CART,
) -> tuple[str, SnippetGeneration, FakeEngine]:
    """What becomes of the file when the model answers so at the line of a text."""
    snapshot = snapshot_of({PATH: cart})
    engine = FakeEngine([completion])
    made = generate_snippet(
        snapshot,
        PATH,
        line_of(text) + more,
        engine,
        writer=Writer("starter"),
        settings=Settings(),
        validator=validator,
    )
    return applied(snapshot, made), made, engine


def applied(snapshot: Snapshot, made: SnippetGeneration) -> str:
    if made.edit is None:
        return CART
    return apply_changes(snapshot.source(PATH), made.edit.changes).decode()


@pytest.mark.parametrize("more", [0, 1])
def test_a_comment_inside_a_body_gets_its_code_beneath_it(more: int):
    answer = "\n    twice = List.of(total, total).size();\n\n    return 7;\n}"
    after, made, engine = written(answer, "// double it", more=more)
    line = "        twice = List.of(total, total).size();\n"
    expected = CART.replace("double it\n", f"double it\n{line}")
    assert after == expected.replace("shop;\n", "shop;\n\nimport java.util.List;\n")
    assert made.text == "twice = List.of(total, total).size();"
    (request,) = engine.requests
    assert isinstance(request.prompt, Prompt)
    assert request.prompt.begun == "{\n    int twice = total;\n    // double it"
    assert request.grammar == "statements"


def test_what_stands_beneath_the_comments_place_is_not_written_again():
    after, made, _ = written("\n    twice *= 2;\n    return  twice;\n}", "// double it")
    assert made.text == "twice *= 2;"
    assert after == CART.replace("double it\n", "double it\n        twice *= 2;\n")
    after, made, _ = written("\n    return twice;\n}", "// double it")
    assert (after, made.edit) == (CART, None)
    rest = "\n    // so\n    if (b) { c(); }\n}"
    assert before_repeated("a();\nif (b) {\n    c();\n}", rest) == "a();"


@pytest.mark.parametrize(
    "rest",
    [
        "\n    }\n    return b;\n}",
        "\n    };\n    return b;\n}",
        "\n}",
        " // return b;\n    c();\n}",
    ],
)
def test_only_the_next_statement_of_the_same_block_is_there_already(rest: str):
    assert before_repeated("a();\nreturn b;", rest) == "a();\nreturn b;"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "{ // é: mind ticket 4711\n    }",
            "{ // é: mind ticket 4711\n        return a + b;\n    }",
        ),
        ("{\n        /* mind */\n        // ticket 4711\n\n    }", None),
        ("{\n        // TODO\n        throw new Error();\n    }", "{\n        // TODO\n%s"),
        ("{ throw new Error(); }", "{\n%s"),
    ],
)
def test_comments_that_an_unwritten_body_begins_with_stay(old: str, new: str | None):
    code = "        return a + b;\n    }"
    expected = "{\n        /* mind */\n        // ticket 4711\n%s" if new is None else new
    cart = CART.replace("int sum(int a, int b) {\n    }", f"int sum(int a, int b) {old}")
    after, _, _ = written("{\n    return a + b;\n}", "Sums two", cart=cart)
    assert after == cart.replace(old, expected.replace("%s", code), 1)


def test_a_body_in_the_middle_of_an_edit_is_no_crash():
    cart = CART.replace("int b) {\n    }", "int b) { throw new Error() }")
    with pytest.raises(BadInput, match="has a body already"):
        written("{\n    return a + b;\n}", "Sums two", cart=cart)


def test_a_line_beside_the_comment_names_the_comment():
    line = line_of("// double it")
    with pytest.raises(
        BadInput, match=f"has a body already, .* put it on the comment, line {line}$"
    ):
        written("\n    a();", "int twice")
    with pytest.raises(BadInput, match=r"other in .* has a body already, and has no doc comment"):
        written("\n    a();", "public int other")


def test_several_lines_are_one_comment_in_the_block_around_it():
    after, _, engine = written(" first\n        total = 0;\n    }\n}", "// forget")
    assert "            // what there was\n            total = 0;\n        }\n" in after
    assert isinstance(engine.requests[0].prompt, Prompt)
    assert engine.requests[0].prompt.begun.endswith("// forget\n        // what there was")


def test_a_comment_with_code_beneath_it_is_left_alone():
    with pytest.raises(BadInput, match="has code beneath it already"):
        written("\n    a();", "// has code")


def test_the_beginning_of_a_body_is_the_end_of_its_prompt():
    _, _, engine = written("\n    total = 1;", "// double it")
    prompt = engine.requests[0].prompt
    assert isinstance(prompt, Prompt)
    written_form = Characters(marked=True).decode(encode(prompt, Characters(marked=True), 400))
    assert written_form.endswith("<|body|>{\n    int twice = total;\n    // double it")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n  a();\n  // next\n  b();", "a();"),
        ("\n  return x;\n}", "return x;"),
        ("\n  for (;;) {\n\n    a();\n  }\n  b(", "for (;;) {\n\n  a();\n}"),
        ("\n  a(", ""),
        ("  // so\n  /* it is */\n  if (b) {\n    // c\n  }\n  d();", "if (b) {\n  // c\n}\nd();"),
        ("  // so\n  // it is", ""),
    ],
)
def test_statements_end_at_a_blank_line_a_comment_or_the_blocks_end(text: str, expected: str):
    assert textwrap.dedent(statements(text)) == expected


def test_names_that_do_not_exist_are_told_and_near_misses_mended():
    _, made, _ = written("{\n    return totla + new Cart().nothing();\n}", "Sums two")
    assert made.text == "{\n    return total + new Cart().nothing();\n}"
    assert made.unknown_symbols == ("Cart.nothing()",)
    assert made.notes == ("wrote total for totla, which does not exist",)
    text = "{\n    return new Cart().nothing();\n}"
    _, made, _ = written(text, "Sums two", validator=FakeValidator())
    assert (made.compiles, made.unknown_symbols) == (True, ())


def test_what_the_compiler_says_of_a_snippet_is_told():
    line = line_of("int sum(") + 1
    wrong = Diagnostic(line, 1, "error", "cannot find symbol\n  symbol: variable x")
    validator = FakeValidator(otherwise=Verdict(False, None, diagnostics=(wrong,)))
    _, made, _ = written("{\n    return x;\n}", "Sums two", validator=validator)
    assert (made.compiles, made.failure) == (False, "cannot find symbol: variable x")
    elsewhere = FakeValidator(
        otherwise=Verdict(False, None, diagnostics=(Diagnostic(1, 1, "error", "no package"),))
    )
    _, made, _ = written("{\n    return x;\n}", "Sums two", validator=elsewhere)
    assert made.compiles is None
    assert made.not_run == f"{PATH} does not compile by itself: line 1: no package"


def test_methods_still_to_be_written_do_not_keep_another_from_compiling():
    others = "int empty() { }\n    int todo() {\n        // soon\n    }\n    void nothing() { }"
    throwing = "int thrown() { throw new Error(); }"
    cart = CART.replace("void last()", f"{others}\n    {throwing}\n    void last()")
    validator = FakeValidator()
    after, _, _ = written("{\n}", "Sums two", validator=validator, cart=cart)
    asked = validator.asked[0].source
    thrown = "throw new UnsupportedOperationException();"
    assert f"int empty() {{{thrown} }}" in asked and f"int todo() {{{thrown}\n" in asked
    assert asked.count(thrown) == 2 and asked.replace(thrown, "") == after


WRONG = Verdict(False, None, diagnostics=(Diagnostic(7, 1, "error", "no"),))


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (WRONG, "  does not compile: no\nNot written, for it does not compile; would go to "),
        (Verdict(True, None), "  compiles\nWritten to "),
        (Verdict(None, None, not_run="no JDK"), "  not compiled: no JDK\nWritten to "),
    ],
)
def test_what_does_not_compile_is_not_written_and_what_is_written_is_told(
    tmp_path, monkeypatch, verdict: Verdict, said: str
):
    root = write_project(tmp_path / "shop", {PATH: CART})
    monkeypatch.chdir(root)
    engine = FakeEngine(["{\n    return a + b;\n}"])
    monkeypatch.setattr(child, "ChildEngine", lambda threads, log: engine)
    checker = FakeValidator(otherwise=verdict)
    monkeypatch.setattr(validators, "open_validator", lambda *_, **__: checker)
    target = f"{PATH}:{line_of('int sum(')}"
    answer = CliRunner().invoke(personalizer, ["snippet", target, "--write"])
    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith("base wrote 3 lines in ")
    assert f"{said}{PATH}\n" in answer.output
    assert ("return a + b" in (root / PATH).read_text()) is (verdict is not WRONG)


@needs_java
def test_a_snippet_is_compiled_in_its_file_and_nothing_is_run(tmp_path):
    made = project(tmp_path / "shop", {PATH: CART}, data=tmp_path / "data")
    try:
        found = [
            written(body, "Sums two", validator=made.validator)[1]
            for body in ("{\n    return a + b;\n}", '{\n    return "a" + b;\n}')
        ]
    finally:
        made.validator.close()
    assert [one.compiles for one in found] == [True, False]
    assert "String cannot be converted to int" in (found[1].failure or "")
