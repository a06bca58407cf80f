"""The content of the Trends page for an area: children met, outreach, shares of internal trafficking, forecasts.

Numbers of the release are shown with their margins and states, numbers of the model with their interval. A change is
shown beside the outreach. A jump of counts in a whole country is first shown as a possible break, not as a rise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from dashboard.narrative import risk as narrative
from dashboard.narrative.area import word_change
from dashboard.narrative.completeness import find_late_quarter, name_period
from dashboard.narrative.judgement import judge_area, read_shifts
from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.site import Site, current_release
from dashboard.site.cache import cache_once
from dashboard.site.current_release import (
    CurrentRelease,
    load_areas,
    name_regions,
    read_area_names,
    read_country_names,
    read_risk_manifest,
)
from dashboard.site.text import (
    _,
    cache_by_language,
    format_month,
    format_number,
    format_period,
    format_quantity,
    translate,
)
from data.tables.periods import Period
from data.tables.spec import Level
from geo.layers.core import View
from geo.layers.core.change import Cell, find_bounds
from geo.layers.core.words import describe_state
from geo.layers.effort import COUNTED as EFFORT
from geo.layers.encounters import COUNTED as ENCOUNTERS
from geo.layers.output.table import NOISY, format_noisy
from risk.model.breaks import Break
from risk.report.change import EFFORT_RATIO
from risk.report.steps import Jump
from risk.report.trends import Trends

EVERY = "all"
# The choices of the layer of children met that make up each pathway of the model.
_PARTS = {
    EVERY: ("all",),
    "internal": ("pathway-internal",),
    "cross_border": ("pathway-al_to_gr", "pathway-other_cross_border"),
}
CHILDREN, SHARE, NOBODY = "children", "share", "none"
_LEVEL = "region"
_MOST_RELEASES = 12
_BEFORE = 4  # number of quarters before a quarter with whose average its outreach is compared
_COLUMNS = ["period", "label", "value", "low", "high", "state", "words"]


def name_pathways(current: CurrentRelease) -> dict[str, str]:
    """Return the names of the choices by id: pathways of which the release has children, and all children met."""
    pathways = {
        name: words
        for name, words in narrative.name_pathways().items()
        if all(current_release.has_layer(current, "encounters", _LEVEL, (("of", part),)) for part in _PARTS[name])
    }
    return {**pathways, EVERY: _("All children identified or met")}


def name_measures(current: CurrentRelease) -> dict[str, str]:
    """Return the names of the measures by id: children met and, if known, the share of internal trafficking."""
    measures = {CHILDREN: _("Children met and outreach")}
    has_share = not current_release.read_table(current, "pathwayshare_region_quarter_crossing").empty
    return measures | ({SHARE: _("Share of internal, %")} if has_share else {})


def name_others(current: CurrentRelease) -> dict[str, str]:
    """Return the names of the choices for a second chart, by id: nothing, the countries, the counties and regions."""
    return {NOBODY: _("nothing"), **read_country_names(current), **name_regions(current)}


def find_most(current: CurrentRelease, areas: Sequence[str], pathway: str) -> float | None:
    """Return the common upper end, in children, of the axes of several counties or regions.

    None for a single area, if one of the areas is a country, or if no area has a number.
    """
    if len(areas) == 1 or any(area not in name_regions(current) for area in areas):
        return None
    frames = [read(current, area, pathway) for area in areas for read in (read_met, read_expected)]
    most = float(pd.concat([frame["high"].astype(float) for frame in frames]).max())
    return None if math.isnan(most) else most


@cache_by_language(maxsize=16)
def find_first_area(current: CurrentRelease) -> str:
    """Return the code of the area to show first: a city that the model compared, else that with the most children."""
    regions = name_regions(current)
    cities = [area for areas in list(read_shifts(current))[:1] for area in areas]
    if cities and cities[-1] in regions:
        return cities[-1]
    return max(regions, key=lambda area: read_met(current, area, "all")["value"].astype(float).sum())


@cache_by_language(maxsize=256)
def read_met(current: CurrentRelease, area: str, pathway: str) -> pd.DataFrame:
    """Read the children met in an area in the shortest periods, oldest first. Never change the shared frame.

    Columns: period (id), label (its name), value (NaN if there is only a state), low, high (bounds of the true number),
    state, words, noisy (the numbers as published, in words). If a pathway is published as two numbers, value and bounds
    are their sums.
    """
    level = _find_level(current, area)
    periods = current_release.list_periods(current, "encounters", level, "", (("of", _PARTS[pathway][0]),))
    parts = _read_parts(current, area, pathway)
    rows = [
        _add_cells(current, level, period, [part.get(period, Cell("no_data")) for part in parts]) for period in periods
    ]
    return pd.DataFrame(rows, columns=[*_COLUMNS, "noisy"])


def _read_parts(current: CurrentRelease, area: str, pathway: str) -> list[dict[str, Cell]]:
    """Read the cells of each choice that makes up a pathway, by period."""
    level = _find_level(current, area)
    return [ENCOUNTERS.history(current.release, level, area, {"of": part}) for part in _PARTS[pathway]]


def list_cells(
    current: CurrentRelease, area: str, pathway: str, shown: str, *, with_forecast: bool = False
) -> list[dict[str, str]]:
    """Return the data that the picture of an area draws, as attributes: area, period, state and numbers.

    The picture is drawn from the same rows, so an error in the picture is also in these attributes.
    shown : the measure, see `name_measures`. with_forecast : whether the picture has the forecast.
    """
    modelled = [read_share(current, area)]
    cells: list[tuple[str, str, dict[str, float]]] = []
    if shown != SHARE:
        modelled = [read_expected(current, area, pathway)] if with_forecast else []
        parts = _read_parts(current, area, pathway)
        for row in read_met(current, area, pathway).to_dict("records"):
            cells += _split_sum(row, [part[row["period"]] for part in parts if row["period"] in part])
        days = read_effort(current, area) if current.tier == "partner" else pd.DataFrame(columns=_COLUMNS)
        for row in days.to_dict("records"):
            name = "low" if row["state"] == "class" else "value"
            cells.append((row["period"], row["state"], {name: row["value"]}))
    for frame in modelled:
        for row in frame.to_dict("records"):
            cells.append((row["period"], "", {"value": row["value"], "lower": row["low"], "upper": row["high"]}))
    return [
        {"area": area, "period": period, **({"state": state} if state else {})}
        | {name: f"{number:.6f}" for name, number in numbers.items() if not math.isnan(number)}
        for period, state, numbers in cells
    ]


def _split_sum(row: Mapping[Any, Any], parts: Sequence[Cell]) -> list[tuple[str, str, dict[str, float]]]:
    """Return the published parts of the number in a row, as tuples (period, state, numbers).

    The last part is the remainder, so that the sum of the parts is the number that is drawn. A row without a number
    has one part without numbers.
    """
    period, rest = row["period"], float(row["value"])
    if math.isnan(rest):
        return [(period, row["state"], {})]
    *others, last = [part for part in parts if not math.isnan(part.value)] or [Cell("")]
    cells = [(period, part.state, {"value": part.value, "margin": part.margin}) for part in others]
    rest -= sum(part.value for part in others)
    return [*cells, (period, last.state, {"value": rest, "margin": last.margin})]


def _find_level(current: CurrentRelease, area: str) -> Level:
    level: Level = load_areas(current.release).table["level"][area]
    return level


def _add_cells(current: CurrentRelease, level: Level, period: str, cells: list[Cell]) -> tuple[object, ...]:
    """Return the sum of the cells of a period, as a row with the columns of `read_met`.

    Beside a number, a cell without one ("almost none", "not searched") adds only its bounds. Without any number, or if
    the bounds of a cell are unknown, the row has only a state: that of the cell which may hide most children.
    """
    label, numbers = (
        name_period(period, find_late_quarter(current)),
        [cell.value for cell in cells if not math.isnan(cell.value)],
    )
    noisy = " + ".join(format_noisy(cell.noisy, cell.noisy_margin) for cell in cells if not math.isnan(cell.noisy))
    if numbers:  # beside a number, "not searched" counts as a published zero
        cells = [replace(cell, state="almost_none") if cell.state == "not_searched" else cell for cell in cells]
    reach = current.release.find_reach(level, Period.parse(period).grain)
    bounds = [find_bounds(cell, reach) for cell in cells]
    if not numbers or None in bounds:
        highest = {cell.state: pair[1] if pair else math.inf for cell, pair in zip(cells, bounds, strict=True)}
        state = max((state for state in highest if state != "number"), key=lambda state: highest[state])
        return period, label, math.nan, math.nan, math.nan, state, _format_state(current, level, state), noisy
    value = sum(numbers)
    low, high = (sum(pair[end] for pair in bounds if pair) for end in (0, 1))
    words = _(
        "{value} (true number {low} to {high})",
        value=format_number(value),
        low=format_number(low),
        high=format_number(high),
    )
    return period, label, value, low, high, "number", words, noisy


def _format_state(current: CurrentRelease, level: Level, state: str) -> str:
    return translate(describe_state(state, current.release.k, current.release.find_threshold(level)))


@cache_by_language(maxsize=256)
def read_effort(current: CurrentRelease, area: str) -> pd.DataFrame:
    """Read outreach days in an area in the shortest periods, oldest first. Never change the shared frame.

    Columns as in `read_met`, without noisy. For a range, value, low and high are its lower end.
    """
    level = _find_level(current, area)
    history = EFFORT.history(current.release, level, area, {})
    rows = []
    for period in EFFORT.periods(current.release, View(level, "")):
        cell = history.get(period, Cell("no_data"))
        text = translate(format_quantity(cell.value, cell.low, cell.high)) or _format_state(current, level, cell.state)
        value = cell.low if math.isnan(cell.value) else cell.value
        rows.append((period, format_period(period), value, value, value, cell.state, text))
    return pd.DataFrame(rows, columns=_COLUMNS)


def find_effort_jumps(days: pd.DataFrame) -> dict[str, float]:
    """Return the quarters whose outreach differs much from the average of the four quarters before, with the factor.

    A factor of EFFORT_RATIO or more, or of its inverse or less, is much: a change of the rate then has a warning.
    """
    average = days["value"].rolling(_BEFORE).mean().shift()
    ratios = dict(zip(days["period"], days["value"] / average, strict=True))
    return {
        period: float(ratio)
        for period, ratio in ratios.items()
        if math.isfinite(ratio) and not 1 / EFFORT_RATIO < ratio < EFFORT_RATIO
    }


@cache_once(maxsize=16)
def list_releases(site: Site, current: CurrentRelease) -> dict[str, str]:
    """Return the names of this release and of the earlier ones, at most twelve, by the last period of each.

    If several have the same last period, the newest is named. Releases without children met are left out.
    """
    names: dict[str, str] = {}
    shown: CurrentRelease | None = current
    while shown is not None and len(names) < _MOST_RELEASES:
        periods = current_release.list_periods(shown, "encounters", _LEVEL, "", (("of", EVERY),))
        names.setdefault(periods[-1] if periods else "", shown.release.name)
        shown = current_release.open_earlier_release(site, shown)
    return {period: name for period, name in names.items() if period}


def read_expected(current: CurrentRelease, area: str, pathway: str) -> pd.DataFrame:
    """Read the forecast of children met in the next quarters, with its 80 % interval in the columns low and high.

    Columns as in `read_met`, without noisy. The forecast comes from the model, or from the historical mean if the model
    did not beat it. Without rows if there is no forecast.
    """
    return _read_modelled(current, "forecast_region_quarter_crossing", area, pathway)


def read_share(current: CurrentRelease, area: str) -> pd.DataFrame:
    """Read the share of internal trafficking by quarter, in per cent, with its 95 % interval in low and high.

    Columns as in `read_met`, without noisy. Without rows if the model has no share for the area.
    """
    return _read_modelled(current, "pathwayshare_region_quarter_crossing", area, "internal")


@cache_by_language(maxsize=512)
def _read_modelled(current: CurrentRelease, name: str, area: str, pathway: str) -> pd.DataFrame:
    table = current_release.read_table(current, name)
    if table.empty:
        return pd.DataFrame(columns=_COLUMNS)
    return _format_rows(table[table["value"].notna()], area, pathway)


def _format_rows(table: pd.DataFrame, area: str, pathway: str) -> pd.DataFrame:
    """Return the rows of an area and pathway, oldest first, with their interval in words."""
    here = table[(table["area"] == area) & (table["crossing"] == pathway)]
    rows = here.sort_values("period", kind="stable")
    words = [
        _(
            "{value} ({low} to {high})",
            value=format_number(round(value)),
            low=format_number(round(low)),
            high=format_number(round(high)),
        )
        for value, low, high in zip(rows["value"], rows["lower"], rows["upper"], strict=True)
    ]
    rows = rows.assign(
        label=[format_period(str(period)) for period in rows["period"]],
        low=rows["lower"],
        high=rows["upper"],
        state="number",
        words=words,
    )
    return rows[_COLUMNS].reset_index(drop=True)


def list_changes(current: CurrentRelease, area: str) -> list[str]:
    """Return sentences on the change of the rate in the last year on each pathway, then on changes found earlier."""
    return [*word_latest_changes(current, area).values(), *_list_earlier_changes(current, area)]


def word_latest_changes(current: CurrentRelease, area: str) -> dict[str, str]:
    """Return a text on the change of the rate in the last year, with that of outreach, by pathway.

    Empty if the model has no change for the area.
    """
    judged, t, named = judge_area(current, area), speak_to_reader(current), narrative.name_pathways()
    return {
        pathway: f"{named[pathway]}: {word_change(t, change)} "
        f"{_format_outreach(t, change.effort_ratio, effort=change.effort_warning, ways=change.ways_warning)}"
        for pathway, change in (judged.changes.items() if judged else ())
    }


@cache_by_language(maxsize=512)
def _list_earlier_changes(current: CurrentRelease, area: str) -> list[str]:
    table = current_release.read_table(current, "riskchange_region_quarter_crossing")
    if table.empty:
        return []
    t, named = speak_to_reader(current), narrative.name_pathways()
    earlier = table[(table["area"] == area) & (table["state"] == "class") & (table["period"] < table["period"].max())]
    rows = earlier.assign(claim=narrative.read_claims(earlier, change=True)).sort_values("period", ascending=False)
    rows = rows if "certainty" in rows else rows.assign(certainty="", surely="")  # a result of an earlier version
    sides = {**dict.fromkeys(narrative.RISING, "up"), **dict.fromkeys(narrative.FALLING, "down")}
    # Each quarter tests for a change again: one sentence has the latest test and names the earlier ones.
    groups = rows.groupby(["crossing", rows["claim"].map(sides)], sort=False)
    return [_format_change(t, same.to_dict("records"), named[str(pathway)]) for (pathway, _side), same in groups]


def _format_change(t: Speech, looks: Sequence[Mapping[Any, Any]], pathway: str) -> str:
    row = looks[0]
    template = _(
        "Found earlier, {pathway}: {level}. The year up to {when} had {ratio} times the rate of the year before "
        "(95 % interval {low} to {high})."
    )
    ends = {name: t.format_number(float(row[key]), 2) for name, key in _ENDS.items()}
    level = narrative.format_statement(row, change=True)
    sentence = template.format(pathway=pathway, level=level, when=_format_ending(row), **ends)
    earlier = t.join_and(map(_format_ending, looks[1:])) if len(looks) > 1 else ""
    earlier_looks = f" {_('The same was found for the years up to {earlier}.', earlier=earlier)}" if earlier else ""
    effort, ways = (bool(row.get(name, False)) for name in ("effort_warning", "ways_warning"))
    outreach = _format_outreach(t, float(row["effort_ratio"]), effort=effort, ways=ways)
    return f"{sentence} {outreach}{earlier_looks}"


def _format_ending(row: Mapping[Any, Any]) -> str:
    return format_month(Period.parse(str(row["period"])).end)


def _format_outreach(t: Speech, ratio: float, *, effort: bool, ways: bool) -> str:
    """Return a sentence on how outreach changed over the same two years, and the warnings on the change of the rate.

    ratio : the factor; NaN without outreach in the year before. effort, ways : as in `list_warnings`.
    """
    warnings = narrative.list_warnings(t, ratio, effort=effort, ways=ways)
    if effort:
        return " ".join(warnings)
    if math.isnan(ratio):
        return " ".join([t("No outreach is recorded for the year before."), *warnings])
    words = t("Outreach was {days} times that of the year before.", days=t.format_number(ratio, 1))
    return " ".join([words, *warnings])


_ENDS = {"ratio": "median", "low": "lower", "high": "upper"}


def read_trends(current: CurrentRelease) -> Trends:
    """Return the breaks and changes of counts in the results of the model; empty without results."""
    manifest = read_risk_manifest(current)
    return manifest.trends if manifest else Trends()


def list_accepted(accepted: Sequence[Break], area: str) -> list[Break]:
    """Return the accepted breaks that concern an area."""
    return [accepted_break for accepted_break in accepted if accepted_break.concerns(area)]


def list_possible(current: CurrentRelease, accepted: Sequence[Break], area: str, pathway: str) -> list[Jump]:
    """Return the possible breaks of an area's series on a pathway that nobody has accepted yet."""
    accepted_periods = {accepted_break.period for accepted_break in list_accepted(accepted, area)}
    jumps = (jump for name, jump in read_trends(current).jumps if name == pathway and jump.concerns(area))
    return [jump for jump in jumps if jump.period not in accepted_periods]


def is_outdated(current: CurrentRelease, accepted: Sequence[Break], area: str) -> bool:
    """Return whether breaks of an area were accepted or removed after the model ran; then its changes are not valid."""
    used = list_accepted(read_trends(current).breaks, area)
    return {(used_break.period, used_break.place) for used_break in used} != {
        (new_break.period, new_break.place) for new_break in list_accepted(accepted, area)
    }


def list_count_changes(current: CurrentRelease, area: str, pathway: str) -> list[str]:
    """Return a list with the text on the change of an area's counts over the last year; empty if there is none."""
    changes = (change for change in read_trends(current).changes if (change.area, change.pathway) == (area, pathway))
    return [narrative.format_count_change(speak_to_reader(current), change) for change in changes]


def tabulate_count_changes(current: CurrentRelease, pathway: str) -> pd.DataFrame:
    """Return a table of the changes of counts over the last year in words, a row for each area, clear changes first."""
    names = read_area_names(current)
    rows = [
        (
            names[change.area],
            narrative.name_count_verdict(change),
            "" if change.ratio is None else format_number(round(change.ratio, 2)),
            "" if change.effort_ratio is None else format_number(round(change.effort_ratio, 2)),
            _("outreach may be the reason") if change.effort_warning and change.verdict != "no clear change" else "",
        )
        for change in sorted(
            read_trends(current).changes, key=lambda change: change.verdict in ("no clear change", "not compared")
        )
        if change.pathway == pathway
    ]
    head = [_("Area"), _("Change of counts"), _("Counts, times"), _("Outreach days, times"), _("Warning")]
    return pd.DataFrame(rows, columns=head)


def tabulate_series(current: CurrentRelease, area: str, pathway: str) -> pd.DataFrame:
    """Return the content of an area's charts as a table of words, a row for each quarter."""
    columns = {
        _("Children identified or met"): read_met(current, area, pathway),
        _("Forecast"): read_expected(current, area, pathway),
        _("Outreach days"): read_effort(current, area),
        _("Share of internal trafficking, %"): read_share(current, area),
    }
    labels = {p: w for f in columns.values() for p, w in zip(f["period"], f["label"], strict=True)}
    words = {name: frame.set_index("period")["words"] for name, frame in columns.items() if len(frame)}
    words[_(NOISY)] = read_met(current, area, pathway).set_index("period")["noisy"]
    rows = pd.DataFrame(words).reindex(sorted(labels)).fillna("")
    rows.insert(0, _("Quarter"), [labels[period] for period in rows.index])
    return rows


def tabulate_areas(current: CurrentRelease, pathway: str) -> pd.DataFrame:
    """Return a table in words of the children met: a row for each quarter (public tier: year), areas in columns."""
    columns = {
        str(read_area_names(current)[code]): read_met(current, code, pathway).set_index("label")["words"]
        for code in name_regions(current)
    }
    rows = pd.DataFrame(columns)
    rows.insert(0, _("Quarter") if current.tier == "partner" else _("Year"), rows.index)
    return rows


def tabulate_years(current: CurrentRelease, area: str) -> pd.DataFrame:
    """Return a table in words of the public numbers of an area: children met and outreach, a row for each year."""
    counted, days = read_met(current, area, EVERY), read_effort(current, area).set_index("period")["words"]
    rows = [
        (
            row["label"],
            format_number(row["value"]) or row["words"],
            row["noisy"],
            str(days.get(row["period"], _("no data"))),
        )
        for row in counted.to_dict("records")
    ]
    columns = [_("Year"), _("Children identified or met"), _(NOISY), _("Outreach days")]
    return pd.DataFrame(rows, columns=columns)
