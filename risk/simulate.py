"""Invented worlds over the real areas, with a known truth.

Every child, meeting, outreach day, service, estimate and indicator here is invented. A world is
what the product is tried on: its maps when there is no data yet, its risk model and its planner
against a truth that no real programme knows.

**Need.** Children newly in need in region r, on pathway p, in quarter t:

    need = E · exp(country + surface + trend),  E = people · national share of children

The surface is BYM2 (Riebler et al. 2016) with standard deviation `log_sd`, of which the variance
share `structured` is smooth over neighbours: risk is partly regional, partly local history.
Internal, cross-border and at-risk surfaces share the variance share `shared`, since poverty and
routes drive all of them. The trend is a random walk with a small drift for each country. Within a
region the need is spread over municipalities by people and a second BYM2 effect of `local_log_sd`;
the parts add up to the region exactly. People of municipalities are invented (known large towns
first, then a log-normal tail) and sum to the published population of the region.

**Shift.** In `shift_regions` (Tirana and Durrës) the share of internal among internal and
cross-border need is `internal_before` until quarter `shift_begins`, `internal_after` from quarter
`shift_complete`, linear between; internal children met elsewhere have more and more often these
two cities as destination.

**Effort.** Outreach days of a quarter grow by `effort_growth`. They are laid over municipalities in
proportion to plan^(1−f) · finds^f with f = `effort_follows_finds`, so that who is looked for depends
on who was found (Ensign et al. 2018): the trap that the risk model must not fall into. The plan
favours the towns where the programme has offices and leaves most municipalities out for ever.

**Detection.** A region finds with probability detection · exp(N(0, `detection_log_sd`²)), common to
both ways; an expected share `reported_share` is reported to the programme, the rest discovered by
outreach in proportion to (days of the region)^`gamma`, shared among municipalities by need · days^γ.
So nothing is discovered without effort, and twice the effort finds less than twice the children.
Counts are negative binomial with size `dispersion` for a region, surface, way and quarter:

    discovered ~ NegBin(k1 · need · detection · days^γ)     reported ~ NegBin(k2 · need · detection · δ)

with k1 and k2 such that about `children` are met. These are the likelihoods of the risk model.

**Children.** A child is met once to eight times; later meetings follow after 20 days or more, some in
other municipalities and by other partners, most often known by a shared programme number. Stages
only go forward. Form depends on pathway, sex and age. A share `at_risk_share` is met before any
exploitation; it is smaller than in the programme's plan so that the worlds carry enough children
on a pathway (1,400 over 624 cells) for what the risk model is judged by.

Without `signal` the rates are flat over areas and time within a country; effort, detection and
counts still vary, which is what a false alarm is made of. `hotspot` adds a moving hotspot.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd

from data.errors import InputError
from risk import _children, _programme
from risk._surface import Ground, Ints, ground
from risk._world import PATHWAYS, Meetings, Need, internal_share, meetings, need

__all__ = ["DEFAULT_SEED", "Truth", "World", "WorldParameters", "simulate"]

DEFAULT_SEED = 2006
_SHARES = (
    "structured", "shared", "at_risk_share", "effort_follows_finds", "reported_share",
    "internal_before", "internal_after", "searched_share", "linked_share", "unknown_pathway",
)  # fmt: skip
_POSITIVE = ("detection", "dispersion", "effort_days", "effort_growth", "gamma")
_SCALES = ("log_sd", "local_log_sd", "time_log_sd", "effort_log_sd", "detection_log_sd")


@dataclass(frozen=True)
class WorldParameters:
    """What a world is drawn from; see the module's text for the meaning of each.

    Raises
    ------
    InputError
        A value is outside of what it can be; the message names it.
    """

    seed: int = DEFAULT_SEED
    children: int = 1400
    start: str = "2006-06"
    quarters: int = 12
    signal: bool = True
    log_sd: float = 0.75
    local_log_sd: float = 0.5
    structured: float = 0.7
    shared: float = 0.4
    time_log_sd: float = 0.05
    hotspot: float = 0.0
    shift_regions: tuple[str, ...] = ("AL-02", "AL-11")
    shift_cities: tuple[str, ...] = ("10944377", "10944420")
    internal_before: float = 0.2
    internal_after: float = 0.8
    shift_begins: int = 3
    shift_complete: int = 7
    gamma: float = 0.8
    effort_days: float = 1000.0
    effort_growth: float = 4.0
    effort_log_sd: float = 0.45
    effort_follows_finds: float = 0.5
    searched_share: float = 0.4
    detection: float = 0.18
    detection_log_sd: float = 0.2
    reported_share: float = 0.5
    reporting_gap: float = 0.3
    dispersion: float = 20.0
    at_risk_share: float = 0.2
    unknown_pathway: float = 0.03
    linked_share: float = 0.85

    def __post_init__(self) -> None:
        """Check every value."""
        for name in _SHARES:
            self._check(name, 0.0 <= getattr(self, name) <= 1.0, "a share from 0 to 1")
        for name in _POSITIVE:
            self._check(name, getattr(self, name) > 0.0, "a number above 0")
        for name in _SCALES:
            self._check(name, 0.0 <= getattr(self, name) <= 3.0, "a number from 0 to 3")
        self._check("seed", self.seed >= 0, "a whole number from 0")
        self._check("children", 1 <= self.children <= 10_000_000, "1 to 10,000,000")
        self._check("quarters", 1 <= self.quarters <= 80, "1 to 80")
        ordered = 1 <= self.shift_begins < self.shift_complete
        self._check("shift_begins", ordered, "a quarter from 1, before shift_complete")
        try:
            pd.Period(self.start, freq="M")
        except ValueError:
            self._check("start", False, "a month such as 2006-06")

    def _check(self, name: str, passed: bool, allowed: str) -> None:
        if not passed:
            msg = f"{name} = {getattr(self, name)!r} is not possible in a world; give {allowed}."
            raise InputError(msg)

    @property
    def quarter_starts(self) -> tuple[pd.Timestamp, ...]:
        """First day of each quarter."""
        first = pd.Period(self.start, freq="M")
        return tuple((first + 3 * i).start_time for i in range(self.quarters))

    @property
    def periods(self) -> tuple[str, ...]:
        """ISO 8601 intervals of the quarters, such as 2006-06-01/P3M."""
        return tuple(f"{day:%Y-%m-%d}/P3M" for day in self.quarter_starts)


@dataclass(frozen=True)
class Truth:
    """What no programme knows.

    need : one row for each area (region, municipality), pathway and quarter: `need` children newly in
        need (expected), `rate` of these per 1,000 children living there, `relative_risk` (the rate
        over the country's), `reported` and `discovered` (expected first meetings), `days` of outreach.
    areas : one row for each area: level, country, parent, people, children, detection factor.
    child : the true child of each row of the encounter frame, from 0.
    """

    need: pd.DataFrame
    areas: pd.DataFrame
    child: Ints

    def relative_risk(self, level: str, cross_border_as_one: bool = True) -> pd.DataFrame:
        """Return the relative risk over the whole time by area and pathway (None known left out).

        Columns area, country, pathway, need, relative_risk. 1 is the country's rate on that pathway.
        """
        rows = self.need[(self.need["level"] == level) & (self.need["pathway"] != "none_known")]
        pathway = rows["pathway"].astype(str)
        if cross_border_as_one:
            pathway = pathway.where(pathway == "internal", "cross_border")
        by = [rows["area"].astype(str), pathway]
        out = rows.groupby(by, observed=True)["need"].sum().reset_index()
        places = self.areas.loc[out["area"]]
        out["country"] = places["country"].to_numpy()
        children = pd.Series(places["children"].to_numpy(), index=out.index)
        group = [out["country"], out["pathway"]]
        national = out["need"].groupby(group).transform("sum") / children.groupby(group).transform("sum")
        out["relative_risk"] = out["need"] / children / national
        return out[["area", "country", "pathway", "need", "relative_risk"]]


@dataclass(frozen=True)
class World:
    """An invented world: its parameters, its truth and the records that partners would hold.

    records : one frame for each record kind with the columns that a partner's file has (`child_id` and
        `programme_number` in plain, which intake replaces by hashes); text columns are categories or
        strings, a missing value is an empty text.
    """

    parameters: WorldParameters
    truth: Truth
    records: dict[str, pd.DataFrame] = field(repr=False)
    areas: pd.DataFrame = field(repr=False)

    def fingerprint(self) -> str:
        """SHA-256 over every record and every row of the truth."""
        digest = hashlib.sha256()
        frames = [*self.records.items(), ("need", self.truth.need), ("areas", self.truth.areas)]
        for name, frame in frames:
            digest.update(f"{name} {list(frame.columns)}".encode())
            digest.update(pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes())
        digest.update(np.ascontiguousarray(self.truth.child).tobytes())
        return digest.hexdigest()


def simulate(
    parameters: WorldParameters,
    areas: pd.DataFrame,
    neighbours: list[tuple[str, str]],
    population: pd.Series | None = None,
) -> World:
    """Draw a world: the same for the same arguments, whatever machine or Python.

    Parameters
    ----------
    parameters
        What to draw from.
    areas
        The area table (index code; level, country, parent, counted).
    neighbours
        Pairs of codes that touch, of regions and of municipalities together; areas without a pair
        are islands.
    population
        People by region code; by default the newest published figures of data/reference.
    """
    people = published_population() if population is None else population
    land = ground(areas, neighbours, people, parameters.seed)
    true = need(land, parameters)
    met = meetings(land, parameters, true)
    effort, slots = _children.effort_records(land, parameters, met.days)
    encounters, child = _children.encounter_records(land, parameters, met, slots)
    records = {
        "encounter": encounters,
        "effort": effort,
        "service": _programme.services(land, parameters, met.days),
        "community": _programme.communities(land, parameters),
        "indicator": _programme.indicators(land, parameters, met),
    }
    truth = Truth(_need_table(land, parameters, true, met), _area_truth(land, true), child)
    return World(parameters, truth, records, areas)


def published_population() -> pd.Series:
    """People by region code: the newest figure of each that the product ships."""
    from data.reference import figures

    table = figures()
    table = table[table["measure"] == "population"].sort_values("year", kind="stable")
    newest = table.groupby("area")["number"].last()
    return newest.astype(float)


def _need_table(land: Ground, given: WorldParameters, true: Need, met: Meetings) -> pd.DataFrame:
    """Lay the arrays of both levels out as rows."""
    children = (land.sum_by_region(true.children), true.children)
    amounts = (true.region, true.municipality)
    days = (land.sum_by_region(met.days), met.days)
    expected = (land.sum_by_region(met.expected), met.expected)
    levels = (land.regions, land.municipalities)
    country = (land.country_of, land.country_of_municipality)
    parts = []
    for i, level in enumerate(("region", "municipality")):
        shape = amounts[i].shape
        national = np.stack(
            [amounts[0][land.country_of == c].sum(axis=0) for c in range(len(land.countries))]
        )
        living = np.bincount(land.country_of, children[0], len(land.countries))
        rate = _ratio(amounts[i], np.broadcast_to(children[i][:, None, None], shape))
        overall = _ratio(national, np.broadcast_to(living[:, None, None], national.shape))
        area, pathway, quarter = (axis.ravel() for axis in np.indices(shape))
        columns = {
            "area": pd.Categorical.from_codes(area, pd.Index(levels[i])).astype(str),
            "level": level,
            "pathway": pd.Categorical.from_codes(pathway, list(PATHWAYS)),
            "quarter": pd.Categorical.from_codes(quarter, list(given.periods)),
            "need": amounts[i].ravel(),
            "rate": 1000.0 * rate.ravel(),
            "relative_risk": _ratio(rate, overall[country[i]]).ravel(),
            "reported": expected[i][:, :, 0].ravel(),
            "discovered": expected[i][:, :, 1].ravel(),
            "days": np.broadcast_to(days[i][:, None, :], shape).ravel(),
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _ratio(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Divide where there is something to divide by, otherwise not a number."""
    return np.divide(upper, lower, where=lower > 0, out=np.full(upper.shape, np.nan))


def _area_truth(land: Ground, true: Need) -> pd.DataFrame:
    """One row for each area, regions first."""
    names = np.array(land.countries, dtype=object)
    region = pd.DataFrame(
        {
            "level": "region",
            "country": names[land.country_of],
            "parent": names[land.country_of],
            "people": land.region_people,
            "children": land.sum_by_region(true.children),
            "detection": true.detection,
        },
        index=pd.Index(land.regions, name="area"),
    )
    municipality = pd.DataFrame(
        {
            "level": "municipality",
            "country": names[land.country_of_municipality],
            "parent": land.regions[land.region_of],
            "people": land.people,
            "children": true.children,
            "detection": true.detection[land.region_of],
        },
        index=pd.Index(land.municipalities, name="area"),
    )
    return pd.concat([region, municipality])
