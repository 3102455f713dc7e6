"""``personalizer train`` and ``status``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from personalizer import output, progress
from personalizer.commands.common import (
    going_on,
    hinting_at_the_project_around,
    in_background,
    json_option,
    path_argument,
    progress_option,
    say_what_is_ignored,
    until_interrupted,
)
from personalizer.errors import PersonalizerError
from personalizer.models.quiet import quiet_libraries

__all__ = ["status", "train"]

_FRESHNESS_EXIT = {"fresh": 0, "ageing": 3, "stale": 4, "none": 5}


class _MethodOption(click.Option):
    """Its help lists the strategies, which are looked up when it is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from personalizer.training.strategies import STRATEGIES

        record = super().get_help_record(ctx)
        methods = "; ".join(f"{one.name}: {one.trains}" for one in STRATEGIES.values())
        chosen = "auto: chosen from pairs, base, memory and time, and it says why"
        return record and (record[0], f"{record[1]} {methods}; {chosen}.")


@click.command()
@path_argument
@click.option(
    "--method",
    cls=_MethodOption,
    help="Training method; with --dry-run, all forecasts each of them.",
)
@click.option("--base", help="Base model: starter, a folder, or a hub name.")
@click.option("--budget", help="Longest training time, such as 90s, 10m or 2h.")
@click.option("--limit", type=click.IntRange(min=1), help="Most pairs used.")
@click.option("--config", type=click.Path(path_type=Path), help="TOML file of training settings.")
@click.option("--preset", help="A paper's own settings: weyssow2024 or zlotchevski2022.")
@click.option("--warm", is_flag=True, help="Train on from the adapter that serves, with replay.")
@click.option(
    "--trust", is_flag=True, help="Let this project be built and its tests run, to judge by."
)
@click.option("--background", is_flag=True, help="Let the daemon train; return at once.")
@click.option("--dry-run", is_flag=True, help="Say what would be trained, and what it would take.")
@progress_option
@json_option
def train(
    path: Path,
    method: str | None,
    base: str | None,
    budget: str | None,
    limit: int | None,
    config: Path | None,
    preset: str | None,
    warm: bool,
    trust: bool,
    background: bool,
    dry_run: bool,
    as_json_lines: bool,
    as_json: bool,
) -> None:
    """Trains an adapter on the project's pairs; it serves if the gate lets it."""
    from indexer import Workspace
    from personalizer import settings

    root = Workspace(path).root
    if method == "all":
        if not dry_run:
            raise click.UsageError("--method all goes with --dry-run only: choose one to train")
        if warm:
            raise click.UsageError("--warm does not go with --method all: an adapter has one")
        from personalizer.training import comparison

        say_what_is_ignored(settings.load(root))
        given = {"base": base, "budget": budget, "limit": limit, "config": config}
        given["preset"] = preset
        with progress.working("Measuring every method"):
            table = comparison.forecasts(root, given)
        output.show("forecasts", table, as_json)
        return
    flags = {"method": method, "base": base, "budget": budget, "warm_start": warm or None}
    resolved = settings.load(root, flags, hyperparameters=config)
    if preset is not None:
        from personalizer.training.presets import preset_named

        papers = preset_named(preset).settings(resolved.settings.method)
        resolved = settings.load(root, flags, hyperparameters=config, preset=papers)
    say_what_is_ignored(resolved)
    if background and not dry_run:  # a forecast is made here and now
        from personalizer.daemon.protocol import TrainRequest

        file = None if config is None else str(config.resolve())
        request = TrainRequest(
            str(root), method, base, budget, limit, preset, file, warm=warm, trusted=trust
        )
        in_background(request, as_json)
        return
    quiet_libraries()
    from personalizer.training import project

    if dry_run:
        with hinting_at_the_project_around(path), progress.working("Measuring"):
            plan = project.plan(root, resolved.settings, limit=limit)
        output.show("plan", plan, as_json)
        return
    with (
        hinting_at_the_project_around(path),
        going_on(),
        progress.training_progress(as_json_lines=as_json_lines) as report,
    ):
        result = project.train_project(
            root,
            resolved.settings,
            limit=limit,
            trusted=trust,
            report=until_interrupted(report),
        )
    if result is not None:
        output.show("train", result, as_json)


@click.command()
@path_argument
@click.option("--check", is_flag=True, help="Exit 0 fresh, 3 ageing, 4 stale, 5 none.")
@click.option("--web", is_flag=True, help="Open the status view in a browser; prints its address.")
@json_option
def status(path: Path, check: bool, web: bool, as_json: bool) -> None:
    """Says which adapter serves and how fresh it is."""
    if web and check:
        raise click.UsageError("--check does not go with --web: leave one of them out")
    if web:
        from indexer import Workspace
        from personalizer.daemon.client import connect

        with connect() as client:
            url = client.view(str(Workspace(path).root))
        output.show("view", {"url": url}, as_json)
        if not as_json:
            from personalizer.browsing import open_in_browser

            open_in_browser(url)
        return
    from personalizer import freshness
    from personalizer.daemon.automatic import known_of
    from personalizer.daemon.client import describe

    found = replace(known_of(path.resolve(), freshness.status(path)), daemon=describe())
    if (due := found.retraining) and due.mode == "on":
        if found.daemon["running"]:
            _leave_to_daemon(path)
        else:
            found = replace(found, retraining=replace(due, waits_for="the daemon"))
    output.show("status", found, as_json)
    if check:
        raise SystemExit(_FRESHNESS_EXIT[found.freshness])


def _leave_to_daemon(path: Path) -> None:
    """Lets the daemon know of a training that is due: it begins only what it has seen itself."""
    from indexer import Workspace
    from personalizer.daemon.client import connect

    with suppress(PersonalizerError):
        connect(start=False).status(str(Workspace(path).root))
