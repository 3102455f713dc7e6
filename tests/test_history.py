"""The benchmark of an adapter's ageing, on a little repository with a history."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.java_project import project_files, write_project

ROOT = Path(__file__).resolve().parent.parent


def commit(root: Path, files: dict[str, str], message: str) -> str:
    """The project with these files as a commit; gives its name."""
    write_project(root, files)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for arguments in (("add", "-A"), (*who, "commit", "--quiet", "-m", message)):
        subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)
    named = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    return named.stdout.strip()


@pytest.mark.slow
def test_each_later_commit_gets_a_row(tiny_base, tmp_path, monkeypatch, capsys):
    root = tmp_path / "shapes"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    first = commit(root, project_files(classes=8, methods=4), "first")
    second = commit(root, {"README.md": "words"}, "words alone")
    third = commit(root, project_files(classes=9, methods=5), "more")
    (tmp_path / "quick.toml").write_text(
        "context_tokens = 1400\ntarget_tokens = 220\nlora_rank = 4\n"
    )
    monkeypatch.setenv("PERSONALIZER_CONFIG", str(tmp_path / "quick.toml"))
    spec = importlib.util.spec_from_file_location("history", ROOT / "benchmarks" / "history.py")
    history = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "history", history)
    spec.loader.exec_module(history)
    out = tmp_path / "rows.jsonl"
    commits = ["--at", first, "--then", second, third]
    quick = ["--base", str(tiny_base), "--epochs", "1", "--budget", "60s"]
    history.main([str(root / ".git"), *commits, *quick, "--out", str(out)])
    capsys.readouterr()
    words, more = (json.loads(line) for line in out.read_text().splitlines())
    assert (words["freshness"], words["commits_behind"]) == ("fresh", 1)
    assert "nothing to train on" in words["why_not"]
    assert (more["freshness"], more["commits_behind"]) == ("stale", 2)
    assert (more["pairs"]["unchanged"], more["pairs"]["new"]) == (32, 13)
    assert more["loss_on_new"]["pairs"] == 13
    assert 0 < more["warm"]["pairs"] <= more["scratch"]["pairs"]
    for name in ("warm", "scratch"):
        assert more[name]["new"]["pairs"] == more["warm"]["new"]["pairs"] > 0
        assert more[name]["old"]["gain"] is not None
    assert more["warm"]["old"]["parent"] == more["scratch"]["old"]["parent"]
