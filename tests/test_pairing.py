"""Which method a test tests, rule by rule, on small projects."""

import textwrap
from itertools import pairwise

import pytest

from indexer import Change, Index, Pair
from indexer.names import bare_name, class_names
from indexer.pairing import Mode, find_tests, in_test_root


def pairs_of(*sources: str, mode: Mode = "rules") -> tuple[Pair, ...]:
    """Pairs of files; the first word ``class X`` of each source names its file.

    A source whose first type is a test's lies under ``src/test``, others under ``src/main``.
    """
    changes = []
    for source in sources:
        text = textwrap.dedent(source)
        name = next(line.split("{")[0].split() for line in text.splitlines() if "{" in line)
        kinds = ("class", "interface", "enum", "record")
        simple = next(b.split("(")[0] for a, b in pairwise(name) if a in kinds)
        root = "src/test/java" if "@Test" in text or "Test" in simple else "src/main/java"
        changes.append(Change(f"{root}/a/{simple}.java", f"package a;\n{text}".encode()))
    return Index().apply(changes).find_pairs(mode)


def shown(pair: Pair) -> str:
    focal, test = pair.focal.method, pair.test.method
    parameters = ",".join(p.simple_type for p in focal.parameters)
    return f"{focal.owner}.{focal.name}({parameters}) <- {test.owner}.{test.name}  {pair.rule}"


def check_pairs(*sources_then_pairs: str, mode: Mode = "rules") -> None:
    """Sources, then the pairs that are expected, each as ``A.b(int) <- ATest.c  rule``."""
    sources = [one for one in sources_then_pairs if "<-" not in one]
    expected = [one for one in sources_then_pairs if "<-" in one]
    assert [shown(pair) for pair in pairs_of(*sources, mode=mode)] == expected


CART = """
    class Cart {
        Cart() { }
        Cart(int size) { }
        int total() { return 0; }
        void add(String item) { }
        void add(String item, int count) { }
        void add(Item item) { }
        void removeItemsOlderThan(long age) { }
        int getSize() { return 0; }
        void open() { }
        private void check() { }
        public String toString() { return ""; }
    }
    """


# ---------------------------------------------------------------- rules by name


@pytest.mark.parametrize(
    ("test", "pair"),
    [
        ("total() { cart.total(); }", "Cart.total() <- CartTest.total  name-exact"),
        ("testTotal() { cart.total(); }", "Cart.total() <- CartTest.testTotal  name-exact"),
        ("test_total() { cart.total(); }", "Cart.total() <- CartTest.test_total  name-exact"),
        ("totalIsZero() { cart.total(); }", "Cart.total() <- CartTest.totalIsZero  name-prefix"),
        ("totalsSum() { cart.total(); }", "Cart.total() <- CartTest.totalsSum  name-prefix"),
        ('addingSums() { cart.add("a"); }', "Cart.add(String) <- CartTest.addingSums  name-prefix"),
        (
            "emptyHasTotal() { cart.total(); }",
            "Cart.total() <- CartTest.emptyHasTotal  name-inside",
        ),
        (
            "removesOlderItems() { cart.removeItemsOlderThan(3); cart.total(); }",
            "Cart.removeItemsOlderThan(long) <- CartTest.removesOlderItems  name-words",
        ),
        (
            'hasStringRepresentation() { assertEquals("", "" + cart); }',
            "Cart.toString() <- CartTest.hasStringRepresentation  string-form",
        ),
        (
            "constructorTakesSize() { new Cart(2); }",
            "Cart.Cart(int) <- CartTest.constructorTakesSize  constructor",
        ),
    ],
)
def test_a_name_tells_the_method(test: str, pair: str):
    check_pairs(CART, f"class CartTest {{ Cart cart; @Test void {test} }}", pair)


def test_the_longest_name_wins():
    check_pairs(
        "class Shop { void add() { } void addItem() { } }",
        "class ShopTest { Shop s; @Test void addItemTwice() { s.add(); s.addItem(); } }",
        "Shop.addItem() <- ShopTest.addItemTwice  name-prefix",
    )


def test_a_called_method_wins_over_an_uncalled_longer_name():
    check_pairs(
        "class Shop { void add() { } void addItem() { } }",
        "class ShopTest { Shop s; @Test void addItemTwice() { s.add(); } }",
        "Shop.add() <- ShopTest.addItemTwice  name-prefix",
    )


def test_a_route_is_reached_without_a_call():
    check_pairs(
        'class Api { @GetMapping("/x") String preview() { return null; } void get() { } }',
        'class ApiTest { Api api; @Test void previewOfSheet() { given().get("/x"); } }',
        "Api.preview() <- ApiTest.previewOfSheet  name-prefix",
    )


@pytest.mark.parametrize(
    ("test", "pair"),
    [
        ("addsByFactory", "Cart.add(String) <- CartTest.addsByFactory  name-prefix"),
        ("testCtor", "Cart.Cart(int) <- CartTest.testCtor  constructor"),
        ("ctor_adds", "Cart.Cart(int) <- CartTest.ctor_adds  constructor"),
    ],
)
def test_no_other_word_says_constructor(test: str, pair: str):
    check_pairs(CART, f'class CartTest {{ @Test void {test}() {{ new Cart(1).add("a"); }} }}', pair)


def test_a_nested_test_class_names_the_method():
    check_pairs(
        CART,
        "class CartTest { Cart cart; @Nested class Total { @Test void ofNothing() { cart.total(); "
        'cart.add("a"); } } }',
        "Cart.total() <- CartTest.Total.ofNothing  name-exact",
    )


def test_a_method_of_a_nested_type_is_found_by_its_name():
    check_pairs(
        "class Shop { static class Builder { Shop withName(String n) { return null; } } }",
        'class ShopTest { @Test void withNameKeeps() { new Shop.Builder().withName("a"); } }',
        "Shop.Builder.withName(String) <- ShopTest.withNameKeeps  name-prefix",
    )


# ---------------------------------------------------------------- rules by calls


def test_the_only_focal_call_is_tested():
    check_pairs(
        CART,
        "class CartTest { Cart cart; @Test void worksWhenEmpty() { cart.total(); list.size(); } }",
        "Cart.total() <- CartTest.worksWhenEmpty  single-call",
    )


TILL = """
    class Till {
        private String currency;
        void setCurrency(String currency) { this.currency = currency; }
        void setRate(String rate) { rates.put(currency, parse(rate)); changed(); }
    }
    """


def test_a_property_set_for_other_code_to_work_with_is_not_tested():
    check_pairs(
        TILL,
        CART,
        'class TillTest { Till till; Cart cart; @Test void prints() { till.setCurrency("EUR"); '
        "cart.total(); } }",
    )


@pytest.mark.parametrize(
    ("sets", "works"),
    [
        ('till.setCurrency("EUR")', "cart.getSize()"),
        ('till.setCurrency("EUR")', "list.clear()"),
        ('till.setRate("1")', "cart.total()"),
    ],
)
def test_what_sets_more_or_alone_is_tested(sets: str, works: str):
    method = sets.removeprefix("till.").partition("(")[0]
    check_pairs(
        TILL,
        CART,
        "class TillTest { Till till; Cart cart; List list; @Test void prints() { "
        f"{sets}; {works}; }} }}",
        f"Till.{method}(String) <- TillTest.prints  single-call",
    )


def test_getters_and_set_up_do_not_hide_the_method_that_works():
    check_pairs(
        CART,
        'class CartTest { Cart cart; @Test void keeps() { cart.open(); cart.add("a"); '
        "assertEquals(1, cart.getSize()); } }",
        "Cart.add(String) <- CartTest.keeps  only-worker",
    )


def test_two_methods_without_a_name_give_no_pair():
    check_pairs(
        CART, 'class CartTest { Cart cart; @Test void works() { cart.total(); cart.add("a"); } }'
    )


def test_set_up_alone_gives_no_pair():
    check_pairs(CART, "class CartTest { Cart cart; @Test void starts() { cart.open(); } }")


def test_an_object_converts_from_what_a_class_makes_an_object_of():
    check_pairs(
        "class Codec { static Codec fromName(String n) { return null; } boolean isStrict() {} "
        "Object fromText(String text) { return null; } }",
        'class CodecTest { Codec c; @Test void works() { c.fromText("a"); c.isStrict(); } '
        '@Test void strict() { Codec c = Codec.fromName("a"); c.isStrict(); c.toString(); } }',
        "Codec.fromText(String) <- CodecTest.works  only-worker",
        "Codec.isStrict() <- CodecTest.strict  name-property",
    )


def test_taking_down_does_not_hide_the_method_that_works():
    check_pairs(
        "class Filter { void pass(String text) { } void destroy() { } }",
        'class FilterTest { Filter f; @Test void works() { f.pass("a"); f.destroy(); } }',
        "Filter.pass(String) <- FilterTest.works  single-call",
    )


def test_what_only_makes_the_thing_under_test_gives_no_pair():
    check_pairs(
        "class Manager { Query createQuery(String text) { return null; } }",
        'class ManagerTest { Manager m; @Test void findsAll() { Query q = m.createQuery("a"); '
        "q.execute(); } }",
    )


def test_an_integration_test_needs_a_name():
    check_pairs(
        CART,
        "class CartIT { Cart cart; @Test void works() { cart.total(); } "
        "@Test void totalSums() { cart.total(); } }",
        "Cart.total() <- CartIT.totalSums  name-prefix",
    )


def test_a_call_on_another_type_is_no_focal_call():
    check_pairs(
        CART,
        "class Other { int total() { return 1; } }",
        "class CartTest { Other other; List<String> list; "
        '@Test void works() { other.total(); list.add("a"); } }',
    )


def test_stubs_and_checks_of_mocks_are_no_calls():
    check_pairs(
        CART,
        'class CartTest { Cart cart; @Test void works() { verify(cart).add("a"); '
        "doReturn(1).when(cart).getSize(); cart.total(); } }",
        "Cart.total() <- CartTest.works  single-call",
    )


def test_what_a_stub_names_is_no_call():
    check_pairs(
        CART,
        "class CartTest { Cart cart; @Test void works() { "
        'when(cart.getSize()).thenReturn(1); given(cart.add("a")).willThrow(new Error()); '
        "cart.total(); } }",
        "Cart.total() <- CartTest.works  single-call",
    )


def test_a_step_called_when_is_no_stub():
    check_pairs(
        CART,
        "class CartTest { Cart cart; @Test void works() { when(cart.total()); then(1); } }",
        "Cart.total() <- CartTest.works  single-call",
    )


def test_helpers_of_the_test_class_are_looked_into():
    check_pairs(
        CART,
        "class CartTest { Cart cart; @Test void works() { help(); } "
        "void help() { cart.total(); } }",
        "Cart.total() <- CartTest.works  single-call",
    )


def test_a_helper_may_pass_on_to_its_overloads():
    check_pairs(
        CART,
        "class CartTest { Cart cart; @Test void totalIsZero() { help(1); } "
        "void help(String a, int b, int c) { cart.getSize(); } "
        "void help(int a) { help(a, 2); } void help(int a, int b) { cart.total(); } }",
        "Cart.total() <- CartTest.totalIsZero  name-prefix",
    )


def test_a_variable_without_its_type_has_the_type_of_what_it_is_given():
    check_pairs(
        "class Cart { static Cart of() { return null; } int total() { return 0; } }",
        "class Other { int total() { return 0; } static Other all() { return null; } }",
        "class CartTest { @Test void totalIsZero() { var cart = Cart.of(); cart.total(); } "
        "@Test void totalIsOne() { var it = Other.all(); it.total(); } }",
        "Cart.total() <- CartTest.totalIsZero  name-prefix",
    )


def test_what_is_derived_in_the_test_stands_in_for_the_class():
    check_pairs(
        "abstract class Cart { int total() { return 0; } int size() { return 0; } }",
        "class CartTest { MyCart cart; class MyCart extends Cart { } "
        "@Test void totalIsZero() { cart.total(); } }",
        "Cart.total() <- CartTest.totalIsZero  name-prefix",
    )


def test_what_a_test_calls_itself_goes_before_what_its_helper_calls():
    check_pairs(
        CART,
        "class CartTest { Cart cart; @Test void works() { cart.total(); help(); } "
        'void help() { cart.add("a"); } }',
        "Cart.total() <- CartTest.works  only-worker",
    )


def test_helpers_and_fields_may_be_inherited():
    check_pairs(
        CART,
        "abstract class BaseTest { Cart cart; void help() { cart.total(); } }",
        "class CartTest extends BaseTest { @Test void works() { help(); } "
        '@Test void addsOne() { cart.add("a"); } }',
        "Cart.total() <- CartTest.works  single-call",
        "Cart.add(String) <- CartTest.addsOne  name-prefix",
    )


def test_a_class_that_is_only_made_pairs_with_its_constructor():
    check_pairs(
        CART,
        "class CartTest { @Test(expected = E.class) void rejectsNegative() { new Cart(-1); } }",
        "Cart.Cart(int) <- CartTest.rejectsNegative  constructor",
    )


AGE = """
    class Age {
        Age(int years) { }
        static Age of(String text) { return null; }
        static Age make() { return null; }
        int getYears() { return 0; }
        boolean isAdult() { return true; }
        int inDays(boolean leap) { return 0; }
    }
    """


@pytest.mark.parametrize(
    ("body", "pair"),
    [
        (
            "Age a = new Age(9); a.getYears(); a.isAdult();",
            "Age.Age(int) <- AgeTest.x  constructor",
        ),
        ('Age a = Age.of("9"); a.getYears(); a.isAdult();', "Age.of(String) <- AgeTest.x  factory"),
        ("Age a = Age.make(); a.getYears(); a.isAdult();", ""),
        ("Age a = new Age(9); a.getYears(); a.inDays(true);", "Age.inDays(boolean) <- AgeTest.x"),
    ],
)
def test_what_makes_an_object_is_tested_where_its_properties_are_read(body: str, pair: str):
    found = [
        shown(one) for one in pairs_of(AGE, f"class AgeTest {{ @Test void x() {{ {body} }} }}")
    ]
    assert bool(found) == bool(pair) and all(one.startswith(pair) for one in found)


@pytest.mark.parametrize("body", ["{ }", "{ /* cart.total(); */ }", "{ int total = 0; }"])
def test_a_test_that_calls_nothing_tests_nothing(body: str):
    check_pairs(CART, f"class CartTest {{ Cart cart; @Test void total() {body} }}")
    one_method = "class AgeValidator { boolean isValid(int age) { return age > 0; } }"
    check_pairs(one_method, f"class AgeValidatorTest {{ @Disabled @Test void negative() {body} }}")


def test_a_class_of_one_method_is_tested_by_it():
    check_pairs(
        "class AgeValidator { protected boolean isValid(int age) { return age > 0; } }",
        "class AgeValidatorTest { @Test void negative() { validator.validate(person); } }",
        "AgeValidator.isValid(int) <- AgeValidatorTest.negative  only-method",
    )


def test_a_constructor_that_is_written_nowhere_leaves_its_test_without_a_method():
    check_pairs(
        "class AgeValidator { boolean isValid(int age) { return age > 0; } }",
        "class AgeValidatorTest { @Test void emptyConstructor() { new AgeValidator(); } }",
    )


def test_private_methods_are_never_focal():
    check_pairs(CART, "class CartTest { Cart cart; @Test void check() { cart.check(); } }")


# ---------------------------------------------------------------- overloads


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        ('add("a")', "String"),
        ('add("a", 2)', "String,int"),
        ("add(new Item())", "Item"),
        ("add(item)", "Item"),
        ("add(shop.item())", "Item"),
        ('add(name + 1 + "x")', "String"),
        ("add((Item) thing)", "Item"),
    ],
)
def test_arguments_choose_the_overload(call: str, parameters: str):
    check_pairs(
        CART,
        "class Shop { Item item() { return null; } }",
        "class CartTest { Cart cart; Item item; Shop shop; "
        f"@Test void adds() {{ cart.{call}; }} }}",
        f"Cart.add({parameters}) <- CartTest.adds  name-prefix",
    )


def test_the_name_of_the_test_chooses_between_equal_overloads():
    check_pairs(
        "class Codec { void write(Node n) { } void write(Edge e) { } }",
        "class CodecTest { Codec c; @Test void writeEdge() { c.write(any()); } }",
        "Codec.write(Edge) <- CodecTest.writeEdge  name-prefix",
    )


def test_a_subtype_fits_its_parent():
    check_pairs(
        "class Sub extends Base { }",
        "class Codec { void write(Other o) { } void write(Base b) { } }",
        "class CodecTest { Codec c; @Test void writes() { c.write(new Sub()); } }",
        "Codec.write(Base) <- CodecTest.writes  name-prefix",
    )


# ---------------------------------------------------------------- classes


@pytest.mark.parametrize(
    "test_class",
    ["CartTest", "TestCart", "CartTests", "CartIT", "CartITCase", "CartTestCase", "CartTotalTest"],
)
def test_a_test_class_is_named_after_its_class(test_class: str):
    check_pairs(
        CART,
        f"class {test_class} {{ Cart cart; @Test void total() {{ cart.total(); }} }}",
        f"Cart.total() <- {test_class}.total  name-exact",
    )


def test_a_class_whose_name_ends_as_a_test_s_does_has_tests_of_its_own():
    check_pairs(
        CART,
        "class CartSpec { int total() { return 0; } }",
        "class CartSpecTest { CartSpec spec; @Test void total() { spec.total(); } }",
        "CartSpec.total() <- CartSpecTest.total  name-exact",
    )


@pytest.mark.parametrize("focal", ["CartImpl", "AbstractCart", "DefaultCart", "ICart", "Carts"])
def test_variants_of_the_class_name_are_found(focal: str):
    check_pairs(
        f"class {focal} {{ int total() {{ return 0; }} }}",
        "class CartTest { @Test void total() { cart.total(); } }",
        f"{focal}.total() <- CartTest.total  name-exact",
    )


def test_the_only_implementation_of_an_interface_is_focal():
    check_pairs(
        "interface Shop { int total(int a); }",
        "class LocalShop implements Shop { public int total(int a) { return a; } }",
        "class ShopTest { Shop shop; @Test void total() { shop.total(1); } }",
        "LocalShop.total(int) <- ShopTest.total  name-exact",
    )


def test_one_of_two_implementations_is_not_guessed():
    check_pairs(
        "interface Shop { int total(); }",
        "class NearShop implements Shop { public int total() { return 1; } }",
        "class FarShop implements Shop { public int total() { return 2; } }",
        "class ShopTest { Shop shop; @Test void total() { shop.total(); } }",
        "Shop.total() <- ShopTest.total  name-exact",
    )


def test_inherited_methods_are_focal():
    check_pairs(
        "class Base { int total() { return 0; } }",
        "class Cart extends Base { }",
        "class CartTest { Cart cart; @Test void total() { cart.total(); } }",
        "Base.total() <- CartTest.total  name-exact",
    )


def test_enums_and_records_are_focal():
    check_pairs(
        "enum Size { SMALL; int cm() { return 1; } }",
        "record Range(int a) { int length() { return a; } }",
        "class SizeTest { @Test void cm() { Size.SMALL.cm(); } }",
        "class RangeTest { @Test void length() { new Range(1).length(); } }",
        "Range.length() <- RangeTest.length  name-exact",
        "Size.cm() <- SizeTest.cm  name-exact",
    )


def test_a_test_without_its_class_pairs_by_name_with_what_it_calls():
    check_pairs(
        CART,
        "class EverythingTest { Cart cart; "
        "@Test void totalIsZero() { cart.total(); cart.check(); } "
        '@Test void works() { cart.total(); cart.add("a"); } }',
        "Cart.total() <- EverythingTest.totalIsZero  other-class",
    )


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('cart.open(); cart.add("a"); cart.total(); cart.getSize();', False),
        ("cart.open(); cart.total(); cart.getSize();", True),
        ("filled(); cart.total();", True),
        ("cart.total(); assertFilled();", False),
        ("cart.getSize();", False),
        ('cart.add("a");', False),
        ("cart.total(); Session s = null; s.save();", False),
    ],
)
def test_the_only_work_that_a_test_without_its_class_asks_for(body: str, found: bool):
    helpers = (
        'void filled() { cart.add("a"); } '
        "void assertFilled() { cart.removeItemsOlderThan(1); assertTrue(true); }"
    )
    pairs = pairs_of(
        CART,
        f"import org.acme.Session; class EverythingTest {{ Cart cart; {helpers} "
        f"@Test void works() {{ {body} }} }}",
    )
    expected = ["Cart.total() <- EverythingTest.works  only-work"] if found else []
    assert [shown(pair) for pair in pairs] == expected


def test_another_class_needs_the_whole_name_of_its_method():
    check_pairs(
        CART,
        "class Clerk { void greet() { } void greetAll() { } void close() { } }",
        "class CartTest { Clerk clerk; Cart cart; "
        "@Test void greetAll() { clerk.greetAll(); clerk.close(); } "
        "@Test void greetAllOfThem() { clerk.greetAll(); clerk.close(); } "
        "@Test void greet() { clerk.greet(); } }",
        "Clerk.greetAll() <- CartTest.greetAll  other-class",
    )


def test_a_method_of_another_class_is_told_by_three_words():
    check_pairs(
        CART,
        "class Clerk { void greetAll() { } void greetAllGuests() { } void close() { } }",
        "class CartTest { Clerk clerk; Cart cart; "
        "@Test void greetAllGuestsOnce() { clerk.greetAllGuests(); clerk.close(); } "
        "@Test void greetAllOfThem() { clerk.greetAll(); clerk.close(); } }",
        "Clerk.greetAllGuests() <- CartTest.greetAllGuestsOnce  other-class",
    )


def test_all_words_but_the_verb_tell_a_method_of_many_words():
    check_pairs(
        "class Cart { void appendGapIfOpenBefore() { } void appendGap() { } void printAll() { } }",
        "class CartTest { Cart cart; @Test void formatGapIfOpenBefore() "
        "{ cart.appendGapIfOpenBefore(); cart.appendGap(); cart.printAll(); } }",
        "Cart.appendGapIfOpenBefore() <- CartTest.formatGapIfOpenBefore  name-words",
    )


def test_the_imported_class_is_meant():
    index = Index()
    sources = {
        "x/src/main/java/b/Cart.java": "package b; class Cart { void add() { } }",
        "y/src/main/java/c/Cart.java": "package c; class Cart { void add() { } }",
        "z/src/test/java/d/CartTest.java": "package d; import c.Cart;"
        " class CartTest { Cart cart; @Test void add() { cart.add(); } }",
    }
    snapshot = index.apply(Change(path, text.encode()) for path, text in sources.items())
    assert [pair.focal.path for pair in snapshot.pairs] == ["y/src/main/java/c/Cart.java"]


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("import b.*;", ["b/Cart.java"]),
        ("import c.*;", ["c/Cart.java"]),
        ("import java.util.Cart;", []),
        ("import static java.util.Cart.of;", ["b/Cart.java"]),
    ],
)
def test_an_import_tells_whose_class_is_meant(line: str, paths: list[str]):
    sources = {
        "b/Cart.java": "package b; class Cart { void add() { } }",
        "c/Cart.java": "package c; class Cart { void add() { } }",
        "d/CartTest.java": f"package d; {line} "
        "class CartTest { @Test void add() { new Cart().add(); } }",
    }
    snapshot = Index().apply(Change(path, text.encode()) for path, text in sources.items())
    assert [pair.focal.path for pair in snapshot.pairs] == paths


@pytest.mark.parametrize(
    ("package", "line", "found"),
    [
        ("c", "", False),
        ("c", "import b.*;", False),
        ("c", "import b.Shop;", True),
        ("c", "import b.Shop.Cart;", True),
        ("c", "import b.Shop.*;", True),
        ("b", "", True),
    ],
)
def test_a_nested_type_of_another_package_is_imported(package: str, line: str, found: bool):
    sources = {
        "b/Shop.java": "package b; class Shop { static class Cart { int total() { return 0; } } }",
        f"{package}/CartTest.java": f"package {package}; {line} "
        "class CartTest { @Test void total() { cart.total(); } }",
    }
    snapshot = Index().apply(Change(path, text.encode()) for path, text in sources.items())
    assert len(snapshot.pairs) == found


def test_a_type_that_is_not_ours_fits_what_its_name_ends_with():
    check_pairs(
        "class Codec { void write(Writer w) { } void write(OutputStream o) { } }",
        "class CodecTest { Codec c; @Test void writes() { c.write(new FileOutputStream(f)); } }",
        "Codec.write(OutputStream) <- CodecTest.writes  name-prefix",
    )


@pytest.mark.parametrize(
    ("main", "test", "package"),
    [
        ("src/main/java/it/shop/", "src/test/java/it/shop/", "it.shop"),
        ("src/main/java/com/acme/contest/", "src/test/java/com/acme/contest/", "com.acme.contest"),
        ("src/main/java/com/acme/tests/", "src/test/java/com/acme/tests/", "com.acme.tests"),
        ("latest/src/main/java/a/", "latest/src/test/java/a/", "a"),
        ("it/src/main/java/a/", "it/src/it/java/a/", "a"),
        ("spring-test/src/main/java/a/", "spring-test/src/test/java/a/", "a"),
        ("src/it/shop/", "tests/it/shop/", "it.shop"),
        ("src/java/a/test/", "src/unittest/a/test/", "a.test"),
        ("a/", "src/integrationTest/java/a/", "a"),
    ],
)
def test_only_folders_of_sources_tell_tests_from_code(main: str, test: str, package: str):
    sources = {
        f"{main}Cart.java": f"package {package}; class Cart {{ void add() {{ }} void go() {{ }} }}",
        f"{test}Helper.java": f"package {package}; class Helper {{ void help() {{ }} }}",
        f"{test}CartTest.java": f"package {package}; class CartTest {{ "
        "@Test void add() { new Cart().add(); } @Test void help() { new Helper().help(); } }",
    }
    snapshot = Index().apply(Change(path, text.encode()) for path, text in sources.items())
    assert [pair.focal.path for pair in snapshot.pairs] == [f"{main}Cart.java"]
    assert [in_test_root(path, package) for path in sources] == [False, True, True]


# ---------------------------------------------------------------- tests and names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("class A { @Test void a() { } @ParameterizedTest void b() { } void c() { } }", "a b"),
        (
            "class A { @RepeatedTest(2) void a() { } @TestFactory S b() { } @Theory void c() { } }",
            "a b c",
        ),
        ("class A extends TestCase { public void testA() { } void testB() { } }", "testA"),
        (
            "@Test class A { public void a() { } @BeforeMethod public void b() { } void c() { } }",
            "a",
        ),
        ("class A { @Test void a(); @Before void b() { } }", ""),
        ("class A extends TestCase { public int testA() { } }", ""),
        ("class A extends AbstractShopTest { public void testA() { } void testB() { } }", "testA"),
        ("class A extends ShopTestBase { public void testA() { } public void a() { } }", "testA"),
        ("class A extends Contest { public void testA() { } }", ""),
        ("import org.junit.*; class A extends ShopTest { public void testA() { } }", ""),
        ("import org.junit.Test; class A extends ShopTest { public void testA() { } }", ""),
        (
            "import static org.junit.Assert.*; "
            "class A extends ShopTest { public void testA() { } }",
            "testA",
        ),
    ],
)
def test_tests_of_every_framework_are_known(source: str, names: str):
    facts = Index().apply([Change("A.java", source.encode())]).files["A.java"]
    assert [where.method.name for where in find_tests("A.java", facts)] == names.split()


def test_affixes_are_taken_off_names():
    assert [bare_name(n) for n in ("testA", "shouldGoHome", "goTest", "tester")] == [
        "A",
        "GoHome",
        "go",
        "tester",
    ]
    assert class_names("AbstractCartTest")[:2] == ["AbstractCart", "Cart"]
    assert class_names("CartSpecTest")[:2] == ["CartSpec", "Cart"]


def test_a_pair_keeps_its_digest_through_white_space_and_comments():
    test = "class CartTest { Cart cart; @Test void total() { cart.total(); } }"
    (first,) = pairs_of(CART, test)
    (second,) = pairs_of(CART.replace("{ return 0; }", "{\n return 0; // none\n }"), test)
    (third,) = pairs_of(CART.replace("return 0", "return 1"), test)
    assert first.digest == second.digest != third.digest


# ---------------------------------------------------------------- the published rules


def test_methods2test_maps_by_path_name_and_unique_call():
    check_pairs(
        CART,
        "class CartTest { Cart cart; @Test void testTotal() { } "
        "@Test void other() { cart.add(item); cart.add(item); } "
        "@Test void both() { cart.add(item); cart.total(); } "
        "@ParameterizedTest void total() { } }",
        "Cart.total() <- CartTest.testTotal  name",
        "Cart.add(String) <- CartTest.other  unique-call",
        mode="methods2test",
    )


def test_methods2test_knows_only_mirrored_paths():
    check_pairs(
        CART,
        "class CartIT { Cart cart; @Test void total() { cart.total(); } }",
        mode="methods2test",
    )


@pytest.mark.parametrize("test", ["cleanStateSet", "testSetOfNone"])
def test_the_verb_alone_tells_no_property(test: str):
    check_pairs(
        "class Page { void setTest(String name) { } void render() { } }",
        f'class PageTest {{ Page p; @Test void {test}() {{ p.setTest("a"); p.render(); }} }}',
        f"Page.render() <- PageTest.{test}  only-worker",
    )


@pytest.mark.parametrize("test", ["testSize", "sizes"])
def test_a_test_named_after_a_property_tests_what_reads_it(test: str):
    check_pairs(
        CART,
        f"class CartTest {{ Cart cart; @Test void {test}() {{ cart.add(1); cart.getSize(); }} "
        "@Test void size() { cart.total(); } }",
        f"Cart.getSize() <- CartTest.{test}  name-property",
        "Cart.total() <- CartTest.size  single-call",
    )


def test_what_gives_a_changed_copy_is_no_setter():
    check_pairs(
        "class Day { Year setCopy(String text) { return null; } int month() { return 1; } }",
        'class DayTest { Day d; @Test void daySetText() { d.setCopy("1"); d.month(); } }',
        "Day.setCopy(String) <- DayTest.daySetText  name-words",
    )


def test_where_two_methods_have_as_many_words_of_the_name_neither_is_chosen_by_them():
    check_pairs(
        """
        class Desk {
            int removeOldItems() { return 0; }
            int removeBigItems() { return 0; }
        }
        """,
        """
        class DeskTest {
            Desk desk;
            @Test void removesThoseItems() { desk.removeOldItems(); desk.removeBigItems(); }
        }
        """,
    )


def test_a_method_of_another_class_that_takes_other_arguments_is_not_what_is_called():
    cart = "class Cart { int total() { return 0; } }"
    test = "class ThingTest { Cart c; @Test void total() { c.total(%s); } }"
    check_pairs(cart, test % "", "Cart.total() <- ThingTest.total  other-class")
    check_pairs(cart, test % "1, 2")
