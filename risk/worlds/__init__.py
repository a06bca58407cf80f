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
outreach in proportion to (days of the region)^`gamma`, shared among municipalities by need and
days^γ with saturation: nowhere are more than nine in ten of the children found. So nothing is
discovered without effort, and twice the effort finds less than twice the children.
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
import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from data.errors import InputError
from risk.worlds import children as _children
from risk.worlds import programme
from risk.worlds.ground import ground
from risk.worlds.need import course, meetings, need
from risk.worlds.partner_files import encounter_csv, write_partner_files
from risk.worlds.truth import Truth

__all__ = [
    "DEFAULT_SEED",
    "Truth",
    "World",
    "WorldParameters",
    "encounter_csv",
    "over_own_areas",
    "published_population",
    "simulate",
    "write_partner_files",
]

# Chosen by looking: most children in the counties and regions where the programme has its offices.
DEFAULT_SEED = 13715
_MONTH = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])")
_SHARES = (
    "structured", "shared", "at_risk_share", "effort_follows_finds", "reported_share",
    "internal_before", "internal_after", "searched_share", "linked_share", "unknown_pathway",
)  # fmt: skip
_POSITIVE = ("dispersion", "effort_days", "effort_growth", "gamma")
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
    searched_share: float = 0.5
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
        self._check("detection", 0.0 < self.detection <= 0.5, "a number above 0, 0.5 at most")
        self._check("hotspot", 0.0 <= self.hotspot <= 3.0, "a number from 0 to 3")
        self._check("reporting_gap", -3.0 <= self.reporting_gap <= 3.0, "a number from -3 to 3")
        self._check("seed", self.seed >= 0, "a whole number from 0")
        self._check("children", 1 <= self.children <= 10_000_000, "1 to 10,000,000")
        self._check("quarters", 1 <= self.quarters <= 80, "1 to 80")
        ordered = 1 <= self.shift_begins < self.shift_complete
        self._check("shift_begins", ordered, "a quarter from 1, before shift_complete")
        self._check("start", bool(_MONTH.fullmatch(self.start)), "a month such as 2006-06")

    def _check(self, name: str, passed: bool, allowed: str) -> None:
        if not passed:
            msg = f"{name} = {getattr(self, name)!r} is not possible in a world; give {allowed}."
            raise InputError(msg)

    @cached_property
    def quarter_starts(self) -> tuple[pd.Timestamp, ...]:
        """First day of each quarter."""
        first = pd.Period(self.start, freq="M")
        return tuple((first + 3 * i).start_time for i in range(self.quarters))

    @property
    def periods(self) -> tuple[str, ...]:
        """ISO 8601 intervals of the quarters, such as 2006-06-01/P3M."""
        return tuple(f"{day:%Y-%m-%d}/P3M" for day in self.quarter_starts)


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
    met = meetings(course(land, parameters, true))
    effort, slots = _children.effort_records(land, parameters, met.days)
    encounters, child = _children.encounter_records(land, parameters, met, slots)
    records = {
        "encounter": encounters,
        "effort": effort,
        "service": programme.services(land, parameters, met.days),
        "community": programme.communities(land, parameters),
        "indicator": programme.indicators(land, parameters, met),
    }
    truth = Truth.of(land, parameters.periods, true, met, child)
    return World(parameters, truth, records, areas)


def over_own_areas(parameters: WorldParameters) -> World:
    """Draw a world over the areas, borders and populations that the product ships."""
    from data.reference import area_table
    from geo import areas

    places = areas.load()
    pairs = [pair for level in ("region", "municipality") for pair in places.neighbours(level)]
    return simulate(parameters, area_table(), pairs)


def published_population() -> pd.Series:
    """People by region code: the newest figure of each that the product ships."""
    from data.reference import figures

    table = figures()
    table = table[table["measure"] == "population"].sort_values("year", kind="stable")
    newest: pd.Series = table.groupby("area")["number"].last().astype(float)
    return newest
