"""Expected results: indicators with baseline, target and latest value, and whether they are on course."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from dashboard.narrative.speech import make_legible
from dashboard.pages.programme.summary import name_axes
from dashboard.site.current_release import CurrentRelease, read_area_names, read_table
from dashboard.site.text import _, cache_by_language, format_number, format_period, translate
from data.message import mark
from data.tables.periods import Period, add_months
from geo.layers.core.words import describe_state

INDICATORS = "indicators"
Verdict = Literal["on_course", "late", "cannot_tell"]
VERDICTS: Mapping[Verdict, str] = {
    "late": mark("late"),
    "cannot_tell": mark("cannot tell"),
    "on_course": mark("on course"),
}
_STALE = 12  # months after which a value is too old for a verdict


@dataclass(frozen=True)
class Result:
    """An indicator in an area, from its rows by period.

    code, unit, counts : what the indicator counts. axis, bearer : codes; empty if the indicator has none. baseline :
    the first value and its period as text; empty if there is only one value. value : the latest value. margin : of this
    value; 0 if it has none. words : the latest value as text. target : the target of the latest period. value and
    target are NaN if unknown. period : that of the latest value.
    """

    code: str
    unit: str
    axis: str
    bearer: str
    counts: str
    baseline: str
    value: float
    margin: float
    words: str
    target: float
    period: Period
    source: str
    verdict: Verdict


def has_indicators(current: CurrentRelease) -> bool:
    """Return whether the release has indicators."""
    return len(read_table(current, INDICATORS)) > 0


@cache_by_language(maxsize=64)
def read_results(current: CurrentRelease, area: str) -> tuple[Result, ...]:
    """Read the indicators of an area, sorted by axis, without duty bearer first, and code; empty if there are none."""
    table = read_table(current, INDICATORS)
    if table.empty:
        return ()
    here = table[table["area"] == area]
    order = [*name_axes(), ""]
    results = [_make_result(current, rows) for _key, rows in here.groupby(["indicator", "unit", "partner"], sort=True)]
    return tuple(sorted(results, key=lambda result: (order.index(result.axis), bool(result.bearer), result.code)))


def _make_result(current: CurrentRelease, rows: pd.DataFrame) -> Result:
    ordered = rows.assign(end=[Period.parse(period).end for period in rows["period"]]).sort_values("end", kind="stable")
    first, last = ordered.iloc[0], ordered.iloc[-1]
    is_number = last["state"] in ("number", "almost_none")
    value = (0.0 if last["state"] == "almost_none" else float(last["value"])) if is_number else math.nan
    margin = 0.0 if math.isnan(last["margin"]) else float(last["margin"])
    # A published zero has no margin of its own, but the true number behind it may be as large as the noise.
    ends = (0.0, current.release.largest) if last["state"] == "almost_none" else (value - margin, value + margin)
    words = format_number(last["value"]) or translate(describe_state(last["state"], current.release.k))
    today = Period.parse(f"{current.release.manifest['tact']['first']}/{current.release.manifest['tact']['last']}").end
    stale = add_months(last["end"], _STALE) < today
    target, baseline = float(last["target"]), float(first["value"]) if len(ordered) > 1 else math.nan
    return Result(
        code=make_legible(last["indicator"]),
        unit=_(make_legible(last["unit"])),  # the words of the product's own indicators are in its catalogues
        axis=str(last["axis"]),
        bearer=str(last["duty_bearer"]),
        counts=str(last["counts"]),
        baseline=_format_baseline(current, first) if len(ordered) > 1 else "",
        value=value,
        margin=margin,
        words=f"{words} ±{format_number(margin)}" if margin and is_number else words,
        target=target,
        period=Period.parse(last["period"]),
        source=_("{source}, {partner}", source=_(make_legible(last["source"])), partner=make_legible(last["partner"])),
        verdict="cannot_tell" if stale else judge_value(ends, target, baseline),
    )


def _format_baseline(current: CurrentRelease, first: pd.Series) -> str:
    value = format_number(first["value"]) or translate(describe_state(first["state"], current.release.k))
    return _("{value} ({when})", value=value, when=format_period(str(first["period"])))


def judge_value(ends: tuple[float, float], target: float, baseline: float) -> Verdict:
    """Return the verdict on whether a value reaches its target.

    ends : the lower and upper bound of the value. A target below the baseline is reached by a fall, any other by a
    rise. Without bounds or a target (NaN), the verdict is "cannot_tell".
    """
    low, high = ends
    if math.isnan(low) or math.isnan(target):
        return "cannot_tell"
    falls = target < baseline  # False without a baseline
    if (high <= target) if falls else (low >= target):
        return "on_course"
    return "late" if (low > target if falls else high < target) else "cannot_tell"


def find_goal(results: Sequence[Result], quarter: Period | None, axis: str, bearer: str, counts: str) -> Result | None:
    """Return the indicator with this axis, duty bearer and unit of count whose latest period ends with the quarter.

    None if there is no such indicator, or if several have the same axis, duty bearer and unit: the target of one
    partner among several, or of another time, is not the target of the cell.
    """
    fitting = [result for result in results if (result.axis, result.bearer, result.counts) == (axis, bearer, counts)]
    return fitting[0] if quarter and len(fitting) == 1 and fitting[0].period.end == quarter.end else None


def describe_verdicts(current: CurrentRelease, area: str) -> str:
    """Return a sentence on how many expected results of an area are on course; empty if there are none."""
    counted = Counter(result.verdict for result in read_results(current, area))
    if not counted:
        return ""
    return _(
        "Of {all} expected results in {area}, {on} are on course, {late} late; of {unsure} it cannot be told.",
        all=counted.total(),
        area=read_area_names(current)[area],
        on=counted["on_course"],
        late=counted["late"],
        unsure=counted["cannot_tell"],
    )
