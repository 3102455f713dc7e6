"""Line charts as SVG, drawn without a script: they scale, follow the theme, can be read aloud."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Chart", "Line", "Mark", "chart"]

WIDTH, HEIGHT = 640, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 16, 44
_MOST_POINTS = 200
"""Of one line; more than the screen can show."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One line of a chart."""

    name: str
    """In the legend; also its class in the style sheet, by its first word."""
    points: Sequence[Point]
    """(step, loss), by step."""

    @property
    def kind(self) -> str:
        return self.name.split()[0]

    @property
    def last(self) -> float:
        return self.points[-1][1]


@dataclass(frozen=True)
class Mark:
    """A tick of an axis."""

    at: float
    """In units of the drawing."""
    text: str


@dataclass(frozen=True)
class Drawn:
    """A line as the template needs it."""

    line: Line
    path: str
    dots: tuple[Point, ...]
    """Where there are few points, each is shown."""


@dataclass(frozen=True)
class Chart:
    """A chart, laid out."""

    lines: tuple[Drawn, ...]
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    summary: str
    """For those who do not see it."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


def chart(lines: Sequence[Line]) -> Chart | None:
    """Lays lines out in one drawing; None where there is nothing to draw.

    Points that are no number, as the loss of a run that went wrong, are left out.

    Example:
        >>> chart([Line("adapter", [(0, 2.0), (10, 1.0)])]).summary
        'Loss by training step. adapter: from 2.00 to 1.00.'
    """
    kept = [Line(one.name, [p for p in one.points if all(map(math.isfinite, p))]) for one in lines]
    kept = [Line(one.name, _thinned(one.points)) for one in kept if one.points]
    if not kept:
        return None
    steps = [x for one in kept for x, _ in one.points]
    losses = [y for one in kept for _, y in one.points]
    low, high = _apart(min(losses), max(losses))
    end = max(*steps, 1.0)

    def place(point: Point) -> Point:
        x = _LEFT + point[0] / end * (WIDTH - _LEFT - _RIGHT)
        y = _TOP + (high - point[1]) / (high - low) * (HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    drawn = []
    for one in kept:
        places = [place(p) for p in one.points]
        path = "M" + " L".join(f"{x} {y}" for x, y in places)
        drawn.append(Drawn(one, path, tuple(places) if len(places) <= 20 else ()))
    return Chart(
        tuple(drawn),
        across=tuple(Mark(place((s, low))[0], f"{s:g}") for s in _ticks(0, end) if s.is_integer()),
        up=tuple(Mark(place((0, v))[1], f"{v:g}") for v in _ticks(low, high)),
        summary="Loss by training step. "
        + " ".join(f"{o.name}: from {o.points[0][1]:.2f} to {o.last:.2f}." for o in kept),
    )


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Means of neighbours, so that a long run costs no more to draw; the last point stays."""
    size = math.ceil(len(points) / _MOST_POINTS)
    if size < 2:
        return list(points)
    groups = [points[at : at + size] for at in range(0, len(points) - 1, size)]
    means = [(g[-1][0], sum(y for _, y in g) / len(g)) for g in groups]
    return [*means, points[-1]]


def _apart(low: float, high: float) -> Point:
    """Bounds with some air between them."""
    air = max((high - low) * 0.08, abs(high) * 0.01, 1e-6)
    return low - air, high + air


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round numbers from ``low`` to ``high``.

    Example:
        >>> _ticks(0, 57)
        [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    """
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * n for n in (1, 2, 5, 10) if unit * n >= rough * 0.8)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(n * step, 10) for n in range(first, last + 1)]
