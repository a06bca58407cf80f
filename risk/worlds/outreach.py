"""Outreach and first meetings of an invented world, quarter by quarter, as arrays.

Axes: R regions, M municipalities, P pathways (as in CATEGORIES), T quarters, F ways of finding
(reported, discovered). See docs/risk-model.md section 17 for the distributions and the reasons for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.tables.spec import CATEGORIES
from data.workspace.types import Floats, Ints
from risk.numbers import stream
from risk.worlds.ground import Ground
from risk.worlds.need import SMALL, SURFACE, Need, look_up_by_country
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
class FirstMeetings:
    """Outreach days, and children met for the first time: their expected and their drawn number."""

    days: Floats  # (M, T) whole days
    expected: Floats  # (M, P, F, T)
    counts: Ints  # (M, P, F, T)


def _draw_base_effort(land: Ground, parameters: WorldParameters) -> Floats:
    """Draw the weight of each municipality and quarter in the plan of outreach days, (M, T); 0: not searched.

    The largest municipality of a region is always in the plan. A smaller one enters the plan with a probability that
    grows with its size, from a random quarter on.
    """
    rng = stream(parameters.seed, "plan")
    u, when = rng.random((2, len(land.people)))
    largest = np.zeros(len(land.regions))
    np.maximum.at(largest, land.region_of, land.people)
    relative = land.people / np.maximum(largest, 1.0)[land.region_of]
    main = (relative >= 1.0) & (land.people > 0)
    chosen = main | (u < parameters.searched_share * (0.25 + 1.5 * np.sqrt(relative)))
    begins = np.where(main, 0, np.floor(when * parameters.quarters * 0.7))
    inside = chosen * land.people**0.6
    total = land.sum_by_region(inside)[land.region_of]
    inside = np.divide(inside, total, where=total > 0, out=np.zeros_like(inside))
    presence = np.array([_PRESENCE.get(str(code), 0.02) for code in land.regions])
    # A region without people (Mount Athos) has nobody to look for.
    presence = presence * (land.region_people > 0)
    started = np.arange(parameters.quarters)[None, :] >= begins[:, None]
    plan: Floats = inside[:, None] * presence[land.region_of][:, None] * started
    return plan


@dataclass(frozen=True)
class _Outreach:
    """Parameters that, together with the children found so far, determine the days of a quarter."""

    plan: Floats  # (M, T)
    noise: Floats  # (M, T) factor by which days vary at random
    rounding: Floats  # (M, T) random numbers from 0 to 1, added before days are rounded down
    budget: Floats  # (countries, T) days


def weigh_municipalities(land: Ground, parameters: WorldParameters, out: _Outreach, t: int, finds: Floats) -> Floats:
    """Return weights for the days of quarter `t`, (M,): the plan, shifted to where children were found earlier.

    finds : weighted number of children found earlier, (M,).
    """
    plan = out.plan[:, t]
    country = land.country_of_municipality
    where = np.bincount(country, plan, len(land.countries))
    plan_share = plan / np.maximum(where, SMALL)[country]
    country_finds = np.bincount(country, finds, len(land.countries))[country]
    find_share = (finds + 0.05 * plan_share * (country_finds + SMALL)) / (1.05 * (country_finds + SMALL))
    follow = parameters.effort_follows_finds if t else 0.0
    weight: Floats = plan_share ** (1.0 - follow) * find_share**follow * out.noise[:, t]
    weight[plan == 0] = 0.0
    return weight


def _share_out_finds(land: Ground, whole: Floats, limit: Floats, reach: Floats) -> Floats:
    """Divide the children found in each region among its municipalities: limit · (1 − exp(−s · reach)), (M, P).

    whole : children found by region, (R, P). limit : the most that can be found, (M, P). reach : (M,). At the right `s`
    the parts add up to the whole, or to 98 % of `limit` if the whole is larger. Newton's steps from below find this `s`
    and never overshoot, because the sum is concave in s.
    """
    whole = np.minimum(whole, 0.98 * land.sum_by_region(limit))
    step = np.zeros_like(whole)
    for _ in range(12):
        rest = limit * np.exp(-step[land.region_of] * reach[:, None])
        missing = whole - land.sum_by_region(limit - rest)
        slope = land.sum_by_region(rest * reach[:, None])
        step = step + np.divide(missing, slope, where=slope > 0, out=np.zeros_like(whole))
    parts = limit * -np.expm1(-step[land.region_of] * reach[:, None])
    sums = land.sum_by_region(parts)
    exact = np.divide(whole, sums, where=sums > 0, out=np.zeros_like(whole))
    shared: Floats = np.minimum(parts * exact[land.region_of], limit)
    return shared


@dataclass(frozen=True, eq=False)
class Course:
    """The course of a world's quarters: the outreach, and the children found by it.

    scale : constants of reporting and of discovery, (2,).
    """

    land: Ground
    parameters: WorldParameters
    need: Need
    outreach: _Outreach
    scale: Floats

    def plan_days(self, t: int, finds: Floats) -> Floats:
        """Return the days that the programme plans for quarter `t`, (M,), given the children found earlier, (M,)."""
        weight = weigh_municipalities(self.land, self.parameters, self.outreach, t, finds)
        # Whole outreach days, (M,): the budget of each country, divided by the weights.
        country = self.land.country_of_municipality
        share = weight / np.maximum(np.bincount(country, weight, len(self.land.countries)), SMALL)[country]
        days: Floats = np.floor(share * self.outreach.budget[country, t] + self.outreach.rounding[:, t])
        days[self.outreach.plan[:, t] == 0] = 0.0
        return days

    def expect_finds(self, t: int, days: Floats) -> Floats:
        """Return the expected number of children found in quarter `t`, reported and discovered, (M, P, F).

        days : outreach days in the quarter, (M,). The number discovered in a region depends on all its days together.
        It is divided among the municipalities by need and days; in each, at most nine in ten children are found.
        """
        land, gamma = self.land, self.parameters.gamma
        there = self.need.municipality[:, :, t]
        now = there * self.need.detection[land.region_of][:, None]
        trust = np.array([1.0, np.exp(self.parameters.reporting_gap)])[np.minimum(land.country_of_municipality, 1)]
        trust = trust * self.need.reporting[land.region_of, t]
        reported = np.minimum(self.scale[0] * now * trust[:, None], _MOST_FOUND * there)
        together = land.sum_by_region(days)
        whole = self.scale[1] * land.sum_by_region(now) * (together**gamma * (together > 0))[:, None]
        limit = (_MOST_FOUND * there - reported) * (days > 0)[:, None]
        return np.stack([reported, _share_out_finds(land, whole, limit, days**gamma)], axis=2)

    def draw_finds(self, mean: Floats, rng: np.random.Generator) -> Floats:
        """Draw the children found in a quarter around their mean, (M, P, F): negative binomial by region and surface.

        Given the frailty of a region, the counts of its municipalities are Poisson.
        """
        size = self.parameters.dispersion
        frailty = rng.gamma(size, 1.0 / size, (len(self.land.regions), 3, 2))
        counts: Floats = rng.poisson(mean * frailty[self.land.region_of][:, SURFACE]).astype(float)
        return counts


def update_memory(finds: Floats, quarter: Floats) -> Floats:
    """Return the weighted number of children found, (M,): 0.8 times `finds` plus the sums of `quarter`, (M, P, F)."""
    memory: Floats = 0.8 * finds + quarter.sum(axis=(1, 2))
    return memory


def _run_quarters(course: Course, rng: np.random.Generator | None) -> FirstMeetings:
    """Return the days and the children found in all quarters, computed one after the other.

    If `rng` is None, nothing is drawn: the programme follows the expected numbers, and `counts` stays zero.
    """
    places, quarters = len(course.land.people), course.parameters.quarters
    shape = (places, len(CATEGORIES["pathway"]), 2, quarters)
    days, expected, counts = np.zeros((places, quarters)), np.zeros(shape), np.zeros(shape)
    memory = np.zeros(places)
    for t in range(quarters):
        days[:, t] = course.plan_days(t, memory)
        expected[..., t] = course.expect_finds(t, days[:, t])
        finds = expected[..., t]
        if rng is not None:
            finds = counts[..., t] = course.draw_finds(finds, rng)
        if t < quarters - course.parameters.effort_frozen:  # then it stays where it was
            memory = update_memory(memory, finds)
    return FirstMeetings(days, expected, counts.astype(np.int64))


def set_up_course(land: Ground, parameters: WorldParameters, need: Need) -> Course:
    """Build the course of a world in which about `parameters.children` are met by outreach or reported by others.

    Fewer are found if the outreach cannot find as many.
    """
    shares = np.array([parameters.reported_share, 1.0 - parameters.reported_share])
    usual = max(parameters.effort_days / len(land.regions), 1.0) ** parameters.gamma
    scale = parameters.detection * shares / np.array([1.0, usual])
    rng = stream(parameters.seed, "effort")
    shape = (len(land.people), parameters.quarters)
    noise = np.exp(parameters.effort_log_sd * rng.standard_normal(shape))
    ramp = np.linspace(1.0, parameters.effort_growth, parameters.quarters)
    total = parameters.effort_days * ramp / ramp.mean()
    weight = look_up_by_country(land, _EFFORT_SHARE, 1.0)
    budget = total[None, :] * (weight / weight.sum())[:, None]
    outreach = _Outreach(_draw_base_effort(land, parameters), noise, rng.random(shape), budget)
    # Effort follows finds, so the constants of reporting and discovery are found by iteration.
    for _ in range(6):
        finds = _run_quarters(Course(land, parameters, need, outreach, scale), None)
        expected = finds.expected.sum(axis=(0, 1, 3))
        scale = scale * np.clip(parameters.children * shares / np.maximum(expected, SMALL), 0.05, 20.0)
    return Course(land, parameters, need, outreach, scale)


def draw_first_meetings(course: Course) -> FirstMeetings:
    """Draw outreach and first meetings of all quarters."""
    return _run_quarters(course, stream(course.parameters.seed, "finds"))
