"""The benefit of capacity: the exact curve, and its approximation by straight pieces.

Capacity c that reaches an area with need n meets n (1 - exp(-c / n)) of it, docs/planner.md eq. (17): the first
units of capacity meet most need, further units less and less. The mean over draws of need is a concave function
of the capacity of the area, and so is the mean under any weights of the draws. This keeps the programme small: one
column per piece of capacity, used by every weighing of the draws, however many draws there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.errors import InputError
from data.workspace.types import Floats
from risk.planning.problem import Posts

WORST_CASES = 0.1  # of the draws
WORST_AREAS = 0.2  # of the need
_MOST_PIECES, _COLUMNS = 200, 12_800  # pieces of a curve, and of all curves together
_GRID = 65  # points at which the curvature is measured to space the knots
_SMALL = 1e-9
_LEAST_DRAWS = 20


def expand_kinds(need: Floats, posts: Posts) -> Floats:
    """Return draws of need by kind, (d, A, K), from (d, A) for all kinds alike or (d, A, K).

    Raises InputError for another shape, negative or unknown numbers, or fewer than 20 draws.
    """
    areas, kinds = len(posts.areas), len(posts.kinds)
    by_kind = np.repeat(need[:, :, None], kinds, axis=2) if need.ndim == 2 else need
    if by_kind.shape[1:] != (areas, kinds) or len(by_kind) < _LEAST_DRAWS or not (by_kind >= 0).all():
        raise InputError(
            f"Need of shape {need.shape} is no {_LEAST_DRAWS} draws or more of {areas} areas and {kinds} "
            "kinds, none negative. Draw it with DetectionRange.need for the areas of the posts."
        )
    return by_kind


def compute_met(need: Floats, capacity: Floats) -> Floats:
    """Return the children whose need is met, (d, ...), docs/planner.md eq. (17).

    need : children, (d, ...). capacity : children that can be served, (...).
    """
    ratio = np.divide(capacity, need, out=np.zeros(need.shape), where=need > _SMALL)
    served: Floats = need * -np.expm1(-ratio)
    return served


def compute_slopes(need: Floats, capacity: Floats) -> tuple[Floats, Floats]:
    """Return the first two derivatives of the met need with respect to the capacity, (d, A, K) each.

    docs/planner.md eq. (18); the second is below 0, or 0 without need. need : (d, A, K). capacity : (A, K).
    """
    ratio = np.divide(capacity, need, out=np.full(need.shape, np.inf), where=need > _SMALL)
    more = np.exp(-ratio)
    falls = np.divide(-more, need, out=np.zeros(need.shape), where=need > _SMALL)
    return more, falls


def weigh_worst_draws(values: Floats) -> Floats:
    """Return weights of draws, (d,), with which the mean of `values`, (d,), is the mean of their lowest tenth.

    This is the CVaR of docs/planner.md eq. (23).
    """
    order = np.argsort(values, kind="stable")
    mass = WORST_CASES * len(values)
    weight = np.zeros(len(values))
    weight[order] = np.clip(mass - np.arange(len(values)), 0.0, 1.0)
    return weight / mass


def weigh_worst_areas(share: Floats, weight: Floats) -> Floats:
    """Return the part of each area's weight that lies in the worst-served fifth of the need, (A,).

    share, weight : see `compute_least_served`.
    """
    order = np.argsort(share, kind="stable")
    before = np.cumsum(weight[order]) - weight[order]
    inside = np.zeros_like(weight)
    inside[order] = np.clip(WORST_AREAS - before, 0.0, weight[order])
    return inside


def compute_least_served(share: Floats, weight: Floats) -> float:
    """Return the mean share of need met in the worst-served fifth of the need, docs/planner.md eq. (24).

    share : share of need that is met, (A,). weight : each area's share of all need, (A,), with sum 1.
    """
    return float(weigh_worst_areas(share, weight) @ share / WORST_AREAS)


def _space_knots(need: Floats, least: Floats, largest: Floats, count: int) -> Floats:
    """Return knots from the least to the largest capacity, (A, K, count), docs/planner.md eq. (19).

    Equal errors of chords need knots as dense as the square root of the curvature of the mean curve.
    """
    grid = least[..., None] + (largest - least)[..., None] * np.linspace(0.0, 1.0, _GRID)
    curvature = np.stack([-compute_slopes(need, grid[..., g])[1].mean(axis=0) for g in range(_GRID)], axis=-1)
    dense = np.sqrt(curvature) + _SMALL
    done = np.cumsum(np.diff(grid, axis=-1) * (dense[..., 1:] + dense[..., :-1]) / 2.0, axis=-1)
    done = np.concatenate([np.zeros((*least.shape, 1)), done], axis=-1) + _SMALL * np.arange(_GRID)
    wanted = done[..., -1:] * np.linspace(0.0, 1.0, count)
    pairs = zip(wanted.reshape(-1, count), done.reshape(-1, _GRID), grid.reshape(-1, _GRID), strict=True)
    return np.array([np.interp(*pair) for pair in pairs]).reshape(*least.shape, count)


def _measure_error(need: Floats, knots: Floats, height: Floats, slope: Floats) -> Floats:
    """Return the most by which chords that begin at the knots are below the curves, (d, A, K, P).

    It is where the curve is as steep as the chord. knots : (A, K, P). height, slope : (d, A, K, P).
    """
    need = need[..., None]
    steep = np.clip(slope, _SMALL, 1.0)
    touch = np.maximum(-need * np.log(steep), knots)
    curve = need * -np.expm1(-np.divide(touch, need, out=np.zeros(slope.shape), where=need > _SMALL))
    below = np.where((slope > _SMALL) & (need > _SMALL), curve - height - slope * (touch - knots), 0.0)
    return np.asarray(below.clip(0.0))


@dataclass(frozen=True, eq=False)
class Benefit:
    """Benefit curves cut into chords, docs/planner.md eq. (20).

    need : draws, (d, A, K). width : width of each piece of capacity, (A, K, P). slope : slope of the chord of each
    draw on each piece, (d, A, K, P). Slopes fall from piece to piece, so the solver fills the pieces in order.
    error : the most by which a chord of a draw is below its curve, (d, A, K, P - 1), docs/planner.md eq. (68); it has
    no first piece, where no layout is.
    """

    need: Floats
    width: Floats
    slope: Floats
    error: Floats

    @classmethod
    def cut(cls, need: Floats, least: Floats, largest: Floats, pieces: int) -> Benefit:
        """Cut the curves at the knots of docs/planner.md eq. (19): all chords are equally close to the curves.

        need : draws, (d, A, K). least, largest : smallest and largest capacity of each area and kind, (A, K): the first
        piece ends at the smallest, since no layout has less. pieces : number, at least 3.
        """
        largest = np.maximum(largest, _SMALL)
        inner = _space_knots(need, np.minimum(least, largest), largest, pieces)
        knots = np.concatenate([np.zeros((*largest.shape, 1)), inner], axis=-1)
        height = np.stack([compute_met(need, knots[..., p]) for p in range(pieces + 1)], axis=-1)
        width = np.diff(knots, axis=-1)
        slope = np.divide(np.diff(height, axis=-1), width, out=np.zeros((*height.shape[:-1], pieces)),
                          where=width > _SMALL)  # fmt: skip
        slope[..., 0] = np.where(width[..., 0] > _SMALL, slope[..., 0], 1.0)
        return cls(need, width, slope, _measure_error(need, knots[..., 1:-1], height[..., 1:-1], slope[..., 1:]))

    @classmethod
    def cut_closely(
        cls, need: Floats, least: Floats, largest: Floats, pieces: int, allowed: float, weigh: Callable[[Floats], float]
    ) -> Benefit:
        """Cut the curves into so many pieces, or more, that their error, weighed by `weigh`, is at most `allowed`.

        With very many curves the error may be larger, so that the programme stays small. The others are those of `cut`.
        """
        benefit = cls.cut(need, least, largest, pieces)
        wanted = int(np.ceil(pieces * np.sqrt(weigh(benefit.error) / max(allowed, _SMALL))))
        more = min(wanted, _COLUMNS // max(least.size, 1), _MOST_PIECES)
        return cls.cut(need, least, largest, more) if more > pieces else benefit

    def average(self, weight: Floats | None = None) -> Floats:
        """Return the slopes of the mean curves, (A, K, P), with the given weights of the draws, (d,), or equal ones."""
        if weight is None:
            return np.asarray(self.slope.mean(axis=0))
        used = np.flatnonzero(weight)
        return np.asarray(np.tensordot(weight[used], self.slope[used], axes=1))
