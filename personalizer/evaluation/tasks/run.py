"""``personalizer evaluate --tasks``: pass@k of completions, or of the reference solutions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from personalizer.errors import BadInput
from personalizer.evaluation.decoding import sampled_texts
from personalizer.evaluation.metrics import any_of_first, pass_at_k
from personalizer.evaluation.tasks.problems import Problem, completed, load_problems
from personalizer.evaluation.tasks.programs import cannot_run, run_program
from personalizer.models import LoadedBase, load_base
from personalizer.settings import Settings

__all__ = ["Solutions", "run_problems"]

Solutions = Literal["model", "reference", "broken"]
"""Whose programs are run: a model's, the published ones, or ones that cannot pass."""

_BROKEN = {
    "java": "        throw new IllegalStateException();\n    }\n}",
    "python": "    raise ValueError\n",
}


@dataclass(frozen=True)
class _Prompt:
    prompt: list[int]


def run_problems(
    name: str,
    folder: Path,
    settings: Settings,
    *,
    solutions: Solutions = "model",
    samples: int = 5,
    limit: int | None = None,
    report: Callable[[int, int], None] = lambda done, all_: None,
) -> dict[str, Any]:
    """Runs a benchmark's programs, each in its own sandbox.

    Args:
        name: ``humaneval``, ``humaneval-x-java`` or ``mbjp``.
        folder: Of its data file.
        settings: For the base model, the seed and the lengths.
        solutions: Whose programs are run.
        samples: Programs a problem, where a model writes them.
        limit: Most problems, from the first on.
        report: Told of problems done and of all.

    Returns:
        ``problems``, ``without_reference``, ``pass@k`` (unbiased) and ``any@k`` (one of the first
        k, W24's words) for k up to ``samples``, ``failed`` with the reason by problem.

    Raises:
        BadInput: If the file is missing or of another shape, or programs cannot be run here.
    """
    problems = load_problems(name, folder)[:limit]
    reason = cannot_run(problems[0].language)
    if reason is not None:
        raise BadInput(f"programs that a model wrote are not run here: {reason}")
    begun = time.perf_counter()
    without = [p.id for p in problems if p.solution is None]
    asked: list[tuple[Problem, tuple[str, ...]]]
    if solutions == "reference":
        asked = [(p, (p.solution,)) for p in problems if p.solution is not None]
    elif solutions == "broken":
        asked = [(p, (_BROKEN[p.language],)) for p in problems]
    else:
        base = load_base(settings.base)
        texts = _written(base, problems, settings, samples)
        asked = [
            (p, tuple(completed(p, t) for t in ts)) for p, ts in zip(problems, texts, strict=True)
        ]
    passed: dict[str, list[bool]] = {}
    failed: dict[str, str] = {}
    for problem, programs in asked:
        ran = [run_program(problem, program) for program in programs]
        passed[problem.id] = [one.passed for one in ran]
        if not any(one.passed for one in ran):
            failed[problem.id] = ran[0].why
        report(len(passed), len(asked))
    counts = range(1, (samples if solutions == "model" else 1) + 1)
    return {
        "task": name,
        "solutions": solutions,
        "base": settings.base if solutions == "model" else None,
        "problems": len(passed),
        "without_reference": without,
        "samples": len(counts),
        "pass": {
            f"pass@{k}": _mean([pass_at_k(len(p), sum(p), k) for p in passed.values()])
            for k in counts
        },
        "any": {f"any@{k}": _mean([any_of_first(p, k) for p in passed.values()]) for k in counts},
        "failed": failed,
        "seconds": round(time.perf_counter() - begun, 1),
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 6) if values else 0.0


def _written(
    base: LoadedBase, problems: Sequence[Problem], settings: Settings, samples: int
) -> list[tuple[str, ...]]:
    """Continuations of the bare prompts; of a long prompt the end, which holds the signature."""
    room = base.context - settings.target_tokens
    prompts = [
        _Prompt(base.tokenizer.encode(p.prompt, add_special_tokens=False)[-room:]) for p in problems
    ]
    return sampled_texts(
        base.model,
        base,
        prompts,
        count=samples,
        seed=settings.seed,
        max_tokens=settings.target_tokens,
    )
