"""The content of the Risk page: where rates are high or changing, why, and how certain that is, in plain words.

Every number comes from the tables that the model wrote beside the release (risk/report/tables.py). Areas are
compared within their country only, never across both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from dashboard.narrative.area import word_change, word_unmet
from dashboard.narrative.judgement import judge_area, judge_areas
from dashboard.narrative.risk import (
    FALLING,
    RISING,
    format_burden,
    format_effort_warning,
    format_statement,
    judge_chance,
    name_certainty,
    name_claim,
    name_pathways,
    read_area_rates,
    read_burden,
    read_claims,
    read_risk_table,
)
from dashboard.narrative.shift import POSSIBLE_BREAK, list_shifts
from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.site import current_release
from dashboard.site.current_release import (
    CurrentRelease,
    load_areas,
    name_regions,
    read_area_names,
    read_country_names,
    read_risk_manifest,
)
from dashboard.site.text import _, format_number, format_period, translate
from geo.layers.risk import CHANGES, RATES
from risk.clusters import LEVEL

_INTERNAL, _BORDER = "internal", "cross_border"
_HIGH, _NAMED = ("very_high", "high"), ("very_high", "high", "above", "low")


def name_areas(current: CurrentRelease) -> dict[str, str]:
    """Return the areas that the model knows, each with its country, in the order of the release."""
    rates = read_area_rates(current, _INTERNAL)
    return {code: name for code, name in name_regions(current).items() if code in rates.index}


def name_unjudged(current: CurrentRelease) -> str:
    """Return a sentence on counties and regions of which the model says nothing; empty if there are none."""
    table = load_areas(current.release).table
    judged = judge_areas(current)
    others = [str(code) for code in table.index[table["level"] == "region"] if str(code) not in judged]
    if not others:
        return ""
    names = speak_to_reader(current).join_and(read_area_names(current)[others])
    return _("On the map, but without a rate or a rank, since no population is known: {areas}.", areas=names)


def find_highest_area(current: CurrentRelease, pathway: str) -> str:
    """Find the area with the highest chance of a high rate, on which the page opens."""
    return str(read_area_rates(current, pathway)["exceeding"].idxmax())


def list_headlines(current: CurrentRelease) -> list[str]:
    """Return the main findings for a programme manager, the most important first."""
    t = speak_to_reader(current)
    return [*list_shifts(t, current), *_list_levels(t, current), *_list_changes(t, current)]


def _list_levels(t: Speech, current: CurrentRelease) -> Iterator[str]:
    for code, country in read_country_names(current).items():
        for pathway in name_pathways():
            frame = read_area_rates(current, pathway)
            rows = frame[frame["country"] == code]
            if len(rows):
                yield _format_level(t, rows, country, t.name_pathway(pathway))
                burden = read_burden(current, pathway)
                yield from _list_top(t, burden[burden["country"] == code] if len(burden) else burden)


def _format_level(t: Speech, rows: pd.DataFrame, country: str, pathway: str) -> str:
    """Return the areas of a country with a rate above or below the one explained by people and outreach."""
    parts = [
        _("{level} in {areas}", level=name_claim(code), areas=_join_rates(t, rows[rows["claim"] == code]))
        for code in _NAMED
        if (rows["claim"] == code).any()
    ]
    statement = _("no area is likely to be above or far below the national average")
    if parts:
        statement = _("{listed} (numbers: times the national average)", listed="; ".join(parts))
    unsure = int((rows["claim"] == "").sum())
    sentence = _("{country}, {pathway}: {said}.", country=country, pathway=pathway, said=statement)
    if not unsure:
        return sentence
    return f"{sentence} {_('Cannot tell for {unsure} of {all} areas.', unsure=unsure, all=len(rows))}"


def _join_rates(t: Speech, rows: pd.DataFrame) -> str:
    """List areas with their rates and the words for their certainty."""
    triples = zip(rows["name"], rows["median"], rows["certainty"], strict=True)
    return t.join_and(
        f"{name} ({', '.join(filter(None, (format_number(round(median, 2)), name_certainty(certainty))))})"
        for name, median, certainty in triples
    )


def _list_top(t: Speech, rows: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence on the areas of a country that are at least likely to be among those with the most children."""
    if rows.empty:
        return
    words = rows["top"].map(judge_chance)
    parts = [
        _("{certainty}: {areas}", certainty=name_certainty(code), areas=t.join_and(rows.loc[words == code, "name"]))
        for code in ("very_likely", "likely")
        if (words == code).any()
    ]
    if parts:
        yield _("Among the five areas with the most children newly in need, {listed}.", listed="; ".join(parts))


def _list_changes(t: Speech, current: CurrentRelease) -> Iterator[str]:
    """Yield how the rate of each country changed in a year, then where that of an area is likely to have changed."""
    any_change = False
    countries = read_country_names(current)
    for pathway in name_pathways():
        words = t.name_pathway(pathway)
        for level, names in (("country", countries), ("region", read_area_names(current))):
            frame = _read_latest_changes(current, pathway, level)
            # Of a country everything is said, of an area only that it rose or fell.
            codes = (*RISING, *FALLING) if level == "region" else tuple(CHANGES)
            for area, row in frame.to_dict("index").items():
                if row["claim"] not in codes:
                    continue
                any_change = True
                sentence = _format_change({**row, "name": names[str(area)]}, words)
                manifest = read_risk_manifest(current)
                jumped = manifest and manifest.trends.has_jump(str(area), pathway, str(row["period"]))
                yield f"{sentence} {_(POSSIBLE_BREAK)}" if jumped and row["claim"] in RISING else sentence
    if not any_change and len(_read_latest_changes(current, _INTERNAL)):
        yield _("Cannot tell whether the rate of the last year rose or fell compared with the year before.")


def _format_change(row: Mapping[Any, Any], pathway: str) -> str:
    ends = {name: format_number(round(float(row[key]), 2)) for name, key in _ENDS.items()}
    sentence = _(
        "{area}, {pathway}: {change}, {ratio} times the year before (95 % interval {low} to {high}).",
        area=row["name"],
        pathway=pathway,
        change=format_statement(row, change=True),
        **ends,
    )
    if not row["effort_warning"]:
        return sentence
    return f"{sentence} {format_effort_warning(float(row['effort_ratio']))}"


_ENDS = {"ratio": "median", "low": "lower", "high": "upper"}


def _read_latest_changes(current: CurrentRelease, pathway: str, level: str = "region") -> pd.DataFrame:
    """Return the changes over the last year, computed by the model."""
    frame = read_risk_table(current, f"riskchange_{level}_quarter_crossing", pathway)
    return frame if frame.empty else frame[frame["period"] == frame["period"].max()]


def list_reasons(current: CurrentRelease, pathway: str, area: str) -> list[tuple[str, str]]:
    """Return the numbers behind an area's class: words and value."""
    row = _read_area_reason(current, pathway, area)
    if row is None:
        return []
    judged = judge_area(current, area)
    rate = judged.rates[pathway] if judged else None
    whole = (
        ""
        if rate is None
        else _(
            "{value} ({low} to {high})",
            value=_format_times(rate.value),
            low=_format_short(rate.low),
            high=_format_short(rate.high),
        )
    )
    manifest = read_risk_manifest(current)
    population = _("Expected from population only")
    if manifest is not None and manifest.card.interpolated:
        population = _("Expected from population only (interpolated between censuses)")
    facts = [
        (_("Children identified or met"), format_number(row["value"])),
        (population, _format_about(row["by_population"])),
        (_("Expected from population and outreach"), _format_about(row["by_effort"])),
        (_("Outreach per child, compared with the national average"), _format_times(row["effort"])),
        (_("Rate over the whole time, compared with the national average (95 % interval)"), whole),
        (_("Rate of the neighbours, compared with the national average"), _format_times(row["neighbours"])),
        (_("Rate of the last year, compared with the year before"), _format_times(row["change"])),
    ]
    return [(words, value) for words, value in facts if value]


def _read_area_rate(current: CurrentRelease, pathway: str, area: str) -> Mapping[Any, Any]:
    """Return the rate of one area and what is said of it."""
    return read_area_rates(current, pathway).loc[[area]].to_dict("records")[0]


def _read_area_reason(current: CurrentRelease, pathway: str, area: str) -> Mapping[str, float] | None:
    frame = _read_reasons(current, pathway)
    if area not in frame.index:
        return None
    return {str(name): float(value) for name, value in frame.loc[[area]].to_dict("records")[0].items()}


def _read_reasons(current: CurrentRelease, pathway: str) -> pd.DataFrame:
    table = current_release.read_table(current, "riskreasons_region_whole_crossing")
    if table.empty:
        return table
    return table[table["crossing"] == pathway].set_index("area").select_dtypes("number")


def _format_short(value: float) -> str:
    return format_number(round(float(value), 2))


def _format_about(value: float) -> str:
    return "" if math.isnan(value) else format_number(round(value))


def _format_times(value: float) -> str:
    return "" if math.isnan(value) else _("{value} times", value=_format_short(value))


def explain_statement(current: CurrentRelease, pathway: str, area: str) -> list[str]:
    """Return sentences on what is said of an area, its burden, what that is based on, and what would change it."""
    row = _read_area_reason(current, pathway, area)
    if row is None:
        return []
    rate, burden = _read_area_rate(current, pathway, area), read_burden(current, pathway)
    judged, t = judge_area(current, area), speak_to_reader(current)
    sentences = [
        _format_verdict(rate),
        *([word_unmet(t, judged), word_change(t, judged.changes.get(pathway))] if judged else []),
    ]
    if area in burden.index:
        inside = int((burden["country"] == burden.loc[area, "country"]).sum())
        sentences.append(format_burden(burden.loc[[area]].to_dict("records")[0], inside))
    sentences += [_format_explained(row), _format_change_of_claim(row, str(rate["claim"]))]
    if bool(rate["reports_alone"]):
        sentences.append(_("No outreach is recorded there: the estimate is based only on children reported by others."))
    return [sentence for sentence in sentences if sentence]


def _format_verdict(rate: Mapping[Any, Any]) -> str:
    meaning = translate(RATES[rate["claim"]].meaning) if rate["claim"] else ""
    return _(
        "{area}: {said}.{meaning} That it is high is {certainty} ({chance} %).",
        area=rate["name"],
        said=format_statement(rate),
        meaning=f" {_('That is {meaning} times the national average.', meaning=meaning)}" if meaning else "",
        certainty=name_certainty(judge_chance(float(rate["exceeding"]))),
        chance=format_number(min(99, max(1, round(100 * float(rate["exceeding"]))))),
    )


def _format_explained(row: Mapping[str, float]) -> str:
    if math.isnan(row["value"]) or math.isnan(row["by_effort"]):
        return ""
    return _(
        "{met} children were identified or met (protected number). From population alone about "
        "{people} are expected, from population and outreach about {effort}.",
        met=format_number(row["value"]),
        people=_format_about(row["by_population"]),
        effort=_format_about(row["by_effort"]),
    )


def _format_change_of_claim(row: Mapping[str, float], claim: str) -> str:
    """Return the rates at which something else would be said, with the same uncertainty."""
    rates = {
        "high": _format_short(row["high_from"]),
        "low": _format_short(row["low_below"]),
        "now": _format_short(row["median"]),
    }
    if claim in _HIGH:
        template = _(
            "With a rate below {high} times the national average, it would no longer be called high (now {now})."
        )
    elif claim == "low":
        template = _(
            "With a rate above {low} times the national average, it would no longer be called low (now {now})."
        )
    else:
        template = _(
            "From {high} times the national average its rate would be called high, below {low} times low (now {now})."
        )
    return template.format(**rates)


def tabulate_municipalities(current: CurrentRelease, pathway: str, region: str) -> pd.DataFrame:
    """Return the municipalities of a county or region, those with the most children newly in need first.

    Empty where the result has no municipalities.
    """
    rates = read_risk_table(current, "risk_municipality_whole_crossing", pathway)
    if rates.empty:
        return rates
    inside = rates[load_areas(current.release).table["parent"].reindex(rates.index) == region]
    burden = read_risk_table(current, "burden_municipality_quarter_crossing", pathway).reindex(inside.index)
    alone = _("only the average of its county or region")
    columns = {
        _("Municipality"): inside["name"],
        _("Children newly in need per quarter"): burden["value"],
        _("from (2.5 %)"): burden["lower"],
        _("to (97.5 %)"): burden["upper"],
        _("Rank in the country"): burden["rank"],
        _("Rate"): [name_claim(code) for code in inside["claim"]],
        _("Certainty"): [name_certainty(code) for code in inside["certainty"]],
        _("Rate compared with the national average"): inside["median"].round(2),
        _("Rests on"): [alone if only else _("its own numbers, too") for only in inside["region_only"]],
    }
    return pd.DataFrame(columns).sort_values(_("Rank in the country"), kind="stable")


def tabulate_clusters(current: CurrentRelease, pathway: str) -> pd.DataFrame | None:
    """Return the clusters of a pathway by country that chance seldom brings, most certain first.

    None where the results come from a version that did not compare clusters with all scans of the release.
    """
    table = current_release.read_table(current, "hotspots_region_whole_crossing")
    if "p_release" not in table:
        return None
    frame = table[(table["crossing"] == pathway) & (table["p_release"] <= LEVEL)]
    known = load_areas(current.release).table
    grouped = frame.assign(country=known["country"].reindex(frame["area"]).to_numpy()).groupby(
        ["country", "cluster"], observed=True
    )
    rows = [
        (
            read_country_names(current)[str(country)],
            ", ".join(read_area_names(current)[list(rows["area"])]),
            _("{value} times the other areas", value=_format_short(rows["value"].iloc[0])),
            _format_luck(float(rows["p_release"].iloc[0])),
        )
        for (country, _number), rows in grouped
    ]
    head = [
        _("Country"),
        _("Areas"),
        _("Children identified or met there, compared with expected"),
        _("Releases without any difference in risk that show one as strong"),
    ]
    return pd.DataFrame(rows, columns=head)


def _format_luck(p: float) -> str:
    """Format a p value as a number of releases in which chance alone shows such a cluster."""
    return _("fewer than 1 of 1,000") if p < 0.001 else _("{count} of 1,000", count=math.ceil(1000 * p))


def tabulate_rates(current: CurrentRelease, pathway: str) -> pd.DataFrame:
    """Return the content of the chart as a table, with the burden beside the rate."""
    frame, burden = read_area_rates(current, pathway), read_burden(current, pathway)
    columns = {
        _("Area"): frame["name"],
        _("Country"): frame["country"].map(read_country_names(current)),
        _("Rate"): [name_claim(code) for code in frame["claim"]],
        _("Certainty"): [name_certainty(code) for code in frame["certainty"]],
        _("Rate compared with the national average"): frame["median"].round(2),
        _("from (2.5 %)"): frame["lower"].round(2),
        _("to (97.5 %)"): frame["upper"].round(2),
        _("Chance of a high rate, %"): (100 * frame["exceeding"]).round(),
    }
    if len(burden):
        beside = burden.reindex(frame.index)
        columns |= {
            _("Children newly in need per quarter"): beside["value"],
            _("of them from (2.5 %)"): beside["lower"],
            _("of them to (97.5 %)"): beside["upper"],
            _("Rank in the country"): beside["rank"],
            _("Rank from"): beside["rank_first"],
            _("Rank to"): beside["rank_last"],
            _("Among the five with the most"): beside["top"].map(lambda p: name_certainty(judge_chance(p))),
        }
    return pd.DataFrame(columns)


def tabulate_years(current: CurrentRelease) -> pd.DataFrame:
    """Return the public classes: a row for each county and region, a column for each year."""
    rows = current_release.read_table(current, "risk_region_year")
    if rows.empty:
        return rows
    named = rows.assign(name=[name_claim(code) for code in read_claims(rows)])
    wide = named.pivot_table(index="area", columns="period", values="name", aggfunc="first")
    known = load_areas(current.release).table
    wide = wide.reindex([code for code in known.index if code in wide.index])
    wide.columns = [format_period(str(period)) for period in wide.columns]
    wide.insert(0, _("Country"), known["country"].reindex(wide.index).astype(str).map(read_country_names(current)))
    wide.insert(0, _("County or region"), read_area_names(current).reindex(wide.index))
    return wide.reset_index(drop=True)
