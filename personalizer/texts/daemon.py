"""The daemon, its jobs and what serves, as text."""

from __future__ import annotations

from typing import Any

from personalizer.words import duration, how_far

__all__ = ["cancelled_text", "daemon_text", "job_text", "status_text"]

_DOING = {"train": "Training", "measure": "Measuring", "evaluate": "Comparing methods"}
"""By a job's kind."""


def status_text(result: dict[str, Any]) -> str:
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
        words.append(how_far(*(progress[name] for name in ("phase", "step", "steps"))).lower())
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


def job_text(job: dict[str, Any]) -> str:
    because = f" because {job['began_because']}" if job["began_because"] else ""
    return (
        f"{_DOING[job['kind']]} in the background{because}: {_job(job)} (job {job['id']})\n"
        f"`personalizer status {job['workspace']}` says how far it is,\n"
        f"`personalizer daemon cancel {job['workspace']}` ends it."
    )


def cancelled_text(result: dict[str, Any]) -> str:
    return "\n".join(
        f"{_DOING[job['kind']]} in the background ends (job {job['id']})"
        for job in result["cancelled"]
    )


def daemon_text(result: dict[str, Any]) -> str:
    jobs = [
        f"  {_DOING[job['kind']].lower()} in the background for {job['workspace']}: {_job(job)}"
        for job in result["jobs"]
    ]
    error = result["error"]
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
