"""One figure: what we reach, what the limit reaches, and their ratio over interleaved rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

ROUNDS = 7
# Half of the rounds' ratios lie within this share of the median, or the run was too noisy to be believed.
BELIEVABLE = 0.30

Measure = Callable[[], float]  # one round: how many of its unit


@dataclass(frozen=True)
class Figure:
    """A line of the table. `reach` is the ratio that the figure must have at least, or at most if `at_most`.

    `value` and `limit_value` are medians in `unit`; `ratio` is the median of the rounds' ratios, `spread` the distance
    between their quartiles as a share of it. A figure without a limit has a ratio of None.
    """

    name: str
    unit: str
    value: float
    limit_name: str = ""
    limit_value: float | None = None
    ratio: float | None = None
    reach: float | None = None
    at_most: bool = False
    spread: float = 0.0
    note: str = ""

    @property
    def is_noisy(self) -> bool:
        """Whether the rounds disagree too much for the ratio to mean anything."""
        return self.spread > BELIEVABLE

    @property
    def is_reached(self) -> bool | None:
        """Whether it is as good as it must be; None where nothing is asked, or the run was too noisy to say."""
        measured = self.ratio if self.ratio is not None else self.value
        if self.reach is None or self.is_noisy:
            return None
        return measured <= self.reach if self.at_most else measured >= self.reach

    def as_result(self) -> dict[str, object]:
        """What bench/results.json says of it: the six keys of the public contract, and the rest."""
        return asdict(self) | {"is_noisy": self.is_noisy, "is_reached": self.is_reached}


def compare(
    name: str,
    ours: Measure,
    limit: Measure,
    *,
    unit: str,
    limit_name: str,
    reach: float | None = None,
    at_most: bool = False,
    rounds: int = ROUNDS,
    note: str = "",
) -> Figure:
    """Measure ours and the limit in turns, the first of a round changing, after one round that does not count."""
    ours(), limit()
    pairs = [_round(ours, limit, limit_first=bool(number % 2)) for number in range(rounds)]
    ratios = [one / other for one, other in pairs]
    return Figure(
        name=name,
        unit=unit,
        value=statistics.median(one for one, _ in pairs),
        limit_name=limit_name,
        limit_value=statistics.median(other for _, other in pairs),
        ratio=statistics.median(ratios),
        reach=reach,
        at_most=at_most,
        spread=spread(ratios),
        note=note,
    )


def _round(ours: Measure, limit: Measure, *, limit_first: bool) -> tuple[float, float]:
    if limit_first:
        second = limit()
        return ours(), second
    first = ours()
    return first, limit()


def spread(values: Sequence[float]) -> float:
    """The distance between the quartiles as a share of the median; 0 for fewer than three values."""
    if len(values) < 3:  # two values have no quartiles
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / middle
