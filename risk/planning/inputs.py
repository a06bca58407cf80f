"""From a release to a plan: posts, need and places are read, the settings of a reader become rules and aims.

Everything is read from a release of the partner tier and what was worked out beside it, so a plan carries
that tier. The same release, posts, settings and decisions give the same plan, unless the time is up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np

from data.errors import InputError, ReleaseError
from data.release import Release
from data.tables.spec import table_name
from data.workspace.types import Bools, Floats, Progress
from geo import areas as geography
from geo.travel import Travel
from risk.access import compute_reach
from risk.access.tables import CATCHMENT, Times
from risk.model import RiskModel
from risk.model.detection import draw_yearly_need
from risk.model.observations import PATHWAYS as _MODEL_PATHWAYS
from risk.model.observations import Observations
from risk.planning import (
    Aims,
    Decision,
    Plan,
    Point,
    Posts,
    Rules,
    Schedule,
    Solver,
    compute_frontier,
    plan_moves,
    schedule_moves,
)
from risk.planning import compute_floor as _floor
from risk.planning import posts as tables

ALL = "all"
PATHWAYS = (ALL, *_MODEL_PATHWAYS)
_DRAWS, _SEED = 400, 0
_YEAR = 4  # quarters
_UNDER_SEARCHED = 0.5  # of the days that the children who live there would make fair


@dataclass(frozen=True)
class Setting:
    """What a reader may set; see risk.plan.Rules and Aims.

    pathway : whose need counts, of PATHWAYS. moves : the most units that move. budget : the most hours of
    travel between old and new posts, None for no limit. floor : share of today's capacity that every area
    keeps. services_floor : of the areas where Roma and Egyptian communities live none may fall under this
    share of the services that reach the one with least today. per_quarter : the most units that move in one
    quarter. seconds : for finding the plan.
    Raises InputError for a value that is none.
    """

    pathway: str = ALL
    moves: int = 10
    budget: float | None = None
    floor: float = 0.5
    services_floor: float = 1.0
    exploration: float = 0.1
    equity: float = 0.0
    cost: float = 0.0
    robustness: float = 0.0
    per_quarter: int = 4
    seconds: float = 20.0

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("floor", "services_floor", "exploration", "equity", "cost", "robustness"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                msg = f"{name} is {getattr(self, name)!r}; allowed are shares from 0 to 1."
                raise InputError(msg)
        if self.pathway not in PATHWAYS:
            msg = f"No pathway {self.pathway!r}. There are: {', '.join(PATHWAYS)}."
            raise InputError(msg)
        if (
            self.moves < 0
            or self.per_quarter < 1
            or self.seconds <= 0.0
            or (self.budget is not None and self.budget < 0.0)
        ):
            msg = "Moves and hours must be 0 or more, moves per quarter 1 or more, and seconds above 0."
            raise InputError(msg)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read one back from what `as_dict` gave; what is not known is left out."""
        return cls(**{one.name: told[one.name] for one in fields(cls) if one.name in told})

    def as_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @property
    def aims(self) -> Aims:
        """The sliders."""
        return Aims(self.equity, self.cost, self.robustness)

    @property
    def solver(self) -> Solver:
        """How hard to look."""
        return Solver(seconds=self.seconds)


@dataclass(frozen=True, eq=False)
class PlanInputs:
    """What a plan stands on.

    release, checksum : of what it was read from. needs : for each of PATHWAYS draws of the children in need
    a quarter, over the last year, (d, A). communities : areas where partners know of Roma or Egyptian
    communities, (A,). under_searched : areas with less than half the outreach that their children would make
    fair, (A,). countries : code of each area's, (A,). provisional : whether any time of travel stands for a
    way over water that nobody entered. drafted : whether the posts are the draft of the release.
    """

    release: str
    checksum: str
    table: tables.PostsTable
    posts: Posts
    needs: Mapping[str, Floats]
    communities: Bools
    under_searched: Bools
    countries: tuple[str, ...]
    provisional: bool
    drafted: bool

    @classmethod
    def of(cls, release: Release, table: tables.PostsTable | None = None) -> PlanInputs:
        """Read it; posts are drafted where none are given.

        Travel times are those that the model's result was given. Raises ReleaseError where the release is of
        the public tier or has nothing to plan with.
        """
        if release.tier != "partner":
            msg = "A plan needs the partner tier, because the public tier has no outreach days and no staff."
            raise ReleaseError(msg)
        areas = geography.read(release.areas_file)
        seen = Observations.from_release(release, areas)
        draft = tables.draft_posts(seen)
        travel = _read_travel(release, areas).at(seen.areas)
        read = cls(
            release.name,
            release.checksum,
            draft,
            _place_posts(draft, seen, travel),
            _draw_need(seen),
            _find_communities(release, seen.areas),
            _find_under_searched(seen),
            seen.countries,
            bool(travel.provisional.any()),
            drafted=True,
        )
        return read if table is None else read.holding(table)

    def holding(self, table: tables.PostsTable) -> PlanInputs:
        """Put other posts on the same ground; need and places do not depend on them."""
        placed = replace(
            self.posts, kinds=table.kinds, units=table.units, room=table.room, committed=table.committed
        )
        return replace(self, table=table, posts=placed, drafted=False)

    def rules(self, setting: Setting) -> Rules:
        """Turn a setting into rules."""
        services = self.posts.capacity(self.posts.units)[:, ~self.posts.searching].sum(axis=1)
        held = services[self.communities]
        return Rules(
            moves=setting.moves,
            budget=setting.budget,
            floor=_floor(self.posts, setting.floor),
            communities=self.communities,
            services_floor=setting.services_floor * float(held.min(initial=np.inf)) if len(held) else 0.0,
            under_searched=self.under_searched,
            exploration=setting.exploration,
        )


def make_plan(
    ground: PlanInputs,
    setting: Setting,
    decisions: Sequence[Decision] = (),
    progress: Progress | None = None,
) -> Plan:
    """Make the plan; raises what `risk.planning.plan` does, and ReleaseError where there is no unit at all."""
    if not ground.table.units.sum():
        msg = "There are no posts to move. Give a table of posts with units in at least one row."
        raise ReleaseError(msg)
    return plan_moves(
        ground.posts,
        ground.needs[setting.pathway],
        ground.rules(setting),
        setting.aims,
        decisions=decisions,
        solver=setting.solver,
        progress=progress,
    )


def make_schedule(setting: Setting, plan: Plan) -> Schedule:
    """Spread a plan's moves over four quarters, what helps most first; raises as `risk.planning.schedule_moves`."""
    return schedule_moves(plan, per_quarter=setting.per_quarter)


def make_frontier(
    ground: PlanInputs,
    setting: Setting,
    decisions: Sequence[Decision] = (),
    progress: Progress | None = None,
) -> tuple[Point, ...]:
    """Give what ever more moves would gain, up to twice those of the setting."""
    most = max(2 * setting.moves, 4)
    limits = sorted({0, *(round(most * part) for part in (0.1, 0.2, 0.35, 0.5, 0.75, 1.0))})
    return compute_frontier(
        ground.posts,
        ground.needs[setting.pathway],
        limits,
        ground.rules(setting),
        setting.aims,
        decisions=decisions,
        solver=setting.solver,
        progress=progress,
    )


def _read_travel(release: Release, areas: geography.Areas) -> Travel:
    result = release.result("risk")
    times = Times.read(result.manifest if result else {}).among(areas.frame("region").index)
    return Travel.between(areas, "region", uploaded=times.uploaded, ferries=times.ferries)


def _place_posts(table: tables.PostsTable, seen: Observations, travel: Travel) -> Posts:
    """Place the units in the middle of their areas. None serves, or moves to, another country.

    Nobody is served over water where no time was given; a move may go there, at the time of a straight line.
    """
    land = np.array(seen.countries)
    same = land[:, None] == land
    weight = np.where(same & ~travel.provisional, CATCHMENT.weight(travel.to_people()), 0.0)
    return Posts(
        seen.areas,
        seen.areas,
        table.kinds,
        table.units,
        compute_reach(seen.expected, weight),
        np.where(same, travel.minutes / 60.0, np.inf),
        table.room,
        table.committed,
    )


def _draw_need(seen: Observations) -> dict[str, Floats]:
    need = draw_yearly_need(RiskModel().fit(seen).fit_.draws(_DRAWS, _SEED), seen, _SEED)
    return {ALL: need.sum(axis=2), **{one: need[..., at] for at, one in enumerate(seen.pathways)}}


def _find_communities(release: Release, areas: tuple[str, ...]) -> Bools:
    """Mark areas of which any estimate is known; nowhere where the release holds none."""
    name = table_name("communities", "region", "year")
    if name not in release.tables:
        return np.zeros(len(areas), bool)
    rows = release.table(name)
    known = set(rows.loc[rows["state"].isin(["number", "class"]), "area"].astype(str))
    return np.array([area in known for area in areas], dtype=bool)


def _find_under_searched(seen: Observations) -> Bools:
    """Judge the outreach of the last year by children living there, within each country."""
    days, land = seen.effort[:, -_YEAR:].sum(axis=1), np.array(seen.countries)
    fair = np.zeros(len(days))
    for country in seen.country_names:
        inside = land == country
        fair[inside] = seen.expected[inside] / seen.expected[inside].sum() * days[inside].sum()
    return np.asarray(days < _UNDER_SEARCHED * fair)
