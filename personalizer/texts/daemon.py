"""The daemon, its jobs and what serves, as text."""

from __future__ import annotations

from typing import Any

import msgspec

from personalizer.daemon.protocol import Job, Status
from personalizer.words import duration, how_far

__all__ = ["cancelled_text", "daemon_text", "job_text", "status_text"]

_DOING = {"train": "Training", "measure": "Measuring", "evaluate": "Comparing methods"}
"""By a job's kind."""


def status_text(status: Status) -> str:
    if status.adapter is None:
        serves = f"No adapter serves ({status.base} alone)" if status.base else "Nothing can serve"
        lines = [f"{serves}: {status.why}"]
    else:
        unseen, behind = status.unseen_symbols, status.commits_behind
        against = ", refused by the gate and chosen by name," if status.against_gate else ""
        lines = [
            f"{status.adapter}{against} is {status.freshness}: {status.why}",
            f"  base      {status.base}",
            f"  trained   {status.trained_at}",
            f"  gate      {status.gate}: {status.gate_reason}",
            f"  names     {unseen.count} never seen in training ({unseen.share:.1%})",
            f"  commits   {'not known' if behind is None else f'{behind} behind'}",
        ]
        if status.chosen_by == "user" and not status.against_gate:
            lines.append("  chosen    by name, whatever the gate said")
        if (measured := status.loss_on_new) and measured.pairs:
            lines.append(
                f"  new       loss {measured.adapter:.3f}, the base's {measured.base:.3f} "
                f"on {measured.pairs} new pairs (measured {measured.measured_at})"
            )
    lines += [f"  note      {warning}" for warning in status.warnings]
    if status.job and status.tells_of(status.job):
        lines.append(f"  training  {_stands(status.job)}")
    if status.evaluation:
        lines.append(f"  compared  {_stands(status.evaluation)}")
    if (due := status.retraining) and due.mode == "on":
        when = f", waits for {due.waits_for}" if due.waits_for else " soon"
        lines.append(f"  training  begins by itself{when}")
    runs = "running" if status.daemon["running"] else "not running"
    error = status.daemon.get("error")
    lines.append(f"  daemon    {runs}{f': {error}' if error else ''}")
    return "\n".join(lines)


def _stands(job: Job) -> str:
    """Where a background job stands, in a line."""
    words: list[str] = [job.state]
    if job.state == "running" and (told := job.progress):
        words.append(how_far(told.phase, told.step, told.steps).lower())
        if told.seconds_left is not None:
            words.append(f"{duration(told.seconds_left)} left")
    if job.state == "queued" and (told := job.progress) and told.phase == "wait" and told.note:
        words.append(f"waits: {told.note}")
    if job.reason:
        words.append(job.reason)
    if (result := job.result) and "gate" in result:
        words.append(f"{result['gate']}: {result['reason']}")
    elif result and result.get("answer"):
        words.append(result["answer"][0].rstrip("."))
        if result.get("report"):
            words.append(f"report {result['report']}")
    return ", ".join(words)


def job_text(job: Job) -> str:
    because = f" because {job.began_because}" if job.began_because else ""
    return (
        f"{_DOING[job.kind]} in the background{because}: {_stands(job)} (job {job.id})\n"
        f"`personalizer status {job.workspace}` says how far it is,\n"
        f"`personalizer daemon cancel {job.workspace}` ends it."
    )


def cancelled_text(result: dict[str, Any]) -> str:
    return "\n".join(
        f"{_DOING[job['kind']]} in the background ends (job {job['id']})"
        for job in result["cancelled"]
    )


def daemon_text(result: dict[str, Any]) -> str:
    jobs = [
        f"  {_DOING[job.kind].lower()} in the background for {job.workspace}: {_stands(job)}"
        for job in msgspec.convert(result["jobs"], list[Job])
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
