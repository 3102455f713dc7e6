"""Numbers, times and long texts as people read them."""

from __future__ import annotations

import math

__all__ = [
    "OF_TODAY",
    "PHASES",
    "count",
    "duration",
    "how_far",
    "mutants_noticed",
    "shortened",
    "spoken_duration",
]

OF_TODAY = "expects what the code gives today"
"""Of a test whose values are what the code gave when it ran."""

PHASES = {
    "wait": "Waiting",
    "index": "Reading the project",
    "prepare": "Loading the base model",
    "judge": "Judging what training starts from on held-out pairs",
    "train": "Training",
    "gate": "Judging the adapter on held-out pairs",
    "evaluate": "Comparing methods",
}
"""What a training or an evaluation does, by its phase."""


def how_far(phase: str, step: int, steps: int) -> str:
    """What a training or an evaluation does, and how much of it is done.

    Example:
        >>> how_far("train", 30, 120), how_far("evaluate", 8, 28), how_far("index", 0, 0)
        ('Training, step 30 of 120', 'Comparing methods, 8 of 28', 'Reading the project')
    """
    unit = "step " if phase == "train" else ""
    return PHASES[phase] + (f", {unit}{step} of {steps}" if steps else "")


def count(number: int, noun: str) -> str:
    """A number with its noun.

    Example:
        >>> count(1, "pair"), count(1200, "pair"), count(2, "branch")
        ('1 pair', '1,200 pairs', '2 branches')
    """
    plural = "es" if noun.endswith("ch") else "s"
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def duration(seconds: float) -> str:
    """Minutes and seconds, as 2:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def spoken_duration(seconds: float) -> str:
    """A time as people say it.

    Example:
        >>> spoken_duration(40.2), spoken_duration(192), spoken_duration(4800)
        ('41 s', '3 min 12 s', '1 h 20 min')
    """
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    return f"{minutes // 60} h {minutes % 60} min"


def mutants_noticed(killed: int, mutants: int, new: int | None) -> str:
    """How many mutants a test notices, and how many that no other test of its class does.

    Example:
        >>> mutants_noticed(3, 7, 2), mutants_noticed(1, 1, 0), mutants_noticed(3, 7, None)
        ('3 of 7 mutants (2 new)', '1 of 1 mutant (none new)', '3 of 7 mutants')
    """
    told = f"{killed} of {count(mutants, 'mutant')}"
    return told if new is None else f"{told} ({new or 'none'} new)"


def shortened(text: str, most: int, end: int = 0) -> str:
    """A text, or its beginning and its last characters where it is longer than allowed.

    Example:
        >>> shortened("abcdefgh", 8), shortened("abcdefghi", 8), shortened("abcdefghi", 8, 3)
        ('abcdefgh', 'abcdefg…', 'abcd…ghi')
    """
    if len(text) <= most:
        return text
    return f"{text[: most - end - 1]}…{text[len(text) - end :]}"
