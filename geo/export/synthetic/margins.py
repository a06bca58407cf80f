"""The published counts of children of a release as margins of cells: areas x periods x categories of one breakdown.

The cells are those of the finest areas and of the shortest periods that the release counts children for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from data.errors import InputError
from data.release import Release
from data.tables.periods import Period
from data.tables.shown import choose_numbers
from data.tables.spec import CATEGORIES
from geo.export.synthetic.fitting import Margin
from geo.layers.reading import tables

_MEASURE = "children"
TOTAL = ""  # the breakdown of totals


@dataclass(frozen=True, eq=False)
class Published:
    """The counts of children that a release publishes.

    frames : for each breakdown (TOTAL, or a column of CATEGORIES) its tables by name, with the columns area, period,
    category, state, low and high. A published number is in both low and high; a hidden number lies between them.
    containers : the area that contains each area, by code.
    """

    frames: Mapping[str, Mapping[str, pd.DataFrame]]
    containers: Mapping[str, str]
    _rows: pd.DataFrame = field(repr=False)

    @cached_property
    def areas(self) -> tuple[str, ...]:
        """The codes of the areas with counts that contain no other such area, sorted."""
        present = sorted(self._rows["area"].unique())
        around = {self.containers.get(area, "") for area in present}
        return tuple(area for area in present if area not in around)

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        """The periods with counts that contain no other such period, oldest first."""
        every = sorted(map(Period.parse, self._rows["period"].unique()))
        return tuple(p for p in every if not any(p != other and p.contains(other) for other in every))

    def list_margins(self, breakdown: str) -> list[Margin]:
        """Return the tables of a breakdown as margins of the flattened cells (areas, periods, categories).

        For totals, the sums of the other tables over their categories come first.
        """
        named = dict(self.frames.get(breakdown, {}))
        if breakdown == TOTAL:
            others = {
                name: frame for by, of_breakdown in self.frames.items() if by for name, frame in of_breakdown.items()
            }
            named = {name: _add_categories(frame) for name, frame in others.items()} | named
        return [self._build_margin(name, frame, breakdown) for name, frame in named.items()]

    def _build_margin(self, name: str, frame: pd.DataFrame, breakdown: str) -> Margin:
        inside = [[row in (area, self.containers.get(area)) for area in self.areas] for row in frame["area"]]
        parsed = [Period.parse(text) for text in frame["period"]]
        during = [[row.contains(period) for period in self.periods] for row in parsed]
        same = [[row == category for category in list_categories(breakdown)] for row in frame["category"]]
        members = np.einsum("ra,rp,rc->rapc", *(np.array(part, bool) for part in (inside, during, same)))
        ends = (frame[end].to_numpy(float) for end in ("low", "high"))
        return Margin(name, members.reshape(len(frame), -1), *ends)


def _add_categories(frame: pd.DataFrame) -> pd.DataFrame:
    sums = frame.groupby(["area", "period"], sort=False)[["low", "high"]].sum()
    return sums.reset_index().assign(category=TOTAL)


def list_categories(breakdown: str) -> tuple[str, ...]:
    """Return the categories of a breakdown; totals have one, without a name."""
    return CATEGORIES[breakdown] if breakdown else (TOTAL,)


def has_counts(release: Release) -> bool:
    """Return whether a release counts children."""
    return any((r.get("tact") or {}).get("measure") == _MEASURE for r in release.manifest["resources"])


def read_published(release: Release) -> Published:
    """Read the counts of children of a release. Raises InputError if it has none."""
    if not has_counts(release):
        raise InputError(f"Release {release.name} has no counts of children, so there is nothing to agree with.")
    frames: dict[str, dict[str, pd.DataFrame]] = {}
    for resource in release.manifest["resources"]:
        about = resource.get("tact") or {}
        if about.get("measure") == _MEASURE and len(about["breakdown"]) <= 1:
            breakdown = next(iter(about["breakdown"]), TOTAL)
            frame = release.table(resource["name"])
            # A shown number, adjusted so that parts add up, is both limits; one below the threshold is 0 to k - 1; an
            # area without the programme has 0; all other cells have 0 and infinity.
            number = choose_numbers(frame, 0.0)["value"].to_numpy()
            number = np.where(np.isnan(number) & (frame["state"] == "structural_zero").to_numpy(), 0.0, number)
            most = np.where((frame["state"] == "few").to_numpy(), release.k - 1.0, np.inf)
            known = ~np.isnan(number)
            low, high = np.where(known, number, 0.0), np.where(known, number, most)
            category = frame[breakdown] if breakdown else TOTAL
            frame = frame[["area", "period", "state"]].assign(category=category, low=low, high=high)
            frames.setdefault(breakdown, {})[str(resource["name"])] = frame
    parents = tables.load_areas(release)["parent"]
    rows = pd.concat([frame for named in frames.values() for frame in named.values()])
    return Published(frames, {str(code): str(parent) for code, parent in parents.items()}, rows)
