"""Statements on areas and their certainty: the rule that turns draws into a statement.

A claim says that a value lies in an interval. The value is a ratio (of a rate to the country's rate, of a year to the
year before) or a rank. Claims have a fixed order, the most informative first. The statement on an area is the first
claim whose probability reaches the claim's own minimum; the first claim that is very likely is stored with it:
docs/risk-model.md eq. (79) to (81). Claims and certainties have codes, which dashboard/narrative turns into words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from data.workspace.types import Bools, Floats, Ints

VERY_LIKELY, LIKELY = 0.9, 0.66
# Codes of words for a probability, with the lowest probability of each. The last two say that a claim is unlikely.
CERTAINTIES = {
    "very_likely": VERY_LIKELY,
    "likely": LIKELY,
    "as_likely_as_not": 1 - LIKELY,
    "likely_not": 1 - VERY_LIKELY,
    "very_likely_not": 0.0,
}
AS_REGION = "as_region"  # the code in place of a certainty where a municipality only repeats its region
NONE = -1
# The values of a table's columns in rows without a statement; numbers are empty there.
_UNSAID = {
    "state": "cannot_tell",
    "statement": "",
    "surely": "",
    "certainty": "cannot_tell",
    "reports_alone": False,
    "region_only": False,
    "effort_warning": False,
    "ways_warning": False,
}


@dataclass(frozen=True)
class Claim:
    """A possible statement: a ratio or rank is above `low` and at most `high`.

    least : the lowest probability at which the claim becomes the statement on an area.
    """

    code: str
    low: float
    high: float
    least: float = LIKELY

    def measure(self, log_ratio: Floats) -> Floats:
        """Return the share (0 to 1) of draws of a log ratio, (D, ...), in which the claim holds; shape of one draw."""
        with np.errstate(divide="ignore"):
            low, high = np.log(self.low), np.log(self.high)
        chance: Floats = ((log_ratio > low) & (log_ratio <= high)).mean(axis=0)
        return chance


_ENDLESS = float("inf")
# Multiples of the country's rate. Each is at least 1.5 times the one before, and 2/3 is 1 / 1.5.
CUTS = (2 / 3, 1.5, 2.25)
# "Not high" and "not low" hold for most areas, so they are stated only where they are very likely.
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

    claims : the possible claims. chances : their probabilities, (claims, ...). position : of the statement in `claims`,
    or NONE. probability : of the statement, 0 without one. sure : position of the first claim that is very likely, or
    NONE. sure_probability : of that claim.
    """

    claims: tuple[Claim, ...]
    chances: Floats
    position: Ints
    probability: Floats
    sure: Ints
    sure_probability: Floats

    def says(self, *codes: str) -> Bools:
        """Return a mask, in the shape of one draw: whether the statement has one of these codes."""
        return np.isin(self.position, [i for i, claim in enumerate(self.claims) if claim.code in codes])

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """The lower and upper end of each statement; NaN where there is no statement or no upper end."""
        ends = np.array([*((claim.low, claim.high) for claim in self.claims), (np.nan, np.nan)])[self.position]
        return ends[..., 0], np.where(np.isinf(ends[..., 1]), np.nan, ends[..., 1])

    @property
    def codes(self) -> np.ndarray:
        """The code of each statement, empty where there is none."""
        return np.array([*(claim.code for claim in self.claims), ""], dtype=object)[self.position]

    def compare(self, other: Statements) -> tuple[Floats, Bools]:
        """Return the probability of each statement by the `other` draws, and whether that is enough: eq. (140).

        Both have the shape of one draw. The probability is NaN, and nothing stands, where there is no statement.
        """
        chance = np.take_along_axis(other.chances, np.maximum(self.position, 0)[None], axis=0)[0]
        least = np.array([claim.least for claim in self.claims])[self.position]
        exists = self.position != NONE
        return np.where(exists, chance, np.nan), exists & (chance >= least)

    def as_columns(self) -> dict[str, Any]:
        """Return columns of a table by name: state, bounds, certainty, and codes and probabilities of both claims.

        Probabilities are from 0 to 1. Arrays have the shape of one draw.
        """
        low, high = self.bounds
        return {
            "state": np.where(self.position == NONE, "cannot_tell", "class"),
            "low": low,
            "high": high,
            "statement": self.codes,
            "certainty": np.where(self.position == NONE, "cannot_tell", name_certainty(self.probability)),
            "probability": self.probability,
            "surely": replace(self, position=self.sure).codes,
            "sure_probability": self.sure_probability,
        }


def name_certainty(probability: Floats) -> np.ndarray:
    """Return the code in CERTAINTIES for each probability (0 to 1), any shape."""
    return np.select([probability >= least for least in CERTAINTIES.values()], list(CERTAINTIES), "very_likely_not")


def say_nothing_of(places: Collection[str], rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table with no numbers and no statements in the rows whose column `area` is one of these places.

    The state of these rows becomes "cannot_tell"; the state "withheld" stays.
    """
    unsaid = rows["area"].isin(list(places))
    if not unsaid.any():
        return rows
    changed = {str(name): rows[name].mask(unsaid) for name in rows.select_dtypes("number")}
    changed |= {name: rows[name].mask(unsaid, word) for name, word in _UNSAID.items() if name in rows}
    changed["state"] = changed["state"].mask(rows["state"] == "withheld", "withheld")
    return rows.assign(**changed)


def choose_statements(chances: Floats, claims: Sequence[Claim]) -> Statements:
    """Return the statement on each area from the probabilities of the claims, (claims, ...), 0 to 1: eq. (80)."""
    least = np.reshape([claim.least for claim in claims], (-1, *(1,) * (chances.ndim - 1)))
    first, sure = (_find_first(chances, chances >= minimum) for minimum in (least, VERY_LIKELY))
    return Statements(tuple(claims), chances, *first, *sure)


def judge_ratio(log_ratio: Floats, claims: Sequence[Claim] = RATE_CLAIMS) -> Statements:
    """Return the statement on each ratio from draws of its log, (D, ...)."""
    return choose_statements(np.stack([claim.measure(log_ratio) for claim in claims]), claims)


def _find_first(chances: Floats, holds: Bools) -> tuple[Ints, Floats]:
    """Return the position of the first claim that holds, or NONE, and its probability, or 0.

    chances, holds : probability of each claim, and whether it is high enough, (claims, ...).
    """
    position = np.where(holds.any(axis=0), holds.argmax(axis=0), NONE)
    probability = np.take_along_axis(chances, np.maximum(position, 0)[None], axis=0)[0]
    return position, np.where(position == NONE, 0.0, probability)
