"""Documents say what is: every command that they name exists, every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from personalizer.cli import personalizer

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/**/*.md")])


def command_of(words: list[str]) -> click.Command | None:
    found: click.Command | None = personalizer
    for word in words:
        if not isinstance(found, click.Group):
            break
        found = found.commands.get(word)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_command_that_a_page_names_exists(page):
    for line in re.findall(
        r"(?:`|^\s*\$? ?)personalizer ([a-z]+(?: [a-z]+)?)", page.read_text(), re.M
    ):
        words = line.split()
        assert command_of(words[:1]) is not None, f"{page.name}: personalizer {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_link_inside_the_project_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_test_that_the_architecture_names_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`(tests/\w+\.py)`", text))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_readme_lists_every_command():
    text = (ROOT / "README.md").read_text()
    missing = [
        name
        for name, command in personalizer.commands.items()
        if f"personalizer {name}" not in text and not command.hidden
    ]
    assert missing == []
