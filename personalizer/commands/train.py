"""``personalizer train`` and ``status``."""

from __future__ import annotations

from pathlib import Path

import click

from personalizer import output
from personalizer.commands.common import json_option, path_argument, until_interrupted

__all__ = ["status", "train"]

_FRESHNESS_EXIT = {"fresh": 0, "ageing": 3, "stale": 4, "none": 5}


@click.command()
@path_argument
@click.option("--method", help="Training method: lora or custom.")
@click.option("--base", help="Base model: starter, a folder, or a hub name.")
@click.option("--budget", help="Longest training time, such as 90s, 10m or 2h.")
@click.option("--limit", type=click.IntRange(min=1), help="Most pairs used.")
@click.option("--background", is_flag=True, help="Let the daemon train; return at once.")
@click.option("--dry-run", is_flag=True, help="Say what would be trained, and how long it takes.")
@click.option("--progress", is_flag=True, hidden=True, help="Progress as JSON lines on stderr.")
@json_option
def train(
    path: Path,
    method: str | None,
    base: str | None,
    budget: str | None,
    limit: int | None,
    background: bool,
    dry_run: bool,
    progress: bool,
    as_json: bool,
) -> None:
    """Trains an adapter on the project's pairs; it serves if the gate lets it."""
    from indexer import Workspace
    from personalizer import settings

    root = Workspace(path).root
    flags = {"method": method, "base": base, "budget": budget}
    resolved = settings.load(root, flags)
    for line in resolved.ignored:
        output.remark(line)
    if background:
        from personalizer.daemon.client import connect
        from personalizer.daemon.protocol import TrainRequest

        with connect() as client:
            job = client.train(TrainRequest(str(root), method, base, budget, limit))
        output.show("job", output.as_dict(job), as_json)
        return
    output.quiet_libraries()
    from personalizer.training import project

    if dry_run:
        with output.working("Measuring"):
            result = project.plan(root, resolved.settings, limit=limit)
        output.show("plan", result, as_json)
        return
    with output.training_progress(as_json_lines=progress) as report:
        result = project.train_project(
            root, resolved.settings, limit=limit, report=until_interrupted(report)
        )
    output.show("train", result, as_json)


@click.command()
@path_argument
@click.option("--check", is_flag=True, help="Exit 0 fresh, 3 ageing, 4 stale, 5 none.")
@click.option("--web", is_flag=True, help="Open the status view in a browser; prints its address.")
@json_option
def status(path: Path, check: bool, web: bool, as_json: bool) -> None:
    """Says which adapter serves and how fresh it is."""
    if web:
        from indexer import Workspace
        from personalizer.daemon.client import connect

        with connect() as client:
            url = client.view(str(Workspace(path).root))
        output.show("view", {"url": url}, as_json)
        if not as_json:
            click.launch(url)
        return
    from personalizer import freshness
    from personalizer.daemon import describe, newest_job

    result = freshness.status(path)
    result |= {"job": newest_job(path.resolve()), "daemon": describe()}
    output.show("status", result, as_json)
    if check:
        raise SystemExit(_FRESHNESS_EXIT[result["freshness"]])
