"""What a plan is made of: posts, rules, aims, decisions; checked, so that the solver need not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.errors import InputError
from data.workspace.types import Bools, Floats, Ints


@dataclass(frozen=True)
class Kind:
    """A kind of unit: an outreach team, a day centre.

    children : whom one unit can serve in a quarter. search : whether it looks for children (patrols,
    outreach); a search is never raised because of a community, so it does not count for their floor.
    """

    name: str
    children: float
    search: bool = False


@dataclass(frozen=True, eq=False)
class Posts:
    """Today's posts: A areas, S sites, K kinds of unit.

    units : whole units of each kind at each site, (S, K).
    reach : share of a site's capacity that reaches each area, (A, S), columns sum to 1 at most; see
        risk.access.reach.
    cost : of moving a unit from site to site, (S, S), in any one currency; inf where it cannot be done.
    room : the most units that a site can hold, (S,).
    committed : units that may not move, (S, K).
    Raises InputError where shapes or numbers do not belong together.
    """

    areas: tuple[str, ...]
    sites: tuple[str, ...]
    kinds: tuple[Kind, ...]
    units: Ints
    reach: Floats
    cost: Floats
    room: Ints
    committed: Ints

    def __post_init__(self) -> None:
        """Check shapes and numbers."""
        areas, sites, kinds = len(self.areas), len(self.sites), len(self.kinds)
        shapes = {"units": (sites, kinds), "reach": (areas, sites), "cost": (sites, sites),
                  "room": (sites,), "committed": (sites, kinds)}  # fmt: skip
        for name, wanted in shapes.items():
            _check_shape(name, getattr(self, name), wanted)
            _check(name, getattr(self, name), at_least=0.0)
        if (self.reach.sum(axis=0) > 1.0 + 1e-9).any():
            msg = "A site's shares in reach add up to more than 1; use risk.access.reach."
            raise InputError(msg)
        for wrong, what in (
            ((self.committed > self.units).any(axis=1), "has more committed units than units"),
            (self.units.sum(axis=1) > self.room, "has more units than its largest number of units"),
        ):
            if wrong.any():
                msg = f"Site {self.sites[int(np.argmax(wrong))]!r} {what}. Correct the table of posts."
                raise InputError(msg)

    def capacity(self, units: Floats | Ints) -> Floats:
        """Give the children that can be served in each area, by kind, of units (S, K); (A, K)."""
        offered: Floats = self.reach @ (units * np.array([kind.children for kind in self.kinds]))
        return offered

    @property
    def searching(self) -> Bools:
        """Which kinds search, (K,)."""
        return np.array([kind.search for kind in self.kinds], dtype=bool)


@dataclass(frozen=True, eq=False)
class Rules:
    """What a plan must keep. None: no such rule.

    moves : the most units that move. budget : the most that moves may cost together.
    floor : capacity of all kinds that must reach each area, (A,), children a quarter.
    services_floor : capacity of services, never of search, that must reach each area in `communities`, (A,),
        where Roma and Egyptian communities live. They raise nothing else.
    under_searched : areas where too little was looked, (A,); `exploration` is the share of what searches
        that must serve those of them which are drawn, see risk/planning/exploration.py.
    Raises InputError for a number that is none.
    """

    moves: int | None = None
    budget: float | None = None
    floor: Floats | None = None
    communities: Bools | None = None
    services_floor: float = 0.0
    under_searched: Bools | None = None
    exploration: float = 0.1

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name, least in (("moves", self.moves), ("budget", self.budget), ("floor", self.floor),
                            ("services_floor", self.services_floor)):  # fmt: skip
            if least is not None:
                _check(name, np.asarray(least, dtype=float), at_least=0.0)
        if not 0.0 <= self.exploration <= 1.0:
            msg = f"No exploration share of {self.exploration!r}. Give a share from 0 to 1."
            raise InputError(msg)

    def check_for(self, posts: Posts) -> None:
        """Check that they are about the areas of the posts; raise InputError where not."""
        for name in ("floor", "communities", "under_searched"):
            if (value := getattr(self, name)) is not None:
                _check_shape(name, value, (len(posts.areas),))


@dataclass(frozen=True)
class Aims:
    """Three sliders from 0 to 1.

    equity ("how much the worst-off areas count") : 0, every child counts the same; 1, only the share of need
        that is met in the fifth of the need that is served worst.
    cost ("how dear a move may be") : 0, cost counts only through the budget; 1, a move of usual cost must
        bring what an average unit brings today.
    robustness ("how much the bad cases count") : 0, the average over all that may be true; 1, only the mean
        of the worst tenth of cases (conditional value at risk, Rockafellar and Uryasev 2000).
    """

    equity: float = 0.0
    cost: float = 0.0
    robustness: float = 0.0

    def __post_init__(self) -> None:
        """Check the sliders."""
        for name in ("equity", "cost", "robustness"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                msg = f"{name} = {getattr(self, name)!r} is no place of a slider. Give a number from 0 to 1."
                raise InputError(msg)


@dataclass(frozen=True)
class Decision:
    """What a person decided.

    accept : at least so many units of the kind go from start to end. decline : none do. lock : no unit of the
    kind leaves start, wherever to (`end` is not looked at, and `units` neither); others may come.
    """

    start: str
    end: str
    kind: str
    decided: Literal["accept", "decline", "lock"]
    units: int = 1
    reason: str = ""


@dataclass(frozen=True)
class Solver:
    """How hard to look: seconds for all solving together, relative gap, pieces of each benefit curve."""

    seconds: float = 60.0
    gap: float = 1e-3
    pieces: int = 16
    seed: int = 0


def _check_shape(name: str, value: Floats | Ints | Bools, wanted: tuple[int, ...]) -> None:
    if value.shape != wanted:
        msg = f"{name} has shape {value.shape}; the areas, sites and kinds ask for {wanted}."
        raise InputError(msg)


def _check(name: str, value: Floats | Ints, at_least: float) -> None:
    if not (value >= at_least).all():
        msg = f"{name} holds a number below {at_least:g}, or none. Give numbers from {at_least:g}."
        raise InputError(msg)
