"""Services, community estimates and indicators of an invented world, as frames of records."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from data.message import mark
from data.schema.column import MANY
from data.schema.vocabulary import KINDS_OF_HELP
from data.tables.spec import CATEGORIES
from data.workspace.types import Bools, Floats, Ints
from risk.numbers import stream
from risk.worlds.frames import format_days, make_categories
from risk.worlds.ground import Ground, choose
from risk.worlds.outreach import FirstMeetings
from risk.worlds.parameters import WorldParameters
from risk.worlds.profiles import PARTNERS

AXES, DUTY_BEARERS = CATEGORIES["axis"], CATEGORIES["duty_bearer"]
_NGO, _COMMUNITY = 4, 5
_SOURCE = mark("Invented")
_ESTIMATE_SOURCE = "Invented field estimate"

# Who offers what, invented: weights of the duty bearers for each axis.
_BEARER_BY_AXIS = np.array(
    [
        [0.04, 0.00, 0.16, 0.30, 0.34, 0.16],
        [0.14, 0.16, 0.16, 0.00, 0.50, 0.04],
        [0.40, 0.24, 0.00, 0.00, 0.36, 0.00],
        [0.12, 0.00, 0.22, 0.14, 0.46, 0.06],
        [0.34, 0.12, 0.28, 0.00, 0.22, 0.04],
    ]
)
_AXIS_WEIGHT = np.array([0.38, 0.28, 0.08, 0.18, 0.08])
# Weights of the duty bearers to whom an NGO hands over its service, for each axis.
_HEIR_BY_AXIS = np.array(
    [
        [0.05, 0.0, 0.55, 0.30, 0.0, 0.10],
        [0.35, 0.0, 0.65, 0.00, 0.0, 0.00],
        [0.95, 0.05, 0.0, 0.00, 0.0, 0.00],
        [0.20, 0.0, 0.70, 0.10, 0.0, 0.00],
        [0.50, 0.0, 0.50, 0.00, 0.0, 0.00],
    ]
)

# With which chance a service of each axis gives each kind of help, in the order of KINDS_OF_HELP; the last is that its
# kinds are not known.
_HELP_BY_AXIS = np.array(
    [
        [0.60, 0.20, 0.05, 0.15, 0.12, 0.45, 0.00, 0.05, 0.03],
        [0.55, 0.45, 0.30, 0.10, 0.25, 0.10, 0.40, 0.05, 0.03],
        [0.40, 0.25, 0.60, 0.10, 0.10, 0.00, 0.10, 0.05, 0.03],
        [0.60, 0.40, 0.20, 0.35, 0.15, 0.40, 0.10, 0.05, 0.03],
        [0.40, 0.05, 0.40, 0.00, 0.05, 0.15, 0.00, 0.20, 0.03],
    ]
)
_HANDED_OVER = 0.55  # of the services of NGOs, by the end of the programme
_SHARED, _RETURNED = 0.35, 0.15  # of those that are handed over


@dataclass(frozen=True)
class _Services:
    municipality: Ints
    operator: Ints
    bearer: Ints
    axis: Ints
    help: Bools  # whether it gives each kind of KINDS_OF_HELP, (services, kinds)
    staff: Ints
    capacity: Ints
    start: Ints
    end: Ints  # -1 where the service goes on
    handed_from: Ints  # position in DUTY_BEARERS, its length for none
    handed_to: Ints


def draw_services(land: Ground, parameters: WorldParameters, days: Floats) -> pd.DataFrame:
    """Draw services: most are where the programme works, and many NGO services are handed over later.

    days : outreach days, (M, T). A hand-over has two records: that of the NGO, which ends, and that of the duty bearer,
    who begins the next day with slightly fewer places. Some NGOs continue beside the duty bearer for a while; some get
    the service back.
    """
    rng = stream(parameters.seed, "services")
    # A municipality for each service, weighted by outreach and people; and the largest of each region with people.
    worked = days.sum(axis=1) / max(days.sum(), 1.0)
    weight = worked**0.75 + 0.5 * land.people / land.people.sum()
    weight[land.people == 0] = 0.0
    towns = choose(rng.random(170), weight)
    main = [
        int(np.flatnonzero(land.region_of == r)[np.argmax(land.people[land.region_of == r])])
        for r in range(len(land.regions))
        if land.region_people[r] > 0 and (land.region_of == r).any()
    ]
    town = np.sort(np.concatenate([towns, np.array(main, dtype=np.int64)]))
    count = len(town)
    axis = choose(rng.random(count), _AXIS_WEIGHT)
    bearer = choose(rng.random(count), _BEARER_BY_AXIS, axis)
    staff = 1 + rng.poisson(2.5 + 2.0 * (axis == 1), count)
    capacity = 5 * np.maximum(1, rng.poisson(staff * np.array([2.2, 0.8, 0.7, 0.9, 1.5])[axis]))
    first, last = int(parameters.edges[0]), int(parameters.edges[-1]) - 1
    late = np.floor(rng.random(count) ** 2 * 0.75 * (last - first)).astype(np.int64)
    none = np.full(count, len(DUTY_BEARERS))
    gives = stream(parameters.seed, "help").random((count, len(KINDS_OF_HELP))) < _HELP_BY_AXIS[axis]
    begun = np.where(rng.random(count) < 0.35, first - 365, first + late)
    ended = np.full(count, -1)
    running = _Services(town, np.arange(count), bearer, axis, gives, staff, capacity, begun, ended, none, none)
    handed = _hand_over(rng, running, first, last)
    return _service_frame(land, _share_and_return(stream(parameters.seed, "handover"), handed, count, last))


def _hand_over(rng: np.random.Generator, now: _Services, first: int, last: int) -> _Services:
    """Return the services after hand-overs: some NGO services end in the second half and a duty bearer continues."""
    count = len(now.axis)
    middle = first + (last - first) // 2
    when = middle + np.floor(rng.random(count) * (last - middle - 30)).astype(np.int64)
    wants = (now.bearer == _NGO) & (rng.random(count) < _HANDED_OVER) & (when > now.start + 90)
    heir = choose(rng.random(count), _HEIR_BY_AXIS, now.axis)
    given_up = np.flatnonzero(wants)
    smaller = np.maximum(1, (now.staff[given_up] * 0.85).astype(np.int64))
    places = np.maximum(5, (now.capacity[given_up] * 0.9 / 5).astype(np.int64) * 5)
    operators = count + np.arange(len(given_up))
    going_on = np.full(len(given_up), -1)
    none = len(DUTY_BEARERS)
    handed_from = np.where(wants, _NGO, none)
    handed_to = np.where(wants, heir, none)
    successors = _Services(
        now.municipality[given_up],
        operators,
        heir[given_up],
        now.axis[given_up],
        now.help[given_up],
        smaller,
        places,
        when[given_up] + 1,
        going_on,
        handed_from[given_up],
        handed_to[given_up],
    )
    earlier = replace(now, end=np.where(wants, when, -1), handed_from=handed_from, handed_to=handed_to)
    return _join(earlier, successors)


def _join(*parts: _Services) -> _Services:
    return _Services(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(_Services)))


def _share_and_return(rng: np.random.Generator, now: _Services, count: int, last: int) -> _Services:
    """Return the services with two changes: some NGOs continue for a while after a hand-over, and some get theirs back.

    The first `count` services are those before hand-overs; the others were taken over. last : last day of the world.
    """
    chance, days = rng.random(len(now.axis)), rng.integers(120, 300, len(now.axis))
    gives = (np.arange(len(now.axis)) < count) & (now.end >= 0)
    until = np.where(gives & (chance < _SHARED), now.end + days, now.end)
    ends = np.where(until > last, -1, until)
    takes = (np.arange(len(now.axis)) >= count) & (now.start + days < last - 30) & (chance < _RETURNED)
    back = np.flatnonzero(takes)
    returned = _Services(
        now.municipality[back],
        now.operator[back] + len(now.axis),
        now.handed_from[back],
        now.axis[back],
        now.help[back],
        now.staff[back],
        now.capacity[back],
        now.start[back] + days[back] + 1,
        np.full(len(back), -1),
        now.bearer[back],
        now.handed_from[back],
    )
    return _join(replace(now, end=np.where(takes, now.start + days, ends)), returned)


def _service_frame(land: Ground, all_of: _Services) -> pd.DataFrame:
    order = np.lexsort((all_of.operator, all_of.start, all_of.municipality))
    bearers = (*DUTY_BEARERS, "")
    until = format_days(np.where(all_of.end < 0, all_of.start, all_of.end)).astype("str")
    names = [f"Operator {i + 1} (invented)" for i in range(int(all_of.operator.max()) + 1)]
    frame = pd.DataFrame(
        {
            "municipality": make_categories(all_of.municipality, land.municipalities),
            "operator": make_categories(all_of.operator, names),
            "duty_bearer": make_categories(all_of.bearer, DUTY_BEARERS),
            "axis": make_categories(all_of.axis, AXES),
            "staff": all_of.staff,
            "capacity": all_of.capacity,
            "valid_from": format_days(all_of.start),
            "valid_to": until.mask(all_of.end < 0, ""),
            "handed_from": make_categories(all_of.handed_from, bearers),
            "handed_to": make_categories(all_of.handed_to, bearers),
            "help": [_join_help(gives) for gives in all_of.help],
        }
    )
    return frame.iloc[order].reset_index(drop=True)


def _join_help(gives: Bools) -> str:
    """Return the kinds of help of a service as a record has them; a service always gives some, or they are unknown."""
    *kinds, unknown = KINDS_OF_HELP
    return unknown if gives[-1] else MANY.join(np.array(kinds)[gives[:-1]]) or kinds[0]


def draw_communities(land: Ground, parameters: WorldParameters) -> pd.DataFrame:
    """Draw estimates of Roma and Egyptian people in regions, and in larger municipalities of some regions.

    They are drawn independently, so that no risk or effort follows from them.
    """
    rng = stream(parameters.seed, "communities")
    around = 0.4 * rng.standard_normal((2, len(land.regions)))
    roma = 0.005 * np.exp(around[0]) * land.region_people
    egyptian = 0.005 * np.exp(around[1]) * land.region_people * (np.array(land.countries)[land.country_of] == "AL")
    parts = []
    for group, amount in (("roma", roma), ("egyptian", egyptian)):
        known = (rng.random(len(amount)) < 0.85) & (amount >= 20)
        parts.append(_estimates(land.regions[known], group, amount[known], parameters))
        share = rng.dirichlet(np.full(len(land.people), 0.6)) * land.people**0.5
        inside = land.sum_by_region(share)[land.region_of]
        local = np.divide(share, inside, where=inside > 0, out=np.zeros_like(share))
        local = local * amount[land.region_of]
        shown = known[land.region_of] & (local >= 100) & (rng.random(len(local)) < 0.5)
        parts.append(_estimates(land.municipalities[shown], group, local[shown], parameters))
    return pd.concat(parts, ignore_index=True).sort_values(["area", "group"], ignore_index=True)


def _estimates(areas: np.ndarray, group: str, amount: Floats, parameters: WorldParameters) -> pd.DataFrame:
    """Return records of estimates, rounded as in practice: to tens, or from 1,000 on to hundreds."""
    unit = np.where(amount >= 1000, 100, 10)
    frame = pd.DataFrame({"area": areas.astype(str), "group": group})
    frame["estimate"] = (np.round(amount / unit) * unit).astype(np.int64)
    frame["year"] = parameters.quarter_starts[0].year + 1
    return frame.assign(source=_ESTIMATE_SOURCE, partner=PARTNERS[3])


_USUAL = 0.1  # smallest share of an axis's services with which a duty bearer has a target of its own


@dataclass(frozen=True)
class _Indicator:
    code: str
    unit: str
    target: float  # in the last year, for each country
    start: float  # share of the target reached in the first year
    end: float  # and in the last


_INDICATORS = (
    _Indicator("prevention_nets", mark("municipalities with a working prevention net"), 20, 0.15, 0.9),
    _Indicator("prevention_children", mark("children at risk reached"), 500, 0.3, 1.05),
    _Indicator("prevention_school_places", mark("children kept in or returned to school"), 260, 0.25, 0.92),
    _Indicator("protection_services", mark("social services of protection"), 14, 0.1, 0.8),
    _Indicator("protection_children", mark("current or former victims assisted"), 200, 0.3, 1.0),
    _Indicator("protection_staff_trained", mark("staff trained"), 120, 0.2, 1.1),
    _Indicator("return_assisted", mark("children assisted in a voluntary return"), 60, 0.25, 0.75),
    _Indicator("reintegration_plans", mark("children with a plan of reintegration"), 90, 0.2, 0.85),
    _Indicator("coordination_meetings", mark("meetings across the border"), 12, 0.4, 1.0),
    _Indicator("coordination_policies", mark("policies put into practice"), 6, 0.0, 0.65),
    _Indicator("community_initiatives", mark("initiatives led by communities"), 16, 0.1, 0.9),
    _Indicator("handed_over_tasks", mark("tasks handed over to duty bearers"), 30, 0.0, 0.7),
    *(
        _Indicator(f"engaged_{bearer}", mark("active duty bearers"), target, start, end)
        for bearer, target, start, end in zip(
            DUTY_BEARERS,
            (8, 10, 24, 40, 15, 18),
            (0.2, 0.3, 0.15, 0.1, 0.5, 0.1),
            (0.8, 1.0, 0.85, 0.9, 1.1, 0.95),
            strict=True,
        )
    ),
)


def draw_indicators(
    land: Ground, parameters: WorldParameters, meetings: FirstMeetings, services: pd.DataFrame
) -> pd.DataFrame:
    """Draw values and targets for the expected results, by country and year of the programme.

    The targets for children reached and assisted fit the number of children of the world. The services of each axis and
    duty bearer are those that exist at the end of the year.
    """
    rng = stream(parameters.seed, "indicators")
    years = max(1, -(-parameters.quarters // 4))
    rows = []
    scale = max(int(meetings.counts.sum()), 1) / 1400
    for country in land.countries:
        for item in _INDICATORS:
            grows = scale if "child" in item.unit else 1.0
            target = max(1.0, round(item.target * grows))
            for year in range(years):
                progress = year / max(years - 1, 1)
                reached = item.start + (item.end - item.start) * progress
                value = round(target * max(0.0, reached * np.exp(0.12 * rng.standard_normal())))
                goal = max(1.0, round(target * (0.35 + 0.65 * progress)))
                start = parameters.quarter_starts[0] + pd.DateOffset(years=year)
                period = f"{start:%Y-%m-%d}/P1Y"
                rows.append((country, period, item.code, float(value), goal, item.unit))
    rows += _count_services(rng, land, parameters, services, years)
    names = ["area", "period", "indicator", "value", "target", "unit"]
    frame = pd.DataFrame(rows, columns=names)
    lead = frame["area"].map({"AL": PARTNERS[0], "GR": PARTNERS[1]}).fillna(PARTNERS[0])
    return frame.assign(source=_SOURCE, partner=lead.astype("str"))


def _count_services(
    rng: np.random.Generator, land: Ground, parameters: WorldParameters, services: pd.DataFrame, years: int
) -> list[tuple[str, str, str, float, float, str]]:
    """Return rows of indicators: services by axis and usual duty bearer at the end of each year, with a target.

    There are no rows for NGOs, because they hand over their services.
    """
    country = dict(zip(land.municipalities, land.country_of_municipality, strict=True))
    usual = [(axis, bearer) for axis, bearer in np.argwhere(_BEARER_BY_AXIS >= _USUAL) if bearer != _NGO]
    where = services["municipality"].astype("str").map(country)
    first, last = (services[column].astype("str") for column in ("valid_from", "valid_to"))
    working = {}
    for year in range(years):
        start = parameters.quarter_starts[0] + pd.DateOffset(years=year)
        end = f"{start + pd.DateOffset(years=1, days=-1):%Y-%m-%d}"
        working[f"{start:%Y-%m-%d}/P1Y"] = ((first <= end) & ((last == "") | (last >= end))).to_numpy(bool)
    kinds = [
        ((services["axis"] == AXES[axis]) & (services["duty_bearer"] == DUTY_BEARERS[bearer])).to_numpy(bool)
        for axis, bearer in usual
    ]
    rows = []
    for number, name in enumerate(land.countries):
        here = (where == number).to_numpy(bool)
        for (axis, bearer), kind in zip(usual, kinds, strict=True):
            counts = [(period, int((here & kind & works).sum())) for period, works in working.items()]
            goal = max(1.0, round(counts[-1][1] * rng.uniform(0.8, 1.5)))
            code = f"{AXES[axis]}_services_{DUTY_BEARERS[bearer]}"
            rows += [(name, period, code, float(count), goal, "services") for period, count in counts]
    return rows
