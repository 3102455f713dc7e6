"""What the engine holds, and what it does when the memory that models lie in runs out."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from personalizer.engine import Request
from personalizer.errors import BaseTooLarge, EngineError
from tests.tiny_model import make_full_adapter, make_tiny_adapter, make_tiny_base

# peft 0.21 reads an attribute that transformers 5.23 has renamed
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``base``, ``other`` and ``third``, and for the first the adapters ``lora`` and ``full``."""
    folder = tmp_path_factory.mktemp("models")
    base = make_tiny_base(folder / "base")
    make_tiny_base(folder / "other", seed=1)
    make_tiny_base(folder / "third", seed=2)
    make_tiny_adapter(base, folder / "lora")
    make_full_adapter(base, folder / "full")
    return folder


@pytest.fixture
def engine() -> Iterator[Any]:
    """An engine, while Python does not look for what is held by itself alone: as for a card."""
    from personalizer.engine.local import LocalEngine

    engine = LocalEngine(threads=1)
    gc.collect()
    gc.disable()
    yield engine
    gc.enable()
    engine.close()


@pytest.fixture
def ask(engine, files: Path) -> Callable[..., Any]:
    def asked(base: str = "base", adapter: str | None = None, **choices: Any) -> Any:
        folder = str(files / adapter) if adapter else None
        return engine.generate(Request("x", str(files / base), folder, max_tokens=8, **choices))

    return asked


class Card:
    """Memory for so many models; it is full for as long as they live."""

    def __init__(self, room: int, load: Callable[..., Any]) -> None:
        self.room = room
        self.models: list[weakref.ref[Any]] = []
        self.most = 0
        """Models at once."""
        self._load = load

    @property
    def held(self) -> int:
        return sum(one() is not None for one in self.models)

    def load(self, name: str, **how: Any) -> Any:
        import torch

        if self.held >= self.room:
            partly = self._load(name, **how)  # an error's traceback holds what was loaded
            self.models.append(weakref.ref(partly.model))
            try:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            except torch.OutOfMemoryError as error:
                raise BaseTooLarge(f"{Path(name).name} does not fit into the memory") from error
        base = self._load(name, **how)
        self.models.append(weakref.ref(base.model))
        self.most = max(self.most, self.held)
        return base


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Card]:
    def of(room: int) -> Card:
        from personalizer.engine import local

        made = Card(room, local.load_base)
        monkeypatch.setattr(local, "load_base", made.load)
        return made

    return of


def run_out(*_: Any, **__: Any) -> Any:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def until_idle(engine: Any) -> None:
    worker = engine._worker
    if worker is not None:
        worker.join(60)


def test_a_model_that_makes_place_is_gone_before_the_next_is_loaded(ask, card):
    memory = card(2)
    for base, adapter in (
        ("base", "lora"), ("base", None), ("other", None), ("third", None), ("base", "full")
    ):  # fmt: skip
        assert ask(base, adapter)
    assert len(memory.models) == 4
    assert memory.most == 2


def test_a_model_that_finds_too_little_memory_has_it_alone(ask, card):
    alone = [ask("base", "lora"), ask("base", "full")]
    memory = card(1)
    assert [ask("other"), ask("base", "lora"), ask("base", "full")][1:] == alone
    assert memory.most == 1


def test_a_base_that_is_too_large_is_told_as_such_and_takes_no_memory(ask, card, engine):
    memory = card(0)
    with pytest.raises(BaseTooLarge, match=r"^base does not fit into the memory$") as raised:
        ask("base")
    until_idle(engine)
    assert memory.held == 0
    assert raised.value.__cause__ is None
    memory.room = 1
    assert ask("base")


@pytest.mark.parametrize("choices", [{}, {"count": 2}])
def test_memory_that_runs_out_in_a_generation_is_given_back_at_once(
    ask, card, engine, monkeypatch, choices
):
    from transformers import LlamaForCausalLM

    memory = card(1)
    assert ask("base", "lora", **choices)
    with monkeypatch.context() as patched:
        patched.setattr(LlamaForCausalLM, "forward", run_out)
        with pytest.raises(EngineError, match="ask for fewer candidates") as raised:
            ask("base", "lora", **choices)
    until_idle(engine)
    assert memory.held == 0, raised.value
    assert ask("base", "lora", **choices)


def test_memory_that_runs_out_while_an_adapter_is_loaded_is_no_fault_of_the_adapter(
    ask, card, engine, monkeypatch
):
    from peft import PeftModel

    memory = card(1)
    assert ask("base")
    with monkeypatch.context() as patched:
        patched.setattr(PeftModel, "from_pretrained", run_out)
        with pytest.raises(EngineError, match="ran out of memory"):
            ask("base", "lora")
    until_idle(engine)
    assert memory.held == 0
    assert ask("base", "lora")
