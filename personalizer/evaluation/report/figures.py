"""The plots of a report: SVG by matplotlib that takes its colours from the page around it.

Series are drawn in colours that the page's style sheet names (``--series-1`` and so on), text in
the page's own, so one drawing reads on light and on dark paper.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["Figure", "figures"]

Figure = tuple[str, str, str]
"""Title, caption, SVG."""

_TEXT = "#010203"
"""Stands for the page's own colour."""
_SERIES = tuple(f"#0a0b{n:02x}" for n in range(1, 9))
"""Stand for the page's ``--series-1`` to ``--series-8``."""
_MARKERS = "osD^vPX*"
_WIDTH, _HEIGHT = 4.8, 3.3
_BOUNDS = ("low", "high")


def figures(result: Mapping[str, Any]) -> list[Figure]:
    """Every plot that the result has data for, in the order of the papers.

    Args:
        result: The JSON object of ``personalizer evaluate``.
    """
    drawn = []
    for title, caption, draw in _FIGURES:
        svg = _svg(title, lambda plt, draw=draw: draw(plt, result))  # type: ignore[misc]
        if svg is not None:
            drawn.append((title, caption, svg))
    return drawn


def _svg(title: str, draw: Callable[[Any], Any]) -> str | None:
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": title,  # names of clips and markers must not meet those of other figures
        "font.size": 11,
        "text.color": _TEXT,
        "axes.edgecolor": _TEXT,
        "axes.labelcolor": _TEXT,
        "xtick.color": _TEXT,
        "ytick.color": _TEXT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "legend.fontsize": 10,
    }
    with matplotlib.rc_context(style):
        canvas = Canvas(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        if draw(canvas) is None:
            return None
        out = io.StringIO()
        canvas.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _for_page(out.getvalue(), title)


def _for_page(svg: str, title: str) -> str:
    """Without what belongs to a file of its own, and with the page's colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"font-family: [^;\"]*|font: ([\d.]+px) [^;\"]*", _font, svg)
    svg = svg.replace(_TEXT, "currentColor")
    for number, colour in enumerate(_SERIES, 1):
        svg = svg.replace(colour, f"var(--series-{number})")
    # Identifiers of groups mean nothing, and would come twice on the page.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)


def _font(match: re.Match[str]) -> str:
    return f"font-size: {match[1]}; font-family: inherit" if match[1] else "font-family: inherit"


def _look(names: Sequence[str], name: str) -> dict[str, Any]:
    """A series' colour and marker, the same in every figure."""
    place = list(names).index(name)
    return {"color": _SERIES[place % 8], "marker": _MARKERS[place % 8], "markersize": 5}


# ---------------------------------------------------------------- the figures


def _shared_tokens(canvas: Any, result: Mapping[str, Any]) -> Any:
    shared = result["tokens_shared"]
    if not shared or len(shared) < 2:
        return None
    names = list(shared)
    axes = canvas.subplots()
    for y, one in enumerate(names):
        for x, other in enumerate(names):
            if one == other:
                continue
            share = shared[one][other]
            patch = {"facecolor": _SERIES[0], "edgecolor": "none", "alpha": min(1.0, 2.5 * share)}
            axes.bar(x, 1, width=1, bottom=y - 0.5, **patch)
            axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", fontsize=9)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def _block_changes(canvas: Any, result: Mapping[str, Any]) -> Any:
    sums: dict[str, dict[str, list[float]]] = {}
    for cell in result["cells"]:
        blocks = (cell.get("training") or {}).get("blocks") or {}
        if cell["share"] >= 1 and "+" not in cell["method"]:
            for block, change in blocks.items():
                sums.setdefault(cell["method"], {}).setdefault(block, []).append(change)
    sums = {m: b for m, b in sums.items() if any(sum(values) > 0 for values in b.values())}
    if not sums:
        return None
    names = list(result["methods"])
    blocks = list(next(iter(sums.values())))
    axes = canvas.subplots()
    for method, by_block in sums.items():
        means = [sum(by_block.get(b, [0.0])) / max(1, len(by_block.get(b, []))) for b in blocks]
        # A frozen block has no place on a logarithmic axis: a gap in the line.
        heights = [mean if mean > 0 else math.nan for mean in means]
        axes.plot(range(len(blocks)), heights, label=method, **_look(names, method))
    axes.set_yscale("log")
    axes.set_xticks(range(len(blocks)), blocks, rotation=40, ha="right")
    axes.set_ylabel("mean |change| of a weight")
    axes.legend()
    return axes


def _matches(canvas: Any, result: Mapping[str, Any]) -> Any:
    methods = result["methods"]
    counts = sorted(
        {
            int(key.partition("@")[2])
            for m in methods.values()
            for key, share in m.items()
            if key.startswith("abstract@") and share is not None
        }
    )
    if not counts:
        return None
    names = list(methods)
    left, right = canvas.subplots(1, 2, sharey=True)
    for axes, kind in ((left, "exact"), (right, "abstract")):
        for name, values in methods.items():
            shares = [values.get(f"{kind}@{k}") for k in counts]
            heights = [math.nan if share is None else 100 * share for share in shares]
            axes.plot(counts, heights, label=name, **_look(names, name))
        axes.set_title(f"{kind} match", fontsize=11)
        axes.set_xticks(counts)
        axes.set_xlabel("tests tried (k)")
    left.set_ylim(0, max(5.0, left.get_ylim()[1]))
    left.set_ylabel("% of held-out tests")
    canvas.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return left


def _styles(canvas: Any, result: Mapping[str, Any]) -> Any:
    styles = {name: values for name, values in result["styles"].items() if values}
    if not styles:
        return None
    names = list(result["methods"])
    axes = canvas.subplots()
    boxes = axes.boxplot(
        list(styles.values()),
        orientation="horizontal",
        widths=0.6,
        patch_artist=True,
        tick_labels=list(styles),
        boxprops={"edgecolor": _TEXT},
        whiskerprops={"color": _TEXT},
        capprops={"color": _TEXT},
        medianprops={"color": _TEXT, "linewidth": 2},
        flierprops={"markeredgecolor": _TEXT, "markersize": 3},
    )
    for box, name in zip(boxes["boxes"], styles, strict=True):
        box.set_facecolor(_SERIES[names.index(name) % 8])
        box.set_alpha(0.55)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("cosine to the developers' test (1: the same names)")
    return axes


def _losses(canvas: Any, result: Mapping[str, Any]) -> Any:
    names = list(result["methods"])
    axes, seen = None, set()
    for cell in result["cells"]:
        history = (cell.get("training") or {}).get("history") or []
        if not history or cell["share"] < 1 or "+" in cell["method"]:
            continue
        axes = axes or canvas.subplots()
        method = cell["method"]
        look = _look(names, method) | {"markersize": 2.5, "linewidth": 1, "alpha": 0.8}
        axes.plot(
            [row["pf_seconds"] for row in history],
            [row["validation_loss"] for row in history],
            label=None if method in seen else method,
            **look,
        )
        seen.add(method)
    if axes is not None:
        axes.locator_params(axis="x", nbins=5)
        axes.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3), useMathText=True)
        axes.set_xlabel("PF-seconds of training")
        axes.set_ylabel("validation loss (nats a token)")
        axes.legend()
    return axes


def _curve(canvas: Any, result: Mapping[str, Any]) -> Any:
    if not result["curve"]:
        return None
    names = list(result["methods"])
    axes = canvas.subplots()
    for method in dict.fromkeys(row["method"] for row in result["curve"]):
        rows = [row for row in result["curve"] if row["method"] == method]
        pairs = [row["train_pairs"] for row in rows]
        look = _look(names, method)
        axes.plot(pairs, [row["gain"] for row in rows], label=method, **look)
        low, high = ([math.nan if (v := row[k]) is None else v for row in rows] for k in _BOUNDS)
        axes.fill_between(pairs, low, high, color=look["color"], alpha=0.2, linewidth=0)
    axes.axhline(0, color=_TEXT, linewidth=0.8)
    axes.set_xlabel("training pairs")
    axes.set_ylabel("gain (nats a token)")
    axes.legend()
    return axes


_FIGURES: tuple[tuple[str, str, Callable[[Any, Mapping[str, Any]], Any]], ...] = (
    (
        "Shared words",
        "Per cent of the distinct words of two repositories that both use; comments, licences and "
        "Java's keywords left out (Z22 figure 1). The fewer, the more there is to learn from one.",
        _shared_tokens,
    ),
    (
        "Change by block",
        "How far training moved the weights of each part of the model, averaged over trainings "
        "(Z22 figure 3). A gap is a part that stayed as it was.",
        _block_changes,
    ),
    (
        "Matches among the first k",
        "Held-out tests that are met exactly, or but for names and literals, by one of the first k "
        "tests of a beam search (Z22 figure 4a).",
        _matches,
    ),
    (
        "Style",
        "How like the names in generated tests are to those of the developers' test (Z22 figure "
        "4b): box, quartiles and median.",
        _styles,
    ),
    (
        "Loss against cost",
        "Loss on the pairs that stop the training, against operations spent, one line a training "
        "(Z22 figure 5). Lower and further left is better.",
        _losses,
    ),
    (
        "Learning curve",
        "Gain over the best untrained method against the number of training pairs, with its 95 % "
        "interval. Above the line, training pays.",
        _curve,
    ),
)
