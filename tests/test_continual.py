"""Training on from an adapter: which pairs train, which judge, and what it brought and cost."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from indexer import Workspace
from personalizer import dataset
from personalizer.adapters import Adapter, Registry, Trained, UsedPair, forget
from personalizer.errors import AdapterError, BadInput
from personalizer.freshness import status, trained_on
from personalizer.models import fingerprint, load_base
from personalizer.settings import Settings
from personalizer.storage import WorkspaceData
from personalizer.training import project, strategies
from personalizer.training.batches import Examples, padding_of, summed_loss, target_losses
from personalizer.training.continual import (
    Parent,
    WarmStart,
    gain_and_loss,
    keep_sides,
    parent_of,
    replayed,
    started_from,
)
from personalizer.training.measure import measure_new
from personalizer.training.preparation import options_of, usable_pairs
from personalizer.training.trainer import _checkpointing
from tests.java_project import project_files, snapshot_of, write_project
from tests.test_adapters import STARTER_PRINT, manifest
from tests.tiny_model import _tokenizer, make_tiny_base

METHODS = ("lora", "ia3", "prefix", "prompt", "custom", "l-eo", "l-ldb")


def sides_of(snapshot, seed=0):
    return dataset.split(snapshot.pairs, validation_fraction=0.2, gate_fraction=0.2, seed=seed)


def parent_with(snapshot, sides, inherited=()) -> Parent:
    """A parent that was trained on these sides of a project."""
    used = [
        UsedPair(p.digest, side, p.focal_class, p.test.path)
        for side, pairs in sides.items()
        for p in pairs
    ]
    trained = dataclasses.replace(trained_on(snapshot, used), inherited=list(inherited))
    return Parent(Adapter(None, manifest("parent")), trained)


def built(snapshot, sides) -> dataset.Dataset:
    return dataset.build(snapshot, sides, _tokenizer(), context_tokens=1400, target_tokens=220)


def check_held_out(parent: Parent, sides) -> None:
    """No pair, and no class, that trained the parent is on another side than training."""
    taught = [p for p in (*parent.trained.used, *parent.trained.inherited) if p.side == "train"]
    digests, classes = {p.digest for p in taught}, {p.focal_class for p in taught}
    for side in ("validation", "gate"):
        for pair in sides[side]:
            assert pair.digest not in digests
            assert pair.focal_class not in classes


@pytest.mark.parametrize("seed", range(6))
def test_what_trained_the_parent_never_judges_the_child(seed):
    small = snapshot_of(project_files(classes=7))
    grown = snapshot_of(project_files(classes=19))
    parent = parent_with(small, sides_of(small, seed))
    moved = sum(
        p.focal_class in {u.focal_class for u in parent.trained.used if u.side == "train"}
        for side in ("validation", "gate")
        for p in sides_of(grown, seed)[side]
    )
    kept = keep_sides(sides_of(grown, seed), parent)
    check_held_out(parent, kept)
    assert sum(map(len, kept.values())) == len(grown.pairs)
    if moved:  # the split alone would have let them judge
        assert kept != sides_of(grown, seed)


def test_the_split_alone_would_let_a_trained_class_judge():
    small, grown = (snapshot_of(project_files(classes=n, methods=4)) for n in (7, 15))
    crossed = 0
    for seed in range(40):
        trained = {p.focal_class for p in sides_of(small, seed)["train"]}
        crossed += any(p.focal_class in trained for p in sides_of(grown, seed)["gate"])
    assert crossed


def test_what_trained_a_grandparent_never_judges_either():
    snapshot = snapshot_of(project_files(classes=8))
    first = sides_of(snapshot, 0)
    old = [UsedPair(p.digest, "train", p.focal_class, p.test.path) for p in first["gate"]]
    parent = parent_with(snapshot, first, inherited=old)
    check_held_out(parent, keep_sides(sides_of(snapshot, 0), parent))


def test_what_trained_a_grandparent_is_handed_down_to_its_grandchild():
    snapshot = snapshot_of(project_files(classes=8))
    old = [UsedPair("a-b", "train", "gone/Old.java#Old", "gone/OldTest.java")]
    child = parent_with(snapshot, sides_of(snapshot), inherited=old).trained
    grandchild = trained_on(snapshot, child.used, child)
    assert old[0] in grandchild.inherited
    assert set(child.used) <= set(grandchild.inherited)


def test_a_class_that_moved_keeps_its_side():
    files = project_files(classes=8)
    before = snapshot_of(files)
    after = snapshot_of({path.replace("src/main", "other/main"): t for path, t in files.items()})
    parent = parent_with(before, sides_of(before))
    kept = keep_sides(sides_of(after), parent)
    was = {p.digest: p.side for p in parent.trained.used}
    assert all(was[p.digest] == side for side, pairs in kept.items() for p in pairs)


def test_what_held_out_the_parent_holds_out_the_child_with_its_new_pairs():
    before = snapshot_of(project_files(classes=8, methods=3))
    after = snapshot_of(project_files(classes=8, methods=4))
    parent = parent_with(before, sides_of(before))
    kept = keep_sides(sides_of(after), parent)
    for side, pairs in sides_of(before).items():
        assert {p.focal_class for p in pairs} == {p.focal_class for p in kept[side]}


def test_new_pairs_train_with_as_many_old_ones_and_at_least_three_batches():
    before = snapshot_of(project_files(classes=12, methods=4))
    after = snapshot_of(project_files(classes=12, methods=7))
    parent = parent_with(before, sides_of(before))
    whole = built(after, keep_sides(sides_of(after), parent)).train
    fresh, again = replayed(whole, parent, seed=0)
    assert (len(fresh), len(again)) == (24, 24)
    assert len({e.pair.digest for e in (*fresh, *again)}) == 48


@pytest.mark.parametrize(("methods", "new", "old"), [(5, 8, 24), (8, 32, 32)])
def test_however_little_is_new_three_batches_are_replayed(methods: int, new: int, old: int):
    before = snapshot_of(project_files(classes=12, methods=4))
    after = snapshot_of(project_files(classes=12, methods=methods))
    parent = parent_with(before, sides_of(before))
    whole = built(after, keep_sides(sides_of(after), parent)).train
    fresh, again = replayed(whole, parent, seed=0)
    assert (len(fresh), len(again)) == (new, old)


def test_without_anything_new_there_is_nothing_to_train_on():
    snapshot = snapshot_of(project_files())
    parent = parent_with(snapshot, sides_of(snapshot))
    with pytest.raises(BadInput, match="nothing to train on"):
        WarmStart(parent, 0).chosen(built(snapshot, sides_of(snapshot)))


def test_pairs_that_the_parent_was_not_given_are_new():
    snapshot = snapshot_of(project_files(classes=24))
    few = usable_pairs(snapshot, 30)
    sides = dataset.split(few, validation_fraction=0.2, gate_fraction=0.2)
    parent = parent_with(snapshot, sides)
    whole = built(snapshot, keep_sides(sides_of(snapshot), parent)).train
    fresh, _ = replayed(whole, parent, seed=0)
    assert len(fresh) == len(whole) - len(sides["train"]) > 0


def test_a_pair_that_cannot_be_learnt_is_nothing_new():
    snapshot = snapshot_of(project_files(classes=8))
    long = {"src/test/java/shapes/ShapeATest.java": "assertEquals(3, shape.growA(1));" * 40}
    parent = parent_with(snapshot, sides_of(snapshot))
    files = project_files(classes=8)
    for path, line in long.items():
        head, brace, rest = files[path].partition("@Test")
        files[path] = f"{head}@Test\n    void grows_long() {{ {line} }}\n\n    {brace}{rest}"
    after = snapshot_of(files)
    whole = built(after, keep_sides(sides_of(after), parent))
    assert whole.left_out["over-long target"] == 1
    with pytest.raises(BadInput, match="nothing to train on"):
        WarmStart(parent, 0).chosen(whole)


def test_a_copy_of_what_trained_the_parent_never_judges_though_it_is_not_replayed():
    """Of tests with one body in two classes those held out are left out, whatever is replayed."""
    files = project_files(classes=24)
    for name in ("ShapeA", "ShapeB"):
        tests = "".join(
            f"@Test void grow{one}_adds() {{ assertEquals({n}, shape().grow{one}({n})); }}\n"
            for n, one in enumerate("ABC")
        )
        tests += f"@Test void growD_of{name}() {{ assertEquals(0, new {name}(0).growD(0)); }}\n"
        files[f"src/test/java/shapes/{name}Test.java"] = (
            "package shapes;\nimport static org.junit.jupiter.api.Assertions.assertEquals;\n"
            f"import org.junit.jupiter.api.Test;\nclass {name}Test {{\n"
            f"    private {name} shape() {{ return new {name}(0); }}\n{tests}}}\n"
        )
    before = snapshot_of(files)
    more = project_files(classes=26)
    after = snapshot_of(
        files | {path: text for path, text in more.items() if path not in project_files(classes=24)}
    )
    crossed = False
    for seed in range(60):
        first = built(before, sides_of(before, seed))
        if not first.left_out.get("copy"):
            continue
        parent = parent_with(before, {s: [e.pair for e in first.sides[s]] for s in first.sides})
        warm = WarmStart(parent, seed)
        child = warm.chosen(built(after, warm.sides(sides_of(after, seed))))
        taught = {e.text for e in first.train}
        held_out = {e.text for side in ("validation", "gate") for e in child.sides[side]}
        assert not taught & held_out
        again = {e.text for e in child.train}
        crossed |= any("shape()" in text for text in taught - again)
        if crossed:
            break
    assert crossed


def test_a_renamed_class_that_trained_the_parent_never_judges():
    files = project_files(classes=12)
    before = snapshot_of(files)
    parent = parent_with(before, sides_of(before))
    old = next(p.focal_class for p in sides_of(before)["train"]).rpartition("#")[2]
    would_judge = False
    names = "Circle Square Hexagon Oval Prism Cone Ring Cube Kite Star Torus Disk Arrow Helix"
    for new in names.split():
        after = snapshot_of(
            {
                path.replace(f"{old}.", f"{new}.").replace(f"{old}Test.", f"{new}Test."): (
                    text.replace(old, new)
                )
                for path, text in files.items()
            }
        )
        kept = keep_sides(sides_of(after), parent)
        for side in ("validation", "gate"):
            would_judge |= any(new in p.focal_class for p in sides_of(after)[side])
            assert not any(new in p.focal_class for p in kept[side])
    assert would_judge


def test_gain_and_loss_are_apart_for_new_and_old_pairs(tiny_base):
    before = snapshot_of(project_files(classes=6, methods=2))
    after = snapshot_of(project_files(classes=6, methods=3))
    parent = parent_with(before, sides_of(before))
    base = load_base(str(tiny_base))
    sides = keep_sides(sides_of(after), parent)
    examples = dataset.build(
        after, sides, base.tokenizer, context_tokens=1400, target_tokens=220
    ).gate
    fresh = [e.pair.digest not in parent.known for e in examples]
    assert 0 < sum(fresh) < len(examples)
    got = gain_and_loss(
        parent,
        examples,
        [3.0] * len(examples),
        [2.0 if new else 1.0 for new in fresh],
        [1.5 if new else 1.25 for new in fresh],
    )
    assert got["new"] == {
        "pairs": sum(fresh),
        "base": 3.0,
        "parent": 2.0,
        "adapter": 1.5,
        "gain": 0.5,
    }
    assert (got["old"]["parent"], got["old"]["adapter"], got["old"]["gain"]) == (1.0, 1.25, -0.25)
    empty = gain_and_loss(parent, [], [], [], [])
    assert empty["new"] == {"pairs": 0, "base": None, "parent": None, "adapter": None, "gain": None}


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    made = {}

    def base(family):
        if family not in made:
            folder = tmp_path_factory.mktemp("bases") / family
            made[family] = make_tiny_base(folder, family=family)
        return made[family]

    return base


@pytest.mark.filterwarnings("ignore:Position ids are not supported")  # PEFT, of soft prompts
@pytest.mark.parametrize(
    ("family", "method"),
    [
        *((family, method) for family in ("llama", "t5") for method in METHODS),
        *((family, method) for family in ("gpt2", "bart") for method in ("prefix", "prompt")),
    ],
)
def test_a_warm_start_begins_as_the_parent_and_is_served_as_it_was_trained(
    bases, tmp_path, family, method
):
    """Rows of unequal length, and activations computed twice: what padding and hooks come to."""
    options = strategies.Options(rank=4, virtual_tokens=5, frequent_words=("assert", "new"))
    strategy = strategies.strategy_named(method)
    base = load_base(str(bases(family)))
    model = strategy.apply(base, options)
    moved(model, seed=1)
    snapshot = snapshot_of(project_files(classes=6, methods=2))
    data = built(snapshot, sides_of(snapshot))
    uneven = tuple(
        dataclasses.replace(e, prompt=e.prompt[-40 * n :]) for n, e in enumerate(data.gate, 1)
    )
    data = dataclasses.replace(data, sides={**data.sides, "gate": uneven})
    losses = target_losses(model.eval(), base, uneven)
    registry = Registry(tmp_path / "adapters")
    staging = registry.staging()
    strategies.save(model, staging)
    adapter = registry.add(staging, manifest("parent", method=method), Trained({}, []))

    warm = WarmStart(Parent(adapter, Trained({}, [])), 0)
    again = load_base(str(bases(family)))
    child = warm.strategy(strategy, lambda _: {}).apply(again, options)
    np.testing.assert_allclose(target_losses(child.eval(), again, uneven), losses, rtol=1e-4)

    def trainable(one):
        return {n: p.shape for n, p in one.named_parameters() if p.requires_grad}

    assert trainable(child) == trainable(model)
    np.testing.assert_allclose(
        gradients(child, again, uneven), gradients(model, base, uneven), rtol=1e-2, atol=1e-4
    )
    moved(child, seed=2)
    strategies.save(child, tmp_path / "child")
    other = load_base(str(bases(family)))
    served = target_losses(strategies.attach(other, tmp_path / "child"), other, uneven)
    np.testing.assert_allclose(served, target_losses(child.eval(), again, uneven), rtol=1e-4)


def moved(model, seed: int) -> None:
    """Changes what trains."""
    import torch

    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        for weight in (p for p in model.parameters() if p.requires_grad):
            weight.add_(0.3 * torch.randn_like(weight))


def gradients(model, base, examples):
    """Of all that trains, with activations computed twice and nothing dropped."""
    import torch

    _checkpointing(model, "enable")({"use_reentrant": False})
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.train().zero_grad()
    rows = Examples(examples, base.encoder_decoder)
    total, number = summed_loss(
        model, padding_of(base)([rows[i] for i in range(len(rows))]), base.encoder_decoder
    )
    (total / number).backward()
    _checkpointing(model, "disable")()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.requires_grad]).numpy()


def test_a_warm_start_takes_the_choices_of_its_parent(tmp_path):
    registry = Registry(tmp_path / "adapters")
    staging = registry.staging()
    (staging / "adapter_model.safetensors").write_bytes(b"x")
    told = {"options": {"rank": 4, "targets": "qkv", "variant": "dora", "virtual_tokens": 600}}
    seen = Trained({}, [], used=[UsedPair("1-2", "train", "A", "ATest")])
    registry.add(staging, manifest("one", method="prefix", hyperparameters=told), seen)
    registry.use("one")
    asked = Settings(method="auto", warm_start=True, prefix_from="elsewhere")
    settings, warm = started_from(registry, asked, STARTER_PRINT)
    assert warm.parent.adapter.id == "one"
    assert options_of(settings) == strategies.Options(
        rank=4, targets="qkv", variant="dora", virtual_tokens=600
    )
    assert settings.method == "prefix"


def test_parents_that_cannot_be_trained_on_from_are_told(tmp_path):
    registry = Registry(tmp_path / "adapters")
    assert parent_of(registry, "lora", STARTER_PRINT) is None
    staging = registry.staging()
    (staging / "adapter_model.safetensors").write_bytes(b"x")
    registry.add(staging, manifest("one"), Trained({"a": "1"}, []))
    registry.use("one")
    for method, base, words in (
        ("custom", STARTER_PRINT, "expected an adapter of method custom"),
        ("lora", "1", "another base"),
        ("lora", STARTER_PRINT, "does not say which pairs trained it"),
    ):
        with pytest.raises(AdapterError, match=words):
            parent_of(registry, method, base)


def test_nothing_is_trained_on_from_weights_that_were_changed(tmp_path):
    registry = Registry(tmp_path)
    staging = registry.staging()
    (staging / "adapter_model.safetensors").write_bytes(b"x")
    used = [UsedPair("a-b", "train", "A.java#A", "ATest.java")]
    registry.add(staging, manifest("one"), Trained({"a": "a-b"}, [], used))
    registry.use("one")
    assert parent_of(registry, "lora", STARTER_PRINT) is not None
    (registry.folder / "one" / "adapter_model.safetensors").write_bytes(b"y")
    with pytest.raises(AdapterError, match=r"adapter_model.safetensors was changed"):
        parent_of(registry, "lora", STARTER_PRINT)


QUICK = {"budget": "60s", "context_tokens": 1400, "target_tokens": 220, "epochs": 1}


def test_new_pairs_are_measured_within_what_a_prefix_leaves(tiny_base, tmp_path, monkeypatch):
    root = write_project(tmp_path / "shapes", project_files(classes=8, methods=4))
    taken = {"method": "prefix", "virtual_tokens": 1000, "max_steps": 1}
    settings = Settings(base=str(tiny_base), **(QUICK | taken))
    adapter = project.train_project(root, settings)["adapter"]
    Registry(WorkspaceData(root).adapters).use(adapter)
    write_project(root, project_files(classes=9, methods=4))
    allowed = []
    whole = dataset.build

    def build(*args, context_tokens, **given):
        allowed.append(context_tokens)
        return whole(*args, context_tokens=context_tokens, **given)

    monkeypatch.setattr(dataset, "build", build)
    assert measure_new(root, settings)["pairs"] > 0
    assert allowed == [load_base(str(tiny_base)).context - 1000]


def test_a_test_that_trained_the_adapter_is_not_measured_as_new(tmp_path):
    """Only focal methods change: what their unchanged tests cost says what was learnt by heart."""
    before = project_files(classes=8, methods=4)
    after = {
        path: text.replace("size + by", "by + size") if "/main/" in path else text
        for path, text in before.items()
    }
    base = make_tiny_base(tmp_path / "base")
    root = write_project(tmp_path / "shapes", before)
    settings = Settings(base=str(base), **(QUICK | {"max_steps": 1}))
    registry = Registry(WorkspaceData(root).adapters)
    adapter = registry.get(project.train_project(root, settings)["adapter"])
    registry.use(adapter.id)
    write_project(root, after)
    pairs = adapter.manifest.pairs
    assert status(root).pairs.changed == sum(pairs.values())
    assert measure_new(root, settings)["pairs"] == pairs["validation"] + pairs["gate"]
    assert status(root).loss_on_new.not_measured == 0

    tests = {used.test for used in adapter.trained().used if used.side == "train"}
    classes = {test.replace("/test/", "/main/").replace("Test.java", ".java") for test in tests}
    write_project(root, before | {path: after[path] for path in classes})
    assert measure_new(root, settings) == {"adapter": adapter.id, "pairs": 0}
    said = status(root).loss_on_new
    assert said is not None
    assert (said.pairs, said.base, said.not_measured) == (0, None, 0)

    make_tiny_base(base, seed=7)
    write_project(root, after)
    with pytest.raises(AdapterError, match="another base"):
        measure_new(root, settings)


@pytest.mark.slow
def test_a_project_is_trained_on_warm_measured_and_forgotten(tiny_base, tmp_path):
    """The whole life: train, grow, measure, train on, forget, train anew."""
    root = write_project(tmp_path / "shapes", project_files(classes=8, methods=4))
    settings = Settings(base=str(tiny_base), **QUICK)
    registry = Registry(WorkspaceData(root).adapters)
    first = registry.get(project.train_project(root, settings)["adapter"])
    assert first.manifest.licences == {"none named": 16}
    assert first.manifest.split["classes"] == {"train": 6, "validation": 1, "gate": 1}
    assert first.manifest.tokenizer_fingerprint
    assert {p.side for p in first.trained().used} == {"train", "validation", "gate"}
    registry.use(first.id)

    write_project(root, project_files(classes=10, methods=5))
    said = status(root)
    assert (said.pairs.new, said.loss_on_new) == (18, None)
    measured = measure_new(root, settings)
    assert measured["pairs"] == 18
    said = status(root).loss_on_new
    assert said is not None
    assert (said.pairs, said.not_measured) == (18, 0)
    assert said.adapter == pytest.approx(measured["adapter_loss"], abs=1e-3)

    result = project.train_project(root, dataclasses.replace(settings, warm_start=True))
    second = registry.get(result["adapter"])
    assert second.manifest.parent == first.id
    assert result["continual"]["trained"]["new"] > 0
    assert result["continual"]["new"]["pairs"] + result["continual"]["old"]["pairs"] == (
        second.manifest.pairs["validation"] + second.manifest.pairs["gate"]
    )
    learnt = first.trained().learnt()
    held_out = {p.digest for p in second.trained().used if p.side != "train"}
    assert learnt and not learnt & held_out
    assert learnt <= second.trained().learnt()

    gone = forget(Workspace(root), "src/test/java/shapes/ShapeATest.java")
    assert set(gone.removed) == {first.id, second.id}
    third = registry.get(project.train_project(root, settings)["adapter"])
    assert third.manifest.excluded == {"forgotten": 1}
    assert not [p for p in third.trained().used if p.test.endswith("ShapeATest.java")]
    assert third.manifest.base_fingerprint == fingerprint(tiny_base)
