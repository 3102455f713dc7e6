"""Where a generated test goes. Every case is (project, focal method, test) and what comes out."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import Change, Index, Snapshot, index_folder
from indexer.languages import java
from personalizer.edits import apply_changes
from personalizer.errors import BadInput
from personalizer.generation import Edit, Site, resolve_target
from personalizer.generation.placing.naming import free_name
from personalizer.generation.placing.place import method_of
from personalizer.generation.placing.style import numbered, reindent

CART = """package shop;

import java.util.List;

public class Cart {
    public int total() {
        return 0;
    }

    public static Cart of(List<Item> items) {
        return new Cart();
    }
}
"""
CART_PATH = "src/main/java/shop/Cart.java"
TEST_PATH = "src/test/java/shop/CartTest.java"
TOTALS = """@Test
void totals() {
    assertEquals(0, new Cart().total());
}"""

Source = str | bytes


def project(files: dict[str, Source]) -> Snapshot:
    return Index().apply(
        Change(path, source.encode() if isinstance(source, str) else source)
        for path, source in files.items()
    )


def place(
    files: dict[str, Source], test: str, target: str = "shop.Cart#total"
) -> tuple[Edit, bytes]:
    """The edit, and the bytes of the file that it gives; checks what holds for every edit."""
    snapshot = project({CART_PATH: CART, **files})
    edit = Site(snapshot, *resolve_target(snapshot, target)).edit(test)
    assert edit.created == (edit.file not in snapshot.files)
    before = b"" if edit.created else snapshot.source(edit.file)
    assert all(change.start == change.end for change in edit.changes)
    assert list(edit.changes) == sorted(edit.changes, key=lambda change: change.start)
    after = apply_changes(before, edit.changes)
    assert java.parse(after).errors == java.parse(before).errors
    return edit, after


def check_added(
    before: Source,
    test: str,
    after: Source,
    *,
    others: dict[str, Source] | None = None,
    target: str = "shop.Cart#total",
    path: str = TEST_PATH,
) -> Edit:
    """A test goes into the class of ``path``, which is then ``after``."""
    edit, got = place({path: before, **(others or {})}, test, target)
    assert edit.file == path
    assert got == (after.encode() if isinstance(after, str) else after)
    return edit


def check_created(
    files: dict[str, Source],
    test: str,
    path: str,
    after: str,
    *,
    target: str = "shop.Cart#total",
) -> Edit:
    """A test goes into a new file."""
    edit, got = place(files, test, target)
    assert (edit.file, edit.created) == (path, True)
    assert got.decode() == after
    return edit


def check_imports(imports: str, test: str, expected: str, **others: Source) -> None:
    """The imports of a test class, once a test with new names is in it."""
    body = "\n\nclass CartTest {\n    @Test\n    void adds() {\n    }\n}\n"
    named = {name.replace("__", "/") + ".java": text for name, text in others.items()}
    _, got = place({TEST_PATH: f"package shop;\n\n{imports}{body}", **named}, test)
    head = got.decode().partition("class CartTest")[0]
    assert head.removeprefix("package shop;").strip() == expected.strip()


def junit5(body: str) -> str:
    """A test class with all imports that ``TOTALS`` needs."""
    return (
        "package shop;\n\n"
        "import static org.junit.jupiter.api.Assertions.assertEquals;\n\n"
        "import org.junit.jupiter.api.Test;\n\n" + body
    )


# ---------------------------------------------------------------- in the class


def test_a_test_goes_after_the_last_member():
    check_added(
        junit5("class CartTest {\n    @Test\n    void adds() {\n    }\n}\n"),
        TOTALS,
        junit5(
            "class CartTest {\n    @Test\n    void adds() {\n    }\n\n"
            "    @Test\n    void totals() {\n"
            "        assertEquals(0, new Cart().total());\n    }\n}\n"
        ),
    )


def test_a_class_indented_by_tabs_gets_tabs():
    check_added(
        junit5("class CartTest {\n\t@Test\n\tvoid adds() {\n\t}\n}\n"),
        TOTALS,
        junit5(
            "class CartTest {\n\t@Test\n\tvoid adds() {\n\t}\n\n"
            "\t@Test\n\tvoid totals() {\n\t\tassertEquals(0, new Cart().total());\n\t}\n}\n"
        ),
    )


def test_a_class_indented_by_two_blanks_gets_two():
    check_added(
        junit5("class CartTest {\n  @Test\n  void adds() {\n  }\n}\n"),
        TOTALS,
        junit5(
            "class CartTest {\n  @Test\n  void adds() {\n  }\n\n"
            "  @Test\n  void totals() {\n    assertEquals(0, new Cart().total());\n  }\n}\n"
        ),
    )


def test_windows_line_endings_stay_and_are_used():
    before = "class CartTest {\n    @Test\n    void adds() {\n    }\n}\n"
    after = (
        "class CartTest {\n    @Test\n    void adds() {\n    }\n\n"
        "    @Test\n    void totals() {\n        assertEquals(0, new Cart().total());\n    }\n}\n"
    )
    check_added(junit5(before).replace("\n", "\r\n"), TOTALS, junit5(after).replace("\n", "\r\n"))


def test_imports_in_a_file_with_windows_line_endings():
    before = "package shop;\n\nimport org.junit.jupiter.api.Test;\n\nclass CartTest {\n}\n"
    after = (
        "package shop;\n\nimport java.util.ArrayList;\nimport org.junit.jupiter.api.Test;\n\n"
        "class CartTest {\n    @Test\n    void a() { new ArrayList<>(); }\n}\n"
    )
    check_added(
        before.replace("\n", "\r\n"),
        "@Test\nvoid a() { new ArrayList<>(); }",
        after.replace("\n", "\r\n"),
    )


def test_a_missing_final_newline_stays_missing():
    check_added(
        junit5("class CartTest {\n    int a;\n}"),
        "@Test\nvoid totals() { }",
        junit5("class CartTest {\n    int a;\n\n    @Test\n    void totals() { }\n}"),
    )


def test_a_byte_order_mark_stays():
    check_added(
        b"\xef\xbb\xbf" + junit5("class CartTest {\n    int a;\n}\n").encode(),
        "@Test\nvoid totals() { }",
        b"\xef\xbb\xbf"
        + junit5("class CartTest {\n    int a;\n\n    @Test\n    void totals() { }\n}\n").encode(),
    )


def test_a_file_in_latin_1_keeps_its_bytes_and_gets_escapes():
    check_added(
        junit5('class CartTest {\n    String a = "é";\n}\n').encode("latin-1"),
        '@Test\nvoid totals() { String b = "ü€😀"; }',
        junit5(
            'class CartTest {\n    String a = "é";\n\n    @Test\n'
            '    void totals() { String b = "\\u00fc\\u20ac\\ud83d\\ude00"; }\n}\n'
        ).encode("latin-1"),
    )


def test_a_file_in_utf_8_gets_the_text_as_it_is():
    check_added(
        junit5('class CartTest {\n    String a = "é";\n}\n'),
        '@Test\nvoid totals() { String b = "ü"; }',
        junit5(
            'class CartTest {\n    String a = "é";\n\n    @Test\n'
            '    void totals() { String b = "ü"; }\n}\n'
        ),
    )


def test_a_class_on_one_line_opens_up():
    check_added(
        junit5("class CartTest {}\n"),
        "@Test\nvoid totals() {\n}",
        junit5("class CartTest {\n    @Test\n    void totals() {\n    }\n}\n"),
    )


def test_a_class_with_members_on_one_line_opens_up():
    check_added(
        junit5("class CartTest { int a; }\n"),
        "@Test\nvoid totals() {\n}",
        junit5("class CartTest { int a;\n\n    @Test\n    void totals() {\n    }\n }\n"),
    )


def test_a_comment_after_the_last_member_stays_where_it_is():
    check_added(
        junit5("class CartTest {\n    int a; // one\n\n    // more to come }\n}\n"),
        "@Test\nvoid totals() {\n}",
        junit5(
            "class CartTest {\n    int a; // one\n\n    // more to come }\n\n"
            "    @Test\n    void totals() {\n    }\n}\n"
        ),
    )


def test_blank_lines_before_the_last_brace_stay():
    check_added(
        junit5("class CartTest {\n\n    int a;\n\n}\n\n"),
        "@Test\nvoid totals() {\n}",
        junit5("class CartTest {\n\n    int a;\n\n    @Test\n    void totals() {\n    }\n\n}\n\n"),
    )


def test_nested_classes_after_the_tests_stay_before_the_new_one():
    check_added(
        junit5(
            "class CartTest {\n    @Test\n    void adds() {\n    }\n\n"
            "    static class Dummy {\n        int a;\n    }\n}\n"
        ),
        "@Test\nvoid totals() {\n}",
        junit5(
            "class CartTest {\n    @Test\n    void adds() {\n    }\n\n"
            "    static class Dummy {\n        int a;\n    }\n\n"
            "    @Test\n    void totals() {\n    }\n}\n"
        ),
    )


def test_the_right_one_of_two_classes_in_a_file():
    helper = "class Helper {\n    int b;\n}\n"
    check_added(
        junit5("class CartTest {\n    int a;\n}\n\n" + helper),
        "@Test\nvoid totals() {\n}",
        junit5(
            "class CartTest {\n    int a;\n\n    @Test\n    void totals() {\n    }\n}\n\n" + helper
        ),
    )


def test_text_blocks_move_as_a_whole():
    check_added(
        junit5("class CartTest {\n\tint a;\n}\n"),
        '@Test\nvoid totals() {\n    String s = """\n        a\n          b\n        """;\n}',
        junit5(
            "class CartTest {\n\tint a;\n\n\t@Test\n\tvoid totals() {\n"
            '\t\tString s = """\n\t        a\n\t          b\n\t        """;\n\t}\n}\n'
        ),
    )


def test_continued_lines_keep_their_distance():
    assert (
        reindent("void a() {\n  b()\n      .c();\n\n}", "\t", "\t")
        == "\tvoid a() {\n\t\tb()\n\t\t\t\t.c();\n\n\t}"
    )


def test_a_member_after_which_the_class_ends_on_the_same_line():
    check_added(
        junit5("class CartTest {\n    void help() {\n    }}\n"),
        "@Test\nvoid totals() {\n}",
        junit5(
            "class CartTest {\n    void help() {\n    }\n\n    @Test\n"
            "    void totals() {\n    }\n}\n"
        ),
    )


# ---------------------------------------------------------------- names that are taken


@pytest.mark.parametrize(
    ("existing", "wanted", "got"),
    [
        ("adds", "adds", "adds2"),
        ("adds adds2", "adds", "adds3"),
        ("adds sums sums_2", "adds", "adds_2"),
        ("adds_twoItems", "adds_twoItems", "adds_twoItems_2"),
        ("test1", "test1", "test2"),
        ("adds", "sums", "sums"),
    ],
)
def test_a_name_that_is_taken_is_counted_on(existing: str, wanted: str, got: str):
    members = "".join(f"    @Test\n    void {name}() {{\n    }}\n" for name in existing.split())
    edit = check_added(
        junit5(f"class CartTest {{\n{members}}}\n"),
        f'@Test\n@DisplayName("{wanted}()")\nvoid {wanted}() {{\n    more();\n}}',
        junit5(
            f"class CartTest {{\n{members}\n    @Test\n"
            f'    @DisplayName("{wanted}()")\n    void {got}() {{\n        more();\n    }}\n}}\n'
        ).replace(
            "import org.junit.jupiter.api.Test;",
            "import org.junit.jupiter.api.DisplayName;\nimport org.junit.jupiter.api.Test;",
        ),
    )
    renamed = [note for note in edit.notes if note.startswith("renamed")]
    assert bool(renamed) == (wanted != got)


@pytest.mark.parametrize(
    ("existing", "wanted", "statement", "got"),
    [
        ("total", "total", "assertEquals(1, cart.total(null));", "totalWithNull"),
        ("total totalWithNull", "total", "assertEquals(1, cart.total(null));", "total2"),
        ("total_a", "total_a", "assertEquals(1, cart.total(2, -1));", "total_a_withNegative"),
        ("total", "total", "assertThrows(Sorry.class, () -> cart.total(7));", "totalThrows"),
        ("total", "total", "assertThrows(Sorry.class, () -> cart.total(0));", "totalWithZero"),
        ("total", "totals", "assertThrows(Sorry.class, () -> cart.total(0));", "totals"),
        ("total", "total", "assertEquals(0, cart.other(null));", "total2"),
    ],
)
def test_a_name_that_is_taken_says_what_the_test_is_about(
    existing: str, wanted: str, statement: str, got: str
):
    method = method_of("public int total(Integer... rates) { return 1; }")
    test = f"@Test\nvoid {wanted}() {{\n    {statement}\n}}"
    assert free_name(test, wanted, existing.split(), (), method) == got


@pytest.mark.parametrize(
    ("beside", "head"),
    [
        (
            "abstract class Base {\n    @Test\n    void totals() { }\n}",
            "class CartTest extends Base",
        ),
        (
            "class Base {\n    final Cart totals() { return null; }\n}",
            "class CartTest extends Base",
        ),
        ("interface Base {\n    default void totals() { }\n}", "class CartTest implements Base"),
        ("class PlainTest extends CartTest {\n    void totals() { }\n}", "abstract class CartTest"),
    ],
)
def test_a_test_takes_no_name_of_a_class_above_or_below_its_own(beside: str, head: str):
    others: dict[str, Source] = {"src/test/java/shop/Base.java": junit5(f"{beside}\n")}
    edit, got = place({TEST_PATH: junit5(f"{head} {{\n}}\n"), **others}, TOTALS)
    assert edit.file == TEST_PATH
    assert b"void totals2()" in got
    assert edit.notes[0] == "renamed totals to totals2: CartTest has a totals already"


def test_a_private_name_of_a_class_above_is_free():
    others: dict[str, Source] = {
        "src/test/java/shop/Base.java": "package shop;\nclass Base { private void totals() { } }"
    }
    _, got = place({TEST_PATH: junit5("class CartTest extends Base {\n}\n"), **others}, TOTALS)
    assert b"void totals()" in got


@pytest.mark.parametrize("written", [TOTALS, TOTALS.replace("void", "default void")])
def test_a_test_in_an_interface_has_a_body_of_its_own(written: str):
    wanted = textwrap.indent(TOTALS.replace("void", "default void"), "    ")
    adds = wanted.replace("totals()", "adds()")
    before = junit5(f"interface CartTest {{\n{adds}\n}}\n")
    check_added(before, written, before.replace(f"{adds}\n", f"{adds}\n\n{wanted}\n"))


def test_digits_of_a_name_alone_are_no_way_of_counting():
    assert numbered("adds", ["adds"], ["parse_utf_8", "adds"]) == "adds2"


# ---------------------------------------------------------------- imports


def test_an_import_goes_where_the_order_wants_it():
    check_imports(
        "import java.util.Date;\nimport java.util.Map;\nimport org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { List<Map<?, ?>> all = null; Zebra z; }",
        "import java.util.Date;\nimport java.util.List;\nimport java.util.Map;\n"
        "import org.junit.jupiter.api.Test;",
    )


def test_an_unsorted_group_gets_new_imports_at_its_end():
    check_imports(
        "import org.junit.jupiter.api.Test;\nimport java.util.Map;\nimport java.util.Date;",
        "@Test\nvoid a() { List<?> all = null; }",
        "import org.junit.jupiter.api.Test;\nimport java.util.Map;\nimport java.util.Date;\n"
        "import java.util.List;",
    )


def test_an_import_goes_to_the_group_of_its_kin():
    check_imports(
        "import java.io.File;\n\nimport org.junit.jupiter.api.Test;\n\nimport shop.other.Till;",
        "@Test\nvoid a() { List<?> all = null; Coin coin; }",
        "import java.io.File;\nimport java.util.List;\n\nimport org.junit.jupiter.api.Test;\n\n"
        "import shop.money.Coin;\nimport shop.other.Till;",
        src__main__java__shop__money__Coin="package shop.money;\npublic class Coin {}\n",
    )


def test_static_imports_go_where_the_file_keeps_them():
    check_imports(
        "import org.junit.jupiter.api.Test;\n\n"
        "import static org.junit.jupiter.api.Assertions.assertTrue;",
        "@Test\nvoid a() { assertEquals(1, 1); }",
        "import org.junit.jupiter.api.Test;\n\n"
        "import static org.junit.jupiter.api.Assertions.assertEquals;\n"
        "import static org.junit.jupiter.api.Assertions.assertTrue;",
    )


def test_first_static_imports_go_where_other_tests_keep_them():
    other = (
        "package shop;\nimport org.junit.jupiter.api.Test;\n\n"
        "import static org.junit.jupiter.api.Assertions.assertTrue;\n"
        "class TillTest { @Test void a() { assertTrue(true); } }\n"
    )
    check_imports(
        "import org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { assertEquals(1, 1); }",
        "import org.junit.jupiter.api.Test;\n\n"
        "import static org.junit.jupiter.api.Assertions.assertEquals;",
        src__test__java__shop__TillTest=other,
    )


def test_first_static_imports_go_first_where_nobody_says_otherwise():
    check_imports(
        "import org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { assertEquals(1, 1); }",
        "import static org.junit.jupiter.api.Assertions.assertEquals;\n\n"
        "import org.junit.jupiter.api.Test;",
    )


def test_what_a_wildcard_gives_is_not_imported():
    check_imports(
        "import static org.junit.jupiter.api.Assertions.*;\n"
        "import static org.mockito.Mockito.*;\n\nimport java.util.*;\n"
        "import org.junit.jupiter.api.*;",
        "@Test\nvoid a() { assertEquals(List.of(), new HashMap<>()); when(any()); }",
        "import static org.junit.jupiter.api.Assertions.*;\n"
        "import static org.mockito.Mockito.*;\n\nimport java.util.*;\n"
        "import org.junit.jupiter.api.*;",
    )


def test_what_package_or_language_give_is_not_imported():
    check_imports(
        "import org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { String s = new Item().name(); Integer.valueOf(1); }",
        "import org.junit.jupiter.api.Test;",
        src__main__java__shop__Item="package shop;\npublic class Item {}\n",
    )


def test_the_import_of_the_focal_file_decides_between_equal_names():
    cart = CART.replace("java.util.List", "shop.own.List")
    _, got = place(
        {
            CART_PATH: cart,
            "src/main/java/shop/own/List.java": "package shop.own;\npublic class List {}\n",
            TEST_PATH: (
                "package shop;\n\nimport org.junit.jupiter.api.Test;\n\nclass CartTest {\n}\n"
            ),
        },
        "@Test\nvoid a() { List all = new List(); }",
    )
    assert b"import shop.own.List;" in got
    assert b"java.util" not in got


def test_what_other_tests_import_most_decides_between_equal_names():
    def other(name: str, full: str) -> str:
        return (
            f"package shop;\nimport org.junit.jupiter.api.Test;\nimport {full};\n"
            f"class {name} {{ @Test void a() {{ }} }}\n"
        )

    check_imports(
        "import org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { Date when; }",
        "import java.sql.Date;\nimport org.junit.jupiter.api.Test;",
        src__test__java__shop__ATest=other("ATest", "java.sql.Date"),
        src__test__java__shop__BTest=other("BTest", "java.sql.Date"),
        src__test__java__shop__CTest=other("CTest", "java.util.Date"),
    )


def test_the_nearest_class_of_the_project_decides_between_equal_names():
    check_imports(
        "import org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { Coin coin; }",
        "import org.junit.jupiter.api.Test;\nimport shop.money.Coin;",
        src__main__java__bank__Coin="package bank;\npublic class Coin {}\n",
        src__main__java__shop__money__Coin="package shop.money;\npublic class Coin {}\n",
    )


def test_a_nested_type_is_imported_by_its_whole_name():
    check_imports(
        "import org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { Line line; }",
        "import org.junit.jupiter.api.Test;\nimport shop.Bill.Line;",
        src__main__java__shop__Bill=(
            "package shop;\npublic class Bill { public static class Line {} }"
        ),
    )


def test_helpers_are_imported_as_other_tests_import_them():
    check_imports(
        "import org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { assertMoney(1); anItem(); }",
        "import static shop.testing.Checks.assertMoney;\n"
        "import static shop.testing.Items.anItem;\n\n"
        "import org.junit.jupiter.api.Test;",
        src__test__java__shop__testing__Checks=(
            "package shop.testing;\npublic class Checks { "
            "public static void assertMoney(int a) {} }"
        ),
        src__test__java__shop__testing__Items=(
            "package shop.testing;\npublic class Items { public static Object anItem() {} }"
        ),
        src__test__java__shop__TillTest=(
            "package shop;\nimport static shop.testing.Checks.assertMoney;\n"
            "import static shop.testing.Items.*;\nimport org.junit.jupiter.api.Test;\n"
            "class TillTest { @Test void a() { assertMoney(2); } }"
        ),
    )


def test_a_class_that_the_file_imports_from_goes_before_what_others_import_more():
    def other(name: str, mocks: str) -> str:
        return (
            f"package shop;\nimport org.junit.jupiter.api.Test;\nimport static {mocks}.verify;\n"
            f"class {name} {{ @Test void a() {{ verify(1); }} }}\n"
        )

    check_imports(
        "import static org.mockito.Mockito.mock;\n\nimport org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { verify(1); }",
        "import static org.mockito.Mockito.mock;\nimport static org.mockito.Mockito.verify;\n\n"
        "import org.junit.jupiter.api.Test;",
        src__test__java__shop__ATest=other("ATest", "org.easymock.EasyMock"),
        src__test__java__shop__BTest=other("BTest", "org.easymock.EasyMock"),
        src__test__java__shop__CTest=other("CTest", "org.mockito.Mockito"),
    )


def test_inherited_helpers_are_not_imported():
    base = "package shop;\npublic class Base { protected void assertEquals(int a, int b) {} }\n"
    before = (
        "package shop;\n\nimport org.junit.jupiter.api.Test;\n\nclass CartTest extends Base {\n}\n"
    )
    check_added(
        before,
        "@Test\nvoid a() { assertEquals(1, 1); }",
        before.replace("{\n}", "{\n    @Test\n    void a() { assertEquals(1, 1); }\n}"),
        others={"src/test/java/shop/Base.java": base},
    )


def test_the_framework_of_the_file_goes_before_that_of_the_project():
    old = (
        "package shop;\nimport org.junit.Test;\nimport static org.junit.Assert.assertEquals;\n"
        "public class {} {{ @Test public void a() {{ assertEquals(1, 1); }} }}\n"
    )
    check_imports(
        "import org.junit.jupiter.api.Test;",
        "@Test\nvoid a() { assertEquals(1, 1); }",
        "import org.junit.jupiter.api.Test;\n\n"
        "import static org.junit.jupiter.api.Assertions.assertEquals;",
        src__test__java__shop__ATest=old.format("ATest"),
        src__test__java__shop__BTest=old.format("BTest"),
    )


def test_of_two_frameworks_as_common_a_new_class_is_of_the_newer():
    old = (
        "package shop;\nimport junit.framework.TestCase;\n"
        "public class AOldTest extends TestCase { public void testA() { assertTrue(true); } }\n"
    )
    new = (
        "package shop;\nimport org.junit.Test;\npublic class BTest { @Test public void b() { } }\n"
    )
    edit, got = place(
        {"src/test/java/shop/AOldTest.java": old, "src/test/java/shop/BTest.java": new},
        "@Test\npublic void a() { }",
    )
    assert edit.created
    assert b"import org.junit.Test;" in got and b"TestCase" not in got


def test_the_number_of_a_second_test_class_is_no_part_of_its_name():
    stack = "package shop;\npublic class Stack { public int pop() { return 1; } }\n"
    test = (
        "package shop;\nimport org.junit.Test;\n"
        "public class {} {{ @Test public void pop() {{ new Stack().pop(); }} }}\n"
    )
    edit, _ = place(
        {
            "src/main/java/shop/Stack.java": stack,
            "src/test/java/shop/Stack2Test.java": test.format("Stack2Test"),
            "src/test/java/shop/StackTest.java": test.format("StackTest"),
        },
        "@Test\npublic void a() { }",
    )
    assert edit.file == "src/test/java/shop/CartTest.java"


def test_a_library_that_the_project_does_not_use_is_not_imported():
    edit, got = place(
        {TEST_PATH: junit5("class CartTest {\n}\n")},
        "@Test\nvoid a() { when(1); Mockito.mock(Cart.class); }",
    )
    assert b"mockito" not in got.replace(b"Mockito.mock", b"")
    assert "found no import for Mockito" in edit.notes


def test_a_type_that_nobody_knows_is_told():
    edit, _ = place(
        {TEST_PATH: junit5("class CartTest {\n}\n")}, "@Test\nvoid a() { new Unheard(); }"
    )
    assert edit.notes == ("found no import for Unheard",)


def test_names_in_comments_and_strings_need_no_import():
    check_imports(
        "import org.junit.jupiter.api.Test;",
        '@Test\nvoid a() { String s = "List"; /* Map */ } // HashMap',
        "import org.junit.jupiter.api.Test;",
    )


def test_a_file_without_imports_gets_them_after_its_package():
    before = "package shop;\nclass CartTest {\n}\n"
    check_added(
        before,
        "@Test\nvoid a() {\n}",
        "package shop;\n\nimport org.junit.jupiter.api.Test;\n\n"
        "class CartTest {\n    @Test\n    void a() {\n    }\n}\n",
    )


def test_package_import_and_class_on_one_line():
    check_added(
        "package shop; import java.util.Date; class CartTest { }",
        "@Test\nvoid a() { }",
        "package shop; import java.util.Date;\nimport org.junit.jupiter.api.Test; "
        "class CartTest {\n"
        "    @Test\n    void a() { }\n }",
    )


# ---------------------------------------------------------------- which class


def pairs_with_total(name: str, *, package: str = "shop", tests: int = 1) -> str:
    """A test class whose tests test ``Cart.total``."""
    body = "".join(
        f"    @Test void total{n}() {{ Cart cart = new Cart(); "
        f"assertEquals({n}, cart.total()); }}\n"
        for n in range(tests)
    )
    return junit5(f"class {name} {{\n{body}}}\n").replace("package shop", f"package {package}")


@pytest.mark.parametrize(
    ("classes", "chosen"),
    [
        ({"CartTest": 1, "CartPricingTest": 3}, "CartPricingTest"),
        ({"CartTest": 1, "TillTest": 3}, "CartTest"),
        ({"CartIT": 3, "CartTests": 0}, "CartTests"),
        ({"CartIntegrationTest": 3, "TestCart": 0}, "TestCart"),
        ({"PricingTest": 2}, "PricingTest"),
    ],
)
def test_the_class_with_most_tests_of_the_focal_class_is_chosen(
    classes: dict[str, int], chosen: str
):
    files: dict[str, Source] = {
        f"src/test/java/shop/{name}.java": pairs_with_total(name, tests=tests)
        for name, tests in classes.items()
    }
    edit, _ = place(files, "@Test\nvoid fresh() { }")
    assert edit.file == f"src/test/java/shop/{chosen}.java"


def test_tests_of_the_same_method_go_before_tests_of_the_same_class():
    of = "".join(f"    @Test void of{n}() {{ Cart.of(null); }}\n" for n in range(3))
    files: dict[str, Source] = {
        "src/test/java/shop/CartOfTest.java": junit5(f"class CartOfTest {{\n{of}}}\n"),
        "src/test/java/shop/CartTotalTest.java": pairs_with_total("CartTotalTest"),
    }
    assert place(files, "@Test\nvoid fresh() { }")[0].file.endswith("CartTotalTest.java")
    assert place(files, "@Test\nvoid fresh() { }", "Cart#of")[0].file.endswith("CartOfTest.java")


def test_a_class_of_another_package_that_is_named_after_something_else_is_not_chosen():
    edit, _ = place(
        {"src/test/java/flows/BuyingTest.java": pairs_with_total("BuyingTest", package="flows")},
        "@Test\nvoid fresh() { }",
    )
    assert (edit.file, edit.created) == (TEST_PATH, True)


def test_a_nested_class_is_chosen_only_where_the_outer_one_has_no_tests():
    nested = junit5(
        "class CartTest {\n    @Nested\n    class Total {\n"
        "        @Test\n        void total() {\n            new Cart().total();\n"
        "        }\n    }\n}\n"
    )
    _, got = place({TEST_PATH: nested}, "@Test\nvoid fresh() {\n}")
    assert b"\n        @Test\n        void fresh() {\n        }\n    }\n}\n" in got
    both = nested.replace(
        "class Total", "@Test\n    void total() { new Cart().total(); }\n    class Total"
    )
    _, got = place({TEST_PATH: both}, "@Test\nvoid fresh() {\n}")
    assert b"\n    }\n\n    @Test\n    void fresh() {\n    }\n}\n" in got


def test_a_class_in_another_module_is_found_by_its_name():
    edit, _ = place(
        {
            "core/src/main/java/bank/Vault.java": (
                "package bank;\npublic class Vault { void open() {} }"
            ),
            "core-tests/src/test/java/bank/VaultTest.java": (
                "package bank;\nimport org.junit.Test;\npublic class VaultTest { }\n"
            ),
        },
        "@Test\npublic void opens() { }",
        "Vault#open",
    )
    assert edit.file == "core-tests/src/test/java/bank/VaultTest.java"


def test_a_class_of_another_module_that_is_named_after_something_else_is_not_chosen():
    """Though it tests the method, in a package of the same name."""
    edit, _ = place(
        {
            "core/src/main/java/bank/Vault.java": (
                "package bank;\npublic class Vault { public int open() { return 1; } }"
            ),
            "apps/src/test/java/bank/FlowTest.java": (
                "package bank;\nimport org.junit.Test;\npublic class FlowTest {\n"
                "    @Test public void open() { new Vault().open(); }\n}\n"
            ),
        },
        "@Test\npublic void opens() { }",
        "Vault#open",
    )
    assert edit.created
    assert edit.file.endswith("/VaultTest.java")


def test_a_focal_interface_enum_and_record_have_tests_like_classes():
    kinds = {
        "Shape": "package shop;\npublic interface Shape { default int area() { return 0; } }",
        "Side": "package shop;\npublic enum Side { A, B; Side other() { return A; } }",
        "Point": "package shop;\npublic record Point(int x) { int twice() { return 2 * x; } }",
    }
    for name, method in (("Shape", "area"), ("Side", "other"), ("Point", "twice")):
        path = f"src/test/java/shop/{name}Test.java"
        edit, _ = place(
            {
                f"src/main/java/shop/{name}.java": kinds[name],
                path: junit5(f"class {name}Test {{\n}}\n"),
            },
            "@Test\nvoid fresh() { }",
            f"{name}#{method}",
        )
        assert edit.file == path


def test_the_tests_of_an_inner_class_go_to_the_test_class_of_the_outer_one():
    bill = (
        "package shop;\npublic class Bill { public static class Line { int sum() { return 0; } } }"
    )
    edit, got = place(
        {
            "src/main/java/shop/Bill.java": bill,
            "src/test/java/shop/BillTest.java": junit5("class BillTest {\n}\n"),
        },
        "@Test\nvoid sums() { new Line().sum(); }",
        "Line#sum",
    )
    assert edit.file == "src/test/java/shop/BillTest.java"
    assert b"import shop.Bill.Line;" in got


def test_a_file_whose_braces_do_not_match_is_refused():
    with pytest.raises(BadInput, match=r"CartTest\.java \(line \d+: .*\): mend it, then ask again"):
        place({TEST_PATH: "package shop;\nclass CartTest {\n    void a() {\n}\n"}, TOTALS)


def test_a_text_that_is_no_method_is_refused():
    with pytest.raises(BadInput, match="expected one test method, got 'int a'"):
        place({}, "int a")


# ---------------------------------------------------------------- new classes


def test_a_project_without_tests_gets_a_junit_5_class_in_its_mirror_folder():
    edit = check_created(
        {},
        TOTALS,
        TEST_PATH,
        junit5(
            "class CartTest {\n    @Test\n    void totals() {\n"
            "        assertEquals(0, new Cart().total());\n    }\n}\n"
        ),
    )
    assert edit.notes[0] == "created CartTest"


def test_the_mirror_folder_of_a_module():
    edit, _ = place(
        {
            "billing/core/src/main/java/bank/Vault.java": (
                "package bank;\nclass Vault { void open() {} }"
            )
        },
        "@Test\nvoid opens() { }",
        "Vault#open",
    )
    assert edit.file == "billing/core/src/test/java/bank/VaultTest.java"


def test_a_junit_4_house_gets_public_classes():
    till = (
        "package shop;\n\nimport static org.junit.Assert.assertTrue;\n\nimport org.junit.Test;\n\n"
        "public class TillTest {\n\n    @Test\n    public void a() {\n        assertTrue(true);\n"
        "    }\n}\n"
    )
    check_created(
        {"src/test/java/shop/TillTest.java": till},
        "@Test\npublic void totals() {\n    assertEquals(0, new Cart().total());\n}",
        TEST_PATH,
        "package shop;\n\nimport static org.junit.Assert.assertEquals;\n\n"
        "import org.junit.Test;\n\n"
        "public class CartTest {\n\n    @Test\n    public void totals() {\n"
        "        assertEquals(0, new Cart().total());\n    }\n}\n",
    )


def test_a_junit_3_house_gets_test_cases():
    till = (
        "package shop;\n\nimport junit.framework.TestCase;\n\n"
        "public class TillTest extends TestCase {\n  public void testA() {\n    assertTrue(true);\n"
        "  }\n}\n"
    )
    check_created(
        {"src/test/java/shop/TillTest.java": till},
        "public void testTotal() {\n  assertEquals(0, new Cart().total());\n}",
        TEST_PATH,
        "package shop;\n\nimport junit.framework.TestCase;\n\n"
        "public class CartTest extends TestCase {\n  public void testTotal() {\n"
        "    assertEquals(0, new Cart().total());\n  }\n}\n",
    )


def test_a_testng_house_gets_testng_imports():
    till = (
        "package shop;\nimport static org.testng.Assert.assertTrue;\n"
        "import org.testng.annotations.Test;\npublic class TillTest {\n"
        "\t@Test\n\tpublic void a() {\n\t\tassertTrue(true);\n\t}\n}\n"
    )
    check_created(
        {"src/test/java/shop/TillTest.java": till},
        "@Test\npublic void totals() {\n    assertEquals(new Cart().total(), 0);\n}",
        TEST_PATH,
        "package shop;\n\nimport static org.testng.Assert.assertEquals;\n\n"
        "import org.testng.annotations.Test;\n\npublic class CartTest {\n"
        "\t@Test\n\tpublic void totals() {\n\t\tassertEquals(new Cart().total(), 0);\n\t}\n}\n",
    )


def test_the_licence_that_most_tests_begin_with_begins_the_new_one():
    def licensed(name: str, year: int) -> str:
        return f"/*\n * Copyright {year} Shop\n */\n" + pairs_with_till(name)

    edit, got = place(
        {
            "src/test/java/shop/ATest.java": licensed("ATest", 2020),
            "src/test/java/shop/BTest.java": licensed("BTest", 2024),
            "src/test/java/shop/CTest.java": licensed("CTest", 2024),
            "src/test/java/shop/DTest.java": pairs_with_till("DTest"),
        },
        TOTALS,
    )
    assert edit.created
    assert got.startswith(b"/*\n * Copyright 2024 Shop\n */\npackage shop;\n")


def pairs_with_till(name: str) -> str:
    return junit5(f"class {name} {{\n    @Test\n    void a() {{\n    }}\n}}\n")


def test_a_comment_that_few_tests_begin_with_is_not_taken():
    _, got = place(
        {
            "src/test/java/shop/ATest.java": "// mine\n" + pairs_with_till("ATest"),
            "src/test/java/shop/BTest.java": pairs_with_till("BTest"),
        },
        TOTALS,
    )
    assert got.startswith(b"package shop;")


@pytest.mark.parametrize(
    ("till_test", "expected"), [("TestTill", "TestCart"), ("TillTests", "CartTests")]
)
def test_the_class_is_named_as_the_project_names_its_tests(till_test: str, expected: str):
    till = "package shop;\npublic class Till { int count() { return 0; } }"
    test = junit5(
        f"class {till_test} {{\n    @Test\n    void count() {{ new Till().count(); }}\n}}\n"
    )
    edit, _ = place(
        {"src/main/java/shop/Till.java": till, f"src/test/java/shop/{till_test}.java": test}, TOTALS
    )
    assert edit.file == f"src/test/java/shop/{expected}.java"


def test_new_files_have_the_line_endings_of_the_others():
    _, got = place(
        {"src/test/java/shop/ATest.java": pairs_with_till("ATest").replace("\n", "\r\n")}, TOTALS
    )
    assert got.count(b"\r\n") == got.count(b"\n") > 5


def test_new_imports_are_grouped_as_the_nearest_test_groups_its_own():
    model = (
        "package shop;\n\nimport java.util.Map;\n\nimport org.junit.jupiter.api.Test;\n\n"
        "import static org.junit.jupiter.api.Assertions.assertTrue;\n\n"
        "class ATest {\n    @Test\n    void a() {\n    }\n}\n"
    )
    check_created(
        {"src/test/java/shop/ATest.java": model},
        "@Test\nvoid a() {\n    assertEquals(1, new ArrayList<>());\n}",
        TEST_PATH,
        "package shop;\n\nimport java.util.ArrayList;\n\nimport org.junit.jupiter.api.Test;\n\n"
        "import static org.junit.jupiter.api.Assertions.assertEquals;\n\n"
        "class CartTest {\n    @Test\n    void a() {\n"
        "        assertEquals(1, new ArrayList<>());\n    }\n}\n",
    )


def test_a_layout_of_its_own_is_learnt_from_the_tests_that_exist():
    edit, _ = place(
        {
            "source/bank/Vault.java": "package bank;\npublic class Vault { void open() {} }",
            "source/bank/Till.java": "package bank;\npublic class Till { void open() {} }",
            "checks/bank/TillTest.java": (
                "package bank;\nimport org.junit.Test;\n"
                "public class TillTest { @Test public void open() { new Till().open(); } }"
            ),
        },
        "@Test\npublic void opens() { }",
        "Vault#open",
    )
    assert edit.file == "checks/bank/VaultTest.java"


def test_a_folder_without_any_layout_keeps_its_tests_beside_it():
    edit, got = place(
        {"Vault.java": "public class Vault { void open() {} }"},
        "@Test\nvoid opens() { }",
        "Vault#open",
    )
    assert edit.file == "VaultTest.java"
    assert got.startswith(b"import org.junit.jupiter.api.Test;\n\nclass VaultTest {")


def test_an_unnamed_package_gets_imports_before_its_class():
    check_added(
        "/** Tests. */\nclass VaultTest {\n}\n",
        "@Test\nvoid opens() { }",
        "import org.junit.jupiter.api.Test;\n\n/** Tests. */\nclass VaultTest {\n"
        "    @Test\n    void opens() { }\n}\n",
        others={"src/main/java/Vault.java": "public class Vault { void open() {} }"},
        target="Vault#open",
        path="src/test/java/VaultTest.java",
    )


def test_a_path_that_is_taken_is_never_written_over():
    edit, _ = place(
        {TEST_PATH: "package shop;\n\ninterface Unfinished {\n}\n"}, "@Test\nvoid a() { }"
    )
    assert edit.file == "src/test/java/shop/Cart2Test.java"


@pytest.mark.parametrize(
    ("begun", "head"),
    [
        ("", "package shop;\n\n"),
        ("\n", "\npackage shop;\n\n"),
        ("package shop;", "package shop;\n\n"),
        ("package shop;\n", "package shop;\n\n"),
        ("/* Ours. */\npackage shop;\n\n\n", "/* Ours. */\npackage shop;\n\n\n"),
        ("/* Ours. */\n", "/* Ours. */\n\npackage shop;\n\n"),
        (
            "package shop;\n\nimport java.util.List;\n",
            "package shop;\n\nimport java.util.List;\n\n",
        ),
    ],
)
def test_a_file_that_was_only_made_is_filled(begun: str, head: str):
    edit, got = place({TEST_PATH: begun}, "@Test\nvoid a() { }")
    assert (edit.file, edit.created) == (TEST_PATH, False)
    assert got.decode() == (
        f"{head}import org.junit.jupiter.api.Test;\n\n"
        "class CartTest {\n    @Test\n    void a() { }\n}\n"
    )


def test_what_a_file_imports_already_is_not_imported_again():
    begun = "package shop;\n\nimport org.junit.jupiter.api.Test;\n"
    edit, got = place({TEST_PATH: begun}, "@Test\nvoid a() { }")
    assert edit.notes == ("filled CartTest",)
    assert got.decode() == f"{begun}\nclass CartTest {{\n    @Test\n    void a() {{ }}\n}}\n"


@pytest.mark.parametrize(
    "kept", ["package other;\n", "// to do\n", "package shop;\n\nclass CartTest", "void a() { }"]
)
def test_a_file_that_says_something_is_left_alone(kept: str):
    edit, _ = place({TEST_PATH: kept}, "@Test\nvoid a() { }")
    assert edit.file == "src/test/java/shop/Cart2Test.java"


# ---------------------------------------------------------------- what holds for every edit

_GAPS = st.sampled_from(["", "\n", "\n\n", " ", "\n// note }\n", "\n/* { */\n"])
_MEMBERS = st.sampled_from(
    [
        "int a = 1;",
        "@Test\n    void adds() {\n    }",
        'String s = "}{";',
        "static class Inner { void totals() {} }",
        "/** Doc. */\n    void help() { int[] x = {1}; }",
        "char c = '}';",
        "enum Kind { A, B }",
    ]
)
_IMPORTS = st.lists(
    st.sampled_from(
        [
            "import java.util.Map;",
            "import org.junit.jupiter.api.Test;",
            "import static org.junit.jupiter.api.Assertions.*;",
            "import static org.junit.jupiter.api.Assertions.assertTrue;",
            "import shop.other.Till; // why",
            "// a comment",
            "",
        ]
    ),
    max_size=6,
    unique=True,
)


@settings(max_examples=150, deadline=None)
@given(
    header=st.sampled_from(["", "\ufeff", "/* licence */\n", "// é\n"]),
    imports=_IMPORTS,
    members=st.lists(st.tuples(_GAPS, _MEMBERS), max_size=4),
    end=st.tuples(_GAPS, st.sampled_from(["", "\n", "\nclass Other {\n}\n"])),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "latin-1"]),
    body=st.sampled_from(["", "assertEquals(List.of(), 1);", "helped(); // ü", 'String s = "}";']),
)
def test_every_other_byte_is_kept_and_the_test_is_in_the_class(
    header: str,
    imports: list[str],
    members: list[tuple[str, str]],
    end: tuple[str, str],
    newline: str,
    encoding: str,
    body: str,
):
    inside = "".join(gap + member for gap, member in members) + end[0]
    lines = "\n".join(imports)
    text = f"{header}package shop;\n{lines}\nclass CartTest {{{inside}}}{end[1]}"
    if encoding == "latin-1":
        text = text.removeprefix("\ufeff")
    before = text.replace("\n", newline).encode(encoding)
    snapshot = project({CART_PATH: CART, TEST_PATH: before})
    focal_path, focal = resolve_target(snapshot, "Cart#total")
    edit = Site(snapshot, focal_path, focal).edit(f"@Test\nvoid totals() {{\n    {body}\n}}")
    after = apply_changes(before, edit.changes)

    assert _without_insertions(after, edit) == before
    facts = java.parse(after)
    assert "totals" in {m.name for m in facts.methods if m.owner == "CartTest"}
    assert len(facts.errors) == len(java.parse(before).errors)


def _without_insertions(after: bytes, edit: Edit) -> bytes:
    """What is left of a file when the inserted bytes are cut out of it again."""
    left = after
    for change in edit.changes:
        text = change.text.encode()
        assert change.start == change.end
        assert left[change.start : change.start + len(text)] == text
        left = left[: change.start] + left[change.start + len(text) :]
    return left


def test_the_diff_of_an_edit_can_be_applied_by_git(tmp_path: Path):
    for before in (
        junit5("class CartTest {\n    int a;\n}"),
        junit5("class CartTest {}\r\n"),
        None,
    ):
        files: dict[str, Source] = {} if before is None else {TEST_PATH: before}
        edit, after = place(files, TOTALS)
        target = tmp_path / edit.file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if before is not None:
            target.write_bytes(before.encode())
        done = subprocess.run(
            ["git", "apply", "-"],
            cwd=tmp_path,
            input=edit.diff.encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert target.read_bytes() == after


@pytest.mark.parametrize(
    "taken",
    [
        "src/test/kotlin/shop/CartTest.kt",
        "src/test/groovy/shop/CartTest.groovy",
        "src/test/java/shop/CartTest.scala",
    ],
)
def test_a_class_of_another_language_keeps_its_name(tmp_path: Path, taken: str):
    main = tmp_path / "src/main/java/shop/Cart.java"
    for file, text in ((main, CART), (tmp_path / taken, "class CartTest")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    snapshot, _ = index_folder(tmp_path)
    site = Site(snapshot, *resolve_target(snapshot, "Cart#total"))
    edit = site.edit("@Test void totals() { new Cart().total(); }")
    assert edit.file == "src/test/java/shop/Cart2Test.java"
