"""Burden: how many children are newly in need in an area, and its rank by this number among the areas of its country.

Resources follow numbers of children, not rates: docs/risk-model.md eq. (81). Ranks are within a country, because the
share of children who are found may differ between countries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats, Ints
from risk.model.statements import Claim, Statements, choose_statements

TOP = 5  # areas of a country with the most children newly in need
_ENDS = (0.025, 0.5, 0.975)
# Bounds are ranks; the area of rank 1 has the most children. The halves have no bounds: a country's middle rank depends
# on its number of areas.
BURDEN_CLAIMS = (
    Claim("top", 0.0, TOP),
    Claim("lower_half", 0.0, 0.0),
    Claim("upper_half", 0.0, 0.0),
    Claim("not_top", TOP, np.inf),
)


@dataclass(frozen=True, eq=False)
class Burden:
    """Children newly in need in each area, and its rank within the country; rank 1 has the most children.

    children, rank : 2.5 %, median and 97.5 %, (3, A, P). top : P(among the TOP areas of the country), (A, P).
    statements : the statements on the rank, (A, P), about BURDEN_CLAIMS.
    """

    children: Floats
    rank: Floats
    top: Floats
    statements: Statements


def judge_burden(need: Floats, country_of: Ints) -> Burden:
    """Compute the burden from draws of the children newly in need, (D, A, P), and each area's country number, (A,)."""
    rank, half = np.empty(need.shape), np.empty((need.shape[1], 1))
    for country in np.unique(country_of):
        inside = country_of == country
        rank[:, inside] = (-need[:, inside]).argsort(axis=1).argsort(axis=1) + 1.0
        half[inside] = inside.sum() / 2
    top, upper = (rank <= TOP).mean(axis=0), (rank <= half).mean(axis=0)
    ranks: Floats = np.quantile(rank, _ENDS, axis=0, method="nearest")
    statements = choose_statements(np.stack([top, 1 - upper, upper, 1 - top]), BURDEN_CLAIMS)
    return Burden(np.quantile(need, _ENDS, axis=0), ranks, top, statements)
