"""Points of the plots, computed here so that templates only draw: no script, no chart library.

Coordinates are percentages of the plot's box, y downwards, so that an SVG with
`preserveAspectRatio="none"` stretches while labels stay HTML text (scaled SVG text is unreadable on
phones).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

LONE = 0.08  # half the width of a single step's band, in steps


class Estimate(Protocol):
    """A score with the ends of its interval."""

    @property
    def score(self) -> float:
        """Where the line runs."""

    @property
    def low(self) -> float:
        """Where the band begins."""

    @property
    def high(self) -> float:
        """Where it ends."""


class Range(Protocol):
    """A number with the ends of its interval."""

    @property
    def value(self) -> float:
        """The number."""

    @property
    def low(self) -> float:
        """Where its interval begins."""

    @property
    def high(self) -> float:
        """Where it ends."""


class Point(Protocol):
    """A step of time; None where there is nothing to draw."""

    @property
    def score(self) -> Estimate | None:
        """What is drawn."""


@dataclass(frozen=True)
class Tick:
    """A labelled line at `y` percent."""

    value: int
    y: float


@dataclass(frozen=True)
class Dot:
    """A point of the line with what it stands for."""

    x: float
    y: float
    point: Point


@dataclass(frozen=True)
class LinePlot:
    """A line with its band; `segments` and `bands` are SVG point lists, broken where a value is missing."""

    segments: list[str]
    bands: list[str]
    dots: list[Dot]
    ticks: list[Tick]


def sparkline(values: Sequence[float]) -> str:
    """SVG points in a box of 100 by 30; '' when there is nothing to see."""
    if not any(values):
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = 100 / max(len(values) - 1, 1)
    return " ".join(f"{place * step:.1f},{28 - 26 * (value - low) / span:.1f}" for place, value in enumerate(values))


def bar(value: int, most: int) -> float:
    """A bar's length in percent; something that is not nothing can be seen."""
    return max(100 * value / most, 1.5) if value and most else 0


@dataclass(frozen=True)
class Margin:
    """A dot and the bar of its margin, in percent of the track."""

    dot: float
    start: float
    width: float


def margin(found: Range, most: float) -> Margin:
    """A number with its margin on a track from nothing to `most`; what lies outside is cut off."""

    def place(value: float) -> float:
        return min(max(100 * value / most, 0), 100) if most > 0 else 0

    return Margin(place(found.value), place(found.low), place(found.high) - place(found.low))


@dataclass(frozen=True)
class Column:
    """A step of time with one column for each series, in percent of the box."""

    label: str
    heights: list[float]


def columns(labels: Sequence[str], series: Sequence[Sequence[int]]) -> list[Column]:
    """Columns of several series side by side, on one scale from nothing to the most; below nothing is no column."""
    most = max((value for values in series for value in values), default=0)
    heights = [[bar(max(value, 0), most) for value in values] for values in series]
    return [Column(label, [each[place] for each in heights]) for place, label in enumerate(labels)]


def score_plot(points: Sequence[Point]) -> LinePlot:
    """The score by steps of time with its margin, on a scale that holds all of it."""
    bounds = [bound for point in points if point.score for bound in (point.score.low, point.score.high)]
    low, high = _scale(bounds)
    runs = _runs(points)
    width = 100 / max(len(points) - 1, 1)

    def place(index: float, value: float) -> str:
        return f"{index * width:.2f},{_y(value, low, high):.2f}"

    segments, bands = [], []
    for run in runs:
        scores = [(index, point.score) for index, point in run if point.score]
        segments.append(" ".join(place(index, one.score) for index, one in scores))
        # A step without neighbours gets a narrow band, or its margin could not be seen.
        edges = [(index - LONE, one) for index, one in scores] + [(index + LONE, one) for index, one in scores]
        banded = edges if len(scores) == 1 else scores
        upper = [place(index, one.high) for index, one in banded]
        lower = [place(index, one.low) for index, one in reversed(banded)]
        bands.append(" ".join(upper + lower))
    dots = [
        Dot(index * width, _y(point.score.score, low, high), point) for index, point in enumerate(points) if point.score
    ]
    return LinePlot(segments, bands, dots, _ticks(low, high))


def _runs(points: Sequence[Point]) -> list[list[tuple[int, Point]]]:
    """Stretches of neighbours that all have a score."""
    runs: list[list[tuple[int, Point]]] = [[]]
    for index, point in enumerate(points):
        if point.score:
            runs[-1].append((index, point))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _scale(bounds: list[float]) -> tuple[int, int]:
    """Round limits around the values, within -100..100."""
    low, high = (min(bounds), max(bounds)) if bounds else (0, 100)
    step = 20
    return max(-100, int(low // step) * step), min(100, -int(-high // step) * step)


def _y(value: float, low: int, high: int) -> float:
    inside = min(max(value, low), high)
    return 100 * (high - inside) / ((high - low) or 1)


def _ticks(low: int, high: int) -> list[Tick]:
    step = 20 if high - low <= 100 else 50
    first = -(-low // step) * step
    return [Tick(value, _y(value, low, high)) for value in range(first, high + 1, step)]
