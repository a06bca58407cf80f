"""Need, effort and first meetings of an invented world, as arrays.

Axes: R regions, M municipalities, P pathways (as in PATHWAYS), T quarters, F ways of finding
(reported, discovered). See risk/worlds/__init__.py for the distributions and the reasons for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.workspace.types import Floats, Ints
from risk.numbers import CHILD_SHARE, USUAL_SHARE, stream
from risk.worlds.ground import Ground, apportioned, bym2

if TYPE_CHECKING:
    from risk.worlds import WorldParameters

__all__ = ["PATHWAYS", "Course", "Meetings", "Need", "course", "meetings", "need", "remembered"]

PATHWAYS = ("internal", "al_to_gr", "other_cross_border", "none_known")
_SURFACE = np.array([0, 1, 1, 2])  # the two cross-border pathways share one surface
_TREND = (0.045, 0.010, 0.030)  # quarterly drift of the log rate: internal, cross-border, at risk

# Where the invented programme works: its share of a country's outreach days, before it follows finds.
_PRESENCE = {
    "AL-11": 0.24, "AL-02": 0.16, "AL-03": 0.13, "AL-04": 0.12, "AL-06": 0.12, "AL-10": 0.10,
    "AL-12": 0.05, "AL-01": 0.03, "AL-05": 0.02, "AL-08": 0.02, "AL-09": 0.008, "AL-07": 0.002,
    "GR-I": 0.28, "GR-B": 0.24, "GR-D": 0.22, "GR-E": 0.07, "GR-G": 0.05, "GR-C": 0.05,
    "GR-A": 0.03, "GR-H": 0.02, "GR-J": 0.02, "GR-M": 0.012, "GR-F": 0.004, "GR-K": 0.002,
    "GR-L": 0.002,
}  # fmt: skip
_NEED_SHARE = {"AL": 0.57, "GR": 0.43}
_EFFORT_SHARE = {"AL": 0.6, "GR": 0.4}
_INTERNAL_SHARE = {"AL": 0.42, "GR": 0.35}  # of the children on a known pathway, before the shift
_OTHER_SHARE = {"AL": 0.22, "GR": 0.12}  # of the cross-border ones
_MOST_FOUND = 0.9  # of the children newly in need in a municipality and quarter
_SMALL = 1e-300


@dataclass(frozen=True)
class Need:
    """The truth: children newly in need, expected, by region and by municipality."""

    region: Floats  # (R, P, T)
    municipality: Floats  # (M, P, T)
    children: Floats  # (M,) children living there
    detection: Floats  # (R,) factor of the region around the common detection


@dataclass(frozen=True)
class Meetings:
    """Outreach days and children met for the first time."""

    days: Floats  # (M, T) whole days
    expected: Floats  # (M, P, F, T)
    counts: Ints  # (M, P, F, T)


def by_country(land: Ground, values: dict[str, float], default: float) -> Floats:
    """Look up a number for each country of the world, shape (countries,)."""
    return np.array([values.get(code, default) for code in land.countries])


def _surfaces(land: Ground, given: WorldParameters) -> tuple[Floats, Floats]:
    """Log relative risk by region (R, 3) and its local part by municipality (M, 3)."""
    names = ("surface", "local")
    sizes = (len(land.regions), len(land.municipalities))
    edges = (land.region_edges, land.edges)
    scale = (given.log_sd, given.local_log_sd) if given.signal else (0.0, 0.0)
    out = []
    for name, size, pairs, sd in zip(names, sizes, edges, scale, strict=True):
        draw = bym2(stream(given.seed, name), size, pairs, given.structured, 4)
        common, own = np.sqrt(given.shared), np.sqrt(1.0 - given.shared)
        out.append(sd * (common * draw[:, :1] + own * draw[:, 1:]))
    planted = np.isin(land.regions, given.shift_regions)[land.region_of]
    # Inside the planted counties all pathways spread alike, so that the share is the same everywhere.
    out[1][planted] = out[1][planted][:, :1]
    return out[0], out[1]


def _time(land: Ground, given: WorldParameters) -> Floats:
    """Draw a random walk with drift for each country and surface, centred, (countries, 3, T)."""
    steps = stream(given.seed, "time").standard_normal((len(land.countries), 3, given.quarters))
    drift = np.array(_TREND)[None, :, None]
    walk = np.cumsum(drift + given.time_log_sd * steps, axis=2)
    walk -= walk.mean(axis=2, keepdims=True)
    return walk if given.signal else np.zeros_like(walk)


def internal_share(given: WorldParameters) -> Floats:
    """Return the planted share of internal trafficking in each quarter, shape (T,)."""
    quarter = np.arange(1, given.quarters + 1)
    done = (quarter - given.shift_begins) / (given.shift_complete - given.shift_begins)
    done = np.clip(done, 0.0, 1.0)
    share: Floats = given.internal_before + (given.internal_after - given.internal_before) * done
    return share


def _moving_hotspot(land: Ground, given: WorldParameters) -> Floats:
    """Add to the log rate of one region, which hands it to a neighbour every three quarters."""
    extra = np.zeros((len(land.regions), given.quarters))
    if not (given.signal and given.hotspot and len(land.region_edges)):
        return extra
    rng = stream(given.seed, "hotspot")
    at = int(rng.choice(np.unique(land.region_edges)))
    for quarter in range(given.quarters):
        if quarter and quarter % 3 == 0:
            pairs = land.region_edges[(land.region_edges == at).any(axis=1)]
            at = int(rng.choice(pairs[pairs != at]))
        extra[at, quarter] = given.hotspot
    return extra


def need(land: Ground, given: WorldParameters) -> Need:
    """Draw the true need; its sum over everything is children / detection."""
    theta, local = _surfaces(land, given)
    where = land.country_of
    children = land.people * by_country(land, CHILD_SHARE, USUAL_SHARE)[land.country_of_municipality]
    living = land.sum_by_region(children)
    rate = np.exp(theta[:, :, None] + _time(land, given)[where])
    rate *= living[:, None, None]
    for country in range(len(land.countries)):
        inside = where == country
        rate[inside] /= np.maximum(rate[inside].sum(axis=(0, 2), keepdims=True), _SMALL)
    parts = _by_pathway(land, given, rate)
    parts *= np.exp(_moving_hotspot(land, given))[:, None, :]
    parts *= given.children / given.detection / parts.sum()
    spread = np.exp(local)[:, _SURFACE] * children[:, None]
    inside_region = land.sum_by_region(spread)[land.region_of]
    spread = np.divide(spread, inside_region, where=inside_region > 0, out=np.zeros_like(spread))
    around = stream(given.seed, "detection").standard_normal(len(where))
    detection: Floats = np.exp(given.detection_log_sd * around).round(9)
    return Need(parts, spread[:, :, None] * parts[land.region_of], children, detection)


def _mix(land: Ground, given: WorldParameters) -> Floats:
    """Share of internal, cross-border and at risk in each country before the shift, (countries, 3)."""
    internal = by_country(land, _INTERNAL_SHARE, 0.25)
    known = 1.0 - given.at_risk_share
    at_risk = np.full_like(internal, given.at_risk_share)
    return np.column_stack([known * internal, known * (1.0 - internal), at_risk])


def _by_pathway(land: Ground, given: WorldParameters, share: Floats) -> Floats:
    """Weigh the surfaces, plant the shift and split cross-border in two, (R, 3, T) to (R, P, T)."""
    where = land.country_of
    weight = by_country(land, _NEED_SHARE, 1.0)
    amounts = share * (weight[:, None] * _mix(land, given))[where][:, :, None]
    if given.signal:
        planted = np.isin(land.regions, given.shift_regions)
        both = amounts[planted, :2].sum(axis=1)
        amounts[planted, 0] = both * internal_share(given)
        amounts[planted, 1] = both * (1.0 - internal_share(given))
    other = by_country(land, _OTHER_SHARE, 0.2)[where][:, None]
    internal, cross, at_risk = amounts[:, 0], amounts[:, 1], amounts[:, 2]
    return np.stack([internal, cross * (1.0 - other), cross * other, at_risk], axis=1)


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
    plan_share = plan / np.maximum(where, _SMALL)[country]
    found = np.bincount(country, finds, len(land.countries))[country]
    find_share = (finds + 0.05 * plan_share * (found + _SMALL)) / (1.05 * (found + _SMALL))
    follow = given.effort_follows_finds if t else 0.0
    weight: Floats = plan_share ** (1.0 - follow) * find_share**follow * out.noise[:, t]
    weight[plan == 0] = 0.0
    return weight


def _days(land: Ground, out: _Outreach, t: int, weight: Floats) -> Floats:
    """Give whole outreach days of one quarter: each country's budget, by weights, (M,)."""
    country = land.country_of_municipality
    share = weight / np.maximum(np.bincount(country, weight, len(land.countries)), _SMALL)[country]
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
    counts: Floats = draw.poisson(mean * frailty[land.region_of][:, _SURFACE]).astype(float)
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
        scale = scale * np.clip(given.children * shares / np.maximum(expected, _SMALL), 0.05, 20.0)
    return Course(land, given, true, out, scale)


def meetings(course: Course) -> Meetings:
    """Draw outreach and first meetings of all quarters."""
    return _run(course, stream(course.given.seed, "finds"))
