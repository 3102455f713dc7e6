"""How many generated tests parse, compile, pass and cover new lines, and where the time goes.

    python benchmarks/generation.py PROJECT [--class-path CP] [--adapter FOLDER] [--limit 40]

Over methods that are held out: of the adapter's gate side, then of its validation side; without
an adapter, of the sides that a training with the default settings would make. For each of base,
base with retrieval, adapter, adapter with retrieval, three figures come of the very same
candidates: as the model wrote them, with symbol repair, and with repair rounds after it. The best
candidate of each method counts, as it would be offered; a method without any counts as none.
``--without-monitor`` adds each condition without the monitor that holds the model to what can
compile; the table that compares the two is of ``as written``.

The project is shown without the held-out method's own tests: they are in no prompt, no baseline
of coverage and no retrieved example. The project is compiled and its tests are run, in the
sandbox: name only projects that you trust. Intervals are 95 % bootstraps over focal classes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from indexer import Index, Level, Snapshot, Where, Workspace
from personalizer import dataset
from personalizer.adapters import Adapter
from personalizer.adapters.manifest import read_manifest
from personalizer.engine import Completion
from personalizer.engine.local import LocalEngine
from personalizer.errors import PersonalizerError
from personalizer.evaluation.significance import interval
from personalizer.generation import Candidate, Retriever, Vectors, Writer
from personalizer.generation.asking import request_for, write_tests
from personalizer.generation.candidates import candidates_of
from personalizer.generation.checking import checked
from personalizer.generation.held_out import without_tests
from personalizer.generation.placing.best import edit_of_best
from personalizer.generation.ranking import ranked, worth
from personalizer.generation.rescue.amplifying import amplified
from personalizer.generation.rescue.further import noticing, varied
from personalizer.generation.rescue.rounds import begun, declared, mended, repaired
from personalizer.generation.site import Site
from personalizer.generation.validators import open_validator
from personalizer.models.quiet import quiet_libraries
from personalizer.prompts import Attempt
from personalizer.settings import BM25, Settings
from personalizer.validation import Validator

STAGES = (
    "as written",
    "symbols mended",
    "salvaged",
    "begun",
    "repair rounds",
    "varied",
    "noticing",
    "amplified",
)
FACTS = (
    "parses",
    "compiles",
    "passes",
    "calls it",
    "new lines",
    "new branches",
    "nothing left",
    "notices",
    "notices first",
    "mutation score",
)
MUTANTS = 20
"""Most mutants of a method that its best test is tried on."""
Seconds = defaultdict[str, float]
"""Of each step, by name."""


@dataclass(frozen=True)
class Row:
    """What became of the best candidate of one method, under one condition, at one stage."""

    method: str
    focal_class: str
    condition: str
    stage: str
    parses: bool = False
    compiles: bool | None = False
    passes: bool | None = False
    new_lines: int | None = 0
    new_branches: int | None = 0
    nothing_left: bool = False
    """It passes, adds nothing, and nothing of the method was left to add."""
    error: str | None = None
    """Why there is no candidate."""
    failure: str | None = None
    """What the compiler or the runner said first."""
    repaired: bool = False
    """By a repair round."""
    text: str = ""
    mutants: int = 0
    """Mutants of the method that it was tried on; 0 where it does not pass."""
    killed: int = 0
    """Those of them with which it fails."""
    new_killed: int = 0
    """Those of these with which no other test of its class fails."""

    @property
    def notices(self) -> bool:
        """Whether it looks at anything that the method does."""
        return self.killed > 0

    @property
    def notices_first(self) -> bool:
        """Whether it looks at anything that no other test of its class looks at."""
        return self.new_killed > 0

    @property
    def mutation_score(self) -> float:
        """Share of the mutants that it notices."""
        return self.killed / self.mutants if self.mutants else 0.0

    @property
    def calls_it(self) -> bool:
        """Whether it passes and its body names the method, or the class that is made."""
        name = self.method.rpartition("#")[2].partition("(")[0]
        _, _, body = re.sub(r"@\w+\([^)]*\)", "", self.text).partition("{")
        return bool(self.passes and re.search(rf"\b{name}\b", body))

    def fact(self, name: str) -> float:
        """1 or 0, or a share."""
        fact = getattr(self, name.replace(" ", "_"))
        return fact if isinstance(fact, float) else float(bool(fact))


@dataclass(frozen=True)
class HeldOut:
    """A focal method and the project without its own tests."""

    snapshot: Snapshot
    focal: Where
    retriever: Retriever
    """Chooses from the pairs of classes that are not held out."""


def main() -> None:
    args = arguments()
    quiet_libraries()
    settings = Settings(
        repair_rounds=args.rounds,
        retrieve=args.retrieve,
        retriever=args.retriever,
        class_path=args.class_path,
    )
    adapter = Adapter(args.adapter, read_manifest(args.adapter)) if args.adapter else None
    index = Index()
    snapshot = index.read(Workspace(args.project))
    focals, hidden = held_out(snapshot, settings, adapter, args.limit)
    writers = {"base": None, **({"adapter": adapter} if adapter else {})}
    retrieved = sorted({0, args.retrieve})
    holding = (False, True) if args.without_monitor else (True,)
    rows = kept(args.keep)
    done = {(row.method, row.condition) for row in rows}
    times: dict[str, Seconds] = {}
    reasons: Counter[str] = Counter()
    with (
        closing(LocalEngine(settings.threads)) as engine,
        closing(
            open_validator(args.project, snapshot, settings, run=True, trusted=True)
        ) as checker,
    ):
        embed = Vectors().by(settings.retriever, engine)
        for number, focal in enumerate(focals, 1):
            with without_tests(index, snapshot, focal) as shown:
                examples = [pair for pair in shown.pairs if pair.focal_class not in hidden]
                one = HeldOut(shown, focal, Retriever(shown, examples, embed))
                for (name, writer), shots, held in product(writers.items(), retrieved, holding):
                    condition = f"{name} + retrieval" if shots else name
                    condition += "" if held else ", no monitor"
                    method = focal.key
                    if (method, condition) in done:
                        continue
                    clock = times.setdefault(condition, defaultdict(float))
                    chosen = replace(settings, retrieve=shots)
                    work = partial(tested, one, writer, condition, args.n, chosen, held)
                    new = list(work(engine, checker, clock, reasons))
                    rows += new
                    keep(args.keep, new)
                    facts = [name for name in FACTS if new[-1].fact(name)]
                    told = f"{number}/{len(focals)} {condition} {method}: {', '.join(facts)}"
                    print(told, file=sys.stderr)
    show(args.project, rows, times, reasons)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--class-path", default="", help="instead of the build's own")
    parser.add_argument("--adapter", type=Path, help="folder of an adapter of this project")
    parser.add_argument("--limit", type=int, default=40, help="held-out methods")
    parser.add_argument("--retrieve", type=int, default=2, metavar="K", help="examples shown")
    parser.add_argument("--retriever", default=BM25, help="bm25, or a sentence-embedding model")
    parser.add_argument("--rounds", type=int, default=2, help="most repair rounds")
    parser.add_argument("--without-monitor", action="store_true", help="each way without it too")
    parser.add_argument("-n", type=int, default=5, help="candidates")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="goes on from these rows")
    return parser.parse_args()


# ---------------------------------------------------------------- held-out methods


def held_out(
    snapshot: Snapshot, settings: Settings, adapter: Adapter | None, limit: int
) -> tuple[list[Where], set[str]]:
    """Focal methods of the gate side, then of the validation side; and all classes of both."""
    if adapter is not None:
        used = adapter.trained().used
        classes = {side: [u.focal_class for u in used if u.side == side] for side in SIDES}
    else:
        parts = dataset.split(
            snapshot.pairs,
            validation_fraction=settings.validation_fraction,
            gate_fraction=settings.gate_fraction,
            seed=settings.seed,
        )
        classes = {side: [pair.focal_class for pair in parts[side]] for side in SIDES}
    found = []
    for side in SIDES:
        methods = {
            (pair.focal.path, pair.focal.method.key): pair.focal
            for pair in snapshot.pairs
            if pair.focal_class in set(classes[side])
        }
        found += [methods[key] for key in sorted(methods)]
    return found[:limit], {name for side in SIDES for name in classes[side]}


SIDES: tuple[dataset.Side, ...] = ("gate", "validation")


# ---------------------------------------------------------------- one method, one condition


def tested(
    one: HeldOut,
    adapter: Adapter | None,
    condition: str,
    count: int,
    settings: Settings,
    held: bool,
    engine: LocalEngine,
    validator: Validator,
    clock: Seconds,
    reasons: Counter[str],
) -> Iterator[Row]:
    """A row a stage; ``held``: to names, arguments and types that are there."""
    focal = one.focal
    site = Site(one.snapshot, focal.path, focal.method)
    row = Row(focal.key, f"{focal.path}#{focal.method.owner}", condition, "")
    examples = one.retriever.nearest(focal, settings.retrieve)
    writer = Writer.of(adapter, settings.base)
    asked = partial(
        request_for,
        writer=writer,
        settings=settings,
        declared=site.declarations if held else None,
    )
    level = writer.level or Level(settings.context_level)

    def run(
        candidates: Sequence[Candidate], anyway: bool = False, mutants: int = settings.mutants
    ) -> Sequence[Candidate]:
        found = checked(candidates, site, validator, anyway=anyway, mutants=mutants)
        reasons.update({one.not_run for one in found if one.not_run and one.passes is None})
        return found

    @cache
    def noticed(first: Candidate) -> Candidate:
        (tried,) = run([first], mutants=MUTANTS)
        return tried

    def best(stage: str, candidates: Sequence[Candidate]) -> Row:
        found = best_of(replace(row, stage=stage), candidates)
        if not found.passes:
            return found
        tried = noticed(candidates[0])
        return replace(
            found,
            mutants=tried.mutants or 0,
            killed=tried.killed,
            new_killed=tried.new_killed or 0,
        )

    def ask(attempt: Attempt) -> Sequence[Completion]:
        return engine.generate(asked(site.prompt(level, examples, attempt), count=1))

    def go_on(beginning: str) -> Sequence[Completion]:
        return engine.generate(replace(asked(prompt, count=1), begun=beginning))

    clock["methods"] += 1
    try:
        prompt = timed(clock, "prompt", lambda: site.prompt(level, examples))
        request = asked(prompt, count=count)
        completions, twice = timed(clock, "generate", lambda: write_tests(engine, request, site))
    except PersonalizerError as error:
        for stage in STAGES:
            yield replace(row, stage=stage, error=str(error))
        return
    clock["asked twice"] += twice
    plain = ranked(run(candidates_of(completions, site, mend=False)))
    yield best(STAGES[0], plain)
    named = timed(clock, "symbols", lambda: candidates_of(completions, site))
    named = ranked(timed(clock, "check", lambda: run(named)))
    yield best(STAGES[1], named)
    parts = timed(clock, "salvage", lambda: mended(declared(named, run), site, run))
    yield best(STAGES[2], parts)
    parts = timed(clock, "begin", lambda: begun(parts, site, go_on=go_on, run=run))
    yield best(STAGES[3], parts)
    rounds = settings.repair_rounds
    final = timed(clock, "repair", lambda: repaired(parts, site, rounds=rounds, ask=ask, run=run))
    yield best(STAGES[4], final)
    look = partial(run, anyway=True, mutants=0)
    final = timed(clock, "vary", lambda: varied(final, site, look=look, run=run))
    yield best(STAGES[5], final)
    final = timed(clock, "notice", lambda: noticing(final, site, look=look, run=run))
    yield best(STAGES[6], final)
    final = timed(clock, "amplify", lambda: amplified(final, site, look=look, run=run))
    timed(clock, "place", lambda: edit_of_best(site, final))
    yield best(STAGES[7], final)


def timed(clock: Seconds, step: str, work: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    done = work()
    clock[step] += time.perf_counter() - start
    return done


def best_of(row: Row, candidates: Sequence[Candidate]) -> Row:
    if not candidates:
        return replace(row, error="nothing new was generated")
    first = candidates[0]
    if not first.parses:
        return row
    return replace(
        row,
        parses=True,
        compiles=first.compiles,
        passes=first.passes,
        new_lines=first.new_lines or 0,
        new_branches=first.new_branches or 0,
        nothing_left=bool(first.passes) and worth(first) == 3 and not first.open_lines,
        failure=first.failure.partition("\n")[0] if first.failure else None,
        repaired=first.repair_round > 0,
        text=first.text,
    )


# ---------------------------------------------------------------- rows and figures


def kept(file: Path | None) -> list[Row]:
    if file is None or not file.exists():
        return []
    rows = []
    for line in file.read_bytes().splitlines():
        with suppress(msgspec.DecodeError):  # a line that a death cut short
            rows.append(msgspec.json.decode(line, type=Row))
    stages = Counter((row.method, row.condition) for row in rows)
    return [row for row in rows if stages[row.method, row.condition] == len(STAGES)]


def keep(file: Path | None, rows: Sequence[Row]) -> None:
    if file is not None:
        with file.open("ab") as out:
            out.writelines(msgspec.json.encode(row) + b"\n" for row in rows)


def show(
    project: Path, rows: Sequence[Row], times: dict[str, Seconds], reasons: Counter[str]
) -> None:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.condition, row.stage), []).append(row)
    print(f"| {project.name} | methods | " + " | ".join(FACTS) + " |")
    print("|---|---|" + "---|" * len(FACTS))
    figures = []
    for (condition, stage), group in groups.items():
        cells = {name: share(group, name) for name in FACTS}
        shown = " | ".join(
            f"{100 * a:.0f} % ({100 * b:.0f}-{100 * c:.0f})" for a, b, c in cells.values()
        )
        print(f"| {condition}, {stage} | {len(group)} | {shown} |")
        figures.append({"condition": condition, "stage": stage, "methods": len(group), **cells})
    for condition, clock in times.items():
        steps = {
            name: value for name, value in clock.items() if name not in ("methods", "asked twice")
        }
        shown = ", ".join(f"{name} {s / clock['methods']:.2f} s" for name, s in steps.items())
        print(
            f"{condition}, from request to edit: {shown}; asked twice: {clock['asked twice']:.0f}"
        )
    failures = Counter(row.failure for row in rows if row.failure and row.stage == STAGES[-1])
    for failure, count in failures.most_common(8):
        print(f"{count} at the end: {failure}")
    for reason, count in reasons.most_common(3):
        print(f"not compiled or run, {count} times: {reason}")
    print(
        json.dumps(
            {
                "project": project.name,
                "figures": figures,
                "seconds": {name: dict(clock) for name, clock in times.items()},
                "not_run": dict(reasons),
            }
        )
    )


def share(rows: Sequence[Row], fact: str) -> tuple[float, float, float]:
    """Mean over all methods, with its interval."""
    values = np.array([row.fact(fact) for row in rows], float)
    classes = [row.focal_class for row in rows]
    low, high = interval(lambda chosen: float(values[chosen].mean()), classes)
    return float(values.mean()), low, high


if __name__ == "__main__":
    main()
