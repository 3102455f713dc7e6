"""What the checkpoints of a run say: how far it is, how long it ran, whether and why it ended."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import msgspec
from transformers import TrainerState
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from personalizer.storage import file_digest, write_atomically
from personalizer.training.hyperparameters import Hyperparameters

__all__ = [
    "BUDGET",
    "checkpoint_of",
    "checkpoints_in",
    "history_of",
    "last_whole",
    "seal",
    "seconds_of",
    "state_of",
    "step_of",
    "why_ended",
]

BUDGET = "budget"
"""Key of each row of a run's history: the budget that was asked for by then, in seconds."""
_SEAL = "sealed.json"


def checkpoint_of(run: Path, step: int) -> Path:
    """The folder in which the Trainer keeps a run's checkpoint of a step."""
    return run / f"{PREFIX_CHECKPOINT_DIR}-{step}"


def checkpoints_in(run: Path) -> list[Path]:
    """The checkpoints of a run, the first step first."""
    return sorted(run.glob(f"{PREFIX_CHECKPOINT_DIR}-*"), key=step_of)


def step_of(checkpoint: Path) -> int:
    """After which step a checkpoint was written.

    Example:
        >>> step_of(checkpoint_of(Path("run"), 12))
        12
    """
    return int(checkpoint.name.removeprefix(f"{PREFIX_CHECKPOINT_DIR}-"))


def seal(checkpoint: Path) -> None:
    """Notes what a checkpoint holds, once it is written to its end.

    Raises:
        StorageError: If the disk is full or read-only.
    """
    write_atomically(checkpoint / _SEAL, msgspec.json.encode(_digests(checkpoint)))


def last_whole(checkpoints: Path) -> Path | None:
    """The newest checkpoint that is as it was sealed, and the best of its run with it.

    Those after it are deleted: what a lost process or machine has left of them.
    """
    for folder in reversed(checkpoints_in(checkpoints)):
        if _is_whole(folder):
            best = state_of(folder).best_model_checkpoint
            if best is None or _is_whole(checkpoints / Path(best).name):
                return folder
        shutil.rmtree(folder, ignore_errors=True)
    return None


def state_of(checkpoint: Path) -> TrainerState:
    """How far a run was when its checkpoint was written."""
    return TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))


def _is_whole(checkpoint: Path) -> bool:
    try:
        sealed = msgspec.json.decode((checkpoint / _SEAL).read_bytes(), type=dict[str, str])
        return _digests(checkpoint) == sealed
    except (OSError, ValueError):
        return False


def _digests(checkpoint: Path) -> dict[str, str]:
    """Of each file of a checkpoint but the seal."""
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    return {str(p.relative_to(checkpoint)): file_digest(p) for p in files if p.name != _SEAL}


def seconds_of(state: TrainerState | None) -> float:
    rows = [] if state is None else state.log_history
    return max((row["seconds"] for row in rows if "seconds" in row), default=0.0)


def why_ended(state: TrainerState, hyper: Hyperparameters, examples: int) -> str | None:
    """Why a run had come to its end when this was saved; None where it had not.

    What a budget ended has not, once a larger one is asked for.

    Returns:
        ``epochs``, ``steps``, ``patience`` or ``budget``.
    """
    if state.global_step >= hyper.steps(examples):
        whole = hyper.epochs * hyper.steps_an_epoch(examples)
        return "epochs" if state.global_step >= whole else "steps"
    if not state.stateful_callbacks["TrainerControl"]["args"]["should_training_stop"]:
        return None
    stopping = state.stateful_callbacks["EarlyStoppingCallback"]["attributes"]
    if stopping["early_stopping_patience_counter"] >= hyper.patience:
        return "patience"
    return "budget" if hyper.budget_asked <= state.log_history[-1][BUDGET] else None


def history_of(state: TrainerState) -> tuple[dict[str, float], ...]:
    """One row an evaluation whose losses are numbers."""
    losses = {row["step"]: row["loss"] for row in state.log_history if "loss" in row}
    rows = (
        {
            "step": float(row["step"]),
            "validation_loss": row["eval_loss"],
            "loss": losses[row["step"]],
        }
        for row in state.log_history
        if "eval_loss" in row
    )
    return tuple(row for row in rows if all(map(math.isfinite, row.values())))
