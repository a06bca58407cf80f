"""The problem of a plan: posts, rules, aims and decisions, checked here and not in the solver."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import sparse

from data.errors import InputError
from data.workspace.types import Bools, Floats, Ints
from geo.islands import find_region

SETTLING, MOST_SETTLING = 8, 26  # weeks for which a moved unit meets nobody: the default, and the most
YEAR, _WEEKS = 4, 13  # quarters over which moves are judged; weeks in a quarter
AWAY = 0.5  # of the days of a team, at most, that it spends outside the area where it is posted


@dataclass(frozen=True)
class Kind:
    """A kind of unit, such as an outreach team or a day centre.

    children : how many one unit can serve in a quarter. search : whether its units look for children (patrols,
    outreach). Search is never increased because of communities, so these units do not count for the minimum of services
    there.
    """

    name: str
    children: float
    search: bool = False


@dataclass(frozen=True, eq=False)
class Posts:
    """Today's posts: A areas, S sites, K kinds of unit.

    units : whole units of each kind at each site, (S, K).
    reach : share of the capacity of a unit of each kind at a site that reaches each area, (K, A, S), columns sum to 1
        at most. Teams reach the areas where they work; services have a catchment, see risk.access.compute_reach.
    cost : of moving a unit from site to site, (S, S), for example in hours; infinite where no move is possible.
    room : largest number of units at a site, (S,).
    committed : units that may not move, (S, K).
    regions : code of the county or region of each area, (A,), where the areas are municipalities; None where they are
        counties or regions.
    day_worth : what is left of the day of a team of a site that works in another area, after the way there and back,
        (A, S), docs/planner.md eq. (62); 0 where teams of the site do not go. None: all work where they are posted.
    Raises InputError where shapes or numbers do not fit together.
    """

    areas: tuple[str, ...]
    sites: tuple[str, ...]
    kinds: tuple[Kind, ...]
    units: Ints
    reach: Floats
    cost: Floats
    room: Ints
    committed: Ints
    regions: tuple[str, ...] | None = None
    day_worth: Floats | None = None

    def __post_init__(self) -> None:
        areas, sites, kinds = len(self.areas), len(self.sites), len(self.kinds)
        shapes = {"units": (sites, kinds), "reach": (kinds, areas, sites), "cost": (sites, sites),
                  "room": (sites,), "committed": (sites, kinds)}  # fmt: skip
        for name, wanted in shapes.items():
            _check_shape(name, getattr(self, name), wanted)
            _check(name, getattr(self, name), at_least=0.0)
        if (self.reach.sum(axis=1) > 1.0 + 1e-9).any():
            raise InputError("The shares of a site that go to the areas in its reach add up to more than 1.")
        for wrong, what in (
            ((self.committed > self.units).any(axis=1), "has more committed units than units"),
            (self.units.sum(axis=1) > self.room, "has more units than its largest number of units"),
        ):
            if wrong.any():
                raise InputError(f"Site {self.sites[int(np.argmax(wrong))]!r} {what}. Correct the table of posts.")

    def contains(self, area: str) -> Bools:
        """Return whether each site is an area, or lies in it, (S,)."""
        regions = self.regions or self.sites
        return np.array([area in names for names in zip(self.sites, regions, strict=True)], dtype=bool)

    @property
    def children(self) -> Floats:
        """Children that a unit of each kind can serve in a quarter, (K,)."""
        return np.array([kind.children for kind in self.kinds])

    @cached_property
    def outings(self) -> Ints:
        """The ways in which teams may work in another area: site, area and kind of each, (3, D)."""
        worth = np.zeros((len(self.areas), len(self.sites))) if self.day_worth is None else self.day_worth
        area, site = np.nonzero(worth)
        kinds = np.flatnonzero(self.searching)
        return np.stack([np.repeat(site, len(kinds)), np.repeat(area, len(kinds)), np.tile(kinds, len(site))])

    @cached_property
    def capacity_matrix(self) -> sparse.csc_array:
        """The matrix from a layout to the capacity in each area, (A K, S K + D), docs/planner.md eq. (63).

        A layout is a vector of units (S K), and of the work of teams in other areas, in units (D). Kinds vary fastest.
        """
        kinds = len(self.kinds)
        by_unit = np.zeros((len(self.areas), kinds, len(self.sites), kinds))
        for k in range(kinds):
            by_unit[:, k, :, k] = self.reach[k] * self.children[k]
        units = sparse.csc_array(by_unit.reshape(len(self.areas) * kinds, len(self.sites) * kinds))
        site, area, kind = self.outings
        gains = np.zeros(len(site)) if self.day_worth is None else self.day_worth[area, site] * self.children[kind]
        there = sparse.coo_array(
            (gains, (area * kinds + kind, np.arange(len(site)))), shape=(units.shape[0], len(site))
        )
        return sparse.csc_array(sparse.hstack([units, there - units[:, site * kinds + kind]]))

    def compute_capacity(self, units: Floats | Ints, outings: Floats | None = None) -> Floats:
        """Return the children per quarter that a layout can serve by area, (A, K), docs/planner.md eq. (16) and (63).

        units : (S, K). outings : work of teams in other areas, in units, (D,); none by default.
        """
        away = np.zeros(self.outings.shape[1]) if outings is None else outings
        offered = self.capacity_matrix @ np.append(units.ravel(), away)
        return np.asarray(offered.reshape(len(self.areas), len(self.kinds)))

    def mix_reach(self, units: Ints, outings: Floats) -> Floats:
        """Return the reach, (K, A, S), of units, (S, K), that work in other areas, too; `outings` : (D,)."""
        reach, (site, area, kind) = self.reach.copy(), self.outings
        for d in np.flatnonzero(outings):
            s, k, share = site[d], kind[d], outings[d] / units[site[d], kind[d]]
            reach[k, :, s] -= share * self.reach[k, :, s]
            reach[k, area[d], s] += share * np.asarray(self.day_worth)[area[d], s]
        return reach

    @cached_property
    def floor_areas(self) -> tuple[str, ...]:
        """The areas that have a floor: regions in the order of their codes, or the areas themselves."""
        return self.areas if self.regions is None else tuple(sorted(set(self.regions)))

    @property
    def floor_members(self) -> Floats:
        """1 where an area belongs to an area that has a floor, else 0, (floor_areas, A)."""
        floor_of = np.array(self.areas if self.regions is None else self.regions)
        return np.asarray(np.array(self.floor_areas)[:, None] == floor_of, np.float64)

    @property
    def searching(self) -> Bools:
        """Whether each kind of unit searches for children, (K,)."""
        return np.array([kind.search for kind in self.kinds], dtype=bool)


@dataclass(frozen=True, eq=False)
class Rules:
    """The rules of a plan. None: no such rule.

    moves : maximum number of moves. budget : maximum cost of all moves together. inside : mask of the sites between
        which units may move, (S,), such as those of a country.
    keep, at_most : least and largest number of units in areas, each by the code of a site or of a region. They count
        teams (units that search); all units where nobody searches.
    floor : capacity of all kinds that must reach each of `Posts.floor_areas`, children per quarter. Few municipalities
        have a unit of their own, so a floor for each of them would hold nearly every unit where it is.
    services_floor : capacity of services, never of search, that must reach each area of the mask `communities`, (A,),
        where Roma and Egyptian communities live, children per quarter. Communities change nothing else.
    under_searched : mask of areas with too little outreach, (A,). exploration : share (0 to 1) of the searching units
        whose capacity must reach the areas drawn from them, see risk/planning/exploration.py.
    settling : weeks (0 to 26) for which a moved unit meets nobody, docs/planner.md eq. (70).
    Raises InputError for a number out of range.
    """

    moves: int | None = None
    budget: float | None = None
    inside: Bools | None = None
    keep: tuple[tuple[str, int], ...] = ()
    at_most: tuple[tuple[str, int], ...] = ()
    floor: Floats | None = None
    communities: Bools | None = None
    services_floor: float = 0.0
    under_searched: Bools | None = None
    exploration: float = 0.1
    settling: int = 0

    def __post_init__(self) -> None:
        for name, least in (("moves", self.moves), ("budget", self.budget), ("floor", self.floor),
                            ("services_floor", self.services_floor)):  # fmt: skip
            if least is not None:
                _check(name, np.asarray(least, dtype=float), at_least=0.0)
        if not 0.0 <= self.exploration <= 1.0:
            raise InputError(f"exploration = {self.exploration!r} is not a share of the outreach. Give 0 to 1.")

    @property
    def settling_quarters(self) -> float:
        """How long a moved unit meets nobody, in quarters."""
        return self.settling / _WEEKS

    def check_for(self, posts: Posts) -> None:
        """Check that the rules have one value for each area, and name known areas; raise InputError if not."""
        sizes = {"inside": posts.sites, "floor": posts.floor_areas, "communities": posts.areas,
                 "under_searched": posts.areas}  # fmt: skip
        for name, areas in sizes.items():
            if (value := getattr(self, name)) is not None:
                _check_shape(name, value, (len(areas),))
        for area, _ in (*self.keep, *self.at_most):
            if not posts.contains(area).any():
                raise InputError(f"{area!r} is no area of the posts. Write the code of an area of the table of posts.")


@dataclass(frozen=True)
class Aims:
    """Three weights from 0 to 1, see docs/planner.md eq. (22); raises InputError for another number.

    equity (weight of the worst-served areas) : 0, every child counts the same; 1, only the share of need met
        in the worst-served fifth of the need.
    cost (weight of travel) : 0, cost counts only through the budget; 1, a move of average cost must gain what
        an average unit meets today.
    robustness (weight of the worst cases) : 0, the average over all draws; 1, only the mean of the worst
        tenth of draws (conditional value at risk, Rockafellar and Uryasev 2000).
    """

    equity: float = 0.0
    cost: float = 0.0
    robustness: float = 0.0

    def __post_init__(self) -> None:
        for name in ("equity", "cost", "robustness"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} = {getattr(self, name)!r} is not a weight. Give a number from 0 to 1.")


@dataclass(frozen=True)
class Decision:
    """The decision of a person on moves; an empty name of a site or kind stands for all of them.

    accept : at least `units` units of the kind go from start to end. decline : none do. lock : no unit of the
    kind leaves start (`end` and `units` do not count); others may come. Raises InputError for fewer units than 1, or
    the same site twice.
    """

    start: str
    end: str
    kind: str
    decided: Literal["accept", "decline", "lock"]
    units: int = 1
    reason: str = ""

    def __post_init__(self) -> None:
        if self.units < 1 or (self.start and self.start == self.end and self.decided != "lock"):
            raise InputError(f"No move of {self.units} units from {self.start!r} to {self.end!r}. Name two areas.")

    def covers(self, start: str, end: str, kind: str) -> bool:
        """Return whether a move is one of those that were decided on; a region stands for each of its islands."""
        names = zip((self.start, self.end, self.kind), (start, end, kind), strict=True)
        return all(name in ("", other, find_region(other)) for name, other in names)


@dataclass(frozen=True)
class Solver:
    """The effort of the solver.

    seconds : for all solves together. gap : relative gap to the best layout at which it stops. pieces : of each benefit
    curve. seed : of the areas drawn for exploration.
    """

    seconds: float = 60.0
    gap: float = 1e-3
    pieces: int = 16
    seed: int = 0


def _check_shape(name: str, value: Floats | Ints | Bools, wanted: tuple[int, ...]) -> None:
    if value.shape != wanted:
        raise InputError(f"{name} has shape {value.shape}; the areas, sites and kinds ask for {wanted}.")


def _check(name: str, value: Floats | Ints, at_least: float) -> None:
    if not (value >= at_least).all():
        raise InputError(f"{name} holds a number below {at_least:g}, or none. Give numbers from {at_least:g}.")
