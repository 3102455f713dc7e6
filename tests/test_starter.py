"""The embedded base model: whole, small enough, and never trained on what is measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from indexer.languages.java import method_errors
from personalizer.engine import Request
from personalizer.models import STARTER, base_folder, load_base
from personalizer.prompts import SPECIAL_TOKENS, encode, marked, prompt_for_test
from tests.java_project import project_files, snapshot_of

CARD = base_folder(STARTER) / "MODEL_CARD.md"
NEVER = Path(__file__).parents[2] / "shared" / "data" / "never_in_the_starter_corpus.txt"
MEASURED = [
    "SmartTools/smartactors-core",
    "gallandarakhneorg/afc",
    "Netflix/titus-control-plane",
    "JetBrains/android",
    "codenvy/everrest",
    "openzipkin/brave",
    "dhis2/dhis2-core",
    "Talend/data-prep",
    "geotools/geotools",
    "inovexcorp/mobi",
    "adamcin/oakpal",
    "apache/dubbo",
    "epam/Wilma",
    "FINRAOS/herd",
    "kiegroup/drools",
    "ModeShape/modeshape",
    "AthenZ/athenz",
    "cdk/cdk",
    "eclipse-ditto/ditto",
]
"""The projects of Zlotchevski et al. (2022), Table 2, without "Tutorials"."""


def corpus() -> set[str]:
    """Names of the repositories that the model card lists."""
    names = re.findall(
        r"^\| ([\w.-]+/[\w.-]+)(?: \(validation\))? \| `", CARD.read_text(), re.MULTILINE
    )
    assert len(names) >= 60
    return {name.lower() for name in names}


def check_not_in_corpus(names: list[str]) -> None:
    listed = corpus()
    short = {name.partition("/")[2] for name in listed}
    assert not listed & {name.lower() for name in names}
    assert not short & {name.lower().partition("/")[2] for name in names}, "a fork?"
    assert "tutorials" not in short


def test_no_project_of_the_paper_is_in_the_corpus():
    check_not_in_corpus(MEASURED)


def test_no_project_that_is_kept_for_measuring_is_in_the_corpus():
    if not NEVER.is_file():
        pytest.skip("the list of projects kept for measuring is not beside this checkout")
    lines = NEVER.read_text().splitlines()
    check_not_in_corpus([line for line in lines if "/" in line and not line.startswith("#")])


def test_the_weights_are_at_most_64_mib_and_loadable_by_anyone():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = base_folder(STARTER)
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    assert 1 << 20 < size <= 64 << 20
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert marked(tokenizer)
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS)) == list(range(32))
    assert model.get_input_embeddings().weight.shape[0] == len(tokenizer)
    assert tokenizer.decode(tokenizer.encode("int é = 1;\n\t// ok")) == "int é = 1;\n\t// ok"


def test_it_begins_a_test_that_is_named_after_the_focal_method():
    from personalizer.engine.local import LocalEngine

    snapshot = snapshot_of(project_files(classes=1, methods=3))
    pair = snapshot.pairs[2]
    prompt = prompt_for_test(
        snapshot, pair.focal.path, pair.focal.method, hidden=[pair.test.method]
    )
    base = load_base(STARTER)
    assert len(encode(prompt, base.tokenizer, 700)) > 50
    (made,) = LocalEngine(threads=1).generate(Request(prompt, STARTER, max_tokens=200))
    head = made.text.partition("{")[0]
    assert head.startswith("@Test")
    assert method_errors(head + "{ }") == ()
    assert pair.focal.method.name.lower() in head.lower()
