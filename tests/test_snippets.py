"""Documented methods, which become the examples of comment to code."""

import textwrap
from pathlib import Path

import pytest

from indexer import Change, Index, Store, Workspace
from indexer.languages import ALL


def check_snippets(source: str, *names: str) -> None:
    snapshot = Index().apply([Change("A.java", source.encode())])
    assert [snippet.method.name for snippet in snapshot.snippets] == list(names)


@pytest.mark.parametrize("doc", ["{@inheritDoc} It sums.", "@return how many", "合計", "Größe"])
def test_any_words_document_a_method(doc: str):
    check_snippets(f"class A {{ /** {doc} */ void a() {{ start(this); }} }}", "a")


def test_documented_methods_are_snippets():
    check_snippets(
        "class A { /** Sums. */ int a() { return b() + c(); } int d() { return 1 + 2 + 3; } "
        "/** Makes one. */ A() { start(this); } }",
        "a",
        "A",
    )


@pytest.mark.parametrize(
    "member",
    [
        "/** Doc. */ void a() { }",
        "/** Doc. */ abstract void a();",
        "/* no doc */ void a() { start(this); }",
        "/** far */ int x; void a() { start(this); }",
        "/** Doc. */ void a() { " + "start(this); " * 400 + "}",
        "/**/ void a() { start(this); }",
        "/***/ void a() { start(this); }",
        "/**\n * {@inheritDoc}\n */ void a() { start(this); }",
        "/** @since 1.2 */ void a() { start(this); }",
    ],
    ids=[
        *("empty", "abstract", "plain comment", "of a field", "long"),
        *("no comment", "no text", "inherited", "tags alone"),
    ],
)
def test_other_methods_are_none(member: str):
    check_snippets(f"class A {{ {member} }}")


# ---------------------------------------------------------------- Python


def check_python(source: str, *expected: str) -> None:
    """Each documented function as ``signature | docstring | body``."""
    raw = textwrap.dedent(source).encode()
    snapshot = Index(languages=ALL).apply([Change("a.py", raw)])
    found = []
    for snippet in snapshot.snippets:
        method = snippet.method
        assert method.doc and method.body
        parts = (method.signature, method.doc, method.body)
        found.append(" | ".join(part.of(raw).decode() for part in parts))
    assert found == list(expected)


def test_documented_functions_are_snippets():
    check_python(
        '''
        import os

        @cached
        async def total(items: list[int], *more: int, by=2) -> int:
            """Sums up."""
            return sum(items) + by

        class Cart(Base):
            def add(self, item):
                "Adds one."
                # why
                self.items.append(item)

            def none(self): return None

            def only(self):
                """Says all."""
        ''',
        "@cached\nasync def total(items: list[int], *more: int, by=2) -> int: | "
        '"""Sums up.""" | return sum(items) + by',
        'def add(self, item): | "Adds one." | # why\n        self.items.append(item)',
    )


@pytest.mark.parametrize(
    "around",
    [
        "if a:\n    pass\nelif b:",
        "for a in b:",
        "while a:",
        "with a as b:",
        "match a:\n  case b:",
        "try:\n    pass\nexcept A as b:",
        "try:\n    pass\nexcept* A:",
        "try:\n    pass\nfinally:",
    ],
)
def test_functions_are_found_in_any_statement(around: str):
    function = '\n    def a():\n        """Sums up."""\n        return sum(b)\n'
    check_python(around + function, 'def a(): | """Sums up.""" | return sum(b)')


@pytest.mark.parametrize("prefix", ["", "r", "U"])
def test_a_plain_string_describes_a_function(prefix: str):
    doc = f'{prefix}"""Sums up."""'
    check_python(f"def a():\n    {doc}\n    return sum(b)\n", f"def a(): | {doc} | return sum(b)")


@pytest.mark.parametrize("prefix", ["f", "b", "Rb", "fR"])
def test_a_string_that_is_no_docstring_describes_nothing(prefix: str):
    check_python(f'def a():\n    {prefix}"""Sums up."""\n    return sum(b)\n')


def test_a_comment_on_the_line_of_a_function_is_no_part_of_its_signature():
    check_python(
        """
        def a(b: int):  # note: {1: 2}
            'Sums up.'
            return sum(b) + 1
        """,
        "def a(b: int): | 'Sums up.' | return sum(b) + 1",
    )


def test_python_is_read_only_where_it_is_wanted(tmp_path: Path):
    (tmp_path / "A.java").write_text("class A { }")
    (tmp_path / "a.py").write_text("def a(): pass")
    for name in ("Empty.java", "empty.py"):
        (tmp_path / name).write_text("")
    assert set(Index().read(Workspace(tmp_path)).files) == {"A.java", "Empty.java"}
    with Store(tmp_path / "index.sqlite") as store:
        both = Index(store, ALL).read(Workspace(tmp_path, ALL))
        assert {path: facts.language for path, facts in both.files.items()} == {
            "A.java": "java",
            "Empty.java": "java",
            "a.py": "python",
            "empty.py": "python",
        }
        again = Index(store, ALL).read(Workspace(tmp_path, ALL))
        assert dict(again.files) == dict(both.files)
    assert Index().apply([Change("a.py", b"def a(): pass")]).files == {}


def test_python_tests_and_classes_take_no_part_in_pairs():
    snapshot = Index(languages=ALL).apply(
        [
            Change("src/main/Cart.java", b"class Cart { int total() { return 0; } }"),
            Change("src/test/CartTest.java", b"class CartTest { @Test void a() { c.total(); } }"),
            Change("Cart.py", b"class Cart:\n    def total(self):\n        return 0\n"),
            Change("test_cart.py", b"class CartTest(TestCase):\n    def test_total(self): pass\n"),
        ]
    )
    assert [(p.test.path, p.focal.path) for p in snapshot.pairs] == [
        ("src/test/CartTest.java", "src/main/Cart.java")
    ]
    assert len(snapshot.tests) == 1


# ---------------------------------------------------------------- comments inside bodies


def check_passages(path: str, source: str, *expected: str) -> None:
    """Each passage as ``method: comment => code``, blanks run together."""
    raw = textwrap.dedent(source).encode()
    snapshot = Index(languages=ALL).apply([Change(path, raw)])
    found = []
    for one in snapshot.passages:
        parts = (" ".join(span.of(raw).decode().split()) for span in (one.comment, one.code))
        found.append(f"{one.method.name}: " + " => ".join(parts))
    assert found == list(expected)


def test_a_comment_describes_the_statements_up_to_a_blank_line_or_the_next_comment():
    check_passages(
        "A.java",
        """
        class A {
            A() {
                // takes the first of all
                // items that there are
                Item item = items.get(0);
                use(item); // not the end of it
                use(item);

                far();
                /* counts every item once */
                for (Item each : items) {
                    // one that was sold already
                    count(each.sold());
                }
                // says what was found
                print(count);
            }
        }
        """,
        "A: // takes the first of all // items that there are => "
        "Item item = items.get(0); use(item); // not the end of it use(item);",
        "A: /* counts every item once */ => "
        "for (Item each : items) { // one that was sold already count(each.sold()); }",
        "A: // one that was sold already => count(each.sold());",
        "A: // says what was found => print(count);",
    )


def test_a_comment_inside_a_python_function_describes_code_as_well():
    check_passages(
        "a.py",
        """
        # above a function it describes no code
        def top(items):
            # takes the first of all
            first = items[0]
            use(first)

            # goes on with others
            for each in items:
                # sells what is left over
                each.sell_it()
        """,
        "top: # takes the first of all => first = items[0] use(first)",
        "top: # goes on with others => for each in items: # sells what is left over each.sell_it()",
        "top: # sells what is left over => each.sell_it()",
    )


@pytest.mark.parametrize(
    "comment",
    [
        "// TODO take all of the items",
        "// noinspection unchecked of these types",
        "// items.take(all, of, them);",
        "// if (all of the items) {",
        "// too short",
        "// https://example.org/issues/all/of/them",
        "use(1); // at the end of a line",
        "// alone before a blank line\n",
    ],
)
def test_other_comments_describe_nothing(comment: str):
    check_passages("A.java", f"class A {{ void a() {{\n{comment}\nstart(this, now); }} }}")
