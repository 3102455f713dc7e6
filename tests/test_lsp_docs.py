"""docs/editors.md says what the server does."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

from lsp_server import settings
from lsp_server.server import create
from personalizer.limits import MOST_CANDIDATES
from tests.fake_daemon import FakeDaemon, Scenario

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs" / "editors.md").read_text()


def all_settings() -> Iterator[tuple[str, object, str]]:
    """Name, default and meaning of each setting, from its definition."""
    for group in dataclasses.fields(settings.Settings):
        kind = type(getattr(settings.Settings(), group.name))
        docs = _docs(kind)
        for one in dataclasses.fields(kind):
            name = f"{settings.camel(group.name)}.{settings.camel(one.name)}"
            yield name, one.default, docs[one.name]


def _docs(kind: type) -> dict[str, str]:
    [body] = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, doc in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = " ".join(str(ast.literal_eval(doc.value)).split())
    return found


def test_the_table_of_settings_is_that_of_the_code():
    table = DOCS.partition("| setting |")[2].partition("\n\n")[0]
    rows = [f"| `{n}` | `{json.dumps(default)}` | {doc} |" for n, default, doc in all_settings()]
    assert table.splitlines()[2:] == rows


def test_vs_code_has_the_same_settings_with_the_same_defaults():
    manifest = json.loads((ROOT / "vscode-extension" / "package.json").read_text())
    declared = manifest["contributes"]["configuration"]["properties"]
    for name, default, doc in all_settings():
        if name == "workspace.trusted":
            continue  # VS Code knows it better: Workspace Trust
        one = declared.pop(f"personalizer.{name}")
        assert one["default"] == default
        if name == "generateTest.candidates":
            assert one["maximum"] == MOST_CANDIDATES
        assert one["markdownDescription"].replace("`", "") == doc.replace("`", "")
    assert set(declared) == {"personalizer.command", "personalizer.interpreter"}


def test_every_command_is_listed():
    server = create(FakeDaemon(Scenario()).connect)
    listed = set(re.findall(r"^\| `(personalizer\.\w+)`", DOCS, re.MULTILINE))
    assert listed == set(server.protocol.fm.commands)
