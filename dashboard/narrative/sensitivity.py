"""Which statements stand whatever is assumed, in words and as a table; see risk/report/sensitivity.py."""

from __future__ import annotations

import math

import pandas as pd

from dashboard.narrative.risk import name_claim
from dashboard.narrative.speech import Speech, make_legible
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from data.message import mark
from risk.report.manifest import Sensitivity

_TABLE = "sensitivity_region_whole_crossing"
_TOPICS = {"rate": mark("Rate"), "burden": mark("Children newly in need"), "change": mark("Change over a year")}
_RANKS = {
    "top": mark("among the five with the most"),
    "upper_half": mark("in the upper half"),
    "lower_half": mark("in the lower half"),
    "not_top": mark("not among the five with the most"),
}
_ASSUMED = {
    "share": mark("{values} of the children are found"),
    "spread": mark("Teams find unequally, by a factor of {values}"),
    "gamma": mark("Twice the outreach finds {values} times as many"),
    "partner": mark("Without {values}"),
}


def read_sensitivity(current: CurrentRelease, pathway: str, area: str) -> pd.DataFrame:
    """Read the rows of an area on a pathway, one for each topic and scenario; empty in results of earlier versions."""
    table = current_release.read_table(current, _TABLE)
    return table if table.empty else table[(table["area"] == area) & (table["crossing"] == pathway)]


def word_sensitivity(t: Speech, rows: pd.DataFrame) -> str:
    """Return a heading: how many statements on an area stand in all scenarios; empty if nothing is said of it."""
    statements = rows[rows["statement"] != ""]
    if statements.empty:
        return ""
    stands = statements.groupby("topic")["stands"].all()
    return t(
        "If something else is assumed: {stand} of {all} statements on {area} stand in all {scenarios} scenarios",
        scenarios=len(statements) // len(stands),
        stand=int(stands.sum()),
        all=len(stands),
        area=t.name_area(statements["area"].iloc[0]),
    )


def tabulate_sensitivity(t: Speech, rows: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a row for each statement on an area: in which scenarios it stands, by what is assumed."""
    lines = []
    for topic, part in rows.groupby("topic", sort=False):
        code = str(part["statement"].iloc[0])
        words = t(_RANKS[code]) if code in _RANKS else name_claim(code, change=topic == "change")
        line = {t("What is said"): t("{what}: {said}", what=t(_TOPICS[str(topic)]), said=words)}
        for assumption, scenarios in part.groupby("assumption", sort=False):
            values = [_format_value(t, str(assumption), value) for value in scenarios["setting"]]
            span = t("{low} to {high}", low=values[0], high=values[-1])
            heading = t(_ASSUMED[str(assumption)], values=t.join_or(values) if assumption == "partner" else span)
            line[heading] = _word_cell(t, scenarios) if code else "–"
        lines.append(line)
    return pd.DataFrame(lines)


def _word_cell(t: Speech, scenarios: pd.DataFrame) -> str:
    """Return where a statement falls, of the scenarios of one assumption; with numbers of children if the share is."""
    assumption, fallen = str(scenarios["assumption"].iloc[0]), scenarios["setting"][~scenarios["stands"]]
    values = ", ".join(_format_value(t, assumption, value) for value in fallen)
    words = t("falls: {values}", values=values) if values else t("stands")
    if assumption != "share" or scenarios["value"].isna().any():
        return words
    low, high = (t.format_number(end) for end in (scenarios["value"].min(), scenarios["value"].max()))
    return t("{words}, but {low} to {high} children a quarter", words=words, low=low, high=high)


def _format_value(t: Speech, assumption: str, value: str) -> str:
    """Return a setting as a reader knows it: of the spread and the exponent, the factor that they stand for."""
    if assumption == "partner":
        return make_legible(value, 32)
    number = float(value)
    if assumption == "share":
        return t.format_percent(number)
    return t.format_number(math.exp(number) if assumption == "spread" else 2**number, 1)


def explain_scenarios(t: Speech) -> str:
    """Return sentences on what the common share changes, and what the factor of unequal finding means."""
    return t(
        "The share that is found, if it is the same everywhere, changes no rate and no rank, only numbers of children. "
        "A factor of 1.4 is a spread of 0.35 on the log scale: two of three areas find from 1/1.4 to 1.4 times the "
        "usual share."
    )


def describe_sensitivity(t: Speech, sensitivity: Sensitivity | None) -> list[str]:
    """Return a sentence on how many of all statements stand in all scenarios, and where most of them fall."""
    if sensitivity is None:
        return []
    assumption, value, most = max(sensitivity.scenarios, key=lambda scenario: scenario[2])
    words = t(
        "Of {all} statements on rates, children in need and changes, {stand} stand in all {scenarios} scenarios, "
        "each with another assumption; most fall, {most}, in this one: {scenario}.",
        all=sensitivity.statements,
        stand=sensitivity.stand,
        scenarios=len(sensitivity.scenarios),
        most=most,
        scenario=t(_ASSUMED[assumption], values=_format_value(t, assumption, value)),
    )
    return [f"{words} {explain_scenarios(t)}"]
