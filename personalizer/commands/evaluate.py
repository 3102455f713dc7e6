"""``personalizer evaluate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from personalizer import output, progress
from personalizer.commands.common import (
    going_on,
    in_background,
    interrupted,
    json_option,
    progress_option,
    project_here,
    say_what_is_ignored,
)
from personalizer.commands.tasks import TASKS, Asked, run_tasks
from personalizer.models.quiet import quiet_libraries

if TYPE_CHECKING:
    from personalizer.daemon.protocol import EvaluateRequest

__all__ = ["evaluate"]


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--methods",
    default="base,rag,lora,custom",
    show_default=True,
    help="Compared: base, icl, rag, any training method, a method with +rag or +icl.",
)
@click.option("--folds", default=4, show_default=True, type=click.IntRange(min=2))
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Most pairs used of each project; with --tasks, problems.",
)
@click.option(
    "--budget", default="90s", show_default=True, help="Longest time of one training, as 90s, 10m."
)
@click.option(
    "--context",
    default="editor",
    show_default=True,
    type=click.Choice(["focal", "editor"]),
    help="Prompts show the focal class alone, or the test class too.",
)
@click.option("--level", help="How much of the focal class is shown: fm, fm_fc, … fm_fc_ms_ff.")
@click.option(
    "--generated",
    default=16,
    show_default=True,
    type=click.IntRange(min=1),
    help="Most tests written for each method and fold; losses use every held-out pair.",
)
@click.option(
    "--beams",
    default=5,
    show_default=True,
    type=click.IntRange(min=0),
    help="Tests of a beam search among which a match counts; 0 searches none.",
)
@click.option(
    "--plain",
    is_flag=True,
    help="Decode tests as the papers do: nothing holds them to what parses and compiles.",
)
@click.option(
    "--examples",
    default=16,
    show_default=True,
    type=click.IntRange(min=1),
    help="Most pairs that icl and rag show; as many as fit.",
)
@click.option("--curve", is_flag=True, help="Train on shares of the pairs too: the learning curve.")
@click.option(
    "--test-set",
    type=click.Path(path_type=Path),
    help="JSON lines of held-out tests instead of folds, as `personalizer pairs --json` prints.",
)
@click.option("--no-run", is_flag=True, help="Compile and run no generated test.")
@click.option("--trust", is_flag=True, help="Let the projects be built, and tests be run.")
@click.option(
    "--tasks",
    type=click.Choice(TASKS),
    help="A public benchmark instead of projects, from --data.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder with the benchmark's files.",
)
@click.option(
    "--solutions",
    default="model",
    show_default=True,
    type=click.Choice(["model", "reference", "broken"]),
    help="With --tasks: whose programs are run; the last two check the judge.",
)
@click.option(
    "--samples",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="With --tasks: programs for each problem.",
)
@click.option("--base", help="Base model: starter, a folder, or a hub name.")
@click.option("--config", type=click.Path(path_type=Path), help="A file of training settings.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the report to FILE.html.")
@click.option("--background", is_flag=True, help="Let the daemon evaluate; return at once.")
@progress_option
@json_option
def evaluate(
    paths: tuple[Path, ...],
    methods: str,
    folds: int,
    limit: int | None,
    budget: str,
    context: str,
    level: str | None,
    generated: int,
    beams: int,
    plain: bool,
    examples: int,
    curve: bool,
    test_set: Path | None,
    no_run: bool,
    trust: bool,
    tasks: str | None,
    data: Path | None,
    solutions: str,
    samples: int,
    base: str | None,
    config: Path | None,
    report: Path | None,
    background: bool,
    as_json_lines: bool,
    as_json: bool,
) -> None:
    """Says whether personalising is worth it, by which method, at what cost.

    Trains and compares methods by cross-validation on the pairs of one or more projects. What was
    computed once is kept; an evaluation that was interrupted or killed goes on where it was.
    """
    from indexer import Workspace
    from personalizer import settings as settings_module

    if tasks is not None:
        if data is None or paths or background:
            raise click.UsageError("--tasks needs --data FOLDER, no PATH and no --background")
        chosen = settings_module.load(
            None, {"base": base, "budget": budget}, hyperparameters=config
        ).settings
        asked = Asked(solutions, methods.split(","), examples, beams, samples, limit)
        output.show("tasks", run_tasks(tasks, data, chosen, asked), as_json)
        return
    if solutions != "model":
        raise click.UsageError("--solutions needs --tasks")
    roots = list(dict.fromkeys(Workspace(path).root for path in paths or (project_here(),)))
    if background:
        given: dict[str, Any] = {"base": base, "budget": budget, "limit": limit}
        given |= {"config": config and str(config.resolve()), "trusted": trust}
        compared = {"methods": methods, "folds": folds, "generated": generated, "beams": beams}
        compared |= {"report": report and str(report.resolve())}
        in_background(_request(roots, given, compared), as_json)
        return
    flags = {"budget": budget, "base": base, "context_level": level}
    resolved = settings_module.load(
        roots[0] if len(roots) == 1 else None, flags, hyperparameters=config
    )
    say_what_is_ignored(resolved)
    quiet_libraries()
    from personalizer.evaluation.evaluate import Plan
    from personalizer.evaluation.evaluate import evaluate as run
    from personalizer.evaluation.experiment import Step
    from personalizer.evaluation.methods import names_in
    from personalizer.evaluation.report import markdown, render
    from personalizer.models import base_folder

    if not names_in(methods):
        raise click.UsageError("--methods names no method")
    base_folder(resolved.settings.base)  # wrong for one cell, wrong for all
    if report is not None:
        output.check_writable(report)

    def told(step: Step) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        tell = progress.cell_json if as_json_lines else progress.cell_line
        tell(step.done, step.cells, step.what, step.seconds_left)

    plan = Plan(
        methods=names_in(methods),
        folds=folds,
        limit=limit,
        with_test_class=context == "editor",
        generated=generated,
        beams=beams,
        as_served=not plain,
        examples=examples,
        curve=curve,
        test_set=test_set,
        run=not no_run,
        trusted=trust,
    )
    with going_on():
        result = run(roots, resolved.settings, plan, report=told)
    try:
        if report is not None:
            made_by = "personalizer " + " ".join(sys.argv[1:])
            output.write_text(report, render(result, made_by=made_by))
            result["report"] = str(report)
    finally:  # the answer took long: it is printed, whatever becomes of the page
        if not as_json:
            result["markdown"] = markdown(result)
        output.show("evaluate", result, as_json)


def _request(roots: list[Path], given: dict[str, Any], compared: dict[str, Any]) -> EvaluateRequest:
    """What the daemon is asked for.

    Raises:
        UsageError: If it cannot take all that is asked for.
    """
    from personalizer.daemon.protocol import EvaluateRequest, Evaluation

    context = click.get_current_context()
    source = context.get_parameter_source
    asked = {name for name in context.params if source(name) is ParameterSource.COMMANDLINE}
    others = sorted(asked - {*given, *compared, "paths", "trust", "background", "as_json"})
    if others or len(roots) > 1:
        what = others[0].replace("_", "-") if others else "several projects"
        raise click.UsageError(f"--background does not go with {what}")
    return EvaluateRequest(str(roots[0]), Evaluation(**compared), **given)
