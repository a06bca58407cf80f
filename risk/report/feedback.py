"""What happens to a programme that learns where to look from what it finds there (Ensign et al. 2018).

An urn has one ball for each area to begin with. Each visit goes to an area with the chance of its share of
the balls and finds with the area's true rate; a find that is **learnt** adds a ball of that area. Learning
from all finds, the urn is Pólya's: with equal rates it ends anywhere, with unequal ones far from the truth,
because who is looked for decides who is found. Learning from a find with the chance of the other area's
share takes that out: an area that is visited twice as often is believed half as readily, and the urn stays
near the areas' shares of the true rates. For more than two areas that is no longer enough (an area grows as
its rate times the share of all others, which evens small shares out); believing in inverse proportion to an
area's own share is.

A planner that raises effort where finds were made learns from all finds. `feedback_test` says of any rule
whether it drifts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.errors import InputError
from data.workspace.types import Floats, Ints
from risk.evaluation.panel import Interval
from risk.numbers import stream

__all__ = [
    "Feedback",
    "Rule",
    "feedback_test",
    "learn_all",
    "learn_by_inverse_share",
    "learn_by_share_of_others",
    "urn",
]

# The chance that a find is learnt, (runs,), given each area's share of the visits, (runs, A), and the area
# where it was made, (runs,).
Rule = Callable[[Floats, Ints], Floats]
_DRIFT = 0.1  # of the share of an area, in the middle 90 % of runs


def learn_all(_share: Floats, area: Ints) -> Floats:
    """Learn from every find."""
    return np.ones(len(area))


def learn_by_share_of_others(share: Floats, area: Ints) -> Floats:
    """Learn from a find with the chance of the other areas' share; stays near the truth for two areas."""
    return 1.0 - _own(share, area)


def learn_by_inverse_share(share: Floats, area: Ints) -> Floats:
    """Learn from a find with the chance of the least share of any area over that of its own."""
    return np.asarray(share.min(axis=1) / _own(share, area))


def _own(share: Floats, area: Ints) -> Floats:
    return np.asarray(np.take_along_axis(share, area[:, None], axis=1)[:, 0])


def urn(
    rates: tuple[float, ...],
    rule: Rule,
    *,
    visits: int = 2000,
    runs: int = 4000,
    seed: int = 0,
) -> Floats:
    """Give the share of each area that was learnt in the end, (runs, A).

    Parameters
    ----------
    rates
        The chance that a visit of each area finds, two areas or more.
    rule
        Which finds are learnt.
    visits, runs, seed
        How long, how often, and of what random numbers.

    Raises
    ------
    InputError
        A rate is no chance, or there is one area only.

    """
    if len(rates) < 2 or not all(0.0 <= rate <= 1.0 for rate in rates):
        msg = f"An urn needs the rates of two areas or more, each from 0 to 1, not {rates!r}."
        raise InputError(msg)
    rng = stream(seed, "urn")
    chance, each = np.array(rates), np.arange(runs)
    balls = np.ones((runs, len(rates)))
    for _ in range(visits):
        where, found, believed = rng.random((3, runs))
        share = balls / balls.sum(axis=1, keepdims=True)
        area = (where[:, None] >= np.cumsum(share, axis=1)[:, :-1]).sum(axis=1)
        learnt = (found < chance[area]) & (believed < rule(share, area))
        balls[each[learnt], area[learnt]] += 1.0
    return np.asarray(balls / balls.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Feedback:
    """Where the shares that a rule learns end.

    truth : share of each area in the true rates; learnt : 5th and 95th percentile of the learnt share of
    each; drifts : whether any leaves the truth by more than `tolerance`.
    """

    truth: tuple[float, ...]
    learnt: tuple[Interval, ...]
    tolerance: float
    drifts: bool

    @property
    def words(self) -> str:
        """Say it in one sentence."""
        at = int(
            np.argmax(
                [max(t - low, high - t) for t, (low, high) in zip(self.truth, self.learnt, strict=True)]
            )
        )
        low, high = self.learnt[at]
        end = (
            "what is learnt drifts away from the truth"
            if self.drifts
            else "what is learnt stays near the truth"
        )
        return (
            f"An area with {100 * self.truth[at]:.0f} % of the true rates ends with {100 * low:.0f} to "
            f"{100 * high:.0f} % of the visits: {end}."
        )


def feedback_test(
    rule: Rule,
    rates: tuple[float, ...] = (0.5, 0.5),
    *,
    tolerance: float = _DRIFT,
    visits: int = 2000,
    runs: int = 1000,
    seed: int = 0,
) -> Feedback:
    """Say whether the shares that a rule learns from finds drift away from the truth.

    `rates` as for `urn`, at least one above zero; `tolerance` is how far the middle 90 % of runs may be from
    an area's share of the true rates.
    """
    if not any(rate > 0 for rate in rates):
        msg = "Where nothing can be found nothing is learnt; give a rate above 0."
        raise InputError(msg)
    shares = urn(rates, rule, visits=visits, runs=runs, seed=seed)
    low, high = np.quantile(shares, [0.05, 0.95], axis=0)
    truth = np.array(rates) / sum(rates)
    drifts = bool((np.maximum(truth - low, high - truth) > tolerance).any())
    learnt = tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))
    return Feedback(tuple(map(float, truth)), learnt, tolerance, drifts)
