"""APPS: programs that are run on inputs, and how many of them give the outputs that are wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from personalizer.errors import BadInput
from personalizer.evaluation.metrics import any_of_first, average_passed, pass_at_k
from personalizer.evaluation.tasks.instructions import Instruction, load_instructions
from personalizer.evaluation.tasks.programs import cannot_run, passed_cases

__all__ = ["judged", "run_references"]


def judged(tasks: Sequence[Instruction], programs: Sequence[Sequence[str]]) -> dict[str, Any]:
    """What running each task's programs on its tests says, as in W24's Table 4.

    Args:
        tasks: Those with tests count.
        programs: As many texts for each task.

    Returns:
        ``average_passed``, the mean share of its tests that a program passes; ``pass@k`` (unbiased)
        and ``any@k`` (one of the first k) of programs that pass all of theirs; ``average_passed``
        by ``levels``; ``tested`` tasks; or ``not_run`` and why.
    """
    reason = cannot_run("python")
    if reason is not None:
        return {"not_run": reason}
    tested = [one for one in zip(tasks, programs, strict=True) if one[0].tests and one[1]]
    if not tested:
        return {"not_run": "no task has tests"}
    passed = [
        (one.level, [passed_cases(text, one.tests, called=one.called) for text in texts])
        for one, texts in tested
    ]
    counts = range(1, min(len(texts) for _, texts in tested) + 1)
    whole = [[all(each) for each in ran] for _, ran in passed]
    levels: dict[str, list[list[bool]]] = {}
    for level, ran in passed:
        levels.setdefault(level, []).extend(ran)
    return {
        "tested": len(tested),
        "average_passed": average_passed([each for _, ran in passed for each in ran]),
        **{f"pass@{k}": _mean([pass_at_k(len(o), sum(o), k) for o in whole]) for k in counts},
        **{f"any@{k}": _mean([any_of_first(o, k) for o in whole]) for k in counts},
        "levels": {level: average_passed(ran) for level, ran in levels.items() if level},
    }


def run_references(
    folder: Path,
    *,
    broken: bool = False,
    limit: int | None = None,
    report: Callable[[int, int], None] = lambda done, all_: None,
) -> dict[str, Any]:
    """Runs the published solutions of the test split, which must pass, or broken ones.

    Args:
        folder: With a file for each split.
        broken: Run programs that cannot pass instead.
        limit: Most problems, from the first on.
        report: Told of problems done and of all.

    Returns:
        ``problems``, ``passed``, ``without_reference`` and ``failed`` problems.

    Raises:
        BadInput: If the file is missing or of another shape, or programs cannot be run here.
    """
    tasks = load_instructions("apps", folder, "test")[:limit]
    reason = cannot_run("python")
    if reason is not None:
        raise BadInput(f"programs are not run here: {reason}")
    known = [one for one in tasks if one.tests and one.answer]
    failed = []
    for number, one in enumerate(known, 1):
        text = "raise ValueError\n" if broken else one.answer
        if not all(passed_cases(text, one.tests, called=one.called)):
            failed.append(one.id)
        report(number, len(known))
    return {
        "task": "apps",
        "solutions": "broken" if broken else "reference",
        "problems": len(known),
        "without_reference": [one.id for one in tasks if one not in known],
        "passed": len(known) - len(failed),
        "failed": failed,
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
