"""Access: how much of the supply of services reaches each area.

The two-step floating catchment area (Luo and Wang 2003), in its enhanced form with weights that fall with
travel time (Luo and Qi 2009; Gaussian weights as in Dai 2010). Step one shares the supply of each site among
the people in its catchment. Step two adds up, for each area, the supply per head that it gets:

    share_j = supply_j / sum_i people_i w_ij        access_i = sum_j share_j w_ij

The sum of people times access is the supply that reaches anybody, so no supply is added or lost. If people are
draws of children in need, access has draws, too, and each result has its uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from data.errors import InputError
from data.release import Release
from data.tables.spec import table_name
from data.workspace.types import Bools, Floats

By = Literal["", "axis", "duty_bearer", "help"]
Decay = Literal["none", "step", "gaussian"]


@dataclass(frozen=True)
class Catchment:
    """How far a service reaches: up to `minutes`, with weights that are constant, fall in steps or fall smoothly.

    none : 1 inside, 0 outside. step : `weights` in zones of equal width (Luo and Qi 2009: 1, .68, .22 in three).
    gaussian : exp(-(t / scale)^2 / 2) for t and `scale` in minutes, 0 beyond `minutes`, which may be infinite. Raises
    InputError for values that are not a catchment.
    """

    minutes: float = 60.0
    decay: Decay = "gaussian"
    scale: float = 30.0
    weights: tuple[float, ...] = (1.0, 0.68, 0.22)

    def __post_init__(self) -> None:
        falling = all(a >= b for a, b in zip(self.weights, self.weights[1:], strict=False))
        steps = bool(self.weights) and falling and min(self.weights) > 0.0 and np.isfinite(self.minutes)
        valid = {"none": True, "step": steps, "gaussian": self.scale > 0.0}
        if self.decay not in valid or not self.minutes > 0.0 or not valid[self.decay]:
            raise InputError(
                f"No catchment of {self.minutes!r} minutes with decay {self.decay!r}, scale {self.scale!r}, "
                f"weights {self.weights!r}. Decays are none, step (falling weights above 0 and an end) and "
                "gaussian (a scale above 0); minutes are above 0."
            )

    def weight(self, minutes: Floats) -> Floats:
        """Return the weight of each travel time in minutes, any shape; 0 outside the catchment."""
        within = np.asarray(minutes <= self.minutes)
        if self.decay == "none":
            return within.astype(float)
        if self.decay == "gaussian":
            return np.where(within, np.exp(-0.5 * (minutes / self.scale) ** 2), 0.0)
        each = self.minutes / len(self.weights)
        zone = np.ceil(np.where(within, minutes, 0.0) / each).astype(int) - 1
        return np.where(within, np.array(self.weights)[np.clip(zone, 0, len(self.weights) - 1)], 0.0)


def compute_reach(people: Floats, weight: Floats) -> Floats:
    """Return the share (0 to 1) of each site's supply that reaches each area, (A, S).

    people : (A,). weight : (A, S). Columns sum to 1, or to 0 where nobody is in the catchment of a site. This is step
    one without the supply. The planner uses it, because it does not depend on where the units are.
    """
    wanted = people[:, None] * weight
    total = wanted.sum(axis=0)
    shared: Floats = np.divide(wanted, total, out=np.zeros_like(wanted), where=total > 0)
    return shared


def compute_access(people: Floats, supply: Floats, weight: Floats) -> Floats:
    """Compute the supply per head that reaches each area, in both steps; NaN where nobody lives.

    people : people who share the supply, (A,) or draws (d, A); the result has their shape. supply : supply of each
    site, (S,). weight : weight of each area and site, (A, S), from `Catchment.weight`, or draws of it, (d, A, S).
    Raises InputError if shapes do not fit or a number is negative or NaN.
    """
    if people.shape[-1:] + supply.shape != weight.shape[-2:]:
        msg = f"Weights of shape {weight.shape} do not fit {people.shape[-1:]} areas and {supply.shape} sites."
        raise InputError(msg)
    if not all((v >= 0).all() for v in (people, supply, weight)):
        raise InputError("People, supply and weights must be numbers from 0; give 0 where there is nothing.")
    sharing = np.einsum("...a,...as->...s", people, weight)
    share = np.divide(supply, sharing, out=np.zeros_like(sharing), where=sharing > 0)
    return np.where(people > 0, np.einsum("...s,...as->...a", share, weight), np.nan)


def find_nearest(minutes: Floats, supply: Floats) -> Floats:
    """Return the minutes from each area to the nearest site with any supply, (A,); inf if there is none.

    `minutes` (A, S), `supply` (S,).
    """
    there = np.where(supply > 0, minutes, np.inf)
    return np.asarray(there.min(axis=1, initial=np.inf))


@dataclass(frozen=True, eq=False)
class Supply:
    """The services of each area in one quarter of a release: all, or those of an axis, a duty bearer or a kind of help.

    amount : number of services, staff or places, (A,): the lower end of a class, and 0 if no number is shown.
    at_least : whether a part may be left out, so that the amount is a lower limit, (A,). Services for protection,
    return and reintegration are shown only where enough operators work.
    """

    areas: tuple[str, ...]
    amount: Floats
    at_least: Bools
    period: str

    @classmethod
    def from_release(
        cls,
        release: Release,
        areas: tuple[str, ...],
        *,
        what: Literal["services", "staff", "capacity"] = "capacity",
        level: str = "region",
        by: By = "",
        category: str = "",
        period: str = "",
    ) -> Supply:
        """Read the supply, by default the places of all services in the last quarter.

        Raises ReleaseError if there is no such table, and InputError if the table does not have the quarter, or has no
        quarter with this category.
        """
        split = (by,) if by else ()
        table = release.table(table_name(what, level, "quarter", *split))
        if by:
            table = table[table[by] == category]
        periods = sorted(table["period"].unique())
        quarter = period or (periods[-1] if periods else "")
        if quarter not in periods:
            raise InputError(
                f"Release {release.name!r} has no {what} of {category or 'all services'!r} in {quarter!r}. "
                f"There are the quarters {', '.join(periods) or 'none'}."
            )
        rows = table[table["period"] == quarter].set_index("area").reindex(list(areas))
        number = rows["value"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        state = rows["state"].fillna("no_data").to_numpy(dtype=object)
        low = rows["low"] if "low" in rows else pd.Series(np.nan, index=rows.index)
        ends = low.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        amount = np.where(state == "class", ends, np.where(state == "number", number, 0.0))
        return cls(areas, np.nan_to_num(amount), np.isin(state, ("class", "withheld", "no_data")), quarter)
