"""What a job must be before it is queued: what cannot be is refused at once. Free of torch."""

from __future__ import annotations

from pathlib import Path

from personalizer import settings
from personalizer.daemon.endpoint import folder_of
from personalizer.daemon.protocol import Evaluation, JobRequest, MeasureRequest, TrainRequest
from personalizer.errors import BadInput
from personalizer.models import base_folder

__all__ = ["check"]


def check(request: JobRequest) -> None:
    """Looks at all that was asked for, as the job itself will.

    Raises:
        BadInput: If the workspace or the report is no absolute path, no method is named, or a
            number is out of bounds.
        NotAFolder: If there is no such folder.
        SettingsError: If there is no such method or preset, or a setting cannot be.
        BaseModelError: If the base model is not on this machine.
    """
    root = folder_of(request.workspace)
    if isinstance(request, MeasureRequest):
        return
    flags = {"base": request.base, "budget": request.budget}
    if isinstance(request, TrainRequest):
        flags |= {"method": request.method}
    file = None if request.config is None else Path(request.config)
    chosen = settings.load(root, flags, hyperparameters=file).settings
    _at_least(1, "limit", request.limit)
    if isinstance(request, TrainRequest):
        _check_method(chosen.method, request.preset)
    else:
        _check_comparison(request.evaluate)
    base_folder(chosen.base)


def _check_comparison(wish: Evaluation) -> None:
    from personalizer.evaluation.methods import methods_named, names_in  # loads numpy
    from personalizer.training.strategies import STRATEGIES

    names = names_in(wish.methods or "")
    if wish.methods is not None and not names:
        raise BadInput(f"expected methods to name one, got {wish.methods!r}")
    methods_named(names, STRATEGIES)
    if wish.report is not None and not Path(wish.report).is_absolute():
        raise BadInput(f"expected report to be an absolute path, got {wish.report}")
    _at_least(2, "folds", wish.folds)
    _at_least(1, "generated", wish.generated)
    _at_least(0, "beams", wish.beams)


def _check_method(method: str, preset: str | None) -> None:
    from personalizer.training.presets import preset_named
    from personalizer.training.strategies import AUTO, strategy_named

    if method != AUTO:
        strategy_named(method)
    if preset is not None:
        preset_named(preset)


def _at_least(least: int, name: str, value: int | None) -> None:
    if value is not None and value < least:
        raise BadInput(f"expected {name} to be at least {least}, got {value}")
