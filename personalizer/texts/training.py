"""Trainings and adapters as text."""

from __future__ import annotations

from typing import Any

from personalizer.texts.plain import in_words
from personalizer.words import count, duration

__all__ = [
    "adapters_text",
    "exported_text",
    "forecasts_text",
    "forgotten_list_text",
    "forgotten_text",
    "manifest_text",
    "measured_text",
    "plan_text",
    "serving_text",
    "train_text",
]


def train_text(result: dict[str, Any]) -> str:
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
        f"  pairs       {in_words(result['pairs'])}",
        *_judges(result),
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
        *([f"  warning     {result['warning']}"] if result["warning"] else []),
        *(f"  eased       {one}" for one in result["eased"]),
        *([f"  chosen      {result['chosen']}"] if result["chosen"] else []),
        *_continual_lines(result),
    ]


def _judges(result: dict[str, Any]) -> list[str]:
    """How many of the held-out pairs judge, where not all of them do."""
    judged, pairs = result["judged"], result["pairs"]
    if all(judged[side] == pairs[side] for side in judged):
        return []
    told = (f"{judged[side]:,} of {pairs[side]:,} {side}" for side in judged)
    return [f"  judged by   {', '.join(told)} pairs: a larger budget lets more of them judge"]


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


def plan_text(result: dict[str, Any]) -> str:
    return "\n".join(
        [
            f"{result['method']} on {result['base']}, nothing was trained",
            f"  pairs     {in_words(result['pairs'])}",
            *(line.replace("  judged by   ", "  judged    ") for line in _judges(result)),
            f"  left out  {in_words(result['left_out'])}",
            f"  steps     at most {result['steps']}, {result['tokens']:,} tokens",
            f"  time      about {duration(result['seconds'])} at most",
            f"  memory    about {_mebibytes(result['forecast']['peak_memory_bytes'])}, later more",
            *([f"  gate      {result['warning']}"] if result["warning"] else []),
            *(f"  eased     {one}" for one in result["eased"]),
            *([f"  chosen    {result['chosen']}"] if result["chosen"] else []),
        ]
    )


def forecasts_text(result: dict[str, Any]) -> str:
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


def manifest_text(result: dict[str, Any]) -> str:
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


def adapters_text(result: dict[str, Any]) -> str:
    if not result["adapters"]:
        return "No adapters here: `personalizer train` makes one"
    return "\n".join(
        f"{'*' if row['serving'] else ' '} {row['id']}  {row['gate']}  {row['trained_at']}  "
        f"{row['reason']}"
        for row in result["adapters"]
    )


def serving_text(result: dict[str, Any]) -> str:
    name = result["serving"]
    return "The base serves now, without an adapter." if name == "base" else f"{name} serves now."


def exported_text(result: dict[str, Any]) -> str:
    return f"Wrote {result['exported']} into {result['folder']}: {', '.join(result['files'])}"


def measured_text(result: dict[str, Any]) -> str:
    if not result["pairs"]:
        return f"Nothing to measure: {result['adapter']} has seen every pair that it could."
    return (
        f"{result['adapter']} has a loss of {result['adapter_loss']:.3f} on "
        f"{count(result['pairs'], 'new pair')}, the base {result['base']:.3f} (nats a token)."
    )


def forgotten_text(result: dict[str, Any]) -> str:
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
        return "\n".join([*lines, train_text(result["trained"])])
    if result["why_not"]:
        lines.append(f"Nothing was trained anew: {result['why_not']}")
    elif result["serving"]:
        lines.append("What served is gone: `personalizer train` trains anew without it.")
    return "\n".join(lines)


def forgotten_list_text(result: dict[str, Any]) -> str:
    return "\n".join(result["forgotten"]) or "Nothing was to be forgotten."


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.{0 if size > 10 * 2**20 else 1}f} MiB"
