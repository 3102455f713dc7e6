"""``generate --untested``: which methods, what is kept, what is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from personalizer.cli import personalizer
from personalizer.commands.untested import RESULTS
from personalizer.engine import Completion, Request, child
from personalizer.errors import PromptTooLong
from personalizer.generation import untested, validators
from personalizer.validation import Unable, Verdict
from tests.fake_engine import FakeEngine
from tests.fake_validator import FakeValidator, fails, passes, refused
from tests.java_project import snapshot_of, write_project

CART = """package shop;
public class Cart {
    private int total;
    public int total() { return total; }
    public void setTotal(int total) { this.total = total; }
    public void add(int price) { if (price < 0) throw new RuntimeException(); total += price; }
    public int gross(int rate) { if (rate > 1) { return total * rate; } return total; }
    public String shown(String mark) { return mark.concat(String.valueOf(total)); }
    int near(int a) { return Math.abs(a); }
    public static void main(String[] args) { new Cart().add(1); }
    @Override public String toString() { return shown("EUR"); }
}
"""
BAG = """package shop;
public class Bag {
    public int weigh(int... parts) { int sum = 0; for (int p : parts) { sum += p; } return sum; }
}
"""
CART_TEST = """package shop;
import static org.junit.jupiter.api.Assertions.assertEquals;
import org.junit.jupiter.api.Test;
class CartTest {
    @Test void adds() { Cart cart = new Cart(); cart.add(2); assertEquals(2, cart.total()); }
}
"""
FILES = {
    "src/main/java/shop/Bag.java": BAG,
    "src/main/java/shop/Cart.java": CART,
    "src/test/java/shop/CartTest.java": CART_TEST,
}


def found(**files: str) -> list[str]:
    return [where.method.name for where in untested(snapshot_of({**FILES, **files}))]


def test_what_no_test_reaches_comes_with_the_classes_that_have_tests_first():
    assert found() == ["gross", "shown", "weigh"]


def test_what_a_test_calls_by_the_way_is_reached():
    more = CART_TEST.replace("adds()", "shows()").replace("cart.add(2)", 'cart.shown("a")')
    path = "src/test/java/shop/OtherTest.java"
    assert "shown" not in found(**{path: more.replace("CartTest", "OtherTest")})


# ---------------------------------------------------------------- the command

WRITTEN = "@Test\nvoid works() {\n    assertEquals(1, new Cart().gross(1));\n}"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_project(tmp_path / "shop", FILES)
    monkeypatch.chdir(root)
    return root


def ran(
    monkeypatch: pytest.MonkeyPatch, *options: str, validator: Any = None, engine: Any = None
) -> dict[str, Any]:
    """The answer of ``generate --untested`` with a scripted model and validator."""
    made = engine or FakeEngine([WRITTEN])
    monkeypatch.setattr(child, "ChildEngine", lambda threads, log: made)
    checker = validator or FakeValidator(otherwise=passes(new_lines=2))
    monkeypatch.setattr(validators, "open_validator", lambda *_, **__: checker)
    answer = CliRunner().invoke(
        personalizer, ["generate", "--untested", "--json", *options], catch_exceptions=False
    )
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_the_summary_counts_methods_and_new_lines(shop: Path, monkeypatch: pytest.MonkeyPatch):
    answer = ran(monkeypatch)
    assert answer["summary"] == {
        "methods": 3,
        "parses": 3,
        "compiles": 3,
        "passes": 3,
        "new_lines": 6,
        "not_checked": 0,
        "too_long": 0,
    }
    assert [one["focal"].rpartition("#")[2] for one in answer["results"]] == [
        "gross(int)",
        "shown(String)",
        "weigh(int...)",
    ]


def test_a_method_that_no_prompt_holds_is_passed_over(shop: Path, monkeypatch: pytest.MonkeyPatch):
    class Narrow(FakeEngine):
        def generate(self, request: Request, **options: Any) -> list[Completion]:
            if "total * rate" in str(request.prompt):
                raise PromptTooLong("the focal method is too long")
            return super().generate(request, **options)

    answer = ran(monkeypatch, "--limit", "1", engine=Narrow([WRITTEN.replace("gross", "shown")]))
    assert [one["focal"].rpartition("#")[2] for one in answer["results"]] == ["shown(String)"]
    assert answer["summary"]["too_long"] == 1


def test_nothing_is_written_into_the_project_unless_asked(
    shop: Path, monkeypatch: pytest.MonkeyPatch
):
    before = {path: path.read_bytes() for path in shop.rglob("*.java")}
    ran(monkeypatch)
    assert {path: path.read_bytes() for path in shop.rglob("*.java")} == before


def test_results_and_diffs_lie_in_the_folder(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ran(monkeypatch, "--out", str(tmp_path / "out"), "--limit", "2")
    rows = (tmp_path / "out" / RESULTS).read_text().splitlines()
    assert len(rows) == 2
    assert len(list((tmp_path / "out").glob("*.diff"))) == 2


def test_an_interrupted_walk_goes_on_where_it_was(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out"
    ran(monkeypatch, "--out", str(out), "--limit", "2")
    with (out / RESULTS).open("a") as file:
        file.write('{"key": "cut sho')
    engine = FakeEngine([WRITTEN])
    answer = ran(monkeypatch, "--out", str(out), engine=engine)
    assert len(engine.requests) == 1
    assert answer["summary"]["methods"] == 3


def test_with_write_the_tests_that_pass_are_added(shop: Path, monkeypatch: pytest.MonkeyPatch):
    failing = FakeValidator(
        lambda check: fails() if "Bag" in check.test_class else passes(new_lines=1)
    )
    other = WRITTEN.replace("gross(1)", "gross(2)")
    answer = ran(monkeypatch, "--write", validator=failing, engine=FakeEngine([WRITTEN], [other]))
    assert [one["written"] for one in answer["results"]] == [True, True, False]
    text = (shop / "src/test/java/shop/CartTest.java").read_text()
    assert text.count("@Test") == 3
    assert "void works()" in text
    assert "void works2()" in text
    assert not (shop / "src/test/java/shop/BagTest.java").exists()


def test_a_kept_test_that_no_longer_passes_is_not_written_but_made_again(
    shop: Path, monkeypatch: pytest.MonkeyPatch
):
    ran(monkeypatch, "--limit", "1")
    other = WRITTEN.replace("assertEquals(1", "assertEquals(7")
    engine = FakeEngine([other])
    now = FakeValidator(lambda check: passes() if "assertEquals(7" in check.source else fails())
    answer = ran(monkeypatch, "--limit", "1", "--write", validator=now, engine=engine)
    assert len(engine.requests) == 1
    assert answer["results"][0]["written"]
    text = (shop / "src/test/java/shop/CartTest.java").read_text()
    assert "assertEquals(7, " in text and "assertEquals(1, " not in text


def test_a_kept_test_that_still_passes_is_written_without_the_model(
    shop: Path, monkeypatch: pytest.MonkeyPatch
):
    ran(monkeypatch, "--limit", "1")
    engine, checker = FakeEngine([WRITTEN]), FakeValidator(otherwise=passes(new_lines=5))
    answer = ran(monkeypatch, "--limit", "1", "--write", validator=checker, engine=engine)
    assert engine.requests == []
    assert len(checker.asked) == 1
    assert answer["results"][0]["written"]
    assert answer["summary"]["new_lines"] == 5


def test_a_kept_test_that_cannot_be_run_today_is_kept(shop: Path, monkeypatch: pytest.MonkeyPatch):
    ran(monkeypatch, "--limit", "1")
    engine, broken = FakeEngine([WRITTEN]), FakeValidator(otherwise=Verdict(None, None))
    answer = ran(monkeypatch, "--limit", "1", "--write", validator=broken, engine=engine)
    assert engine.requests == []
    assert not answer["results"][0]["written"]
    assert ran(monkeypatch, "--limit", "1", "--write")["results"][0]["written"]


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (replace(passes(new_lines=1), reaches_focal=False), WRITTEN),
        (passes(new_lines=1), WRITTEN.replace("assertEquals(1, ", "").replace("1));", "1);")),
    ],
)
def test_what_does_not_reach_its_method_or_asserts_nothing_neither_counts_nor_is_written(
    shop: Path, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, text: str
):
    checker = FakeValidator(otherwise=verdict)
    answer = ran(
        monkeypatch, "--write", "--limit", "1", validator=checker, engine=FakeEngine([text])
    )
    assert not answer["results"][0]["written"]
    assert answer["summary"]["compiles"] == 1
    assert answer["summary"]["passes"] == 0


def test_what_was_not_run_is_not_written(shop: Path, monkeypatch: pytest.MonkeyPatch):
    answer = ran(monkeypatch, "--write", validator=Unable("no JDK"))
    assert not any(one["written"] for one in answer["results"])
    assert answer["results"][0]["not_run"] == "no JDK"


@pytest.mark.parametrize(
    ("verdict", "why_not"),
    [(refused(), "does not compile"), (fails(), "fails"), (passes(1), None)],
)
def test_what_is_no_good_is_not_written_when_asked_for_by_name_either(
    shop: Path, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, why_not: str | None
):
    monkeypatch.setattr(child, "ChildEngine", lambda threads, log: FakeEngine([WRITTEN]))
    checker = FakeValidator(otherwise=verdict)
    monkeypatch.setattr(validators, "open_validator", lambda *_, **__: checker)
    answer = CliRunner().invoke(personalizer, ["generate", "Cart#gross", "--write"])
    assert answer.exit_code == 0, answer.output
    text = (shop / "src/test/java/shop/CartTest.java").read_text()
    assert ("void works()" in text) is (why_not is None)
    assert (f"Not written, for it {why_not}" in answer.output) is (why_not is not None)


def test_which_of_several_overloads_was_taken_is_told(shop: Path, monkeypatch: pytest.MonkeyPatch):
    file = shop / "src/main/java/shop/Cart.java"
    file.write_text(CART.replace("int near(", "public int gross() { return 1; }\n    int near("))
    monkeypatch.setattr(child, "ChildEngine", lambda threads, log: FakeEngine([WRITTEN]))
    monkeypatch.setattr(validators, "open_validator", lambda *_, **__: FakeValidator())
    answer = CliRunner().invoke(personalizer, ["generate", "Cart#gross"])
    assert "  gross(int) is one of 2 of that name: name another as Cart#gross()" in answer.output


def test_another_retriever_is_another_result(shop: Path, monkeypatch: pytest.MonkeyPatch):
    ran(monkeypatch, "--retrieve", "2")
    again = FakeEngine([WRITTEN])
    ran(monkeypatch, "--retrieve", "2", engine=again)
    assert again.requests == []  # kept from before
    monkeypatch.setenv("PERSONALIZER_RETRIEVER", "some/model")
    other = FakeEngine([WRITTEN])
    ran(monkeypatch, "--retrieve", "2", engine=other)
    assert len(other.requests) == 3
    assert len(other.embedded) == len(set(other.embedded)) > 0


def test_a_target_and_untested_exclude_each_other(shop: Path):
    for arguments, words in (
        (["generate"], "got neither"),
        (["generate", "Cart#add", "--untested"], "not both: leave out Cart#add"),
        (["generate", "--limit", "2", "A#b"], "go with --untested"),
    ):
        told = CliRunner().invoke(personalizer, arguments)
        assert told.exit_code == 2 and words in told.stderr
