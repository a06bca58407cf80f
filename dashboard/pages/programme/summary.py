"""The content of the Programme page: services of each axis and duty bearer, and who runs them.

All numbers come from the tables of the release. Services by axis and duty bearer are released only for whole countries
and only on the partner tier. Services by carrier are released only for prevention and coordination. Children are
counted by the axis of their first encounter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from dashboard.narrative.speech import speak_to_reader
from dashboard.site.current_release import (
    CurrentRelease,
    load_areas,
    name_regions,
    read_area_names,
    read_country_names,
    read_table,
)
from dashboard.site.text import (
    _,
    cache_by_language,
    capitalise,
    format_month,
    format_number,
    format_period,
    format_quantity,
    translate,
)
from dashboard.widgets.cell import format_cell
from data.tables.periods import Period
from data.tables.shown import choose_numbers
from data.tables.spec import CATEGORIES, table_name
from geo.layers.core.service_choices import AXES, BEARERS
from geo.layers.core.words import describe_state

CARRIERS = CATEGORIES["carrier"]
_OF_STATE = ("handed_over", "state")


@dataclass(frozen=True)
class Number:
    """A number or a state. words : its text. value : NaN if only a state is known; for a range, its lower end."""

    words: str
    value: float = math.nan
    state: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a number."""
        return not math.isnan(self.value)


def name_areas(current: CurrentRelease) -> dict[str, str]:
    """Return the names of areas by code: first the countries, then the counties and regions with their country."""
    return {**read_country_names(current), **name_regions(current)}


def find_country(current: CurrentRelease, area: str) -> str:
    """Return the code of the country of an area; for a country, its own code. Raises KeyError for an unknown code."""
    return str(load_areas(current.release).rows[area]["country"] or area)


def find_level(current: CurrentRelease, area: str) -> str:
    """Return the level of an area. Raises KeyError for an unknown code."""
    return str(load_areas(current.release).rows[area]["level"])


@lru_cache(maxsize=64)
def _read_last(current: CurrentRelease, name: str) -> pd.DataFrame:
    """Read the rows of the last period of a table. The frame is shared: never change it."""
    table = read_table(current, name)
    return table if table.empty else table[table["period"] == table["period"].max()]


def find_last_quarter(current: CurrentRelease) -> Period | None:
    """Return the last quarter in the table of services of countries; None if there is none."""
    rows = _read_last(current, table_name("services", "country", "quarter"))
    return None if rows.empty else Period.parse(str(rows["period"].iloc[0]))


def read_cells(current: CurrentRelease, measure: str, country: str) -> dict[tuple[str, str], Number]:
    """Read a country's services or places in the last quarter; the keys are codes of axis and duty bearer.

    measure : "services" or "capacity" (places). Empty if the release does not have them.
    """
    rows = _read_last(current, table_name(measure, "country", "quarter", "axis", "duty_bearer"))
    if rows.empty:
        return {}
    here = rows[rows["area"] == country]
    return {(str(row["axis"]), str(row["duty_bearer"])): _read_sum(current, row) for row in here.to_dict("records")}


def read_totals(current: CurrentRelease, area: str, by: str) -> dict[str, Number]:
    """Read the services of an area in the last quarter, or in the last year on the public tier.

    by : the category whose codes are the keys, such as "axis" or "carrier". Empty if the release does not have them.
    """
    grain = "year" if current.tier == "public" else "quarter"
    rows = _read_last(current, table_name("services", find_level(current, area), grain, by))
    if rows.empty:
        return {}
    return {str(row[by]): _read_sum(current, row) for row in rows[rows["area"] == area].to_dict("records")}


def _read_sum(current: CurrentRelease, row: Mapping[Any, Any]) -> Number:
    value, low, high = (float("nan" if pd.isna(row.get(n)) else row[n]) for n in ("value", "low", "high"))
    words = translate(format_quantity(value, low, high) or describe_state(row["state"], current.release.k))
    return Number(words, low if math.isnan(value) else value, str(row["state"]))


def read_children(current: CurrentRelease, area: str, period: str) -> dict[str, Number]:
    """Read the children met in a period, by the code of the axis of their first encounter.

    Empty if the release does not have these numbers for the area and period.
    """
    level, grain = find_level(current, area), Period.parse(period).grain
    table = read_table(current, table_name("children", level, grain, "axis"))
    if table.empty:
        return {}
    here = table[(table["area"] == area) & (table["period"] == period)]
    rows = pd.concat([here[["axis", "state"]], choose_numbers(here, current.release.find_reach(level, grain))], axis=1)
    return {str(row["axis"]): Number(format_cell(current, row), row["value"]) for row in rows.to_dict("records")}


def name_axes() -> dict[str, str]:
    """Return the names of the five axes, by code."""
    return {choice.id.partition("-")[2]: capitalise(translate(choice.label)) for choice in AXES}


def name_bearers() -> dict[str, str]:
    """Return the names of the six duty bearers, by code."""
    return {choice.id.partition("-")[2]: capitalise(translate(choice.label)) for choice in BEARERS}


def name_carriers() -> dict[str, str]:
    """Return the names of the carriers of services, by code."""
    return {
        "partner": _("With a partner"),
        "shared": _("Shared"),
        "handed_over": _("Handed over"),
        "returned": _("Returned"),
        "state": _("State from the start"),
    }


def explain_carriers() -> dict[str, str]:
    """Return a sentence on what each carrier of services means, by code."""
    return {
        "partner": _("An NGO or a community runs it."),
        "shared": _("Partner and state run it together after a hand-over."),
        "handed_over": _("The state runs it now."),
        "returned": _("The state had it; a partner runs it again."),
        "state": _("It was never a partner's."),
    }


@cache_by_language(maxsize=64)
def read_state_share(current: CurrentRelease, area: str) -> pd.DataFrame:
    """Return the share of the services of prevention and coordination that the state runs, by quarter, oldest first.

    Indexed by period; columns label, end (the name of the last month), share (per cent) and words. The share is NaN if
    the number of a carrier is not known exactly, or if there are no services. Without rows if the release does not have
    these numbers for the area. The frame is shared: never change it.
    """
    table = read_table(current, table_name("services", find_level(current, area), "quarter", "carrier"))
    here = table[table["area"] == area] if len(table) else table
    rows = (
        {str(period): _compute_share(str(period), group) for period, group in here.groupby("period")}
        if len(here)
        else {}
    )
    return pd.DataFrame.from_dict(rows, orient="index", columns=["label", "end", "share", "words"])


def _compute_share(period: str, rows: pd.DataFrame) -> tuple[str, str, float, str]:
    numbers = rows["value"].astype("Float64").where(rows["state"] == "number").to_numpy(float, na_value=math.nan)
    total, of_state = numbers.sum(), numbers[rows["carrier"].isin(_OF_STATE)].sum()
    ends = format_period(period), format_month(Period.parse(period).end)
    if not total > 0:  # true for NaN, too
        return *ends, math.nan, ""
    words = _("{n} of {total}", n=format_number(of_state), total=format_number(total))
    return *ends, 100.0 * of_state / total, words


@cache_by_language(maxsize=64)
def tabulate_board(current: CurrentRelease, country: str) -> pd.DataFrame:
    """Return the number of services of each carrier, in words: a row for the country and for each county or region.

    The frame is shared: never change it.
    """
    names, countries = read_area_names(current), load_areas(current.release).table["country"]
    codes = [country, *(code for code in name_regions(current) if countries[code] == country)]
    boards = {str(names[code]): read_totals(current, str(code), "carrier") for code in codes}
    words = name_carriers()
    rows = [[name, *(board[c].words if c in board else "" for c in CARRIERS)] for name, board in boards.items()]
    return pd.DataFrame(rows, columns=[_("Area"), *(words[c] for c in CARRIERS)])


def tabulate_axes(current: CurrentRelease, area: str, period: str) -> pd.DataFrame:
    """Return services of the last year and children met in the period in words, a row for each axis."""
    services, children = read_totals(current, area, "axis"), read_children(current, area, period)
    missing = Number(_("not published for this area and period"))
    rows = [
        (name, services.get(axis, missing).words, children.get(axis, missing).words)
        for axis, name in name_axes().items()
    ]
    return pd.DataFrame(rows, columns=[_("Axis"), _("Services, last year"), _("Children met")])


def describe_state_share(current: CurrentRelease, area: str) -> str:
    """Return a text on the share of services that the state runs now, and a year before if that is known.

    Empty if the share of now is not known.
    """
    shares = read_state_share(current, area)
    if shares.empty or math.isnan(shares["share"].iloc[-1]):
        return ""
    last, t = shares.iloc[-1], speak_to_reader(current)
    words = _(
        "The state carries {share} of the services of prevention and coordination ({words}).",
        share=t.format_percent(last["share"] / 100),
        words=last["words"],
    )
    before = shares["share"].iloc[-1 - _YEAR] if len(shares) > _YEAR else math.nan
    if math.isnan(before):
        return words
    return _("{words} A year before it was {before}.", words=words, before=t.format_percent(before / 100))


_YEAR = 4  # quarters
