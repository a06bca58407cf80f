"""The content of the Risk page: where rates are high or changing, why, and how certain that is.

Every number comes from the tables that the model wrote beside the release (risk/report/tables.py). Areas are compared
only within their country.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.narrative import headlines
from dashboard.narrative.area import fill_ends, word_burden, word_change, word_share_found, word_tipping, word_unmet
from dashboard.narrative.judgement import judge_area, judge_areas
from dashboard.narrative.risk import (
    format_statement,
    judge_chance,
    name_certainty,
    name_claim,
    name_pathways,
    read_area_rates,
    read_claims,
    read_risk_table,
)
from dashboard.narrative.shift import list_shifts
from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.site import current_release
from dashboard.site.current_release import (
    CurrentRelease,
    list_countries,
    load_areas,
    name_regions,
    read_area_names,
    read_country_names,
    read_risk_manifest,
)
from dashboard.site.text import _, cache_by_language, format_number, format_period, translate
from dashboard.widgets import address
from geo.layers.risk import RATES
from risk.clusters import LEVEL

_INTERNAL, _BORDER = "internal", "cross_border"
_HIGH, _NAMED = ("very_high", "high"), ("very_high", "high", "above", "low")


def name_areas(current: CurrentRelease) -> dict[str, str]:
    """Return the names, by code, of areas that have a result of the model, each with its country."""
    rates = read_area_rates(current, _INTERNAL)
    return {code: name for code, name in name_regions(current).items() if code in rates.index}


def name_unjudged(current: CurrentRelease) -> str:
    """Return a sentence that names the counties and regions without a result of the model; empty if there are none."""
    judged = judge_areas(current)
    others = [code for code in name_regions(current) if code not in judged]
    if not others:
        return ""
    names = speak_to_reader(current).join_and(read_area_names(current)[others])
    return _("On the map, but without a rate or a rank, since no population is known: {areas}.", areas=names)


def find_area(current: CurrentRelease, pathway: str) -> str:
    """Return the code of the chosen area, or of the county or region that contains it.

    If that has no result of the model, the area with the highest probability of a high rate is returned, in the
    chosen country or else in both.
    """
    rates, chosen = read_area_rates(current, pathway), address.read_area()
    inside = rates[rates["country"] == chosen] if chosen in set(rates["country"]) else rates
    chances = inside["exceeding"].fillna(-1.0)  # areas without a probability come last
    return address.find_area(current, name_areas(current), str(chances.idxmax()))


def word_answer(current: CurrentRelease, pathway: str) -> str:
    """Return a sentence on high and low rates in the country of the chosen area.

    If none is chosen, there is a sentence for each country: on high rates, or on all claims if no rate is high.
    """
    t, countries = speak_to_reader(current), list_countries(current, address.read_area())
    if len(countries) == 1:
        return headlines.word_level(t, current, countries[0], pathway, 1)
    levels = (headlines.word_level(t, current, country, pathway, 1, _HIGH) for country in countries)
    return " ".join(filter(None, levels))


def explain_choice(current: CurrentRelease, pathway: str) -> str:
    """Return a sentence on why the card shows its area, if the reader has not chosen the area; empty if they have."""
    if address.find_area(current, name_areas(current), ""):
        return ""
    area = find_area(current, pathway)
    is_high = _read_area_rate(current, pathway, area)["claim"] in _HIGH
    template = (
        _("No area is chosen; shown is {area}, most surely high.")
        if is_high
        else _("No area is chosen; shown is {area}.")
    )
    return template.format(area=read_area_names(current)[area])


def list_headlines(current: CurrentRelease) -> list[str]:
    """Return sentences with the main findings: internal trafficking in the two cities, rates, then other changes."""
    t = speak_to_reader(current)
    changes, shifts = headlines.list_changes(t, current), list_shifts(t, current)
    return [*shifts, *headlines.list_levels(t, current), *changes[len(shifts) :], headlines.word_times(t)]


def list_reasons(current: CurrentRelease, pathway: str, area: str) -> list[tuple[str, str]]:
    """Return pairs (label, value) with the numbers behind the claim on an area; unknown numbers are left out.

    Empty if the results do not have the area.
    """
    row, t = _read_area_reason(current, pathway, area), speak_to_reader(current)
    if row is None:
        return []
    judged = judge_area(current, area)
    rate = judged.rates.get(pathway) if judged else None
    whole = ""
    if rate is not None:
        whole = _("{value} ({low} to {high})", **fill_ends(t, rate, 2) | {"value": _format_times(t, rate.value)})
    manifest = read_risk_manifest(current)
    population = _("Expected from population only")
    if manifest is not None and manifest.card.interpolated:
        population = _("Expected from population only (interpolated between censuses)")
    facts = [
        (_("Children identified or met"), "" if math.isnan(row["value"]) else format_number(row["value"])),
        (population, _format_about(row["by_population"])),
        (_("Expected from population and outreach"), _format_about(row["by_effort"])),
        (_("Outreach per child, compared with the national average"), _format_times(t, row["effort"])),
        (_("Rate over the whole time, compared with the national average (95 % interval)"), whole),
        (_("Rate of the neighbours, compared with the national average"), _format_times(t, row["neighbours"])),
        (_("Rate of the last year, compared with the year before"), _format_times(t, row["change"])),
    ]
    return [(words, value) for words, value in facts if value]


def _read_area_rate(current: CurrentRelease, pathway: str, area: str) -> Mapping[Any, Any]:
    """Return the row of an area in `read_area_rates`. Raises KeyError if it has none."""
    return read_area_rates(current, pathway).loc[[area]].to_dict("records")[0]


def _read_area_reason(current: CurrentRelease, pathway: str, area: str) -> Mapping[str, float] | None:
    table = current_release.read_table(current, "riskreasons_region_whole_crossing")
    here = table[(table["crossing"] == pathway) & (table["area"] == area)] if len(table) else table
    rows = here.select_dtypes("number").to_dict("records")
    return {str(name): float(value) for name, value in rows[0].items()} if rows else None


def _format_about(value: float) -> str:
    return "" if math.isnan(value) else format_number(round(value))


def _format_times(t: Speech, value: float) -> str:
    return "" if math.isnan(value) else t("{value} times", value=t.format_number(value, 2))


def word_verdict(current: CurrentRelease, pathway: str, area: str) -> str:
    """Return a text on the claim on the rate of an area, and on the probability that the rate is high.

    Raises KeyError if the area has no result of the model.
    """
    return _format_verdict(speak_to_reader(current), _read_area_rate(current, pathway, area))


def word_turning_point(current: CurrentRelease, pathway: str, area: str) -> str:
    """Return a sentence on how teams would have to find children for the claim on an area to lapse.

    Without a claim, the sentence is that on unmet need. Empty if the results do not have the area.
    """
    judged, t = judge_area(current, area), speak_to_reader(current)
    if judged is None:
        return ""
    rate = judged.rates.get(pathway)
    return (word_tipping(t, rate) if rate else "") or word_unmet(t, judged)


def list_steps(current: CurrentRelease, pathway: str, area: str) -> list[tuple[str, float]]:
    """Return three pairs (words, number of children): expected from population, with outreach too, and met.

    Empty if the number of children met or the expected number is not known.
    """
    row = _read_area_reason(current, pathway, area)
    if row is None or math.isnan(row["value"]) or math.isnan(row["by_effort"]):
        return []
    return [
        (_("expected from people"), row["by_population"]),
        (_("and from outreach"), row["by_effort"]),
        (_("met"), row["value"]),
    ]


def list_facts(current: CurrentRelease, pathway: str, area: str) -> list[tuple[str, str, str]]:
    """Return the main numbers of an area that are known, as tuples (label, value, interval or explanation)."""
    t, judged = speak_to_reader(current), judge_area(current, area)
    row = _read_area_reason(current, pathway, area)
    facts: list[tuple[str, str, str]] = []
    if row is not None and not math.isnan(row["effort"]):
        outreach = _("{value} times the average", value=t.format_number(row["effort"], 2))
        facts.append((_("Outreach per child"), outreach, _word_expected(t, row)))
    if judged is not None and pathway in judged.rates:
        rate = judged.rates[pathway]
        ends = fill_ends(t, rate, 2)
        facts.append((_("Rate"), ends["value"], _("{low} to {high}", **ends)))
    if judged is not None and pathway in judged.burdens:
        amount, rank = judged.burdens[pathway].amount, judged.burdens[pathway].rank
        ends = fill_ends(t, amount)
        share, basis = judged.share_found, ""
        if share is not None:
            low, high = (t.format_number(100 * end, 0) for end in (share.low, share.high))
            basis = _(", if {low} to {high} % are found", low=low, high=high)
        words = _("{pathway}: newly in need a quarter{basis}", pathway=name_pathways()[pathway], basis=basis)
        facts.append((words, ends["value"], _("{low} to {high}", **ends)))
        place = _("{rank} of {areas}", rank=rank.value, areas=rank.areas)
        facts.append((_("Rank by that"), place, _("{low} to {high}", low=rank.first, high=rank.last)))
    return facts


def _word_expected(t: Speech, row: Mapping[str, float]) -> str:
    """Return words on the factor by which outreach changes the number of children that the model expects.

    Empty if one of the expected numbers is not known or not above 0.
    """
    if math.isnan(row["by_effort"]) or not row["by_population"] > 0:
        return ""
    return _(
        "so {ratio} times as many children are expected",
        ratio=t.format_number(row["by_effort"] / row["by_population"], 1),
    )


def explain_statement(current: CurrentRelease, pathway: str, area: str) -> list[str]:
    """Return sentences on an area: the claim, what would undo it, unmet need, the last year, children newly in need.

    The last ones are the reasons, and whether no outreach was recorded. Empty if the results do not have the
    area.
    """
    row = _read_area_reason(current, pathway, area)
    if row is None:
        return []
    rate, judged, t = _read_area_rate(current, pathway, area), judge_area(current, area), speak_to_reader(current)
    sentences = [_format_verdict(t, rate), word_turning_point(current, pathway, area) if rate["claim"] else ""]
    if judged is not None:
        sentences += [word_unmet(t, judged), word_change(t, judged.changes.get(pathway))]
        sentences.append(word_burden(t, judged, pathway))
    sentences.append(_format_explained(row))
    if bool(rate["reports_alone"]):
        sentences.append(_("No outreach is recorded there: the estimate is based only on children reported by others."))
    return [sentence for sentence in sentences if sentence]


def _format_verdict(t: Speech, rate: Mapping[Any, Any]) -> str:
    if math.isnan(rate["exceeding"]):
        return f"{rate['name']}: {format_statement(rate)}."
    meaning = translate(RATES[rate["claim"]].meaning) if rate["claim"] else ""
    return _(
        "{area}: {said}.{meaning} A high rate is {certainty} ({chance}).",
        area=rate["name"],
        said=format_statement(rate),
        meaning=f" {_('That is {meaning} times the national average.', meaning=meaning)}" if meaning else "",
        certainty=name_certainty(judge_chance(float(rate["exceeding"]))),
        chance=t.format_chance(float(rate["exceeding"])),
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


def word_basis(current: CurrentRelease, area: str) -> str:
    """Return a sentence on how numbers of children newly in need are computed; empty if none are shown."""
    judged = judge_area(current, area)
    if judged is None or not judged.burdens:
        return ""
    basis = word_share_found(speak_to_reader(current), judged.share_found)
    return _("Children newly in need: {basis}.", basis=basis)


@cache_by_language(maxsize=128)
def tabulate_municipalities(current: CurrentRelease, pathway: str, region: str) -> pd.DataFrame:
    """Return a table of the municipalities of a county or region, those with the most children newly in need first.

    Municipalities without an estimate of the rate are left out. Empty if the results have no municipalities. The frame
    is shared: never change it.
    """
    rates = read_risk_table(current, "risk_municipality_whole_crossing", pathway)
    if rates.empty:
        return rates
    rates = rates[rates["median"].notna()]
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
    """Return a table of the clusters of a pathway that chance hardly explains, a row for each, by country.

    None if there are no results on clusters, or if an earlier version made them, whose search found too many clusters.
    """
    table = current_release.read_table(current, "hotspots_region_whole_crossing")
    if "p_release" not in table:
        return None
    frame, t = table[(table["crossing"] == pathway) & (table["p_release"] <= LEVEL)], speak_to_reader(current)
    known = load_areas(current.release).table
    grouped = frame.assign(country=known["country"].reindex(frame["area"]).to_numpy()).groupby(
        ["country", "cluster"], observed=True
    )
    rows = [
        (
            read_country_names(current)[str(country)],
            ", ".join(read_area_names(current)[list(rows["area"])]),
            _("{value} times the other areas", value=t.format_number(float(rows["value"].iloc[0]), 2)),
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
    """Return a p value as text: the number of releases, of 1,000, in which chance alone shows such a cluster."""
    return _("fewer than 1 of 1,000") if p < 0.001 else _("{count} of 1,000", count=math.ceil(1000 * p))


@cache_by_language(maxsize=32)
def tabulate_rates(current: CurrentRelease, pathway: str) -> pd.DataFrame:
    """Return a table with a row for each area: rate and, if known, children newly in need, with their intervals.

    The frame is shared: never change it.
    """
    frame, judged = read_area_rates(current, pathway), judge_areas(current)
    columns = {
        _("Area"): frame["name"],
        _("Country"): frame["country"].map(read_country_names(current)),
        _("Rate"): [name_claim(code) for code in frame["claim"]],
        _("Certainty"): [name_certainty(code) for code in frame["certainty"]],
        _("Rate compared with the national average"): frame["median"].round(2),
        _("from (2.5 %)"): frame["lower"].round(2),
        _("to (97.5 %)"): frame["upper"].round(2),
        _("Chance of a high rate, %"): (100 * frame["exceeding"]).round(),
        _("Times as many found as elsewhere that would undo it"): frame["tipping"].round(2),
    }
    burdens = [judged[code].burdens.get(pathway) if code in judged else None for code in frame.index]
    if any(burdens):
        columns |= {
            _("Children newly in need per quarter"): [burden and burden.amount.value for burden in burdens],
            _("of them from (2.5 %)"): [burden and burden.amount.low for burden in burdens],
            _("of them to (97.5 %)"): [burden and burden.amount.high for burden in burdens],
            _("Rank in the country"): [burden and burden.rank.value for burden in burdens],
            _("Rank from"): [burden and burden.rank.first for burden in burdens],
            _("Rank to"): [burden and burden.rank.last for burden in burdens],
            _("Among the five with the most"): [
                name_certainty(burden.rank.top) if burden else "" for burden in burdens
            ],
        }
    return pd.DataFrame(columns)


def tabulate_years(current: CurrentRelease) -> pd.DataFrame:
    """Return a table of the public classes in words: a row for each county or region, a column for each year.

    Empty if the release has no classes.
    """
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
