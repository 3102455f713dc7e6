"""Which pairs of the project are shown as examples."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from indexer import Snapshot, Where
from personalizer.cli import personalizer
from personalizer.engine import child
from personalizer.errors import BaseModelError, SettingsError
from personalizer.generation.retrieval import Retriever
from personalizer.generation.vectors import Vectors
from personalizer.models.sentences import Sentences
from tests.java_project import snapshot_of, write_project


def source(name: str, *methods: str) -> tuple[str, str]:
    body = "\n".join(f"    {method}" for method in methods)
    return f"src/main/java/shop/{name}.java", f"package shop;\npublic class {name} {{\n{body}\n}}\n"


def suite(name: str, *methods: str) -> tuple[str, str]:
    body = "\n".join(f"    @Test void {method}" for method in methods)
    text = f"package shop;\nimport org.junit.jupiter.api.Test;\nclass {name}Test {{\n{body}\n}}\n"
    return f"src/test/java/shop/{name}Test.java", text


CART = source(
    "Cart",
    "public void addItem(String item) { items.add(item); }",
    "public void removeItem(String item) { items.remove(item); }",
    "public double grossPrice(double rate) { return price * rate; }",
)
CART_TEST = suite(
    "Cart",
    "addItem() { new Cart().addItem(A); }",
    "removeItem() { new Cart().removeItem(A); }",
    "removeItemTwice() { Cart c = new Cart(); c.removeItem(A); c.removeItem(B); }",
    "grossPrice() { new Cart().grossPrice(2); }",
)
BILL = source("Bill", "public double netPrice(double rate) { return price / rate; }")
BILL_TEST = suite("Bill", "netPrice() { new Bill().netPrice(2); }")


def nearest(
    owner_and_name: str,
    k: int,
    *files: tuple[str, str],
    held_out: tuple[str, ...] = (),
    embed=None,
) -> list[str]:
    """Names of the tests that are found for ``Owner.name``, the nearest last."""
    snapshot = snapshot_of(dict(files or (CART, CART_TEST, BILL, BILL_TEST)))
    exclude = [pair for pair in snapshot.pairs if pair.test.method.name in held_out]
    found = Retriever(snapshot, snapshot.pairs, embed)
    return [
        pair.test.method.name
        for pair in found.nearest(method_of(snapshot, owner_and_name), k, exclude)
    ]


def method_of(snapshot: Snapshot, owner_and_name: str) -> Where:
    owner, _, name = owner_and_name.partition(".")
    return next(
        Where(path, method)
        for path, facts in snapshot.files.items()
        for method in facts.methods
        if (method.owner, method.name) == (owner, name)
    )


def test_the_nearest_pair_comes_last():
    assert nearest("Bill.netPrice", 2)[-1] == "grossPrice"


def test_a_method_is_never_shown_its_own_tests():
    assert "addItem" not in nearest("Cart.addItem", 9)


def test_of_several_tests_of_a_method_the_shortest_is_shown():
    assert nearest("Cart.addItem", 1) == ["removeItem"]


def test_a_held_out_pair_is_not_shown():
    assert nearest("Cart.addItem", 1, held_out=("removeItem",)) == ["removeItemTwice"]


def test_a_copy_of_a_held_out_test_is_not_shown():
    bag = source("Bag", "public void takeItem(String item) { items.remove(item); }")
    copy = suite("Bag", "removeItem() { new Cart().removeItem(A); }")
    shown = nearest("Bag.takeItem", 9, CART, CART_TEST, bag, copy, held_out=("removeItem",))
    assert "removeItem" not in shown


def test_a_copy_of_the_method_itself_is_not_shown():
    twin = source("Twin", "public void addItem(String item) { items.add(item); }")
    twin_test = suite("Twin", "twinAdds() { new Twin().addItem(A); }")
    assert "twinAdds" not in nearest("Cart.addItem", 9, CART, CART_TEST, twin, twin_test)


def test_at_most_k_are_shown():
    assert len(nearest("Bill.netPrice", 1)) == 1
    assert nearest("Bill.netPrice", 0) == []


def test_a_pair_that_shares_no_word_is_not_shown():
    assert nearest("Far.away", 3, CART, CART_TEST, source("Far", "int away() {}")) == []


def test_a_project_without_pairs_has_nothing_to_show():
    assert nearest("Far.away", 3, source("Far", "int away() { return x; }")) == []


# ---------------------------------------------------------------- by an embedding model


class Maker:
    """Has models whose vectors say how often ``item`` and ``rate`` stand in a text."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def embed(self, model, texts):
        self.asked += [(model, text) for text in texts]
        rows = np.array([[text.count("item") + 0.1, text.count("rate")] for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).tolist()


def test_bm25_asks_no_model():
    assert Vectors().by("bm25", Maker()) is None


def test_the_nearest_by_vectors_are_those_of_the_greatest_cosine(tiny_sentences):
    from sentence_transformers import SentenceTransformer

    snapshot = snapshot_of(dict((CART, CART_TEST, BILL, BILL_TEST)))
    names = ["Cart.addItem", "Cart.removeItem", "Cart.grossPrice", "Bill.netPrice"]
    methods = [method_of(snapshot, name) for name in names]
    texts = [
        f"{one.method.class_name}\n{one.method.span.of(snapshot.source(one.path)).decode()}"
        for one in methods
    ]
    rows = np.asarray(SentenceTransformer(str(tiny_sentences), device="cpu").encode(texts))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows[:3] @ rows[3]
    wanted = [names[place].partition(".")[2] for place in cosines.argsort()]
    embed = Vectors().by(str(tiny_sentences), Sentences())
    assert nearest("Bill.netPrice", 9, embed=embed) == wanted


def test_of_pairs_with_the_same_cosine_the_one_of_the_shorter_test_is_nearer():
    embed = Vectors().by("any", Maker())
    assert nearest("Cart.addItem", 3, embed=embed) == ["grossPrice", "netPrice", "removeItem"]


def test_what_is_never_shown_is_not_shown_by_vectors_either():
    embed = Vectors().by("any", Maker())
    assert "addItem" not in nearest("Cart.addItem", 9, embed=embed)
    shown = nearest("Cart.addItem", 9, held_out=("removeItem",), embed=embed)
    assert "removeItem" not in shown
    assert nearest("Far.away", 3, source("Far", "int away() { return x; }"), embed=embed) == []


def test_nothing_is_embedded_where_no_example_is_wanted():
    maker = Maker()
    assert nearest("Bill.netPrice", 0, embed=Vectors().by("any", maker)) == []
    assert maker.asked == []


def test_a_text_is_embedded_once_for_each_model():
    maker, vectors = Maker(), Vectors()
    for name in ("one", "one", "other"):
        nearest("Bill.netPrice", 2, embed=vectors.by(name, maker))
    assert len(maker.asked) == len(set(maker.asked)) == 8
    assert {model for model, _ in maker.asked} == {"one", "other"}


def test_what_was_embedded_before_an_error_is_kept(monkeypatch):
    monkeypatch.setattr("personalizer.generation.vectors._AT_ONCE", 2)
    maker, vectors = Maker(), Vectors()
    embed = maker.embed

    def failing(model, texts):
        if len(maker.asked) == 2:
            raise BaseModelError("gone")
        return embed(model, texts)

    monkeypatch.setattr(maker, "embed", failing)
    asked = vectors.by("any", maker)
    with pytest.raises(BaseModelError, match="gone"):
        asked(["a", "b", "c"])
    monkeypatch.setattr(maker, "embed", embed)
    assert asked(["a", "b", "c"]).shape == (3, 2)
    assert [text for _, text in maker.asked] == ["a", "b", "c"]


def test_the_oldest_vectors_make_place(monkeypatch):
    monkeypatch.setattr("personalizer.generation.vectors._MOST", 2)
    maker = Maker()
    asked = Vectors().by("any", maker)
    for text in ("a", "b", "c", "b", "a"):
        assert asked([text]).shape == (1, 2)
    assert [text for _, text in maker.asked] == ["a", "b", "c", "a"]


def test_without_the_package_it_is_told_what_to_install(tiny_sentences, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(SettingsError, match="pip install sentence-transformers, or set"):
        Sentences().embed(str(tiny_sentences), ["x"])


def test_a_folder_without_an_embedding_model_is_named(tiny_base, tiny_sentences, tmp_path):
    with pytest.raises(BaseModelError, match=r"has no modules\.json: set retriever to bm25"):
        Sentences().embed(str(tiny_base), ["x"])
    with pytest.raises(BaseModelError, match=r"models pull some/model`, or set retriever to bm25"):
        Sentences().embed("some/model", ["x"])
    broken = tmp_path / "broken"
    shutil.copytree(tiny_sentences, broken)
    (broken / "model.safetensors").unlink()
    with pytest.raises(BaseModelError, match="cannot be loaded") as caught:
        Sentences().embed(str(broken), ["x"])
    assert "\n" not in str(caught.value)


def test_code_beside_an_embedding_model_is_not_run(tiny_sentences, tmp_path):
    folder = tmp_path / "foreign"
    shutil.copytree(tiny_sentences, folder)
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "foreign.Pooling"
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "foreign.py").write_text("raise SystemExit('it was run')")
    with pytest.raises(BaseModelError, match="cannot be loaded"):
        Sentences().embed(str(folder), ["x"])


def test_an_embedding_model_names_no_class_of_others(tiny_sentences, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_sentences, folder)
    modules = json.loads((folder / "modules.json").read_text())
    modules[-1]["type"] = "subprocess.Popen"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(BaseModelError, match=r"modules.json names subprocess.Popen"):
        Sentences().embed(str(folder), [])


def test_generate_shows_the_examples_that_an_embedding_model_finds(
    tmp_path, tiny_base, tiny_sentences, monkeypatch
):
    root = write_project(tmp_path / "shop", dict((CART, CART_TEST, BILL, BILL_TEST)))
    monkeypatch.setenv("PERSONALIZER_BASE", str(tiny_base))
    monkeypatch.setenv("PERSONALIZER_RETRIEVER", str(tiny_sentences))
    prompts = []
    generate = child.ChildEngine.generate

    def noted(self, request, **ways):
        prompts.append(str(request.prompt))
        return generate(self, request, **ways)

    monkeypatch.setattr(child.ChildEngine, "generate", noted)
    ways = ["--workspace", str(root), "--retrieve", "1", "-n", "1", "--json"]
    done = CliRunner().invoke(personalizer, ["generate", "Bill#netPrice", *ways])
    assert done.exit_code == 0, done.output
    shown = nearest("Bill.netPrice", 1, embed=Vectors().by(str(tiny_sentences), Sentences()))
    assert f"@Test void {shown[0]}()" in prompts[0]
