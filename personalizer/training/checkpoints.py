"""What the checkpoints of a run say: how far it is, how long it ran, whether and why it ended."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers import TrainerState

from personalizer.training.hyperparameters import Hyperparameters

__all__ = ["had_ended", "history_of", "last_whole", "seconds_of", "why_ended"]


def last_whole(checkpoints: Path) -> Path | None:
    """The newest checkpoint that was written to its end; parts of others are deleted."""
    folders = sorted(
        checkpoints.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])
    )
    for folder in reversed(folders):
        try:
            TrainerState.load_from_json(str(folder / "trainer_state.json"))
            return folder
        except (OSError, ValueError, TypeError):
            shutil.rmtree(folder, ignore_errors=True)
    return None


def seconds_of(state: TrainerState | None) -> float:
    rows = [] if state is None else state.log_history
    return max((row["seconds"] for row in rows if "seconds" in row), default=0.0)


def had_ended(state: TrainerState, steps: int) -> bool:
    """Whether a run had come to its end when this was saved: by patience, budget or steps."""
    control = state.stateful_callbacks.get("TrainerControl", {})
    return state.global_step >= steps or bool(control["args"]["should_training_stop"])


def why_ended(state: TrainerState, hyper: Hyperparameters, examples: int) -> str:
    """``epochs``, ``steps``, ``patience`` or ``budget``."""
    if state.global_step >= hyper.steps(examples):
        whole = hyper.epochs * hyper.steps_an_epoch(examples)
        return "epochs" if state.global_step >= whole else "steps"
    stopping = state.stateful_callbacks["EarlyStoppingCallback"]["attributes"]
    worse = stopping["early_stopping_patience_counter"]
    return "patience" if worse >= hyper.patience else "budget"


def history_of(state: TrainerState) -> tuple[dict[str, float], ...]:
    losses = {row["step"]: row["loss"] for row in state.log_history if "loss" in row}
    return tuple(
        {
            "step": float(row["step"]),
            "validation_loss": row["eval_loss"],
            "loss": losses[row["step"]],
        }
        for row in state.log_history
        if "eval_loss" in row
    )
