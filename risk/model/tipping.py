"""Tipping points: how much better or worse teams in an area would have to find children for a statement on it to lapse.

Counts cannot tell whether an area has more children in need, or teams who find more of them. So beside each statement
stands one number: the factor, nearest to 1, between detection in the area and elsewhere at which it is no longer said.
With detection known, the statement rests on what was found alone: docs/risk-model.md eq. (135).
"""

from __future__ import annotations

import numpy as np

from data.workspace.types import Floats, Ints
from risk.model.burden import TOP
from risk.model.statements import NONE, Statements

_STEPS = np.arange(-300, 301) / 100  # logs of the factors that are tried
_NEAREST = np.argsort(np.abs(_STEPS), kind="stable")


def find_rate_tipping(statements: Statements, log_need: Floats, log_detection: Floats, share: Floats) -> Floats:
    """Return the tipping points of statements on rates, (A, P); NaN without a statement.

    log_need : draws of log relative need, (D, A, P). log_detection : those of log detection, (D, A). share : of the
    country's children who live in each area, from 0 to 1, (A,). A country's rate moves with that of the area, so areas
    are compared with the rest of their country.
    """
    weight = np.broadcast_to(np.minimum(share, 1.0 - 1e-9)[:, None], log_need.shape[1:])
    low, high = (_compare_with_rest(bound, weight) for bound in statements.bounds)
    rest = (1.0 - weight * np.exp(log_need)).clip(1e-9) / (1.0 - weight)
    return find_tipping(statements, log_need - np.log(rest) + log_detection[:, :, None], low, high)


def find_rank_tipping(statements: Statements, need: Floats, country_of: Ints, log_detection: Floats) -> Floats:
    """Return the tipping points of statements on burden, (A, P); NaN without a statement.

    need : draws of the children in each area, (D, A, P). country_of : each area's country number, (A,). An area has one
    of the first ranks if it has more children than the other that would have the last of them.
    """
    half = (np.bincount(country_of) // 2)[country_of][:, None]
    places = np.where(statements.says("top", "not_top"), TOP, half)
    more = statements.says("top", "upper_half")
    low, high = np.where(more, 1.0, 0.0), np.where(more, np.nan, 1.0)
    ratios = _compare_with_other(need, country_of, places) + log_detection[:, :, None]
    return find_tipping(statements, ratios, low, high)


def find_tipping(statements: Statements, log_ratio: Floats, low: Floats, high: Floats, looks: int = 1) -> Floats:
    """Return the factor, nearest to 1, by which the ratios must be divided for a statement to lapse: eq. (135).

    log_ratio : draws, (D, ...). low, high : the bounds of each statement, NaN for no upper bound, in the shape of one
    draw, as is the result. It is NaN without a statement, or if no factor up to 20 is enough. looks : of which the
    statements of `falling`, `less`, `rising` and `more` have an allowance, eq. (82).
    """
    allowed = statements.says("rising", "falling", "more", "less")
    least = np.array([*(claim.least for claim in statements.claims), 1.0])[statements.position]
    least = np.where(allowed, 1.0 - (1.0 - least) / looks, least)
    tipping: Floats = np.full(least.shape, np.nan)
    with np.errstate(divide="ignore"):
        low, high = np.log(low), np.log(np.where(np.isnan(high), np.inf, high))
    for cell in zip(*np.nonzero(statements.position != NONE), strict=True):
        draws = np.sort(log_ratio[(slice(None), *cell)])
        below = (np.searchsorted(draws, end[cell] + _STEPS, side="right") for end in (high, low))
        lapsed = (next(below) - next(below)) < least[cell] * len(draws)
        if lapsed.any():
            tipping[cell] = np.exp(_STEPS[_NEAREST[lapsed[_NEAREST].argmax()]])
    return tipping


def _compare_with_other(need: Floats, country_of: Ints, places: Ints) -> Floats:
    """Return the log of each area's children, divided by those of another area of its country, (D, A, P).

    need : draws of the children in each area, (D, A, P). places : for each area and pathway, the rank that is in
    question, (A, P): the other area has this rank if the area itself is left out.
    """
    ratios = np.empty_like(need)
    for country in np.unique(country_of):
        inside = np.flatnonzero(country_of == country)
        ordered = -np.sort(-need[:, inside], axis=1)
        rank = (-need[:, inside]).argsort(axis=1).argsort(axis=1)
        wanted = places[inside] - 1 + (rank < places[inside])
        other = np.take_along_axis(ordered, np.minimum(wanted, len(inside) - 1), axis=1)
        ratios[:, inside] = np.log(need[:, inside]) - np.where(wanted < len(inside), np.log(other), -np.inf)
    return ratios


def _compare_with_rest(bound: Floats, weight: Floats) -> Floats:
    """Return the ratio to the rest of the country at which the ratio to the whole country is `bound`."""
    rest = 1.0 - bound * weight
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(rest <= 0, np.inf, bound * (1.0 - weight) / np.where(rest <= 0, 1.0, rest)))
