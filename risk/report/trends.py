"""Changes of counts and shares: size, certainty, and other possible causes.

A change is the ratio of a count to an earlier count. It comes with two 95 % intervals: Wald's on the log,
docs/risk-model.md eq. (49), and the exact interval, docs/risk-model.md eq. (50) (conditional binomial, Clopper and
Pearson 1934). It is flagged only if the exact interval still excludes "no change" after allowing for repeated looks:
with L planned looks each is made at 1 − 0.05 / L (Bonferroni). This holds even if the looks depend on one another, as
looks at overlapping periods do. Sequential boundaries would be a little sharper, but need the dependence to be known.

Besides chance, counts vary for two reasons: the noise of disclosure control, with a known variance, and children who
are met together (negative binomial). Both widen the Wald variance of the log ratio. The exact interval is computed from
counts that are smaller by the same factor.

Three cases are checked before "rise". A series break (a new recording system, a new law) stops comparison across it. A
jump of counts in a whole country is shown as a possible break. If effort changed with the count, a warning is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import beta, binomtest, norm

from data.errors import InputError
from data.workspace.types import Floats
from risk.evaluation.panel import Interval, Panel
from risk.numbers import stream

Verdict = Literal["no clear change", "rise", "fall", "possible break", "not compared"]
ShareVerdict = Literal["rose", "fell", "unclear"]
_LEVEL = 0.95  # of the intervals that are shown
_EVERYWHERE = 0.01  # p value below which a jump of the sum, and that of rising areas, is no chance


@dataclass(frozen=True)
class Break:
    """A period from which counts have another meaning, with the reason; in one country, or everywhere."""

    period: str
    note: str = ""
    country: str = ""

    def concerns(self, country: str) -> bool:
        """Return whether counts of a country are concerned."""
        return self.country in ("", country)


@dataclass(frozen=True)
class Jump(Break):
    """A possible break: a quarter in which counts jumped in a whole country.

    rose, fell : numbers of areas. before, after : sums of the counts of the quarter before and of this one.
    """

    rose: int = 0
    fell: int = 0
    before: int = 0
    after: int = 0


@dataclass(frozen=True)
class Rules:
    """The rules for flagging a change.

    looks : planned number of looks at the same series. noise_variance : variance of the noise of
    disclosure control in each count. size : of the negative binomial of one count; a smaller size is more
    variation. effort_ratio : a change of effort by more than this factor, in the direction of the count,
    gives a warning. At 1.2 and γ = 0.8 effort alone explains a rise of 16 %.
    """

    looks: int = 1
    noise_variance: float = 0.0
    size: float = float("inf")
    effort_ratio: float = 1.2

    def __post_init__(self) -> None:
        """Check every value."""
        if self.looks < 1 or self.noise_variance < 0 or self.size <= 0 or self.effort_ratio < 1:
            msg = f"{self}: give looks from 1, a variance from 0, a size above 0 and an effort ratio from 1."
            raise InputError(msg)


@dataclass(frozen=True)
class Change:
    """A count compared with an earlier one.

    `wald` and `exact` are 95 % intervals of the ratio. `flagged` depends on `allowing`, the exact interval that
    allows for all looks. `effort_ratio` is NaN if no effort is known. `note` says why counts are not compared.
    """

    before: float
    after: float
    ratio: float
    wald: Interval
    exact: Interval
    allowing: Interval
    verdict: Verdict
    effort_ratio: float
    effort_warning: bool
    note: str = ""
    area: str = ""

    @property
    def flagged(self) -> bool:
        """Whether the change is a rise or a fall."""
        return self.verdict in ("rise", "fall")


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
        wald=_wald_interval(before, after, rules),
        exact=_exact_interval(before, after, _LEVEL, rules),
        allowing=allowing,
        verdict="rise" if rise else "fall" if fall else "no clear change",
        effort_ratio=more,
        effort_warning=bool(warned),
    )


def _effort_ratio(effort: tuple[float, float] | None) -> float:
    if effort is None or effort == (0.0, 0.0):
        return float("nan")
    return effort[1] / effort[0] if effort[0] else float("inf")


def _log_variance(before: float, after: float, rules: Rules) -> tuple[float, float]:
    """Return the variance of the log ratio of Poisson counts, first alone, then with noise and overdispersion."""
    alone = 1.0 / before + 1.0 / after
    noise = rules.noise_variance * (1.0 / before**2 + 1.0 / after**2)
    return alone, alone + noise + 2.0 / rules.size


def _wald_interval(before: float, after: float, rules: Rules) -> Interval:
    """Return the 95 % Wald interval of the ratio, docs/risk-model.md eq. (49); unbounded if a count is 0."""
    if not before or not after:
        return 0.0, float("inf")
    half = norm.isf((1.0 - _LEVEL) / 2.0) * np.sqrt(_log_variance(before, after, rules)[1])
    return float(after / before * np.exp(-half)), float(after / before * np.exp(half))


def _exact_interval(before: float, after: float, level: float, rules: Rules) -> Interval:
    """Return the interval of the ratio from the later count's share in the sum, docs/risk-model.md eq. (50)."""
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
    lag: int | None = None,
    pathway: str | None = None,
    breaks: Iterable[Break] = (),
    rules: Rules | None = None,
) -> tuple[Change, ...]:
    """Compare each area's last `span` quarters with as many `lag` quarters earlier (by default just before).

    The counts are of one pathway, or of all pathways. `rules` apply to one published count: a sum of n similar counts
    has n times the noise variance and n times the size. A break in between, or an unknown count, stops the comparison.
    If there is a possible break in between (see `find_jumps`), a rise is reported as a possible break. Raises
    InputError if the panel is too short or does not have the pathway.
    """
    back, last = span if lag is None else lag, len(panel.quarters)
    if span < 1 or back < 1 or last < span + back:
        raise InputError(f"Comparing {span} quarters with those {back} earlier needs {span + back}; there are {last}.")
    counts = _select_counts(panel, pathway)
    sum_rules = _sum_rules(rules or Rules(), span * (1 if pathway else len(panel.pathways)))
    new, old = slice(last - span, last), slice(last - span - back, last - back)
    between = panel.quarters[old.start + 1 :]
    stops = [b for b in breaks if b.period in between]
    possible = [b for b in find_jumps(panel, pathway) if b.period in between]
    changes = []
    for place, area in enumerate(panel.areas):
        effort = float(panel.effort[place, old].sum()), float(panel.effort[place, new].sum())
        pair = float(counts[place, old].sum()), float(counts[place, new].sum())
        here = [[b for b in some if b.concerns(panel.countries[place])] for some in (stops, possible)]
        changes.append(_compare_area(area, pair, effort, sum_rules, *here))
    return tuple(changes)


def _sum_rules(rules: Rules, counts: int) -> Rules:
    """Return the rules of a sum of published counts."""
    return replace(rules, noise_variance=counts * rules.noise_variance, size=counts * rules.size)


def _compare_area(
    area: str,
    pair: tuple[float, float],
    effort: tuple[float, float],
    rules: Rules,
    stops: list[Break],
    possible: list[Break],
) -> Change:
    """Compare one area; check breaks, jumps and effort before a rise or a fall."""
    if stops or not np.isfinite(pair).all():
        note = stops[-1].note if stops else ""
        return _not_compared(area, pair, _effort_ratio(effort), note)
    change = compare_counts(*pair, effort, rules)
    verdict: Verdict = "possible break" if change.verdict == "rise" and possible else change.verdict
    return replace(change, verdict=verdict, area=area)


def _not_compared(area: str, pair: tuple[float, float], effort_ratio: float, note: str) -> Change:
    nan = float("nan")
    unknown = (nan, nan)
    return Change(*pair, nan, unknown, unknown, unknown, "not compared", effort_ratio, False, note, area)


def _select_counts(panel: Panel, pathway: str | None) -> Floats:
    """Return the counts of one pathway, or of all, (A, T)."""
    if pathway is None:
        return np.asarray(panel.counts.sum(axis=2))
    if pathway not in panel.pathways:
        raise InputError(f"The panel has no pathway {pathway!r}; it has {list(panel.pathways)!r}.")
    return np.asarray(panel.counts[:, :, panel.pathways.index(pathway)])


def find_jumps(panel: Panel, pathway: str | None = None) -> tuple[Jump, ...]:
    """Find the quarters in which counts jumped in a whole country, for each country.

    A jump: the sum rose more than chance allows (conditional binomial test), and so did the number of areas
    whose count rose (sign test), both at a level of 1 % over all quarters.
    """
    counts = _select_counts(panel, pathway)
    level = _EVERYWHERE / max(len(panel.quarters) - 1, 1)
    jumps = []
    for code in dict.fromkeys(panel.countries):
        inside = np.array([country == code for country in panel.countries])
        for quarter in range(1, len(panel.quarters)):
            before, after = counts[inside, quarter - 1], counts[inside, quarter]
            rose, fell = int((after > before).sum()), int((after < before).sum())
            sums = round(float(np.nansum(before))), round(float(np.nansum(after)))
            if _is_jump(*sums, level) and _is_jump(fell, rose, level):
                jumps.append(Jump(panel.quarters[quarter], "", code, rose, fell, *sums))
    return tuple(jumps)


def _is_jump(before: int, after: int, level: float) -> bool:
    if before + after == 0:
        return False
    return bool(binomtest(after, before + after, 0.5, alternative="greater").pvalue <= level)


@dataclass(frozen=True)
class Shift:
    """A share before and after: posterior means, the 95 % interval of the difference, and P(it rose)."""

    before: float
    after: float
    interval: Interval
    probability: float
    verdict: ShareVerdict


def compare_shares(
    before: tuple[float, float] | Floats,
    after: tuple[float, float] | Floats,
    *,
    rules: Rules | None = None,
    draws: int = 20_000,
    seed: int = 0,
) -> Shift:
    """Test whether a share, such as that of internal trafficking, has changed, docs/risk-model.md eq. (51).

    before, after : the share in two periods. Either (count, count of all): the share then has a beta posterior with
        Jeffreys' prior. Or draws of the share from a model, (n,), at least 100, in pairs.
    rules : looks, noise and overdispersion, as for counts. The verdict is "rose" if the probability of a rise exceeds
        1 − 0.025 / looks, and "fell" likewise.
    draws, seed : number and seed of draws from the beta posterior.

    Raises InputError if a count exceeds the count of all, or the draws are not shares.
    """
    rules, rng = rules or Rules(), stream(seed, "shift")
    first, second = (_draw_shares(value, rules, draws, rng) for value in (before, after))
    difference = second - first
    low, high = np.quantile(difference, [(1.0 - _LEVEL) / 2.0, (1.0 + _LEVEL) / 2.0])
    rose = float(np.mean(difference > 0))
    sure = 1.0 - (1.0 - _LEVEL) / 2.0 / rules.looks
    verdict: ShareVerdict = "rose" if rose > sure else "fell" if 1.0 - rose > sure else "unclear"
    return Shift(float(first.mean()), float(second.mean()), (float(low), float(high)), rose, verdict)


def _draw_shares(value: tuple[float, float] | Floats, rules: Rules, draws: int, rng: np.random.Generator) -> Floats:
    """Draw a share from its counts, or return the given draws."""
    if not isinstance(value, tuple):
        if len(value) < 100 or not ((value >= 0) & (value <= 1)).all():
            raise InputError("Draws of a share are at least 100 numbers from 0 to 1.")
        return np.asarray(value, float)
    part, whole = value
    if not 0 <= part <= whole:
        raise InputError(f"A share is of a count from 0 to that of all; {part:g} of {whole:g} is none.")
    # A logit's variance grows by noise and overdispersion as the log ratio of two counts does.
    alone, all_of_it = _log_variance(part + 0.5, whole - part + 0.5, rules)
    weight = alone / all_of_it
    return rng.beta(weight * part + 0.5, weight * (whole - part) + 0.5, draws)
