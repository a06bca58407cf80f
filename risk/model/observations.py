"""What the risk model sees: published counts by area, quarter, pathway and way, with their channel.

Read from a release alone (`of`, `of_public`), or from an invented world for studies that need no vault
(`of_world`). Expected children are people times the national share of children: provisional, until child
populations are imported. The share moves nothing but a country's intercept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Channel
from data.errors import ReleaseError
from data.release import Release
from data.tables.spec import CATEGORIES, Tier, table_name
from data.workspace.types import Bools, Floats, Ints
from geo import areas as geography
from risk.laplace.graph import edges_of
from risk.laplace.likelihood import HIDDEN, MISSING
from risk.numbers import CHILD_SHARE, USUAL_SHARE

PATHWAYS, WAYS = CATEGORIES["crossing"], CATEGORIES["found"]
# Which crossing each known pathway is; "none_known", the last, is neither.
CROSSING = (0, 1, 1)
ALL = ("all",)  # where nothing is told apart
LEAST_EXPECTED = 1.0
_OPEN = 1.5  # a class without an upper end stands for so many times its lower


@dataclass(frozen=True, eq=False)
class Observations:
    """Published counts and what they are judged by.

    areas, countries : codes, one each an area; only areas with at least one expected child.
    expected : children who live there, (areas,).
    quarters, pathways, ways : what tells the counts apart; quarters are period identifiers in order.
    published : (areas, quarters, pathways, ways), MISSING where nothing can be used, HIDDEN where it is
        known to be below the threshold.
    effort : days of outreach, (areas, quarters), 0 where none is recorded.
    edges : pairs of neighbours by position, (n, 2).
    channel : P(published | true count); None where counts are exact.
    whole : published counts of the whole time, (areas, pathways), MISSING where there is none; with the
        variance of their noise, of the same shape. Far more exact than the sum of the quarters.
    covariates : (areas, c), of which `covariate_names` are the names. Never communities or ethnicity.
    """

    areas: tuple[str, ...]
    countries: tuple[str, ...]
    expected: Floats
    quarters: tuple[str, ...]
    pathways: tuple[str, ...]
    ways: tuple[str, ...]
    published: Ints
    effort: Floats
    edges: Ints
    channel: Channel | None
    tier: Tier
    whole: Ints | None = None
    whole_noise: Floats = field(default_factory=lambda: np.zeros(1))
    covariates: Floats | None = None
    covariate_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that all shapes belong together; raise ReleaseError where one does not."""
        counts = (len(self.areas), len(self.quarters), len(self.pathways), len(self.ways))
        shapes = {
            "published": (self.published.shape, counts),
            "effort": (self.effort.shape, counts[:2]),
            "expected": (self.expected.shape, counts[:1]),
            "countries": ((len(self.countries),), counts[:1]),
        }
        for name, (shape, wanted) in shapes.items():
            if shape != wanted:
                msg = f"{name} has shape {shape}; the areas, quarters, pathways and ways ask for {wanted}."
                raise ReleaseError(msg)

    @property
    def features(self) -> Floats:
        """The covariates, (areas, c), c being 0 where there are none."""
        return np.zeros((len(self.areas), 0)) if self.covariates is None else self.covariates

    @property
    def searched(self) -> Bools:
        """Where and when outreach is recorded, (areas, quarters). It concerns discovered finds only."""
        return np.asarray(self.effort > 0)

    @property
    def usual_effort(self) -> float:
        """The geometric mean of days where outreach is recorded, by which effort is measured; 1 without."""
        return float(np.exp(np.log(self.effort[self.searched]).mean())) if self.searched.any() else 1.0

    @property
    def usable(self) -> Bools:
        """Which counts the model learns from: not where nothing could be discovered, same shape."""
        possible = np.ones(self.published.shape, bool)
        if "discovered" in self.ways:
            possible[..., self.ways.index("discovered")] = self.searched[..., None]
        return np.asarray(possible & (self.published != MISSING))

    @property
    def country_names(self) -> tuple[str, ...]:
        """The countries, each once, in order."""
        return tuple(sorted(set(self.countries)))

    @property
    def country_of(self) -> Ints:
        """Position of each area's country, (areas,)."""
        return np.searchsorted(np.array(self.country_names), np.array(self.countries)).astype(np.int64)

    def up_to(self, quarters: int) -> Observations:
        """Keep the first quarters alone, as they were known then: for a rolling origin."""
        return replace(
            self,
            whole=None,
            quarters=self.quarters[:quarters],
            published=self.published[:, :quarters],
            effort=self.effort[:, :quarters],
        )

    @classmethod
    def of(
        cls, release: Release, areas: geography.Areas | None = None, level: str = "region"
    ) -> Observations:
        """Read the model table of a release of the partner tier; neighbours are the release's own areas.

        Raises ReleaseError where the release has no model table of that level.
        """
        counts = release.table(table_name("model", level, "quarter", "crossing", "found"))
        effort = release.table(table_name("effort", level, "quarter"))
        places = _Places.of(release, areas, level)
        quarters = tuple(sorted(counts["period"].unique()))
        published = _lay_out(counts, places, quarters, {"crossing": PATHWAYS, "found": WAYS})
        channel = build_channel(_mechanism(release), published, None)
        days = effort.assign(days=effort["value"].astype(float).fillna(0.0))
        return cls(
            *places.head,
            quarters,
            PATHWAYS,
            WAYS,
            published,
            _days(days, places, quarters),
            places.edges,
            channel,
            release.tier,
            *_whole(release, places, channel, level),
        )

    @classmethod
    def of_public(cls, release: Release, areas: geography.Areas | None = None) -> Observations:
        """Read all children by region and year of a release of the public tier, and the classes of effort.

        Numbers below the release's threshold are hidden, which is an outcome of its channel. A class of
        effort stands for its middle.
        """
        counts = release.table(table_name("children", "region", "year"))
        effort = release.table(table_name("effort", "region", "year"))
        places = _Places.of(release, areas, "region")
        years = tuple(sorted(counts["period"].unique()))
        published = _lay_out(counts, places, years, {})[..., None, None]
        upper = effort["high"].astype(float).fillna(_OPEN * effort["low"].astype(float))
        days = effort.assign(days=(effort["low"].astype(float) + upper) / 2.0)
        return cls(
            *places.head,
            years,
            ALL,
            ALL,
            published,
            _days(days, places, years),
            places.edges,
            build_channel(_mechanism(release), published, release.k),
            release.tier,
        )


def merge_crossings(counts: Ints) -> Ints:
    """Add the pathways across a border up, (areas, periods, pathways, ways); negative where a part is."""
    parts = [counts[:, :, [i for i, c in enumerate(CROSSING) if c == crossing]] for crossing in (0, 1)]
    totals = [np.where((p < 0).any(axis=2), p.min(axis=2), p.sum(axis=2)) for p in parts]
    return np.stack(totals, axis=2)


@dataclass(frozen=True, eq=False)
class _Places:
    """The areas of a release that the model knows: those with people."""

    codes: list[str]
    countries: tuple[str, ...]
    expected: Floats
    edges: Ints

    @property
    def head(self) -> tuple[tuple[str, ...], tuple[str, ...], Floats]:
        return tuple(self.codes), self.countries, self.expected

    @classmethod
    def of(cls, release: Release, areas: geography.Areas | None, level: str) -> _Places:
        known = geography.read(release.areas_file) if areas is None else areas
        figures = release.table("figures")
        people = figures[figures["measure"] == "population"].sort_values("year", kind="stable")
        newest = people.groupby("area")["number"].last()
        frame = known.frame(level)
        share = frame["country"].map(CHILD_SHARE).fillna(USUAL_SHARE).astype(float)
        expected = newest.reindex(frame.index).astype(float) * share
        kept = expected[expected >= LEAST_EXPECTED].index
        if not len(kept):
            msg = f"Release {release.name!r} has no population of level {level!r}: fit a wider one."
            raise ReleaseError(msg)
        codes = [str(code) for code in kept]
        countries = tuple(str(c) for c in frame.loc[kept, "country"])
        return cls(codes, countries, expected[kept].to_numpy(), edges_of(codes, known.neighbours(level)))


def _whole(release: Release, places: _Places, channel: Channel, level: str) -> tuple[Ints | None, Floats]:
    """Read the counts of the whole time by pathway, and the variance of their noise.

    They hold children at risk too, who are on no pathway unless their records say so.
    """
    name = table_name("children", level, "whole", "pathway")
    if name not in release.tables or not channel.largest:
        return None, np.zeros(len(PATHWAYS))
    table = release.table(name)
    laid = _lay_out(table, places, tuple(table["period"].unique()[:1]), {"pathway": CATEGORIES["pathway"]})
    return merge_crossings(laid[:, :, :, None])[:, 0, :, 0], noise_variance(channel, laid[:, 0])


def noise_variance(channel: Channel, parts: Ints) -> Floats:
    """Give the variance of the noise of counts of pathways, (areas, parts), added up by crossing."""
    variance = channel.variance()[np.clip(parts, 1, channel.n_max)]  # nobody knows a true zero
    by_crossing = [variance[:, [i for i, c in enumerate(CROSSING) if c == at]].sum(axis=1) for at in (0, 1)]
    return np.stack(by_crossing, axis=1)


def _lay_out(
    table: pd.DataFrame, places: _Places, periods: Sequence[str], categories: dict[str, tuple[str, ...]]
) -> Ints:
    """Lay the rows of a table out as an array, (areas, periods, *categories), by their state."""
    value = table["value"].astype(float).fillna(0.0).to_numpy()
    state = table["state"].to_numpy()
    number = np.full(len(table), MISSING, np.int64)
    number[state == "number"] = value[state == "number"].astype(np.int64)
    # A noisy zero is a number like any other, and so is one where nobody looked: `usable` sorts that out.
    number[np.isin(state, ("almost_none", "not_searched"))] = 0
    number[state == "few"] = HIDDEN
    levels = [places.codes, list(periods), *(list(names) for names in categories.values())]
    index = pd.MultiIndex.from_frame(table[["area", "period", *categories]].astype(str))
    full = pd.MultiIndex.from_product(levels)
    laid = pd.Series(number, index=index).reindex(full, fill_value=MISSING)
    return laid.to_numpy().reshape([len(level) for level in levels])


def _days(table: pd.DataFrame, places: _Places, periods: Sequence[str]) -> Floats:
    """Lay days of outreach out, (areas, periods); 0 where none are recorded."""
    index = pd.MultiIndex.from_frame(table[["area", "period"]].astype(str))
    full = pd.MultiIndex.from_product([places.codes, list(periods)])
    laid = pd.Series(table["days"].to_numpy(dtype=float), index=index).reindex(full, fill_value=0.0)
    return laid.to_numpy().reshape(len(places.codes), len(periods))


def _mechanism(release: Release) -> CellKey:
    return CellKey.from_manifest(release.manifest["tact"])


def build_channel(mechanism: CellKey, published: Ints, k: int | None) -> Channel:
    """Give the channel for counts as large as can stand behind what is published."""
    reach = mechanism.knowledge(1, k).largest
    return mechanism.channel(max(int(published.max(initial=0)), k or 0) + reach, 1, k)
