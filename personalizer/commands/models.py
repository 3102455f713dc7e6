"""``personalizer models``: base models that are known."""

from __future__ import annotations

from pathlib import Path

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

    output.show("models", {"models": catalogue.listing()}, as_json)


@models.command("pull")
@click.argument("name")
@json_option
def models_pull(name: str, as_json: bool) -> None:
    """Downloads a base model from the hub."""
    from personalizer.models import catalogue

    output.show("pulled", {"name": name, "folder": str(catalogue.pull(name))}, as_json)


@models.command("use")
@click.argument("name")
@json_option
def models_use(name: str, as_json: bool) -> None:
    """Makes a base model that lies here the one of new trainings, in the user's own settings."""
    from personalizer import settings
    from personalizer.models import STARTER, base_folder

    folder = base_folder(name)
    if name != STARTER and Path(name).expanduser().is_dir():
        name = str(folder)
    file = settings.remember("base", name)
    output.show("base", {"base": name, "file": str(file)}, as_json)
