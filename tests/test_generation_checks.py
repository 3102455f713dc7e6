"""Candidates are compiled, run, ranked and repaired; engine and validator are scripted."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from personalizer.edits import apply_changes
from personalizer.engine import Completion
from personalizer.errors import Cancelled, PromptTooLong
from personalizer.generation import Candidate, Generation
from personalizer.generation.ranking import good, left, ranked, why_not_kept
from personalizer.generation.site import Site
from personalizer.generation.targets import resolve_target
from personalizer.output import as_dict
from personalizer.prompts import Kind, Prompt
from personalizer.settings import Settings
from personalizer.texts import TEXTS
from personalizer.validation import Check, Unable, Verdict
from tests.fake_engine import FakeEngine
from tests.fake_validator import FakeValidator, fails, passes, refused
from tests.java_project import snapshot_of
from tests.test_generation import ASSERTING, BROKEN, CART_TEST, FILES, PLAIN, generated, names


def test(name: str, body: str = "") -> str:
    body = body or f'assertEquals(0, new Cart().total(), "{name}");'
    return f"@Test\nvoid {name}() {{\n    {body}\n}}"


test.__test__ = False  # type: ignore[attr-defined]


def made_with(
    validator: FakeValidator | Unable, *scripts: list[str | Completion], **more: Any
) -> Generation:
    """What comes of scripted completions: one list a time that the model is asked."""
    return generated(engine=FakeEngine(*scripts), validator=validator, **more)[1]


# ---------------------------------------------------------------- what is checked


def test_a_candidate_is_checked_in_its_class():
    validator = FakeValidator()
    made_with(validator, [ASSERTING])
    check = validator.asked[0]
    assert (check.test_class, check.test_method) == ("shop.CartTest", "asserts")
    assert check.file == "app/src/test/java/shop/CartTest.java"
    assert "void total_isZero()" in check.source
    assert "import static org.junit.jupiter.api.Assertions.assertEquals;" in check.source
    assert (check.focal_class, check.focal_lines) == ("shop.Cart", (4, 6))


def test_a_candidate_is_checked_under_the_name_that_it_gets():
    validator = FakeValidator()
    made_with(validator, [test("total_isZero")])
    assert validator.asked[0].test_method != "total_isZero"
    assert f"void {validator.asked[0].test_method}()" in validator.asked[0].source


def test_a_test_without_a_class_yet_is_checked_in_its_new_file():
    validator = FakeValidator()
    made_with(validator, [test("opens", "new Till().open();")], target="bank.Till#open")
    assert validator.asked[0].test_class == "bank.TillTest"


def test_a_nested_class_is_named_as_the_jvm_has_it():
    nested = (
        "package shop;\nimport org.junit.jupiter.api.*;\nclass CartTest {\n"
        "    @Nested class Total {\n        @Test void total() { new Cart().total(); }\n    }\n}\n"
    )
    snapshot = snapshot_of({**FILES, "app/src/test/java/shop/CartTest.java": nested})
    site = Site(snapshot, *resolve_target(snapshot, "Cart#total"))
    assert site.check(test("adds")).test_class == "shop.CartTest$Total"


def test_the_tests_of_an_interface_run_in_the_class_that_implements_it():
    contract = (
        "package shop;\nimport org.junit.jupiter.api.*;\ninterface CartTest {\n"
        "    @Test default void total() { new Cart().total(); }\n}\n"
    )
    folder = "app/src/test/java/shop"
    heirs = {
        f"{folder}/{name}.java": f"package shop;\n{kind} {name} {heir} CartTest {{ }}\n"
        for kind, name, heir in (
            ("interface", "More", "extends"),
            ("class", "SmallCart", "implements"),
        )
    }
    snapshot = snapshot_of({**FILES, f"{folder}/CartTest.java": contract, **heirs})
    site = Site(snapshot, *resolve_target(snapshot, "Cart#total"))
    assert site.check(test("adds")).runs_in == "shop.SmallCart"


@pytest.mark.parametrize(("heirs", "told"), [(3, ""), (30, "was run in 20 of the 29 classes")])
def test_the_best_is_the_first_that_passes_in_each_class_that_inherits_it(heirs: int, told: str):
    folder = "app/src/test/java/shop"
    text = CART_TEST.replace("class CartTest", "abstract class CartTest")
    below = {
        f"{folder}/Heir{n:02}.java": f"package shop;\nclass Heir{n:02} extends CartTest {{ }}\n"
        for n in range(heirs)
    }

    def verdict(check: Check) -> Verdict:
        return fails("in Heir02") if check.also_in and check.test_method == "a" else passes()

    validator = FakeValidator(verdict)
    files = {**FILES, f"{folder}/CartTest.java": text, **below}
    tests = [Completion(test("a"), -1.0, 9, "stop"), Completion(test("b"), -2.0, 9, "stop")]
    made = made_with(validator, tests, files=files, salvage=False)
    assert validator.asked[-1].also_in[:2] == ("shop.Heir01", "shop.Heir02")
    assert [(one.passes, one.failure) for one in made.candidates] == [
        (True, None),
        (False, "in Heir02"),
    ]
    assert made.edit is not None and "void b()" in made.edit.diff
    assert ("was run in" in "; ".join(made.edit.notes)) is bool(told)
    assert told in "; ".join(made.edit.notes)


@pytest.mark.parametrize(("called", "reaches"), [("total()", True), ("total(int)", False)])
def test_an_expected_exception_of_an_overload_reaches_nothing(called: str, reaches: bool):
    expects = "assertThrows(IllegalStateException.class, () -> cart.total());"
    text = test("refuses", f"Cart cart = new Cart();\n    {expects}")
    verdict = replace(passes(), reaches_focal=False, calls=(called,))
    made = made_with(FakeValidator({}, verdict), [text], settings=Settings(repair_rounds=0))
    found = next(one for one in made.candidates if "assertThrows" in one.text)
    assert found.reaches_focal is reaches


def test_what_does_not_parse_is_not_checked():
    validator = FakeValidator()
    made = made_with(validator, [BROKEN, ASSERTING])
    assert len(validator.asked) == 1
    assert [one.compiles for one in made.candidates] == [True, None]


def test_the_answer_says_what_became_of_each():
    verdicts = {"a": passes(new_lines=3), "b": fails("expected: <0>"), "c": refused("no such name")}
    made = made_with(
        FakeValidator(verdicts),
        [test("a"), test("b"), test("c")],
        settings=Settings(repair_rounds=0),
    )
    a, b, c = made.candidates
    assert (a.compiles, a.passes, a.covered_lines, a.new_lines, a.failure) == (
        True,
        True,
        4,
        3,
        None,
    )
    assert (b.compiles, b.passes, b.failure) == (True, False, "expected: <0>")
    assert (c.compiles, c.passes, c.failure) == (False, False, "no such name")
    assert made.not_run is None


def test_without_a_validator_the_answer_says_why():
    made = made_with(Unable("no JDK was found"), [ASSERTING])
    assert made.candidates[0].compiles is None
    assert made.candidates[0].passes is None
    assert made.not_run == "no JDK was found"


def test_a_cancelled_check_gives_nothing():
    cancelled = threading.Event()

    def verdict(check: Check) -> Verdict | None:
        cancelled.set()
        raise Cancelled("while it ran")

    with pytest.raises(Cancelled):
        made_with(FakeValidator(verdict), [ASSERTING], cancelled=cancelled)


def test_the_steps_add_up_to_the_whole():
    made = made_with(FakeValidator(), [ASSERTING])
    steps = ["prompt", "generate", "symbols", "check", "repair", "vary", "sharpen", "place"]
    assert list(made.times) == steps
    assert sum(made.times.values()) == pytest.approx(made.seconds, abs=0.01)


# ---------------------------------------------------------------- ranking


def test_ranks_by_new_lines_passing_compiling_then_score():
    verdicts = {
        "likeliest": refused(),
        "compiles": fails(),
        "passes": passes(),
        "covers": passes(new_lines=1),
    }
    made = made_with(
        FakeValidator(verdicts),
        [test(name) for name in verdicts],
        settings=Settings(repair_rounds=0),
    )
    assert names(made) == ["covers", "passes", "compiles", "likeliest"]
    assert made.edit is not None
    assert "void covers" in made.edit.diff


def test_of_equals_the_one_that_notices_more_mutants_goes_first_and_says_so():
    survivors = ("line 9: 1 became 0",)
    one, other = passes(), replace(passes(), mutants=3, killed=2, survivors=survivors)
    validator = FakeValidator({"likelier": replace(one, mutants=3, killed=1), "sees": other})
    made = made_with(
        validator,
        [test("likelier"), test("sees")],
        settings=Settings(repair_rounds=0, mutants=3),
    )
    assert names(made) == ["sees", "likelier"]
    assert {check.mutants for check in validator.asked if not check.anyway} == {3}
    told = TEXTS["generate"](as_dict(made) | {"written": False})
    assert "  1. passes, notices 2 of 3 mutants\n" in told
    assert "  does not notice line 9: 1 became 0\n" in told


def test_of_equals_the_one_that_is_the_first_to_notice_a_mutant_goes_first():
    two = ("line 9: 1 became 0", "line 9: 0 returned")
    other = replace(passes(), mutants=3, killed=1, survivors=two)
    other = replace(other, new_killed=1, unnoticed=two[:1])
    verdicts = {"likelier": replace(passes(), mutants=3, killed=3, new_killed=0), "first": other}
    made = made_with(
        FakeValidator(verdicts),
        [test(name) for name in verdicts],
        settings=Settings(repair_rounds=0, mutants=3),
    )
    assert names(made) == ["first", "likelier"]
    told = TEXTS["generate"](as_dict(made) | {"written": False})
    assert "  1. passes, notices 1 of 3 mutants (1 new)\n" in told
    assert "  2. passes, notices 3 of 3 mutants (none new)\n" in told
    assert "  no test of its class notices line 9: 1 became 0\n" in told
    assert "adds nothing" not in told


def test_what_compiles_knows_its_names():
    text = test("sums").replace("{", "{\n    Zebra.stripes();", 1)
    validator = FakeValidator({"sums": refused()})
    assert made_with(validator, [text]).candidates[0].unknown_symbols == ("Zebra",)
    for verdict in (fails(), passes()):
        made = made_with(FakeValidator({"sums": verdict}), [text])
        assert made.candidates[0].unknown_symbols == ()
        assert "does not know" not in TEXTS["generate"](as_dict(made) | {"written": False})


def test_what_the_compiler_says_of_many_overloads_is_kept_in_part():
    made = made_with(FakeValidator({"sums": refused("no suitable method\n" * 999)}), [test("sums")])
    assert len(made.candidates[0].failure or "") == 2000


def test_a_test_that_asserts_nothing_never_goes_before_one_that_does():
    made = made_with(
        FakeValidator({"asserts": fails()}, passes(new_lines=9)),
        [PLAIN, ASSERTING],
        settings=Settings(repair_rounds=0),
    )
    assert names(made) == ["asserts", "runs"]


def test_a_test_that_asserts_nothing_is_told_as_such():
    told = "the test asserts nothing: it passes whatever total gives"
    made = made_with(FakeValidator(), [PLAIN])
    assert told in made.notes
    assert "  1. passes, asserts nothing\n" in TEXTS["generate"](as_dict(made) | {"written": False})
    made = made_with(FakeValidator(), [ASSERTING])
    assert told not in made.notes
    assert "asserts nothing" not in TEXTS["generate"](as_dict(made) | {"written": False})


def test_a_pass_that_asserts_nothing_is_not_good():
    one = Candidate("a", parses=True, asserts=True, compiles=True, passes=True, reaches_focal=True)
    assert good(one)
    assert not good(replace(one, asserts=False))
    assert not good(replace(one, reaches_focal=False))


def test_what_a_test_may_notice_still_is_what_no_other_does_or_all_where_it_notices_nothing():
    one = Candidate("a", parses=True, survivors=("a", "b"), unnoticed=("a",), new_killed=0)
    assert left(one) == ("a", "b")
    assert left(replace(one, killed=1)) == ("a",)
    assert left(replace(one, killed=1, new_killed=None)) == ("a", "b")


def test_of_equals_the_one_with_fewer_unknown_names_goes_first():
    known = Candidate("a", parses=True, asserts=True, score=-2.0)
    unknown = replace(known, text="b", unknown_symbols=("Zebra",), score=-1.0)
    assert ranked([unknown, known]) == (known, unknown)


# ---------------------------------------------------------------- repair


def test_a_failing_candidate_goes_back_to_the_model_with_what_was_said():
    engine = FakeEngine([test("wrong")], [test("right")])
    validator = FakeValidator({"wrong": refused("cannot find symbol: method totl()")})
    _, made = generated(engine=engine, validator=validator, salvage=False)
    prompt = engine.requests[1].prompt
    assert isinstance(prompt, Prompt)
    parts = {part.kind: part.pieces[0].text for part in prompt.parts}
    assert parts[Kind.ATTEMPT] == test("wrong")
    assert parts[Kind.ERROR] == "cannot find symbol: method totl()"
    assert names(made) == ["right"]
    assert made.candidates[0].repair_round == 1
    assert made.candidates[0].notes == ("repaired in round 1: cannot find symbol: method totl()",)
    assert made.edit is not None
    assert made.candidates[0].notes[0] in made.edit.notes


def test_a_repair_that_forgets_an_exception_declares_it():
    engine = FakeEngine([test("wrong")], [test("reads")])

    def verdict(check: Check) -> Verdict:
        if "reads() throws Exception" in check.source:
            return passes()
        return refused("unreported exception IOException; must be caught or declared to be thrown")

    _, made = generated(
        engine=engine,
        validator=FakeValidator(lambda c: refused() if "wrong" in c.source else verdict(c)),
        salvage=False,
    )
    assert made.candidates[0].passes
    assert made.candidates[0].repair_round == 1
    assert "added throws Exception" in made.candidates[0].notes


def test_a_repair_that_does_not_help_is_not_kept():
    engine = FakeEngine([test("wrong")], [test("worse")])
    validator = FakeValidator({"wrong": fails(), "worse": refused()})
    _, made = generated(engine=engine, validator=validator)
    assert names(made) == ["wrong"]


def test_where_a_candidate_passes_nothing_is_repaired():
    engine = FakeEngine([test("good"), test("bad")])
    generated(engine=engine, validator=FakeValidator({"bad": refused()}))
    assert len(engine.requests) == 1


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_the_model_is_asked_once_a_round(rounds: int):
    engine = FakeEngine([test("a"), test("b"), test("c")], [test("d")])
    generated(
        engine=engine,
        validator=FakeValidator(otherwise=refused()),
        settings=Settings(repair_rounds=rounds),
        salvage=False,
    )
    assert len(engine.requests) == 1 + rounds


def test_an_undeclared_exception_is_declared_without_the_model():
    engine = FakeEngine([test("reads", 'assertEquals(0, Files.size(Path.of("a")));')])

    def verdict(check: Check) -> Verdict:
        if "reads() throws Exception" in check.source:
            return passes()
        return refused("unreported exception IOException; must be caught or declared to be thrown")

    _, made = generated(engine=engine, validator=FakeValidator(verdict))
    assert made.candidates[0].passes
    assert made.candidates[0].notes == ("added throws Exception",)
    assert len(engine.requests) == 1


def test_a_repair_that_does_not_fit_the_context_is_left():
    class Narrow(FakeEngine):
        def generate(self, request: Any, **more: Any) -> list[Completion]:
            if any(part.kind == Kind.ERROR for part in request.prompt.parts):
                raise PromptTooLong("too long")
            return super().generate(request, **more)

    _, made = generated(engine=Narrow([test("a")]), validator=FakeValidator(otherwise=refused()))
    assert names(made) == ["a"]


# ---------------------------------------------------------------- asked again


def test_without_one_whole_test_the_model_is_sampled_once():
    engine = FakeEngine([BROKEN], [ASSERTING])
    _, made = generated(engine=engine)
    assert [request.temperature > 0 for request in engine.requests] == [False, True]
    assert names(made) == ["asserts", "breaks"]
    assert made.notes == (
        "asked twice: the first candidates were no complete tests that may compile",
    )


WRONG = "assertEquals(0, new Cart(1, 2).total());"
"""No constructor takes two numbers."""


def test_without_one_test_that_may_compile_the_model_is_sampled_once():
    engine = FakeEngine([test("wrong", WRONG)], [ASSERTING])
    _, made = generated(engine=engine)
    assert [request.temperature > 0 for request in engine.requests] == [False, True]
    assert names(made) == ["asserts", "wrong"]
    assert [one.may_compile for one in made.candidates] == [True, False]


def test_a_test_that_is_there_under_another_name_is_left_out():
    there = ASSERTING.replace("asserts", "isThere")
    files = FILES | {
        "app/src/test/java/shop/CartTest.java": CART_TEST.rstrip().rstrip("}") + f"\n{there}\n}}\n"
    }
    assert names(generated(ASSERTING, test("b", "assertNotNull(new Cart());"), files=files)[1]) == [
        "b"
    ]


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (
            replace(passes(), open_lines=(4, 6)),
            "not yet run whole by any test of its class: Cart.java:4, 6",
        ),
        (replace(passes(), open_lines=tuple(range(20))), "9, 10, 11, …"),
        (
            replace(passes(), new_branches=0, reaches_focal=True),
            "adds nothing: other tests of its class run every line and branch of the method",
        ),
        (replace(passes(1), new_branches=0, reaches_focal=True), None),
        (passes(), None),
    ],
)
def test_what_is_left_of_the_method_is_told(verdict: Verdict, told: str | None):
    made = made_with(FakeValidator(otherwise=verdict), [ASSERTING], salvage=False)
    text = TEXTS["generate"](as_dict(made) | {"written": False})
    if told is None:
        assert "adds nothing" not in text
        assert "not yet run" not in text
    else:
        assert f"{told}\n" in text


def test_what_cannot_compile_is_told_and_not_written_though_nobody_ran_it():
    no = Unable("nobody trusts it")
    made = made_with(no, [test("wrong", WRONG)], [])
    told = TEXTS["generate"](as_dict(made) | {"written": False})
    assert "Not written, for it does not compile" in told
    assert "not run, cannot compile" in TEXTS["untested"](
        {"results": [as_dict(made) | {"written": False}], "summary": {"methods": 1}, "out": "-"}
    )
    assert made.not_kept == "does not compile"
    assert generated(ASSERTING)[1].not_kept is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, None),
        ({"passes": None}, None),
        ({"passes": None, "asserts": False}, None),
        ({"compiles": False, "passes": False}, "does not compile"),
        ({"may_compile": False, "passes": None}, "does not compile"),
        ({"passes": None, "calls_focal": False}, "does not call the method"),
        ({"calls_focal": False}, None),
        ({"passes": None, "placeholder": True}, "expects a placeholder: nothing was run"),
        ({"passes": False}, "fails"),
        ({"reaches_focal": False}, "does not reach the method"),
        ({"asserts": False}, "asserts nothing"),
    ],
)
def test_what_is_known_to_be_no_good_is_not_to_be_kept(changes: dict[str, Any], told: str | None):
    one = Candidate("a", parses=True, asserts=True, compiles=True, passes=True, reaches_focal=True)
    assert why_not_kept(replace(one, **changes)) == told


def test_a_test_that_fails_is_told_as_not_written():
    verdict = replace(passes(), passes=False, failure="expected 1")
    made = made_with(FakeValidator(otherwise=verdict), [ASSERTING], salvage=False)
    assert made.not_kept == "fails"
    told = TEXTS["generate"](as_dict(made) | {"written": False})
    assert "Not written, for it fails; would go to" in told


def test_why_another_candidate_was_not_run_is_not_said_of_the_best():
    good = replace(passes(), not_run="the existing tests of its class could not be run")
    other = Verdict(None, None, not_run="it uses java.lang.Class.getFields")
    validator = FakeValidator({"subtracts": other}, good)
    made = made_with(validator, [ASSERTING, test("subtracts")], salvage=False)
    assert [one.not_run for one in made.candidates] == [good.not_run, other.not_run]
    assert made.not_run is None
    told = TEXTS["generate"](as_dict(made) | {"written": False})
    assert "what it adds is not known: the existing tests of its class could not be run" in told
    assert "getFields" not in told


def test_what_the_compiler_takes_may_compile():
    made = made_with(FakeValidator(), [test("wrong", WRONG)], [])
    assert [(one.may_compile, one.compiles) for one in made.candidates] == [(True, True)]


def test_candidates_of_earlier_requests_are_not_made_again():
    first = generated(ASSERTING)[1].candidates
    engine = FakeEngine([ASSERTING, test("other")])
    _, made = generated(engine=engine, known=first)
    assert names(made) == ["other"]
    assert engine.requests[0].temperature > 0


def test_what_is_written_is_what_was_checked():
    validator = FakeValidator()
    snapshot, made = generated(ASSERTING, validator=validator)
    assert made.edit is not None
    after = apply_changes(snapshot.source(made.edit.file), made.edit.changes).decode()
    assert after == validator.asked[0].source
