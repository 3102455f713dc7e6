"""What the command line says with its flags, an editor's user is told with settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer import Index
from lsp_server.answers import Candidate, Generation
from lsp_server.features.generate_test import outcome
from lsp_server.wording import in_editor
from personalizer.daemon.acceptance import check
from personalizer.daemon.protocol import TrainRequest
from personalizer.errors import SettingsError
from personalizer.generation.validators import open_validator
from personalizer.settings import Settings
from personalizer.validation.records import Unable
from personalizer.words import OF_TODAY


def test_a_budget_that_is_no_time_is_named_by_its_setting(tmp_path: Path):
    with pytest.raises(SettingsError) as caught:
        check(TrainRequest(str(tmp_path), budget="soon"))
    told = in_editor(str(caught.value))
    assert told.startswith("training.budget: expected a time such as")
    assert "--" not in told


def test_a_workspace_that_is_not_trusted_is_trusted_in_the_editor(tmp_path: Path):
    snapshot = Index().apply([])
    unable = open_validator(tmp_path, snapshot, Settings(), run=True, trusted=False)
    assert isinstance(unable, Unable)
    told = in_editor(f"was not run: {unable.reason} (by base)")
    assert f"{tmp_path} is not trusted" in told
    assert "trust it in VS Code, or in any editor add it to trusted_workspaces in /" in told
    assert "--" not in told


@pytest.mark.parametrize(
    ("notes", "told"),
    [
        ((), OF_TODAY),
        ((OF_TODAY, "makes its own Cart"), f"{OF_TODAY}; makes its own Cart"),
        ((f"{OF_TODAY}: 2 for 1",), f"{OF_TODAY}: 2 for 1"),
    ],
)
def test_that_a_test_expects_what_the_code_gives_is_said_once(notes: tuple[str, ...], told: str):
    best = Candidate(compiles=True, passes=True, settled=True, notes=notes)
    assert outcome(Generation("base", (best,))) == f"passes (by base); {told}"
