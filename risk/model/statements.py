"""Statements on areas and their certainty: the rule that turns draws into a statement.

A claim is an interval of a ratio (a rate to the country's rate, a year to the year before) or of a rank. Claims have a
fixed order, the most informative first. The statement on an area is the first claim that is at least likely; the first
claim that is very likely is stored with it: docs/risk-model.md eq. (79) to (81). Names are codes, which
dashboard/narrative turns into words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from data.workspace.types import Bools, Floats, Ints

VERY_LIKELY, LIKELY = 0.9, 0.66
# Words for a probability, with the least one of each. The lower half are the words of the contrary.
CERTAINTIES = {
    "very_likely": VERY_LIKELY,
    "likely": LIKELY,
    "as_likely_as_not": 1 - LIKELY,
    "likely_not": 1 - VERY_LIKELY,
    "very_likely_not": 0.0,
}
NONE = -1
# What the columns of a table hold where nothing is said; numbers are empty there.
_UNSAID = {
    "state": "cannot_tell",
    "statement": "",
    "surely": "",
    "certainty": "cannot_tell",
    "reports_alone": False,
    "region_only": False,
    "effort_warning": False,
}


@dataclass(frozen=True)
class Claim:
    """A statement that can be made: a ratio lies between `low` and `high`, with a probability of at least `least`."""

    code: str
    low: float
    high: float
    least: float = LIKELY

    def measure(self, log_ratio: Floats) -> Floats:
        """Return the share of the draws, (D, ...), in which the claim holds, in the shape of one draw."""
        with np.errstate(divide="ignore"):
            low, high = np.log(self.low), np.log(self.high)
        chance: Floats = ((log_ratio > low) & (log_ratio <= high)).mean(axis=0)
        return chance


_ENDLESS = float("inf")
# Multiples of the country's rate. Each is at least 1.5 times the one before, and 2/3 is 1 / 1.5.
CUTS = (2 / 3, 1.5, 2.25)
# "Not high" and "not low" hold for most areas: below very likely they would say no more than that.
RATE_CLAIMS = (
    Claim("very_high", CUTS[2], _ENDLESS),
    Claim("high", CUTS[1], _ENDLESS),
    Claim("low", 0.0, CUTS[0]),
    Claim("average", CUTS[0], CUTS[1]),
    Claim("above", 1.0, _ENDLESS),
    Claim("below", 0.0, 1.0),
    Claim("not_low", CUTS[0], _ENDLESS, VERY_LIKELY),
    Claim("not_high", 0.0, CUTS[1], VERY_LIKELY),
)
# The public tier has classes alone, and one threshold, as it always had.
PUBLIC_CLAIMS = tuple(replace(claim, least=0.8) for claim in RATE_CLAIMS[:4])


@dataclass(frozen=True, eq=False)
class Statements:
    """The statements on many areas; all arrays have the shape of one draw.

    claims : the possible claims. position : of the statement in `claims`, or NONE. probability : of the statement, 0
    without one. sure : position of the first claim that is very likely, or NONE. sure_probability : of that claim.
    """

    claims: tuple[Claim, ...]
    position: Ints
    probability: Floats
    sure: Ints
    sure_probability: Floats

    def says(self, *codes: str) -> Bools:
        """Return where the statement is one of some claims."""
        return self._finds(self.position, codes)

    def says_surely(self, *codes: str) -> Bools:
        """Return where the very likely claim is one of some claims."""
        return self._finds(self.sure, codes)

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """The lower and upper end of each statement; NaN where there is no statement or no upper end."""
        ends = np.array([*((claim.low, claim.high) for claim in self.claims), (np.nan, np.nan)])[self.position]
        return ends[..., 0], np.where(np.isinf(ends[..., 1]), np.nan, ends[..., 1])

    def _finds(self, position: Ints, codes: Sequence[str]) -> Bools:
        return np.isin(position, [i for i, claim in enumerate(self.claims) if claim.code in codes])

    def as_columns(self) -> dict[str, Any]:
        """Return the statements as columns of a table: state, bounds, codes, words for certainty, probabilities."""
        low, high = self.bounds
        codes = np.array([*(claim.code for claim in self.claims), ""], dtype=object)
        return {
            "state": np.where(self.position == NONE, "cannot_tell", "class"),
            "low": low,
            "high": high,
            "statement": codes[self.position],
            "certainty": np.where(self.position == NONE, "cannot_tell", name_certainty(self.probability)),
            "probability": self.probability,
            "surely": codes[self.sure],
            "sure_probability": self.sure_probability,
        }


def name_certainty(probability: Floats) -> np.ndarray:
    """Return the code of the word for each probability, any shape."""
    return np.select([probability >= least for least in CERTAINTIES.values()], list(CERTAINTIES), "very_likely_not")


def say_nothing_of(places: Collection[str], rows: pd.DataFrame) -> pd.DataFrame:
    """Return a table without numbers and claims in the rows of some places (column `area`); "withheld" stays."""
    unsaid = rows["area"].isin(list(places))
    if not unsaid.any():
        return rows
    changed = {str(name): rows[name].mask(unsaid) for name in rows.select_dtypes("number")}
    changed |= {name: rows[name].mask(unsaid, word) for name, word in _UNSAID.items() if name in rows}
    changed["state"] = changed["state"].mask(rows["state"] == "withheld", "withheld")
    return rows.assign(**changed)


def choose_statements(chances: Floats, claims: Sequence[Claim]) -> Statements:
    """Return the statement on each area from the probabilities of the claims, (claims, ...): eq. (80)."""
    least = np.reshape([claim.least for claim in claims], (-1, *(1,) * (chances.ndim - 1)))
    return Statements(
        tuple(claims), *_find_first(chances, chances >= least), *_find_first(chances, chances >= VERY_LIKELY)
    )


def judge_ratio(log_ratio: Floats, claims: Sequence[Claim] = RATE_CLAIMS) -> Statements:
    """Return the statement on each ratio from draws of its log, (D, ...)."""
    return choose_statements(np.stack([claim.measure(log_ratio) for claim in claims]), claims)


def _find_first(chances: Floats, holds: Bools) -> tuple[Ints, Floats]:
    """Return the position of the first claim that holds, NONE without one, and its probability, 0 without one."""
    position = np.where(holds.any(axis=0), holds.argmax(axis=0), NONE)
    chosen = np.take_along_axis(chances, np.maximum(position, 0)[None], axis=0)[0]
    return position, np.where(position == NONE, 0.0, chosen)
