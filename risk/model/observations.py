"""The input of the risk model: published counts by area, quarter, pathway and way of finding.

They are read only from a release. Expected children are people times the national share of children,
docs/risk-model.md eq. (1), until child populations are imported: the share changes only a country's intercept. People
between two censuses are interpolated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Channel
from data.errors import ReleaseError
from data.release import Release
from data.release.completeness import Finding
from data.tables.periods import Period
from data.tables.population import interpolate_population
from data.tables.shown import count_draws
from data.tables.spec import CATEGORIES, Level, Tier, table_name
from data.workspace.types import Bools, Floats, Ints
from geo import areas as geography
from risk.laplace.graph import find_edges
from risk.laplace.likelihood import HIDDEN, MISSING
from risk.model.breaks import Break
from risk.numbers import CHILD_SHARE, USUAL_SHARE

PATHWAYS, WAYS = CATEGORIES["crossing"], CATEGORIES["found"]
# The position in PATHWAYS of the crossing of each known pathway; "none_known", the last, has none.
CROSSING = (0, 1, 1)
ALL = ("all",)  # the one label of an axis that is not split
LEAST_EXPECTED = 1.0
_YEAR = 4  # quarters
_OPEN = 1.5  # upper end of an open class, as a multiple of its lower end


@dataclass(frozen=True, eq=False)
class Observations:
    """Published counts, with the data that explain them. A areas, T quarters, P pathways, W ways.

    areas, countries : code and country of each area, A each; only areas with at least one expected child.
    expected : children who live in each area in each quarter, (A, T).
    quarters, pathways, ways : labels of the axes of the counts; quarters are period identifiers in order.
    published : counts, (A, T, P, W); MISSING where unknown, HIDDEN where below the threshold of the release.
    effort : days of outreach, (A, T), 0 where none is recorded.
    edges : pairs of positions of areas that touch, (n, 2).
    channel : P(published | true count); None where counts are exact.
    totals : published counts of the whole time, (A, P), MISSING where an area has no number; None if the release has
        no totals. A total is far more exact than a sum of noisy quarters.
    total_noise : variance of the noise of the totals, (A, P).
    covariates : (A, c). Never communities or ethnicity.
    regions : code of the region of each area, A, where the areas are municipalities; None where they are regions.
    breaks : series breaks that a person accepted. turns : quarters from which a partner with a good share of the
        records of a country sent some, or none; they warn of changes and change no fit.
    share_found : lowest and highest share of the children in need who were met, of each country for which the release
        has an interval of their number. For other countries it is assumed: risk/model/detection.py.
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
    totals: Ints | None = None
    total_noise: Floats = field(default_factory=lambda: np.zeros(1))
    covariates: Floats | None = None
    regions: tuple[str, ...] | None = None
    breaks: tuple[Break, ...] = ()
    turns: tuple[Break, ...] = ()
    share_found: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the shapes of `published`, `effort`, `expected` and `countries`; raise ReleaseError if one is wrong."""
        counts = (len(self.areas), len(self.quarters), len(self.pathways), len(self.ways))
        shapes = {
            "published": (self.published.shape, counts),
            "effort": (self.effort.shape, counts[:2]),
            "expected": (self.expected.shape, counts[:2]),
            "countries": ((len(self.countries),), counts[:1]),
        }
        for name, (shape, wanted) in shapes.items():
            if shape != wanted:
                raise ReleaseError(f"{name} has shape {shape}; the areas, quarters, pathways and ways need {wanted}.")

    @property
    def features(self) -> Floats:
        """The covariates, (A, c), with c = 0 where there are none."""
        return np.zeros((len(self.areas), 0)) if self.covariates is None else self.covariates

    @property
    def living(self) -> Floats:
        """Children who live in each area, on average over the quarters, (A,).

        These weights are the same in all quarters: a country's rate is compared over time as if nobody moved.
        """
        return np.asarray(self.expected.mean(axis=1))

    @property
    def living_share(self) -> Floats:
        """Share (0 to 1) of their country's children who live in each area, (A,)."""
        return np.asarray(self.living / np.bincount(self.country_of, self.living)[self.country_of])

    @property
    def has_outreach(self) -> Bools:
        """Whether outreach is recorded in each area and quarter, (A, T)."""
        return np.asarray(self.effort > 0)

    @property
    def usual_effort(self) -> float:
        """Geometric mean of the outreach days of a region in a quarter with outreach, docs/risk-model.md eq. (2).

        It is 1 if no outreach is recorded.
        """
        days = self.effort if self.regions is None else self.region_members @ self.effort
        return float(np.exp(np.log(days[days > 0]).mean())) if (days > 0).any() else 1.0

    @property
    def before_breaks(self) -> Bools:
        """Whether counts of an area and quarter have the meaning from before each break, (breaks, A, T).

        Breaks outside the quarters, and breaks that affect no area, are left out: their level cannot be estimated.
        """
        return self.mark_before(self.breaks)

    def mark_before(self, breaks: Iterable[Break]) -> Bools:
        """Return whether a quarter of an area is before each break that affects one, (breaks, A, T)."""
        rows = [
            [[b.concerns(area) and quarter < b.period for quarter in self.quarters] for area in self.areas]
            for b in breaks
            if self.quarters[0] < b.period <= self.quarters[-1] and any(b.concerns(area) for area in self.areas)
        ]
        return np.array(rows, bool).reshape(-1, len(self.areas), len(self.quarters))

    @property
    def region_of(self) -> Ints:
        """Position of each area's region among the regions in order of their codes, (A,).

        Where the areas are regions, each is its own region.
        """
        codes = np.array(self.areas if self.regions is None else self.regions)
        return np.unique(codes, return_inverse=True)[1].astype(np.int64)

    @property
    def region_members(self) -> Floats:
        """1 where an area belongs to a region, else 0, (R, A) for R regions in order of their codes."""
        region_of = self.region_of
        return np.asarray(np.arange(region_of.max() + 1)[:, None] == region_of, np.float64)

    def log_outreach(self, gamma: Floats) -> Floats:
        """Return the log ratio of the children that outreach discovers to those at usual effort, (D, A, T).

        gamma : exponents of effort, (D,). For regions it is gamma times eq. (2). For municipalities it is eq. (74): a
        region's discovered children depend on all its days, and are divided in proportion to children x days^gamma, so
        that both levels expect the same number in a region. The ratio is 0 where no outreach is recorded.
        """
        searched, unit = self.has_outreach, self.usual_effort
        power = gamma[:, None, None]
        log_days = np.log(np.where(searched, self.effort, unit) / unit)
        if self.regions is None:
            return np.asarray(power * log_days)
        members, living = self.region_members, self.expected
        days = members @ self.effort
        anywhere = days > 0
        reach = np.where(searched, np.exp(power * log_days), 0.0)
        inside = np.where(anywhere, members @ (living * reach), members @ living) / (members @ living)
        together = power * np.log(np.where(anywhere, days, unit) / unit) - np.log(inside)
        return np.asarray(np.where(searched, power * log_days + together[:, self.region_of], 0.0))

    @property
    def usable(self) -> Bools:
        """Mask of the counts from which the model learns, in the shape of `published`.

        MISSING counts are left out. So are discovered children without outreach: a zero contains no information there.
        """
        possible = np.ones(self.published.shape, bool)
        if "discovered" in self.ways:
            possible[..., self.ways.index("discovered")] = self.has_outreach[..., None]
        return np.asarray(possible & (self.published != MISSING))

    @property
    def unexplained(self) -> Ints:
        """Children in the published counts from which the model cannot learn, in the shape of `published`.

        They were discovered where no outreach is recorded. They are still children who were found.
        """
        return np.where(self.usable, 0, np.maximum(self.published, 0))

    @property
    def has_all_children(self) -> Bools:
        """Whether the usable counts of an area and pathway hold all its children, (A, P): the others are zero."""
        return np.asarray((self.usable | (self.published == 0)).all(axis=(1, 3)))

    @property
    def count_noise(self) -> Floats:
        """Variance of the noise of each count, in the shape of `published`; 0 where no number is known."""
        if self.channel is None:
            return np.zeros(self.published.shape)
        variance = self.channel.variance()[np.clip(self.published, 1, self.channel.n_max)]  # a true zero is never known
        return np.where(self.published >= 0, variance, 0.0)

    @property
    def country_names(self) -> tuple[str, ...]:
        """The codes of the countries, each once, sorted."""
        return tuple(sorted(set(self.countries)))

    @property
    def whole_time(self) -> str:
        """The identifier of the whole time that was observed."""
        first, last = (Period.parse(self.quarters[i]) for i in (0, -1))
        return Period(first.start, last.end, "whole").id

    @property
    def silent_places(self) -> frozenset[str]:
        """The codes of countries in which nobody was counted and no outreach is recorded, and of all their areas."""
        heard = (self.published > 0).any(axis=(1, 2, 3)) | self.has_outreach.any(axis=1)
        if self.totals is not None:
            heard |= (self.totals > 0).any(axis=1)
        silent = set(self.countries) - set(np.array(self.countries)[heard].tolist())
        return frozenset(silent).union(self.list_areas_in(silent))

    def list_areas_in(self, countries: Collection[str]) -> list[str]:
        """List the codes of all areas in these countries."""
        return [area for area, country in zip(self.areas, self.countries, strict=True) if country in countries]

    @property
    def country_of(self) -> Ints:
        """Position of each area's country in `country_names`, (A,)."""
        return np.searchsorted(np.array(self.country_names), np.array(self.countries)).astype(np.int64)

    def continue_effort(self, quarters: int) -> Floats:
        """Return the days of outreach in each of the next quarters at the last year's mean effort, (A, quarters)."""
        return np.repeat(self.effort[:, -_YEAR:].mean(axis=1)[:, None], quarters, axis=1)

    def leave_out(self, gaps: Iterable[Finding]) -> Observations:
        """Return the observations without the children discovered where and when outreach days are incomplete.

        docs/risk-model.md eq. (160): a count is no measure of need if the days behind it are unknown. Children who were
        reported stay.
        """
        published, discovered = self.published.copy(), self.ways.index("discovered")
        for gap in gaps:
            inside = np.array(self.countries)[:, None] == gap.country
            published[inside & [gap.covers(quarter) for quarter in self.quarters], :, discovered] = MISSING
        return replace(self, published=published)

    def up_to(self, quarters: int) -> Observations:
        """Return the observations of the first `quarters` quarters.

        Totals and shares of children met are left out, because they include later quarters.
        """
        return replace(
            self,
            totals=None,
            share_found={},
            quarters=self.quarters[:quarters],
            expected=self.expected[:, :quarters],
            published=self.published[:, :quarters],
            effort=self.effort[:, :quarters],
        )

    @classmethod
    def from_release(
        cls, release: Release, areas: geography.Areas | None = None, level: Level = "region"
    ) -> Observations:
        """Read the model table of a level from a release of the partner tier; areas default to those of the release.

        Raises ReleaseError where the release lacks a table that is needed, has no population of the level, or lacks
        the population of a municipality.
        """
        counts = release.table(table_name("model", level, "quarter", "crossing", "found"))
        effort = release.table(table_name("effort", level, "quarter"))
        quarters = tuple(sorted(counts["period"].unique()))
        places = _Places.from_release(release, areas, level, quarters)
        k = release.find_threshold(level)
        published = _fill_array(counts, places, quarters, {"crossing": PATHWAYS, "found": WAYS}, k)
        channel = build_channel(CellKey.from_manifest(release.manifest["tact"]), published, k if k > 1 else None)
        # A sum of the years that are shown is no total.
        totals, total_noise = (
            (None, np.zeros(len(PATHWAYS))) if k > 1 else _read_totals(release, places, channel, level)
        )
        return cls(
            tuple(places.codes),
            places.countries,
            places.expected,
            quarters,
            PATHWAYS,
            WAYS,
            published,
            _fill_days(effort.assign(days=effort["value"].astype(float).fillna(0.0)), places, quarters),
            places.edges,
            channel,
            release.tier,
            totals,
            total_noise,
            regions=places.regions,
            share_found=read_share_found(release),
        )

    @classmethod
    def from_public_release(cls, release: Release, areas: geography.Areas | None = None) -> Observations:
        """Read all children by region and year, and classes of effort, of a release of the public tier.

        Numbers below the release's threshold are HIDDEN, which is an outcome of its channel. A class of effort counts
        as its midpoint; an open class ends at 1.5 times its lower end; a year without a class has no days. Raises
        ReleaseError while no year is final, or where the release lacks a table that is needed or the population of
        regions.
        """
        counts = release.table(table_name("children", "region", "year"))
        effort = release.table(table_name("effort", "region", "year"))
        years = tuple(sorted(counts["period"].unique()))
        if not years:
            msg = f"Release {release.name!r}: no year is final yet, so the public tier has no numbers for a model."
            raise ReleaseError(msg)
        places = _Places.from_release(release, areas, "region", years)
        published = _fill_array(counts, places, years, {})[..., None, None]
        low = effort["low"].astype(float).fillna(0.0)
        high = effort["high"].astype(float).fillna(_OPEN * low)
        return cls(
            tuple(places.codes),
            places.countries,
            places.expected,
            years,
            ALL,
            ALL,
            published,
            _fill_days(effort.assign(days=(low + high) / 2.0), places, years),
            places.edges,
            build_channel(CellKey.from_manifest(release.manifest["tact"]), published, release.k),
            release.tier,
        )


def read_share_found(release: Release) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest share (0 to 1) of the children in need who were met, by country: eq. (126).

    A country is left out if the release has no interval of its children in need, if a number of children met is
    withheld, or if their sum is 0 or larger than the upper end of the interval.
    """
    estimated, by_stage = "dark_figure_country_whole", "children_country_whole_stage"
    if not {estimated, by_stage} <= set(release.tables):
        return {}
    stages, shares = release.table(by_stage), dict[str, tuple[float, float]]()
    stages = stages[stages["stage"] != "at_risk"]  # prevention is no outcome
    intervals = release.table(estimated).query("state == 'class'")
    for area, low, high in zip(*(intervals[name].tolist() for name in ("area", "low", "high")), strict=True):
        rows = stages[stages["area"] == area]
        number = float(rows["value"].sum())
        if 0.0 < number <= high and not (rows["state"] == "withheld").any():
            shares[area] = number / high, min(number / low, 1.0)
    return shares


def merge_crossings(counts: Ints) -> Ints:
    """Add up the pathways of each crossing: (A, T, known pathways, W) to (A, T, 2, W).

    A sum with a MISSING or HIDDEN part is itself MISSING or HIDDEN; with both it is HIDDEN.
    """
    parts = [counts[:, :, [i for i, c in enumerate(CROSSING) if c == crossing]] for crossing in (0, 1)]
    sums = [np.where((p < 0).any(axis=2), p.min(axis=2), p.sum(axis=2)) for p in parts]
    return np.stack(sums, axis=2)


def noise_variance(channel: Channel, counts: Ints) -> Floats:
    """Compute the noise variance of totals by crossing, (A, 2), docs/risk-model.md eq. (3).

    counts : published totals by known pathway, (A, known pathways).
    """
    variance = channel.variance()[np.clip(counts, 1, channel.n_max)]  # a true zero is never known
    sums = [variance[:, [i for i, c in enumerate(CROSSING) if c == crossing]].sum(axis=1) for crossing in (0, 1)]
    return np.stack(sums, axis=1)


def build_channel(mechanism: CellKey, published: Ints, k: int | None) -> Channel:
    """Return the channel for the true counts from which the published values can come; `k` is its threshold.

    Its matrix ends at the latest where all larger counts have the same noise: a matrix up to thousands of children
    would fill the memory.
    """
    largest_noise = mechanism.knowledge(1, k).largest
    steady = max(mechanism.channel(0).steady, k or 0) + 3 * largest_noise
    return mechanism.channel(min(max(int(published.max(initial=0)), k or 0) + largest_noise, steady), 1, k)


@dataclass(frozen=True, eq=False)
class _Places:
    """The areas of a level of a release with at least one expected child in each period.

    The fields are those of `Observations`.
    """

    codes: list[str]
    countries: tuple[str, ...]
    expected: Floats
    edges: Ints
    regions: tuple[str, ...] | None

    @classmethod
    def from_release(
        cls, release: Release, areas: geography.Areas | None, level: Level, periods: Sequence[str]
    ) -> _Places:
        """Read areas, their people and neighbours; compute expected children, docs/risk-model.md eq. (1).

        Raises ReleaseError if no area has people, or if a municipality has no figure.
        """
        geometry = geography.read_areas(release.areas_file) if areas is None else areas
        people = interpolate_population(release.table("figures"), periods)
        frame = geometry.frame(level)
        share = frame["country"].map(CHILD_SHARE).fillna(USUAL_SHARE).astype(float)
        expected = people.reindex(frame.index).mul(share, axis=0)
        missing = expected.index[expected.isna().any(axis=1)]
        if level == "municipality" and len(missing):
            # A region is divided among all of its municipalities, so none may be left out because it has no figure.
            some = ", ".join(str(code) for code in missing[:5])
            raise ReleaseError(f"Release {release.name!r} has no population of some municipalities: {some}.")
        modelled = expected[(expected >= LEAST_EXPECTED).all(axis=1)].index
        if not len(modelled):
            raise ReleaseError(f"Release {release.name!r} has no population of level {level!r}: fit a wider one.")
        codes = [str(code) for code in modelled]
        countries = tuple(str(c) for c in frame.loc[modelled, "country"])
        edges = find_edges(codes, geometry.neighbours(level))
        regions = None if level == "region" else tuple(str(code) for code in frame.loc[modelled, "parent"])
        return cls(codes, countries, expected.loc[modelled].to_numpy(), edges, regions)


def _read_totals(release: Release, places: _Places, channel: Channel, level: Level) -> tuple[Ints | None, Floats]:
    """Read the counts of the whole time by crossing, and their noise variance, (A, 2) each.

    They include children at risk, who are on no pathway unless their records name one. Returns None and zeros, (2,), if
    the release has no such counts yet, or if its counts have no noise.
    """
    name = table_name("children", level, "whole", "pathway")
    table = release.table(name) if name in release.tables else pd.DataFrame()
    if table.empty or not channel.largest:  # the whole programme has no number before its end; exact quarters need none
        return None, np.zeros(len(PATHWAYS))
    first_period = tuple(table["period"].unique()[:1])
    counts = _fill_array(table, places, first_period, {"pathway": CATEGORIES["pathway"]})
    draws = count_draws(table["margin"].astype(float), channel.largest)
    return merge_crossings(counts[:, :, :, None])[:, 0, :, 0], draws * noise_variance(channel, counts[:, 0])


def _fill_array(
    table: pd.DataFrame, places: _Places, periods: Sequence[str], categories: dict[str, tuple[str, ...]], k: int = 1
) -> Ints:
    """Return the numbers of a table as an array, (A, T, *categories).

    They are HIDDEN where the state is "few", and MISSING where there is no row or no number. Where it says that there
    are almost none or that nobody searched, they are 0, or HIDDEN if the table shows numbers from `k` above 1 on.
    """
    value = table["value"].astype(float).fillna(0.0).to_numpy()
    state = table["state"].to_numpy()
    number = np.full(len(table), MISSING, np.int64)
    number[state == "number"] = value[state == "number"].astype(np.int64)
    # A noisy zero is a number like any other. So is a zero without outreach: `usable` leaves it out.
    number[np.isin(state, ("almost_none", "not_searched"))] = HIDDEN if k > 1 else 0
    number[state == "few"] = HIDDEN
    levels = [places.codes, list(periods), *(list(names) for names in categories.values())]
    index = pd.MultiIndex.from_frame(table[["area", "period", *categories]].astype(str))
    full = pd.MultiIndex.from_product(levels)
    values = pd.Series(number, index=index).reindex(full, fill_value=MISSING)
    return values.to_numpy().reshape([len(level) for level in levels])


def _fill_days(table: pd.DataFrame, places: _Places, periods: Sequence[str]) -> Floats:
    """Return the days of outreach of a table as an array, (A, T), 0 where none are recorded."""
    index = pd.MultiIndex.from_frame(table[["area", "period"]].astype(str))
    full = pd.MultiIndex.from_product([places.codes, list(periods)])
    days = pd.Series(table["days"].to_numpy(dtype=float), index=index).reindex(full, fill_value=0.0)
    return days.to_numpy().reshape(len(places.codes), len(periods))
