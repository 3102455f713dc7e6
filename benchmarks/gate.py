"""How many of 200 ties between base and adapter the gate's interval lets through; 5 are right.

    python benchmarks/gate.py

Beside it, the percentile bootstrap over methods that it replaced. ``sizes`` is how many pairs a
method has: one each, a geometric number, or one method with fifteen times the others' pairs.
"""

from __future__ import annotations

import json

import numpy as np

from personalizer.gate import _interval

METHODS = (3, 6, 10, 20)
TRIALS = 1000


def main() -> None:
    rows = []
    print(f"{'sizes':10} {'methods':>7} {'bootstrap':>10} {'gate':>6}")
    for sizes in ("one", "geometric", "one large"):
        for methods in METHODS:
            dice = np.random.default_rng(0)
            found = np.mean([trial(dice, sizes, methods) for _ in range(TRIALS)], 0) * 200
            rows.append({"sizes": sizes, "methods": methods})
            rows[-1] |= {"bootstrap": round(found[0], 1), "gate": round(found[1], 1)}
            print(f"{sizes:10} {methods:7} {found[0]:10.1f} {found[1]:6.1f}")
    print(json.dumps(rows))


def trial(dice: np.random.Generator, sizes: str, methods: int) -> tuple[bool, bool]:
    """One tie: whether the bootstrap's and the gate's interval lie above zero."""
    counts = np.ones(methods, int)
    if sizes == "geometric":
        counts = dice.geometric(0.3, methods)
    elif sizes == "one large":
        counts = np.where(np.arange(methods) == 0, 30, 2)
    groups = np.repeat(np.arange(methods), counts)
    gains = dice.normal(0, 1, methods)[groups] + dice.normal(0, 0.3, len(groups))
    draws = dice.integers(0, methods, (400, methods))
    means = np.bincount(groups, gains)[draws].sum(1) / counts[draws].sum(1)
    return bool(np.quantile(means, 0.025) > 0), _interval(gains, groups.tolist())[0] > 0


if __name__ == "__main__":
    main()
