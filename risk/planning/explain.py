"""The gain of a layout, as a whole and for each move, judged by draws that were not used for choosing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data.workspace.types import Bools, Floats
from risk.planning.benefit import compute_least_served, compute_met, weigh_worst_draws
from risk.planning.constraints import Region
from risk.planning.problem import Posts
from risk.planning.solve import Solution

_ENDS = (0.025, 0.975)
_HALVINGS = 30
_SMALLEST = 0.005  # children per quarter: smaller effects are left out


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; children per quarter."""

    mean: float
    low: float
    high: float

    @classmethod
    def from_draws(cls, draws: Floats) -> Estimate:
        """Return mean and interval of draws, (d,)."""
        low, high = np.quantile(draws, _ENDS)
        return cls(float(draws.mean()), float(low), float(high))


@dataclass(frozen=True)
class Outcome:
    """The number of children whose need a layout meets, per quarter.

    worst_cases : mean over the worst tenth of draws. least_served : share of need met (0 to 1) in the worst-served
    areas, which have a fifth of all need.
    """

    met: Estimate
    worst_cases: float
    least_served: float


@dataclass(frozen=True)
class Effect:
    """Mean change in the number of children per quarter whose need is met in an area."""

    area: str
    children: float


@dataclass(frozen=True)
class Move:
    """Units of a kind that go from one site to another, judged with all other moves made.

    cost : of all these units, in the unit of `Posts.cost`. gain : children per quarter whose need is met, compared with
    the same layout if these units stayed, docs/planner.md eq. (45). beats_staying : probability of a gain above 0.
    brings, takes : areas that gain and areas that lose, the largest effect first. need : children in need per quarter
    in the areas that get more capacity. pays_down_to : the need there below which the move has no gain, docs/planner.md
    eq. (46); 0 where it always gains, and `need` where it has no gain.
    """

    start: str
    end: str
    kind: str
    units: int
    cost: float
    gain: Estimate
    beats_staying: float
    brings: tuple[Effect, ...]
    takes: tuple[Effect, ...]
    need: float
    pays_down_to: float
    accepted: bool = False


@dataclass(frozen=True)
class Outing:
    """Teams posted in `start` that work in `area` for a part of their days.

    units : teams that would do this work if they did nothing else. worth : what is left of a day there after the way,
    from 0 to 1, docs/planner.md eq. (62). gain : children per quarter, compared with working where they are posted.
    """

    start: str
    area: str
    kind: str
    units: float
    worth: float
    gain: Estimate


@dataclass(frozen=True)
class OneMore:
    """What one more unit of a kind would bring, in the area where it brings most.

    layout : what it is added to. gain : children per quarter, docs/planner.md eq. (65).
    """

    layout: Literal["today", "planned"]
    kind: str
    area: str
    gain: Estimate


@dataclass(frozen=True)
class NeedTotals:
    """Children in need per quarter in all areas, those whose need is met today and as planned, and those left over.

    reached_by_nobody : need that the plan does not meet. docs/planner.md eq. (66).
    """

    need: Estimate
    today: Estimate
    planned: Estimate
    reached_by_nobody: Estimate


def find_best_unit(
    posts: Posts, capacity: Floats, kind: int, choosing: Floats, judging: Floats, allowed: Bools
) -> tuple[int, Floats]:
    """Find the site at which one more unit brings most, docs/planner.md eq. (65).

    capacity : (A, K). choosing, judging : draws of need, (d, A, K); the first choose, so that the gain, draws from the
    second, is not the luck of the best of many. allowed : mask of the sites, (S,). Returns the site, and its gain (d,).
    """

    def gain(need: Floats, site: int) -> Floats:
        touched = posts.reach[kind, :, site] > 0
        more = capacity[touched, kind] + posts.children[kind] * posts.reach[kind, touched, site]
        here = need[:, touched, kind]
        return np.asarray((compute_met(here, more) - compute_met(here, capacity[touched, kind])).sum(axis=1))

    sites = np.flatnonzero(allowed)
    best = int(sites[np.argmax([gain(choosing, int(site)).mean() for site in sites])])
    return best, gain(judging, best)


def compute_outcome(capacity: Floats, need: Floats) -> Outcome:
    """Return the children whose need a capacity, (A, K), meets under draws of need, (d, A, K)."""
    served = compute_met(need, capacity)
    by_draw = served.sum(axis=(1, 2))
    needed, by_area = need.sum(axis=2).mean(axis=0), served.sum(axis=2).mean(axis=0)
    share = np.divide(by_area, needed, out=np.ones_like(by_area), where=needed > 0)
    least = compute_least_served(share, needed / max(float(needed.sum()), 1e-12))
    worst = float(weigh_worst_draws(by_draw) @ by_draw)
    return Outcome(Estimate.from_draws(by_draw), worst, least)


def explain_moves(region: Region, solution: Solution, need: Floats) -> tuple[Move, ...]:
    """Return each move of a layout with its gain, the largest first. need : draws, (d, A, K)."""
    moves = [_explain_move(region, solution, int(flow), need) for flow in np.flatnonzero(solution.flows)]
    return tuple(sorted(moves, key=lambda move: (-move.gain.mean, move.start, move.end, move.kind)))


def explain_outings(region: Region, solution: Solution, need: Floats) -> tuple[Outing, ...]:
    """Return the work of teams in other areas, each with its gain, the largest first. need : draws, (d, A, K)."""
    posts, outings = region.posts, list[Outing]()
    met = compute_met(need, posts.compute_capacity(solution.units, solution.outings)).sum(axis=(1, 2))
    for d in np.flatnonzero(solution.outings):
        site, area, kind = posts.outings[:, d]
        rest = np.where(np.arange(len(solution.outings)) == d, 0.0, solution.outings)
        without = compute_met(need, posts.compute_capacity(solution.units, rest)).sum(axis=(1, 2))
        names = posts.sites[site], posts.areas[area], posts.kinds[kind].name
        worth = float(np.asarray(posts.day_worth)[area, site])
        outings.append(Outing(*names, float(solution.outings[d]), worth, Estimate.from_draws(met - without)))
    return tuple(sorted(outings, key=lambda outing: (-outing.gain.mean, outing.start, outing.area, outing.kind)))


def _explain_move(region: Region, solution: Solution, flow: int, need: Floats) -> Move:
    """Return one move; its gain compares the layout with and without the move, docs/planner.md eq. (45)."""
    posts, (start, end, kind), count = region.posts, region.flows[:, flow], int(solution.flows[flow])
    with_it = posts.compute_capacity(solution.units, solution.outings)
    without, planned = with_it.copy(), posts.mix_reach(solution.units, solution.outings)
    # Units that stay work as today; those of the end have the same part of their days elsewhere as with the move.
    without[:, kind] += count * posts.children[kind] * (posts.reach[kind, :, start] - planned[kind, :, end])
    change = compute_met(need, with_it) - compute_met(need, without)
    gain, by_area = change.sum(axis=(1, 2)), change.sum(axis=2).mean(axis=0)
    helped = with_it.sum(axis=1) > without.sum(axis=1)
    wanted = float(need[:, helped].sum(axis=(1, 2)).mean())
    names = posts.sites[start], posts.sites[end], posts.kinds[kind].name
    accepted = any(d.covers(*names) for d in region.decisions if d.decided == "accept")
    return Move(
        *names,
        count,
        float(region.cost[flow] * count),
        Estimate.from_draws(gain),
        float((gain > 0).mean()),
        _list_effects(posts, by_area, 1.0),
        _list_effects(posts, by_area, -1.0),
        wanted,
        wanted * _find_least_share(need, with_it, without, helped),
        accepted,
    )


def _list_effects(posts: Posts, by_area: Floats, sign: float) -> tuple[Effect, ...]:
    order = np.argsort(-sign * by_area, kind="stable")
    return tuple(Effect(posts.areas[a], float(by_area[a])) for a in order if sign * by_area[a] > _SMALLEST)


def _find_least_share(need: Floats, with_it: Floats, without: Floats, helped: NDArray[np.bool_]) -> float:
    """Return the factor on the need of the areas that get more capacity, 0 to 1, at which the mean gain is 0.

    docs/planner.md eq. (46). It is 1 if the move has no gain at the full need, and 0 if it always has one. need :
    draws, (d, A, K). with_it, without : capacity with and without the move, (A, K). helped : mask of these areas, (A,).
    """
    touched = with_it != without  # nothing changes elsewhere
    need, with_it, without = need[:, touched], with_it[touched], without[touched]
    less_of = np.repeat(helped[:, None], touched.shape[1], axis=1)[touched]

    def gain(share: float) -> float:
        less = np.where(less_of, share * need, need)
        return float((compute_met(less, with_it) - compute_met(less, without)).sum(axis=1).mean())

    low, high = 0.0, 1.0
    if gain(high) <= 0.0:
        return 1.0
    if gain(low) > 0.0:
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if gain(middle) <= 0.0 else (low, middle)
    return high
