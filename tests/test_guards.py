"""The engine's guards: what a completion may not say twice, and that Java must parse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from indexer import code_of, index_folder
from indexer.languages.java import method_errors
from indexer.languages.lexis import block_end
from personalizer.engine import Goal
from personalizer.engine.grammar import Grammar
from personalizer.engine.loops import Dry
from personalizer.models import STARTER, base_folder

# ---------------------------------------------------------------- loops


def costs(prompt: list[int], completion: list[int]) -> dict[int, float]:
    """What each of ten tokens would cost next, where that is anything."""
    scores = torch.zeros(1, 10)
    left = Dry(len(prompt))(torch.tensor([prompt + completion]), scores)
    assert torch.equal(scores, torch.zeros(1, 10))
    return {token: -float(left[0, token]) for token in range(10) if left[0, token]}


def test_a_token_costs_more_with_every_token_of_the_run_that_it_repeats():
    line = [1, 2, 3, 4, 5, 6, 7, 8]
    assert costs([], [*line, *line[:4]]) == {}
    five, six, seven = (costs([], [*line, *line[:n]])[n + 1] for n in (5, 6, 7))
    assert 0 < five < six < seven
    assert seven / six == pytest.approx(six / five)


def test_every_continuation_of_the_last_run_costs():
    line = [1, 2, 3, 4, 5]
    assert set(costs([], [*line, 6, *line, 7, *line])) == {6, 7}


def test_a_run_of_one_token_is_a_loop_too():
    assert costs([], [3] * 5) == {}
    assert set(costs([], [3] * 6)) == {3}


def test_a_run_of_the_prompt_may_be_copied():
    assert costs([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5]) == {}


def test_each_row_of_a_batch_is_judged_alone():
    rows = torch.tensor([[1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5], [*range(10), 0]])
    left = Dry(0)(rows, torch.zeros(2, 10))
    assert left[0, 6] < 0
    assert not left[1].any()


# ---------------------------------------------------------------- grammar


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(base_folder(STARTER))


def may_follow(tokenizer, text: str, *, goal: Goal = "method", limit: int = 320) -> set[int]:
    """Tokens that may follow a text."""
    size = len(tokenizer)
    ids = tokenizer.encode(text, add_special_tokens=False)
    scores = torch.zeros(1, size)
    left = Grammar(0, tokenizer, goal=goal, limit=limit)(torch.tensor([ids]).long(), scores)
    assert not scores.any()
    return set(torch.nonzero(left[0] == 0)[:, 0].tolist())


def token(tokenizer, piece: str) -> int:
    (found,) = tokenizer.encode(piece, add_special_tokens=False)
    return int(found)


@pytest.mark.parametrize(
    ("text", "may", "never"),
    [
        ("@Test void a() {", [" }", " int", "\n", ";"], [")", "]", ");", "<|end|>"]),
        ("void a() { b(", [")", '"'], ["]", "}", ";", "<|end|>"]),
        ("void a() { b[", ["c", "]"], [")", "}", ";"]),
        ("void a() { for (", [";"], ["]", "}"]),
        ("void a() { for (int i = 0", [";", ","], ["]", "}", ")"]),
        ("void a() { for (x();", [";", "y"], ["]", "}", "<|end|>"]),
        ("void a() { b (c", [")", ",", "."], ["]", "}", ";", "<|end|>"]),
        ("void a() { try (", ["c"], ["]", "}", "<|end|>"]),
        ("void a() { b = '", ["c"], ["\n", "<|end|>"]),
        ("void a() { /* ) ", ["}", "\n"], ["<|end|>"]),
        ("void a() { b(c -> {", ["}"], [")", "]", ");"]),
        ('void a() { b("(', ['"', ")", "<", "}"], ["\n"]),
        ("void a() { // it'", ["\n", "}", "'"], ["<|end|>"]),
        ("void a() { b", ["(", ".", "."], ["}", ")"]),
        ("void a() { b;", [], ["}"]),
        ("void a() { b.c();", ["}", "("], [")", "]"]),
        ("void a() { try { }", [" catch", " finally"], ["}", ";"]),
        ("void a() { x = y", ["."], ["{", "}", ")"]),
        ("void a() { }", ["<|end|>"], [")", "]", "}", ");"]),
        ("void a() { List<List<String>", [">"], [";", "}"]),
        ("class A {", [], ["}"]),
    ],
)
def test_what_no_parser_takes_is_forbidden(tokenizer, text, may, never):
    allowed = may_follow(tokenizer, text)
    fits = len(allowed) < len(tokenizer)
    assert fits == (text not in ("void a() { b;", "class A {"))  # these fit nowhere: left alone
    if fits:
        assert {piece for piece in may if token(tokenizer, piece) not in allowed} == set()
        assert {piece for piece in never if token(tokenizer, piece) in allowed} == set()


def test_a_block_is_a_body_and_a_method_is_none(tokenizer):
    brace = token(tokenizer, "{")
    assert brace in may_follow(tokenizer, "", goal="block")
    assert brace not in may_follow(tokenizer, "")
    assert token(tokenizer, "@") in may_follow(tokenizer, "")


def test_statements_are_no_method_and_may_leave_the_block_around_them(tokenizer):
    brace, test, end = (token(tokenizer, piece) for piece in ("}", "@", "<|end|>"))
    assert {brace, end} <= may_follow(tokenizer, "\na.b();\n", goal="statements")
    assert {brace, end} <= may_follow(tokenizer, "\na.b();\n}\n", goal="statements")
    assert token(tokenizer, ")") not in may_follow(tokenizer, "\na.b();\n", goal="statements")
    inside = may_follow(tokenizer, "\nif (a) {", goal="statements")
    assert brace in inside and end not in inside
    assert test in inside  # an annotated variable
    comment = may_follow(tokenizer, " that isn't )", goal="statements")
    assert {token(tokenizer, piece) for piece in (")", "'", "\n")} <= comment


@pytest.mark.parametrize("project", ["src/main/java", "src/test/java"])
def test_every_method_of_the_example_fits(tokenizer, project):
    snapshot, _ = index_folder(Path(__file__).parent.parent / "examples" / "ledger")
    grammar = Grammar(0, tokenizer, goal="method", limit=10_000)
    tried = 0
    for path, facts in snapshot.files.items():
        for method in facts.methods:
            if project in path and method.body and not method.constructor:
                code = code_of(snapshot.source(path), method.span, facts.encoding)
                ids = tokenizer.encode(code, add_special_tokens=False)
                scores = grammar(torch.tensor([ids]), torch.zeros(1, len(tokenizer)))
                assert torch.nonzero(scores[0] == 0).tolist() == [[tokenizer.eos_token_id]], code
                tried += 1
    assert tried > 20


JAVA_21 = """
@ParameterizedTest @CsvSource({"1, 2", "3, 4"}) @Tag(value = "x")
<T extends Comparable<? super T> & Cloneable> void a(final int[]... b) throws IOException, E {
    var list = new ArrayList<Map<String, List<Integer>>>() {{ add(null); }};
    int c[] = {1, 0x2F, 3_000, 07}, d = (int) 1.5e-3f + -c[0]++ >>> 2;
    int e = d >> 2 | c[0] >>> 3; boolean less = d < 3 || d >= e;
    outer: for (int i = 0, j; i < 10 && i != j; i++, --j) { if (i > 3) continue outer; else break; }
    for (final var one : (List<List<String>>) list) synchronized (this) { one.<T>get(0); }
    String text = switch (d) { case 1, 2 -> "a"; default -> { yield \"\"\"
        a "quoted" word\"\"\"; } };
    switch (d) { case 1: case 2: d >>= 1; break; default: }
    if (o instanceof Point(int x, var y) && !(o instanceof String s)) { assert x > 0 : 'c'; }
    try (var in = open(); out) { do { c[1] += in.read(); } while (c[1] >= 0); }
    catch (IOException | RuntimeException e) { throw new E("\\n\\u0041" + e, e); } finally { }
    Function<String, int[]> f = int[]::new; Supplier<?> g = ArrayList<String>::new, h = this::a;
    record P(int x) { P { } } enum Q implements R { A, B(1) { void z() { } }; } interface S { }
    f.andThen((x) -> { return x; }).apply(d > 0 ? String[].class : super.b(), (K & L) () -> 1);
}
"""


def test_the_language_up_to_java_21_fits(tokenizer):
    assert not method_errors(JAVA_21)
    assert may_follow(tokenizer, JAVA_21.strip(), limit=10_000) == {tokenizer.eos_token_id}


@pytest.mark.parametrize(
    "code",
    [
        "void a() { double d = 0x1.8p1 + 0x.8P-3f + 0x1p0d; int x = 0xFF; }",
        "void a(@A String @A [] s, String @A ... t) { int @A(1) [] u = v; }",
        "void a() { switch (c) { case'a': b(); case(1): case-1, 2: case 'b': } }",
        'void a() { switch (c) { case"a", (2) -> b(); case"""\n  a""" -> c(); } }',
        "void a() { int x = -switch (y) { default -> 1; } + ~(switch (y) { default -> 1; }); }",
        "void a() { for (int x[] : y) { } }",
        "void a() { int x‿y = 2; }",
        "void a() { try (b().c; d; this.e) { } }",
    ],
)
def test_what_hardly_anybody_writes_fits_too(tokenizer, code):
    assert may_follow(tokenizer, code, limit=10_000) == {tokenizer.eos_token_id}


@pytest.mark.parametrize("word", ["casea", "case1", "casenull"])
def test_names_do_not_stick_to_case(tokenizer, word):
    ids = tokenizer.encode(f"void a() {{ switch (c) {{ {word}", add_special_tokens=False)
    scores = torch.zeros(1, len(tokenizer))
    left = Grammar(0, tokenizer, goal="method", limit=10_000)(torch.tensor([ids]), scores)
    assert torch.equal(left, scores)  # it fits nowhere: left alone


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("void a() { b(c(d", "))"),
        ("void a() { b(c(", "))"),
        ('void a() { b("c', '"'),
        ("void a() { b = c + 1", ";"),
        ("void a() { // b", "\n"),
        ("void a() { b();", " }"),
    ],
)
def test_what_is_open_is_closed_when_the_limit_is_near(tokenizer, text, wanted):
    written = len(tokenizer.encode(text, add_special_tokens=False))
    near = may_follow(tokenizer, text, limit=written + 12)
    assert token(tokenizer, wanted) in near
    assert all(re.fullmatch(r'[\s)\]};"]+', tokenizer.decode([one])) for one in near)
    assert near < may_follow(tokenizer, text, limit=written + 200)


def test_lines_without_code_come_to_an_end(tokenizer):
    newline, comment = token(tokenizer, "\n"), token(tokenizer, "//")
    for gap, few in (("\n\n", True), ("\n" * 8, False), ("\n    // b" * 7 + "\n", False)):
        allowed = may_follow(tokenizer, f"void a() {{ b();{gap}")
        assert (newline in allowed) == (comment in allowed) == few
        assert token(tokenizer, "}") in allowed


def test_each_row_and_each_branch_of_a_search_is_judged_by_its_own_text(tokenizer):
    texts = ["void a() { b(", "void a() { b;", "void a() { }"]
    rows = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    longest = max(map(len, rows))
    grammar = Grammar(2, tokenizer, goal="method", limit=320)
    for length in range(1, longest + 1):
        for row, text in zip(rows, texts, strict=True):
            if length == len(row):
                scores = grammar(torch.tensor([[9, 9, *row]]), torch.zeros(1, len(tokenizer)))
                assert set(torch.nonzero(scores[0] == 0)[:, 0].tolist()) == may_follow(
                    tokenizer, text
                )
    ended = [*rows[2], tokenizer.eos_token_id, tokenizer.pad_token_id]
    both = grammar(torch.tensor([[9, 9, *ended]]), torch.zeros(1, len(tokenizer)))
    assert torch.isfinite(both).any()


def small_tokenizer(
    model: models.Model, trainer: trainers.Trainer, decoder: decoders.Decoder
) -> PreTrainedTokenizerFast:
    """One that has a sign of its own for a space."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoder
    tokenizer.train_from_iterator([JAVA_21, "@ void a() { }"], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>")


def test_a_tokenizer_of_the_kind_of_llama_is_read():
    special = ["<unk>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special)
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)])
    other = small_tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True), trainer, decoder)
    assert may_follow(other, "void a() { }") == {other.eos_token_id}
    assert 1 < len(may_follow(other, "void a() { b(")) < len(other)


def test_a_tokenizer_that_cannot_be_read_is_left_alone():
    special = ["<unk>", "</s>"]
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>")
    slow = type("Slow", (), {})()
    for other in (small_tokenizer(models.Unigram(), trainer, decoders.Metaspace()), slow):
        scores = torch.zeros(1, 200)
        grammar = Grammar(0, other, goal="method", limit=10)
        assert grammar(torch.tensor([[2]]), scores) is scores


_NO_CODE = re.compile(
    r'"{3}(\\.|[^\\])*?("{3}|\\?\Z)|"(\\.|[^"\\])*("|\\?\Z)'
    r"|'(\\.|[^'\\])*('|\\?\Z)|//[^\n]*|/\*.*?(\*/|\Z)",
    re.DOTALL,
)
"""Strings, characters and comments."""


def test_whatever_a_model_prefers_its_brackets_fit_and_what_it_closes_parses(tokenizer):
    """A model that writes at random finds every place where the grammar is wider than Java: few."""
    closed, wrong = 0, []
    for seed in range(60):
        grammar = Grammar(0, tokenizer, goal="method", limit=120)
        random = torch.Generator().manual_seed(seed)
        ids = tokenizer.encode("void a() {", add_special_tokens=False)
        while block_end(tokenizer.decode(ids)) is None and len(ids) < 120:
            scores = torch.randn(1, len(tokenizer), generator=random)
            ids.append(int(grammar(torch.tensor([ids]), scores).argmax()))
        text = tokenizer.decode(ids)
        signs = re.sub(r"[^()\[\]{}]", "", _NO_CODE.sub("", text))
        while (shorter := re.sub(r"\(\)|\[\]|\{\}", "", signs)) != signs:
            signs = shorter
        assert re.fullmatch(r"[(\[{]*", signs), text  # what is left is open still
        if block_end(text) is not None:
            assert not signs, text
            closed += 1
            wrong += [text] if method_errors(text) else []
    assert closed > 40
    assert len(wrong) <= 1, wrong
