"""Access to services: the tables that `tact risk` writes beside a release.

They have one row for each county or region in the last quarter: places for a hundred children newly in need in a
quarter, whether there is a gap, and the travel time to the nearest service. There are tables of all services, of each
axis, and of each duty bearer and each kind of help (on prevention and coordination).

An area has a gap if it has less than half of the country's shown places for each child in need. The need
of the area and of the country come from the same draw, so the share of children found cancels out where
it is the same everywhere. A gap is stated only if all services within reach are shown. Where a part of them is
withheld, the number is a lower limit, and the statement is "no gap" or "cannot tell"; where none is shown, both are
withheld. Services of one country do not count for children of the other. A route over water counts only with a travel
time that somebody entered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from data.release import Release
from data.release.result import Table
from data.tables.spec import CATEGORIES, table_name
from data.workspace.files import write_text
from data.workspace.types import Bools, Floats
from geo import areas as geography
from geo.travel import DETOUR_BASE, DETOUR_SLOPE, DETOUR_SPREAD, KM_PER_HOUR, SPEED_SPREAD, Link, RoadTimes, Travel
from risk.access import By, Catchment, Supply, compute_access, find_nearest
from risk.model.detection import draw_yearly_need
from risk.model.draws import Draws
from risk.model.observations import Observations
from risk.model.statements import say_nothing_of
from risk.numbers import round_to_two_digits

# Weights fall to a half after 47 minutes and to a ninth after 84; beyond two hours nothing counts.
CATCHMENT = Catchment(120.0, "gaussian", 40.0)
GAP = 0.5  # of what the country's places would give every child in need
_SURE = 0.8  # the lowest probability at which a gap, or its absence, is stated
_A_HUNDRED = 100.0
_LEVEL = "region"
_ENDS = (0.025, 0.5, 0.975)
_ROADS = "roads.json"
_NUMBERS = ("detour", "slope", "spread", "km_per_hour", "catchment_minutes")
_SPLITS: tuple[By, ...] = ("", "axis", "duty_bearer", "help")
TITLES = {
    "access": "Service places within reach, for 100 children in need",
    "accessgap": "Chance of a gap, %",
    "accesstime": "Minutes to the nearest service",
}
# The two classes of the chance of a gap, in per cent: lower and upper end.
NO_GAP, A_GAP = (0.0, 20.0), (80.0, 100.0)


@dataclass(frozen=True)
class Times:
    """Travel times that somebody entered: measured ones, ferries, and those of a map file; see geo/travel.py."""

    uploaded: tuple[Link, ...] = ()
    ferries: tuple[Link, ...] = ()
    roads: RoadTimes | None = None

    @classmethod
    def read(cls, manifest: Mapping[str, Any]) -> Times:
        """Read the times that were used for a result from its manifest; empty if it names none."""
        travel = manifest.get("travel") or {}
        uploaded, ferries = (tuple(Link(*link) for link in travel.get(name, ())) for name in ("uploaded", "ferries"))
        return cls(uploaded, ferries, RoadTimes.read(travel["roads"]) if travel.get("roads") else None)

    def among(self, codes: Iterable[str]) -> Times:
        """Return the times between two areas of `codes`, without those that were entered for other boundaries."""
        members = set(codes)
        uploaded, ferries = (
            tuple(link for link in links if {link.start, link.end} <= members)
            for links in (self.uploaded, self.ferries)
        )
        return Times(uploaded, ferries, self.roads)

    def compute_travel(self, areas: geography.Areas, level: str) -> Travel:
        """Compute the travel times between the areas of a level."""
        return Travel.between(areas, level, self.uploaded, self.ferries, self.roads)


@dataclass(frozen=True)
class TravelNotes:
    """How travel and access were calculated, and the times that were entered.

    detour : ratio of road to straight-line distance where many people live; `slope` is what each km of empty land along
    the line adds to its logarithm. spread : standard deviation of the logarithm of a time. catchment_minutes : travel
    time beyond which no service counts.
    """

    detour: float
    slope: float
    spread: float
    km_per_hour: float
    catchment_minutes: float
    times: Times

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> TravelNotes:
        """Read the notes that `describe_travel` wrote; results of earlier versions have no slope and no spread."""
        numbers = {name: float(values.get(name, 0.0)) for name in _NUMBERS}
        return cls(**numbers, times=Times.read({"travel": values}))


def read_roads(folder: Path) -> RoadTimes | None:
    """Read the times of the map file that `tact travel` read last; None without. folder : derived, of the workspace."""
    path = Path(folder) / _ROADS
    return RoadTimes.read(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def write_roads(folder: Path, roads: RoadTimes) -> None:
    """Write the times of a map file, completely or not at all."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    write_text(Path(folder) / _ROADS, json.dumps(roads.describe()))


def remove_roads(folder: Path) -> None:
    """Remove the times of a map file, if there are any."""
    (Path(folder) / _ROADS).unlink(missing_ok=True)


def describe_travel(times: Times) -> dict[str, Any]:
    """Return how travel is calculated and which times were entered, as plain values for a manifest."""
    return {
        "detour": float(np.exp(DETOUR_BASE)),
        "slope": DETOUR_SLOPE,
        "spread": float(np.hypot(DETOUR_SPREAD, SPEED_SPREAD)),
        "km_per_hour": KM_PER_HOUR,
        "catchment_minutes": CATCHMENT.minutes,
        "catchment_scale": CATCHMENT.scale,
        **{
            name: [[link.start, link.end, link.minutes, link.source] for link in links]
            for name, links in (("uploaded", times.uploaded), ("ferries", times.ferries))
        },
        "roads": times.roads.describe() if times.roads else None,
    }


def make_access_tables(
    release: Release, areas: geography.Areas, observations: Observations, draws: Draws, times: Times, seed: int
) -> Iterator[Table]:
    """Yield the tables of travel and need, and those of access for the services that the release has."""
    need = draw_yearly_need(draws, observations, seed).sum(axis=2)
    routes = _Routes.build(areas, observations.areas, times, len(need), seed)
    yield _make_travel_table(routes.travel, observations.whole_time)
    yield _make_need_table(need, observations)
    for by in _SPLITS:
        split = (by,) if by else ()
        names = [table_name(what, _LEVEL, "quarter", *split) for what in ("capacity", "services")]
        if all(name in release.tables and len(release.table(name)) for name in names):
            kinds = CATEGORIES[by] if by else ("",)
            parts = [_tabulate_services(release, routes, need, by, category) for category in kinds]
            for measure, title in TITLES.items():
                rows = pd.concat([category[measure] for category in parts], ignore_index=True)
                if measure != "accesstime":  # the others compare services with need
                    rows = say_nothing_of(observations.silent_places, rows)
                yield _make_table(measure, "quarter", split, title, rows)


@dataclass(frozen=True, eq=False)
class _Routes:
    """The routes from the areas with children (A,) to all areas of the level (S,).

    country : of each area and site, (A,) and (S,). inside : whether both are in one country, (A, S). minutes : from
    people to services, (A, S), inf if too few people have a way. weight : draws of the weight of the catchment,
    (d, A, S), for the people who have a way. near : whether both are within the catchment, by the times themselves and
    not by draws, (A, S). doubtful : whether the way is short enough, but for half of the people it
    crosses water without an entered time, (A, S). position : of each area among the sites, (A,).
    """

    travel: Travel
    areas: tuple[str, ...]
    country: tuple[NDArray[Any], NDArray[Any]]
    inside: Bools
    minutes: Floats
    weight: Floats
    near: Bools
    doubtful: Bools
    position: NDArray[np.int64]

    @classmethod
    def build(cls, areas: geography.Areas, codes: tuple[str, ...], times: Times, size: int, seed: int) -> _Routes:
        travel = times.compute_travel(areas, _LEVEL)
        position = np.array([travel.codes.index(code) for code in codes], dtype=np.int64)
        country = areas.frame(_LEVEL)["country"].reindex(list(travel.codes)).to_numpy(dtype=object)
        inside = country[position][:, None] == country
        people, over = travel.people[position], travel.provisional[position]
        reached = np.where(inside, travel.reached[position], 0.0)
        weight = CATCHMENT.weight(travel.draw_people(size, seed)[:, position]) * reached
        short, lands = people <= CATCHMENT.minutes, (country[position], country)
        minutes = np.where(inside & ~over, people, np.inf)
        return cls(
            travel, codes, lands, inside, minutes, weight, short & (reached > 0), inside & over & short, position
        )


def _tabulate_services(
    release: Release, routes: _Routes, need: Floats, by: By, category: str
) -> dict[str, pd.DataFrame]:
    """Return the rows for services of a category, by measure, with one row for each area.

    need : draws of the children in need per quarter, (d, A).
    """
    sites, breakdown = routes.travel.codes, {"by": by, "category": category}
    places = Supply.from_release(release, sites, what="capacity", **breakdown)  # type: ignore[arg-type]
    services = Supply.from_release(release, sites, what="services", period=places.period, **breakdown)  # type: ignore[arg-type]
    access = compute_access(need, places.amount, routes.weight)
    near = routes.near
    withheld = (near & places.at_least).any(axis=1)
    doubted = (routes.doubtful & (places.at_least | (places.amount > 0))).any(axis=1)
    least = np.asarray(withheld | doubted)
    hidden = np.asarray(withheld & ~(near @ places.amount > 0))
    # Access of an area over that of its country, draw by draw, (d, A); 0 in a country without shown places.
    of_area, of_site = routes.country
    lands = np.unique(of_area)
    supply = np.array([places.amount[of_site == land].sum() for land in lands])
    wanted = np.stack([need[:, of_area == land].sum(axis=1) for land in lands], axis=1)
    rate = (supply / wanted)[:, np.searchsorted(lands, of_area)]
    ratio = np.divide(access, rate, out=np.zeros_like(rate), where=rate > 0)
    tables_by_measure = {
        "access": _tabulate_places(access, np.asarray(withheld), hidden),
        "accessgap": _tabulate_gaps(np.asarray((ratio < GAP).mean(axis=0)), least, hidden),
        "accesstime": _tabulate_routes(routes, services),
    }
    head: dict[str, Any] = {"area": list(routes.areas), "period": places.period}
    if by:
        head[by] = category
    return {name: pd.DataFrame({**head, **columns}) for name, columns in tables_by_measure.items()}


def _tabulate_places(access: Floats, least: Bools, hidden: Bools) -> dict[str, NDArray[Any]]:
    """Return the places within reach for 100 children in need, as columns, (A,) each, with two significant digits.

    access : draws of the places for each child, (d, A).
    `least` marks areas for which some places may be missing: their number is a lower limit, a class without an upper
    end. `hidden` marks areas for which places are withheld and none within reach is shown: their number is withheld.
    """
    state = np.select([hidden, least], ["withheld", "class"], "number")
    ends = np.quantile(np.where(hidden, np.nan, access), _ENDS, axis=0)
    lower, median, upper = round_to_two_digits(_A_HUNDRED * ends)
    return {
        "value": np.where(state == "number", median, np.nan),
        "state": state,
        "low": np.where(state == "class", median, np.nan),
        "high": np.full(len(state), np.nan),
        "median": median,
        "lower": lower,
        "upper": upper,
        "at_least": least,
    }


def _tabulate_gaps(below: Floats, least: Bools, hidden: Bools) -> dict[str, NDArray[Any]]:
    """Return the statement whether each area has a gap, and its chance in per cent, as columns, (A,) each.

    below : probability of a gap, (A,). A gap is stated only where no place within reach may be missing; see
    `_tabulate_places` for `least` and `hidden`.
    """
    gap = below >= _SURE
    cannot_tell = ~gap & (1.0 - below < _SURE)
    telling = [hidden, cannot_tell | (gap & least)]
    state = np.select(telling, ["withheld", "cannot_tell"], "class")
    ends = np.where(gap[:, None], A_GAP, NO_GAP)
    low, high = np.where((state == "class")[:, None], ends, np.nan).T
    # A chance of 79.6 % is no gap yet: rounded to 80, it would contradict "cannot tell".
    chance = np.round(_A_HUNDRED * below)
    chance = np.where(cannot_tell, np.clip(chance, NO_GAP[1] + 1.0, A_GAP[0] - 1.0), chance)
    return {
        "value": np.full(len(state), np.nan),
        "state": state,
        "low": low,
        "high": high,
        "chance": np.where(hidden, np.nan, chance),
        "at_least": least,
    }


def _tabulate_routes(routes: _Routes, services: Supply) -> dict[str, NDArray[Any]]:
    """Return the minutes to the nearest shown service, and the kind of route, as columns, (A,) each.

    way : land; islands, if the area itself has a service that half of its people have no way to; water, if all
    routes cross water without an entered time; none, if no service is shown in the country. nearer : whether a withheld
    service may be nearer. maybe_near : whether one that is withheld, or lies across water, may be within the catchment.
    Minutes are known only for land; they are withheld if services of the country are hidden and none is shown.
    """
    minutes = find_nearest(routes.minutes, services.amount)
    unseen = find_nearest(routes.minutes, (services.at_least & (services.amount <= 0)).astype(float))
    anywhere = (routes.inside & (services.amount > 0)).any(axis=1)
    at_home = np.diag(routes.travel.provisional)[routes.position] & (services.amount[routes.position] > 0)
    nearer = unseen < minutes
    over_water = routes.doubtful & (services.at_least | (services.amount > 0))
    way = np.select([~anywhere, at_home, ~np.isfinite(minutes)], ["none", "islands", "water"], "land")
    states = {"land": "number", "islands": "cannot_tell", "water": "cannot_tell", "none": "structural_zero"}
    silent = (routes.inside & services.at_least).any(axis=1) & ~anywhere
    return {
        "value": np.where(way == "land", np.round(minutes), np.nan),
        "state": np.where(silent, "withheld", [states[name] for name in way]),
        "way": way,
        "nearer": np.asarray(nearer),
        "maybe_near": np.asarray((unseen <= CATCHMENT.minutes) | over_water.any(axis=1)),
    }


def _make_need_table(need: Floats, observations: Observations) -> Table:
    low, median, high = round_to_two_digits(np.quantile(need, _ENDS, axis=0))
    columns = {"value": median, "state": "number", "lower": low, "upper": high}
    rows = pd.DataFrame({"area": list(observations.areas), "period": observations.quarters[-1], **columns})
    rows = say_nothing_of(observations.silent_places, rows)
    return _make_table("need", "quarter", (), "Children in need per quarter, average of the last year", rows)


def _make_travel_table(travel: Travel, period: str) -> Table:
    """Return the minutes between all pairs of areas, and, for an area and itself, from its people to its centre.

    Where no time is known, there is no number.
    """
    size = len(travel.codes)
    rows = pd.DataFrame(
        {
            "area": np.repeat(np.array(travel.codes, dtype=object), size),
            "to": np.tile(np.array(travel.codes, dtype=object), size),
            "period": period,
            "value": np.ravel(travel.people),
            "provisional": np.ravel(travel.provisional),
            "reached": np.ravel(travel.reached),
            "given": np.ravel(travel.entered),
        }
    )
    known = np.isfinite(rows["value"])
    rows = rows.assign(value=rows["value"].where(known), state=np.where(known, "number", "no_data"))
    return _make_table("travel", "whole", ("to",), "Minutes between areas", rows)


def _make_table(measure: str, grain: str, split: tuple[str, ...], title: str, rows: pd.DataFrame) -> Table:
    return Table(measure, _LEVEL, grain, split, title, pa.Table.from_pandas(rows, preserve_index=False))
