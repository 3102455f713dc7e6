"""Cross-validation: cells, gaps, what is computed once, and what the numbers are made of."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from personalizer.errors import BadInput, Busy, SettingsError, TooFewPairs
from personalizer.evaluation import experiment, runs
from personalizer.evaluation.cells import Cell, Row
from personalizer.evaluation.comparison import in_common, tried_for_all
from personalizer.evaluation.decoding import beam_tests, greedy_tests
from personalizer.evaluation.experiment import Result, run_cells
from personalizer.evaluation.methods import methods_named
from personalizer.evaluation.projects import open_projects
from personalizer.evaluation.runs import Asked, Bench
from personalizer.evaluation.scores import Scored, gain, scores
from personalizer.evaluation.validity import Outcome, _outcome, check_in_place, outcomes
from personalizer.models import load_base
from personalizer.settings import Settings
from personalizer.training.strategies import STRATEGIES
from personalizer.validation import Unable, Verdict
from tests.java_project import project_files, snapshot_of, write_project

SETTINGS = Settings(
    context_tokens=1200, target_tokens=250, epochs=1, max_steps=2, batch_size=4, threads=1
)
ASKED = Asked(
    budget_seconds=60.0, with_test_class=False, generated=2, beams=2, as_served=True, shots=2
)


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path / "shapes", project_files(classes=8, methods=3))


def cells_of(path, base, methods, *, asked=ASKED, settings=SETTINGS, **how):
    """Runs a tiny evaluation; results by method and fold."""
    settings = replace(settings, base=str(base))
    bench = Bench(settings, asked)
    chosen = methods_named(methods, STRATEGIES)
    with open_projects([path], settings, count=2) as projects:
        return {(r.method, r.fold, r.share): r for r in run_cells(bench, projects, chosen, **how)}


def scored(results):
    return [Scored(r.project, r.cell) for r in results]


def test_tests_are_held_to_what_their_own_class_may_use(project, tiny_base, monkeypatch):
    told = []

    def writing(make):
        def made(model, base, examples, *, declared, **how):
            told.extend((e.pair.test, declared(i).this) for i, e in enumerate(examples))
            return make(model, base, examples, declared=declared, **how)

        return made

    for name in ("greedy_tests", "beam_tests"):
        monkeypatch.setattr(runs, name, writing(getattr(runs, name)))
    cells_of(project, tiny_base, ["base"])
    assert len(told) == 8
    assert {this for _, this in told} == {f"{test.path}#{test.method.owner}" for test, _ in told}


def folds_of(path, **how):
    with open_projects([path], SETTINGS, **({"count": 4} | how)) as projects:
        return projects[0].folds


def test_every_method_is_scored_on_every_held_out_pair_of_every_fold(project, tiny_base):
    results = cells_of(project, tiny_base, ["base", "rag", "icl", "lora", "lora+rag"])
    assert len(results) == 10
    assert all(r.gap is None for r in results.values())
    for fold in (1, 2):
        tests = {
            m: [row.test for row in results[m, fold, 1.0].cell.rows] for m in ("base", "lora+rag")
        }
        assert tests["base"] == tests["lora+rag"]
        assert results["base", fold, 1.0].cell.rows[0].examples == 0
        assert results["rag", fold, 1.0].cell.rows[0].examples == 2
        assert results["icl", fold, 1.0].cell.rows[0].examples == 2
    rows = [row for fold in (1, 2) for row in results["base", fold, 1.0].cell.rows]
    assert len({row.test for row in rows}) == 24  # each pair of the project once
    written = [row for row in rows if row.greedy is not None]
    assert len(written) == 4
    assert all(len(row.beams) == 2 for row in written)
    found = scores(scored(results["lora", fold, 1.0] for fold in (1, 2)))
    assert found.values["held_out"] == 24
    assert found.values["trainable_parameters"] > 0
    assert found.values["adapter_bytes"] > 0
    assert found.values["passes"] is None
    low, high = found.intervals["perplexity"]
    assert low <= found.values["perplexity"] <= high


def test_nothing_is_computed_twice(project, tiny_base, monkeypatch):
    first = cells_of(project, tiny_base, ["base", "lora"])

    def refuse(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr(runs, "target_losses", refuse)
    monkeypatch.setattr(runs, "fine_tune", refuse)
    again = cells_of(project, tiny_base, ["base", "lora"])
    assert {k: r.cell for k, r in again.items()} == {k: r.cell for k, r in first.items()}


def test_a_strategy_with_examples_uses_the_adapter_that_is_there(project, tiny_base, monkeypatch):
    trained = []
    fine_tune = runs.fine_tune
    monkeypatch.setattr(
        runs, "fine_tune", lambda *args, **kw: trained.append(1) or fine_tune(*args, **kw)
    )
    cells_of(project, tiny_base, ["lora"])
    results = cells_of(project, tiny_base, ["lora+rag"])
    assert len(trained) == 2
    assert results["lora+rag", 1, 1.0].gap is None


def test_an_adapter_read_from_disk_scores_as_the_one_in_memory(project, tiny_base):
    first = cells_of(project, tiny_base, ["custom"])["custom", 1, 1.0]
    first.file.unlink()
    again = cells_of(project, tiny_base, ["custom"])["custom", 1, 1.0]
    for one, other in zip(first.cell.rows, again.cell.rows, strict=True):
        assert other.loss == pytest.approx(one.loss, abs=1e-4)
        assert other.greedy == one.greedy


def test_a_damaged_adapter_is_trained_again(project, tiny_base):
    first = cells_of(project, tiny_base, ["lora"])["lora", 1, 1.0]
    first.file.unlink()
    for weights in first.file.parents[1].glob("trainings/*/adapter/*.safetensors"):
        weights.write_bytes(weights.read_bytes()[:100])
    again = cells_of(project, tiny_base, ["lora"])["lora", 1, 1.0]
    assert again.gap is None
    assert [row.greedy for row in again.cell.rows] == [row.greedy for row in first.cell.rows]


def test_a_changed_test_is_a_new_cell(project, tiny_base):
    before = cells_of(project, tiny_base, ["base"])
    file = project / "src/test/java/shapes/ShapeATest.java"
    file.write_text(file.read_text().replace("shape.growA(7)", "shape.growA(6 + 1)"))
    after = cells_of(project, tiny_base, ["base"])
    keys = [{r.key for r in results.values()} for results in (before, after)]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(("as_served", "same"), [(True, False), (False, True)])
def test_code_that_no_prompt_shows_decides_what_tests_are_held_to(
    project, tiny_base, as_served, same
):
    asked = replace(ASKED, as_served=as_served)
    before = cells_of(project, tiny_base, ["base"], asked=asked)["base", 1, 1.0]
    (project / "src/main/java/shapes/Other.java").write_text("package shapes;\nclass Other {}\n")
    after = cells_of(project, tiny_base, ["base"], asked=asked)["base", 1, 1.0]
    assert (before.key == after.key) is same


def test_what_finds_examples_decides_the_cells_that_show_them(project, tiny_base, tiny_sentences):
    words = cells_of(project, tiny_base, ["base", "rag"])
    settings = replace(SETTINGS, retriever=str(tiny_sentences))
    vectors = cells_of(project, tiny_base, ["base", "rag"], settings=settings)
    assert vectors["base", 1, 1.0].key == words["base", 1, 1.0].key
    assert vectors["rag", 1, 1.0].key != words["rag", 1, 1.0].key
    assert vectors["rag", 1, 1.0].cell.settings["retriever"] == str(tiny_sentences)
    assert vectors["rag", 1, 1.0].cell.rows[0].examples == 2
    assert "retriever" not in words["rag", 1, 1.0].cell.settings


def test_an_embedding_model_that_is_not_here_is_a_gap_of_those_who_need_it(project, tiny_base):
    settings = replace(SETTINGS, retriever="some/model")
    results = cells_of(project, tiny_base, ["base", "rag"], settings=settings)
    assert results["base", 1, 1.0].gap is None
    assert "models pull some/model" in results["rag", 1, 1.0].gap


def test_what_a_base_cannot_take_is_a_gap_and_the_rest_goes_on(project, tiny_base, monkeypatch):
    def refuse(base, options):
        raise SettingsError("this base has no such layers")

    monkeypatch.setitem(STRATEGIES, "lora", replace(STRATEGIES["lora"], apply=refuse))
    results = cells_of(project, tiny_base, ["lora", "custom"])
    assert results["lora", 1, 1.0].gap == "this base has no such layers"
    assert results["lora", 1, 1.0].cell is None
    assert results["custom", 2, 1.0].cell is not None


def test_a_learning_curve_trains_on_a_share_of_the_pairs(project, tiny_base, monkeypatch):
    monkeypatch.setattr(experiment, "CURVE", (0.5,))
    results = cells_of(project, tiny_base, ["lora"], curve=True)
    half, whole = (results["lora", 1, share].cell.pairs["train"] for share in (0.5, 1.0))
    assert half == round(whole / 2)
    assert results["lora", 1, 0.5].cell.rows[0].loss != results["lora", 1, 1.0].cell.rows[0].loss


def test_two_evaluations_of_one_workspace_do_not_run_at_once(project):
    with (
        open_projects([project], SETTINGS, count=2),
        pytest.raises(Busy, match="another evaluation"),
        open_projects([project], SETTINGS, count=2),
    ):
        pass


def test_the_gain_is_over_pairs_that_both_scored(project, tiny_base):
    results = cells_of(project, tiny_base, ["base", "custom"])
    base = scored(results["base", fold, 1.0] for fold in (1, 2))
    custom = scored(results["custom", fold, 1.0] for fold in (1, 2))
    mean, low, high, pairs = gain(base, custom[:1])
    assert pairs == len(custom[0].cell.rows)
    assert low is high is None  # of four classes
    whole, low, high, _ = gain(base, custom)
    assert low <= whole <= high
    before = [row.loss for row in base[0].cell.rows]
    after = [row.loss for row in custom[0].cell.rows]
    assert mean == pytest.approx(sum(before) / len(before) - sum(after) / len(after))


def test_projects_of_one_name_are_told_apart(tmp_path, tiny_base):
    paths = [
        write_project(tmp_path / fork / "shop", project_files(classes=8)) for fork in ("a", "b")
    ]
    settings = replace(SETTINGS, base=str(tiny_base))
    bench = Bench(settings, ASKED)
    with open_projects(paths, settings, count=2) as projects:
        results = run_cells(bench, projects, methods_named([], STRATEGIES))
    first, second = ([r for r in results if r.project == n] for n in ("shop", "shop (2)"))
    tests = [row.test for r in second for row in r.cell.rows if row.greedy is not None]
    verdicts = {("shop (2)", test): Outcome(test, compiles=True, passes=True) for test in tests}
    assert scores(scored(first), verdicts).values["passes"] is None
    assert scores(scored(second), verdicts).values["passes"] == 1.0
    mean, *_, pairs = gain(scored(results), scored(first))
    assert (mean, pairs) == (0.0, sum(len(r.cell.rows) for r in first))


def test_a_cell_that_another_fold_found_is_judged_as_of_the_fold_at_hand(project, tiny_base):
    cell = cells_of(project, tiny_base, ["base"])["base", 2, 1.0].cell
    test = next(row.test for row in cell.rows if row.greedy is not None)
    only = [row for row in cell.rows if row.test == test]
    cell = replace(cell, rows=(replace(only[0], greedy="@Test void good() { }"),))
    with open_projects([project], SETTINGS, count=2) as [one]:
        one = replace(one, folds=one.folds[1:])
        [found] = outcomes(one, 1, cell, "k", _Fake())
    assert found.passes


def test_an_unknown_method_names_those_that_exist():
    with pytest.raises(SettingsError, match=r"base, icl, rag, lora.*got lorra"):
        methods_named(["lorra"], STRATEGIES)
    with pytest.raises(SettingsError, match=r"got lora\+raw"):
        methods_named(["lora+raw"], STRATEGIES)


def test_fewer_classes_than_folds_is_told_with_the_project(tmp_path):
    small = write_project(tmp_path / "small", project_files(classes=6))
    with pytest.raises(TooFewPairs, match=r"small: 7 folds need .* 7 classes, found tests of 6"):
        folds_of(small, count=7)


def test_where_nothing_trains_fewer_pairs_do(tmp_path):
    small = write_project(tmp_path / "small", project_files(classes=5, methods=2))
    with pytest.raises(TooFewPairs, match="training needs at least 24 tests"):
        folds_of(small)
    assert len(folds_of(small, trains=False)) == 4


def test_a_test_set_names_the_held_out_tests(project, tmp_path):
    file = tmp_path / "tests.jsonl"
    file.write_text(
        '{"test_file": "src/test/java/shapes/ShapeBTest.java", '
        '"test_method": "growA_addsToTheSize", "rule": "name-prefix"}\n\n'
    )
    [fold] = folds_of(project, test_set=file)
    assert [p.test.method.name for p in fold["gate"]] == ["growA_addsToTheSize"]
    others = {p.focal_class for side in ("train", "validation") for p in fold[side]}
    assert len(others) == 7
    assert not any("ShapeB" in name for name in others)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected tests in .* found an empty file"),
        ("[1]\n", r"line 1: expected an object with test_file and test_method"),
        ('{"test_file": "A.java"}\n', r"line 1: expected an object with test_file"),
        ('\n{"test_file": "A.java", "test_method": "b"}\n', r"line 2: the project has no pair"),
    ],
)
def test_a_test_set_of_the_wrong_shape_says_which_line(project, tmp_path, text, says):
    file = tmp_path / "tests.jsonl"
    file.write_text(text)
    with pytest.raises(BadInput, match=says):
        folds_of(project, test_set=file)


class _Fake:
    """A validator that passes what names `good`, and counts what it is asked."""

    def __init__(self, state=""):
        self.checks, self._state = [], state

    def state(self):
        return self._state

    def update(self, snapshot):
        pass

    def validate(self, checks, *, cancelled=None):
        self.checks += checks
        return [
            Verdict("bad" not in c.test_method, "good" in c.test_method, mutants=4, killed=1)
            for c in checks
        ]

    def close(self):
        pass


def test_generated_tests_are_tried_in_the_place_of_the_developers_once(project, tiny_base):
    results = cells_of(project, tiny_base, ["base"])
    cell = results["base", 1, 1.0].cell
    texts = iter(["@Test void good() { }", "not a method"])
    rows = tuple(
        row if row.greedy is None else replace(row, greedy=next(texts)) for row in cell.rows
    )
    cell = replace(cell, rows=rows)
    fake = _Fake()
    with open_projects([project], SETTINGS, count=2) as [one]:
        found = outcomes(one, 1, cell, "k", fake)
        again = outcomes(one, 1, cell, "k", fake)
    assert again == found
    [check] = fake.checks
    [first, second] = found
    assert (first.compiles, first.passes, first.mutation_score) == (True, True, 0.25)
    assert (second.compiles, second.passes, second.mutation_score) == (False, False, 0.0)
    name = first.test.rpartition("#")[2].partition("(")[0]
    assert "void good()" in check.source
    assert f"void {name}()" not in check.source
    assert check.test_class == "shapes." + first.test.partition("/shapes/")[2].partition(".")[0]
    values = scores([Scored("p", cell)], {("p", o.test): o for o in found}).values
    assert (values["compiles"], values["passes"], values["flaky"]) == (0.5, 0.5, 0)
    assert values["mutation_score"] == 0.125


def test_tests_are_judged_again_where_what_decides_has_changed(project, tiny_base):
    cell = cells_of(project, tiny_base, ["base"])["base", 1, 1.0].cell
    rows = tuple(replace(row, greedy="@Test void good() { }") for row in cell.rows)
    cell = replace(cell, rows=rows)
    first, same, other = _Fake("before"), _Fake("before"), _Fake("after")
    with open_projects([project], SETTINGS, count=2) as [one]:
        for fake in (first, same, other):
            outcomes(one, 1, cell, "k", fake)
    assert first.checks and not same.checks and other.checks == first.checks


def test_where_tests_cannot_be_run_the_reason_is_told_and_nothing_is_kept(project, tiny_base):
    cell = cells_of(project, tiny_base, ["base"])["base", 1, 1.0].cell
    with open_projects([project], SETTINGS, count=2) as [one]:
        found = outcomes(one, 1, cell, "k", Unable("no sandbox"))
        assert not (one.cells.folder / "verdicts").exists()
    told = scores([Scored("p", cell)], {("p", o.test): o for o in found})
    assert (told.values["passes"], told.not_run) == (None, "no sandbox")
    assert (told.values["tried"], told.not_tried) == (0, {"no sandbox": 2})


class _Partly(_Fake):
    """A validator that cannot judge what names `later` until it is told that it can."""

    able = False

    def validate(self, checks, *, cancelled=None):
        self.checks += checks
        return [
            Verdict(None, None, not_run="no compiler")
            if "later" in check.test_method and not self.able
            else Verdict(True, True)
            for check in checks
        ]


def test_a_test_that_could_not_be_tried_is_told_and_tried_again(project, tiny_base):
    cell = cells_of(project, tiny_base, ["base"])["base", 1, 1.0].cell
    texts = iter(["@Test void now() { }", "@Test void later() { }"])
    rows = tuple(
        row if row.greedy is None else replace(row, greedy=next(texts)) for row in cell.rows
    )
    cell = replace(cell, rows=rows)
    partly = _Partly()
    with open_projects([project], SETTINGS, count=2) as [one]:
        first = outcomes(one, 1, cell, "k", partly)
        partly.able = True
        second = outcomes(one, 1, cell, "k", partly)
    assert [o.passes for o in first] == [True, None]
    assert [o.passes for o in second] == [True, True]
    assert [c.test_method for c in partly.checks] == ["now", "later", "later"]
    told = scores([Scored("p", cell)], {("p", o.test): o for o in first})
    assert (told.values["generated"], told.values["tried"]) == (2, 1)
    assert (told.values["passes"], told.not_tried) == (1.0, {"no compiler": 1})


def test_where_no_test_can_be_judged_what_is_no_method_is_no_failure_either(project, tiny_base):
    cell = cells_of(project, tiny_base, ["base"])["base", 1, 1.0].cell
    row = next(row for row in cell.rows if row.greedy is not None)
    same = [one for one in cell.rows if one.group == row.group][:2]
    texts = ["@Test void later() { }", "no method"]
    rows = [replace(one, greedy=text) for one, text in zip(same, texts, strict=True)]
    with open_projects([project], SETTINGS, count=2) as [one]:
        found = outcomes(one, 1, replace(cell, rows=tuple(rows)), "k", _Partly())
    assert [(o.compiles, o.not_run) for o in found] == [(None, "no compiler")] * 2


def test_a_share_that_only_those_know_that_failed_before_is_none():
    """Where nothing is run, what does not compile would be all that is known of what passes."""
    cell = a_cell("base", {"a": 1.0, "b": 1.0}, written=["a", "b"])
    compiles = Outcome("a", True, None, not_run="no sandbox")
    fails = Outcome("b", False, False, new_lines=False, mutation_score=0.0)
    told = scores([Scored("p", cell)], {("p", o.test): o for o in (compiles, fails)}).values
    assert told["compiles"] == 0.5
    assert told["passes"] is told["new_lines"] is told["mutation_score"] is None


@pytest.mark.parametrize(
    ("verdict", "adds"),
    [
        (Verdict(True, True, new_lines=2), True),
        (Verdict(True, True, new_lines=0), False),
        (Verdict(True, False), False),
        (Verdict(False, None), False),
        (Verdict(True, True), None),
        (Verdict(True, None, not_run="no sandbox"), None),
    ],
)
def test_a_test_that_fails_adds_no_lines(verdict, adds):
    assert _outcome("t", verdict).new_lines is adds


def a_cell(method, losses, *, written=()):
    """A cell whose rows have these losses by test."""
    rows = [
        Row("f", f"class {test}", test, "void a() { }", loss, 4, 0, None, ())
        for test, loss in losses.items()
    ]
    rows = [
        replace(row, greedy="void a() { }", beams=("void b() { }",)) if row.test in written else row
        for row in rows
    ]
    training = None
    return Cell(method, 1.0, "b", "0", 1, 1, {}, {"train": 9}, {}, training, 0.1, tuple(rows))


def result(method, fold, losses, *, written=()):
    """A result with such a cell; a gap where there are no losses."""
    cell = a_cell(method, losses, written=written) if losses else None
    gap = None if losses else "no memory"
    return Result("p", method, fold, 1.0, "k", None, cell, gap)


def test_methods_are_compared_on_what_all_of_them_read_and_wrote():
    results = [
        result("base", 1, {"a": 1.0, "b": 2.0}, written=["a", "b"]),
        result("base", 2, {"c": 3.0}, written=["c"]),
        result("lora", 1, {"a": 0.5, "b": 1.0}, written=["a"]),
        result("lora", 2, {}),
        result("custom", 1, {}),
    ]
    found, compared = in_common(results)
    assert (compared.pairs, compared.of) == (2, 3)
    rows = [[(row.test, row.greedy is not None) for row in r.cell.rows] for r in found if r.cell]
    assert rows == [[("a", True), ("b", False)], [], [("a", True), ("b", False)]]
    assert all(bool(row.beams) == bool(row.greedy) for r in found if r.cell for row in r.cell.rows)
    silent, _ = in_common([results[0], result("icl", 1, {"a": 1.5, "b": 2.5})])
    assert not any(row.greedy for one in silent for row in one.cell.rows)  # no test is of both
    apart, none = in_common([results[1], results[2]])
    assert (none.pairs, apart) == (0, [results[1], results[2]])
    of_another = replace(results[2], project="q")
    apart, none = in_common([results[0], of_another])
    assert (none.pairs, none.of, apart) == (0, 4, [results[0], of_another])


def test_tests_that_could_not_be_tried_for_one_method_count_for_none():
    tried = Outcome("a", True, True, new_lines=True, mutation_score=0.5)
    not_tried = Outcome("a", None, None, not_run="it uses System.exit")
    no_mutants = replace(tried, test="b", mutation_score=None)
    found = tried_for_all(
        {
            ("p", "base", "a"): tried,
            ("p", "lora", "a"): not_tried,
            ("p", "base", "b"): replace(tried, test="b"),
            ("p", "lora", "b"): no_mutants,
        }
    )
    assert found["p", "base", "a"].passes is found["p", "base", "a"].compiles is None
    assert found["p", "base", "a"].not_run == "of another method it could not be tried"
    assert found["p", "lora", "a"].not_run == "it uses System.exit"
    assert found["p", "base", "b"] == found["p", "lora", "b"] == no_mutants


def test_an_interrupted_evaluation_goes_on_where_it_was(project, tiny_base, monkeypatch):
    compute, done = Bench.compute, []

    def interrupted(self, work):
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(work.fold)
        return compute(self, work)

    with monkeypatch.context() as patch:
        patch.setattr(Bench, "compute", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cells_of(project, tiny_base, ["base"])
    done.clear()
    monkeypatch.setattr(Bench, "compute", lambda s, w: done.append(w.fold) or compute(s, w))
    assert len(cells_of(project, tiny_base, ["base"])) == 2
    assert done == [1]


def test_one_model_at_a_time_is_on_the_accelerator(project, tiny_base, monkeypatch):
    """As on a card: Python does not look for what is held by itself alone."""
    bases, moved, held = [], [], []
    load = runs.load_base

    def loaded(name, *, device=None, **how):
        if bases:
            assert moved[-1] == "cpu"
            held.append(sum(one() is not None for one in bases))
        base = load(name, **how)
        bases.append(weakref.ref(base.model))
        return base

    def move(model, place):
        moved.append(place)
        return model

    monkeypatch.setattr(runs, "load_base", loaded)
    monkeypatch.setattr(runs, "best_device", lambda: "card")
    monkeypatch.setattr(runs, "half_of", lambda device: None)
    monkeypatch.setattr("transformers.LlamaForCausalLM.to", move)
    gc.collect()
    gc.disable()
    try:
        results = cells_of(project, tiny_base, ["base", "lora", "custom"])
    finally:
        gc.enable()
    assert all(r.gap is None for r in results.values())
    assert held == [1, 1, 1, 1]  # the base as it is, in the machine's own memory
    assert moved.count("card") == 2


@pytest.mark.parametrize("beams", [1, 3])
def test_tests_are_written_in_smaller_batches_where_memory_runs_out(tiny_base, monkeypatch, beams):
    model = load_base(str(tiny_base))
    examples = [SimpleNamespace(prompt=[5 + n] * (3 + 2 * n)) for n in range(7)]

    def written(batch_size):
        how = {"max_tokens": 12, "batch_size": batch_size}
        if beams == 1:
            return greedy_tests(model.model, model, examples, **how)
        return beam_tests(model.model, model, examples, beams=beams, **how)

    alone, tried = written(2), []
    generate = type(model.model).generate

    def short_of_memory(self, input_ids, **how):
        tried.append(len(input_ids))
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return generate(self, input_ids=input_ids, **how)

    monkeypatch.setattr(type(model.model), "generate", short_of_memory)
    assert written(5) == alone
    assert tried == [5, 2, 2, 2, 1]
    monkeypatch.setattr(
        type(model.model), "generate", lambda *_, **__: short_of_memory(None, "xxx")
    )
    with pytest.raises(torch.OutOfMemoryError):
        written(5)


def test_a_generated_test_is_checked_in_the_very_place_of_the_developers():
    main = "package shop;\nclass Cart {\n    int total() { return 0; }\n}\n"
    tests = (
        "\ufeffpackage shop;\nimport org.junit.jupiter.api.Test;\n"
        "import static org.junit.jupiter.api.Assertions.*;\nabstract class CartTest {\n"
        "    @Test\n    void totalIsZero() { assertEquals(0, new Cart().total()); }\n\n"
        "    abstract Cart cart();\n}\n"
    )
    heir = "package shop;\nclass RealCartTest extends CartTest {\n    Cart cart() { }\n}\n"
    snapshot = snapshot_of(
        {
            "src/main/java/shop/Cart.java": main,
            "src/test/java/shop/CartTest.java": tests,
            "src/test/java/shop/RealCartTest.java": heir,
        }
    )
    (pair,) = snapshot.pairs
    text = "@Test\nvoid other() {\n    fail();\n}"
    check = check_in_place(snapshot, pair, text)
    assert (check.test_class, check.test_method) == ("shop.CartTest", "other")
    assert (check.runs_in, check.replaces) == ("shop.RealCartTest", "totalIsZero")
    assert check.source == tests[1:].replace(pair_text(pair, snapshot), text)
    assert check.source.split("\n")[check.line - 1] == "    @Test"
    assert (check.focal_class, check.focal_lines) == ("shop.Cart", (3, 3))


def pair_text(pair, snapshot):
    return pair.test.method.span.of(snapshot.source(pair.test.path)).decode()
