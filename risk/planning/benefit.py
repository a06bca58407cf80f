"""The benefit of capacity, exactly and in pieces.

Of need n in an area, capacity c that reaches it meets n (1 - exp(-c / n)): all of a little, ever less of
more. Over draws of need the expected benefit of an area is a concave function of its capacity alone, and so
is its mean under any weights of the draws. That is what keeps the programme small: one column a piece of
capacity, shared by every weighing of draws, whatever their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import InputError
from data.workspace.types import Floats
from risk.planning.problem import Posts

WORST_CASES = 0.1  # of the draws
WORST_AREAS = 0.2  # of the need
_BEND = 6.0  # capacity over need beyond which a curve is as good as flat
_SMALL = 1e-9
_LEAST_DRAWS = 20


def expand_kinds(need: Floats, posts: Posts) -> Floats:
    """Give draws of need by kind, (d, A, K), of (d, A) for all kinds alike or (d, A, K); raise InputError."""
    areas, kinds = len(posts.areas), len(posts.kinds)
    by_kind = np.repeat(need[:, :, None], kinds, axis=2) if need.ndim == 2 else need
    if by_kind.shape[1:] != (areas, kinds) or len(by_kind) < _LEAST_DRAWS or not (by_kind >= 0).all():
        msg = (
            f"Need of shape {need.shape} is no {_LEAST_DRAWS} draws or more of {areas} areas and {kinds} "
            "kinds, none negative. Draw it with DetectionRange.need for the areas of the posts."
        )
        raise InputError(msg)
    return by_kind


def compute_met(need: Floats, capacity: Floats) -> Floats:
    """Give the children whose need is met, need (d, ...) and capacity (...) to (d, ...)."""
    ratio = np.divide(capacity, need, out=np.zeros(need.shape), where=need > _SMALL)
    served: Floats = need * -np.expm1(-ratio)
    return served


def compute_slopes(need: Floats, capacity: Floats) -> tuple[Floats, Floats]:
    """Give what one more of capacity would meet, and how fast that falls; both (d, A, K), the second below 0.

    need (d, A, K), capacity (A, K): the first two derivatives of `met`.
    """
    ratio = np.divide(capacity, need, out=np.full(need.shape, np.inf), where=need > _SMALL)
    more = np.exp(-ratio)
    falls = np.divide(-more, need, out=np.zeros(need.shape), where=need > _SMALL)
    return more, falls


def weigh_worst_draws(values: Floats) -> Floats:
    """Give the weights of draws, (d,), under which their mean is the CVaR: that of the worst tenth."""
    order = np.argsort(values, kind="stable")
    mass = WORST_CASES * len(values)
    weight = np.zeros(len(values))
    weight[order] = np.clip(mass - np.arange(len(values)), 0.0, 1.0)
    return weight / mass


def weigh_worst_areas(share: Floats, weight: Floats) -> Floats:
    """Give what of each area's weight lies in the worst-served fifth of the need, (A,)."""
    order = np.argsort(share, kind="stable")
    before = np.cumsum(weight[order]) - weight[order]
    inside = np.zeros_like(weight)
    inside[order] = np.clip(WORST_AREAS - before, 0.0, weight[order])
    return inside


def compute_least_served(share: Floats, weight: Floats) -> float:
    """Give the mean share among the worst-served fifth of the need, (A,) and weights that sum to 1."""
    return float(weigh_worst_areas(share, weight) @ share / WORST_AREAS)


@dataclass(frozen=True, eq=False)
class Benefit:
    """Benefit curves cut into chords.

    need : draws, (d, A, K). width : of the pieces of capacity, (A, K, P). slope : of each draw's chord on
    each piece, (d, A, K, P); it falls from piece to piece, so pieces fill in order by themselves.
    """

    need: Floats
    width: Floats
    slope: Floats

    @classmethod
    def of(cls, need: Floats, most: Floats, pieces: int) -> Benefit:
        """Cut so that no chord is farther from its curve than any other; `most` is the largest capacity."""
        mean = np.maximum(need.mean(axis=0), _SMALL)
        step = np.arange(pieces) / (pieces - 1)
        # The curve bends as exp(-u): equal errors need knots as dense as exp(-u / 2). The last piece is flat.
        knots = -2.0 * np.log1p(step * np.expm1(-_BEND / 2.0))
        ends = np.minimum(knots * mean[..., None], most[..., None])
        knots = np.concatenate([ends, np.maximum(most, _SMALL)[..., None]], axis=-1)
        height = np.stack([compute_met(need, knots[..., p]) for p in range(pieces + 1)], axis=-1)
        width = np.diff(knots, axis=-1)
        slope = np.divide(np.diff(height, axis=-1), width, out=np.zeros((*height.shape[:-1], pieces)),
                          where=width > _SMALL)  # fmt: skip
        return cls(need, width, slope)

    def average(self, weight: Floats | None = None) -> Floats:
        """Give the slopes of the mean curves under weights of the draws, (A, K, P)."""
        if weight is None:
            return np.asarray(self.slope.mean(axis=0))
        kept = np.flatnonzero(weight)
        return np.asarray(np.tensordot(weight[kept], self.slope[kept], axes=1))
