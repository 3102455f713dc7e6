"""What the reader says of Java source; any bytes at all give facts."""

import string
import textwrap
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import FileFacts
from indexer.languages.java import digest, method_errors, parse, passages


def facts_of(source: str) -> FileFacts:
    return parse(textwrap.dedent(source).encode())


def check_methods(source: str, *expected: str) -> None:
    """Each method as ``modifiers returns key``; a constructor returns nothing."""
    facts = facts_of(source)
    assert facts.errors == ()
    shown = [" ".join([*m.modifiers, m.returns or "", m.key]).strip() for m in facts.methods]
    assert shown == list(expected)


def check_types(source: str, *expected: str) -> None:
    """Each type as ``kind name < extends; implements``."""
    facts = facts_of(source)
    assert facts.errors == ()
    found = []
    for kind in facts.types:
        parents = "; ".join(", ".join(names) for names in (kind.extends, kind.implements) if names)
        found.append(f"{kind.kind} {kind.name}" + (f" < {parents}" if parents else ""))
    assert found == list(expected)


def check_calls(body: str, *expected: str) -> None:
    """Each call of a body as ``receiver.name(types)``, ``new T(types)`` or ``receiver::name``."""
    facts = facts_of(f"class ATest {{ void a(String s) {{ {body} }} }}")
    assert facts.errors == ()
    found = []
    for call in facts.methods[0].calls:
        before = "new " if call.constructor else f"{call.receiver}." if call.receiver else ""
        found.append(f"{before}{call.name}({', '.join(call.arguments)})")
    assert found == list(expected)


# ---------------------------------------------------------------- declarations


def test_methods_bear_modifiers_return_type_and_parameters():
    check_methods(
        """
        class Cart {
            Cart(int size) { }
            public static <T extends Item> java.util.List<T> all(final T first, String... rest) {
                return null;
            }
            abstract int[] counts(int[] a, int b[]);
        }
        """,
        "Cart#Cart(int)",
        "public static java.util.List<T> Cart#all(T,String...)",
        "abstract int[] Cart#counts(int[],int[])",
    )


def test_nested_types_are_named_by_their_path():
    check_types(
        """
        class Outer extends Base<String> implements A, b.C<D> {
            interface Inner extends E, F { enum Deep implements G { ONE; } }
            record Point(int x, int y) { }
            @interface Mark { }
        }
        """,
        "class Outer < Base; A, C",
        "interface Outer.Inner < E, F",
        "record Outer.Point",
        "annotation Outer.Mark",
        "enum Outer.Inner.Deep < G",
    )


def test_methods_of_enums_records_and_interfaces_are_read():
    check_methods(
        """
        enum Size { SMALL { int cm() { return 1; } }; abstract int cm(); Size() { } }
        record Range(int low, int high) { Range { check(); } int length() { return high - low; } }
        interface Shape { double area(); default void draw() { } }
        @interface Mark { String value() default ""; }
        """,
        "abstract int Size#cm()",
        "Size#Size()",
        "Range#Range(int,int)",
        "int Range#length()",
        "double Shape#area()",
        "default void Shape#draw()",
        "String Mark#value()",
    )


def test_a_compact_constructor_takes_what_its_record_has():
    facts = facts_of("record Range(int low, List<String> names) { Range { check(); } }")
    assert [one.key for one in facts.methods] == ["Range#Range(int,List)"]


def test_record_components_are_fields():
    facts = facts_of("record Range(int low, List<String> names) { }")
    assert [(f.owner, f.name, f.type) for f in facts.fields] == [
        ("Range", "low", "int"),
        ("Range", "names", "List<String>"),
    ]


def test_each_name_of_a_field_declaration_is_a_field():
    facts = facts_of("class A { @Mock private final int a = 1, b[]; }")
    assert [(f.name, f.type, f.modifiers, f.annotations) for f in facts.fields] == [
        ("a", "int", ("private", "final"), ("Mock",)),
        ("b", "int[]", ("private", "final"), ("Mock",)),
    ]


def test_imports_tell_static_and_wildcard():
    facts = facts_of("package a.b;\nimport c.D;\nimport static e.F.*;\nimport g.*;")
    assert facts.package == "a.b"
    assert [(i.name, i.static, i.wildcard) for i in facts.imports] == [
        ("c.D", False, False),
        ("e.F", True, True),
        ("g", False, True),
    ]


def test_the_doc_comment_is_the_one_right_before():
    source = (
        "class A {\n/** far */\nint a;\n/** near */\n@Old void b() { }\n/* no */ void c() { } }"
    )
    facts = facts_of(source)
    docs = [m.doc.of(source.encode()) if m.doc else None for m in facts.methods]
    assert docs == [b"/** near */", None]
    assert facts.methods[0].line == 5


def test_the_signature_ends_before_the_body_or_the_semicolon():
    source = "interface A { @Old int a(int b) throws C ; default void d() { } }"
    spans = [m.signature.of(source.encode()) for m in facts_of(source).methods]
    assert spans == [b"@Old int a(int b) throws C", b"default void d()"]


def test_java_21_reads_without_errors():
    facts = facts_of(
        '''
        sealed interface Shape permits Circle, Square { }
        record Circle(double r) implements Shape { }
        record Square(double a) implements Shape { }
        class A {
            String b(Object o) {
                var text = """
                    a "quoted" // no comment
                    """;
                if (o instanceof Circle c && c.r() > 1) { return text; }
                return switch (o) {
                    case Circle(double r) when r > 2 -> "big";
                    case Square s -> { yield "square"; }
                    default -> text;
                };
            }
        }
        '''
    )
    assert facts.errors == ()
    assert [m.key for m in facts.methods] == ["A#b(Object)"]


def test_a_line_finds_the_innermost_method_or_its_comment():
    source = b"class A {\n  /** Doc. */\n  void a() {\n  }\n\n  void b() { }\n}"
    facts = parse(source)
    found = [facts.method_at(line, source) for line in range(9)]
    names = [m.name if m else None for m in found]
    assert names == [None, None, "a", "a", "a", None, "b", None, None]


# ---------------------------------------------------------------- bodies


def test_calls_show_receiver_and_argument_types():
    check_calls(
        "cart.add(1, 2L, \"x\", 'c', null, true, 1.5f, s); total(); this.a(s); Cart.of((Item) s);",
        "cart.add(int, long, String, char, null, boolean, float, ?s)",
        "total()",
        "this.a(?s)",
        "Cart.of(Item)",
    )


def test_local_variables_give_argument_types():
    check_calls(
        "int n = 1; var list = new ArrayList<String>(); Map<K, V> map = null; use(n, list, map);",
        "new ArrayList()",
        "use(int, ArrayList, Map)",
    )


def test_a_variable_of_a_loop_or_a_resource_has_its_type():
    check_calls(
        "for (Item i : items) { use(i); } try (Reader r = open()) { use(r); }",
        "use(Item)",
        "open()",
        "use(Reader)",
    )


def test_an_unknown_argument_keeps_its_text():
    check_calls(
        'use(field, cart.total(), a + "b", a > 2, -n, (x), y ? 1 : 2, () -> 1, A::b);',
        "use(?field, ?cart.total(), String, boolean, ?n, ?x, int, ->, ->)",
        "cart.total()",
        "A.b()",
    )


def test_arrays_and_casts_show_their_type():
    check_calls(
        "use(new int[2][], new String[] {}, (java.util.List<String>) x);",
        "use(int[][], String[], List)",
    )


def test_constructor_calls_and_references_are_constructors():
    check_calls("new a.Cart<X>(1); use(Cart::new);", "new Cart(int)", "use(->)", "new Cart()")


def test_calls_of_one_start_are_always_in_the_same_order():
    source = ("class ATest { void a() { x" + ".b(1)" * 50 + "; } }").encode()
    assert len({parse(source).methods[0].inside for _ in range(20)}) == 1


def test_arguments_are_only_counted_where_nothing_is_a_test():
    facts = facts_of("class A { void a() { int n = 1; b(n, 2); } }")
    assert facts.methods[0].calls[0].arguments == ("?", "?")


def test_calls_of_a_chain_share_their_start():
    facts = facts_of("class A { void a() { x.b().c(); } }")
    calls = facts.methods[0].calls
    assert [(c.name, c.receiver) for c in calls] == [("c", "x.b()"), ("b", "x")]
    assert calls[0].start == calls[1].start == 21


@pytest.mark.parametrize(
    "member",
    [
        "int sum(int n) { for (var x : all(n)) { x.add(new Cart(n)).size(); } return n; }",
        "A(int n) { super(of(n)); list.forEach(Cart::new); }",
        "Runnable later() { return () -> { new Thread() { void run() { go(1); } }; done(); }; }",
        "int kind() { return switch (of()) { case 1 -> { yield more(2); } default -> 0; }; }",
    ],
)
def test_a_body_that_is_read_when_asked_says_what_one_read_with_its_file_says(member):
    later = facts_of(f"class A {{ String word; {member} }}").methods[0]
    at_once = facts_of(f"class A {{ String Test; {member} }}").methods[0]
    assert later.inside.startswith(b"{")
    assert not at_once.inside.startswith(b"{")

    def shown(method):
        return [
            (c.name, c.receiver, len(c.arguments), c.constructor, c.start, c.reference)
            for c in method.calls
        ]

    assert shown(later) == shown(at_once) != []


def test_bodies_of_a_broken_file_are_read_at_once():
    facts = facts_of("class A { void a() { b(); } void c( { }")
    assert facts.errors
    assert [m.inside[:1] for m in facts.methods if m.body and m.calls] == [b"\x92"]


# ---------------------------------------------------------------- digests


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("int a() { return 1; }", "int a()\n{\treturn 1; // one\n}", True),
        ("int a() { return 1; }", "int a() { /* why */ return 1; }", True),
        ('f("a b");', 'f("a  b");', False),
        ('f("a b"); // c', 'f("a b");', True),
        ('f("// a");', 'f("// b");', False),
        ("f(' ');", "f(' '); /* blank */", True),
        ("f('\"', 1);", "f('\"',\n1);", True),
        ('f("\\"", a);', 'f("\\"",   a);', True),
        ("return 1;", "return 2;", False),
    ],
)
def test_only_code_changes_a_digest(left: str, right: str, same: bool):
    assert (digest(left.encode()) == digest(right.encode())) is same


# ---------------------------------------------------------------- one method


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("@Test void adds() { }", ()),
        ("/** Doc. */ @Test\nvoid adds() { }", ()),
        ("void adds() {", ("line 2: missing }",)),
        ("void adds() { x = ; }", ("line 1: syntax error",)),
        ("void a() { } void b() { }", ("expected one method, got 2 members",)),
        ("int a;", ("expected one method, got 1 members",)),
        ("void a() { } } class D {", ("expected one method, got 1 members",)),
        ("", ("expected one method, got 0 members",)),
    ],
)
def test_a_text_is_one_method_or_says_why_not(text: str, why: tuple[str, ...]):
    assert method_errors(text) == why


# ---------------------------------------------------------------- anything at all


def test_broken_source_gives_what_can_be_read():
    facts = facts_of("class A { void a() { b(); } void c( { } int d() { return 1; }")
    assert facts.errors
    assert "a" in [m.name for m in facts.methods]


def test_bytes_that_are_not_utf8_are_read_as_latin_1():
    facts = parse("class Caf\xe9 { }\n".encode("latin-1"))
    assert facts.encoding == "latin-1"
    assert facts.types[0].name == "Caf\xe9"
    assert facts.errors[-1] == "line 1: not UTF-8, read as Latin-1"


SAMPLE = b"""package a.b; // \xc3\xa9
import static c.D.*;
/** Doc. */
@Mark("x") public final class Cart<T> extends Base<T> implements Shop {
    private final List<Item> items = new ArrayList<>();
    enum Kind { ONE { int n() { return 1; } }, TWO; int n() { return '\\''; } }
    record Range(int low, int high) { Range { if (low > high) throw new Bad("a \\" b"); } }
    @Test void a(int[] b, String... c) throws E { for (var i : items) { i.run(() -> "//"); } }
    String text = \"\"\"
        text "block"
        \"\"\";
}
"""


def spans_hold(facts: FileFacts, source: bytes) -> bool:
    spans = [m.span for m in facts.methods] + [t.span for t in facts.types]
    return all(0 <= span.start <= span.end <= len(source) for span in spans)


def test_every_prefix_of_a_file_parses():
    for end in range(len(SAMPLE) + 1):
        assert spans_hold(parse(SAMPLE[:end]), SAMPLE[:end])


@given(st.binary(max_size=200))
def test_any_bytes_give_facts(source: bytes):
    assert spans_hold(parse(source), source)


pieces = st.sampled_from(
    [SAMPLE[i : i + n] for i in range(0, len(SAMPLE), 7) for n in (3, 11, 40)]
    + [bytes([c]) for c in string.punctuation.encode()]
    + [b"class ", b"record R(", b"void a(", b"->", b"'", b'"""', b"/*", b"//", b"\0", b"\xff"]
)


@given(st.lists(pieces, max_size=25).map(b"".join))
@settings(max_examples=300)
def test_spliced_pieces_of_java_give_facts(source: bytes):
    facts = parse(source)
    assert spans_hold(facts, source)
    for method in facts.methods:
        assert all(method.span.start <= call.start < method.span.end for call in method.calls)
    assert isinstance(method_errors(source.decode("utf-8", "replace")), tuple)


@pytest.mark.parametrize(
    "source",
    [
        b"class A {" * 2000 + b"}" * 2000,
        b"class A { void a() { f(" + b"(" * 3000 + b"1" + b")" * 3000 + b"); } }",
        b"class A { void a() { f(" + b"- " * 3000 + b"1); } }",
        b"class A { void a() { " + b"f(() -> {" * 2000 + b"});" * 2000 + b" } }",
        b"class A { void a() { " + b"new B() { void m() { " * 2000 + b"}};" * 2000 + b" } }",
        b"class A { void a() { x" + b".foo(1)" * 20_000 + b"; } }",
        b"class A { void a() { f(" + b"1 + " * 20_000 + b'"x"); } }',
        b"class A { void a() { " + b"/* " * 100_000 + b"} }",
        b"class A { void a() { " + b"(" * 200_000 + b"} }",
        b"class A { void a() { " + b"!" * 200_000 + b"} }",
        b"class A { void a() { " + b"try{" * 100_000,
        b"class A { void a() { " + b"A<" * 50_000 + b"} }",
        b"class A { void a() { " + b"A</*>*/;\n" * 50_000 + b"} }",
        b"class A { void a() { " + b"\\'" * 100_000 + b"} }",
        b"class A {" + b"/** D */ void a() { f(1); }\n" * 20_000 + b"}",
    ],
    ids=[
        "types",
        "parentheses",
        "signs",
        "lambdas",
        "anonymous",
        "chain",
        "sum",
        "comments",
        "open parentheses",
        "nots",
        "tries",
        "types in types",
        "types and comments",
        "quotes",
        "members",
    ],
)
def test_deep_and_long_code_is_read_in_linear_time(source: bytes):
    start = time.process_time()
    parse(source)
    list(passages(source))
    # Each takes under a second; a quadratic reader took from seventeen seconds to hours.
    assert time.process_time() - start < 8
