"""The judgement of each area by the risk model, which all pages, the panel and the briefing use.

Parts that measure different things (a rate and a number of children, a quarter and the whole time) have different
names. The judgement is only for the partner tier and comes from the results that `tact risk` wrote beside the release;
the public tier has only the classes of risk.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal

import pandas as pd

from dashboard.narrative.risk import judge_chance, name_pathways, read_area_rates, read_burden, read_risk_table
from dashboard.site import current_release
from dashboard.site.cache import cache_once
from dashboard.site.current_release import CurrentRelease, load_areas, read_risk_manifest
from data.errors import InputError
from geo.islands import find_region
from geo.layers.access import SURE
from geo.layers.core.service_choices import AXES
from risk.planning.advice import UNMET, Advice, PlanReview, read_advice
from risk.planning.summary import PlanSummary
from risk.planning.verdict import Answer
from risk.report.shift import WATCHED, AreaShift

ALL = "all"  # pathways
GapAnswer = Literal["gap", "none", "cannot_tell", "withheld"]
Doubt = Literal["few", "silent"]
_LEAST, _WIDEST = 0.5, 20.0  # children in a quarter; the upper end, times the estimate


@dataclass(frozen=True)
class Amount:
    """A number of children per quarter, the average over the year up to `period`.

    value : the middle estimate. low, high : its 95 % interval.
    """

    value: float
    low: float
    high: float
    period: str


@dataclass(frozen=True)
class Rank:
    """The rank of an area in its country; the area with the most children has rank 1.

    value : the middle estimate. first, last : its 95 % interval. areas : the number of areas that are ranked. top : the
    code of the certainty that the area is among the five with the most children.
    """

    value: int
    first: int
    last: int
    areas: int
    top: str


@dataclass(frozen=True)
class Statement:
    """A rate on a pathway over the whole time, as a multiple of the national average, and the claim on it.

    value : the middle estimate. low, high : its 95 % interval. claim, certainty : codes of the claim and its certainty.
    surely : code of the claim that is very likely. An empty code means "cannot tell". tipping : how many times as many
    children a day teams would have to find as elsewhere, or as in the year before, for the claim to lapse; NaN if
    unknown.
    """

    value: float
    low: float
    high: float
    claim: str
    certainty: str
    surely: str
    tipping: float


@dataclass(frozen=True)
class Change(Statement):
    """The rate on a pathway in the year up to `period`, as a multiple of the rate in the year before.

    effort_ratio : days of outreach in the year, divided by those in the year before; NaN without outreach in the year
    before. effort_warning : whether outreach may be the reason for the change. ways_warning : whether reports and
    outreach do not both show it.
    """

    period: str
    effort_ratio: float
    effort_warning: bool
    ways_warning: bool = False


@dataclass(frozen=True)
class Burden:
    """The number of children in a quarter, and the rank of the area by this number.

    claim : code of the claim on the rank; empty if unknown. tipping : as in `Statement`.
    """

    amount: Amount
    rank: Rank
    claim: str = field(default="", kw_only=True)
    tipping: float = field(default=math.nan, kw_only=True)


@dataclass(frozen=True)
class Unmet(Burden):
    """Children in need in a quarter, on all pathways, whom today's outreach does not reach.

    chance_first : the probability that no area of the country has more of them.
    """

    chance_first: float


@dataclass(frozen=True)
class ShareFound:
    """The lowest and highest share (0 to 1) of a country's children in need who were found.

    assumed : whether nothing is known of the country, so that the usual range is assumed.
    """

    low: float
    high: float
    assumed: bool


@dataclass(frozen=True)
class AreaAdvice:
    """What a plan does in an area. answer : whether the moves of the whole plan are advised.

    leaving, coming : the numbers of units that leave the area and that come into it.
    """

    answer: Answer
    leaving: int
    coming: int


@dataclass(frozen=True)
class AreaJudgement:
    """The whole judgement of a county or region. A part is None, or missing in a mapping, if nothing is known.

    rates, burdens (children newly in need), changes : by pathway. need : children newly in need on all pathways.
    unmet : children in need on all pathways who are not reached. share : the share of internal trafficking among
    children met, the last complete year compared with the first, for Durrës and Tirana. gaps : whether the reach of
    services has a gap, by axis of work. share_found : by which the children found are divided for burdens and need;
    None if the manifest is not known. doubt : why need cannot be estimated in the country: it has too few records, or
    it is silent (no outreach, or no child past the stage at risk); None if need can be estimated. With a doubt,
    burdens, need and unmet are left out; for a silent country the model has no result.
    """

    area: str
    country: str
    rates: Mapping[str, Statement]
    burdens: Mapping[str, Burden]
    changes: Mapping[str, Change]
    need: Amount | None
    unmet: Unmet | None
    share: AreaShift | None
    gaps: Mapping[str, GapAnswer]
    doubt: Doubt | None = None
    share_found: ShareFound | None = None


@cache_once(maxsize=16)
def judge_areas(current: CurrentRelease) -> dict[str, AreaJudgement]:
    """Return the judgement of each county and region in the results of the model, by code, in the release's order.

    Empty on the public tier and without results of the model. The mapping is shared: never change it.
    """
    if current.tier != "partner":
        return {}
    land = load_areas(current.release).table["country"].astype(str)
    readers = (read_area_rates, read_burden, _read_changes)
    rates, burdens, changes = (_read_by_pathway(current, read) for read in readers)
    needs, unmet = (_list_rows(current_release.read_table(current, name)) for name in ("need_region_quarter", UNMET))
    gaps, shifts = _read_gaps(current), read_shifts(current)
    judged = {str(code) for pathway in name_pathways() for code in read_area_rates(current, pathway).index}
    known = {str(code): land[code] for code in land.index if code in judged}
    sizes, heard = Counter(known.values()), {known[code] for rows in rates.values() for code in rows}
    amounts = {code: _make_amount(unmet[code]) for code in known if code in unmet}
    doubts = {country: _doubt_need([amounts[c] for c in amounts if known[c] == country]) for country in sizes}
    shares = {country: read_share_found(current, country) for country in sizes}
    doubts |= {country: "silent" for country in sizes if country not in heard}
    return {
        code: AreaJudgement(
            code,
            country,
            {name: _make_statement(rows[code]) for name, rows in rates.items() if code in rows},
            {
                name: _make_burden(rows[code], sizes[country])
                for name, rows in burdens.items()
                if code in rows and not doubts[country]
            },
            {name: _make_change(rows[code]) for name, rows in changes.items() if code in rows},
            _make_amount(needs[code]) if code in needs and not doubts[country] else None,
            Unmet(amounts[code], _make_rank(unmet[code], sizes[country]), float(unmet[code]["first"]))
            if code in unmet and not doubts[country]
            else None,
            shifts.get((code,)),
            gaps.get(code, {}),
            doubts[country],
            shares.get(country),
        )
        for code, country in known.items()
    }


def _doubt_need(amounts: Sequence[Amount]) -> Doubt | None:
    """Return "few" if the largest estimate of a country's areas is too small or too uncertain, else None."""
    most = max(amounts, key=lambda amount: amount.value, default=None)
    if most is None or (most.value >= _LEAST and (most.low >= _LEAST or most.high <= _WIDEST * most.value)):
        return None
    return "few"


def judge_area(current: CurrentRelease, area: str) -> AreaJudgement | None:
    """Return the judgement of a county or region; None if the model has no result for it."""
    return judge_areas(current).get(area)


def read_needs(current: CurrentRelease, pathway: str = ALL) -> dict[str, float]:
    """Return the number of children newly in need in a quarter, by code of the county or region.

    pathway : one pathway, or ALL for the sum of all. Areas without an estimate are left out.
    """
    judged = judge_areas(current).items()
    if pathway == ALL:
        return {code: area.need.value for code, area in judged if area.need}
    return {code: area.burdens[pathway].amount.value for code, area in judged if pathway in area.burdens}


@cache_once(maxsize=16)
def read_country_changes(current: CurrentRelease) -> dict[str, dict[str, Change]]:
    """Return the change of the rate in the last year in each country as a whole, by country and pathway.

    Empty without results of the model. The mapping is shared: never change it.
    """
    changes: dict[str, dict[str, Change]] = {}
    for pathway, rows in _read_by_pathway(current, partial(_read_changes, level="country")).items():
        for country, row in rows.items():
            changes.setdefault(country, {})[pathway] = _make_change(row)
    return changes


def read_usual_plan(current: CurrentRelease) -> PlanSummary | None:
    """Read the plan with the usual settings, which pages show.

    None on the public tier, if `tact risk` made no such plan, or if its file is damaged.
    """
    return _read_advice(current).plan


def read_area_advice(current: CurrentRelease, area: str) -> AreaAdvice | None:
    """Return what the usual plan does in a county or region; None without a plan, or if the plan lacks the area."""
    plan = read_usual_plan(current)
    return advise_area(plan, area) if plan else None


def advise_area(plan: PlanSummary, area: str) -> AreaAdvice | None:
    """Return what a plan does in a county or region; None if the plan lacks the area."""
    if all(row.area != area for row in plan.coverage):
        return None
    leaving = sum(move.units for move in plan.moves if find_region(move.start) == area)
    coming = sum(move.units for move in plan.moves if find_region(move.end) == area)
    return AreaAdvice(plan.answer, leaving, coming)


def read_plan_review(current: CurrentRelease) -> PlanReview | None:
    """Read the review of the newest plan of an earlier release: whether its moves would be advised now.

    None if there was no such plan, or if the file with the review is damaged.
    """
    return _read_advice(current).review


def list_risen(current: CurrentRelease) -> list[str]:
    """Return the codes of Tirana and Durrës where internal trafficking makes up a larger share than before."""
    shifts = read_shifts(current)
    return [code for code in reversed(WATCHED) if (code,) in shifts and shifts[code,].verdict == "rose"]


def read_shifts(current: CurrentRelease) -> dict[tuple[str, ...], AreaShift]:
    """Read how the share of internal trafficking changed in Durrës and Tirana, together and in each alone.

    The keys are the codes of these areas. Empty without results of the model.
    """
    manifest = read_risk_manifest(current)
    return {shift.areas: shift for shift in manifest.shifts} if manifest else {}


@cache_once(maxsize=16)
def _read_advice(current: CurrentRelease) -> Advice:
    try:
        return read_advice(current.release) or Advice()
    except (InputError, TypeError):  # the file is damaged; the pages say what to do if there is no advice
        return Advice()


Rows = Mapping[str, Mapping[Any, Any]]  # the rows of a table by area code


def _read_by_pathway(
    current: CurrentRelease, read: Callable[[CurrentRelease, str], pd.DataFrame]
) -> Mapping[str, Rows]:
    frames = {pathway: read(current, pathway) for pathway in name_pathways()}
    return {pathway: _list_rows(frame.reset_index()) for pathway, frame in frames.items() if len(frame)}


def _list_rows(frame: pd.DataFrame) -> Rows:
    """Return the rows that have an estimate, by area code."""
    return {str(row["area"]): row for row in frame.to_dict("records") if not math.isnan(row["lower"])}


def _read_changes(current: CurrentRelease, pathway: str, level: str = "region") -> pd.DataFrame:
    """Read the changes of the rate in the last year on a pathway: a row for each area of this level."""
    frame = read_risk_table(current, f"riskchange_{level}_quarter_crossing", pathway)
    return frame if frame.empty else frame[frame["period"] == frame["period"].max()]


def read_share_found(current: CurrentRelease, country: str) -> ShareFound | None:
    """Read by which share found the numbers of children in need in a country were computed; None without results."""
    manifest = read_risk_manifest(current)
    if manifest is None:
        return None
    known = manifest.card.share_found.get(country)
    return ShareFound(*(known or manifest.card.share_assumed), assumed=known is None)


def _make_burden(row: Mapping[Any, Any], areas: int) -> Burden:
    claim, tipping = str(row.get("statement", "")), float(row["tipping"])
    return Burden(_make_amount(row), _make_rank(row, areas), claim=claim, tipping=tipping)


def _make_statement(row: Mapping[Any, Any]) -> Statement:
    value, low, high = (float(row[name]) for name in ("median", "lower", "upper"))
    claim, certainty, surely = (str(row[name]) for name in ("claim", "certainty", "surely"))
    return Statement(value, low, high, claim, certainty, surely, float(row["tipping"]))


def _make_change(row: Mapping[Any, Any]) -> Change:
    statement = asdict(_make_statement(row))
    return Change(
        **statement,
        period=str(row["period"]),
        effort_ratio=float(row["effort_ratio"]),
        effort_warning=bool(row["effort_warning"]),
        ways_warning=bool(row.get("ways_warning", False)),  # results of earlier versions do not have it
    )


def _make_amount(row: Mapping[Any, Any]) -> Amount:
    value, low, high = (float(row[name]) for name in ("value", "lower", "upper"))
    return Amount(value, low, high, str(row["period"]))


def _make_rank(row: Mapping[Any, Any], areas: int) -> Rank:
    value, first, last = (int(row[name]) for name in ("rank", "rank_first", "rank_last"))
    return Rank(value, first, last, areas, judge_chance(float(row["top"])))


def _read_gaps(current: CurrentRelease) -> dict[str, dict[str, GapAnswer]]:
    table = current_release.read_table(current, "accessgap_region_quarter_axis")
    gaps: dict[str, dict[str, GapAnswer]] = {}
    for row in table.to_dict("records"):
        gaps.setdefault(str(row["area"]), {})[str(row["axis"])] = answer_gap(row)
    order = [axis.id.partition("-")[2] for axis in AXES]
    return {area: {axis: answers[axis] for axis in order if axis in answers} for area, answers in gaps.items()}


def answer_gap(row: Mapping[Any, Any]) -> GapAnswer:
    """Return the answer to whether the reach of services has a gap, from a row of the table of gaps."""
    if row["state"] == "withheld":
        return "withheld"
    if row["state"] == "cannot_tell":
        return "cannot_tell"
    return "gap" if row["low"] >= SURE else "none"
