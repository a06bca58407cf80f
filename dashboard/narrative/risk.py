"""The results of the risk model for areas (rates, changes and burden on each pathway) and the words for them.

Every number comes from the tables beside the release (risk/report/__init__.py). Areas are compared only within their
country.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dashboard.narrative.speech import Speech
from dashboard.site import current_release
from dashboard.site.cache import cache_once
from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names
from dashboard.site.text import _, cache_by_language, format_number, format_period, translate
from geo.layers.risk import CERTAINTIES, CHANGES, RATES, find_claim
from risk.model.breaks import Break
from risk.model.statements import name_certainty as name_certainties
from risk.report.steps import Jump
from risk.report.trends import CountChange

_LATER: Mapping[str, str | float] = {"certainty": "", "surely": "", "tipping": math.nan}
RISING, FALLING = ("rising", "more"), ("falling", "less")
_PARTNER = "A partner with many of the records began or stopped in this time, which may be the reason."


def name_pathways() -> dict[str, str]:
    """Return the names of the model's pathways, by code."""
    return {"internal": _("Internal trafficking"), "cross_border": _("Cross-border trafficking")}


def name_claim(code: str, *, change: bool = False) -> str:
    """Return the short name of a claim by its code; for an empty code "cannot tell".

    change : whether the claim is about the change of a rate, not about a rate. Raises KeyError for an unknown code.
    """
    return translate((CHANGES if change else RATES)[code].name) if code else _("cannot tell")


def name_certainty(code: str) -> str:
    """Return the word for a certainty by its code; empty for any other code."""
    return translate(CERTAINTIES[code]) if code in CERTAINTIES else ""


def list_statements(claim: str, certainty: str, surely: str) -> list[tuple[str, str]]:
    """Return pairs of codes (claim, certainty): the claim, then a weaker claim that is very likely, if there is one."""
    statements = [(claim, certainty)] if claim else []
    return [*statements, (surely, "very_likely")] if surely and surely != claim else statements


def format_statement(row: Mapping[Any, Any], *, change: bool = False) -> str:
    """Return the words for the claim in a row about a rate or a change, and for the weaker claim that is very likely.

    The words are "cannot tell" if there is neither claim. change : whether the row is about a change.
    """
    statements = list_statements(*(str(row[name]) for name in ("claim", "certainty", "surely")))
    words = [(name_claim(code, change=change), name_certainty(certainty)) for code, certainty in statements]
    return ", ".join(f"{claim} ({certainty})" if certainty else claim for claim, certainty in words) or _("cannot tell")


@cache_by_language(maxsize=32)
def read_area_rates(current: CurrentRelease, pathway: str) -> pd.DataFrame:
    """Read the rate of each area on a pathway over the whole time, sorted by country, then from the highest rate.

    Indexed by area; columns name, country (code), claim, certainty, surely (codes; empty: cannot tell), median, lower,
    upper (multiples of the country's rate), probability (that the claim is true, 0 to 1), exceeding (probability of a
    rate over 1.5 times the country's), reports_alone (whether no outreach was recorded). Empty without results of the
    model. The frame is shared: never change it.
    """
    frame = read_risk_table(current, "risk_region_whole_crossing", pathway)
    if frame.empty:
        return frame
    return frame.sort_values(["country", "median"], ascending=[True, False], kind="stable")


@cache_by_language(maxsize=32)
def read_burden(current: CurrentRelease, pathway: str) -> pd.DataFrame:
    """Read the number of children newly in need per quarter in each area on a pathway, sorted by country and rank.

    The columns are those of `read_risk_table`, the number and its rank with their intervals. Empty without results of
    the model, or if an earlier version made them. The frame is shared: never change it.
    """
    frame = read_risk_table(current, "burden_region_quarter_crossing", pathway)
    return frame if frame.empty else frame.sort_values(["country", "rank"], kind="stable")


def read_risk_table(current: CurrentRelease, name: str, pathway: str) -> pd.DataFrame:
    """Read the rows of a table of the model for a pathway, indexed by area, with the columns name, country and claim.

    Empty if there is no such table.
    """
    table = current_release.read_table(current, name)
    if table.empty:
        return table
    frame = table[table["crossing"] == pathway].set_index("area")
    known = load_areas(current.release).table
    # Results of earlier versions lack these.
    codes = {name: empty for name, empty in _LATER.items() if name not in frame}
    return frame.assign(
        name=read_area_names(current).reindex(frame.index),
        country=known["country"].reindex(frame.index).astype(str),
        claim=read_claims(frame, change=name.startswith("riskchange")),
        **codes,
    )


@cache_once(maxsize=16)
def read_public_classes(current: CurrentRelease) -> tuple[str, dict[str, str]]:
    """Return the last year with public classes, and the code of each area's class, by area code.

    The code is empty if the area has no class; both results are empty if the release has no classes. The mapping is
    shared: never change it.
    """
    rows = current_release.read_table(current, "risk_region_year")
    if rows.empty:
        return "", {}
    period = str(rows["period"].max())
    last = rows[rows["period"] == period]
    return period, dict(zip(last["area"].astype(str), read_claims(last), strict=True))


def read_claims(frame: pd.DataFrame, *, change: bool = False) -> list[str]:
    """Return the code of the claim in each row of a table of rates or changes; empty if no claim can be made."""
    ends = zip(frame["state"], frame["low"], frame["high"], strict=True)
    return [find_claim(float(low), float(high), change=change) if s == "class" else "" for s, low, high in ends]


def judge_chance(chance: float) -> str:
    """Return the code of the word (the certainty) for a probability from 0 to 1."""
    return str(name_certainties(np.array(chance)))


def format_break(current: CurrentRelease, jump: Jump) -> str:
    """Return a sentence on a possible break: a quarter from which counts have a higher level."""
    before, after = (format_number(round(level, 1)) for level in (jump.before, jump.after))
    place, quarter = read_area_names(current)[jump.place], format_period(jump.period)
    sentence = _(
        "{place}: about {after} children were met in a quarter from {quarter} on, about {before} before that. Outreach "
        "does not explain it. This may be a break in the series: check whether recording changed before reading it as "
        "a rise.",
        place=place,
        quarter=quarter,
        before=before,
        after=after,
    )
    spread = [] if jump.areas == 1 else [_("Counts rose in {rose} of {areas} areas.", rose=jump.rose, areas=jump.areas)]
    return " ".join([sentence, *spread, *([_(_PARTNER)] if jump.partner else [])])


def format_accepted_break(current: CurrentRelease, accepted: Break) -> str:
    """Return a sentence on a break that a person accepted."""
    place = read_area_names(current).get(accepted.place, accepted.place) if accepted.place else _("all places")
    return _(
        "Break in the series from {quarter} on, {place}: {note}. Years on both sides of it are not compared.",
        quarter=format_period(accepted.period),
        place=place,
        note=accepted.note or _("no reason was given"),
    )


def format_count_change(t: Speech, change: CountChange) -> str:
    """Return a sentence on the change of counts over the last year, or on why the two years are not compared.

    If outreach may be the reason for a change, a second sentence warns of this.
    """
    if change.verdict == "not compared":
        return _("Counts of the last two years are not compared: {why}.", why=change.note or _("a count is unknown"))
    if change.ratio is None:  # a published zero may be a small number
        sentence = _(
            "Counts: the published number of the year before is 0, so there is no ratio: {verdict}.",
            verdict=name_count_verdict(change),
        )
    else:
        sentence = _(
            "Counts: the last year has {ratio} times the children of the year before (95 % interval {low} to {high}): "
            "{verdict}.",
            ratio=format_number(round(change.ratio, 2)),
            low=format_number(round(change.low or 0.0, 2)),
            high=_("no limit") if change.high is None else format_number(round(change.high, 2)),
            verdict=name_count_verdict(change),
        )
    warned = change.effort_warning and change.verdict != "no clear change"
    unknown = math.nan if change.effort_ratio is None else change.effort_ratio
    warnings = [format_effort_warning(t, unknown)] if warned else []
    return " ".join([sentence, *warnings, *([t(_PARTNER)] if change.partner else [])])


def name_count_verdict(change: CountChange) -> str:
    """Return the words for a verdict on counts."""
    words = {
        "rise": _("a rise"),
        "fall": _("a fall"),
        "no clear change": _("no clear change"),
        "possible break": _("a possible break, or a rise"),
        "not compared": _("not compared"),
    }
    return words[change.verdict]


def list_warnings(t: Speech, effort_ratio: float, *, effort: bool, ways: bool) -> list[str]:
    """Return the warnings on a change of the rate; `effort` and `ways` say which of them it has."""
    words = [format_effort_warning(t, effort_ratio)] if effort else []
    if ways:
        words.append(
            t(
                "Reports and outreach do not both show it, or a partner is known to have begun or stopped: a partner, "
                "or new recording, may be the reason."
            )
        )
    return words


def format_effort_warning(t: Speech, effort_ratio: float) -> str:
    """Return the warning that outreach may be the reason for a change.

    effort_ratio : days of outreach in the year, divided by those in the year before; NaN if that year had none.
    """
    if math.isnan(effort_ratio):
        return t("No outreach is recorded for the year before, so more outreach may be the reason.")
    days = t.format_number(effort_ratio, 1)
    return t("Outreach was {days} times that of the year before, which may be the reason.", days=days)
