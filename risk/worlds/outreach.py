"""Outreach and first meetings of an invented world, quarter by quarter, as arrays.

Axes: R regions, M municipalities, P pathways (as in PATHWAYS), T quarters, F ways of finding
(reported, discovered). See risk/worlds/__init__.py for the distributions and the reasons for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats, Ints
from risk.numbers import stream
from risk.worlds.ground import Ground, apportioned
from risk.worlds.need import PATHWAYS, SMALL, SURFACE, Need, by_country
from risk.worlds.parameters import WorldParameters

# Where the invented programme works: its share of a country's outreach days, before it follows finds.
_PRESENCE = {
    "AL-11": 0.24, "AL-02": 0.16, "AL-03": 0.13, "AL-04": 0.12, "AL-06": 0.12, "AL-10": 0.10,
    "AL-12": 0.05, "AL-01": 0.03, "AL-05": 0.02, "AL-08": 0.02, "AL-09": 0.008, "AL-07": 0.002,
    "GR-I": 0.28, "GR-B": 0.24, "GR-D": 0.22, "GR-E": 0.07, "GR-G": 0.05, "GR-C": 0.05,
    "GR-A": 0.03, "GR-H": 0.02, "GR-J": 0.02, "GR-M": 0.012, "GR-F": 0.004, "GR-K": 0.002,
    "GR-L": 0.002,
}  # fmt: skip


_EFFORT_SHARE = {"AL": 0.6, "GR": 0.4}


_MOST_FOUND = 0.9  # of the children newly in need in a municipality and quarter


@dataclass(frozen=True)
class Meetings:
    """Outreach days and children met for the first time."""

    days: Floats  # (M, T) whole days
    expected: Floats  # (M, P, F, T)
    counts: Ints  # (M, P, F, T)


def _base_effort(land: Ground, given: WorldParameters) -> Floats:
    """Share of outreach days planned for each municipality and quarter, (M, T); 0 is never searched.

    The largest municipality of a region is always in the plan, a smaller one by the size of it, and
    then from a quarter of its own on.
    """
    rng = stream(given.seed, "plan")
    u, when = rng.random((2, len(land.people)))
    largest = np.zeros(len(land.regions))
    np.maximum.at(largest, land.region_of, land.people)
    relative = land.people / np.maximum(largest, 1.0)[land.region_of]
    main = (relative >= 1.0) & (land.people > 0)
    chosen = main | (u < given.searched_share * (0.25 + 1.5 * np.sqrt(relative)))
    begins = np.where(main, 0, np.floor(when * given.quarters * 0.7))
    inside = chosen * land.people**0.6
    total = land.sum_by_region(inside)[land.region_of]
    inside = np.divide(inside, total, where=total > 0, out=np.zeros_like(inside))
    presence = np.array([_PRESENCE.get(str(code), 0.02) for code in land.regions])
    # A region without people (Mount Athos) has nobody to look for.
    presence = presence * (land.region_people > 0)
    started = np.arange(given.quarters)[None, :] >= begins[:, None]
    plan: Floats = inside[:, None] * presence[land.region_of][:, None] * started
    return plan


@dataclass(frozen=True)
class _Outreach:
    """What fixes the days of a quarter once the finds so far are known."""

    plan: Floats  # (M, T)
    noise: Floats  # (M, T) how days vary for reasons of no interest
    rounding: Floats  # (M, T)
    budget: Floats  # (countries, T)


def _outreach(land: Ground, given: WorldParameters) -> _Outreach:
    rng = stream(given.seed, "effort")
    shape = (len(land.people), given.quarters)
    noise = np.exp(given.effort_log_sd * rng.standard_normal(shape))
    ramp = np.linspace(1.0, given.effort_growth, given.quarters)
    total = given.effort_days * ramp / ramp.mean()
    weight = by_country(land, _EFFORT_SHARE, 1.0)
    budget = total[None, :] * (weight / weight.sum())[:, None]
    return _Outreach(_base_effort(land, given), noise, rng.random(shape), budget)


def _weights(land: Ground, given: WorldParameters, out: _Outreach, t: int, finds: Floats) -> Floats:
    """Weigh municipalities for a quarter's days: the plan, bent towards where children were found, (M,)."""
    plan = out.plan[:, t]
    country = land.country_of_municipality
    where = np.bincount(country, plan, len(land.countries))
    plan_share = plan / np.maximum(where, SMALL)[country]
    found = np.bincount(country, finds, len(land.countries))[country]
    find_share = (finds + 0.05 * plan_share * (found + SMALL)) / (1.05 * (found + SMALL))
    follow = given.effort_follows_finds if t else 0.0
    weight: Floats = plan_share ** (1.0 - follow) * find_share**follow * out.noise[:, t]
    weight[plan == 0] = 0.0
    return weight


def _days(land: Ground, out: _Outreach, t: int, weight: Floats) -> Floats:
    """Give whole outreach days of one quarter: each country's budget, by weights, (M,)."""
    country = land.country_of_municipality
    share = weight / np.maximum(np.bincount(country, weight, len(land.countries)), SMALL)[country]
    days: Floats = np.floor(share * out.budget[country, t] + out.rounding[:, t])
    days[out.plan[:, t] == 0] = 0.0
    return days


def _means(land: Ground, given: WorldParameters, true: Need, t: int, days: Floats, scale: Floats) -> Floats:
    """Give the expected finds of one quarter, reported and discovered, (M, P, F).

    A region discovers as a whole by its days together; its municipalities share that by need and days
    of their own, and none finds more than nine in ten of its children.
    """
    there = true.municipality[:, :, t]
    now = there * true.detection[land.region_of][:, None]
    trust = np.array([1.0, np.exp(given.reporting_gap)])[np.minimum(land.country_of_municipality, 1)]
    reported = np.minimum(scale[0] * now * trust[:, None], _MOST_FOUND * there)
    together = land.sum_by_region(days)
    whole = scale[1] * land.sum_by_region(now) * (together**given.gamma * (together > 0))[:, None]
    left = (_MOST_FOUND * there - reported) * (days > 0)[:, None]
    return np.stack([reported, _share_out(land, whole, left, days**given.gamma)], axis=2)


def _share_out(land: Ground, whole: Floats, left: Floats, reach: Floats) -> Floats:
    """Share a region's finds among its municipalities: left · (1 − exp(−s · reach)), (M, P).

    `s` is such that the parts add up to the whole, found by Newton's steps from below, which never
    overshoot since the sum is concave in s.
    """
    whole = np.minimum(whole, 0.98 * land.sum_by_region(left))
    step = np.zeros_like(whole)
    for _ in range(12):
        kept = left * np.exp(-step[land.region_of] * reach[:, None])
        missing = whole - land.sum_by_region(left - kept)
        slope = land.sum_by_region(kept * reach[:, None])
        step = step + np.divide(missing, slope, where=slope > 0, out=np.zeros_like(whole))
    parts = left * -np.expm1(-step[land.region_of] * reach[:, None])
    found = land.sum_by_region(parts)
    exact = np.divide(whole, found, where=found > 0, out=np.zeros_like(whole))
    shared: Floats = np.minimum(parts * exact[land.region_of], left)
    return shared


@dataclass(frozen=True, eq=False)
class Course:
    """How the quarters of a world follow one another: who is found with which outreach.

    scale : constants of reporting and of discovery, (2,).
    """

    land: Ground
    given: WorldParameters
    true: Need
    outreach: _Outreach
    scale: Floats

    def usual_days(self, t: int, finds: Floats) -> Floats:
        """Give the days that the programme lays out by itself in a quarter, by earlier finds, (M,)."""
        weight = _weights(self.land, self.given, self.outreach, t, finds)
        return _days(self.land, self.outreach, t, weight)

    def days_in_regions(self, t: int, finds: Floats, days: Ints) -> Floats:
        """Lay whole days of regions, (R,), over their municipalities as the programme does, (M,)."""
        weight = _weights(self.land, self.given, self.outreach, t, finds)
        shared = np.zeros(len(weight))
        for region in np.flatnonzero(days):
            inside = np.flatnonzero((self.land.region_of == region) & (weight > 0))
            if len(inside):
                shared[inside] = apportioned(weight[inside], int(days[region]))
        return shared

    def expected(self, t: int, days: Floats) -> Floats:
        """Give the expected finds of a quarter for the days of municipalities, (M, P, F)."""
        return _means(self.land, self.given, self.true, t, days, self.scale)

    def drawn(self, mean: Floats, draw: np.random.Generator) -> Floats:
        """Draw the finds of a quarter around their expectation, (M, P, F)."""
        return _count(self.land, self.given, mean, draw)


def remembered(finds: Floats, met: Floats) -> Floats:
    """Keep what a programme remembers of finds, (M,), when those of another quarter, (M, P, F), come in."""
    kept: Floats = 0.8 * finds + met.sum(axis=(1, 2))
    return kept


def _run(course: Course, draw: np.random.Generator | None) -> Meetings:
    """Let the quarters follow one another; without random numbers the finds are the expected ones."""
    places, quarters = len(course.land.people), course.given.quarters
    shape = (places, len(PATHWAYS), 2, quarters)
    days, expected, counts = np.zeros((places, quarters)), np.zeros(shape), np.zeros(shape)
    finds = np.zeros(places)
    for t in range(quarters):
        days[:, t] = course.usual_days(t, finds)
        expected[..., t] = course.expected(t, days[:, t])
        met = expected[..., t] if draw is None else course.drawn(expected[..., t], draw)
        counts[..., t] = met
        finds = remembered(finds, met)
    whole = counts if draw is not None else np.zeros(shape)
    return Meetings(days, expected, whole.astype(np.int64))


def _count(land: Ground, given: WorldParameters, mean: Floats, draw: np.random.Generator) -> Floats:
    """Negative binomial for a region and surface; its municipalities are Poisson given its frailty."""
    size = given.dispersion
    frailty = draw.gamma(size, 1.0 / size, (len(land.regions), 3, 2))
    counts: Floats = draw.poisson(mean * frailty[land.region_of][:, SURFACE]).astype(float)
    return counts


def course(land: Ground, given: WorldParameters, true: Need) -> Course:
    """Set a world up so that its own outreach meets about `children`, a share of them reported.

    Fewer are met where the outreach that was asked for cannot find as many.
    """
    shares = np.array([given.reported_share, 1.0 - given.reported_share])
    usual = max(given.effort_days / len(land.regions), 1.0) ** given.gamma
    scale = given.detection * shares / np.array([1.0, usual])
    out = _outreach(land, given)
    # Effort follows finds, so the constants of reporting and discovery are found by iteration.
    for _ in range(6):
        expected = _run(Course(land, given, true, out, scale), None).expected.sum(axis=(0, 1, 3))
        scale = scale * np.clip(given.children * shares / np.maximum(expected, SMALL), 0.05, 20.0)
    return Course(land, given, true, out, scale)


def meetings(course: Course) -> Meetings:
    """Draw outreach and first meetings of all quarters."""
    return _run(course, stream(course.given.seed, "finds"))
