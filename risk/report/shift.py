"""Whether the share of internal trafficking changed between the first and the last year, area by area.

The test reads the published counts and not the model, so no shift is smoothed over neighbouring areas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from data.disclosure.channel import Channel
from data.tables.periods import Period
from risk.model.observations import Observations
from risk.report.trends import Rules, ShareVerdict, compare_shares

# Durrës and Tirana, where the programme expects internal trafficking to grow. They are also tested together,
# because each alone is small.
WATCHED = ("AL-02", "AL-11")
_YEAR = 4  # quarters


@dataclass(frozen=True)
class AreaShift:
    """The share of internal trafficking in some areas, in the last year compared with the first.

    before, after : shares in per cent. low, high : 95 % interval of their difference, in percentage points.
    probability : that the share rose.
    """

    areas: tuple[str, ...]
    before: float
    after: float
    low: float
    high: float
    probability: float
    verdict: ShareVerdict

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> AreaShift:
        """Read a shift from the manifest of a result. Results of earlier versions have no verdict."""
        numbers = {name: float(values[name]) for name in ("before", "after", "low", "high", "probability")}
        return cls(tuple(values["areas"]), **numbers, verdict=values.get("verdict", "unclear"))


def describe_shifts(observations: Observations, seed: int) -> dict[str, Any]:
    """Return the shifts of the watched areas together and of each area, with the two years compared."""
    watched = [observations.areas.index(code) for code in WATCHED if code in observations.areas]
    groups = [watched, *([i] for i in range(len(observations.areas)))]
    first, last = (Period.parse(observations.quarters[i]) for i in (0, -1))
    return {
        "first_year": first.start.isoformat(),
        "last_year_ends": last.end.isoformat(),
        "shifts": [asdict(shift) for shift in find_shifts(observations, groups, seed)],
    }


def find_shifts(observations: Observations, groups: Iterable[Sequence[int]], seed: int = 0) -> list[AreaShift]:
    """Test groups of areas, given by their positions. Groups where nobody was met in a year are left out.

    The list is empty if there are fewer than two years or two pathways.
    """
    if len(observations.quarters) < 2 * _YEAR or len(observations.pathways) < 2:
        return []
    shifts = (_test_group(observations, list(group), seed) for group in groups)
    return [shift for shift in shifts if shift is not None]


def _test_group(observations: Observations, group: list[int], seed: int) -> AreaShift | None:
    counts = np.maximum(observations.published[group], 0)
    parts = [counts[:, part] for part in (slice(None, _YEAR), slice(-_YEAR, None))]
    years = [part.sum(axis=(0, 1, 3)) for part in parts]
    if min(year.sum() for year in years) == 0:
        return None
    channel = observations.channel
    noise = 0.0 if channel is None else max(_noise_variance(channel, part) for part in parts)
    rules = Rules(looks=len(observations.quarters) - 2 * _YEAR + 1, noise_variance=noise)
    before, after = ((float(year[0]), float(year.sum())) for year in years)
    shift = compare_shares(before, after, rules=rules, seed=seed)
    low, high = shift.interval
    return AreaShift(
        areas=tuple(observations.areas[i] for i in group),
        before=round(100 * shift.before, 1),
        after=round(100 * shift.after, 1),
        low=round(100 * low, 1),
        high=round(100 * high, 1),
        probability=round(shift.probability, 4),
        verdict=shift.verdict,
    )


def _noise_variance(channel: Channel, counts: np.ndarray) -> float:
    """Return the variance of the noise in the sum of some counts, as the mean over the pathways."""
    variance = channel.variance()[np.clip(counts, 1, channel.n_max)]
    return float(variance.sum() / counts.shape[2])
