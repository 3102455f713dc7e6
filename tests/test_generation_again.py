"""The daemon's part in generation: another candidate without waiting, trust, idle validators."""

from __future__ import annotations

import gc
import shutil
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from indexer import index_folder
from personalizer.daemon import validators
from personalizer.daemon.protocol import GenerateRequest
from personalizer.daemon.service import Service
from personalizer.daemon.validators import Validators
from personalizer.errors import BadInput
from personalizer.generation import Generation, Writer, generate_test, resolve_target
from personalizer.generation.validators import open_validator
from personalizer.settings import Settings
from personalizer.validation import Unable
from tests.fake_engine import FakeEngine
from tests.fake_validator import FakeValidator
from tests.java_build import needs_sandbox
from tests.java_project import write_project
from tests.test_generation import FILES, names
from tests.test_generation_checks import test as case

CART = "app/src/main/java/shop/Cart.java"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_project(tmp_path / "shop", FILES)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[FakeValidator]:
    """The validators that were opened for trusted workspaces."""
    made: list[FakeValidator] = []

    def open_one(*_: Any, run: bool, trusted: bool) -> FakeValidator | Unable:
        if not (run and trusted):
            return Unable("not trusted" if run else "not asked")
        made.append(FakeValidator())
        return made[-1]

    monkeypatch.setattr(validators, "open_validator", open_one)
    return made


def service_of(*scripts: list[str]) -> Service:
    jobs = SimpleNamespace(paused=nullcontext)
    return Service(FakeEngine(*scripts), jobs, "socket")  # type: ignore[arg-type]


def asked(service: Service, shop: Path, **choices: Any) -> Generation:

    request = GenerateRequest(str(shop), CART, method="Cart#total", **choices)
    return service.generate(request, threading.Event())


# ---------------------------------------------------------------- another candidate


def test_the_next_candidate_needs_no_model(shop: Path):
    service = service_of([case("a"), case("b"), case("c")])
    assert names(asked(service, shop)) == ["a", "b", "c"]
    second = asked(service, shop, skip=1)
    assert names(second) == ["b", "c"]
    assert second.edit is not None
    assert "void b()" in second.edit.diff
    assert len(service.engine.requests) == 1  # type: ignore[attr-defined]


def test_when_none_is_left_others_are_made(shop: Path):
    service = service_of([case("a"), case("b")], [case("a"), case("c")])
    asked(service, shop)
    third = asked(service, shop, skip=2)
    assert names(third) == ["c"]
    assert names(asked(service, shop, skip=1)) == ["b", "c"]


def test_a_method_that_changed_is_not_answered_from_memory(shop: Path):
    service = service_of([case("a"), case("b")], [case("c")])
    asked(service, shop)
    changed = FILES[CART].replace("return 0;", "return 1;", 1)
    assert names(asked(service, shop, skip=1, buffers={CART: changed})) == ["c"]


def test_the_place_of_the_next_candidate_is_looked_for_anew(shop: Path):
    service = service_of([case("a"), case("b")])
    asked(service, shop)
    path = "app/src/test/java/shop/CartTest.java"
    buffer = FILES[path].replace("total_isZero", "b")
    second = asked(service, shop, skip=1, buffers={path: buffer})
    assert second.edit is not None
    assert second.edit.notes[-2].startswith("renamed b to b2")


def test_nothing_can_be_skipped_backwards(shop: Path):
    with pytest.raises(BadInput, match="skip"):
        asked(service_of([case("a")]), shop, skip=-1)


# ---------------------------------------------------------------- trust and idleness


def test_a_workspace_that_is_not_trusted_is_not_run(shop: Path, opened: list[FakeValidator]):
    made = asked(service_of([case("a")]), shop)
    assert made.candidates[0].compiles is None
    assert made.not_run == "not trusted"
    assert opened == []


def test_a_trusted_workspace_is_run_by_one_validator(shop: Path, opened: list[FakeValidator]):
    service = service_of([case("a")])
    made = [asked(service, shop, trusted=True) for _ in range(2)]
    assert [one.candidates[0].passes for one in made] == [True, True]
    assert len(opened) == 1
    service.validators.close()
    assert opened[0].closed


def test_a_build_that_changed_gets_another_validator(shop: Path, opened: list[FakeValidator]):
    service = service_of([case("a")])
    asked(service, shop, trusted=True)
    (shop / "pom.xml").write_text("<project/>")
    asked(service, shop, trusted=True)
    assert len(opened) == 2


def test_an_idle_validator_ends(shop: Path, opened: list[FakeValidator]):
    kept = Validators(idle_seconds=0.05)
    snapshot, _ = index_folder(shop)
    with kept.of(shop, snapshot, Settings(), run=True, trusted=True):
        time.sleep(0.1)
        assert not opened[0].closed
    end = time.monotonic() + 5
    while not opened[0].closed:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_idle_validator_leaves_memory_and_the_next_request_opens_another(
    shop: Path, opened: list[FakeValidator]
):
    kept = Validators(idle_seconds=0.05)
    snapshot, _ = index_folder(shop)
    with kept.of(shop, snapshot, Settings(), run=True, trusted=True):
        first = weakref.ref(opened[0])
    opened.clear()
    end = time.monotonic() + 5
    while first() is not None:
        assert time.monotonic() < end
        time.sleep(0.01)
        gc.collect()
    with kept.of(shop, snapshot, Settings(), run=True, trusted=True) as second:
        assert opened == [second]
    kept.close()


def test_a_validator_taken_as_its_time_runs_out_stays_open(
    shop: Path, opened: list[FakeValidator], monkeypatch: pytest.MonkeyPatch
):
    timers: list[_LateTimer] = []
    monkeypatch.setattr(validators.threading, "Timer", lambda *a: _LateTimer(timers, *a))
    kept = Validators(idle_seconds=60)
    snapshot, _ = index_folder(shop)
    with kept.of(shop, snapshot, Settings(), run=True, trusted=True):
        pass
    with kept.of(shop, snapshot, Settings(), run=True, trusted=True):
        timers[0].goes_off()
        assert not opened[0].closed
    timers[1].goes_off()
    assert [one.closed for one in opened] == [True]


class _LateTimer:
    """A timer that can no longer be cancelled: it has gone off."""

    def __init__(
        self,
        made: list[_LateTimer],
        seconds: float,
        function: Callable[..., None],
        arguments: tuple[Any, ...] = (),
    ) -> None:
        self.goes_off = lambda: function(*arguments)
        made.append(self)

    def start(self) -> None:
        """The test says when."""

    def cancel(self) -> None:
        """Too late."""


def test_the_users_trusted_folders_are_trusted(shop: Path):
    trusting = Settings(trusted_workspaces=f"/nowhere:{shop.parent}")
    assert validators.is_trusted(shop, trusting)
    assert not validators.is_trusted(shop.parent.parent, trusting)
    assert not validators.is_trusted(shop, Settings())


def test_why_nothing_is_run_is_told(shop: Path):
    snapshot, _ = index_folder(shop)
    untrusted = open_validator(shop, snapshot, Settings(), run=True, trusted=False)
    assert isinstance(untrusted, Unable)
    assert "not trusted" in untrusted.reason
    assert "--trust" in untrusted.reason
    unasked = open_validator(shop, snapshot, Settings(), run=False, trusted=True)
    assert isinstance(unasked, Unable)
    assert "asked not to" in unasked.reason


@needs_sandbox
@pytest.mark.slow
def test_a_test_that_really_passes_goes_before_those_that_do_not(tmp_path: Path):
    """The ledger, compiled and run for real; the model alone is scripted."""
    ledger = Path(__file__).parent.parent / "examples" / "ledger"
    root = tmp_path / "ledger"
    shutil.copytree(ledger, root)
    snapshot, _ = index_folder(root)
    fails = case("fails", 'assertEquals(euros("2.00"), euros("1.00").plus(euros("2.00")));')
    passes = case("passes", 'assertEquals(euros("3.00"), euros("1.00").plus(euros("2.00")));')
    refused = case("refused", 'assertEquals(1, euros("1.00").nope());')
    with closing(open_validator(root, snapshot, Settings(), run=True, trusted=True)) as validator:
        made = generate_test(
            snapshot,
            *resolve_target(snapshot, "Money#plus"),
            FakeEngine([refused, fails, passes]),
            writer=Writer("starter"),
            count=3,
            settings=Settings(repair_rounds=0),
            validator=validator,
        )
    assert made.not_run is None
    assert names(made) == ["passes", "fails", "refused"]
    assert [one.passes for one in made.candidates] == [True, False, False]
    assert "expected" in (made.candidates[1].failure or "")
    assert "nope" in (made.candidates[2].failure or "")


# ---------------------------------------------------------------- examples by vectors


def test_the_daemon_has_each_method_embedded_once_by_its_engine(
    shop: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PERSONALIZER_RETRIEVER", "some/model")
    service = service_of([case("a")])
    asked(service, shop)
    assert service.engine.embedded == []  # type: ignore[attr-defined]
    asked(service, shop, retrieve=2)
    once = list(service.engine.embedded)  # type: ignore[attr-defined]
    assert {model for model, _ in once} == {"some/model"}
    assert any("total" in text for _, text in once)
    asked(service, shop, retrieve=2)
    assert service.engine.embedded == once  # type: ignore[attr-defined]
