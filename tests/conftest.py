"""What every test gets: a data folder of its own, and no settings of the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from personalizer.daemon.client import Client

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(autouse=True)
def own_data_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Points Personalizer at an empty data folder and an absent settings file."""
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("PERSONALIZER_DATA_DIR", str(folder))
    monkeypatch.setenv("PERSONALIZER_CONFIG", str(folder / "personalizer.toml"))
    return folder


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model of 28 thousand random parameters."""
    from tests.tiny_model import make_tiny_base

    return make_tiny_base(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-embedding model of random parameters."""
    from tests.tiny_model import make_tiny_sentences

    return make_tiny_sentences(tmp_path_factory.mktemp("sentences"))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project of one class and its tests, for an editor to open."""
    from tests.editors.editor import make_shop

    return make_shop(tmp_path / "shop")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the language server of such an editor keeps what it keeps."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def daemon() -> Iterator[Client]:
    """The client of a daemon with a fake model and a fake training."""
    from personalizer.daemon.client import connect, stop
    from tests.fake_parts import DAEMON

    try:
        yield connect(command=DAEMON)
    finally:
        stop()
