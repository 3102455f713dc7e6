"""The gate's second question: do the adapter's tests compile and pass as often as the base's?"""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager

import pytest

from indexer import Change, Index
from personalizer import dataset
from personalizer.engine import Completion, Request
from personalizer.errors import BaseModelError, Cancelled, OutOfMemory
from personalizer.models import load_tokenizer
from personalizer.settings import Settings
from personalizer.training.executed import judged_by_running, open_engine
from personalizer.validation import Unable, Verdict
from tests.java_project import project_files

GOOD = '@Test\nvoid generated() {\n    assertEquals(3, "one".length());\n}'
BAD = "@Test\nvoid broken() {\n    assertEquals(1, nothing());\n}"


class Writers:
    """An engine whose base and whose adapter write one test each."""

    def __init__(self, base: str, adapter: str) -> None:
        self.texts = {False: base, True: adapter}
        self.prompts: list[str] = []

    def generate(self, request, *, on_text=None, cancelled=None):
        self.prompts.append(str(request.prompt))
        return [Completion(self.texts[request.adapter is not None], -0.1, 9, "stop")]

    def close(self) -> None:
        pass


class Finishing(Writers):
    """An engine whose adapter fails on its own, but ends well what others began."""

    def generate(self, request, *, on_text=None, cancelled=None):
        if not request.begun:
            return super().generate(request)
        end = '\n    assertEquals(3, "one".length());\n}'
        return [Completion(request.begun + end, -0.1, 9, "stop")]


class Compiler:
    """A validator to which whatever calls ``nothing`` does not compile."""

    def update(self, snapshot) -> None:
        pass

    def validate(self, checks, *, cancelled=None):
        compiles = ["nothing" not in check.source for check in checks]
        return [Verdict(compiles=good, passes=good or None) for good in compiles]

    def close(self) -> None:
        pass


class Slow(Writers):
    """Waits in a generation, as a large model would, until it is told to leave off."""

    def __init__(self, quick: int) -> None:
        super().__init__(base=GOOD, adapter=GOOD)
        self.quick = quick

    def generate(self, request, *, on_text=None, cancelled=None):
        made = super().generate(request)
        if len(self.prompts) > self.quick:
            assert cancelled.wait(60)
            raise Cancelled("the request was cancelled")
        return made


def run(writers, validator=None, seconds=math.inf, report=lambda progress: None, **changes):
    files = project_files(classes=8)
    index = Index()
    snapshot = index.apply(Change(path, text.encode()) for path, text in files.items())
    sides = dataset.split(snapshot.pairs, validation_fraction=0.2, gate_fraction=0.3)
    data = dataset.build(
        snapshot, sides, load_tokenizer("starter"), context_tokens=1024, target_tokens=220
    )
    executed = judged_by_running(
        index,
        snapshot,
        data,
        "adapter",
        Settings(**({"gate_methods": 5, "candidates": 1} | changes)),
        engine=writers,
        validator=validator or Compiler(),
        seconds=seconds,
        report=report,
    )
    assert index.apply([]).hashes == snapshot.hashes
    return executed, data


def test_an_adapter_whose_tests_no_longer_compile_is_refused():
    executed, _ = run(Writers(base=GOOD, adapter=BAD))
    assert (executed.methods, executed.base_passes, executed.adapter_passes) == (5, 5, 0)
    assert executed.refuses
    assert "0 of 5 held-out methods" in executed.reason


def test_what_others_began_does_not_save_an_adapter():
    """Salvage and beginnings pass with any writer, and would hide which of two writes better."""
    executed, _ = run(Finishing(base=GOOD, adapter=BAD))
    assert executed.adapter_passes == 0
    assert executed.refuses


@pytest.mark.parametrize("base", [GOOD, BAD])
def test_an_adapter_whose_tests_pass_as_often_is_let_through(base):
    executed, _ = run(Writers(base=base, adapter=GOOD))
    assert executed.adapter_passes == 5
    assert not executed.refuses


def test_no_prompt_shows_the_tests_of_the_method_that_is_judged():
    writers = Writers(base=GOOD, adapter=GOOD)
    _, data = run(writers, gate_methods=1)
    held_out = min(data.gate, key=lambda e: (e.pair.focal.path, e.pair.focal.method.key))
    asserted = next(line for line in held_out.text.splitlines() if "assertEquals" in line).strip()
    assert len(writers.prompts) == 2
    assert not any(asserted in prompt for prompt in writers.prompts)


def test_the_base_is_shown_examples_and_the_adapter_none():
    """A base without them would be too easy to beat: a user has them without any adapter."""
    writers = Writers(base=GOOD, adapter=GOOD)
    run(writers, gate_methods=1)
    assert [prompt.count("kind=<Kind.EXAMPLE_TEST") for prompt in writers.prompts] == [2, 0]


@pytest.mark.parametrize("method", ["lora", "qlora-4bit"])
def test_the_base_is_kept_for_the_gate_as_it_was_for_the_adapter(method, monkeypatch):
    from personalizer.engine import local

    kept = []

    def load(name, *, quantization):
        kept.append(quantization)
        raise BaseModelError("not loaded")

    monkeypatch.setattr(local, "load_base", load)
    with open_engine(Settings(method=method, threads=1)) as engine:
        for ask in (lambda: engine.generate(Request("x", "b")), lambda: engine.warm("b")):
            with pytest.raises(BaseModelError):
                ask()
    assert kept == [{"lora": None, "qlora-4bit": "4bit"}[method]] * 2


@pytest.mark.parametrize(
    "changes", [{"validator": Unable("no JDK is installed")}, {"gate_methods": 0}]
)
def test_nothing_is_judged_where_nothing_can_be_run(changes):
    writers = Writers(base=GOOD, adapter=GOOD)
    assert run(writers, **changes)[0] is None
    assert not writers.prompts


def test_why_a_writer_cannot_write_is_told():
    class Full(Writers):
        def generate(self, request, **others):
            if len(self.prompts) == 3:
                raise OutOfMemory("no memory is left")
            return super().generate(request)

    told = []
    executed, _ = run(
        Full(base=GOOD, adapter=GOOD), report=lambda progress: told.append(progress.note)
    )
    assert executed.methods == 1  # the one that both were asked about
    assert told == [None, None, "the gate runs no more tests: no memory is left"]


def test_time_that_is_over_breaks_a_generation_off():
    slow = Slow(quick=0)
    assert run(slow, seconds=0.2)[0] is None
    assert len(slow.prompts) == 1


def test_a_method_that_was_broken_off_counts_for_neither(monkeypatch):
    slow, over = Slow(quick=5), threading.Event()

    @contextmanager
    def set_by_hand(seconds):
        yield over

    monkeypatch.setattr("personalizer.training.executed._set_after", set_by_hand)
    monkeypatch.setattr(over, "wait", lambda seconds: over.set() or True)
    executed, _ = run(slow)
    assert (executed.methods, executed.base_passes, executed.adapter_passes) == (2, 2, 2)
