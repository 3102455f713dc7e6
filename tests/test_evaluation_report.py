"""The answer and the report: what is said, and that every number can be traced."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from personalizer.cli import personalizer
from personalizer.commands.evaluate import evaluate as evaluate_command
from personalizer.errors import StorageError
from personalizer.evaluation.answer import Gain, answer
from personalizer.evaluation.report import markdown, render
from personalizer.evaluation.report.figures import figures
from personalizer.evaluation.vocabulary import shared, words
from tests.java_project import project_files, write_project

COST = {
    "adapter_bytes": 1_300_000,
    "seconds": 92.0,
    "pf_seconds": 0.05,
    "peak_memory_bytes": 400_000_000,
}


def said(gains, bleu=((2.0, 4.0), (3.0, 5.0))):
    """The answer where base and lora have these BLEU4 intervals."""
    scores = {
        "base": {"perplexity": 6.0, "bleu4": 3.0},
        "lora": {"perplexity": 4.0, "bleu4": 4.0, **COST},
        "custom": {"perplexity": 3.9, "bleu4": 4.0, **COST, "adapter_bytes": 28_000_000},
    }
    intervals = {"base": {"bleu4": bleu[0]}, "lora": {"bleu4": bleu[1]}}
    found = [Gain(name, "base", *numbers, 99) for name, numbers in gains.items()]
    return answer("ledger", found, scores, intervals)


def test_a_gain_with_confidence_is_worth_it_and_says_the_cost():
    found = said({"lora": (0.41, 0.30, 0.52)})
    assert (found.worth, found.method) == (True, "lora")
    assert found.sentences[0] == (
        "Personalising ledger is worth it: lora lowers the perplexity of the developers' tests "
        "from 6.00 (the base alone, the best without training) to 4.00, a gain of 0.410 nats a "
        "token on 99 held-out pairs (95 % interval 0.300 to 0.520)."
    )
    assert "1:32" in found.sentences[2] and "1.3 MB" in found.sentences[2]


def test_of_two_that_cannot_be_told_apart_the_smaller_is_chosen():
    found = said({"lora": (0.41, 0.30, 0.52), "custom": (0.43, 0.3, 0.6)})
    assert found.method == "lora"
    assert "custom gains 0.020 more, which may be chance" in found.sentences[1]


def test_a_clearly_better_one_is_chosen_though_it_is_larger():
    assert said({"lora": (0.2, 0.1, 0.3), "custom": (0.5, 0.4, 0.6)}).method == "custom"


def test_one_whose_own_gain_may_be_chance_is_not_chosen_for_being_small():
    found = said({"lora": (0.3, -0.1, 0.7), "custom": (0.43, 0.3, 0.6)})
    assert (found.worth, found.method) == (True, "custom")


def test_a_gain_that_may_be_chance_is_not_worth_it():
    found = said({"lora": (0.02, -0.01, 0.05)})
    assert (found.worth, found.method) == (False, "base")
    assert "which may be chance (95 % interval -0.010 to 0.050)" in found.sentences[0]


def test_a_loss_is_not_worth_it():
    found = said({"lora": (-0.02, -0.05, -0.01)})
    assert found.worth is False
    assert "0.020 nats a token worse" in found.sentences[0]


def test_a_better_loss_with_clearly_worse_tests_is_not_worth_it():
    found = said({"lora": (0.41, 0.30, 0.52)}, bleu=((2.5, 4.0), (1.0, 2.0)))
    assert found.worth is False
    assert "its BLEU4 falls from" in found.sentences[0]


def test_a_better_loss_with_clearly_fewer_tests_that_pass_is_not_worth_it():
    scores = {
        "base": {"perplexity": 6.0, "passes": 0.5},
        "lora": {"perplexity": 4.0, "passes": 0.25, **COST},
    }
    intervals = {"base": {"passes": (0.4, 0.6)}, "lora": {"passes": (0.2, 0.3)}}
    gain = Gain("lora", "base", 0.41, 0.30, 0.52, 99)
    found = answer("ledger", [gain], scores, intervals)
    assert (found.worth, found.method) == (False, "base")
    assert "its share of tests that pass falls from 0.5 to 0.25" in found.sentences[0]


def test_without_a_strategy_nothing_is_claimed():
    assert said({}).worth is None


def test_of_too_few_classes_nothing_is_claimed():
    found = said({"lora": (0.41, None, None)})
    assert (found.worth, found.method) == (None, None)
    assert "of fewer than 6 classes, too few to tell a gain from chance" in found.sentences[0]
    assert "lora gains 0.410 nats a token over the base alone" in found.sentences[1]
    assert "1:32" in found.sentences[2]


def test_where_every_training_failed_the_reason_is_told():
    found = answer("ledger", [], {"base": {"perplexity": 6.0}}, {}, failed={"lora": "no memory."})
    assert found.worth is None
    assert "no trained method can be compared" in found.sentences[0]
    assert found.sentences[1] == "What was in the way: lora: no memory."


class _Page(HTMLParser):
    """Identifiers, links and addresses of a page; complains about tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values["href"])
        self.loads += [v for k, v in attrs if k in ("src", "srcset", "data", "action")]
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def invoke(*arguments):
    found = CliRunner().invoke(personalizer, [str(a) for a in arguments], catch_exceptions=False)
    assert found.exit_code == 0
    return found


@pytest.fixture
def tiny(tmp_path, tiny_base, monkeypatch):
    """The flags of an evaluation that takes a moment."""
    config = tmp_path / "training.toml"
    config.write_text("max_steps = 2\nepochs = 1\nbatch_size = 4\n")
    monkeypatch.setenv("PERSONALIZER_CONTEXT_TOKENS", "1200")
    monkeypatch.setenv("PERSONALIZER_TARGET_TOKENS", "200")
    quick = ["--generated", 1, "--beams", 2, "--context", "focal", "--folds", 2]
    return ["--base", tiny_base, "--config", config, *quick]


def test_the_command_writes_a_report_whose_every_number_has_a_file(tmp_path, tiny):
    first = write_project(tmp_path / "one", project_files(classes=6))
    second = write_project(tmp_path / "two", project_files(classes=6, methods=5))
    report = tmp_path / "r.html"
    found = invoke(
        "evaluate", first, second, "--methods", "rag,lora", "--json", "--report", report, *tiny
    )
    result = json.loads(found.stdout)
    assert "1 of 12: one, base, fold 1" in found.stderr
    assert {"folds", "methods", "kruskal", "answer", "worth"} <= set(result)
    keys = "bleu4 perplexity exact@1 abstract@1 style parses compiles passes pf_seconds"
    keys += " trainable_parameters seconds peak_memory_bytes"
    for values in result["methods"].values():
        assert set(keys.split()) <= set(values)
        assert values["exact@5"] is values["abstract@5"] is None  # two beams
        assert values["passes"] is not None or values["not_run"]
    assert result["kruskal"]["unit"] == "projects"
    assert result["tokens_shared"]["one"]["two"] > 0.5

    page = _Page(report.read_text())
    assert not page.open
    assert page.loads == []
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    for cell in result["cells"]:
        kept = json.loads(Path(cell["file"]).read_text())
        assert cell["file"].rpartition("/")[2] in report.read_text()
        assert len(kept["rows"]) == cell["held_out"]
    assert not re.search(r"https?://(?!www\.w3\.org)", report.read_text())


def test_a_report_that_cannot_be_written_is_told_before_anything_is_computed(tmp_path, tiny_base):
    told = CliRunner().invoke(
        evaluate_command, [str(tmp_path), "--base", str(tiny_base), "--report", str(tmp_path)]
    )
    assert isinstance(told.exception, StorageError)
    assert str(told.exception) == f"cannot write {tmp_path}: Is a directory"


def test_the_answer_is_printed_though_the_report_fails(tmp_path, tiny_base, monkeypatch):
    found = {"answer": ["It is.", "b.", "c."], "methods": {}, "cells": []}
    found |= {"compared": {"pairs": 1, "of": 1}}
    asked = []
    monkeypatch.setattr(
        "personalizer.evaluation.evaluate.evaluate",
        lambda roots, *_, **__: asked.append(roots) or dict(found),
    )

    def fails(result, *, made_by):
        raise StorageError("the disk is full")

    monkeypatch.setattr("personalizer.evaluation.report.render", fails)
    flags = ["--base", str(tiny_base), "--report", str(tmp_path / "r.html")]
    twice = [str(tmp_path), str(tmp_path / ".")]
    told = CliRunner().invoke(evaluate_command, [*twice, *flags])
    assert str(told.exception) == "the disk is full"
    assert "It is. b. c." in told.stdout
    assert asked == [[tmp_path.resolve()]]  # named twice, it counts once


def test_the_terminal_shows_the_answer_and_a_table(tmp_path, tiny):
    project = write_project(tmp_path / "one", project_files(classes=6))
    text = invoke("evaluate", project, "--methods", "base", *tiny).stdout
    assert text.startswith("Whether personalising one is worth it cannot be said")
    assert re.search(r"^\| base \| \d", text, re.MULTILINE)


def test_a_gap_is_shown_as_a_gap():
    base = {"perplexity": 2.0, "intervals": {}, "not_run": "no JDK", "bleu4": None}
    base |= {"generated": 16, "tried": 3, "not_tried": {"no JDK": 13}}
    result = {
        "answer": ["a.", "b.", "c."],
        "worth": None,
        "recommended": None,
        "base": "starter",
        "context": "editor",
        "settings": {},
        "folds": 2,
        "compared": {"pairs": 74, "of": 99},
        "methods": {"base": base},
        "gains": [],
        "projects": {"p": {"commit": None, "pairs": 1, "all_pairs": 1, "methods": {}}},
        "kruskal": {"unit": "folds", "metrics": {"bleu4": None}},
        "curve": [],
        "advice": [],
        "tokens_shared": None,
        "styles": {},
        "cells": [
            {"project": "p", "method": "lora", "fold": 1, "share": 1.0, "file": None}
            | {"gap": "no such <layers>"}
        ],
    }
    assert "No result for lora: no such <layers>" in markdown(result)
    page = render(result, made_by="personalizer evaluate")
    for text in (page, markdown(result)):
        assert "Scored on 74 of 99 held-out pairs, those that every method read." in text
        assert "Not compiled or not run: 13 of 16 tests (base): no JDK." in text
    assert "p, lora, fold 1: no such &lt;layers&gt;" in page
    assert figures(result) == []


def test_words_are_those_of_gensims_rule():
    # gensim.utils.tokenize("Cart_total2x größe", lowercase=True): digits part words
    assert words("class Cart_total2x { String größe; }".encode()) == {
        "cart_total",
        "x",
        "größe",
        "string",
    }
    assert words(b'// Copyright Someone\nclass A { String s = "Hello"; /* x */ }') == {
        "a",
        "string",
        "s",
        "hello",
    }
    assert shared({"a": set(), "b": set()})["a"]["b"] == 0.0
