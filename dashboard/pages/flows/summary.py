"""The content of the Flows page: where children who were met come from, and where they were taken.

A child is counted once, with the origin and destination of the first encounter. Only the partner tier has the tables of
flows; the public tier has children by pathway.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.site import current_release
from dashboard.site.current_release import (
    CurrentRelease,
    load_areas,
    name_periods,
    name_regions,
    read_area_names,
    read_country_names,
    read_risk_manifest,
    read_table,
)
from dashboard.site.text import _, capitalise, format_number, format_period, format_plural, translate
from dashboard.widgets.cell import format_cell
from data.disclosure.cell_key import CellKey
from data.tables.periods import Period
from data.tables.shown import choose_numbers, count_draws
from data.tables.spec import table_name
from geo.layers.encounters import COUNTED as ENCOUNTERS
from geo.layers.output.table import NOISY, format_noisy
from risk.model.observations import build_channel

EVERY = "all"
INTERNAL, CROSS_BORDER = "internal", "cross_border"
# Lower ends, in children, of the classes of width and colour. A flow of the first class is drawn only if an area is
# chosen, because most of its number may be noise.
CLASSES = (1, 5, 10, 20)
_NAMED = 3
_LISTED = 9
_PATHWAYS = ("internal", "al_to_gr", "other_cross_border", "none_known")


@dataclass(frozen=True)
class FlowChoice:
    """What the page shows: a period, a pathway ("all" for both), and an area ("all" for both countries)."""

    period: str
    pathway: str = EVERY
    area: str = EVERY


@dataclass(frozen=True, eq=False)
class Flows:
    """The flows of a choice. Numbers are children.

    rows : a flow in each row, the largest first, with origin, area (destination), value, margin, noisy, noisy_margin,
    state and crosses (whether it crosses a border). drawn : the rows that the map shows. total : the sum of these
    flows; if no area is chosen, that of the flows of countries, with children whose county or region of origin is
    unknown. other : `total` without the children in `drawn`.
    """

    rows: pd.DataFrame
    drawn: pd.DataFrame
    total: float
    other: float


@lru_cache(maxsize=64)
def _read_rows(current: CurrentRelease, level: str, period: str) -> pd.DataFrame:
    """Read all flows of a period at a level, a flow in each row, with the columns of `Flows.rows`.

    Never change the shared frame.
    """
    table = read_table(current, table_name("flows", level, Period.parse(period).grain, "origin"))
    if table.empty:
        return pd.DataFrame(columns=["area", "origin", "state", "value", "margin", "noisy", "noisy_margin", "crosses"])
    here = table[table["period"] == period].reset_index(drop=True)
    country = load_areas(current.release).table["country"]
    ends = [here[end] if level == "country" else here[end].map(country) for end in ("area", "origin")]
    numbers = choose_numbers(here, current.release.find_reach(level, Period.parse(period).grain, "flows"))
    # Sums over years may lie outside the bounds of a published number; then the published number is used.
    differs = (numbers["value"] - numbers["noisy"]).abs() > numbers["noisy_margin"]
    as_published = (here["state"] == "number") & (differs | (numbers["value"] < 1))
    for shown, published in (("value", "noisy"), ("margin", "noisy_margin")):
        numbers[shown] = numbers[shown].mask(as_published, numbers[published])
    return pd.concat([here[["area", "origin", "state"]], numbers], axis=1).assign(crosses=ends[0] != ends[1])


@lru_cache(maxsize=128)
def read_flows(current: CurrentRelease, choice: FlowChoice) -> Flows:
    """Read the flows of a choice; without rows if the release has none. Never change the shared frames."""
    rows = _choose_rows(_read_rows(current, "region", choice.period), choice)
    if choice.area != EVERY:
        rows = rows[(rows["area"] == choice.area) | (rows["origin"] == choice.area)]
    rows = rows.sort_values(["value", "origin", "area"], ascending=[False, True, True], kind="stable")
    least = CLASSES[1] if choice.area == EVERY else CLASSES[0]
    drawn = rows[rows["value"] >= least]
    whole = rows if choice.area != EVERY else _choose_rows(_read_rows(current, "country", choice.period), choice)
    total = float((whole if len(whole) else rows)["value"].sum())
    return Flows(rows, drawn, total, max(0.0, total - float(drawn["value"].sum())))


def _choose_rows(rows: pd.DataFrame, choice: FlowChoice) -> pd.DataFrame:
    return rows if choice.pathway == EVERY else rows[rows["crosses"] == (choice.pathway == CROSS_BORDER)]


def name_areas(current: CurrentRelease) -> dict[str, str]:
    """Return the names of areas by code: first both countries together, then each county or region with its country."""
    return {EVERY: _("Albania and Greece"), **name_regions(current)}


def find_answer(current: CurrentRelease, choice: FlowChoice) -> str:
    """Return sentences on the destinations with the most children and on the largest flow.

    If an area is chosen, they are on the flows to, from and within it. If no flow is drawn, a sentence says so.
    """
    flows, names = read_flows(current, choice), read_area_names(current)
    if flows.drawn.empty:
        return _("No flow is large enough to be shown here.")
    if choice.area != EVERY:
        return _describe_area(current, choice)
    first, largest = flows.drawn.iloc[0], _("One of the largest flows is from {origin} to {area}: {n}.")
    if _is_largest(flows.rows):
        largest = _("The largest flow is from {origin} to {area}: {n}.")
    ends = {end: names[first[end]] for end in ("origin", "area")}
    return f"{_word_destinations(current, flows.rows)} {largest.format(**ends, n=_format_pair(first))}"


def _word_destinations(current: CurrentRelease, rows: pd.DataFrame) -> str:
    """Return a sentence on the destination with the most children, or on all destinations that may be the first."""
    first, names = find_largest(estimate_sums(current, rows, "area")), read_area_names(current)
    places = [
        _("{area} {n}", area=names[str(code)], n=_format_sum(row)) for code, row in first.to_dict("index").items()
    ]
    if len(places) == 1:
        return _("The destination with most children: {place} (95 % interval).", place=places[0])
    return _(
        "The destinations with most children, with 95 % intervals: {places}. Which of them comes first cannot be told.",
        places=speak_to_reader(current).list_names(places, _NAMED),
    )


def _format_sum(row: Mapping[Any, Any]) -> str:
    """Return a sum of flows with its interval as text; only its lower end if the upper end is infinite."""
    low = format_number(row["low"])
    if math.isinf(row["high"]):
        return _("at least {n}", n=low)
    return _("{value} ({low} to {high})", value=format_number(row["value"]), low=low, high=format_number(row["high"]))


def _is_largest(rows: pd.DataFrame) -> bool:
    """Return whether the first flow is certainly the largest: even with the margins, all other flows are smaller.

    False if a flow is withheld, because it may be larger.
    """
    first, others = rows.iloc[0], rows.iloc[1:]
    below = others["value"].isna() | (others["value"] + others["margin"] < first["value"] - first["margin"])
    return bool((below & (others["state"] != "withheld")).all())


def _format_pair(row: Mapping[Any, Any] | pd.Series) -> str:
    return _("{n} ±{margin}", n=format_number(row["value"]), margin=format_number(row["margin"]))


def _join_places(t: Speech, names: pd.Series, rows: pd.DataFrame) -> str:
    """Return the areas of the first three rows, with their numbers and margins, as text; `rows` : indexed by area."""
    first = rows.head(_NAMED).to_dict("index")
    return t.join_and(_("{area} ({n})", area=names[str(code)], n=_format_pair(row)) for code, row in first.items())


def _describe_area(current: CurrentRelease, choice: FlowChoice) -> str:
    rows, here = read_flows(current, choice).rows, choice.area
    names, t = read_area_names(current), speak_to_reader(current)
    within = (rows["area"] == here) & (rows["origin"] == here)
    parts = []
    for end, other, words in (
        ("area", "origin", _("To {here}: {n}, among the largest flows those from {places}")),
        ("origin", "area", _("from {here}: {n}, among the largest flows those to {places}")),
    ):
        every = rows[(rows[end] == here) & ~within]
        flows = every[every["value"] >= CLASSES[0]]
        if len(flows):
            total = _format_sum(estimate_sums(current, every, end).to_dict("index")[here])
            parts.append(words.format(here=names[here], n=total, places=_join_places(t, names, flows.set_index(other))))
    if (rows[within]["value"] >= CLASSES[0]).any():
        parts.append(_("within {here}: {n}", here=names[here], n=_format_pair(rows[within].iloc[0])))
    text = capitalise(t.join_parts(parts))
    return f"{text}. {_('Sums have 95 % intervals, single flows the largest possible margin.')}"


def list_totals(current: CurrentRelease, choice: FlowChoice) -> list[tuple[str, str]]:
    """Return pairs (name, number with its margin) for the flows inside and between the countries."""
    names, rows = read_country_names(current), _choose_rows(_read_rows(current, "country", choice.period), choice)
    cells = {(row["origin"], row["area"]): row for row in rows.to_dict("records")}
    return [
        (_name_pair(names, start, end), format_cell(current, cells[start, end]))
        for start, end in product(names, names)
        if (start, end) in cells
    ]


def _name_pair(names: dict[str, str], start: str, end: str) -> str:
    if start == end:
        return _("Inside {country}", country=names[start])
    return _("{origin} to {area}", origin=names[start], area=names[end])


def list_largest(current: CurrentRelease, choice: FlowChoice) -> list[tuple[str, float, str]]:
    """Return the nine largest flows that are drawn as tuples (name, number, number with its margin as text)."""
    names = read_area_names(current)
    return [
        (_name_flow(names, row["origin"], row["area"]), row["value"], format_cell(current, row))
        for row in read_flows(current, choice).drawn.head(_LISTED).to_dict("records")
    ]


def _name_flow(names: pd.Series, start: str, end: str) -> str:
    if start == end:
        return _("Inside {area}", area=names[start])
    return _("{origin} to {area}", origin=names[start], area=names[end])


def describe_rest(current: CurrentRelease, choice: FlowChoice) -> str:
    """Return a sentence on how many children no arrow shows, and why."""
    flows = read_flows(current, choice)
    withheld = int((flows.rows["state"] == "withheld").sum())
    words = _(
        "Other or hidden: {n} of {total} children", n=format_number(flows.other), total=format_number(flows.total)
    )
    if choice.area == EVERY:
        words = _(
            "{words}, in flows of fewer than {least} or without a known county or region", words=words, least=CLASSES[1]
        )
    if not withheld:
        return f"{words}."
    return format_plural(
        "{words}; {count} flow is withheld.", "{words}; {count} flows are withheld.", withheld, words=words
    )


def describe_reach(current: CurrentRelease, choice: FlowChoice) -> str:
    """Return sentences that say that flows count only children who were met and whose origin and destination are known.

    The numbers of both are left out if the release does not have the number of all children met in the period.
    """
    complete = _read_rows(current, "country", choice.period)["value"].sum()
    options = (("of", EVERY),)
    if choice.period not in current_release.list_periods(current, "encounters", "country", choice.period, options):
        return _("These are flows of children who were met, not of all children: more are met where teams work.")
    every = current_release.read_layer(current, "encounters", "country", choice.period, options).frame["value"].sum()
    return _(
        "These are flows of children who were met, not of all children: more are met where teams work. Origin and "
        "destination are known of {known} of the {all} children met.",
        known=format_number(complete),
        all=format_number(every),
    )


def tabulate_flows(current: CurrentRelease, choice: FlowChoice) -> pd.DataFrame:
    """Return a table in words of the flows that have a number, a flow in each row, the largest first."""
    rows = read_flows(current, choice).rows
    rows, names = rows[rows["value"].notna()], read_area_names(current)
    return pd.DataFrame(
        {
            _("From"): rows["origin"].map(names),
            _("To"): rows["area"].map(names),
            _("Children met"): rows["value"].astype(int),
            _("Margin"): [f"±{format_number(margin)}" for margin in rows["margin"]],
            _(NOISY): [format_noisy(*pair) for pair in zip(rows["noisy"], rows["noisy_margin"], strict=True)],
            _("Crosses the border"): rows["crosses"].map({True: _("yes"), False: _("no")}),
        }
    )


def read_shares(current: CurrentRelease) -> pd.DataFrame:
    """Return the share of internal trafficking among children met, a row for each place (Durrës, Tirana) and year.

    Columns: place and year (names), short (a short name of the year), share, low and high (per cent, with the 95 %
    interval), and words. Without rows if there are no results of the risk model.
    """
    manifest, names = read_risk_manifest(current), read_area_names(current)
    rows = [
        (
            _("{first} and {last} together", first=names[estimate.areas[0]], last=names[estimate.areas[-1]])
            if len(estimate.areas) > 1
            else names[estimate.areas[0]],
            format_period(estimate.year),
            f"{estimate.year[:4]}/{Period.parse(estimate.year).end:%y}",
            estimate.share,
            estimate.low,
            estimate.high,
            _(
                "{share} % ({low} to {high})",
                share=format_number(round(estimate.share)),
                low=format_number(round(estimate.low)),
                high=format_number(round(estimate.high)),
            ),
        )
        for estimate in (manifest.shares if manifest else ())
    ]
    return pd.DataFrame(rows, columns=["place", "year", "short", "share", "low", "high", "words"])


def tabulate_shares(current: CurrentRelease) -> pd.DataFrame:
    """Return the shares of internal trafficking among children met in words (per cent, with the 95 % interval).

    The table has a place in each row and a year in each column.
    """
    rows = read_shares(current)
    wide = rows.pivot_table(index="place", columns="year", values="words", aggfunc="first", sort=False)
    return wide.rename_axis(None, axis=1).reset_index(names=_("Place"))


def tabulate_pathways(current: CurrentRelease) -> pd.DataFrame:
    """Return a table of the children met over the whole programme: a county or region in each row, pathways in columns.

    A pathway without numbers for the whole programme has no column. The table is empty if no pathway has such numbers.
    """
    names = name_regions(current)
    shown = {choice.id.partition("-")[2]: choice for choice in ENCOUNTERS.options[0].choices}
    columns = {}
    for pathway in _PATHWAYS:
        options = (("of", f"pathway-{pathway}"),)
        periods = [
            period
            for period in name_periods(current, "children", "region", "pathway")
            if Period.parse(period).grain == "whole"
            and current_release.has_layer(current, "encounters", "region", options)
            and period in current_release.list_periods(current, "encounters", "region", period, options)
        ]
        if not periods:
            continue
        frame = current_release.read_layer(current, "encounters", "region", periods[0], options).frame
        cells = frame.to_dict("index")
        columns[translate(shown[pathway].label)] = [
            format_cell(current, cells[code]) if code in cells else _("no data") for code in names
        ]
    return pd.DataFrame({_("County or region"): list(names.values()), **columns}) if columns else pd.DataFrame()


_NORMAL = 1.96  # 95 % of a normal distribution lies within this number of standard deviations from its mean


def estimate_sums(current: CurrentRelease, rows: pd.DataFrame, end: str) -> pd.DataFrame:
    """Return the number of children in all flows of each area, the largest first: columns value, low, high, by area.

    rows : flows with value, noisy (the number as published) and state. end : "area" for sums by destination, "origin"
    for sums by origin. value : the sum of the numbers shown. low, high : the 95 % interval around the sum of the
    published numbers, whose noise has mean zero; for each cell it uses the largest variance that its number allows. A
    flow that is withheld or not known may have any size, so `high` is infinite for its area.
    """
    published = rows["noisy"].fillna(0.0).to_numpy(float)
    numbers = published.astype(np.int64)
    channel = build_channel(CellKey.from_manifest(current.release.manifest["tact"]), numbers, None)
    draws = count_draws(rows["noisy_margin"], channel.largest)
    counts = numbers[:, None] + np.arange(-channel.largest, channel.largest + 1)
    variances = channel.variance()
    if draws > 1:  # the number of each year is at most that of all years
        variances, counts = np.maximum.accumulate(variances), counts[:, -1:]
    largest = variances[np.clip(counts, 0, channel.n_max)].max(axis=1, initial=0.0)
    variance = np.where(rows["state"] == "structural_zero", 0.0, draws * largest)
    cells = pd.DataFrame(
        {
            "value": rows["value"].fillna(0.0),
            "published": published,
            "variance": variance,
            "open": np.where(rows["state"].isin(["withheld", "no_data"]), np.inf, 0.0),
        }
    )
    sums = cells.groupby(rows[end]).sum()
    reach = _NORMAL * np.sqrt(sums["variance"])
    low = np.minimum(sums["value"], np.ceil(sums["published"] - reach)).clip(lower=0.0)
    high = np.maximum(sums["value"], np.floor(sums["published"] + reach)) + sums["open"]
    table = pd.DataFrame({"value": sums["value"], "low": low, "high": high})
    return table.sort_values("value", ascending=False, kind="stable")


def find_largest(sums: pd.DataFrame) -> pd.DataFrame:
    """Return the largest of the sums and those that may be as large, because their upper end reaches its lower end.

    sums : as `estimate_sums` returns them, the largest first. Raises IndexError if there are none.
    """
    largest: pd.DataFrame = sums.loc[sums["high"] >= sums["low"].iloc[0]]
    return largest
