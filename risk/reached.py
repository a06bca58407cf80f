"""Who can reach which services: the tables of access that `tact risk` writes beside a release.

By county or region and for the last quarter, of all services, of each axis and of each duty bearer: places
for a hundred children newly in need in a quarter (risk/access.py over draws of need), whether there is a gap,
and the way to the nearest service.

* A gap is less than half of what the country's shown places would give each of its children in need. Need and
  yardstick come from the same draw, so that a share of children found that is the same everywhere cancels out.
* A gap is sure only where all services in reach are shown. Where some are withheld, the number is the least
  that there is, and what is said is "no gap" or "cannot tell".
* Services of one country are not counted for children of the other.
* A way over water counts only with a time that somebody entered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from data.derived import Table
from data.disclosure.plan import CATEGORIES, table_name
from data.periods import Period
from data.release import Release
from geo import areas as geography
from geo.travel import Link, Speed, Travel
from risk._fit import Draws
from risk.access import Access, Catchment, Certainty, Supply, nearest, two_step
from risk.detection import DetectionRange
from risk.observations import Observations

__all__ = ["CATCHMENT", "GAP", "Times", "about", "tables"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
By = Literal["", "axis", "duty_bearer"]

# Weights fall to a half after 47 minutes and to a ninth after 84; beyond two hours nothing counts.
CATCHMENT = Catchment(120.0, "gaussian", 40.0)
GAP = 0.5  # of what the country's places would give every child in need
_A_HUNDRED = 100.0
_LEVEL = "region"
_YEAR = 4  # quarters
_ENDS = (0.025, 0.5, 0.975)
_SPLITS: tuple[By, ...] = ("", "axis", "duty_bearer")


@dataclass(frozen=True)
class Times:
    """Travel times that somebody gave: measured ones, and ferries; see geo/travel.py."""

    uploaded: tuple[Link, ...] = ()
    ferries: tuple[Link, ...] = ()

    @classmethod
    def told(cls, manifest: Mapping[str, Any]) -> Times:
        """Read back what the manifest of a result says was used."""
        kept = manifest.get("travel") or {}
        return cls(*(tuple(Link(*one) for one in kept.get(name, ())) for name in ("uploaded", "ferries")))

    def among(self, codes: Iterable[str]) -> Times:
        """Keep those between areas that are known: what was given for other boundaries falls away."""
        known = set(codes)
        kept = (
            [one for one in links if {one.start, one.end} <= known] for links in (self.uploaded, self.ferries)
        )
        return Times(*map(tuple, kept))


def about(times: Times) -> dict[str, Any]:
    """Say for the manifest how travel was reckoned and what was given: Times.told reads it back."""
    speed = Speed()
    laid = {
        name: [[one.start, one.end, one.minutes, one.source] for one in links]
        for name, links in (("uploaded", times.uploaded), ("ferries", times.ferries))
    }
    reckoned = {"detour": speed.detour, "km_per_hour": speed.km_per_hour}
    return {**reckoned, "catchment_minutes": CATCHMENT.minutes, "catchment_scale": CATCHMENT.scale, **laid}


def tables(
    release: Release, areas: geography.Areas, seen: Observations, draws: Draws, times: Times, seed: int
) -> Iterator[Table]:
    """Give the tables of travel, need and access; those of access for what the release holds of services."""
    ways = _Ways.of(areas, seen.areas, times)
    yield _travel_table(ways.travel, _whole(seen))
    need = yearly_need(draws, seen, seed)
    yield _need_table(need, seen)
    for by in _SPLITS:
        split = (by,) if by else ()
        held = [table_name(what, _LEVEL, "quarter", *split) for what in ("capacity", "services")]
        if all(name in release.tables and len(release.table(name)) for name in held):
            rows = [_rows(release, ways, need, by, one) for one in (CATEGORIES[by] if by else ("",))]
            yield _table("access", "quarter", split, _TITLE, pd.concat(rows, ignore_index=True))


_TITLE = "Places for a hundred children newly in need in a quarter"


def yearly_need(draws: Draws, seen: Observations, seed: int) -> Floats:
    """Give draws of the children newly in need in the mean quarter of the last year, (d, areas)."""
    need = DetectionRange().need(draws, seen, seed)
    mean: Floats = need.sum(axis=-1)[:, :, -_YEAR:].mean(axis=-1)
    return mean


@dataclass(frozen=True, eq=False)
class _Ways:
    """The ways from the areas with children (A,) to all areas of the level (S,).

    country : of each area and site, (A,) and (S,). inside : where both are of one country, (A, S). minutes :
    from people to services, (A, S), inf where no way is known. weight : of the catchment, (A, S). own :
    position of each area among the sites, (A,). scattered : areas most of which lie on other islands, (A,).
    """

    travel: Travel
    areas: tuple[str, ...]
    country: tuple[NDArray[Any], NDArray[Any]]
    inside: Bools
    minutes: Floats
    weight: Floats
    own: NDArray[np.int64]
    scattered: Bools

    @classmethod
    def of(cls, areas: geography.Areas, codes: tuple[str, ...], times: Times) -> _Ways:
        travel = Travel.between(areas, _LEVEL, uploaded=times.uploaded, ferries=times.ferries)
        own = np.array([travel.codes.index(code) for code in codes], dtype=np.int64)
        country = areas.frame(_LEVEL)["country"].reindex(list(travel.codes)).to_numpy(dtype=object)
        inside = country[own][:, None] == country
        known = np.where(travel.provisional, np.inf, travel.to_people())[own]
        minutes = np.where(inside, known, np.inf)
        return cls(
            travel, codes, (country[own], country), np.asarray(inside), minutes, CATCHMENT.weight(minutes),
            own, _scattered(areas, codes),
        )  # fmt: skip


def _scattered(areas: geography.Areas, codes: tuple[str, ...]) -> Bools:
    """Say of which areas no island, or stretch of mainland, holds half (EPSG:3035), (A,)."""
    shapes = areas.frame(_LEVEL).geometry.to_crs(3035).reindex(list(codes))
    parts = shapes.explode().area.groupby(level=0)
    share = (parts.max() / parts.sum()).reindex(list(codes))
    return np.asarray(share.to_numpy(dtype=float) < GAP)


def _rows(release: Release, ways: _Ways, need: Floats, by: By, category: str) -> pd.DataFrame:
    """Lay out what is said of the services of one kind, one row an area."""
    sites, asked = ways.travel.codes, {"by": by, "category": category}
    places = Supply.of(release, sites, what="capacity", **asked)  # type: ignore[arg-type]
    services = Supply.of(release, sites, what="services", period=places.period, **asked)  # type: ignore[arg-type]
    found = _reached(ways, need, places)
    frame = pd.DataFrame({"area": list(ways.areas), "period": places.period, **found, **_way(ways, services)})
    return frame.assign(**{by: category}) if by else frame


def _reached(ways: _Ways, need: Floats, places: Supply) -> dict[str, NDArray[Any]]:
    """Give access, its state and what is said of a gap, (A,) each.

    Value and state are as of every table: the least that there is where some is withheld (a class without a
    high end), withheld where nothing is shown in reach.
    """
    access = two_step(need, places.amount, ways.weight)
    told = Access(access.value * _A_HUNDRED, access.unreached).certainty(0.0)
    least = np.asarray(((ways.weight > 0) & places.at_least).any(axis=1))
    hidden = least & (told.median <= 0)
    gap = np.where(hidden, np.nan, _against_the_country(ways, need, places, access).below)
    state = np.select([hidden, least], ["withheld", "class"], "number")
    shown = {"median": told.median, "lower": told.low, "upper": told.high, "gap": gap}
    shown = {name: np.where(hidden, np.nan, values) for name, values in shown.items()}
    return {
        "value": np.where(state == "number", told.median, np.nan),
        "state": state,
        "low": np.where(state == "class", told.median, np.nan),
        "high": np.full(len(state), np.nan),
        **shown,
        "verdict": _verdict(gap, least),
        "at_least": least,
    }


def _against_the_country(ways: _Ways, need: Floats, places: Supply, access: Access) -> Certainty:
    """Say how sure it is that access is below a part of the country's, in each draw."""
    of_area, of_site = ways.country
    lands = np.unique(of_area)
    supply = np.array([places.amount[of_site == land].sum() for land in lands])
    wanted = np.stack([need[:, of_area == land].sum(axis=1) for land in lands], axis=1)
    rate = (supply / wanted)[:, np.searchsorted(lands, of_area)]
    ratio = np.divide(access.value, rate, out=np.zeros_like(rate), where=rate > 0)
    return Access(ratio, access.unreached).certainty(GAP)


def _verdict(gap: Floats, least: Bools) -> NDArray[Any]:
    """Say "gap" or "no_gap" where it is 80 % sure, and a gap only where nothing in reach is withheld."""
    sure = Certainty(gap, gap, gap, gap)
    telling = [np.isnan(gap), sure.gap & ~least, sure.gap | sure.cannot_tell]
    return np.select(telling, ["withheld", "gap", "cannot_tell"], "no_gap")


def _way(ways: _Ways, services: Supply) -> dict[str, NDArray[Any]]:
    """Give the minutes to the nearest service that is shown, and what is known of the way, (A,) each.

    way : land; islands, where the nearest is in an own area of islands; water, where all ways lead over water
    without a time; none, where none is shown in the country. nearer : whether one that is not shown may be
    nearer.
    """
    minutes = nearest(ways.minutes, services.amount)
    hidden = nearest(ways.minutes, np.where(services.at_least & (services.amount <= 0), 1.0, 0.0))
    anywhere = (ways.inside & (services.amount > 0)).any(axis=1)
    at_home = services.amount[ways.own] > 0
    way = np.select(
        [~anywhere, ~np.isfinite(minutes), ways.scattered & at_home], ["none", "water", "islands"], "land"
    )
    known = way == "land"
    return {"minutes": np.where(known, minutes, np.nan), "way": way, "nearer": np.asarray(hidden < minutes)}


def _need_table(need: Floats, seen: Observations) -> Table:
    low, median, high = np.quantile(need, _ENDS, axis=0)
    columns = {"value": median, "state": "number", "lower": low, "upper": high}
    rows = pd.DataFrame({"area": list(seen.areas), "period": seen.quarters[-1], **columns})
    return _table("need", "quarter", (), "Children newly in need in a quarter, mean of the last year", rows)


def _travel_table(travel: Travel, period: str) -> Table:
    """Give the minutes from each area to each, and from its people to its middle."""
    size = len(travel.codes)
    rows = pd.DataFrame(
        {
            "area": np.repeat(np.array(travel.codes, dtype=object), size),
            "to": np.tile(np.array(travel.codes, dtype=object), size),
            "period": period,
            "value": np.ravel(travel.to_people()),
            "provisional": np.ravel(travel.provisional),
            "given": np.ravel(travel.given),
        }
    )
    known = np.isfinite(rows["value"])
    rows = rows.assign(value=rows["value"].where(known), state=np.where(known, "number", "no_data"))
    return _table("travel", "whole", ("to",), "Minutes between areas", rows)


def _table(measure: str, grain: str, split: tuple[str, ...], title: str, rows: pd.DataFrame) -> Table:
    return Table(measure, _LEVEL, grain, split, title, pa.Table.from_pandas(rows, preserve_index=False))


def _whole(seen: Observations) -> str:
    first, last = (Period.parse(seen.quarters[at]) for at in (0, -1))
    return Period(first.start, last.end, "whole").id
