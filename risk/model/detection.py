"""From children found to children in need: the detection range, statements and probabilities of exceedance.

It is unknown which share of the children in need is found. A common share never changes a ranking; differences between
areas do, and no count shows them: risk/model/spread.py draws what they may be. Every statement averages over draws of
the risk, of these differences and of the common share, from 0.11 to 0.25: docs/risk-model.md eq. (38) to (42). In a
relative risk the common share cancels; in a number of children it does not. If the release has an interval of the
number of children in a country, the range of the country's common share follows from it, eq. (126).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from data.errors import InputError
from data.workspace.types import Bools, Floats
from risk.model.draws import Draws
from risk.model.expected import compute_finding_factor
from risk.model.observations import Observations
from risk.model.statements import CUTS, RATE_CLAIMS, Claim, Statements, judge_ratio

_YEAR = 4  # quarters
_AT_WORK = 1 / 3  # of the most outreach days so far; with fewer, as in a lockdown, the programme is not at work


@dataclass(frozen=True)
class DetectionRange:
    """The share of the children in need who are found: from `low` to `high`, as shares of 1.

    Raises InputError if `low` or `high` is not above 0 and at most 1, or if `low` is above `high`.
    """

    low: float = 0.11
    high: float = 0.25

    def __post_init__(self) -> None:
        if not 0.0 < self.low <= self.high <= 1.0:
            raise InputError(f"No detection range from {self.low!r} to {self.high!r}: give shares above 0, 1 at most.")

    def common(self, size: int) -> Floats:
        """Return the log of the common share for each of D = `size` draws, spread evenly over the range; eq. (38)."""
        return np.asarray(np.linspace(np.log(self.low), np.log(self.high), size))

    def need(self, draws: Draws, observations: Observations, seed: int) -> Floats:
        """Draw the children newly in need in each quarter, eq. (41), (D, A, T, P).

        The common share is the share of all children in need who were found with the actual effort, over the quarters
        in which the programme was at work. The share of a single area, or of a quarter, differs: with less outreach or
        reporting, fewer were found. Each country whose share follows from an interval is scaled separately, eq. (126),
        and all other countries together.
        """
        size = len(draws.log_rate)
        rate = np.exp(draws.log_rate) * observations.expected[:, :, None]
        relative_need = np.exp(draws.log_need_rate) * observations.expected[:, :, None]
        factor = compute_finding_factor(observations, draws.gamma, draws.gap)
        finds = rate.sum(axis=3) * factor + observations.unexplained.sum(axis=(2, 3))
        wanted = relative_need.sum(axis=3)
        need: Floats = np.empty_like(relative_need)
        for inside, times, log_share in self._list_shares(size, observations, seed):
            cells = inside[:, None] & times
            level = finds[:, cells].sum(axis=1) / wanted[:, cells].sum(axis=1) / np.exp(log_share)
            need[:, inside] = relative_need[:, inside] * level[:, None, None, None]
        return need

    def _list_shares(self, size: int, observations: Observations, seed: int) -> Iterator[tuple[Bools, Bools, Floats]]:
        """Yield groups of areas with one common share, (A,), its quarters, (T,), and its log for each draw, (D,)."""
        countries = np.array(observations.countries)
        assumed = ~np.isin(countries, list(observations.share_found))
        if assumed.any():
            days = observations.effort[assumed].sum(axis=0)
            yield assumed, days >= _AT_WORK * np.maximum.accumulate(days), self.common(size)
        for number, country in enumerate(sorted(set(countries[~assumed]))):
            low, high = observations.share_found[country]
            # In another order for each country: a low share in one country does not imply a low share in another.
            order = np.random.default_rng([seed, 4, number]).permutation(size)
            log_share = replace(self, low=low, high=high).common(size)[order]
            yield countries == country, np.ones(len(observations.quarters), bool), log_share


def draw_yearly_need(
    draws: Draws, observations: Observations, seed: int, common: DetectionRange | None = None
) -> Floats:
    """Draw the children newly in need per quarter, on average over the last year, eq. (41), (D, A, P).

    common : the range of the common share, if it is not the usual one.
    """
    need = (common or DetectionRange()).need(draws, observations, seed)
    mean: Floats = need[:, :, -_YEAR:].mean(axis=2)
    return mean


@dataclass(frozen=True, eq=False)
class Judgement:
    """The judgement on the rate of each area and pathway, (A, P), relative to its country.

    exceeding : P(relative risk > 1.5).
    not_searched : areas without any recorded outreach, so that the judgement rests on reports alone, (A,).
    """

    statements: Statements
    exceeding: Floats
    not_searched: Bools


def judge_need(need: Floats, observations: Observations, claims: Sequence[Claim] = RATE_CLAIMS) -> Judgement:
    """Compute the judgement from draws of log relative need, (D, A, P)."""
    not_searched = np.asarray(~observations.has_outreach.any(axis=1))
    return Judgement(judge_ratio(need, claims), compute_exceedance(need), not_searched)


def compute_exceedance(log_risk: Floats) -> Floats:
    """Return P(relative risk > 1.5), eq. (42), from draws of its log, (D, ...), in the shape of one draw."""
    chance: Floats = (log_risk > np.log(CUTS[1])).mean(axis=0)
    return chance
