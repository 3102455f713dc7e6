"""Invariants of the whole: who reads, who imports what, who may download."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for package in ("indexer", "personalizer", "lsp_server")
    for path in (ROOT / package).rglob("*.py")
)
LIGHT = [
    "indexer",
    "lsp_server",
    "lsp_server.server",
    "personalizer",
    "personalizer.cli",
    "personalizer.freshness",
    "personalizer.adapters",
    "personalizer.daemon.app",
    "personalizer.daemon.client",
    "personalizer.daemon.protocol",
    "personalizer.engine",
    "personalizer.generation",
    "personalizer.models.sentences",
    "personalizer.settings",
    "personalizer.validation",
]


@pytest.mark.parametrize("module", LIGHT)
def test_importing_this_loads_no_torch(module):
    code = (
        f"import sys, {module}\n"
        "heavy = {'torch', 'transformers', 'peft', 'accelerate', 'sentence_transformers'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["generate Cart#shrink", "snippet Cart.java:9"])
def test_what_cannot_be_generated_is_refused_without_torch(tmp_path, command):
    (tmp_path / "Cart.java").write_text("class Cart { int grow(int a) { return a; } }")
    code = (
        "import sys\nsys.modules['torch'] = None\n"
        "from personalizer.cli import personalizer\n"
        f"personalizer.main({command.split()!r}, standalone_mode=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert "personalizer.errors.NoSuchMethod" in done.stderr


def test_the_language_server_loads_no_more_than_its_contract_allows():
    """The contract sees what a module imports, not what a package above it loads."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    name = "The language server knows only the daemon's client and protocol"
    (contract,) = [one for one in contracts["contracts"] if one["name"] == name]
    code = (
        "import sys, lsp_server.server, personalizer.daemon.client\n"
        "print(*(name for name in sys.modules if name.startswith('personalizer')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    loaded = done.stdout.split()
    assert "personalizer.daemon.protocol" in loaded
    assert [m for m in loaded if m.startswith(tuple(contract["forbidden_modules"]))] == []


def files_with(pattern: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if re.search(pattern, path.read_text())
    }


def test_only_the_workspace_walks_folders_of_source():
    assert files_with(r"os\.scandir|os\.walk") == {"indexer/workspace.py"}
    reading = {
        name
        for name in files_with(r"\bopen\(|FileIO\(|(?:open|read)_plain\(|read_bytes\(|read_text\(")
        if "indexer/" in name
    }
    assert reading == {"indexer/workspace.py", "indexer/plain_files.py"}


def test_every_module_is_on_the_map():
    """Those of ``commands/`` and ``features/`` are one a command and one a feature."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    modules = [
        path.relative_to(ROOT).as_posix()
        for package in ("indexer", "personalizer", "lsp_server")
        for path in (ROOT / package).rglob("*.py")
        if not path.name.startswith("__") and path.parent.name not in ("commands", "features")
    ]
    assert len(modules) > 150
    missing = [one for one in modules if not re.search(rf"[`/]{Path(one).name}`", text)]
    assert missing == []


def test_only_convert_reads_columns_in_an_editors_units():
    assert files_with(r"\.character\b") == {"lsp_server/convert.py"}


def test_hub_names_are_looked_up_on_this_machine_only():
    downloads = files_with(r"snapshot_download|hf_hub_download")
    assert downloads == {"personalizer/models/__init__.py", "personalizer/models/catalogue.py"}
    text = (ROOT / "personalizer/models/__init__.py").read_text()
    assert text.count("snapshot_download(") == text.count("local_files_only=True") == 1


def test_libraries_that_commands_load_cannot_reach_a_hub():
    code = (
        "from personalizer.models.quiet import quiet_libraries; quiet_libraries()\n"
        "import huggingface_hub.constants as hub, sys; sys.exit(not hub.HF_HUB_OFFLINE)"
    )
    told = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=told).returncode == 0


@pytest.mark.parametrize("package", ["indexer", "personalizer.prompts", "personalizer.engine"])
def test_everything_that_all_names_is_there(package):
    module = __import__(package, fromlist=["*"])
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert not missing
    assert module.__all__ == sorted(
        module.__all__, key=lambda n: (n.upper() != n, n[0].islower(), n)
    )


def test_every_error_stands_in_the_tree_that_its_module_draws():
    from personalizer import errors

    for name in errors.__all__:
        assert name in (errors.__doc__ or "")
