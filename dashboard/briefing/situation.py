"""The results of the risk model for a board: where rates are clearly high or low, and what changed.

Numbers come from the risk result beside the release (risk/report/__init__.py), as on the Risk page. Areas
are compared within their country only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.narrative.risk import FALLING, RISING, judge_chance, read_area_rates, read_burden, read_claims
from dashboard.narrative.shift import POSSIBLE_BREAK, list_shifts
from dashboard.narrative.speech import PATHWAYS, Speech
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, read_risk_manifest
from geo.layers.core.words import mark
from geo.layers.risk import CERTAINTIES, CHANGES

_COUNTRIES = ("AL", "GR")
_LEVELS = {"very_high": mark("very high: {areas}"), "high": mark("high: {areas}"), "low": mark("low: {areas}")}
_CERTAINTIES = {code: CERTAINTIES[code] for code in ("very_likely", "likely")}


def list_levels(t: Speech, current: CurrentRelease, most: int) -> list[str]:
    """Return the areas with a clearly high or low rate, by country and pathway; at most `most` areas each."""
    levels = [
        _word_level(t, current, rows, country, pathway, most)
        for country in _COUNTRIES
        for pathway in PATHWAYS
        if len(rows := _select_country(current, pathway, country))
    ]
    return levels or [t("The release has no result of the risk model for its counties and regions.")]


def count_undecided(current: CurrentRelease) -> tuple[int, int]:
    """Count the undecided classes, and all classes, over countries and pathways."""
    frames = [frame for pathway in PATHWAYS if len(frame := read_area_rates(current, pathway))]
    unsure = sum(int((frame["claim"] == "").sum()) for frame in frames)
    return unsure, sum(len(frame) for frame in frames)


def _select_country(current: CurrentRelease, pathway: str, country: str) -> pd.DataFrame:
    frame = read_area_rates(current, pathway)
    return frame if frame.empty else frame[frame["country"] == country]


def _word_level(t: Speech, current: CurrentRelease, rows: pd.DataFrame, country: str, pathway: str, most: int) -> str:
    parts = [
        t(words, areas=_word_rates(t, rows[rows["claim"] == code], most))
        for code, words in _LEVELS.items()
        if (rows["claim"] == code).any()
    ]
    head = t("{country}, {pathway}", country=t.name_area(country), pathway=t.name_pathway(pathway))
    levels = t.join_parts(parts) or t("no area is likely to be far above or below the national average")
    unsure = int((rows["claim"] == "").sum())
    sentence = f"{head}: {levels}."
    burden = read_burden(current, pathway)
    sentence += _word_top(t, burden.reindex(rows.index), most) if len(burden) else ""
    if not unsure:
        return sentence
    rest = t("Cannot tell: {unsure} of {all} areas.", unsure=t.format_number(unsure), all=t.format_number(len(rows)))
    return f"{sentence} {rest}"


def _word_top(t: Speech, burden: pd.DataFrame, most: int) -> str:
    """Return a sentence on the areas that are at least likely to be among the five with the most children in need."""
    top = burden.assign(word=burden["top"].map(judge_chance)).sort_values("rank")
    names = [
        f"{t.name_area(code)} ({t(_CERTAINTIES[word])})"
        for code, word in zip(top.index, top["word"], strict=True)
        if word in _CERTAINTIES
    ]
    return f" {t('Most children newly in need: {areas}.', areas=t.list_names(names, most))}" if names else ""


def _word_rates(t: Speech, rows: pd.DataFrame, most: int) -> str:
    rates = zip(rows.index, rows["median"], rows["certainty"], strict=True)
    return t.list_names(
        [f"{t.name_area(code)} ({_format_times(t, median)}{_word_certainty(t, word)})" for code, median, word in rates],
        most,
    )


def _word_certainty(t: Speech, code: str) -> str:
    return f", {t(_CERTAINTIES[code])}" if code in _CERTAINTIES else ""


def _format_times(t: Speech, rate: float) -> str:
    return f"{t.format_number(rate, 2 if rate < 1 else 1)}×"


def list_changes(t: Speech, current: CurrentRelease, most: int) -> list[str]:
    """Return the changes, the most important first: pathways, then rates of the last year."""
    frame, countries = (_read_latest(current, level) for level in ("region", "country"))
    known = frame[frame["claim"].isin((*RISING, *FALLING))] if len(frame) else frame
    whole = countries[countries["claim"] != ""] if len(countries) else countries
    changes = [_word_change(t, current, row) for rows in (known, whole) for row in rows.to_dict("records")]
    if not changes and len(frame):
        changes = [t("Cannot tell whether the rate of the last year rose or fell compared with the year before.")]
    return [*list_shifts(t, current), *changes][:most] or [
        t("The release has no changes calculated by the risk model.")
    ]


def _read_latest(current: CurrentRelease, level: str) -> pd.DataFrame:
    table = current_release.read_table(current, f"riskchange_{level}_quarter_crossing")
    if table.empty:
        return table
    frame = pd.DataFrame(table[table["period"] == table["period"].max()])
    return frame.assign(claim=read_claims(frame, change=True))


def _word_change(t: Speech, current: CurrentRelease, row: Mapping[Any, Any]) -> str:
    ends = {"ratio": "median", "low": "lower", "high": "upper"}
    sentence = t(
        "{area}, {pathway}: {change}, {ratio} times the year before (95 % interval {low} to {high}).",
        area=t.name_area(row["area"]),
        pathway=t.name_pathway(str(row["crossing"])),
        change=f"{t(CHANGES[row['claim']].name)}{_word_certainty(t, str(row.get('certainty')))}",
        **{name: t.format_number(float(row[column]), 2) for name, column in ends.items()},
    )
    manifest, place = read_risk_manifest(current), (str(row["area"]), str(row["crossing"]), str(row["period"]))
    if row["claim"] in RISING and manifest and manifest.trends.has_jump(*place):
        sentence = f"{sentence} {t(POSSIBLE_BREAK)}"
    return f"{sentence} {_word_effort(t, row)}" if row["effort_warning"] else sentence


def _word_effort(t: Speech, row: Mapping[Any, Any]) -> str:
    """Return the warning that outreach may be the reason for a change."""
    if math.isnan(row["effort_ratio"]):
        return t("No outreach is recorded for the year before, so more outreach may be the reason.")
    days = t.format_number(float(row["effort_ratio"]), 1)
    return t("Outreach was {days} times that of the year before, which may be the reason.", days=days)
