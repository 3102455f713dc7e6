"""The split and the encoding: what trains, what judges, what is left out."""

from __future__ import annotations

import pytest

from personalizer import dataset
from personalizer.dataset import SIDES, folds, hold_out, split
from personalizer.errors import TooFewPairs
from personalizer.models import load_tokenizer
from tests.java_project import project_files, snapshot_of, with_tests


def sides_of(files):
    snapshot = snapshot_of(files)
    return snapshot, split(snapshot.pairs, validation_fraction=0.2, gate_fraction=0.2)


def test_no_focal_class_lies_on_two_sides_and_no_pair_is_lost():
    snapshot, sides = sides_of(project_files(classes=10))
    classes = [{pair.focal_class for pair in sides[side]} for side in SIDES]
    assert all(classes)
    assert sum(map(len, classes)) == len(set.union(*classes)) == 10
    assert sum(len(sides[side]) for side in SIDES) == len(snapshot.pairs) == 40


def test_a_class_keeps_its_place_in_the_order_when_the_project_grows():
    _, before = sides_of(project_files(classes=10))
    _, after = sides_of(project_files(classes=11))
    gate = {pair.focal_class for pair in before["gate"]}
    moved = {pair.focal_class for pair in after["train"]} & gate
    assert len(moved) <= 1


def test_sides_have_their_share_of_the_pairs_however_unequal_classes_are():
    files = project_files(classes=10, methods=8)
    for name in "ABC":
        files = with_tests(files, f"Shape{name}", 1)
    pairs = snapshot_of(files).pairs
    assert len(pairs) == 59
    for seed in range(60):
        sides = split(pairs, validation_fraction=0.1, gate_fraction=0.15, seed=seed)
        sizes = {side: len(found) for side, found in sides.items()}
        assert 5 <= sizes["gate"] <= 15, (seed, sizes)
        assert 3 <= sizes["validation"] <= 10, (seed, sizes)
        assert sizes["train"] >= 34, (seed, sizes)


def test_a_class_that_holds_most_pairs_is_trained_on():
    files = project_files(classes=12, methods=3)
    files |= {p: t for p, t in project_files(classes=1, methods=20).items() if "ShapeA" in p}
    pairs = snapshot_of(files).pairs
    for seed in range(40):
        sides = split(pairs, validation_fraction=0.1, gate_fraction=0.15, seed=seed)
        trained = {pair.focal_class.rpartition("#")[2] for pair in sides["train"]}
        assert "ShapeA" in trained
        assert len(sides["gate"]) >= 5


@pytest.mark.parametrize("seed", range(10))
def test_the_gate_has_five_pairs_where_its_share_is_less(seed: int):
    pairs = snapshot_of(project_files(classes=10, methods=3)).pairs
    sides = split(pairs, validation_fraction=0.1, gate_fraction=0.1, seed=seed)
    assert len(sides["gate"]) == 6


@pytest.mark.parametrize("seed", range(10))
def test_of_three_small_classes_each_side_has_one(seed: int):
    pairs = snapshot_of(project_files(classes=3, methods=2)).pairs
    sides = split(pairs, validation_fraction=0.1, gate_fraction=0.15, seed=seed)
    assert [len(sides[side]) for side in SIDES] == [2, 2, 2]


def test_what_is_held_out_is_what_was_named_and_no_more():
    pairs = snapshot_of(project_files(classes=6, methods=3)).pairs
    held = [pair for pair in pairs if pair.focal_class.endswith("#ShapeA")][:1]
    sides = hold_out(pairs, held, validation_fraction=0.2)
    assert sides["gate"] == held
    others = [pair for side in ("train", "validation") for pair in sides[side]]
    assert len(others) == 15
    assert not [pair for pair in others if pair.focal_class == held[0].focal_class]


def test_fewer_than_three_focal_classes_cannot_be_split():
    with pytest.raises(TooFewPairs, match="at least 3 classes, found 2"):
        sides_of(project_files(classes=2))


def test_a_held_out_test_is_not_shown_in_any_training_prompt(tiny_base):
    files = project_files(classes=8)
    # One test class tests two focal classes that may lie on two sides.
    both = files["src/test/java/shapes/ShapeATest.java"].rstrip()[:-1]
    both += files["src/test/java/shapes/ShapeBTest.java"].partition("class ShapeBTest {")[2]
    files["src/test/java/shapes/ShapeATest.java"] = both
    del files["src/test/java/shapes/ShapeBTest.java"]
    snapshot = snapshot_of(files)
    tokenizer = load_tokenizer(str(tiny_base))
    pairs = [p for p in snapshot.pairs if p.test.path.endswith("ShapeATest.java")]
    sides = {
        "train": [p for p in snapshot.pairs if p not in pairs[:2]],
        "validation": pairs[:1],
        "gate": pairs[1:2],
    }
    built = dataset.build(snapshot, sides, tokenizer, context_tokens=2048, target_tokens=400)
    assert built.train
    for example in built.train:
        prompt = tokenizer.decode(example.prompt)
        for held in pairs[:2]:
            if example.pair.test.path == held.test.path:
                assert f"void {held.test.method.name}()" not in prompt


def test_a_copy_of_a_training_test_is_no_held_out_test(tiny_base):
    snapshot, sides = sides_of(project_files(classes=8))
    copied = {**sides, "gate": [*sides["gate"], sides["train"][0]]}
    built = dataset.build(
        snapshot, copied, load_tokenizer(str(tiny_base)), context_tokens=2048, target_tokens=400
    )
    assert built.left_out == {"copy": 1}
    assert len(built.gate) == len(sides["gate"])


def test_a_copy_under_another_name_is_no_held_out_test_either(tiny_base):
    files = project_files(classes=8)
    path = "src/test/java/shapes/ShapeATest.java"
    snapshot = snapshot_of(files)
    copied = next(pair for pair in snapshot.pairs if pair.test.path == path)
    name, span = copied.test.method.name, copied.test.method.span
    text = files[path].encode()[span.start : span.end].decode()
    again = text.replace(name, f"{name}Again").replace("{", "{ // once more\n", 1)
    files[path] = f"{files[path].rstrip()[:-1]}\n{again}\n}}\n"
    snapshot = snapshot_of(files)
    held_out = [p for p in snapshot.pairs if p.test.method.name == f"{name}Again"]
    assert held_out
    trained = [p for p in snapshot.pairs if p not in held_out]
    built = dataset.build(
        snapshot,
        {"train": trained, "validation": (), "gate": held_out},
        load_tokenizer(str(tiny_base)),
        context_tokens=2048,
        target_tokens=400,
    )
    assert built.left_out == {"copy": 1}
    assert built.gate == ()


def test_what_is_too_long_is_left_out_with_its_reason(tiny_base):
    snapshot, sides = sides_of(project_files(classes=8))
    tokenizer = load_tokenizer(str(tiny_base))
    short = dataset.build(snapshot, sides, tokenizer, context_tokens=2048, target_tokens=20)
    assert short.left_out == {"over-long target": len(snapshot.pairs)}
    tight = dataset.build(snapshot, sides, tokenizer, context_tokens=420, target_tokens=400)
    assert tight.left_out == {"over-long focal method": len(snapshot.pairs)}


def test_each_class_is_held_out_in_one_fold_and_never_trains_there():
    snapshot = snapshot_of(project_files(classes=10))
    made = folds(snapshot.pairs, 4, validation_fraction=0.2)
    for fold in made:
        classes = [{pair.focal_class for pair in fold[side]} for side in SIDES]
        assert all(classes)
        assert sum(map(len, classes)) == len(set.union(*classes)) == 10
    held_out = [pair.digest for fold in made for pair in fold["gate"]]
    assert sorted(held_out) == sorted(pair.digest for pair in snapshot.pairs)
    assert max(len(f["gate"]) for f in made) - min(len(f["gate"]) for f in made) <= 4


def test_fewer_classes_than_folds_is_one_clear_line():
    snapshot = snapshot_of(project_files(classes=4))
    with pytest.raises(TooFewPairs, match="tests of 5 classes, found tests of 4"):
        folds(snapshot.pairs, 5, validation_fraction=0.2)
    with pytest.raises(TooFewPairs, match="at least 2 folds"):
        folds(snapshot.pairs, 1, validation_fraction=0.2)


def test_as_many_examples_are_shown_as_fit_beside_the_context(tiny_base):
    snapshot, sides = sides_of(project_files(classes=8))
    tokenizer = load_tokenizer(str(tiny_base))
    others = sides["train"][:6]

    def build(context_tokens, shown):
        return dataset.build(
            snapshot,
            {"train": [], "validation": [], "gate": sides["gate"][:1]},
            tokenizer,
            context_tokens=context_tokens,
            target_tokens=400,
            with_test_class=False,
            shown=shown,
        ).gate[0]

    without = build(2048, None)
    some = build(1400, lambda pair: others)
    room = 1400 - 400
    assert 0 < some.examples < 6
    assert len(without.prompt) < len(some.prompt) <= room
    # What is shown comes before the rest, which stays whole; the nearest, the last, is kept first.
    text = tokenizer.decode(some.prompt)
    assert text.endswith(tokenizer.decode(without.prompt))
    assert f"void {others[-1].test.method.name}()" in text
    assert build(400 + len(without.prompt), lambda pair: others).examples == 0
