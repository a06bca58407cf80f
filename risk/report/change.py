"""Whether the rate of an area, or of a country, changed over a year: draws of the model, with the effort of both years.

A change is tested again each quarter. Statements of a rise or a fall allow for these repeated tests (Bonferroni, as for
counts in risk/report/trends.py), and are made only where very likely: a release tests dozens of areas. All other
statements raise no alarm and need no allowance: docs/risk-model.md eq. (48), (82).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Bools, Floats
from risk.model.observations import Observations
from risk.model.statements import VERY_LIKELY, Claim, Statements, choose_statements
from risk.model.tipping import find_tipping

ALIKE = 1.25  # a year's rate within this factor of the year before is about the same
EFFORT_RATIO = 1.5  # from which on a change comes with a warning
_ALONE = 1.5  # standard deviations by which each way of finding alone shows a change that comes without a warning
_ENDS = (0.025, 0.5, 0.975)
_TINY = 1e-9
CHANGE_CLAIMS = (
    Claim("rising", ALIKE, np.inf, VERY_LIKELY),
    Claim("falling", 0.0, 1 / ALIKE, VERY_LIKELY),
    Claim("same", 1 / ALIKE, ALIKE),
    Claim("more", 1.0, np.inf, VERY_LIKELY),
    Claim("less", 0.0, 1.0, VERY_LIKELY),
    Claim("not_falling", 1 / ALIKE, np.inf, VERY_LIKELY),
    Claim("not_rising", 0.0, ALIKE, VERY_LIKELY),
)
_UP, _DOWN = ("rising", "more"), ("falling", "less")


@dataclass(frozen=True, eq=False)
class Changes:
    """The rate of the year up to each quarter, divided by that of the year before: eq. (48).

    A look is a quarter at whose end two years are known. ratio : 2.5 %, median and 97.5 %, (3, areas, looks, pathways).
    statements : the statements about CHANGE_CLAIMS, (areas, looks, pathways). effort_ratio : the same ratio of outreach
    days, (areas, looks), infinite if there were none in the year before, and NaN if there were none in both years.
    ways : the change that each way of finding shows alone, `compare_ways`; without ways there are none.
    tipping : how many times as many children a day teams would have to find as the year before for the statement to
    lapse, (areas, looks, pathways).
    """

    ratio: Floats
    statements: Statements
    effort_ratio: Floats
    ways: Floats
    tipping: Floats

    @property
    def effort_warning(self) -> Bools:
        """Whether effort may explain the statement, (areas, looks, pathways).

        This is so where the rate and effort both rose, or both fell, and effort changed by more than a factor of
        EFFORT_RATIO. If only the year before had no outreach, a rise always comes with the warning.
        """
        more = (self.effort_ratio > EFFORT_RATIO)[:, :, None]
        less = (self.effort_ratio < 1.0 / EFFORT_RATIO)[:, :, None]
        return np.asarray((self.statements.says(*_UP) & more) | (self.statements.says(*_DOWN) & less))

    @property
    def ways_warning(self) -> Bools:
        """Whether reports alone, or outreach alone, show the change, (areas, looks, pathways): eq. (153).

        Then a partner that began or stopped, or another way of recording, may explain it.
        """
        up, down = self.ways < _ALONE, self.ways > -_ALONE
        says = self.statements.says
        return np.asarray((says(*_UP) & up.any(axis=-1)) | (says(*_DOWN) & down.any(axis=-1)))


def find_changes(
    log_rate: Floats, effort: Floats, before_breaks: Bools, year: int = 4, ways: Floats | None = None
) -> Changes:
    """Compare each year of `year` quarters with the year before.

    log_rate : draws, (d, areas, quarters, pathways). effort : days of outreach, (areas, quarters). before_breaks :
    whether a quarter is before each series break, (breaks, areas, quarters). Two years with a break between their
    quarters have no statement.
    """
    sums = np.cumsum(np.exp(log_rate), axis=2)
    later = _sum_spans(sums, year)
    ratio = later[:, :, year:] / later[:, :, :-year]
    days = _sum_spans(np.cumsum(effort, axis=1)[None], year)[0]
    before, after = days[:, :-year], days[:, year:]
    began = np.where(after > 0, np.inf, np.nan)
    with np.errstate(over="ignore"):  # next to nothing before
        more = np.divide(after, before, out=began, where=before > 0)
    crossed = _lie_inside(before_breaks, year)
    ways = np.zeros((*ratio.shape[1:], 0)) if ways is None else ways
    statements = _judge_changes(np.log(ratio), crossed)
    tipping = find_tipping(statements, np.log(ratio), *statements.bounds, ratio.shape[2])
    return Changes(np.quantile(ratio, _ENDS, axis=0), statements, more, ways, tipping)


def compare_ways(
    observations: Observations, gamma: float, kappa: float, *, countries: bool = False, year: int = 4
) -> Floats:
    """Return the change of each year that each way of finding shows alone, in standard deviations: eq. (153).

    The shape is (areas, looks, pathways, ways), or that of whole countries. Discovered children are compared with the
    outreach days of both years, to the power of gamma. If a partner with a good share of the records began or stopped
    within the two years, neither way shows a change: all are 0.
    """
    usable = observations.usable
    outreach = np.exp(observations.log_outreach(np.array([gamma])))[0]
    factor = np.where(np.array(observations.ways) == "reported", 1.0, outreach[:, :, None])  # (A, T, W)
    reach = usable * (observations.expected[:, :, None] * factor)[:, :, None]
    counts = np.where(usable, observations.published, 0).astype(float)
    mean = reach * counts.sum(axis=1, keepdims=True) / np.maximum(reach.sum(axis=1, keepdims=True), _TINY)
    sums = np.stack([counts, mean, mean + (kappa * mean) ** 2 + usable * observations.count_noise])
    before_turns = observations.mark_before(observations.turns)
    if countries:
        before_turns = np.stack([before_turns[:, inside].any(axis=1) for inside in _list_members(observations)], axis=1)
        sums = np.einsum("ca,natpw->nctpw", _list_members(observations), sums)
    years = _sum_spans(np.cumsum(sums, axis=2), year)
    (count, usual, spread), (next_count, next_usual, next_spread) = years[:, :, :-year], years[:, :, year:]
    share = next_usual / np.maximum(usual + next_usual, _TINY)
    variance = (1.0 - share) ** 2 * next_spread + share**2 * spread
    change = ((1.0 - share) * next_count - share * count) / np.sqrt(np.maximum(variance, _TINY))
    return np.where(_lie_inside(before_turns, year)[..., None], 0.0, change)


def _lie_inside(before: Bools, year: int) -> Bools:
    """Return whether a break lies inside two years, (areas, looks, 1), from quarters before it, (breaks, areas, T)."""
    span = 2 * year - 1  # quarters from the first to the last of both years
    return np.atleast_3d((before[:, :, :-span] & ~before[:, :, span:]).any(axis=0))


def _judge_changes(log_ratio: Floats, crossed: Bools) -> Statements:
    """Return the statement on each ratio, (d, areas, looks, pathways), with the allowance of eq. (82).

    crossed : whether a break lies inside the two years, (areas, looks, 1); then there is no statement.
    """
    looks = log_ratio.shape[2]
    chances = np.stack([claim.measure(log_ratio) for claim in CHANGE_CLAIMS])
    for i, claim in enumerate(CHANGE_CLAIMS):
        if claim.code in (*_UP, *_DOWN):
            chances[i] = 1.0 - looks * (1.0 - chances[i])
    return choose_statements(np.where(crossed, 0.0, chances), CHANGE_CLAIMS)


def pool_countries(log_rate: Floats, observations: Observations) -> tuple[Floats, Floats, Bools]:
    """Return the inputs of `find_changes` for whole countries, from draws of the areas' log rates, (d, areas, ...).

    They are log rates, (d, countries, quarters, pathways), days of outreach, (countries, quarters), and whether a
    quarter is before each break, (breaks, countries, quarters).

    All areas of a country share its random walk, so a change can be certain for the country although it is certain for
    none of its areas. A break in one area counts as a break of the country.
    """
    members = _list_members(observations)
    weights = members * observations.living
    rate = np.einsum("ca,datp->dctp", weights / weights.sum(axis=1, keepdims=True), np.exp(log_rate))
    breaks = np.stack([observations.before_breaks[:, inside].any(axis=1) for inside in members], axis=1)
    return np.log(rate), members @ observations.effort, breaks


def _list_members(observations: Observations) -> Bools:
    """Return whether an area belongs to a country, (countries, areas)."""
    return np.asarray(observations.country_of == np.arange(len(observations.country_names))[:, None])


def _sum_spans(sums: Floats, year: int) -> Floats:
    """Return the sum of every `year` consecutive quarters, from running sums along axis 2, the quarters."""
    first = sums[:, :, year - 1 : year]
    return np.concatenate([first, sums[:, :, year:] - sums[:, :, :-year]], axis=2)
