"""Metrics against outside references: other libraries, definitions by enumeration, the papers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from personalizer.evaluation import code_bleu as code_bleu_module
from personalizer.evaluation.code_bleu import code_bleu
from personalizer.evaluation.matches import abstract, abstract_match, exact_match, tokens
from personalizer.evaluation.metrics import (
    BleuCounts,
    any_of_first,
    average_passed,
    bits_per_byte,
    bleu4,
    pass_at_k,
    perplexity,
)
from personalizer.evaluation.significance import (
    cliffs_delta,
    interval,
    kruskal_wallis,
    trusted_interval,
)
from personalizer.evaluation.style import style

OURS = ["assertEquals(3, cart.total());", "", "new Cart().add(item); // x"]
THEIRS = ["assertEquals(2, cart.total());", "verify(mock);", "cart.add(item);"]


def test_bleu_is_sacrebleus_corpus_bleu():
    import sacrebleu

    expected = sacrebleu.corpus_bleu(OURS, [THEIRS]).score
    assert bleu4(OURS, THEIRS) == pytest.approx(expected, abs=1e-9)


def test_bleu_of_a_resample_is_the_bleu_of_those_texts():
    import sacrebleu

    counts = BleuCounts(tuple(OURS), tuple(THEIRS))
    drawn = [2, 0, 2]
    texts, references = [OURS[i] for i in drawn], [THEIRS[i] for i in drawn]
    expected = sacrebleu.corpus_bleu(texts, [references]).score
    assert counts.score(drawn) == pytest.approx(expected, abs=1e-9)


def test_empty_generations_score_zero_and_do_not_raise():
    assert bleu4(["", ""], ["a b c d", "e"]) == 0.0
    assert style(["", ""], ["void a() { }", "void b() { }"]).tolist() == [0.0, 0.0]
    assert not abstract_match([""], "void a() { }", 1)


def test_perplexity_is_the_exponential_of_torchs_cross_entropy_over_all_tokens():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 7, 11), torch.randint(0, 11, (2, 7))
    labels[0, :3] = -100
    each = [torch.nn.functional.cross_entropy(logits[i], labels[i]).item() for i in range(2)]
    whole = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()).exp()
    assert perplexity(each, [4, 7]) == pytest.approx(whole.item(), rel=1e-5)


def test_a_uniform_byte_model_needs_eight_bits_a_byte():
    text = "größer"
    assert bits_per_byte([math.log(256)], [len(text.encode())], [text]) == pytest.approx(8.0)


@given(
    st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))
)
def test_pass_at_k_is_the_share_of_all_draws_with_a_program_that_passes(case):
    programs, passed, k = case
    outcomes = [i < passed for i in range(programs)]
    draws = list(itertools.combinations(outcomes, k))
    assert pass_at_k(programs, passed, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_pass_at_k_is_the_published_formula():
    # Chen et al. (2021), figure 3: 1 - prod(1 - k / arange(n - c + 1, n + 1))
    expected = 1.0 - np.prod(1.0 - 10 / np.arange(200 - 13 + 1, 200 + 1))
    assert pass_at_k(200, 13, 10) == pytest.approx(expected)


def test_more_programs_drawn_than_written_is_refused():
    with pytest.raises(ValueError, match="cannot draw 3 of 2 programs"):
        pass_at_k(2, 1, 3)


def test_the_two_readings_of_pass_at_k_differ_as_w24s_table_does():
    passed = [False, False, True, False, False]
    assert any_of_first(passed, 1) == 0.0
    assert pass_at_k(5, sum(passed), 1) == pytest.approx(0.2)
    assert average_passed([[True, True, False, False]]) == 0.5


def test_white_space_is_no_difference_but_what_stands_in_a_literal_is():
    assert exact_match(["f( 1 ,\n 2)"], "f(1, 2)", 1)
    assert not exact_match(['f("a b")'], 'f("ab")', 1)
    assert not exact_match(["intx;"], "int x;", 1)


@given(st.text())
def test_tokens_lose_nothing_but_white_space(text):
    joined = "".join("".join(tokens(text)).split())
    assert joined == "".join("".join(text).split())


def test_abstraction_gives_kinds_in_the_order_of_first_use():
    text = """
    @Test(expected = OopsException.class)
    public void sums() {
        List<Item> items = new ArrayList<>();  // none yet
        items.forEach(Item::check);
        Assert.assertEquals("why", 2.5, Cart.MAX * 'c', total(items, 0x1F));
    }"""
    assert abstract(text) == (
        "@ ANNOTATION_1 ( VAR_1 = TYPE_1 . class ) public void METHOD_1 ( ) { "
        "TYPE_2 < TYPE_3 > VAR_2 = new TYPE_4 < > ( ) ; "
        "VAR_2 . METHOD_2 ( TYPE_3 :: METHOD_3 ) ; "
        "TYPE_5 . METHOD_4 ( STRING_1 , FLOAT_1 , TYPE_6 . VAR_3 * CHAR_1 , "
        "METHOD_5 ( VAR_2 , INT_1 ) ) ; }"
    )


def test_objects_of_one_type_bear_one_name():
    check_same = "void a() { Cart x = f(); Cart y = f(); g(%s); }"
    assert abstract(check_same % "x") == abstract(check_same % "y")
    check_other = "void a() { Cart x = f(); Item y = f(); g(%s); }"
    assert abstract(check_other % "x") != abstract(check_other % "y")


def test_what_does_not_parse_matches_only_exactly():
    assert abstract("void a( {") is None
    assert abstract_match(["void a( {"], "void a ( {", 1)
    assert not abstract_match(["void b( {"], "void a( {", 1)


def test_only_the_first_k_count():
    texts = ["void a() { f(); }", "void a() { g(1); }"]
    assert not abstract_match(texts, "void t() { h(9); }", 1)
    assert abstract_match(texts, "void t() { h(9); }", 2)
    assert abstract_match(texts, "void t() { h(9); }", 5)


def test_style_is_scikit_learns_cosine_of_tf_idf_vectors():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    references = ["void a() { cart.add(item); cart.add(other); }", "void b() { cart.clear(); }"]
    generated = ["void a() { cart.add(item); }", "void c() { cart.clear(); }"]
    words = TfidfVectorizer(token_pattern=r"[A-Za-z_]\w*", lowercase=False, stop_words=["void"])
    words.fit(references)
    vectors = words.transform(references), words.transform(generated)
    expected = cosine_similarity(*vectors).diagonal()
    found = style(generated, references)
    assert found[0] == pytest.approx(expected[0])  # every name is known
    assert found[1] < expected[1]  # `c` is invented: scikit-learn would not see it


def test_code_bleu_is_the_mean_of_its_four_parts():
    from codebleu import calc_codebleu

    ours, theirs = "int f(int a) { return a + 1; }", "int f(int b) { int c = b; return c + 2; }"
    parts = calc_codebleu([[theirs]], [ours], "java")
    four = [
        parts[f"{name}_match_score"] for name in ("ngram", "weighted_ngram", "syntax", "dataflow")
    ]
    assert code_bleu([ours], [theirs], "java") == pytest.approx(25 * sum(four), abs=1e-5)


def test_code_bleu_without_its_package_says_how_to_install_it(monkeypatch):
    from personalizer.errors import BadInput

    monkeypatch.setattr(code_bleu_module, "available", lambda: False)
    with pytest.raises(BadInput, match="pip install --no-deps codebleu"):
        code_bleu(["a"], ["a"], "java")


def test_the_interval_of_a_mean_is_scipys_where_every_example_is_its_own_group():
    from scipy.stats import bootstrap

    values = np.random.default_rng(1).exponential(size=60)
    groups = [str(i) for i in range(60)]
    low, high = interval(lambda c: float(values[c].mean()), groups, resamples=4000)
    outside = bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=2)
    assert low == pytest.approx(outside.confidence_interval.low, abs=0.03)
    assert high == pytest.approx(outside.confidence_interval.high, abs=0.03)


def test_examples_of_one_group_are_drawn_together():
    values = np.array([0.0] * 50 + [1.0] * 50)
    alone = interval(lambda c: float(values[c].mean()), [str(i) for i in range(100)])
    together = interval(lambda c: float(values[c].mean()), ["a"] * 50 + ["b"] * 50)
    assert together == (0.0, 1.0)
    assert alone[0] > 0.3


@pytest.mark.parametrize(
    ("groups", "some"), [("aaaaaa", False), ("abcdee", False), ("abcdef", True)]
)
def test_of_few_groups_there_is_no_interval(groups, some):
    values = np.arange(6.0)
    found = trusted_interval(lambda c: float(values[c].mean()), list(groups))
    assert (found is not None) is some


def test_kruskal_wallis_is_scipys_and_its_pairs_are_corrected_by_holm():
    from scipy.stats import false_discovery_control, kruskal

    samples = {
        "a": [2.9, 3.0, 2.5, 2.6, 3.2],
        "b": [3.8, 2.7, 4.0, 2.4],
        "c": [2.8, 3.4, 3.7, 2.2, 2.0],
    }
    found = kruskal_wallis(samples)
    # Hollander and Wolfe (1973), p. 116; the example of R's kruskal.test: H 0.7714, p 0.68
    assert (round(found.h, 4), round(found.p, 2)) == (0.7714, 0.68)
    assert found.n == 14
    raw = [kruskal(samples[x], samples[y]).pvalue for x, y in ("ab", "ac", "bc")]
    assert min(p.p for p in found.pairs) == pytest.approx(min(1.0, 3 * min(raw)))
    assert all(p.p >= f for p, f in zip(found.pairs, false_discovery_control(raw), strict=True))


def test_cliffs_delta_is_the_rank_biserial_correlation_of_mann_whitney():
    from scipy.stats import mannwhitneyu

    a, b = [1.0, 5.0, 2.0, 8.0], [3.0, 4.0, 2.5]
    u = mannwhitneyu(a, b).statistic
    assert cliffs_delta(a, b) == pytest.approx(2 * u / (len(a) * len(b)) - 1)


def test_one_value_a_sample_cannot_be_tested():
    assert kruskal_wallis({"a": [1.0], "b": [2.0]}) is None
    assert kruskal_wallis({"a": [1.0, 1.0], "b": [1.0, 1.0]}).p == 1.0
