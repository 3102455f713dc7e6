"""``personalizer models``: base models that are known."""

from __future__ import annotations

import click

from personalizer import output
from personalizer.commands.common import json_option

__all__ = ["models"]


@click.group()
def models() -> None:
    """Lists base models; `pull` is the only command that downloads."""


@models.command("list")
@json_option
def models_list(as_json: bool) -> None:
    """Known base models: size, licence, what is here and what fits this machine."""
    from personalizer.models import catalogue

    output.show_lines("models", catalogue.listing(), as_json)


@models.command("pull")
@click.argument("name")
@json_option
def models_pull(name: str, as_json: bool) -> None:
    """Downloads a base model from the hub."""
    from personalizer.models import catalogue

    output.show("pulled", {"name": name, "folder": str(catalogue.pull(name))}, as_json)
