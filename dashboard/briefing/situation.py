"""The results of the risk model for a board: where rates are clearly high or low, and what changed.

Numbers come from the risk result beside the release (risk/report/__init__.py), as on the Risk page. Areas
are compared within their country only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.narrative.risk import CANNOT_TELL, read_area_rates
from dashboard.narrative.shift import POSSIBLE_BREAK, word_shifts
from dashboard.narrative.speech import Speech
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, read_risk_manifest
from geo.layers.core.words import mark
from geo.layers.risk import find_class

_COUNTRIES = ("AL", "GR")
PATHWAYS = {"internal": mark("internal trafficking"), "cross_border": mark("cross-border trafficking")}
_CLASSES = {3: mark("very high: {areas}"), 2: mark("high: {areas}"), 0: mark("low: {areas}")}
_FALLING, _RISING = 0, 2
_CLOSE = 2


def list_levels(t: Speech, current: CurrentRelease, most: int) -> list[str]:
    """Return the areas with a clearly high or low rate, by country and pathway; at most `most` areas each."""
    levels = [
        _word_level(t, rows, country, pathway, most)
        for country in _COUNTRIES
        for pathway in PATHWAYS
        if len(rows := _select_country(current, pathway, country))
    ]
    return levels or [t("The release has no result of the risk model for its counties and regions.")]


def count_undecided(current: CurrentRelease) -> tuple[int, int]:
    """Count the undecided classes, and all classes, over countries and pathways."""
    frames = [frame for pathway in PATHWAYS if len(frame := read_area_rates(current, pathway))]
    unsure = sum(int((frame["class"] == CANNOT_TELL).sum()) for frame in frames)
    return unsure, sum(len(frame) for frame in frames)


def _select_country(current: CurrentRelease, pathway: str, country: str) -> pd.DataFrame:
    frame = read_area_rates(current, pathway)
    return frame if frame.empty else frame[frame["country"] == country]


def _word_level(t: Speech, rows: pd.DataFrame, country: str, pathway: str, most: int) -> str:
    parts = [
        t(words, areas=_word_rates(t, rows[rows["class"] == position], most))
        for position, words in _CLASSES.items()
        if (rows["class"] == position).any()
    ]
    head = t("{country}, {pathway}", country=t.name_area(country), pathway=t(PATHWAYS[pathway]))
    levels = t.join_parts(parts) or t("no area is clearly above or below the national average")
    unsure = int((rows["class"] == CANNOT_TELL).sum())
    sentence = f"{head}: {levels}."
    if not unsure:
        return sentence
    rest = t("Cannot tell: {unsure} of {all} areas.", unsure=t.format_number(unsure), all=t.format_number(len(rows)))
    return f"{sentence} {rest}"


def _word_rates(t: Speech, rows: pd.DataFrame, most: int) -> str:
    rates = zip(rows.index, rows["median"], strict=True)
    return t.list_names([f"{t.name_area(code)} ({_format_times(t, median)})" for code, median in rates], most)


def _format_times(t: Speech, rate: float) -> str:
    return f"{t.format_number(rate, 2 if rate < 1 else 1)}×"


def list_changes(t: Speech, current: CurrentRelease, most: int) -> list[str]:
    """Return the changes, the most important first: pathways, then rates of the last year."""
    frame = _read_latest(current)
    known = frame[frame["class"].isin([_FALLING, _RISING])] if len(frame) else frame
    changes = [_word_change(t, current, row) for row in known.to_dict("records")]
    if not changes and len(frame):
        changes = [
            t("In no area is it sure that the rate of the last year rose or fell compared with the year before.")
        ]
    return [*_word_shifts(t, current), *changes][:most] or [
        t("The release has no changes calculated by the risk model.")
    ]


def _word_shifts(t: Speech, current: CurrentRelease) -> list[str]:
    """Return the change in the share of internal trafficking in Durrës and Tirana, together and each."""
    manifest = read_risk_manifest(current)
    return word_shifts(t, manifest.shifts, manifest.years) if manifest else []


def _read_latest(current: CurrentRelease) -> pd.DataFrame:
    table = current_release.read_table(current, "riskchange_region_quarter_crossing")
    if table.empty:
        return table
    frame = pd.DataFrame(table[table["period"] == table["period"].max()])
    states = zip(frame["state"], frame["low"], strict=True)
    known = [find_class(float(low), change=True) if s == "class" else CANNOT_TELL for s, low in states]
    return frame.assign(**{"class": known})


def _word_change(t: Speech, current: CurrentRelease, row: Mapping[Any, Any]) -> str:
    template = (
        t("{area}, {pathway}: rising, {ratio} times the year before (95 % interval {low} to {high}).")
        if row["class"] == _RISING
        else t("{area}, {pathway}: falling, {ratio} times the year before (95 % interval {low} to {high}).")
    )
    ends = {"ratio": "median", "low": "lower", "high": "upper"}
    values = {name: t.format_number(float(row[column]), 2) for name, column in ends.items()}
    pathway = t(PATHWAYS[str(row["crossing"])])
    sentence = template.format(area=t.name_area(row["area"]), pathway=pathway, **values)
    manifest, place = read_risk_manifest(current), (str(row["area"]), str(row["crossing"]), str(row["period"]))
    if row["class"] == _RISING and manifest and manifest.trends.has_jump(*place):
        sentence = f"{sentence} {t(POSSIBLE_BREAK)}"
    return f"{sentence} {_word_effort(t, row)}" if row["effort_warning"] else sentence


def _word_effort(t: Speech, row: Mapping[Any, Any]) -> str:
    """Return the warning that outreach may be the reason for a change."""
    if math.isnan(row["effort_ratio"]):
        return t("No outreach is recorded for the year before, so more outreach may be the reason.")
    days = t.format_number(float(row["effort_ratio"]), 1)
    return t("Outreach was {days} times that of the year before, which may be the reason.", days=days)
