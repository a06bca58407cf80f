"""What a plan would have been worth: invented worlds, where the true need is known.

For each seed a world is drawn (risk/simulate.py), the risk model is fitted on what its release would show,
and a programme with posts where it worked so far plans with the model's draws. Rivals move as many units
from the same posts: towards shares of the population, towards shares of the last year's counts, greedily by
the model's mean, and by the true need itself with the plan's own solver. All are judged by the true need.
Regret is what is lost against the one that knows the truth; recovery is the part of its gain that is made.

A second question of each world: with posts that are best for its true need, does the plan leave them alone?
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.disclosure import mechanisms
from data.disclosure.policy import DEFAULT_POLICY
from geo import areas as geography
from geo.travel import Travel
from risk._plan_benefit import met
from risk.access import Catchment, reach
from risk.detection import DetectionRange
from risk.model import RiskModel
from risk.observations import Observations
from risk.plan import Kind, Plan, Posts, Rules, Solver, plan
from risk.simulate import World, WorldParameters, over_own_areas

__all__ = ["RIVALS", "Programme", "Regret", "Study", "greedy", "study", "towards"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[int, int | None, str], None]

RIVALS = ("today", "population", "counts", "greedy", "plan", "truth")
_YEAR = 4  # quarters
_DRAWS = 400
_UNDER_SEARCHED = 0.5  # of the days that its children would make fair


@dataclass(frozen=True)
class Programme:
    """The programme of a study: so many units, children that each can serve a quarter, and moves allowed.

    floor : the share of a fair part of the capacity, by children living there, under which no area may be
    pushed. exploration : see risk.plan.Rules.
    """

    units: int = 60
    children: float = 8.0
    moves: int = 15
    floor: float = 0.25
    exploration: float = 0.1
    catchment: Catchment = field(default_factory=lambda: Catchment(120.0, "gaussian", 40.0))


@dataclass(frozen=True)
class Regret:
    """One world. met : children whose need is truly met a quarter, by rival, in the order of RIVALS.

    recommended, moved : of the plan; where it is not recommended, `plan` is today's posts. shown : what its
    moves would have met all the same. floor_kept : whether no area was below its floor. quiet : whether no
    move was recommended where today's posts were the best for the true need.
    """

    seed: int
    met: tuple[float, ...]
    shown: float
    recommended: bool
    moved: int
    floor_kept: bool
    quiet: bool

    def recovered(self, rival: str) -> float:
        """Give the part of the possible gain that a rival makes; 1 where none was possible."""
        today, truth = self.met[RIVALS.index("today")], self.met[RIVALS.index("truth")]
        possible = truth - today
        return (self.met[RIVALS.index(rival)] - today) / possible if possible > 1e-9 else 1.0


@dataclass(frozen=True)
class Study:
    """All worlds of a study."""

    worlds: tuple[Regret, ...]

    def summary(self) -> dict[str, Any]:
        """Give what all worlds say together."""
        rows = self.worlds
        mean = {name: float(np.mean([r.recovered(name) for r in rows])) for name in RIVALS}
        plans, counts = ([r.met[RIVALS.index(name)] for r in rows] for name in ("plan", "counts"))
        return {
            "worlds": len(rows),
            "recovered": {name: round(value, 3) for name, value in mean.items()},
            "beats_counts": round(float(np.mean(np.array(plans) > np.array(counts))), 3),
            "recommended": round(float(np.mean([r.recommended for r in rows])), 3),
            "floor_kept": all(r.floor_kept for r in rows),
            "quiet_where_today_is_best": round(float(np.mean([r.quiet for r in rows])), 3),
        }

    def as_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {"invented": True, "summary": self.summary(), "found": [asdict(r) for r in self.worlds]}


def study(
    worlds: int,
    *,
    first_seed: int = 0,
    programme: Programme | None = None,
    model: RiskModel | None = None,
    solver: Solver | None = None,
    progress: Progress | None = None,
) -> Study:
    """Study so many seeded worlds, some seconds each; the same seeds give the same answer."""
    found = []
    for done, seed in enumerate(range(first_seed, first_seed + worlds), 1):
        world = over_own_areas(WorldParameters(seed=seed))
        found.append(_one(world, programme or Programme(), model or RiskModel(), solver or Solver()))
        if progress is not None:
            progress(done, worlds, "Planning in invented worlds")
    return Study(tuple(found))


@dataclass(frozen=True, eq=False)
class _Known:
    """A world as the programme knows it, and its truth: draws of need (d, A), true need and counts (A,)."""

    seen: Observations
    draws: Floats
    truth: Floats
    counts: Floats


def _one(world: World, programme: Programme, model: RiskModel, how: Solver) -> Regret:
    known = _known(world, model)
    posts = _posts(known, programme)
    rules = _rules(known, posts, programme)
    made = plan(posts, known.draws, rules, solver=how)
    units = made.units if made.recommended else posts.units
    mean = known.draws.mean(axis=0)
    layouts = {
        "today": posts.units,
        "population": towards(posts, known.seen.expected, programme.moves),
        "counts": towards(posts, known.counts, programme.moves),
        "greedy": greedy(posts, mean, programme.moves),
        "plan": units,
        "truth": _knowing(posts, known.truth, rules, how).units,
    }
    gained = tuple(_met(posts, layouts[name], known.truth) for name in RIVALS)
    kept = bool((posts.capacity(units).sum(axis=1) >= _or_zero(rules.floor) - 1e-6).all())
    shown = _met(posts, made.units, known.truth)
    quiet = _quiet(posts, known, rules, how)
    return Regret(world.parameters.seed, gained, shown, made.recommended, made.moved, kept, quiet)


def _known(world: World, model: RiskModel) -> _Known:
    """Fit the model on the world's protected counts; need of the last year, all pathways, a quarter."""
    seed = world.parameters.seed
    usual = mechanisms.make(DEFAULT_POLICY.mechanism, DEFAULT_POLICY.parameters())
    seen = Observations.of_world(world, geography.load().neighbours("region"), usual)
    draws = DetectionRange().need(model.fit(seen).fit_.draws(_DRAWS, seed), seen, seed)
    last = set(seen.quarters[-_YEAR:])
    rows = world.truth.need.query("level == 'region' and pathway != 'none_known'")
    rows = rows[rows["quarter"].isin(last)]
    truth = rows.groupby("area")["need"].sum().reindex(list(seen.areas)).to_numpy(dtype=float) / _YEAR
    counts = np.maximum(seen.published[:, -_YEAR:], 0).sum(axis=(1, 2, 3)).astype(float)
    return _Known(seen, draws[:, :, -_YEAR:].sum(axis=3).mean(axis=2), truth, counts)


def _posts(known: _Known, programme: Programme) -> Posts:
    """Place the units as the outreach of the first year was placed: where the programme began."""
    seen, codes = known.seen, known.seen.areas
    travel = Travel.between(geography.load(), "region").at(codes)
    share = reach(seen.expected, programme.catchment.weight(travel.to_people()))
    # Moves cost their minutes; no rule of the study limits them.
    units = _apportioned(seen.effort[:, :_YEAR].sum(axis=1), programme.units)[:, None]
    return Posts(
        codes,
        codes,
        (Kind("team", programme.children, search=True),),
        units,
        share,
        travel.minutes,
        np.full(len(codes), programme.units, np.int64),
        np.zeros_like(units),
    )


def _rules(known: _Known, posts: Posts, programme: Programme) -> Rules:
    """Let no area fall under its floor, or under what it has where that is less; explore."""
    fair = known.seen.expected / known.seen.expected.sum()
    today = posts.capacity(posts.units).sum(axis=1)
    floor = np.minimum(programme.floor * fair * today.sum(), today)
    days = known.seen.effort[:, -_YEAR:].sum(axis=1)
    under = days < _UNDER_SEARCHED * fair * days.sum()
    return Rules(moves=programme.moves, floor=floor, under_searched=under, exploration=programme.exploration)


def _knowing(posts: Posts, truth: Floats, rules: Rules, how: Solver) -> Plan:
    """Plan as one who knows the truth, within the same moves and floors; who knows need not explore."""
    certain = np.tile(truth, (40, 1))
    return plan(posts, certain, replace(rules, exploration=0.0), solver=how)


def _quiet(posts: Posts, known: _Known, rules: Rules, how: Solver) -> bool:
    """Say whether the plan leaves posts alone that are the best for the true need."""
    best = _knowing(posts, known.truth, replace(rules, moves=None), how).units
    held = replace(posts, units=best)
    today = held.capacity(best).sum(axis=1)
    same = replace(rules, floor=np.minimum(_or_zero(rules.floor), today))
    return not plan(held, known.draws, same, solver=how).recommended


def towards(posts: Posts, share: Floats, moves: int) -> Ints:
    """Move units from where there are most too many to where most are missing, by shares of sites, (S,)."""
    units = posts.units.copy()
    for kind, total in enumerate(units.sum(axis=0)):
        wanted = _apportioned(share, int(total))
        for _ in range(moves):
            over = units[:, kind] - wanted
            if over.max() <= 0:
                break
            units[int(np.argmax(over)), kind] -= 1
            units[int(np.argmin(over)), kind] += 1
    return units


def greedy(posts: Posts, need: Floats, moves: int) -> Ints:
    """Make, one after the other, the move that helps most if the mean need, (A,), were true; one kind."""
    units = posts.units.copy()
    for _ in range(moves):
        best, found = _met(posts, units, need), None
        for start in np.flatnonzero(units[:, 0]):
            for end in range(len(units)):
                moved = units.copy()
                moved[start, 0] -= 1
                moved[end, 0] += 1
                if (value := _met(posts, moved, need)) > best + 1e-9:
                    best, found = value, moved
        if found is None:
            break
        units = found
    return units


def _met(posts: Posts, units: Ints, need: Floats) -> float:
    return float(met(need[None, :, None], posts.capacity(units)).sum())


def _apportioned(share: Floats, total: int) -> Ints:
    """Share whole units out in proportion, by largest remainder."""
    exact = share / share.sum() * total
    whole: Ints = np.floor(exact).astype(np.int64)
    rest = np.argsort(-(exact - whole), kind="stable")[: total - int(whole.sum())]
    whole[rest] += 1
    return whole


def _or_zero(floor: Floats | None) -> Floats:
    return np.zeros(1) if floor is None else floor
