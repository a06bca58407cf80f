"""The shift to internal trafficking as a tested statement, from the counts as published.

Of counts and not of the model, so that no area borrows a shift from others or loses one to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.disclosure.channel import Channel
from risk.model.observations import Observations
from risk.report.trends import Rules, Shift, share_shift

__all__ = ["WATCHED", "AreaShift", "shifts"]

# Durrës and Tirana, where the programme expects internal trafficking to grow: told together, since each alone
# is small.
WATCHED = ("AL-02", "AL-11")
_YEAR = 4


@dataclass(frozen=True)
class AreaShift:
    """The share of internal trafficking in some areas, the last year against the first."""

    areas: tuple[str, ...]
    shift: Shift

    @property
    def rose(self) -> bool:
        """Whether it is called a rise, all looks allowed for."""
        return " rose from " in self.shift.words

    def as_dict(self) -> dict[str, object]:
        """Give plain values, shares in per cent."""
        low, high = self.shift.interval
        return {
            "areas": list(self.areas),
            "before": round(100 * self.shift.before, 1),
            "after": round(100 * self.shift.after, 1),
            "low": round(100 * low, 1),
            "high": round(100 * high, 1),
            "probability": round(self.shift.probability, 4),
            "rose": self.rose,
            "words": self.shift.words,
        }


def shifts(seen: Observations, groups: Mapping[str, Sequence[int]], seed: int = 0) -> list[AreaShift]:
    """Test each named group of areas, by position; nothing of those where nobody was met in one of the years.

    Empty where there are fewer than two years or pathways.
    """
    if len(seen.quarters) < 2 * _YEAR or len(seen.pathways) < 2:
        return []
    found = []
    for name, members in groups.items():
        shift = _shift(seen, name, list(members), seed)
        if shift is not None:
            found.append(AreaShift(tuple(seen.areas[at] for at in members), shift))
    return found


def _shift(seen: Observations, name: str, members: list[int], seed: int) -> Shift | None:
    counts = np.maximum(seen.published[members], 0)
    years = [counts[:, part].sum(axis=(0, 1, 3)) for part in (slice(None, _YEAR), slice(-_YEAR, None))]
    if min(year.sum() for year in years) == 0:
        return None
    noise = 0.0
    if seen.channel is not None:
        noise = max(
            _noise(seen.channel, counts[:, part]) for part in (slice(None, _YEAR), slice(-_YEAR, None))
        )
    rules = Rules(looks=len(seen.quarters) - 2 * _YEAR + 1, noise_variance=noise)
    before, after = ((float(year[0]), float(year.sum())) for year in years)
    return share_shift(before, after, place=name, rules=rules, seed=seed)


def _noise(channel: Channel, counts: np.ndarray) -> float:
    """Add up the variance of the noise of counts of about this size; one pathway's on average."""
    variance = channel.variance()[np.clip(counts, 1, channel.n_max)]
    return float(variance.sum() / counts.shape[2])
