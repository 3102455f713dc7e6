"""No full collection stops the editor's requests while a folder is read."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from indexer import Index, Snapshot, Workspace
from lsp_server.convert import Text
from lsp_server.documents import Documents
from lsp_server.pauses import take_short_turns, without_collection
from lsp_server.project import Project
from lsp_server.server import create
from tests.editors.editor import CART, CART_PATH, make_shop
from tests.fake_daemon import FakeDaemon, Scenario


@pytest.fixture(autouse=True)
def interpreter() -> Iterator[None]:
    """As it was before."""
    turn = sys.getswitchinterval()
    yield
    sys.setswitchinterval(turn)
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_until_the_last_of_several_folders_is_read():
    with without_collection():
        with without_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_made_is_left_out_of_later_looks():
    before = gc.get_freeze_count()
    with without_collection():
        kept = [[number] for number in range(1000)]
    assert gc.get_freeze_count() - before >= len(kept)


def test_an_error_turns_collection_on_again():
    with pytest.raises(ValueError, match="no"), without_collection():
        raise ValueError("no")
    assert gc.isenabled()


def test_threads_give_way_sooner_than_python_lets_them():
    before = sys.getswitchinterval()
    take_short_turns()
    assert sys.getswitchinterval() < before


def test_a_folder_is_read_without_collections_and_a_keystroke_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[bool] = []
    read = Project._read

    def noted(*arguments):
        seen.append(gc.isenabled())
        return read(*arguments)

    monkeypatch.setattr(Project, "_read", noted)
    root = make_shop(tmp_path)
    project = Project(root.as_uri(), root, Documents(), lambda _: None)

    async def settle() -> None:
        await project.settle()
        await project.settle()

    asyncio.run(settle())
    assert seen == [False, True]
    assert project.snapshot is not None and CART_PATH in project.snapshot.files


def test_what_changes_while_the_folder_is_read_is_read_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "A.java").write_text("class A { }")
    project = Project(tmp_path.as_uri(), tmp_path, Documents(), lambda _: None)
    read = Index.read

    async def settle() -> None:
        loop = asyncio.get_running_loop()

        def reading(index: Index, workspace: Workspace) -> Snapshot:
            snapshot = read(index, workspace)
            if not (tmp_path / "B.java").exists():
                (tmp_path / "B.java").write_text("class B { }")
                asyncio.run_coroutine_threadsafe(touched(), loop).result(10)
            return snapshot

        async def touched() -> None:
            project.touch(None)

        monkeypatch.setattr(Index, "read", reading)
        await project.settle()
        await project.settle()

    asyncio.run(settle())
    assert project.snapshot is not None and set(project.snapshot.files) == {"A.java", "B.java"}


@pytest.mark.parametrize("fails", ["read", "apply"])
def test_what_could_not_be_taken_in_is_taken_in_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
):
    (tmp_path / "A.java").write_text("class A { }")
    project = Project(tmp_path.as_uri(), tmp_path, Documents(), lambda _: None)

    def broken(*_: object) -> Snapshot:
        raise OSError("the disk is full")

    async def settle() -> None:
        if fails == "apply":
            await project.settle()
        (tmp_path / "B.java").write_text("class B { }")
        project.touch(frozenset({"B.java"}))
        with monkeypatch.context() as patched:
            patched.setattr(Index, fails, broken)
            await project.settle()
        await project.settle()

    asyncio.run(settle())
    assert project.snapshot is not None and set(project.snapshot.files) == {"A.java", "B.java"}


def test_what_is_not_saved_counts_after_the_folder_is_read_anew(tmp_path: Path):
    (tmp_path / "A.java").write_text("class A { }")
    documents = Documents()
    project = Project(tmp_path.as_uri(), tmp_path, documents, lambda _: None)
    documents.put((tmp_path / "A.java").as_uri(), 1, Text.of("class Unsaved { }"))

    async def settle() -> None:
        await project.settle()
        project.touch(None)
        await project.settle()

    asyncio.run(settle())
    assert project.snapshot is not None and project.snapshot.text("A.java") == "class Unsaved { }"


def test_a_folder_that_was_removed_is_let_go(tmp_path: Path):
    root = make_shop(tmp_path)
    server = create(FakeDaemon(Scenario()).connect)
    server.protocol.client_capabilities = lsp.ClientCapabilities()
    session = server.session

    async def removed() -> weakref.ref[Project]:
        project = session.add_folder(root.as_uri())
        assert project is not None
        await project.settle()
        session.open((root / CART_PATH).as_uri(), 1, CART)
        await asyncio.sleep(1.0)  # the index has taken it in, and the status was asked
        assert project.status is not None
        session.remove_folder(root.as_uri())
        held = weakref.ref(project)
        del project
        await asyncio.sleep(2.5)
        return held

    held = asyncio.run(removed())
    gc.collect()
    assert held() is None
