"""``doctor`` says what is missing and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer import find_modules
from personalizer.commands.doctor import doctor
from personalizer.storage import WorkspaceData
from personalizer.validation import sandbox
from personalizer.validation.inspection import Finding, inspect
from tests.java_build import JUPITER, needs_sandbox, pom

NAMES = [
    *("JDK", "Maven", "class path", "test launcher", "JaCoCo", "sandbox"),
    *("data folder", "GPU", "bitsandbytes", "base model", "daemon"),
]


def findings(
    root: Path, *libraries: tuple[str, str, str], trusted: bool = False
) -> dict[str, Finding]:
    files = {"pom.xml": pom(*libraries).encode()}
    modules = find_modules(files, {})
    found = inspect(root, modules, files, trusted=trusted, data=root / "data")
    return {one.name: one for one in found}


@needs_sandbox
def test_what_is_here_needs_nothing_to_be_done(tmp_path):
    found = findings(tmp_path, JUPITER)
    wanted = ("JDK", "class path", "test launcher", "sandbox")
    assert all(found[name].ok and found[name].todo is None for name in wanted), found


def test_what_is_missing_comes_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sandbox, "unavailable", lambda: "no sandbox here")
    found = findings(tmp_path, ("a.b", "not-there", "1"))
    assert found["sandbox"] == Finding(
        "sandbox", False, "no sandbox here", "without it generated tests are compiled, not run"
    )
    for name in ("Maven", "class path", "test launcher"):
        assert not found[name].ok and found[name].todo, found[name]
    assert "a.b:not-there" in found["class path"].found


def test_a_build_is_run_only_where_the_project_is_trusted(tmp_path, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(
        "personalizer.validation.classpath.ClassPaths._run",
        lambda self, tool, command: asked.append(tool) or [],
    )
    findings(tmp_path, JUPITER)
    assert asked == []
    findings(tmp_path, JUPITER, trusted=True)
    assert asked == ["Maven"]


def test_a_named_embedding_model_is_looked_for(tmp_path, tiny_sentences, monkeypatch):
    def found(name: str) -> dict[str, object]:
        monkeypatch.setenv("PERSONALIZER_RETRIEVER", name)
        done = CliRunner().invoke(doctor, [str(tmp_path), "--json"])
        checks = json.loads(done.stdout)["checks"]
        return next(one for one in checks if one["name"] == "embedding model")

    (tmp_path / "pom.xml").write_text(pom(JUPITER))
    assert found(str(tiny_sentences))["ok"]
    missing = found("some/model")
    assert missing["todo"] == "set retriever to bm25, or pull the model"


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_tells_every_check(tmp_path, as_json):
    (tmp_path / "pom.xml").write_text(pom(JUPITER))
    done = CliRunner().invoke(doctor, [str(tmp_path), *(["--json"] if as_json else [])])
    assert done.exit_code == 0, done.output
    if as_json:
        result = json.loads(done.stdout)
        assert [one["name"] for one in result["checks"]] == NAMES
        assert all(set(one) == {"name", "ok", "found", "todo"} for one in result["checks"])
        assert result["ok"] == all(one["ok"] for one in result["checks"])
    else:
        assert all(name in done.stdout for name in NAMES)


@pytest.mark.parametrize("blocked", ["data folder", "index"])
def test_every_check_is_told_where_the_data_folder_cannot_be_used(tmp_path, monkeypatch, blocked):
    shop, data = tmp_path / "shop", tmp_path / "data"
    shop.mkdir()
    (shop / "pom.xml").write_text(pom(JUPITER))
    monkeypatch.setenv("PERSONALIZER_DATA_DIR", str(data))
    monkeypatch.setenv("PERSONALIZER_TRUSTED_WORKSPACES", str(shop))
    monkeypatch.setattr(
        "personalizer.validation.classpath.ClassPaths._maven", lambda self: {"": ["/a.jar"]}
    )
    if blocked == "data folder":
        data.write_text("not a folder")
    else:
        WorkspaceData(shop).index.mkdir(parents=True)
    done = CliRunner().invoke(doctor, [str(shop), "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    checks = {one["name"]: one for one in result["checks"]}
    assert list(checks) == NAMES and not result["ok"]
    told = checks["data folder"]
    assert not told["ok"] and told["found"].startswith(f"cannot write {data}/"), told
    assert told["todo"].endswith("or set PERSONALIZER_DATA_DIR to a folder that can be written")
    assert "told by maven" in checks["class path"]["found"]
