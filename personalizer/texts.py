"""Results as text: what a person reads where ``--json`` was not asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from personalizer.words import PHASES, count, duration, mutants_noticed, shortened

__all__ = ["LINES", "TEXTS"]

_DOING = {"train": "Training", "measure": "Measuring", "evaluate": "Comparing methods"}
"""By a job's kind."""
_LONGEST_FAILURE = 200
"""Characters of why a candidate fails."""
_LONGEST_REASON = 300
"""Characters of why nothing was compiled or run."""
_LONGEST_NAME = 60
"""Characters of a name that a model wrote."""


def _names(names: Iterable[str]) -> str:
    """Names in a sentence; one that a model could not end is cut."""
    return ", ".join(shortened(name, _LONGEST_NAME) for name in names)


def _failure(one: dict[str, Any]) -> str:
    """Why a candidate fails, in a line; the place at its end stays."""
    why = str(one["failure"] or "").strip()
    if one["compiles"] is False:
        why = why.partition("\n")[0]
    why = why.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    why = re.sub(r"\w+", lambda word: shortened(word[0], _LONGEST_NAME), why)
    place = re.search(r" \(\w+\.\w+:\d+\)$", why)
    return shortened(why, _LONGEST_FAILURE, len(place[0]) if place else 0)


def _not_run(why: str) -> str:
    """Why nothing was compiled; what the class path lacks explains missing names alone.

    Example:
        >>> _not_run("A.java does not compile by itself: line 2: '(' expected; class path: Maven …")
        "A.java does not compile by itself: line 2: '(' expected"
    """
    error = why.partition("; class path: ")[0]
    named = re.search("cannot find symbol|does not exist|cannot access|cannot be resolved", error)
    return shortened(why if named else error, _LONGEST_REASON)


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.{0 if size > 10 * 2**20 else 1}f} MiB"


def _plain(result: dict[str, Any]) -> str:
    width = max(map(len, result), default=0)
    return "\n".join(f"{key:{width}}  {_value(value)}" for key, value in result.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_value(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value)) or "none"
    return "-" if value is None else str(value)


def _index_text(result: dict[str, Any]) -> str:
    left_out = sum(result["excluded"].values())
    lines = [
        f"{count(result['parsed'], 'Java file')}, {count(result['methods'], 'method')}, "
        f"{count(result['tests'], 'test')}",
        f"{count(result['pairs'], 'test')} with a known focal method, "
        f"{count(result['snippets'], 'documented method')}",
        f"{result['seconds']:.2f} s",
    ]
    if left_out:
        reasons = ", ".join(f"{number} {reason}" for reason, number in result["excluded"].items())
        lines.insert(2, f"{count(left_out, 'file')} left out: {reasons}")
    for path, errors in list(result["errors"].items())[:10]:
        lines.append(f"{path}: {errors[0]}")
    if len(result["errors"]) > 10:
        lines.append(f"… and {len(result['errors']) - 10} more files with errors")
    for path, reason in result.get("excluded_files", {}).items():
        lines.append(f"left out {path}: {reason}")
    for path, reason in result.get("excluded_folders", {}).items():
        lines.append(f"left out {path}/: {reason}")
    for path, original in result.get("copies", {}).items():
        lines.append(f"{path} is a copy of {original}")
    return "\n".join(lines)


def _train_text(result: dict[str, Any]) -> str:
    verdict = {
        "passed": "It serves now",
        "provisional": "It serves now, provisionally",
        "refused": "It does not serve",
    }[result["gate"]]
    return "\n".join(
        [
            f"Adapter {result['adapter']} ({result['method']} on {result['base']})",
            *_trained_lines(result),
            f"{verdict}: {result['reason']}.",
        ]
    )


def _trained_lines(result: dict[str, Any]) -> list[str]:
    """What a training was given, took and brought."""
    base, adapter = result["metrics"]["base"], result["metrics"]["adapter"]
    foretold = result["forecast"].get("peak_memory_bytes")
    return [
        f"  pairs       {_value(result['pairs'])}",
        *([f"  left out    {_left_out(result)}"] if result["left_out"] else []),
        f"  loss        {_number(base['gate_loss'], 3)} base, "
        f"{_number(adapter['gate_loss'], 3)} adapter (gate pairs, nats a token)",
        f"  perplexity  {_number(base['gate_perplexity'], 2)} base, "
        f"{_number(adapter['gate_perplexity'], 2)} adapter",
        *([f"  tests       {result['executed']['reason']}"] if result["executed"] else []),
        f"  trained     {result['trainable_parameters']:,} parameters, "
        f"{count(result['steps'], 'step')}, {result['tokens']:,} tokens "
        f"({result['tokens_per_second']:,.0f} a second)",
        f"  time        {duration(result['seconds'])}, reading and judging included",
        f"  memory      {_mebibytes(result['peak_memory_bytes'])} at most"
        f"{f' ({_mebibytes(foretold)} foretold)' if foretold else ''}, "
        f"adapter {_mebibytes(result['adapter_bytes'])}",
        *(f"  eased       {one}" for one in result["eased"]),
        *([f"  chosen      {result['chosen']}"] if result["chosen"] else []),
        *_continual_lines(result),
    ]


def _number(value: float | None, digits: int) -> str:
    return "no number" if value is None else f"{value:.{digits}f}"


def _left_out(result: dict[str, Any]) -> str:
    """How many pairs did not count, and why."""
    numbers = result["left_out"]
    return f"{count(sum(numbers.values()), 'pair')}: {_counts(numbers)}"


def _continual_lines(result: dict[str, Any]) -> list[str]:
    """What training on from an adapter brought on new pairs, and cost on old ones."""
    if result["continual"] is None:
        return []
    counts = result["continual"]["trained"]
    lines = [
        f"  began       as {result['parent']}, on {counts['new']} new or changed pairs and "
        f"{counts['replayed']} old ones"
    ]
    for name in ("new", "old"):
        row = result["continual"][name]
        if row["pairs"]:
            lines.append(
                f"  {name} pairs   loss {row['parent']:.3f} before, {row['adapter']:.3f} now "
                f"({row['pairs']} held out)"
            )
    return lines


def _plan_text(result: dict[str, Any]) -> str:
    return "\n".join(
        [
            f"{result['method']} on {result['base']}, nothing was trained",
            f"  pairs     {_value(result['pairs'])}",
            f"  left out  {_value(result['left_out'])}",
            f"  steps     at most {result['steps']}, {result['tokens']:,} tokens",
            f"  time      about {duration(result['seconds'])} at most",
            f"  memory    about {_mebibytes(result['forecast']['peak_memory_bytes'])}, later more",
            *([f"  gate      {result['warning']}"] if result["warning"] else []),
            *(f"  eased     {one}" for one in result["eased"]),
            *([f"  chosen    {result['chosen']}"] if result["chosen"] else []),
        ]
    )


def _forecasts_text(result: dict[str, Any]) -> str:
    lines = [f"{'method':12}{'trains':>14}{'memory':>12}{'time':>8}"]
    for method, row in result["methods"].items():
        if "error" in row:
            lines.append(f"{method:12}{row['error']}")
        else:
            lines.append(
                f"{method:12}{row['trainable_parameters']:>14,}"
                f"{_mebibytes(row['peak_memory_bytes']):>12}{duration(row['seconds']):>8}"
            )
    return "\n".join(lines)


def _status_text(result: dict[str, Any]) -> str:
    if result["adapter"] is None:
        serves = (
            f"No adapter serves ({result['base']} alone)" if result["base"] else "Nothing can serve"
        )
        lines = [f"{serves}: {result['why']}"]
    else:
        unseen = result["unseen_symbols"]
        behind = result["commits_behind"]
        commits = "not known" if behind is None else f"{behind} behind"
        lines = [
            f"{result['adapter']}{_against_gate(result)} is {result['freshness']}: {result['why']}",
            f"  base      {result['base']}",
            f"  trained   {result['trained_at']}",
            f"  gate      {result['gate']}: {result['gate_reason']}",
            f"  names     {unseen['count']} never seen in training ({unseen['share']:.1%})",
            f"  commits   {commits}",
        ]
        if result["chosen_by"] == "user" and result["gate"] != "refused":
            lines.append("  chosen    by name, whatever the gate said")
        if (measured := result["loss_on_new"]) and measured["pairs"]:
            lines.append(
                f"  new       loss {measured['adapter']:.3f}, the base's {measured['base']:.3f} "
                f"on {measured['pairs']} new pairs (measured {measured['measured_at']})"
            )
    lines += [f"  note      {warning}" for warning in result["warnings"]]
    if result["job"]:
        lines.append(f"  training  {_job(result['job'])}")
    if evaluation := result.get("evaluation"):
        lines.append(f"  compared  {_job(evaluation)}")
    if (due := result["retraining"]) and due["mode"] == "on":
        when = f", waits for {due['waits_for']}" if due["waits_for"] else " soon"
        lines.append(f"  training  begins by itself{when}")
    daemon = result["daemon"]
    runs = "running" if daemon["running"] else "not running"
    error = daemon.get("error")
    lines.append(f"  daemon    {runs}{f': {error}' if error else ''}")
    return "\n".join(lines)


def _against_gate(status: dict[str, Any]) -> str:
    chosen = status["gate"] == "refused" and status["chosen_by"] == "user"
    return ", refused by the gate and chosen by name," if chosen else ""


def _job(job: dict[str, Any]) -> str:
    """Where a background training stands, in a line."""
    words = [str(job["state"])]
    progress = job["progress"]
    if job["state"] == "running" and progress:
        words.append(PHASES[progress["phase"]].lower())
        if progress["steps"]:
            words.append(f"step {progress['step']} of {progress['steps']}")
        if progress["seconds_left"] is not None:
            words.append(f"{duration(progress['seconds_left'])} left")
    if job["reason"]:
        words.append(str(job["reason"]))
    if (result := job["result"]) and "gate" in result:
        words.append(f"{result['gate']}: {result['reason']}")
    elif result and result.get("answer"):
        words.append(result["answer"][0].rstrip("."))
        if result.get("report"):
            words.append(f"report {result['report']}")
    return ", ".join(words)


def _generate_text(result: dict[str, Any]) -> str:
    parsed = [c for c in result["candidates"] if c["parses"]]
    head = (
        f"{result['adapter']} wrote {count(len(result['candidates']), 'candidate')} for "
        f"{result['focal'].rpartition('#')[2]} in {result['seconds']:.1f} s; "
        f"{_whole(len(parsed), len(result['candidates']))}"
    )
    if any(c["compiles"] is not None or c["failure"] for c in result["candidates"]):
        head = "\n".join([head, *map(_candidate_line, range(1, 99), result["candidates"])])
    head = "\n".join([head, *(f"  {note}" for note in result["notes"])])
    if result["edit"] is None:
        return "\n".join([head, f"Nothing was changed: {result['no_edit']}", *_left_of(result)])
    edit = result["edit"]
    best = result["candidates"][0]
    refused = best["compiles"] is False or not best["may_compile"]
    lines = [head, _where(edit, result["written"], refused)]
    lines += [f"  {note}" for note in edit["notes"]]
    lines += _left_of(result)
    lines += _not_noticed(best)
    if result.get("not_run"):
        lines.append(f"  not compiled or run: {_not_run(result['not_run'])}")
    return "\n".join([*lines, "", edit["diff"].rstrip()])


def _whole(parsed: int, all_: int) -> str:
    """How many candidates are whole methods."""
    if all_ == 1:
        return "it is a whole method" if parsed else "it is no whole method"
    return f"{parsed} {'is a whole method' if parsed == 1 else 'are whole methods'}"


def _where(edit: dict[str, Any], written: bool, refused: bool) -> str:
    """Where an edit went, or would go; one that is refused does not compile."""
    if written:
        done = "Written to"
    elif refused:
        done = "Not written, for it does not compile; would go to"
    else:
        done = "Would go to (write it with --write)"
    return f"{done} {edit['file']}{', a new file' if edit['created'] else ''}"


def _left_of(result: dict[str, Any]) -> list[str]:
    """What of the focal method the best test leaves to others, where that was measured."""
    best = next(iter(result["candidates"]), None)
    if best is None:
        return []
    if best["open_lines"]:
        path = result["focal"].partition("#")[0].rpartition("/")[2]
        places = ", ".join(map(str, best["open_lines"][:_MOST_LINES]))
        more = ", …" if len(best["open_lines"]) > _MOST_LINES else ""
        return [f"  not yet run whole by any test of its class: {path}:{places}{more}"]
    nothing = best["new_lines"] == best["new_branches"] == 0 and not best["new_killed"]
    if best["passes"] and nothing and best["reaches_focal"]:
        if best["mutants"] and best["new_killed"] is None:
            return ["  adds no line or branch: other tests of its class run them all"]
        told = "other tests of its class run every line and branch of the method"
        more = ", and notice what it notices" if best["killed"] else ""
        return [f"  adds nothing: {told}{more}"]
    return []


_MOST_LINES = 12


def _not_noticed(best: dict[str, Any]) -> list[str]:
    """The mutants that a test lets live, a line of the method each.

    Where the other tests of its class were tried on them, those that none of them notices either.

    Example:
        >>> two = ["line 3: 1 became 2", "line 3: 0 returned"]
        >>> _not_noticed({"survivors": two, "unnoticed": [], "new_killed": None})
        ['  does not notice line 3: 1 became 2, 0 returned']
        >>> _not_noticed({"survivors": two, "unnoticed": two[:1], "new_killed": 0})
        ['  no test of its class notices line 3: 1 became 2']
    """
    alone = best["new_killed"] is None
    by_line: dict[str, list[str]] = {}
    for one in best["survivors" if alone else "unnoticed"]:
        line, _, change = one.partition(": ")
        by_line.setdefault(line, []).append(change)
    says = "does not notice" if alone else "no test of its class notices"
    told = [f"  {says} {line}: {', '.join(some)}" for line, some in by_line.items()]
    more = f"  nor changes of {count(len(told) - _MOST_TOLD, 'other line')}"
    return [*told[:_MOST_TOLD], *([more] if len(told) > _MOST_TOLD else [])]


_MOST_TOLD = 4


def _candidate_line(number: int, one: dict[str, Any]) -> str:
    """What is known of a candidate."""
    if not one["parses"]:
        known = "no whole test"
    elif one["compiles"] is None:
        known = "not run" if one["may_compile"] else "not run, cannot compile"
    elif not one["compiles"]:
        known = "does not compile"
    elif one["passes"] is None:
        known = "compiles, not run"
    else:
        known = "passes" if one["passes"] else "flaky" if one["flaky"] else "fails"
    if one["passes"] and one["reaches_focal"] is False:
        known += ", does not reach the method"
    fails = False in (one["compiles"], one["passes"])
    if one["parses"] and not one["asserts"] and not fails:
        known += ", asserts nothing"
    if one["new_lines"]:
        known += f", {count(one['new_lines'], 'new line')}"
    elif one["new_branches"]:
        known += f", {count(one['new_branches'], 'new branch')}"
    if one["mutants"]:
        noticed = mutants_noticed(one["killed"], one["mutants"], one["new_killed"])
        known += f", notices {noticed}"
    if one["settled"]:
        known += ", expects what the code gives today"
    if one["unknown_symbols"]:
        known += f", does not know {_names(one['unknown_symbols'])}"
    why = _failure(one)
    return f"  {number}. {known}{f': {why}' if why else ''}"


def _untested_text(result: dict[str, Any]) -> str:
    lines = []
    for one in result["results"]:
        best = one["candidates"][0] if one["candidates"] else None
        known = _candidate_line(0, best).partition(". ")[2] if best else "nothing was written"
        written = f", written to {one['edit']['file']}" if one["written"] else ""
        lines.append(f"{one['focal'].partition('#')[2]}: {known}{written}")
    summary = result["summary"]
    width = max(map(len, summary))
    lines += ["", *(f"{name:{width}}  {count:6}" for name, count in summary.items())]
    not_run = next((one["not_run"] for one in result["results"] if one["not_run"]), None)
    if not_run:
        lines.append(f"not compiled or run: {_not_run(not_run)}")
    return "\n".join([*lines, f"results and diffs: {result['out']}"])


def _snippet_text(result: dict[str, Any]) -> str:
    if result["edit"] is None:
        lines = [f"{result['adapter']} wrote nothing that can be used: {result['no_edit']}"]
        return "\n".join([*lines, *(f"  {note}" for note in result["notes"]), "", result["text"]])
    made = f"{count(len(result['text'].splitlines()), 'line')} in {result['seconds']:.1f} s"
    lines = [f"{result['adapter']} wrote {made}", *(f"  {note}" for note in result["notes"])]
    if result["unknown_symbols"]:
        lines.append(f"  does not know {_names(result['unknown_symbols'])}")
    if result["compiles"] is not None:
        lines.append(
            "  compiles" if result["compiles"] else f"  does not compile: {_failure(result)}"
        )
    elif result["not_run"]:
        lines.append(f"  not compiled: {_not_run(result['not_run'])}")
    lines.append(_where(result["edit"], result.get("written", False), result["compiles"] is False))
    return "\n".join([*lines, "", result["edit"]["diff"].rstrip()])


def _forgotten_text(result: dict[str, Any]) -> str:
    removed, kept = result["removed"], len(result["kept"])
    lines = [
        f"{result['path']} is forgotten: nothing learns from it again "
        "(`personalizer adapters remember` takes it back)",
        f"  deleted  {', '.join(removed) or 'no adapter, for none had seen it'}, "
        "and what checkpoints and caches held",
    ]
    if kept:
        lines.append(f"  kept     {count(kept, 'adapter')} that had not seen it")
    lines += [f"  also in  {root}, opened by itself" for root in result["elsewhere"]]
    if result["trained"]:
        return "\n".join([*lines, _train_text(result["trained"])])
    if result["why_not"]:
        lines.append(f"Nothing was trained anew: {result['why_not']}")
    elif result["serving"]:
        lines.append("What served is gone: `personalizer train` trains anew without it.")
    return "\n".join(lines)


def _forgotten_list_text(result: dict[str, Any]) -> str:
    return "\n".join(result["forgotten"]) or "Nothing was to be forgotten."


def _manifest_text(result: dict[str, Any]) -> str:
    """What ``adapters show`` prints: the training's own lines, and where the adapter comes from."""
    lines = [
        f"{result['id']} ({result['method']} on {result['base']})",
        f"  of          {result['trained_at']}, commit {(result['commit'] or 'not known')[:12]}, "
        f"Personalizer {result['version']}",
        *_trained_lines(result | {"executed": result["gate"].get("executed")}),
        f"  gate        {result['gate']['outcome']}: {result['gate']['reason']}",
    ]
    if history := result["history"]:
        first, last = history[0], history[-1]
        lines.append(
            f"  validation  loss {first['validation_loss']:.3f} at step {first['step']:.0f}, "
            f"{last['validation_loss']:.3f} at step {last['step']:.0f}"
        )
    for name, what in (("excluded", "files"), ("secrets", "secrets"), ("licences", "licences")):
        if result[name]:
            lines.append(f"  {what:11} {_counts(result[name])}")
    if result["imported_at"]:
        lines.append(f"  imported    {result['imported_at']}")
    return "\n".join([*lines, "All of it, as JSON: --json"])


def _counts(numbers: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in numbers.items())


def _serving_text(result: dict[str, Any]) -> str:
    name = result["serving"]
    return "The base serves now, without an adapter." if name == "base" else f"{name} serves now."


def _exported_text(result: dict[str, Any]) -> str:
    return f"Wrote {result['exported']} into {result['folder']}: {', '.join(result['files'])}"


def _measured_text(result: dict[str, Any]) -> str:
    if not result["pairs"]:
        return f"Nothing to measure: {result['adapter']} has seen every pair that it could."
    return (
        f"{result['adapter']} has a loss of {result['adapter_loss']:.3f} on "
        f"{count(result['pairs'], 'new pair')}, the base {result['base']:.3f} (nats a token)."
    )


def _job_text(job: dict[str, Any]) -> str:
    because = f" because {job['began_because']}" if job["began_because"] else ""
    return (
        f"{_DOING[job['kind']]} in the background{because}: {_job(job)} (job {job['id']})\n"
        f"`personalizer status {job['workspace']}` says how far it is,\n"
        f"`personalizer daemon cancel {job['workspace']}` ends it."
    )


def _cancelled_text(result: dict[str, Any]) -> str:
    return "\n".join(
        f"{_DOING[job['kind']]} in the background ends (job {job['id']})"
        for job in result["cancelled"]
    )


def _daemon_text(result: dict[str, Any]) -> str:
    jobs = [
        f"  {_DOING[job['kind']].lower()} in the background for {job['workspace']}: {_job(job)}"
        for job in result.get("jobs", ())  # an earlier version's daemon tells none
    ]
    error = result.get("error")  # nor what went wrong
    if not result["running"]:
        lines = [f"The daemon does not run; it starts when it is needed. Its log: {result['log']}"]
        lines += [f"  error   {error}"] if error else []
        return "\n".join([*lines, *(f"{job}, goes on when it starts" for job in jobs)])
    if error:
        lines = [
            f"The daemon runs and tells nothing of itself: {error}",
            f"  process {result['pid']}, Personalizer {result['version']}: "
            "`personalizer daemon stop` ends it",
            f"  log     {result['log']}",
        ]
        return "\n".join([*lines, *jobs])
    engine = result["engine"]
    if engine["url"]:
        model = f"on the server {engine['url']}"
    else:
        model = f"loaded (process {engine['pid']})" if engine["loaded"] else "not loaded"
    lines = [
        f"The daemon runs: process {result['pid']}, Personalizer {result['version']}, "
        f"up {duration(result['uptime_seconds'])}",
        f"  model   {model}",
        f"  socket  {result['socket']}",
        f"  log     {result['log']}",
    ]
    if result["url"]:
        lines.append(f"  url     {result['url']}, for who has the token in {result['token_file']}")
    return "\n".join([*lines, *jobs])


def _config_text(result: dict[str, Any]) -> str:
    rows = result["settings"]
    width = max(len(row["name"]) for row in rows)
    return "\n".join(
        f"{row['name']:{width}}  {row['value']!s:12}  {row['origin']:8}  {row['doc']}"
        for row in rows
    )


def _evaluate_text(result: dict[str, Any]) -> str:
    where = f"\n\nReport: {result['report']}" if result.get("report") else ""
    return f"{result['markdown']}{where}"


def _doctor_text(result: dict[str, Any]) -> str:
    rows = result["checks"]
    width = max(len(row["name"]) for row in rows)
    lines = []
    for row in rows:
        lines.append(f"{'ok' if row['ok'] else '--'}  {row['name']:{width}}  {row['found']}")
        if row["todo"]:
            lines.append(f"    {'':{width}}  {row['todo']}")
    return "\n".join(lines)


def _adapters_text(result: dict[str, Any]) -> str:
    if not result["adapters"]:
        return "No adapters here: `personalizer train` makes one"
    return "\n".join(
        f"{'*' if row['serving'] else ' '} {row['id']}  {row['gate']}  {row['trained_at']}  "
        f"{row['reason']}"
        for row in result["adapters"]
    )


def _models_text(result: dict[str, Any]) -> str:
    return "\n".join(
        f"{row['name']:32} {row['parameters'] / 1e6:8,.0f}M  {row['licence']:27}"
        f"{'here' if row['here'] else 'not here':10}"
        f"{'fits' if row['fits'] else 'too large for this machine'}"
        for row in result["models"]
    )


TEXTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "adapters": _adapters_text,
    "base": lambda r: f"{r['base']} is the base of new trainings now, by {r['file']}",
    "cancelled": _cancelled_text,
    "config": _config_text,
    "daemon": _daemon_text,
    "dataset": lambda r: f"Wrote {count(r['examples'], 'example')} into {r['file']}",
    "doctor": _doctor_text,
    "evaluate": _evaluate_text,
    "exported": _exported_text,
    "forecasts": _forecasts_text,
    "forgotten": _forgotten_text,
    "forgotten list": _forgotten_list_text,
    "generate": _generate_text,
    "imported": lambda r: (
        f"Took in {r['imported']}; it serves once `personalizer adapters use` names it."
    ),
    "index": _index_text,
    "job": _job_text,
    "manifest": _manifest_text,
    "measured": _measured_text,
    "models": _models_text,
    "plan": _plan_text,
    "pulled": lambda r: f"{r['name']} lies in {r['folder']}",
    "remembered": lambda r: f"Training may learn from {r['remembered']} again.",
    "removed": lambda r: f"Deleted {r['removed']}.",
    "serving": _serving_text,
    "snippet": _snippet_text,
    "status": _status_text,
    "tasks": _plain,
    "untested": _untested_text,
    "train": _train_text,
    "view": lambda r: str(r["url"]),
}

LINES: dict[str, Callable[[dict[str, Any]], str]] = {
    "pairs": lambda r: (
        f"{r['focal_class']}.{r['focal_method']}({', '.join(r['focal_params'])}) <- "
        f"{r['test_class']}.{r['test_method']}  {r['rule']} {r['confidence']:.2f}"
    ),
}
