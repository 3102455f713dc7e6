"""Which pairs of the project are shown as examples."""

from __future__ import annotations

from indexer import Where
from personalizer.generation.retrieval import Retriever
from tests.java_project import snapshot_of


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
) -> list[str]:
    """Names of the tests that are found for ``Owner.name``, the nearest last."""
    snapshot = snapshot_of(dict(files or (CART, CART_TEST, BILL, BILL_TEST)))
    owner, _, name = owner_and_name.partition(".")
    focal = next(
        Where(path, method)
        for path, facts in snapshot.files.items()
        for method in facts.methods
        if (method.owner, method.name) == (owner, name)
    )
    exclude = [pair for pair in snapshot.pairs if pair.test.method.name in held_out]
    found = Retriever(snapshot, snapshot.pairs).nearest(focal, k, exclude)
    return [pair.test.method.name for pair in found]


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
