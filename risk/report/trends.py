"""Changes of counts: size, certainty, and other possible causes.

A change is the ratio of a count to an earlier count. It comes with its exact 95 % interval, docs/risk-model.md eq. (50)
(conditional binomial, Clopper and Pearson 1934). It is flagged, as a rise or a fall, only if the exact interval still
excludes "no change" after allowing for repeated tests: with L planned tests, each has the confidence level 1 − 0.05 / L
(Bonferroni). This is valid even if the tests depend on one another, as tests of overlapping periods do. Sequential
boundaries would be a little sharper, but need the dependence to be known.

Besides chance, counts vary for two reasons: the noise of disclosure control, with a known variance, and children who
are met together (negative binomial). Both widen the variance of the log ratio, docs/risk-model.md eq. (49). The exact
interval is computed from counts that are smaller by the same factor.

Three cases are checked before "rise". A series break that a person accepted (a new recording system, a new law) stops
comparison across it. A series that jumps to a higher level and stays there is shown as a possible break. If effort
changed in the direction of the count, a warning is given.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from data.errors import InputError
from data.tables.periods import Period, add_months
from data.workspace.types import Floats
from risk.evaluation.forecast_ledger import read_complete_panel
from risk.evaluation.panel import Interval, Panel
from risk.model.breaks import Break
from risk.model.observations import Observations
from risk.report.steps import ALL, Jump, find_jumps

Verdict = Literal["no clear change", "rise", "fall", "possible break", "not compared"]
_LEVEL = 0.95  # of the intervals that are shown
_YEAR = 4  # quarters


@dataclass(frozen=True)
class Rules:
    """The rules for flagging a change.

    looks : planned number of tests of the same series. noise_variance : variance of the noise of disclosure control in
    each count. size : of the negative binomial of one count; a smaller size means more variation. effort_ratio : a
    change of effort by more than this factor, in the direction of the count, gives a warning. At 1.2 and γ = 0.8,
    effort alone explains a rise of 16 %. Raises InputError for a value outside its range.
    """

    looks: int = 1
    noise_variance: float = 0.0
    size: float = float("inf")
    effort_ratio: float = 1.2

    def __post_init__(self) -> None:
        if self.looks < 1 or self.noise_variance < 0 or self.size <= 0 or self.effort_ratio < 1:
            msg = f"{self}: give looks from 1, a variance from 0, a size above 0 and an effort ratio from 1."
            raise InputError(msg)


@dataclass(frozen=True)
class Change:
    """A count compared with an earlier one.

    `ratio` is after / before, infinite if only `before` is 0, and NaN if both are 0 or a count is unknown. `exact` is
    its 95 % interval. `verdict` depends on the exact interval that allows for all planned tests.
    `effort_ratio` is NaN if effort is unknown or 0 at both times, and infinite if only the earlier one is 0.
    `note` is the reason of the break that stops the comparison; empty without such a break.
    """

    before: float
    after: float
    ratio: float
    exact: Interval
    verdict: Verdict
    effort_ratio: float
    effort_warning: bool
    note: str = ""
    area: str = ""


def compare_counts(
    before: float, after: float, effort: tuple[float, float] | None = None, rules: Rules | None = None
) -> Change:
    """Compare a count with an earlier one, and the effort behind them (days before, days after).

    Raises InputError if a count or an effort is below zero.
    """
    if min(before, after, *(effort or ())) < 0:
        raise InputError(f"Counts {(before, after)} and effort {effort} are compared from 0 on; check the table.")
    rules = rules or Rules()
    allowing = _exact_interval(before, after, 1.0 - (1.0 - _LEVEL) / rules.looks, rules)
    rise, fall = allowing[0] > 1.0, allowing[1] < 1.0
    more = _effort_ratio(effort)
    warned = more > rules.effort_ratio if after >= before else more < 1.0 / rules.effort_ratio
    return Change(
        before=before,
        after=after,
        ratio=after / before if before else float("inf") if after else float("nan"),
        exact=_exact_interval(before, after, _LEVEL, rules),
        verdict="rise" if rise else "fall" if fall else "no clear change",
        effort_ratio=more,
        effort_warning=bool(warned),
    )


def _effort_ratio(effort: tuple[float, float] | None) -> float:
    if effort is None or effort == (0.0, 0.0):
        return float("nan")
    return effort[1] / effort[0] if effort[0] else float("inf")


def _log_variance(before: float, after: float, rules: Rules) -> tuple[float, float]:
    """Return two variances of the log ratio of two counts above 0: Poisson alone, and with noise and overdispersion."""
    alone = 1.0 / before + 1.0 / after
    noise = rules.noise_variance * (1.0 / before**2 + 1.0 / after**2)
    return alone, alone + noise + 2.0 / rules.size


def _exact_interval(before: float, after: float, level: float, rules: Rules) -> Interval:
    """Return the interval of the ratio with confidence `level` (0 to 1), docs/risk-model.md eq. (50).

    It is computed from the later count's share of the sum of both counts.
    """
    from scipy.stats import beta

    alone, whole = _log_variance(before + 0.5, after + 0.5, rules)
    first, second = before * alone / whole, after * alone / whole
    tail = (1.0 - level) / 2.0
    low = beta.ppf(tail, second, first + 1.0) if after else 0.0
    high = beta.isf(tail, second + 1.0, first) if before else 1.0
    return float(low / (1.0 - low)), float(high / (1.0 - high)) if high < 1.0 else float("inf")


def compare_panel(
    panel: Panel,
    span: int = 4,
    *,
    pathway: str | None = None,
    breaks: Iterable[Break] = (),
    jumps: Iterable[Jump] = (),
    rules: Rules | None = None,
    noise: Floats | None = None,
) -> tuple[Change, ...]:
    """Compare the sum of each area's last `span` quarters with that of as many quarters just before.

    The counts are those of one pathway, or of all pathways.
    `rules` apply to one published count: a sum of n similar counts has n times the noise variance and n times the size.
    noise : the noise variance of each count of the panel, (A, T, P), if it is not the same for all; the larger variance
    of the two sums is used for both. A break in between, or an unknown count, stops the comparison. If one of `jumps`
    (see `find_jumps`) is in between, a rise is reported as a possible break. Raises InputError if `span` is below 1, or
    if the panel is too short or does not have the pathway.
    """
    last = len(panel.quarters)
    if not 1 <= span <= last / 2:
        raise InputError(f"Comparing {span} quarters with as many before needs {2 * span}; there are {last}.")
    counts, rules = _select_counts(panel, pathway), rules or Rules()
    summed = span * (1 if pathway else len(panel.pathways))
    sum_rules = replace(rules, noise_variance=summed * rules.noise_variance, size=summed * rules.size)
    new, old = slice(last - span, last), slice(last - 2 * span, last - span)
    between = panel.quarters[old.start + 1 :]
    stops = [b for b in breaks if b.period in between]
    possible = [jump for jump in jumps if jump.period in between]
    noise_by_quarter = None if noise is None else _select_counts(replace(panel, counts=noise), pathway)
    changes = []
    for place, area in enumerate(panel.areas):
        effort = float(panel.effort[place, old].sum()), float(panel.effort[place, new].sum())
        pair = float(counts[place, old].sum()), float(counts[place, new].sum())
        here = [b for b in stops if b.concerns(area)]
        doubtful = any(jump.concerns(area) for jump in possible)
        if noise_by_quarter is not None:
            sums = (float(noise_by_quarter[place, years].sum()) for years in (old, new))
            sum_rules = replace(sum_rules, noise_variance=max(sums))
        changes.append(_compare_area(area, pair, effort, sum_rules, here, doubtful=doubtful))
    return tuple(changes)


def _compare_area(
    area: str,
    pair: tuple[float, float],
    effort: tuple[float, float],
    rules: Rules,
    stops: list[Break],
    *,
    doubtful: bool,
) -> Change:
    """Compare the counts of one area, `pair`; they are not compared if one is unknown or `stops` has a break.

    doubtful : whether a possible break affects the area; then a rise is a possible break.
    """
    if stops or not np.isfinite(pair).all():
        note = stops[-1].note if stops else ""
        nan = float("nan")
        unknown = (nan, nan)
        return Change(*pair, nan, unknown, "not compared", _effort_ratio(effort), False, note, area)
    change = compare_counts(*pair, effort, rules)
    verdict: Verdict = "possible break" if change.verdict == "rise" and doubtful else change.verdict
    return replace(change, verdict=verdict, area=area)


def _select_counts(panel: Panel, pathway: str | None) -> Floats:
    """Return the counts of one pathway, or the sum over all, (A, T); raise InputError for an unknown pathway."""
    if pathway is None:
        return np.asarray(panel.counts.sum(axis=2))
    if pathway not in panel.pathways:
        raise InputError(f"The panel has no pathway {pathway!r}; it has {list(panel.pathways)!r}.")
    return np.asarray(panel.counts[:, :, panel.pathways.index(pathway)])


@dataclass(frozen=True)
class CountChange:
    """The change of an area's counts on a pathway (or ALL) over the last year, as a manifest stores it; see `Change`.

    low, high : the exact 95 % interval. ratio, low, high, effort_ratio : None where infinite or unknown. partner :
    whether a partner with a good share of the records began or stopped within the two years.
    """

    area: str
    pathway: str
    verdict: Verdict
    ratio: float | None
    low: float | None
    high: float | None
    effort_ratio: float | None
    effort_warning: bool
    note: str = ""
    partner: bool = False


@dataclass(frozen=True)
class Trends:
    """Changes of counts over time: accepted breaks, possible breaks by pathway (or ALL), changes of the last year."""

    breaks: tuple[Break, ...] = ()
    jumps: tuple[tuple[str, Jump], ...] = ()
    changes: tuple[CountChange, ...] = ()

    def has_jump(self, area: str, pathway: str, quarter: str) -> bool:
        """Return whether the counts of an area on a pathway (or ALL) may have a break inside two years.

        The two years end with `quarter`. A possible break after them counts, too.
        """
        first = add_months(Period.parse(quarter).start, 3 - 6 * _YEAR)
        jumps = (jump for name, jump in self.jumps if name == pathway and jump.concerns(area))
        return any(first < Period.parse(jump.period).start for jump in jumps)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Trends:
        """Read the trends from the manifest of a result; results of earlier versions have none."""
        return cls(
            tuple(Break(**row) for row in values.get("breaks", ())),
            tuple((pathway, Jump(**row)) for pathway, row in values.get("jumps", ())),
            tuple(CountChange(**row) for row in values.get("changes", ())),
        )


def describe_trends(
    observations: Observations,
    kappa: float,
    reach: Floats | None = None,
    countries: tuple[Floats, Floats] | None = None,
) -> dict[str, Any]:
    """Return the trends as plain values for a manifest.

    A count is unknown if that of any way of finding is withheld. There are no changes without two years of quarters,
    and none in a country that has neither counts nor outreach.

    kappa : overdispersion of a quarter's count. reach, countries : as in `find_jumps`.
    """
    panel, silent = read_complete_panel(observations), observations.silent_places
    noise = observations.count_noise.sum(axis=-1)
    jumps = [
        (name, replace(jump, partner=_has_turn(observations, jump.place, _list_near(panel.quarters, jump.period))))
        for name, jump in find_jumps(panel, reach=reach, noise=noise, kappa=kappa, countries=countries)
    ]
    looks = len(panel.quarters) - 2 * _YEAR + 1
    last = panel.quarters[1 - 2 * _YEAR :]
    changes: list[dict[str, Any]] = []
    if looks > 0:
        rules = Rules(looks=looks * len(panel.areas), size=1.0 / max(kappa, 1e-3) ** 2)
        for name in (*panel.pathways, ALL):
            pathway, possible = None if name == ALL else name, [jump for which, jump in jumps if which == name]
            compared = compare_panel(
                panel, pathway=pathway, breaks=observations.breaks, jumps=possible, rules=rules, noise=noise
            )
            changes += [
                asdict(replace(_shorten(change, name), partner=_has_turn(observations, change.area, last)))
                for change in compared
                if change.area not in silent
            ]
    return {
        "breaks": [asdict(b) for b in observations.breaks],
        "jumps": [[name, asdict(jump)] for name, jump in jumps],
        "changes": changes,
    }


def _has_turn(observations: Observations, place: str, quarters: Collection[str]) -> bool:
    """Return whether a partner began or stopped at a place in one of the quarters."""
    return any(turn.concerns(place) and turn.period in quarters for turn in observations.turns)


def _list_near(quarters: Sequence[str], period: str) -> Sequence[str]:
    """Return the quarters up to half a year from a quarter."""
    middle, half = quarters.index(period), _YEAR // 2
    return quarters[max(middle - half, 0) : middle + half + 1]


def _shorten(change: Change, pathway: str) -> CountChange:
    numbers = (change.ratio, *change.exact, change.effort_ratio)
    ratio, low, high, effort = (round(value, 3) if math.isfinite(value) else None for value in numbers)
    warned, note = change.effort_warning, change.note
    return CountChange(change.area, pathway, change.verdict, ratio, low, high, effort, warned, note)
